"""Times this package and pyroute2 on the running kernel: filling a table, reading it with statistics.

    python against_pyroute2.py [SERVICES [SERVICES_OF_PYROUTE2]]

Run it as root in a kernel that has IPVS, in an environment that holds both. The table is flushed. Since pyroute2 takes
milliseconds an object, it may fill a smaller table; what it reads is the whole one.
"""

from __future__ import annotations

import sys
import time
from socket import IPPROTO_TCP

import lvs_py


def services(count: int) -> list[lvs_py.Service]:
    return [lvs_py.Service.tcp(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", 80) for i in range(count)]


def timed(what: str, objects: int, seconds: float) -> None:
    print(f"{what:48}{seconds:10.3f} s{seconds / objects * 1e6:10.1f} us an object", flush=True)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    few = int(sys.argv[2]) if len(sys.argv) > 2 else count
    pool = [lvs_py.Destination(f"198.51.100.{host}", 80, forwarding="nat") for host in (1, 2)]
    with lvs_py.Director.kernel(load_module=True) as director:
        director.flush()
        start = time.perf_counter()
        batch = director.batch()
        for service in services(count):
            batch.add_service(service)
            for destination in pool:
                batch.add_destination(service, destination)
        built = time.perf_counter()
        assert batch.apply().complete
        timed("lvs: building a batch", 3 * count, built - start)
        timed("lvs: filling, batched", 3 * count, time.perf_counter() - built)
        for transport in ("netlink", "sockopt"):
            with lvs_py.Director.kernel(transport=transport) as reader:
                start = time.perf_counter()
                snapshot = reader.snapshot()
                timed(f"lvs: snapshot over {transport}", 3 * count, time.perf_counter() - start)
        snapshot = director.snapshot()
        start = time.perf_counter()
        total = sum(e.statistics.counters.bytes_in for s in snapshot.services.values() for e in s.destinations.values())
        assert total == 0
        timed("lvs: going over every destination's statistics", 2 * count, time.perf_counter() - start)

        try:
            from pyroute2 import IPVS, IPVSDest, IPVSService
        except ImportError:
            return
        ipvs = IPVS()
        start = time.perf_counter()
        seen = 0
        # The whole answer first: another question on the same socket would wait for what nobody
        # reads.
        for message in list(ipvs.service("dump")):
            service = IPVSService.from_message(message)
            for inner in list(ipvs.dest("dump", service=service)):
                IPVSDest.from_message(inner)
                seen += 1
        timed("pyroute2: dump of services and destinations", 3 * count, time.perf_counter() - start)
        assert seen == 2 * count
        director.flush()
        start = time.perf_counter()
        for service in services(few):
            ours = IPVSService(addr=str(service.address), port=80, protocol=IPPROTO_TCP)
            ipvs.service("add", service=ours)
            for destination in pool:
                ipvs.dest("add", service=ours, dest=IPVSDest(addr=str(destination.address), port=80, fwd_method=0))
        timed(f"pyroute2: filling {few} services", 3 * few, time.perf_counter() - start)
        ipvs.close()
        director.flush()


if __name__ == "__main__":
    main()
