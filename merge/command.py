"""Merging three files from the command line, as git's merge drivers do it.

Exit codes: 0 settled and written, 1 a person must decide and the text with conflict markers was
written, 2 wrong use or a file that can't be read; nothing was written then. OUT is replaced as a
whole, so a crash leaves the old or the new text.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from merge.file import FileMerge, merge_file
from merge.markers import STYLES, render
from merge.policy import Settings

SETTLED, CONFLICT, USAGE = 0, 1, 2


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"error: {message}\nhint: see '{self.prog} --help'\n")


def parser(program: str) -> argparse.ArgumentParser:
    made = _Parser(
        prog=program,
        description="Merges three versions of one file by rules that are proven right, or writes "
        "the conflict with markers and says why a person has to decide.",
        epilog="Exit codes: 0 settled, 1 conflict (markers written), 2 wrong use.",
    )
    for name, text in (
        ("base", "the common ancestor; an empty file if there is none"),
        ("ours", "the version of the branch merged into"),
        ("theirs", "the version of the branch being merged"),
    ):
        made.add_argument(name, metavar=name.upper(), type=Path, help=text)
    made.add_argument("-p", "--path", required=True, help="the file's path in its repository")
    made.add_argument("-o", "--out", required=True, type=Path, help="where the result goes")
    made.add_argument(
        "--resolve",
        choices=("none", "proven", "tested"),
        default="proven",
        help="which rules may settle a conflict (default: proven)",
    )
    made.add_argument("--style", choices=STYLES, default="zdiff3", help="form of the markers")
    made.add_argument("--marker-size", type=int, help="length of the markers (git's %%L)")
    made.add_argument(
        "-L",
        dest="labels",
        action="append",
        default=[],
        metavar="LABEL",
        help="name of a side in the markers; once for ours, again for theirs",
    )
    made.add_argument("-q", "--quiet", action="store_true", help="say nothing on stderr")
    return made


def main(argv: Sequence[str], program: str = "merge") -> int:
    """Runs the command; gives its exit code."""
    try:
        options = parser(program).parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        base, ours, theirs = (p.read_bytes() for p in (options.base, options.ours, options.theirs))
    except OSError as error:
        sys.stderr.write(f"error: cannot read {error.filename}: {error.strerror}\n")
        return USAGE
    given = options.labels
    labels = (given[0] if given else "ours", given[1] if len(given) > 1 else "theirs")
    result = merge_file(base or None, ours, theirs, options.path, Settings(options.resolve))
    text = result.data
    if text is None:
        text = render(result.segments, labels=labels, style=options.style, size=options.marker_size)
    try:
        _replace(options.out, text)
    except OSError as error:
        sys.stderr.write(f"error: cannot write {options.out}: {error.strerror}\n")
        return USAGE
    if not options.quiet:
        sys.stderr.write(_said(options.path, result))
    return CONFLICT if result.data is None else SETTLED


def _said(path: str, result: FileMerge) -> str:
    if result.data is None:
        hint = f"\nhint: {result.command}" if result.command else ""
        return f"{path}: conflict: {result.why}{hint}\n"
    if result.rules == ("line-merge",):
        return ""
    return f"{path}: settled by {', '.join(result.rules)} ({result.tier}): {result.why}\n"


def _replace(path: Path, data: bytes) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".merge-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
