"""The connection table: filtered, gone over, summed, as columns."""

from __future__ import annotations

import pickle
from ipaddress import IPv4Network
from pathlib import Path

import pytest

import lvs_py
from lvs_py import Connection, ConnectionState, DestinationKey

HEADER = b"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
ROWS = b"""\
TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899
TCP CB007109 A001 C0000201 0050 C6336408 1F90 FIN_WAIT        101
UDP CB007105 EC71 C0000201 0035 C6336407 0035 UDP             299
TCP CB007100 0000 C0000201 0050 C6336407 1F90 ASSURED         250
IP  CB007100 0000 00000007 0000 C6336407 0000 NONE            250
"""
TABLE = HEADER + ROWS


def test_connections_are_objects_of_python() -> None:
    connections = lvs_py.read_connections(TABLE)
    first = connections[0]
    assert (str(first.client), str(first.target), str(first.destination)) == (
        "203.0.113.5:60528",
        "192.0.2.1:80",
        "198.51.100.7:8080",
    )
    assert first.protocol is lvs_py.Protocol.TCP and first.state is ConnectionState.ESTABLISHED and first.expires == 899
    assert first.mark is None and first.origin is None and first.engine is None and not first.template
    assert len(connections) == 5 and len(list(connections)) == 5 and connections[-1] == list(connections)[-1]
    assert list(connections[1:3]) == list(connections)[1:3] and next(iter(connections[::-2])) == connections[4]
    with pytest.raises(IndexError):
        connections[5]
    assert repr(connections) == "<5 connections>" and "FIN_WAIT" in connections._repr_html_()


def test_a_connection_is_a_value() -> None:
    for connection in lvs_py.read_connections(TABLE):
        assert eval(repr(connection), vars(lvs_py).copy()) == connection
        assert pickle.loads(pickle.dumps(connection)) == connection
        assert connection.replace(expires=1).expires == 1
    with_engine = Connection(
        "udp", "203.0.113.5:5060", target="192.0.2.1:5060", destination="198.51.100.7:5060", state="udp",
        engine="sip", engine_data=b"call-1", origin="sync",
    )  # fmt: skip
    assert pickle.loads(pickle.dumps(with_engine)) == with_engine and with_engine.engine_data == b"call-1"
    assert with_engine.origin is lvs_py.ConnectionOrigin.SYNC
    with pytest.raises(lvs_py.InvalidInputError, match="a target or a firewall mark"):
        Connection("tcp", "203.0.113.5:1", destination="198.51.100.7:1", state="NONE")


@pytest.mark.parametrize(
    ("conditions", "count"),
    [
        ({}, 5),
        ({"service": "tcp://192.0.2.1:80"}, 3),
        ({"service": "fwmark:7"}, 1),
        ({"destination": "198.51.100.7:8080"}, 2),
        ({"real_server": "198.51.100.7"}, 4),
        ({"client": "203.0.113.5"}, 2),
        ({"client": "203.0.113.0/24"}, 5),
        ({"client": IPv4Network("203.0.113.8/29")}, 1),
        ({"protocol": "udp"}, 1),
        ({"state": "ESTABLISHED"}, 1),
        ({"state": ConnectionState.FIN_WAIT}, 1),
        ({"templates": True}, 2),
        ({"templates": False}, 3),
        ({"min_expires": 250}, 4),
        ({"max_expires": 299, "templates": False}, 2),
        ({"origin": "sync"}, 0),
    ],
)
def test_conditions_choose(conditions: dict[str, object], count: int) -> None:
    assert len(lvs_py.read_connections(TABLE, **conditions)) == count  # type: ignore[arg-type]
    assert len(lvs_py.read_connections(TABLE).filter(**conditions)) == count  # type: ignore[arg-type]


def test_sums_count_by_destination_target_and_state() -> None:
    sums = lvs_py.sum_connections(TABLE)
    assert (sums.total.connections, sums.total.active, sums.total.inactive, sums.total.templates) == (3, 1, 2, 2)
    assert sums.total.states == {
        ConnectionState.ESTABLISHED: 1,
        ConnectionState.FIN_WAIT: 1,
        ConnectionState.UDP: 1,
    }
    assert sums.total.of("FIN_WAIT") == 1 and sums.total.of("LISTEN") == 0
    assert sums.destinations[DestinationKey("198.51.100.7:8080")].active == 1
    assert list(sums.targets) == ["tcp://192.0.2.1:80", "udp://192.0.2.1:53", "fwmark:7"] or set(sums.targets) == {
        "tcp://192.0.2.1:80",
        "udp://192.0.2.1:53",
        "fwmark:7",
    }
    assert sums.total == lvs_py.read_connections(TABLE).sums().total


def test_columns_of_connections() -> None:
    columns = lvs_py.read_connections(TABLE).columns()
    assert columns.rows == 5
    assert columns["client"] == ["203.0.113.5", "203.0.113.9", "203.0.113.5", "203.0.113.0", "203.0.113.0"]
    assert columns["expires"].tolist() == [899, 101, 299, 250, 250]  # type: ignore[union-attr]
    assert columns["mark"] == [None, None, None, None, 7] and columns["template"] == [False, False, False, True, True]


def test_files_are_read_and_mistakes_in_them_named(tmp_path: Path) -> None:
    path = tmp_path / "ip_vs_conn"
    path.write_bytes(TABLE)
    assert len(lvs_py.read_connections(path)) == 5
    path.write_bytes(TABLE + b"TCP nonsense\n")
    with pytest.raises(lvs_py.DecodeError, match="line 7"):
        lvs_py.read_connections(path)
    with pytest.raises(lvs_py.NotFoundError) as caught:
        lvs_py.sum_connections(tmp_path / "nosuch")
    assert isinstance(caught.value, OSError) and caught.value.errno == 2


def test_an_idle_director_has_no_connections(director: lvs_py.Director) -> None:
    director.add_service("tcp://192.0.2.1:80")
    assert len(director.connections(service="tcp://192.0.2.1:80")) == 0
    assert director.connection_sums(templates=False).total.connections == 0
    with pytest.raises(TypeError):
        director.connections(colour="red")  # type: ignore[call-arg]
    with pytest.raises(lvs_py.InvalidInputError):
        director.connections(state="confused")
