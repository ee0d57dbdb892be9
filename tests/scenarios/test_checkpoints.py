"""A stop at a checkpoint in a whole run, with the agent that runs a plan's own commands."""

from __future__ import annotations

from tests.scenarios.test_conflicts import at_terminal, typed
from tests.support.project import Project, plan_text
from tests.support.repo import Repo


def test_the_commands_after_a_checkpoint_run_once_it_is_approved(repo: Repo) -> None:
    blocks = [
        f'<task type="auto"><name>{name}</name>\n<action>\n```bash wtrun\necho {name} > {name}\n'
        "```\n</action></task>\n"
        for name in ("before", "after")
    ]
    stop = '<task type="checkpoint:human-verify"><name>Look</name><action>Look.</action></task>\n'
    text = plan_text("01").split("<tasks>")[0].replace("autonomous: true", "autonomous: false")
    plan = f"{text}<tasks>\n{blocks[0]}{stop}{blocks[1]}</tasks>\n"
    project = Project.make(repo, {"01": plan}, {".wtrun.toml": 'agent = "shell"\n'})
    _, code = typed(at_terminal(project, "execute", "3", "--yes"), "a")
    assert code == 0
    assert (repo.read("before"), repo.read("after")) == (b"before\n", b"after\n")
