"""Runs one block of a plan's commands: by which shell, where its output goes, how it failed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from worktree_runner.agents.protocol import AgentRequest
from worktree_runner.agents.shell_words import StopPlan, say
from worktree_runner.core.shell_plan import ShellBlock, ShellTask
from worktree_runner.store.atomic import save_text

TAIL_LINES = 40
TAIL_BYTES = 16_000
_TRAP = "trap 'wtrun_exit=$?; echo \"line $LINENO: $BASH_COMMAND (exit $wtrun_exit)\" >&2' ERR"
_BASH = ("bash", "--noprofile", "--norc", "-E", "-e", "-o", "pipefail",
         "-c", f'{_TRAP}; . "$1"', "wtrun")  # fmt: skip


def run_block(request: AgentRequest, task: ShellTask, n: int, block: ShellBlock) -> None:
    """Runs the n-th block of the task; StopPlan with the end of its output if it fails."""
    if shutil.which(block.shell) is None:
        raise StopPlan(f"{block.shell} is not on PATH (task {task.number}, {task.name})")
    script = request.run_dir / "blocks" / f"task-{task.number}-{n}.sh"
    save_text(script, block.text + "\n", durable=False)
    say(f"{'verify' if block.verify else 'run'}: {' ⏎ '.join(block.text.splitlines())}")
    argv = [*_BASH, str(script)] if block.shell == "bash" else ["sh", "-e", str(script)]
    code, tail = _output_of(request, argv, task)
    if code != 0:
        what = "verify" if block.verify else "command"
        raise StopPlan(
            f"task {task.number} ({task.name}): {what} failed with exit code {code}\n"
            f"{_indented(block.text)}\nend of its output:\n{_indented(tail)}"
        )


def _output_of(request: AgentRequest, argv: Sequence[str], task: ShellTask) -> tuple[int, str]:
    """Exit code and the end of the output, which goes to our own stdout.

    Never a pipe: a server that a block leaves in the background would keep it open.
    """
    env = {**os.environ, "WTRUN_TASK": str(task.number)}
    log = request.run_dir / "stdout.log"
    sys.stdout.flush()
    if log.exists() and os.path.samestat(log.stat(), os.fstat(sys.stdout.fileno())):
        start = log.stat().st_size
        code = _call(argv, request.worktree, env, None)
        return code, _tail(log, start)
    log = request.run_dir / "blocks" / "output.log"
    with log.open("wb") as out:
        code = _call(argv, request.worktree, env, out.fileno())
    sys.stdout.write(log.read_text(errors="replace"))
    sys.stdout.flush()
    return code, _tail(log, 0)


def _call(argv: Sequence[str], cwd: Path, env: Mapping[str, str], out: int | None) -> int:
    done = subprocess.run(
        argv, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out,
        stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    return done.returncode


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(max(start, log.stat().st_size - TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-TAIL_LINES:]) or "(no output)"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
