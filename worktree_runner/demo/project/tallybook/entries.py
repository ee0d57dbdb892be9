"""Entries and the book that holds them."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Entry:
    """One expense, in cents."""

    cents: int
    what: str
    day: date


@dataclass
class Book:
    """All expenses, in the order in which they were made."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, cents: int, what: str, day: date) -> Entry:
        entry = Entry(cents, what, day)
        self.entries.append(entry)
        return entry

    @property
    def total(self) -> int:
        return sum(entry.cents for entry in self.entries)
