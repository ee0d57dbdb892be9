"""Messages of the run's own commits, in the dialect's form.

`{phase}` is the token as in file names (`docs(08): …`); behind a dash it is the number as running
text has it (`docs(phase-8): …`), as the originals write both.
"""

from __future__ import annotations

from worktree_runner.core.docs.refs import plain_token
from worktree_runner.dialects.schema import Dialect


def phase_message(dialect: Dialect, token: str, name: str) -> str:
    """For the commit that completes a phase."""
    return _fill(dialect.commits.phase, token, name)


def tracking_message(dialect: Dialect, token: str, text: str) -> str:
    """For a commit that records progress: `text` behind the scope of the phase's commit."""
    scope = _fill(dialect.commits.phase, token, "").partition(":")[0]
    return f"{scope}: {' '.join(text.split())}"


def corrections_message(dialect: Dialect, token: str) -> str:
    """For the commit of what the run left uncommitted, before verification."""
    return _fill(dialect.commits.corrections, token, "")


def _fill(template: str, token: str, name: str) -> str:
    template = template.replace("-{phase}", "-{plain}").replace("-{stage}", "-{plain}")
    return template.format(
        phase=token, stage=token, plain=plain_token(token), name=" ".join(name.split())
    )
