"""Whether two path patterns can name the same file: the exact intersection of two globs.

`worktree_runner.core.patterns` says what a pattern is. What one covers, as `matches` tells for
a path that exists: the paths that it describes and all paths below them.

What `overlap` tells, with D(P) the paths that P describes:

- It looks below D(P) too, unless P's last name has an extension: `src/auth` and `src/*` may be
  folders, but nobody means `README.md/x.ts` by `README.md` and `**/*.ts`.
- A literal name that a pattern goes on after is a folder, whatever it looks like: `conf/app.d`
  meets `conf/app.d/x`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from worktree_runner.core.patterns import ANY, STAR, Glob, Name, Ranges, compiled, is_virtual, meet


def overlap(a: str, b: str, *, fold_case: bool = False) -> bool:
    """True if some file may be meant by both patterns; raises PatternError for a bad one."""
    return any(_globs_meet(x, y) for x in compiled(a, fold_case) for y in compiled(b, fold_case))


def matches(pattern: str, path: str, *, fold_case: bool = False) -> bool:
    """True if the pattern describes this very path, or a folder that the path lies in."""
    if is_virtual(pattern) or is_virtual(path):
        return pattern == path
    names = tuple(_folded(path, fold_case).split("/"))
    return any(_covers(glob.names, names) for glob in compiled(pattern, fold_case))


def overlapping(
    wanted: Sequence[str], held: Sequence[str], *, fold_case: bool = False
) -> Iterator[tuple[int, int]]:
    """All pairs (index in wanted, index in held) that overlap, in that order.

    Pairs are looked up by their literal first names, so thousands of held patterns cost little.
    """
    at: dict[tuple[str, ...], set[int]] = {}
    below: dict[tuple[str, ...], set[int]] = {}
    globs = [compiled(pattern, fold_case) for pattern in held]
    for number, alternatives in enumerate(globs):
        for glob in alternatives:
            at.setdefault(glob.prefix, set()).add(number)
            for length in range(len(glob.prefix)):
                below.setdefault(glob.prefix[:length], set()).add(number)
    for index, pattern in enumerate(wanted):
        mine = compiled(pattern, fold_case)
        near: set[int] = set()
        for glob in mine:
            near |= below.get(glob.prefix, set())
            for length in range(len(glob.prefix) + 1):
                near |= at.get(glob.prefix[:length], set())
        for number in sorted(near):
            if any(_globs_meet(x, y) for x in mine for y in globs[number]):
                yield index, number


def covering(
    paths: Sequence[str], held: Sequence[str], *, fold_case: bool = False
) -> Iterator[tuple[str, int]]:
    """All pairs (path, index in held) that match, in that order; looked up as in `overlapping`."""
    at: dict[tuple[str, ...], set[int]] = {}
    for number, pattern in enumerate(held):
        virtual = is_virtual(pattern)
        for prefix in {(pattern,)} if virtual else {g.prefix for g in compiled(pattern, fold_case)}:
            at.setdefault(prefix, set()).add(number)
    for path in paths:
        names = (path,) if is_virtual(path) else tuple(_folded(path, fold_case).split("/"))
        near: set[int] = set()
        for length in range(len(names) + 1):
            near |= at.get(names[:length], set())
        for number in sorted(near):
            if matches(held[number], path, fold_case=fold_case):
                yield path, number


def _folded(path: str, fold_case: bool) -> str:
    return path.lower() if fold_case else path


def _globs_meet(a: Glob, b: Glob) -> bool:
    for mine, other in zip(a.prefix, b.prefix, strict=False):
        if mine != other:
            return False
    if a.virtual or b.virtual:
        return a.virtual and b.virtual
    if a.plain and b.plain:
        return True  # the same path, or the longer one says that the shorter one is a folder
    below_a = (*a.names, ANY) if a.tree else a.names
    below_b = (*b.names, ANY) if b.tree else b.names
    if _meets(below_a, below_b, ANY, _names_meet):
        return True
    return _meets_folder(a, b) or _meets_folder(b, a)


def _meets_folder(a: Glob, b: Glob) -> bool:
    """True if `a` describes a folder that `b` spells out on its way."""
    if a.tree:
        return False  # looking below `a` has covered this
    return any(
        name.literal is not None and _meets(a.names, b.names[: at + 1], ANY, _names_meet)
        for at, name in enumerate(b.names[:-1])
    )


def _names_meet(a: Name, b: Name) -> bool:
    if b.literal is not None:
        return a.fits(b.literal)
    if a.literal is not None:
        return b.fits(a.literal)
    return _meets(a.tokens, b.tokens, STAR, _sets_meet)


def _sets_meet(a: Ranges, b: Ranges) -> bool:
    return bool(meet(a, b))


T = TypeVar("T")


def _meets(a: Sequence[T], b: Sequence[T], star: T, fits: Callable[[T, T], bool]) -> bool:
    """True if two sequences in which `star` stands for any number of items have one in common."""
    start, end_a, end_b = 0, len(a), len(b)
    while start < end_a and start < end_b and a[start] is not star and b[start] is not star:
        if not fits(a[start], b[start]):
            return False
        start += 1
    while end_a > start < end_b and a[end_a - 1] is not star and b[end_b - 1] is not star:
        if not fits(a[end_a - 1], b[end_b - 1]):
            return False
        end_a -= 1
        end_b -= 1
    if start < end_a and start < end_b:
        # one begins with a star and the other ends with one: a word of each, one after the other
        if a[start] is star and b[end_b - 1] is star:
            return True
        if b[start] is star and a[end_a - 1] is star:
            return True
    return _search(a[start:end_a], b[start:end_b], star, fits)


def _search(a: Sequence[T], b: Sequence[T], star: T, fits: Callable[[T, T], bool]) -> bool:
    """A walk through the product of the two automata: each pair of places is seen once."""
    seen = {(0, 0)}
    waiting = [(0, 0)]
    while waiting:
        i, j = waiting.pop()
        if i == len(a) and j == len(b):
            return True
        steps = []
        if (i < len(a) and a[i] is star) or (j < len(b) and b[j] is star):
            # a star ends here, or it takes one more item of the other side
            steps = [(i + 1, j), (i, j + 1)]
        elif i < len(a) and j < len(b) and fits(a[i], b[j]):
            steps = [(i + 1, j + 1)]
        for step in steps:
            if step[0] <= len(a) and step[1] <= len(b) and step not in seen:
                seen.add(step)
                waiting.append(step)
    return False


def _covers(pattern: tuple[Name, ...], path: tuple[str, ...]) -> bool:
    """True if the pattern describes the path or a folder above it."""
    places = _past_any(pattern, {0})
    for name in path:
        if len(pattern) in places:
            return True
        places = _past_any(
            pattern,
            {
                place if pattern[place] is ANY else place + 1
                for place in places
                if pattern[place] is ANY or pattern[place].fits(name)
            },
        )
    return len(pattern) in places


def _past_any(pattern: tuple[Name, ...], places: set[int]) -> set[int]:
    """These places, and those behind each `**` that stands there."""
    reached = set(places)
    for place in places:
        after = place
        while after < len(pattern) and pattern[after] is ANY:
            after += 1
            reached.add(after)
    return reached
