"""Real repositories for tests: fixed author, date and zone, an empty home, hostile-free."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

NEEDED = ("PATH", "TMPDIR", "PYTHON", "PYTEST", "COVERAGE", "COV_")
"""How the variables begin that tests take over from where they run."""


def clean_environment(home: Path) -> dict[str, str]:
    """What a program needs to start, and nothing that says where the tests run.

    Git gives the same commit ids everywhere. Gone are the developer's settings, and `CI` and
    `NO_COLOR` too, which change what wtrun shows.
    """
    return {
        **{key: value for key, value in os.environ.items() if key.startswith(NEEDED)},
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.com",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.com",
        "GIT_AUTHOR_DATE": "2026-01-02T03:04:05 +0000",
        "GIT_COMMITTER_DATE": "2026-01-02T03:04:05 +0000",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
    }


class Repo:
    """A git repository in a temporary folder, driven by the git command itself."""

    def __init__(self, path: Path, env: dict[str, str]) -> None:
        self.path = path
        self.env = env

    @classmethod
    def make(cls, path: Path, home: Path) -> Repo:
        path.mkdir(parents=True, exist_ok=True)
        home.mkdir(parents=True, exist_ok=True)
        repo = cls(path, clean_environment(home))
        repo.git("init", "-q", "-b", "main")
        repo.git("config", "user.name", "Test")
        repo.git("config", "user.email", "test@example.com")
        return repo

    def git(self, *args: str, check: bool = True, cwd: Path | None = None) -> str:
        """What git printed, without the last newline; raises with its stderr if it failed."""
        done = subprocess.run(
            ["git", *args], cwd=cwd or self.path, env=self.env, capture_output=True, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(f"git {' '.join(args)}: {done.stderr.decode()}")
        return done.stdout.decode(errors="surrogateescape").rstrip("\n")

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def read(self, path: str) -> bytes:
        return (self.path / path).read_bytes()

    def commit(self, message: str, files: dict[str, str | bytes] | None = None) -> str:
        """Commits these files (or all changes) and gives the commit id."""
        for path, text in (files or {}).items():
            self.write(path, text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def show(self, revision: str, path: str) -> bytes:
        done = subprocess.run(
            ["git", "show", f"{revision}:{path}"],
            cwd=self.path,
            env=self.env,
            capture_output=True,
            check=True,
        )
        return done.stdout
