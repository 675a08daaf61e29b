"""The logger ``lvs``."""

from __future__ import annotations

import sys

__all__ = ["log"]


def log(message: str, *args: object) -> None:
    # A program that never imported `logging` has configured none, and need not pay for its import.
    logging = sys.modules.get("logging")
    if logging is not None:
        logger = logging.getLogger("lvs")
        if logger.isEnabledFor(10):
            logger.debug(message, *args)
