"""The prompt of an attempt, from the plan, the project's state and what went before."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from worktree_runner.agents.references import resolve, resolve_guide
from worktree_runner.core import checkpoints, routing
from worktree_runner.core.checkpoints import CompletedTask
from worktree_runner.core.docs.state_read import StateContext, latest, state_context
from worktree_runner.core.docs.update import find_documents
from worktree_runner.core.prompts import (
    EarlierWork,
    PromptFacts,
    References,
    Reserved,
    Resumption,
    render_continuation,
    render_executor,
    render_resumed,
)
from worktree_runner.core.state import PlanState, Status
from worktree_runner.core.texts import clean_line
from worktree_runner.errors import PreconditionError
from worktree_runner.git.gateway import Git
from worktree_runner.operations.attempt import fencing
from worktree_runner.operations.context.session import Session
from worktree_runner.operations.context.tracking import planning_files
from worktree_runner.store.settings import Domain, Role, domain_table

MOST_DECISIONS = 20
MOST_DIFF = 60_000
"""Characters of an earlier attempt's diff in a prompt."""


def prompt_for(session: Session, plan: PlanState, checkpoint_file: Path) -> str:
    """The text that the agent gets on stdin and as a file.

    A fresh attempt gets the plan's prompt, one that goes on gets what its predecessors left.
    """
    facts = prompt_facts(session, plan, checkpoint_file)
    if plan.fresh:
        return render_executor(facts)
    if plan.resume:
        return render_resumed(facts, resumption(session, plan))
    return render_continuation(facts, resumption(session, plan))


def prompt_facts(session: Session, plan: PlanState, checkpoint_file: Path) -> PromptFacts:
    """What both prompts are made of."""
    values, place, dialect = session.plan(plan.id), Path(plan.worktree), session.dialect
    state_path = _first(place, dialect.root, dialect.files.state)
    config_path = _first(place, dialect.root, (dialect.files.config,))
    agent = session.agent_of(plan)
    domain = domain_table(session.settings, values.domain)
    chosen = routing.route(values, dialect, guide=domain.guide or "").guide
    guide = resolve_guide(chosen, place, dialect.root, Path.home())
    found = resolve(
        values.text.decode(errors="replace"), place, session.repository.home, Path.home()
    )
    references = References(
        found.read, (*found.absent, *guide.absent), (*found.documents, *guide.documents)
    )
    context = state_of(session)
    others = fencing.others(session, plan.id)
    landed = {other.id: other for other in session.state.with_status(Status.LANDED)}
    return PromptFacts(
        dialect=dialect,
        plan=values,
        worktree=str(place),
        branch=plan.branch,
        base=plan.base,
        phase_name=session.phase.dir.name,
        phase_dir=session.phase.dir.path.rpartition("/")[2],
        checkpoint_file=str(checkpoint_file) if agent.capabilities.writes_outbox else "",
        plan_in_worktree=(place / plan.path).is_file(),
        commit_docs=session.state.planning_tracked,
        state_path=state_path,
        state_text=_text(session, place, dialect.files.state),
        decisions=tuple(_lines(latest(context.decisions, MOST_DECISIONS))),
        concerns=tuple(_lines(context.blockers)),
        config_path=config_path,
        config_text=_text(session, place, (dialect.files.config,)),
        earlier=earlier_work(session, plan),
        finished=tuple(
            (other, landed[other].summary) for other in values.depends_on if other in landed
        ),
        reserved=tuple(Reserved(clean_line(one), clean_line(who)) for one, who in others),
        reserve_command="wtrun reserve" if shutil.which("wtrun") else "",
        references=references,
        guide=", ".join((*guide.read, *(document.name for document in guide.documents))),
        instructions=_instructions(session, plan, domain),
    )


def _instructions(session: Session, plan: PlanState, domain: Domain) -> str:
    """The user's own words for the role and for the plan's domain.

    PreconditionError where a file that they name is not in the worktree.
    """
    role: Role = "executor" if plan.fresh else "continuation"
    own = session.settings.instructions
    place = Path(plan.worktree)
    said = ((f"instructions.{role}", own.get(role, "")), ("instructions", domain.instructions))
    texts = [own_words(text, place, key) for key, text in said]
    return "\n\n".join(text.strip() for text in texts if text.strip())


def own_words(text: str, place: Path, key: str) -> str:
    """The text itself, or that of the file which `@path` names in the worktree."""
    name = text.strip().removeprefix("@")
    if name == text.strip() or len(name.split()) != 1:
        return text
    file = (place / name).resolve()
    if not file.is_relative_to(place.resolve()) or not file.is_file():
        raise PreconditionError(
            f"the setting {key} names {name}, which is not in {place}",
            hint=f"git log -- {name}, or change the setting: wtrun config --origin",
        )
    return file.read_text(errors="replace")


def earlier_work(session: Session, plan: PlanState) -> EarlierWork | None:
    """The work that was in conflict, where that is why the plan runs again; summaries left out."""
    if not plan.earlier:
        return None
    output = session.repository.git.run(
        "diff", "--no-ext-diff", "--no-color", plan.earlier["base"], plan.earlier["head"],
        "--", ".", f":(exclude){session.dialect.root}",
    )  # fmt: skip
    text = output.out.decode(errors="replace").rstrip("\n")
    return EarlierWork(
        tuple(plan.earlier["paths"]),
        text[:MOST_DIFF],
        len(text) > MOST_DIFF,
        str(plan.earlier.get("gate", "")).rstrip(),
    )


def state_of(session: Session) -> StateContext:
    """The project's state as the run's tip has it; on disk where it isn't committed."""
    files = planning_files(session)
    path = find_documents(files.paths(), session.dialect).state
    text = files.read([path]).get(path) if path else None
    return state_context(text or b"", session.dialect)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    return (clean_line(text, 300) for text in texts)


def resumption(session: Session, plan: PlanState) -> Resumption:
    """What the earlier attempts of this plan left, as git and the checkpoint tell it."""
    git = Git(Path(plan.worktree))
    log = git.run("log", "-z", "--reverse", "--format=%H %s", "HEAD", f"^{plan.base}").fields
    commits = tuple((line.partition(" ")[0], line.partition(" ")[2]) for line in log)
    dirty = git.run("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all").fields
    stop = checkpoints.from_json(plan.checkpoint) if plan.answer else None
    known = tuple(commit for commit, _ in commits)
    return Resumption(
        completed=() if stop is None else tuple(t for t in stop.completed if _is_there(t, known)),
        commits=commits,
        dirty=tuple(line[3:] for line in dirty),
        checkpoint=stop,
        answer=str(plan.answer.get("text", "")),
        reason=clean_line(plan.cut, 500),
        resume_task=None if stop is None else stop.task_number,
        resume_name="" if stop is None else stop.task_name,
    )


def _is_there(task: CompletedTask, commits: tuple[str, ...]) -> bool:
    """Whether git has the commit that the agent says it made for the task."""
    return not task.commit or any(commit.startswith(task.commit) for commit in commits)


def _first(place: Path, root: str, names: tuple[str, ...]) -> str:
    """The repository path of the first of these planning files that the worktree has."""
    return next((f"{root}/{name}" for name in names if (place / root / name).is_file()), "")


def _text(session: Session, place: Path, names: tuple[str, ...]) -> str | None:
    """The text of a planning file that is pasted: because the dialect pastes it, or because only
    the main worktree has it. None where it is named by its path, or is nowhere."""
    root = session.dialect.root
    folder = place if _first(place, root, names) else session.repository.home
    if folder == place and not session.dialect.paste:
        return None
    path = _first(folder, root, names)
    return (folder / path).read_text(errors="replace") if path else None
