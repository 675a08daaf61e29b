"""Types for annotations: what the functions of this package take.

```python
from lvs_py.typing import Address, ServiceLike

def page(service: ServiceLike, real_server: Address) -> None: ...
```
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any, Literal, TypedDict, Union

from . import enums
from ._lvs import (
    Destination,
    DestinationEntry,
    DestinationKey,
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
    "FamilyLike",
    "ForwardingLike",
    "IPAddress",
    "ListingMode",
    "NetmaskLike",
    "OperationKind",
    "ProtocolLike",
    "RoleLike",
    "Seconds",
    "ServiceLike",
    "TableLike",
    "Transport",
    "TunnelLike",
    "WaitFor",
]

IPAddress = Union[IPv4Address, IPv6Address]
"""How addresses come back."""
Address = Union[str, IPv4Address, IPv6Address, IPv4Interface, IPv6Interface]
"""How addresses may be given."""
ProtocolLike = Union[enums.Protocol, int, str]
FamilyLike = Union[enums.AddressFamily, int, str]
ForwardingLike = Union[enums.ForwardingMethod, int, str]
RoleLike = Union[enums.DaemonRole, int, str]
Seconds = Union[float, timedelta]
"""Whole seconds: ``300``, ``300.0``, ``timedelta(minutes=5)``."""
NetmaskLike = Union[str, int, IPv4Address]
"""A mask (``"255.255.255.0"``) or a prefix length (``24``, ``"/24"``)."""
TunnelLike = Union[Tunnel, Literal["ipip", "gre"]]
ServiceLike = Union[ServiceKey, Service, ServiceEntry, str, "tuple[ProtocolLike, Address, int]"]
"""What names a service: ``"tcp://192.0.2.1:80"``, ``"192.0.2.1:80/tcp"``, ``"fwmark:7"``, a key, a service."""
DestinationLike = Union[DestinationKey, Destination, DestinationEntry, str, "tuple[Address, int]"]
"""What names a destination: ``"198.51.100.7:80"``, a key, a destination."""
TableLike = Union[
    Table,
    Snapshot,
    "Mapping[Any, Iterable[Destination | DestinationLike]]",
    "Iterable[TableService | tuple[Service | ServiceLike, Iterable[Destination | DestinationLike]]]",
]
"""What can be made a table: ``{service: [destination, ...]}``, for instance.

The keys of a mapping are `ServiceLike`; a type checker would take that for all kinds at once.
"""
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
