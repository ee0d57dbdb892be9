"""What a run can be told to do next: values that core decides on and operations perform.

`core.schedule` chooses among the actions of a run, `core.queue` among the steps of its batch.
"""

from __future__ import annotations

from dataclasses import dataclass

from worktree_runner.core.gate import Purpose, Verdict
from worktree_runner.errors import ExitCode

# --- steps of the merge queue's batch --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunGate:
    """Run the gate on this commit of the batch."""

    candidate: str
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class TurnOff:
    """There is no usable gate: say so once, and go on without."""

    reason: str
    """What the baseline said, in words."""


@dataclass(frozen=True, slots=True)
class Land:
    """Move the tip to the commit of the batch that holds its first `upto` plans."""

    upto: int


@dataclass(frozen=True, slots=True)
class Reject:
    """Take this plan out of the queue; with `tested`, only its tested resolutions are undone."""

    plan: str
    commit: str
    verdict: Verdict
    tested: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """The batch is done; what is left of it is still queued."""

    why: str = ""


Step = RunGate | TurnOff | Land | Reject | Close


# --- actions of a run ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """Begin an attempt of this plan."""

    plan: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Go on with an attempt that was planned and that a crash kept from being started."""

    plan: str


@dataclass(frozen=True, slots=True)
class Judge:
    """Look at what an ended attempt left and say whether the plan is finished."""

    plan: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge this plan's head into the tip."""

    plan: str


@dataclass(frozen=True, slots=True)
class Prepare:
    """Merge these plans onto each other as far as they go, as a batch for the gate."""

    plans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advance:
    """Do what the batch at hand needs next."""

    step: Step


@dataclass(frozen=True, slots=True)
class Settle:
    """Treat this plan's conflict as `on_conflict` says."""

    plan: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave this plan out, because of these plans."""

    plan: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """Put this plan's failure, checkpoint or conflict to the user."""

    plan: str


@dataclass(frozen=True, slots=True)
class Verify:
    """Bring the verification of the phase's goal one step on."""


@dataclass(frozen=True, slots=True)
class AskGoal:
    """Put to the user what only a person can say about the phase's goal."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Start no further plan; `by` is what a person has to look after."""

    reason: str
    by: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Something runs, or its time has not come; look again when it has ended, and then."""

    until: float | None = None


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is left to do; end with this code."""

    code: ExitCode


Action = (
    Start
    | Begin
    | Judge
    | Merge
    | Prepare
    | Advance
    | Settle
    | Skip
    | Ask
    | Verify
    | AskGoal
    | Stop
    | Wait
    | Finish
)
