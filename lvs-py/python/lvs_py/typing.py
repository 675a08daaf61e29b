"""Types for annotations: what the functions of this package take.

```python
from lvs_py.typing import Address, ServiceLike

def page(service: ServiceLike, real_server: Address) -> None: ...
```
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Literal, Protocol, TypedDict, Union

from . import enums
from ._lvs import (
    Destination,
    DestinationEntry,
    DestinationKey,
    Script,
    Service,
    ServiceEntry,
    ServiceKey,
    Snapshot,
    Table,
    TableService,
    Tunnel,
)

__all__ = [
    "Address",
    "Conditions",
    "DestinationLike",
    "Dialect",
    "EmbeddedOptions",
    "EventKind",
    "FamilyLike",
    "ForwardingLike",
    "HealthChangeKind",
    "IPAddress",
    "ListingMode",
    "NetmaskLike",
    "OperationAction",
    "OperationKind",
    "Phase",
    "Profile",
    "ProtocolLike",
    "RoleLike",
    "Seconds",
    "ServiceLike",
    "SupportsTable",
    "TableLike",
    "Transport",
    "TunnelLike",
    "VerdictAction",
    "WaitFor",
    "WorkloadChangeKind",
]

IPAddress = Union[IPv4Address, IPv6Address]
"""How addresses come back."""
Address = Union[str, IPv4Address, IPv6Address, IPv4Interface, IPv6Interface]
"""How addresses may be given."""
ProtocolLike = Union[enums.Protocol, int, str]
"""``"tcp"``, ``"udp"``, ``"sctp"``, a member of `lvs_py.Protocol` or its number."""
FamilyLike = Union[enums.AddressFamily, int, Literal["ipv4", "ipv6", "inet", "inet6"]]
"""An address family. Text of unknown value goes through `lvs_py.AddressFamily`."""
ForwardingLike = Union[
    enums.ForwardingMethod,
    int,
    Literal["masquerade", "local", "tunnel", "direct", "bypass", "masq", "nat", "tun", "dr", "droute", "localnode"],
]
"""A forwarding method. Text of unknown value, and rarer spellings, go through `lvs_py.ForwardingMethod`."""
RoleLike = Union[enums.DaemonRole, int, Literal["master", "backup"]]
"""The role of a sync daemon. Text of unknown value goes through `lvs_py.DaemonRole`."""
Seconds = Union[float, timedelta]
"""Whole seconds: ``300``, ``300.0``, ``timedelta(minutes=5)``."""
NetmaskLike = Union[str, int, IPv4Address]
"""A mask (``"255.255.255.0"``) or a prefix length (``24``, ``"/24"``)."""
TunnelLike = Union[Tunnel, Literal["ipip", "gre"]]
ServiceLike = Union[ServiceKey, Service, ServiceEntry, str, "tuple[ProtocolLike, Address, int]"]
"""What names a service: ``"tcp://192.0.2.1:80"``, ``"192.0.2.1:80/tcp"``, ``"fwmark:7"``, a key, a service."""
DestinationLike = Union[DestinationKey, Destination, DestinationEntry, str, "tuple[Address, int]"]
"""What names a destination: ``"198.51.100.7:80"``, a key, a destination."""


class SupportsTable(Protocol):
    """A mapping from services to their destinations, whatever their types: ``{service: [destination, ...]}``.

    The keys of a `Mapping` would have to be `ServiceLike` and nothing narrower.
    """

    def items(self) -> Iterable[tuple[ServiceLike, Iterable[DestinationLike]]]:
        """Services, each with its destinations."""
        ...


TableLike = Union[
    Table,
    Snapshot,
    Script,
    # Type checkers infer the type of a dict literal from this one. An Iterable would be a second candidate,
    # so what follows are sequences and iterators.
    "Mapping[ServiceLike, Iterable[DestinationLike]]",
    SupportsTable,
    "Sequence[TableService | Service | tuple[ServiceLike, Iterable[DestinationLike]]]",
    "Iterator[TableService | Service | tuple[ServiceLike, Iterable[DestinationLike]]]",
]
"""What can be made a table: ``{service: [destination, ...]}``, for instance."""
Dialect = Literal["lossless", "ipvsadm"]
"""Whose habits count in rules: see `lvs_py.rules`."""
ListingMode = Literal["default", "stats", "rate", "thresholds", "persistent", "tunnel"]
"""Which table `lvs_py.listing.table` shows."""
Transport = Literal["netlink", "sockopt", "auto"]
"""Which of the kernel's interfaces a director uses."""
OperationKind = Literal[
    "add_service",
    "update_service",
    "remove_service",
    "add_destination",
    "update_destination",
    "remove_destination",
    "set_timeouts",
    "start_daemon",
    "stop_daemon",
]
"""What an operation of a plan does."""
OperationAction = Literal[OperationKind, "zero", "flush"]
"""What an operation does, by the name of the method that does it."""
Phase = Literal["stop_daemons", "add", "change", "quiesce", "remove", "settle"]
"""When a step of a plan runs, in this order."""
EventKind = Literal[
    "service_appeared",
    "service_changed",
    "service_vanished",
    "destination_appeared",
    "destination_changed",
    "destination_vanished",
    "counted",
    "counters_reset",
    "timeouts_changed",
    "daemon_started",
    "daemon_stopped",
]
"""What an event says."""
HealthChangeKind = Literal[
    "server_up",
    "server_down",
    "server_damped",
    "quorum_lost",
    "quorum_regained",
    "override_expired",
    "weight_limited",
]
"""What has changed in the health of a service."""
VerdictAction = Literal["forwarded", "bypassed", "rejected", "passed", "dropped"]
"""What becomes of a packet."""
WorkloadChangeKind = Literal["fail", "drain", "return", "weight"]
"""What happened to a server of a workload."""
Profile = Literal["new", "old", "linux7"]
"""A behaviour of the kernel: ``"old"`` before 6.1.183 and 6.12.104, ``"linux7"`` from 7.1 on."""

WaitFor = Literal["nothing", "active", "inactive", "persistent"]
"""Which connections a drain waits for; each includes the one before."""


class Conditions(TypedDict, total=False):
    """Which connections are meant: see `lvs_py.Director.connections`."""

    service: ServiceLike | None
    destination: DestinationLike | None
    real_server: Address | None
    client: Address | IPv4Network | IPv6Network | None
    protocol: ProtocolLike | None
    state: enums.ConnectionState | str | None
    templates: bool | None
    origin: enums.ConnectionOrigin | str | None
    min_expires: int | None
    max_expires: int | None


class EmbeddedOptions(TypedDict, total=False):
    """What `lvs_py.Director.embedded` takes."""

    profile: Profile
    seed: int
    connection_table_size: int | None
    schedulers: Iterable[str] | None
    engines: Iterable[str] | None
    interfaces: Mapping[str, int] | None
    local_addresses: Iterable[Address] | None
    ipv6: bool
    ftp_helper: bool
