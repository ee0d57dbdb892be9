"""Files whose names are numbered in a row, of which both sides added one with the same number.

Git has nothing to merge there: two names are two files. Migrations, decision records and the like
are run, or cited, by their number, and which of the two comes first is for a person to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from merge.ports import ObjectStore
from merge.types import Entry

Changes = Mapping[str, tuple[Entry | None, Entry | None]]

_FOLDERS = re.compile(
    r"(?i)(?:^|/)(?:db|[\w-]*migrat\w*|schema_?changes|flyway|liquibase|adrs?|decisions|rfcs?)/"
)
_NUMBER = re.compile(r"(?i)v?(\d+(?:[._]\d+)*)(?=__|[_-]|\.)[^/]*")


def same_numbers(store: ObjectStore, ours: str, theirs: str, brought: Changes) -> dict[str, str]:
    """New files of theirs by path, each with the new file of ours that has the same number."""
    new = {key: path for path in _added(brought) if (key := _key(path)) is not None}
    if not new:
        return {}
    bases = store.merge_bases(ours, theirs)
    own = _added(store.changed_paths(bases[0], ours)) if bases else []
    return {
        new[key]: path
        for path in own
        if (key := _key(path)) in new and new[key] != path and key is not None
    }


def _added(changes: Changes) -> list[str]:
    return sorted(path for path, (old, entry) in changes.items() if entry and not old)


def _key(path: str) -> tuple[str, str, str] | None:
    """The folder, the number and the ending of a numbered file; None for any other."""
    folder, slash, name = path.rpartition("/")
    found = _NUMBER.fullmatch(name)
    if found is None or not _FOLDERS.search(folder + slash):
        return None
    return folder, found[1].lstrip("0"), name.partition(".")[2]
