"""One plan file as a value, before its neighbours are known.

- A plan without front matter, without tasks or with broken YAML is still a plan.
- Problems are collected. Only an unclear identity or wave is an error; all else is a warning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from worktree_runner.core import values
from worktree_runner.core.filelists import parse_entries
from worktree_runner.core.frontmatter import Document, parse_document
from worktree_runner.core.listing import PlanFile, strip_suffix
from worktree_runner.core.tasks import heading_section, parse_tasks, scan, section
from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import Plan, Problem, Severity, Task

_CONFLICT = re.compile(r"^(?:<{7} |>{7} )", re.MULTILINE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\[(])|\n\s*\n")
_NEW_THOUGHT = re.compile(r"\s*(?:[-*+]|[0-9]+\.|#|Purpose:|Output:|\*\*)")
_STARS = re.compile(r"\*\*|__")
_LIST_MARK = re.compile(r"^(?:[-*+>#]+|[0-9]+\.)\s+")
_DASHES = re.compile(r"[-_]+")
_OBJECTIVE = "objectives?|goals?|overview|purpose|summary"
_SHORTEST_NAME = 4
_TITLE_LENGTH = 72
_OPENING = 600
"""Characters in which a first sentence has to end."""
_NAMES = ("plan_id", "id", "slug", "name", "title")
_MUST_HAVES = ("truths", "artifacts", "key_links", "prohibitions")


@dataclass(frozen=True, slots=True)
class Reading:
    """A plan whose `depends_on` and `wave` are not resolved yet."""

    plan: Plan
    depends_raw: tuple[str, ...]
    depends_line: int | None


def read_plan(file: PlanFile, data: bytes | None, phase: str, dialect: Dialect) -> Reading:
    """The plan with everything that its own file says; `data` None means unreadable."""
    document = parse_document(data or b"", file.path)
    notes = _Notes(file.path, document, list(document.problems))
    _note_content(data, document, notes)
    front = values.fold_keys(document.front)
    tasks = parse_tasks(scan(document.body, document.body_line))
    objective = _objective(document.body, front)
    declared = parse_entries([front[key] for key in dialect.keys.files if key in front])
    for path in declared.foreign:
        notes.warn(f"file '{path}' is no path of this repository; left out", "files_modified")
    raw = [entry for key in dialect.keys.depends_on for entry in values.strings(front.get(key))]
    has_checkpoint = any(task.is_checkpoint for task in tasks)
    plan_id = f"{phase}-{file.name.number}"
    declared_wave = _wave(front, notes, dialect)
    autonomous = _autonomous(front, has_checkpoint, notes, dialect)
    if data and not data.isspace():
        _note_shape(plan_id, document, tasks, file, notes, dialect)
    plan = Plan(
        id=plan_id,
        phase=phase,
        number=file.name.number,
        path=file.path,
        summary_path=file.summary_path,
        title=_title(front, file.name.slug, objective, document.body) or plan_id,
        objective=objective,
        order=file.name.order,
        declared_wave=declared_wave,
        wave=1 if declared_wave is None else declared_wave,
        depends_on=(),
        files=_edited(declared.paths, tasks, dialect),
        files_declared=declared.paths,
        autonomous=autonomous,
        gap_closure=_gap_closure(front, file.name.number),
        has_checkpoint=has_checkpoint,
        done=file.summary is not None,
        tasks=tasks,
        text=data or b"",
        type=values.text(front.get("type")) or "execute",
        domain=values.text(values.pick(front, dialect.keys.domain)).lower() or "general",
        agent=values.text(front.get("agent")) or None,
        requirements=values.requirement_ids(front.get("requirements")),
        must_haves=_must_haves(front),
        front=document.front,
        problems=tuple(notes.problems),
    )
    line = notes.line("depends_on", "depends-on") if raw else None
    return Reading(plan, tuple(raw), line)


def own_names(plan: Plan, dialect: Dialect) -> tuple[str, ...]:
    """What the plan calls itself in its front matter."""
    front = values.fold_keys(plan.front)
    names = (values.text(front.get(key)) for key in (*_NAMES, *dialect.keys.plan))
    return tuple(name for name in names if name)


def _note_content(data: bytes | None, document: Document, notes: _Notes) -> None:
    if data is None:
        notes.error("can't be read")
    elif not data or data.isspace():
        notes.error("is empty")
    elif b"\0" in data[:4000] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        notes.error("is no text file")
    elif "<<<<<<< " in document.raw and _CONFLICT.search(document.raw):
        notes.error("holds conflict markers in its front matter")


class _Notes:
    """Collects the problems of one file."""

    def __init__(self, path: str, document: Document, problems: list[Problem]) -> None:
        self.path = path
        self.document = document
        self.problems = problems

    def line(self, *keys: str) -> int | None:
        found = (self.document.line_of(key) for key in keys)
        return next((line for line in found if line is not None), None)

    def warn(self, message: str, *keys: str) -> None:
        self.problems.append(Problem(self.path, self.line(*keys), message))

    def error(self, message: str, *keys: str) -> None:
        self.problems.append(Problem(self.path, self.line(*keys), message, Severity.ERROR))


def _wave(front: Any, notes: _Notes, dialect: Dialect) -> int | None:
    found: dict[int, str] = {}
    for key in dialect.keys.wave:
        value = front.get(key)
        if values.is_nothing(value):
            continue
        number = values.leading_int(value)
        if number is None:
            notes.error(f"{key} '{values.text(value) or value}' is no number", key)
        else:
            found.setdefault(number, key)
    if len(found) > 1:
        both = " but ".join(f"{key} is {number}" for number, key in found.items())
        notes.error(f"{both}: which one counts is unclear", *found.values())
    return next(iter(found), None)


def _autonomous(front: Any, has_checkpoint: bool, notes: _Notes, dialect: Dialect) -> bool:
    """Whether neither the switch nor a task asks for a person; what is no switch asks for one."""
    value = values.switch(front.get("autonomous"), True)
    if value is None:
        notes.warn(f"autonomous '{values.text(front['autonomous'])}' is neither true nor false; "
                   "taken as false", "autonomous")  # fmt: skip
    elif value and has_checkpoint and "autonomous" in front:
        notes.warn(f"autonomous is true, but a task is a {dialect.words.checkpoint}; "
                   "taken as false", "autonomous")  # fmt: skip
    return bool(value) and not has_checkpoint


def _gap_closure(front: Any, number: str) -> bool:
    kind = values.text(front.get("type")).replace("-", "_")
    named = kind == "gap_closure" or number.lower().startswith("gap")
    return named or bool(values.switch(front.get("gap_closure"), False))


def _must_haves(front: Any) -> dict[str, Any]:
    """The mapping as it is; a plain list is truths, and the parts may stand at the top level."""
    value = front.get("must_haves")
    found = dict(value) if isinstance(value, dict) else {}
    if isinstance(value, list) and value:
        found = {"truths": value}
    for key in _MUST_HAVES:
        if key in front and key not in found:
            found[key] = front[key]
    return found


def is_planning_path(path: str, dialect: Dialect) -> bool:
    """Whether a path is a planning file, which the run itself or the plan's summary owns."""
    if path.startswith(dialect.root) and path[len(dialect.root) :][:1] in ("", "/"):
        return True
    if "/" in path:
        return False
    names = dialect.files
    owned = {name.lower() for name in (*names.state, *names.roadmap, *names.requirements)}
    stem = strip_suffix(path, names.summary)
    return path.lower() in owned or stem is not None


def _edited(
    declared: tuple[str, ...], tasks: tuple[Task, ...], dialect: Dialect
) -> tuple[str, ...]:
    every = dict.fromkeys(declared)
    for task in tasks:
        every.update(dict.fromkeys(task.files))
    return tuple(path for path in every if not is_planning_path(path, dialect))


def _objective(body: str, front: Any) -> str:
    """What the plan is for: its tag, its heading, its front matter, or its first paragraph."""
    return (
        section(body, "objective")
        or heading_section(body, _OBJECTIVE)
        or values.text(values.pick(front, ("objective", "goal", "description")))
        or _first_paragraph(body)
    )


def _first_paragraph(text: str) -> str:
    for block in re.split(r"\n[ \t]*\n", text):
        lines = [line for line in block.strip().splitlines() if not line.startswith(("#", "<"))]
        plain = "\n".join(lines).strip()
        if plain and not plain.startswith(("```", "---", "|", "~~~")):
            return plain
    return ""


def first_sentence(text: str) -> str:
    """The first sentence on one line, without Markdown's stars."""
    lines: list[str] = []
    for line in text.strip()[:_OPENING].splitlines():
        if not line.strip() or (lines and _NEW_THOUGHT.match(line)):
            break
        lines.append(line.strip())
    first = _SENTENCE_END.split("\n".join(lines), 1)[0]
    plain = _STARS.sub("", " ".join(first.split()))
    return _LIST_MARK.sub("", plain).rstrip(".:;, ")


def shorten(text: str, length: int) -> str:
    """The text, or its first words with an ellipsis."""
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:—–-") + "…"


def _title(front: Any, slug: str, objective: str, body: str) -> str:
    """The plan's name: said, or in the file name, or the objective's first sentence.

    A mark such as `FIX` in the file name says less than the objective.
    """
    said = values.text(front.get("title")) or values.text(front.get("name"))
    words = _DASHES.sub(" ", slug).strip()
    sentence = first_sentence(objective) if len(words) < _SHORTEST_NAME else ""
    named = said or sentence or words
    if not named:
        heading = re.search(r"^#[ \t]+(.+)$", body, re.MULTILINE)
        named = heading[1].strip() if heading else ""
    return shorten(named, _TITLE_LENGTH)


def _note_shape(
    plan_id: str,
    document: Document,
    tasks: tuple[Task, ...],
    file: PlanFile,
    notes: _Notes,
    dialect: Dialect,
) -> None:
    if not document.has_front:
        notes.warn(f"has no front matter: {dialect.words.wave} and files are unknown")
    if not tasks:
        notes.warn("has no <task>")
    if file.name.foreign:
        notes.warn(f"is named after {file.name.foreign}, but lies elsewhere; taken as {plan_id}")
    if not any(char.isdigit() for char in file.name.number):
        notes.warn(f"has no number in its name; taken as {plan_id}")
