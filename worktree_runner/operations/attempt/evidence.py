"""Looks at what an ended attempt left in its worktree, and rescues a forgotten summary."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from merge.tree import SUBMODULE
from worktree_runner.core.docs.summary import parse_summary
from worktree_runner.core.evidence import Evidence, SelfCheck
from worktree_runner.core.state import PlanState
from worktree_runner.git.entries import is_linked
from worktree_runner.git.gateway import Git
from worktree_runner.operations.attempt import readiness
from worktree_runner.operations.context import summaries
from worktree_runner.operations.context.session import Session


def gather(session: Session, plan: PlanState, checkpoint: Mapping[str, Any]) -> Evidence:
    """The evidence of the plan's present attempt.

    A summary that lies uncommitted in the worktree is committed first, alone; where planning
    files are not committed at all, it is copied into the run's folder.
    """
    place = Path(plan.worktree)
    tip = session.repository.git.resolve(f"refs/heads/{plan.branch}")
    nothing = Evidence(
        base=plan.base,
        branch=plan.branch,
        branch_tip=tip,
        summary_path=plan.summary,
        ended=plan.ended_because or "exited",
        exit_code=plan.exit_code,
        message=str(plan.outcome.get("message", "")),
        seconds=plan.outcome.get("seconds"),
        checkpoint=checkpoint,
        word=session.dialect.words.summary,
    )
    if not is_linked(session.repository.layout, place) or Git(place).resolve("HEAD") is None:
        return nothing
    _drop_stale_locks(session, plan, place)
    rescued = _rescue_summary(session, plan, place)
    head = Git(place).text("rev-parse", "HEAD")
    objects = session.repository.objects
    tip = session.repository.git.resolve(f"refs/heads/{plan.branch}")
    summary = _summary(session, plan, place, head)
    parsed = None if summary is None else parse_summary(summary)
    return replace(
        nothing,
        branch_tip=tip,
        head=head,
        head_contains_branch=tip is None or objects.is_ancestor(tip, head),
        commits=objects.commits(plan.base, head),
        has_summary=summary is not None,
        self_check=SelfCheck.ABSENT if parsed is None else SelfCheck(parsed.self_check),
        missing=()
        if parsed is None
        else _missing(session, plan.base, head, parsed.key_files_created),
        links=_links(session, plan.base, head),
        leftovers=leftovers(place, readiness.untouched(session, plan)),
        rescued=rescued,
    )


def _drop_stale_locks(session: Session, plan: PlanState, place: Path) -> None:
    """Removes the lock files of an agent's git that was killed: nothing of it lives any more."""
    git_dir = Path(Git(place).text("rev-parse", "--absolute-git-dir"))
    branch = session.repository.common_dir / "refs/heads" / f"{plan.branch}.lock"
    for lock in (git_dir / "index.lock", git_dir / "HEAD.lock", branch):
        lock.unlink(missing_ok=True)


def _summary(session: Session, plan: PlanState, place: Path, head: str) -> bytes | None:
    """The summary's bytes, from the commit; from the worktree where none is committed."""
    objects = session.repository.objects
    if session.state.planning_tracked:
        entry = objects.entries(head, [plan.summary]).get(plan.summary)
        return None if entry is None else objects.read_blob(entry.oid)
    file = place / plan.summary
    if not file.is_file():
        return None
    data = file.read_bytes()
    summaries.keep(session, plan, data)
    return data


def _rescue_summary(session: Session, plan: PlanState, place: Path) -> bool:
    """Commits the summary alone if it was only left uncommitted; True if it did."""
    if not session.state.planning_tracked or not (place / plan.summary).is_file():
        return False
    git = Git(place)
    status = git.run(
        "--literal-pathspecs", "status", "--porcelain", "-z", "--untracked-files=all", "--",
        plan.summary,
    )  # fmt: skip
    if not status.out or git.resolve("MERGE_HEAD") is not None:
        return False
    values = session.plan(plan.id)
    subject = session.dialect.commits.plan.format(
        phase=values.phase, plan=values.number, name=values.title
    )
    # no hooks: this is wtrun's own commit of one file, and the agent's checks ran with its own
    quiet = ("-c", f"core.hooksPath={os.devnull}", "-c", "commit.gpgSign=false")
    git.run("--literal-pathspecs", "add", "--force", "--", plan.summary)
    git.run(
        *quiet, "--literal-pathspecs", "commit", "--quiet", "--no-verify", "--only",
        "-m", subject, "--", plan.summary,
    )  # fmt: skip
    return True


def _missing(session: Session, base: str, head: str, created: tuple[str, ...]) -> tuple[str, ...]:
    """The first two files that the summary calls created, if they are not in the commit.

    Two, as the documents spot-check (seed 003); what is no plain path is left out. A name
    without its folder is there if the plan changed a file of that name.
    """
    plain = [
        path.removeprefix("./")
        for path in created
        if path and not path.startswith(("/", "~", session.dialect.root)) and " " not in path
    ]
    wanted = [
        path for path in plain if ("/" in path or "." in path) and not set(path) & set("*`<{")
    ][:2]
    git = session.repository.git
    absent = [path for path in wanted if not git.ok("cat-file", "-e", f"{head}:{path.rstrip('/')}")]
    if not absent:
        return ()
    changed = git.run("diff", "--name-only", "-z", "--no-renames", base, head).fields
    return tuple(path for path in absent if not any(one.endswith(f"/{path}") for one in changed))


def _links(session: Session, base: str, head: str) -> tuple[str, ...]:
    """Folders that the plan committed as repositories and that are no declared submodules."""
    changed = session.repository.objects.changed_paths(base, head)
    links = [
        path
        for path, (old, new) in changed.items()
        if new is not None and new.mode == SUBMODULE and (old is None or old.mode != SUBMODULE)
    ]
    if not links:
        return ()
    listed = session.repository.git.run(
        "config", "--blob", f"{head}:.gitmodules", "-z", "--get-regexp", r"^submodule\..*\.path$",
        check=False,
    )  # fmt: skip
    declared = {entry.partition("\n")[2].rstrip("/") for entry in listed.fields}
    return tuple(sorted(set(links) - declared))


def leftovers(place: Path, baseline: tuple[str, ...]) -> tuple[str, ...]:
    """Changed and untracked files of a worktree, those of provisioning left out."""
    fields = Git(place).run(
        "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames",
        env={"GIT_OPTIONAL_LOCKS": "0"},
    ).fields  # fmt: skip
    known = set(baseline)
    return tuple(field[3:] for field in fields if field[3:] not in known)
