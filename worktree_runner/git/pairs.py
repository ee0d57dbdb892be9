"""Many branches against each other, in one process each: what they touched, which conflict.

Nothing is written but objects; no ref, index or file is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from worktree_runner.core.forecast import Touched
from worktree_runner.git.gateway import Git, GitError

USAGE = 129
TIMEOUT_S = 10.0
"""The run waits for this; a repository in which it takes longer does without."""


def touched(git: Git, ends: Iterable[tuple[str, str]]) -> Mapping[str, Touched]:
    """What each (base, head) changed, by head; heads that changed nothing are left out."""
    lines = sorted({f"{head} {base}" for base, head in ends})
    if not lines:
        return {}
    output = git.run(
        "diff-tree", "--stdin", "-r", "-z", "--no-renames", "--name-status",
        stdin="\n".join(lines).encode() + b"\n",
    )  # fmt: skip
    found: dict[str, tuple[set[str], set[str], set[str]]] = {}
    fields = iter(output.fields)
    paths, added, removed = set[str](), set[str](), set[str]()
    for field in fields:
        if len(field) > 1:  # a commit's id; a status is one letter
            paths, added, removed = found.setdefault(field, (set(), set(), set()))
            continue
        path = next(fields)
        paths.add(path)
        if field == "A":
            added.add(path)
        elif field == "D":
            removed.add(path)
    return {head: Touched(*map(frozenset, sets)) for head, sets in found.items()}


def conflicting(
    git: Git, pairs: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """The paths in which git can't merge each pair of commits; none for a clean pair."""
    if not pairs:
        return {}
    args = ("merge-tree", "--write-tree", "--stdin", "-z", "--name-only", "--no-messages")
    lines = "".join(f"{one} {other}\n" for one, other in pairs).encode()
    output = git.run(*args, stdin=lines, check=False, timeout=TIMEOUT_S)
    if output.code == USAGE:  # git 2.38 merges one pair a process
        return {pair: _one(git, pair) for pair in pairs}
    if output.code != 0:
        raise GitError(args, output)
    fields = iter(output.out.decode(errors="surrogateescape").split("\0"))
    found = {}
    for pair in pairs:
        next(fields)  # whether it is clean: the paths say so too
        next(fields)  # the tree
        names = []
        while name := next(fields):
            names.append(name)
        found[pair] = tuple(dict.fromkeys(names))
    return found


def _one(git: Git, pair: tuple[str, str]) -> tuple[str, ...]:
    args = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", *pair)
    output = git.run(*args, check=False, timeout=TIMEOUT_S)
    if output.code not in (0, 1):
        raise GitError(args, output)
    return tuple(dict.fromkeys(output.fields[1:]))
