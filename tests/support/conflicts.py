"""Conflicts as a person meets them, made by hand for tests of what is shown."""

from __future__ import annotations

from pathlib import Path

from merge.types import ConflictHunk, Entry, FileConflict
from worktree_runner.core.conflicts import CommitFacts, ConflictFacts, FileContents, PlanFacts

GOLDEN = Path(__file__).parent.parent / "golden"


def lines(text: str) -> tuple[bytes, ...]:
    return tuple(line.encode() + b"\n" for line in text.splitlines())


def entry(digit: str, mode: str = "100644") -> Entry:
    return Entry(mode, digit * 40)


def guard_hunk() -> ConflictHunk:
    return ConflictHunk(
        base=lines("  const s = sessions[req.cookies.sid]"),
        ours=lines("  const s = store.get(req.cookies.sid)"),
        theirs=lines("  const s = await session(req)\n  if (s.expired) return renew(s)"),
        before=lines("import { store } from './store'\n\nexport function guard(req) {"),
        after=lines("  if (!s) return deny()\n  return next(req)\n}"),
        ours_line=42,
    )


def route_hunk() -> ConflictHunk:
    return ConflictHunk(
        base=(),
        ours=lines("route('/login', login)"),
        theirs=lines("route('/me', guard(me))"),
        before=lines("route('/', home)"),
        after=(),
        ours_line=60,
        kind="insert",
        proposal=lines("route('/login', login)\nroute('/me', guard(me))"),
        proposal_why="both sides only add a line here",
    )


def guard_file() -> FileConflict:
    return FileConflict(
        path="src/auth/middleware.ts",
        kind="content",
        why="both sides changed the same lines, and no rule proves one answer right",
        stages={1: entry("1"), 2: entry("2"), 3: entry("3")},
        hunks=(guard_hunk(), route_hunk()),
        fingerprint="f1",
    )


def removed_file() -> FileConflict:
    return FileConflict(
        path="src/auth/legacy.ts",
        kind="modify/delete",
        why="main removed the file, 03-02 changed it",
        stages={1: entry("4"), 3: entry("5")},
        fingerprint="f2",
    )


def picture() -> FileConflict:
    return FileConflict(
        path="docs/flow.png",
        kind="binary",
        why="both sides changed a file that is not text",
        stages={1: entry("6"), 2: entry("7"), 3: entry("8", "100755")},
        fingerprint="f3",
    )


def version(hunks: tuple[ConflictHunk, ...], side: str) -> bytes:
    """A file made of its hunks: one side's version."""
    return b"".join(
        line for hunk in hunks for line in (*hunk.before, *getattr(hunk, side), *hunk.after)
    )


def facts(**changes: object) -> ConflictFacts:
    hunks = guard_file().hunks
    values: dict[str, object] = {
        "plan": PlanFacts("03-02", "auth middleware", "Check the session before each handler"),
        "target": "main",
        "branch": "gsd/03-02",
        "run": "r1",
        "worktree": ".worktrees/wt-03-02",
        "target_plans": (
            PlanFacts("03-01", "session store", "Keep sessions in one place"),
            PlanFacts("03-03", "flow chart"),
        ),
        "target_commits": (
            CommitFacts(
                "9f2c1ab" + "0" * 33, "feat(03-01): store sessions", "03-01", "claude", "10:41",
                ("src/auth/middleware.ts", "src/auth/legacy.ts"),
            ),
            CommitFacts("77aa001" + "0" * 33, "docs: new chart", "03-03", paths=("docs/flow.png",)),
        ),
        "plan_commits": (
            CommitFacts("b77d0e4" + "0" * 33, "feat(03-02): guard handlers", "03-02", "claude"),
        ),
        "enclosing": {("src/auth/middleware.ts", 0): "function guard"},
        "contents": {
            "src/auth/middleware.ts": FileContents(
                *(version(hunks, side) for side in ("base", "ours", "theirs"))
            ),
            "src/auth/legacy.ts": FileContents(b"old\n", None, b"old\nnew\n"),
            "docs/flow.png": FileContents(b"\0a", b"\0bb", b"\0ccc"),
        },
    }  # fmt: skip
    return ConflictFacts(**{**values, **changes})  # type: ignore[arg-type]


def check_golden(name: str, text: str) -> None:
    """Compares with `tests/golden/NAME`; writes it if it isn't there (and fails then)."""
    file = GOLDEN / name
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        raise AssertionError(f"{file} was missing; it is written now: read it")
    assert text == file.read_text(), f"differs from {file}; delete it to write it anew"
