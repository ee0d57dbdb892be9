"""YAML as plain strings, lists and dicts, fast, and safe on hostile input.

- No types: `010`, `2.10`, `12:30` and `no` stay what they are.
- Built for speed: libyaml composes the nodes, tags are not resolved, and one small function makes
  the values; PyYAML's own constructor takes most of the time of a load otherwise. Simple texts
  don't come here at all (`yamllines`).
- libyaml and PyYAML run out of stack on deep nesting and end the process, so depth is counted
  before. Anchors are shared, not copied, so a "billion laughs" file costs nothing.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler

DEEPEST = 60
_DEEP_INDENT = re.compile(r"^[ ?-]{120,}", re.MULTILINE)
_BRACKET = re.compile(r"[][{}]")


class _NoTags:
    """What a loader asks for every node; strings need no answer."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return ""

    def descend_resolver(self, node: Any, index: Any) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass

    def get_single_data(self) -> Any:
        node = self.get_single_node()  # type: ignore[attr-defined]
        return None if node is None else _value(node, {})


if yaml.__with_libyaml__:
    from yaml._yaml import CParser  # type: ignore[import-untyped, unused-ignore]

    class StringLoader(_NoTags, CParser):
        """A loader for `yaml.load` that gives strings only."""

        def __init__(self, stream: Any) -> None:
            CParser.__init__(self, stream)

        def dispose(self) -> None:
            pass

else:

    class StringLoader(_NoTags, yaml.BaseLoader):  # type: ignore[no-redef]
        """The same without libyaml, many times slower."""


_HANDLER = YAMLHandler()


def load_with_libyaml(raw: str) -> Any:
    """The value of any YAML text. Raises yaml.YAMLError and nothing else."""
    if is_too_deep(raw):
        raise yaml.YAMLError("nested too deeply")
    try:
        return _HANDLER.load(raw, Loader=StringLoader)
    except (RecursionError, ValueError, TypeError) as error:
        raise yaml.YAMLError(str(error)) from error


def is_too_deep(raw: str) -> bool:
    """Whether the nesting could be too deep; counts brackets in quotes too.

    Real files stay below ten levels, so nothing is lost by counting too much.
    """
    if _DEEP_INDENT.search(raw):
        return True
    if raw.count("[") + raw.count("{") <= DEEPEST:
        return False
    depth = deepest = 0
    for found in _BRACKET.finditer(raw):
        depth += 1 if found[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest > DEEPEST


def _value(node: yaml.Node, seen: dict[int, Any]) -> Any:
    """The node as str, list or dict; a node that is met again gives the same object."""
    kind = type(node)
    if kind is yaml.ScalarNode:
        return node.value
    known = seen.get(id(node))
    if known is not None:
        return known
    if kind is yaml.SequenceNode:
        items: list[Any] = []
        seen[id(node)] = items
        for child in node.value:
            items.append(child.value if type(child) is yaml.ScalarNode else _value(child, seen))
        return items
    table: dict[str, Any] = {}
    seen[id(node)] = table
    for key, child in node.value:
        if type(key) is not yaml.ScalarNode:
            mark = key.start_mark
            raise yaml.constructor.ConstructorError(None, None, "a key is no text", mark)
        table[key.value] = child.value if type(child) is yaml.ScalarNode else _value(child, seen)
    return table
