"""Files that a plan deletes without having said so.

Git merges the deletion of a file that the target left alone without a word. An agent that deletes
what was not its business, or that started from an old state, loses work of others that way. So a
deletion must be declared: by a pattern of the plan, by the plan's text, or by a rename to a
declared path. (A file that one side deleted and the other changed is a conflict of its own; it
never comes back by itself.)
"""

from __future__ import annotations

from collections.abc import Mapping

from merge.policy import Declared, matches
from merge.ports import ObjectStore
from merge.types import Entry

WHY = "the branch deletes this file, which was not declared"


def undeclared(
    store: ObjectStore,
    ours: str,
    merged: str,
    brought: Mapping[str, tuple[Entry | None, Entry | None]],
    declared: Declared,
) -> list[str]:
    """The paths that a merge takes out of the target without the plan having declared it."""
    gone = [path for path, (old, new) in sorted(brought.items()) if old and not new]
    left = [path for path in gone if not declared.covers(path)]
    renamed = store.renames(ours, merged) if left else {}
    return [path for path in left if not _moved(renamed.get(path), declared)]


def _moved(path: str | None, declared: Declared) -> bool:
    return path is not None and (declared.covers(path) or matches(path, declared.moves))
