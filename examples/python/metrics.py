"""Prints counters and connections of every destination in Prometheus' text format.

python metrics.py > /var/lib/node_exporter/lvs.prom
"""

from __future__ import annotations

import sys

import lvs_py


def metrics(snapshot: lvs_py.Snapshot) -> str:
    """The text of a snapshot."""
    lines: list[str] = []
    for service in snapshot.services.values():
        for entry in service.destinations.values():
            labels = f'{{service="{service.key}",destination="{entry.key}"}}'
            counters = entry.statistics.counters
            lines += [
                f"lvs_connections_total{labels} {counters.connections}",
                f"lvs_bytes_in_total{labels} {counters.bytes_in}",
                f"lvs_bytes_out_total{labels} {counters.bytes_out}",
                f"lvs_active_connections{labels} {entry.active}",
                f"lvs_weight{labels} {entry.weight}",
            ]
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    """Works on the running kernel, or with `--demo` on a table of its own."""
    if "--demo" in sys.argv[1:]:
        director: lvs_py.Director = lvs_py.Director.embedded()
        director.reconcile({"tcp://192.0.2.1:80": ["198.51.100.7:80"]})
    else:
        director = lvs_py.Director.kernel()
    with director:
        sys.stdout.write(metrics(director.snapshot()))


if __name__ == "__main__":
    main()
