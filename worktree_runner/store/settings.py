"""Every setting of wtrun: one field each with its default and what it does.

- The field descriptions are the documentation: `wtrun config`, docs/configuration.md and the
  JSON schema are made of them.
- Tables follow the topics of `.wtrun.toml`; `gate.command` is `[gate] command = ...`.
- Durations are seconds or text such as `90s`, `30m`, `1h30m`; None or "off" is no limit.
- A command as text runs through `sh -c`; a command as a list runs without a shell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_DURATION = re.compile(r"(?:([0-9]+)h)?(?:([0-9]+)m(?:in)?)?(?:([0-9]+)s)?", re.IGNORECASE)
_SWITCHES = {
    "true": True, "yes": True, "on": True, "1": True, "parallel": True,
    "false": False, "no": False, "off": False, "0": False, "sequential": False,
}  # fmt: skip


def parse_duration(value: Any) -> Any:
    """Seconds out of `1h30m`, `90s`, `45` or nothing; other values are left to fail."""
    if not isinstance(value, str):
        return value
    text = value.strip().lower().replace(" ", "")
    if text in ("", "off", "none", "never"):
        return None
    if text.isdigit():
        return int(text)
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()):
        return value
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def parse_switch(value: Any) -> Any:
    """True or False out of the words that people use; other values are left to fail."""
    if isinstance(value, str):
        return _SWITCHES.get(value.strip().lower(), value)
    return value


def parse_command(value: Any) -> Any:
    """An argv: text becomes a shell command, a list stays, nothing is None."""
    if isinstance(value, str):
        return ("sh", "-c", value) if value.strip() else None
    return value


def parse_commands(value: Any) -> Any:
    """Several commands, each as text or as an argv; one text is one command."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, (list, tuple)):
        return tuple(parse_command(part) for part in value if part != "")
    return value


def parse_list(value: Any) -> Any:
    """A list; text (from a flag or the environment) is split at commas."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def parse_word(value: Any) -> Any:
    """An optional text whose empty form means that nothing is set."""
    return None if isinstance(value, str) and not value.strip() else value


Seconds = Annotated[
    Annotated[float, Field(gt=0)] | None,
    BeforeValidator(parse_duration, json_schema_input_type=float | str | None),
]
Switch = Annotated[bool, BeforeValidator(parse_switch)]
Command = Annotated[
    tuple[str, ...] | None,
    BeforeValidator(parse_command, json_schema_input_type=str | list[str] | None),
]
Commands = Annotated[
    tuple[tuple[str, ...], ...],
    BeforeValidator(parse_commands, json_schema_input_type=str | list[str | list[str]]),
]
Texts = Annotated[
    tuple[str, ...], BeforeValidator(parse_list, json_schema_input_type=str | list[str])
]
Word = Annotated[str | None, BeforeValidator(parse_word)]
Role = Literal["executor", "continuation", "verifier", "conflict"]


class Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Gate(Table):
    """The check that must pass on exactly the commit that will be published."""

    enabled: Switch = True
    """Whether merges are checked at all; `--no-gate` sets it to false."""
    command: Command = None
    """The check; without one, wtrun looks for make, just, tox, pytest, cargo, go or npm."""
    timeout: Seconds = 1800
    """Longest time of one check; a check that takes longer is inconclusive, not green."""


class Merge(Table):
    """How finished plans come together."""

    order: Literal["plan", "fewest-conflicts"] = "plan"
    """In which order finished plans are merged."""
    on_conflict: Literal["ask", "stop", "skip", "rerun", "ours", "theirs"] = "ask"
    """What to do with a conflict that no rule settles; ours is the target, theirs the plan."""
    resolve: Literal["none", "proven", "tested"] = "proven"
    """Which rules may settle a conflict without asking."""
    own_version: Literal["ask", "greater"] = "greater"
    """The project's own version, raised by the target and a plan: take the greater, or ask."""
    unresolve: Texts = ()
    """Patterns of paths whose conflicts are always asked, whatever the rules could settle."""
    remember: Switch = False
    """Whether your answers to conflicts are kept, and offered when the same conflict comes back."""
    checkout: Switch = True
    """Whether the target is moved at once where it is checked out; if not, `wtrun publish` does."""
    checkout_merge: Switch = False
    """Whether merges are made by `git merge --no-ff` in a worktree, so that merge hooks run."""
    hooks: Literal["run", "skip"] = "run"
    """Whether the repository's own commit hooks run for agents' commits."""
    sign: Switch | None = None
    """Whether merge commits are signed; unset means as `commit.gpgSign` says."""


class Reservations(Table):
    """What happens when plans touch each other's files."""

    mode: Literal["warn", "strict"] = "warn"
    """Between plans of one run: warn and let the merge decide, or refuse the commit."""
    on_reserved: Literal["wait", "ask", "fail"] = "wait"
    """What to do when somebody outside the run holds a plan's files."""
    lease: Seconds = 3600
    """How long a reservation lasts unless it is renewed."""


class Worktrees(Table):
    """Where plans work, and what is put there before an agent starts."""

    root: str = ".worktrees"
    """Directory of the worktrees, relative to the repository or absolute."""
    setup: Commands = ()
    """Commands that run in every new worktree, before any token is spent."""
    setup_timeout: Seconds = 900
    """Longest time of all setup commands of one worktree."""
    copy_files: Texts = Field(default=(), alias="copy")
    """Globs of ignored or untracked files to copy from the main worktree, e.g. `.env*`."""
    link: Texts = ()
    """Globs of ignored or untracked paths to link to, e.g. `node_modules`."""
    keep_setup_changes: Switch = False
    """Whether tracked files that setup changed stay changed instead of being restored."""
    submodules: Switch = True
    """Whether submodules are checked out in a new worktree."""
    lfs: Switch = True
    """Whether Git LFS files are fetched in a new worktree."""
    port_base: Annotated[int, Field(ge=1024, le=65000)] = 20000
    """First port of the blocks that worktrees get in WTRUN_PORT_BASE."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_by_name=True,
        validate_by_alias=True,
    )  # fmt: skip


class Limits(Table):
    """What a plan and a run may take."""

    timeout: Seconds = 3600
    """Longest time of one attempt."""
    stall_timeout: Seconds = 900
    """Longest time without output or a changed file; suspended time does not count."""
    first_output_timeout: Seconds = 180
    """Longest time until an agent's first output, against hidden permission prompts."""
    retries: Annotated[int, Field(ge=0, le=20)] = 2
    """How often an attempt that failed for a passing reason is started again."""
    max_cost: Annotated[float, Field(gt=0)] | None = None
    """Most US dollars for the whole run, where the agent reports cost."""
    max_tokens: Annotated[int, Field(gt=0)] | None = None
    """Most tokens for the whole run, where the agent reports them."""
    plan_max_cost: Annotated[float, Field(gt=0)] | None = None
    """Most US dollars for one plan."""
    plan_max_tokens: Annotated[int, Field(gt=0)] | None = None
    """Most tokens for one plan."""
    max_turns: Annotated[int, Field(gt=0)] | None = None
    """Most turns of one attempt, where the agent has such a limit."""


class Branching(Table):
    """Which branch becomes the target."""

    strategy: Literal["none", "phase", "milestone"] = "none"
    """Merge into the current branch, or into one branch for each phase or milestone."""
    phase_template: Word = None
    """Name of a phase branch with `{phase}`, `{stage}` and `{slug}`; unset: the dialect's."""
    milestone_template: Word = None
    """Name of a milestone branch with `{milestone}` and `{slug}`; unset: the dialect's."""


class Serve(Table):
    """The Agent Mail endpoint."""

    enabled: Literal["auto", "on", "off"] = "auto"
    """Whether a run offers the endpoint; auto means where the agent can use it."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port on the loopback interface; 0 takes a free one."""
    require_token: Switch = False
    """Whether calls need a token even from this machine."""


class AgentTable(Table):
    """`[agents.NAME]`: a coding agent of the user (`argv`), or changes to a shipped one."""

    argv: Texts = ()
    """Program and arguments, with `{prompt_file}`, `{worktree}`, `{plan_path}` and so on."""
    model_args: Texts = ()
    """Added when a model is chosen: `["--model", "{model}"]`."""
    resume_argv: Texts = ()
    """Instead of `argv` for going on with a session, with `{resume}`."""
    attach_argv: Texts = ()
    """Opens a session for a person (`wtrun attach`), with `{resume}`."""
    prompt_via: Literal["stdin", "file"] = "stdin"
    """How the prompt is handed over; the file is there in any case."""
    events: Literal["none", "jsonl", "acp", "claude", "codex", "opencode", "gemini", "qwen"] = (
        "none"
    )
    """The format of its output; `acp`: it speaks the Agent Client Protocol."""
    mode: Word = None
    """With `acp`: the session mode to switch to, such as `full-access` for codex-acp."""
    success_exit_codes: tuple[int, ...] = (0,)
    """Exit codes that do not mean a failure."""
    pass_env: Texts = ()
    """Names of environment variables that must be there."""
    env: Mapping[str, str] = Field(default_factory=dict)
    """Environment variables to set."""
    program: Word = None
    """A shipped agent's program under another name or path."""
    args: Texts = ()
    """Arguments that are added to a shipped agent's command line."""
    trust_hooks: Switch = False
    """Lets codex trust every configured hook, so that it can ask before each edit."""


class Domain(Table):
    """`[domains.NAME]`: what a plan's `domain` chooses; what is left out is as for other plans."""

    agent: Word = None
    """The coding agent for plans of this domain, by its name in `wtrun agents`."""
    guide: Word = None
    """A guide that such plans are worked by: a repository path, or a name in the guides folder."""
    instructions: str = ""
    """Text that is added to the prompts of such plans; `@path` reads a file of the repository."""


class Settings(Table):
    """All settings of one run."""

    dialect: Word = None
    """The dialect's name or file; unset: found out from the planning directory."""
    agent: Word = None
    """The coding agent; unset: the only one that is installed."""
    model: Word = None
    """The model for every role; unset: by profile and role."""
    model_profile: str = "balanced"
    """The profile that chooses a model for each role (horsepower in ACE and RENN)."""
    role_models: Mapping[Role, str] = Field(default_factory=dict)
    """A model for single roles, which goes before the profile."""
    models: Mapping[str, Mapping[str, str]] = Field(default_factory=dict)
    """What a model name means for an agent: `[models.codex] opus = "gpt-5"`."""
    max_parallel: Annotated[int, Field(ge=1, le=64)] = 3
    """Most plans that run at the same time."""
    parallel: Switch = True
    """Whether plans of one wave run at the same time at all."""
    min_plans_for_parallel: Annotated[int, Field(ge=1)] = 2
    """Waves with fewer plans than this run one plan after another."""
    on_failure: Literal["ask", "continue", "stop"] = "ask"
    """What to do after a failed plan; plans that depend on it are skipped in any case."""
    commit_docs: Switch = True
    """Whether planning files are committed; false where git ignores the planning directory."""
    verify: Switch = True
    """Whether the goal of a done phase is verified before the phase is ticked."""
    verifier: Word = None
    """The coding agent that verifies; unset: the run's own, if it drives a model."""
    accept: Switch | None = None
    """Whether you are asked to accept what passed; unset: where the planning system asks."""
    auto_advance: Switch = False
    """Whether checkpoints are answered without asking: verified, or the first option."""
    skip_checkpoints: Switch = False
    """Shown only: a checkpoint always waits for its answer, the plans beside it always go on."""
    team: Literal["off", "on", "auto"] = "off"
    """Ariadna's team mode: plans start when their dependencies are done, not wave by wave."""
    permissions: Literal["edit", "full"] = "edit"
    """What an agent may do without asking inside its worktree."""
    allow_commands: Texts = ()
    """Beginnings of commands that agents may run without asking: `npm test`, `make`."""
    resume: Literal["fresh", "session"] = "fresh"
    """How a plan goes on after a question or a crash: a fresh process, or its agent's session."""
    sandbox: Switch = True
    """Whether the agent's own sandbox is used where it has one."""
    extra_args: Texts = ()
    """Arguments that are added to the agent's command line."""
    instructions: Mapping[Role, str] = Field(default_factory=dict)
    """Text that is added to the prompt of a role; `@path` reads a file of the repository."""
    agents: Mapping[str, AgentTable] = Field(default_factory=dict)
    """Own coding agents by name, and changes to shipped ones (docs/agents.md)."""
    domains: Mapping[str, Domain] = Field(default_factory=dict)
    """Agent, guide and instructions for plans of a domain: `[domains.frontend] agent = "codex"`."""
    gate: Gate = Gate()
    merge: Merge = Merge()
    reservations: Reservations = Reservations()
    worktrees: Worktrees = Worktrees()
    limits: Limits = Limits()
    branching: Branching = Branching()
    serve: Serve = Serve()


def domain_table(settings: Settings, domain: str) -> Domain:
    """What the user set for a domain, whose name is in lower case; defaults if nothing."""
    tables = {name.lower(): table for name, table in settings.domains.items()}
    return tables.get(domain, Domain())


@cache
def fields(model: type[BaseModel] = Settings, prefix: str = "") -> Mapping[str, str]:
    """Every setting by its dotted key with its description, in the order of the file."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found.update(fields(inner, f"{key}."))
        else:
            found[key] = field.description or ""
    return found


def value_of(settings: Settings, key: str) -> Any:
    """The value behind a dotted key."""
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, "copy_files" if part == "copy" else part)
    return value
