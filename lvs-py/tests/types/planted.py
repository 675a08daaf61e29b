"""Mistakes that people make. A type checker must find each one: on its line, and on no other.

Never imported: `test_types.py` has mypy and pyright read it.
"""

import lvs_py
from lvs_py import Destination, Director, Event, Operation, Service, Step, Table, aio


def values(web: Service) -> None:
    web.replace(schedular="rr")  # mistake: a misspelt field
    web.replace(persistence="abc")  # mistake: text for a number
    Service.tcp("192.0.2.1", port="80")  # mistake: text for a number
    Destination("198.51.100.7", 80, forwarding="natt")  # mistake: no forwarding method
    Destination("198.51.100.7", 80).adress  # mistake: a misspelt attribute
    web.scheduler = "rr"  # mistake: values are frozen


def tables(director: Director) -> None:
    Table({5: [5]})  # mistake: neither a service nor a destination
    director.reconcile({5: []})  # mistake: no service
    director.reconcile(None)  # mistake: an empty document


def reading(director: Director) -> None:
    director.services.get("tcp://192.0.2.1:80").scheduler  # mistake: may be None
    director.snapshot().services.get("tcp://192.0.2.1:80").scheduler  # mistake: may be None
    for service in director.snapshot().services:
        service.scheduler  # mistake: iterating a mapping gives its keys
    director.connections().filter(stat="ESTABLISHED")  # mistake: a misspelt condition


def words(event: Event, operation: Operation, step: Step, director: Director) -> None:
    print(event.kind == "service_apeared")  # mistake: no kind of event
    print(operation.action == "add_sevice")  # mistake: no action
    print(step.phase == "adding")  # mistake: no phase
    director.drain("tcp://192.0.2.1:80", wait_for="activ")  # mistake: no such kind of connections


async def asynchronous() -> None:
    aio.embedded(profil="new")  # mistake: a misspelt option
    director = aio.embedded(profile="new")
    director.snapshot().services  # mistake: not awaited
    lvs_py.Director.kernel(transport="netlnk")  # mistake: no transport
