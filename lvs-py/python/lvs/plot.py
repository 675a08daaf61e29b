"""Plots, with the extra ``lvs-py[plot]``: load shares, rates over time, schedulers compared.

Each function draws on the axes it is given, or on new ones, and returns them, so that they go into notebooks, reports
and programs of your own alike.

```python
import lvs
from lvs import plot

pool = [lvs.Destination(f"198.51.100.{host}", 80, weight=host) for host in (1, 2, 3)]
axes = plot.schedulers(pool, ["rr", "wrr", "wlc"], connections=300)
assert axes.get_ylabel() == "connections"
```
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ._lvs import Destination, ServiceEntry, Snapshot
    from .typing import ServiceLike

__all__ = ["Recorder", "load", "schedulers"]


def _axes(axes: Any) -> Any:
    if axes is not None:
        return axes
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'lvs-py[plot]'") from error
    # A figure of its own, unknown to pyplot: nothing is kept open behind the caller's back.
    return Figure(figsize=(8, 4.5), layout="constrained").add_subplot()


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


class Recorder:
    """Collects rates of services over time, and plots them.

    ```python
    import lvs
    from lvs import plot

    recorder = plot.Recorder()
    with lvs.Director.embedded() as director:
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
