"""Every rule that may settle a hunk by itself, in the order in which they are asked."""

from __future__ import annotations

from merge.resolvers import adjacent, lists, members, versions, whitespace
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
        "changelog",
        "both sides only added bullets under the same heading; the target's come first",
        lists.changelog,
    ),
    Rule(
        "keys",
        "each key was touched by one side only; the file read as a whole means the same as "
        "merging it key by key",
        members.by_key,
    ),
    Rule(
        "adjacent",
        "each side replaced other lines, one for one; both replacements are kept",
        adjacent.one_for_one,
    ),
)
