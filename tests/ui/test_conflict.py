"""The conflict prompt, played through: what is shown, and what comes out of each way to answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TextIO

import pytest

from merge.types import Choice, ChoiceKind, ConflictHunk, FileConflict
from tests.support.conflicts import (
    check_golden,
    facts,
    guard_file,
    picture,
    removed_file,
    route_hunk,
    version,
)
from tests.ui.test_console import screen
from worktree_runner.core.conflicts import ConflictFacts, FileContents, PlanFacts
from worktree_runner.errors import WtrunError
from worktree_runner.ui.ask import LineReader, NonInteractive, TerminalAsker
from worktree_runner.ui.conflict import Again, Decided, Skipped, Stopped, Tools, decide_conflicts

GUARD, LEGACY, PICTURE = guard_file(), removed_file(), picture()


def no_editor(path: str, text: bytes) -> bytes:
    raise WtrunError("no editor is set", hint="export EDITOR=vi")


class EchoingReader(LineReader):
    """Shows what was typed as a terminal does."""

    def __init__(self, fd: int, shown: TextIO) -> None:
        super().__init__(fd)
        self.shown = shown

    def line(self) -> str | None:
        typed = super().line()
        if typed is not None:
            self.shown.write(typed + "\n")
        return typed


class Play:
    """One session with typed lines; keeps what was shown, paged and edited."""

    def __init__(
        self,
        typed: str,
        conflicts: Sequence[FileConflict] = (GUARD,),
        edit: Callable[[str, bytes], bytes] = no_editor,
        facts_: ConflictFacts | None = None,
        draft: Sequence[Choice] = (),
        can_rerun: bool = False,
        **tools: object,
    ) -> None:
        self.paged: list[str] = []
        self.edited: list[tuple[str, bytes]] = []
        made, _, err = screen(tty=True, NO_COLOR="1", COLUMNS="80")

        def recorded(path: str, text: bytes) -> bytes:
            self.edited.append((path, text))
            return edit(path, text)

        read, write = os.pipe()
        os.write(write, "".join(f"{line}\n" for line in typed.split()).encode())
        os.close(write)
        self.result = decide_conflicts(
            conflicts,
            facts_ or facts(),
            asker=TerminalAsker(made, EchoingReader(read, err)),
            screen=made,
            tools=Tools(edit=recorded, page=self.paged.append, **tools),  # type: ignore[arg-type]
            draft=draft,
            can_rerun=can_rerun,
        )
        self.shown = err.text()

    @property
    def words(self) -> str:
        return " ".join(self.shown.split())

    @property
    def choices(self) -> list[tuple[str, str, int | None, bool]]:
        return [(c.path, c.kind.value, c.hunk, c.whole) for c in self.result.choices]


PATH = GUARD.path


def test_the_whole_session_as_it_is_read() -> None:
    play = Play("m ? o k m y", (GUARD, LEGACY, PICTURE))
    check_golden("conflict-session.txt", play.shown)
    assert isinstance(play.result, Decided)
    assert play.choices == [
        (PATH, "target", 0, False),
        (PATH, "proposal", 1, False),
        (LEGACY.path, "plan", None, True),
        (PICTURE.path, "target", None, True),
    ]
    assert {c.fingerprint for c in play.result.choices} == {"f1", "f2", "f3"}


def test_no_line_is_wider_than_the_terminal_and_none_needs_colour() -> None:
    play = Play("? M n l m o y", (GUARD,))
    assert [line for line in play.shown.splitlines() if len(line) > 80] == []
    assert "\x1b" not in play.shown


@pytest.mark.parametrize(
    ("key", "kind"),
    [("m", "target"), ("p", "plan"), ("b", "both"), ("B", "both-reversed"), ("o", "proposal")],
)
def test_one_letter_decides_one_hunk(key: str, kind: str) -> None:
    one = replace(GUARD, hunks=(route_hunk(),))
    assert Play(f"{key} y", (one,)).choices == [(PATH, kind, 0, False)]


def test_both_is_not_offered_where_one_side_has_no_lines() -> None:
    one = replace(GUARD, hunks=(replace(route_hunk(), ours=(), proposal=None),))
    play = Play("b o a", (one,))
    assert "'b' is none of: m p e M P E d l s a ?" in play.shown
    assert isinstance(play.result, Stopped)


def test_undo_goes_back_to_the_hunk_that_was_answered_last() -> None:
    play = Play("m u p p y")
    assert play.shown.count("Conflict 1 of 2") == 2
    assert play.choices == [(PATH, "plan", 0, False), (PATH, "plan", 1, False)]


def test_undo_is_not_offered_before_there_is_an_answer() -> None:
    assert "'u' is none of" in Play("u a").shown


def test_undo_at_the_end_takes_the_last_answer_back() -> None:
    assert Play("m m u p y").choices == [(PATH, "target", 0, False), (PATH, "plan", 1, False)]


def test_a_whole_file_says_what_it_drops_and_is_confirmed() -> None:
    play = Play("P n m P y y")
    effect = "The file as it is in 03-02: drops everything that main did to it (2 added and 1"
    assert play.words.count(effect + " removed lines).") == 2
    assert play.choices == [(PATH, "plan", None, True)]


def test_a_whole_file_says_what_is_lost_outside_the_conflict() -> None:
    ours = version(GUARD.hunks, "ours") + b"more\nand more\n"
    content = replace(facts().content(PATH), ours=ours)
    play = Play("P n a", facts_=facts(contents={PATH: content}))
    assert "(4 added and 1 removed lines), also 2 lines added without a conflict." in play.words


def test_skipping_a_file_asks_the_others_and_keeps_the_answers() -> None:
    play = Play("m s k", (GUARD, LEGACY))
    assert play.result == Skipped(play.result.choices, (PATH,))
    assert play.choices == [(PATH, "target", 0, False), (LEGACY.path, "plan", None, True)]
    assert f"Left for later: {PATH}. Nothing was merged; your answers are kept." in play.words


def test_abort_chooses_nothing_and_says_what_stays() -> None:
    play = Play("m a")
    assert play.result == Stopped(play.result.choices, interrupted=False)
    said = "Nothing was merged. Branch and worktree of 03-02 stay. Your answers are kept."
    assert said in play.words
    assert "Your answers" not in Play("a").words


@pytest.mark.parametrize("key", ["R", "r"])
def test_giving_the_plan_back_is_confirmed_since_it_costs_answers_and_tokens(key: str) -> None:
    play = Play(f"m {key} n p n", can_rerun=True)
    assert play.words.count("Have an agent do 03-02 anew?") == 1
    assert len(play.result.choices) == 2
    assert Play(f"m {key} y", can_rerun=True).result == Again()


def test_a_closed_input_is_no_choice() -> None:
    play = Play("m")
    assert play.result == Stopped(play.result.choices, interrupted=True)
    assert "nothing was merged" in play.shown


def test_no_at_the_end_keeps_the_answers_for_the_next_time() -> None:
    play = Play("m p n")
    assert play.result == Skipped(play.result.choices, (PATH,))
    assert len(play.result.choices) == 2
    assert play.shown.endswith("Nothing was merged; your answers are kept.\n")


def test_answers_from_before_are_offered_again_only_while_they_fit() -> None:
    old = (
        Choice(PATH, ChoiceKind.THEIRS, "f1", 0),
        Choice(LEGACY.path, ChoiceKind.DELETE, "stale", whole=True),
    )
    play = Play("k m k y", (GUARD, LEGACY), draft=old)
    assert "1 answer from before still fit" in play.shown
    assert play.choices == [
        (PATH, "plan", 0, False), (PATH, "target", 1, False), (LEGACY.path, "plan", None, True),
    ]  # fmt: skip
    assert Play("f m m k y", (GUARD, LEGACY), draft=old).choices[0] == (PATH, "target", 0, False)


def test_a_file_that_one_side_removed_is_kept_or_removed() -> None:
    assert Play("r y", (LEGACY,)).choices == [(LEGACY.path, "delete", None, True)]
    play = Play("? k y", (LEGACY,))
    assert play.choices == [(LEGACY.path, "plan", None, True)]
    assert "No file, as main wants it. Drops what 03-02 did to it: 1 added line." in play.words


def renamed(path: str, other: str, *stages: int) -> FileConflict:
    held = {number: GUARD.stages[number] for number in stages}
    return replace(GUARD, path=path, kind="rename/rename", hunks=(), stages=held, others=(other,))


def test_two_names_of_one_file_are_not_called_removed_and_losing_both_is_said() -> None:
    names = (renamed("a.ts", "b.ts", 2), renamed("b.ts", "a.ts", 3))
    play = Play("? r r n", names)
    assert "k The name that main gave it, with what both sides changed in it." in play.words
    assert "stays only under a name that is kept, too: b.ts." in play.words
    assert "though" not in play.words
    assert "a.ts: no name of this file is kept, so it goes" in play.words
    assert "so it goes" not in Play("k r n", names).words


def test_a_file_that_both_sides_renamed_and_changed_can_be_edited() -> None:
    content = FileContents(b"a\n", b"b\n", b"c\n")
    told = facts(contents={"a.ts": content})
    names = (renamed("a.ts", "b.ts", 1, 2),)
    play = Play("? E y", names, facts_=told, edit=lambda _, text: b"d\n")
    assert play.edited == [
        ("a.ts", b"<<<<<<< main\nb\n||||||| base\na\n=======\nc\n>>>>>>> 03-02\n")
    ]
    assert play.choices == [("a.ts", "content", None, True)]
    effect = "and the text of main. Drops what 03-02 did to it: 1 added and 1 removed lines."
    assert f"k The name that main gave it, {effect}" in play.words


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("directory rename", "k The file of 03-02 here, where main has moved its folder."),
        ("file/directory", "r Only the folder of that name stays. Drops what 03-02 did"),
    ],
)
def test_a_file_that_can_stay_elsewhere_names_the_command_for_it(kind: str, words: str) -> None:
    one = replace(LEGACY, kind=kind, stages={3: LEGACY.stages[3]})
    play = Play("? a", (one,))
    assert words in play.words
    assert "then wtrun resolve 03-02 --edit" in play.words


def test_what_both_sides_added_alike_is_not_called_lost() -> None:
    one = replace(GUARD, kind="add/add", hunks=(guard_file().hunks[1],))
    content = FileContents(None, b"same\nleft\n", b"same\nright\nmore\n")
    play = Play("M n a", (one,), facts_=facts(contents={PATH: content}))
    assert "drops everything that 03-02 did to it (2 added lines)." in play.words


def test_a_doubled_definition_can_stay_as_git_merged_it() -> None:
    one = replace(GUARD, kind="duplicate", hunks=())
    content = FileContents(b"a\n", b"a\nb\n", b"b\na\n")
    play = Play("E c y", (one,), facts_=facts(contents={PATH: content}), edit=lambda _, text: text)
    assert play.edited == [(PATH, b"b\na\nb\n")]
    assert play.choices == [(PATH, "both", None, True)]
    assert "file: as git merged it" in play.shown


def merged_by_hand(path: str, text: bytes) -> bytes:
    start, end = text.index(b"<<<<<<<"), text.index(b">>>>>>> 03-02\n") + len(b">>>>>>> 03-02\n")
    return text[:start] + b"  const s = mine(req)\r\n" + text[end:]


def test_an_edited_hunk_is_the_text_between_its_context() -> None:
    play = Play("e m y", edit=merged_by_hand)
    assert play.choices[0] == (PATH, "content", 0, False)
    assert play.result.choices[0].content == b"  const s = mine(req)\r\n"
    path, offered = play.edited[0]
    assert path == PATH
    check_golden("conflict-hunk.txt", offered.decode())


def test_an_editor_that_strips_white_space_around_the_hunk_does_no_harm() -> None:
    hunk = replace(GUARD.hunks[0], before=(b"a  \n",), after=(b"z",))
    play = Play(
        "e y",
        (replace(GUARD, hunks=(hunk,)),),
        edit=lambda _, text: merged_by_hand("", text).replace(b"a  \n", b"a\n") + b"\n",
    )
    assert play.result.choices[0].content == b"  const s = mine(req)\r\n"


def test_lines_around_the_hunk_are_not_changed_in_silence() -> None:
    play = Play("e a", edit=lambda _, text: merged_by_hand("", text).replace(b"export ", b""))
    assert "the lines around the hunk were changed too" in play.shown
    assert play.result.choices == ()


def test_an_unchanged_text_is_no_answer() -> None:
    play = Play("e a", edit=lambda _, text: text)
    assert "Nothing was changed in the editor, so there is no answer yet." in play.shown
    assert play.result.choices == ()


def test_a_marker_that_was_left_is_found_and_the_typed_text_is_not_lost() -> None:
    answers = iter(
        (
            lambda text: text.replace(b"<<<<<<< main\n", b"// half done\n"),
            lambda text: merged_by_hand("", text.replace(b"// half done\n", b"<<<<<<< main\n")),
        )
    )
    play = Play("e n e p y", edit=lambda _, text: next(answers)(text))
    assert "line 6 of your text looks like a conflict marker: ||||||| base" in play.words
    assert b"// half done\n" in play.edited[1][1]
    assert play.choices[0] == (PATH, "content", 0, False)


def test_a_line_that_only_looks_like_a_marker_can_stay() -> None:
    def edit(path: str, text: bytes) -> bytes:
        return merged_by_hand(path, text).replace(b"  const s = mine(req)\r\n", b"Title\n=======\n")

    play = Play("e y m y", edit=edit)
    assert play.result.choices[0].content == b"Title\n=======\n"


def test_a_marker_line_that_the_file_had_before_is_none() -> None:
    hunk = replace(GUARD.hunks[0], ours=(b"=======\n",))
    play = Play(
        "e y",
        (replace(GUARD, hunks=(hunk,)),),
        edit=lambda _, text: merged_by_hand("", text).replace(b"  const", b"=======\n  const"),
    )
    assert play.result.choices[0].content == b"=======\n  const s = mine(req)\r\n"


def test_the_whole_file_can_be_edited_and_keeps_what_was_answered_before() -> None:
    play = Play("m E y", edit=lambda *_: b"all mine\n")
    check_golden("conflict-file.txt", play.edited[0][1].decode())
    assert play.choices == [(PATH, "content", None, True)]
    assert play.result.choices[0].content == b"all mine\n"


def test_the_merge_tool_is_offered_where_there_is_one() -> None:
    assert "'t' is none of" in Play("t a").shown
    seen: list[FileContents] = []

    def tool(path: str, content: FileContents, text: bytes) -> bytes:
        assert text.count(b"<<<<<<< main") == 2
        seen.append(content)
        return b"by tool\n"

    play = Play("t y", merge_tool=tool)
    assert play.result.choices[0].content == b"by tool\n"
    assert seen[0].ours == version(GUARD.hunks, "ours")


def test_an_editor_that_cant_start_is_said_and_asked_again() -> None:
    play = Play("e m m y")
    assert "warning: no editor is set" in play.shown
    assert "hint: export EDITOR=vi" in play.shown
    assert isinstance(play.result, Decided)


def test_the_diff_shows_the_whole_hunk_and_both_sides_changes() -> None:
    play = Play("d a")
    check_golden("conflict-diff.txt", play.paged[0])


def test_the_list_says_what_is_open() -> None:
    play = Play("m l a", (GUARD, LEGACY))
    shown = play.shown[play.shown.index("  src/auth/middleware.ts\n") :]
    assert shown.startswith(
        "  src/auth/middleware.ts\n"
        "    hunk 1: main's lines\n"
        "    hunk 2: open\n"
        "  src/auth/legacy.ts\n"
        "    file: open\n"
    )


def test_a_check_of_the_result_speaks_before_the_commit() -> None:
    play = Play("m m y", check=lambda one, choices: f"does not parse with {len(choices)} answers")
    assert f"warning: {PATH} does not parse with 2 answers" in play.shown


def test_without_a_person_everything_is_left_and_old_answers_stay() -> None:
    made, _, _ = screen()
    old = (Choice(PATH, ChoiceKind.THEIRS, "f1", 0),)
    result = decide_conflicts(
        (GUARD,), facts(), asker=NonInteractive(), screen=made,
        tools=Tools(no_editor, print), draft=old,
    )  # fmt: skip
    assert result == Skipped(old, (PATH,))


def test_hostile_contents_and_titles_reach_no_terminal() -> None:
    bad = "\x1b[2J\x1b]0;owned\x07\u202e[red]"
    hunk = ConflictHunk((), (bad.encode(), b"\xff\n"), (b"x\n",), before=(bad.encode(),))
    one = replace(GUARD, path=f"src/{bad}.ts", why=bad, hunks=(hunk,), command=bad)
    around = facts(
        plan=PlanFacts("03-02", bad, bad), target=f"feat{bad}", enclosing={(one.path, 0): bad}
    )
    play = Play("? l d m y", (one,), facts_=around)
    assert not set(play.shown + play.paged[0]) & {"\x1b", "\x07", "\u202e"}


def test_another_name_of_the_target_keeps_the_letter_and_shows_the_name() -> None:
    play = Play("m m y", facts_=facts(target="develop", noun="run"))
    assert "[m] develop" in play.shown
    assert "[p] run 03-02" in play.shown
