"""Phases of real projects as fresh repositories that can be executed (WTRUN_CORPUS).

- A repository holds the project's planning files, without the summaries of the phase, and every
  file that its plans name, with made-up contents in the file's own language.
- What an agent changes is decided here and handed to `tests.support.corpus_agent`: the declared
  files, and those that the real summary names beside them. One file in eight gets a change that
  every plan makes to the same line; barrels and manifests get additions at the same place.
- Two phases in three have a barrel that every plan adds to undeclared, and one in three a file in
  which every plan changes the same line: the two ways in which real agents collide.
- The summary that is written is the real one where the corpus has it.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tests.support.corpus_texts import base_text
from tests.support.project import Project
from tests.support.repo import Repo
from worktree_runner.core.docs.summary import parse_summary
from worktree_runner.core.plans import list_phases, phase_paths, read_phase
from worktree_runner.dialects import Dialect, detect
from worktree_runner.models import Phase
from worktree_runner.planning.reader import DiskFiles

AGENT = Path(__file__).with_name("corpus_agent.py")
BARREL = re.compile(r"(?:^|/)(?:index|mod|lib|main|app|router|routes|__init__|types)\.\w+$", re.I)
PLAIN = re.compile(r"[\w@+.()\[\]-]+(?:/[\w@+.()\[\]-]+)*")


@dataclass(frozen=True)
class CorpusPhase:
    """A phase of a project in the corpus in which plans run side by side."""

    project: Path
    dialect: Dialect
    phase: Phase

    @property
    def name(self) -> str:
        return f"{self.project.name}:{self.folder}"

    @property
    def commits_planning(self) -> bool:
        """Whether the project wants its planning files committed."""
        file = self.project / self.dialect.root / self.dialect.files.config
        config = json.loads(file.read_text()) if file.is_file() else {}
        return config.get("commit_docs") is not False

    @property
    def folder(self) -> str:
        return self.phase.dir.path.rpartition("/")[2]


def eligible(corpus: Path) -> Iterator[CorpusPhase]:
    """Every phase of the corpus with two or more plans in a wave."""
    for project in sorted(path for path in corpus.iterdir() if path.is_dir()):
        files = DiskFiles(project)
        paths = files.paths()
        dialect = detect(paths, read=files.read)
        for directory in list_phases(paths, dialect):
            contents = files.read(phase_paths(paths, directory, dialect))
            phase = read_phase(directory, contents, dialect, paths=paths)
            waves = Counter(plan.wave for plan in phase.plans)
            if waves and max(waves.values()) > 1:
                yield CorpusPhase(project, dialect, phase)


def make_project(repo: Repo, source: CorpusPhase) -> Project:
    """The phase before its execution, committed, with an agent set up for it."""
    work = worksheet(source)
    sheet = repo.path.parent / "worksheet.json"
    sheet.write_text(json.dumps(work, indent=1))
    argv = json.dumps([sys.executable, str(AGENT), str(sheet), "{plan_path}"])
    contents: dict[str, str | bytes] = {
        ".wtrun.toml": f'agent = "command"\n[agents.command]\nargv = {argv}\n',
        **_planning(source),
    }
    created = {path for plan in work.values() for path in plan["created"]}
    named = {path for plan in work.values() for path in plan["files"]}
    contents.update({path: base_text(path) for path in sorted(named - created)})
    repo.commit("plan the phase", contents)
    return Project(repo)


def _planning(source: CorpusPhase) -> dict[str, str | bytes]:
    """The project's planning files as they may have been before the phase was executed."""
    summaries = {plan.summary_path for plan in source.phase.plans}
    found: dict[str, str | bytes] = {}
    root = source.project / source.dialect.root
    for file in sorted(path for path in root.rglob("*") if path.is_file()):
        path = file.relative_to(source.project).as_posix()
        proof = path.startswith(source.phase.dir.path) and "VERIFICATION" in path
        if path not in summaries and not proof:
            found[path] = file.read_bytes()
    for name in source.dialect.files.roadmap:
        path = f"{source.dialect.root}/{name}"
        if path in found:
            found[path] = _unchecked(bytes(found[path]), source)  # type: ignore[arg-type]
    return found


def _unchecked(text: bytes, source: CorpusPhase) -> bytes:
    """The road map with the boxes of the phase's plans open."""
    ids = [plan.id for plan in source.phase.plans]
    lines = text.decode(errors="surrogateescape").splitlines(keepends=True)
    for at, line in enumerate(lines):
        if any(re.search(rf"(?<![\w.]){re.escape(key)}(?![\w])", line) for key in ids):
            lines[at] = re.sub(r"^(\s*[-*] )\[[xX]\]", r"\1[ ]", line)
    return "".join(lines).encode(errors="surrogateescape")


# --- what the agents do ----------------------------------------------------------------------


def worksheet(source: CorpusPhase) -> dict[str, dict[str, Any]]:
    """By plan path: the files to change and how, which of them are new, and the summary."""
    plans = source.phase.plans
    every = [path for plan in plans for path in plan.files]
    folders = {str(parent) for path in every for parent in PurePosixPath(path).parents}
    shared = (["src/exports/index.ts"], ["src/exports/index.ts", "docs/versions.md"], [])[
        zlib.crc32(source.name.encode()) % 3
    ]
    found = {}
    for at, plan in enumerate(plans):
        file = source.project / plan.summary_path
        recap = file.read_bytes() if file.is_file() else b""
        summary = parse_summary(recap)
        created = list(_concrete(summary.key_files_created, folders, source.dialect.root))
        extra = [*created, *_concrete(summary.key_files_modified, folders, source.dialect.root)]
        declared = list(_concrete(plan.files, folders, source.dialect.root))
        files = dict.fromkeys([*declared, *extra, *shared])
        found[plan.path] = {
            "id": plan.id,
            "at": at,
            "files": {path: mode_of(path) for path in files},
            "shared": shared,
            "declared": declared,
            "created": created,
            "recap": recap.decode(errors="replace"),
        }
    return found


def _concrete(names: Iterable[str], folders: set[str], root: str) -> Iterator[str]:
    """Names of files that can be written: one file for a directory or a pattern."""
    for name in names:
        path = name.removeprefix("./").replace("**", "any").replace("*", "any")
        path = path + "part.txt" if path.endswith("/") else path
        path = path + "/part.txt" if path in folders else path
        parts = path.split("/")
        if (
            PLAIN.fullmatch(path)
            and not path.isdigit()
            and parts[0] not in (root, ".git")
            and ".." not in parts
        ):
            yield path


def mode_of(path: str) -> str:
    """How every plan changes this file: `apart`, `together` (same place) or `line` (same line)."""
    if BARREL.search(path) or path.endswith("package.json"):
        return "together"
    return "line" if path == "docs/versions.md" or zlib.crc32(path.encode()) % 8 == 0 else "apart"
