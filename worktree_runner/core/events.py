"""What a run's journal can hold. Types are for ever: never rename or reuse one.

- An event records an intent, a decision or something seen; git holds the commits themselves.
- `plan` is the plan's id where the event is about one. Payload values are plain JSON.
- Readers ignore payload keys that they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

VERSION = 1


class Type(StrEnum):
    """Event types with their payloads."""

    RUN_STARTED = "run.started"
    """phase, directory, call (what names the phase in a command), dialect, target, base, planning
    ("tracked" or "ignored"), agent, options, covers (whether the phase is done with these plans),
    plans: list of {id, path, summary, title, wave, lane, depends_on, order, autonomous, agent},
    words: the dialect's for plan and plans"""
    RUN_RESUMED = "run.resumed"
    """pid, host; agent: the program that the user named for all further attempts; now: the user
    waits no longer for quotas, rate limits and retries"""
    RUN_PAUSED = "run.paused"
    """code, reason: something waits for a person or was interrupted; `execute` goes on"""
    RUN_FINISHED = "run.finished"
    """code, given_up: nothing is left to do here; `execute` starts a new run"""
    RUN_STOPPING = "run.stopping"
    """reason, by ("executor", "budget" or nothing), hint: no further plan is started"""

    ATTEMPT_PLANNED = "attempt.planned"
    """n, branch, worktree, base, agent, fresh, resume (a session's id): before anything is made"""
    ATTEMPT_READY = "attempt.ready"
    """n, untracked: worktree made, base asserted, provisioned"""
    ATTEMPT_STARTED = "attempt.started"
    """n, pid, start_time, host, folder"""
    ATTEMPT_STALLED = "attempt.stalled"
    """n, seconds, first (it never said anything at all): it is about to be ended for that"""
    ATTEMPT_ENDED = "attempt.ended"
    """n, exit_code, reason: "exited", "timed_out", "stalled", "stopped", "lost"; outcome of the
    agent"""

    ATTEMPT_BREACHED = "attempt.breached"
    """n, findings: list of {kind, subject, text, before, after}: what the audit holds against it"""
    BREACH_SETTLED = "breach.settled"
    """answer: "accept", "drop", "fail" or "put-back"; refs: names that were put back"""

    PLAN_FINISHED = "plan.finished"
    """n, head, commits, notes, drop: the evidence is complete; waits to be merged without the
    changes to the paths of `drop`"""
    PLAN_FAILED = "plan.failed"
    """n, reason, hint, log"""
    FAILURE_ACCEPTED = "failure.accepted"
    """The user goes on without the failed plan; what depends on it is skipped"""
    PLAN_RETRIED = "plan.retried"
    """why, fresh: a failed or skipped plan may start again; earlier: {branch, base, head, paths} of
    the attempt whose work is in conflict, when that is why. Where the run decided that itself:
    kind of the failure, counted (whether it uses up one of the tries), not_before and back_at
    (when a quota is back), both in seconds of the calendar"""
    PLAN_SKIPPED = "plan.skipped"
    """because: plan ids or a word of the user; by: "user" if it is to stay out of this run"""
    PLAN_ASKED = "plan.asked"
    """n, checkpoint: the agent stopped for a person, or (type "breach", with paths and what the
    plan is to become: finished or failed) the audit found that it left its own ground"""
    PLAN_ANSWERED = "plan.answered"
    """answer, text"""
    PLAN_DEFERRED = "plan.deferred"
    """why: the question about the plan is left open; it is not asked again before a resume"""

    CONFLICTS_FORESEEN = "conflicts.foreseen"
    """pairs: list of {plans (two), paths, settled} in conflict as branches stand; new: those of
    them, with the paths, that were not there before"""
    MERGE_CHOSEN = "merge.chosen"
    """head, tip: the order of merges as it was taken"""
    MERGE_CONFLICTED = "merge.conflicted"
    """head, tip, paths: list of {path, kind, why, fingerprint}, report; refused: why a tested
    resolution was undone"""
    MERGE_ANSWERED = "merge.answered"
    """choices: list of {path, kind, fingerprint, hunk, whole, content (base64)}"""
    MERGE_DRAFTED = "merge.drafted"
    """choices: answers given and not confirmed; they replace an earlier draft"""
    MERGE_PREPARED = "merge.prepared"
    """head, tip, tree, worktree: the merge is about to be set up there, for an editor"""
    MERGE_PUT_BACK = "merge.put_back"
    """kept: the worktree is the plan's again; the ref that keeps what was edited, or empty"""
    MERGE_REOPENED = "merge.reopened"
    """head, by_hand: the plan's branch was changed by hand, these paths were in conflict, and it
    is to be merged again"""
    RESOLUTION_UNDONE = "resolution.undone"
    """path: whatever settled it in this plan's merge, a person is to decide it"""
    RESOLUTION_REPLACED = "resolution.replaced"
    """path, tip (before), commit, resolution: a person decided it after the plan had landed"""
    MERGE_LANDED = "merge.landed"
    """head, tip (before), candidate, commit, resolutions, notices"""

    MERGE_REJECTED = "merge.rejected"
    """head, candidate, verdict, reason, log: the gate is not green with the plan; its work stays"""

    ORDER_REFUSED = "merge.order_refused"
    """batch, head, tip: likely insertions were red in the first order; that closes the batch, and
    the other order is tried"""

    GATE_CHOSEN = "gate.chosen"
    """command, origin, off: what merges are checked with, or why they are not"""
    GATE_OFF = "gate.off"
    """reason: the gate is not usable before any plan; merges go on unchecked"""
    GATE_STARTED = "gate.started"
    """n, candidate, purpose, tip, plans: before its worktree is made ready and its process starts;
    the candidate holds the plans, on top of the tip"""
    GATE_ENDED = "gate.ended"
    """n, candidate, purpose, verdict, ended, code, failed, seconds, log, why"""
    QUEUE_PREPARED = "queue.prepared"
    """batch, tip, entries: list of {plan, head, commit, resolutions, notices, tested,
    order}"""
    QUEUE_CLOSED = "queue.closed"
    """batch, why, empty: whether no finished plan is left to merge"""

    VERIFY_CHECKED = "verify.checked"
    """tip, present, missing, loose (both texts), unclear: the plans' must-haves looked up in the
    tip; found: the path of a report that is there already, empty if none counts"""
    VERIFY_STARTED = "verify.started"
    """n, base, agent, branch, worktree, report: before the verifier's worktree is made"""
    VERIFY_ENDED = "verify.ended"
    """n, exit_code, reason ("exited", "timed_out", "stopped", "lost", "not_started"), outcome of
    the agent"""
    VERIFY_FAILED = "verify.failed"
    """n, reason: the verifier left no report that counts; the phase's goal stays unverified"""
    VERIFY_REPORTED = "verify.reported"
    """n (0: the report was there already), report, copy (in the run's folder), status (what
    follows from it), stated, score, gaps, human, concerns (why it is not taken at its word),
    accept (whether the user is asked to accept what passed)"""
    VERIFY_ANSWERED = "verify.answered"
    """about ("goal" or "acceptance"), answer ("approved", "issues", "later" or, for acceptance that
    is not asked for any more, "waived"), text"""

    PUBLISHED = "target.published"
    """old, new"""
    PUBLISH_HELD = "target.held"
    """reason, paths, hint"""
    TARGET_MOVED = "target.moved"
    """at: the target has commits that the tip lacks; they are to be merged in and checked"""
    TARGET_REFUSED = "target.refused"
    """at, reason: the moved target can't be merged in, or the gate is not green with it"""
    TARGET_MERGED = "target.merged"
    """target, tip (before), commit: the target had moved and was merged into the tip"""

    CORRECTIONS_COMMITTED = "corrections.committed"
    """commit, files, subject: what was uncommitted in the planning directory"""
    PLANNING_COMMITTED = "planning.committed"
    """commit, files, notes"""
    WORKTREE_REMOVED = "worktree.removed"
    """n, worktree, branch, proof, salvage"""
    NOTICE = "notice"
    """text"""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a journal. `at` is in UTC."""

    seq: int
    at: datetime
    run: str
    type: str
    plan: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    v: int = VERSION
