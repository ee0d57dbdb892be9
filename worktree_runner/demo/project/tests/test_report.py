import unittest
from datetime import date

from tallybook import Book, render


class ReportTest(unittest.TestCase):
    def test_the_total_is_the_last_line(self) -> None:
        book = Book()
        book.add(450, "coffee", date(2026, 1, 2))
        self.assertEqual(render(book).splitlines()[-1], "total 4.50")


if __name__ == "__main__":
    unittest.main()
