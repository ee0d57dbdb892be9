"""Files that decide what is run: found from commands, and compared by what of them counts."""

from __future__ import annotations

import json

import pytest

from worktree_runner.core import what_runs
from worktree_runner.core.what_runs import Trusted


def watched(argv: str | tuple[str, ...], files: dict[str, bytes]) -> dict[str, str]:
    """The files that are looked after, with the part of each that counts."""
    command = ("sh", "-c", argv) if isinstance(argv, str) else argv
    found = what_runs.scripts(what_runs.families([Trusted(command, "gate")]), files)
    return {path: script.part for path, script in sorted(found.items())}


def why(path: str, old: bytes | None, new: bytes | None, argv: str = "true") -> str:
    present = {} if old is None else {path: old}
    families = what_runs.families([Trusted(("sh", "-c", argv), "gate")])
    return what_runs.concern(path, old, new, what_runs.scripts(families, present))


@pytest.mark.parametrize(
    ("command", "paths"),
    [
        ("./ci/check.sh --fast", {"ci/check.sh": ""}),
        ("cd ci && ./check.sh; echo done", {"ci/check.sh": ""}),
        ("FAST=1 bash -eu ci/check.sh || exit 1", {"ci/check.sh": ""}),
        ("uv run python tools/all.py", {"tools/all.py": ""}),
        ("python3 -m tools.all", {"tools/all.py": "", "tools/all/__main__.py": ""}),
        ("python3 -c 'import tools.all'", {}),
        ("grep -q x ci/check.sh", {}),
        ("/usr/bin/env true", {}),
        ("../outside.sh", {}),
    ],
)
def test_scripts_are_what_a_command_starts_not_what_it_reads(
    command: str, paths: dict[str, str]
) -> None:
    files = {"ci/check.sh": b"", "tools/all.py": b""}
    assert watched(command, files) == paths


def test_a_file_that_takes_the_place_of_another_is_looked_after_too() -> None:
    names = {"GNUmakefile": "", "makefile": "", "Makefile": ""}
    assert watched(("make", "test"), {"Makefile": b"test:\n"}) == names
    assert watched(("make", "test"), {}) == {}  # the plan may be there to make it


def test_of_package_json_only_the_script_and_what_it_names_count() -> None:
    def package(**scripts: str) -> bytes:
        return json.dumps({"scripts": scripts, "version": scripts.get("x", "")}).encode()

    old = package(test="npm run build && jest", build="tsc", lint="eslint")
    assert not why("package.json", old, package(test="npm run build && jest", build="tsc"), "npm t")
    same = package(test="npm run build && jest", build="tsc", lint="true", x="2")
    assert not why("package.json", old, same, "npm run test")
    for changed in (
        package(test="true", build="tsc"),
        package(test="npm run build && jest", build="true"),
        package(test="npm run build && jest", build="tsc", pretest="exit 0"),
        b"{",
    ):
        assert "decides what gate runs" in why("package.json", old, changed, "npm test")


def test_of_pyproject_only_the_tables_of_wtrun_and_of_the_command_count() -> None:
    old = b"[project]\nname = 'a'\n[tool.pytest.ini_options]\naddopts = '-q'\n"
    path = "pyproject.toml"
    assert not why(path, old, old.replace(b"'a'", b"'b'"), "pytest")
    assert not why(path, old, old.replace(b"-q", b"--co"), "make")
    assert "'tool.pytest'" in why(path, old, old.replace(b"-q", b"--co"), "uv run pytest")
    assert "[tool.wtrun]" in why(path, old, old + b"[tool.wtrun]\nmax_parallel = 2\n")
    assert why(path, None, b"[tool.wtrun]\nagent = 'x'\n")


def test_settings_and_drivers_are_always_asked_about() -> None:
    assert why(".wtrun.toml", None, b"max_parallel = 3\n")
    assert why(".wtrun.toml", b"a = 1\n", None)
    assert not why("docs/.wtrun.toml", None, b"")
    assert why("sub/.gitattributes", b"*.png binary\n", b"*.png binary\n*.lock merge=mine\n")
    assert why(".gitattributes", b"", b"*.bin filter=lfs\n")
    assert not why(".gitattributes", b"*.txt eol=lf\n", b"*.txt eol=lf\n*.png binary\n")


def test_a_script_that_loses_its_mode_no_longer_runs() -> None:
    known = what_runs.scripts(
        what_runs.families([Trusted(("./check",), "the gate")]), {"check": b"x"}
    )
    assert not what_runs.concern("check", b"x", b"x", known)
    assert "the gate" in what_runs.concern("check", b"x", b"x", known, new_mode=True)
