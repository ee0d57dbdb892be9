"""Fixtures that every test may use."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.corpus import corpus_folder
from tests.support.repo import Repo, clean_environment


@pytest.fixture(autouse=True)
def quiet_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test sees the developer's git configuration, settings of the machine or its terminal."""
    # ignored where the tests run in the background of a shell, and switched off by cli.main's end
    signal.signal(signal.SIGINT, signal.default_int_handler)
    home = tmp_path_factory.mktemp("home")
    wanted = clean_environment(home)
    for key in list(os.environ):
        if key not in wanted:
            monkeypatch.delenv(key)
    for key, value in wanted.items():
        monkeypatch.setenv(key, value)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """An empty repository on branch main."""
    return Repo.make(tmp_path / "repo", tmp_path / "home")


@pytest.fixture
def corpus() -> Path:
    """The folder of real planning files, if WTRUN_CORPUS names one."""
    return corpus_folder()
