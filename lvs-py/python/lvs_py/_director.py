"""The directors: the running kernel's table, and the embedded one in this process."""

from __future__ import annotations

from . import exceptions
from ._batch import Batch
from ._live import LiveServices, Sysctls
from ._log import changed, enabled
from ._lvs import (
    ConnectionFilter,
    Drain,
    Handle,
    Operation,
    Plan,
    Service,
    Timeouts,
    Watcher,
    _plan,
    _reconcile,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import timedelta
    from types import TracebackType
    from typing import Any, Literal, TypeVar

    from typing_extensions import Unpack

    from . import procfs
    from ._lvs import (
        BatchReport,
        Connections,
        ConnectionSums,
        Daemon,
        Destination,
        Destinations,
        DrainProgress,
        Events,
        Info,
        Outcome,
        Scope,
        Snapshot,
        Stats,
        Verdict,
    )
    from .procfs import CpuStats, Helper
    from .typing import (
        Address,
        Conditions,
        DestinationLike,
        OperationKind,
        Profile,
        ProtocolLike,
        RoleLike,
        Seconds,
        ServiceLike,
        TableLike,
        Transport,
        WaitFor,
    )

    _D = TypeVar("_D", bound="Director")

__all__ = ["Director", "EmbeddedDirector", "KernelDirector"]


def _seconds(interval: float | timedelta) -> float:
    from datetime import timedelta

    span = interval if isinstance(interval, timedelta) else _span("interval", interval, {})
    if span < timedelta(0):
        raise exceptions.InvalidInputError(f"argument 'interval': {interval!r} is no time from 0 on")
    return span.total_seconds()


def _span(argument: str, seconds: float | timedelta, units: dict[str, float]) -> timedelta:
    from datetime import timedelta

    try:
        return (seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds)) + timedelta(**units)
    except (OverflowError, ValueError) as error:
        given = ", ".join([repr(seconds), *(f"{name}={value!r}" for name, value in units.items())])
        raise exceptions.InvalidInputError(f"argument '{argument}': {given} is no time: {error}") from error


def _names(argument: str, names: Iterable[str] | None) -> list[str] | None:
    if isinstance(names, str):
        raise TypeError(f"argument '{argument}': {names!r} is one text: give a list, [{names!r}]")
    return None if names is None else list(names)


def _interfaces(given: Mapping[str, int] | None) -> dict[str, int] | None:
    try:
        return None if given is None else dict(given)
    except ValueError as error:
        raise TypeError(f"argument 'interfaces': {error}: give a mapping of names to longest packets") from error


def _log_outcome(outcome: Outcome) -> None:
    changed(step.operation for step in outcome.done)
    if outcome.undone:
        changed(f"undone: {step.operation}" for step in reversed(outcome.done))


class Director:
    """A holder of an IPVS table: the running kernel, or an embedded director.

    Open one with `Director.kernel` or `Director.embedded`. Both answer alike, so a program that was tested on the
    embedded director runs unchanged on the kernel.

    A director is a context manager, can be closed twice, and can be shared by threads: calls take turns, and the
    interpreter is free for other threads during each. A kernel's director belongs to the process that opened it: after
    a fork the child opens its own.

    ```python
    from lvs_py import Destination, Director, Service

    service = Service.tcp("192.0.2.1", 80, scheduler="wrr", persistence=300)
    with Director.embedded() as director:
        director.add_service(service)
        director.add_destination(service, Destination("198.51.100.7", 80, weight=2))
        [entry] = director.services["tcp://192.0.2.1:80"].destinations.values()
        assert entry.weight == 2 and entry.active == 0
    ```
    """

    __slots__ = ("__weakref__", "_handle")

    def __init__(self, handle: Handle | None = None) -> None:
        if not isinstance(handle, Handle):
            raise TypeError("open a director with Director.kernel() or Director.embedded()")
        self._handle = handle

    @staticmethod
    def kernel(
        namespace: str | int | os.PathLike[str] | None = None,
        *,
        transport: Transport = "netlink",
        load_module: bool = False,
        timeout: float | timedelta | None = None,
    ) -> KernelDirector:
        """The running kernel's director. Needs CAP_NET_ADMIN.

        `namespace` is another network namespace than the caller's: a name of ``ip netns``, a process id, or a path
        such as ``/proc/1/ns/net``. `transport` is ``"netlink"``, which can say everything, ``"sockopt"``, the old
        socket options (IPv4 only, and much faster to read), or ``"auto"``. With `load_module` the kernel loads
        ``ip_vs`` if it is missing. An answer that takes longer than `timeout` seconds (60 by default) raises.

        Raises `UnsupportedError` when the kernel has no IPVS, `PermissionDeniedError` without the privilege.
        """
        where: dict[str, Any] = {}
        if isinstance(namespace, bool):
            raise TypeError(f"argument 'namespace': {namespace!r} is no name, process id or path")
        if isinstance(namespace, int):
            where["pid"] = namespace
        elif isinstance(namespace, str) and "/" not in namespace:
            where["namespace"] = namespace
        elif namespace is not None:
            where["path"] = namespace
        handle = Handle.kernel(transport=transport, load_module=load_module, timeout=timeout, **where)
        return KernelDirector(handle)

    @staticmethod
    def embedded(
        *,
        profile: Profile = "new",
        seed: int = 0,
        connection_table_size: int | None = None,
        schedulers: Iterable[str] | None = None,
        engines: Iterable[str] | None = None,
        interfaces: Mapping[str, int] | None = None,
        local_addresses: Iterable[Address] | None = None,
        ipv6: bool = True,
        ftp_helper: bool = False,
    ) -> EmbeddedDirector:
        """A director in this process, empty: for tests, simulations and dry runs. Needs no privilege.

        Time stands still until `EmbeddedDirector.advance` moves it. By default it does as a kernel 6.12 with
        all schedulers, IPv6 and the interfaces ``lo`` and ``eth0``. `profile` is ``"old"`` for kernels before 6.1.183
        and 6.12.104, ``"linux7"`` from 7.1 on; `seed` is that of all chance; `interfaces` maps names to their longest
        packets; `local_addresses` are further addresses of the machine, with their networks. `ftp_helper` is whether
        the kernel has loaded ``ip_vs_ftp``.
        """
        return EmbeddedDirector(
            Handle.embedded(
                profile=profile,
                seed=seed,
                connection_table_size=connection_table_size,
                schedulers=_names("schedulers", schedulers),
                engines=_names("engines", engines),
                interfaces=_interfaces(interfaces),
                local_addresses=None if local_addresses is None else list(local_addresses),
                ipv6=ipv6,
                ftp_helper=ftp_helper,
            )
        )

    # Reads.

    @property
    def services(self) -> LiveServices:
        """The services, as a mapping that asks the director at every look."""
        return LiveServices(self._handle)

    def destinations(self, service: ServiceLike) -> Destinations:
        """The destinations of a service, as a mapping; the one added last comes first."""
        return self._handle.destinations(service)

    def snapshot(self) -> Snapshot:
        """Everything at once: services, destinations, statistics, timeouts, daemons."""
        return self._handle.snapshot()

    def info(self) -> Info:
        """Version and size of the connection table."""
        return self._handle.info()

    def timeouts(self) -> Timeouts:
        """The timeouts of connections."""
        return self._handle.timeouts()

    def totals(self) -> Stats:
        """Sums and rates of the whole director, as in ``/proc/net/ip_vs_stats``; a kernel refreshes them every 2 s."""
        return self._handle.totals()

    def status(self) -> procfs.Status:
        """How full the tables are, as in ``/proc/net/ip_vs_status``: of kernels from 7.1 on, and embedded directors."""
        from . import procfs

        return procfs._status(self._handle.status())

    def profile(self) -> Profile:
        """Which behaviour of the kernel it has: ``"old"``, ``"new"`` or ``"linux7"``.

        The running kernel is asked, not judged by its version; in a namespace without services that may take a service
        made for that moment, of firewall mark 4294967295.
        """
        return self._handle.profile()

    def daemons(self) -> tuple[Daemon, ...]:
        """The running sync daemons, the master first."""
        return self._handle.daemons()

    @property
    def sysctls(self) -> Sysctls:
        """The tunables below ``net.ipv4.vs``, as a mapping that reads and writes."""
        return Sysctls(self._handle)

    # Changes.

    def execute(self, operation: Operation) -> None:
        """Carries out one operation."""
        self._handle.execute(operation)
        changed([operation])

    def apply(self, operations: Iterable[Operation], *, stop_on_refusal: bool = False) -> BatchReport:
        """Carries out operations in order, in as few system calls as it can, and reports on each.

        Does not raise for refused operations: see `BatchReport.refused`, or call
        `BatchReport.raise_for_failures`. With `stop_on_refusal` nothing is done after the first refusal, which
        costs a system call an operation.
        """
        if not enabled():
            return self._handle.apply(operations, stop_on_refusal)
        operations = list(operations)
        report = self._handle.apply(operations, stop_on_refusal)
        refused = {refusal.index for refusal in report.refused}
        changed(operations[at] for at in range(report.answered) if at not in refused)
        return report

    def batch(self, *, stop_on_refusal: bool = False) -> Batch:
        """Collects changes in a `with` block and applies them at its end.

        ```python
        import lvs_py

        with lvs_py.Director.embedded() as director:
            with director.batch() as batch:
                batch.add_service("tcp://192.0.2.1:80")
                batch.add_destination("tcp://192.0.2.1:80", "198.51.100.7:80")
            assert batch.report.complete
        ```
        """
        return Batch(self, stop_on_refusal=stop_on_refusal)

    def add_service(self, service: Service | ServiceLike) -> None:
        """Adds a virtual service. Raises `AlreadyExistsError`, `UnsupportedError` for an unknown scheduler."""
        self.execute(Operation.add_service(service))

    def update_service(self, service: Service | ServiceLike) -> None:
        """Replaces scheduler, flags, timeout, netmask and engine of a service."""
        self.execute(Operation.update_service(service))

    def remove_service(self, service: ServiceLike) -> None:
        """Removes a service and its destinations. Raises `NotFoundError`."""
        self.execute(Operation.remove_service(service))

    def add_destination(self, service: ServiceLike, destination: Destination | DestinationLike) -> None:
        """Adds a destination to a service. Raises `NotFoundError`, `AlreadyExistsError`."""
        self.execute(Operation.add_destination(service, destination))

    def update_destination(self, service: ServiceLike, destination: Destination | DestinationLike) -> None:
        """Replaces everything of a destination but its address and port. Raises `NotFoundError`."""
        self.execute(Operation.update_destination(service, destination))

    def remove_destination(self, service: ServiceLike, destination: DestinationLike) -> None:
        """Removes a destination from a service at once; see `drain` for doing it gently. Raises `NotFoundError`."""
        self.execute(Operation.remove_destination(service, destination))

    def set_timeouts(
        self, *, tcp: Seconds | None = None, tcp_fin: Seconds | None = None, udp: Seconds | None = None
    ) -> None:
        """Sets timeouts of connections, in seconds; None (or 0, in the kernel) leaves one as it is."""
        self.execute(Operation.set_timeouts(Timeouts(tcp=tcp or 0, tcp_fin=tcp_fin or 0, udp=udp or 0)))

    def start_daemon(self, daemon: Daemon) -> None:
        """Starts a sync daemon."""
        self.execute(Operation.start_daemon(daemon))

    def stop_daemon(self, role: RoleLike) -> None:
        """Stops the sync daemon of a role: "master" or "backup"."""
        self.execute(Operation.stop_daemon(role))

    def zero(self, service: ServiceLike | None = None) -> None:
        """Zeroes the counters of a service and its destinations, or of all."""
        self.execute(Operation.zero(service))

    def flush(self) -> None:
        """Removes all services."""
        self.execute(Operation.flush())

    # Connections.

    def connections(self, **conditions: Unpack[Conditions]) -> Connections:
        """The connection table, templates included, as far as it meets all conditions.

        Conditions: `service`, `destination` (address and port), `real_server` (an address), `client` (an address or
        network, such as ``"203.0.113.0/24"``), `protocol`, `state`, `templates` (True: only, False: none), `origin`
        (which the kernel tells in another file, one without the data of persistence engines), `min_expires` and
        `max_expires` in seconds.

        The filter runs while the table is read, so what does not pass costs nothing; objects of Python are made only
        of what is looked at.
        """
        return self._handle.connections(ConnectionFilter(**conditions))

    def connection_sums(self, **conditions: Unpack[Conditions]) -> ConnectionSums:
        """Counts of connections by target, destination and state, without keeping a single one.

        Takes the conditions of `connections`.
        """
        return self._handle.connection_sums(ConnectionFilter(**conditions))

    # From what is to what should be.

    def plan(
        self,
        wanted: TableLike,
        *,
        scope: Scope | None = None,
        allow_empty: bool = False,
        check: bool = True,
        allow: Iterable[OperationKind] | None = None,
    ) -> Plan:
        """The smallest ordered list of steps from what the director holds now to a table; touches nothing.

        A table without services that would remove everything in the scope is an `InvalidInputError` unless
        `allow_empty`, and so is what cannot work (see `lvs_py.lint`), or a scheduler that the director does not have,
        unless `check` is false. With `allow`, only operations of those kinds are planned; the others are in
        `Plan.withheld`.
        """
        return _plan(self._handle, wanted, scope, allow_empty, check, allow)

    def apply_plan(self, plan: Plan, *, undo: bool | Literal["service"] = False) -> Outcome:
        """Carries a plan out, one batch a phase.

        A refused step holds up what depends on it and nothing else: in its service nothing is removed when something
        could not be added, other services go on. With `undo` all steps done are then undone and nothing further is
        begun; with "service" those of the same service are undone. Does not raise for refused steps: see
        `Outcome.refused`.
        """
        if not isinstance(plan, Plan):
            raise TypeError(f"argument 'plan': {type(plan).__name__} is no Plan: `reconcile` takes tables")
        outcome = plan._apply(self._handle, undo)
        _log_outcome(outcome)
        return outcome

    def reconcile(
        self,
        wanted: TableLike,
        *,
        scope: Scope | None = None,
        undo: bool | Literal["service"] = False,
        allow_empty: bool = False,
        check: bool = True,
        allow: Iterable[OperationKind] | None = None,
    ) -> Outcome:
        """Puts a table in force: reads what is there, plans the difference and applies it: see `plan`, `apply_plan`.

        Never empties the table on the way, and can be run again after any interruption. Raises `PlanError` if the
        director refuses a step.

        ```python
        import lvs_py

        wanted = lvs_py.Table({"tcp://192.0.2.1:80": ["198.51.100.7:80", "198.51.100.8:80"]})
        with lvs_py.Director.embedded() as director:
            outcome = director.reconcile(wanted)
            assert [str(step) for step in outcome.done][1] == "+ tcp://192.0.2.1:80 -> 198.51.100.7:80 weight 1 direct"
            assert not director.plan(wanted)  # nothing left to do
        ```
        """
        outcome = _reconcile(self._handle, wanted, scope, undo, allow_empty, check, allow)
        _log_outcome(outcome)
        outcome.raise_for_failures()
        return outcome

    def drain(
        self,
        service: ServiceLike | None = None,
        destination: DestinationLike | None = None,
        *,
        real_server: Address | None = None,
        wait_for: WaitFor | None = None,
        deadline: float | timedelta | None = None,
        remove: bool = True,
        interval: float | timedelta = 1.0,
        sleep: Callable[[float], object] | None = None,
        progress: Callable[[DrainProgress], object] | None = None,
    ) -> DrainProgress:
        """Takes a destination, a whole service, or a real server out of all services, without cutting a connection.

        Sets the weight to 0, waits for connections to end, then removes. By default waits for active connections of
        TCP and SCTP and not for UDP; `wait_for` says otherwise. After `deadline` seconds what is left is cut, and
        `DrainProgress.cut` says what that was. If `sleep` or `progress` raises (Ctrl-C, say), the weights go back.

        `sleep` waits between two looks: `time.sleep` on a kernel, the clock of an embedded director there.
        """
        from ._drain import run

        return run(
            self,
            Drain(
                service,
                destination,
                real_server=real_server,
                wait_for=wait_for,
                deadline=deadline,
                remove=remove,
            ),
            _seconds(interval),
            sleep or self._sleeper(),
            progress,
        )

    def watch(
        self, *, interval: float | timedelta = 2.0, sleep: Callable[[float], object] | None = None
    ) -> Iterator[Events]:
        """Looks again and again, and yields what has changed since the look before; at the first look all is new.

        The kernel sends no notifications, and its counters move every two seconds. Nine looks in ten read what may
        have changed: what these miss, `Watcher.look` says.
        """
        sleep = sleep or self._sleeper()
        watcher = Watcher()
        seconds = _seconds(interval)
        while True:
            yield self._look(watcher)
            sleep(seconds)

    def _look(self, watcher: Watcher) -> Events:
        return watcher.look(self, self._now())

    # The time that goes with a director: here this machine's, of an embedded one its own.

    def _now(self) -> timedelta:
        import time
        from datetime import timedelta

        return timedelta(seconds=time.monotonic())

    def _sleeper(self) -> Callable[[float], object]:
        import time

        return time.sleep

    # Life.

    def close(self) -> None:
        """Closes the director; any further use raises `ClosedError`. Closing it again does nothing."""
        self._handle.close()

    @property
    def closed(self) -> bool:
        """Whether the director was closed, or belongs to another process."""
        return self._handle.closed()

    def __enter__(self: _D) -> _D:
        if self.closed:
            raise exceptions.ClosedError("the director is closed")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = " (closed)" if self.closed else ""
        return f"<{type(self).__name__}{state}>"

    def _repr_html_(self) -> str:
        from . import _html

        return repr(self) if self.closed else _html.snapshot(self.snapshot())


class KernelDirector(Director):
    """The running kernel's table. Open it with `Director.kernel`."""

    __slots__ = ()

    def cpu_totals(self) -> CpuStats:
        """What each processor has counted, from ``ip_vs_stats_percpu`` of the director's network namespace."""
        from .procfs import read_cpu_stats

        return read_cpu_stats(self._handle.read_file("ip_vs_stats_percpu"))

    def helpers(self) -> tuple[Helper, ...]:
        """The ports on which application helpers (FTP) look into the traffic of the director's network namespace."""
        from .procfs import read_helpers

        return read_helpers(self._handle.read_file("ip_vs_app"))


class EmbeddedDirector(Director):
    """IPVS embedded in this process, with a clock that moves when told to.

    ```python
    from datetime import timedelta
    import lvs_py

    with lvs_py.Director.embedded() as director:
        director.advance(hours=24)
        assert director.now() == timedelta(days=1)
    ```
    """

    __slots__ = ()

    def now(self) -> timedelta:
        """Time since the director was made."""
        return self._handle.now()

    def advance(self, by: float | timedelta = 0, /, **units: float) -> None:
        """Moves the clock, and does all that falls due on the way, in its order.

        Takes seconds, a `timedelta`, or what `timedelta` takes by name: ``advance(minutes=15)``.
        """
        from datetime import timedelta

        step = _span("by", by, units)
        if step < timedelta(0):
            raise exceptions.InvalidInputError("time does not go back")
        self._handle.advance(step)

    def _now(self) -> timedelta:
        return self.now()

    def _sleeper(self) -> Callable[[float], object]:
        return self.advance

    def connect(
        self, client: DestinationLike, target: DestinationLike, *, protocol: ProtocolLike = "tcp", mark: int = 0
    ) -> Verdict:
        """Opens a connection: the handshake of TCP or SCTP, one datagram of UDP. Says what became of its first packet.

        `client` and `target` are addresses with ports: ``"203.0.113.9:40000"``, ``"192.0.2.1:80"``.

        ```python
        import lvs_py

        with lvs_py.Director.embedded() as director:
            director.add_service("tcp://192.0.2.1:80")
            director.add_destination("tcp://192.0.2.1:80", "198.51.100.7:80")
            verdict = director.connect("203.0.113.9:40000", "192.0.2.1:80")
            assert str(verdict) == "to 198.51.100.7:80 (direct): the scheduler chose it"
            assert len(director.connections(state="ESTABLISHED")) == 1
        ```
        """
        return self._handle.open_flow(client, target, protocol, mark)

    def send(
        self,
        client: DestinationLike,
        target: DestinationLike,
        *,
        protocol: ProtocolLike = "tcp",
        mark: int = 0,
        length: int = 1500,
    ) -> Verdict:
        """One more packet of a connection, of so many bytes with its IP header."""
        return self._handle.send_flow(client, target, protocol, mark, length)

    def disconnect(
        self, client: DestinationLike, target: DestinationLike, *, protocol: ProtocolLike = "tcp", mark: int = 0
    ) -> None:
        """Closes a connection, the client first. UDP has no end but its timeout."""
        self._handle.close_flow(client, target, protocol, mark)

    def receive(
        self,
        source: DestinationLike,
        destination: DestinationLike,
        *,
        protocol: ProtocolLike = "tcp",
        flags: str | None = None,
        from_server: bool = False,
        mark: int = 0,
        length: int | None = None,
        icmp_error: bool = False,
        tracked: bool | None = None,
    ) -> Verdict:
        """Takes a single packet and says what becomes of it.

        `flags` are those of TCP by their letters (``"S"``, ``"SA"``, ``"FA"``, ``"R"``; ``"S"`` by default), of SCTP
        the name of a chunk (``"init"`` by default). `icmp_error` makes it an ICMP error about a packet of the other
        side that carried `protocol`. `tracked` is whether it belongs to a connection that netfilter has confirmed,
        where that is known.
        """
        return self._handle.receive(
            source, destination, protocol, flags, from_server, mark, length, icmp_error, tracked
        )

    def set_available_pages(self, pages: int) -> None:
        """Tells the director how much memory the machine has to spare, in pages; it looks at it once a second.

        Only the automatic modes of ``drop_entry``, ``drop_packet`` and ``secure_tcp`` depend on it.
        """
        self._handle.set_available_pages(pages)
