"""Blocks of ports for worktrees."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from worktree_runner.errors import PreconditionError
from worktree_runner.store.ports import BLOCK, Ports, default_file, is_free, lease, release


def tree(tmp_path: Path, name: str) -> Path:
    place = tmp_path / name
    place.mkdir()
    return place


def always(port: int) -> bool:
    return True


def test_two_worktrees_get_two_blocks_and_keep_them(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    one, two = tree(tmp_path, "one"), tree(tmp_path, "two")
    first = lease(file, one, 20000, free=always)
    assert first == Ports(0, 20000)
    assert lease(file, two, 20000, free=always) == Ports(1, 20000 + BLOCK)
    assert lease(file, one, 20000, free=always) == first
    assert first.environment == {
        "WTRUN_SLOT": "0",
        "WTRUN_PORT_BASE": "20000",
        "WTRUN_PORT_COUNT": "10",
    }


def test_a_block_is_free_again_when_its_worktree_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    one, two = tree(tmp_path, "one"), tree(tmp_path, "two")
    lease(file, one, 20000, free=always)
    one.rmdir()
    assert lease(file, two, 20000, free=always) == Ports(0, 20000)
    release(file, two)
    release(file, two)
    assert lease(file, tree(tmp_path, "three"), 20000, free=always) == Ports(0, 20000)


def test_a_block_with_a_port_in_use_is_passed_over(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        first = port - 3
        ports = lease(tmp_path / "ports.json", tree(tmp_path, "one"), first)
        assert ports.base > port
    assert is_free(port)


def test_another_start_never_gives_overlapping_ports(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    lease(file, tree(tmp_path, "one"), 20000, free=always)
    other = lease(file, tree(tmp_path, "two"), 20005, free=always)
    assert other.base >= 20010
    assert other.slot != 0


def test_no_block_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(PreconditionError, match="no 10 free ports in a row from 65000") as caught:
        lease(tmp_path / "ports.json", tree(tmp_path, "one"), 65000, free=lambda port: False)
    assert "worktrees.port_base" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"leases": 3}', '{"leases": {"/": {"slot": "x"}}}']
)
def test_a_damaged_file_counts_as_empty(tmp_path: Path, text: str) -> None:
    file = tmp_path / "ports.json"
    file.write_text(text)
    assert lease(file, tree(tmp_path, "one"), 20000, free=always) == Ports(0, 20000)


LEASE = """
import sys
from pathlib import Path
from worktree_runner.store.ports import lease
print(lease(Path(sys.argv[1]), Path(sys.argv[2]), 20000, free=lambda port: True).base)
"""


def test_processes_at_the_same_time_get_different_blocks(tmp_path: Path) -> None:
    trees = [tree(tmp_path, f"t{n}") for n in range(6)]

    def one(place: Path) -> int:
        argv = [sys.executable, "-c", LEASE, str(tmp_path / "ports.json"), str(place)]
        root = Path(__file__).parents[2]
        return int(subprocess.run(argv, cwd=root, capture_output=True, check=True).stdout)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(one, trees)) == [20000 + BLOCK * n for n in range(6)]


def test_leases_lie_in_the_users_state_folder_or_else_in_the_repository(tmp_path: Path) -> None:
    fallback = tmp_path / "repo"
    home = {"HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    assert default_file(home, fallback) == tmp_path / "home/.local/state/wtrun/ports.json"
    state = {**home, "XDG_STATE_HOME": str(tmp_path / "state")}
    assert default_file(state, fallback) == tmp_path / "state/wtrun/ports.json"
    assert default_file({}, fallback) == fallback / "ports.json"
    (tmp_path / "file").write_text("")
    assert default_file({"HOME": str(tmp_path / "file")}, fallback) == fallback / "ports.json"
    assert os.listdir(tmp_path / "state" / "wtrun") == []
