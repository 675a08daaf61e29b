"""Workloads on the embedded director: what would happen if.

A `Workload` says who comes, how often, for how long, and what happens to the servers meanwhile; each of these is given
by you or drawn from a distribution with a seed. `Workload.run` plays it, connection by connection, and the `Report`
holds each server's share, peak and imbalance over time, the clients that every event moved, and the connections that
it broke.

The scheduler's choices, the persistence and the counters are those of the kernel. The network and the servers are not
modelled: a session lasts as long as drawn, however loaded its server is.

```python
from lvs_py import Destination, Service
from lvs_py.simulation import Fail, LogNormal, Poisson, Workload, Zipf

workload = Workload(
    Service.tcp("192.0.2.1", 80, scheduler="mh"),
    [Destination(f"198.51.100.{host}", 80) for host in range(1, 5)],
    duration=120,
    arrivals=Poisson(50),
    lengths=LogNormal(median=3, spread=1.0),
    clients=Zipf(500, exponent=0.8),
    events=[Fail(60, "198.51.100.1:80")],
)
report = workload.run()
[change] = report.changes
assert change.moved_without_need * 10 < change.returning  # mh moves the clients of the failed server, and few others
print(report)

from lvs_py.simulation import compare

for other in compare(workload, ["mh", "wlc", "sh"]):
    print(other.scheduler, other.imbalance(0.5), other.changes[0].moved_without_need)
```
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Union

from ._lvs import Change, Destination, Report, ServerReport, Service, simulate
from .exceptions import InvalidInputError
from .typing import Address, DestinationLike, Profile, ServiceLike

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "Arrivals",
    "Change",
    "Clients",
    "Drain",
    "Event",
    "Exponential",
    "Fail",
    "Lengths",
    "LogNormal",
    "Pareto",
    "Poisson",
    "Regular",
    "Report",
    "Return",
    "ServerReport",
    "SetWeight",
    "Time",
    "Uniform",
    "Workload",
    "Zipf",
    "compare",
]

Time = Union[float, timedelta]
"""A time: seconds, or a `timedelta`."""


@dataclass(frozen=True)
class Poisson:
    """Connections are opened at random and independently of each other, on average so many a second."""

    per_second: float
    """Above 0."""


@dataclass(frozen=True)
class Regular:
    """Connections are opened at regular intervals."""

    per_second: float
    """Above 0."""


@dataclass(frozen=True)
class Exponential:
    """A connection may end at any moment, whatever its age."""

    mean: Time
    """The average length."""


@dataclass(frozen=True)
class LogNormal:
    """Most connections are short, some are long. Web sessions are much like this."""

    median: Time
    """Half of them are shorter."""
    spread: float = 1.0
    """The standard deviation of the logarithm, 0 or above; 1 is a wide spread."""


@dataclass(frozen=True)
class Pareto:
    """Few connections last very long. Downloads are much like this."""

    shortest: Time
    """The length of the shortest."""
    shape: float
    """The smaller, the longer the longest; above 0, and above 1 for there to be an average."""


@dataclass(frozen=True)
class Uniform:
    """So many clients, each as often as the others."""

    count: int
    """At least 1."""


@dataclass(frozen=True)
class Zipf:
    """So many clients, the n-th one proportionally to ``n ** -exponent``: some come all the time, most come seldom."""

    count: int
    """At least 1."""
    exponent: float = 1.0
    """0 is uniform, 1 is usual."""


@dataclass(frozen=True)
class Event:
    """What happens to a server: one of the classes below."""

    at: Time
    """When."""
    server: DestinationLike
    """Which one."""


@dataclass(frozen=True)
class Fail(Event):
    """A server is gone: its connections break, and it is removed from the service."""


@dataclass(frozen=True)
class Drain(Event):
    """A server's weight becomes 0: it keeps its connections and gets no new ones."""


@dataclass(frozen=True)
class Return(Event):
    """A server is back with the settings it had at first."""


@dataclass(frozen=True)
class SetWeight(Event):
    """A server's weight changes."""

    weight: int
    """The new weight."""


Arrivals = Union[Poisson, Regular, Iterable[Time]]
"""When connections are opened: a distribution, or the times."""
Lengths = Union[Exponential, LogNormal, Pareto, Time, Iterable[Time]]
"""How long connections are used: a distribution, one length for all, or lengths to take in turn."""
Clients = Union[Uniform, Zipf, int, Iterable[Address]]
"""Who opens connections: a distribution, a number of equal clients, or addresses to take in turn."""


@dataclass(frozen=True)
class Workload:
    """A service, its servers, and what comes upon them.

    By default ten connections a second of ten seconds each, from a thousand clients that come alike, for ten minutes.
    It is frozen: `dataclasses.replace` makes another one.
    """

    service: Service | ServiceLike
    """The service. Clients connect to its address and port; to port 80 of 192.0.2.1 or 2001:db8::1 if it is a mark."""
    servers: Iterable[Destination | DestinationLike]
    """Its servers, added in this order."""
    duration: Time = 600
    """How long it goes on."""
    arrivals: Arrivals = Poisson(10)
    """When connections are opened."""
    lengths: Lengths = Exponential(10)
    """How long they are used."""
    clients: Clients = Uniform(1000)
    """Who opens them."""
    events: Iterable[Event] = ()
    """What happens to the servers, and when."""
    sample_every: Time | None = None
    """How often to take a sample; a hundred of them if None."""
    seed: int = 1
    """The seed of all that is drawn."""
    profile: Profile = "new"
    """The kind of kernel, as in `lvs_py.Director.embedded`."""

    def __post_init__(self) -> None:
        # What is gone through once could not be played twice.
        for name in ("servers", "arrivals", "lengths", "clients", "events"):
            value = getattr(self, name)
            if hasattr(value, "__next__"):
                object.__setattr__(self, name, tuple(value))

    def run(self) -> Report:
        """Plays the workload. Other threads run meanwhile.

        Raises what a director raises that refuses the service, a server or an event, and `lvs_py.InvalidInputError` if
        something is no distribution, or an event happens to none of the servers.
        """
        return simulate(
            self.service,
            self.servers,
            duration=_time(self.duration),
            arrivals=_arrivals(self.arrivals),
            lengths=_lengths(self.lengths),
            clients=_clients(self.clients),
            events=[_event(event) for event in self.events],
            sample_every=None if self.sample_every is None else _time(self.sample_every),
            seed=self.seed,
            profile=self.profile,
        )


def compare(workload: Workload, schedulers: Iterable[str]) -> list[Report]:
    """Plays one workload with each of some schedulers: the same clients come at the same times."""
    service = workload.service if isinstance(workload.service, Service) else Service(workload.service)
    return [
        dataclasses.replace(workload, service=service.replace(scheduler=scheduler)).run() for scheduler in schedulers
    ]


def _time(value: Time) -> timedelta:
    try:
        span = value if isinstance(value, timedelta) else timedelta(seconds=value)
    except (OverflowError, ValueError) as error:
        raise InvalidInputError(f"{value!r} is no length of time") from error
    if span < timedelta(0):
        raise InvalidInputError(f"{value!r} is a negative time")
    return span


def _arrivals(value: Arrivals) -> tuple[str, Any]:
    if isinstance(value, Poisson):
        return "poisson", value.per_second
    if isinstance(value, Regular):
        return "regular", value.per_second
    return "given", [_time(time) for time in value]


def _lengths(value: Lengths) -> tuple[str, Any]:
    if isinstance(value, Exponential):
        return "exponential", _time(value.mean)
    if isinstance(value, LogNormal):
        return "log_normal", (_time(value.median), value.spread)
    if isinstance(value, Pareto):
        return "pareto", (_time(value.shortest), value.shape)
    if isinstance(value, (int, float, timedelta)):
        return "fixed", _time(value)
    return "given", [_time(time) for time in value]


# Each is an object of Python: a network such as ::/0 has more than there is memory for.
_MOST_CLIENTS = 1_000_000


def _clients(value: Clients) -> tuple[str, Any]:
    if isinstance(value, int):
        return "uniform", value
    if isinstance(value, Uniform):
        return "uniform", value.count
    if isinstance(value, Zipf):
        return "zipf", (value.count, value.exponent)
    addresses = list(itertools.islice(value, _MOST_CLIENTS + 1))
    if len(addresses) > _MOST_CLIENTS:
        raise InvalidInputError(f"more than {_MOST_CLIENTS} clients: give a number, Uniform or Zipf")
    return "given", addresses


def _event(value: Event) -> tuple[str, timedelta, DestinationLike, int | None]:
    if isinstance(value, SetWeight):
        return "weight", _time(value.at), value.server, value.weight
    for kind, name in ((Fail, "fail"), (Drain, "drain"), (Return, "return")):
        if isinstance(value, kind):
            return name, _time(value.at), value.server, None
    raise TypeError(f"an event is Fail, Drain, Return or SetWeight, not {type(value).__name__}")
