"""Workloads on the embedded director."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest

import lvs_py
from lvs_py import Destination, Service
from lvs_py.__main__ import main
from lvs_py.simulation import (
    Drain,
    Event,
    Exponential,
    Fail,
    LogNormal,
    Pareto,
    Poisson,
    Regular,
    Return,
    SetWeight,
    Uniform,
    Workload,
    Zipf,
    compare,
)

WEB = Service.tcp("192.0.2.1", 80, scheduler="wrr")
POOL = [Destination("198.51.100.1", 80, weight=3), Destination("198.51.100.2", 80)]
RULES = """\
-A -t 192.0.2.1:80 -s wrr
-a -t 192.0.2.1:80 -r 198.51.100.1:80 -g -w 3
-a -t 192.0.2.1:80 -r 198.51.100.2:80 -g -w 1
-A -f 7 -6 -s rr
-a -f 7 -6 -r [2001:db8::7]:80 -g -w 1
"""


def test_regular_arrivals_are_shared_out_to_the_digit() -> None:
    report = Workload(WEB, POOL, duration=100, arrivals=Regular(4), lengths=2, clients=10).run()
    # Every quarter of a second up to the hundredth second; eight at once, since one leaves before
    # the next comes.
    assert report.connections == 400 and report.refused == 0 and report.clients == 10
    assert [server.connections for server in report.servers] == [300, 100]
    assert [server.relative_share for server in report.servers] == [1.0, 1.0]
    assert report.servers[0].key == lvs_py.DestinationKey("198.51.100.1:80") and report.servers[0].peak == 6
    assert report.duration == timedelta(seconds=100) and report.scheduler == "wrr" and report.changes == ()


def test_times_lengths_and_clients_can_be_given() -> None:
    workload = Workload(
        "tcp://[2001:db8::1]:80",
        ["[2001:db8::7]:80"],
        duration=timedelta(seconds=10),
        arrivals=iter([1, 2.5, 3]),
        lengths=[1, timedelta(seconds=20)],
        clients=["2001:db8:c::1", "2001:db8:c::2"],
        sample_every=1,
    )
    report = workload.run()
    assert report == workload.run()  # what was given as an iterator is there again
    assert (report.connections, report.clients, report.servers[0].peak) == (3, 2, 2)
    # At one moment sessions end first, then a sample is taken, then connections are opened.
    assert list(report.columns()["sessions"]) == [0, 0, 1, 1, 1, 1, 1, 1, 1, 1]


def test_what_happens_to_servers_is_told() -> None:
    events = [
        Fail(20, "198.51.100.1:80"),
        Return(timedelta(seconds=40), "198.51.100.1:80"),
        SetWeight(60, "198.51.100.2:80", 5),
        Drain(80, POOL[1]),
    ]
    report = Workload(WEB, POOL, duration=100, events=events).run()
    assert [change.kind for change in report.changes] == ["fail", "return", "weight", "drain"]
    fail, _, weight, drain = report.changes
    assert fail.broken == report.servers[0].broken > 0 and fail.server == POOL[0].key
    assert fail.time == timedelta(seconds=20) and fail.moved_of_necessity > 0
    assert weight.weight == 5 and drain.weight is None
    table = report.columns()
    last = [w for time, w in zip(table["time"], table["weight"], strict=True) if time == 100.0]
    assert last == [3, 0]


@pytest.mark.parametrize("arrivals", [Poisson(5), Regular(5)])
@pytest.mark.parametrize("lengths", [Exponential(3), LogNormal(3), Pareto(1, 1.5), timedelta(seconds=3)])
@pytest.mark.parametrize("clients", [Uniform(50), Zipf(50), 50])
def test_every_distribution_is_drawn_by_its_seed(arrivals: Poisson, lengths: Exponential, clients: Uniform) -> None:
    workload = Workload(WEB, POOL, duration=60, arrivals=arrivals, lengths=lengths, clients=clients, seed=7)
    report = workload.run()
    assert report == workload.run() != dataclasses.replace(workload, seed=8).run()
    assert 200 < report.connections < 400 and 1 < report.clients <= 50


def test_one_workload_compares_schedulers() -> None:
    first, second = compare(Workload(WEB, POOL, duration=60), ["rr", "sed"])
    assert (first.scheduler, second.scheduler) == ("rr", "sed")
    assert first.connections == second.connections and first.servers != second.servers
    assert abs(first.servers[0].connections - first.servers[1].connections) <= 1


def test_a_report_is_data() -> None:
    report = Workload(WEB, POOL, events=[Fail(300, POOL[0])]).run()
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["connections"] == report.connections and len(plain["samples"]) == 100
    assert plain["servers"][0] == {**report.servers[0].to_dict(), "server": "198.51.100.1:80"}
    assert plain["changes"][0]["kind"] == "fail" and plain["samples"][0]["time"] == 6.0
    columns = report.columns()
    assert columns.rows == 200 and columns.formats()["time"] == "d"
    assert list(columns) == report.to_csv().splitlines()[0].split(",")
    assert columns["server"][:2] == ["198.51.100.1:80", "198.51.100.2:80"]
    new = sum(columns["new"].tolist())  # type: ignore[union-attr]
    assert new == sum(server.connections for server in report.servers)
    assert str(report).startswith("wrr: ") and "198.51.100.2:80" in repr(report.servers[1])
    assert "<table>" in report._repr_html_() and "fail of 198.51.100.1:80" in report._repr_html_()
    worst, median = report.imbalance(1.0), report.imbalance()
    assert worst is not None and median is not None and worst >= median >= 1
    assert [time for time, _ in report.imbalances()][:2] == [6.0, 12.0]


def test_what_cannot_be_played_is_a_value_error() -> None:
    for wrong in (
        dataclasses.replace(Workload(WEB, POOL), arrivals=Poisson(0)),
        dataclasses.replace(Workload(WEB, POOL), lengths=[]),
        dataclasses.replace(Workload(WEB, POOL), clients=0),
        dataclasses.replace(Workload(WEB, POOL), clients=["2001:db8::1"]),
        dataclasses.replace(Workload(WEB, POOL), events=[Fail(1, "203.0.113.1:80")]),
        dataclasses.replace(Workload(WEB, POOL), duration=-1),
        dataclasses.replace(Workload(WEB, POOL), sample_every=0),
        dataclasses.replace(Workload(WEB, POOL), lengths=float("nan")),
    ):
        with pytest.raises(ValueError, match=r".") as caught:
            wrong.run()
        assert isinstance(caught.value, lvs_py.InvalidInputError), wrong
    with pytest.raises(TypeError):
        Workload(WEB, POOL, events=[Event(1, POOL[0])]).run()
    with pytest.raises(lvs_py.AlreadyExistsError):
        Workload(WEB, [POOL[0], POOL[0]]).run()


def test_plots_of_workloads() -> None:
    from lvs_py import plot

    report = Workload(WEB, POOL, events=[Fail(300, POOL[0])]).run()
    axes = plot.simulation(report)
    assert [line.get_label() for line in axes.get_lines()[:2]] == ["198.51.100.1:80", "198.51.100.2:80"]
    assert axes.get_lines()[0].get_ydata()[-1] == 0 and axes.texts[0].get_text().startswith("fail of")
    for quantity in ("new", "weights", "imbalance"):
        assert plot.simulation(report, quantity).get_xlabel() == "seconds"
    bars = plot.comparison(compare(Workload(WEB, POOL), ["rr", "wrr"]))
    assert len(bars.patches) == 4


def test_the_command_plays_every_service_of_a_file(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    file = f"{tmp_path}/shop.rules"
    with open(file, "w") as out:
        out.write(RULES)
    base = ["simulate", file, "--duration", "60", "--clients", "20", "--zipf", "1"]
    assert main([*base, "--scheduler", "rr", "--scheduler", "wrr"]) == 0
    out_lines = capsys.readouterr().out.splitlines()
    heads = [line.split(":", 2)[2].split(" ")[1] for line in out_lines if line.startswith("tcp://")]
    assert heads == ["wrr:", "rr:"]
    events = ["--fail", "20=198.51.100.1:80", "--return", "30=198.51.100.1:80", "--weight", "40=198.51.100.2:80=9"]
    assert main([*base, "--service", "tcp://192.0.2.1:80", "--json", *events]) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert [change["kind"] for change in json.loads(line)["changes"]] == ["fail", "return", "weight"]
    assert main([*base, "--csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "service,scheduler,time,server,sessions,new,weight"
    assert lines[1].startswith("tcp://192.0.2.1:80,wrr,0.600,") and lines[-1].startswith("fwmark:7/ipv6,rr,60.000,")
    assert main([*base, "--service", "fwmark:9"]) == 1
    assert main([*base, "--fail", "soon"]) == 1
    assert "is no event" in capsys.readouterr().err
