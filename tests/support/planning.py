"""Small believable phases in every dialect, written the way the originals write them.

`PhaseBuilder(dialect, token, slug).plan(...)` collects plans; `files()` gives repository paths
with their text, ready for `Repo.commit`. Keys, suffixes, separators and words come from the
dialect, so one scenario runs in all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from worktree_runner.dialects import Dialect, load

DIALECTS = ("gsd", "ace", "renn", "ariadna")


@dataclass(frozen=True)
class PlanSpec:
    """What a plan says; `tasks` are (name, files, action) and `checkpoint` adds one task."""

    number: str
    wave: int | None = 1
    files: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    objective: str = "Add the thing that the phase needs."
    tasks: tuple[tuple[str, str, str], ...] = ()
    checkpoint: bool = False
    gap_closure: bool = False
    agent: str | None = None
    domain: str | None = None
    requirements: tuple[str, ...] = ()
    done: bool = False


@dataclass
class PhaseBuilder:
    """A phase under construction in one dialect."""

    dialect: Dialect = field(default_factory=lambda: load("gsd"))
    token: str = "03"
    slug: str = "accounts"
    goal: str = "People can open an account and sign in"
    separator: str = "-"
    plans: list[PlanSpec] = field(default_factory=list)
    config: str | None = "{}\n"

    def plan(self, number: str, **fields: object) -> PhaseBuilder:
        """Adds one plan and gives the builder back."""
        self.plans.append(PlanSpec(number, **fields))  # type: ignore[arg-type]
        return self

    @property
    def root(self) -> str:
        return self.dialect.root

    @property
    def directory(self) -> str:
        return f"{self.root}/{self.dialect.files.phases}/{self.token}-{self.slug}"

    def plan_path(self, number: str) -> str:
        return self._named(number, self.dialect.files.plan[0])

    def summary_path(self, number: str) -> str:
        return self._named(number, self.dialect.files.summary[0])

    def _named(self, number: str, suffix: str) -> str:
        return f"{self.directory}/{self.token}{self.separator}{number}-{suffix}.md"

    def files(self) -> dict[str, str | bytes]:
        """Plans, summaries of done plans, road map, state, requirements and config."""
        names = self.dialect.files
        found: dict[str, str | bytes] = {
            f"{self.root}/{names.roadmap[0]}": self.roadmap(),
            f"{self.root}/{names.state[0]}": self.state(),
            f"{self.root}/{names.requirements[0]}": self.requirements(),
        }
        if self.config is not None:
            found[f"{self.root}/{names.config}"] = self.config
        for spec in self.plans:
            found[self.plan_path(spec.number)] = render_plan(spec, self)
            if spec.done:
                found[self.summary_path(spec.number)] = render_summary(spec, self)
        return found

    def roadmap(self) -> str:
        words = self.dialect.words
        phase, plans = words.phase.capitalize(), words.plans.capitalize()
        number = self.token.lstrip("0") or "0"
        name = self.slug.replace("-", " ").capitalize()
        ids = [f"{self.token}{self.separator}{spec.number}" for spec in self.plans]
        boxes = "\n".join(
            f"- [{'x' if spec.done else ' '}] {key}: {spec.objective.rstrip('.')}"
            for key, spec in zip(ids, self.plans, strict=True)
        )
        needed = ", ".join(dict.fromkeys(r for spec in self.plans for r in spec.requirements))
        done = sum(spec.done for spec in self.plans)
        return (
            f"# Road map: Example\n\n## {words.phases.capitalize()}\n\n"
            f"- [ ] **{phase} {number}: {name}** - {self.goal}\n\n## {phase} Details\n\n"
            f"### {phase} {number}: {name}\n\n**Goal**: {self.goal}\n**Depends on**: Nothing\n"
            f"**Requirements**: [{needed}]\n**{plans}**: {len(self.plans)} {words.plans}\n\n"
            f"{plans}:\n{boxes}\n\n## Progress\n\n"
            f"| {phase} | {plans} Complete | Status | Completed |\n|---|---|---|---|\n"
            f"| {number}. {name} | {done}/{len(self.plans)} | Not started | - |\n"
        )

    def state(self) -> str:
        words = self.dialect.words
        number = self.token.lstrip("0") or "0"
        return (
            "# Project State\n\n## Current Position\n\n"
            f"{words.phase.capitalize()}: {number} of 4 ({self.slug})\n"
            f"{words.plan.capitalize()}: 0 of {len(self.plans)} in current {words.phase}\n"
            "Status: Ready to execute\nLast activity: 2026-01-02 — planned\n\n"
            "Progress: [░░░░░░░░░░] 0%\n\n## Accumulated Context\n\n### Decisions\n\nNone yet.\n\n"
            "### Blockers/Concerns\n\nNone yet.\n\n## Session Continuity\n\n"
            "Last session: 2026-01-02\nStopped at: planning\nResume file: None\n"
        )

    def requirements(self) -> str:
        phase = self.dialect.words.phase.capitalize()
        number = self.token.lstrip("0") or "0"
        ids = list(dict.fromkeys(r for spec in self.plans for r in spec.requirements))
        boxes = "".join(f"- [ ] **{key}**: A user can do {key}\n" for key in ids)
        rows = "".join(f"| {key} | {phase} {number} | Pending |\n" for key in ids)
        return (
            f"# Requirements\n\n{boxes}\n## Traceability\n\n"
            f"| Requirement | {phase} | Status |\n|---|---|---|\n{rows}"
        )


def render_plan(spec: PlanSpec, phase: PhaseBuilder) -> str:
    """One plan file, front matter first."""
    keys = phase.dialect.keys
    front = [
        f"{keys.phase[0]}: {phase.token}-{phase.slug}",
        f"{keys.plan[0]}: {spec.number}",
        "type: execute",
    ]
    if spec.wave is not None:
        front.append(f"{keys.wave[0]}: {spec.wave}")
    front += _listed("depends_on", [f'"{name}"' for name in spec.depends_on])
    front += _listed("files_modified", spec.files)
    front.append(f"autonomous: {'false' if spec.checkpoint else 'true'}")
    if spec.gap_closure:
        front.append("gap_closure: true")
    if spec.agent:
        front.append(f"agent: {spec.agent}")
    if spec.domain:
        front.append(f"domain: {spec.domain}")
    front += _listed("requirements", spec.requirements) if spec.requirements else []
    tasks = spec.tasks or ((f"Do the work of {spec.number}", ", ".join(spec.files), "Write it."),)
    body = "\n\n".join(
        f'<task type="auto">\n  <name>Task {n}: {name}</name>\n  <files>{files}</files>\n'
        f"  <action>\n{action}\n  </action>\n  <verify>true</verify>\n  <done>It works</done>\n"
        "</task>"
        for n, (name, files, action) in enumerate(tasks, 1)
    )
    if spec.checkpoint:
        body += (
            '\n\n<task type="checkpoint:human-verify" gate="blocking">\n'
            "  <what-built>The page</what-built>\n"
            "  <how-to-verify>Open it and look</how-to-verify>\n"
            "  <resume-signal>Type approved</resume-signal>\n</task>"
        )
    lines = "\n".join(front)
    return (
        f"---\n{lines}\n---\n\n<objective>\n{spec.objective}\n</objective>\n\n"
        f"<tasks>\n\n{body}\n\n</tasks>\n\n<success_criteria>\n- It works\n</success_criteria>\n"
    )


def _listed(key: str, values: Sequence[str]) -> list[str]:
    return [f"{key}: []"] if not values else [f"{key}:", *(f"  - {value}" for value in values)]


def render_summary(spec: PlanSpec, phase: PhaseBuilder) -> str:
    """A summary as an agent writes it."""
    keys = phase.dialect.keys
    created = "\n".join(f"    - {path}" for path in spec.files) or "    []"
    return (
        f"---\n{keys.phase[0]}: {phase.token}-{phase.slug}\n{keys.plan[0]}: {spec.number}\n"
        f"key-files:\n  created:\n{created}\nkey-decisions:\n  - Keep it small\n"
        f"duration: 4min\ncompleted: 2026-01-02\n---\n\n"
        f"# {phase.dialect.words.phase.capitalize()} {phase.token} "
        f"{phase.dialect.words.plan.capitalize()} {spec.number}: Work Summary\n\n"
        f"**{spec.objective}**\n\n## Self-Check: PASSED\n"
    )
