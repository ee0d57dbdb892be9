"""Whether anything changed below a folder: a walk over the file times, without git."""

from __future__ import annotations

import os
from pathlib import Path


def change_since(root: Path, since: float) -> float | None:
    """The time of some change below `root` after `since`; None if there is none.

    Stops at the first one, so it costs a whole walk only where nothing changed. Ignored files
    count as well (a long build writes those); git's own and linked places do not.
    """
    waiting = [os.fspath(root)]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue  # removed or closed meanwhile
        for entry in entries:
            if entry.name == ".git":
                continue
            try:
                changed = entry.stat(follow_symlinks=False).st_mtime
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
            except OSError:
                continue
            if changed > since:
                return changed
    return None
