"""The prompts of every role, from plain values through the templates beside this module.

- Plan texts, documents and answers are values and never templates: `{{` in a plan stays.
- Only paths inside the worktree appear, and the few outside that the agent must know (its
  checkpoint file); the main worktree is never named.
- Plan, state and configuration are pasted where the dialect's own workflow pastes them, and
  where the worktree lacks them; otherwise they are named by path.
- The same facts give the same bytes.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import jinja2

from worktree_runner.core import checkpoints
from worktree_runner.core.checkpoints import Checkpoint, CompletedTask
from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import Plan


@dataclass(frozen=True, slots=True)
class Document:
    """A document that the plan refers to and that lies outside the worktree, with its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class References:
    """What a plan's `@` references came to; see `worktree_runner.agents.references`."""

    read: tuple[str, ...] = ()
    """Paths in the worktree that are there."""
    absent: tuple[str, ...] = ()
    """As written, where nothing was found."""
    documents: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Reserved:
    """A pattern that another plan holds exclusively."""

    pattern: str
    holder: str


@dataclass(frozen=True, slots=True)
class EarlierWork:
    """What an attempt did whose work conflicts with what has landed, or fails the gate on it."""

    paths: tuple[str, ...] = ()
    """The files in conflict."""
    diff: str = ""
    cut: bool = False
    """Whether the diff is longer than what is shown."""
    gate: str = ""
    """The end of the gate's output, where that is what kept the work from landing."""


@dataclass(frozen=True, slots=True)
class PromptFacts:
    """What every prompt of a plan is made of; all paths but `worktree` and
    `checkpoint_file` are repository paths."""

    dialect: Dialect
    plan: Plan
    worktree: str
    branch: str
    base: str
    phase_name: str = ""
    phase_dir: str = ""
    """The phase directory's own name (`03-api`), for the summary's front matter."""
    checkpoint_file: str = ""
    plan_in_worktree: bool = True
    commit_docs: bool = True
    state_path: str = ""
    """Empty: there is none in the worktree, or it is given as text."""
    state_text: str | None = None
    decisions: tuple[str, ...] = ()
    """The state's latest decisions, which bind the agent."""
    concerns: tuple[str, ...] = ()
    """The state's blockers and concerns."""
    config_path: str = ""
    config_text: str | None = None
    finished: tuple[tuple[str, str], ...] = ()
    """(id, summary path) of the plans that this one depends on."""
    references: References = References()
    reserved: tuple[Reserved, ...] = ()
    reserve_command: str = ""
    """`wtrun reserve`, where the agent can run it."""
    earlier: EarlierWork | None = None
    guide: str = ""
    """Path of the guide for the plan's domain."""
    instructions: str = ""
    """The user's own words for this role."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """What a fresh attempt has to know about the earlier ones."""

    completed: tuple[CompletedTask, ...] = ()
    commits: tuple[tuple[str, str], ...] = ()
    """(commit, subject) since the base, oldest first, as git has them."""
    dirty: tuple[str, ...] = ()
    checkpoint: Checkpoint | None = None
    answer: str = ""
    reason: str = ""
    """Without a checkpoint: why the earlier attempt ended, in one sentence."""
    resume_task: int | None = None
    resume_name: str = ""


@dataclass(frozen=True, slots=True)
class VerifierFacts:
    """What the verifier of a phase is told."""

    dialect: Dialect
    phase: str
    phase_path: str
    worktree: str
    goal: str
    plans: tuple[Plan, ...]
    verification_path: str
    now: str
    phase_name: str = ""
    requirements: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    """Must-haves of the plans that a look into the tree has not found."""
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class ConflictFacts:
    """What an agent is told that may resolve a conflict in a worktree with markers."""

    dialect: Dialect
    plan: Plan
    worktree: str
    branch: str
    target: str
    ours_title: str
    conflicts: tuple[tuple[str, str], ...]
    """(path, the hunks as text with markers and some context)."""
    ours_objective: str = ""
    instructions: str = ""


def render_executor(facts: PromptFacts) -> str:
    """The prompt of a plan's first attempt."""
    return _render("executor.md", _plan_values(facts))


def render_continuation(facts: PromptFacts, resumption: Resumption) -> str:
    """The prompt of a fresh attempt after a checkpoint's answer, a crash or a retry."""
    return _render("continuation.md", {**_plan_values(facts), **_standing(facts, resumption)})


def render_resumed(facts: PromptFacts, resumption: Resumption) -> str:
    """What the agent's own session is told after a checkpoint's answer, a crash or a retry."""
    return _render("resumed.md", {**_plan_values(facts), **_standing(facts, resumption)})


def _standing(facts: PromptFacts, resumption: Resumption) -> dict[str, Any]:
    """What both say about the earlier attempts."""
    stop, word = resumption.checkpoint, facts.dialect.words.checkpoint
    return {
        "completed_table": checkpoints.render_completed_table(resumption.completed),
        "commits": resumption.commits,
        "dirty": resumption.dirty,
        "checkpoint": stop,
        "answer": resumption.answer,
        "checkpoint_instructions": (
            checkpoints.render_instructions(stop, resumption.answer, word) if stop else ""
        ),
        "reason": resumption.reason
        or ("" if stop else "The earlier attempt ended before it was done."),
        "resume_task": resumption.resume_task,
        "resume_name": resumption.resume_name,
    }


def render_verifier(facts: VerifierFacts) -> str:
    """The prompt that has the phase's goal verified."""
    dialect = facts.dialect
    return _render(
        "verifier.md",
        {
            "w": dialect.words,
            "phase": facts.phase,
            "phase_name": facts.phase_name,
            "phase_path": facts.phase_path,
            "phase_dir": facts.phase_path.rpartition("/")[2],
            "phase_key": dialect.keys.phase[0],
            "worktree": facts.worktree,
            "goal": facts.goal,
            "requirements": facts.requirements,
            "plans": [
                (plan.id, plan.title, plan.path, plan.summary_path, _truths(plan))
                for plan in facts.plans
            ],
            "verification_path": facts.verification_path,
            "now": facts.now,
            "absent": facts.absent,
            "instructions": facts.instructions.strip(),
        },
    )


def render_conflict(facts: ConflictFacts) -> str:
    """The prompt that has conflict markers in a worktree resolved."""
    return _render(
        "conflict.md",
        {
            "w": facts.dialect.words,
            "plan_id": facts.plan.id,
            "title": facts.plan.title,
            "objective": facts.plan.objective.strip(),
            "worktree": facts.worktree,
            "branch": facts.branch,
            "target": facts.target,
            "ours_title": facts.ours_title,
            "ours_objective": facts.ours_objective.strip(),
            "conflicts": facts.conflicts,
            "instructions": facts.instructions.strip(),
        },
    )


def task_message(dialect: Dialect, plan: Plan) -> str:
    """The form of a task's commit message with everything filled in but type and name."""
    return dialect.commits.task.format(
        type="<type>", phase=plan.phase, plan=plan.number, name="<task name>"
    )


def plan_message(dialect: Dialect, plan: Plan) -> str:
    """The message of the plan's one metadata commit."""
    name = " ".join(plan.title.split()) or plan.id
    return dialect.commits.plan.format(phase=plan.phase, plan=plan.number, name=name)


def _fence(text: str) -> str:
    """A code fence that nothing in the text ends."""
    longest = max((len(run) for run in re.findall(r"^\s*(`+)", text, re.MULTILINE)), default=0)
    return "`" * max(3, longest + 1)


def _plan_values(facts: PromptFacts) -> dict[str, Any]:
    plan, dialect = facts.plan, facts.dialect
    paste = dialect.paste or not facts.plan_in_worktree
    references = facts.references
    return {
        "w": dialect.words,
        "plan_id": plan.id,
        "plan_number": plan.number,
        "title": plan.title or plan.id,
        "phase": plan.phase,
        "phase_name": facts.phase_name,
        "phase_dir": facts.phase_dir or plan.phase,
        "phase_key": dialect.keys.phase[0],
        "plan_key": dialect.keys.plan[0],
        "worktree": facts.worktree,
        "branch": facts.branch,
        "base": facts.base,
        "plan_path": plan.path,
        "plan_text": plan.text.decode(errors="replace").strip() if paste else None,
        "plan_in_worktree": facts.plan_in_worktree,
        "summary_path": plan.summary_path,
        "commit_docs": facts.commit_docs,
        "task_message": task_message(dialect, plan),
        "plan_message": plan_message(dialect, plan),
        "state_path": facts.state_path,
        "state_text": _stripped(facts.state_text),
        "decisions": facts.decisions,
        "concerns": facts.concerns,
        "config_path": facts.config_path,
        "config_text": _stripped(facts.config_text),
        "finished": facts.finished,
        "earlier": facts.earlier,
        "earlier_fence": _fence(facts.earlier.diff + facts.earlier.gate) if facts.earlier else "",
        "domain": plan.domain,
        "guide": facts.guide,
        "read": references.read,
        "absent": references.absent,
        "documents": [(document.name, document.text.strip()) for document in references.documents],
        "owned": [f"`{path}`" for path in dialect.owned()],
        "reserved": [(item.pattern, item.holder) for item in facts.reserved],
        "reserve_command": facts.reserve_command,
        "declared": plan.files,
        "requirements": plan.requirements,
        "checkpoint_file": facts.checkpoint_file,
        "instructions": facts.instructions.strip(),
    }


def _truths(plan: Plan) -> list[str]:
    found = plan.must_haves.get("truths", ())
    return (
        [" ".join(str(text).split()) for text in found] if isinstance(found, list | tuple) else []
    )


def _stripped(text: str | None) -> str | None:
    return None if text is None else text.strip()


def _render(template: str, values: dict[str, Any]) -> str:
    text = _environment().get_template(template).render(values)
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(lines).strip() + "\n"


@cache
def _environment() -> jinja2.Environment:
    folder = resources.files("worktree_runner.core").joinpath("templates")
    sources = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()
               if file.name.endswith(".md")}  # fmt: skip
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(sources),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # prompts are text for a model; nothing here becomes a web page
    )
    environment.filters["quoted"] = lambda text: textwrap.indent(text.strip(), "> ", lambda _: True)
    environment.filters["indented"] = lambda text: textwrap.indent(text.rstrip(), "    ")
    return environment
