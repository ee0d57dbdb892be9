"""Repository paths out of what people write in file lists.

- Remarks (`(new)`, ` — why`), backticks, quotes and a leading `./` go; `{a,b}` is spelled out.
- `[id]` stays: in these lists it is a Next.js folder, never a character class.
- A directory keeps its trailing `/`; `*`, `**` and `?` stay as they are.
- Absolute paths, `~`, `$VAR` and `..` are nobody's in this repository and are told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

_REMARK = re.compile(r"\s+(?:\(.*|[—–#].*|--?\s.*|//\s.*|<[-=].*|[-=]>.*|:\s.*)$", re.DOTALL)
_LEAD = re.compile(
    r"^(?:[-*+]\s+|[0-9]+[.)]\s+)?(?:\[[ xX]\]\s+)?"
    r"(?:(?:path|file|new|create|modify|edit|update|delete|remove|test)\b\s*[:=]\s*)?",
    re.IGNORECASE,
)
_NOTHING = {"", "-", "none", "n/a", "na", "null", "~", "tbd", "[]", "no", "nothing", "todo"}
_FOREIGN = re.compile(r"(?:/|~|\$|[A-Za-z]:[\\/]|[a-z]+://)")
_BARE_NAMES = {
    "makefile", "dockerfile", "license", "gemfile", "rakefile", "procfile", "justfile",
    "containerfile", "vagrantfile", "jenkinsfile", "brewfile", "podfile", "readme", "changelog",
    "codeowners", "caddyfile", "tiltfile", "notice", "authors", "version",
}  # fmt: skip
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")
_HOLDERS = {"path", "file", "paths", "files", "new", "create", "created", "modify", "modified",
            "edit", "delete", "deleted", "add", "added"}  # fmt: skip
_PLAIN = re.compile(r"[\w@+][\w@+.=()\[\]-]*(?:/[\w@+.=()\[\]-]+)+")
_OPENERS = re.compile(r"[({[]")
_MOST = 2000
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class FileList:
    """What a list names: paths of this repository, and entries that are none."""

    paths: tuple[str, ...]
    foreign: tuple[str, ...]


def parse_entries(value: Any) -> FileList:
    """A front-matter value: a list, a string with commas or lines, or mappings with `path`."""
    paths: dict[str, None] = {}
    foreign: dict[str, None] = {}
    for text in _texts(value):
        if _is_plain(text):
            paths[text] = None
            continue
        for entry in _split(text):
            path = clean_path(entry)
            if not path:
                continue
            if is_foreign(path):
                foreign[path] = None
            elif " " not in path or _plausible_with_spaces(path):
                paths.update(dict.fromkeys(expand_braces(path)))
            else:
                foreign[path] = None
    return FileList(tuple(paths), tuple(foreign))


def files_in_text(text: str) -> tuple[str, ...]:
    """The paths in a task's `<files>`; prose is left out without a word."""
    paths: dict[str, None] = {}
    if not text:
        return ()
    if _is_plain(text):
        return (text,)
    if "<" in text:
        text = re.sub(r"</?[a-z_-]+>", "\n", text)
    for entry in map(str.strip, _split(text)):
        if _is_plain(entry):
            paths[entry] = None
            continue
        path = clean_path(entry)
        if path and not is_foreign(path) and " " not in path and looks_like_path(path):
            paths.update(dict.fromkeys(expand_braces(path)))
    return tuple(paths)


def _is_plain(text: str) -> bool:
    """Whether the text is a path with folders and nothing else, which most entries are."""
    return len(text) <= _LONGEST and ".." not in text and _PLAIN.fullmatch(text) is not None


def clean_path(entry: str) -> str:
    """One entry without decoration; empty if it says that there is none."""
    if len(entry) > 2 * _LONGEST:
        return ""
    text = _LEAD.sub("", entry.strip(), count=1).strip()
    ticked = re.match(r"`([^`]+)`", text)
    if ticked:
        text = ticked[1]
    text = text.strip("'\"").strip()
    text = _REMARK.sub("", text).strip().rstrip(",;").strip("`'\"*" if "*" not in text else "`'\"")
    while text.startswith("./"):
        text = text[2:]
    text = re.sub(r"(?<!:)//+", "/", text)
    return "" if text.lower() in _NOTHING or len(text) > _LONGEST else text


def is_foreign(path: str) -> bool:
    """Whether the path can't be inside the repository."""
    return bool(_FOREIGN.match(path)) or ".." in path.split("/")


def looks_like_path(path: str) -> bool:
    """Whether a word is more likely a path than prose."""
    if "/" in path.strip("/") or path.endswith("/") or "*" in path:
        return True
    name = path.rpartition("/")[2]
    if name.lower() in _BARE_NAMES or name.startswith("."):
        return len(name) > 1
    return bool(re.search(r"[\w\])]\.[A-Za-z][\w-]{0,11}$", name))


def expand_braces(path: str) -> tuple[str, ...]:
    """`src/{a,b}.ts` as two paths; more than 64 stay as they are."""
    results = [path]
    while True:
        found = next((m for m in map(_BRACES.search, results) if m), None)
        if found is None:
            return tuple(results)
        grown = []
        for text in results:
            match = _BRACES.search(text)
            if match is None:
                grown.append(text)
                continue
            grown += [text[: match.start()] + part.strip() + text[match.end() :]
                      for part in match[1].split(",")]  # fmt: skip
        if len(grown) > 64:
            return (path,)
        results = grown


def _plausible_with_spaces(path: str) -> bool:
    """A name may hold spaces; a sentence that ends with a file name may not pass for one."""
    return bool(re.search(r"\.[A-Za-z0-9]{1,8}$", path)) and len(path.split()) <= 4


def _texts(value: Any) -> Iterator[str]:
    """All texts in nested lists and mappings, up to a number that no real file comes near."""
    budget = _MOST
    stack: list[tuple[Any, int]] = [(value, 0)]
    while stack and budget:
        item, level = stack.pop()
        budget -= 1
        if isinstance(item, str):
            yield item
        elif isinstance(item, list) and all(type(part) is str for part in item):
            yield from item[:budget]
        elif level > 4:
            continue
        elif isinstance(item, dict):
            inner = [part for key, part in item.items() if str(key).lower() in _HOLDERS]
            parts: Iterable[Any] = inner or item.keys()
            stack += [(part, level + 1) for part in reversed(list(parts))]
        elif isinstance(item, list):
            stack += [(part, level + 1) for part in reversed(item)]


def _split(text: str) -> Iterator[str]:
    """Lines, then commas outside of braces, brackets and remarks in parentheses."""
    for line in text.splitlines():
        if "," not in line:
            yield line
            continue
        if not _OPENERS.search(line):
            yield from line.split(",")
            continue
        depth, word = 0, ""
        for char in line:
            if char == "," and depth <= 0:
                yield word
                word, depth = "", 0
                continue
            depth += (char in "({[") - (char in ")}]")
            word += char
        yield word
