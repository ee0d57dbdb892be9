"""Brings files from one tree into another without ever overwriting anything.

Nothing is written through a symbolic link of the target tree, so nothing lands outside of it.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path


def copy_into(source: Path, target: Path, path: str) -> bool:
    """Copies a file, link or whole folder to the same place; False if something is there.

    Modes and times are kept, links stay links. Sockets, pipes, devices, linked worktrees and
    submodules are left out. A crash leaves a part of a folder.
    """
    original, place = source / path, target / path
    if os.path.lexists(place) or not _is_inside(target, place):
        return False
    if original.is_dir() and not original.is_symlink():
        shutil.copytree(original, place, symlinks=True, ignore=_special, copy_function=_copy)
        return True
    if not original.is_symlink() and not original.is_file():
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    _copy(str(original), str(place))
    return True


def link_into(source: Path, target: Path, path: str) -> bool:
    """Makes a symbolic link to the original; False if something is there."""
    place = target / path.rstrip("/")
    if os.path.lexists(place) or not _is_inside(target, place):
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(source / path.rstrip("/"))
    return True


def _copy(original: str, place: str) -> None:
    """As `copy2`, but never over a file that appeared meanwhile."""
    if not os.path.lexists(place):
        shutil.copy2(original, place, follow_symlinks=False)


def _is_inside(target: Path, place: Path) -> bool:
    root = Path(os.path.realpath(target))
    return Path(os.path.realpath(place.parent)).is_relative_to(root)


def _special(folder: str, names: list[str]) -> list[str]:
    """What is neither file, folder nor link, and checkouts that belong to another repository."""
    odd = []
    for name in names:
        place = Path(folder) / name
        mode = place.lstat().st_mode
        if stat.S_ISDIR(mode):
            special = is_linked_checkout(place)
        else:
            special = not (stat.S_ISREG(mode) or stat.S_ISLNK(mode))
        if special:
            odd.append(name)
    return odd


def is_linked_checkout(folder: Path) -> bool:
    """Whether it is a linked worktree or a submodule: a copy would use the original's record."""
    return (folder / ".git").is_file()
