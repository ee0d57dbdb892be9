"""One `wtrun execute` at work: the values and gateways that every step of a run needs.

- `record` is the only way to change anything: it appends an event, folds it into the state and
  narrates it. Whatever isn't recorded is gone after a crash, and must be allowed to be.
- Only the main thread records. Worker threads hand their results to the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from merge.types import Choice, ChoiceKind
from worktree_runner.agents.protocol import Agent
from worktree_runner.core.events import Event, Type
from worktree_runner.core.fold import apply, fold
from worktree_runner.core.policy import Policy
from worktree_runner.core.state import PlanState, RunState
from worktree_runner.dialects.schema import Dialect, Words
from worktree_runner.git.repository import Repository
from worktree_runner.models import Phase, Plan
from worktree_runner.operations.context.agent_choice import load_agent
from worktree_runner.operations.context.run_mail import RunMail
from worktree_runner.store.agents import Agent as MailAgent
from worktree_runner.store.journal import Journal
from worktree_runner.store.paths import RunFolder
from worktree_runner.store.settings import Settings
from worktree_runner.ui.ask import Asker
from worktree_runner.ui.console import Screen
from worktree_runner.ui.narrate import Narrator


@dataclass
class Session:
    """A run that is open for work. `state` is always the fold of `journal.events`."""

    repository: Repository
    dialect: Dialect
    settings: Settings
    policy: Policy
    journal: Journal
    folder: RunFolder
    phase: Phase
    screen: Screen
    asker: Asker
    narrator: Narrator
    mail: RunMail
    state: RunState = field(init=False)
    programs: dict[str, Agent] = field(default_factory=dict)
    """The coding agents that were needed so far, by name."""

    def __post_init__(self) -> None:
        self.state = fold(self.journal.events)

    def record(self, type: str, plan: str | None = None, **data: Any) -> Event:
        """Appends an event, moves the state on and tells the user."""
        if self.journal.mend():
            self.record(
                Type.NOTICE, text=f"another program changed {self.journal.path}; written anew"
            )
        event = self.journal.append(type, plan, **data)
        before = self.state
        self.state = apply(self.state, event)
        self.narrator.tell(event, before, self.state)
        return event

    def has_said(self, text: str) -> bool:
        """Whether the run has told the user exactly this of itself."""
        said = (one for one in self.journal.events if one.type == Type.NOTICE and not one.plan)
        return any(one.data.get("text") == text for one in said)

    def plan(self, plan_id: str) -> Plan:
        """The plan file's values, as the run's base has them."""
        return next(plan for plan in self.phase.plans if plan.id == plan_id)

    def of(self, plan_id: str) -> PlanState:
        return self.state.plans[plan_id]

    def agent(self, name: str) -> Agent:
        """The coding agent of that name, with the settings for it; UsageError if there is none."""
        if name not in self.programs:
            self.programs[name] = load_agent(self.settings, name)
        return self.programs[name]

    def agent_of(self, plan: PlanState) -> Agent:
        """The agent of the plan's present attempt."""
        return self.agent(plan.agent)

    @property
    def words(self) -> Words:
        """The dialect's own, for everything that is said."""
        return self.dialect.words

    @property
    def tip_ref(self) -> str:
        return f"refs/wtrun/runs/{self.state.id}/tip"

    def correspondent(self, plan: PlanState) -> MailAgent:
        """Who the plan's present attempt is in the mailbox."""
        n = max(plan.attempt, 1)  # one that never started has a first attempt's name
        return self.mail.agent(plan.id, n, plan.agent or plan.program, self.settings.model or "")

    def attempt_folder(self, plan_id: str) -> Path:
        """The folder of the plan's present attempt."""
        return self.folder.attempt(plan_id, self.of(plan_id).attempt)


def choices_of(plan: PlanState) -> tuple[Choice, ...]:
    """The user's answers for the plan's conflicts, as the merge engine takes them."""
    return choices_from_json(plan.choices)


def choices_from_json(items: Iterable[Mapping[str, Any]]) -> tuple[Choice, ...]:
    """Choices as `choice_to_json` wrote them."""
    import base64

    return tuple(
        Choice(
            path=item["path"],
            kind=ChoiceKind(item["kind"]),
            fingerprint=item["fingerprint"],
            hunk=item.get("hunk"),
            whole=bool(item.get("whole", False)),
            content=base64.b64decode(item.get("content", "")),
        )
        for item in items
    )


def choice_to_json(choice: Choice) -> dict[str, Any]:
    """A choice as it stands in the journal."""
    import base64

    return {
        "path": choice.path,
        "kind": str(choice.kind),
        "fingerprint": choice.fingerprint,
        "hunk": choice.hunk,
        "whole": choice.whole,
        "content": base64.b64encode(choice.content).decode(),
    }
