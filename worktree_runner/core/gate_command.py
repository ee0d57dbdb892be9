"""Which command checks a project, found out from its files; and what that command can report.

- A configured command always wins; this is only asked where there is none.
- The first that fits and whose program is there: what the project wrote itself (make, just, tox,
  nox) before what its language has. Only the top folder is looked at, beside test files.
- Whether it can be green at all is not decided here: the baseline tells.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

Read = Callable[[str], str]
Has = Callable[[str], bool]

_RULE = re.compile(r"^(test|check)[ \t]*:(?![:=])", re.MULTILINE)
_RECIPE = re.compile(r"^@?(test|check)(?:[ \t]+[^:\n]*)?:(?!=)", re.MULTILINE)
_PYTEST_TABLE = {
    "pytest.ini": "", "pyproject.toml": "[tool.pytest", "setup.cfg": "[tool:pytest]",
    "tox.ini": "[pytest]",
}  # fmt: skip
_NODE = {
    "pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun",
}  # fmt: skip
_PYTHON_RUNNERS = {"uv.lock": "uv", "poetry.lock": "poetry", "pdm.lock": "pdm"}
_SHELL = set(";&|<>$`()\n")


@dataclass(frozen=True, slots=True)
class Detected:
    """A command and the file that speaks for it."""

    argv: tuple[str, ...]
    origin: str


def detect(paths: Sequence[str], read: Read, has: Has) -> Detected | None:
    """The project's own check; None if nothing speaks for one.

    `paths` are all files of the commit, `read` gives a file's text, `has` says whether a program
    is installed.
    """
    top = {path for path in paths if "/" not in path}
    for found in _candidates(paths, top, read):
        if has(found.argv[0]) or found.argv[0].startswith("./"):
            return found
    return None


def _candidates(paths: Sequence[str], top: set[str], read: Read) -> Iterator[Detected]:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        if name in top and (target := _target(_RULE, read(name))):
            yield Detected(("make", target), name)
    for name in ("justfile", "Justfile", ".justfile"):
        if name in top and (target := _target(_RECIPE, read(name))):
            yield Detected(("just", target), name)
    if "tox.ini" in top and "[tox" in read("tox.ini"):
        yield Detected(("tox",), "tox.ini")
    if "pyproject.toml" in top and "[tool.tox" in read("pyproject.toml"):
        yield Detected(("tox",), "pyproject.toml")
    if "noxfile.py" in top:
        yield Detected(("nox",), "noxfile.py")
    yield from _pytest(paths, top, read)
    if "Cargo.toml" in top:
        yield Detected(("cargo", "test"), "Cargo.toml")
    if "go.mod" in top:
        yield Detected(("go", "test", "./..."), "go.mod")
    if "package.json" in top and _has_test_script(read("package.json")):
        tool = next((tool for lock, tool in _NODE.items() if lock in top), "npm")
        yield Detected((tool, "run", "test"), "package.json")
    if "gradlew" in top:
        yield Detected(("./gradlew", "test"), "gradlew")
    if "pom.xml" in top:
        yield Detected(("./mvnw" if "mvnw" in top else "mvn", "-q", "test"), "pom.xml")
    if "mix.exs" in top:
        yield Detected(("mix", "test"), "mix.exs")


def _target(pattern: re.Pattern[str], text: str) -> str | None:
    """`test` where there is such a target, else `check`."""
    return max((found[1] for found in pattern.finditer(text)), default=None)


def _pytest(paths: Sequence[str], top: set[str], read: Read) -> Iterator[Detected]:
    origin = next(
        (name for name, table in _PYTEST_TABLE.items() if name in top and table in read(name)),
        None,
    )
    origin = origin or next((path for path in paths if _is_test(path)), None)
    if origin is None:
        return
    for lock, tool in _PYTHON_RUNNERS.items():
        if lock in top:
            yield Detected((tool, "run", "pytest"), origin)
    yield Detected(("pytest",), origin)
    yield Detected(("python3", "-m", "pytest"), origin)


def _is_test(path: str) -> bool:
    parts = PurePosixPath(path)
    if parts.suffix != ".py" or parts.parts[0] not in ("tests", "test", parts.name):
        return False
    return parts.name.startswith("test_") or parts.stem.endswith("_test")


def _has_test_script(text: str) -> bool:
    try:
        package = json.loads(text)
    except ValueError:
        return False
    scripts = package.get("scripts") if isinstance(package, dict) else None
    script = scripts.get("test") if isinstance(scripts, dict) else None
    return isinstance(script, str) and bool(script.strip()) and "no test specified" not in script


def reports_tests(argv: Sequence[str]) -> bool:
    """Whether the command is exactly one run of pytest, which can say which tests failed.

    A script that may run it twice, or something beside it, only has its exit code.
    """
    words = list(argv)
    if words[:2] == ["sh", "-c"] and len(words) == 3:
        if _SHELL & set(words[2]):
            return False
        try:
            words = shlex.split(words[2])
        except ValueError:
            return False
    if words and PurePosixPath(words[0]).name == "env":
        words = words[1:]
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL):
        words = words[1:]
    if words[1:2] == ["run"] and words[0] in ("uv", "poetry", "pdm", "hatch", "rye", "pipenv"):
        words = words[2:]
    if not words:
        return False
    program = PurePosixPath(words[0]).name
    if program.startswith("python"):
        return words[1:3] == ["-m", "pytest"]
    return program in ("pytest", "py.test")
