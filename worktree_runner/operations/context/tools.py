"""The user's own programs at a question: editor, merge tool, pager, shell.

- They are git's (`git var`, `merge.tool`), started as git starts them: by a shell, since
  `core.editor` may hold arguments.
- Texts lie in the run's folder while they are edited, so a crash of wtrun or of the editor
  leaves them there.
- While one runs it has the terminal (`Screen.lend`): a Ctrl-C typed in it is not for wtrun.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from merge.types import Choice, FileConflict
from worktree_runner import process
from worktree_runner.core.conflicts import FileContents
from worktree_runner.core.texts import clean_line
from worktree_runner.errors import WtrunError
from worktree_runner.git.gateway import Git
from worktree_runner.store.atomic import save_bytes
from worktree_runner.ui.conflict import Tools
from worktree_runner.ui.console import Screen

_MERGE_TOOL = (
    'TOOL_MODE=merge; . "$(git --exec-path)/git-mergetool--lib"; '
    'initialize_merge_tool "$1" && run_merge_tool "$1" "$2"'
)


def conflict_tools(
    git: Git,
    screen: Screen,
    place: Path,
    check: Callable[[FileConflict, Sequence[Choice]], str] | None = None,
) -> Tools:
    """Editor, pager and, where `merge.tool` is set, merge tool, as the conflict prompt has them.

    `place` is the folder that edited texts are left in.
    """
    tool = git.run("config", "--get", "merge.tool", check=False).text.strip()

    def merge_tool(path: str, content: FileContents, text: bytes) -> bytes:
        return run_merge_tool(git, screen, place, tool, path, content=content, text=text)

    return Tools(
        edit=lambda path, text: edit(git, screen, place, path, text),
        page=lambda text: page(git, screen, text),
        merge_tool=merge_tool if tool else None,
        check=check,
    )


def edit(git: Git, screen: Screen, place: Path, path: str, text: bytes) -> bytes:
    """What the user saved. The text is `place/<name>` before, while and after it is edited.

    Raises WtrunError if there is no editor or it ended with an error; the text stays.
    """
    found = git.run("var", "GIT_EDITOR", check=False)
    editor = found.text.strip()
    if found.code != 0 or not editor:
        raise WtrunError("no editor is set for git", hint="export EDITOR=vi")
    file = place / _name(path)
    save_bytes(file, text, durable=False)
    code = _terminal(screen, git.path, f'{editor} "$@"', editor, str(file))
    if code != 0:
        shown = clean_line(editor, 60)
        raise WtrunError(f"the editor '{shown}' ended with {code}; the text is in {file}")
    return _saved(file, "the editor")


def run_merge_tool(
    git: Git,
    screen: Screen,
    place: Path,
    tool: str,
    path: str,
    *,
    content: FileContents,
    text: bytes,
) -> bytes:
    """What the user's merge tool saved for one file; raises WtrunError if it gave up."""
    name = _name(path)
    # git's library touches BACKUP, and takes a result that is older for one that was not saved
    versions = {"MERGED": text, "BACKUP": text, "BASE": content.base or b""}
    versions |= {"LOCAL": content.ours or b"", "REMOTE": content.theirs or b""}
    files = {key: place / key.lower() / name for key in versions}
    for key, file in files.items():
        save_bytes(file, versions[key], durable=False)
    env = {key: str(file) for key, file in files.items()}
    has_base = "true" if content.base is not None else "false"
    code = _terminal(screen, git.path, _MERGE_TOOL, "mergetool", tool, has_base, env=env)
    if code != 0:
        raise WtrunError(
            f"the merge tool '{clean_line(tool)}' ended with {code}, so its result is not taken",
            hint=f"look at {files['MERGED']}",
        )
    return _saved(files["MERGED"], "the merge tool")


def _saved(file: Path, whose: str) -> bytes:
    """What is in the file now. Raises WtrunError where the program left none."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise WtrunError(
            f"{whose} left no text that can be read: {file} ({error.strerror})"
        ) from None


def page(git: Git, screen: Screen, text: str) -> None:
    """Shows a text in git's pager; LESS and LV are set as git sets them where they are not.

    A dumb terminal gets it line by line: no pager is of use there.
    """
    if os.environ.get("TERM") == "dumb":
        screen.block([(line, "") for line in text.split("\n")])
        return
    pager = git.run("var", "GIT_PAGER", check=False).text.strip() or "cat"
    settings = {"LESS": "FRX", "LV": "-c"}
    env = {key: value for key, value in settings.items() if key not in os.environ}
    with tempfile.NamedTemporaryFile("wb", prefix="wtrun-", suffix=".txt") as file:
        file.write(text.encode("utf-8", "backslashreplace"))
        file.flush()
        _terminal(screen, git.path, f'{pager} < "$1"', pager, file.name, env=env)


def shell(screen: Screen, place: Path) -> None:
    """The user's shell in a folder, until it ends."""
    screen.say(f"a shell in {place}; 'exit' comes back")
    with screen.lend():
        process.run([os.environ.get("SHELL") or "/bin/sh"], place, foreground=True)


def _terminal(
    screen: Screen, folder: Path, script: str, *args: str, env: Mapping[str, str] | None = None
) -> int:
    # the shell catches Ctrl-C, or it would end before the editor that handles it
    argv = ["sh", "-c", f"trap : INT; {script}", *args]
    with screen.lend():
        return process.run(argv, folder, env=env, foreground=True).code


def _name(path: str) -> str:
    """A plain file name with the ending of `path`, so that the editor knows the language."""
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in PurePosixPath(path).name)
    return name.lstrip(".-")[-100:] or "text"
