"""Foreign text inside Markdown that wtrun writes: it stays text, whatever it holds."""

from __future__ import annotations

import re

from worktree_runner.core.texts import clean, clean_line


def plain(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown takes for a cell, a tag or a link."""
    return clean_line(text).replace("<", "&lt;").replace("|", "\\|").replace("](", "]\\(")


def code(text: str, *, cell: bool = False) -> str:
    """`text` as code on one line, also where it holds back-ticks; `cell` for use in a table."""
    shown = clean_line(text)
    shown = shown.replace("|", "\\|") if cell else shown
    ticks = "`" * (_longest_ticks(shown) + 1)
    return f"{ticks}{shown}{ticks}" if len(ticks) == 1 else f"{ticks} {shown} {ticks}"


def block(text: str) -> list[str]:
    """Lines of code between fences that no line inside can end; CRLF is shown as a line end."""
    shown = clean(text.replace("\r\n", "\n")).rstrip("\n")
    fence = "`" * max(3, _longest_ticks(shown) + 1)
    return [fence, *shown.split("\n"), fence]


def _longest_ticks(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
