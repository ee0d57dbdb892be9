"""Where the real planning files are, if this machine has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

NAMED = os.environ.get("WTRUN_CORPUS", "")
"""Read once, when tests are collected: a test itself sees no WTRUN_ variable of the machine."""


def corpus_folder() -> Path:
    """The folder that WTRUN_CORPUS names; the test is skipped where it names none."""
    if not NAMED or not Path(NAMED).is_dir():
        pytest.skip("WTRUN_CORPUS names no folder of planning files")
    return Path(NAMED).resolve()
