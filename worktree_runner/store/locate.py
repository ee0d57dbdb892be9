"""Where a folder's repository keeps its files, read from disk without starting git.

For commands that must start at once (`wtrun reserve`, `wtrun mail`, hooks) and for the endpoint:
- a linked worktree leads to the same common dir as the main worktree, by git's own pointer
  files (`.git`, `commondir`, `worktrees/*/gitdir`);
- the environment is not asked: inside a hook `GIT_DIR` is set, but the folder says the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from worktree_runner.errors import PreconditionError
from worktree_runner.store.paths import Layout


@dataclass(frozen=True, slots=True)
class Place:
    """A folder inside a repository; `worktree` is None in a bare one."""

    common_dir: Path
    git_dir: Path
    worktree: Path | None

    @property
    def layout(self) -> Layout:
        return Layout(self.common_dir)

    @property
    def root(self) -> Path:
        """The main worktree, or the bare repository itself."""
        return main_worktree(self.common_dir) or self.common_dir


def find(start: Path) -> Place | None:
    """The repository around `start`, or None. Symbolic links are resolved first."""
    start = start.resolve()
    for folder in (start, *start.parents):
        dot_git = folder / ".git"
        git_dir = dot_git if dot_git.is_dir() else _pointed(dot_git, "gitdir: ")
        if git_dir is not None and (git_dir / "HEAD").is_file():
            return Place(common_dir=_common(git_dir), git_dir=git_dir, worktree=folder)
        if _is_bare(folder):
            return Place(common_dir=_common(folder), git_dir=folder, worktree=None)
    return None


def here(start: Path | None = None) -> Place:
    """As `find`, for a command: an error with a hint where there is no repository."""
    start = Path.cwd() if start is None else start
    place = find(start)
    if place is None:
        raise PreconditionError(
            f"{start} is not inside a git repository", hint="cd into the repository, or use -C DIR"
        )
    return place


def main_worktree(common_dir: Path) -> Path | None:
    """The user's own worktree; None if the repository is bare."""
    if common_dir.name == ".git":
        return common_dir.parent
    # a submodule or a separated git dir, whose folder is not named `.git`
    named = config(common_dir, "core", "worktree")
    return None if named is None else (common_dir / named).resolve()


def worktrees(common_dir: Path) -> tuple[Path, ...]:
    """The main worktree first, then the linked ones that git has on record, sorted."""
    linked = []
    for record in sorted(common_dir.glob("worktrees/*/gitdir")):
        text = _line(record)
        if text:
            linked.append((record.parent / text).parent.resolve())
    main = main_worktree(common_dir)
    return (*([main] if main else []), *sorted(linked))


def config(common_dir: Path, section: str, key: str) -> str | None:
    """A value of the repository's own config file; other files and subsections are not read."""
    current = ""
    for line in (_line(common_dir / "config") or "").splitlines():
        text = line.strip()
        if text.startswith("["):
            current = text.strip("[]").strip().lower()
        elif current == section and "=" in text:
            name, _, value = text.partition("=")
            if name.strip().lower() == key:
                return value.strip().strip('"')
    return None


def _common(git_dir: Path) -> Path:
    text = _line(git_dir / "commondir")
    return (git_dir / text).resolve() if text else git_dir.resolve()


def _pointed(file: Path, prefix: str) -> Path | None:
    text = _line(file)
    if text is None or not text.startswith(prefix):
        return None
    return (file.parent / text.removeprefix(prefix)).resolve()


def _line(file: Path) -> str | None:
    try:
        return file.read_text(errors="surrogateescape").strip("\n") or None
    except OSError:
        return None


def _is_bare(folder: Path) -> bool:
    return (
        (folder / "HEAD").is_file() and (folder / "objects").is_dir() and (folder / "refs").is_dir()
    )
