"""What people log, send and store: dictionaries, JSON and pickles of plans, outcomes, events and the like."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from typing import Any

import pytest

import lvs_py
from lvs_py import Director, Drain, Health, HealthPolicy, Operation, Scope, Watcher


def _records() -> list[Any]:
    wanted = lvs_py.Table({"tcp://192.0.2.1:80": ["198.51.100.7:80"], "fwmark:7": []})
    with Director.embedded() as director:
        plan = director.plan(wanted)
        outcome = director.apply_plan(plan)
        refused = director.apply_plan(plan)
        report = director.apply([Operation.remove_service("tcp://192.0.2.9:80"), Operation.zero()])
        verdict = director.connect("203.0.113.9:40000", "192.0.2.1:80")
        rejected = director.connect("203.0.113.9:40001", "192.0.2.99:80")
        snapshot = director.snapshot()
        events = Watcher().observe(snapshot, 1.5)
        connections = director.connections()
        sums = director.connection_sums()
        progress = Drain("tcp://192.0.2.1:80", "198.51.100.7:80").step(snapshot, 0)
        health = Health()
        changes = health.watch("tcp://192.0.2.1:80", ["198.51.100.7:80"], HealthPolicy(fall=1))
        changes += health.report("tcp://192.0.2.1:80", "198.51.100.7:80", False, 1.0)
    assert outcome.complete and not refused.complete and refused.refused and report.refused and changes and events
    return [
        plan,
        plan[0],
        outcome,
        refused,
        refused.refused[0],
        report,
        verdict,
        rejected,
        snapshot,
        *events,
        connections[0],
        sums,
        sums.total,
        progress,
        *progress.waiting,
        *changes,
        HealthPolicy(rise=2, slow_start=1.5, damping=(3, 60, 600.5), sorry_server="198.51.100.9:80"),
        Scope.all(),
        (Scope.ports(80, 443) & ~Scope.network("192.0.2.0/24") | Scope.marks(7)).with_timeouts().with_daemons(),
        Scope.services("tcp://192.0.2.1:80", "fwmark:7/ipv6"),
    ]


RECORDS = _records()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_survives_dictionaries_json_and_pickle(record: Any) -> None:
    kind = type(record)
    plain = record.to_dict()
    assert json.loads(json.dumps(plain)) == plain == json.loads(record.to_json())
    for same in (
        kind.from_dict(plain),
        kind.from_json(record.to_json()),
        kind.from_json(record.to_json().encode()),
        pickle.loads(pickle.dumps(record)),
        pickle.loads(pickle.dumps(record, 2)),
    ):
        assert type(same) is kind and same.to_json() == record.to_json() and repr(same) == repr(record)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_prints_what_it_is_in_a_line(record: Any) -> None:
    assert type(record).__name__ in repr(record) and " object at 0x" not in repr(record) and "\n" not in repr(record)


def test_connections_survive_dictionaries_json_and_pickle() -> None:
    with Director.embedded() as director:
        director.reconcile(lvs_py.Table({"tcp://192.0.2.1:80": ["198.51.100.7:80"]}))
        director.connect("203.0.113.9:40000", "192.0.2.1:80")
        connections = director.connections()
    kind = type(connections)
    assert len(connections) == 1 and connections.to_dicts()[0]["client"] == "203.0.113.9:40000"
    assert kind.from_dicts(connections.to_dicts()) == kind.from_json(connections.to_json()) == connections
    assert pickle.loads(pickle.dumps(connections)) == connections
    [one] = connections
    assert one in connections and connections.index(one) == 0 and connections.count(one) == 1
    assert list(reversed(connections)) == [one] and "x" not in connections


def test_events_are_a_sequence_that_survives_dictionaries_json_and_pickle() -> None:
    with Director.embedded() as director:
        director.reconcile(lvs_py.Table({"tcp://192.0.2.1:80": ["198.51.100.7:80"], "fwmark:7": []}))
        watcher = Watcher()
        events = watcher.observe(director.snapshot(), 0)
        assert watcher.observe(director.snapshot(), 0) == []
    kind = type(events)
    assert kind is lvs_py.Events and isinstance(events, Sequence) and repr(events) == "<3 events>"
    assert kind.from_dicts(events.to_dicts()) == kind.from_json(events.to_json()) == events == list(events)
    assert pickle.loads(pickle.dumps(events)) == events != list(events)[1:] and events != 3
    assert events[-1] == list(events)[2] and list(events[::-1]) == list(reversed(events))
    assert events[1] in events and events.index(events[1]) == 1 and events.count(events[1]) == 1 and "x" not in events
    with pytest.raises(IndexError):
        events[3]
    with pytest.raises(ValueError, match="no such event"):
        events[1:].index(events[0])


def test_an_exception_with_an_outcome_is_pickled() -> None:
    with Director.embedded() as director:
        wanted = lvs_py.Table([lvs_py.Service.tcp("192.0.2.1", 80, scheduler="nosuch")])
        with pytest.raises(lvs_py.PlanError) as caught:
            director.reconcile(wanted, check=False)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and again.outcome.refused[0].operation == Operation.add_service(
        wanted.services[0].service
    )


def test_a_scope_prints_as_what_builds_it() -> None:
    scope = (Scope.ports(80) | Scope.services("fwmark:7")) & ~Scope.network("2001:db8::/32")
    assert eval(repr(scope), vars(lvs_py).copy()) == scope
    assert hash(scope) == hash(Scope.from_json(scope.to_json()))


def test_a_malformed_record_says_what_is_wrong() -> None:
    for text, problem in (
        ("{", "not a Timeouts: EOF while parsing"),
        ('{"tpc": 1}', "not a Timeouts: unknown field `tpc`, expected one of `tcp`, `tcp_fin`, `udp`"),
        ('{"tcp": -1}', "not a Timeouts: invalid value: integer `-1`, expected u32"),
    ):
        with pytest.raises(lvs_py.InvalidInputError, match=problem):
            lvs_py.Timeouts.from_json(text)
    with pytest.raises(lvs_py.InvalidInputError, match=r"unknown field `weigth`"):
        lvs_py.Table([{"key": "fwmark:7", "destinations": [{"key": "198.51.100.7:80", "weigth": 3}]}])


def test_counters_are_added_and_subtracted() -> None:
    before, after = lvs_py.Counters(connections=3), lvs_py.Counters(connections=5, bytes_in=7)
    assert after - before == lvs_py.Counters(connections=2, bytes_in=7) and before + before == lvs_py.Counters(
        connections=6
    )
    with pytest.raises(lvs_py.InvalidInputError, match="zeroed"):
        before - after
