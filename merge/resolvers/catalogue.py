"""Every rule that may settle a hunk by itself, in the order in which they are asked."""

from __future__ import annotations

from merge.resolvers import adjacent, versions, whitespace
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
        "adjacent",
        "each side replaced other lines, one for one; both replacements are kept",
        adjacent.one_for_one,
    ),
)
