"""Nobody waits long for a call that makes or reads many objects: neither a thread nor a task."""

from __future__ import annotations

import asyncio
import pickle
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import lvs_py
from lvs_py import Director, EmbeddedDirector, Health, Plan, Scope, Snapshot, Table, aio

COUNT = 10_000
KEYS = [f"tcp://10.{n >> 16}.{n >> 8 & 255}.{n & 255}:80" for n in range(COUNT)]
SERVER = "198.51.100.7:80"


@pytest.fixture(autouse=True)
def held_until_given_up() -> Iterator[None]:
    """Nobody asks a thread to hand on the interpreter: it has to do that by itself."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(before)


def has_turns_during(call: Callable[[], object]) -> bool:
    """Whether another thread has its turn while a call is under way."""
    under_way = over = False
    turns = 0
    ready = threading.Event()

    def wait() -> None:
        nonlocal turns
        while not over:
            turns += under_way
            ready.set()
            # Waits for the interpreter most of the time, but leaves a moment to whom it was taken from.
            time.sleep(0.0002)

    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait()
    # Who waits need not win each time that the interpreter is let go of.
    for _ in range(20):
        under_way = True
        call()
        under_way = False
        if turns:
            break
    over = True
    thread.join()
    return bool(turns)


@pytest.fixture(scope="module")
def table() -> Table:
    return Table({key: [SERVER] for key in KEYS})


def calls(table: Table) -> dict[str, Callable[[], object]]:
    director = Director.embedded()
    director.reconcile(table)
    snapshot, plan = director.snapshot(), Plan(Table(), table)
    pairs = {key: [SERVER] for key in KEYS}
    table_rows, snapshot_rows, plan_rows = table.to_dict(), snapshot.to_dict(), plan.to_dict()
    operations, entries = list(plan.operations), list(snapshot.services.values())
    health, columns = Health(), snapshot.destination_columns()
    for key in KEYS:
        health.watch(key, [SERVER])
    return {
        "Table": lambda: Table(pairs),
        "Table.services": lambda: table.services,
        "repr(Table)": lambda: repr(table),
        "Table.to_dict": table.to_dict,
        "Table.from_dict": lambda: Table.from_dict(table_rows),
        "Snapshot": lambda: Snapshot(entries),
        "Snapshot.to_dict": snapshot.to_dict,
        "Snapshot.from_dict": lambda: Snapshot.from_dict(snapshot_rows),
        "Snapshot.to_table": snapshot.to_table,
        "Plan.steps": lambda: plan.steps,
        "Plan.operations": lambda: plan.operations,
        "Plan.from_dict": lambda: Plan.from_dict(plan_rows),
        "Plan.to_dict": plan.to_dict,
        "str(Plan)": lambda: str(plan),
        "Director.plan": lambda: director.plan(pairs),
        "Director.apply": lambda: director.apply(operations),
        "Batch.extend": lambda: director.batch().extend(operations),
        "Scope.services": lambda: Scope.services(*KEYS),
        "Health.watched": health.watched,
        "Health.wanted": lambda: health.wanted(1),
        "Columns": lambda: list(columns.values()),
        "pickle": lambda: pickle.loads(pickle.dumps(snapshot)),
    }


def test_other_threads_have_their_turns(table: Table) -> None:
    assert [name for name, call in calls(table).items() if not has_turns_during(call)] == []


def test_a_call_that_gives_no_turns_is_noticed() -> None:
    assert not has_turns_during(lambda: sum(range(100_000)))


class Recorded:
    """Notes which thread calls what of a value."""

    def __init__(self, value: object, calls: list[tuple[str, int]]) -> None:
        self._value = value
        self._calls = calls

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._value)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._value, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **options: Any) -> object:
            self._calls.append((name, threading.get_ident()))
            return found(*arguments, **options)

        return call


def test_nothing_of_a_director_that_can_take_long_runs_on_the_loop() -> None:
    called: list[tuple[str, int]] = []
    health: Any = Recorded(Health(), called)
    health.watch(KEYS[0], [SERVER, "198.51.100.8:80"], lvs_py.HealthPolicy(fall=1))
    called.clear()

    async def probe(_: lvs_py.ServiceKey, server: lvs_py.DestinationKey) -> bool:
        return str(server) == SERVER

    async def run() -> int:
        recorded: Any = Recorded(Director.embedded(), called)
        assert isinstance(recorded, EmbeddedDirector)
        async with aio.AsyncDirector(recorded) as director:
            rounds = director.keep_healthy(health, probe, interval=1)
            assert [change.kind for change in await rounds.__anext__()] == ["server_down"]
            assert await rounds.__anext__() == []
            await rounds.aclose()
            assert [len(events) async for events in _two(director.watch())] == [3, 0]
            assert (await director.drain(KEYS[0])).done
            await director.add_service("fwmark:7")
        assert recorded.closed
        return threading.get_ident()

    loop = asyncio.run(run())
    # One report is short. All the servers together are not, and whoever needs the director may have to wait for it.
    assert {name for name, thread in called if thread == loop} == {"report"}
    aside = {name for name, thread in called if thread != loop}
    assert {"_now", "advance", "apply_plan", "close", "plan", "tick", "wanted", "watched"} <= aside


async def _two(looks: AsyncIterator[lvs_py.Events]) -> AsyncIterator[lvs_py.Events]:
    for _ in range(2):
        yield await looks.__anext__()
