"""Merging of trees: what git's in-memory merge said, as values.

- `parse_merge_tree` reads the output of `git merge-tree --write-tree -z` by structure.
- `classify` names what kind of conflict a path is in. Only types of messages are read, never
  their prose, which git may reword or translate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from merge.types import Entry, MergeMessage, TreeMerge

SUBMODULE = "160000"
SYMLINK = "120000"
AUTO_MERGING = "Auto-merging"
"""The message that names a file which git combined cleanly."""
LFS_HEAD = b"version https://git-lfs.github.com/spec/"

_KINDS = (
    ("submodule", "submodule"),
    ("file/directory", "file/directory"),
    ("distinct types", "symlink"),
    ("distinct modes", "mode"),
    ("rename/rename", "rename/rename"),
    ("rename involved in collision", "rename/rename"),
    ("rename/delete", "rename/delete"),
    ("modify/delete", "modify/delete"),
    ("directory rename", "directory rename"),
    ("dir rename", "directory rename"),
    ("file location", "directory rename"),
    ("binary", "binary"),
)

_TREE = re.compile(rb"(?:[0-9a-f]{64}|[0-9a-f]{40})\Z")


class MergeTreeError(ValueError):
    """Output of `git merge-tree` that has another shape than the one documented."""


def parse_merge_tree(output: bytes, clean: bool) -> TreeMerge:
    """The values in the output of `git merge-tree --write-tree -z`; `clean` is exit code 0.

    What merge drivers print comes before the tree, into the same output. Raises MergeTreeError if
    the output has another shape.
    """
    fields = output.split(b"\0")
    found = _TREE.search(fields[0])
    if found is None:
        raise MergeTreeError(f"git merge-tree printed no tree: {fields[0][:200]!r}")
    tree = found[0].decode()
    stages: dict[str, dict[int, Entry]] = {}
    at = 1
    while at < len(fields) and fields[at]:
        head, _, path = fields[at].partition(b"\t")
        parts = _text(head).split(" ")
        if len(parts) != 3 or not path or parts[2] not in {"1", "2", "3"}:
            raise MergeTreeError(f"git merge-tree printed an unknown entry: {fields[at]!r}")
        stages.setdefault(_text(path), {})[int(parts[2])] = Entry(parts[0], parts[1])
        at += 1
    return TreeMerge(tree, clean, stages, tuple(_messages(fields[at + 1 :])))


def _messages(fields: list[bytes]) -> Iterable[MergeMessage]:
    at = 0
    # After the last message git may print advice about submodules, as plain text.
    while at < len(fields) and fields[at].isdigit():
        count = int(fields[at])
        if at + count + 2 >= len(fields):
            raise MergeTreeError("git merge-tree printed a message that breaks off")
        paths = tuple(_text(path) for path in fields[at + 1 : at + 1 + count])
        kind, text = fields[at + 1 + count], fields[at + 2 + count]
        yield MergeMessage(paths, _text(kind), _text(text).strip())
        at += count + 3


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def is_conflict(message: MergeMessage) -> bool:
    return message.type.startswith("CONFLICT")


def classify(
    path: str, stages: Mapping[int, Entry], messages: Iterable[MergeMessage]
) -> tuple[str, str]:
    """Kind of the conflict at `path`, and git's own words about it (may be empty)."""
    about = [m for m in messages if is_conflict(m) and path in m.paths]
    words = "; ".join(dict.fromkeys(m.text for m in about if m.text))
    modes = {entry.mode for entry in stages.values()}
    if SUBMODULE in modes:
        return "submodule", words
    if SYMLINK in modes:
        return "symlink", words
    for part, kind in _KINDS:
        if any(part in m.type for m in about):
            return kind, words
    if set(stages) == {1, 2, 3}:
        return "content", words
    if set(stages) == {2, 3}:
        return "add/add", words
    return ("modify/delete" if 1 in stages and len(stages) == 2 else "other"), words


def merged_mode(stages: Mapping[int, Entry]) -> str | None:
    """The mode that three-way merging gives, or None if the sides changed it differently."""
    ours, theirs = stages[2].mode, stages[3].mode
    base = stages[1].mode if 1 in stages else None
    if theirs in (ours, base):
        return ours
    return theirs if ours == base else None


def merge_drivers(
    attributes: Iterable[tuple[str, str]], settings: Mapping[str, str]
) -> dict[str, str]:
    """Of the paths with these values of the attribute `merge` those that are not merged as text,
    each with what merges it. `settings` are git's `merge.default` and `merge.NAME.driver`."""
    found = {}
    for path, value in attributes:
        name = settings.get("merge.default", "text") if value == "unspecified" else value
        name = {"set": "text", "unset": "binary"}.get(name, name)
        if name in ("union", "binary") or f"merge.{name}.driver" in settings:
            found[path] = name
    return found
