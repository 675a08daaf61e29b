"""The native half of the package: private, use `lvs_py` instead."""

import os
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, Sequence, ValuesView
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Any, Literal, Self, TypeAlias, TypedDict, TypeVar, final, overload, type_check_only

from typing_extensions import CapsuleType, Unpack, disjoint_base

from ._director import Director
from .enums import (
    AddressFamily,
    ConnectionOrigin,
    ConnectionState,
    DaemonRole,
    ForwardingMethod,
    Protocol,
    ServiceFlags,
    TunnelFlags,
    TunnelKind,
)
from .exceptions import Diagnostic, LvsError
from .typing import (
    Address,
    Conditions,
    DestinationLike,
    Dialect,
    EventKind,
    FamilyLike,
    ForwardingLike,
    HealthChangeKind,
    IPAddress,
    ListingMode,
    NetmaskLike,
    OperationAction,
    OperationKind,
    Phase,
    Profile,
    ProtocolLike,
    RoleLike,
    Seconds,
    ServiceLike,
    TableLike,
    Transport,
    TunnelLike,
    VerdictAction,
    WaitFor,
    WorkloadChangeKind,
)

_T = TypeVar("_T")
_Column: TypeAlias = memoryview[int] | list[str] | list[str | None] | list[int | None] | list[bool]

@type_check_only
class _Recorded:
    def to_dict(self) -> dict[str, Any]:
        """Dictionaries, lists, texts and numbers, as the JSON schema has them."""
    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """The value that `to_dict` has written."""
    def to_json(self) -> str:
        """One line of JSON, the same in every language of this library."""
    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The value that `to_json` has written, from text or bytes."""

@type_check_only
class _ConnectionFields(TypedDict, total=False):
    protocol: ProtocolLike
    client: DestinationLike
    target: DestinationLike | None
    mark: int | None
    mark_port: int
    destination: DestinationLike
    state: ConnectionState | str
    unknown_state: str | None
    expires: int
    origin: ConnectionOrigin | str | None
    engine: str | None
    engine_data: bytes | None

@type_check_only
class _CountersFields(TypedDict, total=False):
    connections: int
    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int

@type_check_only
class _DaemonFields(TypedDict, total=False):
    role: RoleLike
    interface: str
    sync_id: int
    max_len: int | None
    group: Address | None
    port: int | None
    ttl: int | None

@type_check_only
class _DestinationFields(TypedDict, total=False):
    address: Address | DestinationLike
    port: int | None
    forwarding: ForwardingLike | None
    weight: int | None
    upper_threshold: int | None
    lower_threshold: int | None
    tunnel: TunnelLike | dict[str, Any] | None

@type_check_only
class _DestinationEntryFields(TypedDict, total=False):
    destination: Destination | dict[str, Any]
    active: int
    inactive: int
    persistent: int
    stats: Stats | dict[str, Any] | None
    stats64: Stats | dict[str, Any] | None

@type_check_only
class _DestinationKeyFields(TypedDict, total=False):
    address: Address | DestinationLike
    port: int | None

@type_check_only
class _InfoFields(TypedDict, total=False):
    version: str
    connection_table_size: int

@type_check_only
class _RatesFields(TypedDict, total=False):
    connections: int
    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int

@type_check_only
class _ServiceFields(TypedDict, total=False):
    key: ServiceLike
    scheduler: str | None
    persistence: Seconds | bool | None
    netmask: NetmaskLike | None
    engine: str | None
    one_packet: bool
    flags: ServiceFlags | int | None
    timeout: Seconds | None

@type_check_only
class _ServiceEntryFields(TypedDict, total=False):
    service: Service | ServiceLike | dict[str, Any]
    destinations: Iterable[DestinationEntry | Destination | str | dict[str, Any]] | None
    stats: Stats | dict[str, Any] | None
    stats64: Stats | dict[str, Any] | None

@type_check_only
class _ServiceKeyFields(TypedDict, total=False):
    key: ServiceLike | None
    protocol: ProtocolLike | None
    address: Address | None
    port: int | None
    mark: int | None
    family: FamilyLike | None

@type_check_only
class _SnapshotFields(TypedDict, total=False):
    services: Iterable[ServiceEntry | dict[str, Any]] | None
    timeouts: Timeouts | dict[str, Any] | None
    daemons: Iterable[Daemon | dict[str, Any]] | None
    info: Info | dict[str, Any] | None
    incomplete: Iterable[FamilyLike] | None

@type_check_only
class _StatsFields(TypedDict, total=False):
    counters: Counters | dict[str, Any] | None
    rates: Rates | dict[str, Any] | None

@type_check_only
class _TableFields(TypedDict, total=False):
    services: TableLike | Sequence[dict[str, Any]] | None
    timeouts: Timeouts | dict[str, Any] | None
    daemons: Iterable[Daemon | dict[str, Any]] | None

@type_check_only
class _TableServiceFields(TypedDict, total=False):
    service: Service | ServiceLike | dict[str, Any]
    destinations: Iterable[Destination | DestinationLike | dict[str, Any]] | None

@type_check_only
class _TimeoutsFields(TypedDict, total=False):
    tcp: Seconds | None
    tcp_fin: Seconds | None
    udp: Seconds | None

@type_check_only
class _TunnelFields(TypedDict, total=False):
    kind: TunnelKind | int | Literal["ipip", "gue", "gre"] | None
    port: int | None
    flags: TunnelFlags | int | None

@final
class Balancer:
    """Destinations and the scheduler that chooses among them, making the very choices that the kernel makes.

    It knows no connections: `pick` only says which destination the next one would get, `connect` counts it, too.
    """
    def __new__(
        cls,
        scheduler: str,
        destinations: Iterable[Destination | DestinationLike] | None = None,
        *,
        family: FamilyLike | None = None,
        flags: ServiceFlags | int | None = None,
        seed: int = 0,
        profile: Profile = "new",
    ) -> Self: ...
    def add(self, destination: Destination | DestinationLike) -> None:
        """Adds a destination at the head of the list, as the kernel does."""
    def remove(self, destination: DestinationLike) -> None:
        """Takes a destination off the list."""
    def set_weight(self, destination: DestinationLike, weight: int) -> None:
        """Sets the weight of a destination."""
    def pick(
        self,
        client: DestinationLike | None = None,
        target: DestinationLike | None = None,
        *,
        protocol: ProtocolLike | None = None,
    ) -> DestinationKey | None:
        """The destination that the next connection would get, None if none may have it. Counts nothing."""
    def connect(
        self,
        client: DestinationLike | None = None,
        target: DestinationLike | None = None,
        *,
        protocol: ProtocolLike | None = None,
        active: bool = True,
    ) -> DestinationKey | None:
        """Picks the destination of a connection and counts it there: active if `active`, else inactive."""
    def disconnect(self, destination: DestinationLike, *, active: bool = True) -> None:
        """A connection of a destination is gone."""
    def advance(self, by: float | timedelta) -> None:
        """Moves the clock, which only lblc and lblcr look at, by seconds."""
    @property
    def connections(self) -> dict[DestinationKey, tuple[int, int]]:
        """Active and inactive connections of each destination, head of the list first."""
    @property
    def scheduler(self) -> str:
        """The scheduler's name."""

@final
class BatchReport(_Recorded):
    """What came of a batch: enough to know the table that is now in force."""
    def __bool__(self) -> bool: ...
    def __len__(self) -> int: ...
    def raise_for_failures(self) -> None:
        """Raises what went wrong: nothing if complete, else a BatchError."""
    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The refused operations, in order: they changed nothing, all others that were answered took effect."""
    @property
    def interrupted(self) -> LvsError | None:
        """What broke the way to the director, if something did: operations from `answered` to `sent` may or may not have
        taken effect.
        """
    @property
    def complete(self) -> bool:
        """Whether every operation took effect."""
    @property
    def applied(self) -> int:
        """How many operations took effect for certain."""
    @property
    def sent(self) -> int:
        """How many operations were sent."""
    @property
    def answered(self) -> int:
        """How many operations the director has answered, from the first on."""

@final
class Change:
    """What an event did to the clients."""
    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
    @property
    def time(self) -> timedelta:
        """When."""
    @property
    def kind(self) -> WorkloadChangeKind:
        """What happened: "fail", "drain", "return" or "weight"."""
    @property
    def server(self) -> DestinationKey:
        """The server it happened to."""
    @property
    def weight(self) -> int | None:
        """The new weight, of "weight"."""
    @property
    def broken(self) -> int:
        """Sessions that broke."""
    @property
    def returning(self) -> int:
        """Clients that had been there before and came again before the next event."""
    @property
    def moved_of_necessity(self) -> int:
        """Of those, who found another server than the last time because theirs took no more."""
    @property
    def moved_without_need(self) -> int:
        """Of those, who found another server although theirs was still there."""
    def __eq__(self, other: object, /) -> bool: ...

@final
class Columns:
    """Rows as columns: Arrow's memory layout, and a mapping from names to columns.

    `polars.DataFrame`, `pyarrow.table`, `duckdb` and `pandas.DataFrame.from_arrow` take the whole through Arrow's C
    interface without a copy. A column of numbers by its name is a `memoryview`, any other a list, in which `None` is what
    is missing.
    """
    def __iter__(self) -> Iterator[str]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: str, /) -> _Column: ...
    def __contains__(self, key: object, /) -> bool: ...
    def keys(self) -> KeysView[str]:
        """The names of the columns."""
    def values(self) -> ValuesView[_Column]:
        """The columns."""
    def items(self) -> ItemsView[str, _Column]:
        """Names with columns."""
    def to_dict(self) -> dict[str, _Column]:
        """A plain dictionary of the columns."""
    def formats(self) -> dict[str, str | None]:
        """The formats of the columns: those of `struct` for numbers, None for lists."""
    def to_numpy(self) -> dict[str, Any]:
        """A NumPy array for each column of numbers, a list for each other."""
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """What NumPy makes of the whole: a structured array, which `pandas.DataFrame` reads, too."""
    def to_pandas(self) -> Any:
        """A `pandas.DataFrame`, through Arrow where pandas reads that."""
    def to_polars(self) -> Any:
        """A `polars.DataFrame`."""
    def to_arrow(self) -> Any:
        """A `pyarrow.Table`."""
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> CapsuleType:
        """Arrow's C stream, of one batch."""
    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[CapsuleType, CapsuleType]:
        """Arrow's C array: the rows as structures, with their schema."""
    def __arrow_c_schema__(self) -> CapsuleType:
        """Arrow's C schema."""
    @property
    def rows(self) -> int:
        """How many rows there are."""

@final
class Connection(_Recorded):
    """One entry of the connection table: a connection, or a persistence template."""

    __match_args__ = ("protocol", "client", "destination", "state")
    def __new__(
        cls,
        protocol: ProtocolLike,
        client: DestinationLike,
        *,
        target: DestinationLike | None = None,
        mark: int | None = None,
        mark_port: int = 0,
        destination: DestinationLike,
        state: ConnectionState | str,
        unknown_state: str | None = None,
        expires: int = 0,
        origin: ConnectionOrigin | str | None = None,
        engine: str | None = None,
        engine_data: bytes | None = None,
    ) -> Self: ...
    def replace(self, **changes: Unpack[_ConnectionFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_ConnectionFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def mark_port(self) -> int:
        """The port that the kernel shows beside a mark: 0, but 65535 of a template that a kernel before 7.1 has invalidated."""
    @property
    def destination(self) -> DestinationKey:
        """The real server."""
    @property
    def unknown_state(self) -> str | None:
        """The kernel's word for a state that this library does not know, else None."""
    @property
    def state_name(self) -> str:
        """The name of the state as the kernel prints it, known or not."""
    @property
    def is_invalid_template(self) -> bool:
        """Whether it is a template that the kernel has invalidated: it only runs out."""
    @property
    def origin(self) -> ConnectionOrigin | None:
        """Where it came from, None where the director does not say."""
    @property
    def protocol(self) -> Protocol:
        """The protocol; 0 of templates of firewall-mark services."""
    @property
    def target(self) -> DestinationKey | None:
        """The address and port that the client asked for, None of a firewall mark's template."""
    @property
    def client(self) -> DestinationKey:
        """The client's address and port; the port is 0 of a template."""
    @property
    def mark(self) -> int | None:
        """The firewall mark of a template, None of all else."""
    @property
    def template(self) -> bool:
        """Whether it is a persistence template rather than a connection."""
    @property
    def engine_data(self) -> bytes | None:
        """The raw data of the persistence engine: of `sip` the Call-ID."""
    @property
    def engine(self) -> str | None:
        """The persistence engine whose data it carries, if any."""
    @property
    def expires(self) -> int:
        """Whole seconds until it expires, 0 if overdue."""
    @property
    def state(self) -> ConnectionState:
        """The state."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class ConnectionFilter:
    """Which connections are meant."""
    def __new__(
        cls,
        *,
        service: ServiceLike | None = None,
        destination: DestinationLike | None = None,
        real_server: Address | None = None,
        client: Address | IPv4Network | IPv6Network | None = None,
        protocol: ProtocolLike | None = None,
        state: ConnectionState | str | None = None,
        templates: bool | None = None,
        origin: ConnectionOrigin | str | None = None,
        min_expires: int | None = None,
        max_expires: int | None = None,
    ) -> Self: ...
    def matches(self, connection: Connection) -> bool:
        """Whether a connection is meant."""

@final
class ConnectionSums(_Recorded):
    """Counts of connections by target, destination and state."""
    @property
    def total(self) -> StateCounts:
        """The counts of all."""
    @property
    def destinations(self) -> dict[DestinationKey, StateCounts]:
        """The counts of each destination over all targets, sorted by address and port."""
    @property
    def targets(self) -> dict[str, StateCounts]:
        """The counts of each target, sorted: by "tcp://192.0.2.1:80" or "fwmark:7" as text, since an entry does not name
        its service.
        """

@final
class Connections(Sequence[Connection]):
    """Connections as they were at one look: a sequence whose items are made when someone looks at them."""
    def __iter__(self) -> Iterator[Connection]: ...
    def __contains__(self, item: object, /) -> bool: ...
    def __reversed__(self) -> Iterator[Connection]: ...
    def index(self, item: object) -> int:  # type: ignore[override]
        """The place of the first one that is equal. Raises `ValueError` if none is."""
    def count(self, item: object) -> int:
        """How many are equal."""
    def to_dicts(self) -> list[dict[str, Any]]:
        """A list of dictionaries, as the JSON schema has them."""
    @staticmethod
    def from_dicts(rows: Iterable[Mapping[str, Any]]) -> Connections:
        """What `to_dicts` has written."""
    def to_json(self) -> str:
        """A list in one line of JSON."""
    @staticmethod
    def from_json(text: str | bytes) -> Connections:
        """What `to_json` has written, from text or bytes."""
    def __eq__(self, other: object, /) -> bool: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: int, /) -> Connection: ...
    @overload
    def __getitem__(self, key: slice, /) -> Connections: ...
    def filter(self, **conditions: Unpack[Conditions]) -> Connections:
        """Those that pass a filter, too; takes what `Director.connections` takes."""
    def sums(self) -> ConnectionSums:
        """Counts by target, destination and state."""
    def columns(self) -> Columns:
        """One row a connection, as columns."""
    def _repr_html_(self) -> str: ...

@final
class Counters(_Recorded):
    """Sums since the service or destination appeared or was zeroed."""

    __match_args__ = ("connections", "packets_in", "packets_out", "bytes_in", "bytes_out")
    def __new__(
        cls, *, connections: int = 0, packets_in: int = 0, packets_out: int = 0, bytes_in: int = 0, bytes_out: int = 0
    ) -> Self: ...
    def replace(self, **changes: Unpack[_CountersFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_CountersFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    def __add__(self, other: Counters, /) -> Counters: ...
    def __sub__(self, earlier: Counters, /) -> Counters: ...
    @property
    def packets_out(self) -> int:
        """Packets from real servers, as far as they pass the director."""
    @property
    def packets_in(self) -> int:
        """Packets from clients."""
    @property
    def bytes_in(self) -> int:
        """Bytes from clients, IP header included."""
    @property
    def bytes_out(self) -> int:
        """Bytes from real servers, IP header included."""
    @property
    def connections(self) -> int:
        """Connections scheduled."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Counters, /) -> bool: ...
    def __le__(self, other: Counters, /) -> bool: ...
    def __gt__(self, other: Counters, /) -> bool: ...
    def __ge__(self, other: Counters, /) -> bool: ...

@final
class Daemon(_Recorded):
    """A connection synchronisation daemon. What is None is the kernel's default when started, and filled in when read."""

    __match_args__ = ("role", "interface")
    def __new__(
        cls,
        role: RoleLike,
        interface: str,
        *,
        sync_id: int = 0,
        max_len: int | None = None,
        group: Address | None = None,
        port: int | None = None,
        ttl: int | None = None,
    ) -> Self: ...
    def replace(self, **changes: Unpack[_DaemonFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_DaemonFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def port(self) -> int | None:
        """The UDP port, 8848 by default."""
    @property
    def group(self) -> IPAddress | None:
        """The multicast group, 224.0.0.81 by default."""
    @property
    def ttl(self) -> int | None:
        """The multicast time to live, 1 by default."""
    @property
    def interface(self) -> str:
        """The interface that carries the multicast."""
    @property
    def sync_id(self) -> int:
        """Which daemons belong together: 0..=255; a backup with 0 takes all."""
    @property
    def role(self) -> DaemonRole:
        """The part it plays."""
    @property
    def max_len(self) -> int | None:
        """The longest payload of a message, in bytes."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Daemon, /) -> bool: ...
    def __le__(self, other: Daemon, /) -> bool: ...
    def __gt__(self, other: Daemon, /) -> bool: ...
    def __ge__(self, other: Daemon, /) -> bool: ...

@final
class Destination(_Recorded):
    """A destination (real server) as you configure it."""

    __match_args__ = ("address", "port")
    def __new__(
        cls,
        address: Address | DestinationLike,
        port: int | None = None,
        *,
        forwarding: ForwardingLike | None = None,
        weight: int | None = None,
        upper_threshold: int | None = None,
        lower_threshold: int | None = None,
        tunnel: TunnelLike | dict[str, Any] | None = None,
    ) -> Self: ...
    def replace(self, **changes: Unpack[_DestinationFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_DestinationFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def key(self) -> DestinationKey:
        """What identifies the destination."""
    @property
    def weight(self) -> int:
        """Its capacity against its neighbours'; 0 quiesces it: no new connections."""
    @property
    def port(self) -> int:
        """The real server's port; 0 keeps the one that the client asked for."""
    @property
    def forwarding(self) -> ForwardingMethod:
        """How packets reach it."""
    @property
    def address(self) -> IPAddress:
        """The real server's address."""
    @property
    def upper_threshold(self) -> int:
        """Connections at which it counts as overloaded, 0 for no limit."""
    @property
    def tunnel(self) -> Tunnel:
        """The encapsulation, used when it is forwarded to by a tunnel."""
    @property
    def lower_threshold(self) -> int:
        """Connections below which it counts as usable again, 0 for three quarters of the upper threshold."""
    @property
    def family(self) -> AddressFamily:
        """The address family of the real server."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Destination, /) -> bool: ...
    def __le__(self, other: Destination, /) -> bool: ...
    def __gt__(self, other: Destination, /) -> bool: ...
    def __ge__(self, other: Destination, /) -> bool: ...

@final
class DestinationEntry(_Recorded):
    """A destination as a director reports it: connections and statistics, too."""

    __match_args__ = ("destination", "active", "inactive")
    def __new__(
        cls,
        destination: Destination | dict[str, Any],
        *,
        active: int = 0,
        inactive: int = 0,
        persistent: int = 0,
        stats: Stats | dict[str, Any] | None = None,
        stats64: Stats | dict[str, Any] | None = None,
    ) -> Self: ...
    def replace(self, **changes: Unpack[_DestinationEntryFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_DestinationEntryFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def stats(self) -> Stats | None:
        """The 32-bit statistics, None where the director reports none."""
    @property
    def destination(self) -> Destination:
        """The destination as it is configured."""
    @property
    def statistics(self) -> Stats:
        """The widest statistics reported, all zero if there are none."""
    @property
    def port(self) -> int:
        """The real server's port."""
    @property
    def active(self) -> int:
        """Connections in an active state: established or on the way there."""
    @property
    def forwarding(self) -> ForwardingMethod:
        """How packets reach it."""
    @property
    def weight(self) -> int:
        """Its weight."""
    @property
    def persistent(self) -> int:
        """Persistence templates that point here."""
    @property
    def stats64(self) -> Stats | None:
        """The 64-bit statistics, None where the director reports none."""
    @property
    def address(self) -> IPAddress:
        """The real server's address."""
    @property
    def inactive(self) -> int:
        """All other connections; those of UDP always count here."""
    @property
    def key(self) -> DestinationKey:
        """What identifies it."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class DestinationKey:
    """What identifies a destination inside its service: address and port."""

    __match_args__ = ("address", "port")
    def __new__(cls, address: Address | DestinationLike, port: int | None = None) -> Self: ...
    def replace(self, **changes: Unpack[_DestinationKeyFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_DestinationKeyFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def address(self) -> IPAddress:
        """The real server's address."""
    @property
    def port(self) -> int:
        """The real server's port; 0 keeps the one that the client asked for."""
    @property
    def family(self) -> AddressFamily:
        """The address family."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: DestinationKey, /) -> bool: ...
    def __le__(self, other: DestinationKey, /) -> bool: ...
    def __gt__(self, other: DestinationKey, /) -> bool: ...
    def __ge__(self, other: DestinationKey, /) -> bool: ...

@final
class Destinations(Mapping[DestinationKey, DestinationEntry]):
    """The destinations of a service by their keys: a mapping; the one added last comes first."""
    def __iter__(self) -> Iterator[DestinationKey]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: DestinationLike, /) -> DestinationEntry: ...
    def __contains__(self, key: object, /) -> bool: ...
    @overload
    def get(self, key: DestinationLike, default: None = None) -> DestinationEntry | None:
        """The entry of a key, or another value if there is none."""
    @overload
    def get(self, key: DestinationLike, default: DestinationEntry) -> DestinationEntry: ...
    @overload
    def get(self, key: DestinationLike, default: _T) -> DestinationEntry | _T: ...
    def _iterate(self, part: int) -> Iterator[Any]:
        """Goes over keys (0), entries (1) or both (2): what the views below stand on."""
    def keys(self) -> KeysView[DestinationKey]:
        """The keys."""
    def values(self) -> ValuesView[DestinationEntry]:
        """The entries."""
    def items(self) -> ItemsView[DestinationKey, DestinationEntry]:
        """Keys with their entries."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Drain:
    """A drain under way: a state machine without clock or director. Show it a snapshot and the time, and it says which
    operations are due and how much is left. `Director.drain` drives it.
    """
    def __new__(
        cls,
        service: ServiceLike | None = None,
        destination: DestinationLike | None = None,
        *,
        real_server: Address | None = None,
        wait_for: WaitFor | None = None,
        deadline: float | timedelta | None = None,
        remove: bool = True,
    ) -> Self: ...
    def resuming(self, table: TableLike) -> Drain:
        """The same after a restart: the weights that `cancel` goes back to are those of this table."""
    def check(self, snapshot: Snapshot) -> None:
        """Raises `NotFoundError` if the table has nothing of what is to be taken out. For the first look."""
    def step(self, snapshot: Snapshot, now: float | timedelta) -> DrainProgress:
        """Looks at the table at a time (of any clock that does not run backwards) and says what is due."""
    def cancel(self, snapshot: Snapshot) -> tuple[Operation, ...]:
        """Gives up: what puts the weights back, as far as the destinations are still there."""

@final
class DrainRun:
    """A drain being carried out on a director: what `Director.drain` drives."""
    def __new__(cls, director: Handle, drain: Drain) -> Self: ...
    def step(self, now: float | timedelta) -> DrainProgress:
        """Looks at the director's table at a time and applies what is due. The last look has all that was cut or left
        behind on the way.
        """
    def cancel(self) -> None:
        """Gives up: brings the weights back, as far as the destinations are still there."""

@final
class DrainProgress(_Recorded):
    """What one look of a drain came to."""
    @property
    def operations(self) -> tuple[Operation, ...]:
        """What is due now; who looks applies it."""
    @property
    def cut(self) -> tuple[Remaining, ...]:
        """What was cut because the deadline passed, with what it still held."""
    @property
    def left_behind(self) -> tuple[Remaining, ...]:
        """What was removed, or left quiesced at the deadline, while it still held something that is not waited for. What
        still comes on these is dropped until they time out, unless `net.ipv4.vs.expire_nodest_conn` is 1.
        """
    @property
    def waiting(self) -> tuple[Remaining, ...]:
        """What is being waited for."""
    @property
    def done(self) -> bool:
        """Whether nothing is left to be done: the drain is over."""
    def __eq__(self, other: object, /) -> bool: ...

@final
class Event(_Recorded):
    """A difference between two looks at a director."""

    __match_args__ = ("kind", "service", "destination")
    @property
    def after(self) -> ServiceEntry | DestinationEntry | Service | Destination | Timeouts | Daemon | None:
        """What is, of something that appeared, changed or started: an entry, a Service, Destination, Timeouts or Daemon."""
    @property
    def per_second(self) -> dict[str, float] | None:
        """Averages per second over the last whole ticks of the kernel's estimator, of "counted": right at any interval. None
        as long as none can be taken.
        """
    @property
    def elapsed(self) -> timedelta | None:
        """The time between the looks, of "counted". Counters move every two seconds: see `per_second` for rates."""
    @property
    def kind(self) -> EventKind:
        """ "service_appeared", "service_changed", "service_vanished", the same of destinations, "counted",
        "counters_reset", "timeouts_changed", "daemon_started" or "daemon_stopped".
        """
    @property
    def delta(self) -> Counters | None:
        """How much was counted since the last look, of "counted"."""
    @property
    def service(self) -> ServiceKey | None:
        """The service it is about, if any."""
    @property
    def before(self) -> Service | Destination | Timeouts | Daemon | None:
        """What was, of something that changed, vanished or stopped: a Service, Destination, Timeouts or Daemon."""
    @property
    def destination(self) -> DestinationKey | None:
        """The destination it is about, if any."""
    def __eq__(self, other: object, /) -> bool: ...

@final
class Events(Sequence[Event]):
    """The differences of one look: a sequence whose items are made when someone looks at them."""
    def __iter__(self) -> Iterator[Event]: ...
    def __contains__(self, item: object, /) -> bool: ...
    def __reversed__(self) -> Iterator[Event]: ...
    def index(self, item: object) -> int:  # type: ignore[override]
        """The place of the first one that is equal. Raises `ValueError` if none is."""
    def count(self, item: object) -> int:
        """How many are equal."""
    def to_dicts(self) -> list[dict[str, Any]]:
        """A list of dictionaries, as the JSON schema has them."""
    @staticmethod
    def from_dicts(rows: Iterable[Mapping[str, Any]]) -> Events:
        """What `to_dicts` has written."""
    def to_json(self) -> str:
        """A list in one line of JSON."""
    @staticmethod
    def from_json(text: str | bytes) -> Events:
        """What `to_json` has written, from text or bytes."""
    def __eq__(self, other: object, /) -> bool: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, key: int, /) -> Event: ...
    @overload
    def __getitem__(self, key: slice, /) -> Events: ...

@final
class Handle:
    """One director of the core. The lock is only ever taken while detached from the interpreter, so that a thread that
    waits for it keeps nobody else from running.
    """
    @staticmethod
    def embedded(
        *,
        profile: Profile = ...,
        seed: int = 0,
        connection_table_size: int | None = None,
        schedulers: list[str] | None = None,
        engines: list[str] | None = None,
        interfaces: dict[str, int] | None = None,
        local_addresses: list[Any] | None = None,
        ipv6: bool = True,
        ftp_helper: bool = False,
    ) -> Handle: ...
    @staticmethod
    def kernel(
        *,
        namespace: str | None = None,
        path: str | os.PathLike[str] | None = None,
        pid: int | None = None,
        transport: Transport = ...,
        load_module: bool = False,
        timeout: float | timedelta | None = None,
    ) -> Handle: ...
    def close(self) -> None: ...
    def closed(self) -> bool: ...
    def info(self) -> Info: ...
    def timeouts(self) -> Timeouts: ...
    def daemons(self) -> tuple[Daemon, ...]: ...
    def snapshot(self) -> Snapshot: ...
    def service(self, key: ServiceLike) -> ServiceEntry: ...
    def has_service(self, key: ServiceLike) -> bool: ...
    def service_count(self) -> int: ...
    def destinations(self, key: ServiceLike) -> Destinations: ...
    def connections(self, filter: ConnectionFilter) -> Connections: ...
    def connection_sums(self, filter: ConnectionFilter) -> ConnectionSums: ...
    def execute(self, operation: Operation) -> None: ...
    def apply(self, operations: Iterable[Operation], stop: bool) -> BatchReport: ...
    def now(self) -> timedelta: ...
    def advance(self, by: float | timedelta) -> None: ...
    def set_available_pages(self, pages: int) -> None: ...
    def totals(self) -> Stats: ...
    def status(self) -> _StatusTuple:
        """How full the tables are: the connection table, the service table, the estimator."""
    def profile(self) -> Profile:
        """The name of the behaviour that the director has."""
    def read_file(self, name: str) -> bytes:
        """A file of the kernel's in the director's namespace."""
    def receive(
        self,
        source: DestinationLike,
        destination: DestinationLike,
        protocol: ProtocolLike,
        flags: str | None,
        from_server: bool,
        mark: int,
        length: int | None,
        icmp_error: bool,
        tracked: bool | None,
    ) -> Verdict: ...
    def open_flow(
        self, client: DestinationLike, target: DestinationLike, protocol: ProtocolLike, mark: int
    ) -> Verdict: ...
    def send_flow(
        self, client: DestinationLike, target: DestinationLike, protocol: ProtocolLike, mark: int, length: int
    ) -> Verdict: ...
    def close_flow(
        self, client: DestinationLike, target: DestinationLike, protocol: ProtocolLike, mark: int
    ) -> None: ...
    def sysctl_names(self) -> list[str]: ...
    def sysctl_get(self, name: str) -> int | str: ...
    def sysctl_set(self, name: str, value: int | str) -> None: ...

@final
class Health:
    """The health of services and their servers: probe results in, the wanted table out. It does no probing, has no clock
    and touches no director: put `wanted` in force with `Director.reconcile`.
    """
    def __new__(cls) -> Self: ...
    def watch(
        self,
        service: Service | ServiceLike,
        servers: Iterable[Destination | DestinationLike],
        policy: HealthPolicy | None = None,
    ) -> list[HealthChange]:
        """Watches a service and its servers. Their weights are those for when they are well.

        A service that is watched already gets this configuration instead of the one it had: servers that stay keep
        their states and overrides. Returns what that changes.
        """
    def report(
        self,
        service: ServiceLike,
        server: DestinationLike,
        up: bool | None,
        now: float | timedelta,
        *,
        weight: int | None = None,
    ) -> list[HealthChange]:
        """Takes in what a probe of one server of one service says at a time; `weight` is what the server asks for. `up` is
        None if the probe could not be run: then nothing changes.
        """
    def unwatch(self, service: ServiceLike) -> bool:
        """Forgets a service. Returns whether it was watched."""
    def set_servers(self, service: ServiceLike, servers: Iterable[Destination | DestinationLike]) -> list[HealthChange]:
        """Replaces the servers of a service; those that stay keep their states and overrides. Returns what that changes."""
    def set_weight(self, service: ServiceLike, server: DestinationLike, weight: int) -> list[HealthChange]:
        """Sets the weight of a server for when it is well."""
    def set_override(
        self,
        service: ServiceLike,
        server: DestinationLike,
        forced: Literal["up", "down"] | int,
        reason: str,
        *,
        until: float | timedelta | None = None,
    ) -> list[HealthChange]:
        """Holds a server up, down, or to a weight, whatever its probes say, until a time or until it is cleared."""
    def clear_override(self, service: ServiceLike, server: DestinationLike) -> list[HealthChange]:
        """Ends an override; without one nothing changes."""
    def start_from(self, held: TableLike, *, absent_down: bool = False) -> None:
        """Learns from what a director holds which servers were out of use, for a start without a saved state: those with
        weight 0, and with `absent_down` those that are missing from a service that is there.
        """
    def save(self, now: float | timedelta) -> str:
        """What is known of all servers as JSON, to be kept over a restart."""
    def restore(self, state: str, now: float | timedelta, *, away: float | timedelta = ...) -> None:
        """Goes on from what `save` wrote: servers that are watched and were saved are as they were. `away` is the time that
        has passed since, as far as it is known. Call `tick` afterwards.
        """
    def warnings(self) -> list[str]:
        """What is odd about the policies, such as a quorum that all servers together do not reach: a sentence each."""
    def watched(self) -> list[tuple[ServiceKey, DestinationKey]]:
        """What is to be probed: every server with its service. Sorry servers are not."""
    def _scope(self) -> Scope:
        """The services that are probed: what `AsyncDirector.keep_healthy` touches."""
    def report_host(
        self, address: Address, up: bool | None, now: float | timedelta, *, weight: int | None = None
    ) -> list[HealthChange]:
        """Takes in what a probe of a whole host says: of all its servers in all services."""
    def tick(self, now: float | timedelta) -> list[HealthChange]:
        """What time alone has changed: call it when `next_change` says so."""
    def wanted(self, now: float | timedelta) -> Table:
        """The table that is wanted at a time."""
    def next_change(self, now: float | timedelta) -> timedelta | None:
        """When the wanted table changes next without any report, None if never."""
    def is_up(self, service: ServiceLike, server: DestinationLike) -> bool | None:
        """Whether a server is in use, None if it is not watched."""
    def has_quorum(self, service: ServiceLike) -> bool | None:
        """Whether a service has its quorum, None if it is not watched."""

@final
class HealthChange(_Recorded):
    """What a report, or the time, has changed."""

    __match_args__ = ("kind", "service", "server")
    @property
    def service(self) -> ServiceKey:
        """The service."""
    @property
    def kind(self) -> HealthChangeKind:
        """ "server_up", "server_down", "server_damped", "quorum_lost", "quorum_regained", "override_expired" or
        "weight_limited".
        """
    @property
    def server(self) -> DestinationKey | None:
        """The server, None if it is about the service."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class HealthPolicy(_Recorded):
    """When servers come and go, and what a service does when too few are left."""
    def __new__(
        cls,
        *,
        rise: int = 1,
        fall: int = 3,
        remove: bool = False,
        start_down: bool = False,
        quorum: int = 1,
        hysteresis: int = 0,
        sorry_server: Destination | DestinationLike | None = None,
        slow_start: float | timedelta | None = None,
        damping: tuple[int, float | timedelta, float | timedelta] | None = None,
        max_asked_weight: int = 256,
    ) -> Self: ...
    @property
    def max_asked_weight(self) -> int:
        """The largest weight that a probe gets by asking for it, unless the server was given more."""
    @property
    def slow_start(self) -> timedelta | None:
        """How long a server that comes back takes to reach its weight."""
    @property
    def remove(self) -> bool:
        """Whether a server that is down is removed rather than kept with weight 0."""
    @property
    def hysteresis(self) -> int:
        """By how much the weight must pass the quorum."""
    @property
    def quorum(self) -> int:
        """The weight of the servers in use below which the service has lost its quorum."""
    @property
    def rise(self) -> int:
        """Successes in a row that bring a server back."""
    @property
    def fall(self) -> int:
        """Failures in a row that take a server out."""
    @property
    def damping(self) -> tuple[int, timedelta, timedelta] | None:
        """How many falls within which time count as flapping, and how long the server then stays down."""
    @property
    def start_down(self) -> bool:
        """Whether servers are out of use until a first probe succeeds."""
    @property
    def sorry_server(self) -> Destination | None:
        """Who serves while the quorum is lost."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Info(_Recorded):
    """What a director says of itself."""

    __match_args__ = ("version", "connection_table_size")
    def __new__(cls, *, version: str = ..., connection_table_size: int = 4096) -> Self: ...
    def replace(self, **changes: Unpack[_InfoFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_InfoFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def version(self) -> str:
        """The version of IPVS, such as "1.2.1"."""
    @property
    def connection_table_size(self) -> int:
        """Buckets of the connection table."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Info, /) -> bool: ...
    def __le__(self, other: Info, /) -> bool: ...
    def __gt__(self, other: Info, /) -> bool: ...
    def __ge__(self, other: Info, /) -> bool: ...

@final
class Operation(_Recorded):
    """One change of a director's table."""

    __match_args__ = ("action", "key", "value")
    @staticmethod
    def add_service(service: ServiceLike) -> Operation:
        """Adds a virtual service."""
    @staticmethod
    def update_service(service: ServiceLike) -> Operation:
        """Replaces scheduler, flags, timeout, netmask and engine of a service."""
    @staticmethod
    def remove_service(key: ServiceLike) -> Operation:
        """Removes a service and its destinations."""
    @staticmethod
    def add_destination(key: ServiceLike, destination: DestinationLike) -> Operation:
        """Adds a destination to a service."""
    @staticmethod
    def update_destination(key: ServiceLike, destination: DestinationLike) -> Operation:
        """Replaces everything of a destination but its key."""
    @staticmethod
    def remove_destination(key: ServiceLike, destination: DestinationLike) -> Operation:
        """Removes a destination from a service."""
    @staticmethod
    def set_timeouts(timeouts: Timeouts) -> Operation:
        """Sets timeouts; 0 leaves one as it is."""
    @staticmethod
    def start_daemon(daemon: Daemon) -> Operation:
        """Starts a sync daemon."""
    @staticmethod
    def stop_daemon(role: RoleLike) -> Operation:
        """Stops a sync daemon."""
    @staticmethod
    def zero(key: ServiceLike | None = None) -> Operation:
        """Zeroes the counters of a service and its destinations, or of all."""
    @staticmethod
    def flush() -> Operation:
        """Removes all services."""
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def value(self) -> Service | Destination | DestinationKey | Timeouts | Daemon | DaemonRole | None:
        """What it sets: a Service, Destination, DestinationKey, Timeouts, Daemon or DaemonRole, None for the others."""
    @property
    def action(self) -> OperationAction:
        """What it does, by the name of the method that does it: "add_service", "flush"."""
    @property
    def key(self) -> ServiceKey | None:
        """The service it is about, None for all or none."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@disjoint_base
class Operations:
    """Operations that are collected to go out together."""
    def __new__(cls) -> Self: ...
    def __iter__(self) -> Iterator[Operation]: ...
    def __len__(self) -> int: ...
    def add_service(self, service: ServiceLike) -> None:
        """Adds a virtual service."""
    def update_service(self, service: ServiceLike) -> None:
        """Replaces scheduler, flags, timeout, netmask and engine of a service."""
    def remove_service(self, key: ServiceLike) -> None:
        """Removes a service and its destinations."""
    def add_destination(self, key: ServiceLike, destination: DestinationLike) -> None:
        """Adds a destination to a service."""
    def update_destination(self, key: ServiceLike, destination: DestinationLike) -> None:
        """Replaces everything of a destination but its key."""
    def remove_destination(self, key: ServiceLike, destination: DestinationLike) -> None:
        """Removes a destination from a service."""
    def set_timeouts(self, timeouts: Timeouts) -> None:
        """Sets timeouts; 0 leaves one as it is."""
    def start_daemon(self, daemon: Daemon) -> None:
        """Starts a sync daemon."""
    def stop_daemon(self, role: RoleLike) -> None:
        """Stops a sync daemon."""
    def zero(self, key: ServiceLike | None = None) -> None:
        """Zeroes the counters of a service and its destinations, or of all."""
    def flush(self) -> None:
        """Removes all services."""
    def append(self, operation: Operation) -> None:
        """Adds an operation."""
    def extend(self, operations: Iterable[Operation]) -> None:
        """Adds operations."""
    def clear(self) -> None:
        """Forgets all operations."""

@final
class Outcome(_Recorded):
    """What came of a plan."""
    def raise_for_failures(self) -> None:
        """Raises what went wrong: nothing if complete, else a PlanError."""
    @property
    def refused(self) -> tuple[Refusal, ...]:
        """The steps that were refused."""
    @property
    def held(self) -> tuple[Step, ...]:
        """The steps that were not carried out because another one was refused. Steps that are neither here nor done nor
        refused were never begun.
        """
    @property
    def undo_refused(self) -> tuple[LvsError, ...]:
        """What the director refused to undo, as exceptions."""
    @property
    def done(self) -> tuple[Step, ...]:
        """The steps that took effect, in order."""
    @property
    def complete(self) -> bool:
        """Whether the wanted table is in force."""
    @property
    def interrupted(self) -> LvsError | None:
        """What broke the way to the director, if something did: steps of that batch may or may not have taken effect."""
    @property
    def undone(self) -> bool:
        """Whether the table is as it was before: something went wrong, and every step done was undone again."""
    @property
    def plan(self) -> Plan:
        """The plan."""

@final
class Plan(_Recorded):
    """The ordered operations that turn one table into another, in steps that keep serving."""
    def __new__(
        cls,
        current: TableLike,
        wanted: TableLike,
        *,
        scope: Scope | None = None,
        allow_empty: bool = False,
        check: bool = True,
        allow: Iterable[OperationKind] | None = None,
    ) -> Self: ...
    @staticmethod
    def rollback(current: TableLike, before: TableLike, *, scope: Scope | None = None) -> Plan:
        """The plan that brings back, within a scope, what was there before: whatever that was, and whatever else others
        have put there.
        """
    def __iter__(self) -> Iterator[Step]: ...
    def __bool__(self) -> bool: ...
    def __getitem__(self, index: int, /) -> Step: ...
    def __len__(self) -> int: ...
    def _apply(self, handle: Handle, undo: bool | Literal["service"]) -> Outcome:
        """What `Director.apply_plan` calls."""
    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations in order."""
    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps in order."""
    @property
    def withheld(self) -> tuple[Operation, ...]:
        """The operations that the plan would hold, too, if they were allowed."""
    def __eq__(self, other: object, /) -> bool: ...

@final
class Rates(_Recorded):
    """Averages per second, as the kernel's estimator computes them every two seconds."""

    __match_args__ = ("connections", "packets_in", "packets_out", "bytes_in", "bytes_out")
    def __new__(
        cls, *, connections: int = 0, packets_in: int = 0, packets_out: int = 0, bytes_in: int = 0, bytes_out: int = 0
    ) -> Self: ...
    def replace(self, **changes: Unpack[_RatesFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_RatesFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def bytes_out(self) -> int:
        """Bytes (not bits) a second from real servers."""
    @property
    def packets_out(self) -> int:
        """Packets a second from real servers."""
    @property
    def connections(self) -> int:
        """Connections a second."""
    @property
    def packets_in(self) -> int:
        """Packets a second from clients."""
    @property
    def bytes_in(self) -> int:
        """Bytes (not bits) a second from clients."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Rates, /) -> bool: ...
    def __le__(self, other: Rates, /) -> bool: ...
    def __gt__(self, other: Rates, /) -> bool: ...
    def __ge__(self, other: Rates, /) -> bool: ...

@final
class Refusal(_Recorded):
    """A refused operation of a batch, or a refused step of a plan."""

    __match_args__ = ("index", "operation", "error")
    @property
    def error(self) -> LvsError:
        """Why, as the exception that the operation alone would have raised."""
    @property
    def index(self) -> int:
        """Which operation of the batch or step of the plan, from 0."""
    @property
    def operation(self) -> Operation:
        """The operation that was refused."""
    def __eq__(self, other: object, /) -> bool: ...

@final
class Remaining(_Recorded):
    """What a destination still holds."""
    @property
    def service(self) -> ServiceKey:
        """The service."""
    @property
    def destination(self) -> DestinationKey:
        """The destination."""
    @property
    def persistent(self) -> int:
        """Persistence templates."""
    @property
    def active(self) -> int:
        """Active connections."""
    @property
    def inactive(self) -> int:
        """Inactive connections."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Report:
    """What became of a workload.

    `str` shows it as a table; `to_dict` is all of it as plain data, `columns` the samples for NumPy, pandas, polars and
    pyarrow, and `lvs_py.plot.simulation` draws it.
    """
    def columns(self) -> Columns:
        """The samples as columns, one row a sample and server: time in seconds, server, sessions, new connections since the
        sample before, weight in force.
        """
    def imbalances(self) -> list[tuple[float, float | None]]:
        """The times of the samples in seconds, and how much more than its fair part the server has that has most: 1 is
        perfect balance. None while no server with a weight has a session.
        """
    def imbalance(self, part: float = 0.5) -> float | None:
        """The imbalance that a part of the samples, 0 to 1, did not exceed: 0.5 is the median. None without samples."""
    def to_csv(self) -> str:
        """The samples as comma-separated values, with a line of names."""
    def to_dict(self) -> dict[str, Any]:
        """All of it as plain dictionaries, lists, texts and numbers: what `json` can write."""
    def _repr_html_(self) -> str: ...
    @property
    def scheduler(self) -> str:
        """The scheduler."""
    @property
    def duration(self) -> timedelta:
        """How long it went on."""
    @property
    def connections(self) -> int:
        """Connections that were opened."""
    @property
    def refused(self) -> int:
        """Connections that were refused."""
    @property
    def clients(self) -> int:
        """Different clients that came."""
    @property
    def spread_clients(self) -> int:
        """Clients that had more than one server in the end, events or not."""
    @property
    def peak_entries(self) -> int:
        """Most entries of the connection table at a sample, templates included."""
    @property
    def servers(self) -> tuple[ServerReport, ...]:
        """The part of each server, in the workload's order."""
    @property
    def changes(self) -> tuple[Change, ...]:
        """What each event did to the clients, in order."""
    def __eq__(self, other: object, /) -> bool: ...

@final
class SchedulerInfo:
    """What there is to know about a scheduler before using it."""
    @property
    def deterministic(self) -> bool:
        """Whether its choices follow from the history alone."""
    @property
    def name(self) -> str:
        """Its name, as in `ipvsadm -s`."""
    @property
    def title(self) -> str:
        """Its name in full."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Scope(_Recorded):
    """What a plan may touch. Everything else stays as it is. Scopes combine by `|`, `&` and `~`. Timeouts and sync daemons
    are the whole table's: only `Scope.all()` owns them by itself.
    """
    def __invert__(self) -> Scope: ...
    def __and__(self, other: Scope, /) -> Scope: ...
    def __or__(self, other: Scope, /) -> Scope: ...
    def __contains__(self, key: object, /) -> bool: ...
    @staticmethod
    def all() -> Scope:
        """The whole table: every service, the timeouts and the sync daemons."""
    def with_timeouts(self) -> Scope:
        """The same scope and the timeouts."""
    def with_daemons(self) -> Scope:
        """The same scope and the sync daemons."""
    @property
    def owns_timeouts(self) -> bool:
        """Whether the timeouts are in the scope."""
    @property
    def owns_daemons(self) -> bool:
        """Whether the sync daemons are in the scope."""
    @staticmethod
    def services(*services: ServiceLike) -> Scope:
        """These services, there or not."""
    @staticmethod
    def network(network: Address | IPv4Network | IPv6Network) -> Scope:
        """Services whose virtual address lies in a network, such as "192.0.2.0/24"."""
    @staticmethod
    def ports(first: int, last: int | None = None) -> Scope:
        """Services with ports from `first` to `last`; firewall-mark services have none."""
    @staticmethod
    def marks(first: int, last: int | None = None) -> Scope:
        """Firewall-mark services, of either family, with marks from `first` to `last`."""

@final
class Script:
    """A rules file, read: its changes in order, its comments, the table it describes."""
    def __len__(self) -> int: ...
    def operations(self) -> tuple[Operation, ...]:
        """The changes that the text asks for, in order."""
    def to_table(self) -> Table:
        """The table that an empty director holds after all changes of the text."""
    @property
    def comments(self) -> list[tuple[int, str]]:
        """The comments as pairs of line and text."""
    @property
    def lines(self) -> list[int]:
        """The line of each operation, from 1."""
    @property
    def warnings(self) -> list[Diagnostic]:
        """What the rules ask for that cannot work, although they are taken."""

@final
class ServerReport:
    """One server's part in a workload."""
    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
    @property
    def key(self) -> DestinationKey:
        """The server."""
    @property
    def weight(self) -> int:
        """Its weight at first."""
    @property
    def connections(self) -> int:
        """Connections that it got."""
    @property
    def peak(self) -> int:
        """Most sessions at once."""
    @property
    def broken(self) -> int:
        """Sessions that broke because it failed."""
    @property
    def relative_share(self) -> float | None:
        """Its share of all connections against its share of all weights at first: 1 is just its part. None where there is
        nothing to compare.
        """
    def __eq__(self, other: object, /) -> bool: ...

@final
class Service(_Recorded):
    """A virtual service as you configure it."""

    __match_args__ = ("key", "scheduler")
    def __new__(
        cls,
        key: ServiceLike,
        *,
        scheduler: str | None = None,
        persistence: Seconds | bool | None = None,
        netmask: NetmaskLike | None = None,
        engine: str | None = None,
        one_packet: bool = False,
        flags: ServiceFlags | int | None = None,
        timeout: Seconds | None = None,
    ) -> Self: ...
    @staticmethod
    def tcp(
        address: Address | DestinationLike,
        port: int | None = None,
        *,
        scheduler: str | None = None,
        persistence: Seconds | bool | None = None,
        netmask: NetmaskLike | None = None,
        engine: str | None = None,
        one_packet: bool = False,
        flags: ServiceFlags | int | None = None,
        timeout: Seconds | None = None,
    ) -> Service:
        """A TCP service."""
    @staticmethod
    def udp(
        address: Address | DestinationLike,
        port: int | None = None,
        *,
        scheduler: str | None = None,
        persistence: Seconds | bool | None = None,
        netmask: NetmaskLike | None = None,
        engine: str | None = None,
        one_packet: bool = False,
        flags: ServiceFlags | int | None = None,
        timeout: Seconds | None = None,
    ) -> Service:
        """A UDP service."""
    @staticmethod
    def sctp(
        address: Address | DestinationLike,
        port: int | None = None,
        *,
        scheduler: str | None = None,
        persistence: Seconds | bool | None = None,
        netmask: NetmaskLike | None = None,
        engine: str | None = None,
        one_packet: bool = False,
        flags: ServiceFlags | int | None = None,
        timeout: Seconds | None = None,
    ) -> Service:
        """An SCTP service."""
    @staticmethod
    def fwmark(
        mark: int,
        *,
        family: FamilyLike | None = None,
        scheduler: str | None = None,
        persistence: Seconds | bool | None = None,
        netmask: NetmaskLike | None = None,
        engine: str | None = None,
        one_packet: bool = False,
        flags: ServiceFlags | int | None = None,
        timeout: Seconds | None = None,
    ) -> Service:
        """A service for packets that carry a firewall mark."""
    def replace(self, **changes: Unpack[_ServiceFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_ServiceFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def key(self) -> ServiceKey:
        """What identifies the service."""
    @property
    def persistence(self) -> int | None:
        """Seconds of persistence, None if the service is not persistent."""
    @property
    def timeout(self) -> int:
        """The timeout of persistence in seconds as the kernel keeps it, persistent or not."""
    @property
    def engine(self) -> str | None:
        """The name of the persistence engine, if any."""
    @property
    def one_packet(self) -> bool:
        """Whether every UDP datagram is scheduled by itself."""
    @property
    def netmask(self) -> IPv4Address | int:
        """Which clients persistence counts as one: an IPv4 mask, or an IPv6 prefix length."""
    @property
    def flags(self) -> ServiceFlags:
        """The flags, persistence among them."""
    @property
    def scheduler(self) -> str:
        """The name of the scheduler."""
    @property
    def port(self) -> int:
        """The port; 0 stands for all ports of a persistent service."""
    @property
    def address(self) -> IPAddress | None:
        """The virtual address, None for a firewall mark."""
    @property
    def mark(self) -> int | None:
        """The firewall mark, None for an address."""
    @property
    def protocol(self) -> Protocol | None:
        """The protocol, None for a firewall mark."""
    @property
    def family(self) -> AddressFamily:
        """The address family."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Service, /) -> bool: ...
    def __le__(self, other: Service, /) -> bool: ...
    def __gt__(self, other: Service, /) -> bool: ...
    def __ge__(self, other: Service, /) -> bool: ...

@final
class ServiceEntry(_Recorded):
    """A service as a director reports it, with its destinations and statistics."""

    __match_args__ = ("service", "destinations")
    def __new__(
        cls,
        service: Service | ServiceLike | dict[str, Any],
        destinations: Iterable[DestinationEntry | Destination | str | dict[str, Any]] | None = None,
        *,
        stats: Stats | dict[str, Any] | None = None,
        stats64: Stats | dict[str, Any] | None = None,
    ) -> Self: ...
    def replace(self, **changes: Unpack[_ServiceEntryFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_ServiceEntryFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    def _repr_html_(self) -> str: ...
    def to_table_service(self) -> TableService:
        """The configuration alone. Destinations come oldest first, so that adding them one by one gives this list again."""
    @property
    def statistics(self) -> Stats:
        """The widest statistics reported, all zero if there are none."""
    @property
    def active(self) -> int:
        """Connections in an active state, over all destinations."""
    @property
    def inactive(self) -> int:
        """All other connections, over all destinations."""
    @property
    def stats64(self) -> Stats | None:
        """The 64-bit statistics, None where the director reports none."""
    @property
    def stats(self) -> Stats | None:
        """The 32-bit statistics, None where the director reports none."""
    @property
    def scheduler(self) -> str:
        """The name of its scheduler."""
    @property
    def service(self) -> Service:
        """The service as it is configured."""
    @property
    def key(self) -> ServiceKey:
        """What identifies the service."""
    @property
    def destinations(self) -> Destinations:
        """Its destinations by their keys; the one added last comes first."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class ServiceKey:
    """What identifies a virtual service: protocol, address and port, or a firewall mark."""

    __match_args__ = ("protocol", "address", "port")
    def __new__(
        cls,
        key: ServiceLike | None = None,
        *,
        protocol: ProtocolLike | None = None,
        address: Address | None = None,
        port: int | None = None,
        mark: int | None = None,
        family: FamilyLike | None = None,
    ) -> Self: ...
    @staticmethod
    def tcp(address: Address | DestinationLike, port: int | None = None) -> ServiceKey:
        """The key of a TCP service."""
    @staticmethod
    def udp(address: Address | DestinationLike, port: int | None = None) -> ServiceKey:
        """The key of a UDP service."""
    @staticmethod
    def sctp(address: Address | DestinationLike, port: int | None = None) -> ServiceKey:
        """The key of an SCTP service."""
    @staticmethod
    def fwmark(mark: int, *, family: FamilyLike | None = None) -> ServiceKey:
        """The key of a service for packets that carry a firewall mark."""
    def replace(self, **changes: Unpack[_ServiceKeyFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_ServiceKeyFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def mark(self) -> int | None:
        """The firewall mark, None for an address."""
    @property
    def protocol(self) -> Protocol | None:
        """The protocol, None for a firewall mark."""
    @property
    def port(self) -> int:
        """The port; 0 stands for all ports of a persistent service, and for a firewall mark's lack of one."""
    @property
    def family(self) -> AddressFamily:
        """The address family."""
    @property
    def address(self) -> IPAddress | None:
        """The virtual address, None for a firewall mark."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: ServiceKey, /) -> bool: ...
    def __le__(self, other: ServiceKey, /) -> bool: ...
    def __gt__(self, other: ServiceKey, /) -> bool: ...
    def __ge__(self, other: ServiceKey, /) -> bool: ...

@final
class Services(Mapping[ServiceKey, ServiceEntry]):
    """The services of a snapshot by their keys: a mapping, in the director's order."""
    def __iter__(self) -> Iterator[ServiceKey]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: ServiceLike, /) -> ServiceEntry: ...
    def __contains__(self, key: object, /) -> bool: ...
    @overload
    def get(self, key: ServiceLike, default: None = None) -> ServiceEntry | None:
        """The entry of a key, or another value if there is none."""
    @overload
    def get(self, key: ServiceLike, default: ServiceEntry) -> ServiceEntry: ...
    @overload
    def get(self, key: ServiceLike, default: _T) -> ServiceEntry | _T: ...
    def _iterate(self, part: int) -> Iterator[Any]:
        """Goes over keys (0), entries (1) or both (2): what the views below stand on."""
    def keys(self) -> KeysView[ServiceKey]:
        """The keys."""
    def values(self) -> ValuesView[ServiceEntry]:
        """The entries."""
    def items(self) -> ItemsView[ServiceKey, ServiceEntry]:
        """Keys with their entries."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Snapshot(_Recorded):
    """All that a director holds, read in one call."""

    __match_args__ = ("services", "timeouts", "daemons")
    def __new__(
        cls,
        services: Iterable[ServiceEntry | dict[str, Any]] | None = None,
        *,
        timeouts: Timeouts | dict[str, Any] | None = None,
        daemons: Iterable[Daemon | dict[str, Any]] | None = None,
        info: Info | dict[str, Any] | None = None,
        incomplete: Iterable[FamilyLike] | None = None,
    ) -> Self: ...
    def replace(self, **changes: Unpack[_SnapshotFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_SnapshotFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    def to_table(self) -> Table:
        """The configuration alone. Destinations come oldest first, so that adding them one by one gives this list again."""
    def sorted(self) -> Self:
        """The same with services and destinations sorted by their keys, numerically."""
    def service_columns(self) -> Columns:
        """One row a service, as columns."""
    def destination_columns(self) -> Columns:
        """One row a destination, as columns."""
    def _repr_html_(self) -> str: ...
    @property
    def complete(self) -> bool:
        """Whether everything that was there is in it. Where it is not, nothing may be concluded from what is missing."""
    @property
    def incomplete(self) -> tuple[AddressFamily, ...]:
        """The families of which something may be missing: the kernel's list changed each time it was read."""
    @property
    def info(self) -> Info:
        """What the director says of itself."""
    @property
    def daemons(self) -> tuple[Daemon, ...]:
        """The running sync daemons."""
    @property
    def services(self) -> Services:
        """The services by their keys, in the director's order."""
    @property
    def timeouts(self) -> Timeouts:
        """The timeouts."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class StateCounts(_Recorded):
    """How many connections are in each state."""
    def of(self, state: ConnectionState | str) -> int:
        """How many are in a state, templates left out."""
    @property
    def templates(self) -> int:
        """Persistence templates."""
    @property
    def active(self) -> int:
        """Connections that a destination counts as active."""
    @property
    def states(self) -> dict[ConnectionState, int]:
        """The states that connections are in, with how many."""
    @property
    def connections(self) -> int:
        """All connections, templates left out."""
    @property
    def inactive(self) -> int:
        """All others, as a destination counts them."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Stats(_Recorded):
    """Sums and rates of a service or destination. The kernel refreshes them every two seconds."""

    __match_args__ = ("counters", "rates")
    def __new__(
        cls, *, counters: Counters | dict[str, Any] | None = None, rates: Rates | dict[str, Any] | None = None
    ) -> Self: ...
    def replace(self, **changes: Unpack[_StatsFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_StatsFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def counters(self) -> Counters:
        """The sums."""
    @property
    def rates(self) -> Rates:
        """The rates."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Stats, /) -> bool: ...
    def __le__(self, other: Stats, /) -> bool: ...
    def __gt__(self, other: Stats, /) -> bool: ...
    def __ge__(self, other: Stats, /) -> bool: ...

@final
class Step(_Recorded):
    """One operation of a plan and what takes it back."""
    @property
    def phase(self) -> Phase:
        """When it runs: "stop_daemons", "add", "change", "quiesce", "remove" or "settle", in this order."""
    @property
    def undo(self) -> tuple[Operation, ...]:
        """What takes it back, in order."""
    @property
    def operation(self) -> Operation:
        """What it does."""
    def __eq__(self, other: object, /) -> bool: ...

@final
class Table(_Recorded):
    """A whole configuration: what a rules file says, what a director is to hold."""

    __match_args__ = ("services", "timeouts", "daemons")
    def __new__(
        cls,
        services: TableLike | Sequence[dict[str, Any]] | None = None,
        *,
        timeouts: Timeouts | dict[str, Any] | None = None,
        daemons: Iterable[Daemon | dict[str, Any]] | None = None,
    ) -> Self: ...
    def __iter__(self) -> Iterator[TableService]: ...
    def __bool__(self) -> bool: ...
    def __len__(self) -> int: ...
    def __getitem__(self, key: ServiceLike, /) -> TableService: ...
    def __contains__(self, key: object, /) -> bool: ...
    def sorted(self) -> Self:
        """The same with services and destinations sorted by their keys, so that equal tables compare equal."""
    def _repr_html_(self) -> str: ...
    def replace(self, **changes: Unpack[_TableFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_TableFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def timeouts(self) -> Timeouts | None:
        """The timeouts, if the source says something of them."""
    @property
    def daemons(self) -> tuple[Daemon, ...]:
        """The sync daemons."""
    @property
    def services(self) -> tuple[TableService, ...]:
        """The services, each with its destinations, in the order of the source."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class TableService(_Recorded):
    """A virtual service with its destinations, as you configure them."""

    __match_args__ = ("service", "destinations")
    def __new__(
        cls,
        service: Service | ServiceLike | dict[str, Any],
        destinations: Iterable[Destination | DestinationLike | dict[str, Any]] | None = None,
    ) -> Self: ...
    def replace(self, **changes: Unpack[_TableServiceFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_TableServiceFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def key(self) -> ServiceKey:
        """What identifies the service."""
    @property
    def destinations(self) -> tuple[Destination, ...]:
        """Its destinations."""
    @property
    def service(self) -> Service:
        """The service."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Timeouts(_Recorded):
    """The three connection timeouts that can be set, in seconds."""

    __match_args__ = ("tcp", "tcp_fin", "udp")
    def __new__(
        cls, *, tcp: Seconds | None = None, tcp_fin: Seconds | None = None, udp: Seconds | None = None
    ) -> Self: ...
    def replace(self, **changes: Unpack[_TimeoutsFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_TimeoutsFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @property
    def tcp(self) -> int:
        """Of established TCP connections."""
    @property
    def udp(self) -> int:
        """Of UDP connections."""
    @property
    def tcp_fin(self) -> int:
        """Of TCP connections after a FIN."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Timeouts, /) -> bool: ...
    def __le__(self, other: Timeouts, /) -> bool: ...
    def __gt__(self, other: Timeouts, /) -> bool: ...
    def __ge__(self, other: Timeouts, /) -> bool: ...

@final
class Tunnel(_Recorded):
    """The tunnel of a destination."""

    __match_args__ = ("kind", "port")
    def __new__(
        cls,
        kind: TunnelKind | int | Literal["ipip", "gue", "gre"] | None = None,
        *,
        port: int | None = None,
        flags: TunnelFlags | int | None = None,
    ) -> Self: ...
    def replace(self, **changes: Unpack[_TunnelFields]) -> Self:
        """The same value with other fields."""
    def __replace__(self, **changes: Unpack[_TunnelFields]) -> Self: ...
    def __copy__(self) -> Self: ...
    def __deepcopy__(self, _memo: Any) -> Self: ...
    @staticmethod
    def ipip() -> Tunnel:
        """IP in IP."""
    @staticmethod
    def gue(port: int, *, flags: TunnelFlags | int | None = None) -> Tunnel:
        """Generic UDP encapsulation to a port."""
    @staticmethod
    def gre(*, flags: TunnelFlags | int | None = None) -> Tunnel:
        """Generic routing encapsulation."""
    @property
    def flags(self) -> TunnelFlags:
        """The checksum flags of GUE and GRE."""
    @property
    def kind(self) -> TunnelKind:
        """The encapsulation."""
    @property
    def port(self) -> int:
        """The UDP port of GUE, 0 otherwise."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __lt__(self, other: Tunnel, /) -> bool: ...
    def __le__(self, other: Tunnel, /) -> bool: ...
    def __gt__(self, other: Tunnel, /) -> bool: ...
    def __ge__(self, other: Tunnel, /) -> bool: ...

@final
class Verdict(_Recorded):
    """What the embedded director does with a packet, and why."""

    __match_args__ = ("action", "destination")
    def __bool__(self) -> bool: ...
    @property
    def forwarding(self) -> ForwardingMethod | None:
        """How it gets there, None if it goes to no destination."""
    @property
    def action(self) -> VerdictAction:
        """ "forwarded", "bypassed", "rejected", "passed" or "dropped"."""
    @property
    def reason(self) -> str:
        """Why, in words: "the scheduler chose it", "no service matches"."""
    @property
    def destination(self) -> DestinationKey | None:
        """The destination, None if the packet goes to none; of a reply the one that sent it."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Watcher:
    """Compares each look at a director with the one before. It has no clock: see `Director.watch`."""
    def __new__(cls, *, scope: Scope | None = None) -> Self: ...
    def observe(self, snapshot: Snapshot, now: float | timedelta) -> Events:
        """Takes in a look at a time (of any clock that does not run backwards) and says what is different."""
    def look(self, director: Director, now: float | timedelta) -> Events:
        """Reads a director and takes in what it shows, as `observe` does of a snapshot, at the least cost that the
        director offers.

        Of a kernel over netlink that is IPv4 services by the old socket options, and over netlink what these do not
        show and may have changed. Such a look misses a change of nothing but a service's persistence engine, one of
        nothing but a tunnel's parameters, and, where there was no IPv6 service before, IPv6 services. They are seen
        at the next whole look: the first, each after a failure, and every tenth. A watcher of a part of the table
        reads all of it each time.
        """

__version__: str
"""The version of the package."""

def _plan(
    handle: Handle,
    wanted: TableLike,
    scope: Scope | None,
    allow_empty: bool,
    check: bool,
    allow: Iterable[OperationKind] | None,
) -> Plan:
    """What `Director.plan` calls."""

def _reconcile(
    handle: Handle,
    wanted: TableLike,
    scope: Scope | None,
    undo: bool | Literal["service"],
    allow_empty: bool,
    check: bool,
    allow: Iterable[OperationKind] | None,
) -> Outcome:
    """What `Director.reconcile` calls."""

def connections_json(connections: Connections) -> str:
    """Connections as JSON, one object a line."""

def enum_name(class_: str, number: int) -> str:
    """The name of a number in an enumeration of `lvs_py.enums`."""

def enum_number(class_: str, name: str) -> int:
    """The number that a name stands for in an enumeration of `lvs_py.enums`."""

def enum_word(class_: str, name: str) -> str:
    """The name that a spelling stands for in an enumeration of `lvs_py.enums` without numbers."""

def format_rules(table: TableLike, *, dialect: Dialect = ..., names: bool = False) -> tuple[str, list[str]]:
    """Writes a table as rules, and says what they do not carry."""

def list_connections(connections: Connections, *, names: bool = False) -> str:
    """Connections as `ipvsadm -Lc` shows them."""

def list_daemons(daemons: Iterable[Daemon]) -> str:
    """Sync daemons as `ipvsadm -L --daemon` shows them."""

def list_table(
    snapshot: Snapshot,
    *,
    mode: ListingMode = ...,
    exact: bool = False,
    sort: bool = True,
    names: bool = False,
    style: str = ...,
) -> str:
    """A snapshot as `ipvsadm -L` shows it."""

def list_timeouts(timeouts: Timeouts) -> str:
    """Timeouts as `ipvsadm -L --timeout` shows them."""

def parse_rules(
    text: str | bytes, *, dialect: Dialect = ..., names: bool = False, filename: str | None = None
) -> Script:
    """Reads rules."""

def proc_cpu_stats(text: bytes) -> tuple[list[tuple[int, Counters]], Stats]:
    """What `ip_vs_stats_percpu` says: the counters of each processor, their sum, the rates."""

def proc_helpers(text: bytes) -> list[tuple[Protocol, int, str, int]]:
    """What `ip_vs_app` says: protocol, port, name, connections of each helper."""

_TableStatusTuple: TypeAlias = tuple[int, int, int, int, list[int] | None]
_StatusTuple: TypeAlias = tuple[_TableStatusTuple, _TableStatusTuple, tuple[int, int, int, int]]

def proc_status(text: bytes) -> _StatusTuple:
    """What `ip_vs_status` says: the connection table, the service table, the estimator."""

def proc_stats(text: bytes) -> Stats:
    """What `ip_vs_stats` says."""

def proc_table(text: bytes) -> list[tuple[Any, ...]]:
    """What `ip_vs` says: what each service stands for, its scheduler, whether it is one-packet, its timeout in ticks, its
    netmask, its destinations.
    """

def lint(table: TableLike) -> list[str]:
    """What in a table cannot work, refused by the kernel or taken by it without effect: a sentence each, with the way
    out.
    """

def read_connections(source: str | os.PathLike[str] | bytes, filter: ConnectionFilter) -> Connections:
    """Reads connections from a file such as `/proc/net/ip_vs_conn`, or from its contents."""

def schedulers() -> tuple[SchedulerInfo, ...]:
    """All schedulers that the kernel ships, in the order of ipvsadm's manual."""

def simulate(
    service: Service | ServiceLike,
    servers: Iterable[Destination | DestinationLike],
    *,
    duration: timedelta,
    arrivals: tuple[str, Any],
    lengths: tuple[str, Any],
    clients: tuple[str, Any],
    events: Iterable[tuple[str, timedelta, DestinationLike, int | None]],
    sample_every: timedelta | None,
    seed: int,
    profile: Profile,
) -> Report:
    """Plays a workload, detached from the interpreter."""

def snapshot_json(snapshot: Snapshot) -> str:
    """A snapshot as JSON, in the form that all languages of this library share."""

def sum_connections(source: str | os.PathLike[str] | bytes, filter: ConnectionFilter) -> ConnectionSums:
    """Sums connections of a file such as `/proc/net/ip_vs_conn`, or of its contents."""
