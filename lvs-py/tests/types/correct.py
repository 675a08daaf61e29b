"""What people write, in its many forms. A type checker must find nothing in it.

Never imported: `test_types.py` has mypy and pyright read it.
"""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address

import lvs_py
from lvs_py import Destination, Director, Event, ForwardingMethod, Service, ServiceKey, Table, aio, rules


def tables(director: Director, web: Service, pools: Mapping[ServiceKey, list[Destination]]) -> None:
    director.reconcile({"tcp://192.0.2.1:80": ["198.51.100.7:80"]})
    director.reconcile({web: [Destination("198.51.100.7", 80)], "fwmark:7": ["198.51.100.8:80"]})
    director.reconcile({web: [Destination("198.51.100.7", 80), "198.51.100.8:80"]})
    director.reconcile({web.key: ["198.51.100.7:80"]}, undo="service", allow=["add_service"])
    director.reconcile([(web, ["198.51.100.7:80"]), ("fwmark:7", [])])
    director.reconcile([web])
    director.reconcile(pools)
    director.reconcile(director.snapshot())
    director.reconcile(rules.parse("-A -t 192.0.2.1:80"))
    texts = {"tcp://192.0.2.1:80": ["198.51.100.7:80"]}
    director.plan(texts)
    Table({web: []}, timeouts=lvs_py.Timeouts(tcp=timedelta(minutes=15)))
    Table([{"key": "fwmark:7", "destinations": []}])
    Table(texts).replace(services={web: ["198.51.100.7:80"]})


def values(method: str) -> Destination:
    server = Destination(ip_address("198.51.100.7"), 80, forwarding=ForwardingMethod(method), weight=2)
    return server.replace(forwarding="dr", tunnel="gre")


def reading(director: Director) -> str:
    entry = director.services.get("tcp://192.0.2.1:80")
    if entry is None:
        return ""
    known = director.snapshot().services.get(entry.key, entry)
    return known.scheduler


def words(event: Event) -> bool:
    return event.kind in ("service_appeared", "service_vanished") and event.service is not None


async def asynchronous() -> int:
    async with aio.embedded(profile="linux7", seed=1) as director:
        await director.reconcile({"tcp://192.0.2.1:80": ["198.51.100.7:80"]})
        return len((await director.snapshot()).services)
