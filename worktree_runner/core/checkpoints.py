"""An agent's structured stop: read from its file or its last words, and shown to a person.

- The prompt asks for `checkpoint.json`; it wins. Prose is the fallback, since models forget.
- Prose forms: `## CHECKPOINT REACHED`, `## GATE REACHED ⏸`, `## Checkpoint: [Type]` and
  `## Gate: [Type]`. The last such heading counts, and only if no completion heading
  (`## PLAN COMPLETE`, `## RUN COMPLETE ✓`) comes after it.
- Unknown kinds of checkpoint are treated as `human-verify`: a person looks at it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = ("human-verify", "decision", "human-action")
_HEADING = re.compile(r"^ {0,3}(#{1,4})[ \t]+(.+?)[ \t]*$", re.MULTILINE)
_REACHED = re.compile(r"^(checkpoint|gate)\s+reached\b", re.IGNORECASE)
_PRESENTED = re.compile(r"^(?:checkpoint|gate):\s*\[?([\w: -]+?)\]?$", re.IGNORECASE)
_COMPLETE = re.compile(r"^(plan|run)\s+complete\b", re.IGNORECASE)
_FIELD = re.compile(r"^\s*(?:[-*]\s+)?\*\*([^*\n]+?):?\*\*:?[ \t]*(.*)$", re.MULTILINE)
_TASK = re.compile(r"task\s+(\d+)", re.IGNORECASE)
_ROW = re.compile(r"^\s*\|(.+)\|\s*$", re.MULTILINE)
_OPTION = re.compile(
    r"^\s*(?:[-*]|\d+[.)])\s+(?:\*\*)?`?([\w-]+)`?(?:\*\*)?\s*(?::|—|–| - )\s*(.+)$"
)
_COMMIT = re.compile(r"^[0-9a-f]{7,64}$")
_APPROVALS = ("approved", "approve", "done", "yes", "y", "ok", "okay", "lgtm", "continue", "passed")


@dataclass(frozen=True, slots=True)
class CompletedTask:
    """A task that the agent says it has committed; git is asked whether that is so."""

    number: int
    name: str
    commit: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of a decision: what the user types, and what it means."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the agent waits for, and where a fresh attempt goes on."""

    type: str
    plan: str = ""
    progress: str = ""
    completed: tuple[CompletedTask, ...] = ()
    task_number: int | None = None
    task_name: str = ""
    status: str = ""
    blocked_by: str = ""
    details: str = ""
    awaiting: str = ""
    options: tuple[Option, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The form of `checkpoint.json`; `from_json` reads it back."""
        return asdict(self)


def read(final_text: str, file_text: str | None) -> Checkpoint | None:
    """The checkpoint that an attempt ended with: from its file, else from its last words."""
    if file_text is not None and (found := parse_json(file_text)):
        return found
    return parse_prose(final_text)


def parse_json(text: str) -> Checkpoint | None:
    """A checkpoint from `checkpoint.json`, or None if the text is not an object with a type."""
    try:
        data = json.loads(text)
    except ValueError:
        return None
    if not isinstance(data, dict) or not data.get("type"):
        return None
    return from_json(data)


def from_json(data: Mapping[str, Any]) -> Checkpoint:
    """A checkpoint from a mapping; missing or oddly typed parts become empty, never an error."""
    completed = tuple(
        CompletedTask(
            number=_number(row.get("number", row.get("task"))) or index,
            name=_text(row.get("name")),
            commit=_text(row.get("commit")),
            files=_texts(row.get("files")),
        )
        for index, row in enumerate(_mappings(data.get("completed")), 1)
    )
    options = tuple(
        Option(_text(row.get("id")), _text(row.get("text") or row.get("name")))
        for row in _mappings(data.get("options"))
    )
    return Checkpoint(
        type=_kind(_text(data.get("type"))),
        plan=_text(data.get("plan")),
        progress=_text(data.get("progress")),
        completed=completed,
        task_number=_number(data.get("task_number")),
        task_name=_text(data.get("task_name")),
        status=_text(data.get("status")),
        blocked_by=_text(data.get("blocked_by")),
        details=_text(data.get("details")),
        awaiting=_text(data.get("awaiting")),
        options=tuple(option for option in options if option.id),
    )


def parse_prose(text: str) -> Checkpoint | None:
    """A checkpoint from an agent's last message, or None if it does not end with one."""
    text = text.replace("\r\n", "\n")
    start, kind = None, ""
    for heading in _HEADING.finditer(text):
        title = heading[2]
        if _REACHED.match(title):
            start, kind = heading, ""
        elif presented := _PRESENTED.match(title):
            start, kind = heading, presented[1]
        elif _COMPLETE.match(title):
            start = None
    if start is None:
        return None
    body = text[start.end() :]
    head, sections = _sections(body)
    facts = _fields(head)
    current = sections.get("current task", "")
    task = _fields(current)
    number, name = _current_task(task)
    details = _section(sections, "checkpoint details", "gate details", "details")
    awaiting = _section(sections, "awaiting")
    return Checkpoint(
        type=_kind(facts.get("type") or kind),
        plan=facts.get("plan") or facts.get("run") or "",
        progress=facts.get("progress", "").removesuffix("complete").removesuffix("tasks ").strip(),
        completed=_completed(sections.get("completed tasks", "")),
        task_number=number,
        task_name=name,
        status=task.get("status", ""),
        blocked_by=task.get("blocked by", ""),
        details=details or _rest_of(head),
        awaiting=awaiting,
        options=_options(f"{details}\n{awaiting}") if _kind(facts.get("type") or kind) == "decision"
        else (),
    )  # fmt: skip


def is_approval(answer: str) -> bool:
    """Whether an answer says no more than 'go on'."""
    return answer.strip().rstrip(".!").lower() in _APPROVALS


def render_completed_table(completed: tuple[CompletedTask, ...]) -> str:
    """The table of finished tasks for a continuation prompt."""
    if not completed:
        return "(none: no task was finished)"
    rows = ["| Task | Name | Commit | Files |", "| --- | --- | --- | --- |"]
    rows += [
        f"| {task.number} | {_cell(task.name)} | {task.commit[:12] or '-'} "
        f"| {_cell(', '.join(task.files)) or '-'} |"
        for task in completed
    ]
    return "\n".join(rows)


def render_instructions(checkpoint: Checkpoint, answer: str, word: str = "checkpoint") -> str:
    """What the fresh agent does with the user's answer; `word` is the dialect's checkpoint."""
    name = f"task {checkpoint.task_number}" if checkpoint.task_number else "the current task"
    if checkpoint.type == "decision":
        return f"The user decided. Do {name} by this choice, then go on with the tasks after it."
    if checkpoint.type == "human-action":
        return (
            f"The user says the action of {name} is done. Verify that it is (a command, a file, "
            f"a login that works) before you go on; if it is not, raise the {word} again."
        )
    if is_approval(answer):
        return f"The user approved {name}. Go on with the next task."
    return (
        f"The user reports issues with {name}. Fix them first, commit the fix, and raise the same "
        f"{word} again so that they can look once more."
    )


def _sections(body: str) -> tuple[str, dict[str, str]]:
    """The text before the first sub-heading, and the texts under each by lower-case title."""
    headings = [h for h in _HEADING.finditer(body) if len(h[1]) > 2]
    if not headings:
        return body, {}
    ends = [*[h.start() for h in headings[1:]], len(body)]
    parts = {
        h[2].strip(": ").lower(): body[h.end() : end].strip()
        for h, end in zip(headings, ends, strict=True)
    }
    return body[: headings[0].start()], parts


def _section(sections: Mapping[str, str], *titles: str) -> str:
    return next((sections[title] for title in titles if title in sections), "")


def _fields(text: str) -> dict[str, str]:
    return {m[1].strip().lower(): m[2].strip() for m in _FIELD.finditer(text)}


def _rest_of(head: str) -> str:
    """What the presentation form says after its fields."""
    known = ("type", "plan", "run", "progress")
    kept = [
        line
        for line in head.splitlines()
        if not ((m := _FIELD.match(line)) and m[1].strip().lower() in known)
    ]
    return "\n".join(kept).strip()


def _current_task(fields: Mapping[str, str]) -> tuple[int | None, str]:
    for key, value in fields.items():
        if found := _TASK.match(key):
            return int(found[1]), value
    return None, ""


def _completed(text: str) -> tuple[CompletedTask, ...]:
    found = []
    for row in _ROW.finditer(text):
        cells = [cell.strip().strip("`") for cell in row[1].split("|")]
        number = _number(cells[0])
        if number is None or len(cells) < 2:
            continue
        commit = cells[2] if len(cells) > 2 and _COMMIT.match(cells[2]) else ""
        files = re.split(r",\s*|<br>", cells[3]) if len(cells) > 3 else []
        kept = (file.strip().strip("`") for file in files)
        found.append(CompletedTask(number, cells[1], commit, tuple(f for f in kept if f)))
    return tuple(found)


def _options(text: str) -> tuple[Option, ...]:
    found = (_OPTION.match(line) for line in text.splitlines())
    return tuple(Option(m[1], m[2].strip().strip("*")) for m in found if m)


def _kind(text: str) -> str:
    kind = re.sub(r"[\s_]+", "-", text.strip().strip("[]`").lower()).removeprefix("checkpoint:")
    kind = {"verify": "human-verify", "verification": "human-verify", "action": "human-action",
            "human-verification": "human-verify"}.get(kind, kind)  # fmt: skip
    return kind if kind in KINDS else "human-verify"


def _number(value: object) -> int | None:
    found = re.search(r"\d+", str(value)) if value is not None else None
    return int(found[0]) if found else None


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()


def _mappings(value: object) -> list[Mapping[str, Any]]:
    # a tuple is what `as_json` gives before it has been through a file
    rows = value if isinstance(value, list | tuple) else ()
    return [row for row in rows if isinstance(row, dict)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
