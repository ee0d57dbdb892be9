"""Phases and plan files of a repository, from nothing but its list of paths.

- A phase is a directory below `<root>/phases`; archived milestones are never listed, only named
  in the message when somebody asks for one of theirs.
- Names are compared without case. A summary is recognised before a plan (`02-PLAN-01-SUMMARY`).
- What looks like a plan but is not named like one is reported, never run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from worktree_runner.core.ids import PhaseName, PlanName, name_plans, parse_directory
from worktree_runner.dialects.detect import workstream_hint
from worktree_runner.dialects.schema import Dialect
from worktree_runner.errors import UsageError
from worktree_runner.models import PhaseDir

_DROPPED = re.compile(r"^[._]|OUTLINE$|\.pre-bounce$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan file with the summary that belongs to it, if there is one."""

    path: str
    name: PlanName
    summary: str | None
    summary_path: str
    """The summary's place; for a plan without one, in the plan file's own style."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of one phase directory that matter here."""

    plans: tuple[PlanFile, ...]
    verifications: tuple[str, ...]
    leftovers: tuple[str, ...]
    """Names that look like plans and are none."""


@lru_cache(maxsize=32)
def _suffix(names: tuple[str, ...]) -> re.Pattern[str]:
    words = "|".join(sorted({re.escape(name) for name in names}, key=len, reverse=True))
    return re.compile(
        rf"(?P<bare>{words})|(?P<stem>.+?)[-.](?:{words})"
        rf"|(?:(?P<front>[0-9][\w.]*)[-.])?(?:{words})-(?P<rest>[0-9].*)",
        re.IGNORECASE | re.DOTALL,
    )


def strip_suffix(file: str, names: tuple[str, ...]) -> str | None:
    """The stem of `03-01-PLAN.md`, `PLAN-01-slug.md` or `PLAN.md` (empty); else None."""
    lower = file.lower()
    if not lower.endswith(".md") or not any(name.lower() in lower for name in names):
        return None
    found = _suffix(names).fullmatch(file[:-3])
    if found is None:
        return None
    if found["rest"] is not None:
        return f"{found['front']}-{found['rest']}" if found["front"] else found["rest"]
    return found["stem"] or ""


def phases_root(dialect: Dialect) -> str:
    return f"{dialect.root}/{dialect.files.phases}"


def list_phases(paths: Iterable[str], dialect: Dialect) -> tuple[PhaseDir, ...]:
    """Every phase directory in phase order, with or without plans."""
    start = phases_root(dialect) + "/"
    names = {path[len(start) :].split("/", 1)[0] for path in paths
             if path.startswith(start) and "/" in path[len(start) :]}  # fmt: skip
    found = [(parse_directory(name), name) for name in names]
    found.sort(key=lambda pair: (pair[0].token, pair[1]))
    counts = Counter(name.token for name, _ in found)
    return tuple(_phase_dir(name, start + text, counts[name.token] > 1) for name, text in found)


def _phase_dir(name: PhaseName, path: str, twin: bool) -> PhaseDir:
    title = re.sub(r"[-_]+", " ", name.slug).strip()
    title = title[:1].upper() + title[1:] if title else name.token.text
    return PhaseDir(name.token.text, name.slug, title, path, twin)


def find_phase(paths: Iterable[str], dialect: Dialect, token: str) -> PhaseDir:
    """The one phase of that token, or of that directory name; UsageError if it is not one."""
    paths = tuple(paths)
    words = dialect.words
    phases = list_phases(paths, dialect)
    typed = token.strip().rstrip("/")
    exact = [phase for phase in phases if typed in (phase.path, phase.path.rpartition("/")[2])]
    name = parse_directory(typed)
    wanted = name.token
    matches = exact or [
        phase
        for phase in phases
        if _token_of(phase).token == wanted
        and name.slug.lower() in ("", _token_of(phase).slug.lower())
    ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(phase.path.rpartition("/")[2] for phase in matches)
        raise UsageError(
            f"{len(matches)} {words.phases} are called '{token}': {names}",
            hint=f"name one by its directory, e.g. '{matches[0].path.rpartition('/')[2]}'",
        )
    if re.fullmatch(r"[0-9]+[A-Za-z]?", name.slug) and any(
        _token_of(phase).token == wanted for phase in phases
    ):
        raise UsageError(
            f"'{token}' names a {words.plan}, and a {words.phase} is wanted",
            hint=f"all of its {words.phase}: wtrun execute {wanted}; "
            f"only this one: wtrun execute {wanted} --only {typed}",
        )
    archived = _archived(paths, dialect, wanted)
    if archived:
        raise UsageError(
            f"{words.phase} '{token}' is only in an archived milestone: {', '.join(archived)}",
            hint=f"archived {words.plans} are never executed; move the directory back to "
            f"{phases_root(dialect)} to execute them again",
        )
    hint = workstream_hint(paths) or _known(phases, dialect)
    raise UsageError(f"no {words.phase} '{token}' in {phases_root(dialect)}", hint=hint)


def _known(phases: tuple[PhaseDir, ...], dialect: Dialect) -> str:
    words = dialect.words
    if not phases:
        return f"there are no {words.phases} yet; make {words.plans} with " + (
            dialect.commands.plan_phase.format(phase=1)
        )
    names = [phase.path.rpartition("/")[2] for phase in phases]
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"{words.phases} here: {shown}"


def _token_of(phase: PhaseDir) -> PhaseName:
    return parse_directory(phase.path.rpartition("/")[2])


def _archived(paths: Iterable[str], dialect: Dialect, wanted: object) -> tuple[str, ...]:
    place = re.compile(rf"({re.escape(dialect.root)}/milestones/[^/]+/)([^/]+)/")
    return tuple(sorted({
        found[0].rstrip("/") for found in map(place.match, paths)
        if found and parse_directory(found[2]).token == wanted
    }))  # fmt: skip


def phase_paths(paths: Iterable[str], phase: PhaseDir, dialect: Dialect) -> tuple[str, ...]:
    """The plan and summary files to read for `read_phase`, sorted."""
    files = dialect.files
    return tuple(sorted(
        path for path in paths
        if path.startswith(phase.path + "/")
        and any(strip_suffix(path.rpartition("/")[2], names) is not None
                for names in (files.plan, files.summary))
    ))  # fmt: skip


def list_files(paths: Iterable[str], phase: PhaseDir, dialect: Dialect) -> Listing:
    """The plan files of a phase in plan order, each with its summary."""
    files, name = dialect.files, _token_of(phase)
    plans: dict[str, str] = {}
    summaries: dict[str, str] = {}
    proofs, leftovers = [], []
    for path in sorted(paths):
        if not path.startswith(phase.path + "/"):
            continue
        folder, _, file = path[len(phase.path) + 1 :].rpartition("/")
        if not file.lower().endswith(".md") or _DROPPED.search(file[:-3]):
            continue
        summary = strip_suffix(file, files.summary)
        plan = strip_suffix(file, files.plan)
        if folder not in ("", files.nested):
            if summary is None and plan is not None:
                leftovers.append(path)
        elif summary is not None:
            summaries[path] = _without_word(summary, files.plan)
        elif strip_suffix(file, files.verification) is not None:
            proofs.append(path)
        elif plan is not None:
            plans[path] = plan
        elif _plan_shaped(file, files.plan):
            leftovers.append(path)
    found = _pair(plans, summaries, name, dialect)
    return Listing(found, tuple(proofs), tuple(leftovers))


def _without_word(stem: str, names: tuple[str, ...]) -> str:
    """`02-PLAN-01` as `02-01`: a summary may repeat the plan's own suffix."""
    stripped = strip_suffix(stem + ".md", names)
    return stem if stripped is None else stripped


def _plan_shaped(file: str, names: tuple[str, ...]) -> bool:
    words = re.split(r"[-_. ]", file[:-3].lower())
    return any(name.lower() in words for name in names if name.lower() != "run")


def _pair(
    plans: Mapping[str, str], summaries: Mapping[str, str], phase: PhaseName, dialect: Dialect
) -> tuple[PlanFile, ...]:
    plan_names = name_plans(plans.values(), phase)
    # a summary's name is read beside all the others: `03-SUMMARY.md` means plan 03 where
    # `01-PLAN.md` and `03-PLAN.md` are, and the only plan of phase 3 where they are not
    summary_names = plan_names
    if summaries:
        every = name_plans([*plans.values(), *summaries.values()], phase)
        summary_names = {**every, **plan_names}
    by_stem: dict[str, str] = {}
    by_number: dict[tuple[str, bool, str], str] = {}
    for path, stem in summaries.items():
        name = summary_names[stem]
        by_stem.setdefault(name.stem, path)
        by_number.setdefault((name.number.lower(), name.implicit, name.foreign), path)
    found = []
    for path, stem in plans.items():
        name = plan_names[stem]
        number = name.number.lower()
        summary = by_stem.get(name.stem) or by_number.get((number, False, name.foreign))
        if summary is None and name.implicit:
            summary = by_number.get((number, True, name.foreign))
        found.append(PlanFile(path, name, summary, summary or swap_suffix(path, dialect)))
    found.sort(key=lambda plan: (plan.name.order, plan.path))
    return tuple(found)


@lru_cache(maxsize=32)
def _plan_name(names: tuple[str, ...]) -> re.Pattern[str]:
    words = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.compile(rf"(?P<a>.*[-.])?(?P<word>{words})(?P<b>-[0-9].*)?\.md$", re.I | re.S)


def swap_suffix(path: str, dialect: Dialect) -> str:
    """The summary's path beside a plan: same stem, separator, padding and letter case."""
    folder, slash, file = path.rpartition("/")
    found = _plan_name(dialect.files.plan).match(file)
    if found is None:
        raise ValueError(f"{path} is not named like a {dialect.words.plan}")
    word, new = found["word"], dialect.files.summary[0]
    if word.isupper():
        new = new.upper()
    elif word.islower():
        new = new.lower()
    else:
        new = new.capitalize()
    ending = file[-3:]
    return f"{folder}{slash}{found['a'] or ''}{new}{found['b'] or ''}{ending}"
