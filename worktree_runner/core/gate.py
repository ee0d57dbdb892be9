"""What a run of the gate says about a commit: values and the rules of judging, pure.

- Only exit code 0 is green by itself. A run that took too long, or that was lost twice, is
  inconclusive: never green.
- Where the runner reports its tests (pytest), a red run whose failed tests all failed on the
  baseline too brings nothing new and counts as green; a run that found no tests, like the
  baseline, is empty: no reason against a merge, and no evidence for a tested resolution.
- A baseline that is red in any other way is no gate: it can't tell one plan from another.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from worktree_runner.core.texts import clean_line, duration, listing

NO_TESTS = 5
"""pytest's exit code where it found no tests."""
TESTS_FAILED = 1
"""pytest's exit code where tests failed, and nothing else went wrong."""


class Verdict(StrEnum):
    """What a commit may do after its gate. In journals: add-only."""

    GREEN = "green"
    EMPTY = "empty"
    RED = "red"
    INCONCLUSIVE = "inconclusive"

    @property
    def lets_land(self) -> bool:
        return self in (Verdict.GREEN, Verdict.EMPTY)


def shown(command: Sequence[str]) -> str:
    """The command as a person types it."""
    if tuple(command[:2]) == ("sh", "-c") and len(command) == 3:
        return clean_line(command[2])
    return clean_line(shlex.join(command))


class Purpose(StrEnum):
    """Why the gate ran. The last two are counted apart. In journals: add-only."""

    BATCH = "batch"
    """The whole batch."""
    SEARCH = "search"
    """A prefix of a batch that was not green, to find the first plan that makes it so."""
    AGAIN = "again"
    """The guilty verdict once more: the gate may be flaky."""
    BASELINE = "baseline"
    """What the batch stands on, to know whether the gate can be green at all."""


class Ended(StrEnum):
    """How a run of the gate came to its end. In journals: add-only."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    NOT_STARTED = "not_started"
    """The program is not there, or the worktree could not be made ready for it."""
    STOPPED = "stopped"
    """The run was interrupted; it is run again."""
    LOST = "lost"
    """Its process was killed from outside; what it would have said is unknown."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run of the gate on one commit."""

    ended: Ended = Ended.EXITED
    code: int | None = 0
    failed: tuple[str, ...] | None = None
    """Failed tests by name; None where the runner does not report them."""
    seconds: float = 0.0
    log: str = ""
    why: str = ""
    """What kept it from starting."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Result:
        failed = data.get("failed")
        return cls(
            Ended(data.get("ended", Ended.EXITED)),
            data.get("code"),
            None if failed is None else tuple(failed),
            float(data.get("seconds") or 0.0),
            str(data.get("log", "")),
            str(data.get("why", "")),
        )

    @property
    def found_no_tests(self) -> bool:
        """Whether the runner reports that there was nothing to run."""
        return self.ended is Ended.EXITED and self.code == NO_TESTS and self.failed == ()

    def in_words(self, limit: int = 3) -> str:
        """`exit code 1, failed: test_a and test_b`."""
        match self.ended:
            case Ended.TIMED_OUT:
                return f"no end after {duration(self.seconds)}"
            case Ended.NOT_STARTED:
                return clean_line(self.why, 300) or "it could not be started"
            case Ended.LOST | Ended.STOPPED:
                return "its process was ended from outside"
        if self.found_no_tests:
            return f"no tests were found (exit code {self.code})"
        text = f"exit code {self.code}"
        if self.failed:
            names = [clean_line(name, 120) for name in self.failed]
            text += f", failed: {listing(names, limit=limit)}"
        return text


def judge(result: Result, baseline: Result | None = None) -> Verdict:
    """What the result means for its commit; without a baseline only the exit code counts."""
    if result.ended in (Ended.TIMED_OUT, Ended.LOST, Ended.STOPPED):
        return Verdict.INCONCLUSIVE
    if result.ended is Ended.EXITED and result.code == 0:
        return Verdict.GREEN
    if baseline is None or result.failed is None or baseline.failed is None:
        return Verdict.RED
    if result.code == NO_TESTS == baseline.code:
        return Verdict.EMPTY
    known = result.code == TESTS_FAILED == baseline.code
    if known and result.failed and set(result.failed) <= set(baseline.failed):
        return Verdict.GREEN
    return Verdict.RED


def why_it_lands(result: Result) -> str:
    """Why a commit may land though its gate did not end with 0; empty where it did."""
    if result.found_no_tests:
        return "the check finds no tests, before the merge and after it: what lands is not tested"
    if result.code != 0 and result.failed:
        return (
            f"{listing([clean_line(name, 120) for name in result.failed], limit=5)} failed before "
            "the merge too, so that is no reason against it"
        )
    return ""


def is_usable(baseline: Result) -> bool:
    """Whether a gate that ends like this before any plan can tell good from bad."""
    if baseline.ended is not Ended.EXITED:
        return False
    if baseline.code == 0:
        return True
    if baseline.failed is None:
        return False
    return baseline.code == NO_TESTS or (baseline.code == TESTS_FAILED and bool(baseline.failed))
