"""Directors for programs of asyncio."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import lvs_py
from lvs_py import aio, rules

WEB = "tcp://192.0.2.1:80"
RULES = """\
-A -t 192.0.2.1:80 -s wrr
-a -t 192.0.2.1:80 -r 198.51.100.7:80 -g -w 3
-a -t 192.0.2.1:80 -r 198.51.100.8:80 -g -w 1
"""


def test_asyncio_does_the_same() -> None:
    async def run() -> None:
        async with aio.embedded() as director:
            await director.reconcile(rules.parse(RULES).to_table())
            assert (await director.service(WEB)).scheduler == "wrr"
            with pytest.raises(lvs_py.AlreadyExistsError):
                await director.add_service(WEB)
            assert len((await director.snapshot()).services) == 1
            report = await director.apply([lvs_py.Operation.remove_destination(WEB, "198.51.100.7:80")])
            assert report.complete and len(await director.connections()) == 0
            looks = director.watch()
            assert [event.kind for event in await looks.__anext__()] == ["service_appeared", "destination_appeared"]
            assert await looks.__anext__() == []
            progress = await director.drain(WEB, "198.51.100.8:80")
            assert progress.done and not await director.destinations(WEB)
        assert director.director.closed

    asyncio.run(run())


def test_a_cancelled_drain_puts_the_weights_back() -> None:
    async def run() -> None:
        async with aio.embedded() as director:
            embedded = director.director
            assert isinstance(embedded, lvs_py.EmbeddedDirector)
            await director.reconcile(rules.parse(RULES).to_table())
            for port in range(40000, 40004):
                embedded.connect(f"203.0.113.9:{port}", "192.0.2.1:80")
            task = asyncio.ensure_future(director.drain(WEB, "198.51.100.7:80"))
            while embedded.destinations(WEB)["198.51.100.7:80"].weight:
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert embedded.destinations(WEB)["198.51.100.7:80"].weight == 3

    asyncio.run(run())


def test_a_drain_that_is_cancelled_while_it_looks_changes_nothing_later() -> None:
    async def run() -> None:
        async with aio.embedded() as director:
            await director.reconcile({f"tcp://10.0.{n // 250}.{n % 250}:80": ["198.51.100.7:80"] for n in range(5000)})
            for pause in (0, 0.0002, 0.0005, 0.001, 0.002, 0.005):
                task = asyncio.ensure_future(director.drain(real_server="198.51.100.7", remove=False))
                await asyncio.sleep(pause)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await asyncio.sleep(0.02)
                snapshot = await director.snapshot()
                assert all(d.weight == 1 for entry in snapshot.services.values() for d in entry.destinations.values())

    asyncio.run(run())


def test_a_hanging_probe_and_a_refused_service_hold_up_nobody() -> None:
    hangs, dead, odd = "198.51.100.7:80", "198.51.100.8:80", "198.51.100.9:80"

    async def probe(_service: lvs_py.ServiceKey, server: lvs_py.DestinationKey) -> bool:
        if str(server) == hangs:
            await asyncio.sleep(3600)
        return str(server) != dead

    async def run() -> None:
        health = lvs_py.Health()
        health.watch(WEB, [hangs, dead, odd], lvs_py.HealthPolicy(fall=1))
        health.watch(lvs_py.Service("tcp://192.0.2.2:80", scheduler="nosuch"), [odd], lvs_py.HealthPolicy(fall=1))
        async with aio.embedded() as director:
            rounds = director.keep_healthy(health, probe, interval=0.05, concurrency=2)
            assert [change.kind for change in await rounds.__anext__()] == ["server_down"]
            assert (await director.destinations(WEB))[dead].weight == 0
            health.unwatch("tcp://192.0.2.2:80")
            assert await rounds.__anext__() == []
            await rounds.aclose()

    asyncio.run(run())


def test_a_drain_cancelled_at_any_moment_puts_the_weights_back() -> None:
    servers = [f"198.51.{host // 200}.{host % 200 + 1}:80" for host in range(2000)]

    async def run() -> None:
        async with aio.embedded() as director:
            embedded = director.director
            assert isinstance(embedded, lvs_py.EmbeddedDirector)
            await director.reconcile({WEB: servers})
            embedded.connect("203.0.113.9:40000", "192.0.2.1:80")
            for steps in range(30):
                task = asyncio.ensure_future(director.drain(WEB))
                for _ in range(steps):
                    await asyncio.sleep(0)
                task.cancel()
                # A second cancellation does not get in the way of putting things back.
                asyncio.get_running_loop().call_soon(task.cancel)
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert {entry.weight for entry in embedded.destinations(WEB).values()} == {1}

    asyncio.run(run())


def test_no_more_probes_run_at_once_than_allowed() -> None:
    running = most = tasks = 0

    async def probe(_: lvs_py.ServiceKey, __: lvs_py.DestinationKey) -> bool:
        nonlocal running, most, tasks
        running += 1
        most = max(most, running)
        tasks = max(tasks, len(asyncio.all_tasks()))
        await asyncio.sleep(0)
        running -= 1
        return True

    async def run() -> None:
        health = lvs_py.Health()
        health.watch(WEB, [f"198.51.100.{host}:80" for host in range(1, 100)])
        async with aio.embedded() as director:
            await director.keep_healthy(health, probe, concurrency=10).__anext__()

    asyncio.run(run())
    assert most == 10
    # Those that have to wait are not even begun. With them there is the test, the round, and what runs a probe's body.
    assert tasks <= 2 * 10 + 2


def test_what_waits_keeps_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        waiting = asyncio.Event()

        async def sleep(_director: aio.AsyncDirector, _seconds: float) -> None:
            waiting.set()
            await asyncio.sleep(3600)

        monkeypatch.setattr(aio.AsyncDirector, "_sleep", sleep)
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        async with aio.embedded() as director:
            looks = director.watch()
            await looks.__anext__()
            look = asyncio.ensure_future(looks.__anext__())
            await waiting.wait()
            # The only thread there is has time for this.
            assert not (await director.snapshot()).services
            look.cancel()

    asyncio.run(run())


def test_other_tasks_have_their_turn_between_events() -> None:
    async def run() -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        async with aio.embedded() as director:
            await director.reconcile(lvs_py.Table({f"tcp://192.0.2.1:{port}": [] for port in range(1, 3001)}))
            task = asyncio.ensure_future(others())
            seen, at_a_stretch, longest, before = 0, 0, 0, turns
            async for _ in director.events(initial=True):
                at_a_stretch = at_a_stretch + 1 if turns == before else 1
                longest, before, seen = max(longest, at_a_stretch), turns, seen + 1
                if seen == 3000:
                    break
            assert longest <= 256
            task.cancel()

    asyncio.run(run())


def test_events_come_one_by_one() -> None:
    async def run() -> None:
        async with aio.embedded() as director:
            await director.add_service(WEB)
            events = director.events(interval=1)
            first = asyncio.ensure_future(events.__anext__())
            while not isinstance(director.director, lvs_py.EmbeddedDirector) or not director.director.now():
                await asyncio.sleep(0)
            await director.add_destination(WEB, "198.51.100.7:80")
            assert (await first).kind == "destination_appeared"
            kinds = [event.kind async for event in _some(director.events(initial=True), 2)]
            assert kinds == ["service_appeared", "destination_appeared"]

    asyncio.run(run())


async def _some(events: AsyncIterator[lvs_py.Event], count: int) -> AsyncIterator[lvs_py.Event]:
    async for event in events:
        yield event
        count -= 1
        if not count:
            return


def test_health_is_kept_with_a_probe_of_ones_own() -> None:
    answers: dict[str, object] = {"198.51.100.7:80": True, "198.51.100.8:80": 4}
    asked: list[tuple[lvs_py.ServiceKey, lvs_py.DestinationKey]] = []

    async def probe(service: lvs_py.ServiceKey, server: lvs_py.DestinationKey) -> int:
        asked.append((service, server))
        answer = answers[str(server)]
        if answer == "hangs":
            await asyncio.sleep(3600)
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[return-value]

    async def run() -> None:
        health = lvs_py.Health()
        health.watch(lvs_py.Service(WEB, scheduler="wrr"), list(answers), lvs_py.HealthPolicy(fall=2))
        async with aio.embedded() as director:
            await director.add_service("fwmark:7")  # somebody else's

            async def weights() -> dict[str, int]:
                return {str(key): entry.weight for key, entry in (await director.destinations(WEB)).items()}

            rounds = director.keep_healthy(health, probe, interval=5, timeout=0.05)
            assert await rounds.__anext__() == []
            assert await weights() == {"198.51.100.7:80": 1, "198.51.100.8:80": 4}
            assert asked == [(lvs_py.ServiceKey(WEB), lvs_py.DestinationKey(server)) for server in answers]
            answers.update({"198.51.100.7:80": ConnectionRefusedError(), "198.51.100.8:80": "hangs"})
            assert await rounds.__anext__() == []
            changes = await rounds.__anext__()
            assert [change.kind for change in changes] == ["server_down", "server_down", "quorum_lost"]
            assert await weights() == {"198.51.100.7:80": 0, "198.51.100.8:80": 0}
            answers["198.51.100.7:80"] = True
            assert {change.kind for change in await rounds.__anext__()} == {"server_up", "quorum_regained"}
            assert (await weights())["198.51.100.7:80"] == 1 and "fwmark:7" in await director.services()
            assert isinstance(director.director, lvs_py.EmbeddedDirector)
            assert director.director.now() == timedelta(seconds=15)
            # A fault of the probe, or of this machine, says nothing about the server.
            for fault in (ZeroDivisionError(), None, "up", OSError(errno.EMFILE, "Too many open files")):
                answers["198.51.100.7:80"] = fault
                for _ in range(3):
                    assert await rounds.__anext__() == []
            # What a package says with an exception of its own is what it found.
            answers["198.51.100.7:80"] = asyncio.IncompleteReadError(b"", 1)
            assert await rounds.__anext__() == []
            assert {change.kind for change in await rounds.__anext__()} == {"server_down", "quorum_lost"}
            await rounds.aclose()

    asyncio.run(run())


def test_plans_and_totals_are_awaited() -> None:
    async def run() -> None:
        async with aio.embedded() as director:
            plan = await director.plan({WEB: ["198.51.100.7:80"]})
            assert (await director.apply_plan(plan)).complete and len(await director.services()) == 1
            assert (await director.totals()).counters.connections == 0

    asyncio.run(run())
