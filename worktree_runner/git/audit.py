"""Gathers what `core.audit` judges: the repository before and after an attempt.

- `save_before` writes `guard/before.json` into the attempt's folder, once: an attempt that is
  taken up again after a crash is compared with the state at its start.
- Nothing is changed: no index refreshed, no ref written. Contents are hashed, not stored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from worktree_runner.core import audit as rules
from worktree_runner.core.audit import Facts, Report, Snapshot
from worktree_runner.core.mentions import Mention
from worktree_runner.core.reservations import Holder
from worktree_runner.git import guard
from worktree_runner.git.entries import is_linked
from worktree_runner.git.gateway import Git
from worktree_runner.git.guard import GuardSpec
from worktree_runner.git.shared import shared_files
from worktree_runner.store import locate
from worktree_runner.store.atomic import save_text
from worktree_runner.store.paths import Layout
from worktree_runner.store.registry import Registry

QUIET = {"GIT_OPTIONAL_LOCKS": "0"}
TELLING_BYTES = 8
"""Shorter contents are no evidence that a file elsewhere comes from the agent."""
MAX_FILES = 5000
"""Dirty files of one worktree that are hashed; what is beyond can't be told apart."""
MAX_BYTES = 20_000_000
"""Larger files are told apart by size and time, and prove nothing."""
PSEUDO = ("HEAD", "ORIG_HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD")


@dataclass(frozen=True, slots=True)
class Work:
    """What an attempt made: its commits, their paths and every content."""

    paths: tuple[str, ...]
    commits: frozenset[str]
    blobs: frozenset[str]
    stray: tuple[str, ...]
    links: Mapping[str, str]


def snapshot(common_dir: Path, home: Path | None = None) -> Snapshot:
    """The refs, the main worktree's changed files and the list of worktrees, as they are now.

    A bare repository has no main worktree; `home` stands in for it.
    """
    git = Git(common_dir)
    listed = git.run("for-each-ref", "--format=%(refname) %(objectname)").text.splitlines()
    refs = dict(line.split(" ", 1) for line in listed)
    main = locate.main_worktree(common_dir) or home
    worktrees = tuple(str(one) for one in locate.worktrees(common_dir) if one.is_dir())
    shared = shared_files(common_dir)
    if main is None or not main.is_dir():
        return Snapshot(refs, worktrees=worktrees, shared=shared)
    inside = Git(main)
    branch = inside.run("symbolic-ref", "--quiet", "HEAD", check=False).text
    head = inside.resolve("HEAD") or ""
    refs["HEAD"] = branch or head
    return Snapshot(refs, _dirty(main), head, worktrees, _staged(inside, head), shared)


def save_before(spec: GuardSpec) -> None:
    """Keeps the snapshot that `report` compares with, unless there is one from this attempt."""
    file = _before_file(spec)
    if not file.exists():
        save_text(file, json.dumps(snapshot(spec.common_dir, spec.home).to_json()) + "\n")


def report(
    spec: GuardSpec,
    base: str,
    *,
    allowed: Sequence[str] = (),
    landed: Sequence[str] = (),
    own_moves: Mapping[str, frozenset[str]] | None = None,
    removed: Iterable[str] = (),
    quiet: Iterable[str] = (),
    mentions: Iterable[Mention] = (),
) -> Report:
    """The findings about an ended attempt.

    `allowed` are patterns that every plan may touch undeclared (the planning directory); `landed`
    are commits that the plan may have merged (the run's tip). Of the run itself: `own_moves` tells
    where it moved refs meanwhile, `removed` what it took away, `quiet` which refs and worktrees
    are its other plans'. Without a snapshot of the start, only the plan's own branch is judged.
    """
    after = snapshot(spec.common_dir, spec.home)
    before = _before(spec)
    start = before or after
    named = {*start.main, *after.main, *start.staged, *after.staged}
    known = () if before is None else _foreign_commits(spec, before)
    work = _work(spec, base, [*known, *landed])
    registry = Registry(Layout(spec.common_dir))
    vanished = registry.vanished()
    main = locate.main_worktree(spec.common_dir) or spec.home
    facts = Facts(
        own=Holder(spec.run, spec.plan),
        branch=spec.branch,
        paths=work.paths,
        allowed=tuple(allowed),
        held=(*(held.reservation for held in registry.active()), *vanished),
        vanished=vanished,
        start_lost=before is None and (spec.folder / "started.json").exists(),
        before=start,
        after=after,
        commits=work.commits | _own_stash(spec, start, after),
        blobs=work.blobs,
        stray=work.stray,
        links=work.links,
        main_blobs_before=_blobs_at(spec, start.main_head, named),
        main_blobs_after=_blobs_at(spec, after.main_head, named),
        main_root="" if main is None else str(main),
        common_dir=str(spec.common_dir),
        log=tuple(guard.log(spec)),
        mentions=tuple(mentions),
        own_moves=own_moves or {},
        ref_blobs=_ref_blobs(spec, start, after, [*landed, *work.commits], frozenset(quiet)),
        made_there=frozenset(_made_there(spec, after)),
        removed=frozenset(removed),
        quiet=frozenset(quiet),
        strict=spec.reservations == "strict",
        fold_case=registry.fold_case,
    )
    return rules.audit(facts)


def mentions(events: Path, worktree: Path) -> Iterator[Mention]:
    """The tool calls in an attempt's `events.jsonl`; relative paths start in its worktree."""
    try:
        lines = events.read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.get("kind") == "tool":
            paths = tuple(os.path.realpath(worktree / str(path)) for path in row.get("paths", ()))
            yield Mention(str(row.get("tool", "")), str(row.get("text", "")), paths)


def _foreign_commits(spec: GuardSpec, before: Snapshot) -> Iterator[str]:
    """What was there at the start and may be merged by the plan without being its work."""
    yield before.main_head
    for ref, commit in before.refs.items():
        if ref not in ("HEAD", f"refs/heads/{spec.branch}") and not ref.startswith("refs/wtrun/"):
            yield commit


def _own_stash(spec: GuardSpec, before: Snapshot, after: Snapshot) -> frozenset[str]:
    """The newest stash, if it was made on the attempt's branch: git writes that into it."""
    commit = after.refs.get("refs/stash", "")
    if not commit or commit == before.refs.get("refs/stash"):
        return frozenset()
    subject = Git(spec.common_dir).text("log", "-1", "--format=%s", commit)
    own = subject.startswith((f"WIP on {spec.branch}:", f"On {spec.branch}:"))
    return frozenset([commit] if own else [])


def _ref_blobs(
    spec: GuardSpec, before: Snapshot, after: Snapshot, known: Sequence[str], quiet: frozenset[str]
) -> dict[str, frozenset[str]]:
    """What new commits brought to refs that moved; those of other plans are left out."""
    git = Git(spec.common_dir)
    old = _commits_among(git, [*before.refs.values(), before.main_head, *known])
    found = {}
    for ref, commit in sorted(after.refs.items()):
        moved = ref.startswith("refs/") and commit != before.refs.get(ref)
        if not moved or ref in quiet or ref.startswith("refs/wtrun/"):
            continue
        wanted = [*_commits_among(git, [commit]), *(f"^{one}" for one in old)]
        listed = git.run("rev-list", "--parents", "--stdin", stdin="\n".join(wanted).encode()).text
        parents = {words[0]: words[1:] for words in map(str.split, listed.splitlines())}
        found[ref] = frozenset(_changes(git, parents)[1])
    return found


def _made_there(spec: GuardSpec, after: Snapshot) -> Iterator[str]:
    """Branches whose own worktree has it in its log that their commit was made there.

    Two plans that do the very same within one second make one and the same commit.
    """
    for folder in (spec.common_dir / "worktrees").glob("*"):
        if folder == spec.git_dir:
            continue
        try:
            ref = (folder / "HEAD").read_text(errors="replace").removeprefix("ref: ").strip()
            log = (folder / "logs" / "HEAD").read_text(errors="replace").splitlines()
        except OSError:
            continue
        lines = (line.partition("\t") for line in log)
        made = {
            commit for ids, _, what in lines if what[:6] == "commit" for commit in ids.split()[1:2]
        }
        if after.refs.get(ref) in made:
            yield ref


def _before(spec: GuardSpec) -> Snapshot | None:
    """What `save_before` kept; None if it is gone, or is none."""
    try:
        return Snapshot.from_json(json.loads(_before_file(spec).read_text()))
    except (OSError, ValueError, KeyError):
        return None


def _before_file(spec: GuardSpec) -> Path:
    return spec.folder / "guard" / "before.json"


def _work(spec: GuardSpec, base: str, known: Sequence[str]) -> Work:
    there = _is_there(spec)
    git = Git(spec.worktree if there else spec.common_dir)
    branch = f"refs/heads/{spec.branch}"
    wanted = [*_tips(spec, git), branch]
    shared = _commits_among(git, known)
    tips = _commits_among(git, wanted)
    revisions = "\n".join([*tips, *(f"^{commit}" for commit in (base, *shared))])
    listed = git.run("rev-list", "--parents", "--stdin", stdin=revisions.encode()).text
    parents = {words[0]: words[1:] for words in map(str.split, listed.splitlines())}
    touched, blobs = _changes(git, parents)
    head = git.resolve("HEAD") if there else None
    head = head or git.resolve(branch) or base
    net = git.run("diff-tree", "-r", "--raw", "-z", "--no-renames", base, head)
    entries = dict(_raw(net.out))
    paths = tuple(sorted(set(entries) & touched))
    blobs = _telling(git, blobs)
    for path, blob in (_dirty(spec.worktree) if there else {}).items():
        place = spec.worktree / path
        if place.is_file() and place.stat().st_size >= TELLING_BYTES:
            blobs.add(blob)
    contained = {commit for pair in parents.values() for commit in pair}
    on_branch = set(
        git.run(
            "rev-list", "--stdin", stdin=f"{branch}\n^{base}\n".encode(), check=False
        ).text.split()
    )
    stray = tuple(sorted(set(parents) - contained - on_branch - {base}))
    links = {
        path: target
        for path in paths
        if entries[path][0] == "120000"
        and (target := _leads_out(spec, git, path, entries[path][1]))
    }
    return Work(paths, frozenset(parents), frozenset(blobs - {"", "0" * 40}), stray, links)


def _is_there(spec: GuardSpec) -> bool:
    """Whether git run in the worktree works on it: else it would tell of another repository."""
    return is_linked(Layout(spec.common_dir), spec.worktree)


def _tips(spec: GuardSpec, git: Git) -> Iterator[str]:
    """Everything of the worktree's own that names a commit: pseudo refs, reflog, private refs."""
    if not _is_there(spec):
        return
    yield from PSEUDO
    private = ("refs/worktree", "refs/bisect", "refs/rewritten")
    yield from git.run("for-each-ref", "--format=%(objectname)", *private).text.split()
    try:
        log = (spec.git_dir / "logs" / "HEAD").read_text(errors="replace")
    except OSError:
        return
    yield from {words[1] for words in map(str.split, log.splitlines()) if len(words) > 1}


def _commits_among(git: Git, names: Iterable[str]) -> list[str]:
    """The ids of those names that are commits (or tags of one) and are still there."""
    wanted = sorted({name for name in names if name})
    lines = "".join(f"{name}^{{commit}}\n" for name in wanted).encode()
    out = git.run("cat-file", "--batch-check=%(objectname)", stdin=lines).text.splitlines()
    return sorted({line for line in out if " " not in line})


def _changes(git: Git, parents: Mapping[str, Sequence[str]]) -> tuple[set[str], set[str]]:
    """Paths and contents of these commits; of merges only what no parent had."""
    touched: set[str] = set()
    blobs: set[str] = set()
    plain = [commit for commit, above in parents.items() if len(above) < 2]
    if plain:
        out = git.run(
            "diff-tree", "-r", "--raw", "-z", "--no-renames", "--root", "--no-commit-id",
            "--stdin", stdin="\n".join(plain).encode() + b"\n",
        ).out  # fmt: skip
        for path, (_, blob) in _raw(out):
            touched.add(path)
            blobs.add(blob)
    for commit in (one for one, above in parents.items() if len(above) > 1):
        evil = git.run("diff-tree", "-c", "-r", "-z", "--name-only", "--no-commit-id", commit)
        touched |= set(evil.fields)
        found = git.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *evil.fields)
        blobs |= {field.split()[2] for field in found.fields} if evil.fields else set()
    return touched, blobs


def _telling(git: Git, blobs: Iterable[str]) -> set[str]:
    """The contents that are long enough to say whose they are: an `x` may be anybody's."""
    lines = "".join(f"{blob}\n" for blob in sorted(blobs)).encode()
    form = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    rows = (row.split() for row in git.run("cat-file", form, stdin=lines).text.splitlines())
    return {row[0] for row in rows if row[1] == "blob" and int(row[2]) >= TELLING_BYTES}


def _raw(data: bytes) -> Iterator[tuple[str, tuple[str, str]]]:
    """Paths of `--raw -z` output with their new mode and blob."""
    fields = iter(os.fsdecode(data).split("\0"))
    for head in fields:
        if head.startswith(":"):
            words = head.split()
            yield next(fields), (words[1], words[3])


def _dirty(place: Path) -> dict[str, str]:
    """Changed and untracked files of a worktree with their blobs, "" for deleted ones."""
    if not place.is_dir():
        return {}
    git = Git(place)
    fields = git.run(
        "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", env=QUIET
    ).fields
    found: dict[str, str] = {}
    small = []
    for path in [field[3:] for field in fields][:MAX_FILES]:
        try:
            stat = (place / path).lstat()
        except OSError:
            found[path] = ""
            continue
        if S_ISDIR(stat.st_mode):
            continue  # another repository or a submodule
        if stat.st_size > MAX_BYTES or "\n" in path or not S_ISREG(stat.st_mode):
            found[path] = f"{stat.st_size} bytes at {stat.st_mtime_ns}"
        else:
            small.append(path)
    lines = "".join(f"{path}\n" for path in small)
    ids = git.run("hash-object", "--stdin-paths", stdin=os.fsencode(lines), check=False)
    if ids.code == 0:
        found |= dict(zip(small, ids.text.split(), strict=True))
    return found


def _staged(main: Git, head: str) -> dict[str, str]:
    """Paths whose index entry is not HEAD's, with its blob; "" where the index has none."""
    if not head:
        return {}
    out = main.run("diff-index", "--cached", "--raw", "-z", "--no-renames", head, env=QUIET).out
    return {path: blob if mode != "000000" else "" for path, (mode, blob) in _raw(out)}


def _blobs_at(spec: GuardSpec, commit: str, paths: Iterable[str]) -> dict[str, str]:
    """The blobs of these paths in a commit; those that it lacks are left out."""
    wanted = sorted(path for path in paths if "\n" not in path)
    if not commit or not wanted:
        return {}
    lines = "".join(f"{commit}:{path}\n" for path in wanted)
    out = Git(spec.common_dir).run(
        "cat-file", "--batch-check=%(objectname)", stdin=os.fsencode(lines), check=False
    )
    pairs = zip(wanted, out.text.splitlines(), strict=False)
    return {path: line for path, line in pairs if " " not in line}


def _leads_out(spec: GuardSpec, git: Git, path: str, blob: str) -> str | None:
    """Where a committed link leads to, if that is outside of the worktree."""
    target = os.fsdecode(git.run("cat-file", "blob", blob).out)
    place = os.path.normpath(spec.worktree / Path(path).parent / target)
    if not Path(place).is_relative_to(spec.worktree):
        return place
    real = Path(os.path.realpath(spec.worktree / path))
    return None if real.is_relative_to(os.path.realpath(spec.worktree)) else str(real)
