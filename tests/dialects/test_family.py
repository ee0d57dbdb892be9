"""The same small phase in every dialect, written the way each of them writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.planning import DIALECTS, PhaseBuilder
from worktree_runner.core.listing import swap_suffix
from worktree_runner.core.plans import find_phase, phase_paths, read_phase
from worktree_runner.core.waves import arrange
from worktree_runner.dialects import detect, load, load_own, parse
from worktree_runner.errors import UsageError
from worktree_runner.models import Phase


def encode(files: dict[str, str | bytes]) -> dict[str, bytes]:
    return {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}


def read(files: dict[str, bytes], token: str) -> Phase:
    dialect = detect(files)
    phase = find_phase(files, dialect, token)
    wanted = {path: files[path] for path in phase_paths(files, phase, dialect)}
    roadmap = files[f"{dialect.root}/{dialect.files.roadmap[0]}"]
    return read_phase(phase, wanted, dialect, roadmap=roadmap, paths=files)


def example(name: str, **fields: str) -> PhaseBuilder:
    builder = PhaseBuilder(load(name), **fields)
    first = f"{builder.token}{builder.separator}01"
    builder.plan("01", files=("src/a.py",), done=True)
    builder.plan("02", wave=2, files=("src/b.py",), depends_on=(first,), objective="Add the door.")
    return builder.plan("03", wave=2, files=("src/b.py",), checkpoint=True, gap_closure=True)


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("token", ["03", "02.1", "04b", "100"])
def test_a_phase_is_read_the_same_in_every_dialect(name: str, separator: str, token: str) -> None:
    builder = example(name, separator=separator, token=token)
    phase = read(encode(builder.files()), token)
    assert [(plan.id, plan.wave, plan.depends_on, plan.done) for plan in phase.plans] == [
        (f"{token}-01", 1, (), True),
        (f"{token}-02", 2, (f"{token}-01",), False),
        (f"{token}-03", 2, (), False),
    ]
    assert [plan.files for plan in phase.plans] == [("src/a.py",), ("src/b.py",), ("src/b.py",)]
    assert (phase.plans[2].autonomous, phase.plans[2].gap_closure) == (False, True)
    assert (phase.dir.name, phase.goal) == ("Accounts", builder.goal)
    assert [plan.summary_path for plan in phase.plans] == [
        builder.summary_path(number) for number in ("01", "02", "03")
    ]
    assert not [note for plan in phase.plans for note in plan.problems]
    assert arrange(phase, words=builder.dialect.words).waves[0].lanes == (
        (f"{token}-02", f"{token}-03"),
    )


@pytest.mark.parametrize(
    ("dialect", "plan", "summary"),
    [
        ("ace", "a/03-01-run.md", "a/03-01-recap.md"),
        ("ace", "a/03-01-RUN.md", "a/03-01-RECAP.md"),
        ("renn", "a/01.1.01-run.md", "a/01.1.01-recap.md"),
        ("ariadna", "a/03-01-PLAN.md", "a/03-01-SUMMARY.md"),
        ("renn", "a/run.md", "a/recap.md"),
    ],
)
def test_a_summary_gets_the_dialects_suffix_in_the_plans_style(
    dialect: str, plan: str, summary: str
) -> None:
    assert swap_suffix(plan, load(dialect)) == summary


def test_upper_case_names_of_the_first_ace_are_read() -> None:
    files = {
        path.replace("-run", "-RUN").replace("-recap", "-RECAP").replace("pulse", "PULSE"): text
        for path, text in encode(example("ace").files()).items()
    }
    phase = read(files, "3")
    assert [plan.done for plan in phase.plans] == [True, False, False]
    assert phase.plans[1].summary_path.endswith("/03-02-RECAP.md")


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_is_found_by_its_own_files(name: str) -> None:
    assert detect(example(name).files()).name == name


@pytest.mark.parametrize("name", DIALECTS)
def test_templates_can_be_filled(name: str) -> None:
    dialect = load(name)
    names = ("slug", "milestone", "name", "type", "branch")
    facts = {"phase": "03", "stage": "03", "plan": "01", **{name: name for name in names}}
    parts = (dialect.branches, dialect.commits, dialect.commands)
    for template in (text for part in parts for text in part.model_dump().values()):
        assert "{" not in template.format(**facts)
    assert dialect.branches.plan.format(**facts) == f"{name}/03-01"


@pytest.mark.parametrize("name", DIALECTS)
def test_every_profile_of_the_documents_is_known(name: str) -> None:
    dialect = load(name)
    models = {
        profile: (dialect.profile(profile)["executor"], dialect.profile(profile)["verifier"])
        for profile in ("quality", "balanced", "budget", "max", "eco")
    }
    assert models == {
        "quality": ("opus", "sonnet"), "balanced": ("sonnet", "sonnet"),
        "budget": ("sonnet", "haiku"), "max": ("opus", "sonnet"), "eco": ("sonnet", "haiku"),
    }  # fmt: skip


OLD_ARIADNA = {
    ".planning/STATE.md": b"x",
    ".planning/phases/01-a/01-01-PLAN.md": b"@~/.claude/ariadna/workflows/execute-plan.md",
}


def test_old_ariadna_is_told_from_gsd_by_its_marks() -> None:
    def look(paths: object) -> dict[str, bytes]:
        return dict(OLD_ARIADNA)

    found = detect(OLD_ARIADNA, read=look)
    assert (found.name, found.root) == ("ariadna", ".planning")
    assert detect(OLD_ARIADNA).name == "gsd"
    plain = dict.fromkeys(OLD_ARIADNA, b"@~/.claude/get-shit-done/x.md")
    assert detect(plain, read=lambda paths: plain).name == "gsd"
    forced = detect(OLD_ARIADNA, override="ariadna")
    assert (forced.name, forced.root) == ("ariadna", ".planning")


def test_other_tools_with_such_a_directory_do_not_count() -> None:
    assert detect([".ace/config.yaml", ".ace/cache/x", ".planning/STATE.md"]).name == "gsd"


def test_several_roots_are_named_and_the_user_chooses() -> None:
    files = [".planning/STATE.md", ".renn/pulse.md"]
    with pytest.raises(UsageError) as caught:
        detect(files)
    assert ".planning (GSD), .renn (RENN)" in str(caught.value)
    assert "--dialect" in (caught.value.hint or "")
    assert detect(files, override="renn").name == "renn"


OWN = """
name = "mine"
title = "Mine"
root = ".mine"
[words]
phase = "chapter"
phases = "chapters"
plan = "page"
plans = "pages"
wave = "round"
waves = "rounds"
summary = "note"
checkpoint = "stop"
state = "now"
roadmap = "map"
requirements = "needs"
verification = "proof"
[files]
phases = "chapters"
plan = ["page"]
summary = ["note"]
verification = ["proof"]
state = ["now.md"]
roadmap = ["map.md"]
requirements = ["needs.md"]
[keys]
phase = ["chapter"]
plan = ["page"]
wave = ["round"]
[branches]
plan = "mine/{phase}-{plan}"
phase = "mine/chapter-{phase}"
milestone = "mine/{milestone}"
[commits]
task = "{type}({phase}-{plan}): {name}"
plan = "docs({phase}-{plan}): {name}"
phase = "docs({phase}): {name}"
corrections = "fix({phase}): corrections"
[commands]
plan_gaps = "mine plan {phase} --gaps"
plan_phase = "mine plan {phase}"
complete_milestone = "mine done"
"""


def test_an_own_dialect_needs_one_file(tmp_path: Path) -> None:
    folder = tmp_path / ".wtrun" / "dialects"
    folder.mkdir(parents=True)
    file = folder / "mine.toml"
    file.write_text(OWN)
    own = load_own(folder)
    builder = example("gsd")
    builder.dialect = own["mine"]
    files = encode(builder.files())
    assert detect(files, own=own).name == "mine"
    assert detect(files, override=str(file)).root == ".mine"
    dialect = own["mine"]
    phase = find_phase(files, dialect, "3")
    found = read_phase(phase, files, dialect, paths=files)
    assert [(plan.id, plan.wave, plan.done) for plan in found.plans] == [
        ("03-01", 1, True), ("03-02", 2, False), ("03-03", 2, False),
    ]  # fmt: skip


def test_a_wrong_dialect_file_says_what_is_wrong_where() -> None:
    with pytest.raises(UsageError) as caught:
        parse(OWN.replace('root = ".mine"', "rot = 3").encode(), "mine.toml")
    assert str(caught.value).splitlines()[0] == "mine.toml: is no dialect file:"
    assert "  root: Field required" in str(caught.value)
    assert "  rot: Extra inputs are not permitted" in str(caught.value)
    with pytest.raises(UsageError, match="is no valid TOML"):
        parse(b"= 3", "mine.toml")
    with pytest.raises(UsageError, match="can't read dialect file"):
        detect([], override="./missing.toml")
