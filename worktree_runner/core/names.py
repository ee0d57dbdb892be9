"""Names of agents in the mailbox: what a caller may choose, and names made up otherwise.

- A name is a safe id: a letter or digit, then letters, digits, `.`, `_`, `-`; 128 at most. It is
  also a file name. Two names are the same if they differ only in case.
- A caller's own safe id is honoured (`03-01`, `BoldMarsh`), except the bare name of a
  program (`claude-code`): two agents that both say it would share one inbox.
- A made-up name is an adjective and a noun (`QuietHarbor`). The same seed gives the same name, so
  a plan's attempt keeps its name over a restart; a taken name makes way for the next one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

_ADJECTIVES = (
    "Able Agile Amber Ample Azure Brave Brief Bright Brisk Calm Candid Civil Clear Clever Coral "
    "Cosy Crisp Daring Deft Eager Early Earnest Exact Fair Fleet Frank Fresh Gentle Glad Golden "
    "Grand Hardy Honest Humble Jolly Keen Kind Level Light Lively Lucid Lunar Merry Mild Modest "
    "Neat Nimble Noble Patient Plain Polite Prime Prompt Proud Quick Quiet Rapid Ready Robust "
    "Sage Sharp Silent Silver Smooth Solar Solid Sound Spry Stable Steady Stout Sunny Sure Swift "
    "Tidy Trusty Upbeat Vital Vivid Warm Wise Witty Zesty"
)
_NOUNS = (
    "Acorn Anchor Anvil Arbor Aspen Atlas Badger Bay Beacon Birch Bison Bridge Brook Cairn Canyon "
    "Cedar Comet Compass Condor Cove Crane Delta Dune Elm Ember Falcon Ferry Fjord Finch Forge "
    "Fox Gale Garnet Glade Grove Gull Harbor Hawk Hazel Heron Hill Inlet Iris Isle Jasper Kestrel "
    "Kettle Lagoon Lantern Larch Lark Ledge Lighthouse Linden Lynx Maple Meadow Mesa Mill Moor "
    "Oak Orbit Orchard Osprey Otter Owl Pebble Pier Pine Plateau Pond Quarry Quartz Rampart Raven "
    "Reef Ridge River Robin Rowan Sparrow Spruce Summit Tern Thicket Tower Trail Valley Walnut "
    "Willow Wren"
)
_PROGRAMS = (
    "agent aider assistant claude claude-code codex codex-cli copilot cursor gemini gemini-cli "
    "goose llm opencode qwen qwen-code wtrun"
)
ADJECTIVES = tuple(_ADJECTIVES.split())
NOUNS = tuple(_NOUNS.split())
PROGRAMS = frozenset(_PROGRAMS.split())

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")
_PLACEHOLDER = re.compile(r"\$|\{|<|\AYOUR[_ ]|_NAME\Z|\A(?:MY_)?AGENT_NAME\Z", re.IGNORECASE)


def is_safe(name: str) -> bool:
    """Whether `name` can be an agent's name and a file's name."""
    return _SAFE.match(name) is not None and not name.endswith((".json", ".lock", ".tmp"))


def is_placeholder(text: str) -> bool:
    """Whether `text` was left unfilled in a prompt: `YOUR_AGENT_NAME`, `$PROJECT`, `{NAME}`."""
    return _PLACEHOLDER.search(text) is not None


def same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def honoured(hint: str | None, program: str = "") -> str | None:
    """The caller's own choice if it may be used as a name, else None."""
    hint = (hint or "").strip()
    known = hint.casefold() in PROGRAMS or same(hint, program)
    return hint if is_safe(hint) and not is_placeholder(hint) and not known else None


def make_up(seed: str, taken: Collection[str]) -> str:
    """An adjective and a noun for `seed` that no name in `taken` equals; numbered when all are."""
    used = {name.casefold() for name in taken}
    total = len(ADJECTIVES) * len(NOUNS)
    start = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big") % total
    # 1009 is prime and does not divide the total, so the steps visit every pair once
    for step in range(total):
        adjective, noun = divmod((start + step * 1009) % total, len(NOUNS))
        name = ADJECTIVES[adjective] + NOUNS[noun]
        if name.casefold() not in used:
            return name
    number = 2
    while f"{name}{number}".casefold() in used:
        number += 1
    return f"{name}{number}"
