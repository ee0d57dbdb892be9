"""Blocks of ports for worktrees, so that two plans' servers and test databases don't collide.

- One file for all repositories of a user on this machine: ports are shared by all of them.
- A block belongs to a worktree for as long as its folder exists. Nothing has to be given back
  after a crash, and a resumed plan gets the block that it had.
- Each port is tried before a block is given out. Nothing holds it from then on: a program that
  takes it in between is met by the agent, not by wtrun.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from worktree_runner.errors import PreconditionError
from worktree_runner.store.atomic import save_text
from worktree_runner.store.lock import exclusive

BLOCK = 10
LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Ports:
    """A block of ports; `slot` is a small number that no other living worktree has."""

    slot: int
    base: int
    count: int = BLOCK

    @property
    def environment(self) -> dict[str, str]:
        return {
            "WTRUN_SLOT": str(self.slot),
            "WTRUN_PORT_BASE": str(self.base),
            "WTRUN_PORT_COUNT": str(self.count),
        }


def default_file(env: Mapping[str, str], fallback: Path) -> Path:
    """Where the leases are: the user's state folder; `fallback` where that can't be written."""
    home = env.get("XDG_STATE_HOME") or (
        str(Path(env["HOME"]) / ".local" / "state") if env.get("HOME") else ""
    )
    folder = Path(home) / "wtrun"
    with contextlib.suppress(OSError):
        if home:
            folder.mkdir(parents=True, exist_ok=True)
        if home and os.access(folder, os.W_OK):
            return folder / "ports.json"
    return fallback / "ports.json"


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of any address now."""
    for family, address in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
        try:
            probe = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue  # no IPv6 here
        with probe:
            # without it, a port that was closed a minute ago would count as taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                if family == socket.AF_INET or error.errno != errno.EADDRNOTAVAIL:
                    return False
    return True


def lease(
    file: Path, worktree: Path, first: int, *, free: Callable[[int], bool] = is_free
) -> Ports:
    """The block of this worktree, a new one if it has none from `first` on."""
    with exclusive(file.with_suffix(".lock")):
        held = _load(file)
        mine = held.get(str(worktree))
        if mine is not None and mine.base == first + mine.slot * BLOCK:
            return mine
        taken = {port for ports in held.values() for port in range(ports.base, ports.base + BLOCK)}
        slots = {ports.slot for path, ports in held.items() if path != str(worktree)}
        for slot in range((LAST_PORT + 1 - first) // BLOCK):
            block = range(first + slot * BLOCK, first + (slot + 1) * BLOCK)
            if slot in slots or not taken.isdisjoint(block) or not all(map(free, block)):
                continue
            ports = Ports(slot, block[0])
            _save(file, {**held, str(worktree): ports})
            return ports
    raise PreconditionError(
        f"no {BLOCK} free ports in a row from {first} on",
        hint="set worktrees.port_base to another start, or remove old worktrees: wtrun clean",
    )


def release(file: Path, worktree: Path) -> None:
    """Gives a worktree's block back before its folder is gone; nothing if it has none."""
    with exclusive(file.with_suffix(".lock")):
        held = _load(file)
        if held.pop(str(worktree), None) is not None:
            _save(file, held)


def _load(file: Path) -> dict[str, Ports]:
    """The leases of worktrees that still exist. A damaged file counts as empty: ports are tried."""
    try:
        found = json.loads(file.read_bytes())
        leases = {
            str(path): Ports(int(lease["slot"]), int(lease["base"]))
            for path, lease in found["leases"].items()
        }
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {path: ports for path, ports in leases.items() if Path(path).is_dir()}


def _save(file: Path, held: Mapping[str, Ports]) -> None:
    leases = {path: {"slot": held[path].slot, "base": held[path].base} for path in sorted(held)}
    save_text(file, json.dumps({"v": 1, "leases": leases}, indent=1) + "\n", durable=False)
