"""The `wtrun` command: finds the command's own file and imports only that.

- Imports nothing but click, so that `wtrun --help` and `wtrun reserve` start at once.
- Expected errors become `error:` and `hint:` lines and an exit code; anything else is written
  to a log, and the terminal gets one line and its path.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from worktree_runner import __version__

# name -> (file in worktree_runner.commands, one line of help); the order is that of `--help`
COMMANDS: dict[str, tuple[str, str]] = {
    "execute": ("execute", "Run the plans of a phase, or go on with its unfinished run."),
    "plan": ("plan", "Show a phase's plans, waves, lanes and what is wrong with them."),
    "status": ("status", "Show where a run stands."),
    "report": ("report", "Print the report of a run."),
    "logs": ("logs", "Show what a plan's agent said and did."),
    "state": ("state", "Show the project's state as agents are told it, or rebuild it."),
    "resolve": ("resolve", "Decide a conflict."),
    "publish": ("publish", "Move your branch to what has landed."),
    "clean": ("clean", "Remove left-over worktrees and branches that wtrun made."),
    "agents": ("agents", "List the coding agents that can be used here."),
    "config": ("config", "Show every setting and where its value comes from."),
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
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

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


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="wtrun")
@click.option("-C", "directory", metavar="DIR", help="Run as if started in DIR.", type=click.Path())
def group(directory: str | None) -> None:
    """Runs the plans of a phase in parallel git worktrees and merges them back."""
    if directory is not None:
        import os

        try:
            os.chdir(directory)
        except OSError as error:
            raise click.UsageError(f"can't enter {directory}: {error.strerror}") from error


def main(argv: list[str] | None = None) -> Any:
    """Runs one command and ends the process with its exit code."""
    from worktree_runner.errors import ExitCode, WtrunError

    try:
        code = group.main(args=argv, prog_name="wtrun", standalone_mode=False)
    except WtrunError as error:
        click.echo(f"error: {error.message}", err=True)
        if error.hint:
            click.echo(f"hint: {error.hint}", err=True)
        sys.exit(int(error.exit_code))
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        sys.exit(int(ExitCode.INTERRUPTED))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(int(ExitCode.FAILED))
    sys.exit(int(code) if isinstance(code, int) else 0)
