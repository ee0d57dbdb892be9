from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.support.planning import PhaseBuilder
from tests.support.repo import Repo
from worktree_runner.cli import group
from worktree_runner.dialects import load
from worktree_runner.errors import PreconditionError, UsageError
from worktree_runner.store.settings import Settings


def run(*args: str) -> Result:
    """As `worktree_runner.cli.main` runs it: the returned number is the exit code."""
    result = CliRunner().invoke(group, list(args), standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


@pytest.fixture
def project(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    builder = PhaseBuilder(load("gsd"))
    builder.plan("01", files=("src/a.py",), done=True, objective="Lay the table.")
    builder.plan("02", wave=2, files=("src/[id].py",), objective="Bring the soup.")
    builder.plan(
        "03",
        wave=2,
        files=("src/[id].py", "x.py"),
        checkpoint=True,
        objective="Carry the plates back to the house",
    )
    for path, text in builder.files().items():
        repo.write(path, text)
    monkeypatch.chdir(repo.path)
    return repo


def test_the_report_shows_table_lanes_and_what_is_not_done(project: Repo) -> None:
    assert run("plan", "3").stdout == (
        "Phase 03: Accounts — 3 plans in 2 waves, 1 done\n"
        ".planning/phases/03-accounts\n"
        "Goal: People can open an account and sign in\n"
        "\n"
        "| Wave | Plans              | What it builds                     |\n"
        "|------|--------------------|------------------------------------|\n"
        "| 1    | 03-01 [done]       | Lay the table                      |\n"
        "| 2    | 03-02              | Bring the soup                     |\n"
        "|      | 03-03 [checkpoint] | Carry the plates back to the house |\n"
        "\n"
        "Lanes (share files, so they run one after another)\n"
        "  wave 2: 03-02 -> 03-03\n"
        "    03-02 and 03-03 share src/[id].py\n"
        "\n"
        "Not done: 03-02, 03-03\n"
    )


def test_json_has_the_keys_of_the_originals_and_more(project: Repo) -> None:
    found = json.loads(run("plan", "03", "--json").stdout)
    assert found["phase"] == "03"
    assert found["waves"] == {"1": ["03-01"], "2": ["03-02", "03-03"]}
    assert found["incomplete"] == ["03-02", "03-03"]
    assert found["has_checkpoints"] is True
    assert found["lanes"] == [{"wave": 2, "plans": ["03-02", "03-03"]}]
    keys = {"id", "wave", "autonomous", "objective", "files_modified", "task_count",
            "has_summary", "depends_on", "effective_wave", "warnings"}  # fmt: skip
    assert keys <= set(found["plans"][0])
    assert found["plans"][0]["has_summary"] is True
    assert found["plans"][2]["task_count"] == 2


def test_check_fails_on_any_problem(project: Repo) -> None:
    assert run("plan", "3", "--check").return_value == 0
    project.write(".planning/phases/03-accounts/03-04-PLAN.md", "---\nwave: soon\n---\n<task>\n")
    assert run("plan", "3").return_value == 0
    checked = run("plan", "--all", "--check")
    assert checked.return_value == 1
    assert "  error: .planning/phases/03-accounts/03-04-PLAN.md:2: wave 'soon'" in checked.stdout
    assert checked.stderr == "1 phase, 1 problem\n"


def test_a_cycle_is_shown_and_not_raised(project: Repo) -> None:
    text = "---\nwave: 1\ndepends_on: [03-05]\n---\n<task>\n"
    project.write(".planning/phases/03-accounts/03-05-PLAN.md", text)
    assert "dependency cycle: 03-05 -> 03-05" in run("plan", "3").stdout


def test_plan_works_below_the_root_and_outside_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, text in PhaseBuilder(load("renn")).plan("01").files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(str(text))
    monkeypatch.chdir(tmp_path)
    assert run("plan", "3").stdout.startswith("Stage 03: Accounts — 1 run in 1 batch, 0 done")


def test_plan_says_what_it_looked_for(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.path)
    with pytest.raises(PreconditionError, match=r"no planning directory: looked for \.ace"):
        run("plan", "3")
    with pytest.raises(UsageError, match="name one phase, or give --all"):
        run("plan")


def test_hostile_names_are_shown_and_not_performed(project: Repo) -> None:
    text = "---\nwave: 1\n---\n<objective>\nMake \x1b[31mred \u202ethings\n</objective>\n<task>\n"
    project.write(".planning/phases/03-accounts/03-06-PLAN.md", text)
    out = run("plan", "3").stdout
    assert "\x1b" not in out and "\u202e" not in out and "\\x1b[31mred" in out


def test_own_dialect_of_the_project_is_used(project: Repo) -> None:
    source = Path(__file__).parents[2] / "worktree_runner" / "dialects" / "gsd.toml"
    own = source.read_text().replace('name = "gsd"', 'name = "mine"')
    own = own.replace('title = "GSD"', 'title = "Mine"').replace('".planning"', '"plans"')
    project.write(".wtrun/dialects/mine.toml", own)
    project.write("plans/phases/07-x/07-01-PLAN.md", "---\nwave: 1\n---\n<task>\n")
    assert run("plan", "7", "--dialect", "mine").stdout.startswith("Phase 07: X")
    with pytest.raises(UsageError, match="several planning directories"):
        run("plan", "7")
    project.write(".wtrun.toml", "dialect = 'mine'\n")
    assert run("plan", "7").return_value == 0


def test_config_shows_values_origins_and_problems(project: Repo) -> None:
    project.write(".wtrun.toml", "max_parallel = 5\nagnt = 'x'\n[gate]\ncommand = 'make test'\n")
    project.write(".planning/config.json", '{"parallelization": "maybe", "commit_docs": false}')
    result = run("config", "--changed", "--origin")
    wrong = "is not allowed, expected true or false; not used"
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        "max_parallel = 5 # .wtrun.toml max_parallel",
        "commit_docs = false # .planning/config.json commit_docs",
        'gate.command = "make test" # .wtrun.toml gate.command',
    ]
    assert result.stderr.splitlines() == [
        "warning: .wtrun.toml: unknown setting 'agnt'; meant is perhaps 'agent'",
        f'warning: .planning/config.json: parallelization: "maybe" {wrong}',
    ]


def test_config_of_one_table_as_json(project: Repo) -> None:
    found = json.loads(run("config", "gate", "--json").stdout)
    assert set(found) == {"gate.enabled", "gate.command", "gate.timeout"}
    with pytest.raises(UsageError, match="no setting 'gat'"):
        run("config", "gat")


def test_config_explains_and_works_without_a_planning_directory(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.path)
    out = run("config", "max_parallel", "--explain").stdout
    assert out == "# Most plans that run at the same time.\nmax_parallel = 3\n"


def test_an_ignored_planning_directory_is_not_committed(project: Repo) -> None:
    project.write(".gitignore", ".planning/\n")
    line = run("config", "commit_docs", "--origin").stdout
    assert line == "commit_docs = false  # git ignores .planning\n"


def test_the_shipped_schema_is_the_one_of_the_settings() -> None:
    shipped = Path(__file__).parents[2] / "worktree_runner" / "store" / "wtrun.schema.json"
    printed = run("config", "--schema").stdout
    assert printed == shipped.read_text(), "wtrun config --schema > that file"
    schema: dict[str, Any] = json.loads(printed)
    assert set(schema["properties"]) == set(Settings.model_fields)
    assert "copy" in schema["$defs"]["Worktrees"]["properties"]


def test_every_option_of_execute_that_stands_for_a_setting_names_one_that_exists() -> None:
    from worktree_runner.commands import execute
    from worktree_runner.store.layers import from_flags
    from worktree_runner.store.settings import fields

    assert set(execute.SETTINGS.values()) <= set(fields())
    assert set(execute.SETTINGS) <= {option.name for option in execute.command.params}
    with pytest.raises(KeyError, match="on_conflict"):
        from_flags({"on_conflict": "skip"})
