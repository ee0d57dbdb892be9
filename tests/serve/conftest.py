"""One server for a module's tests; each test uses its own agents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serve.support import Served, make_repo


@pytest.fixture(scope="session", autouse=True)
def extra() -> None:
    pytest.importorskip("mcp.server.lowlevel", reason="the extra wtrun[mcp] is not installed")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(make_repo(tmp_path_factory.mktemp("served")), "--port", "0")
    yield server
    server.stop()


@pytest.fixture
def project(served: Served) -> str:
    return str(served.repo.path)
