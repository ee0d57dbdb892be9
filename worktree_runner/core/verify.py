"""What plans say must be there when they are done, looked up in a tree, without a model.

- `must_haves` names artifacts (a path, perhaps with `min_lines`, `contains`, `exports`) and links
  (`from` one file `to` something, by a `pattern`). Every form that real plans use is read.
- What can't be told is UNCLEAR, never PRESENT: prose instead of a path, a place outside of the
  repository, a pattern that is no regular expression or that could take for ever.
- An artifact that is not there is MISSING. A link whose pattern is found in neither of its files
  is LOOSE: plans guess patterns before the code exists, so that alone is no proof.
- A path counts as there where the tree has it below some folder, too: plans of a part of a
  repository leave that folder out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worktree_runner.core.filelists import clean_path, is_foreign, looks_like_path
from worktree_runner.core.texts import clean_line
from worktree_runner.models import Plan

MOST_TEXT = 400_000
"""Bytes of a file that are searched by a pattern."""
LONGEST_LINE = 4_000
MOST_STEPS = 500_000_000
"""What one search may cost at its worst: less than a second or two."""
_ESCAPED, _SET = r"\\.", r"\[\^?\]?(?:\\.|[^\]\\])*\]"

Read = Callable[[str], bytes]
"""The content of a path of the tree."""


class Found(StrEnum):
    """What the tree says to one must-have. In journals: add-only."""

    PRESENT = "present"
    MISSING = "missing"
    LOOSE = "loose"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Check:
    """One must-have of a plan, and what the tree says to it."""

    plan: str
    what: str
    """The artifact's path, or both ends of a link."""
    found: Found
    why: str = ""
    """What is missing, or why it can't be told; empty if it is there."""

    def __str__(self) -> str:
        why = f": {self.why}" if self.why else ""
        return f"{self.what} ({self.plan}){why}"


@dataclass(frozen=True, slots=True)
class _Artifact:
    path: str
    min_lines: int = 0
    contains: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Link:
    source: str
    target: str
    pattern: str


def check_plans(plans: Iterable[Plan], paths: Collection[str], read: Read) -> tuple[Check, ...]:
    """Every artifact and link of the plans, in plan order, against a tree with these paths."""
    tree = _Tree(paths, read)
    found: list[Check] = []
    for plan in plans:
        must = plan.must_haves
        for artifact in _artifacts(must.get("artifacts")):
            state, why = _check_artifact(artifact, tree)
            found.append(Check(plan.id, clean_line(artifact.path, 120), state, why))
        for link in _links(must.get("key_links")):
            state, why = _check_link(link, tree)
            what = f"{clean_line(link.source, 80)} -> {clean_line(link.target, 80)}"
            found.append(Check(plan.id, what, state, why))
    return tuple(found)


class _Tree:
    """Paths with their contents, each read once."""

    def __init__(self, paths: Collection[str], read: Read) -> None:
        self._paths = frozenset(paths)
        self._read = read
        self._texts: dict[str, str] = {}

    def find(self, path: str) -> str | None:
        """The path itself, or the only one that ends with it."""
        if path in self._paths:
            return path
        below = [each for each in self._paths if each.endswith(f"/{path}")]
        return below[0] if len(below) == 1 else None

    def has_any(self, path: str) -> bool:
        """Whether a folder, or what a pattern with `*` means, is there."""
        if "*" in path or "?" in path:
            form = re.compile(rf"(?:.*/)?{_glob(path)}")
            return any(form.fullmatch(each) for each in self._paths)
        folder = f"{path.rstrip('/')}/"
        return any(each.startswith(folder) or f"/{folder}" in each for each in self._paths)

    def ends(self, path: str) -> bool:
        return any(each.endswith(f"/{path}") for each in self._paths)

    def is_closed(self, path: str) -> bool:
        """Whether a folder above it is a submodule or a link, whose content the tree lacks."""
        parts = path.split("/")
        return any("/".join([*parts[:n], "."]) in self._paths for n in range(1, len(parts)))

    def text(self, path: str) -> str:
        if path not in self._texts:
            self._texts[path] = self._read(path).decode(errors="replace")
        return self._texts[path]


# --- what plans write -------------------------------------------------------------------------


def _artifacts(value: Any) -> Iterator[_Artifact]:
    for item in _items(value):
        if isinstance(item, dict):
            named = item.get("path") or item.get("file")
            for path in _texts(named):
                lines = re.match(r"\s*(\d{1,7})", str(item.get("min_lines") or ""))
                yield _Artifact(
                    clean_path(path),
                    int(lines[1]) if lines else 0,
                    tuple(_texts(item.get("contains"))),
                    tuple(name for text in _texts(item.get("exports")) for name in _names(text)),
                )
        elif isinstance(item, str):
            yield _Artifact(_leading_path(item))


def _links(value: Any) -> Iterator[_Link]:
    for item in _items(value):
        if isinstance(item, dict):
            ends = ("".join(list(_texts(item.get(key)))[:1]) for key in ("from", "to", "pattern"))
            source, target, pattern = ends
            if source or target:
                yield _Link(_leading_path(source), clean_path(target), pattern)
        elif isinstance(item, str):
            source, _, target = item.partition("<->" if "<->" in item else "->")
            yield _Link(_leading_path(source), target.strip(), "")


def _items(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None or value == "" else [value]


def _texts(value: Any) -> Iterator[str]:
    for item in _items(value):
        if isinstance(item, str) and item.strip():
            yield item.strip()


def _leading_path(text: str) -> str:
    """The path that a sentence begins with (`src/a.py exports f`), else the sentence."""
    first = text.split(maxsplit=1)[0].strip("`'\",:;") if text.strip() else ""
    first = re.sub(r"['’]s$", "", first).partition(":")[0]
    first = clean_path(first)
    return first if looks_like_path(first) else clean_path(text)


def _names(text: str) -> list[str]:
    """`GET, POST` and `default as X` as single names; what is no name is left out."""
    found = (re.match(r"[*&]?([\w$.]+)", part.strip("`'\"{} ")) for part in text.split(","))
    return [m[1] for m in found if m]


# --- what the tree says -----------------------------------------------------------------------


def _check_artifact(artifact: _Artifact, tree: _Tree) -> tuple[Found, str]:
    path = artifact.path
    if is_foreign(path):
        return Found.UNCLEAR, "lies outside of the repository"
    place = tree.find(path) if path else None
    if place is not None:
        return _check_content(artifact, tree.text(place))
    if not looks_like_path(path) or (" " in path and not re.search(r"\.\w{1,8}$", path)):
        return Found.UNCLEAR, "is no path"
    if tree.ends(path):
        demands = artifact.min_lines or artifact.contains or artifact.exports
        return (Found.UNCLEAR, "is there more than once") if demands else (Found.PRESENT, "")
    if tree.has_any(path):
        return Found.PRESENT, ""
    if tree.is_closed(path):
        return Found.UNCLEAR, "lies in a submodule or behind a link"
    return Found.MISSING, "is not there"


def _check_content(artifact: _Artifact, text: str) -> tuple[Found, str]:
    lines = len(text.splitlines())
    if lines < artifact.min_lines:
        return Found.MISSING, f"has {lines} of at least {artifact.min_lines} lines"
    for name in artifact.exports:
        last = name.rpartition(".")[2]
        if not re.search(rf"(?<![\w$]){re.escape(last)}(?![\w$])", text):
            return Found.MISSING, f"does not export {name}"
    for wanted in artifact.contains:
        state = _contains(wanted, text)
        if state is not Found.PRESENT:
            shown = clean_line(wanted, 60)
            missing = state is Found.MISSING
            return state, f"does not contain '{shown}'" if missing else f"'{shown}' is prose"
    return Found.PRESENT, ""


def _contains(wanted: str, text: str) -> Found:
    """A text, several ones behind commas, or an expression; a sentence can't be looked up."""
    if wanted in text or _flat(wanted) in _flat(text):
        return Found.PRESENT
    parts = [part.strip() for part in wanted.split(",")]
    if len(parts) > 1 and all(part in text for part in parts if part):
        return Found.PRESENT
    if _matches(wanted, text):
        return Found.PRESENT
    if re.fullmatch(r"[A-Za-z][\w'-]*(?:[ ,]+[A-Za-z][\w'-]*)+", wanted):
        return Found.UNCLEAR
    return Found.MISSING


def _check_link(link: _Link, tree: _Tree) -> tuple[Found, str]:
    source = tree.find(link.source) if looks_like_path(link.source) else None
    if source is None:
        if looks_like_path(link.source) and not is_foreign(link.source):
            there = tree.has_any(link.source) or tree.ends(link.source)
            return (Found.UNCLEAR, "names no single file") if there else (
                Found.LOOSE, f"{clean_line(link.source, 80)} is not there")  # fmt: skip
        return Found.UNCLEAR, "names no file"
    target = tree.find(link.target) if looks_like_path(link.target) else None
    text = tree.text(source)
    if link.pattern:
        found = _matches(link.pattern, text)
        if not found and target is not None:
            found = _matches(link.pattern, tree.text(target)) or found
        if found is None:
            return Found.UNCLEAR, "its pattern can't be searched"
        shown = clean_line(link.pattern, 60)
        return (Found.PRESENT, "") if found else (Found.LOOSE, f"nothing matches '{shown}'")
    stem = link.target.rpartition("/")[2].partition(".")[0]
    if link.target and (link.target in text or (len(stem) > 2 and stem in text)):
        return Found.PRESENT, ""
    return Found.UNCLEAR, "it says no pattern"


def _matches(pattern: str, text: str) -> bool | None:
    """Whether the text has the pattern, as itself or as an expression; None if that can't be told.

    Line by line, and over lines only where the pattern says so. What a search may cost at its
    worst is reckoned before it begins, so that no plan can make this hang.
    """
    if pattern in text:
        return True
    whole = _compiled(pattern)
    parts = [_compiled(part) for part in _parts(pattern)] if whole else []
    if whole is None or None in parts:
        return None
    forms = [part for part in parts if part is not None]
    left, cut = MOST_STEPS, False
    for line in (each[:LONGEST_LINE] for each in text[:MOST_TEXT].splitlines()):
        left -= sum(_steps(form.pattern, len(line)) for form in forms)
        if left < 0:
            cut = True
            break
        if _in_order(forms, line):
            return True
    if re.search(r"\\[sSnWD]|\[\^", pattern):
        size = min(len(text), 20_000)
        while size and _steps(pattern, size) > MOST_STEPS:
            size, cut = size // 2, True
        if whole.search(text[:size]):
            return True
    return None if cut else False


def _in_order(forms: Iterable[re.Pattern[str]], line: str) -> bool:
    at = 0
    for form in forms:
        found = form.search(line, at)
        if found is None:
            return False
        at = found.end()
    return True


def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The expression; None if it is none, or one whose search could explode."""
    if len(pattern) > 300 or "[[" in pattern or re.search(r"\)[*+{]", _bare(pattern)):
        return None  # repeated groups are what makes a search explode
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def _steps(pattern: str, length: int) -> int:
    """At most how many places a search in so long a text looks at, as an order of magnitude."""
    bare = _bare(pattern)
    repeats = len(re.findall(r"[*+]|\{\d*,?\d*\}", bare))
    choices = len(re.findall(r"(?<![*+(}])\?|\|", bare))
    return int(length ** (repeats + 1) // math.factorial(repeats + 1)) << choices


def _parts(pattern: str) -> list[str]:
    """What stands between the `.*` of an expression, if it can be looked for one by one."""
    if re.search(r"[()|]", _bare(pattern)):
        return [pattern]
    parts = [""]
    for token in re.findall(rf"{_ESCAPED}|{_SET}|\.\*\??|.", pattern, re.DOTALL):
        if token in (".*", ".*?"):
            parts.append("")
        else:
            parts[-1] += token
    return [part for part in parts if part]


def _bare(pattern: str) -> str:
    """The operators alone, without what is escaped or stands in brackets."""
    return re.sub(rf"{_ESCAPED}|{_SET}", "x", pattern, flags=re.DOTALL)


def _flat(text: str) -> str:
    """Without differences of quotes and space, which formatters change."""
    return re.sub(r"\s+", " ", text.replace('"', "'"))


def _glob(path: str) -> str:
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", path)
    forms = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(forms.get(part, re.escape(part)) for part in parts)
