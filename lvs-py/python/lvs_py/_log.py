"""The logger ``lvs_py``: an audit trail of what was changed, at level INFO."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from logging import Logger

__all__ = ["changed", "enabled"]


def _logger() -> Logger | None:
    # A program that never imported `logging` has configured none, and need not pay for its import.
    logging = sys.modules.get("logging")
    if logging is None:
        return None
    logger: Logger = logging.getLogger("lvs_py")
    return logger if logger.isEnabledFor(20) else None


def enabled() -> bool:
    """Whether changes are logged."""
    return _logger() is not None


def changed(changes: Iterable[object]) -> None:
    """A line for each change that took effect."""
    logger = _logger()
    if logger is not None:
        for change in changes:
            logger.info("%s", change)
