"""Tokens that bind a connection to one agent's name.

A token is `<name>.<hmac of the name>` under a secret of the repository, so it holds over a
restart of the server and nothing has to be kept per agent. It says who acts; it is no wall: a
process of the same user can read the secret.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from worktree_runner.store.atomic import save_bytes
from worktree_runner.store.paths import Layout


class Tokens:
    """Gives out and checks the tokens of one repository."""

    def __init__(self, layout: Layout) -> None:
        self._secret = _secret(layout.mail / "secret")

    def of(self, name: str) -> str:
        return f"{name}.{self._sign(name)}"

    def owner(self, token: str) -> str | None:
        """The agent that the token belongs to, or None if it is none of ours."""
        name, _, given = token.rpartition(".")
        fits = hmac.compare_digest(given.encode(), self._sign(name).encode())
        return name if name and fits else None

    @property
    def mark(self) -> str:
        """A hash that tells two repositories' tokens apart without giving the secret away."""
        return hashlib.sha256(b"wtrun token mark" + self._secret).hexdigest()

    def _sign(self, name: str) -> str:
        return hmac.new(self._secret, name.casefold().encode(), hashlib.sha256).hexdigest()[:40]


def _secret(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}.tmp")
        save_bytes(draft, secrets.token_bytes(32), mode=0o600)
        try:
            # link fails where another process was first, and then its secret is the one
            file.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return file.read_bytes()
