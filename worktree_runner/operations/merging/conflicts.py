"""Tells a person about a conflict: the facts around it, the report on disk, the event."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from merge.types import FileConflict
from worktree_runner.core import conflict_report
from worktree_runner.core.conflicts import CommitFacts, ConflictFacts, FileContents, PlanFacts
from worktree_runner.core.enclosing import enclosing_of
from worktree_runner.core.events import Type
from worktree_runner.core.state import PlanState, Status
from worktree_runner.git.repository import Repository
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.merging import remembering
from worktree_runner.store.atomic import save_bytes, save_text

COMMITS_SHOWN = 20


def report_conflicts(
    session: Session, plan_id: str, conflicts: tuple[FileConflict, ...], *, refused: str = ""
) -> None:
    """Writes `conflicts/<plan>.md`, `.json` and the bundle into the run's folder, and records.

    The files are complete before the event names them; a crash in between leaves them for the
    next try, which writes them again. `refused` says why a likely resolution was undone.
    """
    plan = session.of(plan_id)
    conflicts = remembering.offer(session, conflicts)
    facts = conflict_facts(session, plan, conflicts)
    folder = session.folder.conflicts
    report = folder / f"{plan_id}.md"
    save_text(report, conflict_report.render_report(facts, conflicts))
    document = conflict_report.to_json(facts, conflicts)
    save_text(folder / f"{plan_id}.json", json.dumps(document, indent=1, ensure_ascii=False))
    for name, data in conflict_report.bundle(facts, conflicts).items():
        save_bytes(folder / plan_id / name, data, durable=False)
    session.record(
        Type.MERGE_CONFLICTED,
        plan_id,
        head=plan.head,
        tip=session.state.tip,
        paths=[
            {
                "path": item.path,
                "kind": item.kind,
                "why": item.why,
                "fingerprint": item.fingerprint,
                "hunks": len(item.hunks),
                "proposals": sum(hunk.proposal is not None for hunk in item.hunks),
                "against": sorted(maker.id for maker in facts.makers(item.path)),
                "command": item.command,
            }
            for item in conflicts
        ],
        report=str(report),
        refused=refused,
    )


def conflict_facts(
    session: Session, plan: PlanState, conflicts: Iterable[FileConflict], tip: str | None = None
) -> ConflictFacts:
    """Both sides of a conflict in words: plans, objectives, commits, contents.

    `tip` is what the plan is merged into, by default where the run has landed so far.
    """
    conflicts, tip = tuple(conflicts), tip or session.state.tip
    repository, state = session.repository, session.state
    landed = [one for one in state.in_order() if one.status is Status.LANDED and one is not plan]
    makers = {
        commit: other
        for other in landed
        for commit in repository.objects.commits(other.base, other.head)
    }
    own = dict.fromkeys(repository.objects.commits(plan.base, plan.head), plan)
    names = {item.path: _names(repository, item, plan.base) for item in conflicts}
    paths = sorted({name for path, others in names.items() for name in (path, *others) if name})
    target_commits = _commits(repository, plan.head, tip, paths, makers)
    contents = {item.path: _contents(session, item) for item in conflicts}
    contents.update(_of_both_names(conflicts, contents))
    contents.update(_clean_merges(repository, tip, plan.head, conflicts, contents))
    involved = {commit.plan for commit in target_commits}
    return ConflictFacts(
        plan=_plan_facts(session, plan),
        target=state.target,
        branch=plan.branch,
        run=state.id,
        worktree=plan.worktree,
        noun=session.dialect.words.plan,
        target_plans=tuple(_plan_facts(session, other) for other in landed if other.id in involved),
        target_commits=target_commits,
        plan_commits=_commits(repository, tip, plan.head, paths, own),
        enclosing={
            (item.path, number): words
            for item in conflicts
            for number, words in enclosing_of(item, contents[item.path].ours).items()
        },
        contents=contents,
        names=names,
    )


def _names(repository: Repository, item: FileConflict, base: str) -> tuple[str, ...]:
    """What else the file of a conflict is called: in git's words about it, or in the base."""
    found = dict.fromkeys(item.others)
    if item.kind == "directory rename":
        found |= dict.fromkeys(name.rpartition("/")[0] for name in item.others)
    origin = item.stages.get(1)
    if origin is not None and base and not repository.objects.entries(base, [item.path]):
        listed = repository.git.run("ls-tree", "-r", "-z", base).fields
        same = (one.split("\t", 1) for one in listed)
        found |= dict.fromkeys(path for head, path in same if head.split(" ")[2] == origin.oid)
    return tuple(name for name in found if name and name != item.path)


def _plan_facts(session: Session, plan: PlanState) -> PlanFacts:
    return PlanFacts(plan.id, plan.title, session.plan(plan.id).objective)


def _commits(
    repository: Repository, old: str, new: str, paths: list[str], makers: dict[str, PlanState]
) -> tuple[CommitFacts, ...]:
    """Commits that `new` has and `old` has not and that touch one of the paths, newest first."""
    output = repository.git.run(
        "--literal-pathspecs", "log", "-z", f"--max-count={COMMITS_SHOWN}", "--no-merges",
        "--name-only", "--no-renames", "--format=%x01%H%x02%s%x02%cI", new, f"^{old}", "--", *paths,
    )  # fmt: skip
    found = []
    for block in output.out.decode(errors="replace").split("\x01")[1:]:
        head, _, names = block.partition("\n")
        commit, subject, when = head.strip("\0").split("\x02")
        files = tuple(name for name in names.strip("\0\n").split("\0") if name)
        maker = makers.get(commit)
        who = (maker.id, maker.agent) if maker else ("", "")
        found.append(CommitFacts(commit, subject, *who, when, files))
    return tuple(found)


def _contents(session: Session, item: FileConflict) -> FileContents:
    def blob(stage: int) -> bytes | None:
        entry = item.stages.get(stage)
        if entry is None or entry.mode == "160000":
            return None
        return session.repository.objects.read_blob(entry.oid)

    return FileContents(base=blob(1), ours=blob(2), theirs=blob(3))


def _of_both_names(
    conflicts: Iterable[FileConflict], contents: Mapping[str, FileContents]
) -> dict[str, FileContents]:
    """A file that has one name in each side: under either name, the contents of both."""
    found = {}
    for item in conflicts:
        own = contents[item.path]
        for other in (contents[name] for name in item.others if name in contents):
            if item.kind == "rename/rename" and (own.ours is None) != (own.theirs is None):
                ours = other.ours if own.ours is None else own.ours
                theirs = other.theirs if own.theirs is None else own.theirs
                found[item.path] = replace(own, ours=ours, theirs=theirs)
    return found


def _clean_merges(
    repository: Repository,
    tip: str,
    head: str,
    conflicts: Iterable[FileConflict],
    contents: Mapping[str, FileContents],
) -> dict[str, FileContents]:
    """Files that git merged cleanly and that are asked about all the same, with its result."""
    objects = repository.objects
    paths = [item.path for item in conflicts if item.kind == "duplicate"]
    if not paths:
        return {}
    found = objects.entries(objects.merge_tree(tip, head).tree, paths)
    return {
        path: replace(contents[path], merged=objects.read_blob(entry.oid))
        for path, entry in found.items()
    }
