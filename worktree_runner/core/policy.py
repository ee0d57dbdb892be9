"""The settings by which a run is decided."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decide; everything else is mechanics."""

    max_parallel: int = 3
    interactive: bool = False
    on_failure: str = "ask"
    on_conflict: str = "ask"
    merge_order: str = "plan"
    resolve: str = "proven"
    checkout_merge: bool = False
    max_cost: float | None = None
    max_tokens: int | None = None
    min_plans_for_parallel: int = 2
    plan_word: str = "plan"
    wave_word: str = "wave"
    verify: bool = True
    """Whether the phase's goal is verified at all."""
    verifier: str = ""
    """The agent that verifies; empty: none is started, and only a report that is there counts."""

    @property
    def tests_resolutions(self) -> bool:
        return self.resolve == "tested"
