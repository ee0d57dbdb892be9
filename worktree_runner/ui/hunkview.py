"""A conflict laid out for a terminal: lines of text with a style each, nothing printed here.

- Read from top to bottom: who and what, then base, the target's lines, the plan's lines. Each
  line begins with the name of its side, so that neither colour nor columns are needed.
- Long lines are folded, long sides cut with the number of lines left out, never in silence.
- Where the sides differ in white space or line ends only, these are made visible.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from merge.text import split_lines
from merge.types import ConflictHunk, FileConflict
from worktree_runner.core.conflicts import COMMANDS, ConflictFacts, PlanFacts, place, side_lines
from worktree_runner.core.patch import unified
from worktree_runner.core.texts import clean, clean_line, count, decode

Line = tuple[str, str]
"""Text and a rich style."""

CONTEXT = 5
MOST_LINES = 24
MOST_ROWS = 4
MOST_COMMITS = 3
_SIDE_STYLE = {"base": "dim", "ours": "cyan", "theirs": "magenta", "proposal": "green"}


def title(facts: ConflictFacts, one: FileConflict, number: int | None, where: str) -> list[Line]:
    """The line that says which conflict this is; `where` is `Conflict 2 of 5`."""
    spot = "whole file" if number is None else place(facts, one, number)
    return [("", ""), (f"{where}: {clean_line(one.path)}, {spot}", "bold")]


def origin(facts: ConflictFacts, one: FileConflict) -> list[Line]:
    """Why the file is a question, who made the two sides, with which commits."""
    lines = _prose(f"why: {one.why}", "")
    if one.command:
        lines += [(f"  this command would settle it: {clean_line(one.command)}", "")]
    makers = [f"{facts.noun} {_plan(plan)}" for plan in facts.makers(one.path)]
    for words in makers or ["not made by wtrun now"]:
        lines += _prose(f"{facts.target}: {words}", "cyan")
    lines += _commits(facts, one.path, target=True)
    lines += _prose(_plan(facts.plan, ": "), "magenta")
    return lines + _commits(facts, one.path, target=False)


def hunk_lines(facts: ConflictFacts, hunk: ConflictHunk, width: int) -> list[Line]:
    """The hunk: context, base, both sides, the proposal where there is one."""
    names = {"base": "base", "ours": facts.target, "theirs": facts.plan.id, "proposal": "offer"}
    labels = {side: clean_line(name, 14) for side, name in names.items()}
    column = _Column(max(6, *(cell_len(label) for label in labels.values())), width)
    spaces = white_space_only(hunk)
    lines: list[Line] = [("", "")]
    first = max(0, hunk.ours_line - len(hunk.before))
    context = list(enumerate(hunk.before, start=first))[-CONTEXT:]
    for at, line in context:
        lines += column.rows(str(at) if hunk.ours_line else "", shown(line), "dim")
    for side in ("base", "ours", "theirs"):
        lines += column.side(labels[side], _SIDE_STYLE[side], getattr(hunk, side), spaces)
    after = hunk.ours_line + len(hunk.ours)
    for at, line in list(enumerate(hunk.after, start=after))[:CONTEXT]:
        lines += column.rows(str(at) if hunk.ours_line else "", shown(line), "dim")
    if hunk.proposal is not None:
        why = clean_line(hunk.proposal_why)
        lines += [("", ""), *_prose(f"Offered{f', since {why}' if why else ''}:", "")]
        style = _SIDE_STYLE["proposal"]
        lines += column.side(labels["proposal"], style, hunk.proposal, spaces)
    if spaces:
        lines.append(
            ("The sides differ in white space only: ␣ space, \\t tab, \\r line end", "dim")
        )
    return lines


def whole_file_lines(facts: ConflictFacts, one: FileConflict) -> list[Line]:
    """What each side holds, for a file that is not decided by hunks."""
    lines = [("", ""), *((f"  {line}", "") for line in side_lines(facts, one))]
    if one.kind in ("file/directory", "directory rename"):
        where = "under another name" if one.kind == "file/directory" else "elsewhere"
        lines += _prose(
            f"to keep it {where}: [a]bort, then wtrun resolve {facts.plan.id} --edit", ""
        )
    return [*lines, *_change(facts, one)] if one.kind == COMMANDS else lines


def _change(facts: ConflictFacts, one: FileConflict) -> list[Line]:
    """What the plan does to a file that decides what is run: the question is about just that."""
    content = facts.content(one.path)
    patch = unified(one.path, content.ours, content.theirs) or b""
    rows = [row for row in split_lines(patch) if row[:1] in (b"+", b"-", b"@", b" ")]
    rows = [row for row in rows if not row.startswith((b"+++", b"---"))]
    cut = rows if len(rows) <= MOST_LINES + 2 else rows[:MOST_LINES]
    lines: list[Line] = [("", ""), *((f"  {shown(row)}", "") for row in cut)]
    if len(cut) < len(rows):
        lines.append((f"  … {count(len(rows) - len(cut), 'more line')}, [d] shows them", ""))
    return lines if rows else []


def white_space_only(hunk: ConflictHunk) -> bool:
    """Whether target and plan say the same but for white space and line ends."""
    if hunk.ours == hunk.theirs:
        return False
    return b"".join(hunk.ours).split() == b"".join(hunk.theirs).split()


def shown(line: bytes, spaces: bool = False) -> str:
    """A line without its end, safe to print; with `spaces` its white space is visible."""
    if spaces:
        text = decode(line.removesuffix(b"\n"))
        return clean(text.replace(" ", "␣")).replace("\t", "\\t")
    text = decode(line.removesuffix(b"\n").removesuffix(b"\r"))
    return clean(text.expandtabs(4))


def _plan(plan: PlanFacts, colon: str = " ") -> str:
    name, purpose = clean_line(plan.title, 100), clean_line(plan.purpose, 240)
    return f'{plan.id}{colon}"{name}"' + (f" - {purpose}" if purpose else "")


def _commits(facts: ConflictFacts, path: str, *, target: bool) -> list[Line]:
    """The side's last commits on the file, one line each."""
    commits = facts.commits(path, target=target)
    lines = []
    for commit in commits[:MOST_COMMITS]:
        when = commit.when.replace("T", " ")[:16]
        about = ", ".join(part for part in (clean_line(commit.agent, 12), when) if part)
        subject = clean_line(commit.subject, 62 - len(about))
        lines.append((f"    {commit.id[:8]} {subject}" + (f" ({about})" if about else ""), "dim"))
    if len(commits) > MOST_COMMITS:
        more = count(len(commits) - MOST_COMMITS, "more commit")
        lines.append((f"    … {more}", "dim"))
    return lines


def _prose(text: str, style: str) -> list[Line]:
    """Wrapped words, at 78 columns for any terminal."""
    wrapped = textwrap.wrap(
        clean_line(text),
        width=78,
        initial_indent="  ",
        subsequent_indent="    ",
        break_on_hyphens=False,
        break_long_words=False,
    )
    return [(line, style) for line in wrapped]


@dataclass(frozen=True, slots=True)
class _Column:
    """How wide labels and code may be."""

    pad: int
    width: int

    def side(self, label: str, style: str, lines: Sequence[bytes], spaces: bool) -> list[Line]:
        if not lines:
            return self.rows(label, "(no lines)", style)
        rows: list[Line] = []
        cut = lines if len(lines) <= MOST_LINES + 2 else lines[:MOST_LINES]
        for line in cut:
            rows += self.rows(label, shown(line, spaces), style)
        if len(cut) < len(lines):
            left = count(len(lines) - len(cut), "more line")
            rows += self.rows(label, f"… {left}, [d] shows them", style)
        if not lines[-1].endswith(b"\n"):
            rows += self.rows(label, "(the file ends here without a line end)", style)
        return rows

    def rows(self, label: str, text: str, style: str) -> list[Line]:
        """One line of code as rows of the terminal; the label stands on the first."""
        pad, room = self.pad, max(20, self.width - self.pad - 5)
        pieces = _fold(text, room)
        if len(pieces) > MOST_ROWS:
            left = count(sum(len(piece) for piece in pieces[MOST_ROWS:]), "more character")
            pieces = [*pieces[:MOST_ROWS], f"… {left}, [d] shows them"]
        fill = " " * (pad - cell_len(label))
        rows = [(f"  {fill}{label} | {pieces[0]}".rstrip(), style)]
        rows += [(f"  {' ' * pad} : {piece}", style) for piece in pieces[1:]]
        return rows


def _fold(text: str, room: int) -> list[str]:
    """`text` in pieces of at most `room` columns, wide characters counted as two."""
    if len(text) * 2 <= room or cell_len(text) <= room:
        return [text]
    pieces, piece, used = [], "", 0
    for char in text:
        columns = cell_len(char)
        if used + columns > room:
            pieces.append(piece)
            piece, used = "", 0
        piece, used = piece + char, used + columns
    return [*pieces, piece]
