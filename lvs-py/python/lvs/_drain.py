"""The loop around a drain, apart from how it waits."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import timedelta

    from ._director import Director
    from ._lvs import Drain, DrainProgress, Operation

__all__ = ["cancel", "look", "run"]


def apply(director: Director, operations: Iterable[Operation]) -> None:
    """Applies operations; what another program has removed meanwhile needs no removing."""
    from .exceptions import BatchError, NotFoundError

    report = director.apply(operations)
    if report.interrupted is not None or any(
        not isinstance(refusal.error, NotFoundError) for refusal in report.refused
    ):
        raise BatchError(report)


def look(director: Director, drain: Drain, now: timedelta) -> DrainProgress:
    """One look, with what is due carried out."""
    progress = drain.step(director.snapshot(), now)
    if progress.operations:
        apply(director, progress.operations)
    return progress


def cancel(director: Director, drain: Drain) -> None:
    """Puts the weights back."""
    apply(director, drain.cancel(director.snapshot()))


def run(
    director: Director,
    drain: Drain,
    interval: float,
    sleep: Callable[[float], object],
    show: Callable[[DrainProgress], object] | None,
) -> DrainProgress:
    """Drives a drain to its end; returns its last progress, with all that was cut on the way."""
    cut: DrainProgress | None = None
    try:
        while True:
            progress = look(director, drain, director._now())
            if progress.cut:
                cut = progress
            if show is not None:
                show(progress)
            if progress.done:
                return cut or progress
            if progress.waiting:
                sleep(interval)
    except BaseException:
        cancel(director, drain)
        raise
