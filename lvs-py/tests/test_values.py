"""Frozen values: equal, hashable, picklable, printed as what builds them."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Any

import pytest

import lvs_py
from lvs_py import (
    Counters,
    Daemon,
    Destination,
    ForwardingMethod,
    Operation,
    Protocol,
    Rates,
    Service,
    ServiceFlags,
    Stats,
    Table,
    TableService,
    Timeouts,
    Tunnel,
    TunnelFlags,
)
from lvs_py.typing import ForwardingLike

FULL = Service(
    "tcp://192.0.2.1:80",
    scheduler="mh",
    persistence=300,
    netmask="255.255.255.0",
    engine="sip",
    one_packet=True,
    flags=ServiceFlags.MH_PORT | 0x40,
)
VALUES: list[Any] = [
    lvs_py.ServiceKey("tcp://192.0.2.1:80"),
    lvs_py.DestinationKey("198.51.100.7:80"),
    Service("fwmark:7/ipv6", scheduler="rr", persistence=60, netmask=64),
    Service("udp://[2001:db8::1]:53", timeout=77),
    FULL,
    Destination("198.51.100.7", 80),
    Destination("[2001:db8::7]:80", forwarding="masq", weight=0, upper_threshold=100, lower_threshold=10),
    Destination("198.51.100.7", 80, tunnel=Tunnel.gue(6080, flags=TunnelFlags.CHECKSUM)),
    Destination("198.51.100.7", 80, forwarding=6),
    Tunnel(),
    Tunnel.gre(flags=3),
    Tunnel(kind=9, port=1),
    Counters(connections=1, bytes_out=1 << 40),
    Rates(packets_in=5),
    Stats(counters=Counters(connections=1), rates=Rates(bytes_in=3)),
    Timeouts(tcp=1, tcp_fin=2, udp=3),
    Daemon("master", "eth0", sync_id=7, max_len=1400, group="224.0.0.81", port=8848, ttl=3),
    Daemon("backup", "eth0"),
    lvs_py.Info(version="1.2.1", connection_table_size=65536),
    TableService("tcp://192.0.2.1:80", ["198.51.100.7:80"]),
    Table(
        {"tcp://192.0.2.1:80": ["198.51.100.7:80", "198.51.100.8:80"]},
        timeouts=Timeouts(),
        daemons=[Daemon("backup", "eth0")],
    ),
]
PRINTED_SHORT = (lvs_py.Snapshot, lvs_py.ServiceEntry, lvs_py.DestinationEntry)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_prints_as_what_builds_it(value: Any) -> None:
    assert eval(repr(value), vars(lvs_py).copy()) == value


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_survives_pickle_copy_and_dictionaries(value: Any) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(value, protocol)) == value
    assert copy.copy(value) is value and copy.deepcopy(value) is value
    if isinstance(value, (lvs_py.ServiceKey, lvs_py.DestinationKey)):
        assert type(value)(str(value)) == value
        return
    assert type(value).from_dict(json.loads(json.dumps(value.to_dict()))) == value
    assert json.loads(value.to_json()) == value.to_dict()
    assert type(value).from_json(value.to_json()) == type(value).from_json(value.to_json().encode()) == value
    with pytest.raises(lvs_py.InvalidInputError, match=f"not a {type(value).__name__}: unknown field `nosuch`"):
        type(value).from_dict({**value.to_dict(), "nosuch": 1})


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_equal_values_have_equal_hashes_and_other_types_differ(value: Any) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert copy is not value and copy == value and hash(copy) == hash(value)
    assert {value: 1}[copy] == 1
    assert value != object() and value != repr(value)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_frozen(value: Any) -> None:
    for name in (*type(value).__match_args__, "something_else"):
        with pytest.raises(AttributeError):
            setattr(value, name, 1)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_replacing_nothing_gives_an_equal_value(value: Any) -> None:
    assert value.replace() == value
    with pytest.raises(TypeError):
        value.replace(no_such_field=1)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace is of Python 3.13")
def test_copy_replace_works() -> None:
    assert copy.replace(Timeouts(), tcp=5).tcp == 5  # type: ignore[attr-defined]


def test_the_defaults_are_those_of_ipvsadm() -> None:
    service = Service.tcp("192.0.2.1", 80)
    assert (service.scheduler, service.persistence, service.flags) == ("wlc", None, ServiceFlags(0))
    assert service.netmask == IPv4Address("255.255.255.255")
    destination = Destination("198.51.100.7", 80)
    assert (destination.weight, destination.forwarding) == (1, ForwardingMethod.DIRECT)
    assert Service.tcp("192.0.2.1", 80, persistence=True).persistence == 360


def test_persistence_is_a_flag_and_a_timeout() -> None:
    service = Service.tcp("192.0.2.1", 80, persistence=timedelta(minutes=5))
    assert service.persistence == 300 and service.timeout == 300
    assert ServiceFlags.PERSISTENT in service.flags
    assert service.replace(persistence=None).flags == ServiceFlags(0)
    # The kernel keeps a timeout without the flag, so that can be said, too.
    kept = service.replace(persistence=None, timeout=300)
    assert kept.persistence is None and kept.timeout == 300


@pytest.mark.parametrize(
    ("netmask", "shown"),
    [
        ("255.255.255.0", "255.255.255.0"),
        (24, "255.255.255.0"),
        ("/24", "255.255.255.0"),
        ("24", "255.255.255.0"),
        (0, "0.0.0.0"),
    ],
)
def test_a_netmask_is_a_mask_or_a_length(netmask: str | int, shown: str) -> None:
    assert Service.tcp("192.0.2.1", 80, netmask=netmask).netmask == IPv4Address(shown)
    assert Service.tcp("2001:db8::1", 80, netmask=64).netmask == 64


@pytest.mark.parametrize("word", ["masq", "masquerade", "nat", "NAT", ForwardingMethod.MASQUERADE, 0])
def test_forwarding_is_named_as_people_know_it(word: ForwardingLike) -> None:
    assert Destination("198.51.100.7", 80, forwarding=word).forwarding is ForwardingMethod.MASQUERADE


def test_a_tunnel_chooses_its_forwarding() -> None:
    destination = Destination("198.51.100.7", 80, tunnel="gre")
    assert destination.forwarding is ForwardingMethod.TUNNEL and destination.tunnel == Tunnel.gre()


def test_values_match_patterns() -> None:
    match FULL:
        case lvs_py.Service(key=lvs_py.ServiceKey(lvs_py.Protocol.TCP, _, 80), persistence=int(seconds)):
            assert seconds == 300
        case _:
            pytest.fail("no case of the service")
    match lvs_py.Operation.flush():
        case lvs_py.Operation("add_service"):
            pytest.fail("the wrong case of the operation")
        case lvs_py.Operation(action, None, None):
            assert action == "flush"
        case _:
            pytest.fail("no case of the operation")


OPERATIONS = [
    Operation.add_service("tcp://192.0.2.1:80"),
    Operation.update_service(FULL),
    Operation.remove_service("fwmark:7"),
    Operation.add_destination("fwmark:7", Destination("198.51.100.7:80", weight=3)),
    Operation.update_destination("fwmark:7", "198.51.100.7:80"),
    Operation.remove_destination("fwmark:7", "198.51.100.7:80"),
    Operation.set_timeouts(Timeouts(tcp=1)),
    Operation.start_daemon(Daemon("master", "eth0")),
    Operation.stop_daemon("backup"),
    Operation.zero(),
    Operation.zero("fwmark:7"),
    Operation.flush(),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=repr)
def test_an_operation_is_a_value(operation: Operation) -> None:
    assert eval(repr(operation), vars(lvs_py).copy()) == operation
    assert pickle.loads(pickle.dumps(operation)) == operation
    assert hash(pickle.loads(pickle.dumps(operation))) == hash(operation)
    assert str(operation)


def test_enumerations_keep_numbers_without_a_name() -> None:
    assert Protocol(47) is Protocol(47) and str(Protocol(47)) == "protocol-47"
    assert pickle.loads(pickle.dumps(Protocol(47))) is Protocol(47)
    assert eval(repr(Protocol(47)), vars(lvs_py).copy()) is Protocol(47)
    for wrong in (-1, 1 << 16, "ftp", None):
        with pytest.raises(ValueError, match=r"is no Protocol|is not a protocol"):
            Protocol(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is no AddressFamily"):
        lvs_py.AddressFamily(3)


def test_enumerations_print_as_their_words() -> None:
    assert [str(method) for method in ForwardingMethod] == [
        "masquerade",
        "local",
        "tunnel",
        "direct",
        "bypass",
    ]
    assert f"{Protocol.TCP:>5}" == "  tcp"
    assert repr(Protocol.TCP) == "Protocol.TCP" and repr(lvs_py.ConnectionState.SYN_ACK) == "ConnectionState.SYN_ACK"
    assert str(ServiceFlags(0x45)) == "persistent|one_packet|0x40"


def test_a_table_is_made_of_what_is_at_hand(service: Service) -> None:
    destination = Destination("198.51.100.7:80")
    same = [
        Table([TableService(service, [destination])]),
        Table([(service, [destination])]),
        Table({service: [destination]}),
        Table({"tcp://192.0.2.1:80": ["198.51.100.7:80"]}),
        Table([{"key": "tcp://192.0.2.1:80", "destinations": [{"key": "198.51.100.7:80"}]}]),
    ]
    assert all(table == same[0] for table in same)
    assert service in same[0] and same[0]["tcp://192.0.2.1:80"].destinations == (destination,)
    assert "fwmark:1" not in same[0] and len(same[0]) == 1 and list(same[0]) == list(same[0].services)
    with pytest.raises(KeyError, match="fwmark:1"):
        same[0]["fwmark:1"]
    with pytest.raises(TypeError):
        Table([42])  # type: ignore[arg-type]
