"""Plans, drains, health, watching: what keeps a cluster right."""

from __future__ import annotations

from datetime import timedelta

import pytest

import lvs_py
from lvs_py import Destination, Director, Drain, EmbeddedDirector, Health, HealthPolicy, Plan, Scope, Service, Table
from lvs_py.typing import OperationKind

WEB = "tcp://192.0.2.1:80"
OLD = Table({WEB: ["198.51.100.7:80"], "fwmark:7": []})
NEW = Table({WEB: [Destination("198.51.100.8:80", weight=3)]})


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_a_plan_adds_before_it_removes() -> None:
    plan = Plan(OLD, NEW)
    assert str(plan).splitlines() == [
        "+ tcp://192.0.2.1:80 -> 198.51.100.8:80 weight 3 direct",
        "- tcp://192.0.2.1:80 -> 198.51.100.7:80",
        "- fwmark:7",
    ]
    assert [step.phase for step in plan] == ["add", "remove", "remove"]
    assert plan.steps[0].undo == (lvs_py.Operation.remove_destination(WEB, "198.51.100.8:80"),)
    assert len(plan) == 3 and bool(plan) and not Plan(NEW, NEW)
    assert plan.operations == tuple(step.operation for step in plan.steps)


def test_reconciling_puts_a_table_in_force(director: Director) -> None:
    director.reconcile(OLD)
    outcome = director.reconcile(NEW)
    assert outcome.complete and len(outcome.done) == 3 and not outcome.refused
    assert director.snapshot().to_table().services == NEW.services
    assert not director.plan(NEW)
    assert len(director.reconcile(NEW).plan) == 0


def test_what_is_not_allowed_is_withheld(director: Director) -> None:
    director.reconcile(OLD)
    adding: list[OperationKind] = ["add_service", "add_destination"]
    plan = director.plan(NEW, allow=adding)
    assert [str(step) for step in plan] == ["+ tcp://192.0.2.1:80 -> 198.51.100.8:80 weight 3 direct"]
    assert [str(operation) for operation in plan.withheld] == [
        "remove destination 198.51.100.7:80 from tcp://192.0.2.1:80",
        "remove service fwmark:7",
    ]
    assert plan == Plan(OLD, NEW, allow=iter(adding)) == Plan.from_json(plan.to_json())
    assert director.reconcile(NEW, allow=adding).plan == plan
    assert "fwmark:7" in director.services
    assert not Plan(OLD, NEW, allow=[]) and len(Plan(OLD, NEW, allow=[]).withheld) == 3
    assert not Plan(OLD, NEW).withheld
    for wrong in ("add_service", ["add_everything"], 7):
        with pytest.raises(lvs_py.InvalidInputError):
            Plan(OLD, NEW, allow=wrong)  # type: ignore[arg-type]


def test_a_scheduler_that_the_director_lacks_is_said_before_anything_is_touched(director: Director) -> None:
    slip = Table([(Service(WEB), []), (Service("tcp://192.0.2.2:80", scheduler="nosuch"), [])])
    for put in (director.plan, director.reconcile):
        with pytest.raises(lvs_py.InvalidInputError, match="no scheduler nosuch"):
            put(slip)
    assert not director.services
    assert len(Plan({}, slip)) == 2, "two tables alone cannot know it"


def test_a_scope_leaves_others_alone(director: Director) -> None:
    director.reconcile(OLD)
    director.reconcile(NEW, scope=Scope.network("192.0.2.0/24"))
    assert "fwmark:7" in director.services
    with pytest.raises(lvs_py.InvalidInputError, match="outside of the scope"):
        director.reconcile(NEW, scope=Scope.marks(1, 9))


def test_scopes_combine() -> None:
    ours = (Scope.network("192.0.2.0/24") & ~Scope.ports(443)) | Scope.marks(100, 199)
    assert WEB in ours and "tcp://192.0.2.1:443" not in ours
    assert "fwmark:150" in ours and "fwmark:7" not in ours
    assert "fwmark:7" in Scope.services("fwmark:7", WEB) and "fwmark:8" in Scope.all()
    with pytest.raises(lvs_py.InvalidInputError):
        Scope.network("192.0.2.0/33")


def test_a_refused_step_is_told_and_can_be_undone(director: Director) -> None:
    wanted = Table({WEB: [], lvs_py.Service("fwmark:8", scheduler="nosuch"): []})
    with pytest.raises(lvs_py.PlanError) as caught:
        director.reconcile(wanted, undo=True, check=False)
    outcome = caught.value.outcome
    assert outcome.undone and not outcome.complete and not director.services
    [refusal] = outcome.refused
    assert isinstance(refusal.error, lvs_py.UnsupportedError) and refusal.operation.action == "add_service"
    assert refusal.index == 1
    assert "then undone" in str(caught.value)
    outcome = director.apply_plan(director.plan(wanted, check=False))
    assert not outcome.complete and not outcome.undone and list(director.services) == [lvs_py.ServiceKey(WEB)]


def test_a_refused_step_holds_up_nobody_else(director: Director) -> None:
    director.reconcile({WEB: ["198.51.100.7:80", "198.51.100.8:80"], "fwmark:9": []})
    broken = lvs_py.Service("tcp://192.0.2.2:80", scheduler="nosuch")
    wanted = Table({WEB: [Destination("198.51.100.7:80", weight=0), "198.51.100.8:80"], broken: ["198.51.100.9:80"]})
    outcome = director.apply_plan(director.plan(wanted, check=False))
    assert [refusal.operation.value for refusal in outcome.refused] == [broken]
    assert director.destinations(WEB)["198.51.100.7:80"].weight == 0, "the dead one of another service is out"
    assert [step.operation.action for step in outcome.held] == ["add_destination", "remove_service"]


def test_nothing_is_emptied_by_accident(director: Director) -> None:
    director.reconcile(OLD)
    for nothing in (None, "", b""):
        with pytest.raises(TypeError):
            director.reconcile(nothing)  # type: ignore[arg-type]
    with pytest.raises(lvs_py.InvalidInputError, match="2 would be removed"):
        director.reconcile({})
    assert len(director.services) == 2
    director.reconcile({}, scope=Scope.marks(7), allow_empty=True)
    assert list(director.services) == [lvs_py.ServiceKey(WEB)]


def test_what_cannot_work_is_refused_before_anything_is_touched(director: Director) -> None:
    wanted = {WEB: ["198.51.100.7:8000"]}
    with pytest.raises(lvs_py.InvalidInputError, match=r"use port 80, or masquerade"):
        director.reconcile(wanted)
    assert not director.services
    assert len(lvs_py.lint(wanted)) == 1 and not lvs_py.lint(OLD)
    with pytest.raises(lvs_py.InvalidInputError, match="use a tunnel"):
        director.plan({"tcp://[2001:db8::1]:80": ["198.51.100.7:80"]})
    assert director.reconcile(wanted, check=False).complete


def test_a_rollback_stays_in_its_scope(director: Director) -> None:
    director.reconcile(OLD)
    before, ours = director.snapshot(), Scope.network("192.0.2.0/24")
    director.reconcile(NEW, scope=ours)
    director.add_service("udp://203.0.113.1:53")
    director.set_timeouts(tcp=60)
    timeouts = director.timeouts
    with pytest.raises(lvs_py.InvalidInputError, match="outside of the scope"):
        director.plan(before, scope=ours)
    assert director.apply_plan(Plan.rollback(director.snapshot(), before, scope=ours)).complete
    assert list(director.destinations(WEB)) == [lvs_py.DestinationKey("198.51.100.7:80")]
    assert "udp://203.0.113.1:53" in director.services and director.timeouts == timeouts
    assert (~ours).owns_timeouts and ours.with_daemons().owns_daemons


def test_a_table_that_names_something_twice_is_invalid(director: Director) -> None:
    with pytest.raises(lvs_py.InvalidInputError, match="wanted twice"):
        director.reconcile(Table([lvs_py.Service(WEB), lvs_py.Service(WEB)]))


def test_an_idle_destination_is_drained_at_once(director: Director) -> None:
    director.reconcile(OLD)
    seen: list[lvs_py.DrainProgress] = []
    progress = director.drain(WEB, "198.51.100.7:80", sleep=lambda _: None, progress=seen.append)
    assert progress.done and not progress.cut
    assert seen[0].operations[0].value == Destination("198.51.100.7:80", weight=0)
    assert not director.destinations(WEB)


def test_a_drain_can_leave_the_destination_quiesced(director: Director) -> None:
    director.reconcile(OLD)
    director.drain(real_server="198.51.100.7", remove=False, sleep=lambda _: None)
    assert director.destinations(WEB)["198.51.100.7:80"].weight == 0


def busy(active: int, weight: int = 0) -> lvs_py.Snapshot:
    entry = lvs_py.DestinationEntry(Destination("198.51.100.7:80", weight=weight), active=active)
    return lvs_py.Snapshot([lvs_py.ServiceEntry(WEB, [entry])])


def test_a_drain_waits_for_connections_and_cuts_at_its_deadline() -> None:
    drain = Drain(WEB, "198.51.100.7:80", deadline=seconds(60))
    assert drain.step(busy(2, weight=5), seconds(0)).operations[0].action == "update_destination"
    progress = drain.step(busy(2), seconds(1))
    assert not progress.operations and not progress.done
    [left] = progress.waiting
    assert (str(left.destination), left.active, str(left.service)) == ("198.51.100.7:80", 2, WEB)
    progress = drain.step(busy(1), seconds(61))
    assert progress.cut[0].active == 1 and progress.operations[0].action == "remove_destination"
    assert drain.cancel(busy(1))[0].value == Destination("198.51.100.7:80", weight=5)


def test_an_interrupted_drain_puts_the_weights_back() -> None:
    with Director.embedded() as director:
        director.reconcile(OLD)

        def interrupt(progress: lvs_py.DrainProgress) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            director.drain(WEB, "198.51.100.7:80", progress=interrupt)
        assert director.destinations(WEB)["198.51.100.7:80"].weight == 1


def test_draining_what_is_not_there_is_an_error(director: Director) -> None:
    director.reconcile(OLD)
    with pytest.raises(lvs_py.NotFoundError, match=r"cannot drain .*: the table has none"):
        director.drain("tcp://192.0.2.9:80")
    with pytest.raises(lvs_py.NotFoundError, match=r"cannot drain .*: the table has none"):
        director.drain(WEB, "9.9.9.9:80")
    with pytest.raises(lvs_py.NotFoundError):
        director.drain(real_server="9.9.9.9")
    assert director.destinations(WEB)["198.51.100.7:80"].weight == 1


def test_flows_that_are_not_waited_for_are_reported() -> None:
    entry = lvs_py.DestinationEntry(Destination("198.51.100.7:53", weight=0), inactive=5)
    flows = lvs_py.Snapshot([lvs_py.ServiceEntry("udp://192.0.2.1:53", [entry])])
    progress = Drain("udp://192.0.2.1:53", "198.51.100.7:53").step(flows, seconds(0))
    assert progress.left_behind[0].inactive == 5 and not progress.cut


def test_a_drain_says_what_it_needs() -> None:
    with pytest.raises(lvs_py.InvalidInputError, match="drain a service"):
        Drain()
    with pytest.raises(lvs_py.InvalidInputError, match="cannot be waited for"):
        Drain(WEB, wait_for="godot")  # type: ignore[arg-type]


def test_health_takes_probes_and_wants_a_table(director: Director) -> None:
    health = Health()
    policy = HealthPolicy(fall=2, sorry_server="198.51.100.99:80", slow_start=seconds(10))
    health.watch(WEB, [Destination("198.51.100.7:80", weight=10)], policy)
    assert health.is_up(WEB, "198.51.100.7:80") and health.has_quorum(WEB)
    assert health.report(WEB, "198.51.100.7:80", up=False, now=seconds(1)) == []
    changes = health.report_host("198.51.100.7", up=False, now=seconds(2))
    assert [change.kind for change in changes] == ["server_down", "quorum_lost"]
    assert str(changes[0].server) == "198.51.100.7:80" and changes[1].server is None
    director.reconcile(health.wanted(seconds(2)))
    weights = {str(key): entry.weight for key, entry in director.destinations(WEB).items()}
    assert weights == {"198.51.100.7:80": 0, "198.51.100.99:80": 1}
    health.report(WEB, "198.51.100.7:80", up=True, now=seconds(3))
    assert health.wanted(seconds(3))[WEB].destinations[0].weight == 1
    assert health.next_change(seconds(3)) == seconds(4)
    assert health.wanted(seconds(13))[WEB].destinations[0].weight == 10
    assert health.is_up(WEB, "198.51.100.8:80") is None and health.has_quorum("fwmark:1") is None
    with pytest.raises(lvs_py.NotFoundError, match=r"198\.51\.100\.8:80 of .*not watched"):
        health.report(WEB, "198.51.100.8:80", up=True, now=seconds(4))
    assert health.report(WEB, "198.51.100.7:80", up=None, now=seconds(4)) == []
    assert [change.kind for change in health.watch(WEB, [])] == ["quorum_lost"]
    with pytest.raises(lvs_py.InvalidInputError, match="rise is 0"):
        health.watch(WEB, [], HealthPolicy(rise=0))


def test_health_changes_while_it_runs_and_over_a_restart() -> None:
    a, b = "198.51.100.7:80", "198.51.100.8:80"
    health, policy = Health(), HealthPolicy(fall=1)
    health.watch(WEB, [a, b], policy)
    health.report(WEB, a, up=False, now=seconds(1000))
    assert health.set_servers(WEB, [a, Destination(b, weight=3)]) == []
    assert health.set_weight(WEB, b, 4) == [] and not health.is_up(WEB, a)
    changes = health.set_override(WEB, b, "down", "disk", until=seconds(1100))
    assert [change.kind for change in changes] == ["server_down", "quorum_lost"]

    restarted = Health()
    restarted.watch(WEB, [a, b], policy)
    restarted.restore(health.save(seconds(1010)), seconds(0), away=seconds(10))
    assert not restarted.is_up(WEB, a) and not restarted.is_up(WEB, b)
    assert restarted.next_change(seconds(0)) == seconds(80)
    kinds = [change.kind for change in restarted.tick(seconds(80))]
    assert kinds == ["override_expired", "server_up", "quorum_regained"]
    assert [change.kind for change in restarted.set_override(WEB, a, "up", "check is broken")] == ["server_up"]
    assert [change.kind for change in restarted.clear_override(WEB, a)] == ["server_down"]
    [limited] = restarted.report(WEB, b, up=True, now=seconds(81), weight=2**31)
    assert limited.kind == "weight_limited" and restarted.wanted(seconds(81))[WEB].destinations[1].weight == 256
    with pytest.raises(lvs_py.DecodeError, match="malformed health state"):
        restarted.restore("{}", seconds(0))
    with pytest.raises(lvs_py.InvalidInputError, match="an override is"):
        restarted.set_override(WEB, a, "sideways", "")  # type: ignore[arg-type]

    fresh = Health()
    fresh.watch(WEB, [a, b], HealthPolicy(quorum=5))
    assert fresh.warnings() == [f"service {WEB}: the quorum 5 is never reached: all servers together have weight 2"]
    fresh.start_from({WEB: [Destination(a, weight=0)]}, absent_down=True)
    assert not fresh.is_up(WEB, a) and not fresh.is_up(WEB, b)
    assert fresh.unwatch(WEB) and not fresh.unwatch(WEB)


def test_rates_are_right_whatever_the_interval(director: Director) -> None:
    del director
    for interval in (0.5, 1.0, 1.5, 3.0, 5.0):
        with Director.embedded() as embedded:
            embedded.reconcile(OLD)
            watcher = lvs_py.Watcher(scope=Scope.services(WEB))
            rates = []
            for look in range(int(40 / interval)):
                for event in watcher.observe(embedded.snapshot(), seconds(look * interval)):
                    assert event.service is None or str(event.service) == WEB
                    if event.per_second is not None:
                        rates.append(event.per_second["connections"])
                for part in range(int(interval * 10)):
                    embedded.connect(f"203.0.113.{look % 250}:{1024 + part}", "192.0.2.1:80")
                    embedded.advance(0.1)
            assert rates and all(abs(rate - 10) <= 1 for rate in rates), (interval, rates)


def test_a_look_at_a_director_is_a_look_at_its_snapshot(director: Director) -> None:
    whole, looking = lvs_py.Watcher(), lvs_py.Watcher()
    narrow = lvs_py.Watcher(scope=Scope.services(WEB))
    for look, table in enumerate([OLD, NEW, OLD, lvs_py.Table()]):
        director.reconcile(table, allow_empty=True)
        assert looking.look(director, look) == whole.observe(director.snapshot(), look) != []
        assert {str(event.service) for event in narrow.look(director, look)} <= {WEB}
        assert looking.look(director, seconds(look)) == []
    with pytest.raises(TypeError, match="a Watcher is no Director"):
        looking.look(whole, 9)  # type: ignore[arg-type]
    with Director.embedded() as closed:
        pass
    with pytest.raises(lvs_py.ClosedError):
        looking.look(closed, 9)


def test_watching_tells_what_has_changed(director: Director) -> None:
    tables = iter([OLD, NEW])
    watch = director.watch(sleep=lambda _: director.reconcile(next(tables)))
    assert next(watch) == []
    # From Linux 7.1 on the kernel lists services in an order of its own.
    appeared = sorted(event.kind for event in next(watch))
    assert appeared == ["destination_appeared", "service_appeared", "service_appeared"]
    changes = next(watch)
    events = {event.kind: event for event in changes}
    assert sorted(events) == ["destination_appeared", "destination_vanished", "service_vanished"]
    assert len(changes) == len(events)
    vanished = events["destination_vanished"]
    assert vanished.before == Destination("198.51.100.7:80") and str(vanished.service) == WEB
    assert isinstance(events["destination_appeared"].after, lvs_py.DestinationEntry)
    assert events["service_vanished"].destination is None


def test_the_embedded_directors_clock_is_what_watching_waits_by() -> None:
    with Director.embedded() as director:
        assert isinstance(director, EmbeddedDirector)
        watch = director.watch(interval=2)
        for _ in range(3):
            next(watch)
        assert director.now() == seconds(4)
