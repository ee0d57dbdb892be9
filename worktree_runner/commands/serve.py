"""`wtrun serve`: the MCP endpoint with Agent Mail's tools."""

from __future__ import annotations

import os

import click

from worktree_runner.serve import start
from worktree_runner.store import locate


@click.command("serve", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Default: 8765, else a free one. 0: a free one."
)
@click.option("--stdio", is_flag=True, help="Serve one client at stdin and stdout ($WTRUN_TOKEN).")
@click.option(
    "--require-token", is_flag=True, help="Refuse HTTP clients without a token of this repository."
)
@click.option("--token", metavar="NAME", help="Print the token that binds a client to this agent.")
@click.option("--with-pid", type=int, metavar="PID", help="End when this process has ended.")
def command(
    *,
    port: int | None,
    stdio: bool,
    require_token: bool,
    token: str | None,
    with_pid: int | None,
) -> int:
    """Serves reservations and mail to agents, with the tool names of MCP Agent Mail.

    On loopback only. Clients configure it under the key mcp-agent-mail, by its URL or by the
    command 'wtrun serve --stdio'. It serves the files of this repository, as the commands
    'wtrun reserve' and 'wtrun mail' do; nothing is lost when it ends.
    """
    place = locate.here()
    if token is not None:
        click.echo(start.token_of(place.layout, token))
        return 0
    start.check_extra()
    from worktree_runner.serve import run

    if stdio:
        return run.serve_stdio(place, os.environ.get("WTRUN_TOKEN"))
    return run.serve_http(
        place, port=port, require_token=require_token, with_pid=with_pid, say=click.echo
    )
