"""Which plans a plan waits for, out of everything that people write after `depends_on`.

- `03-01`, `"01"`, `1`, `03-01-PLAN.md`, a path, `03-01-auth`, `03.01` all name a plan, and so does
  what a plan calls itself in its front matter, where no other plan has the same name.
- A plan of this phase that does not exist makes the order unclear: an error.
- A plan of another phase is satisfied by its summary; otherwise, like prose, it is a warning.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from worktree_runner.core.ids import PhaseToken, number_key, parse_directory, parse_token
from worktree_runner.core.listing import PlanFile, list_files, list_phases, strip_suffix
from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import PhaseDir, Plan, Problem, Severity

_REMARK = re.compile(r"\s+(?:\(|[—–#-]|$).*", re.DOTALL)
_NUMBER = re.compile(r"(?:plan|run|p)?[ -]*([0-9]+[a-z]?(?:\.[0-9]+)?)", re.IGNORECASE)
_WORD = r"(?:(?:phase|stage)[ -]?)?"
_TOKEN = r"[0-9]+[a-z]?(?:\.[0-9]+)*"
_DASHED = re.compile(
    rf"{_WORD}({_TOKEN})(?:[- ](?:p|plan[ -]?|run[ -]?)?)([0-9]+[a-z]?)(?:[-.].*)?",
    re.IGNORECASE | re.DOTALL,
)
_DOTTED = re.compile(rf"({_TOKEN})\.([0-9]+[a-z]?)(?:-.*)?", re.IGNORECASE | re.DOTALL)
_PHASE = re.compile(r"(?:phase|stage)[ -]?([0-9]+[a-z]?(?:\.[0-9]+)*)", re.IGNORECASE)
_DIRECTORY = re.compile(rf"({_TOKEN})-", re.IGNORECASE)
_ID = re.compile(r"[\w./-]*[0-9]")
_MOST = 300
_LONGEST = 160
"""Characters of an entry that are looked at; longer ones are prose."""


class DependencyTable:
    """Looks up what a plan's entries mean, within one phase."""

    def __init__(
        self,
        phase: PhaseDir,
        files: Sequence[PlanFile],
        dialect: Dialect,
        paths: Collection[str],
        names: Callable[[], Mapping[str, Iterable[str]]] = dict,
    ) -> None:
        """`names` gives what the plan at each path calls itself; it is asked only if need be."""
        self._phase = phase
        self._dialect = dialect
        self._paths = paths
        self._token = parse_directory(phase.path.rpartition("/")[2]).token
        self._text = phase.token
        self._by_stem = {file.name.stem: file for file in files}
        self._by_number = {number_key(file.name.number): file for file in files}
        self._by_slug = {file.name.slug.lower(): file for file in files if file.name.slug}
        self._files, self._names = files, names
        self._implicit = {file.path: file.name.implicit for file in files}

    @cached_property
    def _by_name(self) -> Mapping[str, PlanFile]:
        return _unique_names(self._files, self._names())

    @cached_property
    def _others(self) -> tuple[tuple[PhaseToken, PhaseDir], ...]:
        """The other phases with their tokens."""
        return tuple(
            (parse_directory(other.path.rpartition("/")[2]).token, other)
            for other in list_phases(self._paths, self._dialect)
            if other.path != self._phase.path
        )

    @cached_property
    def summarised(self) -> set[tuple[Any, ...]]:
        """Numbers of this phase that have a summary, also where the plan is gone."""
        found = set()
        for path in self._paths:
            if path.startswith(self._phase.path + "/"):
                stem = strip_suffix(path.rpartition("/")[2], self._dialect.files.summary)
                pair = self._pair(stem or "")
                if pair and pair[0] == self._token:
                    found.add(number_key(pair[1]))
        return found

    def _files_of(self, token: PhaseToken) -> Iterator[Sequence[PlanFile]]:
        """The plan files of each other phase of that token."""
        for other, phase in self._others:
            if other == token:
                yield list_files(self._paths, phase, self._dialect).plans

    def _pair(self, text: str) -> tuple[PhaseToken, str] | None:
        """Phase and plan number of `03-01-auth`; `03.01` only where 03 is this phase."""
        found = _DASHED.fullmatch(text)
        if found:
            return parse_token(found[1]), found[2]
        found = _DOTTED.fullmatch(text)
        token = parse_token(found[1]) if found else None
        return (token, found[2]) if found and token == self._token else None

    def resolve(
        self, entries: Sequence[str], plan: Plan, line: int | None
    ) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
        """The ids of this phase's plans that are named, in order, and what is unclear."""
        ids: dict[str, None] = {}
        problems = []
        for text in entries[:_MOST]:
            entry = text.strip()[:_LONGEST]
            found = self._lookup(entry, self._implicit.get(plan.path, False))
            if isinstance(found, PlanFile):
                ids[f"{self._text}-{found.name.number}"] = None
            elif found is not None:
                message, severity = found
                problems.append(Problem(plan.path, line, message, severity))
        return tuple(ids), tuple(problems)

    def _lookup(self, entry: str, implicit: bool) -> PlanFile | tuple[str, Severity] | None:
        stem = self._stem(entry)
        known = self._by_stem.get(stem.lower()) if stem else None
        if known:
            return known
        pair = self._pair(stem)
        if pair:
            return self._lookup_pair(entry, *pair)
        number = _NUMBER.fullmatch(stem)
        if number:
            key = number_key(number[1])
            if key in self._by_number:
                return self._by_number[key]
            if key in self.summarised or self._phase_done(parse_token(number[1])):
                return None
            if implicit or self._is_other(parse_token(number[1])):
                return self._elsewhere(entry)  # a phase: `depends_on: 19` in a lone `PLAN.md`
            return self._missing(entry)
        if stem.lower() in self._by_slug:
            return self._by_slug[stem.lower()]
        if entry.lower() in self._by_name:
            return self._by_name[entry.lower()]
        phase = _PHASE.match(stem) or _DIRECTORY.match(stem)
        if phase and self._phase_done(parse_token(phase[1])):
            return None
        return self._elsewhere(entry)

    def _stem(self, entry: str) -> str:
        text = entry.strip().strip("`'\"@")
        text = _REMARK.sub("", text) if _ID.match(text) else text
        text = text.rstrip("/").rpartition("/")[2]
        stem = strip_suffix(text if text.lower().endswith(".md") else text + ".md",
                            self._dialect.files.plan)  # fmt: skip
        if stem is None:
            stem = text[:-3] if text.lower().endswith(".md") else text
        return stem.strip()

    def _lookup_pair(
        self, entry: str, token: PhaseToken, number: str
    ) -> PlanFile | tuple[str, Severity] | None:
        words = self._dialect.words
        key = number_key(number)
        if token == self._token:
            if key in self._by_number:
                return self._by_number[key]
            return None if key in self.summarised else self._missing(entry)
        for files in self._files_of(token):
            if any(number_key(file.name.number) == key and file.summary for file in files):
                return None
        what = f"{words.plan} of another {words.phase} and has no {words.summary} here"
        return f"dependency '{entry}' is a {what}; not waited for", Severity.WARNING

    def _elsewhere(self, entry: str) -> tuple[str, Severity]:
        words = self._dialect.words
        what = f"no {words.plan} of {words.phase} {self._text}"
        return f"dependency '{entry}' names {what}; not waited for", Severity.WARNING

    def _missing(self, entry: str) -> tuple[str, Severity]:
        words = self._dialect.words
        return (
            f"dependency '{entry}' names no {words.plan} of {words.phase} {self._text}",
            Severity.ERROR,
        )

    def _is_other(self, token: PhaseToken) -> bool:
        return any(other == token for other, _ in self._others)

    def _phase_done(self, token: PhaseToken) -> bool:
        """Whether another phase of that token has plans, and a summary for each of them."""
        return any(files and all(file.summary for file in files) for files in self._files_of(token))


def _unique_names(
    files: Iterable[PlanFile], names: Mapping[str, Iterable[str]]
) -> Mapping[str, PlanFile]:
    pairs = [(name.lower(), file) for file in files for name in {*names.get(file.path, ())} if name]
    counts = Counter(name for name, _ in pairs)
    return {name: file for name, file in pairs if counts[name] == 1}
