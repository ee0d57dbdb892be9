"""A coding agent without a model for phases of the corpus: does what the worksheet says.

    python corpus_agent.py WORKSHEET PLAN_PATH

Declared files are one commit. Files that only the real summary names are one commit each, and are
left alone again where a hook refuses them, as an agent would that has read the message.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support.corpus_texts import base_text, changed_text


def git(*args: str) -> bool:
    return subprocess.run(["git", *args], check=False).returncode == 0


def change(path: str, mode: str, at: int, plan: str) -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_bytes() if file.exists() else base_text(path)
    file.write_bytes(changed_text(path, before, mode, at, plan))


def main() -> None:
    sheet = json.loads(Path(sys.argv[1]).read_text())
    with Path(sys.argv[1] + ".started").open("a") as out:
        out.write(sys.argv[2] + "\n")
    work = sheet[sys.argv[2]]
    plan, declared = work["id"], work["declared"]
    for path in declared:
        change(path, work["files"][path], work["at"], plan)
        git("add", "--", path)
    if not declared:
        Path(f"{plan}.txt").write_text("nothing was declared\n")
        git("add", "--", f"{plan}.txt")
    if not git("commit", "-q", "-m", f"feat({plan}): the declared files"):
        sys.exit("the declared files were refused")
    for path in (path for path in work["files"] if path not in declared):
        change(path, work["files"][path], work["at"], plan)
        git("add", "--", path)
        if not git("commit", "-q", "-m", f"feat({plan}): {path}"):
            git("reset", "-q", "--hard")
    summary = Path(os.environ["WTRUN_SUMMARY_PATH"])
    summary.parent.mkdir(parents=True, exist_ok=True)
    summary.write_text(work["recap"] or f"# {plan} Summary\n\n**Did it.**\n")
    if not git("check-ignore", "-q", str(summary)):
        git("add", "--", str(summary))
        git("commit", "-q", "-m", f"docs({plan}): complete plan")


if __name__ == "__main__":
    main()
