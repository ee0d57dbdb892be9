"""Version numbers in manifests: the greater of two upgrades.

Safe because both sides asked for more than the base: the greater version is what one side
tested and more than what the other needs at the least. Not for a project's own version (that is
a release decision), downgrades, pre-releases against releases, or different operators.
"""

from __future__ import annotations

import re

from merge.paths import name_of, suffix_of
from merge.view import Answer, FileView

_TOKEN = re.compile(rb"(?<![\w.])v?\d+(?:\.\d+)+(?:[-+._]?[A-Za-z][\w.+-]*)?(?![\w])")
_OWN = re.compile(
    rb"""^\s*["']?(?:version|__version__|appVersion|versionName|VERSION_NAME)["']?\s*[:=]"""
    rb"""|^\s*<version>""",
    re.I,
)
_NAMES = {
    "package.json", "pyproject.toml", "Cargo.toml", "go.mod", "pom.xml", "build.gradle",
    "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "libs.versions.toml",
    "gradle.properties", "setup.py", "setup.cfg", "tox.ini", "Pipfile", "Gemfile",
    "composer.json", "bower.json", "environment.yml", ".pre-commit-config.yaml", "pubspec.yaml",
    "mix.exs", "Package.swift", "gradle-wrapper.properties",
}  # fmt: skip
_FORM = re.compile(
    rb"v?(?P<release>\d+(?:\.\d+)+)"
    rb"(?:[-._+]?(?P<kind>Final|RELEASE|GA|alpha|beta|dev|rc|pre|a|b|c|M)[-.]?(?P<n>\d*))?",
    re.I,
)
Version = tuple[tuple[int, ...], tuple[str, int]]


def is_manifest(path: str) -> bool:
    name = name_of(path)
    return (
        name in _NAMES
        or re.fullmatch(r"(?:.*[-_.])?(?:requirements|constraints)(?:[-_.].*)?\.(?:txt|in)", name)
        is not None
        or (suffix_of(path) in {"txt", "in"} and "/requirements/" in "/" + path)
        or suffix_of(path) == "gradle"
    )


def parse_version(token: bytes) -> Version | None:
    """Numbers, then the kind and number of what follows them; None for a form without an order."""
    found = _FORM.fullmatch(token)
    if not found:
        return None
    kind = (found["kind"] or b"").decode().lower()
    return _numbers(found["release"]), (kind, int(found["n"] or 0))


def _numbers(text: bytes) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(b".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def greater_version(view: FileView, index: int) -> Answer | None:
    """Line by line the greater of both sides' versions, where all else is equal."""
    hunk = view.hunks[index]
    if not is_manifest(view.path) or not hunk.base:
        return None
    if not len(hunk.base) == len(hunk.ours) == len(hunk.theirs):
        return None
    lines: list[bytes] = []
    for base, ours, theirs in zip(hunk.base, hunk.ours, hunk.theirs, strict=True):
        if len({_TOKEN.sub(b"\0", line) for line in (base, ours, theirs)}) != 1:
            return None
        if theirs in (ours, base):
            lines.append(ours)
        elif ours == base:
            lines.append(theirs)
        else:
            chosen = greater_line(base, ours, theirs)
            if chosen is None:
                return None
            lines.append(chosen)
    return Answer(tuple(lines), "version", frozenset((*hunk.ours, *hunk.theirs)))


def greater_line(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """The line with the greater version, None where that is no answer."""
    if any(_OWN.search(line) for line in (base, ours, theirs)):
        return None
    return _greater(base, ours, theirs)


def greater_own_version(view: FileView, index: int) -> tuple[bytes, ...] | None:
    """The line with the greater of two versions of the project itself, development ones too."""
    hunk = view.hunks[index]
    sides = (*hunk.base, *hunk.ours, *hunk.theirs)
    if not len(hunk.base) == len(hunk.ours) == len(hunk.theirs) == 1:
        return None
    if len({_TOKEN.sub(b"\0", line) for line in sides}) != 1:
        return None
    found = [_TOKEN.findall(line) for line in sides]
    if [len(tokens) for tokens in found] != [1, 1, 1]:
        return None
    versions = [parse_version(tokens[0]) for tokens in found]
    if any(version is None for version in versions):
        return None
    if not is_manifest(view.path) and not any(_OWN.search(line) for line in sides):
        return None
    ranks = [(v[0], v[1][0] == "", v[1]) for v in versions if v]
    if min(ranks[1:]) < ranks[0]:
        return None
    return hunk.ours if ranks[1] >= ranks[2] else hunk.theirs


def _greater(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    sides = (base, ours, theirs)
    found = [_TOKEN.findall(line) for line in sides]
    if [len(tokens) for tokens in found] != [1, 1, 1]:
        return None
    old, left, right = (parse_version(tokens[0]) for tokens in found)
    if old is None or left is None or right is None or left[1][0] != right[1][0]:
        return None  # a pre-release against a release is a decision
    if left[0] < old[0] or right[0] < old[0]:
        return None
    return ours if left >= right else theirs
