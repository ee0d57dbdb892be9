"""Which files decide what wtrun, its gate and git itself start, and which changes of them matter.

A plan's branch may change any file, and the gate runs what is in it: that is what a gate is for.
But a change of *what is run* is not the agent's to make unseen. Asked about are
- wtrun's own settings (`.wtrun.toml`, `[tool.wtrun]`), for all of them count in the next run;
- merge drivers and filters in `.gitattributes`, which git starts;
- scripts that a trusted command names, and the part of a file that says what a command such as
  `make test` or `npm test` means. Only where that was there before: a plan may well be there to
  make the script.

What a script starts in turn is not followed, and tests are no script.
"""

from __future__ import annotations

import configparser
import json
import posixpath
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

SETTINGS = ".wtrun.toml"
PYPROJECT = "pyproject.toml"
ATTRIBUTES = ".gitattributes"

_ENDS = {";", "&", "|", "&&", "||", "(", ")", ";;", "|&"}
_SKIPPED = {"!", "{", "if", "then", "else", "do", "while", "exec", "time", "nice", "command", "env"}
_RUNNERS = {"uv", "poetry", "pdm", "hatch", "rye", "pipenv", "bundle"}
_INTERPRETER = re.compile(r"(?:ba|da|z|k)?sh|python[\d.]*|node|deno|ruby|perl|php|lua|pwsh")
_NODE = {"npm", "pnpm", "yarn", "bun"}
_DRIVER = re.compile(r"\s[-!]?(?:merge|filter)(?:=\S*)?(?=\s|$)")
_INI_SECTIONS = ("pytest", "tool:pytest")


@dataclass(frozen=True, slots=True)
class Trusted:
    """A command that may run, and what it is for, in words: `the gate 'make test'`."""

    argv: tuple[str, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Script:
    """A file that decides what a trusted command does; `part` is what of it counts."""

    path: str
    part: str
    by: str
    """The command, in words."""


Family = tuple[Script, ...]
"""Files of which the first that exists counts: a new one may take the place of another."""


def families(commands: Iterable[Trusted]) -> tuple[Family, ...]:
    """The files by which these commands are decided, whether they exist or not."""
    found: dict[Family, None] = {}
    for command in commands:
        folder = ""
        for words in _simple_commands(command.argv):
            if words[0] == "cd" and len(words) > 1:
                folder = posixpath.join(folder, words[1])
                continue
            for names in _decided_by(words):
                family = tuple(
                    Script(path, part, command.name)
                    for name, part in names
                    if (path := _inside(folder, name))
                )
                if family:
                    found[family] = None
    return tuple(found)


def scripts(found: Iterable[Family], present: Mapping[str, bytes]) -> dict[str, Script]:
    """The files to look after, by path, of the families of which something is there already."""
    return {
        script.path: script
        for family in found
        if any(_part(script.part, present.get(script.path)) is not None for script in family)
        for script in family
    }


def concern(
    path: str,
    old: bytes | None,
    new: bytes | None,
    known: Mapping[str, Script],
    *,
    new_mode: bool = False,
) -> str:
    """Why this change is the user's to decide; empty where it is not."""
    if path == SETTINGS:
        return "it holds wtrun's own settings, commands among them"
    if path == PYPROJECT and _table(old, "tool", "wtrun") != _table(new, "tool", "wtrun"):
        return "its [tool.wtrun] holds wtrun's own settings, commands among them"
    if PurePosixPath(path).name == ATTRIBUTES and _drivers(old) != _drivers(new):
        return "it names merge drivers or filters, which git starts"
    script = known.get(path)
    if script is None or (
        _part(script.part, old) == _part(script.part, new) and (script.part or not new_mode)
    ):
        return ""
    if not script.part:
        return f"it decides what {script.by} runs"
    return f"its part '{script.part}' decides what {script.by} runs"


# --- commands --------------------------------------------------------------------------------


def _simple_commands(argv: Sequence[str]) -> Iterator[list[str]]:
    """The commands of an argv, those of a shell's text one by one, without what is put before."""
    words = list(argv)
    if len(words) == 3 and words[1] == "-c" and PurePosixPath(words[0]).name in ("sh", "bash"):
        lexer = shlex.shlex(words[2].replace("\n", ";"), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError:  # an open quote: the shell will refuse it too
            words = words[2].split()
    command: list[str] = []
    for word in (*words, ";"):
        if word not in _ENDS:
            command.append(word)
            continue
        bare = _bare(command)
        if bare:
            yield bare
        command = []


def _bare(words: list[str]) -> list[str]:
    at = 0
    while at < len(words) and (
        words[at] in _SKIPPED or re.fullmatch(r"[A-Za-z_]\w*=.*", words[at], re.DOTALL)
    ):
        at += 1
    words = words[at:]
    if len(words) > 2 and words[0] in _RUNNERS and words[1] in ("run", "exec"):
        words = words[2:]
    return words


def _decided_by(words: Sequence[str]) -> Iterator[tuple[tuple[str, str], ...]]:
    """Groups of files with the part that counts, by which one simple command is decided."""
    program = PurePosixPath(words[0]).name
    if "/" in words[0]:
        yield ((words[0], ""),)
    if _INTERPRETER.fullmatch(program):
        yield from _interpreted(words[1:])
    elif program in ("make", "gmake"):
        named = _option(words, "-f")
        names = (named,) if named else ("GNUmakefile", "makefile", "Makefile")
        folder = _option(words, "-C") or ""
        yield tuple((posixpath.join(folder, name), "") for name in names)
    elif program == "just":
        yield tuple((name, "") for name in ("justfile", "Justfile", ".justfile"))
    elif program == "rake":
        yield tuple((name, "") for name in ("rakefile", "Rakefile", "rakefile.rb", "Rakefile.rb"))
    elif program == "tox":
        yield (("tox.ini", ""), (PYPROJECT, "tool.tox"), ("tox.toml", ""))
    elif program == "nox":
        yield (("noxfile.py", ""),)
    elif program == "pre-commit":
        yield ((".pre-commit-config.yaml", ""),)
    elif program in _NODE:
        script = _node_script(words[1:])
        if script:
            yield (("package.json", f"scripts.{script}"),)
    elif program in ("pytest", "py.test"):
        yield from _pytest()


def _interpreted(words: Sequence[str]) -> Iterator[tuple[tuple[str, str], ...]]:
    """What an interpreter is given: a module or a file; never a text on the command line."""
    for at, word in enumerate(words):
        if word == "-m" and at + 1 < len(words):
            module = words[at + 1]
            if module == "pytest":
                yield from _pytest()
            path = module.replace(".", "/")
            yield ((f"{path}.py", ""), (f"{path}/__main__.py", ""))
            return
        if word == "-c":
            return
        if not word.startswith("-"):
            yield ((word, ""),)
            return


def _pytest() -> Iterator[tuple[tuple[str, str], ...]]:
    names = ("pytest.ini", ".pytest.ini", PYPROJECT, "tox.ini", "setup.cfg")
    yield tuple((name, "tool.pytest" if name == PYPROJECT else "pytest") for name in names)


def _node_script(words: Sequence[str]) -> str:
    names = [word for word in words if not word.startswith("-")]
    if names[:1] in (["run"], ["run-script"]):
        names = names[1:]
    return names[0] if names else ""


def _option(words: Sequence[str], name: str) -> str | None:
    for at, word in enumerate(words):
        if word == name and at + 1 < len(words):
            return words[at + 1]
        if word.startswith(name) and word != name:
            return word[len(name) :]
    return None


def _inside(folder: str, name: str) -> str:
    """The path in the repository; empty for one outside."""
    path = posixpath.normpath(posixpath.join(folder, name))
    return "" if path.startswith(("/", "..", "~", "$")) else path


# --- parts of files --------------------------------------------------------------------------


def _part(part: str, data: bytes | None) -> object:
    """What counts of a file, to be compared; the whole bytes where it can't be read."""
    if not part or data is None:
        return data
    if part.startswith("scripts."):
        return _scripts(data, part.removeprefix("scripts."))
    if part.startswith("tool."):
        return _table(data, *part.split("."))
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(data.decode())
    except (configparser.Error, UnicodeDecodeError):
        return data
    return [dict(parser[name]) for name in _INI_SECTIONS if parser.has_section(name)] or None


def _table(data: bytes | None, *keys: str) -> object:
    """A table of a TOML file; None where there is none, the bytes where it can't be read."""
    if data is None:
        return None
    try:
        found: object = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return data
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _scripts(data: bytes, name: str) -> object:
    """A script of package.json with those that it names in turn, and their hooks."""
    try:
        package = json.loads(data)
    except ValueError:
        return data
    known = package.get("scripts") if isinstance(package, dict) else None
    if not isinstance(known, dict):
        return None
    found: dict[str, object] = {}
    left = [name]
    while left:
        one = left.pop()
        for key in (f"pre{one}", one, f"post{one}"):
            if key in known and key not in found:
                found[key] = known[key]
                left += [word for word in re.split(r"[\s&|;]+", str(known[key])) if word in known]
    return found or None


def _drivers(data: bytes | None) -> list[str]:
    """The lines of an attributes file that name a merge driver or a filter, in order."""
    lines = (data or b"").decode(errors="replace").splitlines()
    return [line.strip() for line in lines if _DRIVER.search(line) and not line.startswith("#")]
