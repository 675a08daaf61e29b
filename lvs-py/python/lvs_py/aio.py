"""The directors for programs of `asyncio`.

Every call runs in the loop's default executor, with the interpreter released: a call may have to wait for another one
that uses the director at the same time, and the loop must not. What really waits, a drain, a watch or rounds of health
checks, awaits timers of the loop and keeps no thread.

```python
import asyncio
import lvs_py
from lvs_py import aio

async def main() -> None:
    async with aio.embedded() as director:
        await director.add_service("tcp://192.0.2.1:80")
        await director.add_destination("tcp://192.0.2.1:80", "198.51.100.7:80")
        progress = await director.drain("tcp://192.0.2.1:80", "198.51.100.7:80")
        assert progress.done

asyncio.run(main())
```

Events are an asynchronous iterator, and so are the rounds of health checks with a probe of your own:

```python
import asyncio
from lvs_py import DestinationKey, Health, ServiceKey, aio

async def probe(service: ServiceKey, server: DestinationKey) -> bool:
    _, writer = await asyncio.open_connection(str(server.address), server.port)  # an OSError counts as down, too
    writer.close()
    return True

async def keep_up() -> None:
    health = Health()
    health.watch("tcp://192.0.2.1:80", ["127.0.0.1:1"])  # nobody listens there
    async with aio.embedded() as director:
        async for changes in director.keep_healthy(health, probe, interval=1, timeout=2):
            if any(change.kind == "server_down" for change in changes):
                break
        weights = [entry.weight for entry in (await director.destinations("tcp://192.0.2.1:80")).values()]
        assert weights == [0]

asyncio.run(keep_up())
```
"""

from __future__ import annotations

import asyncio
import inspect
import logging

from ._director import Director, EmbeddedDirector, _seconds
from ._lvs import Drain, DrainRun, Operation, Watcher
from ._probing import PIECE, Probing
from .exceptions import InvalidInputError
from .typing import (
    Address,
    Conditions,
    DestinationLike,
    EmbeddedOptions,
    OperationKind,
    RoleLike,
    Seconds,
    ServiceLike,
    TableLike,
    Transport,
    WaitFor,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
    from datetime import timedelta
    from types import TracebackType
    from typing import Any, Literal, TypeVar

    from typing_extensions import Unpack

    from ._lvs import (
        BatchReport,
        Connections,
        ConnectionSums,
        Daemon,
        Destination,
        Destinations,
        DrainProgress,
        Event,
        Events,
        Health,
        HealthChange,
        Info,
        Outcome,
        Plan,
        Scope,
        Service,
        ServiceEntry,
        Services,
        Snapshot,
        Stats,
        Timeouts,
    )
    from ._probing import _Probe

    _T = TypeVar("_T")

__all__ = ["AsyncDirector", "embedded", "kernel"]


async def _aside(function: Callable[..., _T], *arguments: Any, **options: Any) -> _T:
    import functools

    return await asyncio.get_running_loop().run_in_executor(None, functools.partial(function, *arguments, **options))


async def _to_its_end(function: Callable[..., _T], *arguments: Any) -> _T:
    """Like `_aside`, but a cancellation is raised only when the call has ended: its thread cannot be interrupted."""
    call = asyncio.ensure_future(_aside(function, *arguments))
    cancelled: asyncio.CancelledError | None = None
    while not call.done():
        try:
            await asyncio.wait([call])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        if not call.cancelled():
            call.exception()  # What came of the call matters no more, and is not reported as lost.
        raise cancelled
    return call.result()


class AsyncDirector:
    """A director whose methods are awaited. Open one with `kernel` or `embedded`."""

    __slots__ = ("director",)

    director: Director
    """The director behind it, for everything that has nothing to wait for."""

    def __init__(self, director: Director) -> None:
        self.director = director

    async def __aenter__(self) -> AsyncDirector:
        if self.director.closed:
            raise InvalidInputError("the director is closed")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the director, after what still uses it; any further use raises `lvs_py.ClosedError`."""
        await _to_its_end(self.director.close)

    async def snapshot(self) -> Snapshot:
        """Everything at once: services, destinations, statistics, timeouts, daemons."""
        return await _aside(self.director.snapshot)

    async def service(self, service: ServiceLike) -> ServiceEntry:
        """One service with its destinations. Raises `lvs_py.NotFoundError`."""
        return await _aside(lambda: self.director.services[service])

    async def services(self) -> Services:
        """All services with their destinations and statistics, of one snapshot."""
        return (await self.snapshot()).services

    async def destinations(self, service: ServiceLike) -> Destinations:
        """The destinations of a service."""
        return await _aside(self.director.destinations, service)

    async def info(self) -> Info:
        """Version and size of the connection table."""
        return await _aside(self.director.info)

    async def timeouts(self) -> Timeouts:
        """The timeouts of connections."""
        return await _aside(self.director.timeouts)

    async def daemons(self) -> tuple[Daemon, ...]:
        """The running sync daemons."""
        return await _aside(self.director.daemons)

    async def totals(self) -> Stats:
        """Sums and rates of the whole director: see `lvs_py.Director.totals`."""
        return await _aside(self.director.totals)

    async def execute(self, operation: Operation) -> None:
        """Carries out one operation."""
        await _aside(self.director.execute, operation)

    async def apply(self, operations: Iterable[Operation], *, stop_on_refusal: bool = False) -> BatchReport:
        """Carries out operations in order, and reports on each."""
        return await _aside(self.director.apply, list(operations), stop_on_refusal=stop_on_refusal)

    async def add_service(self, service: Service | ServiceLike) -> None:
        """Adds a virtual service."""
        await _aside(self.director.add_service, service)

    async def update_service(self, service: Service | ServiceLike) -> None:
        """Replaces scheduler, flags, timeout, netmask and engine of a service."""
        await _aside(self.director.update_service, service)

    async def remove_service(self, service: ServiceLike) -> None:
        """Removes a service and its destinations."""
        await _aside(self.director.remove_service, service)

    async def add_destination(self, service: ServiceLike, destination: Destination | DestinationLike) -> None:
        """Adds a destination to a service."""
        await _aside(self.director.add_destination, service, destination)

    async def update_destination(self, service: ServiceLike, destination: Destination | DestinationLike) -> None:
        """Replaces everything of a destination but its address and port."""
        await _aside(self.director.update_destination, service, destination)

    async def remove_destination(self, service: ServiceLike, destination: DestinationLike) -> None:
        """Removes a destination from a service at once."""
        await _aside(self.director.remove_destination, service, destination)

    async def set_timeouts(
        self, *, tcp: Seconds | None = None, tcp_fin: Seconds | None = None, udp: Seconds | None = None
    ) -> None:
        """Sets timeouts of connections, in seconds."""
        await _aside(self.director.set_timeouts, tcp=tcp, tcp_fin=tcp_fin, udp=udp)

    async def start_daemon(self, daemon: Daemon) -> None:
        """Starts a sync daemon, which asks the kernel for a thread."""
        await _aside(self.director.start_daemon, daemon)

    async def stop_daemon(self, role: RoleLike) -> None:
        """Stops the sync daemon of a role."""
        await _aside(self.director.stop_daemon, role)

    async def zero(self, service: ServiceLike | None = None) -> None:
        """Zeroes counters."""
        await _aside(self.director.zero, service)

    async def flush(self) -> None:
        """Removes all services."""
        await _aside(self.director.flush)

    async def connections(self, **conditions: Unpack[Conditions]) -> Connections:
        """The connection table, as far as it meets all conditions: see `lvs_py.Director.connections`."""
        return await _aside(self.director.connections, **conditions)

    async def connection_sums(self, **conditions: Unpack[Conditions]) -> ConnectionSums:
        """Counts of connections: see `lvs_py.Director.connection_sums`."""
        return await _aside(self.director.connection_sums, **conditions)

    async def plan(
        self,
        wanted: TableLike,
        *,
        scope: Scope | None = None,
        allow_empty: bool = False,
        check: bool = True,
        allow: Iterable[OperationKind] | None = None,
    ) -> Plan:
        """The steps from what the director holds now to a table: see `lvs_py.Director.plan`."""
        return await _aside(self.director.plan, wanted, scope=scope, allow_empty=allow_empty, check=check, allow=allow)

    async def apply_plan(self, plan: Plan, *, undo: bool | Literal["service"] = False) -> Outcome:
        """Carries a plan out: see `lvs_py.Director.apply_plan`."""
        return await _aside(self.director.apply_plan, plan, undo=undo)

    async def reconcile(
        self,
        wanted: TableLike,
        *,
        scope: Scope | None = None,
        undo: bool | Literal["service"] = False,
        allow_empty: bool = False,
        check: bool = True,
        allow: Iterable[OperationKind] | None = None,
    ) -> Outcome:
        """Puts a table in force: see `lvs_py.Director.reconcile`."""
        return await _aside(
            self.director.reconcile,
            wanted,
            scope=scope,
            undo=undo,
            allow_empty=allow_empty,
            check=check,
            allow=allow,
        )

    async def drain(
        self,
        service: ServiceLike | None = None,
        destination: DestinationLike | None = None,
        *,
        real_server: Address | None = None,
        wait_for: WaitFor | None = None,
        deadline: float | timedelta | None = None,
        remove: bool = True,
        interval: float | timedelta = 1.0,
        progress: Callable[[DrainProgress], object] | None = None,
    ) -> DrainProgress:
        """Takes a server out without cutting a connection: see `lvs_py.Director.drain`.

        Cancelling the task at any moment puts the weights back, before the cancellation is raised. `progress` may be a
        coroutine function.
        """
        drain = Drain(
            service, destination, real_server=real_server, wait_for=wait_for, deadline=deadline, remove=remove
        )
        looks = DrainRun(self.director._handle, drain)
        try:
            while True:
                look = await _to_its_end(lambda: looks.step(self.director._now()))
                if progress is not None:
                    shown = progress(look)
                    if inspect.isawaitable(shown):
                        await shown
                if look.done:
                    return look
                if look.waiting:
                    await self._sleep(_seconds(interval))
        except BaseException:
            await _to_its_end(looks.cancel)
            raise

    async def watch(self, *, interval: float | timedelta = 2.0) -> AsyncIterator[Events]:
        """Looks again and again, and yields what has changed since the look before: see `lvs_py.Director.watch`."""
        watcher = Watcher()
        while True:
            yield await _aside(self.director._look, watcher)
            await self._sleep(_seconds(interval))

    async def events(self, *, interval: float | timedelta = 2.0, initial: bool = False) -> AsyncIterator[Event]:
        """What changes from now on, event by event; with `initial` first what is there already."""
        look = 0
        async for events in self.watch(interval=interval):
            if look or initial:
                for count, event in enumerate(events, 1):
                    yield event
                    if not count % PIECE:
                        await asyncio.sleep(0)
            look += 1

    async def keep_healthy(
        self,
        health: Health,
        probe: _Probe,
        *,
        interval: float | timedelta = 1.0,
        timeout: float | None = 5.0,
        concurrency: int = 256,
    ) -> AsyncGenerator[list[HealthChange], None]:
        """Probes every watched server each `interval` seconds, puts what `health` wants in force, yields what changed.

        `probe` is called with service and server and answers whether the server is up, or the weight that it asks for
        (0: no new connections). `OSError`, `EOFError`, `AssertionError`, the exceptions of other packages and taking
        longer than `timeout` seconds mean that it is down. Any other exception or answer, `None` included, is a fault
        of the probe, and running out of descriptors or memory one of this machine: both are logged, and change nothing.

        A result is in force as soon as it is there. Who hangs delays nobody else; its next probe begins when this one
        has ended. At most `concurrency` probes run at once. A refused change is logged and tried again in the next
        round. Touches only watched services. Yields once a round.
        """
        loop = asyncio.get_running_loop()
        probing = Probing(health, probe, timeout, concurrency)
        try:
            while True:
                end = loop.time() + _seconds(interval)
                await probing.begin(await _aside(health.watched))
                changes = await _aside(lambda: health.tick(self.director._now()))
                while found := await probing.some(end - loop.time()):
                    more = await probing.report(found, await _aside(self.director._now))
                    changes += more
                    if more:
                        await self._enforce(health)
                await self._enforce(health)
                yield changes
                if isinstance(self.director, EmbeddedDirector):
                    await self._sleep(_seconds(interval))
                else:
                    await asyncio.sleep(max(0.0, end - loop.time()))
        finally:
            await probing.stop()

    async def _enforce(self, health: Health) -> None:
        """Puts in force what is wanted now, as far as the director takes it."""

        def plan() -> Plan:
            wanted = health.wanted(self.director._now())
            return self.director.plan(wanted, scope=health._scope(), allow_empty=True, check=False)

        outcome = await self.apply_plan(await _aside(plan))
        if outcome.interrupted is not None:
            raise outcome.interrupted
        for count, refusal in enumerate(outcome.refused, 1):
            logging.getLogger("lvs_py").warning("health: refused, to be tried again: %s", refusal.error)
            if not count % PIECE:
                await asyncio.sleep(0)

    async def _sleep(self, seconds: float) -> None:
        if isinstance(self.director, EmbeddedDirector):
            await _aside(self.director.advance, seconds)
        else:
            await asyncio.sleep(seconds)

    def __repr__(self) -> str:
        return f"<AsyncDirector of {self.director!r}>"


def kernel(
    namespace: str | int | os.PathLike[str] | None = None,
    *,
    transport: Transport = "netlink",
    load_module: bool = False,
    timeout: float | timedelta | None = None,
) -> AsyncDirector:
    """The running kernel's director: see `lvs_py.Director.kernel`."""
    return AsyncDirector(Director.kernel(namespace, transport=transport, load_module=load_module, timeout=timeout))


def embedded(**options: Unpack[EmbeddedOptions]) -> AsyncDirector:
    """A director in this process; takes what `lvs_py.Director.embedded` takes. What waits moves its clock."""
    return AsyncDirector(Director.embedded(**options))
