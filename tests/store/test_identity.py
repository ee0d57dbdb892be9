"""A process is told from a later one with its pid, from another boot and another host."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from worktree_runner.core.reservations import Life
from worktree_runner.store import identity


def test_this_process_lives_and_a_namesake_with_its_pid_does_not() -> None:
    me = identity.of_process()
    assert me is not None
    assert identity.life_of(me) is Life.ALIVE
    assert identity.life_of(replace(me, start="0")) is Life.DEAD


def test_a_dead_process_and_a_zombie_are_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = identity.of_process(child.pid)
    assert owner is not None
    assert identity.life_of(owner) is Life.ALIVE
    child.kill()
    while identity.life_of(owner) is Life.ALIVE:
        pass  # killed, not yet waited for: a zombie as soon as the kernel is through
    assert identity.life_of(owner) is Life.DEAD
    child.communicate()
    assert identity.life_of(owner) is Life.DEAD
    assert identity.of_process(child.pid) is None


def test_other_boots_are_dead_and_other_hosts_and_containers_unknown() -> None:
    me = identity.of_process()
    assert me is not None
    boot, _, space = me.boot.partition(" ")
    assert identity.life_of(replace(me, boot=f"another {space}")) is Life.DEAD
    assert identity.life_of(replace(me, boot=f"{boot} pid:[1]")) is Life.UNKNOWN
    assert identity.life_of(replace(me, host="elsewhere")) is Life.UNKNOWN
    assert identity.life_of(None) is Life.UNKNOWN
