"""What a run writes into the project's planning files, and what it never touches there."""

from __future__ import annotations

import json
import subprocess

from tests.support.project import PHASE, Project, plan_text
from tests.support.repo import Repo

STATE = ".planning/STATE.md"


def two(**extra: str) -> dict[str, str]:
    plans = {"01": plan_text("01", files=["a"]), "02": plan_text("02", files=["b"])}
    return {**plans, **extra}


def test_local_edits_of_the_user_are_left_and_the_change_is_a_patch_that_applies(
    repo: Repo,
) -> None:
    project = Project.make(repo, two())
    mine = repo.read(STATE) + b"my own line \xff without an end"
    (repo.path / STATE).write_bytes(mine)
    done = project.execute()
    assert repo.read(STATE) == mine
    assert "has local edits and was left alone" in done.stderr
    assert b"- [x] 03-01: part" in repo.read(".planning/ROADMAP.md")
    patch = next((repo.path / ".git/wtrun/runs").glob("*/patches/STATE.md.patch"))
    repo.git("apply", "--unidiff-zero", str(patch))
    text = repo.read(STATE)
    assert b"Plan: 2 of 2 in current phase\n" in text
    assert text.endswith(b"my own line \xff without an end")


def test_staged_changes_are_neither_committed_nor_lost(repo: Repo) -> None:
    project = Project.make(repo, two())
    (repo.path / "notes.txt").write_text("mine")
    (repo.path / STATE).write_bytes(repo.read(STATE) + b"mine\n")
    repo.git("add", "notes.txt", STATE)
    project.execute()
    assert repo.git("diff", "--cached", "--name-only").splitlines() == [STATE, "notes.txt"]
    assert repo.git("log", "--format=%s", "--", STATE).splitlines() == ["plan the API"]


def test_a_failed_plan_is_a_blocker_until_it_has_landed(repo: Repo) -> None:
    state = (
        "# State\n\n## Current Position\n\nPhase: 3 of 3 (API)\nPlan: 0 of 2 in current phase\n"
        "Status: Ready to execute\n\n### Blockers\n\n- Mine\n\n## Session Continuity\n\n"
        "Last session: 2026-01-01\n"
    )
    flaky = plan_text("02", files=["b"], steps=[{"exit": 3}])
    project = Project.make(repo, two(**{"02": flaky}), {STATE: state})
    project.execute("--on-failure", "continue", expect=1)
    text = repo.read(STATE).decode()
    assert "Plan: 1 of 2 in current phase\nStatus: In progress\n" in text
    assert "- Mine\n- 03-02 failed: " in text
    assert "Last plan completed: 03-01\nCurrent wave: 1 of 1\n" in text
    assert "Worktrees to clean up: .worktrees/wt-03-02\n" in text
    repo.commit("mend the plan", {f"{PHASE}/03-02-PLAN.md": plan_text("02", files=["b"])})
    project.execute()
    text = repo.read(STATE).decode()
    assert "Plan: 2 of 2 in current phase\nStatus: Phase complete — ready for verification" in text
    assert "failed:" not in text
    assert "- Mine\n" in text
    assert "Current wave: None\n" in text


def test_an_ignored_state_keeps_its_mode_and_line_ends(repo: Repo) -> None:
    project = Project.make(repo, two())
    repo.git("rm", "-r", "-q", "--cached", ".planning")
    repo.commit("ignore planning", {".gitignore": ".planning/\n"})
    file = repo.path / STATE
    file.write_bytes(repo.read(STATE).replace(b"\n", b"\r\n"))
    file.chmod(0o600)
    project.execute()
    assert b"Plan: 2 of 2 in current phase\r\n" in repo.read(STATE)
    assert repo.read(STATE).count(b"\n") == repo.read(STATE).count(b"\r\n")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_missing_state_is_said_and_the_road_map_written(repo: Repo) -> None:
    project = Project.make(repo, two())
    repo.git("rm", "-q", STATE)
    repo.git("commit", "-q", "-m", "no state")
    done = project.execute()
    assert f"there is no {STATE}" in done.stderr
    assert b"- [x] 03-01: part" in repo.read(".planning/ROADMAP.md")


def test_the_commit_holds_exactly_the_planning_files(repo: Repo) -> None:
    project = Project.make(repo, two())
    project.execute()
    names = subprocess.run(
        ["git", "show", "--format=", "--name-only", "HEAD"],
        cwd=repo.path, env=repo.env, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert names == [".planning/ROADMAP.md", STATE]


def test_agents_are_told_the_decisions_and_concerns_of_the_state(repo: Repo) -> None:
    state = (
        "# State\n\n## Current Position\n\nPhase: 3 of 3 (API)\nPlan: 0 of 1\nStatus: x\n\n"
        "### Decisions\n\n- [Phase 2]: Ids are opaque\n\n### Blockers/Concerns\n\n- Old TLS\n"
    )
    project = Project.make(repo, {"01": plan_text("01", files=["a"])}, {STATE: state})
    project.execute()
    prompt = next((repo.path / ".git/wtrun/runs").glob("*/attempts/03-01-a1/prompt*")).read_text()
    assert "hold here:\n\n- [Phase 2]: Ids are opaque\n" in prompt
    assert "concerns:\n\n- Old TLS\n" in prompt


REQUIREMENTS = (
    "# Requirements\n\n- [ ] **API-01**: An API\n- [ ] **API-02**: Another one\n\n"
    "## Traceability\n\n| Requirement | Phase | Status |\n|---|---|---|\n"
    "| API-01 | Phase 3 | Pending |\n| API-02 | Phase 4 | Pending |\n"
)
ROADMAP = (
    "# Roadmap\n\n- [ ] **Phase 3: API** - An API\n\n### Phase 3: API\n**Goal**: An API\n"
    "**Requirements**: API-01\n**Plans**: 2 plans\n\n- [ ] 03-01: part\n- [ ] 03-02: part\n"
)


def project_with_requirements(repo: Repo, *, verifier: bool) -> Project:
    summary = "---\nrequirements-completed: [API-01]\n---\n# Done\n\n## Self-Check: PASSED\n"
    steps = [
        {"write": "a", "text": "a\n"},
        {"commit": "feat: a"},
        {"write": f"{PHASE}/03-01-SUMMARY.md", "text": summary},
        {"commit": "docs(03-01): complete part plan"},
    ]
    extra = "requirements: [API-01]\n"
    plans = two(**{"01": plan_text("01", files=["a"], steps=steps, extra=extra)})
    files = {
        ".planning/config.json": json.dumps({"workflow": {"verifier": verifier}}),
        ".planning/REQUIREMENTS.md": REQUIREMENTS,
        ".planning/ROADMAP.md": ROADMAP,
    }
    return Project.make(repo, plans, files)


def test_without_a_verifier_the_phase_and_its_requirements_are_ticked_at_once(repo: Repo) -> None:
    project = project_with_requirements(repo, verifier=False)
    project.execute("--only", "03-01")
    assert b"- [ ] **Phase 3: API**" in repo.read(".planning/ROADMAP.md")
    project.execute()
    assert b"- [x] **Phase 3: API**" in repo.read(".planning/ROADMAP.md")
    text = repo.read(".planning/REQUIREMENTS.md").decode()
    assert "- [x] **API-01**" in text
    assert "| API-01 | Phase 3 | Complete |" in text
    assert "- [ ] **API-02**" in text
    assert "| API-02 | Phase 4 | Pending |" in text


def test_where_the_phase_is_to_be_verified_it_stays_open(repo: Repo) -> None:
    project = project_with_requirements(repo, verifier=True)
    project.execute()
    assert b"- [ ] **Phase 3: API**" in repo.read(".planning/ROADMAP.md")
    assert repo.read(".planning/REQUIREMENTS.md").decode() == REQUIREMENTS


def test_a_phase_with_a_plan_that_only_the_road_map_lists_stays_open(repo: Repo) -> None:
    roadmap = (
        "# Roadmap\n\n- [ ] **Phase 3: API**\n\n### Phase 3: API\n\nPlans:\n"
        "- [ ] 03-01: part\n- [ ] 03-02: part\n- [ ] 03-03: gaps\n"
    )
    config = '{"workflow": {"verifier": false}}'
    files = {".planning/ROADMAP.md": roadmap, ".planning/config.json": config}
    project = Project.make(repo, two(), files)
    done = project.execute()
    assert "ROADMAP.md:5: lists as open, without a plan file: 03-03" in done.stderr
    assert "phase 03 is not done: the ROADMAP lists 03-03" in done.stderr
    assert "/gsd:plan-phase 03" in done.stderr
    assert b"Plan: 2 of 3 in current phase\nStatus: In progress\n" in repo.read(STATE)
    assert b"- [ ] **Phase 3: API**" in repo.read(".planning/ROADMAP.md")
    assert "is not done: the ROADMAP lists 03-03" in project.execute().stderr
