"""A coding agent for tests, with no model: does what a fenced `agent` block of the plan says.

Without a block it adds a line to every declared file, commits, writes the SUMMARY and commits
that. A block is a JSON list of steps, each an object with one key:

    {"write": "path", "text": "..."}    {"append": "path", "text": "..."}   {"delete": "path"}
    {"replace": "path", "old": "...", "new": "..."}
    {"commit": "message"}               all changes, staged file by file
    {"summary": true}                   writes and commits the SUMMARY; "uncommitted", "failed"
    {"run": ["argv", ...]}              {"touch": "/absolute/path"}
    {"wait": "/absolute/path"}          until that file exists
    {"say": "text"}                     {"exit": 3}     {"kill": 9}   (itself)
    {"checkpoint": {...}}               writes checkpoint.json
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"^```agent\n(.*?)^```", re.DOTALL | re.MULTILINE)


def git(*args: str) -> str:
    done = subprocess.run(["git", *args], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"git {' '.join(args)}: {done.stderr}")
    return done.stdout


def commit(message: str) -> None:
    changed = git("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames").split(
        "\0"
    )
    for line in filter(None, changed):
        git("add", "--", line[3:])
    git("commit", "-q", "-m", message)


def write_summary(how: object) -> None:
    path = Path(os.environ["WTRUN_SUMMARY_PATH"])
    path.parent.mkdir(parents=True, exist_ok=True)
    verdict = "FAILED" if how == "failed" else "PASSED"
    name = os.environ["WTRUN_PLAN"]
    path.write_text(f"# {name} Summary\n\n**Did it.**\n\n## Self-Check: {verdict}\n")
    ignored = subprocess.run(["git", "check-ignore", "-q", str(path)], check=False).returncode == 0
    if how == "uncommitted" or ignored:
        return
    git("add", "--", str(path))
    git("commit", "-q", "-m", f"docs({name}): done")


def default_steps(plan: str) -> list[dict[str, Any]]:
    front = plan.split("---")[1] if plan.startswith("---") else ""
    found = re.search(r"^files_modified:\s*\[(.*?)\]", front, re.MULTILINE)
    files = [item.strip(" '\"") for item in found[1].split(",")] if found else []
    name = os.environ["WTRUN_PLAN"]
    steps: list[dict[str, Any]] = [
        {"append": file, "text": f"line of {name}\n"} for file in files if file
    ]
    return [*steps, {"commit": f"feat({name}): work"}, {"summary": True}]


def perform(step: dict[str, Any]) -> None:
    match next(iter(step)):
        case "write" | "append" as verb:
            file = Path(step[verb])
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("w" if verb == "write" else "a") as out:
                out.write(step["text"])
        case "replace":
            file = Path(step["replace"])
            text = file.read_text()
            if step["old"] not in text:
                sys.exit(f"{file} has no {step['old']!r}")
            file.write_text(text.replace(step["old"], step["new"]))
        case "delete":
            Path(step["delete"]).unlink()
        case "commit":
            commit(step["commit"])
        case "summary":
            write_summary(step["summary"])
        case "run":
            subprocess.run(step["run"], check=False)
        case "touch":
            Path(step["touch"]).touch()
        case "wait":
            while not Path(step["wait"]).exists():
                time.sleep(0.02)
        case "say":
            print(step["say"], flush=True)
        case "checkpoint":
            outbox = Path(os.environ["WTRUN_RUN_DIR"]) / "outbox"
            outbox.mkdir(exist_ok=True)
            (outbox / "checkpoint.json").write_text(json.dumps(step["checkpoint"]))
        case "exit":
            sys.exit(step["exit"])
        case "kill":
            os.kill(os.getpid(), step["kill"] if step["kill"] is not True else signal.SIGKILL)


def main() -> None:
    plan = Path(sys.argv[1]).read_text()
    counter = Path(os.environ["WTRUN_RUN_DIR"]).parent / f"started-{os.environ['WTRUN_PLAN']}"
    with counter.open("a") as out:
        out.write("x")
    block = BLOCK.search(plan)
    continued = int(os.environ.get("WTRUN_ATTEMPT_NUMBER", "1") or 1) > 1
    steps = json.loads(block[1]) if block else default_steps(plan)
    if isinstance(steps, dict):
        steps = steps["again"] if continued else steps["first"]
    for step in steps:
        perform(step)


if __name__ == "__main__":
    main()
