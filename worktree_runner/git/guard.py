"""The guard of one attempt: hooks that only its own processes see.

- It works through the attempt's environment (`GIT_CONFIG_COUNT` and its pairs set
  core.hooksPath), so no file of the repository changes, the user's own git is untouched, and
  everything ends with the agent's processes.
- Inside the guarded repository the hooks refuse to move anything but the attempt's own branch,
  to push, and to commit what others have reserved. In any other repository they only forward.
- The user's hooks are forwarded with argv, stdin and exit code; where they lie is asked from git
  at run time, so hooks that a setup or an agent installs later count too.
- It stops accidents, not an agent that means harm: the audit after the attempt is the fence
  (docs/guards.md).

Left on disk: `guard/` in the attempt's folder, with the log that the audit reads.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from worktree_runner.store.atomic import save_text

FORWARDED = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit",
    "prepare-commit-msg", "commit-msg", "post-commit", "pre-rebase", "post-checkout",
    "post-merge", "pre-push", "post-rewrite", "pre-auto-gc", "reference-transaction",
    "sendemail-validate",
)  # fmt: skip
"""Every hook that a command of an agent can run; hooks of a receiving repository see nothing of
an environment. `post-index-change` runs too often to be there for nobody."""

SETTINGS = {
    "gc.auto": "0",
    "maintenance.auto": "false",
    "rerere.enabled": "false",
    "core.logAllRefUpdates": "true",
}
"""No collection beside a run, no recorded resolutions of other people, a reflog for the audit."""

MOVED = "wtrun-moved"
"""In the worktree's own git dir: grows by a sign with each commit of the attempt's branch."""

PROGRAM = Path(__file__).with_name("guard_hook.py")


@dataclass(frozen=True, slots=True)
class GuardSpec:
    """The facts of one attempt. Paths are absolute and as git itself prints them."""

    folder: Path
    """The attempt's own folder, outside of the worktree."""
    common_dir: Path
    git_dir: Path
    worktree: Path
    run: str
    plan: str
    branch: str
    reservations: Literal["warn", "strict"] = "warn"
    """What plans of one run may do to each other's paths: pass with a notice, or nothing."""
    home: Path | None = None
    """The user's worktree in a repository that is bare and so has no main one."""
    hooks: Literal["run", "skip"] = "run"
    """Whether the user's own hooks run in the attempt's repository."""


def install(spec: GuardSpec, env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment additions that guard an attempt; its hooks are on disk then.

    Settings that `env` (by default this process's) hands to git already are kept.
    """
    env = os.environ if env is None else env
    place = spec.folder / "guard"
    hooks = place / "hooks"
    facts = place / "guard.json"
    save_text(facts, json.dumps(_facts(spec), indent=1) + "\n", durable=False)
    count = int(env.get("GIT_CONFIG_COUNT", "0") or 0)
    script = _script(spec, hooks, facts, count)
    for name in _names(spec):
        save_text(hooks / name, script, durable=False, mode=0o755)
    pairs = {"core.hooksPath": str(hooks), **SETTINGS}
    added = {"GIT_CONFIG_COUNT": str(count + len(pairs))}
    for number, (key, value) in enumerate(pairs.items(), start=count):
        added[f"GIT_CONFIG_KEY_{number}"] = key
        added[f"GIT_CONFIG_VALUE_{number}"] = value
    return {
        **added,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "GIT_OPTIONAL_LOCKS": "0",
        "WTRUN_GUARD": str(facts),
    }


def pre_tool_hook(spec: GuardSpec) -> tuple[str, ...]:
    """The command that Claude Code and Codex ask before each edit: `wtrun hook pre-tool`,
    without the start-up time of the command line and without PATH."""
    return (*_program(spec.folder / "guard" / "guard.json"), "pre-tool")


def log(spec: GuardSpec) -> Iterator[dict[str, Any]]:
    """What the guard refused and noticed during the attempt, oldest first."""
    rows = []
    for file in _logs(spec):
        try:
            lines = file.read_text(errors="surrogateescape").splitlines()
        except OSError:
            continue
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                continue  # the writer was killed
            if isinstance(row, dict):
                rows.append(row)
    yield from sorted(rows, key=lambda row: float(row.get("at", 0)))


def _logs(spec: GuardSpec) -> tuple[Path, Path]:
    """A sandbox may forbid the attempt's folder, but never the worktree's own git dir."""
    return spec.folder / "guard" / "log.jsonl", spec.git_dir / "wtrun-guard.jsonl"


def _facts(spec: GuardSpec) -> dict[str, Any]:
    return {
        "v": 1,
        "common_dir": os.path.realpath(spec.common_dir),
        "git_dir": os.path.realpath(spec.git_dir),
        "worktree": str(spec.worktree),
        "folder": str(spec.folder),
        "run": spec.run,
        "plan": spec.plan,
        "branch": spec.branch,
        "reservations": spec.reservations,
        "logs": [str(file) for file in _logs(spec)],
    }


def _names(spec: GuardSpec) -> tuple[str, ...]:
    rare = spec.common_dir / "hooks" / "post-index-change"
    return (*FORWARDED, "post-index-change") if os.access(rare, os.X_OK) else FORWARDED


def _program(facts: Path) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(PROGRAM), str(facts))


def _script(spec: GuardSpec, hooks: Path, facts: Path, count: int) -> str:
    """The text that every hook of the folder is; its name tells which one it is."""
    values = {
        "COUNT": str(count),
        "HERE": shlex.quote(str(hooks)),
        "COMMON": shlex.quote(os.path.realpath(spec.common_dir)),
        "GITDIR": shlex.quote(os.path.realpath(spec.git_dir)),
        "BRANCH": shlex.quote(f"refs/heads/{spec.branch}"),
        "CHECK": shlex.join(_program(facts)),
        "FORWARD": spec.hooks,
        "MOVED": MOVED,
    }
    text = PROGRAM.with_name("guard_hook.sh").read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text
