"""Counters and connections of every destination for Prometheus, with its official client.

python metrics.py 9101           # serves http://localhost:9101/metrics
python metrics.py --demo         # prints those of a table of its own
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import lvs_py

LABELS = ["service", "destination"]


class Director(Collector):
    """Reads the table once for each scrape, so that its figures belong together."""

    def __init__(self, director: lvs_py.Director) -> None:
        self._director = director

    def collect(self) -> Iterator[Metric]:
        """The metrics at this moment."""
        connections = CounterMetricFamily("lvs_connections", "Connections scheduled", labels=LABELS)
        received = CounterMetricFamily("lvs_received_bytes", "Bytes from clients", labels=LABELS)
        sent = CounterMetricFamily("lvs_sent_bytes", "Bytes from real servers", labels=LABELS)
        active = GaugeMetricFamily("lvs_active_connections", "Connections in an active state", labels=LABELS)
        weight = GaugeMetricFamily("lvs_weight", "Weight, 0 for quiesced", labels=LABELS)
        for service in self._director.snapshot().services.values():
            for entry in service.destinations.values():
                labels = [str(service.key), str(entry.key)]
                counters = entry.statistics.counters
                connections.add_metric(labels, counters.connections)
                received.add_metric(labels, counters.bytes_in)
                sent.add_metric(labels, counters.bytes_out)
                active.add_metric(labels, entry.active)
                weight.add_metric(labels, entry.weight)
        yield from (connections, received, sent, active, weight)


def main() -> None:
    """Serves the running kernel's metrics on a port, or prints those of a demonstration."""
    registry = CollectorRegistry()
    if sys.argv[1:] == ["--demo"]:
        with lvs_py.Director.embedded() as demo:
            demo.reconcile({"tcp://192.0.2.1:80": ["198.51.100.7:80"]})
            registry.register(Director(demo))
            sys.stdout.write(generate_latest(registry).decode())
        return
    [port] = sys.argv[1:]
    with lvs_py.Director.kernel() as director:
        registry.register(Director(director))
        start_http_server(int(port), registry=registry)
        threading.Event().wait()


if __name__ == "__main__":
    main()
