"""Made-up contents of the files that plans of the corpus name, and what a plan changes in them.

A file has the same blocks in its own language before the phase. A plan's additions carry its mark,
so that a test can tell whether they are there in the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

BLOCKS = 14


@dataclass(frozen=True)
class Language:
    """How blocks of lines are written; `{n}` is a name or number, `{value}` a number."""

    head: str
    block: str
    tail: str = ""
    imports: str = ""
    exports: str = ""
    """A line as barrels have it; where there is none, a block is added."""


TS = Language("import { base } from './base';\n\n", "export const part{n} = [\n  {value},\n];\n\n",
              imports="import {{ {n} }} from './{n}';\n",
              exports="export {{ {n} }} from './{n}';\n")  # fmt: skip
LANGUAGES = {
    ".py": Language("import os\n\n", "\ndef part_{n}() -> int:\n    return {value}\n\n",
                    imports="import {n}\n"),
    **dict.fromkeys((".ts", ".tsx", ".js", ".jsx", ".mjs"), TS),
    ".rs": Language("use std::fmt;\n\n", "pub fn part_{n}() -> u32 {{\n    {value}\n}}\n\n",
                    imports="use crate::{n};\n"),
    ".json": Language("{\n", '  "part_{n}": {{\n    "value": {value}\n  }},\n', '  "end": 0\n}\n'),
    ".toml": Language("", "[part_{n}]\nvalue = {value}\n\n"),
    ".yaml": Language("", "part_{n}:\n  value: {value}\n"),
    ".yml": Language("", "part_{n}:\n  value: {value}\n"),
}  # fmt: skip
PROSE = Language("# Words\n\n", "## Part {n}\n\nThis is {value}.\n\n")
BINARY = {".png", ".ico", ".jpg", ".jpeg", ".woff", ".woff2", ".gif", ".webp", ".pdf", ".db"}


def language_of(path: str) -> Language:
    return LANGUAGES.get(PurePosixPath(path).suffix, PROSE)


def base_text(path: str) -> bytes:
    """A file as it is before the phase."""
    if PurePosixPath(path).suffix in BINARY:
        return b"\x89\x00base\n" + path.encode()
    words = language_of(path)
    blocks = [words.block.format(n=n, value=n) for n in range(BLOCKS)]
    return (words.head + "".join(blocks) + words.tail).encode()


def changed_text(path: str, text: bytes, mode: str, at: int, plan: str) -> bytes:
    """The file after one plan's work."""
    if PurePosixPath(path).suffix in BINARY:
        return text + f"\nplan {plan}".encode()
    words, name = language_of(path), mark(plan)
    block = words.block.format(n=name, value=900 + at)
    now = text.decode()
    if mode == "line":
        old = words.block.format(n=3, value="VALUE").split("VALUE")
        head, _, rest = now.partition(old[0])
        value, tail, rest = rest.partition(old[1])
        return (head + old[0] + f"{value.split('0')[0] or '3'}0{at + 1}" + tail + rest).encode()
    if mode == "together":
        now = now.removesuffix(words.tail) + (words.exports.format(n=name) or block) + words.tail
        first, newline, rest = now.partition("\n")
        return (first + newline + words.imports.format(n=name) + rest).encode()
    before = words.block.format(n=(2 * at + 1) % BLOCKS, value=(2 * at + 1) % BLOCKS)
    head, found, rest = now.partition(before)
    return (head + found + block + rest).encode()


def mark(plan: str) -> str:
    """What a plan's additions are called."""
    return "of_" + re.sub(r"\W", "_", plan)
