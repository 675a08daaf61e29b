"""Probes of health checks that run side by side, apart from what is done with their results."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import logging
from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import timedelta

    from ._lvs import DestinationKey, Health, HealthChange, ServiceKey

    _Probe = Callable[[ServiceKey, DestinationKey], Awaitable[bool | int]]
    _Key = tuple[ServiceKey, DestinationKey]
    _Task = asyncio.Task[tuple[bool | None, int | None]]

__all__ = ["PIECE", "Probing"]

# Of many things so many are done before other tasks of the loop have their turn.
PIECE = 256

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
        self._concurrency = concurrency
        # A server is in one of these: its probe has to wait for its turn, runs, or has ended.
        self._waiting: OrderedDict[_Key, None] = OrderedDict()
        self._running: dict[_Key, _Task] = {}
        self._ended: dict[_Key, _Task] = {}
        # With those that were cancelled, and have not ended yet.
        self._tasks: set[_Task] = set()
        self._news = asyncio.Event()

    async def begin(self, watched: Sequence[_Key]) -> None:
        """Starts a probe of every watched server that has none running, and ends those of servers no longer watched."""
        wanted: set[_Key] = set()
        for start in range(0, len(watched), PIECE):
            for key in watched[start : start + PIECE]:
                wanted.add(key)
                if key not in self._running and key not in self._ended:
                    self._waiting[key] = None
            self._start()
            await asyncio.sleep(0)
        known = [*self._waiting, *self._running]
        for start in range(0, len(known), PIECE):
            for key in known[start : start + PIECE]:
                if key not in wanted:
                    self._waiting.pop(key, None)
                    task = self._running.pop(key, None)
                    if task is not None:
                        task.cancel()
            await asyncio.sleep(0)

    async def some(self, seconds: float) -> Sequence[tuple[_Key, _Task]]:
        """The probes that have ended; none if no more ends in so many seconds."""
        if self._running and not self._ended:
            self._news.clear()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._news.wait(), max(0.0, seconds))
        ended, self._ended = self._ended, {}
        return list(ended.items())

    async def report(self, found: Sequence[tuple[_Key, _Task]], now: timedelta) -> list[HealthChange]:
        """Tells `health` what these probes found; returns what that changed."""
        from .exceptions import NotFoundError

        changes: list[HealthChange] = []
        for count, ((service, server), task) in enumerate(found, 1):
            up, weight = task.result()
            # No longer watched: somebody changed `health` while the probe ran.
            with contextlib.suppress(NotFoundError):
                changes += self._health.report(service, server, up, now, weight=weight)
            if not count % PIECE:
                await asyncio.sleep(0)
        return changes

    async def stop(self) -> None:
        """Cancels all probes, and waits until they have ended."""
        self._waiting.clear()
        self._running.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self) -> None:
        while self._waiting and len(self._tasks) < self._concurrency:
            key, _ = self._waiting.popitem(last=False)
            task = asyncio.ensure_future(self._found(key))
            self._running[key] = task
            self._tasks.add(task)
            task.add_done_callback(functools.partial(self._end, key))

    def _end(self, key: _Key, task: _Task) -> None:
        self._tasks.discard(task)
        # Of a server that is not watched any more, nobody asks.
        if self._running.get(key) is task:
            self._ended[key] = self._running.pop(key)
            self._news.set()
        self._start()

    async def _found(self, key: _Key) -> tuple[bool | None, int | None]:
        """Whether a server is up (None: not known), and the weight that it asks for."""
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
