"""Merging one commit into another, in memory: git first, then rules, then a person's answers.

- Nothing is written but objects; no ref, index or working file is touched.
- Git decides what merges cleanly; rules only see what git could not merge.
- Clean merges are looked at too: a name defined twice, or conflict markers that a side committed,
  are questions, not results.
- Several merge bases (a criss-cross history) mean that the base git used is itself a merge: no
  rule is used then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from merge import answers, unasked
from merge.file import FileMerge, merge_file
from merge.markers import render
from merge.policy import DEFAULTS, Settings, matches
from merge.ports import ObjectStore
from merge.text import hunks_of
from merge.together import others_of, together
from merge.tree import AUTO_MERGING, LFS_HEAD, classify, is_conflict, merged_mode
from merge.types import Choice, Entry, FileConflict, MergeOutcome, Resolution, TreeMerge
from merge.work import Work, blob, diff_text, fingerprint

OWN_DRIVER = "wtrun"
"""As the documentation names a merge driver that uses these rules."""
CRISS_CROSS = "the history is criss-cross (several merge bases), so the base is itself a merge"
_WHY = {
    "modify/delete": "one side changed the file, the other deleted it",
    "rename/delete": "one side renamed the file, the other deleted it",
    "rename/rename": "both sides renamed the file, to different names",
    "directory rename": "a directory was renamed while the other side worked in it",
    "file/directory": "one side has a file where the other has a directory",
    "submodule": "both sides moved the submodule",
    "symlink": "a symbolic link stands against another link or a file",
    "mode": "the sides disagree on the file's mode",
    "binary": "binary contents can't be combined",
    "other": "git could not merge it",
}
_SELF_EVIDENT = ("modify/delete", "symlink", "binary")
"""Kinds of which git says no more than the versions show."""


def merge_commits(
    store: ObjectStore,
    ours: str,
    theirs: str,
    *,
    settings: Settings = DEFAULTS,
    choices: Sequence[Choice] = (),
    labels: tuple[str, str] = ("ours", "theirs"),
) -> MergeOutcome:
    """What merging `theirs` into `ours` comes to.

    Choices hold only while their conflict's fingerprint is the same; stale ones are ignored and
    named in the notices. If the process dies here, only unreferenced objects are left.
    """
    merged = store.merge_tree(ours, theirs)
    criss_cross = not merged.clean and len(store.merge_bases(ours, theirs)) > 1
    found = together(store, merged, ours, theirs)
    work = Work(store, found.merged, settings, labels, criss_cross)
    work.edits, work.versions = dict.fromkeys(found.invented), found.versions
    brought = store.changed_paths(ours, merged.tree)
    _keep_ours(work, brought)
    _drivers(work)
    for path in sorted(work.merged.stages):
        if path not in work.edits:
            _conflicted_path(work, path)
    _unclaimed_messages(work)
    unasked.ask_all(work, ours, theirs, brought)
    _apply_choices(work, choices)
    return _outcome(work)


def _outcome(work: Work) -> MergeOutcome:
    tree = work.merged.tree
    if work.edits or work.marked:
        tree = work.store.edit_tree(tree, {**work.marked, **work.edits})
    return MergeOutcome(
        tree=None if work.conflicts else tree,
        marked_tree=tree,
        resolutions=tuple(work.resolutions),
        conflicts=tuple(work.conflicts),
        notices=tuple(work.notices),
    )


def _keep_ours(work: Work, brought: Mapping[str, tuple[Entry | None, Entry | None]]) -> None:
    """The target's version of every path that the settings keep, clean or conflicted."""
    for path in sorted({*brought, *work.merged.stages}):
        if not matches(path, work.settings.keep_ours):
            continue
        stages = work.merged.stages.get(path)
        kept = stages.get(2) if stages else brought[path][0]
        work.edits[path] = kept
        what = "the target's version is kept" if kept else "the target has no such file: left out"
        work.notices.append(f"{path}: changed by {work.labels[1]}, but the run owns it; {what}")


def _drivers(work: Work) -> None:
    """Lists what was combined in another way than as text, as the repository's attributes ask."""
    combined = {p for m in work.merged.messages if m.type == AUTO_MERGING for p in m.paths}
    combined -= work.edits.keys()
    if combined:
        work.drivers = work.store.merge_drivers(combined)
    for path, name in sorted(work.drivers.items()):
        if path not in work.merged.stages:
            work.notices.append(f"{path}: combined by the merge driver {name} (attributes)")


def _conflicted_path(work: Work, path: str) -> None:
    stages = work.merged.stages[path]
    kind, words = classify(path, stages, work.merged.messages)
    if kind not in {"content", "add/add"}:
        why = _reason(kind, words)
        if kind == "modify/delete" and len(stages.keys() & {2, 3}) == 1:
            gone, kept = work.labels if 3 in stages else reversed(work.labels)
            why = f"{gone} deleted the file, {kept} changed it"
        _escalate(work, path, kind, why)
        if kind == "rename/rename":
            _mark(work, path)
        return
    base = work.store.read_blob(stages[1].oid) if 1 in stages else None
    ours, theirs = (work.store.read_blob(stages[n].oid) for n in (2, 3))
    if ours.startswith(LFS_HEAD) or theirs.startswith(LFS_HEAD):
        _escalate(work, path, "binary", "the file is stored by Git LFS; its pointer is no text")
        return
    if any(b"\0" in (data or b"")[:8000] for data in (base, ours, theirs)):
        _escalate(work, path, "binary", _WHY["binary"])
        return
    mode = merged_mode(stages)
    if mode is None:
        _escalate(work, path, "mode", _WHY["mode"])
        return
    forbidden = CRISS_CROSS if work.criss_cross else ""
    if merged_elsewhere(work.merged, path):
        forbidden = "the file was also renamed in conflict"
    elif (driver := work.drivers.get(path, OWN_DRIVER)) != OWN_DRIVER:
        forbidden = f"the merge driver {driver} left a conflict"
    result = merge_file(base, ours, theirs, path, work.settings, forbidden=forbidden)
    if result.data is None:
        _escalate_text(work, path, kind, result, ours)
        return
    work.edits[path] = Entry(mode, work.store.write_blob(result.data))
    work.resolutions.append(
        Resolution(
            path,
            "+".join(result.rules),
            result.why,
            len(hunks_of(result.segments)),
            result.tier,
            diff_text(path, ours, result.data),
        )
    )


def merged_elsewhere(merged: TreeMerge, path: str) -> bool:
    """Whether git named another conflict than one of contents for this path."""
    plain = ("contents", "add/add")
    return any(
        is_conflict(m) and path in m.paths and not any(word in m.type for word in plain)
        for m in merged.messages
    )


def _reason(kind: str, words: str) -> str:
    """Why it is a question, with git's words where they name what our own don't."""
    said = re.sub(r"CONFLICT \([^)]*\): ", "", words).rstrip(".")
    if not said or kind in _SELF_EVIDENT:
        return _WHY.get(kind, kind)
    return f"{_WHY.get(kind, _WHY['other'])} ({said})"


def _escalate(work: Work, path: str, kind: str, why: str) -> None:
    stages = work.merged.stages.get(path, {})
    mark, others = fingerprint(stages), others_of(work.merged, path)
    if kind == "rename/rename":  # the old name is nobody's any more
        others = tuple(name for name in others if name in work.merged.stages)
    work.conflicts.append(FileConflict(path, kind, why, stages, fingerprint=mark, others=others))


def _mark(work: Work, path: str) -> None:
    """Writes both sides' texts of a file into the marked tree, where both are texts."""
    stages = work.versions.get(path, work.merged.stages[path])
    if not {2, 3} <= set(stages) or any(entry.mode[:3] != "100" for entry in stages.values()):
        return
    base, ours, theirs = (
        work.store.read_blob(stages[n].oid) if n in stages else None for n in (1, 2, 3)
    )
    if any(b"\0" in (data or b"") for data in (base, ours, theirs)):
        return
    result = merge_file(base, ours or b"", theirs or b"", path, forbidden="renamed")
    text = result.data
    if text is None:
        text = render(result.segments, labels=work.labels)
    work.marked[path] = Entry(stages[2].mode, work.store.write_blob(text))


def _escalate_text(work: Work, path: str, kind: str, result: FileMerge, ours: bytes) -> None:
    stages = work.merged.stages[path]
    work.segments[path] = result.segments
    text = render(result.segments, labels=work.labels)
    mode = stages[2].mode
    work.marked[path] = Entry(mode, work.store.write_blob(text))
    work.conflicts.append(
        FileConflict(
            path,
            kind,
            result.why,
            stages,
            hunks_of(result.segments),
            fingerprint(stages),
            result.command,
        )
    )


def _unclaimed_messages(work: Work) -> None:
    """No conflict that git named may go unasked, even one without a file in stages."""
    known = {*work.edits, *(c.path for c in work.conflicts)}
    for message in work.merged.messages:
        if is_conflict(message) and not known & set(message.paths):
            path = message.paths[0] if message.paths else ""
            known.add(path)
            kind, _ = classify(path, {}, (message,))
            _escalate(work, path, kind, _reason(kind, message.text))
    if not work.merged.clean and not work.edits and not work.conflicts:
        _escalate(work, "", "other", "git reports a conflict but names no path")


def _apply_choices(work: Work, choices: Sequence[Choice]) -> None:
    by_path: dict[str, list[Choice]] = {}
    known = {conflict.path: conflict for conflict in work.conflicts}
    for choice in choices:
        conflict = known.get(choice.path)
        if conflict is None or conflict.fingerprint != choice.fingerprint:
            work.notices.append(
                f"{choice.path}: the answer '{choice.kind}' was given for another state of "
                "the file and is not used"
            )
        else:
            by_path.setdefault(choice.path, []).append(choice)
    left = []
    for conflict in work.conflicts:
        decided = answers.decide(
            conflict,
            by_path.get(conflict.path, []),
            work.segments.get(conflict.path, ()),
            work.marked.get(conflict.path),
            work.store,
        )
        if isinstance(decided, FileConflict):
            left.append(decided)
            continue
        work.edits[conflict.path] = decided.entry
        before = blob(work.store, conflict.stages.get(2))
        after = blob(work.store, decided.entry)
        diff = diff_text(conflict.path, before, after)
        work.resolutions.append(
            Resolution(
                conflict.path,
                "person",
                decided.why,
                max(1, len(conflict.hunks)),
                "manual",
                diff,
            )
        )
    work.conflicts = left
