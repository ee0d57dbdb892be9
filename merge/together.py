"""Conflicts that git has written apart or filled with markers, as the sides' own versions.

- A file that both sides renamed is in git's merge under both new names. Where its contents
  conflict too, each of them is a text with markers: no version of the file, and no answer.
- Where one side has a link and the other a file, git gives one of them a name of its own making.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from merge.ports import ObjectStore
from merge.tree import is_conflict
from merge.types import Entry, MergeMessage, TreeMerge

_OPENS = re.compile(rb"^<{7,} ", re.M)
_CLOSES = re.compile(rb"^>{7,} ", re.M)

Stages = dict[str, dict[int, Entry]]


@dataclass(frozen=True, slots=True)
class Together:
    """Git's merge with the sides' own versions in the stages, and the paths it had invented.

    `versions` are those of a file by a path that git had filled with markers: of both sides, also
    where only one of them has the file under that path.
    """

    merged: TreeMerge
    invented: tuple[str, ...] = ()
    versions: Mapping[str, Mapping[int, Entry]] = field(default_factory=dict)


def together(store: ObjectStore, merged: TreeMerge, ours: str, theirs: str) -> Together:
    """Every stage a version that a side or the base holds. Nothing is written."""
    stages = {path: dict(found) for path, found in merged.stages.items()}
    invented: list[str] = []
    versions: Stages = {}
    for message in merged.messages:
        if not is_conflict(message):
            continue
        if "distinct" in message.type:
            invented += _one_path(stages, message)
        elif "rename" in message.type:
            versions |= _own_versions(store, stages, message, (ours, theirs))
    return Together(replace(merged, stages=stages), tuple(invented), versions)


def others_of(merged: TreeMerge, path: str) -> tuple[str, ...]:
    """Other paths that git names in the conflict of this one, such as the name before a rename."""
    about = [m for m in merged.messages if is_conflict(m) and path in m.paths]
    return tuple(dict.fromkeys(name for m in about for name in m.paths if name != path))


def _one_path(stages: Stages, message: MergeMessage) -> list[str]:
    """Puts the versions of different types at the path that both had; the paths that go."""
    path = min(message.paths, key=len)
    apart = [name for name in message.paths if name.startswith(f"{path}~") and name in stages]
    taken = [number for name in (path, *apart) for number in stages.get(name, {})]
    if not apart or len(taken) != len(set(taken)):
        return []
    for name in apart:
        stages.setdefault(path, {}).update(stages.pop(name))
    return apart


def _own_versions(
    store: ObjectStore, stages: Stages, message: MergeMessage, ends: tuple[str, str]
) -> Stages:
    """Replaces texts with git's markers, and drops the old name of a file with two new ones.

    The versions of the files that were replaced, by path.
    """
    names = _names(stages, message)
    sides: Mapping[int, Entry] = {
        number: entry
        for number, end in zip((2, 3), ends, strict=True)
        if (entry := store.entries(end, [names[number]]).get(names[number])) is not None
    }
    versions: Stages = {}
    for path in {names[2], names[3]} & set(stages):
        if not any(_is_marked(store, stages[path].get(n), sides.get(n)) for n in (2, 3)):
            continue
        known = stages[path] if names[2] == names[3] else {}
        base = stages.get(names[1], {}).get(1) if names[1] else known.get(1)
        versions[path] = {**({1: base} if base else {}), **sides}
    for path, found in versions.items():
        stages[path] = {n: entry for n, entry in found.items() if n == 1 or names[n] == path}
    if names[1] and set(stages.get(names[1], ())) == {1}:
        del stages[names[1]]
    return versions


def _names(stages: Stages, message: MergeMessage) -> Mapping[int, str]:
    """The file's name in base, ours and theirs; no base name where both sides use one path."""
    if message.type.endswith("(rename/rename)") and len(message.paths) == 3:
        return dict(zip((1, 2, 3), message.paths, strict=True))
    return {1: "", 2: message.paths[0], 3: message.paths[0]}


def _is_marked(store: ObjectStore, entry: Entry | None, own: Entry | None) -> bool:
    """Whether git has made this text of two, and they conflict."""
    if entry is None or own is None or entry.oid == own.oid or entry.mode[:3] != "100":
        return False
    data = store.read_blob(entry.oid)
    return bool(_OPENS.search(data) and _CLOSES.search(data))
