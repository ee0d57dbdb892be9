"""What merging knows about languages: does a file parse, and what does it mean.

- Python, JSON and TOML are read by the standard library, YAML where PyYAML is installed.
- Everything else goes through conservative scanners: they split a text into strings, comments
  and other tokens, and say "unknown" rather than guess.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
import warnings
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

from merge.line_scanners import LINE_LANGUAGES, line_meaning
from merge.paths import name_of, suffix_of
from merge.scanners import balanced, plain_meaning, prose_meaning, python_meaning, token_meaning

_LANGUAGE = {
    "py": "python", "pyi": "python", "json": "json", "toml": "toml", "yml": "yaml",
    "yaml": "yaml", "js": "js", "jsx": "js", "mjs": "js", "cjs": "js", "ts": "ts", "tsx": "ts",
    "mts": "ts", "cts": "ts", "go": "go", "rs": "rust", "java": "java", "kt": "kotlin",
    "kts": "kotlin", "c": "c", "h": "c", "cc": "c", "cpp": "c", "hpp": "c", "cs": "csharp",
    "php": "php", "rb": "ruby", "rake": "ruby", "gemspec": "ruby", "swift": "swift",
    "scala": "scala", "sh": "shell", "bash": "shell", "css": "css", "md": "prose",
    "mdx": "prose", "markdown": "prose", "rst": "prose", "txt": "plain", "cfg": "plain",
    "ini": "plain",
}  # fmt: skip
_BY_NAME = {
    "go.mod": "gomod",
    "Pipfile": "toml",
    "Gemfile": "ruby",
    "Rakefile": "ruby",
    ".gitignore": "plain",
    ".dockerignore": "plain",
    ".editorconfig": "plain",
}
BROKEN = (SyntaxError, ValueError, RecursionError, MemoryError)


def language_of(path: str) -> str:
    """A short name, or an empty string for files of which nothing is known."""
    known = _BY_NAME.get(name_of(path))
    if known is None and re.fullmatch(r"[A-Z]{4,}", name_of(path)):
        known = "prose"  # README, CHANGES, AUTHORS
    return known or _LANGUAGE.get(suffix_of(path), "")


@lru_cache(maxsize=8)
def parses(path: str, data: bytes) -> bool | None:
    """Whether the file can be read by its language, or None if nothing here can tell.

    Of languages with braces no more is known than whether their brackets are closed.
    """
    language = language_of(path)
    reader = _READERS.get(language)
    if reader is None:
        return balanced(language, data)
    try:
        reader(data)
    except BROKEN:
        return False
    return True


@lru_cache(maxsize=8)
def read_python(data: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(data)


@lru_cache(maxsize=8)
def compiles(path: str, data: bytes) -> bool | None:
    """Whether Python takes a file that it can parse: one parameter or keyword twice, say, is
    noticed only here. None for other languages."""
    if language_of(path) != "python":
        return None
    try:
        tree = read_python(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, path, "exec", dont_inherit=True)
    except BROKEN:
        return False
    return True


class DuplicateKeyError(ValueError):
    """A mapping that holds one key twice; most readers silently keep the last."""


def read_json(data: bytes) -> Any:
    """The value; raises ValueError, also where an object holds one key twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise DuplicateKeyError("a key stands twice in one object")
        return found

    return json.loads(data.decode("utf-8-sig"), object_pairs_hook=unique)


def read_toml(data: bytes) -> dict[str, Any]:
    return tomllib.loads(data.decode("utf-8"))


def _yaml_reader(*, twice: bool = False) -> Callable[[bytes], Any] | None:
    """Reads all documents; with `twice`, a key may stand twice, and its places are told apart."""
    try:
        import yaml
    except ImportError:
        return None

    class Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
        """Reads every scalar as text, so that nothing is normalised."""

    def mapping(loader: Any, node: Any) -> dict[Hashable, Any]:
        found: dict[Hashable, Any] = {}
        for key, value in loader.construct_pairs(node, deep=True):
            name = repr(key)
            if name in found and not twice:
                raise DuplicateKeyError("a key stands twice in one mapping")
            while name in found:
                name += " again"
            found[name] = value
        return found

    def unknown(loader: Any, suffix: str, node: Any) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return (suffix, node.value)
        if isinstance(node, yaml.SequenceNode):
            return (suffix, loader.construct_sequence(node, deep=True))
        return (suffix, mapping(loader, node))

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    for kind in ("bool", "int", "float", "timestamp", "null"):
        Loader.add_constructor(
            f"tag:yaml.org,2002:{kind}", lambda loader, node: loader.construct_scalar(node)
        )
    Loader.add_multi_constructor("!", unknown)

    def read(data: bytes) -> Any:
        try:
            return list(yaml.load_all(data, Loader=Loader))
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from None

    return read


_READERS: dict[str, Callable[[bytes], Any]] = {
    "python": read_python,
    "json": read_json,
    "toml": read_toml,
}


@lru_cache(maxsize=1)
def loose_yaml_reader() -> Callable[[bytes], Any] | None:
    """Reads YAML in which a key stands twice, as many a long list of translations has it."""
    return _yaml_reader(twice=True)


read_yaml = _yaml_reader()
if read_yaml is not None:
    _READERS["yaml"] = read_yaml


@lru_cache(maxsize=32)
def same_meaning(path: str, left: bytes, right: bytes) -> bool:
    """Whether two texts differ in nothing but insignificant white space; False if unsure."""
    value = meaning(path, left)
    if value is not None and value == meaning(path, right):
        return True
    return language_of(path) == "python" and _same_python(left, right)


def _same_python(left: bytes, right: bytes) -> bool:
    """Whether two modules have equal syntax trees and comments."""
    try:
        if ast.dump(read_python(left)) != ast.dump(read_python(right)):
            return False
    except BROKEN:
        return False
    comments = [re.findall(rb"#[^\n]*\S", text) for text in (left, right)]
    return comments[0] == comments[1]


@lru_cache(maxsize=4)
def meaning(path: str, data: bytes) -> Hashable | None:
    """A value that stays equal while only insignificant white space changes; None = unknown.

    Comments and the contents of strings count. Two texts with equal meanings may be exchanged.
    """
    language = language_of(path)
    try:
        if language == "python":
            return python_meaning(data)
        if language in {"json", "toml", "yaml"}:
            return _data_meaning(language, data)
    except BROKEN:
        return None
    if language in {"prose", "plain"}:
        return prose_meaning(data) if language == "prose" else plain_meaning(data)
    if language in LINE_LANGUAGES:
        return line_meaning(language, data)
    return token_meaning(language, data)


def _data_meaning(language: str, data: bytes) -> Hashable | None:
    reader = _READERS.get(language)
    if reader is None:
        return None
    comments = () if language == "json" else tuple(re.findall(rb"#[^\n]*\S", data))
    return (repr(reader(data)), comments)
