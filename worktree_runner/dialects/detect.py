"""Which dialect a repository speaks, from the paths of its files.

- A root counts if it holds a phases directory or a state, road map or config file under the
  dialect's names: other tools have an `.ace` directory too.
- Two dialects with the same root (`.planning` of GSD and of old Ariadna) are told apart by
  marks in the files, which is the only reason to read one.
- Several roots are an error that names them; the user's word (`--dialect`) always wins.
- `NAME:ROOT` is a dialect at another place, `NAME:WORKSTREAM` one of its workstreams; the tool's
  own variable (`GSD_WORKSTREAM`) names one too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from worktree_runner.dialects.schema import Detection, Dialect, load, load_file, names
from worktree_runner.errors import PreconditionError, UsageError

Read = Callable[[Sequence[str]], Mapping[str, bytes]]
_READ_AT_MOST = 12


def shipped() -> Mapping[str, Dialect]:
    """Every dialect that comes with wtrun, by name."""
    return {name: load(name) for name in names()}


def detect(
    paths: Iterable[str],
    *,
    override: str | None = None,
    own: Mapping[str, Dialect] | None = None,
    read: Read | None = None,
) -> Dialect:
    """The dialect of the repository, with the root that is really there.

    `override` is a dialect's name or the path of a dialect file. `read` gives the contents of
    repository paths; without it a shared root belongs to the dialect that owns it today.
    """
    known = {**shipped(), **(own or {})}
    paths = tuple(paths)
    if override is not None:
        return _with_root(_named(override, known, paths), paths)
    found = _candidates(known.values(), paths, read)
    roots = sorted({dialect.root for dialect in found})
    if not found:
        raise PreconditionError(
            "no planning directory: looked for "
            + ", ".join(f"{dialect.root} ({dialect.title})" for dialect in known.values()),
            hint=workstream_hint(paths)
            or "make a plan with one of these tools first, or try 'wtrun demo'",
        )
    if len(roots) > 1 or len(found) > 1:
        shown = ", ".join(f"{dialect.root} ({dialect.title})" for dialect in found)
        raise UsageError(
            f"several planning directories: {shown}",
            hint=f"say which one with --dialect, e.g. --dialect {found[0].name}",
        )
    return found[0]


def workstream_hint(paths: Iterable[str]) -> str:
    """How to read the workstreams below a planning directory; empty if there are none."""
    known = [each for each in shipped().values() if each.detection.workstreams]
    starts = {f"{each.root}/{each.detection.workstreams}/": each.name for each in known}
    found = {
        f"{name}:{path[len(start) :].partition('/')[0]}"
        for path in paths
        for start, name in starts.items()
        if path.startswith(start) and "/" in path[len(start) :]
    }
    shown = " or ".join(f"--dialect {each}" for each in sorted(found))
    return f"workstreams are read one at a time: {shown}" if found else ""


def named_workstream(env: Mapping[str, str]) -> str | None:
    """`NAME:WORKSTREAM` where a dialect's own variable names one."""
    for dialect in shipped().values():
        variable = dialect.detection.workstream_variable
        if variable and env.get(variable):
            return f"{dialect.name}:{env[variable]}"
    return None


def _place(dialect: Dialect, place: str, paths: Sequence[str]) -> str:
    """The root that is meant: a directory of the repository, or a workstream of that name."""
    inside = f"{dialect.root}/{dialect.detection.workstreams}/{place}"
    if not dialect.detection.workstreams or _is_root(dialect, place, paths):
        return place
    return inside if any(path.startswith(f"{inside}/") for path in paths) else place


def _named(name: str, known: Mapping[str, Dialect], paths: Sequence[str]) -> Dialect:
    plain, colon, place = name.partition(":")
    if colon and plain in known and place.strip("/"):
        root = _place(known[plain], place.strip("/"), paths)
        return known[plain].model_copy(update={"root": root, "detection": Detection()})
    if name in known:
        return known[name]
    if "/" in name or name.endswith(".toml"):
        return load_file(Path(name))
    raise UsageError(
        f"no dialect '{name}'",
        hint=f"known: {', '.join(sorted(known))}; or give the path of a dialect file",
    )


def _with_root(dialect: Dialect, paths: Sequence[str]) -> Dialect:
    """The dialect at its root, or at an older one if only that is there."""
    for root in dialect.roots:
        if _is_root(dialect, root, paths):
            return dialect if root == dialect.root else dialect.model_copy(update={"root": root})
    raise PreconditionError(
        f"no planning directory {dialect.root} ({dialect.title})",
        hint=workstream_hint(paths) or "leave '--dialect' out to see what is there",
    )


def _is_root(dialect: Dialect, root: str, paths: Sequence[str]) -> bool:
    names = dialect.files
    files = {
        f"{root}/{name}".lower()
        for name in (*names.state, *names.roadmap, names.config, *names.requirements)
    }
    phases = f"{root}/{names.phases}/"
    start = f"{root}/"
    return any(
        path.startswith(start) and (path.startswith(phases) or path.lower() in files)
        for path in paths
    )


def _candidates(known: Iterable[Dialect], paths: Sequence[str], read: Read | None) -> list[Dialect]:
    """One dialect for each root that is there."""
    owners: dict[str, Dialect] = {}
    older: list[Dialect] = []
    for dialect in known:
        if _is_root(dialect, dialect.root, paths):
            owners[dialect.root] = dialect
        older += [
            dialect.model_copy(update={"root": root})
            for root in dialect.detection.older_roots
            if _is_root(dialect, root, paths)
        ]
    for dialect in older:
        if dialect.root not in owners or (read is not None and _marked(dialect, paths, read)):
            owners[dialect.root] = dialect
    return [owners[root] for root in sorted(owners)]


def _marked(dialect: Dialect, paths: Sequence[str], read: Read) -> bool:
    """Whether a few files below the root hold one of the dialect's marks."""
    if not dialect.detection.marks:
        return False
    marks = re.compile("|".join(dialect.detection.marks).encode())
    start = f"{dialect.root}/"
    inside = [path for path in paths if path.startswith(start)]
    config = [path for path in inside if path == start + dialect.files.config]
    plans = [path for path in inside if path.lower().endswith(
        tuple(f"{name.lower()}.md" for name in dialect.files.plan)
    )]  # fmt: skip
    chosen = [*config, *sorted(plans)[: _READ_AT_MOST - len(config)]]
    return any(marks.search(data) for data in read(chosen).values()) if chosen else False
