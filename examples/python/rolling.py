"""Replaces the servers of a service one after the other, without cutting a connection.

python rolling.py tcp://192.0.2.1:80 198.51.100.8:80 198.51.100.9:80
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import lvs_py


def roll(director: lvs_py.Director, service: str, wanted: Sequence[str], *, deadline: float = 3600) -> list[str]:
    """Adds what is missing, then drains what is not wanted any more; says what was cut after the deadline."""
    present = {str(key) for key in director.destinations(service)}
    for address in wanted:
        if address not in present:
            director.add_destination(service, address)
    cut: list[str] = []
    for address in sorted(present - set(wanted)):
        progress = director.drain(service, address, deadline=deadline)
        cut += [f"{left.destination}: {left.active} active" for left in progress.cut]
    return cut


def main() -> None:
    """Works on the running kernel."""
    parser = argparse.ArgumentParser(description="Replaces the servers of a service.")
    parser.add_argument("service")
    parser.add_argument("destination", nargs="+")
    options = parser.parse_args()
    with lvs_py.Director.kernel() as director:
        for line in roll(director, options.service, options.destination):
            print("cut", line)


if __name__ == "__main__":
    main()
