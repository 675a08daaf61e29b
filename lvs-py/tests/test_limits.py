"""Nothing leaks, threads take turns, a fork is told apart."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import threading
from datetime import timedelta

import pytest

import lvs_py
from lvs_py import Destination, Director, Service

WEB = "tcp://192.0.2.1:80"


def memory() -> int:
    """Resident bytes."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def use(director: Director, times: int) -> None:
    service = Service(WEB, persistence=300)
    for _ in range(times):
        director.add_service(service)
        director.add_destination(WEB, Destination("198.51.100.7:80"))
        snapshot = director.snapshot()
        for entry in snapshot.services[WEB].destinations.values():
            assert entry.statistics.counters.connections == 0
        with contextlib.suppress(lvs_py.AlreadyExistsError):
            director.add_service(WEB)
        snapshot.destination_columns().__arrow_c_stream__()
        assert len(director.connections(service=WEB)) == 0
        director.remove_service(WEB)
        assert WEB not in director.services


@pytest.mark.parametrize("calls", [4_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_no_memory_and_no_descriptor_leaks(director: Director, calls: int) -> None:
    if isinstance(director, lvs_py.KernelDirector):
        # In an emulated machine each costs milliseconds.
        calls //= 8
    use(director, calls // 16)
    before = memory(), descriptors()
    use(director, calls // 8)
    grown = memory() - before[0]
    assert grown < 2_000_000, f"{grown} bytes over {calls} calls"
    assert descriptors() == before[1]


def test_directors_opened_and_dropped_leave_nothing(director: Director) -> None:
    before = descriptors()
    for _ in range(200 if isinstance(director, lvs_py.EmbeddedDirector) else 50):
        (Director.embedded if isinstance(director, lvs_py.EmbeddedDirector) else Director.kernel)()
    assert descriptors() <= before + 1


def test_threads_share_a_director(director: Director) -> None:
    director.add_service(WEB)
    errors: list[BaseException] = []
    rounds = 100 if isinstance(director, lvs_py.EmbeddedDirector) else 15

    def hammer(host: int) -> None:
        try:
            for _ in range(rounds):
                director.add_destination(WEB, f"198.51.100.{host}:80")
                assert f"198.51.100.{host}:80" in director.destinations(WEB)
                director.snapshot()
                director.remove_destination(WEB, f"198.51.100.{host}:80")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=hammer, args=(host,)) for host in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and not director.destinations(WEB)


def test_no_lock_is_held_while_python_runs() -> None:
    health, done = lvs_py.Health(), threading.Event()
    health.watch(WEB, ["198.51.100.7:80"])

    class Callback:
        """Asks the health that it is given to, as any object of a caller's may."""

        packed = property(lambda self: health.is_up(WEB, "198.51.100.7:80") and b"")

    def report() -> None:
        with contextlib.suppress(TypeError, ValueError, AttributeError):
            health.report_host(Callback(), False, timedelta(0))  # type: ignore[arg-type]
        done.set()

    threading.Thread(target=report, daemon=True).start()
    assert done.wait(60), "an object of the caller's waits for a lock that its own call holds"


def test_threads_share_schedulers_health_and_watchers() -> None:
    balancer = lvs_py.Balancer("rr", [f"198.51.100.{host}:80" for host in range(1, 5)])
    health, watcher = lvs_py.Health(), lvs_py.Watcher()
    health.watch(WEB, ["198.51.100.7:80"])
    with Director.embedded() as director:
        snapshot = director.snapshot()

    def hammer() -> None:
        for second in range(500):
            balancer.connect("203.0.113.9:40000", "192.0.2.1:80")
            assert len(balancer.connections) == 4
            health.report(WEB, "198.51.100.7:80", True, timedelta(seconds=second))
            health.wanted(timedelta(seconds=second))
            watcher.observe(snapshot, timedelta(0))

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [active for active, _ in balancer.connections.values()] == [1000] * 4


def test_the_interpreter_runs_on_while_a_director_works() -> None:
    with Director.embedded() as director:
        operations = [lvs_py.Operation.add_service(f"fwmark:{mark}") for mark in range(1, 200_001)]
        ticks = 0
        done = threading.Event()

        def work() -> None:
            director.apply(operations)
            done.set()

        thread = threading.Thread(target=work)
        thread.start()
        while not done.wait(0.0001):
            ticks += 1
        thread.join()
        # The list of operations is read before the interpreter is let go; all else happens beside
        # these ticks.
        assert ticks > 3


def test_a_child_of_fork_is_told(director: Director) -> None:
    child = os.fork()
    if child == 0:
        try:
            director.snapshot()
        except lvs_py.ClosedError:
            os._exit(0 if director.closed else 2)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WEXITSTATUS(status) == 0 and not director.closed


@pytest.mark.skipif(sys.version_info < (3, 12), reason="interpreters of their own lock are of Python 3.12")
def test_a_subinterpreter_is_refused_with_a_reason() -> None:
    module = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    code = (
        f"import {module} as interpreters\n"
        "sub = interpreters.create()\n"
        "text = 'try:\\n    import lvs_py\\nexcept ImportError as error:\\n    print(error)'\n"
        "(interpreters.exec if hasattr(interpreters, 'exec') else interpreters.run_string)(sub, text)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "subinterpreters" in done.stdout, done
