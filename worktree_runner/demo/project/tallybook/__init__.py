"""A book of small expenses."""

from tallybook.entries import Book, Entry
from tallybook.report import render

__all__ = [
    "Book",
    "Entry",
    "render",
]
