"""A new summary in the dialect's form, for agents that write none themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from worktree_runner.core.docs.front import plain_scalar
from worktree_runner.core.docs.refs import plain_token
from worktree_runner.dialects.schema import Dialect


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task that was done: its commit (full or short id, empty if nothing changed) and type."""

    number: int
    name: str
    commit: str = ""
    type: str = "feat"


@dataclass(frozen=True, slots=True)
class SummaryFacts:
    """What a summary is made of. `phase` is the directory's name (`03-api`), `plan` the number."""

    phase: str
    token: str
    plan: str
    name: str
    one_liner: str
    tasks: tuple[TaskResult, ...]
    created: tuple[str, ...]
    modified: tuple[str, ...]
    removed: tuple[str, ...] = ()
    duration: str = ""
    completed: str = ""
    decisions: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    issues: tuple[str, ...] = ()
    deviations: tuple[str, ...] = ()
    next_steps: str = ""
    missing: tuple[str, ...] = ()
    """What the self-check looked for and did not find; the verdict is FAILED if there is any."""


def render_summary(facts: SummaryFacts, dialect: Dialect) -> bytes:
    """The document as UTF-8 with a final newline; `parse_summary` gives the facts back."""
    lines = [*_front(facts, dialect), "", *_head(facts, dialect)]
    lines += _section("Accomplishments", [f"- {task.name}" for task in facts.tasks])
    lines += _section("Task Commits", [_commit(task) for task in facts.tasks])
    lines += _section("Files Created/Modified", _files(facts))
    lines += _section("Decisions Made", [f"- {text}" for text in facts.decisions])
    word = dialect.words.deviations.capitalize()
    lines += _section(
        f"{word} from {dialect.words.plan.capitalize()}", [f"- {t}" for t in facts.deviations]
    )
    lines += _section("Issues Encountered", [f"- {text}" for text in facts.issues])
    if facts.next_steps:
        lines += _section(f"Next {dialect.words.phase.capitalize()} Readiness", [facts.next_steps])
    lines += _self_check(facts)
    return ("\n".join(lines) + "\n").encode()


def _front(facts: SummaryFacts, dialect: Dialect) -> list[str]:
    keys = dialect.keys
    return [
        "---",
        f"{keys.phase[0]}: {plain_scalar(facts.phase)}",
        f"{keys.plan[0]}: {plain_scalar(facts.plan)}",
        "key-files:",
        *_items("created", facts.created, indent="  "),
        *_items("modified", facts.modified, indent="  "),
        *_items("key-decisions", facts.decisions),
        *_items("requirements-completed", facts.requirements),
        f"duration: {plain_scalar(facts.duration)}",
        f"completed: {facts.completed}",
        "---",
    ]


def _items(key: str, values: Sequence[str], *, indent: str = "") -> list[str]:
    if not values:
        return [f"{indent}{key}: []"]
    return [f"{indent}{key}:", *(f"{indent}  - {plain_scalar(value)}" for value in values)]


def _head(facts: SummaryFacts, dialect: Dialect) -> list[str]:
    words = dialect.words
    phase, plan = words.phase.capitalize(), words.plan.capitalize()
    kind = words.summary.capitalize()
    title = f"# {phase} {plain_token(facts.token)} {plan} {facts.plan}: {facts.name} {kind}"
    files = len({*facts.created, *facts.modified, *facts.removed})
    return [
        title,
        "",
        f"**{_one_line(facts.one_liner)}**",
        "",
        "## Performance",
        "",
        f"- **Duration:** {facts.duration}",
        f"- **Completed:** {facts.completed}",
        f"- **Tasks:** {len(facts.tasks)}",
        f"- **Files changed:** {files}",
    ]


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *(lines or ["None"])]


def _commit(task: TaskResult) -> str:
    commit = f"`{task.commit[:10]}` ({task.type})" if task.commit else "no change"
    return f"{task.number}. **Task {task.number}: {_one_line(task.name)}** - {commit}"


def _files(facts: SummaryFacts) -> list[str]:
    kinds = (("created", facts.created), ("modified", facts.modified), ("removed", facts.removed))
    return [f"- `{path}` - {kind}" for kind, paths in kinds for path in paths]


def _self_check(facts: SummaryFacts) -> list[str]:
    if not facts.missing:
        return ["", "## Self-Check: PASSED"]
    return ["", "## Self-Check: FAILED", "", *(f"- {text}" for text in facts.missing)]


def _one_line(text: str) -> str:
    return " ".join(text.split())
