"""README and CONTRIBUTING name what there is: commands, files, dependencies."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from worktree_runner.cli import COMMANDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_command_that_the_readme_and_the_docs_show_exists() -> None:
    texts = [README, *(file.read_text(encoding="utf-8") for file in (ROOT / "docs").glob("*.md"))]
    shown = {name for text in texts for name in re.findall(r"(?:\$ |`)wtrun ([a-z][a-z-]+)", text)}
    assert {"execute", "resolve", "clean"} <= shown
    assert shown - set(COMMANDS) == set()


def test_every_link_of_the_readme_leads_to_a_file_and_every_page_is_linked() -> None:
    links = set(re.findall(r"\]\((?!https?:)([^)#]+)", README))
    assert [link for link in sorted(links) if not (ROOT / link).exists()] == []
    pages = {f"docs/{file.name}" for file in (ROOT / "docs").glob("*.md")}
    assert pages - links == set()


def test_every_direct_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {re.split(r"[^\w-]", item)[0] for item in project["dependencies"]}
    rows = set(re.findall(r"^\| ([\w-]+) \| .+ \| .*`.*\|$", CONTRIBUTING, re.MULTILINE))
    assert named == rows
    for place in re.findall(r"`([\w/]+\.py)`", CONTRIBUTING):
        assert any((ROOT / base / place).exists() for base in (".", "worktree_runner")), place
