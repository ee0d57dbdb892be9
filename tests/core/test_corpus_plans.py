"""Real plans (WTRUN_CORPUS): read as the counts and a list checked by hand say.

The corpus itself is not part of the project. `tests/data/checked_plans.tsv` holds the expected
identity, waves and dependencies of plans that were chosen for their traps (no wave, invalid
YAML, waves that dependencies overrule, odd names), by the hash of their text.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import frontmatter
import pytest
import yaml

from tests.support.corpus import corpus_folder
from worktree_runner.core import verify
from worktree_runner.core.frontmatter import parse_document
from worktree_runner.core.ids import parse_directory
from worktree_runner.core.inventory import as_json, inspect, render
from worktree_runner.core.listing import swap_suffix
from worktree_runner.core.plans import list_phases, phase_paths, read_phase
from worktree_runner.dialects import detect, load
from worktree_runner.models import Phase, PhaseDir, Plan, Severity
from worktree_runner.planning.reader import DiskFiles

pytestmark = pytest.mark.corpus
GSD = load("gsd")
CHECKED = Path(__file__).parents[1] / "data" / "checked_plans.tsv"


@dataclass(frozen=True)
class Found:
    """Every plan of the corpus, by directory; archives and quick plans too."""

    phases: tuple[Phase, ...]

    @property
    def plans(self) -> Iterator[Plan]:
        return (plan for phase in self.phases for plan in phase.plans)


@pytest.fixture(scope="module")
def found() -> Found:
    corpus = corpus_folder()
    with (corpus / "index.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    folders: dict[tuple[str, str], dict[str, bytes]] = defaultdict(dict)
    for row in rows:
        if row["kind"] in ("plan", "summary"):
            place = corpus / row["repo"].replace("/", "+", 1) / row["path"]
            folders[row["repo"], row["path"].rpartition("/")[0]][row["path"]] = place.read_bytes()
    phases = []
    for (_, folder), files in sorted(folders.items()):
        name = parse_directory(folder.rpartition("/")[2])
        phase = PhaseDir(name.token.text, name.slug, name.slug, folder)
        phases.append(read_phase(phase, files, GSD))
    return Found(tuple(phases))


def test_counts_are_those_of_the_survey(found: Found) -> None:
    documents = [parse_document(plan.text, plan.path) for plan in found.plans]
    assert len(documents) == 529
    assert sum(document.has_front for document in documents) == 505
    assert sum(document.has_front and not document.valid for document in documents) == 4
    same = sum(plan.done and plan.summary_path == swap_suffix(plan.path, GSD)
               for plan in found.plans)  # fmt: skip
    assert (same, sum(plan.done for plan in found.plans)) == (443, 451)
    tagged = sum(bool(re.search(r"<task\b[^>]*>", plan.text.decode())) for plan in found.plans)
    assert 529 - tagged == 50


def test_declared_waves_agree_with_a_yaml_reader_in_every_plan(found: Found) -> None:
    wrong, compared = [], 0
    for plan in found.plans:
        try:
            front = frontmatter.loads(plan.text.decode()).metadata
        except yaml.YAMLError:
            continue
        compared += 1
        if front.get("wave", front.get("batch")) != plan.declared_wave:
            wrong.append((plan.path, plan.declared_wave))
    assert wrong == []
    assert compared >= 501


def test_declared_files_agree_with_a_yaml_reader(found: Found) -> None:
    missing, entries = [], 0
    for plan in found.plans:
        try:
            front = frontmatter.loads(plan.text.decode()).metadata
        except yaml.YAMLError:
            continue
        listed = front.get("files_modified") or []
        names = [entry for entry in listed if isinstance(entry, str)]
        entries += len(names)
        missing += [
            entry for entry in names
            if entry not in plan.files_declared and entry.split(" (")[0] not in plan.files_declared
        ]  # fmt: skip
    assert entries > 1700
    assert missing == ["~/.claude/settings.json"]


def test_interactive_plans_are_those_that_either_sign_names(found: Found) -> None:
    for plan in found.plans:
        said = re.search(r"^autonomous:\s*false", plan.text.decode(), re.MULTILINE)
        assert plan.autonomous == (not said and not plan.has_checkpoint), plan.path


def test_waves_with_shared_files_are_those_of_the_survey(found: Found) -> None:
    several = shared = pairs = sharing = 0
    for phase in found.phases:
        waves: dict[int, list[Plan]] = defaultdict(list)
        for plan in phase.plans:
            valid = parse_document(plan.text, plan.path).valid
            if plan.declared_wave is not None and valid:
                waves[plan.declared_wave].append(plan)
        for plans in waves.values():
            found_pairs = list(combinations(plans, 2))
            both = sum(bool(set(a.files_declared) & set(b.files_declared)) for a, b in found_pairs)
            several += len(plans) > 1
            shared += both > 0
            pairs += len(found_pairs)
            sharing += both
    assert (several, shared, pairs, sharing) == (78, 22, 152, 42)


def test_every_must_have_is_read_and_none_is_there_in_an_empty_tree(found: Found) -> None:
    checks = verify.check_plans(found.plans, [], lambda path: b"")
    assert len(checks) > 1500
    assert {one.found for one in checks} == {
        verify.Found.MISSING,
        verify.Found.LOOSE,
        verify.Found.UNCLEAR,
    }
    artifacts = [one for one in checks if "->" not in one.what]
    assert sum(one.found is verify.Found.MISSING for one in artifacts) > 0.98 * len(artifacts)


def test_plans_with_traps_are_read_as_checked_by_hand(found: Found) -> None:
    known = {hashlib.sha256(plan.text).hexdigest()[:16]: plan for plan in found.plans}
    with CHECKED.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) >= 100
    wrong = []
    for row in rows:
        plan = known[row["sha256"]]
        declared = "" if plan.declared_wave is None else str(plan.declared_wave)
        read = (plan.id, declared, str(plan.wave), ",".join(plan.depends_on))
        if read != (row["id"], row["declared"], row["wave"], row["depends_on"]):
            wrong.append((plan.path, read, row))
    assert wrong == []


def test_every_phase_of_every_project_can_be_shown(corpus: Path) -> None:
    plans = errors = 0
    for project in sorted(path for path in corpus.iterdir() if path.is_dir()):
        files = DiskFiles(project)
        paths = files.paths()
        dialect = detect(paths, read=files.read)
        for directory in list_phases(paths, dialect):
            contents = files.read(phase_paths(paths, directory, dialect))
            phase = read_phase(directory, contents, dialect, paths=paths)
            inventory = inspect(phase, dialect)
            assert len(as_json(inventory)["plans"]) == len(phase.plans)
            assert directory.path in render(inventory)
            plans += len(phase.plans)
            errors += sum(note.severity is Severity.ERROR for note in inventory.problems)
    assert plans >= 450
    assert errors == 0
