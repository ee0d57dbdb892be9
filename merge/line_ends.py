"""Line ends as a value of the whole file.

A side that only turned `\\n` into `\\r\\n` (or back) makes every line differ. Where each version
uses one line end throughout, the texts are merged with the target's line end in all of them:
what the lines say is untouched.
"""

from __future__ import annotations


def evened(base: bytes | None, ours: bytes, theirs: bytes) -> tuple[bytes | None, bytes] | None:
    """Base and theirs with our line ends; None where nothing is to do or an end is mixed."""
    kinds = [_kind(text) for text in (base or b"", ours, theirs) if text]
    wanted = _kind(ours)
    if None in kinds or wanted is None or len(set(kinds)) == 1:
        return None
    return (None if base is None else _with_end(base, wanted)), _with_end(theirs, wanted)


def _kind(text: bytes) -> bytes | None:
    """The one line end of a text, None if it has two or none."""
    windows, all_ends = text.count(b"\r\n"), text.count(b"\n")
    if not all_ends or windows not in (0, all_ends):
        return None
    return b"\r\n" if windows else b"\n"


def _with_end(text: bytes, end: bytes) -> bytes:
    plain = text.replace(b"\r\n", b"\n")
    return plain.replace(b"\n", b"\r\n") if end == b"\r\n" else plain
