"""The process table: who lives, whose child it is, and what marks it carries.

- Linux is read from /proc, elsewhere (macOS) psutil gives the same: psutil in every launcher
  would cost more memory than all the rest of it.
- A process is named by pid and start time together; a signal goes to exactly that one.
- The launcher imports this file, so it must stay light: see there.
"""

# pathlib costs memory that the launcher saves
# ruff: noqa: PTH110, PTH115, PTH208
from __future__ import annotations

import errno
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import psutil


class Row:
    """One line of the process table; `start` tells a process from a later one of the same pid.

    `environ` is there only where the table came from psutil; else it is read when it is needed.
    """

    __slots__ = ("environ", "group", "parent", "pid", "session", "start", "suspended", "zombie")

    def __init__(
        self,
        *,
        pid: int,
        parent: int,
        group: int,
        session: int,
        start: str,
        zombie: bool,
        suspended: bool = False,
        environ: bytes | None = None,
    ) -> None:
        self.pid = pid
        self.parent = parent
        self.group = group
        self.session = session
        self.start = start
        self.zombie = zombie
        self.suspended = suspended
        self.environ = environ


def process_table() -> dict[int, Row]:
    """All processes that can be seen, by pid."""
    rows = _rows_of_proc() if os.path.exists("/proc/self/stat") else _rows_of_psutil()
    return {row.pid: row for row in rows}


def row_of(pid: int) -> Row | None:
    """The living process with this pid; None for a zombie or no process."""
    if os.path.exists("/proc/self/stat"):
        row = _proc_row(pid)
    else:
        row = next((row for row in _rows_of_psutil([pid])), None)
    return None if row is None or row.zombie else row


def _rows_of_proc() -> Iterator[Row]:
    for name in os.listdir("/proc"):
        if name.isdigit() and (row := _proc_row(int(name))) is not None:
            yield row


def _proc_row(pid: int) -> Row | None:
    data = _read(f"/proc/{pid}/stat")
    if not data:
        return None
    # the command's name is in parentheses and may hold spaces and parentheses itself
    words = data[data.rindex(b")") + 2 :].split()
    return Row(
        pid=pid,
        parent=int(words[1]),
        group=int(words[2]),
        session=int(words[3]),
        start=words[19].decode(),
        zombie=words[0] in (b"Z", b"X"),
        suspended=words[0] in (b"T", b"t"),
    )


def _rows_of_psutil(pids: Iterable[int] | None = None) -> Iterator[Row]:
    """The table where there is no /proc (macOS); what is not ours to read is left out."""
    import psutil

    for pid in psutil.pids() if pids is None else pids:
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                status = process.status()
                zombie = status == psutil.STATUS_ZOMBIE
                yield Row(
                    pid=pid,
                    parent=process.ppid(),
                    group=os.getpgid(pid),
                    session=os.getsid(pid),
                    start=f"{process.create_time():.2f}",
                    zombie=zombie,
                    suspended=status == psutil.STATUS_STOPPED,
                    environ=b"" if zombie else _environ(process),
                )
        except (psutil.Error, OSError):
            continue


def _environ(process: psutil.Process) -> bytes:
    """The environment as /proc has it; nothing where it may not be read."""
    import psutil

    try:
        found = process.environ()
    except (psutil.Error, OSError):
        return b""
    return b"\0".join(os.fsencode(f"{name}={value}") for name, value in found.items())


def _read(path: str) -> bytes:
    """The file's content; nothing where it is gone or not ours to read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(fd, 65536):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(fd)


def carries(row: Row, marks: Iterable[bytes]) -> bool:
    """Whether the process was started with all of these `NAME=value` in its environment."""
    environ = row.environ if row.environ is not None else _read(f"/proc/{row.pid}/environ")
    return bool(environ) and set(marks) <= set(environ.split(b"\0"))


def tree_of(root: int, group: int, marks: Iterable[bytes]) -> list[Row]:
    """Living descendants of `root`, members of `group` or of root's session, and marked ones.

    `root` and the caller are not among them.
    """
    table = process_table()
    children: dict[int, list[int]] = {}
    for row in table.values():
        children.setdefault(row.parent, []).append(row.pid)
    below: set[int] = set()
    waiting = [root]
    while waiting:
        for pid in children.get(waiting.pop(), ()):
            if pid not in below:
                below.add(pid)
                waiting.append(pid)
    wanted = list(marks)
    return [
        row
        for row in table.values()
        if row.pid not in (root, os.getpid())
        and not row.zombie
        and (
            row.pid in below
            or row.group == group
            or row.session == root
            or (bool(wanted) and carries(row, wanted))
        )
    ]


def send(row: Row, number: int) -> None:
    """Signals exactly this process: never another one that got the same pid meanwhile."""
    try:
        if hasattr(os, "pidfd_open"):
            fd = os.pidfd_open(row.pid)
            try:
                now = _proc_row(row.pid)
                if now is not None and now.start == row.start:
                    signal.pidfd_send_signal(fd, number)
            finally:
                os.close(fd)
        else:
            now = row_of(row.pid)
            if now is not None and now.start == row.start:
                os.kill(row.pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # gone, or it became another user's: nothing that we may end
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        os.kill(row.pid, number)


def send_all(rows: Iterable[Row], number: int) -> None:
    for row in rows:
        send(row, number)
        if number == signal.SIGTERM:
            send(row, signal.SIGCONT)  # a stopped process would not see the TERM


def boot_id() -> str:
    """Differs after each boot and in each container: pids can be compared within one only."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
    return _read("/proc/sys/kernel/random/boot_id").decode().strip() + " " + space
