"""Members of a JSON object, a TOML table or a YAML mapping, merged by key.

Safe because keys are names: members that only one side touched don't meet. The text of each
member is kept as it is; nothing is written anew but JSON's commas. The whole file is then read
and compared with the merge of the three values (`mappings`), so a slip here can't get through.
"""

from __future__ import annotations

import re

from merge.languages import language_of
from merge.mappings import is_read, one_thing_twice
from merge.paths import name_of
from merge.resolvers import families
from merge.resolvers.manifests import needs_version, surroundings
from merge.resolvers.versions import (
    greater_line,
    is_own,
    own_allowed,
    version_of_a_fork,
)
from merge.text import Lines
from merge.types import ConflictHunk
from merge.view import Answer, FileView

Members = dict[bytes, Lines]
_START = {
    "json": re.compile(rb'(?P<indent>[ \t]*)(?P<key>"(?:\\.|[^"\\])*")\s*:'),
    "toml": re.compile(rb"(?P<indent>)(?P<key>[\w.\-\"']+)\s*="),
    "yaml": re.compile(rb"(?P<indent> *)(?P<key>[\w.\-/\"'@]+)\s*:(?:\s|$)"),
}
_END = {"json": rb"[ \t]*[\]}]", "toml": rb"[ \t]*[\]}]|[ \t]+\S", "yaml": rb"(?!)"}


def by_key(view: FileView, index: int) -> Answer | None:
    """Every member as the one side that touched it has it."""
    language = language_of(view.path)
    hunk = view.hunks[index]
    if language not in _START or _in_conditions(view, index):
        return None
    sides = [_members(language, lines) for lines in (hunk.base, hunk.ours, hunk.theirs)]
    if any(side is None for side in sides):
        return None
    base, ours, theirs = (_bare(language, side or {}) for side in sides)
    if len({_indent(side) for side in (base, ours, theirs) if side}) > 1:
        return None
    merged = _merged(base, ours, theirs, view, view.above(index))
    if merged is None or _one_thing_twice(base, ours, theirs):
        return None
    if version_of_a_fork(view, hunk) or _splits_a_family(base, ours, theirs):
        return None
    changed = [
        [(base[key], lines) for key, lines in side.items() if base.get(key, lines) != lines]
        for side in (ours, theirs)
    ]
    if families.rewritten_apart(view.path, view.above(index), *changed):
        return None
    if _unread(view):
        return None
    lines = tuple(line for member in merged.values() for line in member)
    if language == "json":
        lines = _with_commas(merged, hunk)
    return Answer(lines, "keys", frozenset((*hunk.base, *hunk.ours, *hunk.theirs, *lines)))


def _unread(view: FileView) -> bool:
    """Whether YAML can't be read here, so that what looks like keys may lie in a text."""
    texts = (view.base, view.ours, view.theirs)
    return language_of(view.path) == "yaml" and not is_read(view.path, *texts)


def _in_conditions(view: FileView, index: int) -> bool:
    """Whether this is in `exports` or `imports` of a package.json, where order decides."""
    if name_of(view.path) != "package.json":
        return False
    hunk = view.hunks[index]
    line = (*hunk.base, *hunk.ours, *hunk.theirs)[0]
    around = surroundings(view.path, view.above(index), line)
    return any(re.match(rb'\s*"(?:exports|imports)"', text) for text in (line, *around))


def _members(language: str, lines: Lines) -> Members | None:
    """Members by key, each with the comment lines above it; None for anything else."""
    found: Members = {}
    waiting: list[bytes] = []
    key = indent = None
    for line in lines:
        start = _START[language].match(line)
        if start and (indent is None or start["indent"] == indent):
            key, indent = start["key"], start["indent"]
            if key in found:
                return None
            found[key] = (*waiting, line)
            waiting = []
        elif language == "yaml" and key is not None and _is_note_below(line, indent or b""):
            found[key] = (*found[key], *waiting, line)
            waiting = []
        elif language != "json" and (line.lstrip().startswith(b"#") or not line.strip()):
            waiting.append(line)
        elif key is not None and not waiting and _belongs(language, line, indent or b""):
            found[key] = (*found[key], line)
        else:
            return None
    return None if waiting else found


def _belongs(language: str, line: bytes, indent: bytes) -> bool:
    deeper = line.startswith(indent) and line[len(indent) :][:1] in (b" ", b"\t")
    return deeper or re.match(_END[language], line) is not None


def _is_note_below(line: bytes, indent: bytes) -> bool:
    """Whether this is a comment inside a member: it stands deeper than the member's key."""
    return line.lstrip().startswith(b"#") and line[len(indent) :][:1] in (b" ", b"\t")


def _indent(members: Members) -> bytes:
    key, lines = next(iter(members.items()))
    line = next(line for line in lines if line.lstrip().startswith(key))
    return line[: len(line) - len(line.lstrip())]


def _bare(language: str, members: Members) -> Members:
    """JSON members without the comma that may follow them."""
    if language != "json":
        return members
    return {
        key: (*lines[:-1], re.sub(rb",(\s*)\Z", rb"\1", lines[-1]))
        for key, lines in members.items()
    }


def _merged(
    base: Members, ours: Members, theirs: Members, view: FileView, above: Lines
) -> Members | None:
    """Ours with what theirs changed, removed and added; None where one key has two changes."""
    out: Members = {}
    for key, mine in ours.items():
        old, other = base.get(key), theirs.get(key)
        if other in (mine, old):
            out[key] = mine
        elif mine == old:
            if other is not None:
                out[key] = other
        else:
            chosen = _greater(old, mine, other, view, above)
            if chosen is None:
                return None
            out[key] = chosen
    before: bytes | None = None
    for key, other in theirs.items():
        if key not in ours and key not in base:
            out = _placed(out, key, other, before, (ours, theirs))
        elif key not in ours and base[key] != other:
            return None  # we removed it, they changed it
        before = key
    return out


def _one_thing_twice(base: Members, ours: Members, theirs: Members) -> bool:
    """Whether the sides added members that are likely one thing under two names."""
    added = [
        [key.decode("utf-8", "replace") for key in side if key not in base]
        for side in (ours, theirs)
    ]
    return one_thing_twice(*added)


def _splits_a_family(base: Members, ours: Members, theirs: Members) -> bool:
    """Whether versions that may belong together would part."""
    moved = [
        families.steps((base[key], side[key]) for key in base if key in side)
        for side in (ours, theirs)
    ]
    new = [
        tuple(line for key in side if key not in base and key not in other for line in side[key])
        for side, other in ((theirs, ours), (ours, theirs))
    ]
    return families.parted(*moved) or any(map(families.joins_a_moved_row, moved, new))


def _greater(
    old: Lines | None, mine: Lines, other: Lines | None, view: FileView, above: Lines
) -> Lines | None:
    if old is None or other is None or not len(old) == len(mine) == len(other) == 1:
        return None
    own = is_own(old[0])
    if not (own_allowed(view) if own else needs_version(view.path, above, old[0])):
        return None
    line = greater_line(old[0], mine[0], other[0], own=own)
    return (line,) if line is not None else None


def _placed(
    members: Members, key: bytes, lines: Lines, before: bytes | None, sides: tuple[Members, Members]
) -> Members:
    """With this member at its place by name where both sides are sorted, else after `before`."""
    keys = list(members)
    if all(list(side) == sorted(side) for side in sides) and keys == sorted(keys):
        at = sum(known < key for known in keys)
    elif before in members:
        at = keys.index(before) + 1
        fresh = [k for k in keys[at:] if k in sides[0] and k not in sides[1]]
        at += len(fresh) if keys[at:][: len(fresh)] == fresh else 0
    else:
        at = len(keys)
    items = list(members.items())
    return dict([*items[:at], (key, lines), *items[at:]])


def _with_commas(members: Members, hunk: ConflictHunk) -> Lines:
    """JSON members with a comma after each but the last of the object."""
    ends = next(iter(hunk.after), b"").lstrip()[:1] in (b"}", b"")
    out: list[bytes] = []
    for number, lines in enumerate(members.values(), 1):
        last = lines[-1]
        body = last.rstrip()
        comma = b"" if ends and number == len(members) else b","
        out += [*lines[:-1], body + comma + last[len(body) :]]
    return tuple(out)
