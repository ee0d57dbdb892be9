"""Every rule there is, by tier, in the order in which they are asked.

`RULES` are proven: each says in its module why taking it is safe. `TESTED` are taken only in the
tier of that name. `GUESSES` are never taken; they fill in a proposal for a person.
"""

from __future__ import annotations

from merge.resolvers import (
    additive,
    adjacent,
    exports,
    guesses,
    lists,
    members,
    releases,
    values,
    versions,
    whitespace,
)
from merge.view import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "same-whitespace",
        "both sides made the same change but for white space that carries no meaning; "
        "the target's formatting is kept",
        whitespace.same_on_both_sides,
    ),
    Rule(
        "whitespace-one-side",
        "one side changed only white space that carries no meaning; the other's change is kept",
        whitespace.only_one_side_changed_more,
    ),
    Rule(
        "version",
        "both sides raised the same version; the greater one is kept",
        versions.greater_version,
    ),
    Rule(
        "list",
        "both sides only added entries to a list in which each entry stands for itself; "
        "the target's come first",
        lists.entries,
    ),
    Rule(
        "exports",
        "both sides only gave out further names at the same place, and no name twice",
        exports.names,
    ),
    Rule(
        "changelog",
        "both sides only added bullets under the same heading; the target's come first",
        lists.changelog,
    ),
    Rule(
        "releases",
        "both sides added whole releases to a change log; their numbers tell the order",
        releases.added_releases,
    ),
    Rule(
        "keys",
        "each key was touched by one side only; the file read as a whole means the same as "
        "merging it key by key",
        members.by_key,
    ),
    Rule(
        "values",
        "the sides changed the values of different keys; the file read as a whole holds both",
        values.by_value,
    ),
    Rule(
        "adjacent",
        "each side replaced other lines, one for one; both replacements are kept",
        adjacent.one_for_one,
    ),
)

TESTED: tuple[Rule, ...] = (
    Rule(
        "both-inserted",
        "both sides inserted something here; both are kept whole, and the check decides",
        additive.both_inserted,
        "tested",
    ),
    Rule(
        "adjacent-changes",
        "the changes touch but don't overlap; both are kept, and the check decides",
        additive.adjacent_changes,
        "tested",
    ),
    Rule(
        "separate-words",
        "the sides changed different words of these lines; both are kept, and the check decides",
        additive.separate_words,
        "tested",
    ),
)

GUESSES: tuple[Rule, ...] = (
    Rule("same-words", "both sides are equal but for white space", guesses.same_words, "guess"),
    Rule("greater-version", "the greater of the two versions", guesses.greater_version, "guess"),
    Rule(
        "real-change",
        "one side only moved white space; this is the other's change",
        guesses.real_change,
        "guess",
    ),
    Rule("larger-side", "these lines hold all of the other side's", guesses.larger_side, "guess"),
)

OWN_VERSION = "own-version"
"""What `versions.greater_version` calls its answer where the version is the project's own."""

TURNED = "turned-line-ends"
"""Changes on both sides of a file of which one side turned every line end: never proven."""

SENTENCES: dict[str, str] = {
    OWN_VERSION: "both sides raised the project's own version; the greater one holds for what "
    "both of them add",
    "line-merge": "the changes do not overlap",
    "line-ends": "only line ends stood in the way; the target's are kept",
    TURNED: "both sides' changes are merged with the target's line ends, and the gate decides",
    "go-sum": "entries of go.sum are facts about module versions; all of both sides are kept",
    "imports": "imports were merged by name; a name counts as removed only if nothing uses it",
}
"""Answers that are no rule of one hunk, and why they are safe."""


def reasons(names: tuple[str, ...]) -> str:
    """Why these rules are safe, in words for the report."""
    known = {rule.name: rule.why for rule in (*RULES, *TESTED, *GUESSES)} | SENTENCES
    return "; ".join(known[name] for name in names)
