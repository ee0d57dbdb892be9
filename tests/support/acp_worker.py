"""An agent that speaks ACP and does a plan's `agent` block, for whole runs (see scripted_agent).

Its last argument may be `login` (no session without one) or `no-sessions` (can load none).
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import acp
from acp import schema

from tests.support import scripted_agent

MODE = sys.argv[1] if len(sys.argv) > 1 else ""


class Worker:
    """Asks before it works, then works in a thread of its own."""

    conn: Any

    def on_connect(self, conn: Any) -> None:
        self.conn = conn

    async def initialize(self, protocol_version: int, **kwargs: Any) -> acp.InitializeResponse:
        return acp.InitializeResponse(
            protocol_version=protocol_version,
            agent_info=schema.Implementation(name="worker", version="1.2.3"),
            agent_capabilities=schema.AgentCapabilities(load_session=MODE != "no-sessions"),
        )

    async def new_session(self, cwd: str, **kwargs: Any) -> acp.NewSessionResponse:
        if MODE == "login":
            raise acp.RequestError.auth_required({"details": "run worker login"})
        return acp.NewSessionResponse(session_id=f"s-{os.environ.get('WTRUN_PLAN', '')}")

    async def load_session(self, cwd: str, session_id: str, **kwargs: Any) -> Any:
        await self.conn.session_update(session_id, acp.update_agent_message_text("Said before."))
        return acp.LoadSessionResponse()

    async def prompt(self, session_id: str, prompt: list[Any], **kwargs: Any) -> Any:
        sys.argv[1:] = [os.environ["WTRUN_PLAN_FILE"]]
        try:
            await asyncio.to_thread(scripted_agent.main)
        except SystemExit as end:
            raise acp.RequestError.internal_error({"details": f"gave up with {end}"}) from end
        await self.conn.session_update(session_id, acp.update_agent_message_text("All done."))
        usage = schema.Usage(total_tokens=12, input_tokens=10, output_tokens=2)
        return acp.PromptResponse(stop_reason="end_turn", usage=usage)


if __name__ == "__main__":
    asyncio.run(acp.run_agent(Worker()))  # type: ignore[arg-type]
