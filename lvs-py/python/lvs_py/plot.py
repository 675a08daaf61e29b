"""Plots, with the extra ``lvs-py[plot]``: load shares, rates over time, schedulers compared, simulated workloads.

Each function draws on the axes it is given, or on new ones, and returns them, so that they go into notebooks, reports
and programs of your own alike.

```python
import lvs_py
from lvs_py import plot

pool = [lvs_py.Destination(f"198.51.100.{host}", 80, weight=host) for host in (1, 2, 3)]
axes = plot.schedulers(pool, ["rr", "wrr", "wlc"], connections=300)
assert axes.get_ylabel() == "connections"
```
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ._lvs import Destination, Report, ServiceEntry, Snapshot
    from .typing import ServiceLike

__all__ = ["Recorder", "comparison", "load", "schedulers", "simulation"]


def _axes(axes: Any) -> Any:
    if axes is not None:
        return axes
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'lvs-py[plot]'") from error
    from ._axes import ShownAxes

    # A figure of its own, unknown to pyplot: nothing is kept open behind the caller's back.
    # Notebooks show what a cell returns by its `_repr_png_`, which axes lack.
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    return figure.add_subplot(axes_class=ShownAxes)


def load(entry: ServiceEntry, axes: Any = None) -> Any:
    """Active and inactive connections of a service's destinations, beside what their weights ask for."""
    axes = _axes(axes)
    entries = list(entry.destinations.values())
    names = [str(destination.key) for destination in entries]
    active = [destination.active for destination in entries]
    inactive = [destination.inactive for destination in entries]
    total, weights = sum(active) + sum(inactive), sum(destination.weight for destination in entries)
    places = range(len(names))
    axes.bar(places, active, label="active", color="tab:blue")
    axes.bar(places, inactive, bottom=active, label="inactive", color="tab:cyan")
    if weights:
        wanted = [total * destination.weight / weights for destination in entries]
        axes.scatter(places, wanted, marker="_", s=400, color="black", label="share by weight", zorder=3)
    axes.set_xticks(list(places), names, rotation=30, ha="right")
    # Bars of no height would stick to the top of those below.
    axes.use_sticky_edges = False
    axes.set_ylim(bottom=0)
    axes.set_ylabel("connections")
    axes.set_title(f"{entry.key} ({entry.scheduler})")
    axes.legend()
    return axes


def schedulers(
    destinations: Sequence[Destination],
    names: Iterable[str],
    *,
    connections: int = 1000,
    seed: int = 0,
    axes: Any = None,
) -> Any:
    """How schedulers share connections of different clients out, none of which ends."""
    from random import Random

    from ._lvs import Balancer

    axes = _axes(axes)
    chosen = list(names)
    width = 0.8 / max(1, len(chosen))
    keys = [destination.key for destination in destinations]
    for index, name in enumerate(chosen):
        balancer = Balancer(name, destinations, seed=seed)
        random = Random(seed)
        counts = dict.fromkeys(keys, 0)
        for _ in range(connections):
            client = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"
            picked = balancer.connect((client, random.randrange(1024, 65536)), "192.0.2.1:80")
            if picked is not None:
                counts[picked] += 1
        places = [place + (index - (len(chosen) - 1) / 2) * width for place in range(len(keys))]
        axes.bar(places, [counts[key] for key in keys], width, label=name)
    axes.set_xticks(range(len(keys)), [f"{d.key}\nweight {d.weight}" for d in destinations])
    axes.set_ylabel("connections")
    axes.legend()
    return axes


def simulation(report: Report, quantity: str = "sessions", axes: Any = None) -> Any:
    """A simulated workload over time: "sessions", "new" connections or "weights" of each server, or the "imbalance".

    Events are lines across; what each was stands above it.

    ```python
    import lvs_py
    from lvs_py import plot, simulation

    pool = [f"198.51.100.{host}:80" for host in (1, 2, 3)]
    events = [simulation.Fail(200, pool[0]), simulation.Return(400, pool[0])]
    report = simulation.Workload(lvs_py.Service.tcp("192.0.2.1", 80, scheduler="wlc"), pool, events=events).run()
    assert plot.simulation(report).get_ylabel() == "sessions"
    ```
    """
    axes = _axes(axes)
    if quantity == "imbalance":
        known = [(time, value) for time, value in report.imbalances() if value is not None]
        axes.plot([time for time, _ in known], [value for _, value in known], color="black")
        axes.axhline(1, color="tab:gray", linewidth=0.8)
        axes.set_ylabel("most loaded server, of its fair part")
    else:
        columns = report.columns()
        names = {"sessions": "sessions", "new": "new", "weights": "weight"}
        times, numbers = list(columns["time"]), list(columns[names[quantity]])
        count = len(report.servers)
        for at, server in enumerate(report.servers):
            axes.plot(times[at::count], numbers[at::count], label=str(server.key))
        axes.set_ylabel("new connections" if quantity == "new" else quantity)
        if count:
            axes.legend()
    for change in report.changes:
        time = change.time.total_seconds()
        axes.axvline(time, color="tab:red", linestyle="--", linewidth=0.8)
        axes.annotate(
            f"{change.kind} of\n{change.server}",
            (time, 1.01),
            xycoords=("data", "axes fraction"),
            ha="center",
            fontsize="small",
        )
    axes.set_xlabel("seconds")
    # Above what the events say.
    axes.set_title(f"{report.scheduler}: {report.connections} connections of {report.clients} clients", pad=28)
    return axes


def comparison(reports: Iterable[Report], axes: Any = None) -> Any:
    """Reports of one workload, as `lvs_py.simulation.compare` gives them, side by side: connections a part."""
    axes = _axes(axes)
    chosen = list(reports)
    width = 0.8 / max(1, len(chosen))
    for index, report in enumerate(chosen):
        places = [place + (index - (len(chosen) - 1) / 2) * width for place in range(len(report.servers))]
        shares = [server.relative_share or 0 for server in report.servers]
        axes.bar(places, shares, width, label=report.scheduler)
    axes.axhline(1, color="black", linewidth=0.8)
    if chosen:
        servers = chosen[0].servers
        axes.set_xticks(range(len(servers)), [f"{server.key}\nweight {server.weight}" for server in servers])
        axes.legend()
    axes.set_ylabel("connections, of the fair part")
    return axes


class Recorder:
    """Collects rates of services over time, and plots them.

    ```python
    import lvs_py
    from lvs_py import plot

    recorder = plot.Recorder()
    with lvs_py.Director.embedded() as director:
        director.add_service("tcp://192.0.2.1:80")
        for _ in range(5):
            recorder.add(director.now().total_seconds(), director.snapshot())
            director.advance(2)
    axes = recorder.plot()
    assert axes.get_xlabel() == "seconds"
    ```
    """

    def __init__(self) -> None:
        self.times: list[float] = []
        self._rates: dict[str, list[tuple[float, int, int, int]]] = {}

    def add(self, time: float, snapshot: Snapshot) -> None:
        """Takes in a snapshot of a time in seconds."""
        self.times.append(time)
        for key, entry in snapshot.services.items():
            rates = entry.statistics.rates
            self._rates.setdefault(str(key), []).append((time, rates.connections, rates.bytes_in, rates.bytes_out))

    def plot(
        self, quantity: str = "connections", *, services: Iterable[ServiceLike] | None = None, axes: Any = None
    ) -> Any:
        """Draws "connections", "bytes_in" or "bytes_out" a second."""
        column = {"connections": 1, "bytes_in": 2, "bytes_out": 3}[quantity]
        axes = _axes(axes)
        from ._lvs import ServiceKey

        wanted = None if services is None else {str(ServiceKey(service)) for service in services}
        for name, rows in self._rates.items():
            if wanted is None or name in wanted:
                axes.plot([row[0] for row in rows], [row[column] for row in rows], label=name)
        axes.set_xlabel("seconds")
        axes.set_ylabel(f"{quantity.replace('_', ' ')} per second")
        if axes.lines:
            axes.legend()
        return axes
