"""Worktrees made ready, on real repositories."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.repo import Repo
from worktree_runner.git.gateway import Git
from worktree_runner.git.untracked import unchanged
from worktree_runner.git.worktrees import Mark, add
from worktree_runner.operations.context.provision import (
    ProvisionError,
    Request,
    checkout_environment,
    provision,
)
from worktree_runner.process import Mark as ProcessMark
from worktree_runner.store.paths import Layout
from worktree_runner.store.ports import Ports
from worktree_runner.store.settings import Worktrees

Make = Callable[..., Request]


@pytest.fixture
def make(repo: Repo, tmp_path: Path) -> Make:
    """A function that gives a new worktree of the repository's HEAD, with these settings."""
    layout = Layout((repo.path / ".git").resolve())

    def request(name: str = "wt", **settings: Any) -> Request:
        path = repo.path / ".worktrees" / name
        base = repo.git("rev-parse", "HEAD")
        wanted = Worktrees(**settings)
        add(
            Git(repo.path),
            layout,
            path=path,
            branch=f"gsd/{name}",
            base=base,
            mark=Mark("run", name),
            env=checkout_environment(wanted),
        )
        return Request(
            main=repo.path,
            worktree=path,
            layout=layout,
            settings=wanted,
            ports=Ports(3, 20030),
            mark=ProcessMark("run", f"setup-{name}"),
            log=tmp_path / "logs" / f"{name}.log",
        )

    return request


def test_included_files_come_along_and_only_ignored_ones(repo: Repo, make: Make) -> None:
    repo.commit(
        "first",
        {
            ".gitignore": ".env*\nsecrets/\nnode_modules/\n!.env.example\n",
            ".worktreeinclude": "# for agents\n.env*\nsecrets/dev/*\nnotes.txt\ntracked.txt\n",
            ".env.example": "A=\n",
            "tracked.txt": "tracked\n",
        },
    )
    repo.write(".env", "A=1\n").chmod(0o600)
    repo.write("app/.env.local", "B=2\n")
    repo.write("secrets/dev/key", "k")
    repo.write("secrets/prod/key", "p")
    repo.write("node_modules/pkg/.env", "not mine")
    repo.write("notes.txt", "untracked, but not ignored")
    repo.write("tracked.txt", "edited by the user\n")
    repo.write(".env.example", "edited by the user\n")
    request = make()
    done = provision(request)
    assert done.copied == (".env", "app/.env.local", "secrets/dev/key")
    assert (request.worktree / ".env").read_text() == "A=1\n"
    assert (request.worktree / ".env").stat().st_mode & 0o777 == 0o600
    assert (request.worktree / "tracked.txt").read_text() == "tracked\n"
    assert (request.worktree / ".env.example").read_text() == "A=\n"
    assert not (request.worktree / "node_modules").exists()
    assert done.baseline_untracked == {}
    assert provision(request).copied == ()  # a second time there is nothing left to do


def test_copy_and_link_settings_take_untracked_things_and_never_overwrite(
    repo: Repo, make: Make
) -> None:
    repo.commit("first", {".gitignore": "node_modules/\n", "config/a.json": "{}\n"})
    repo.write("node_modules/pkg/index.js", "x")
    repo.write("config/local.json", "local")
    repo.write("config/a.json", "edited")
    request = make(copy=["config/*.json"], link=["node_modules"])
    done = provision(request)
    assert done.copied == ("config/local.json",)
    assert done.linked == ("node_modules/",)
    assert (request.worktree / "config/a.json").read_text() == "{}\n"
    assert (request.worktree / "node_modules").readlink() == repo.path / "node_modules"
    # both show up as untracked in the worktree, and are nobody's work
    assert set(done.baseline_untracked) == {"config/local.json", "node_modules"}


def test_a_link_of_the_worktree_is_never_written_through(
    repo: Repo, make: Make, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo.path / "link").symlink_to(outside)
    repo.commit("first", {".gitignore": "*.key\n"})
    (repo.path / "link").unlink()
    repo.write("link/a.key", "secret")
    done = provision(make(copy=["link/"]))
    assert done.copied == ()
    assert os.listdir(outside) == []


def test_links_fifos_and_empty_folders_are_no_trouble(repo: Repo, make: Make) -> None:
    repo.commit("first", {".gitignore": "cache/\n*.sock\n"})
    repo.write("cache/deep/file", "x")
    (repo.path / "cache/broken").symlink_to("nowhere")
    os.mkfifo(repo.path / "cache/pipe")
    os.mkfifo(repo.path / "a.sock")
    request = make(copy=["cache/", "*.sock"])
    done = provision(request)
    assert done.copied == ("cache/",)
    assert sorted(os.listdir(request.worktree / "cache")) == ["broken", "deep"]
    assert (request.worktree / "cache/broken").is_symlink()


def test_neither_worktrees_nor_submodules_are_copied(repo: Repo, make: Make) -> None:
    repo.commit("first", {".gitignore": "*\n!.gitignore\n"})
    repo.write("vendor/own.txt", "own")
    repo.write("vendor/linked/.git", "gitdir: elsewhere\n")
    repo.write("vendor/linked/x.txt", "x")
    other = make("other")
    request = make(copy=["*", "vendor/linked/*"])
    assert request.worktree.parent == other.worktree.parent
    done = provision(request)
    assert done.copied == ("vendor/",)
    assert sorted(os.listdir(request.worktree)) == [".git", ".gitignore", "vendor"]
    assert os.listdir(request.worktree / "vendor") == ["own.txt"]


def test_setup_runs_in_the_worktree_with_its_slot_ports_and_log(repo: Repo, make: Make) -> None:
    repo.commit("first", {"a": "a"})
    text = 'env | grep ^WTRUN_ | sort > seen; echo "out $(pwd)"; echo err >&2'
    request = make(setup=[text, ["sh", "-c", "echo second"]])
    done = provision(request)
    seen = (request.worktree / "seen").read_text().splitlines()
    assert seen == [
        "WTRUN_ATTEMPT=setup-wt",
        f"WTRUN_MAIN_WORKTREE={repo.path}",
        "WTRUN_PORT_BASE=20030",
        "WTRUN_PORT_COUNT=10",
        "WTRUN_RUN_ID=run",
        "WTRUN_SLOT=3",
        f"WTRUN_WORKTREE={request.worktree}",
    ]
    assert done.env["WTRUN_PORT_BASE"] == "20030"
    assert request.log.read_text() == (
        f"$ sh -c {text}\nout {request.worktree}\nerr\n$ sh -c echo second\nsecond\n"
    )


def test_a_failed_setup_says_what_it_said_and_starts_nothing_more(repo: Repo, make: Make) -> None:
    repo.commit("first", {"a": "a"})
    request = make(setup=["echo installing; echo 'no such package' >&2; exit 4", "touch second"])
    with pytest.raises(
        ProvisionError, match="ended with 4:\ninstalling\nno such package"
    ) as caught:
        provision(request)
    assert str(request.log) in (caught.value.hint or "")
    assert not (request.worktree / "second").exists()


def test_a_setup_that_takes_too_long_is_ended(repo: Repo, make: Make) -> None:
    repo.commit("first", {"a": "a"})
    with pytest.raises(ProvisionError, match="took longer than 1 s"):
        provision(make(setup=["sleep 600"], setup_timeout=1))


CHANGES = """
echo changed > a.txt; rm b.txt; chmod +x c.txt; touch same.txt
echo new > new.txt; echo staged > staged.txt; git add staged.txt a.txt
mkdir out; echo o > out/o.txt
"""


def test_tracked_files_that_setup_changed_are_named_and_restored(repo: Repo, make: Make) -> None:
    files = dict.fromkeys(("a.txt", "b.txt", "c.txt", "same.txt", "*.odd", ":(top)z"), "x\n")
    repo.commit("first", {**files, ".gitignore": "out/\n"})
    request = make(setup=[CHANGES + "echo changed > ':(top)z'"])
    done = provision(request)
    assert done.restored == (":(top)z", "a.txt", "b.txt", "c.txt", "staged.txt")
    assert done.kept_changes == ()
    assert repo.git("status", "--porcelain", cwd=request.worktree) == ("?? new.txt\n?? staged.txt")
    assert set(done.baseline_untracked) == {"new.txt", "staged.txt"}
    assert (request.worktree / "out/o.txt").exists()


def test_changes_of_setup_can_be_kept(repo: Repo, make: Make) -> None:
    repo.commit("first", dict.fromkeys(("a.txt", "b.txt", "c.txt", "same.txt"), "x\n"))
    request = make(setup=[CHANGES], keep_setup_changes=True)
    done = provision(request)
    assert done.restored == ()
    assert done.kept_changes == ("a.txt", "b.txt", "c.txt", "staged.txt")
    assert (request.worktree / "a.txt").read_text() == "changed\n"


def test_a_commit_by_setup_is_refused(repo: Repo, make: Make) -> None:
    repo.commit("first", {"a": "a"})
    with pytest.raises(ProvisionError, match="setup made a commit"):
        provision(make(setup=["git commit -q --allow-empty -m x"]))


def test_a_baseline_file_that_is_edited_later_is_work(repo: Repo, make: Make) -> None:
    repo.commit("first", {"a": "a"})
    request = make(setup=["echo 1 > one; echo 2 > two; ln -s one three"])
    baseline = provision(request).baseline_untracked
    assert unchanged(request.worktree, baseline) == {"one", "two", "three"}
    (request.worktree / "one").write_text("edited")
    (request.worktree / "two").unlink()
    assert unchanged(request.worktree, baseline) == {"three"}


def test_the_users_post_checkout_hook_runs_as_git_would_run_it(repo: Repo, make: Make) -> None:
    base = repo.commit("first", {"a": "a"})
    hook = repo.path / ".git/hooks/post-checkout"
    hook.write_text('#!/bin/sh\necho "$1 $2 $3 $(pwd)" > hooked; exit 3\n')
    hook.chmod(0o755)
    request = make()
    done = provision(request)
    assert (request.worktree / "hooked").read_text() == f"{'0' * 40} {base} 1 {request.worktree}\n"
    assert done.notices == (f"the post-checkout hook ended with 3; see {request.log}",)


def test_setups_that_write_shared_configuration_run_one_at_a_time(
    repo: Repo, make: Make, tmp_path: Path
) -> None:
    repo.commit("first", {"a": "a"})
    inside = shlex.quote(str(tmp_path / "inside"))
    # git config is in the command; a second one beside it would find the folder
    text = f"mkdir {inside} && git config --get user.name && sleep 0.05; rmdir {inside}"
    requests = [make(f"wt{n}", setup=[text]) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(provision, requests))
    assert not Path(tmp_path / "inside").exists()


def test_a_setup_that_met_another_one_runs_again_alone(repo: Repo, make: Make) -> None:
    repo.commit("first", {"a": "a"})
    text = "test -e again && exit 0; touch again; echo 'could not lock config file' >&2; exit 255"
    done = provision(make(setup=[text]))
    assert len(done.notices) == 1
    assert "met another" in done.notices[0]


def test_submodules_of_the_main_worktree_are_checked_out(
    repo: Repo, make: Make, tmp_path: Path
) -> None:
    libraries = []
    for name in ("used", "unused"):
        library = Repo.make(tmp_path / name, tmp_path / "home")
        library.commit("library", {f"{name}.txt": name})
        libraries.append(library)
    repo.git("config", "--global", "protocol.file.allow", "always")
    Path(os.environ["HOME"], ".gitconfig").write_text('[protocol "file"]\n\tallow = always\n')
    for library in libraries:
        repo.git("submodule", "--quiet", "add", str(library.path), f"lib/{library.path.name}")
    repo.commit("submodules")
    repo.git("submodule", "--quiet", "deinit", "--force", "lib/unused")
    request = make()
    done = provision(request)
    assert (request.worktree / "lib/used/used.txt").read_text() == "used"
    assert os.listdir(request.worktree / "lib/unused") == []
    assert (done.restored, done.baseline_untracked) == ((), {})
    without = make("without", submodules=False)
    provision(without)
    assert os.listdir(without.worktree / "lib/used") == []


def test_a_submodule_that_cannot_be_had_fails_with_its_output(
    repo: Repo, make: Make, tmp_path: Path
) -> None:
    library = Repo.make(tmp_path / "lib", tmp_path / "home")
    library.commit("library", {"x": "x"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.path))
    repo.commit("submodule")
    with pytest.raises(ProvisionError, match="not allowed") as caught:
        provision(make())
    assert "worktrees.submodules" in (caught.value.hint or "")


def test_lfs_files_are_left_as_pointers_if_so_set(repo: Repo, make: Make) -> None:
    repo.git("config", "filter.lfs.smudge", 'sh -c "echo smudge:$GIT_LFS_SKIP_SMUDGE"')
    repo.commit("first", {".gitattributes": "*.bin filter=lfs\n", "x.bin": "pointer\n"})
    skipping = make("skip", lfs=False)
    assert (skipping.worktree / "x.bin").read_text() == "smudge:1\n"
    assert provision(skipping).env["GIT_LFS_SKIP_SMUDGE"] == "1"
    fetching = make("fetch")
    assert (fetching.worktree / "x.bin").read_text() == "smudge:\n"
    assert "GIT_LFS_SKIP_SMUDGE" not in provision(fetching).env


def test_a_broken_link_in_the_way_counts_as_something(repo: Repo, make: Make) -> None:
    repo.commit("first", {".gitignore": "*.key\n"})
    repo.write("a.key", "k")
    request = make(copy=["*.key"])
    (request.worktree / "a.key").symlink_to("nowhere")
    assert provision(request).copied == ()
    assert (request.worktree / "a.key").is_symlink()
