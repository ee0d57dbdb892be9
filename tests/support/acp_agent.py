"""A small agent that speaks the Agent Client Protocol: asks, edits, commits, and won't end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import acp
from acp import schema


class Agent:
    """Plays one turn: an edit, a command and a tool, each only if it is allowed."""

    conn: Any
    folder: Path

    def on_connect(self, conn: Any) -> None:
        self.conn = conn

    async def initialize(self, protocol_version: int, **kwargs: Any) -> acp.InitializeResponse:
        return acp.InitializeResponse(protocol_version=protocol_version)

    async def new_session(self, cwd: str, **kwargs: Any) -> acp.NewSessionResponse:
        self.folder = Path(cwd)
        return acp.NewSessionResponse(session_id="s-1")

    async def prompt(self, session_id: str, prompt: list[Any], **kwargs: Any) -> Any:
        if "refuse" in prompt[0].text:
            return acp.PromptResponse(stop_reason="refusal")
        for path in ("a.txt", "taken.txt", "../out.txt"):
            if await self.ask("edit", path, paths=(str(self.folder / path),)):
                (self.folder / path).write_text("x\n")
        for command in ("git add -- a.txt", "git commit -qm a", "rm -rf ."):
            if await self.ask("execute", command):
                subprocess.run(command, shell=True, cwd=self.folder, check=True)
        await self.conn.session_update(session_id, acp.update_agent_message_text("All done."))
        usage = schema.Usage(total_tokens=12, input_tokens=10, output_tokens=2)
        return acp.PromptResponse(stop_reason="end_turn", usage=usage)

    async def ask(self, kind: Any, title: str, paths: tuple[str, ...] = ()) -> bool:
        places = [schema.ToolCallLocation(path=path) for path in paths]
        call = schema.ToolCallUpdate(tool_call_id=title, title=title, kind=kind, locations=places)
        options = [
            schema.PermissionOption(option_id="yes", name="Yes", kind="allow_once"),
            schema.PermissionOption(option_id="no", name="No", kind="reject_once"),
        ]
        answer = await self.conn.request_permission(
            session_id="s-1", tool_call=call, options=options
        )
        return getattr(answer.outcome, "option_id", "no") == "yes"


async def main() -> None:
    await acp.run_agent(Agent())  # type: ignore[arg-type]
    await asyncio.sleep(60 if "--stay" in sys.argv else 0)


if __name__ == "__main__":
    asyncio.run(main())
