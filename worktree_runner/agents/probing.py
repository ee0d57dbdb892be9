"""Whether an agent's program can be used here, without spending a token.

- The quick look asks PATH only. The deep one runs `--version` and looks for a login; it reads
  no credential, only whether there is one.
- What can't be told (a key chain) is not reported as missing.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from worktree_runner import process
from worktree_runner.agents.protocol import Probe

TIMEOUT_S = 30.0
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True)
class Login:
    """Where a program finds its login: files below the home directory, or variables."""

    files: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    keychain: bool = False
    """On macOS it may lie in the key chain, which is not looked at."""
    command: str = ""


def look_up(
    program: str,
    login: Login,
    *,
    oldest: tuple[int, int],
    deep: bool,
    version_args: tuple[str, ...] = ("--version",),
) -> Probe:
    """What is known about a program; `deep` starts it once to ask for its version."""
    path = shutil.which(program)
    if path is None:
        return Probe(found=False, problems=(f"{program} is not on PATH",))
    if not deep:
        return Probe(found=True, path=path)
    problems: list[str] = []
    version = ask_version([path, *version_args])
    if version is None:
        problems.append(f"{program} {' '.join(version_args)} gives no version")
    elif too_old(version, oldest):
        problems.append(f"version {version} is older than {oldest[0]}.{oldest[1]}")
    if not logged_in(login):
        problems.append(f"no login found: run '{login.command}'" if login.command else "no login")
    return Probe(found=True, path=path, version=version, problems=tuple(problems))


def ask_version(argv: list[str]) -> str | None:
    """The version that a program prints, or None."""
    done = process.run(argv, Path.cwd(), timeout=TIMEOUT_S)
    said = (done.out + b"\n" + done.err).decode(errors="replace")
    found = _VERSION.search(said) if done.code == 0 else None
    return found[0] if found else None


def too_old(version: str, oldest: tuple[int, int]) -> bool:
    found = _VERSION.match(version)
    return found is not None and (int(found[1]), int(found[2])) < oldest


def logged_in(login: Login) -> bool:
    """Whether there is a login, or one can't be ruled out."""
    if login.keychain and sys.platform == "darwin":
        return True
    if any(os.environ.get(name) for name in login.variables):
        return True
    return any((Path.home() / file).is_file() for file in login.files)
