"""The kernel's text files in ``/proc/net``: what one can read without privilege, or from copies of another machine.

Each function takes a path or the contents as bytes, and reads this process's namespace if nothing is given. For
connections (``ip_vs_conn``, ``ip_vs_conn_sync``) see `lvs_py.read_connections` and `lvs_py.sum_connections`.

```python
from lvs_py import procfs

text = b'''IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0000201:0050 wlc  persistent 75000 FFFFFF00
  -> C6336407:1F90      Masq    1      2          0
'''
[service] = procfs.read_table(text)
assert str(service.key) == "tcp://192.0.2.1:80" and service.persistence(hz=250) == 300
[destination] = service.destinations
assert str(destination.key) == "198.51.100.7:8080" and destination.active == 2
```
"""

from __future__ import annotations

from typing import NamedTuple

from . import _files, _lvs

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from ipaddress import IPv4Address
    from typing import Union

    from ._lvs import Counters, DestinationKey, ServiceKey, Stats
    from .enums import ForwardingMethod, Protocol

    _Source = Union[str, os.PathLike[str], bytes, None]

__all__ = [
    "CpuStats",
    "EstimatorStatus",
    "Helper",
    "Status",
    "TableDestination",
    "TableRow",
    "TableStatus",
    "read_cpu_stats",
    "read_helpers",
    "read_stats",
    "read_status",
    "read_table",
]


class CpuStats(NamedTuple):
    """What the processors have counted, and what it comes to."""

    cpus: dict[int, Counters]
    """The counters of each possible processor; live, and not reduced by zeroing."""
    total: Stats
    """The sums since they were zeroed, and the rates; refreshed every two seconds."""


class Helper(NamedTuple):
    """A port on which an application helper (FTP) looks into the traffic."""

    protocol: Protocol
    port: int
    name: str
    """Such as ``"ftp"``."""
    use_count: int
    """Connections that use it."""


class TableDestination(NamedTuple):
    """A destination as ``ip_vs`` shows it: without thresholds, tunnel and persistent connections."""

    key: DestinationKey
    forwarding: ForwardingMethod
    weight: int
    active: int
    """Connections in an active state."""
    inactive: int
    """All other connections."""


class TableRow(NamedTuple):
    """A service as ``ip_vs`` shows it, which says less than a director does."""

    key: ServiceKey | None
    """Its key; None of a firewall mark, since the file does not say of which family."""
    mark: int | None
    """The firewall mark, if it is one."""
    scheduler: str
    one_packet: bool
    """Whether each packet is scheduled by itself; never shown of IPv6 addresses."""
    ticks: int | None
    """The timeout of its persistence in ticks of the kernel, None if it has none."""
    netmask: IPv4Address | int | None
    """The netmask of its persistence, of IPv6 the prefix length."""
    destinations: list[TableDestination]

    def persistence(self, *, hz: int) -> int | None:
        """The timeout of its persistence in seconds, where the kernel ticks `hz` times a second (``CONFIG_HZ``)."""
        return None if self.ticks is None else (self.ticks & 0xFFFFFFFF) // hz


class TableStatus(NamedTuple):
    """How full a hash table of a network namespace is."""

    entries: int
    """What is in it. Of the connection table: templates, too."""
    buckets: int
    """How many buckets it has, 0 as long as there is no table."""
    bits: int
    """Buckets are 2 to this power."""
    lfactor: int
    """The load factor that the table was last resized for; a changed tunable takes a moment."""
    lengths: tuple[int, ...] | None
    """How many buckets are empty, hold 1 to 6 entries, or hold 7 or more; None of a table without entries.

    A masqueraded connection is in two buckets."""


class EstimatorStatus(NamedTuple):
    """What computes the rates."""

    threads: int
    max_threads: int
    """Threads there can be; 0 before the first service."""
    chain_length: int
    """Statistics that are estimated at a time; 0 until the kernel has found out how many it can."""
    per_thread: int
    """How many statistics a thread can take."""


class Status(NamedTuple):
    """How full the tables of a network namespace are."""

    connections: TableStatus
    services: TableStatus
    estimator: EstimatorStatus


def read_stats(source: _Source = None) -> Stats:
    """Sums and rates of a network namespace, from ``ip_vs_stats``."""
    return _lvs.proc_stats(_text(source, "ip_vs_stats"))


def read_cpu_stats(source: _Source = None) -> CpuStats:
    """The same by processor, from ``ip_vs_stats_percpu``."""
    cpus, total = _lvs.proc_cpu_stats(_text(source, "ip_vs_stats_percpu"))
    return CpuStats(dict(cpus), total)


def read_helpers(source: _Source = None) -> tuple[Helper, ...]:
    """The ports of application helpers, from ``ip_vs_app``."""
    return tuple(Helper(*row) for row in _lvs.proc_helpers(_text(source, "ip_vs_app")))


def read_status(source: _Source = None) -> Status:
    """How full the tables are, from ``ip_vs_status``, which Linux has since 7.1 and shows to root alone."""
    return _status(_lvs.proc_status(_text(source, "ip_vs_status")))


def _status(parts: _lvs._StatusTuple) -> Status:
    def table(entries: int, buckets: int, bits: int, lfactor: int, lengths: list[int] | None) -> TableStatus:
        return TableStatus(entries, buckets, bits, lfactor, None if lengths is None else tuple(lengths))

    connections, services, estimator = parts
    return Status(table(*connections), table(*services), EstimatorStatus(*estimator))


def read_table(source: _Source = None) -> list[TableRow]:
    """Services with their destinations, from ``ip_vs``. Any user may read it."""
    rows: list[TableRow] = []
    for row in _lvs.proc_table(_text(source, "ip_vs")):
        *service, destinations = row
        rows.append(TableRow._make([*service, [TableDestination(*destination) for destination in destinations]]))
    return rows


def _text(source: _Source, name: str) -> bytes:
    if isinstance(source, bytes):
        return source
    # Of the thread, which may be in another namespace than its process.
    return _files.read(f"/proc/thread-self/net/{name}" if source is None else source)
