"""Text reports."""

from tallybook.entries import Book, Entry


def render(book: Book) -> str:
    """One line an entry, then the total."""
    lines = [line(entry) for entry in book.entries]
    lines.append(f"total {book.total / 100:.2f}")
    return "\n".join(lines)


def line(entry: Entry) -> str:
    return f"{entry.day} {entry.what} {entry.cents / 100:.2f}"
