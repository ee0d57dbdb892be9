"""The command line: `python3 -m tallybook COMMAND`."""

import sys
from datetime import date

from tallybook import Book, render

COMMANDS = {
    "report": render,
}


def main(argv: list[str]) -> str:
    book = Book()
    book.add(450, "coffee", date(2026, 1, 2))
    book.add(1299, "book", date(2026, 2, 3))
    name = argv[0] if argv else "report"
    if name not in COMMANDS:
        return f"unknown command {name}; known: {', '.join(COMMANDS)}"
    return COMMANDS[name](book)


if __name__ == "__main__":
    print(main(sys.argv[1:]))
