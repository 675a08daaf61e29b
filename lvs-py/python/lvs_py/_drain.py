"""The loop around a drain, apart from how it waits."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ._director import Director
    from ._lvs import Drain, DrainProgress

__all__ = ["run"]


def run(
    director: Director,
    drain: Drain,
    interval: float,
    sleep: Callable[[float], object],
    show: Callable[[DrainProgress], object] | None,
) -> DrainProgress:
    """Drives a drain to its end; returns its last progress, with all that was cut on the way."""
    from ._lvs import DrainRun

    looks = DrainRun(director._handle, drain)
    try:
        while True:
            progress = looks.step(director._now())
            if show is not None:
                show(progress)
            if progress.done:
                return progress
            if progress.waiting:
                sleep(interval)
    except BaseException:
        looks.cancel()
        raise
