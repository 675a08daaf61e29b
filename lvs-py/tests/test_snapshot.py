"""Snapshots: mappings, dictionaries, columns, tables for notebooks."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping

import pytest

import lvs_py
from lvs_py import Director, Snapshot


@pytest.fixture
def snapshot() -> Snapshot:
    with Director.embedded() as director:
        with director.batch() as batch:
            for number in range(1, 13):
                service = lvs_py.Service.tcp(f"192.0.2.{number}", 80, scheduler="wrr", persistence=number)
                batch.add_service(service)
                for host in (1, 2):
                    batch.add_destination(service, lvs_py.Destination(f"198.51.100.{host}", 80, weight=number))
            batch.add_service("fwmark:7/ipv6")
        return director.snapshot()


def test_services_and_destinations_are_mappings(snapshot: Snapshot) -> None:
    services = snapshot.services
    assert isinstance(services, Mapping) and len(services) == 13
    assert "tcp://192.0.2.9:80" in services and "tcp://192.0.2.99:80" not in services and 42 not in services
    assert services["tcp://192.0.2.9:80"].service.persistence == 9
    assert services.get("tcp://192.0.2.99:80") is None and services.get("tcp://192.0.2.99:80", 5) == 5
    with pytest.raises(KeyError, match=r"192\.0\.2\.99"):
        services["tcp://192.0.2.99:80"]
    assert list(services) == list(services.keys()) == [entry.key for entry in services.values()]
    assert dict(services.items()) == {key: services[key] for key in services}
    destinations = services["tcp://192.0.2.9:80"].destinations
    assert isinstance(destinations, Mapping)
    assert [entry.weight for entry in destinations.values()] == [9, 9]
    assert "198.51.100.1:80" in destinations and "198.51.100.3:80" not in destinations
    assert len(services.keys()) == 13 and lvs_py.ServiceKey("fwmark:7/ipv6") in services.keys()


def test_a_snapshot_survives_pickle_and_json(snapshot: Snapshot) -> None:
    assert pickle.loads(pickle.dumps(snapshot)) == snapshot
    assert Snapshot.from_dict(json.loads(json.dumps(snapshot.to_dict()))) == snapshot
    assert hash(pickle.loads(pickle.dumps(snapshot))) == hash(snapshot)
    entry = snapshot.services["tcp://192.0.2.9:80"]
    assert pickle.loads(pickle.dumps(entry)) == entry
    [newest, _] = entry.destinations.values()
    assert pickle.loads(pickle.dumps(newest)) == newest and newest.replace(active=5).active == 5


def test_a_snapshot_sorts(snapshot: Snapshot) -> None:
    assert list(snapshot.sorted().services) == sorted(snapshot.services)


def test_columns_are_flat_memory(snapshot: Snapshot) -> None:
    columns = snapshot.destination_columns()
    assert not issubclass(lvs_py.Columns, Mapping) and columns.rows == 24
    assert columns["address"][:2] == ["198.51.100.2", "198.51.100.1"]
    weights = columns["weight"]
    assert isinstance(weights, memoryview) and weights.format == "I" and weights.contiguous
    assert weights.tolist() == [number for number in range(1, 13) for _ in range(2)]
    assert columns["port"].tolist() == [80] * 24  # type: ignore[union-attr]
    assert set(columns) == set(columns.keys()) == set(columns.to_dict()) == set(columns.formats())
    assert columns.formats()["bytes_in"] == "Q" and columns.formats()["service"] is None
    with pytest.raises(KeyError):
        columns["nosuch"]
    services = snapshot.service_columns()
    assert services.rows == 13 and services["service"][-1] == "fwmark:7/ipv6"
    assert services["persistence"] == [*range(1, 13), None]


def test_notebooks_get_a_table(snapshot: Snapshot) -> None:
    html = snapshot._repr_html_()
    assert html.startswith("<table>") and html.count("<tr>") == 1 + 13 + 24
    assert "tcp://192.0.2.12:80" in html and "persistent 12 s" in html
    assert snapshot.to_table()._repr_html_().count("<tr>") == 1 + 13 + 24
    assert "198.51.100.1:80" in snapshot.services["tcp://192.0.2.1:80"]._repr_html_()


def test_notebooks_get_a_short_table_of_a_long_one() -> None:
    table = lvs_py.Table({f"fwmark:{mark}": [] for mark in range(1, 1001)})
    html = table._repr_html_()
    assert html.count("<tr>") == 201 and "and 800 more rows" in html


def test_names_of_others_are_escaped() -> None:
    table = lvs_py.Table([lvs_py.Service("fwmark:1", scheduler="<script>")])
    assert "&lt;script&gt;" in table._repr_html_() and "<script>" not in table._repr_html_()


def test_printing_a_snapshot_is_short(snapshot: Snapshot) -> None:
    assert repr(snapshot) == "<Snapshot of 13 services, 24 destinations>"
    assert (
        repr(snapshot.services["tcp://192.0.2.9:80"])
        == "<ServiceEntry tcp://192.0.2.9:80 scheduler=wrr destinations=2>"
    )
