"""The report at the end of a run for programs: JSON, versioned and add-only, and JUnit XML."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from worktree_runner.core.report import Outcome, PlanReport, RunReport
from worktree_runner.core.texts import clean, clean_line

JSON_VERSION = 1


def to_json(report: RunReport) -> dict[str, Any]:
    """The report for programs; numbers that nobody reported are null."""
    return {
        "v": JSON_VERSION,
        "kind": "run",
        "run": report.run,
        "phase": report.phase,
        "name": report.name,
        "target": report.target,
        "complete": report.is_complete,
        "exit_code": report.exit_code,
        "started": report.started,
        "ended": report.ended,
        "elapsed_s": report.elapsed_s,
        "published": not report.published,
        "not_published_because": report.published,
        "gate": report.gate,
        "verification": report.verification,
        "counts": {outcome.value: len(report.of(outcome)) for outcome in Outcome},
        "plans": [_plan_json(plan) for plan in report.plans],
        "requirements": [
            {
                "id": one.id,
                "text": one.text,
                "evidence": one.evidence,
                "covered": bool(one.evidence),
            }
            for one in report.requirements
        ],
        "notes": list(report.notes),
        "next": [{"run": step.command, "effect": step.effect} for step in report.next],
    }


def _plan_json(plan: PlanReport) -> dict[str, Any]:
    return {
        "id": plan.id,
        "title": plan.title,
        "wave": plan.wave,
        "outcome": plan.outcome.value,
        "one_liner": plan.one_liner,
        "reason": plan.reason,
        "lands_when": plan.lands_when,
        "next": plan.next,
        "checkpoint": plan.checkpoint,
        "branch": plan.branch,
        "worktree": plan.worktree,
        "commit": plan.commit,
        "commits": plan.commits,
        "attempts": plan.attempts,
        "elapsed_s": plan.elapsed_s,
        "tokens": plan.tokens,
        "cost_usd": plan.cost,
        "conflicts": list(plan.conflicts),
        "resolutions": [
            {
                "path": one.path,
                "tier": one.tier,
                "rule": one.resolver,
                "why": one.why,
                "hunks": one.hunks,
                "diff": one.diff,
            }
            for one in plan.resolutions
        ],
        "notes": list(plan.notes),
        "issues": list(plan.issues),
    }


def to_junit(report: RunReport) -> bytes:
    """The report as JUnit XML: plans are test cases, those that wait for a person are errors."""
    failed, skipped = (
        report.of(Outcome.FAILED, Outcome.REJECTED),
        report.of(Outcome.SKIPPED, Outcome.NOT_STARTED),
    )
    open_ = report.of(Outcome.CONFLICT, Outcome.WAITING)
    suite = ElementTree.Element(
        "testsuite",
        name=clean_line(f"{report.words.phase} {report.phase} {report.name}").strip(),
        tests=str(len(report.plans)),
        failures=str(len(failed)),
        errors=str(len(open_)),
        skipped=str(len(skipped)),
        time=f"{report.elapsed_s or 0:.3f}",
        timestamp=report.started,
    )
    for plan in report.plans:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=f"{report.words.phase}-{report.phase}",
            name=clean_line(f"{plan.id} {plan.title}"),
            time=f"{plan.elapsed_s or 0:.3f}",
        )
        tag = {
            Outcome.FAILED: "failure",
            Outcome.REJECTED: "failure",
            Outcome.CONFLICT: "error",
            Outcome.WAITING: "error",
        }
        tag |= {Outcome.SKIPPED: "skipped", Outcome.NOT_STARTED: "skipped"}
        if plan.outcome in tag:
            message = clean_line(plan.reason or plan.outcome.value)
            told = ElementTree.SubElement(case, tag[plan.outcome], message=message)
            told.text = clean("\n".join(part for part in (plan.reason, plan.next) if part))
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite) + b"\n"
