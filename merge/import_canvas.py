"""An import region while names are taken out of it and put into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from merge.import_layout import style_of, with_elements
from merge.import_values import Element, Region, Statement, go_names
from merge.text import Lines, join_lines, split_lines


class Canvas:
    """Our region; each change keeps its layout, or is refused (False).

    `around` is the text around it, which shows how the file is laid out.
    """

    def __init__(self, language: str, region: Region, around: Lines, end: bytes) -> None:
        self.language = language
        self.items: list[Statement | bytes] = list(region.items)
        self.end = end
        self.style = style_of(language, region.statements, around)

    def lines(self) -> Lines:
        out: list[bytes] = []
        for item in self.items:
            out += [item] if isinstance(item, bytes) else item.lines
        return split_lines(join_lines([out]))

    def take_theirs(self, base: Region, theirs: Region, wanted: set[Element]) -> set[Element]:
        """Puts their form of a statement in the place of ours where only they changed it.

        Gives the names that stand in these statements now.
        """
        known = {statement.lines for statement in base.statements}
        placed: list[Statement] = []
        items: list[Statement | bytes] = []
        for item in self.items:
            form = None
            if isinstance(item, Statement) and item.lines in known:
                held = set(item.elements)
                forms = [s for s in theirs.statements if held & set(s.elements)]
                if len(forms) == 1 and held & wanted <= set(forms[0].elements) <= wanted:
                    form = forms[0]
            if form is None:
                items.append(item)
            elif form not in placed:  # else it gives in one statement what ours gives in several
                placed.append(form)
                items.append(self._ended(form, form.elements))
        self.items = items
        return {element for form in placed for element in form.elements}

    def _ended(self, statement: Statement, elements: tuple[Element, ...]) -> Statement:
        lines = tuple(line.rstrip(b"\r\n") + self.end for line in statement.lines)
        return Statement(lines, elements, statement.opening, statement.closing, statement.ordered)

    def swap(
        self, gone: Sequence[Element], theirs: Region, missing: Sequence[Element]
    ) -> set[Element]:
        """Puts a statement of theirs in the place of ours where it gives the same single name."""
        done: set[Element] = set()
        for index, item in enumerate(self.items):
            if not isinstance(item, Statement) or len(item.elements) != 1:
                continue
            old = item.elements[0]
            for statement in theirs.statements if old in gone else ():
                new = statement.elements[0]
                if statement.elements == (new,) and new in missing and _stands_for(new, old):
                    self.items[index] = self._ended(statement, (new,))
                    done |= {old, new}
                    break
        return done

    def drop(self, gone: Sequence[Element]) -> bool:
        """Takes these elements out; a statement that is left empty goes."""
        for index in range(len(self.items) - 1, -1, -1):
            item = self.items[index]
            if not isinstance(item, Statement) or not set(item.elements) & set(gone):
                continue
            left = tuple(e for e in item.elements if e not in gone)
            if not left:
                del self.items[index]
            elif not self._replace(index, item, left):
                return False
        return True

    def add(self, region: Region, source: Statement, missing: Sequence[Element]) -> bool:
        """Puts elements of their statement into one of the same module, or into a new one.

        A name to which they gave a statement of its own, beside others of its module, keeps it.
        """
        alone = len(source.elements) == 1 and any(
            other is not source and other.joins(source) for other in region.statements
        )
        hosts = [
            (len(set(item.elements) & set(source.elements)), -index)
            for index, item in enumerate(self.items)
            if isinstance(item, Statement) and item.joins(source) and not alone
        ]
        if hosts:
            index = -max(hosts)[1]
            host = self.items[index]
            assert isinstance(host, Statement)
            return self._replace(index, host, _joined(host, source, missing))
        lines: Lines | None = source.lines
        if len(missing) != len(source.elements):
            lines = with_elements(self.language, source, tuple(missing), self.end, self.style)
        if lines is None:
            return False
        new = self._ended(replace(source, lines=lines), tuple(missing))
        self.items.insert(self._place(region, source, new), new)
        return True

    def _replace(self, index: int, old: Statement, elements: tuple[Element, ...]) -> bool:
        lines = with_elements(self.language, old, elements, self.end, self.style)
        if lines is None:
            return False
        self.items[index] = Statement(lines, elements, old.opening, old.closing, old.ordered)
        return True

    def _place(self, region: Region, source: Statement, new: Statement) -> int:
        """Beside its neighbours in their block, or at its place where that is sorted."""
        above, below = _neighbours(region, source)
        for neighbours, step in ((above[::-1], 1), (below, 0)):
            near = next((i for s in neighbours if (i := self._find(s)) is not None), None)
            if near is not None:
                place = self._sorted_place(region, source, new, near)
                return near + step if place is None else place
        everything = region.statements
        at = everything.index(source)
        for neighbours, step in ((list(everything[:at])[::-1], 1), (list(everything[at:]), 0)):
            near = next((i for s in neighbours if (i := self._find(s)) is not None), None)
            if near is not None:
                return near + step
        return len(self.items)

    def _find(self, statement: Statement) -> int | None:
        wanted = set(statement.elements)
        for index, item in enumerate(self.items):
            if isinstance(item, Statement) and (
                wanted & set(item.elements) or item.joins(statement)
            ):
                return index
        return None

    def _sorted_place(
        self, region: Region, source: Statement, new: Statement, near: int
    ) -> int | None:
        start, stop = near, near + 1
        while start > 0 and isinstance(self.items[start - 1], Statement):
            start -= 1
        while stop < len(self.items) and isinstance(self.items[stop], Statement):
            stop += 1
        block = [item for item in self.items[start:stop] if isinstance(item, Statement)]
        above, below = _neighbours(region, source)
        theirs = (*above, source, *below)
        for key in (*_SORT_KEYS, *(_PHP_SORT_KEYS if self.language == "php" else ())):
            if len(block) > 1 and _is_sorted(block, key) and _is_sorted(theirs, key):
                return start + sum(key(item) <= key(new) for item in block)
        return None


def _stands_for(new: Element, old: Element) -> bool:
    if new.kind == old.kind == "go":
        return bool(go_names(new) & go_names(old))
    return bool(new.binding) and new.binding == old.binding


def _neighbours(region: Region, source: Statement) -> tuple[list[Statement], list[Statement]]:
    """Statements above and below in the same block, that is without a line between."""
    at = region.items.index(source)
    sides: tuple[list[Statement], list[Statement]] = ([], [])
    for side, items in zip(sides, (region.items[:at][::-1], region.items[at + 1 :]), strict=True):
        for item in items:
            if not isinstance(item, Statement):
                break
            side.append(item)
    return sides[0][::-1], sides[1]


def _is_sorted(statements: Sequence[Statement], key: Callable[[Statement], str]) -> bool:
    keys = [key(statement) for statement in statements]
    return keys == sorted(keys)


def _line_text(statement: Statement) -> str:
    return b" ".join(statement.lines).decode("utf-8", "replace").strip()


_SORT_KEYS: tuple[Callable[[Statement], str], ...] = (
    _line_text,
    lambda statement: _line_text(statement).lower(),
    lambda statement: statement.key,
    lambda statement: statement.key.lower(),
)
_PHP_SORT_KEYS: tuple[Callable[[Statement], str], ...] = (
    lambda statement: _line_text(statement).replace("\\", " ").lower(),
    lambda statement: f"{len(_line_text(statement)):4}",
)
"""A formatter of PHP puts `A\\B\\C` before `A\\BC`, and older code is sorted by length."""


def _joined(host: Statement, source: Statement, missing: Sequence[Element]) -> tuple[Element, ...]:
    """The host's names and the missing ones: sorted if both lists were, else by neighbour."""
    present, theirs = host.elements, source.elements
    keys: tuple[Callable[[Element], str], ...] = (lambda e: e.name, lambda e: e.name.lower())
    for key in keys:
        if all(list(side) == sorted(side, key=key) for side in (present, theirs)):
            return tuple(sorted((*present, *missing), key=key))
    out = list(present)
    for element in missing:
        names = [e.name for e in out]  # what a neighbour is called here changes no place
        at = theirs.index(element)
        before = next((e.name for e in reversed(theirs[:at]) if e.name in names), None)
        after = next((e.name for e in theirs[at + 1 :] if e.name in names), None)
        place = names.index(after) if after else len(out)
        out.insert(names.index(before) + 1 if before else place, element)
    return tuple(out)
