"""A run's mail: an endpoint for its agents, a name for each attempt, and the run's own messages.

- The endpoint is a process of its own that ends with the run's process; a resumed run starts
  one at the same port. Where it can't be had
  (the extra is not installed, it does not come up) the run goes on without it: agents still have
  `wtrun mail` and `wtrun reserve`, and `news` says why.
- Names and tokens follow from run, plan and attempt, so a resumed run finds the same ones.
- A message about a plan is sent once: not again by a resumed run, nor if its agent did.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from worktree_runner import process
from worktree_runner.agents.protocol import McpServer
from worktree_runner.core.messages import Draft, PlanFacts, plan_complete, plan_failed
from worktree_runner.dialects.schema import Dialect
from worktree_runner.errors import NoExecutorError
from worktree_runner.serve import start
from worktree_runner.store.agents import Agent
from worktree_runner.store.atomic import save_text
from worktree_runner.store.locate import Place
from worktree_runner.store.mailbox import Mailbox, Message

MARK = "endpoint"
READY_S = 15.0


@dataclass
class RunMail:
    """The correspondence of one run; `folder` is the run's own."""

    place: Place
    run_id: str
    dialect: Dialect
    folder: Path
    notice: str | None = None
    """Why there is no endpoint, for the user; `news` hands it out."""
    _server: start.ServerInfo | None = None
    _process: Path | None = None
    _box: Mailbox = field(init=False)

    def __post_init__(self) -> None:
        self._box = Mailbox(self.place.layout)

    @property
    def orchestrator(self) -> Agent:
        """Who the run is in the mailbox, and to whom its agents report."""
        task = f"Execution {self.run_id}"
        program = f"{self.dialect.name}-orchestrator"
        return self._box.register(None, program, "wtrun", task, seed=f"run/{self.run_id}")

    def open(self) -> None:
        """Starts the endpoint, or attaches to the one that serves the repository already.

        Nobody waits for it here: it needs a second, in which the first worktrees are made.
        """
        try:
            launch = start.start_for_run(self.place, port=self._port_before())
        except NoExecutorError as error:
            self.notice = error.message
            return
        self._server = launch.attached
        if self._server is None:
            self._start(launch)

    def wait(self) -> None:
        """Returns when the endpoint that was opened listens, or can't be had; any thread may."""
        if self._process is None or self._server is not None:
            return
        server = start.wait_ready(self.place.layout, timeout=READY_S)
        if server is None:
            log = self._process / "stderr.log"
            self.notice = f"the MCP endpoint did not come up within {READY_S:.0f} s; see {log}"
            return
        self._server = server
        save_text(self._port_file, f"{server.port}\n", durable=False)

    def news(self) -> str | None:
        """Why there is no endpoint, told once."""
        notice, self.notice = self.notice, None
        return notice

    def close(self) -> None:
        """Ends the endpoint if this run started it."""
        if self._process is not None:
            process.stop(self._process)
        self._process = self._server = None

    def agent(self, plan_id: str, attempt: int, program: str, model: str = "") -> Agent:
        """The mailbox's agent for one attempt."""
        return start.plan_agent(
            self._box, self.run_id, plan_id, attempt, program=program, model=model
        )

    def servers(self, agent: Agent) -> tuple[McpServer, ...]:
        """What the agent's own command line is told of the endpoint; empty without one."""
        self.wait()
        if self._server is None:
            return ()
        token = start.token_of(self.place.layout, agent.name)
        headers = start.bearer(token)
        return (McpServer(name=start.SERVER_KEY, url=self._server.url, headers=headers),)

    def complete(self, agent: Agent, facts: PlanFacts, since: str) -> Message | None:
        """Reports that the plan is done; None if the agent reported it itself since then."""
        return self._tell(agent, plan_complete(self.dialect, facts), since)

    def failed(
        self, agent: Agent, facts: PlanFacts, reason: str, since: str, attempted: str = ""
    ) -> Message | None:
        """Reports that the plan failed; None if the agent reported it itself since then."""
        return self._tell(agent, plan_failed(self.dialect, facts, reason, attempted), since)

    def _tell(self, agent: Agent, draft: Draft, since: str) -> Message | None:
        to = [self.orchestrator.name]
        message, sent = self._box.send_once(
            agent.name, to, draft, since=since, authors=[agent.name]
        )
        return message if sent else None

    def _start(self, launch: start.EndpointStart) -> None:
        folder = self._free_folder()
        spec = process.Spec(
            argv=launch.argv,
            cwd=self.place.root,
            mark=process.Mark(self.run_id, MARK),
            env=launch.env,
            grace_s=5.0,
        )
        process.start(spec, folder)
        self._process = folder

    @property
    def _port_file(self) -> Path:
        return self.folder / f"{MARK}.port"

    def _port_before(self) -> int | None:
        """The port of this run's earlier endpoint, if it is free: agents that outlived a killed
        wtrun still call there."""
        try:
            port = int(self._port_file.read_text())
        except (OSError, ValueError):
            return None
        return port if start.is_free(port) else None

    def _free_folder(self) -> Path:
        """A folder that no process was started in: each is started once."""
        number = 1
        while (self.folder / f"{MARK}-{number}").exists():
            number += 1
        return self.folder / f"{MARK}-{number}"
