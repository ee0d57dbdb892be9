"""Names of the branches that whole phases and milestones are merged into.

- A template's fields are those of every dialect: `{phase}` and `{stage}` are the token as in file
  names (`03`), `{milestone}` the version (`v1.0`), `{slug}` and `{name}` the phase's or the
  milestone's name in small letters and dashes.
- A road map without a milestone gives `v1.0` and `milestone`, as the originals do.
"""

from __future__ import annotations

import re

from worktree_runner.core.docs.roadmap import Milestone
from worktree_runner.core.places import safe_name
from worktree_runner.dialects.schema import Dialect
from worktree_runner.errors import UsageError
from worktree_runner.models import PhaseDir

FIELDS = ("phase", "stage", "slug", "name", "milestone")
LONGEST_PART = 200
"""Bytes of one part of a name; file systems end at 255."""
_FIELD = re.compile(r"\{([^{}]*)\}")


def slug_of(text: str) -> str:
    """Small letters, digits and single dashes, as the originals make it; may be empty."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def template_of(dialect: Dialect, strategy: str, own: str | None) -> str:
    """The user's own template, or the dialect's."""
    shipped = dialect.branches.milestone if strategy == "milestone" else dialect.branches.phase
    return own or shipped


def names_phase(template: str) -> bool:
    """Whether the branch differs from phase to phase."""
    return bool({"phase", "stage"} & set(_FIELD.findall(template)))


def branch_name(
    dialect: Dialect, strategy: str, template: str, phase: PhaseDir | None, milestone: Milestone
) -> str:
    """The branch of a phase or a milestone; UsageError for a field that there is not.

    `phase` may be None for a milestone whose template does not name it.
    """
    words = dialect.words
    if strategy == "milestone":
        slug = slug_of(milestone.name) or "milestone"
    else:
        slug = slug_of(phase.slug if phase else "") or words.phase
    token = phase.token if phase else ""
    values = {
        "phase": token,
        "stage": token,
        "slug": slug,
        "name": slug,
        "milestone": milestone.version or "v1.0",
    }
    unknown = sorted(set(_FIELD.findall(template)) - set(FIELDS))
    if unknown:
        known = ", ".join(f"{{{field}}}" for field in FIELDS)
        raise UsageError(
            f"branch template '{template}': there is no {{{unknown[0]}}}, only {known}",
            hint="wtrun config --origin branching",
        )
    name = _FIELD.sub(lambda found: values[found[1]], template)
    parts = (part.strip() for part in name.split("/"))
    return "/".join(_fitting(part) for part in parts if part)


def _fitting(part: str) -> str:
    return part if len(part.encode(errors="replace")) <= LONGEST_PART else safe_name(part)
