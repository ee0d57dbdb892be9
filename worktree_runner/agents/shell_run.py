"""The process of the `shell` agent: runs a plan's commands task by task and commits each task.

- It is an agent, so it starts processes itself (the blocks, and git by its own command).
- One commit per task: the paths that the task changed, each staged by its own name. What was
  changed or untracked before the first task is left alone; that baseline and the number of the
  task at work lie in the worktree's git dir.
- A second attempt skips tasks that are committed in `base..HEAD` (by trailer or subject). The
  task that was cut off runs again from its start, on the files as they were then: what it left
  half done is copied to the run's folder and put back, for few commands bear being run twice.
- A failing command ends the plan with its text, exit code and the end of its output
  (shell_blocks.py).
- Nothing else is ever reset, stashed or removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from worktree_runner.agents.common import CHECKPOINT
from worktree_runner.agents.protocol import AgentRequest
from worktree_runner.agents.shell import NOT_RUNNABLE
from worktree_runner.agents.shell_blocks import run_block
from worktree_runner.agents.shell_git import Git
from worktree_runner.agents.shell_words import StopPlan, say
from worktree_runner.core import checkpoints, shell_plan
from worktree_runner.core.frontmatter import parse_document
from worktree_runner.core.shell_plan import ShellTask
from worktree_runner.core.shell_summary import DoneTask, NetFiles, render
from worktree_runner.core.tasks import action_of, parse_tasks, scan, verify_of
from worktree_runner.dialects import schema
from worktree_runner.dialects.schema import Dialect
from worktree_runner.models import Plan
from worktree_runner.store.atomic import save_text


class ShellRun:
    """One attempt of the `shell` agent on one plan."""

    def __init__(self, request: AgentRequest, plan: Plan, dialect: Dialect) -> None:
        self.request = request
        self.plan = plan
        self.dialect = dialect
        self.git = Git(request.worktree)
        self.started = time.monotonic()
        self.answers: dict[int, str] = {}
        self.begun: int | None = None
        """The task in which the attempt before this one was cut off, if it was."""

    def run(self) -> int:
        """The process's exit code; StopPlan if the plan can't be finished."""
        tasks = shell_plan.commands_of(self.plan)
        if problems := shell_plan.problems_of(self.plan):
            hint = "mark its blocks as ```bash wtrun, or set 'agent: shell' in its front matter"
            raise StopPlan(f"{'; '.join(problems)} ({hint})", NOT_RUNNABLE)
        self._check_branch()
        baseline = self._load_state()
        committed = self._committed()
        done: list[DoneTask] = []
        for task in tasks:
            if task.checkpoint:
                if not self._answered(task):
                    return self._raise_checkpoint(task, done, len(tasks))
                continue
            say(f"task {task.number}/{len(tasks)}: {task.name}")
            commit = committed.get(task.number)
            if commit:
                say(f"already committed {commit[:12]}")
            else:
                commit = self._do(task, baseline)
            done.append(self._done(task, commit))
        self._finish(done)
        return 0

    def _do(self, task: ShellTask, baseline: Mapping[str, str]) -> str:
        """The commit of the task's changes, or "" if it changed nothing that git sees."""
        if self.begun == task.number:
            self._put_back(task, baseline)
        self._keep_state(baseline, begun=task.number)
        before = self.git.run("rev-parse", "HEAD").strip()
        for n, block in enumerate(task.blocks, 1):
            run_block(self.request, task, n, block)
        self._check_branch()
        changed = {
            path: unstaged
            for path, unstaged in self.git.changes().items()
            if baseline.get(path) != self._fingerprint(path)
        }
        nested = sorted(path for path in changed if path.endswith("/"))
        if nested:
            raise StopPlan(f"task {task.number} made a repository inside the worktree: {nested[0]}")
        if changed:
            self.git.add(sorted(path for path, unstaged in changed.items() if unstaged))
            message = f"{self._subject(task)}\n\nWtrun-Task: {self._mark(task)}\n"
            self.git.run("commit", "-q", "--cleanup=whitespace", "-F", "-", text=message)
        self._keep_state(baseline, begun=None)
        head = self.git.run("rev-parse", "HEAD").strip()
        if head == before:
            say("no change to commit")
            return ""
        say(f"committed {head[:12]} {self._subject(task)}")
        return head

    def _put_back(self, task: ShellTask, baseline: Mapping[str, str]) -> None:
        """Gives the files that the killed attempt changed the contents of HEAD; copies are kept."""
        half = sorted(
            path for path in self.git.changes() if path not in baseline and not path.endswith("/")
        )
        if not half:
            return
        place = self.request.run_dir / f"half-done-task-{task.number}"
        for path in half:
            file, copy = self.request.worktree / path, place / path
            if file.is_symlink() or file.is_file():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, copy, follow_symlinks=False)
        self.git.run("reset", "-q")
        for path in half:
            if self.git.ask("cat-file", "-e", f"HEAD:{path}").returncode == 0:
                self.git.run("--literal-pathspecs", "checkout", "-q", "HEAD", "--", path)
            else:
                (self.request.worktree / path).unlink(missing_ok=True)
        say(f"put back what was half done, copies are in {place}: {', '.join(half)}")

    def _subject(self, task: ShellTask) -> str:
        return self.dialect.commits.task.format(
            type=task.commit_type,
            phase=self.plan.phase,
            plan=self.plan.number,
            name=" ".join(task.name.split()),
        )

    def _check_branch(self) -> None:
        branch = self.git.ask("symbolic-ref", "-q", "--short", "HEAD").stdout.decode().strip()
        if branch != self.request.branch:
            raise StopPlan(
                f"the worktree is on {branch or 'a detached HEAD'}, not on {self.request.branch}"
            )

    def _load_state(self) -> dict[str, str]:
        """Paths that were dirty before the plan's first task, with what they held.

        The answers to the plan's checkpoints are kept in the same file: an attempt after a
        crash knows them too.
        """
        file = self._state_file
        kept = json.loads(file.read_text()) if file.exists() else {}
        if "baseline" not in kept:
            kept["baseline"] = {path: self._fingerprint(path) for path in self.git.changes()}
        self.answers = {int(number): str(said) for number, said in kept.get("answers", {}).items()}
        if self.request.answer is not None and self.request.resume_task is not None:
            self.answers[self.request.resume_task] = self.request.answer
        self.begun = kept.get("begun")
        self._keep_state(kept["baseline"], self.begun)
        return dict(kept["baseline"])

    def _keep_state(self, baseline: Mapping[str, str], begun: int | None) -> None:
        facts = {"baseline": dict(baseline), "answers": self.answers, "begun": begun}
        save_text(self._state_file, json.dumps(facts))

    @property
    def _state_file(self) -> Path:
        return self.request.git_dir / f"wtrun-shell-{self.plan.id}.json"

    def _fingerprint(self, path: str) -> str:
        file = self.request.worktree / path
        if file.is_symlink():
            return f"link {file.readlink()}"
        if not file.is_file():
            return "directory" if file.is_dir() else "gone"
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        return f"{digest} {file.stat().st_mode & 0o111:o}"

    def _committed(self) -> dict[int, str]:
        """Commits since the base by the number of the task that they finish."""
        if not self.request.base:
            return {}
        form = "%H%x00%s%x00%(trailers:key=Wtrun-Task,valueonly,separator=%x2C)%x1e"
        out = self.git.run("log", f"--format={form}", f"{self.request.base}..HEAD", "--")
        tasks = shell_plan.commands_of(self.plan)
        marks = {self._mark(task): task.number for task in tasks}
        subjects = {self._subject(task): task.number for task in tasks}
        found: dict[int, str] = {}
        for entry in out.split("\x1e"):
            commit, subject, mark = (*entry.strip("\n").split("\0"), "", "")[:3]
            number = marks.get(mark) if mark else subjects.get(subject)
            if number is not None:
                found.setdefault(number, commit)
        return found

    def _mark(self, task: ShellTask) -> str:
        return f"{self.plan.id}/{task.number}"

    def _done(self, task: ShellTask, commit: str) -> DoneTask:
        if not commit:
            return DoneTask(task.number, task.name, task.commit_type)
        out = self.git.run(
            "diff-tree", "-r", "-z", "--no-commit-id", "--no-renames", "--name-only", commit
        )
        files = tuple(path for path in out.split("\0") if path)
        return DoneTask(task.number, task.name, task.commit_type, commit, files)

    def _answered(self, task: ShellTask) -> bool:
        """Whether the user's word lets the plan go on after this checkpoint."""
        answer = self.answers.get(task.number)
        if answer is None:
            return False
        if task.checkpoint == "decision":
            os.environ["WTRUN_ANSWER"] = os.environ[f"WTRUN_ANSWER_{task.number}"] = answer
        elif not checkpoints.is_approval(answer):
            raise StopPlan(
                f"the answer to task {task.number} ({task.name}) asks for changes that none of "
                f"the commands makes: {answer}"
            )
        return True

    def _raise_checkpoint(self, task: ShellTask, done: Sequence[DoneTask], total: int) -> int:
        source = next(found for found in self.plan.tasks if found.number == task.number)
        stop = checkpoints.Checkpoint(
            type=task.checkpoint or "human-verify",
            plan=self.plan.id,
            progress=f"{len(done)}/{total}",
            completed=tuple(
                checkpoints.CompletedTask(t.number, t.name, t.commit, t.files) for t in done
            ),
            task_number=task.number,
            task_name=task.name,
            status="awaiting the user",
            details=action_of(source).strip() or source.name,
            awaiting=verify_of(source).strip() or 'Answer "approved", or say what is wrong.',
        )
        save_text(self.request.outbox / CHECKPOINT, json.dumps(stop.as_json(), indent=1) + "\n")
        say(f"task {task.number} asks a person: {task.name}")
        return 0

    def _finish(self, done: Sequence[DoneTask]) -> None:
        """Writes the summary and makes the one metadata commit; done before, it does nothing."""
        path = self.request.summary_path
        file = self.request.worktree / path
        if self.git.ask("cat-file", "-e", f"HEAD:{path}").returncode == 0:
            say(f"done: {path} is already committed")
            return
        minutes = round((time.monotonic() - self.started) / 60)
        day = datetime.now(UTC).date().isoformat()
        net = self._net_files(done)
        save_text(file, render(self.plan, done, net, self.dialect, minutes=minutes, day=day))
        ignored = self.git.ask("check-ignore", "-q", "--", path).returncode == 0
        if ignored or not self.request.commit_docs:
            say(f"done: {path} written; planning files are not committed here")
            return
        changes = self.git.changes()
        self.git.add([name for name in (self.request.plan_path, path) if changes.get(name)])
        subject = self.dialect.commits.plan.format(
            phase=self.plan.phase, plan=self.plan.number, name=" ".join(self.plan.title.split())
        )
        self.git.run("commit", "-q", "--cleanup=whitespace", "-F", "-", text=subject + "\n")
        say(f"done: {len(done)} tasks, {path} committed")

    def _net_files(self, done: Sequence[DoneTask]) -> NetFiles:
        """What the tasks did to the tree, all together: a file made and removed is not in it."""
        commits = [task.commit for task in done if task.commit]
        first = self.request.base or (f"{commits[0]}^" if commits else "HEAD")
        out = self.git.run("diff", "-z", "--no-renames", "--name-status", first, "HEAD", "--")
        parts = out.split("\0")
        named = [
            (status, path)
            for status, path in zip(parts[::2], parts[1::2], strict=False)
            if path not in (self.request.plan_path, self.request.summary_path)
        ]
        there = {path for _, path in named if os.path.lexists(self.request.worktree / path)}
        kept = [(status, path) for status, path in named if status != "D"]
        return NetFiles(
            created=tuple(p for status, p in kept if status == "A" and p in there),
            modified=tuple(p for status, p in kept if status != "A" and p in there),
            removed=tuple(path for status, path in named if status == "D"),
            missing=tuple(path for _, path in kept if path not in there),
        )


def load_plan(request: AgentRequest) -> Plan:
    """The plan of the request: its tasks from the file, its identity from the request."""
    document = parse_document(request.plan_file.read_bytes(), request.plan_path)
    return Plan(
        id=request.plan_id,
        phase=request.phase,
        number=request.plan_number,
        path=request.plan_path,
        summary_path=request.summary_path,
        title=request.title or request.plan_id,
        objective="",
        order=(),
        declared_wave=None,
        wave=1,
        depends_on=(),
        files=request.files,
        files_declared=request.files,
        autonomous=True,
        gap_closure=False,
        has_checkpoint=False,
        done=False,
        tasks=parse_tasks(scan(document.body, document.body_line)),
        text=b"",
        agent=str(document.front["agent"]) if document.front.get("agent") else None,
        front=document.front,
    )


def load_dialect(request: AgentRequest) -> Dialect:
    """The dialect that the run works by, also where it is the user's own."""
    if request.dialect_file is None:
        return schema.load(request.dialect)
    return Dialect.model_validate_json(request.dialect_file.read_text())


def main(argv: Sequence[str]) -> int:
    """Performs the request file named in `argv`."""
    request = AgentRequest.model_validate_json(Path(argv[0]).read_text())
    try:
        return ShellRun(request, load_plan(request), load_dialect(request)).run()
    except StopPlan as stop:
        say(f"failed: {stop}")
        return stop.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
