"""The kernel's schedulers without a director."""

from __future__ import annotations

import pytest

import lvs_py
from lvs_py import Balancer, Destination

POOL = [Destination(f"198.51.100.{host}", 80, weight=weight) for host, weight in [(1, 3), (2, 2), (3, 1)]]


def hosts(balancer: Balancer, count: int) -> str:
    picks = [balancer.connect("203.0.113.9:40000", "192.0.2.1:80") for _ in range(count)]
    return "".join(str(pick)[11] for pick in picks)


def test_all_schedulers_of_the_kernel_are_there() -> None:
    names = [info.name for info in lvs_py.schedulers()]
    assert len(names) == 14 and {"rr", "wrr", "wlc", "mh", "twos"} <= set(names)
    assert [info.name for info in lvs_py.schedulers() if not info.deterministic] == ["twos"]
    for name in names:
        assert Balancer(name, POOL).connect("203.0.113.9:40000", "192.0.2.1:80") is not None


def test_choices_are_those_of_the_kernel() -> None:
    # The sequence of the module `schedulers` of the core, which is checked against recorded choices
    # of kernels.
    assert hosts(Balancer("wlc", POOL), 6) == "321121"
    assert hosts(Balancer("rr", POOL), 6) == "321321"


def test_weights_and_members_change() -> None:
    balancer = Balancer("rr", POOL)
    balancer.set_weight("198.51.100.2:80", 0)
    balancer.remove("198.51.100.3:80")
    assert hosts(balancer, 2) == "11"
    balancer.add("198.51.100.4:80")
    assert set(hosts(balancer, 2)) == {"1", "4"}
    with pytest.raises(KeyError):
        balancer.remove("198.51.100.3:80")
    with pytest.raises(lvs_py.InvalidInputError, match="already exists"):
        balancer.add("198.51.100.4:80")


def test_counting_is_separate_from_picking() -> None:
    balancer = Balancer("lc", POOL)
    assert balancer.pick() == balancer.pick()
    first = balancer.connect(active=False)
    assert first is not None and balancer.connections[first] == (0, 1)
    balancer.disconnect(first, active=False)
    assert balancer.connections[first] == (0, 0)
    assert Balancer("rr").pick() is None


def test_hashing_keeps_a_client_at_its_server() -> None:
    balancer = Balancer("mh", POOL, flags=lvs_py.ServiceFlags.MH_PORT)
    picks = {balancer.pick("203.0.113.9:40000", "192.0.2.1:80") for _ in range(10)}
    assert len(picks) == 1
    assert len({balancer.pick(f"203.0.113.9:{port}", "192.0.2.1:80") for port in range(1, 200)}) == 3


def test_a_seed_repeats_what_is_random() -> None:
    runs = {hosts(Balancer("twos", POOL, seed=7), 20) for _ in range(3)}
    assert len(runs) == 1 and runs != {hosts(Balancer("twos", POOL, seed=8), 20)}


def test_what_is_no_scheduler_is_refused() -> None:
    with pytest.raises(lvs_py.InvalidInputError, match="is no scheduler"):
        Balancer("nosuch")
    with pytest.raises(lvs_py.InvalidInputError, match="is no profile"):
        Balancer("rr", profile="middle")  # type: ignore[arg-type]
