"""The conflict prompt: hunk by hunk, both sides named, base shown, nothing by default.

- Whoever sits there sees who wanted what before anything is asked, and can undo every answer.
- Taking a whole file says what it drops and is confirmed: it also drops changes that merged
  cleanly.
- `a`, Ctrl-C and a closed input choose nothing; answers given so far come back as a draft, and
  so does text that was typed in an editor.
- Editor, merge tool and pager are given as functions; nothing here starts a process or writes
  a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from merge.text import Lines, split_lines
from merge.types import Choice, ChoiceKind, ConflictHunk, FileConflict
from worktree_runner.core.conflict_options import Offer, options_for, whole_file_effect
from worktree_runner.core.conflicts import ConflictFacts, FileContents, hunk_count
from worktree_runner.core.edited import answer_in, file_text, hunk_text, left_marker, size_of
from worktree_runner.core.patch import unified
from worktree_runner.core.questions import Option
from worktree_runner.core.texts import clean, clean_line, count, decode, listing
from worktree_runner.core.worksheet import Step, Worksheet, words_for
from worktree_runner.errors import WtrunError
from worktree_runner.ui import hunkview
from worktree_runner.ui.ask import Aborted, Answer, Asker
from worktree_runner.ui.console import Screen, Tone


@dataclass(frozen=True, slots=True)
class Tools:
    """The outside world of the prompt. Each may raise WtrunError: said, and asked again."""

    edit: Callable[[str, bytes], bytes]
    """Opens a text in the user's editor under a name with this path's ending; what was saved."""
    page: Callable[[str], None]
    """Shows a long text in the pager."""
    merge_tool: Callable[[str, FileContents, bytes], bytes] | None = None
    """Runs the user's merge tool on a file's versions and the text with markers; what it saved.
    None where none is configured."""
    check: Callable[[FileConflict, Sequence[Choice]], str] | None = None
    """What is wrong with a file under these answers, such as `does not parse`; empty if nothing."""


@dataclass(frozen=True, slots=True)
class Decided:
    """Every conflict has an answer, and the user said to commit them."""

    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Left for later: files without an answer, and the answers that exist already."""

    choices: tuple[Choice, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing was chosen. `interrupted` for Ctrl-C or a closed input, else the user's `a`."""

    choices: tuple[Choice, ...]
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Again:
    """The user gives the work back: an agent is to do it again, on what has landed."""


def decide_conflicts(
    conflicts: Sequence[FileConflict],
    facts: ConflictFacts,
    *,
    asker: Asker,
    screen: Screen,
    tools: Tools,
    draft: Sequence[Choice] = (),
    offers: Mapping[str, Offer] | None = None,
    can_rerun: bool = False,
    keep: Callable[[Sequence[Choice]], None] | None = None,
) -> Decided | Skipped | Stopped | Again:
    """The user's answers to all conflicts of one plan. `draft` are answers from an earlier try,
    `offers` those that were given for the same whole files in other merges. `keep` gets the
    answers so far after each one, for the case that this process ends here."""
    if not asker.interactive:
        return Skipped(tuple(draft), tuple(one.path for one in conflicts))
    with screen.hold():
        asker.fresh()
        sheet = Worksheet(conflicts, draft, keep)
        dialogue = _Dialogue(sheet, facts, asker=asker, screen=screen, tools=tools)
        dialogue.offers, dialogue.can_rerun = offers or {}, can_rerun
        return dialogue.run()


class _End(Exception):
    """Leaves the dialogue from any depth with its result."""

    def __init__(self, result: Decided | Skipped | Stopped | Again) -> None:
        super().__init__()
        self.result = result


class _Dialogue:
    def __init__(
        self,
        sheet: Worksheet,
        facts: ConflictFacts,
        *,
        asker: Asker,
        screen: Screen,
        tools: Tools,
    ) -> None:
        self.sheet = sheet
        self.facts = facts
        self.asker = asker
        self.screen = screen
        self.tools = tools
        self.offers: Mapping[str, Offer] = {}
        self.can_rerun = False
        self.typed: dict[tuple[str, int | None], bytes] = {}
        self.last_path = ""

    def run(self) -> Decided | Skipped | Stopped | Again:
        try:
            self._introduce()
            while True:
                step = self.sheet.next_open()
                if step is not None:
                    self._decide(step)
                elif self.sheet.skipped:
                    return self._leave()
                else:
                    self._finish()
        except _End as end:
            return end.result
        except KeyboardInterrupt:
            return Stopped(self.sheet.choices, interrupted=True)

    def _introduce(self) -> None:
        plan = self.facts.plan
        self.screen.heading(
            f'Merging {plan.id} "{plan.title}" into {self.facts.target} '
            f"needs your decision: {hunk_count(self.sheet.files)}"
        )
        if self.sheet.choices:
            fit = count(len(self.sheet.choices), "answer")
            keep = Option("k", "keep them", "Only what is still open is asked.")
            forget = Option("f", "forget them", "Everything is asked again.")
            verb = "fits" if len(self.sheet.choices) == 1 else "fit"
            if self._choose(f"{fit} from before still {verb}.", (keep, forget)) == "f":
                self.sheet.forget()

    def _decide(self, step: Step) -> None:
        """Shows one conflict and asks until something was answered, undone or skipped."""
        self._show(step)
        while True:
            options = options_for(
                self.facts,
                step,
                has_tool=self.tools.merge_tool is not None,
                can_undo=self.sheet.can_undo,
                offer=self.offers.get(step.file.path),
                can_rerun=self.can_rerun,
            )
            what = "file" if step.hunk is None else "hunk"
            key = self._choose(f"Resolve this {what}:", options)
            try:
                if self._do(key, step):
                    return
            except WtrunError as error:
                self.screen.warn(error.message, hint=error.hint or "")

    def _show(self, step: Step) -> None:
        one, facts = step.file, self.facts
        where = f"Conflict {self.sheet.steps.index(step) + 1} of {len(self.sheet.steps)}"
        lines = hunkview.title(facts, one, step.hunk, where)
        if one.path != self.last_path:
            lines += hunkview.origin(facts, one)
            self.last_path = one.path
        if step.hunk is None:
            lines += hunkview.whole_file_lines(facts, one)
        else:
            lines += hunkview.hunk_lines(facts, one.hunks[step.hunk], self.screen.width)
        self.screen.block([*lines, ("", "")])

    def _do(self, key: str, step: Step) -> bool:
        """Performs one key; True if the conflict is not asked again now."""
        kinds = {
            "m": ChoiceKind.OURS,
            "p": ChoiceKind.THEIRS,
            "b": ChoiceKind.BOTH,
            "B": ChoiceKind.BOTH_REVERSED,
            "o": ChoiceKind.PROPOSAL,
        }
        if key in kinds:
            self._take(step, kinds[key])
        elif key in ("M", "P"):
            return self._take_whole(step.file, ChoiceKind.OURS if key == "M" else ChoiceKind.THEIRS)
        elif key == "O":
            self.sheet.answer(self.offers[step.file.path].choice)
        elif key in ("k", "r", "c"):
            self._keep_or_remove(step.file, key)
        elif key == "e":
            return self._edit_hunk(step)
        elif key in ("E", "t"):
            return self._edit_file(step.file, with_tool=key == "t")
        elif key == "d":
            self.tools.page(self._diff(step))
            return False
        elif key == "l":
            self._list()
            return False
        elif key == "u":
            self.sheet.undo()
        elif key == "s":
            self.sheet.skip(step.file.path)
        elif key == "R":
            return self._give_back()
        elif key == "a":
            kept = " Your answers are kept." if self.sheet.choices else ""
            stay = f"Branch and worktree of {self.facts.plan.id} stay."
            self.screen.say(f"Nothing was merged. {stay}{kept}")
            raise _End(Stopped(self.sheet.choices, interrupted=False))
        return True

    def _give_back(self) -> bool:
        """Asks before an agent starts anew: that costs tokens, and the answers."""
        plan = self.facts.plan.id
        yes = Option("y", "yes", f"An agent starts on {plan} again; answers so far are dropped.")
        no = Option("n", "no", "Back to the conflict.")
        if self._choose(f"Have an agent do {plan} anew?", (yes, no)) != "y":
            return False
        raise _End(Again())

    def _take(self, step: Step, kind: ChoiceKind) -> None:
        one = step.file
        self.sheet.answer(
            Choice(one.path, kind, one.fingerprint, step.hunk, whole=step.hunk is None)
        )

    def _take_whole(self, one: FileConflict, kind: ChoiceKind) -> bool:
        side = self.facts.target if kind is ChoiceKind.OURS else self.facts.plan.id
        effect = whole_file_effect(self.facts, one, kind)
        yes = Option("y", "yes", effect)
        no = Option("n", "no", "Back to the hunk.")
        self.screen.say(effect, tone=Tone.WARN)
        if self._choose(f"Take the whole file of {side}?", (yes, no)) != "y":
            return False
        self.sheet.answer(Choice(one.path, kind, one.fingerprint, whole=True))
        return True

    def _keep_or_remove(self, one: FileConflict, key: str) -> None:
        if key == "r":
            choice = Choice(one.path, ChoiceKind.DELETE, one.fingerprint, whole=True)
        elif key == "k":
            kind = ChoiceKind.OURS if 2 in one.stages else ChoiceKind.THEIRS
            choice = Choice(one.path, kind, one.fingerprint, whole=True)
        else:
            choice = Choice(one.path, ChoiceKind.BOTH, one.fingerprint, whole=True)
        self.sheet.answer(choice)

    def _edit_hunk(self, step: Step) -> bool:
        assert step.hunk is not None
        one, hunk = step.file, step.file.hunks[step.hunk]
        offered = hunk_text(self.facts, hunk)
        spot = (one.path, step.hunk)
        edited = self.tools.edit(one.path, self.typed.get(spot, offered))
        if not self._accept(spot, offered, edited, (hunk,)):
            return False
        lines = answer_in(edited, hunk)
        if lines is None:
            self.screen.warn(
                "the lines around the hunk were changed too, so there is no answer yet; "
                "[e] opens your text again, [E] edits the whole file"
            )
            return False
        self.sheet.answer(
            Choice(one.path, ChoiceKind.CONTENT, one.fingerprint, step.hunk, content=lines)
        )
        return True

    def _edit_file(self, one: FileConflict, *, with_tool: bool) -> bool:
        content = self.facts.content(one.path)
        offered = file_text(self.facts, one, self.sheet.lines_of(one)) or b""
        spot = (one.path, None)
        if with_tool and self.tools.merge_tool is not None:
            edited = self.tools.merge_tool(one.path, content, offered)
        else:
            edited = self.tools.edit(one.path, self.typed.get(spot, offered))
        if not self._accept(spot, offered, edited, one.hunks):
            return False
        self.sheet.answer(
            Choice(one.path, ChoiceKind.CONTENT, one.fingerprint, whole=True, content=edited)
        )
        return True

    def _accept(
        self,
        spot: tuple[str, int | None],
        offered: bytes,
        edited: bytes,
        hunks: Sequence[ConflictHunk],
    ) -> bool:
        """Whether an edited text is an answer; it is kept for the next try in any case."""
        if edited == offered:
            self.screen.say("Nothing was changed in the editor, so there is no answer yet.")
            return False
        self.typed[spot] = edited
        sides = [side for hunk in hunks for side in (hunk.base, hunk.ours, hunk.theirs)]
        number = left_marker(edited, [*sides, *self._versions(spot[0])], size_of(hunks))
        if number is None:
            return True
        line = clean_line(decode(split_lines(edited)[number - 1]), 40)
        self.screen.warn(f"line {number} of your text looks like a conflict marker: {line}")
        again = Option("n", "no", "Back to the conflict; [e] opens your text again.")
        keep = Option("y", "yes", "The line belongs there.")
        return self._choose("Does the line belong there?", (keep, again)) == "y"

    def _versions(self, path: str) -> list[Lines]:
        content = self.facts.content(path)
        return [split_lines(side or b"") for side in (content.base, content.ours, content.theirs)]

    def _diff(self, step: Step) -> str:
        one, main, plan = step.file, self.facts.target, self.facts.plan.id
        content = self.facts.content(one.path)
        parts = []
        if step.hunk is not None:
            hunk = hunk_text(self.facts, one.hunks[step.hunk])
            parts += ["The whole hunk:", "", decode(hunk)]
        for name, side in ((main, content.ours), (plan, content.theirs)):
            patch = unified(one.path, content.base, side)
            shown = decode(patch) if patch else "(no difference that can be shown in lines)\n"
            parts += ["", f"What {name} changed in {one.path} since they parted:", "", shown]
        return clean("\n".join(parts).replace("\r\n", "\n"))

    def _list(self) -> None:
        lines: list[hunkview.Line] = [("", "")]
        for one in self.sheet.files:
            later = "  (skipped)" if one.path in self.sheet.skipped else ""
            lines.append((f"  {clean_line(one.path)}{later}", ""))
            for step in self.sheet.steps:
                if step.file is one:
                    answer = self.sheet.answer_of(step)
                    words = "open" if answer is None else words_for(self.facts, answer)
                    spot = "file" if step.hunk is None else f"hunk {step.hunk + 1}"
                    lines.append((f"    {spot}: {words}", "" if answer else "yellow"))
        self.screen.block([*lines, ("", "")])

    def _finish(self) -> None:
        """The last look: all answers, what they break, and the question to commit them."""
        self._list()
        self._say_what_is_gone()
        if self.tools.check is not None:
            for one in self.sheet.files:
                mine = [choice for choice in self.sheet.choices if choice.path == one.path]
                problem = self.tools.check(one, mine)
                if problem:
                    self.screen.warn(f"{one.path} {problem}")
        options = (
            Option("y", "yes", "Merges with these answers; checks still run before it lands."),
            Option("n", "no", "Nothing is merged now; the answers are kept for the next time."),
            Option("u", "undo", "Takes the last answer back."),
        )
        key = self._choose("Commit this resolution?", options)
        if key == "u":
            self.last_path = ""
            self._undo_or_reopen()
        elif key == "y":
            raise _End(Decided(self.sheet.choices))
        else:
            self.screen.say("Nothing was merged; your answers are kept.")
            paths = tuple(one.path for one in self.sheet.files)
            raise _End(Skipped(self.sheet.choices, paths))

    def _say_what_is_gone(self) -> None:
        """Warns where a file that was renamed is kept under none of its names."""
        gone = {one.path for one in self.sheet.choices if one.kind is ChoiceKind.DELETE}
        for one in self.sheet.files:
            names = {name for name in one.others if any(name == f.path for f in self.sheet.files)}
            if one.kind == "rename/rename" and {one.path, *names} <= gone:
                self.screen.warn(f"{one.path}: no name of this file is kept, so it goes")

    def _undo_or_reopen(self) -> None:
        if self.sheet.can_undo:
            self.sheet.undo()
        else:
            self.sheet.forget()

    def _leave(self) -> Skipped:
        left = listing([clean_line(path) for path in self.sheet.skipped], limit=4)
        self.screen.say(f"Left for later: {left}. Nothing was merged; your answers are kept.")
        return Skipped(self.sheet.choices, self.sheet.skipped)

    def _choose(self, line: str, options: tuple[Option, ...]) -> str:
        answer = self.asker.choose(line, options)
        if isinstance(answer, Answer):
            return answer.key
        if isinstance(answer, Aborted):
            kept = " The answers so far are kept." if self.sheet.choices else ""
            self.screen.say(f"Aborted: nothing was chosen, nothing was merged.{kept}")
        raise _End(Stopped(self.sheet.choices, interrupted=True))
