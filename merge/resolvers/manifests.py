"""Where a number is a version: in which files, and at which places of them.

- A manifest is a file by whose name a package tool reads what a project needs.
- Even there a number may be an address, a threshold or a cap: it counts as a version only where
  an operator, a key or the table around it says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from merge.paths import name_of, suffix_of

VERSION = re.compile(
    rb"(?<![\w.])v?\d+(?:\.\d+)+(?:[-+._]?[A-Za-z][\w.+-]*)?(?![\w])"
    rb"|\(\s*\d+\s*,\s*\d+(?:\s*,\s*(?:\d+|[\"']\w*[\"']))*\s*\)"
)
"""A version in a line: dotted numbers with what follows them, or a tuple of numbers."""
_NAMES = {
    "package.json", "pyproject.toml", "Cargo.toml", "go.mod", "pom.xml", "build.gradle",
    "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "libs.versions.toml",
    "gradle.properties", "setup.py", "setup.cfg", "tox.ini", "Pipfile", "Gemfile",
    "composer.json", "bower.json", "environment.yml", ".pre-commit-config.yaml", "pubspec.yaml",
    "mix.exs", "Package.swift", "gradle-wrapper.properties",
}  # fmt: skip
_TABLES = re.compile(
    rb"depend|require|engine|resolution|override|version|plugin|catalog|librar|toolchain|volta",
    re.I,
)
_CAP = re.compile(rb"(?:<=?|!=)\s*v?$")
"""A bound that each side raised as far as it knew: the greater says nothing for the other."""
_WANTED = re.compile(rb"(?:[=~>]=|~>|[~^>@]|[\"']=|[\w-]:)\s*$|version[^=:]*[=:(\s]|\bgo\s+$", re.I)
_NOT_NEEDED = re.compile(rb"\s*(?:exclude|retract|replace)\b")
_ADDRESS = re.compile(rb"\d+\.\d+\.\d+\.\d+")


def is_manifest(path: str) -> bool:
    name = name_of(path)
    return (
        name in _NAMES
        or re.fullmatch(r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in)", name)
        is not None
        or (suffix_of(path) in {"txt", "in"} and "/requirements/" in "/" + path)
        or suffix_of(path) == "gradle"
    )


def needs_version(path: str, above: Sequence[bytes], line: bytes) -> bool:
    """Whether the first number of this line of a manifest is a version that something needs.

    `above` are the lines before it in the file.
    """
    found = VERSION.search(line)
    if not is_manifest(path) or not found or _CAP.search(line[: found.start()]):
        return False
    before, token = line[: found.start()], found.group()
    around = list(surroundings(path, above, line))
    if name_of(path) == "go.mod":
        return not any(_NOT_NEEDED.match(text) for text in (line, *around))
    if _WANTED.search(before) or name_of(path) == "gradle-wrapper.properties":
        return True
    if token.startswith(b"(") or _ADDRESS.fullmatch(token):
        return False
    return token.count(b".") > 1 or any(_TABLES.search(text) for text in around)


def surroundings(path: str, above: Sequence[bytes], line: bytes) -> Iterator[bytes]:
    """The lines that open what this line is in: a table's heading, or all with less indent."""
    headed = suffix_of(path) in ("toml", "cfg", "ini")
    indent = _indent(line)
    for text in reversed(above):
        if headed and text.startswith(b"["):
            yield text
            return
        if not headed and text.strip() and _indent(text) < indent:
            indent = _indent(text)
            yield text


def _indent(line: bytes) -> int:
    wide = line.expandtabs(8)
    return len(wide) - len(wide.lstrip())
