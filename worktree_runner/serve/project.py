"""The one project that an endpoint serves: the repository, under all names it may be called by.

- Every absolute path at or below the repository or one of its worktrees is this project, so is
  its slug. All worktrees share its agents, mail and reservations.
- Another folder of this machine is refused: its reservations would meet ours.
- An absolute path that does not exist here (an agent in a container sees other paths) becomes a
  further name for the project when `ensure_project` is called with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Any

from worktree_runner.core.names import is_placeholder
from worktree_runner.serve.calls import ToolError
from worktree_runner.store import locate
from worktree_runner.store.agents import Clock, stamp
from worktree_runner.store.atomic import save_text

ID = 1
_VIRTUAL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_EVERYTHING = re.compile(r"(?:\*+|\.|\./|)(?:/\*+)*/?\Z")


class Project:
    """Names and paths of the repository around `place`."""

    def __init__(
        self,
        place: locate.Place,
        clock: Clock,
        exclusive: Callable[[], AbstractContextManager[Any]],
    ) -> None:
        self.place = place
        self.root = place.root
        self.slug = slug_of(str(self.root))
        self._clock = clock
        self._exclusive = exclusive
        self._file = place.layout.mail / "project.json"
        self._listed: tuple[int, set[PurePosixPath]] = (-1, set())

    def ensure(self, human_key: str) -> dict[str, Any]:
        """The project's record, with a notice where `human_key` is no path of this machine."""
        key = human_key.strip()
        if not self.has(key) and is_placeholder(key):
            raise ToolError(placeholder("human_key", key))
        if not key.startswith("/"):
            raise ToolError(
                "Invalid argument value: human_key must be an absolute directory path, "
                f"got: {human_key!r}. Pass the path of the working directory."
            )
        notice = None
        if not self.has(key):
            if Path(key).exists():
                raise ToolError(
                    f"'{key}' is not part of the repository that this endpoint serves "
                    f"({self.root}). Run 'wtrun serve' in that repository, or use "
                    f"human_key='{self.root}'."
                )
            notice = f"'{key}' does not exist on this machine; it now stands for {self.root}."
        record = self._load(key if notice else None)
        result = {
            "id": ID,
            "slug": self.slug,
            "human_key": str(self.root),
            "created_at": record["created_ts"],
        }
        return {**result, "notice": notice} if notice else result

    def require(self, key: str) -> None:
        """Raises the error for a project that is not this one."""
        key = key.strip()
        if not self.has(key) and is_placeholder(key):
            raise ToolError(placeholder("project_key", key))
        if not self.has(key):
            raise ToolError(
                f"Project '{key}' not found and no similar projects exist. "
                f"Use ensure_project to create a new project first. This endpoint serves "
                f"'{self.root}' (slug '{self.slug}')."
            )

    def has(self, key: str) -> bool:
        """Whether `key` names this project."""
        if key == str(self.root) or key.casefold() == self.slug:
            return True
        if not key.startswith("/"):
            return False
        return self._relative(key) is not None or key.rstrip("/") in self._aliases()

    def pattern(self, given: str) -> str:
        """A reservation pattern as a path of the repository; worktrees' own paths are cut off."""
        text = given.strip()
        if _VIRTUAL.match(text):
            return text
        classes, text = ("glob:", text[5:]) if text.startswith("glob:") else ("", text)
        path = text if text.startswith("/") else f"{self.root}/{text}"
        relative = self._relative(path)
        if relative is None:
            raise ToolError(
                f"Path '{given}' lies outside of the project ({self.root}). "
                "Use paths relative to the project root, e.g. 'src/app.py'."
            )
        if _EVERYTHING.match(relative):
            raise ToolError(
                f"Pattern '{given}' covers the whole project. Reserve the files or folders that "
                "will be edited, e.g. 'src/auth/**'."
            )
        tail = "/" if text.endswith("/") else ""
        return f"{classes}{relative}{tail}"

    def _relative(self, path: str) -> str | None:
        """The part below the innermost worktree that holds it, or None. Works on patterns too."""
        wanted = _normal(path)
        names = self._folders() | {_normal(alias) for alias in self._aliases()}
        inside = [name for name in names if wanted.is_relative_to(name)]
        if not inside:
            wanted = _normal(str(Path(path).resolve()))
            inside = [name for name in names if wanted.is_relative_to(name)]
        if not inside:
            return None
        longest = max(inside, key=lambda name: len(name.parts))
        return str(wanted.relative_to(longest))

    def _folders(self) -> set[PurePosixPath]:
        """The main worktree and the linked ones; listed again when git adds or removes one."""
        try:
            version = (self.place.common_dir / "worktrees").stat().st_mtime_ns
        except FileNotFoundError:
            version = 0
        if self._listed[0] != version:
            folders = (self.root, *locate.worktrees(self.place.common_dir))
            self._listed = (version, {_normal(str(folder)) for folder in folders})
        return self._listed[1]

    def _aliases(self) -> list[str]:
        return list(self._read().get("aliases", []))

    def _read(self) -> dict[str, Any]:
        try:
            record = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return record if isinstance(record, dict) else {}

    def _load(self, alias: str | None) -> dict[str, Any]:
        """The project's file, made at first use; a new alias is added."""
        record = self._read()
        wanted = [alias.rstrip("/")] if alias else []
        if "created_ts" in record and not wanted:
            return record
        with self._exclusive():
            record = {"v": 1, "created_ts": stamp(self._clock()), "aliases": [], **self._read()}
            record["aliases"] = sorted({*record["aliases"], *wanted})
            save_text(self._file, json.dumps(record, indent=1) + "\n")
        return record


def slug_of(path: str) -> str:
    """`/data/x/My Proj` -> `data-x-my-proj`."""
    return re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-")


def placeholder(parameter: str, value: str) -> str:
    return (
        f"{parameter} is the placeholder '{value}', not a value. "
        "Pass the absolute path of the project's directory."
        if parameter.endswith("_key")
        else f"{parameter} is the placeholder '{value}', not a value. "
        "Pass the name that register_agent returned."
    )


def _normal(path: str) -> PurePosixPath:
    """`path` without `.` and with `..` taken back, by its text alone."""
    parts: list[str] = []
    for part in PurePosixPath(path).parts[1:]:
        if part == "..":
            parts = parts[:-1]
        else:
            parts.append(part)
    return PurePosixPath("/", *parts)
