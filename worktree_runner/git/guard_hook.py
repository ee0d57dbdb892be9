"""What the guard's hooks run: `python -I -S guard_hook.py GUARD_JSON HOOK [GIT_DIR]`.

- Started for commits and edits of an agent, so it must start fast: no site, nothing but this
  package's own light modules.
- Exit code 1 refuses and has printed why; 0 passes. Anything else means that it could not tell,
  and the shell lets the command pass: the audit is the fence.
- Whatever is refused or only noticed is added to the guard's log first.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from worktree_runner.core import guarding
from worktree_runner.core.reservations import Holder
from worktree_runner.store import locate
from worktree_runner.store.paths import Layout
from worktree_runner.store.registry import Registry

if TYPE_CHECKING:
    from worktree_runner.core.guarding import Foreign

EDIT_KEYS = ("file_path", "notebook_path", "path")
PATCH_MARKS = ("*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: ")


def main(argv: Sequence[str]) -> int:
    facts = json.loads(Path(argv[0]).read_text())
    hook = argv[1]
    if hook == "pre-tool":
        return pre_tool(facts, sys.stdin.read())
    git_dir = argv[2] if len(argv) > 2 else ""
    data = sys.stdin.buffer.read()
    if hook == "reference-transaction":
        return refuse_refs(facts, os.fsdecode(data), git_dir)
    if hook == "pre-push":
        return refuse_push(facts, os.fsdecode(data), git_dir)
    paths = [os.fsdecode(part) for part in data.split(b"\0") if part]
    return check_commit(facts, paths, git_dir)


def check_commit(facts: Mapping[str, Any], paths: Sequence[str], git_dir: str) -> int:
    """Refuses a commit of paths that others have reserved, or notes it once per attempt."""
    found = _foreign(facts, paths)
    if not found:
        return 0
    until = [_until(one) for one in found]
    refused = any(one.refused for one in found)
    if refused:
        _log(facts, "commit", refused=True, git_dir=git_dir, **_rows(found))
        _say(guarding.refusal(found, until, "commit"))
        return 1
    known = {(row.get("paths", [""])[0], row.get("reservation")) for row in _read_log(facts)}
    for one, end in zip(found, until, strict=True):
        if (one.path, one.record.id) not in known:
            _log(facts, "commit", refused=False, git_dir=git_dir, **_rows([one]))
            _say(f"wtrun: notice: {guarding.describe(one, end)}; the merge decides who wins")
    return 0


def refuse_refs(facts: Mapping[str, Any], text: str, git_dir: str) -> int:
    refs = sorted({line.split()[2] for line in text.splitlines() if len(line.split()) > 2})
    _log(facts, "ref", refused=True, git_dir=git_dir, refs=refs, cwd=os.getcwd())  # noqa: PTH109
    own = facts["branch"]
    if git_dir == facts["git_dir"]:
        why = f"an agent may move only its own branch {own}, not {', '.join(refs)}"
    else:
        why = f"an agent may use git only in its own worktree {facts['worktree']}, not in {git_dir}"
    _say(f"wtrun: refused: {why}")
    if "refs/stash" in refs:
        _say("wtrun: stashes are shared by all worktrees; make a commit on the branch instead")
    return 1


def refuse_push(facts: Mapping[str, Any], text: str, git_dir: str) -> int:
    lines = [line.split() for line in text.splitlines()]
    refs = sorted({words[2] for words in lines if len(words) > 2})
    _log(facts, "push", refused=True, git_dir=git_dir, refs=refs)
    _say("wtrun: refused: an agent pushes nothing; wtrun merges its branch when it is done")
    return 1


def pre_tool(facts: Mapping[str, Any], text: str) -> int:
    """Answers a PreToolUse hook of Claude Code or Codex: prints a denial, or nothing."""
    try:
        call = json.loads(text)
        paths = edited_paths(call)
    except (ValueError, TypeError, AttributeError, KeyError):
        return 0
    reasons = []
    inside = []
    for path in paths:
        why = _outside(facts, path)
        if why is not None:
            reasons.append(why)
            continue
        relative = os.path.relpath(path, facts["worktree"])
        if not relative.startswith(".."):
            inside.append(relative)
    found = _foreign(facts, inside)
    if any(one.refused for one in found):
        reasons.append(guarding.refusal(found, [_until(one) for one in found], "edit"))
    if not reasons:
        return 0
    _log(facts, "edit", refused=True, paths=list(paths))
    decision = {
        "hookEventName": "PreToolUse",
        "permissionDecision": "deny",
        "permissionDecisionReason": "\n".join(reasons),
    }
    print(json.dumps({"hookSpecificOutput": decision}))  # noqa: T201 - the hook's answer
    return 0


def edited_paths(call: Mapping[str, Any]) -> tuple[str, ...]:
    """The real paths that a tool call edits: a file tool's, or those of a patch."""
    given = call.get("tool_input") or {}
    cwd = str(call.get("cwd") or ".")
    named = [given[key] for key in EDIT_KEYS if isinstance(given.get(key), str)]
    texts = [value for value in given.values() if isinstance(value, str)]
    for text in texts:
        if "*** Begin Patch" not in text:
            continue
        for line in text.splitlines():
            named += [line[len(mark) :].strip() for mark in PATCH_MARKS if line.startswith(mark)]
    return tuple(os.path.realpath(os.path.join(cwd, path)) for path in named)  # noqa: PTH118


def _outside(facts: Mapping[str, Any], path: str) -> str | None:
    real = os.path.realpath
    own = real(facts["worktree"])
    worktrees = [str(one) for one in locate.worktrees(Path(facts["common_dir"]))]
    temporary = (os.environ.get("TMPDIR", "/tmp"), "/tmp", "/var/tmp")
    places = guarding.Places(
        own=own,
        folder=real(facts["folder"]),
        common_dir=real(facts["common_dir"]),
        others=tuple(one for one in worktrees if one != own),
        temporary=tuple(real(folder) for folder in temporary),
    )
    return guarding.decide_edit(path, places)


def _foreign(facts: Mapping[str, Any], paths: Sequence[str]) -> tuple[Foreign, ...]:
    registry = Registry(Layout(Path(facts["common_dir"])))
    return guarding.decide_paths(
        paths,
        [held.reservation for held in registry.active()],
        Holder(facts["run"], facts["plan"]),
        strict=facts["reservations"] == "strict",
        fold_case=registry.fold_case,
    )


def _until(one: Foreign) -> str:
    return time.strftime("until %H:%M", time.localtime(one.record.until))


def _rows(found: Sequence[Foreign]) -> dict[str, Any]:
    first = found[0].record
    return {
        "paths": sorted({one.path for one in found}),
        "reservation": first.id,
        "holder": first.holder.label,
    }


def _log(facts: Mapping[str, Any], kind: str, **row: Any) -> None:
    """Adds a line to the first log that can be written."""
    line = json.dumps({"v": 1, "at": time.time(), "kind": kind, **row}) + "\n"
    for name in facts["logs"]:
        try:
            with Path(name).open("a") as file:
                file.write(line)
        except OSError:
            continue
        return


def _read_log(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for name in facts["logs"]:
        try:
            lines = Path(name).read_text().splitlines()
        except OSError:
            continue
        rows += [json.loads(line) for line in lines if line.endswith("}")]
    return rows


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the agent reads it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
