"""A conflict on paper: Markdown for people, JSON for programs, a bundle of files for tools.

- `render_report` and `to_json` say the same; the JSON is versioned and add-only.
- `bundle` adds the versions of every file and both sides' patches, so that the conflict can be
  decided with any tool, also on another machine.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from merge.types import FileConflict
from worktree_runner.core.conflicts import (
    CommitFacts,
    ConflictFacts,
    PlanFacts,
    commands,
    hunk_count,
    place,
    side_lines,
)
from worktree_runner.core.edited import file_text, hunk_text
from worktree_runner.core.markdown import block, code, plain
from worktree_runner.core.patch import unified
from worktree_runner.core.texts import clean, decode

JSON_VERSION = 1


def render_report(facts: ConflictFacts, conflicts: Sequence[FileConflict]) -> str:
    """The conflict as Markdown: who wanted what, every hunk with its base, how to go on."""
    plan, noun = facts.plan, facts.noun
    title = plain(plan.title)
    lines = [f'# Conflict: {noun} {plan.id} "{title}" can\'t be merged into {facts.target} yet', ""]
    if facts.branch:
        lines.append(f"- Branch: {code(facts.branch)}")
    if facts.worktree:
        lines.append(f"- Worktree: {code(facts.worktree)}")
    lines += [f"- Open: {hunk_count(conflicts)}", ""]
    lines += [f"**What {noun} {plan.id} is for:** {plain(plan.objective) or title}", ""]
    for other in facts.target_plans:
        who = f'{noun} {other.id} "{plain(other.title)}"'
        words = plain(other.purpose)
        lines += [f"**Already in {facts.target}, {who}{':**' if words else '**'} {words}".rstrip()]
        lines.append("")
    lines += ["Nothing was merged and no file was changed. To go on, one of:", "", "```sh"]
    ways = commands(facts, conflicts[0].path if conflicts else "PATH")
    for way in ways:
        lines += [f"# {way.effect}", clean(way.line)]
    lines += ["```", ""]
    for one in conflicts:
        lines += _file_section(facts, one)
    return "\n".join(lines).rstrip() + "\n"


def _file_section(facts: ConflictFacts, one: FileConflict) -> list[str]:
    lines = [f"## {code(one.path)}", "", f"{one.kind}: {plain(one.why)}", ""]
    if one.command:
        lines += [f"This command would settle it: {code(one.command)}", ""]
    for target, name in ((True, facts.target), (False, facts.plan.id)):
        for commit in facts.commits(one.path, target=target):
            by = f" ({facts.noun} {commit.plan})" if target and commit.plan else ""
            lines.append(f"- {name}: `{commit.id[:10]}` {plain(commit.subject)}{by}")
    if not one.hunks:
        lines += [*(f"- {plain(text)}" for text in side_lines(facts, one)), ""]
        return lines
    for number, hunk in enumerate(one.hunks):
        where = place(facts, one, number)
        lines += ["", f"### {where[0].upper()}{where[1:]}", ""]
        lines += block(decode(hunk_text(facts, hunk)))
        if hunk.proposal is not None:
            why = plain(hunk.proposal_why)
            lines += ["", f"Proposal (`--take proposal`){': ' + why if why else ''}", ""]
            lines += block(decode(b"".join(hunk.proposal)))
    lines.append("")
    return lines


def to_json(facts: ConflictFacts, conflicts: Sequence[FileConflict]) -> dict[str, Any]:
    """The report for programs. `ours` is the target's side, `theirs` the plan's."""
    ways = commands(facts, conflicts[0].path if conflicts else "PATH")
    return {
        "v": JSON_VERSION,
        "kind": "conflict",
        "run": facts.run,
        "plan": _plan_json(facts.plan),
        "target": facts.target,
        "branch": facts.branch,
        "worktree": facts.worktree,
        "sides": {"ours": facts.target, "theirs": facts.plan.id},
        "target_plans": [_plan_json(plan) for plan in facts.target_plans],
        "files": [_file_json(facts, number, one) for number, one in enumerate(conflicts, start=1)],
        "commands": [{"run": c.line, "effect": c.effect} for c in ways],
    }


def _plan_json(plan: PlanFacts) -> dict[str, str]:
    return {"id": plan.id, "title": plan.title, "objective": plan.objective}


def _file_json(facts: ConflictFacts, number: int, one: FileConflict) -> dict[str, Any]:
    stages = {1: "base", 2: "ours", 3: "theirs"}
    return {
        "path": one.path,
        "kind": one.kind,
        "why": one.why,
        "fingerprint": one.fingerprint,
        "command": one.command,
        "stages": {
            stages[stage]: {"mode": entry.mode, "oid": entry.oid}
            for stage, entry in sorted(one.stages.items())
        },
        "made_by": [plan.id for plan in facts.makers(one.path)],
        "commits": {
            "ours": [_commit_json(c) for c in facts.commits(one.path, target=True)],
            "theirs": [_commit_json(c) for c in facts.commits(one.path, target=False)],
        },
        "hunks": [
            {
                "number": index + 1,
                "line": hunk.ours_line,
                "kind": hunk.kind,
                "enclosing": facts.enclosing.get((one.path, index), ""),
                "before": _lines_json(hunk.before),
                "base": _lines_json(hunk.base),
                "ours": _lines_json(hunk.ours),
                "theirs": _lines_json(hunk.theirs),
                "after": _lines_json(hunk.after),
                "proposal": None if hunk.proposal is None else _lines_json(hunk.proposal),
                "proposal_why": hunk.proposal_why,
            }
            for index, hunk in enumerate(one.hunks)
        ],
        "saved": sorted(_saved(facts, number, one)),
    }


def _commit_json(commit: CommitFacts) -> dict[str, str]:
    return {
        "id": commit.id,
        "subject": commit.subject,
        "plan": commit.plan,
        "agent": commit.agent,
        "when": commit.when,
    }


def _lines_json(lines: Sequence[bytes]) -> list[str] | dict[str, list[str]]:
    """Lines with their ends as text; all as base64 if one of them isn't UTF-8."""
    try:
        return [line.decode() for line in lines]
    except UnicodeDecodeError:
        return {"base64": [base64.b64encode(line).decode() for line in lines]}


def bundle(facts: ConflictFacts, conflicts: Sequence[FileConflict]) -> dict[str, bytes]:
    """The files of a conflict by name, flat: report, JSON, each file's versions, two patches.

    `target.patch` and `plan.patch` hold what each side did to these files since the base;
    `git apply` takes them.
    """
    document = json.dumps(to_json(facts, conflicts), indent=2, ensure_ascii=False)
    files = {
        "conflict.md": render_report(facts, conflicts).encode("utf-8", "backslashreplace"),
        "conflict.json": document.encode("utf-8", "surrogateescape") + b"\n",
    }
    patches: dict[str, list[bytes]] = {"target.patch": [], "plan.patch": []}
    for number, one in enumerate(conflicts, start=1):
        files.update(_saved(facts, number, one))
        content = facts.content(one.path)
        for name, stage, side in (
            ("target.patch", 2, content.ours),
            ("plan.patch", 3, content.theirs),
        ):
            entry = one.stages.get(stage) or one.stages.get(1)
            mode = entry.mode if entry is not None else "100644"
            patches[name].append(unified(one.path, content.base, side, mode=mode))
    files.update({name: b"".join(parts) for name, parts in patches.items() if any(parts)})
    return files


def _saved(facts: ConflictFacts, number: int, one: FileConflict) -> dict[str, bytes]:
    """A file's versions under flat names that keep its ending: `01-guard.base.ts`."""
    path = PurePosixPath(one.path)
    kept = "".join(char if char.isalnum() or char in "-_" else "-" for char in path.stem)
    ending = "".join(char for char in path.suffix if char.isalnum() or char == ".")
    content = facts.content(one.path)
    versions = (
        ("base", content.base),
        ("ours", content.ours),
        ("theirs", content.theirs),
        ("marked", file_text(facts, one)),
    )
    stem = f"{number:02}-{kept[:60]}"
    return {f"{stem}.{name}{ending[:20]}": data for name, data in versions if data is not None}
