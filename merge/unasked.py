"""What is a question though git merged it without one.

Deletions that nobody declared, definitions that stand twice, markers that a side committed, numbers
given twice, and what the caller does not let pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from merge import checks, deletions, numbered
from merge.markers import holds_markers
from merge.paths import BINARY, suffix_of
from merge.tree import AUTO_MERGING, SUBMODULE
from merge.types import Entry, FileConflict
from merge.work import Work, blob, fingerprint

Brought = Mapping[str, tuple[Entry | None, Entry | None]]
"""What a merge changes in the target: path to the target's entry and the result's."""


def ask_all(work: Work, ours: str, theirs: str, brought: Brought) -> None:
    """Adds a conflict to the work for each of these, with what git made in the marked tree."""
    _deletions(work, ours, brought)
    _clean_paths(work, ours, theirs, brought)
    _same_numbers(work, ours, theirs, brought)
    _concerns(work, brought)


def _deletions(work: Work, ours: str, brought: Brought) -> None:
    """Asks for every deletion that the plan did not declare; the marked tree keeps the file."""
    declared = work.settings.declared
    if declared is None:
        return
    clean = {
        path: pair
        for path, pair in brought.items()
        if path not in work.merged.stages and path not in work.edits
    }
    undeclared = deletions.undeclared(work.store, ours, work.merged.tree, clean, declared)
    gone = [path for path, (old, new) in sorted(clean.items()) if old and not new]
    work.notices += [
        f"{path}: removed, as {work.labels[1]} declared" for path in gone if path not in undeclared
    ]
    for path in undeclared:
        entry = clean[path][0]
        assert entry is not None
        stages = {1: entry, 2: entry}
        mark = fingerprint(stages)
        work.conflicts.append(
            FileConflict(path, "deletion", deletions.WHY, stages, fingerprint=mark)
        )
        work.marked[path] = entry


def _clean_paths(
    work: Work,
    ours: str,
    theirs: str,
    brought: Brought,
) -> None:
    """Looks for double definitions and committed markers in what git merged cleanly."""
    candidates = {
        path: (old, new)
        for path, (old, new) in brought.items()
        if new and path not in work.merged.stages and path not in work.edits
        and new.mode != SUBMODULE and suffix_of(path) not in BINARY
    }  # fmt: skip
    if not candidates:
        return
    combined = {p for m in work.merged.messages if m.type == AUTO_MERGING for p in m.paths}
    plans = work.store.entries(theirs, combined & set(candidates)) if combined else {}
    merged = {
        path: _Merged(old, new, plans.get(path)) for path, (old, new) in candidates.items() if new
    }
    blobs = work.store.read_blobs({oid for found in merged.values() for oid in found.oids()})
    for path, found in sorted(merged.items()):
        data = blobs[found.new.oid]
        if holds_markers(data) and not (found.old and holds_markers(blob(work.store, found.old))):
            why = "the file holds conflict markers that a side committed"
            _escalate_clean(work, path, "other", why, found)
        elif sides := [blobs[entry.oid] for entry in found.sides()]:
            name = checks.doubled_definition(path, sides, data)
            odd = f"the result defines {name} twice" if name else ""
            if odd := odd or checks.oddity(path, sides, data) or "":
                why = f"git merged it cleanly, but {odd}"
                _escalate_clean(work, path, "duplicate", why, found)


def _same_numbers(
    work: Work,
    ours: str,
    theirs: str,
    brought: Brought,
) -> None:
    """Asks for a numbered file beside which the target has a new one of the same number."""
    asked = {conflict.path for conflict in work.conflicts}
    for path, other in sorted(numbered.same_numbers(work.store, ours, theirs, brought).items()):
        new = brought[path][1]
        if new is not None and path not in asked and path not in work.edits:
            why = f"git merged it cleanly, but {other} is new too and has the same number"
            _escalate_clean(work, path, "duplicate", why, _Merged(None, new, new))


@dataclass(frozen=True, slots=True)
class _Merged:
    """A path that git merged cleanly: the target's entry, the result, and the plan's entry if
    git combined both."""

    old: Entry | None
    new: Entry
    plan: Entry | None

    def oids(self) -> tuple[str, ...]:
        return tuple(entry.oid for entry in (self.new, *self.sides()))

    def sides(self) -> tuple[Entry, ...]:
        """Both sides' entries if git combined two files here, else none."""
        found = tuple(e for e in (self.old, self.plan) if e and e.mode != SUBMODULE)
        return found if len(found) == 2 else ()


def _escalate_clean(work: Work, path: str, kind: str, why: str, found: _Merged) -> None:
    stages = {n: entry for n, entry in ((2, found.old), (3, found.plan or found.new)) if entry}
    mark = fingerprint({**stages, 0: found.new})
    work.conflicts.append(FileConflict(path, kind, why, stages, fingerprint=mark))
    work.marked[path] = found.new


def _concerns(work: Work, brought: Brought) -> None:
    """Asks for the changes that the caller does not let pass; "plan" then means the merged file."""
    if work.settings.concerns is None:
        return
    asked = {conflict.path for conflict in work.conflicts}
    changes = {
        path: pair
        for path, pair in brought.items()
        if path not in asked and path not in work.edits and path not in work.merged.stages
    }
    for one in work.resolutions:
        old = work.merged.stages.get(one.path, {}).get(2)
        if work.edits.get(one.path) != old:
            changes[one.path] = old, work.edits.get(one.path)
    for path, concern in sorted(work.settings.concerns(changes).items()):
        old, new = changes[path]
        stages = {n: entry for n, entry in ((1, old), (2, old), (3, new)) if entry}
        work.conflicts.append(
            FileConflict(path, concern.kind, concern.why, stages, fingerprint=fingerprint(stages))
        )
        work.edits.pop(path, None)
        work.resolutions = [one for one in work.resolutions if one.path != path]
        work.marked[path] = new
