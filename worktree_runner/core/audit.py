"""The fence: what an attempt really changed, against what its plan holds. Values in, findings out.

- Undeclared paths on the plan's own branch are allowed and reported; the run reserves them
  after the fact.
- A path that somebody else holds exclusively is a breach if the plan committed it. Between
  plans of one run it is only noted, unless reservations are strict: the merge decides.
- Everything outside of the plan's branch (foreign refs, the main worktree, other worktrees) may
  have been changed by the user meanwhile. It is a breach only with evidence against the plan: its
  events name it, the guard's log names it, or the content is the attempt's own. Else it is
  listed as changed meanwhile, and nothing fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from worktree_runner.core.guarding import decide_paths
from worktree_runner.core.overlap import matches
from worktree_runner.core.reservations import Holder, Reservation

EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
"""The empty file's id: equal content proves nothing here."""
READERS = frozenset({"read", "grep", "glob", "ls", "list", "notebookread", "websearch", "webfetch"})
"""Tools of agents that change nothing, in lower case."""
_COMMANDS = re.compile(r"[;\n|&]+|\bthen\b|\bdo\b")
_LOOKS = re.compile(
    r"\s(?:--(?:contains|no-contains|merged|no-merged|list|points-at|show-current|sort|format)\b|-l\b)"
)
"""What makes `git branch` and `git tag` only look."""
_SWEEPS = re.compile(
    r"\bgit\b[^\n]*\b(?:reset|clean|checkout|restore|switch|stash|apply|am|merge)\b"
)
"""Git commands that change files without naming them."""
_ENTERED = re.compile(r"(?:\bcd|-C)\s+['\"]?(/[^\s'\";&|]+)")


class Kind(StrEnum):
    """What a finding is about."""

    UNDECLARED = "undeclared"
    """A path on the own branch that the plan did not reserve; allowed."""
    SIBLING = "sibling"
    """A path that another plan of the run holds; the merge decides."""
    RESERVED = "reserved"
    """A path that a person, a tool or another run holds, in the plan's own commits."""
    LINK = "link"
    """A committed symbolic link that leads out of the worktree."""
    REF = "ref"
    """A ref that is not the plan's own."""
    MAIN = "main"
    """A file of the main worktree."""
    WORKTREE = "worktree"
    """Another worktree that has gone."""
    STRAY = "stray"
    """Commits of the attempt that its branch does not contain; to be kept by a salvage ref."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to tell; `evidence` says why it is held against the plan."""

    kind: Kind
    subject: str
    breach: bool = False
    evidence: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    holder: str = ""

    def __str__(self) -> str:
        moved = {
            Kind.UNDECLARED: f"{self.subject} was not declared",
            Kind.SIBLING: f"{self.subject} is reserved by {self.holder}",
            Kind.RESERVED: f"{self.subject} is reserved by {self.holder}",
            Kind.LINK: f"{self.subject} links to {self.after}",
            Kind.REF: f"{self.subject} {_move(self.before, self.after)}",
            Kind.MAIN: f"{self.subject} in the main worktree {_move(self.before, self.after)}",
            Kind.WORKTREE: f"the worktree {self.subject} has gone",
            Kind.STRAY: f"{self.subject[:10]} is on no branch",
        }[self.kind]
        return f"{moved} ({'; '.join(self.evidence)})" if self.evidence else moved


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one attempt, in the order of kinds and subjects."""

    findings: tuple[Finding, ...] = ()

    def of(self, *kinds: Kind) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.kind in kinds)

    @property
    def breaches(self) -> tuple[Finding, ...]:
        """What the user is asked about: accept, drop these files, or fail the plan."""
        return tuple(one for one in self.findings if one.breach)

    @property
    def undeclared(self) -> tuple[str, ...]:
        """Paths to reserve for the plan after the fact."""
        return tuple(one.subject for one in self.of(Kind.UNDECLARED))

    @property
    def changed_meanwhile(self) -> tuple[Finding, ...]:
        """Changes outside of the plan's branch without evidence against it."""
        outside = self.of(Kind.REF, Kind.MAIN, Kind.WORKTREE)
        return tuple(one for one in outside if not one.breach)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The repository outside of the attempt's branch, at one moment."""

    refs: Mapping[str, str] = field(default_factory=dict)
    """Every shared ref with its id; `HEAD` is the main worktree's, with a branch's name."""
    main: Mapping[str, str] = field(default_factory=dict)
    """Dirty and untracked files of the main worktree with their blobs; "" is a deleted one."""
    main_head: str = ""
    worktrees: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "v": 1,
            "refs": dict(self.refs),
            "main": dict(self.main),
            "main_head": self.main_head,
            "worktrees": list(self.worktrees),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Snapshot:
        return cls(value["refs"], value["main"], value["main_head"], tuple(value["worktrees"]))


@dataclass(frozen=True, slots=True)
class Mention:
    """A tool call out of the agent's event stream; paths are real and absolute."""

    tool: str
    text: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered after an attempt ended."""

    own: Holder
    branch: str
    paths: tuple[str, ...]
    """Paths that the attempt's own commits changed, against its base."""
    held: tuple[Reservation, ...]
    """All reservations that block, the plan's own among them."""
    before: Snapshot
    after: Snapshot
    commits: frozenset[str] = frozenset()
    """Every commit that the attempt made: of HEAD, its reflog and per-worktree refs."""
    blobs: frozenset[str] = frozenset()
    """Every content that it made, uncommitted files included."""
    stray: tuple[str, ...] = ()
    """Tips among `commits` that the branch does not contain."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Committed links that lead out of the worktree, with where they lead to."""
    main_blobs_before: Mapping[str, str] = field(default_factory=dict)
    """What HEAD of the main worktree had where only one snapshot calls a file dirty."""
    main_blobs_after: Mapping[str, str] = field(default_factory=dict)
    main_root: str = ""
    allowed: tuple[str, ...] = ()
    """Patterns that need no declaration."""
    log: tuple[Mapping[str, Any], ...] = ()
    mentions: tuple[Mention, ...] = ()
    own_moves: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Where the run itself moved refs to."""
    ref_blobs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What new commits of refs that moved brought, by ref."""
    removed: frozenset[str] = frozenset()
    """Branches (as refs) and worktrees that the run itself removed."""
    quiet: frozenset[str] = frozenset()
    """Refs, worktrees and summaries of the run's own: told of only with evidence."""
    strict: bool = False
    fold_case: bool = False


def audit(facts: Facts) -> Report:
    """All findings about one attempt."""
    found = [
        *_paths(facts),
        *_links(facts),
        *_refs(facts),
        *_main(facts),
        *_worktrees(facts),
        *(Finding(Kind.STRAY, commit) for commit in sorted(facts.stray)),
    ]
    order = list(Kind)
    return Report(tuple(sorted(found, key=lambda one: (order.index(one.kind), one.subject))))


def _paths(facts: Facts) -> Iterator[Finding]:
    own = [one.pattern for one in facts.held if one.holder.party == facts.own.party]
    own += facts.allowed
    foreign = decide_paths(
        facts.paths, facts.held, facts.own, strict=facts.strict, fold_case=facts.fold_case
    )
    by_others = {one.path for one in foreign}
    for path in facts.paths:
        mine = any(matches(pattern, path, fold_case=facts.fold_case) for pattern in own)
        if not mine and path not in by_others:
            yield Finding(Kind.UNDECLARED, path)
    for one in foreign:
        yield Finding(
            Kind.RESERVED if one.refused else Kind.SIBLING,
            one.path,
            breach=one.refused,
            evidence=("committed by the attempt",) if one.refused else (),
            holder=one.record.holder.label,
        )


def _links(facts: Facts) -> Iterator[Finding]:
    roots = [root for root in (facts.main_root, *facts.before.worktrees) if root]
    for path, target in sorted(facts.links.items()):
        inside = any(target == root or target.startswith(f"{root}/") for root in roots)
        evidence = ("committed by the attempt; it leads into another worktree",) if inside else ()
        yield Finding(Kind.LINK, path, inside, evidence, after=target)


def _refs(facts: Facts) -> Iterator[Finding]:
    own = f"refs/heads/{facts.branch}"
    before, after = facts.before.refs, facts.after.refs
    for ref in sorted({*before, *after} - {own}):
        old, new = before.get(ref, ""), after.get(ref, "")
        if old == new or new in facts.own_moves.get(ref, frozenset()):
            continue
        if not new and ref in facts.removed:
            continue
        evidence = tuple(_ref_evidence(facts, ref, new))
        if not evidence and (ref in facts.quiet or ref.startswith("refs/wtrun/")):
            continue  # these move all the time
        yield Finding(Kind.REF, ref, bool(evidence), evidence, old, new)


def _ref_evidence(facts: Facts, ref: str, new: str) -> Iterator[str]:
    """A try that the guard refused is no evidence for new work that stands there now: it may be
    the user's, or the other plan's own."""
    if new in facts.commits:
        yield f"it points to the attempt's own commit {new[:10]}"
    elif facts.ref_blobs.get(ref, frozenset()) & facts.blobs - {EMPTY_BLOB}:
        yield "its new content is what the attempt wrote"
    fresh = new not in ("", facts.before.main_head, *facts.before.refs.values())
    refused = any(ref in row.get("refs", ()) for row in facts.log)
    if fresh and (refused or ref in facts.quiet):
        return
    if refused:
        yield "the guard refused this ref to the agent"
    for one in _writing(facts.mentions):
        if any(_moves(command, ref) for command in _COMMANDS.split(one.text)):
            yield f"the agent ran: {_short(one.text)}"
            return


def _moves(command: str, ref: str) -> bool:
    """Whether a command's own words say that it moves this ref."""
    if ref == "refs/stash" and re.search(r"\bgit\b.*\bstash\b", command):
        return True
    short = re.escape(re.sub(r"\Arefs/(?:heads|tags|remotes)?/?", "", ref))
    name = rf"(?:{re.escape(ref)}|(?<![\w/.:-]){short})(?![\w/.-])"
    verb = re.search(r"\bgit\b(?:\s+-[cC]\s+\S+|\s+--?[\w=./-]+)*\s+([a-z-]+)", command)
    match verb[1] if verb else "":
        case "":
            return re.search(rf"{re.escape(ref)}(?![\w/.-])", command) is not None
        case "branch" | "tag" | "update-ref" | "symbolic-ref":
            return not _LOOKS.search(command) and re.search(name, command) is not None
        case "checkout" | "switch" | "worktree":
            return re.search(rf"\s-[BC]\s+{name}", command) is not None
        case "push" | "fetch" | "pull":
            return re.search(rf":(?:{re.escape(ref)}|{short})(?![\w/.-])", command) is not None
    return False


def _main(facts: Facts) -> Iterator[Finding]:
    before, after = facts.before.main, facts.after.main
    for path in sorted({*before, *after}):
        old = before.get(path, facts.main_blobs_before.get(path, ""))
        new = after.get(path, facts.main_blobs_after.get(path, ""))
        if old == new:
            continue
        evidence = []
        if path in after and new in facts.blobs and new != EMPTY_BLOB:
            evidence.append("its content is what the attempt wrote")
        evidence += _path_evidence(facts, f"{facts.main_root}/{path}")
        if not evidence and path in facts.quiet:
            continue
        yield Finding(Kind.MAIN, path, bool(evidence), tuple(evidence), old, new)


def _worktrees(facts: Facts) -> Iterator[Finding]:
    gone = set(facts.before.worktrees) - set(facts.after.worktrees) - facts.removed
    for path in sorted(gone):
        evidence = tuple(_path_evidence(facts, path))
        if not evidence and path in facts.quiet:
            continue
        yield Finding(Kind.WORKTREE, path, bool(evidence), evidence)


def _path_evidence(facts: Facts, path: str) -> Iterator[str]:
    if any(path in row.get("paths", ()) for row in facts.log if row.get("kind") == "edit"):
        yield "the guard refused this edit to the agent"
    for one in _writing(facts.mentions):
        if path in one.paths or _names(one.text, path):
            yield f"the agent's {one.tool or 'tool'} call names it: {_short(one.text or path)}"
            return


def _names(text: str, path: str) -> bool:
    """True if the text holds the path, or works on it from a folder above that it enters."""
    if re.search(rf"(?<![\w/.-]){re.escape(path)}(?![\w/-])", text):
        return True
    return any(
        path.startswith(f"{folder}/") and (path[len(folder) + 1 :] in text or _SWEEPS.search(text))
        for folder in (found[1].rstrip("/") for found in _ENTERED.finditer(text))
    )


def _writing(mentions: Sequence[Mention]) -> Iterator[Mention]:
    return (one for one in mentions if one.tool.casefold() not in READERS)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:99] + "…"


def _move(before: str, after: str) -> str:
    show: Callable[[str], str] = lambda name: name if name.startswith("refs/") else name[:10]  # noqa: E731
    if not before:
        return f"is new ({show(after)})"
    if not after:
        return f"was deleted (was {show(before)})"
    return f"changed from {show(before)} to {show(after)}"
