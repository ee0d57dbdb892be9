"""Small and read-only file systems for tests, in a mount namespace of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


def in_namespace(script: str, *args: str, env: dict[str, str], cwd: Path) -> str:
    """What a shell script prints that may mount; skips loudly where that is not allowed.

    The script must only mount: what it mounts goes away with it, also if the test is killed.
    """
    unshare = ["unshare", "-m"] if os.getuid() == 0 else ["unshare", "-rm"]
    probe = ["sh", "-c", "mount -t tmpfs -o size=1m none /mnt"]
    try:
        allowed = subprocess.run([*unshare, *probe], check=False, capture_output=True)
    except FileNotFoundError:
        pytest.skip("NOT TESTED: no 'unshare' here (Linux only)")
    if allowed.returncode != 0:
        pytest.skip(f"NOT TESTED: mounting is not allowed here: {allowed.stderr.decode().strip()}")
    done = subprocess.run(
        [*unshare, "sh", "-ec", script, "sh", *args],
        cwd=cwd, env=env, check=False, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
