"""Import statements as values: elements, statements, regions.

- A region is the first stretch of a file that holds only imports, blank lines and comments.
- An element is one name that a statement brings; statements are sets of elements.
- A statement in a form not known here is kept as one opaque element, its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from merge.text import Lines


class Element(NamedTuple):
    """`module` gives `name`, known here as `binding`; an empty binding names nothing."""

    kind: str
    module: str
    name: str
    alias: str

    @property
    def binding(self) -> str:
        if self.alias:
            return self.alias
        if self.kind == "go":
            return ""
        if self.kind in {"use", "java"}:
            tail = re.split(r"::|\.", self.name)[-1]
            return "" if tail in {"*", "self"} else tail
        return "" if self.name in {"*", ""} else self.name


def go_names(element: Element) -> set[str]:
    """Names that a Go package may have in the code, by its path."""
    if element.alias:
        return {element.alias}
    parts = [part for part in element.module.split("/") if not re.fullmatch(r"v\d+", part)]
    last = re.sub(r"\.v\d+$", "", parts[-1]) if parts else element.module
    bare = re.sub(r"v?\d+$", "", last)
    return {last, bare, *re.split(r"[-.]", last), last.replace("-", "_"), last.replace("-", "")}


def clashing_names(element: Element) -> set[str]:
    """The names that this takes: one of them from two places means two things."""
    if element.kind == "php const":
        return {f"const {element.binding}"}
    if element.kind.startswith("php"):  # which doesn't tell classes and functions by case
        return {f"{element.kind} {element.binding.lower()}"}
    return bound_names(element)


def bound_names(element: Element) -> set[str]:
    """The names that this may have in the code."""
    if element.kind == "go":
        return go_names(element)
    return {element.module.split(".")[0]} if is_package(element) else {element.binding} - {""}


def is_package(element: Element) -> bool:
    """Whether this is Python's `import a.b`, which binds `a`, as `import a.c` does too."""
    return element.kind == "import" and not element.alias and not element.name


@dataclass(frozen=True, slots=True)
class Statement:
    """Lines `start:end` of the file. `opening` is what stands before the list of names."""

    lines: Lines
    elements: tuple[Element, ...]
    opening: str = ""
    closing: str = ""
    ordered: bool = False
    """Executed for its effect, so its place among others of this kind matters."""

    def joins(self, other: Statement) -> bool:
        """Whether names of the other statement may stand in this one."""
        if not self.opening or self.opening == "import " or self.key != other.key:
            return False
        grouped = any(b"{" in line for s in (self, other) for line in s.lines)
        return self.opening == other.opening and (grouped or not self.opening.endswith("::{"))

    @property
    def key(self) -> str:
        return self.elements[0].module if self.elements else ""


@dataclass(frozen=True, slots=True)
class Region:
    """Lines `start:end` of a file; items are statements, blank lines and comments in order."""

    start: int
    end: int
    items: tuple[Statement | bytes, ...]

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(item for item in self.items if isinstance(item, Statement))

    @property
    def comments(self) -> tuple[bytes, ...]:
        return tuple(i.strip() for i in self.items if isinstance(i, bytes) and i.strip())


Reader = Callable[[Sequence[bytes], int], tuple[Statement, int] | None]
"""Is asked at a line and gives the statement that starts there and the line after it, or None.

It takes only forms that it understands whole."""
LONGEST = 300
"""Lines of one statement at most."""


def text_of(lines: Sequence[bytes]) -> str | None:
    try:
        return b"".join(lines).decode()
    except UnicodeDecodeError:
        return None


def named(text: str, word: str) -> tuple[tuple[str, str], ...] | None:
    """`a, b as c` as pairs; None for anything else."""
    pairs = []
    for part in text.split(","):
        if not part.strip():
            continue
        found = re.fullmatch(rf"\s*({word})(?:\s+as\s+({word}))?\s*", part)
        if not found:
            return None
        pairs.append((found.group(1), found.group(2) or ""))
    return tuple(pairs)
