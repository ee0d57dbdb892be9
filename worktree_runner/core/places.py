"""Names of branches and worktree folders, made from a dialect's templates.

- Safe as a git ref and as a folder on every file system; what can't stay becomes `-`.
- Capped, with a hash for what was cut, so that two long names stay two names.
- A retry gets its attempt number appended: the first attempt's branch may still be looked at.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from worktree_runner.dialects.schema import Dialect

MAX_BYTES = 60
_UNSAFE = re.compile(r"[^\w.\-]+|\.{2,}|@\{")


def branch_of(dialect: Dialect, phase: str, plan: str, attempt: int = 1) -> str:
    """The branch of a plan's attempt, such as `gsd/03-01`."""
    name = dialect.branches.plan.format(phase=phase, plan=plan) + _suffix(attempt)
    return "/".join(safe_name(part) for part in name.split("/") if part)


def folder_of(dialect: Dialect, phase: str, plan: str, attempt: int = 1) -> str:
    """The folder of a plan's attempt below the worktree root, such as `wt-03-01`."""
    return safe_name(dialect.branches.worktree.format(phase=phase, plan=plan) + _suffix(attempt))


def safe_name(text: str) -> str:
    """One path component that git accepts in a branch name; never empty."""
    name = _UNSAFE.sub("-", unicodedata.normalize("NFC", text)).strip(".-")
    if name.endswith(".lock"):
        name = name.removesuffix(".lock") + "-lock"
    if not name:
        return "x" + hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:8]
    data = name.encode(errors="replace")
    if len(data) <= MAX_BYTES:
        return name
    digest = hashlib.sha256(data).hexdigest()[:8]
    return data[: MAX_BYTES - 9].decode(errors="ignore").rstrip(".-") + "-" + digest


def _suffix(attempt: int) -> str:
    return "" if attempt == 1 else f"-a{attempt}"
