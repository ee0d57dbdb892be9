"""Version numbers: the greater of two upgrades.

- A dependency's version in a manifest: safe because both sides asked for more than the base; the
  greater is what one side tested and more than what the other needs at the least. Not for
  downgrades, pre-releases against releases, or different operators.
- The project's own version (setting `own_version`): safe because what both sides add to the
  project is in the result, and a version at least as high as either side's is what that asks for;
  no number comes out that neither side chose, and the target's never falls. What is a release
  decision is asked: one number in two forms (`1.2rc1`, `1.2`), a plan that would turn a released
  target into a pre-release or the other way round, and a pre-release in the target against more
  than the next release in the plan.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from merge.languages import language_of
from merge.paths import name_of, suffix_of
from merge.resolvers.manifests import VERSION, is_manifest, needs_version
from merge.text import line_end
from merge.types import ConflictHunk
from merge.view import Answer, FileView

_OWN = re.compile(
    rb"""^\s*(?:(?:export|pub|public|private|internal|static|final|const|let|var|val|string)\s+)*"""
    rb"""["']?(?:version|__version__|version_info|appVersion|versionName|VERSION_NAME)["']?"""
    rb"""\s*[:=]|^\s*<version>|^:version:""",
    re.I,
)
_SHOWN = re.compile(
    rb"""version["']?\s*[:=]|<version>|^\s*["']?[\w./@-]+["']?\s*[:=]+\s*["'^~]""", re.I
)
"""How a README shows what to write to get the project: `tokio = "1.2"`, `version: 1.2`."""
_PACKAGE_NAME = re.compile(rb"""^\s{0,4}"?name"?\s*[:=]\s*["']([^"']+)["']""", re.M)
_DESCRIBES = {
    "manifest.json", "plugin.json", "marketplace.json", "lerna.json", "deno.json", "jsr.json",
    "tauri.conf.json", "app.json", "gemini-extension.json", "server.json", "galaxy.yml",
}  # fmt: skip
"""Data that describes the project itself, besides the manifests."""
_PACKED = re.compile(rb"(?:-(?:bin|all))?\.(?:zip|jar|tgz|tar\.gz)$")
"""What follows the version in the name of a file that is fetched: `gradle-8.5-bin.zip`."""
_FORM = re.compile(
    rb"v?(?P<release>\d+(?:\.\d+)+)"
    rb"(?:[-._+]?(?P<kind>Final|RELEASE|GA|SNAPSHOT|alpha|beta|dev|rc|pre|a|b|c|M)[-.]?(?P<n>\d*))?",
    re.I,
)
Version = tuple[tuple[int, ...], tuple[str, int]]
Rank = tuple[tuple[int, ...], bool, tuple[str, int]]


def parse_version(token: bytes) -> Version | None:
    """Numbers, then the kind and number of what follows them; None for a form without an order."""
    if token.startswith(b"("):
        token = _dotted(token)
    found = _FORM.fullmatch(_PACKED.sub(b"", token))
    if not found:
        return None
    kind = (found["kind"] or b"").decode().lower()
    return _numbers(found["release"]), (kind, int(found["n"] or 0))


def _packing(token: bytes) -> bytes:
    found = _PACKED.search(token)
    return found.group() if found else b""


def _dotted(token: bytes) -> bytes:
    """`(1, 2, 0, 'beta', 1)` as `1.2.0beta1`."""
    parts = [part.strip(b" \t'\"") for part in token.strip(b"()").split(b",")]
    cut = next((i for i, part in enumerate(parts) if not part.isdigit()), len(parts))
    kind = b"".join(parts[cut:])
    return b".".join(parts[:cut]) + (b"" if kind in (b"final0", b"final") else kind)


def _numbers(text: bytes) -> tuple[int, ...]:
    numbers = [int(part) for part in text.split(b".")]
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def greater_version(view: FileView, index: int) -> Answer | None:
    """Line by line the greater of both sides' versions, where all else is equal."""
    hunk = view.hunks[index]
    if not hunk.base or not len(hunk.base) == len(hunk.ours) == len(hunk.theirs):
        return None
    rows = [_ended(*row) for row in zip(hunk.base, hunk.ours, hunk.theirs, strict=True)]
    if any(len({VERSION.sub(b"\0", line) for line in row}) != 1 for row in rows):
        return None
    mine = {_triple(row) for row in rows if is_own(*row) or _is_shown(view.path, *row)}
    above = view.above(index)
    lines: list[bytes] = []
    rules: list[str] = []
    for number, row in enumerate(rows):
        base, ours, theirs = row
        chosen: bytes | None = theirs if ours == base else ours
        if theirs not in (ours, base) and ours != base:
            own = _triple(row) in mine
            rules.append("own-version" if own else "version")
            before = (*above, *hunk.ours[:number])
            allowed = own_allowed(view) if own else needs_version(view.path, before, base)
            chosen = greater_line(*row, own=own) if allowed else None
        if chosen is None:
            return None
        lines.append(chosen)
    if (not rules and not is_manifest(view.path)) or _sisters_part(rows, lines):
        return None
    rule = "own-version" if set(rules) == {"own-version"} else "version"
    return Answer(tuple(lines), rule, frozenset((*hunk.ours, *hunk.theirs)))


Row = tuple[bytes, bytes, bytes]


def _ended(base: bytes, ours: bytes, theirs: bytes) -> Row:
    """The row with the line end that the base's last line lacked and both sides gave it."""
    lacked = not base.endswith(b"\n") and ours.endswith(b"\n") and theirs.endswith(b"\n")
    return (base + line_end((ours,)) if lacked else base), ours, theirs


def _sisters_part(rows: Sequence[Row], lines: Sequence[bytes]) -> bool:
    """Whether two versions that the base had equal would become a pair that neither side has."""
    tokens = [
        [VERSION.findall(line) for line in (*row, line)]
        for row, line in zip(rows, lines, strict=True)
    ]
    return any(
        left[0] == right[0] != []
        and left[3] != right[3]
        and (left[3], right[3]) not in ((left[1], right[1]), (left[2], right[2]))
        for left, right in combinations(tokens, 2)
    )


def _triple(row: Row) -> tuple[tuple[bytes, ...], ...]:
    """The versions of the three lines; a line that repeats the project's own has the same."""
    return tuple(tuple(VERSION.findall(line)) for line in row)


def is_own(*lines: bytes) -> bool:
    """Whether a line names the project's own version."""
    return any(_OWN.search(line) for line in lines)


def _is_shown(path: str, *lines: bytes) -> bool:
    name = name_of(path)
    if name in ("VERSION", "VERSION.txt", "version.txt", ".version"):
        return all(VERSION.fullmatch(line.strip()) for line in lines)
    return name.upper().startswith("README") and all(_SHOWN.search(line) for line in lines)


def own_allowed(view: FileView) -> bool:
    """Whether the project's own version may be settled.

    Not in a fork, which counts for itself, nor in a Helm chart: each change of a chart needs a
    number of its own, since a chart repository takes one number only once.
    """
    if name_of(view.path) == "Chart.yaml" or not _may_hold_own(view.path):
        return False
    names = [_PACKAGE_NAME.search(text) for text in (view.base, view.ours, view.theirs)]
    same = len({name[1] for name in names if name}) < 2
    return view.settings.own_version == "greater" and same


def _may_hold_own(path: str) -> bool:
    """Whether a version here is the project's: in data, it is that of the data's format."""
    data = language_of(path) in ("json", "yaml") or suffix_of(path) in ("xml", "html")
    return not data or is_manifest(path) or name_of(path) in _DESCRIBES


def version_of_a_fork(view: FileView, hunk: ConflictHunk) -> bool:
    """Whether a side changed the project's version in a file in which it has two names.

    A fork counts for itself, so even a version that one side alone changed is a decision.
    """
    held = {tuple(line for line in side if is_own(line))
            for side in (hunk.base, hunk.ours, hunk.theirs)}  # fmt: skip
    return len(held) > 1 and not own_allowed(view)


def greater_line(base: bytes, ours: bytes, theirs: bytes, *, own: bool) -> bytes | None:
    """The line with the greater version, of the project itself or of something it needs.

    None where that is no answer.
    """
    found = [VERSION.findall(line) for line in (base, ours, theirs)]
    rest = {VERSION.sub(b"\0", line) for line in (base, ours, theirs)}
    if [len(tokens) for tokens in found] != [1, 1, 1] or len(rest) > 1:
        return None
    if len({_packing(tokens[0]) for tokens in found}) > 1:
        return None
    old, left, right = (parse_version(tokens[0]) for tokens in found)
    if old is None or left is None or right is None:
        return None
    if own:
        return {1: ours, -1: theirs}.get(_greater_own(old, left, right))
    if left[1][0] != right[1][0] or left[0] < old[0] or right[0] < old[0]:
        return None  # a pre-release against a release is a decision, and so is a downgrade
    return ours if left >= right else theirs


def _greater_own(old: Version, left: Version, right: Version) -> int:
    """1 for the target's (left), -1 for the plan's, 0 where a person decides."""
    if left[0] == right[0] or min(rank(left), rank(right)) < rank(old):
        return 0
    pre_left, pre_right = bool(left[1][0]), bool(right[1][0])
    if left[0] < right[0]:
        return -1 if pre_left == pre_right else 0
    return 1 if not pre_left or pre_right or _is_next(old, right) else 0


def _is_next(old: Version, new: Version) -> bool:
    """Whether a release is the one that was being made, or the one after it."""
    before, after = (list(version[0]) + [0] * (4 - len(version[0])) for version in (old, new))
    steps = [b - a for a, b in zip(before, after, strict=False)]
    return not any(steps) or ([step for step in steps if step] == [1] and len(before) == len(after))


def rank(version: Version) -> Rank:
    """What versions are compared by: a pre-release comes before its release."""
    return version[0], not version[1][0], version[1]


def likely_version(view: FileView, index: int) -> tuple[bytes, ...] | None:
    """The line with the greater of two versions, whatever they belong to: a proposal."""
    hunk = view.hunks[index]
    sides = (*hunk.base, *hunk.ours, *hunk.theirs)
    if not len(hunk.base) == len(hunk.ours) == len(hunk.theirs) == 1:
        return None
    if len({VERSION.sub(b"\0", line) for line in sides}) != 1:
        return None
    found = [VERSION.findall(line) for line in sides]
    versions = [parse_version(tokens[0]) for tokens in found if len(tokens) == 1]
    ranks = [rank(version) for version in versions if version]
    if len(ranks) != 3 or not (is_manifest(view.path) or is_own(*sides)):
        return None
    if min(ranks[1:]) < ranks[0]:
        return None
    return hunk.ours if ranks[1] >= ranks[2] else hunk.theirs
