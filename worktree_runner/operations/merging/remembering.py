"""Answers of before: kept when a conflict is decided, offered when it comes back.

- An answer of before takes the place of the engine's proposal for its hunk: the prompt shows it as
  the offered text, `--take proposal` takes it, and the report says where it is from.
- An answer for a whole file is offered for the file. What is run and what comes back from the dead
  (`conflicts.CONCERNS`) is asked anew each time.
- An answer with which the gate turned red is forgotten; the run's own draft still has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from merge.types import Choice, ChoiceKind, ConflictHunk, FileConflict
from worktree_runner.core.conflict_options import Offer
from worktree_runner.core.conflicts import CONCERNS
from worktree_runner.core.worksheet import has_hunks, lines_for
from worktree_runner.operations.context.session import Session
from worktree_runner.store import answers

WORDS = "you decided the same conflict like this"


def offer(session: Session, conflicts: Iterable[FileConflict]) -> tuple[FileConflict, ...]:
    """The conflicts with what was decided before as proposal, where that is switched on."""
    if not session.settings.merge.remember:
        return tuple(conflicts)
    return tuple(
        replace(one, hunks=tuple(_offered(session, hunk) for hunk in one.hunks))
        for one in conflicts
    )


def _offered(session: Session, hunk: ConflictHunk) -> ConflictHunk:
    answer = answers.load(session.repository.layout, hunk)
    if answer is None:
        return hunk
    why = f"{WORDS} in {answer.path} ({answer.plan}, {answer.at[:10]})"
    return replace(hunk, proposal=answer.lines, proposal_why=why)


def whole_offers(session: Session, conflicts: Iterable[FileConflict]) -> Mapping[str, Offer]:
    """What was decided before for whole files, by path, where that is switched on."""
    if not session.settings.merge.remember:
        return {}
    found = ((one, answers.load_whole(session.repository.layout, one)) for one in conflicts)
    return {one.path: _whole_offer(one, answer) for one, answer in found if answer is not None}


def _whole_offer(one: FileConflict, answer: answers.WholeAnswer) -> Offer:
    kind = ChoiceKind.DELETE
    if answer.content is not None:
        kind = ChoiceKind.CONTENT
    elif answer.entry is not None:
        kind = ChoiceKind.OURS if answer.entry == one.stages.get(2) else ChoiceKind.THEIRS
    choice = Choice(one.path, kind, one.fingerprint, whole=True, content=answer.content or b"")
    return Offer(choice, f"{WORDS} in {answer.path} ({answer.plan}, {answer.at[:10]})")


def pinned(conflicts: Sequence[FileConflict], choices: Iterable[Choice]) -> tuple[Choice, ...]:
    """The choices with a taken answer of before written out: the engine knows its own only."""
    by_path = {one.path: one for one in conflicts}
    out: list[Choice] = []
    for choice in choices:
        one = by_path.get(choice.path)
        if one is None or choice.kind is not ChoiceKind.PROPOSAL or not _has_remembered(one):
            out.append(choice)
            continue
        numbers = range(len(one.hunks)) if choice.hunk is None else (choice.hunk,)
        out += [_written(choice, one.hunks[number], number) for number in numbers]
    return tuple(out)


def _has_remembered(one: FileConflict) -> bool:
    return any(hunk.proposal_why.startswith(WORDS) for hunk in one.hunks)


def _written(choice: Choice, hunk: ConflictHunk, number: int) -> Choice:
    data = b"".join(hunk.proposal or ())
    return replace(choice, kind=ChoiceKind.CONTENT, hunk=number, content=data)


def keep(
    session: Session, plan_id: str, conflicts: Iterable[FileConflict], choices: Iterable[Choice]
) -> None:
    """Remembers what was decided for each hunk, or for a file as a whole."""
    if not session.settings.merge.remember:
        return
    by_path = {one.path: one for one in conflicts if one.kind not in CONCERNS}
    for choice in choices:
        one = by_path.get(choice.path)
        if one is None or choice.fingerprint != one.fingerprint:
            continue
        if choice.whole or not has_hunks(one):
            _keep_whole(session, plan_id, one, choice)
            continue
        numbers = range(len(one.hunks)) if choice.hunk is None else (choice.hunk,)
        for number in numbers:
            hunk, at = one.hunks[number], _now(session)
            lines = lines_for(hunk, choice)
            answer = answers.Answer(lines, one.path, session.state.id, plan_id, at)
            answers.save(session.repository.layout, hunk, answer)


def forget(session: Session, plan_id: str, conflicts: Iterable[FileConflict]) -> None:
    """Forgets what was kept of the plan's answers in this run: they turned out to be wrong."""
    for one in conflicts:
        answers.forget(session.repository.layout, one, run=session.state.id, plan=plan_id)


def _keep_whole(session: Session, plan_id: str, one: FileConflict, choice: Choice) -> None:
    sides = {ChoiceKind.OURS: 2, ChoiceKind.THEIRS: 3}
    if choice.kind not in (*sides, ChoiceKind.CONTENT, ChoiceKind.DELETE):
        return
    entry = one.stages.get(sides.get(choice.kind, 0))
    content = choice.content if choice.kind is ChoiceKind.CONTENT else None
    answer = answers.WholeAnswer(entry, content, one.path, session.state.id, plan_id, _now(session))
    answers.save_whole(session.repository.layout, one, answer)


def _now(session: Session) -> str:
    return session.journal.events[-1].at.isoformat(timespec="seconds")
