from __future__ import annotations

from dataclasses import replace

from tests.core.test_shell_plan import plan
from worktree_runner.core import routing
from worktree_runner.dialects import schema

DOMAINS = schema.load("gsd").model_copy(
    update={"agents": {"executor": "x-executor", "executor.backend": "x-backend-executor"}}
)


def test_domain_chooses_agent_and_guide() -> None:
    backend = replace(plan(), domain="backend")
    assert routing.route(backend, DOMAINS) == routing.Route("x-backend-executor", "backend.md")
    own = replace(backend, front={"domain_guide": "api.md"})
    assert routing.route(own, DOMAINS).guide == "api.md"
    assert routing.route(plan(), DOMAINS) == routing.Route("x-executor", "")
    assert routing.route(replace(plan(), front={"domain_guide": "~"}), DOMAINS).guide == ""
