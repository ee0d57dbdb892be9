"""wtrun: runs the plans of a phase in parallel git worktrees and merges them back."""

import sys

__version__ = "0.1.0"


def _end_quietly(kind: type[BaseException], *details: object) -> None:
    """Ctrl-C while Python still imports: no traceback; Python then ends by the signal itself."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, *details)  # type: ignore[arg-type]


# here, as everything else is imported after this
if sys.excepthook is sys.__excepthook__:
    sys.excepthook = _end_quietly
