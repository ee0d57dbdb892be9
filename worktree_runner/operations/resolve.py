"""`wtrun resolve PLAN`: a person's answer to a conflict, from any shell.

- Every answer is journalled before anything is merged; `--take`, `--tool` and the prompt make
  choices, `--edit` and `--continue` work on files in the plan's worktree (`by_hand`).
- As soon as nothing of the plan is left to decide it lands and is published.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence

from merge.text import split_lines
from merge.types import Choice, ChoiceKind, FileConflict
from worktree_runner.core import conflict_report
from worktree_runner.core.conflicts import CONCERNS, ConflictFacts, FileContents, hunk_count
from worktree_runner.core.edited import file_text, left_marker, size_of
from worktree_runner.core.events import Type
from worktree_runner.core.state import Status
from worktree_runner.core.texts import clean_line, count, listing
from worktree_runner.core.worksheet import Worksheet, choice_in_words
from worktree_runner.errors import UsageError, WtrunError
from worktree_runner.operations import by_hand, conflict_prompt
from worktree_runner.operations.context.session import Session, choice_to_json, choices_of
from worktree_runner.operations.context.tools import conflict_tools
from worktree_runner.operations.merging import remembering
from worktree_runner.operations.merging.conflicts import conflict_facts
from worktree_runner.operations.opening import conflicted
from worktree_runner.operations.run import asking, checked, rejected
from worktree_runner.ui.conflict import Again, Decided


def open_conflicts(session: Session, plan_id: str) -> tuple[FileConflict, ...]:
    """What of the plan's merge is open now, with the answers so far and those of before."""
    return asking.open_conflicts(session, conflicted(session, plan_id))


def render_list(session: Session, plan_id: str, conflicts: Sequence[FileConflict]) -> str:
    """What is open, what is answered of it already, and where its files lie."""
    lines = [render_conflicts(plan_id, conflicts)]
    if session.of(plan_id).reason:
        lines.append(f"  {clean_line(session.of(plan_id).reason)}")
    facts = conflict_facts(session, session.of(plan_id), conflicts)
    for choice in answered(session, plan_id, conflicts):
        lines.append(f"  answered: {choice_in_words(facts, choice)}")
    for path, offer in sorted(remembering.whole_offers(session, conflicts).items()):
        lines.append(f"  {path}: {offer.words}; --take proposal --path takes that")
    if conflicts:
        lines.append(f"every version and a report: {session.folder.conflicts / plan_id}")
    if by_hand.is_prepared(session.of(plan_id)):
        lines.append(f"being edited in {session.of(plan_id).worktree}")
    return "\n".join(lines)


def render_conflicts(plan_id: str, conflicts: Sequence[FileConflict]) -> str:
    """What is open, one line a file, with the numbers of its hunks and what is offered."""
    lines = [f"{plan_id}: {hunk_count(conflicts)}"]
    for item in conflicts:
        numbers = f", hunks 1-{len(item.hunks)}" if len(item.hunks) > 1 else ""
        lines.append(f"  {clean_line(item.path)}: {item.kind}{numbers}: {clean_line(item.why)}")
        for number, hunk in enumerate(item.hunks, start=1):
            if hunk.proposal is not None:
                why = f": {hunk.proposal_why}" if hunk.proposal_why else ""
                lines.append(f"    hunk {number} has a proposal{why}")
        if item.command:
            lines.append(f"    would be settled by: {clean_line(item.command)}")
    return "\n".join(lines)


def list_json(session: Session, plan_id: str, conflicts: Sequence[FileConflict]) -> str:
    """What is open, for programs: the document of the conflict's bundle, as it is now."""
    facts = conflict_facts(session, conflicted(session, plan_id), conflicts)
    document = conflict_report.to_json(facts, conflicts)
    document["answered"] = [
        {"path": one.path, "hunk": None if one.hunk is None else one.hunk + 1, "take": one.kind}
        for one in answered(session, plan_id, conflicts)
    ]
    return json.dumps(document, indent=1, ensure_ascii=False)


def answered(
    session: Session, plan_id: str, conflicts: Sequence[FileConflict]
) -> tuple[Choice, ...]:
    """Answers that hold and do not yet decide their file, since others are missing."""
    given = choices_of(session.of(plan_id))
    return Worksheet(conflicts, asking.latest(given)).choices


def take(
    session: Session, plan_id: str, kind: ChoiceKind, paths: Sequence[str], hunk: int | None
) -> bool:
    """Answers open hunks by one side; True if the plan has landed by that."""
    conflicts = open_conflicts(session, plan_id)
    wanted = _named(plan_id, conflicts, paths)
    offers = remembering.whole_offers(session, wanted) if kind is ChoiceKind.PROPOSAL else {}
    choices = [
        offers[item.path].choice
        if item.path in offers and hunk is None
        else _choice(plan_id, item, kind, hunk)
        for item in wanted
    ]
    _record(session, plan_id, conflicts, choices)
    return _land(session, plan_id, conflicts)


def _named(
    plan_id: str, conflicts: Sequence[FileConflict], paths: Sequence[str]
) -> list[FileConflict]:
    known = [item.path for item in conflicts]
    for path in paths:
        if path not in known:
            raise UsageError(
                f"{path} is not in conflict in {plan_id}.", hint=f"open: {listing(known, limit=8)}"
            )
    return [item for item in conflicts if not paths or item.path in paths]


def _record(
    session: Session, plan_id: str, conflicts: Sequence[FileConflict], choices: Sequence[Choice]
) -> None:
    """Journals the answers, and says each that is for a single hunk."""
    remembering.keep(session, plan_id, conflicts, choices)
    fixed = remembering.pinned(conflicts, choices)
    session.record(
        Type.MERGE_ANSWERED, plan_id, choices=[choice_to_json(choice) for choice in fixed]
    )
    facts = conflict_facts(session, session.of(plan_id), conflicts)
    for choice in choices:
        if choice.hunk is not None:
            session.screen.say(f"answered: {choice_in_words(facts, choice)}", plan=plan_id)


def _land(session: Session, plan_id: str, conflicts: Sequence[FileConflict]) -> bool:
    """Lands the plan if nothing of it is open; what the answers break in a file is said before."""
    plan = session.of(plan_id)
    left = {one.path for one in asking.open_conflicts(session, plan)}
    for one in conflicts:
        problem = "" if one.path in left else asking.what_breaks(session, plan, one, ())
        if problem:
            session.screen.warn(f"{one.path} {problem}", plan=plan_id)
    return checked.land(session, plan_id)


def _choice(plan_id: str, item: FileConflict, kind: ChoiceKind, hunk: int | None) -> Choice:
    if hunk is not None and not 1 <= hunk <= len(item.hunks):
        open_hunks = count(len(item.hunks), "open hunk")
        raise UsageError(f"{item.path} has {open_hunks}, not a hunk {hunk}.")
    if kind is ChoiceKind.PROPOSAL:
        chosen = item.hunks if hunk is None else item.hunks[hunk - 1 : hunk]
        if not chosen or any(part.proposal is None for part in chosen):
            raise UsageError(
                f"Not every hunk of {item.path} has a proposal.",
                hint=f"wtrun resolve {plan_id} --list, then --path and --hunk",
            )
    side = {ChoiceKind.OURS: 2, ChoiceKind.THEIRS: 3}.get(kind)
    if item.kind == by_hand.FILE_DIRECTORY and side in item.stages:
        raise UsageError(
            f"{item.path} can't stay: there is a folder of its name.",
            hint=f"wtrun resolve {plan_id} --edit sets it up to be moved, --take the other side "
            "removes it",
        )
    if kind in (ChoiceKind.BOTH, ChoiceKind.BOTH_REVERSED) and not item.hunks:
        raise UsageError(
            f"{item.path} ({item.kind}) has no hunks, so one side is taken.",
            hint=f"wtrun resolve {plan_id} --path {shlex.quote(item.path)} --take target, or "
            "--take plan",
        )
    whole = not item.hunks
    at = None if hunk is None else hunk - 1
    return Choice(item.path, kind, item.fingerprint, at, whole)


def ask(session: Session, plan_id: str) -> bool:
    """Asks hunk by hunk at the terminal; True if nothing of the plan is left to decide here.

    Answers that the user did not confirm are kept as a draft, and nothing is merged.
    """
    conflicted(session, plan_id)
    answer = asking.question_for(session, plan_id)()
    asking.keep_draft(session, plan_id, answer)
    if isinstance(answer, Again):
        rerun(session, plan_id)
        return True
    if not isinstance(answer, Decided):
        return False
    asking.record_answer(session, plan_id, answer)
    return checked.land(session, plan_id)


def with_tool(session: Session, plan_id: str, paths: Sequence[str]) -> bool:
    """Answers whole files by the user's merge tool, one after another; True if that lands it.

    Each answer is journalled before the next file is opened. A file that the tool left as it
    was, or with markers, or that it gave up, stays open.
    """
    plan, screen = conflicted(session, plan_id), session.screen
    conflicts = open_conflicts(session, plan_id)
    facts = conflict_facts(session, plan, conflicts)
    place = session.folder.conflicts / plan_id / "texts"
    tools = conflict_tools(session.repository.git, screen, place)
    if tools.merge_tool is None:
        raise UsageError(
            "No merge tool is set.",
            hint="git config merge.tool vimdiff ('git mergetool --tool-help' lists them)",
        )
    done = 0
    for one in _named(plan_id, conflicts, paths):
        try:
            choice = _by_tool(session, facts, one, tools.merge_tool)
        except WtrunError as error:
            screen.warn(f"{one.path} stays open: {error.message}", hint=error.hint or "")
            continue
        if choice is not None:
            _record(session, plan_id, conflicts, [choice])
            done += 1
    return bool(done) and _land(session, plan_id, conflicts)


def _by_tool(
    session: Session,
    facts: ConflictFacts,
    one: FileConflict,
    run: Callable[[str, FileContents, bytes], bytes],
) -> Choice | None:
    """The file as the tool saved it; None, with the reason said, where that is no answer."""
    offered, screen = file_text(facts, one), session.screen
    if offered is None:
        screen.warn(f"{one.path} ({one.kind}) is no text to edit; --take decides it")
        return None
    content = facts.content(one.path)
    edited = run(one.path, content, offered)
    sides = [split_lines(side or b"") for side in (content.base, content.ours, content.theirs)]
    marker = left_marker(edited, sides, size_of(one.hunks))
    if edited == offered:
        screen.warn(f"{one.path} was not changed in the tool, so it stays open")
    elif marker is not None:
        screen.warn(f"{one.path} still has a conflict marker in line {marker}; it stays open")
    else:
        kind = ChoiceKind.CONTENT
        return Choice(one.path, kind, one.fingerprint, whole=True, content=edited)
    return None


def edit(session: Session, plan_id: str) -> None:
    """Sets the merge up in the plan's worktree, and says where and how to go on."""
    screen, place = session.screen, session.of(plan_id).worktree
    conflicts = by_hand.set_up(session, plan_id)
    marked, whole = by_hand.editable(conflicts)
    screen.say(f"the merge is set up in {place}", plan=plan_id)
    if marked:
        screen.say(f"with conflict markers: {listing(marked)}")
        with_markers = [one for one in conflicts if one.path in marked]
        prompt = conflict_prompt.save_prompt(session, plan_id, with_markers)
        screen.say(f"for a coding agent that is to edit them there: {prompt}")
    if whole:
        screen.say(f"to be decided by git add or git rm there: {listing(whole)}")
    for line in by_hand.recipes(session, plan_id, conflicts):
        screen.say(line)
    screen.say("when the files are as they should be:")
    screen.command(f"wtrun resolve {plan_id} --continue")
    screen.say("to put everything back:")
    screen.command(f"wtrun resolve {plan_id} --abort")


def go_on(session: Session, plan_id: str) -> bool:
    """Takes what was done by hand in the plan's worktree; True if the plan has landed."""
    by_hand.take(session, plan_id)
    return checked.land(session, plan_id)


def rerun(session: Session, plan_id: str) -> None:
    """Gives the plan back to an agent, with its work so far; `execute` starts the attempt."""
    plan = session.of(plan_id)
    if plan.status not in (Status.CONFLICTED, Status.REJECTED):
        raise UsageError(f"{plan_id} is {plan.status}; there is nothing to do again.")
    if plan.conflicts and all(item["kind"] in CONCERNS for item in plan.conflicts):
        raise UsageError(
            f"Nothing conflicts in {plan_id}; an agent would change the same again.",
            hint=f"wtrun resolve {plan_id} --take target, or --take plan",
        )
    if by_hand.is_prepared(plan):
        raise UsageError(
            f"A merge is under way in {plan.worktree}.", hint=f"wtrun resolve {plan_id} --abort"
        )
    rejected.rerun(session, plan)
    session.screen.say(f"an agent does it again; {plan.branch} stays as it is", plan=plan_id)


def abort(session: Session, plan_id: str) -> bool:
    """Puts back a merge that was set up for an editor; without one, leaves the plan out.

    True if the plan was left out of the run; branch and worktree stay in any case.
    """
    plan = conflicted(session, plan_id)
    if by_hand.is_prepared(plan) or plan.prepared:
        kept = by_hand.put_back(session, plan_id)
        session.screen.say(
            f"{plan.worktree} is as before the merge; the conflict stays open", plan=plan_id
        )
        if kept:
            session.screen.say(f"what was edited there is kept in {kept}", plan=plan_id)
        return False
    why = "its conflict was left unresolved"
    session.record(Type.PLAN_SKIPPED, plan_id, because=why, by="user")
    session.screen.say(f"its branch {plan.branch} and worktree stay", plan=plan_id)
    return True
