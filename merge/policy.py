"""Which rules may settle which paths. Settings are values; nothing here reads a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from merge.types import Entry

Tier = Literal["none", "proven", "tested"]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a plan said that it would touch."""

    patterns: tuple[str, ...] = ()
    text: str = ""
    """The plan itself; a path, a file's name or a folder with its slash counts where named."""
    moves: tuple[str, ...] = ()
    """Patterns of places to which any file may be moved."""
    exact: frozenset[str] = frozenset()
    """Paths, as they are."""

    def covers(self, path: str) -> bool:
        if path in self.exact or matches(path, self.patterns):
            return True
        parts = path.split("/")
        folders = ["/".join(parts[:n]) + "/" for n in range(1, len(parts))]
        if any(re.search(rf"(?<![\w./-]){re.escape(folder)}(?![\w.-])", self.text)
               for folder in folders):  # fmt: skip
            return True
        return any(
            re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", self.text)
            for name in (path, parts[-1])
        )


@dataclass(frozen=True, slots=True)
class Concern:
    """Why a change is a question though nothing conflicts."""

    kind: str
    why: str


Concerns = Callable[[Mapping[str, tuple[Entry | None, Entry | None]]], Mapping[str, Concern]]
"""Gets what a merge would bring (path: the target's entry, the result's); gives what a person has
to decide of it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the caller allows.

    Patterns are repository paths with `*` (not across `/`), `**` (across) and `?`; one without
    a `/` matches the file's name in any folder; one that ends in `/` matches a whole folder.
    """

    tier: Tier = "proven"
    """`none`: every conflict is a question. `tested` also takes proposals that only a green gate
    makes acceptable; running that gate is the caller's duty."""
    plan_first: bool = False
    """In the tier `tested`: of two insertions at one place theirs comes first, where the file
    parses either way. So a caller can try both orders."""
    keep_ours: tuple[str, ...] = ()
    """Paths that keep the target's version even where git would merge cleanly."""
    regenerate: Mapping[str, str] = field(default_factory=dict)
    """Pattern to command, for lock and generated files: the conflict names the command."""
    own_version: Literal["ask", "greater"] = "greater"
    """The project's own version, raised by both sides: the greater one, where that is no release
    decision (`merge.resolvers.versions` says when it is), or always a question."""
    disabled: tuple[str, ...] = ()
    """Names of rules that are not used."""
    declared: Declared | None = None
    """What the plan said that it would touch: a deletion of anything else is a question. None
    lets every deletion pass."""
    unresolve: tuple[str, ...] = ()
    """Paths whose conflicts are questions whatever the rules say."""
    concerns: Concerns | None = None
    """Further changes that are questions, though git or a rule merges them."""


DEFAULTS = Settings()


def matches(path: str, patterns: Iterable[str]) -> bool:
    return any(_compiled(pattern).fullmatch(path) for pattern in patterns)


def first_match(path: str, table: Mapping[str, str]) -> str:
    """The value of the first pattern that matches, or an empty string."""
    return next((value for pattern, value in table.items() if matches(path, (pattern,))), "")


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    body = pattern.removeprefix("./").removeprefix("/")
    if body.endswith("/"):
        body += "**"
    anywhere = "/" not in body
    out = []
    for part in re.findall(r"\*\*/?|\*|\?|[^*?]+", body):
        out.append({"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part) or "")
        if not out[-1]:
            out[-1] = re.escape(part)
    return re.compile(("(?:.*/)?" if anywhere else "") + "".join(out), re.S)
