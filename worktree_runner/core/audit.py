"""The fence: what an attempt really changed, against what its plan holds. Values in, findings out.

- Undeclared paths on the plan's own branch are allowed and reported; the run reserves them
  after the fact.
- A path that somebody else holds exclusively is a breach if the plan committed it. Between
  plans of one run it is only noted, unless reservations are strict: the merge decides.
- Everything outside of the plan's branch (foreign refs, the main worktree and its index, other
  worktrees, git's settings and hooks) may
  have been changed by the user meanwhile. It is a breach only with evidence against the plan: its
  events name it, the guard's log names it, or the content is the attempt's own. Else it is
  listed as changed meanwhile, and nothing fails.
- A reservation that vanished from the registry's file without an event counts as held. An attempt
  whose own record of the start is gone is a breach: what it did outside can't be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from worktree_runner.core.guarding import decide_paths
from worktree_runner.core.mentions import (
    Mention,
    commands,
    moves_ref,
    names_path,
    sets_config,
    short,
    writing,
)
from worktree_runner.core.overlap import matches
from worktree_runner.core.reservations import Holder, Reservation

EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
"""The empty file's id: equal content proves nothing here."""


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
    INDEX = "index"
    """What is staged of a file in the main worktree, where the file itself did not change."""
    SHARED = "shared"
    """A setting, a hook or another file that git or wtrun has once for all worktrees."""
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
        moved = _move(self.before, self.after)
        text = {
            Kind.UNDECLARED: f"{self.subject} was not declared",
            Kind.SIBLING: f"{self.subject} is reserved by {self.holder}",
            Kind.RESERVED: f"{self.subject} is reserved by {self.holder}",
            Kind.LINK: f"{self.subject} links to {self.after}",
            Kind.REF: f"{self.subject} {moved}",
            Kind.MAIN: f"{self.subject} in the main worktree {moved}",
            Kind.INDEX: f"{self.subject} in the index of the main worktree {moved}",
            Kind.SHARED: f"{self.subject} {_change(self.before, self.after)}",
            Kind.WORKTREE: f"the worktree {self.subject} has gone",
            Kind.STRAY: f"{self.subject[:10]} is on no branch",
        }[self.kind]
        return f"{text} ({'; '.join(self.evidence)})" if self.evidence else text


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
        outside = self.of(Kind.REF, Kind.MAIN, Kind.INDEX, Kind.SHARED, Kind.WORKTREE)
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
    staged: Mapping[str, str] = field(default_factory=dict)
    """Paths whose entry in the main worktree's index is not HEAD's, with its blob; "" for none."""
    shared: Mapping[str, str] = field(default_factory=dict)
    """Settings, hooks and the like of the repository, with a digest."""

    def to_json(self) -> dict[str, Any]:
        return {
            "v": 1,
            "refs": dict(self.refs),
            "main": dict(self.main),
            "main_head": self.main_head,
            "worktrees": list(self.worktrees),
            "staged": dict(self.staged),
            "shared": dict(self.shared),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Snapshot:
        return cls(
            value["refs"],
            value["main"],
            value["main_head"],
            tuple(value["worktrees"]),
            value["staged"],
            value["shared"],
        )


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
    common_dir: str = ""
    vanished: tuple[Reservation, ...] = ()
    """Reservations that left the registry's file without an event; among `held` nevertheless."""
    start_lost: bool = False
    """The attempt ran, and the snapshot of its start is gone."""
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
    made_there: frozenset[str] = frozenset()
    """Branches (as refs) that stand at a commit which was made in their own worktree."""
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
        *_index(facts),
        *_shared(facts),
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
    if new in facts.commits and ref not in facts.made_there:
        yield f"it points to the attempt's own commit {new[:10]}"
    elif facts.ref_blobs.get(ref, frozenset()) & facts.blobs - {EMPTY_BLOB}:
        yield "its new content is what the attempt wrote"
    fresh = new not in ("", facts.before.main_head, *facts.before.refs.values())
    refused = any(ref in row.get("refs", ()) for row in facts.log)
    if fresh and (refused or ref in facts.quiet):
        return
    if refused:
        yield "the guard refused this ref to the agent"
    for one in writing(facts.mentions):
        if any(moves_ref(command, ref) for command in commands(one.text)):
            yield f"the agent ran: {short(one.text)}"
            return


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


def _index(facts: Facts) -> Iterator[Finding]:
    before, after = facts.before, facts.after
    for path in sorted({*before.staged, *after.staged}):
        old = before.staged.get(path, facts.main_blobs_before.get(path, ""))
        new = after.staged.get(path, facts.main_blobs_after.get(path, ""))
        told = before.main.get(path) != after.main.get(path) and new == after.main.get(path)
        if old == new or told:
            continue
        evidence = tuple(_path_evidence(facts, f"{facts.main_root}/{path}"))
        if evidence or path not in facts.quiet:
            yield Finding(Kind.INDEX, path, bool(evidence), evidence, old, new)


def _shared(facts: Facts) -> Iterator[Finding]:
    before, after = facts.before.shared, facts.after.shared
    own = {f"setting branch.{ref.removeprefix('refs/heads/')}." for ref in facts.quiet}
    for name in sorted({*before, *after}):
        old, new = before.get(name, ""), after.get(name, "")
        if old == new or name.startswith(tuple(own)):
            continue
        evidence = tuple(_shared_evidence(facts, name, new))
        yield Finding(Kind.SHARED, f"git's {name}", bool(evidence), evidence, old, new)
    for one in facts.vanished:
        subject = f"the registry's reservation of {one.pattern} by {one.holder.label}"
        yield Finding(Kind.SHARED, subject, before="held")
    if facts.start_lost:
        why = ("what was changed outside of its branch can't be told without it",)
        yield Finding(Kind.SHARED, "the snapshot of the attempt's start", True, why, "there")


def _shared_evidence(facts: Facts, name: str, new: str) -> Iterator[str]:
    if new.removesuffix("+x") in facts.blobs - {EMPTY_BLOB}:
        yield "its content is what the attempt wrote"
    key = name.removeprefix("setting ")
    file = name if key == name else "config"
    path = f"{facts.common_dir}/{file}"
    if any(path in row.get("paths", ()) for row in facts.log if row.get("kind") == "edit"):
        yield "the guard refused this edit to the agent"
    for one in writing(facts.mentions):
        sets = key != name and any(sets_config(part, key) for part in commands(one.text))
        if sets or path in one.paths or path in one.text or f".git/{file}" in one.text:
            yield f"the agent's {one.tool or 'tool'} call names it: {short(one.text or path)}"
            return


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
    for one in writing(facts.mentions):
        if path in one.paths or names_path(one.text, path):
            yield f"the agent's {one.tool or 'tool'} call names it: {short(one.text or path)}"
            return


def _move(before: str, after: str) -> str:
    show: Callable[[str], str] = lambda name: name if name.startswith("refs/") else name[:10]  # noqa: E731
    if not before:
        return f"is new ({show(after)})"
    if not after:
        return f"was deleted (was {show(before)})"
    return f"changed from {show(before)} to {show(after)}"


def _change(before: str, after: str) -> str:
    if not before:
        return "is new"
    return "was changed" if after else "was removed"
