"""How a settled conflict is told: by a rule, with the reason why that is safe, or by a person.

- In what the user reads, a person is "you". In a commit, which others read, it is "by hand".
- Where nobody was asked (`--on-conflict ours|theirs`), that is said, with what was dropped.
- `Wtrun-Resolved` trailers parse back, so that a landing whose event was lost is still told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from merge.types import Resolution
from worktree_runner.core.texts import count

MANUAL = "manual"
PERSON = "person"
"""The engine's name for the resolver that is a person."""
FORCED = "forced"
_ON_CONFLICT = "on-conflict-"
BY_HAND = "by hand"
TRAILER = "Wtrun-Resolved"
UNDONE = "Wtrun-Unresolved"
"""Names the path in the commit that replaces a resolution."""
_TESTED = ", tested"
_PREFIX = "a person decided: "


def resolution_of(item: Mapping[str, Any]) -> Resolution:
    """A resolution as the journal holds it."""
    return Resolution(
        path=str(item["path"]),
        resolver=str(item["resolver"]),
        why=str(item.get("why", "")),
        hunks=int(item.get("hunks", 1)),
        tier=str(item.get("tier") or "proven"),
        diff=str(item.get("diff", "")),
    )


def forced(one: Resolution, choice: Mapping[str, Any]) -> Resolution:
    """The resolution as its choice says: one side by the user's setting, not by an answer."""
    how = choice.get("forced")
    if not how or not is_manual(one):
        return one
    why = f"--on-conflict {how}: dropped {choice.get('dropped', 'the other side')}"
    return replace(one, resolver=f"{_ON_CONFLICT}{how}", why=why, tier=FORCED)


def is_manual(one: Resolution) -> bool:
    return one.tier == MANUAL


def by_whom(one: Resolution) -> str:
    """`decided by you`, or `rule 'imports'`, or that of a tested proposal."""
    if is_manual(one):
        return "decided by you"
    if one.tier == FORCED:
        return f"--on-conflict {one.resolver.removeprefix(_ON_CONFLICT)}"
    return f"rule '{one.resolver}'" + (", tested" if one.tier == "tested" else "")


def reason(one: Resolution) -> str:
    """Why it is safe; for a person's answer, what the answer was."""
    return one.why.removeprefix(_PREFIX).removeprefix(f"{by_whom(one)}: ")


def sentence(one: Resolution) -> str:
    """One line for the narration."""
    why = f": {reason(one)}" if one.why else ""
    if is_manual(one):
        return f"{one.path}: decided by you{why}"
    return f"settled {one.path} by {by_whom(one)}{why}"


def tally(items: Iterable[Resolution]) -> str:
    """`2 files by rule, 1 decided by you`; empty if there are none."""
    every = tuple(items)
    manual = sum(map(is_manual, every))
    one_sided = sum(one.tier == FORCED for one in every)
    parts = []
    tested = sum(one.tier == "tested" for one in every)
    by_rule = len(every) - manual - one_sided
    if by_rule:
        only = " (tested, not proven)" if tested == by_rule else f" ({tested} tested, not proven)"
        parts.append(f"{count(by_rule, 'file')} settled by rule{only if tested else ''}")
    if one_sided:
        parts.append(f"{count(one_sided, 'file')} one-sided by --on-conflict")
    if manual:
        parts.append(f"{manual if parts else count(manual, 'file')} decided by you")
    return ", ".join(parts)


def trailer(one: Resolution) -> str:
    """The line of a merge commit that names a settled file; a likely resolution says so."""
    tested = _TESTED if one.tier == "tested" else ""
    return f"{TRAILER}: {one.path} ({BY_HAND if is_manual(one) else one.resolver}{tested})"


def parse_trailer(value: str) -> Resolution:
    """What a trailer's value tells; the reason is not in it."""
    path, _, rule = value.removesuffix(")").rpartition(" (")
    if rule == BY_HAND:
        return Resolution(path, PERSON, "", tier=MANUAL)
    if rule.endswith(_TESTED):
        return Resolution(path, rule.removesuffix(_TESTED), "", tier="tested")
    tier = FORCED if rule.startswith(_ON_CONFLICT) else "proven"
    return Resolution(path, rule, "", tier=tier)
