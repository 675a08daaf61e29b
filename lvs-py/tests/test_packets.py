"""The embedded director's packets, connections, tunables and options."""

from __future__ import annotations

import pytest

import lvs_py
from lvs_py import ConnectionState, Destination, EmbeddedDirector, ForwardingMethod, Service

WEB = "tcp://192.0.2.1:80"


def test_connections_go_where_the_scheduler_says(lvs_director: EmbeddedDirector) -> None:
    lvs_director.add_service(Service(WEB, scheduler="rr"))
    for host in (7, 8):
        lvs_director.add_destination(WEB, Destination(f"198.51.100.{host}:80", forwarding="masq"))
    verdicts = [lvs_director.connect(f"203.0.113.9:{port}", "192.0.2.1:80") for port in (40000, 40001)]
    assert [str(verdict.destination) for verdict in verdicts] == ["198.51.100.8:80", "198.51.100.7:80"]
    assert verdicts[0].action == "forwarded" and verdicts[0].forwarding is ForwardingMethod.MASQUERADE
    assert verdicts[0] and verdicts[0].reason == "the scheduler chose it"
    assert [entry.active for entry in lvs_director.destinations(WEB).values()] == [1, 1]
    assert len(lvs_director.connections(service=WEB, state="ESTABLISHED")) == 2
    assert lvs_director.send("203.0.113.9:40000", "192.0.2.1:80", length=500).reason == "its connection is there"
    lvs_director.disconnect("203.0.113.9:40000", "192.0.2.1:80")
    [closing] = lvs_director.connections(client="203.0.113.9", max_expires=120)
    assert closing.state in (ConnectionState.TIME_WAIT, ConnectionState.FIN_WAIT, ConnectionState.LAST_ACK)
    lvs_director.advance(minutes=20)
    assert len(lvs_director.connections()) == 0


def test_packets_without_a_service_pass(lvs_director: EmbeddedDirector) -> None:
    verdict = lvs_director.receive("203.0.113.9:40000", "192.0.2.1:80")
    assert not verdict and verdict.action == "passed" and verdict.reason == "no service of its family exists"
    assert verdict.destination is None and verdict.forwarding is None
    lvs_director.add_service(WEB)
    assert lvs_director.receive("203.0.113.9:40000", "192.0.2.1:80").action == "rejected"
    assert lvs_director.receive("203.0.113.9:40000", "192.0.2.1:80", flags="A").reason.startswith(
        "it has no connection"
    )
    with pytest.raises(lvs_py.InvalidInputError, match="no TCP flag"):
        lvs_director.receive("203.0.113.9:40000", "192.0.2.1:80", flags="X")
    with pytest.raises(lvs_py.InvalidInputError, match="no SCTP chunk"):
        lvs_director.receive("203.0.113.9:40000", "192.0.2.1:80", protocol="sctp", flags="gulp")


def test_counters_move_with_the_clock(lvs_director: EmbeddedDirector) -> None:
    lvs_director.add_service(WEB)
    lvs_director.add_destination(WEB, "198.51.100.7:80")
    lvs_director.connect("203.0.113.9:40000", "192.0.2.1:80")
    lvs_director.advance(4)
    assert lvs_director.services[WEB].statistics.counters.connections == 1
    assert lvs_director.totals().counters.connections == 1


def test_persistence_keeps_a_client(lvs_director: EmbeddedDirector) -> None:
    lvs_director.add_service(Service(WEB, scheduler="rr", persistence=300))
    for host in (7, 8):
        lvs_director.add_destination(WEB, f"198.51.100.{host}:80")
    first = lvs_director.connect("203.0.113.9:40000", "192.0.2.1:80")
    second = lvs_director.connect("203.0.113.9:40001", "192.0.2.1:80")
    assert first.destination == second.destination and second.reason == "the client is bound to it"
    [template] = lvs_director.connections(templates=True)
    assert template.template and template.destination == first.destination


def test_a_drain_waits_for_connections_of_the_embedded_director(lvs_director: EmbeddedDirector) -> None:
    lvs_director.add_service(WEB)
    lvs_director.add_destination(WEB, "198.51.100.7:80")
    lvs_director.connect("203.0.113.9:40000", "192.0.2.1:80")
    looks = 0

    def look(progress: lvs_py.DrainProgress) -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            lvs_director.disconnect("203.0.113.9:40000", "192.0.2.1:80")

    progress = lvs_director.drain(WEB, "198.51.100.7:80", progress=look)
    assert progress.done and not progress.cut and looks > 5
    assert not lvs_director.destinations(WEB) and lvs_director.now().total_seconds() >= 5


def test_a_deadline_cuts_what_is_left(lvs_director: EmbeddedDirector) -> None:
    lvs_director.add_service(WEB)
    lvs_director.add_destination(WEB, "198.51.100.7:80")
    lvs_director.connect("203.0.113.9:40000", "192.0.2.1:80")
    progress = lvs_director.drain(WEB, "198.51.100.7:80", deadline=30)
    assert progress.cut[0].active == 1 and lvs_director.now().total_seconds() == 30


def test_tunables_are_a_mapping(lvs_director: EmbeddedDirector) -> None:
    sysctls = lvs_director.sysctls
    assert sysctls["conn_reuse_mode"] == 1 and "expire_nodest_conn" in sysctls and "nosuch" not in sysctls
    sysctls["expire_nodest_conn"] = True
    assert sysctls["expire_nodest_conn"] == 1 and dict(sysctls)["am_droprate"] == 10
    with pytest.raises(KeyError):
        sysctls["nosuch"] = 1
    with pytest.raises(lvs_py.InvalidInputError, match="drop_packet takes"):
        sysctls["drop_packet"] = 9
    with pytest.raises(TypeError):
        del sysctls["drop_packet"]


def test_memory_of_the_embedded_director_is_set_by_its_user(lvs_director: EmbeddedDirector) -> None:
    lvs_director.sysctls["secure_tcp"] = 1
    lvs_director.set_available_pages(0)
    assert lvs_director.sysctls["secure_tcp"] == 1
    lvs_director.advance(1)
    assert lvs_director.sysctls["secure_tcp"] == 2


def test_errors_and_tracked_packets() -> None:
    with lvs_py.Director.embedded(ftp_helper=True) as director:
        director.add_service("tcp://192.0.2.1:21")
        director.add_destination("tcp://192.0.2.1:21", lvs_py.Destination("198.51.100.7", 21, forwarding="nat"))
        client, service = "203.0.113.9:40000", "192.0.2.1:21"
        assert not director.receive(client, service, icmp_error=True)
        assert director.receive(client, service)
        assert director.receive(client, service, icmp_error=True).reason == "its connection is there"
        assert director.receive(client, service, flags="R") and director.receive(client, service, flags="F")
        verdict = director.receive(client, service, tracked=True)
        assert (verdict.action, verdict.reason) == ("dropped", "its former connection is still tracked")


def test_the_profile_decides_which_kernel_is_embedded() -> None:
    with lvs_py.Director.embedded(
        profile="old", schedulers=["rr"], interfaces={"bond0": 9000}, ipv6=False, connection_table_size=65536
    ) as director:
        assert director.info().connection_table_size == 65536
        with pytest.raises(lvs_py.UnsupportedError):
            director.add_service(Service(WEB, scheduler="wlc"))
        with pytest.raises(lvs_py.UnsupportedError):
            director.add_service("tcp://[2001:db8::1]:80")
        director.start_daemon(lvs_py.Daemon("master", "bond0"))
    with pytest.raises(lvs_py.InvalidInputError):
        lvs_py.Director.embedded(local_addresses=["192.0.2.9/x"])
