"""What a person may answer to a conflict, and what each answer keeps and drops.

- `m` is the target's side and `p` the plan's, whatever their names are; capitals are the whole
  file, which drops changes that merged cleanly too, and say so.
- A file that can't be decided by hunks is kept, removed or taken whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from merge.types import Choice, ChoiceKind, FileConflict
from worktree_runner.core.conflicts import COMMANDS, ConflictFacts, dropped
from worktree_runner.core.edited import file_text
from worktree_runner.core.questions import Option
from worktree_runner.core.texts import clean_line, count, listing
from worktree_runner.core.worksheet import Step, words_for


@dataclass(frozen=True, slots=True)
class Offer:
    """An answer for a whole file that was given before, and where that was."""

    choice: Choice
    words: str


def options_for(
    facts: ConflictFacts,
    step: Step,
    *,
    has_tool: bool = False,
    can_undo: bool = False,
    offer: Offer | None = None,
    can_rerun: bool = False,
) -> tuple[Option, ...]:
    """The answers to one step, in the order in which they are shown."""
    answers = _file_answers(facts, step.file) if step.hunk is None else _hunk_answers(facts, step)
    if offer is not None:
        what = words_for(facts, offer.choice)
        answers.append(Option("O", "Once more as before", f"{what}: {offer.words}."))
    if file_text(facts, step.file) is not None:
        answers.append(Option("E", "Edit file", "The whole file in your editor.", rare=True))
        if has_tool:
            answers.append(Option("t", "tool", "Your merge tool, on the whole file."))
    answers += [
        Option("d", "diff", "All of the conflict, and what each side changed in the file."),
        Option("l", "list", "All conflicts with the answers so far.", rare=True),
    ]
    if can_undo:
        answers.append(Option("u", "undo", "Takes the last answer back."))
    if can_rerun:
        again = f"An agent does {facts.plan.id} anew from what has landed, with its diff before it."
        answers.append(Option("R", "Rerun", f"{again} Answers so far are dropped.", rare=True))
    nothing = f"Nothing is merged; branch and worktree of {facts.plan.id} stay, answers are kept."
    return (
        *answers,
        Option("s", "skip file", "Leaves this file for later; the others are asked."),
        Option("a", "abort", nothing),
    )


def whole_file_effect(facts: ConflictFacts, one: FileConflict, kind: ChoiceKind) -> str:
    """What taking one side's whole file (`OURS` or `THEIRS`) means for the other side's work."""
    takes_target = kind is ChoiceKind.OURS
    sides = (facts.target, facts.plan.id)
    side, other = sides if takes_target else sides[::-1]
    lost = dropped(facts, one.path, target=not takes_target)
    effect = f"The file as it is in {side}: drops everything that {other} did to it"
    if not lost:
        return f"{effect}, also what merged without a conflict."
    inside = sum(len(h.theirs if takes_target else h.ours) for h in one.hunks)
    if lost.added <= inside or facts.content(one.path).base is None:
        return f"{effect} ({lost})."
    free = count(lost.added - inside, "line")
    return f"{effect} ({lost}), also {free} added without a conflict."


def _hunk_answers(facts: ConflictFacts, step: Step) -> list[Option]:
    assert step.hunk is not None
    one, main, plan = step.file, facts.target, facts.plan.id
    hunk = one.hunks[step.hunk]
    ours, theirs = count(len(hunk.ours), "line"), count(len(hunk.theirs), "line")
    answers = [
        Option("m", main, f"{main}'s {ours}; drops {plan}'s {theirs} of this hunk."),
        Option(
            "p", f"{facts.noun} {plan}", f"{plan}'s {theirs}; drops {main}'s {ours} of this hunk."
        ),
    ]
    if hunk.ours and hunk.theirs:
        same = "line" if len(hunk.base) == 1 else count(len(hunk.base), "line")
        twice = f" Both replaced the same {same}: two versions will stand there."
        twice = twice if hunk.base else ""
        answers += [
            Option("b", "both", f"{main}'s lines, then {plan}'s.{twice}"),
            Option("B", "Both reversed", f"{plan}'s lines, then {main}'s.{twice}", rare=True),
        ]
    if hunk.proposal is not None:
        answers.append(Option("o", "offered text", "The lines offered above."))
    answers.append(Option("e", "edit", "This hunk in your editor, with markers and base."))
    if 2 in one.stages and 3 in one.stages:
        for key, name, kind in (("M", main, ChoiceKind.OURS), ("P", plan, ChoiceKind.THEIRS)):
            effect = whole_file_effect(facts, one, kind)
            answers.append(Option(key, f"whole file of {name}", effect, rare=True))
    return answers


def _file_answers(facts: ConflictFacts, one: FileConflict) -> list[Option]:
    if one.kind == "file/directory":
        lost = _drops(facts, one, target=2 in one.stages)
        return [Option("r", "remove", f"Only the folder of that name stays.{lost}")]
    if one.kind == COMMANDS:
        return _command_answers(facts, one)
    main, plan = facts.target, facts.plan.id
    if 2 in one.stages and 3 in one.stages:
        kept = f"The file as it is in {main}.{_drops(facts, one, target=False)}"
        taken = f"The file as it is in {plan}.{_drops(facts, one, target=True)}"
        answers = [Option("m", main, kept), Option("p", f"{facts.noun} {plan}", taken)]
    elif 2 in one.stages or 3 in one.stages:
        answers = _one_sided_answers(facts, one)
    else:
        answers = [Option("r", "remove", "No file at this path.")]
    if one.kind == "duplicate":
        effect = "The file as git merged it; what stands there twice stays."
        answers.append(Option("c", "clean merge", effect))
    return answers


def _one_sided_answers(facts: ConflictFacts, one: FileConflict) -> list[Option]:
    """For a file that only one side has at this path: it stays, or it goes."""
    main, plan = facts.target, facts.plan.id
    in_target = 2 in one.stages
    keeper, other = (main, plan) if in_target else (plan, main)
    lost = _drops(facts, one, target=in_target)
    if one.kind == "rename/rename":
        kept = f"The name that {keeper} gave it, with what both sides changed in it."
        if 1 in one.stages:  # both changed the same lines
            dropped_of = _drops(facts, one, target=not in_target)
            kept = f"The name that {keeper} gave it, and the text of {keeper}.{dropped_of}"
        gone = f"Not the name that {keeper} gave it.{_other_names(one)}"
    elif one.kind == "directory rename":
        kept = f"The file of {keeper} here, where {other} has moved its folder."
        gone = f"No such file at all.{lost}"
    else:
        kept = f"The file as it is in {keeper}, though {other} removed it."
        gone = f"No file, as {other} wants it.{lost}"
    return [Option("k", "keep", kept), Option("r", "remove", gone)]


def _other_names(one: FileConflict) -> str:
    """Where a file that loses one of its names is to be found."""
    names = listing([clean_line(name) for name in one.others], limit=3)
    return f" The file stays only under a name that is kept, too: {names}." if names else ""


def _command_answers(facts: ConflictFacts, one: FileConflict) -> list[Option]:
    """For a change of what is run: without it, or with it."""
    main, plan = facts.target, facts.plan.id
    stays = "as it is" if 2 in one.stages else "away"
    goes = "as the merge makes it" if 3 in one.stages else "removed"
    return [
        Option("m", main, f"The file stays {stays}; the rest of {plan} is merged."),
        Option("p", f"{facts.noun} {plan}", f"The file {goes}: what it says is run from then on."),
    ]


def _drops(facts: ConflictFacts, one: FileConflict, *, target: bool) -> str:
    """What is lost of one side's changes, as a sentence."""
    lost = dropped(facts, one.path, target=target)
    side = facts.target if target else facts.plan.id
    return f" Drops what {side} did to it{f': {lost}' if lost else ''}."
