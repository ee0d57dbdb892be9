"""The `wtrun` command: finds the command's own file and imports only that.

- Imports nothing but click, so that `wtrun --help` and `wtrun reserve` start at once.
- Expected errors become `error:` and `hint:` lines and an exit code; anything else is written
  to a log, and the terminal gets one line and its path. Never a traceback.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
from typing import Any

import click

from worktree_runner import __version__

# name -> (file in worktree_runner.commands, one line of help); the order is that of `--help`
COMMANDS: dict[str, tuple[str, str]] = {
    "execute": ("execute", "Run the plans of a phase, or go on with its unfinished run."),
    "plan": ("plan", "Show a phase's plans, waves, lanes and problems."),
    "status": ("status", "Show where a run stands."),
    "report": ("report", "Print the report of a run."),
    "logs": ("logs", "Show what a plan's agent said and did."),
    "attach": ("attach", "Open a plan's agent session, or a shell in its worktree."),
    "state": ("state", "Show the project's state as agents are told it, or rebuild it."),
    "conflicts": ("conflicts", "Show conflicts that wait, and those that plans head for."),
    "resolve": ("resolve", "Decide a conflict."),
    "resolutions": ("resolutions", "List how conflicts were settled, with each change."),
    "unresolve": ("unresolve", "Undo how a conflict was settled, and decide it yourself."),
    "publish": ("publish", "Move your branch to what has landed."),
    "clean": ("clean", "Remove left-over worktrees and branches that wtrun made."),
    "agents": ("agents", "List the coding agents that can be used here."),
    "config": ("config", "Show every setting and where its value comes from."),
    "trust": ("trust", "Let the commands run that a repository brings along."),
    "reserve": ("reserve", "Reserve paths, so that nobody else edits them."),
    "release": ("release", "Give reservations back."),
    "renew": ("renew", "Keep reservations for longer."),
    "reservations": ("reservations", "List who has reserved what."),
    "hook": ("hook", "Answer the hooks of coding agents."),
    "mail": ("mail", "Send and read messages between agents, the run and people."),
    "serve": ("serve", "Serve reservations and mail to agents by MCP."),
    "merge-file": ("merge_file", "Merge three versions of one file, as git's merge driver does."),
    "demo": ("demo", "Make a small project with a planned phase and execute it."),
}

SECTIONS: dict[str, tuple[str, ...]] = {
    "Run a phase": (
        "execute", "plan", "status", "logs", "attach", "conflicts", "resolve", "resolutions",
        "unresolve", "publish", "report", "clean", "state",
    ),
    "Set up": ("agents", "config", "trust", "demo"),
    "Work beside others": ("reservations", "reserve", "release", "renew", "mail"),
}  # fmt: skip
"""How `--help` groups the commands; those that stand nowhere come last."""
OTHERS = "For other programs"

EXAMPLES = """\b
Start here:
  wtrun demo                 see it work on a small project, without a model
  wtrun plan 3               the plans of phase 3, their waves and problems
  wtrun execute 3 --dry-run  what would happen: branches, commands, waves
  wtrun execute 3            do it; again after Ctrl-C, crash or conflict
  wtrun status               where the run stands, from any other shell

\b
Exit codes:
  0 done                    5 something is in the way, see the hint
  1 a plan failed           6 another wtrun is at work here
  2 wrong use or settings   7 the agent can't be run
  3 a conflict waits        70 a mistake in wtrun; a log was written
  4 an answer is awaited    130 interrupted, 143 terminated
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"worktree_runner.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        grouped = {name for names in SECTIONS.values() for name in names}
        rest = tuple(name for name in COMMANDS if name not in grouped)
        width = max(map(len, COMMANDS))
        for title, names in {**SECTIONS, OTHERS: rest}.items():
            rows = [(name.ljust(width), COMMANDS[name][1]) for name in names if name in COMMANDS]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does it, but a reader that went away (`wtrun report | head`) is no failure."""
        if sys.platform == "win32":
            from worktree_runner.errors import PreconditionError

            raise PreconditionError(
                "native Windows is not supported: wtrun needs the processes and locks of Unix",
                hint="run it inside WSL: wsl --install, then 'pipx install wtrun' there",
            )
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            from worktree_runner.errors import ExitCode

            # what is still buffered must not raise again when Python ends
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(int(ExitCode.READER_GONE))
        return code

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if near:
                raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx) from error
            raise


@click.group(
    cls=LazyGroup, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="wtrun")
@click.option("-C", "directory", metavar="DIR", help="Run as if started in DIR.", type=click.Path())
def group(directory: str | None) -> None:
    """Runs the plans of a phase in parallel git worktrees and merges them back.

    Reads the planning directory of GSD, ACE, RENN or Ariadna, gives every plan a worktree, a
    branch and a coding agent, and moves your branch forward when that loses nothing of yours.
    'wtrun COMMAND --help' tells more about each command.
    """
    if directory is not None:
        try:
            os.chdir(directory)
        except OSError as error:
            raise click.UsageError(f"can't enter {directory}: {error.strerror}") from error


def main(argv: list[str] | None = None) -> Any:
    """Runs one command and ends the process with its exit code."""
    from worktree_runner.errors import ExitCode, WtrunError

    if hasattr(sys.stdout, "reconfigure"):
        with contextlib.suppress(OSError):  # a path may be no UTF-8
            sys.stdout.reconfigure(errors="backslashreplace")
    try:
        result = group.main(args=argv, prog_name="wtrun", standalone_mode=False)
        code = int(result) if isinstance(result, int) else int(ExitCode.DONE)
    except WtrunError as error:
        code = say(error.message, error.hint, error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.message)
        code = int(ExitCode.USAGE)
    except click.ClickException as error:
        code = say(error.format_message(), _help_for(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        code = say("interrupted", None, ExitCode.INTERRUPTED, word="")
    except Exception as error:  # noqa: BLE001  (the one place where every mistake ends)
        code = _unexpected(error, sys.argv[1:] if argv is None else argv)
    # from here on Ctrl-C has nothing to put in order and must not print a traceback
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(code)


def say(message: str, hint: str | None, code: int, *, word: str = "error: ") -> int:
    """Prints an error as every command does, and gives the exit code back."""
    with contextlib.suppress(OSError):
        click.echo(f"{word}{message}", err=True)
        if hint:
            click.echo(f"hint: {hint}", err=True)
    return int(code)


def _help_for(error: click.ClickException) -> str | None:
    """Where to read how the command is used."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return None if context is None else f"{context.command_path} --help"


def _unexpected(error: Exception, argv: list[str]) -> int:
    """Says what the machine refused, or that wtrun has a mistake and where its log is."""
    from worktree_runner import crash

    known = crash.explain(error) if isinstance(error, OSError) else None
    told = known or crash.no_folder() or crash.report(error, argv)
    return say(told.message, told.hint, told.exit_code)
