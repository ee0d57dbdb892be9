"""What an agent command line has to offer: plain values in, a launch out, events back.

- `build` is pure: tests compare the argv. Nothing in a request or a launch is an object of
  this process; a launch can be stored as JSON and performed by another one.
- What an agent says proves nothing. Git decides whether a plan is done; events are for
  display, usage and failure classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Role(StrEnum):
    """What an attempt is for; chooses prompt and model."""

    EXECUTOR = "executor"
    CONTINUATION = "continuation"
    VERIFIER = "verifier"
    CONFLICT = "conflict"


class McpServer(Frozen):
    """An MCP endpoint that the agent is told about; `url` for HTTP, else `command` by stdio."""

    name: str
    url: str | None = None
    headers: Mapping[str, str] = Field(default_factory=dict)
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = Field(default_factory=dict)


class AgentRequest(Frozen):
    """One attempt, as asked for. All paths are absolute; `run_dir` lies outside the worktree."""

    run_id: str
    plan_id: str
    attempt: int
    role: Role = Role.EXECUTOR
    worktree: Path
    git_dir: Path
    git_common_dir: Path
    run_dir: Path
    """The attempt's own folder: prompt, logs and exit status; survives the worktree."""
    plan_path: str
    """Repository path of the plan, inside the worktree where it is committed."""
    plan_file: Path
    """A readable copy of the plan's text, also where planning files are not committed."""
    summary_path: str
    branch: str
    dialect: str
    prompt: str
    prompt_file: Path
    model: str | None = None
    persona: str | None = None
    """The dialect's own agent (`gsd-executor`), for programs that have it installed."""
    domain: str = "general"
    phase: str = ""
    """The phase's token as in messages: `03`."""
    plan_number: str = ""
    """The plan's number within the phase, as in messages: `01`."""
    title: str = ""
    """The plan's name, for messages."""
    files: tuple[str, ...] = ()
    """Repository paths that the plan declares; for agents that want them as arguments."""
    base: str = ""
    """The commit that the branch was forked from; what lies after it was done by attempts."""
    commit_docs: bool = True
    """False: plan and summary stay uncommitted; the run copies the summary back."""
    answer: str | None = None
    """Continuation only: what the user said to the checkpoint."""
    resume_task: int | None = None
    """Continuation only: the number of the task whose checkpoint was answered."""
    session_id: str | None = None
    """A fresh UUID for agents that let the caller choose it."""
    resume: str | None = None
    permissions: Literal["edit", "full"] = "edit"
    allow_commands: tuple[str, ...] = ()
    """Beginnings of commands that the agent may run: `npm test`."""
    sandbox: bool = True
    """Whether the agent's own sandbox is used where it has one."""
    protected_paths: tuple[str, ...] = ()
    """Patterns that others hold exclusively."""
    mcp_servers: tuple[McpServer, ...] = ()
    pre_tool_hook: tuple[str, ...] = ()
    """The command that is asked before each edit (`wtrun hook pre-tool`); empty: none."""
    dialect_file: Path | None = None
    """The dialect as JSON; None: the shipped one named `dialect`."""
    max_turns: int | None = None
    max_cost: float | None = None
    extra_args: tuple[str, ...] = ()
    env: Mapping[str, str] = Field(default_factory=dict)

    @property
    def outbox(self) -> Path:
        """The only part of `run_dir` that the agent may write; holds `checkpoint.json`."""
        return self.run_dir / "outbox"


class Launch(Frozen):
    """A process to start: argv, environment additions, the file on its stdin, files to write."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = Field(default_factory=dict)
    unset: tuple[str, ...] = ()
    stdin: Path | None = None
    files: Mapping[Path, str] = Field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    """Must be there before the start; made with their parents."""
    redact: tuple[str, ...] = ()


class Capabilities(Frozen):
    """What an agent can do, as shown by `wtrun agents`."""

    events: bool = False
    resume: bool = False
    preset_session_id: bool = False
    mcp: bool = False
    pre_edit_guard: Literal["none", "hook", "config", "permission"] = "none"
    reports_tokens: bool = False
    reports_cost: bool = False
    usage_scope: Literal["run", "thread", "step"] = "run"
    max_turns: bool = False
    max_cost: bool = False
    verifies: bool = False
    """Drives a model, so that it also verifies the goal of a phase whose plans it worked on."""
    sandbox: bool = False
    commits_itself: bool = True
    writes_outbox: bool = True
    """False: its own rules keep it out of `.git`, so a checkpoint comes as prose only."""
    prompt_via: Literal["stdin", "file", "argv"] = "stdin"


class Probe(Frozen):
    """Whether an agent can be run here, found out without spending a token."""

    found: bool
    path: str | None = None
    version: str | None = None
    problems: tuple[str, ...] = ()


class FailureKind(StrEnum):
    """Why an attempt ended badly, as far as the agent's own output tells."""

    AUTH = "auth"
    RATE_LIMIT = "rate_limit"
    OVERLOADED = "overloaded"
    QUOTA = "quota"
    CONFIG = "config"
    LIMIT = "limit"
    PERMISSION = "permission"
    SANDBOX = "sandbox"
    SESSION = "session"
    CRASH = "crash"
    UNKNOWN = "unknown"


class Usage(Frozen):
    """Tokens and cost; None means that the agent does not report it, which is not zero."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cost_usd: float | None = None


class AgentOutcome(Frozen):
    """What an ended process said about itself. The verdict on the plan is not made of this."""

    status: Literal["ok", "failed", "limit", "killed", "timeout", "not_started"]
    failure: FailureKind | None = None
    message: str = ""
    retry_after_s: float | None = None
    session_id: str | None = None
    usage: Usage = Usage()
    denials: tuple[str, ...] = ()
    final_text: str = ""
    """The last thing it said; a checkpoint is parsed from it if no file holds one."""
    exit_code: int | None = None
    notices: tuple[str, ...] = ()
    """Things a user should know, such as an MCP server that could not be reached."""


class EventParser(Protocol):
    """Reads an agent's output line by line; unknown lines pass, nothing is fatal."""

    def feed(self, line: str, stream: Literal["stdout", "stderr"]) -> list[AgentEvent]: ...

    def end(self, exit_code: int | None, *, killed: bool, timed_out: bool) -> AgentOutcome: ...


class AgentEvent(Frozen):
    """One thing an agent did, in common words; `raw` is the line it came from."""

    kind: Literal[
        "started", "text", "tool", "tool_ended", "denied", "retry", "usage", "notice",
        "failed", "finished", "unparsed",
    ]  # fmt: skip
    text: str = ""
    tool: str = ""
    paths: tuple[str, ...] = ()
    ok: bool | None = None
    session_id: str | None = None
    usage: Usage | None = None
    raw: str = ""


class Agent(Protocol):
    """An adapter. Modules register an instance in `worktree_runner.agents.registry`."""

    name: str
    capabilities: Capabilities

    def probe(self, *, deep: bool = False) -> Probe: ...

    def build(self, request: AgentRequest) -> Launch: ...

    def parser(self) -> EventParser: ...

    def attach(self, request: AgentRequest) -> tuple[str, ...]:
        """The argv that opens session `request.resume` for a person; nothing if it has no such."""
        ...
