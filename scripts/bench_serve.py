"""Measures the MCP endpoint over HTTP: p50 and p99 of its calls, alone and under contention.

    python scripts/bench_serve.py [--calls 500] [--clients 16]

Makes a repository in a temporary folder, starts `wtrun serve` on it with this Python, and calls
tools over kept connections without a handshake, as agents' clients do. Beside the figures stand
those of MCP Agent Mail 0.3.2 (Python), measured once by the same kind of calls on a machine of
two cores: every reservation there is a git commit. Exits 1 if the targets are missed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PEER_MS = {"file_reservation_paths": (135, 448), "release_file_reservations": (95, 174)}
TARGET_MS = (5.0, 25.0)
CONTENDING_P99_MS = 250.0


class Client:
    """One kept connection; `call` gives the structured result of a tool."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, tool: str, **arguments: Any) -> Any:
        params = {"name": tool, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        headers = {"content-type": "application/json", "accept": "application/json"}
        self._connection.request("POST", "/mcp/", json.dumps(body), headers)
        result = json.loads(self._connection.getresponse().read())["result"]
        if result["isError"]:
            raise SystemExit(f"{tool}: {result['content'][0]['text']}")
        return result["structuredContent"]


def percentiles(seconds: list[float]) -> tuple[float, float]:
    """p50 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return tuple(ordered[int(len(ordered) * part)] * 1000 for part in (0.5, 0.99))  # type: ignore[return-value]


def timed(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def alone(client: Client, key: str, name: str, calls: int) -> dict[str, list[float]]:
    """The time of each call of the tools that a plan's agent uses, one after another."""
    found: dict[str, list[float]] = {}
    mine = {"project_key": key, "agent_name": name}
    mail = {"project_key": key, "sender_name": name, "to": [name], "body_md": "b" * 400}
    for number in range(calls):
        paths = [f"src/{number}/*.py", f"tests/{number}/**", f"docs/{number}.md"]
        steps: dict[str, Callable[[], Any]] = {
            "health_check": lambda: client.call("health_check"),
            "file_reservation_paths": lambda p=paths: client.call(  # type: ignore[misc]
                "file_reservation_paths", paths=p, **mine
            ),
            "release_file_reservations": lambda: client.call("release_file_reservations", **mine),
            "send_message": lambda n=number: client.call(  # type: ignore[misc]
                "send_message", subject=f"message {n}", **mail
            ),
            "fetch_inbox": lambda: client.call("fetch_inbox", limit=5, **mine),
        }
        for tool, step in steps.items():
            found.setdefault(tool, []).append(timed(step))
    return found


def contending(port: int, key: str, names: list[str], calls: int) -> list[float]:
    """The times of reserve and release by all clients at once, paths partly the same."""
    times: list[float] = []
    barrier = threading.Barrier(len(names))

    def work(number: int) -> None:
        client = Client(port)
        mine = {"project_key": key, "agent_name": names[number]}
        barrier.wait()
        for turn in range(calls):
            paths = [f"own/{number}/{turn}.py", f"shared/{turn % 4}/**"]
            times.append(timed(lambda p=paths: client.call(  # type: ignore[misc]
                "file_reservation_paths", paths=p, **mine)))  # fmt: skip
            times.append(timed(lambda: client.call("release_file_reservations", **mine)))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(names))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repo = Path(folder).resolve() / "repo"
        subprocess.run(["git", "init", "-q", str(repo)], check=True)
        began = time.perf_counter()
        argv = [sys.executable, "-P", "-m", "worktree_runner", "-C", str(repo), "serve"]
        server = subprocess.Popen([*argv, "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = server.stdout.readline().rsplit(" ", 1)[-1].strip()
            print(f"start to listening: {time.perf_counter() - began:.2f} s")
            return measure(int(url.split(":")[2].split("/")[0]), str(repo), server.pid, options)
        finally:
            server.terminate()
            server.wait()


def measure(port: int, key: str, pid: int, options: argparse.Namespace) -> int:
    client = Client(port)
    given = {"project_key": key, "program": "bench", "model": "none"}
    names = [client.call("register_agent", **given)["name"] for _ in range(options.clients)]
    missed = False
    print(f"one client, {options.calls} calls each, load average {os.getloadavg()[0]:.1f}:")
    for tool, times in alone(client, key, names[0], options.calls).items():
        p50, p99 = percentiles(times)
        missed |= p50 > TARGET_MS[0] or p99 > TARGET_MS[1]
        peer = PEER_MS.get(tool)
        beside = ""
        if peer:
            beside = (f"   Agent Mail {peer[0]} / {peer[1]} ms: "
                      f"{peer[0] / p50:.0f}x / {peer[1] / p99:.0f}x")  # fmt: skip
        print(f"  {tool:<27} p50 {p50:6.2f} ms   p99 {p99:6.2f} ms{beside}")
    rounds = max(options.calls // options.clients, 10)
    p50, p99 = percentiles(contending(port, key, names, rounds))
    missed |= p99 > CONTENDING_P99_MS
    print(f"{options.clients} clients at once      p50 {p50:6.2f} ms   p99 {p99:6.2f} ms")
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        size = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        print(f"memory of the server: {int(size.split()[1]) / 1024:.0f} MB   (Agent Mail 260 MB)")
    limits = (
        f"{TARGET_MS[0]:.0f} / {TARGET_MS[1]:.0f} ms, contending p99 {CONTENDING_P99_MS:.0f} ms"
    )
    print(f"targets ({limits}): {'MISSED' if missed else 'met'}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
