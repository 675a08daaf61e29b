"""The loop around a drain, apart from how it waits."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._director import Director
    from ._lvs import Drain, DrainProgress, Operation

__all__ = ["Looks", "run"]


def apply(director: Director, operations: Iterable[Operation]) -> None:
    """Applies operations; what another program has removed meanwhile needs no removing."""
    from .exceptions import BatchError, NotFoundError

    report = director.apply(operations)
    refused = [refusal for refusal in report.refused if not isinstance(refusal.error, NotFoundError)]
    if report.interrupted is not None or refused:
        raise BatchError(report)


class Looks:
    """The looks of a drain: each carries out what is due; `whole` is the last one with all that was cut on the way."""

    __slots__ = ("_director", "_drain", "whole")

    whole: DrainProgress | None

    def __init__(self, director: Director, drain: Drain) -> None:
        self._director = director
        self._drain = drain
        self.whole = None

    def next(self) -> DrainProgress:
        """One look. The first one raises `NotFoundError` if there is nothing to drain."""
        snapshot = self._director.snapshot()
        if self.whole is None:
            self._drain.check(snapshot)
        progress = self._drain.step(snapshot, self._director._now())
        if progress.operations:
            apply(self._director, progress.operations)
        self.whole = progress if self.whole is None else progress._after(self.whole)
        return progress

    def cancel(self) -> None:
        """Puts back what was changed."""
        apply(self._director, self._drain.cancel(self._director.snapshot()))


def run(
    director: Director,
    drain: Drain,
    interval: float,
    sleep: Callable[[float], object],
    show: Callable[[DrainProgress], object] | None,
) -> DrainProgress:
    """Drives a drain to its end; returns its last progress, with all that was cut on the way."""
    looks = Looks(director, drain)
    try:
        while True:
            progress = looks.next()
            if show is not None:
                show(progress)
            if progress.done:
                return looks.whole or progress
            if progress.waiting:
                sleep(interval)
    except BaseException:
        looks.cancel()
        raise
