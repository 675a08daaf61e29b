"""What names a service or a destination, in every spelling."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv6Address
from typing import Any

import pytest

import lvs_py
from lvs_py import AddressFamily, DestinationKey, Protocol, ServiceKey

TCP = ServiceKey.tcp("192.0.2.1", 80)
UDP6 = ServiceKey.udp("2001:db8::1", 53)
MARK = ServiceKey.fwmark(7)
MARK6 = ServiceKey.fwmark(7, family="ipv6")


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("tcp://192.0.2.1:80", TCP),
        ("TCP://192.0.2.1:80", TCP),
        ("192.0.2.1:80/tcp", TCP),
        ("192.0.2.1:80", TCP),
        ("tcp 192.0.2.1:80", TCP),
        ("192.0.2.1:80 tcp", TCP),
        ("tcp:192.0.2.1:80", TCP),
        ("tcp://192.0.2.1:80/", TCP),
        (lvs_py.TableService(TCP), TCP),
        (lvs_py.ServiceEntry(TCP), TCP),
        ("-t 192.0.2.1:80", TCP),
        ("--tcp-service 192.0.2.1:80", TCP),
        (("tcp", "192.0.2.1", 80), TCP),
        ((6, IPv4Address("192.0.2.1"), 80), TCP),
        (lvs_py.Service(TCP), TCP),
        (TCP, TCP),
        ("udp://[2001:db8::1]:53", UDP6),
        ("-u [2001:db8::1]:53", UDP6),
        ("[2001:db8::1]:53/udp", UDP6),
        ("fwmark:7", MARK),
        ("fwmark 7", MARK),
        ("fwmark=7", MARK),
        ("FWM  7", MARK),
        ("fwmark:0x7", MARK),
        ("7/fwmark", MARK),
        ("-f 7", MARK),
        ("fwmark:7/ipv6", MARK6),
        ("fwmark 7 IPv6", MARK6),
        ("-f 7 -6", MARK6),
        ("sctp://192.0.2.1:0", ServiceKey.sctp("192.0.2.1", 0)),
    ],
)
def test_a_service_is_named_in_every_spelling_that_people_try(spelling: str, key: ServiceKey) -> None:
    assert ServiceKey(spelling) == key
    assert lvs_py.Service(spelling).key == key


@pytest.mark.parametrize(
    "text",
    ["", "tcp", "http://192.0.2.1:80", "tcp://192.0.2.1:65536", "tcp://host:80", "fwmark:0", "fwmark:-1", "fwmark:x"],
)
def test_text_that_is_no_service_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(lvs_py.InvalidInputError, match="write tcp://192"):
        ServiceKey(text)


@pytest.mark.parametrize("value", [None, 80, 1.5, b"tcp://192.0.2.1:80", object()])
def test_what_is_neither_text_nor_key_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError):
        lvs_py.Service(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", [TCP, UDP6, MARK, MARK6, ServiceKey(("protocol-47", "192.0.2.1", 0))])
def test_the_text_of_a_key_is_read_again(key: ServiceKey) -> None:
    assert ServiceKey(str(key)) == key
    assert eval(repr(key), vars(lvs_py).copy()) == key


def test_the_parts_of_a_key() -> None:
    assert (TCP.protocol, TCP.address, TCP.port, TCP.mark) == (Protocol.TCP, IPv4Address("192.0.2.1"), 80, None)
    assert (MARK6.protocol, MARK6.address, MARK6.port, MARK6.mark) == (None, None, 0, 7)
    assert [TCP.family, UDP6.family, MARK.family, MARK6.family] == [
        AddressFamily.IPV4,
        AddressFamily.IPV6,
        AddressFamily.IPV4,
        AddressFamily.IPV6,
    ]
    assert isinstance(UDP6.address, IPv6Address)


def test_replacing_parts_of_a_key() -> None:
    assert TCP.replace(port=81) == ServiceKey("tcp://192.0.2.1:81")
    assert TCP.replace(protocol="udp", address="2001:db8::1", port=53) == UDP6
    assert MARK.replace(family="ipv6") == MARK6
    assert MARK6.replace(mark=8) == ServiceKey("fwmark:8/ipv6")
    assert TCP.replace(mark=7) == MARK
    for changes in ({"mark": 7, "port": 80}, {"family": "ipv6", "address": "2001:db8::1"}):
        with pytest.raises(lvs_py.InvalidInputError):
            TCP.replace(**changes)
    with pytest.raises(lvs_py.InvalidInputError):
        MARK.replace(port=80)


@pytest.mark.parametrize(
    "spelling",
    [
        "198.51.100.7:8080",
        ("198.51.100.7", 8080),
        (IPv4Interface("198.51.100.7/24"), 8080),
        lvs_py.Destination("198.51.100.7", 8080, weight=3),
        DestinationKey("198.51.100.7", 8080),
    ],
)
def test_a_destination_is_named_in_every_spelling(spelling: object) -> None:
    assert DestinationKey(spelling) == DestinationKey("198.51.100.7", 8080)  # type: ignore[arg-type]
    assert lvs_py.Destination(spelling).key == DestinationKey("198.51.100.7", 8080)  # type: ignore[arg-type]


def test_an_error_names_the_part_and_what_is_allowed() -> None:
    for text, problem in (
        ("tcp://192.0.2.1:65536", r'"65536" is not a port from 0 to 65535'),
        ("tcp://web:80", r'"web" is not an IP address'),
        ("http://192.0.2.1:80", r'"http" is not a protocol: expected tcp, udp, sctp or protocol-N'),
        ("fwmark:0", r'"0" is not a firewall mark from 1 to 4294967295'),
        ("tcp 2001:db8::1:80", r"brackets: \[2001:db8::1\]:80"),
    ):
        with pytest.raises(lvs_py.InvalidInputError, match=problem):
            ServiceKey(text)
    with pytest.raises(lvs_py.InvalidInputError, match=r"brackets: \[2001:db8::7\]:80, or \[2001:db8::7:80\] without"):
        lvs_py.Destination("2001:db8::7:80")


def test_enumerations_name_what_they_take() -> None:
    with pytest.raises(lvs_py.InvalidInputError, match=r'"teleport" is not a forwarding method: expected masquerade'):
        lvs_py.ForwardingMethod("teleport")
    with pytest.raises(
        lvs_py.InvalidInputError, match=r"70000 is not a protocol: expected tcp, udp, sctp or protocol-N"
    ):
        ServiceKey((70000, "192.0.2.1", 80))
    assert lvs_py.ConnectionState("syn_recv") is lvs_py.ConnectionState.SYN_RECV


def test_ports_and_marks_out_of_range_are_value_errors() -> None:
    for call in (
        lambda: ServiceKey.tcp("192.0.2.1", 65536),
        lambda: ServiceKey.tcp("192.0.2.1", -1),
        lambda: ServiceKey.fwmark(1 << 32),
        lambda: ServiceKey.fwmark(0),
        lambda: lvs_py.Destination("198.51.100.7", 80, weight=1 << 32),
        lambda: lvs_py.Destination("not an address", 80),
        lambda: lvs_py.Service.tcp("192.0.2.1", 80, netmask="2001:db8::"),
        lambda: lvs_py.Service.tcp("2001:db8::1", 80, netmask=129),
        lambda: lvs_py.Service.tcp("192.0.2.1", 80, scheduler="a name that is too long"),
        lambda: lvs_py.Service.tcp("192.0.2.1", 80, persistence=-1),
        lambda: lvs_py.Service.tcp("192.0.2.1", 80, persistence=300, timeout=200),
        lambda: lvs_py.Destination("198.51.100.7", 80, tunnel="gue"),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match=r".") as caught:
            call()
        assert isinstance(caught.value, lvs_py.InvalidInputError)


def test_keys_order_by_protocol_address_and_port() -> None:
    keys = [
        ServiceKey(text) for text in ("udp://192.0.2.1:53", "tcp://192.0.2.10:80", "tcp://192.0.2.9:443", "fwmark:1")
    ]
    assert [str(key) for key in sorted(keys)] == [
        "tcp://192.0.2.9:443",
        "tcp://192.0.2.10:80",
        "udp://192.0.2.1:53",
        "fwmark:1",
    ]


def test_address_and_port_come_apart_or_together() -> None:
    assert lvs_py.Service.tcp("192.0.2.1:80") == lvs_py.Service.tcp("192.0.2.1", 80)
    assert ServiceKey.udp("[2001:db8::1]:53") == ServiceKey.udp(DestinationKey("2001:db8::1", 53)) == UDP6
    with pytest.raises(lvs_py.InvalidInputError, match=r"masquerade.*tunnel"):
        lvs_py.Destination("198.51.100.7:80", forwarding="teleport")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"Director\.kernel"):
        lvs_py.Director()


def test_what_is_no_member_of_an_enumeration_says_what_would_be() -> None:
    for kind in (lvs_py.Protocol, lvs_py.AddressFamily, lvs_py.ConnectionState, lvs_py.ServiceFlags):
        values: list[Any] = [None, 2**200, [], 1.5]
        for value in values:
            if kind is lvs_py.ServiceFlags and isinstance(value, int):
                continue
            with pytest.raises(lvs_py.InvalidInputError, match=rf"is no {kind.__name__}: expected"):
                kind(value)


def test_every_lookup_that_fails_is_the_same_exception() -> None:
    table = lvs_py.Table(["tcp://192.0.2.1:80"])  # type: ignore[arg-type]
    with lvs_py.Director.embedded() as director:
        balancer, columns = lvs_py.Balancer("rr"), director.snapshot().destination_columns()
        for look in (
            lambda: table["fwmark:7"],
            lambda: director.services["fwmark:7"],
            lambda: director.snapshot().services["fwmark:7"],
            lambda: director.sysctls["nosuch"],
            lambda: columns["nosuch"],
            lambda: balancer.set_weight("198.51.100.7:80", 1),
        ):
            with pytest.raises(KeyError) as caught:
                look()
            assert isinstance(caught.value, lvs_py.NotFoundError)
    assert 5 not in table and "garbage" not in lvs_py.Scope.all()


def test_an_index_that_no_sequence_has_is_an_index_error() -> None:
    with lvs_py.Director.embedded() as director:
        plan, connections = director.plan({"fwmark:7": []}), director.connections()
    for at in (1, -2, 2**63, -(2**200)):
        with pytest.raises(IndexError):
            plan[at]
        with pytest.raises(IndexError):
            connections[at]
    assert plan[0] == plan[-1]
