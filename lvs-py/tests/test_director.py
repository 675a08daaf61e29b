"""Both directors: every test that takes `director` runs on the embedded one, and in the lab on the kernel's."""

from __future__ import annotations

import errno
import logging
from datetime import timedelta

import pytest

import lvs_py
from lvs_py import Daemon, Destination, Director, EmbeddedDirector, Operation, Service, Timeouts


def test_what_is_added_is_found(director: Director, service: Service) -> None:
    director.add_service(service)
    director.add_destination(service, Destination("198.51.100.7", 80, weight=2))
    director.add_destination("192.0.2.1:80/tcp", Destination("198.51.100.8", 80))
    assert list(director.services) == [service.key]
    entry = director.services["tcp://192.0.2.1:80"]
    assert entry.service == service
    assert [str(key) for key in entry.destinations] == ["198.51.100.8:80", "198.51.100.7:80"]
    assert entry.destinations["198.51.100.7:80"].weight == 2
    assert entry.destinations == director.destinations(service)


def test_services_are_a_mapping(director: Director, service: Service) -> None:
    assert len(director.services) == 0 and service not in director.services
    director.add_service(service)
    assert service in director.services and "fwmark:7" not in director.services
    assert 42 not in director.services
    assert dict(director.services) == {service.key: director.services[service]}
    assert [entry.key for entry in director.services.values()] == [service.key]
    assert [key for key, _ in director.services.items()] == list(director.services.keys())
    assert director.services.get("fwmark:7") is None
    with pytest.raises(KeyError):
        director.services["fwmark:7"]
    del director.services[service]
    assert not director.services


def test_changes_change(director: Director, service: Service) -> None:
    director.add_service(service)
    director.add_destination(service, "198.51.100.7:80")
    changed = service.replace(scheduler="rr", persistence=60)
    director.update_service(changed)
    director.update_destination(service, Destination("198.51.100.7:80", weight=9, forwarding="nat"))
    entry = director.services[service]
    assert entry.service == changed
    assert entry.destinations["198.51.100.7:80"].destination == Destination(
        "198.51.100.7:80", weight=9, forwarding="nat"
    )
    director.remove_destination(service, "198.51.100.7:80")
    assert not director.destinations(service)
    director.remove_service(service)
    assert not director.services


def test_firewall_marks_and_ipv6(director: Director) -> None:
    keys = ["fwmark:7", "fwmark:7/ipv6", "udp://[2001:db8::1]:53"]
    for key in keys:
        director.add_service(key)
    director.add_destination(keys[2], "[2001:db8::7]:53")
    assert sorted(map(str, director.services)) == sorted(keys)
    assert [str(key) for key in director.destinations(keys[2])] == ["[2001:db8::7]:53"]


def test_refusals_are_exceptions_that_python_knows(director: Director, service: Service) -> None:
    director.add_service(service)
    with pytest.raises(FileExistsError) as exists:
        director.add_service(service)
    assert isinstance(exists.value, lvs_py.AlreadyExistsError) and exists.value.errno == errno.EEXIST
    assert exists.value.operation == Operation.add_service(service)
    assert str(exists.value) == "cannot add service tcp://192.0.2.1:80: the service exists already"
    with pytest.raises(lvs_py.NotFoundError) as missing:
        director.remove_service("fwmark:7")
    assert isinstance(missing.value, OSError) and missing.value.errno == errno.ESRCH
    with pytest.raises(lvs_py.NotFoundError):
        director.remove_destination(service, "198.51.100.7:80")
    with pytest.raises(lvs_py.UnsupportedError, match="no scheduler"):
        director.add_service(Service("fwmark:9", scheduler="nosuch"))
    with pytest.raises(lvs_py.KernelError) as range_error:
        director.add_destination(service, Destination("198.51.100.7:80", weight=1 << 31))
    assert range_error.value.errno == errno.ERANGE


def test_a_batch_names_each_refusal(director: Director, service: Service) -> None:
    with pytest.raises(lvs_py.BatchError) as caught, director.batch() as batch:
        batch.add_service(service)
        batch.add_service(service)
        batch.add_destination(service, "198.51.100.7:80")
        batch.remove_destination(service, "198.51.100.9:80")
        assert len(batch) == 4 and not director.services
    report = caught.value.report
    assert report is batch.report and not report.complete
    assert (report.applied, report.answered, report.sent, len(report)) == (2, 4, 4, 4)
    assert [refusal.index for refusal in report.refused] == [1, 3]
    assert report.refused[0].operation == Operation.add_service(service)
    assert isinstance(report.refused[0].error, lvs_py.AlreadyExistsError)
    assert "[1] cannot add service" in str(caught.value)
    assert len(director.destinations(service)) == 1


def test_a_batch_that_stops_does_nothing_after_a_refusal(director: Director, service: Service) -> None:
    operations = [Operation.add_service(service), Operation.add_service(service), Operation.add_service("fwmark:1")]
    report = director.apply(operations, stop_on_refusal=True)
    assert (report.answered, report.applied) == (2, 1) and len(director.services) == 1


def test_a_batch_whose_block_raises_is_not_sent(director: Director, service: Service) -> None:
    with pytest.raises(RuntimeError, match="changed my mind"), director.batch() as batch:
        batch.add_service(service)
        raise RuntimeError("changed my mind")
    assert batch.report is None and not director.services


def test_timeouts(director: Director) -> None:
    assert director.timeouts() == Timeouts(tcp=900, tcp_fin=120, udp=300)
    director.set_timeouts(tcp=timedelta(minutes=10))
    assert director.timeouts() == Timeouts(tcp=600, tcp_fin=120, udp=300)


def test_zero_and_flush(director: Director, service: Service) -> None:
    director.add_service(service)
    director.zero()
    director.zero(service)
    with pytest.raises(lvs_py.NotFoundError):
        director.zero("fwmark:7")
    director.flush()
    assert not director.services


def test_a_snapshot_holds_everything(director: Director, service: Service) -> None:
    director.add_service(service)
    director.add_destination(service, "198.51.100.7:80")
    director.add_destination(service, "198.51.100.8:80")
    snapshot = director.snapshot()
    assert snapshot.timeouts == director.timeouts() and snapshot.info == director.info()
    assert snapshot.info.version == "1.2.1"
    assert snapshot.services[service].statistics.counters == lvs_py.Counters()
    table = snapshot.to_table()
    assert [str(d.key) for d in table[service].destinations] == ["198.51.100.7:80", "198.51.100.8:80"]


def test_a_director_closes_twice_and_not_a_third_time_opens(director: Director) -> None:
    director.close()
    director.close()
    assert director.closed and "closed" in repr(director)
    with pytest.raises(lvs_py.ClosedError):
        director.snapshot()
    with pytest.raises(lvs_py.ClosedError), director:
        pass


def test_a_director_is_opened_by_its_functions() -> None:
    with pytest.raises(TypeError, match=r"Director\.embedded"):
        Director("kernel")  # type: ignore[arg-type]


def test_daemons_start_and_stop_on_the_embedded_director() -> None:
    with Director.embedded() as director:
        director.start_daemon(Daemon("backup", "eth0", sync_id=3))
        [daemon] = director.daemons()
        assert daemon.role is lvs_py.DaemonRole.BACKUP and daemon.sync_id == 3 and daemon.port == 8848
        with pytest.raises(lvs_py.AlreadyExistsError):
            director.start_daemon(Daemon("backup", "eth0"))
        with pytest.raises(lvs_py.NotFoundError):
            director.start_daemon(Daemon("master", "nosuch0"))
        director.stop_daemon("backup")
        assert director.daemons() == ()


def test_the_embedded_clock_moves_when_told_to() -> None:
    with Director.embedded() as director:
        assert isinstance(director, EmbeddedDirector) and director.now() == timedelta(0)
        director.advance(1.5)
        director.advance(timedelta(minutes=1))
        director.advance(hours=1, milliseconds=500)
        assert director.now() == timedelta(hours=1, minutes=1, seconds=2)
        with pytest.raises(lvs_py.InvalidInputError):
            director.advance(-1)


def test_changes_are_logged_not_printed(
    service: Service, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG, logger="lvs_py"), Director.embedded() as director:
        director.add_service(service)
        director.apply([Operation.flush()])
    assert caplog.messages == ["add service tcp://192.0.2.1:80", "flush the table"]
    assert capsys.readouterr() == ("", "")
