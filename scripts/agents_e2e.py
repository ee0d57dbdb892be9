"""Whole phases with the real programs of coding agents, through `wtrun execute`.

    python scripts/agents_e2e.py --scripted-model FILE [--agent NAME]... [--cli NAME=PATH]...
                                 [--scenario clean|faults]... [--keep]

No model and no key: `--scripted-model` is a module with `serve()` that answers like a model's
service and plays the script that it finds in the newest message. Each plan refers to a document
in an empty HOME that holds its script; wtrun pastes such documents into the prompt.

- clean: six plans in three waves. All are merged, the same program verifies the goal, the phase is
  ticked, nothing is left.
- faults: one plan each that works, forgets to commit, writes a file of another plan, stops at a
  checkpoint, meets an overloaded service once, hangs, is killed in the middle, and meets a wrong
  login. The one that hangs is ended and goes on, so does the one that is killed; the wrong login
  stops the fleet. Then the causes are mended and the phase is executed again. Each plan ends as
  it should, no work is lost, and no process stays.

A program that is not there is skipped, loudly; if all are, the exit code is 77.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

AGENTS = ("claude", "codex", "opencode", "gemini")
SKIPPED = 77
FOLDER = ".planning/phases/03-api"
HANG_S = 600
ATTEMPT_LIMIT_S = 300
STALL_LIMIT_S = 45
RUN_LIMIT_S = 900


@dataclass(frozen=True)
class PlanSpec:
    """A plan with the steps that its agent's model takes, and how it must end."""

    number: str
    steps: Sequence[Mapping[str, Any]]
    ends: tuple[str, ...] = ("landed",)
    wave: int = 1
    depends: tuple[str, ...] = ()
    kept: str = ""
    """A file that must be in the plan's worktree although the plan did not land."""
    again: tuple[str, ...] = ()
    """How it ends once its cause is mended and the phase is executed again; empty: as before."""

    @property
    def id(self) -> str:
        return f"03-{self.number}"

    def text(self) -> str:
        depends = ", ".join(f'"{other}"' for other in self.depends)
        return (
            f"---\nphase: 03-api\nplan: {self.number}\ntype: execute\nwave: {self.wave}\n"
            f"depends_on: [{depends}]\nfiles_modified: [src/p{self.number}.py]\n"
            f"autonomous: true\n---\n\n<objective>\nPart {self.number}.\n</objective>\n\n"
            f"<execution_context>\n@~/.claude/scripts/{self.id}.md\n</execution_context>\n\n"
            f'<tasks>\n<task type="auto">\n<name>Write part {self.number}</name>\n'
            f"<files>src/p{self.number}.py</files>\n<action>Write it.</action>\n"
            f"<verify>It is there.</verify>\n<done>It is there.</done>\n</task>\n</tasks>\n"
        )


def work(number: str, text: str | None = None) -> list[Mapping[str, Any]]:
    """The steps of an agent that does everything right."""
    path, plan = f"src/p{number}.py", f"03-{number}"
    summary = f"{FOLDER}/{plan}-SUMMARY.md"
    return [
        {"write": path, "content": text or f"PART = {number!r}\n"},
        {"shell": f"git add -- {path}"},
        {"shell": f"git commit -qm 'feat({plan}): part {number}'"},
        {"write": summary, "content": summary_of(number)},
        {"shell": f"git add -- {summary}"},
        {"shell": f"git commit -qm 'docs({plan}): complete part {number} plan'"},
        {"text": f"## PLAN COMPLETE\n\n**Plan:** {plan}\n"},
    ]


REPORT = f"{FOLDER}/03-VERIFICATION.md"


def verification() -> list[Mapping[str, Any]]:
    """The steps of a verifier that finds the goal reached."""
    report = "---\nphase: 03-api\nstatus: passed\nscore: 6/6 must-haves verified\n---\n\n# Report\n"
    return [{"write": REPORT, "content": report}, {"text": "Status: passed"}]


def summary_of(number: str) -> str:
    return (
        f"---\nphase: 03-api\nplan: {number}\nkey-files:\n  created:\n    - src/p{number}.py\n"
        f"  modified: []\n---\n\n# Phase 3 Plan {number}: Part {number} Summary\n\n"
        f"**Part {number} is there.**\n\n## Self-Check: PASSED\n"
    )


def clean() -> list[PlanSpec]:
    """Six plans in three waves."""
    return [
        *(PlanSpec(n, work(n)) for n in ("01", "02", "03")),
        PlanSpec("04", work("04"), wave=2, depends=("03-01",)),
        PlanSpec("05", work("05"), wave=2, depends=("03-02",)),
        PlanSpec("06", work("06"), wave=3, depends=("03-04", "03-05")),
    ]


def faults() -> list[PlanSpec]:
    """One plan for each thing that goes wrong; the one that stops the fleet comes last."""
    other = {"write": "src/p01.py", "content": "PART = 'not mine'\n"}
    stop = "## CHECKPOINT REACHED\n\n**Type:** decision\n**Plan:** 03-04\n**Progress:** 0/1\n"
    overloaded = {"status": 529, "type": "overloaded_error", "message": "Overloaded", "times": 1}
    login = {"status": 401, "type": "authentication_error", "message": "invalid x-api-key",
             "times": 99}  # fmt: skip
    return [
        PlanSpec("01", work("01")),
        PlanSpec("02", [work("02")[0], {"text": "Done."}], ("failed",), kept="src/p02.py",
                 again=("landed",)),
        PlanSpec(
            "03",
            [other, {"shell": "git add -- src/p01.py"}, {"shell": "git commit -qm 'feat: more'"},
             *work("03")],
            # a guard may have stopped it, or the audit, or the merge; src/p01.py is looked at
            ("conflicted", "failed", "asking", "landed"), kept="src/p03.py",
        ),
        PlanSpec("04", [{"text": stop}], ("asking",)),
        PlanSpec("05", [{"fail": overloaded, **work("05")[0]}, *work("05")[1:]]),
        PlanSpec("06", [work("06")[0], {"sleep": HANG_S}]),
        PlanSpec("07", [work("07")[0], {"sleep": HANG_S}]),
        PlanSpec("08", [{"fail": login, "text": "x"}], ("waiting",), wave=2, depends=("03-01",),
                 again=("landed",)),
    ]  # fmt: skip


@dataclass
class Site:
    """A repository, an empty HOME with the plans' scripts, and a model on loopback."""

    base: Path
    url: str
    agent: str
    program: str
    plans: Sequence[PlanSpec]
    problems: list[str] = field(default_factory=list)

    @property
    def repo(self) -> Path:
        return self.base / "repo"

    @property
    def home(self) -> Path:
        return self.base / "home"

    def make(self) -> None:
        scripts = self.home / ".claude" / "scripts"
        scripts.mkdir(parents=True)
        (self.repo / FOLDER).mkdir(parents=True)
        for plan in self.plans:
            self.write_script(plan, plan.steps)
            (self.repo / FOLDER / f"{plan.id}-PLAN.md").write_text(plan.text())
        (self.repo / "README.md").write_text("A project.\n")
        (self.repo / ".planning/ROADMAP.md").write_text(
            "# Road map\n\n- [ ] **Phase 3: API** - parts\n\n### Phase 3: API\n\n**Goal**: parts\n"
        )
        (self.repo / ".planning/STATE.md").write_text("# State\n\n## Current Position\n")
        config = self.home / ".config" / "wtrun" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(settings_for(self.agent, self.program, self.url) + self.verifier())
        gemini = self.home / ".gemini" / "settings.json"
        gemini.parent.mkdir()
        gemini.write_text('{"security":{"auth":{"selectedType":"gemini-api-key"}}}')
        for args in (("init", "-q", "-b", "main"), ("config", "user.name", "Someone"),
                     ("config", "user.email", "someone@example.com"), ("add", "-A"),
                     ("commit", "-qm", "start")):  # fmt: skip
            self.git(*args)

    @property
    def verifies(self) -> bool:
        """Whether all plans are to land, so that the goal is verified."""
        return all(plan.ends == ("landed",) for plan in self.plans)

    def verifier(self) -> str:
        """The settings that have the goal verified by a script, where it comes to that."""
        if not self.verifies:
            return ""
        steps = placed(verification(), self.agent, self.repo / ".worktrees" / "wt-03-verify")
        script = json.dumps({"steps": steps})
        text = f"```scripted-model\n{script}\n```"
        return f"[instructions]\nverifier = {json.dumps(text)}\n"

    def write_script(self, plan: PlanSpec, steps: Sequence[Mapping[str, Any]]) -> None:
        """What the plan's next process will do."""
        worktree = self.repo / ".worktrees" / f"wt-{plan.id}"
        if plan.ends == ("failed",) and worktree.exists():
            worktree = worktree.with_name(f"{worktree.name}-a2")
        script = json.dumps({"steps": placed(steps, self.agent, worktree)})
        file = self.home / ".claude" / "scripts" / f"{plan.id}.md"
        file.write_text(f"```scripted-model\n{script}\n```\n")

    def mend(self, plan_id: str) -> None:
        """From now on the plan's processes do everything right."""
        plan = next(plan for plan in self.plans if plan.id == plan_id)
        self.write_script(plan, work(plan.number))

    def git(self, *args: str) -> str:
        done = subprocess.run(
            ["git", *args], cwd=self.repo, env=self.environment(), capture_output=True, check=True
        )
        return done.stdout.decode().strip()

    def environment(self) -> dict[str, str]:
        """An empty HOME, the programs, and nothing of the caller's keys."""
        folder = str(Path(self.program).parent)
        return {
            "HOME": str(self.home),
            "PATH": f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "TERM": "dumb",
        }

    def wtrun(self, *args: str) -> list[str]:
        return [sys.executable, "-P", "-m", "worktree_runner", *args]


def placed(
    given: Sequence[Mapping[str, Any]], agent: str, worktree: Path
) -> list[Mapping[str, Any]]:
    """The steps with what an agent's tools want: gemini writes to absolute paths only."""
    if agent != "gemini":
        return list(given)
    steps = []
    for step in given:
        if "write" in step:
            rest = {key: value for key, value in step.items() if key not in ("write", "content")}
            path = str(worktree / step["write"])
            args = {"file_path": path, "content": step["content"]}
            steps.append({**rest, "tool": "write_file", "args": args})
        else:
            steps.append(dict(step))
    return steps


def settings_for(agent: str, program: str, url: str) -> str:
    """The user's settings that send each program to the model on loopback, with a dummy key."""
    provider = (
        f'{{name="scripted",base_url="{url}/v1",env_key="SCRIPTED_KEY",wire_api="responses"}}'
    )
    opencode = {
        "model": "scripted/scripted",
        "small_model": "scripted/scripted",
        "provider": {"scripted": {
            "npm": "@ai-sdk/openai-compatible",
            "options": {"baseURL": f"{url}/v1", "apiKey": "dummy"},
            "models": {"scripted": {"limit": {"context": 200000, "output": 8000}}},
        }},
    }  # fmt: skip
    env: dict[str, dict[str, str]] = {
        "claude": {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "dummy",
                   "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
        "codex": {"SCRIPTED_KEY": "dummy"},
        "opencode": {"OPENCODE_CONFIG_CONTENT": json.dumps(opencode),
                     "OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
                     "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1"},
        "gemini": {"GOOGLE_GEMINI_BASE_URL": url, "GEMINI_API_KEY": "dummy"},
    }  # fmt: skip
    args = {
        "codex": ["-c", "model=scripted", "-c", "model_provider=scripted",
                  "-c", f"model_providers.scripted={provider}"],
        "gemini": ["-m", "gemini-2.5-flash"],
    }  # fmt: skip
    variables = "\n".join(f"{key} = {json.dumps(value)}" for key, value in env[agent].items())
    return (
        f'agent = "{agent}"\non_failure = "continue"\n'
        f"[limits]\ntimeout = {ATTEMPT_LIMIT_S}\nretries = 1\nstall_timeout = {STALL_LIMIT_S}\n"
        f"[gate]\nenabled = false\n"
        f'[agents.{agent}]\nprogram = "{program}"\nargs = {json.dumps(args.get(agent, []))}\n'
        f"[agents.{agent}.env]\n{variables}\n"
    )  # fmt: skip


def execute(site: Site) -> int:
    """Runs the phase to its end; breaks and mends plans 03-06 and 03-07, where there are any."""
    log = site.base / "execute.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            site.wtrun("execute", "3", "--yes", "--no-input", "-j", "4"), cwd=site.repo,
            env=site.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    deadline = time.monotonic() + RUN_LIMIT_S
    hangs = any(plan.number == "07" for plan in site.plans)
    killed, hung = not hangs, not hangs
    while process.poll() is None and time.monotonic() < deadline:
        hung = hung or mend_hanging(site)
        killed = killed or kill_agent(site, "03-07")
        time.sleep(0.2)
    if process.poll() is None:
        process.kill()
        site.problems.append(f"the run did not end within {RUN_LIMIT_S} s")
    return process.wait()


def agent_of(site: Site, plan: str) -> int | None:
    """The pid of the plan's first agent, once its work is visible in the worktree."""
    worktree = site.repo / ".worktrees" / f"wt-{plan}"
    started = next(site.repo.glob(f".git/wtrun/runs/*/attempts/{plan}-a1/started.json"), None)
    if started is None or not (worktree / f"src/p{plan[-2:]}.py").exists():
        return None
    return int(json.loads(started.read_text())["child"])


def mend_hanging(site: Site) -> bool:
    """Lets the agent that follows the hanging one do its work; True once that one hangs."""
    if agent_of(site, "03-06") is None:
        return False
    site.mend("03-06")
    return True


def kill_agent(site: Site, plan: str) -> bool:
    """SIGKILL to the agent's own process in the middle of its work; True when that is done."""
    pid = agent_of(site, plan)
    if pid is None:
        return False
    site.mend(plan)
    os.kill(pid, signal.SIGKILL)
    return True


def check(site: Site, code: int, *, again: bool = False) -> None:
    """Compares what there is with what should be; every difference becomes a problem."""
    say = site.problems.append
    done = subprocess.run(
        site.wtrun("status", "--json"), cwd=site.repo, env=site.environment(), capture_output=True,
        check=False,
    )  # fmt: skip
    rows = {row["id"]: row for row in json.loads(done.stdout)["plans"]}
    for plan in site.plans:
        row = rows[plan.id]
        print(f"    {plan.id} {row['status']:<10} {row['reason'] or ''}"[:150])
        ends = (again and plan.again) or plan.ends
        if row["status"] not in ends:
            say(f"{plan.id} is {row['status']}, expected {' or '.join(ends)}")
        worktree = site.repo / ".worktrees" / f"wt-{plan.id}"
        if row["status"] == "landed":
            if worktree.exists() and plan.ends != ("failed",):
                say(f"{plan.id} landed and its worktree is still there")
            for path in (f"src/p{plan.number}.py", f"{FOLDER}/{plan.id}-SUMMARY.md"):
                if not (site.repo / path).is_file():
                    say(f"{plan.id} landed and {path} is not there")
        elif plan.kept and not (worktree / plan.kept).is_file():
            say(f"{plan.id}: {plan.kept} of its worktree is gone")
    if site.verifies != (code == 0):
        say(f"exit code {code}")
    if site.verifies:
        if "- [x] **Phase 3: API**" not in site.git("show", "main:.planning/ROADMAP.md"):
            say("the phase is not ticked")
        if "status: passed" not in site.git("show", f"main:{REPORT}"):
            say("the verifier's report is not there")
    merges = site.git("log", "--merges", "--format=%s", "main").splitlines()
    landed = [row for row in rows.values() if row["status"] == "landed"]
    if len(merges) != len(landed):
        say(f"{len(merges)} merges for {len(landed)} plans that landed")
    first = site.repo / "src/p01.py"
    if not first.is_file() or first.read_text() != "PART = '01'\n":
        say("src/p01.py is not what plan 03-01 wrote")
    if site.git("status", "--porcelain"):
        say("the main worktree is not clean")
    site.git("fsck", "--no-progress")
    left = living(site)
    if left:
        say(f"processes are left: {', '.join(left)}")


def living(site: Site) -> list[str]:
    """Processes that carry this repository's paths in their environment."""
    found = []
    for process in psutil.process_iter(["pid", "name"]):
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue
        if str(site.repo) in environment.get("WTRUN_WORKTREE", ""):
            found.append(f"{process.pid} {process.name()}")
    return found


def run(agent: str, program: str, scenario: str, model: Any, *, keep: bool) -> bool:
    """One scenario with one program; True if everything was as it should be."""
    server = model.serve()
    base = Path(tempfile.mkdtemp(prefix=f"wtrun-e2e-{agent}-"))
    plans = clean() if scenario == "clean" else faults()
    site = Site(base, f"http://127.0.0.1:{server.server_address[1]}", agent, program, plans)
    print(f"{agent} {scenario}: {len(plans)} plans")
    began = time.monotonic()
    try:
        site.make()
        check(site, execute(site))
        if any(plan.again for plan in plans):
            print("  mended, and executed again:")
            for plan in plans:
                if plan.again:
                    site.mend(plan.id)
            check(site, execute(site), again=True)
    finally:
        server.shutdown()
    verdict = "PASS" if not site.problems else "FAIL"
    print(f"{verdict} {agent} {scenario} in {time.monotonic() - began:.1f} s")
    for problem in site.problems:
        print(f"    {problem}")
    if site.problems or keep:
        print(f"    kept: {base} (execute.log has the narration)")
    else:
        shutil.rmtree(base, ignore_errors=True)
    return not site.problems


def load_model(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("scripted_model", file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{file} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules["scripted_model"] = module
    spec.loader.exec_module(module)
    return module


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scripted-model", type=Path, required=True, metavar="FILE")
    parser.add_argument("--agent", action="append", choices=AGENTS)
    parser.add_argument("--cli", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--scenario", action="append", choices=("clean", "faults"))
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    given = dict(item.split("=", 1) for item in options.cli)
    model = load_model(options.scripted_model)
    results = []
    for agent in options.agent or AGENTS:
        program = given.get(agent) or shutil.which(agent)
        if program is None or not Path(program).exists():
            print(f"SKIPPED {agent}: its program is not on PATH (--cli {agent}=PATH)")
            continue
        for scenario in options.scenario or ("clean", "faults"):
            results.append(run(agent, program, scenario, model, keep=options.keep))
    if not results:
        return SKIPPED
    print(f"{sum(results)} of {len(results)} scenarios as they should be")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
