from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worktree_runner.dialects import load
from worktree_runner.errors import UsageError
from worktree_runner.store.config import (
    Loaded,
    check_profile,
    choose_model,
    load_settings,
    to_json,
    user_file,
    variable,
)
from worktree_runner.store.settings import Settings, fields, parse_duration, value_of

GSD = load("gsd")
CONFIG = ".planning/config.json"
DURATION = "a number or a duration such as '90s' or '1h30m'"


def settings(toml: str = "", config: Any = None, *, pyproject: str = "", **more: Any) -> Loaded:
    text = config if isinstance(config, str) else json.dumps(config)
    files = {".wtrun.toml": toml.encode(), "pyproject.toml": pyproject.encode()}
    if config is not None:
        files[CONFIG] = text.encode()

    def read(paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: files[path] for path in paths if path in files}

    return load_settings(read, GSD, **more)


def test_defaults_are_the_documented_ones() -> None:
    loaded = settings()
    assert loaded.settings == Settings()
    assert (loaded.settings.max_parallel, loaded.settings.worktrees.root) == (3, ".worktrees")
    assert {str(origin) for origin in loaded.origins.values()} == {"default"}


def test_every_setting_has_a_description_and_an_origin() -> None:
    assert all(text for text in fields().values())
    assert set(settings().origins) == set(fields())


def test_the_strongest_layer_wins_one_by_one(tmp_path: Path) -> None:
    user = tmp_path / "config.toml"
    user.write_text("max_parallel = 7\nmodel = 'u'\n")
    more: dict[str, Any] = {"user_file": user}
    chain: list[tuple[int, str, dict[str, Any]]] = [
        (7, f"{user} max_parallel", {}),
        (6, f"{CONFIG} parallelization.max_concurrent_agents",
         {"config": {"parallelization": {"max_concurrent_agents": 6}}}),
        (5, "pyproject.toml tool.wtrun.max_parallel",
         {"pyproject": "[tool.wtrun]\nmax_parallel = 5"}),
        (4, ".wtrun.toml max_parallel", {"toml": "max_parallel = 4"}),
        (2, "WTRUN_MAX_PARALLEL", {"env": {"WTRUN_MAX_PARALLEL": "2"}}),
        (1, "--max-parallel", {"flags": {"max_parallel": 1}}),
    ]  # fmt: skip
    for value, origin, layer in chain:
        more |= layer
        loaded = settings(**more)
        assert loaded.settings.max_parallel == value
        assert str(loaded.origins["max_parallel"]) == origin
    assert loaded.settings.model == "u"


def test_a_flag_that_is_none_is_not_set() -> None:
    assert settings("agent = 'codex'", flags={"agent": None}).settings.agent == "codex"


def test_tables_are_read_by_topic() -> None:
    found = settings(
        "[gate]\ncommand = 'make test'\ntimeout = '1h30m'\n"
        "[worktrees]\ncopy = ['.env*']\nsetup = ['npm ci', ['make', 'gen']]\n"
        "[agents.mine]\nargv = ['mine', '{prompt_file}']\n[models.codex]\nopus = 'big'\n"
    ).settings
    assert found.gate.command == ("sh", "-c", "make test")
    assert found.gate.timeout == 5400
    assert found.worktrees.copy_files == (".env*",)
    assert found.worktrees.setup == (("sh", "-c", "npm ci"), ("make", "gen"))
    assert found.agents["mine"].argv == ("mine", "{prompt_file}")


def test_every_wrong_value_of_wtruns_own_files_is_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        settings(
            "on_failure = 'maybe'\n[limits]\ntimeout = 'soon'\nmax_cost = -1\n",
            env={"WTRUN_VERIFY": "perhaps"},
            flags={"max_parallel": "x"},
        )
    assert str(caught.value).splitlines()[1:] == [
        "  --max-parallel: \"x\" is not allowed; expected a whole number",
        "  .wtrun.toml on_failure: \"maybe\" is not allowed; expected 'ask', 'continue' or 'stop'",
        '  WTRUN_VERIFY: "perhaps" is not allowed; expected true or false',
        f"  .wtrun.toml limits.timeout: \"soon\" is not allowed; expected {DURATION}",
        "  .wtrun.toml limits.max_cost: -1 is not allowed; expected greater than 0",
    ]  # fmt: skip


def test_an_unknown_key_is_a_warning_with_the_nearest_one() -> None:
    notes = [str(note) for note in settings("max_paralel = 3\n[gates]\ncommand = 'x'\n").problems]
    assert notes == [
        ".wtrun.toml: unknown setting 'max_paralel'; meant is perhaps 'max_parallel'",
        ".wtrun.toml: unknown setting 'gates'",
    ]


def test_hyphens_in_keys_are_fine() -> None:
    assert settings("max-parallel = 5").settings.max_parallel == 5


def test_broken_toml_is_an_error_in_wtruns_file_and_a_warning_in_pyproject() -> None:
    with pytest.raises(UsageError, match=r"\.wtrun\.toml: is no valid TOML"):
        settings("= 3")
    assert "is no valid TOML" in str(settings(pyproject="= 3").problems[0])


@pytest.mark.parametrize(
    ("config", "parallel"),
    [
        ({"parallelization": True}, True),
        ({"parallelization": False}, False),
        ({"parallelization": {"enabled": False, "plan_level": True}}, False),
        ({"parallelization": {"enabled": True, "plan_level": False}}, False),
        ({"parallelization": {"enabled": True}}, True),
        ({"parallelization": "Parallel"}, True),
        ({"parallelization": "sequential"}, False),
        ({}, True),
    ],
)
def test_forms_of_parallelization(config: Any, parallel: bool) -> None:
    assert settings(config=config).settings.parallel is parallel


def test_config_json_is_read_top_level_first_then_nested() -> None:
    both = {
        "commit_docs": False,
        "planning": {"commit_docs": True},
        "workflow": {"verifier": False},
    }
    loaded = settings(config=both)
    assert (loaded.settings.commit_docs, loaded.settings.verify) == (False, False)
    assert str(loaded.origins["verify"]) == f"{CONFIG} workflow.verifier"
    nested = {"git": {"branching_strategy": "stage", "phase_branch_template": "x/{phase}"}}
    found = settings(config=nested).settings.branching
    assert (found.strategy, found.phase_template) == ("phase", "x/{phase}")


def test_a_wrong_value_in_config_json_is_reported_and_the_next_layer_counts() -> None:
    loaded = settings(config={"parallelization": {"max_concurrent_agents": "many"}})
    assert loaded.settings.max_parallel == 3
    place = "parallelization.max_concurrent_agents"
    assert [str(note) for note in loaded.problems] == [
        f'{CONFIG}: {place}: "many" is not allowed, expected a whole number; not used'
    ]


@pytest.mark.parametrize("text", ["{", "[]", "null", "\ufeff{}", '{"parallelization": ' + "[" * 9])
def test_broken_config_json_never_stops_anything(text: str) -> None:
    assert settings(config=text).settings == Settings()


def test_an_ignored_planning_directory_is_not_committed_unless_wtrun_is_told_to() -> None:
    ignored = settings(config={"commit_docs": True}, planning_ignored=True)
    assert ignored.settings.commit_docs is False
    assert str(ignored.origins["commit_docs"]) == "git ignores .planning"
    assert settings("commit_docs = true", planning_ignored=True).settings.commit_docs is True


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("90s", 90), ("30m", 1800), ("1h30m", 5400), ("45", 45), ("off", None), ("2 h", 7200)],
)
def test_durations(value: str, seconds: float | None) -> None:
    assert parse_duration(value) == seconds


@given(st.integers(0, 50), st.integers(0, 59), st.integers(1, 59))
def test_a_written_duration_is_read_back(hours: int, minutes: int, seconds: int) -> None:
    assert parse_duration(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


def test_models_by_profile_role_and_agent() -> None:
    def chosen(toml: str, role: str, agent: str = "claude") -> str | None:
        return choose_model(settings(toml).settings, GSD, role, agent)

    assert (chosen("", "executor"), chosen("", "verifier")) == ("sonnet", "sonnet")
    assert chosen("model_profile = 'quality'", "continuation") == "opus"
    assert chosen("model_profile = 'eco'", "verifier") == "haiku"
    assert chosen("model_profile = 'inherit'", "executor") is None
    assert chosen("model = 'own'", "verifier") == "own"
    assert chosen("[role_models]\nverifier = 'strong'", "verifier") == "strong"
    assert chosen("[models.codex]\nsonnet = 'gpt'", "executor", "codex") == "gpt"


def test_an_unknown_profile_is_a_warning_and_the_default_counts() -> None:
    loaded = settings(config={"model_profile": "turbo"})
    note = check_profile(loaded, GSD)
    assert note is not None and "profile 'turbo' is unknown" in note.message
    assert choose_model(loaded.settings, GSD, "executor", "claude") == "sonnet"
    assert check_profile(settings(), GSD) is None


def test_environment_names_and_tables_as_json() -> None:
    env = {variable("limits.timeout"): "2h", "WTRUN_MODELS": '{"codex": {"opus": "x"}}',
           "WTRUN_SLOT": "3", "WTRUN_MAX_PARALEL": "1"}  # fmt: skip
    loaded = settings(env=env)
    assert loaded.settings.limits.timeout == 7200
    assert loaded.settings.models == {"codex": {"opus": "x"}}
    assert [note.message for note in loaded.problems] == [
        "unknown environment variable WTRUN_MAX_PARALEL; meant is perhaps WTRUN_MAX_PARALLEL"
    ]


def test_json_holds_every_value_with_its_origin() -> None:
    found = to_json(settings("[gate]\ncommand = ['make']"))
    assert json.loads(json.dumps(found))["gate.command"] == {
        "value": ["make"],
        "origin": {"layer": "project", "source": ".wtrun.toml", "key": "gate.command"},
    }
    assert set(found) == set(fields())


def test_users_file_lies_below_the_configuration_home() -> None:
    assert user_file({"XDG_CONFIG_HOME": "/c"}) == Path("/c/wtrun/config.toml")
    assert user_file({"HOME": "/h"}) == Path("/h/.config/wtrun/config.toml")
    assert user_file({}) is None


def test_commands_from_the_repository_are_told_from_the_users(tmp_path: Path) -> None:
    user = tmp_path / "config.toml"
    user.write_text("[worktrees]\nsetup = 'mine'\n")
    loaded = settings("[gate]\ncommand = 'x'", user_file=user)
    assert loaded.origins["gate.command"].from_repository
    assert not loaded.origins["worktrees.setup"].from_repository


@given(st.sampled_from(sorted(fields())), st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.lists(st.text(max_size=5), max_size=3), st.dictionaries(st.text(max_size=5), st.text()),
))  # fmt: skip
def test_any_json_value_in_any_place_is_used_or_reported(key: str, value: Any) -> None:
    dialect = GSD.model_copy(
        update={"config": GSD.config.model_copy(update={"keys": {key: ("place",)}, "values": {}})}
    )
    data = json.dumps({"place": value}).encode()
    loaded = load_settings(lambda paths: {path: data for path in paths if path == CONFIG}, dialect)
    if value in (None, {}) or isinstance(value, dict):
        return
    from_file = str(loaded.origins[key]).startswith(CONFIG)
    assert from_file or any("place" in note.message for note in loaded.problems)
    assert value_of(loaded.settings, key) is not ...
