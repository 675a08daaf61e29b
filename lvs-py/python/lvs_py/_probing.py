"""Probes of health checks that run side by side, apart from what is done with their results."""

from __future__ import annotations

import asyncio
import errno
import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import timedelta

    from ._lvs import DestinationKey, Health, HealthChange, ServiceKey

    _Probe = Callable[[ServiceKey, DestinationKey], Awaitable[bool | int]]
    _Key = tuple[ServiceKey, DestinationKey]

__all__ = ["Probing"]

_log = logging.getLogger("lvs_py")

# What this machine lacks says nothing about a server.
_OWN_SHORTAGE = {
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.ENOBUFS,
    errno.EAGAIN,
    errno.EADDRNOTAVAIL,
}


def _is_down(error: BaseException) -> bool | None:
    """Whether an exception of a probe means that the server is down; None if it says nothing about the server."""
    if isinstance(error, OSError) and error.errno in _OWN_SHORTAGE:
        return None
    if isinstance(error, (OSError, EOFError, AssertionError)):
        return True
    # A KeyError or TypeError is a fault of the probe. Packages report what they found with
    # exceptions of their own.
    is_builtin = type(error).__module__ == "builtins"
    return True if isinstance(error, Exception) and not is_builtin else None


class Probing:
    """The probes of one health checker."""

    def __init__(self, health: Health, probe: _Probe, timeout: float | None, concurrency: int) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency is {concurrency}, but at least one probe must be allowed to run")
        self._health = health
        self._probe = probe
        self._timeout = timeout
        self._gate = asyncio.Semaphore(concurrency)
        self._running: dict[asyncio.Task[tuple[bool | None, int | None]], _Key] = {}

    def begin(self) -> None:
        """Starts a probe of every watched server that has none running, and ends those of servers no longer watched."""
        watched = self._health.watched()
        wanted = set(watched)
        for task, key in list(self._running.items()):
            if key not in wanted:
                del self._running[task]
                task.cancel()
        busy = set(self._running.values())
        for key in watched:
            if key not in busy:
                self._running[asyncio.ensure_future(self._found(key))] = key

    async def some(self, seconds: float) -> Sequence[asyncio.Task[tuple[bool | None, int | None]]]:
        """The probes that have ended, in the order in which they began; none if no more ends in so many seconds."""
        if not self._running:
            return []
        done, _ = await asyncio.wait(
            list(self._running), timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED
        )
        return [task for task in self._running if task in done]

    def report(
        self, found: Sequence[asyncio.Task[tuple[bool | None, int | None]]], now: timedelta
    ) -> list[HealthChange]:
        """Tells `health` what these probes found; returns what that changed."""
        from .exceptions import NotFoundError

        changes: list[HealthChange] = []
        for task in found:
            service, server = self._running.pop(task)
            up, weight = task.result()
            try:
                changes += self._health.report(service, server, up, now, weight=weight)
            except NotFoundError:
                # No longer watched: somebody changed `health` while the probe ran.
                continue
        return changes

    async def stop(self) -> None:
        """Cancels all probes, and waits until they have ended."""
        tasks = list(self._running)
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _found(self, key: _Key) -> tuple[bool | None, int | None]:
        """Whether a server is up (None: not known), and the weight that it asks for."""
        async with self._gate:
            try:
                answer: object = await asyncio.wait_for(self._probe(*key), self._timeout)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                if _is_down(error):
                    return False, None
                _log.exception("health: the probe of %s of %s failed", key[1], key[0])
                return None, None
        if isinstance(answer, bool):
            return answer, None
        if isinstance(answer, int):
            return True, answer
        _log.error("health: the probe of %s of %s answered %r, not a bool or a weight", key[1], key[0], answer)
        return None, None
