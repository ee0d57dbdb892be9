"""What is uncommitted in a checkout, with the blob ids that the files would get."""

from __future__ import annotations

from dataclasses import dataclass

from worktree_runner.git.gateway import Git

QUIET = {"GIT_OPTIONAL_LOCKS": "0"}


@dataclass(frozen=True, slots=True)
class Uncommitted:
    """One path of `git status`, its two letters, and the blob id of the file as it lies there."""

    path: str
    index: str
    worktree: str
    content: str | None
    """None where no regular file is: deleted, a link, a folder that is a repository."""


def uncommitted(git: Git, *places: str) -> tuple[Uncommitted, ...]:
    """The changes at or below these paths of the checkout, each untracked file by itself."""
    fields: list[str] = []
    for start in range(0, len(places), 500):
        fields += git.run(
            "--literal-pathspecs", "status", "--porcelain", "-z", "--no-renames",
            "--untracked-files=all", "--", *places[start : start + 500], env=QUIET,
        ).fields  # fmt: skip
    changes = [(field[:2], field[3:]) for field in fields]
    contents = blob_ids(git, [path for _, path in changes])
    return tuple(
        Uncommitted(path, letters[0], letters[1], contents.get(path)) for letters, path in changes
    )


def blob_ids(git: Git, paths: list[str]) -> dict[str, str]:
    """The ids that regular files would get if they were added, filters applied; writes nothing."""
    files = [
        path
        for path in paths
        if "\n" not in path and not (git.path / path).is_symlink() and (git.path / path).is_file()
    ]
    if not files:
        return {}
    lines = "".join(f"{path}\n" for path in files).encode(errors="surrogateescape")
    ids = git.run("hash-object", "--stdin-paths", stdin=lines).text.split()
    return dict(zip(files, ids, strict=True))


def write_blob(git: Git, path: str) -> str:
    """Stores a file's content as `git add` would, and nothing else; its id."""
    return git.run("hash-object", "-w", "--", path).text


def elsewhere(git: Git, place: str) -> tuple[str, ...]:
    """Changed paths that are not below `place`; untracked folders as one."""
    fields = git.run(
        "status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--",
        ":(top)", f":(top,exclude,literal){place}", env=QUIET,
    ).fields  # fmt: skip
    return tuple(field[3:] for field in fields)
