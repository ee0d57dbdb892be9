"""The planning documents as text: state, road map, requirements, summaries, verification.

Everything here is bytes in, values or bytes out. The rules that all of it keeps:

- A write replaces, adds or removes whole lines and leaves every other byte as it was: line
  endings, a byte order mark, a missing final newline, bytes that are no UTF-8.
- A write takes the form that the project already uses (bullets, bold labels, dashes, table
  widths), and doing it twice changes nothing more.
- What has no clear place is reported as a `Problem` with its line, never guessed.
- Reading never raises: a document that can't be understood gives less, not an exception.
"""
