"""What a merged text uses of the names that one side no longer imports.

The side that took an import out had no need of it: its own lines that mention the name, in a
comment, a string or as something else, are no use of the import. So only lines that this side
did not have are read; any mention in one of those counts as a use.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from merge.import_values import Element, bound_names, go_names
from merge.text import Lines

_WORDS = re.compile(rb"(?<![\w$.])[\w$]+")
_DEFINES = (
    rb"^(?:export\s+|pub\s+)?(?:async\s+)?"
    rb"(?:def|class|const|let|var|function|fn|struct|enum|type|interface|trait|static)\s+%s\b"
    rb"|^%s\s*[:=]"
)

_BESIDE = frozenset({"php", "php function", "java", "scala"})


class Use:
    """Uses in the lines of `merged` that the side whose rest of the text is `own` did not have."""

    def __init__(self, merged: Lines, own: Lines) -> None:
        added = Counter(map(bytes.strip, merged)) - Counter(map(bytes.strip, own))
        self.added = b"\n".join(added)
        self.words = set(_WORDS.findall(self.added))
        self.merged = merged

    def of(self, element: Element) -> bool | None:
        """Whether the element's binding is used; None if its binding is not known."""
        if element.kind == "go":
            return any(name.encode() in self.words for name in go_names(element))
        binding = element.binding
        if element.kind.startswith("php"):
            return _php_uses(element, self.added)
        if element.kind == "import" and not element.name:  # Python's `import a.b` binds `a`
            binding = element.alias or element.module.split(".")[0]
        return binding.encode() in self.words if binding else None

    def mentions(self, element: Element) -> bool:
        """Whether the merged text has the element's name anywhere, in lines of either side."""
        text = b"\n".join(self.merged)
        if element.kind.startswith("php"):
            return _php_uses(element, text)
        words = set(_WORDS.findall(text))
        return any(name.encode() in words for name in bound_names(element))

    def takes_from_beside(self, element: Element) -> bool:
        """Whether these lines use the name, in a language in which it needs no import to mean
        something: a class of the file's own package."""
        if element.kind not in _BESIDE or not element.binding:
            return False
        name = re.escape(element.binding.encode())
        word = rb"(?<![\w$>.\\\"'])%s(?![\w\\\"'])" % name
        return any(
            re.search(word, line) and not line.startswith((b"*", b"/", b"#"))
            for line in self.added.split(b"\n")
        )

    def narrowed(self, element: Element, added: Iterable[Element]) -> bool:
        """Whether the removing side imports the same thing still, for less or by another name."""
        return any(
            (e.module, e.name) == (element.module, element.name) and e != element for e in added
        )

    def defines(self, element: Element) -> bool:
        """Whether the merged text itself defines the name at the start of a line."""
        if not element.binding:
            return False
        name = re.escape(element.binding.encode())
        pattern = re.compile(_DEFINES % (name, name))
        return any(pattern.match(line) for line in self.merged)


def _php_uses(element: Element, text: bytes) -> bool:
    """PHP joins texts by a dot, and does not tell most names by case."""
    return element.binding.lower().encode() in set(re.findall(rb"\w+", text.lower()))
