"""A conflict decided with an editor: the merge set up in the plan's worktree, taken, or put back.

- `set_up` leaves what `git merge` would: conflicted files with markers, the rest merged and
  staged, `MERGE_HEAD` set, so that every git tool works. Files that rules settled are settled.
- `take` believes nothing that still looks like a marker, and commits what is staged: other
  edits stop it, untracked files stay where they are.
- `put_back` keeps what was edited under a salvage ref before the files go back to the plan's.
- A rebase of the user in that worktree is the user's: nothing is taken or put back meanwhile.

Left by a crash: `set_up` records its intent first, so `put_back` cleans a half-made one; a commit
made by `take` whose event was lost is found by the next `--continue`.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from merge.markers import holds_markers, marker_size
from merge.text import split_lines
from merge.tree import SUBMODULE
from merge.types import Entry, FileConflict
from worktree_runner.core.edited import left_marker
from worktree_runner.core.events import Type
from worktree_runner.core.patch import is_binary
from worktree_runner.core.state import PlanState
from worktree_runner.core.texts import clean_line, decode, listing
from worktree_runner.core.worksheet import has_hunks
from worktree_runner.errors import PreconditionError
from worktree_runner.git.gateway import Git
from worktree_runner.git.repository import operation_in_progress
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging import cleanup, landing
from worktree_runner.operations.opening import conflicted
from worktree_runner.store.atomic import save_text

FILE_DIRECTORY = "file/directory"


def set_up(session: Session, plan_id: str) -> tuple[FileConflict, ...]:
    """Puts the merge into the plan's worktree; the files that are to be edited there."""
    plan = conflicted(session, plan_id)
    git = worktree_of(plan)
    _nothing_else_under_way(plan, git)
    _is_free(plan, git)
    outcome = landing.merged(session, plan)
    tip = session.state.tip
    nameless = [one for one in outcome.conflicts if not one.path]
    if nameless:
        raise PreconditionError(
            f"Git names no file of this conflict: {clean_line(nameless[0].why)}.",
            hint=f"git -C {git.path} merge {tip}, resolve it there and commit, then "
            f"wtrun resolve {plan_id} --continue",
        )
    _nothing_in_the_way(plan, git, outcome.marked_tree)
    session.record(
        Type.MERGE_PREPARED, plan_id, head=plan.head, tip=tip, tree=outcome.marked_tree,
        worktree=plan.worktree,
    )  # fmt: skip
    git.run("read-tree", "-m", "-u", plan.head, outcome.marked_tree)
    _unmerge(git, outcome.conflicts)
    message = landing.message(session, plan, outcome.resolutions)
    state = Path(git.text("rev-parse", "--absolute-git-dir"))
    save_text(state / "MERGE_MSG", message)
    git.run("update-ref", "--no-deref", "MERGE_HEAD", tip)
    return outcome.conflicts


def take(session: Session, plan_id: str) -> str:
    """The commit that decides the conflict by hand, made of what is in the plan's worktree."""
    plan = conflicted(session, plan_id)
    git = worktree_of(plan)
    _nothing_else_under_way(plan, git)
    _on_its_branch(plan, git)
    _stage_decided(plan, git)
    _nothing_unstaged(plan, git)
    if git.resolve("MERGE_HEAD") is not None:
        git.run("commit", "--quiet", "--no-edit", foreground=True)
    head = git.text("rev-parse", "HEAD")
    if head == plan.head:
        raise PreconditionError(
            f"Nothing was changed in {git.path} yet.",
            hint=f"wtrun resolve {plan_id} --edit, edit the files there, then "
            f"wtrun resolve {plan_id} --continue",
        )
    if git.ok("merge-base", "--is-ancestor", head, session.state.tip):
        raise PreconditionError(
            f"{git.path} holds nothing of {plan_id}: its HEAD has landed already.",
            hint=f"git -C {git.path} reset --keep {plan.head[:10]} brings the plan's commits back; "
            f"wtrun resolve {plan_id} --abort leaves the plan out",
        )
    paths = [_own_name(str(item["path"]), str(item["kind"])) for item in plan.conflicts]
    session.record(Type.MERGE_REOPENED, plan_id, head=head, by_hand=paths)
    return head


def _own_name(path: str, kind: str) -> str:
    """The file's path without what git adds to a file in the way of a directory."""
    return path.rpartition("~")[0] or path if kind == FILE_DIRECTORY else path


def is_prepared(plan: PlanState) -> bool:
    """Whether a merge is under way in the plan's worktree, by `set_up` or by the user's git."""
    place = Path(plan.worktree)
    if not plan.worktree or not place.is_dir():
        return False
    git = Git(place)
    unmerged = git.run("ls-files", "-z", "--unmerged").out
    return bool(unmerged) or git.resolve("MERGE_HEAD") is not None


def put_back(session: Session, plan_id: str) -> str:
    """Ends the merge in the plan's worktree; the ref that keeps what was edited, or nothing.

    Raises WtrunError if git would lose an edit by it, or if what is under way there is no merge;
    nothing is changed then.
    """
    plan = conflicted(session, plan_id)
    git = worktree_of(plan)
    _nothing_else_under_way(plan, git)
    kept = ""
    tree = str(plan.prepared.get("tree", ""))
    touched = not git.ok("diff", "--quiet", "HEAD", "--")
    if touched and not (tree and git.ok("diff", "--quiet", tree, "--")):
        ref = f"refs/wtrun/salvage/{session.state.id}/{plan.id}-a{plan.attempt}/edit"
        number, kept = 1, ref
        while session.repository.git.resolve(kept) is not None:
            number, kept = number + 1, f"{ref}-{number + 1}"
        session.repository.objects.move_ref(kept, cleanup.snapshot(git.path), None)
    git.run("reset", "--quiet", "--merge", "HEAD")
    session.record(Type.MERGE_PUT_BACK, plan_id, kept=kept)
    return kept


def worktree_of(plan: PlanState) -> Git:
    place = Path(plan.worktree)
    if not place.is_dir():
        raise PreconditionError(
            f"The worktree {place} of {plan.id} is gone.",
            hint=f"git worktree add {place} {plan.branch}",
        )
    return Git(place)


def _nothing_else_under_way(plan: PlanState, git: Git) -> None:
    """Raises where git is in the midst of a rebase or the like: HEAD is no end of the plan then."""
    busy = operation_in_progress(Path(git.text("rev-parse", "--absolute-git-dir")))
    if busy is not None and busy[0] != "a merge":
        raise PreconditionError(
            f"In {git.path} {busy[0]} is under way.",
            hint=f"{busy[1]} there, then wtrun resolve {plan.id} --continue",
        )


def _on_its_branch(plan: PlanState, git: Git) -> None:
    """Raises where something else is checked out: without the plan's work it would be taken."""
    here = git.run("symbolic-ref", "--quiet", "HEAD", check=False).text
    if here != f"refs/heads/{plan.branch}":
        name = f"on {here.removeprefix('refs/heads/')}" if here else "on no branch"
        raise PreconditionError(
            f"{git.path} is {name}, not on {plan.branch}.",
            hint=f"git -C {git.path} switch {plan.branch}, then wtrun resolve {plan.id} --continue",
        )


# -- setting up ----------------------------------------------------------------------------


def _is_free(plan: PlanState, git: Git) -> None:
    """Raises unless the worktree stands at the plan's end, with nothing staged or under way."""
    if is_prepared(plan) or plan.prepared:
        raise PreconditionError(
            f"A merge is under way in {git.path} already.",
            hint=f"edit the files there, then wtrun resolve {plan.id} --continue "
            f"(or --abort to put it back)",
        )
    if git.text("rev-parse", "HEAD") != plan.head:
        raise PreconditionError(
            f"{git.path} has moved on from {plan.head[:10]}.",
            hint=f"wtrun resolve {plan.id} --continue takes what is committed there",
        )
    staged = git.run("diff", "--cached", "--name-only", "-z", "HEAD").fields
    if staged:
        raise PreconditionError(
            f"{git.path} has staged changes: {listing(staged, limit=5)}.",
            hint=f"git -C {git.path} restore --staged . (the edits stay)",
        )


def _nothing_in_the_way(plan: PlanState, git: Git, tree: str) -> None:
    """Raises where a file that the merge brings would replace one of the user's.

    Git itself refuses for changed and untracked files, but overwrites ignored ones.
    """
    fields = git.run("diff-tree", "-r", "-z", "--no-renames", "--name-only", "--diff-filter=A",
                     plan.head, tree).fields  # fmt: skip
    inside = [path for path in fields if os.path.lexists(git.path / path)]
    if inside:
        raise PreconditionError(
            f"Files in {git.path} are in the way of the merge: {listing(inside, limit=5)}.",
            hint="move them away, then try again",
        )


def _unmerge(git: Git, conflicts: Sequence[FileConflict]) -> None:
    """Marks the files as unmerged. Here the plan is git's "ours", so the stages change places."""
    lines = []
    for one in conflicts:
        path = os.fsencode(one.path)
        nothing = b"0" * len(next(iter(one.stages.values())).oid) if one.stages else b"0" * 40
        lines.append(b"0 " + nothing + b"\t" + path)
        stages = {1: one.stages.get(1), 2: one.stages.get(3), 3: one.stages.get(2)}
        lines += [_stage(entry, stage, path) for stage, entry in stages.items() if entry]
    data = b"".join(line + b"\0" for line in lines)
    git.run("update-index", "-z", "--index-info", stdin=data)


def _stage(entry: Entry, stage: int, path: bytes) -> bytes:
    return f"{entry.mode} {entry.oid} {stage}\t".encode() + path


# -- taking --------------------------------------------------------------------------------


def _stage_decided(plan: PlanState, git: Git) -> None:
    """Stages the conflicted files that hold no marker any more; raises for all others.

    What has no hunks shows no decision in its text, so the person says it with git.
    """
    whole = {str(item["path"]) for item in plan.conflicts if not item.get("hunks", 1)}
    unmerged = _unmerged(git)
    problems, undecided, done = [], [], []
    for path, stages in unmerged.items():
        file = git.path / path
        texts = [git.run("cat-file", "blob", e.oid).out for e in stages.values() if _is_text(e)]
        is_text = {2, 3} <= set(stages) and len(texts) == len(stages)
        if path in whole or not is_text or any(map(is_binary, texts)) or not file.is_file():
            undecided.append(path)
            continue
        data = file.read_bytes()
        marker = _marker(data, texts)
        if marker is None:
            done.append(path)
        else:
            text = clean_line(decode(split_lines(data)[marker - 1]), 30)
            problems.append(f"{path} line {marker} ({text})")
    again = f"then wtrun resolve {plan.id} --continue"
    if problems:
        raise PreconditionError(
            f"Conflict markers are left in {git.path}: {listing(problems, limit=5)}.",
            hint=f"edit the files, {again}; a line that belongs there: git -C {git.path} add FILE",
        )
    links = [
        path for path in undecided if all(e.mode == SUBMODULE for e in unmerged[path].values())
    ]
    if undecided and undecided == links:
        raise PreconditionError(
            f"Not decided in {git.path}: the submodule {listing(links, limit=5)}.",
            hint=f"git -C {git.path} update-index --cacheinfo 160000,COMMIT,{links[0]}, {again}",
        )
    if undecided:
        raise PreconditionError(
            f"Not decided in {git.path}: {listing(undecided, limit=5)}.",
            hint=f"git -C {git.path} add FILE to keep a file as it is there, git rm FILE to remove "
            f"it, {again}",
        )
    if done:
        git.run("--literal-pathspecs", "add", "--", *done)
    changed = git.run("diff", "--cached", "--name-only", "-z", "--diff-filter=AM", "HEAD").fields
    left = [path for path in changed if path not in done and _holds_set(git, path)]
    if left:
        raise PreconditionError(
            f"Conflict markers are left in {git.path}: {listing(left, limit=5)}.",
            hint=f"edit them, git -C {git.path} add FILE, {again}",
        )


def _marker(data: bytes, sides: Sequence[bytes]) -> int | None:
    """The first line that looks like a marker, of the usual size or of the one written here."""
    lines = [split_lines(side) for side in sides]
    found = [left_marker(data, lines)]
    found.append(left_marker(data, lines, marker_size(lines)))
    return min((number for number in found if number is not None), default=None)


def _holds_set(git: Git, path: str) -> bool:
    file = git.path / path
    return file.is_file() and not file.is_symlink() and holds_markers(file.read_bytes())


def _is_text(entry: Entry) -> bool:
    return entry.mode.startswith("100")


def _unmerged(git: Git) -> Mapping[str, Mapping[int, Entry]]:
    found: dict[str, dict[int, Entry]] = {}
    for field in git.run("ls-files", "-z", "--unmerged").fields:
        meta, path = field.split("\t", 1)
        mode, oid, stage = meta.split()
        found.setdefault(path, {})[int(stage)] = Entry(mode, oid)
    return found


def _nothing_unstaged(plan: PlanState, git: Git) -> None:
    """Raises for edits that a commit would leave behind: the person says whether they belong."""
    # of a submodule only what is staged counts: its checkout may be anywhere
    dirty = git.run("diff", "--name-only", "-z", "--ignore-submodules=all").fields
    if dirty:
        raise PreconditionError(
            f"{git.path} has changes that are not staged: {listing(dirty, limit=5)}.",
            hint=f"git -C {git.path} add FILE where they belong to the decision, else git stash; "
            f"then wtrun resolve {plan.id} --continue",
        )


def editable(conflicts: Sequence[FileConflict]) -> tuple[list[str], list[str]]:
    """The paths that hold markers now, and those that are decided by `git add` or `git rm`."""
    with_markers = [one.path for one in conflicts if has_hunks(one)]
    return with_markers, [one.path for one in conflicts if one.path not in with_markers]


def recipes(session: Session, plan_id: str, conflicts: Sequence[FileConflict]) -> list[str]:
    """What to do in the worktree with files that no editor decides, a line each."""
    target, place = session.state.target, shlex.quote(session.of(plan_id).worktree)
    lines = []
    for one in conflicts:
        path = shlex.quote(one.path)
        if one.kind == "submodule":
            sides = ((target, one.stages.get(2)), (plan_id, one.stages.get(3)))
            lines += [
                f"{one.path}, as in {name}: git -C {place} update-index --cacheinfo "
                f"160000,{entry.oid},{path}"
                for name, entry in sides
                if entry is not None
            ]
        elif one.kind == FILE_DIRECTORY:
            name = _own_name(one.path, one.kind)
            whose = target if 2 in one.stages else plan_id
            lines.append(
                f"{one.path} is the file {name} of {whose}; there is a folder of that name now: "
                f"git -C {place} rm {path}, or git -C {place} add {path} and git mv it elsewhere"
            )
        elif one.kind == "directory rename":
            lines.append(
                f"{one.path} lies where its folder was renamed to: git -C {place} add {path}, "
                "and git mv it where it does not belong there"
            )
    return lines
