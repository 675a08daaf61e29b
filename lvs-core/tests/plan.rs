//! What must hold of every plan, on random tables: it ends in the wanted table, it leaves foreign
//! services alone, and a service that both tables keep in use never stands without a usable
//! destination on the way.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod held;

use held::Held;
use lvs_core::director::Operation;
use lvs_core::model::{AddressFamily, Destination, OperationKind, Service, ServiceKey, Table, TableService, Timeouts};
use lvs_core::plan::{Plan, PlanError, Planner, Scope};
use proptest::prelude::*;

/// Random tables may be empty, and ask for ports that are never reached.
fn freely(scope: &Scope) -> Planner {
    Planner::new(scope).removing_all().unchecked()
}

fn key() -> impl Strategy<Value = ServiceKey> {
    prop_oneof![
        (1..6u8).prop_map(|last| ServiceKey::tcp(format!("192.0.2.{last}"), 80).unwrap()),
        (1..4u8).prop_map(|last| ServiceKey::udp(format!("2001:db8::{last}"), 53).unwrap()),
        (1..4u32).prop_map(|mark| ServiceKey::fwmark(mark, AddressFamily::Ipv4).unwrap()),
    ]
}

fn destinations() -> impl Strategy<Value = Vec<Destination>> {
    proptest::collection::btree_map(1..7u8, (0..4u32, 0..3u32), 0..5).prop_map(|map| {
        map.into_iter()
            .map(|(last, (weight, upper))| {
                Destination::new([198, 51, 100, last].into(), 80).with_weight(weight).with_thresholds(upper, 0)
            })
            .collect()
    })
}

fn table() -> impl Strategy<Value = Table> {
    let service = (prop_oneof![Just("wlc"), Just("rr")], 0..3u32, destinations());
    proptest::collection::btree_map(key(), service, 0..8).prop_map(|map| {
        let mut table = Table::new();
        table.services = map
            .into_iter()
            .map(|(key, (scheduler, persistence, destinations))| {
                let mut service = Service::new(key).with_scheduler(scheduler.parse().unwrap());
                if persistence > 0 {
                    service = service.with_persistence(persistence);
                }
                TableService { service, destinations }
            })
            .collect();
        table
    })
}

proptest! {
    #[test]
    fn a_plan_ends_in_the_wanted_table_and_serves_on_the_way(now in table(), wanted in table()) {
        let plan = freely(&Scope::all()).plan(&now, &wanted).unwrap();
        let (start, end) = (Held::of(&now), Held::of(&wanted));
        let kept: Vec<_> = start.0.keys().filter(|key| start.is_usable(key) && end.is_usable(key)).collect();
        let mut held = start.clone();
        for operation in plan.operations() {
            held.execute(operation).unwrap();
            for key in &kept {
                prop_assert!(held.is_usable(key), "{key} has no usable destination after: {operation}");
            }
        }
        prop_assert_eq!(held, end);
    }

    #[test]
    fn what_is_not_allowed_is_withheld_and_all_else_is_done(now in table(), wanted in table(), bits in 0..64u32) {
        const KINDS: [OperationKind; 6] = [
            OperationKind::AddService,
            OperationKind::UpdateService,
            OperationKind::RemoveService,
            OperationKind::AddDestination,
            OperationKind::UpdateDestination,
            OperationKind::RemoveDestination,
        ];
        let allowed: Vec<_> = KINDS.into_iter().enumerate().filter(|(bit, _)| bits & 1 << bit != 0).collect();
        let allows = |kind| allowed.iter().any(|(_, one)| *one == kind);
        let whole = freely(&Scope::all()).plan(&now, &wanted).unwrap();
        let plan = freely(&Scope::all()).allowing(allowed.iter().map(|(_, kind)| *kind)).plan(&now, &wanted).unwrap();
        // Nothing is lost, nothing is added, and the order stays.
        let of = |plan: &Plan| plan.operations().map(ToString::to_string).collect::<Vec<_>>();
        let (all, done) = (of(&whole), of(&plan));
        let withheld: Vec<_> = plan.withheld().iter().map(ToString::to_string).collect();
        let left: Vec<_> = all.iter().filter(|one| !withheld.contains(one)).cloned().collect();
        prop_assert_eq!(&left, &done);
        prop_assert_eq!(all.len(), done.len() + withheld.len());
        // What is done is allowed and possible; a server is withheld with its service alone.
        let mut held = Held::of(&now);
        for operation in plan.operations() {
            prop_assert!(allows(operation.kind()), "{}", operation);
            held.execute(operation).unwrap();
        }
        for operation in plan.withheld().iter().filter(|operation| allows(operation.kind())) {
            prop_assert_eq!(operation.kind(), OperationKind::AddDestination);
            prop_assert!(!allows(OperationKind::AddService));
        }
    }

    #[test]
    fn a_table_needs_no_plan_to_itself(table in table()) {
        prop_assert!(Plan::between(&table, &table, &Scope::all()).unwrap().is_empty());
    }

    #[test]
    fn undoing_from_any_point_gives_the_table_from_before(now in table(), wanted in table(), stop in 0..40usize) {
        let plan = freely(&Scope::all()).plan(&now, &wanted).unwrap();
        let start = Held::of(&now);
        let mut held = start.clone();
        let done = stop.min(plan.len());
        for step in &plan.steps()[..done] {
            held.execute(&step.operation).unwrap();
        }
        for step in plan.steps()[..done].iter().rev() {
            for operation in &step.undo {
                held.execute(operation).unwrap();
            }
        }
        prop_assert_eq!(held, start);
    }

    #[test]
    fn foreign_services_are_never_touched(now in table(), mut wanted in table()) {
        let ours = || Scope::network("192.0.2.0".parse().unwrap(), 24).unwrap();
        wanted.services.retain(|entry| ours().owns(&entry.service.key()));
        let plan = freely(&ours()).plan(&now, &wanted).unwrap();
        let mut held = Held::of(&now);
        for operation in plan.operations() {
            held.execute(operation).unwrap();
        }
        let (owned, foreign): (Vec<_>, Vec<_>) = held.0.keys().partition(|key| ours().owns(key));
        prop_assert_eq!(owned.len(), wanted.services.len());
        let before: Vec<_> = now.services.iter().map(|e| e.service.key()).filter(|key| !ours().owns(key)).collect();
        prop_assert_eq!(foreign.into_iter().copied().collect::<Vec<_>>(), before);
    }
}

#[test]
fn a_service_outside_of_the_scope_is_refused() {
    let key = ServiceKey::tcp("203.0.113.1", 80).unwrap();
    let mut wanted = Table::new();
    wanted.services.push(TableService::new(Service::new(key)));
    let ours = Scope::network("192.0.2.0".parse().unwrap(), 24).unwrap();
    assert_eq!(Plan::between(&Table::new(), &wanted, &ours), Err(PlanError::OutOfScope(key)));
}

#[test]
fn only_timeouts_that_differ_are_set() {
    let mut now = Table::new();
    now.timeouts = Some(Timeouts::default());
    let mut wanted = Table::new();
    wanted.timeouts = Some(Timeouts { tcp: 900, tcp_fin: 0, udp: 60 });
    let plan = Plan::between(&now, &wanted, &Scope::all()).unwrap();
    let operations: Vec<_> = plan.operations().copied().collect();
    assert_eq!(operations, [Operation::SetTimeouts(Timeouts { tcp: 0, tcp_fin: 0, udp: 60 })]);
}

#[test]
fn one_changed_weight_among_ten_thousand_services_is_one_operation() {
    let mut now = Table::new();
    now.services = (0..10_000u32)
        .map(|index| {
            let [_, a, b, c] = index.to_be_bytes();
            let mut entry = TableService::new(Service::new(ServiceKey::tcp(format!("10.{a}.{b}.{c}"), 80).unwrap()));
            entry.destinations = [7, 8].map(|last| Destination::new([198, 51, 100, last].into(), 80)).to_vec();
            entry
        })
        .collect();
    let mut wanted = now.clone();
    // What a director lists is in another order than what a file says.
    wanted.services.reverse();
    let entry = &mut wanted.services[4321];
    entry.destinations[1].weight = 5;
    let (key, changed) = (entry.service.key(), entry.destinations[1]);
    let plan = Plan::between(&now, &wanted, &Scope::all()).unwrap();
    let operations: Vec<_> = plan.operations().copied().collect();
    assert_eq!(operations, [Operation::UpdateDestination(key, changed)]);
}

mod applied {
    //! What a refusal holds up, and what not.

    use super::*;
    use lvs_core::director::Cause;
    use lvs_core::embedded::EmbeddedDirector;
    use lvs_core::lint::Flaw;
    use lvs_core::model::{Daemon, DaemonRole, ForwardingMethod};
    use lvs_core::plan::{Held, OnFailure, Ownership, Place, reconcile};
    use lvs_core::{Director, Error, ErrorKind};

    fn web(last: u8) -> ServiceKey {
        ServiceKey::tcp(format!("192.0.2.{last}"), 80).unwrap()
    }

    fn server(last: u8, weight: u32) -> Destination {
        Destination::new([198, 51, 100, last].into(), 80).with_weight(weight)
    }

    fn entry(key: ServiceKey, scheduler: &str, destinations: &[Destination]) -> TableService {
        let service = Service::new(key).with_scheduler(scheduler.parse().unwrap());
        TableService { service, destinations: destinations.to_vec() }
    }

    fn table(services: &[TableService]) -> Table {
        let mut table = Table::new();
        table.services = services.to_vec();
        table
    }

    fn holding(services: &[TableService]) -> EmbeddedDirector {
        let mut director = EmbeddedDirector::new();
        reconcile(&mut director, &table(services), &Scope::all(), OnFailure::Undo).unwrap();
        director
    }

    fn weights(director: &mut EmbeddedDirector, key: ServiceKey) -> Vec<u32> {
        let mut servers = director.destinations(&key).unwrap();
        servers.sort_by_key(|entry| entry.destination.key);
        servers.iter().map(|entry| entry.destination.weight).collect()
    }

    #[test]
    fn a_refused_service_holds_up_no_other_one() {
        let old = [entry(web(1), "rr", &[server(1, 1), server(2, 1)]), entry(web(9), "rr", &[server(1, 1)])];
        let mut director = holding(&old);
        let wanted = table(&[
            entry(web(2), "nosuch", &[server(1, 1), server(2, 1)]),
            entry(web(1), "rr", &[server(1, 0), server(2, 1)]),
        ]);
        let plan = Plan::between(&director.snapshot().unwrap().to_table(), &wanted, &Scope::all()).unwrap();
        let outcome = plan.apply(&mut director, OnFailure::Keep);
        assert_eq!(outcome.refused.len(), 1, "the servers of the missing service are no refusals of their own");
        assert!(matches!(outcome.refused[0].error.cause, Cause::SchedulerNotFound(_)));
        assert_eq!(outcome.held, [Held { step: 1, because: 0 }, Held { step: 2, because: 0 }]);
        assert_eq!(weights(&mut director, web(1)), [0, 1], "the dead server of another service is out");
        assert_eq!(director.services().unwrap().len(), 1, "a service of another address goes");
    }

    #[test]
    fn a_service_stays_while_the_one_that_may_replace_it_is_missing() {
        let mark = ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap();
        let tls = ServiceKey::tcp("192.0.2.1", 443).unwrap();
        for (new, stays) in [(tls, true), (mark, true), (web(2), false)] {
            let mut director = holding(&[entry(web(1), "rr", &[server(1, 1)])]);
            let wanted = table(&[entry(new, "nosuch", &[])]);
            let planner = Planner::new(&Scope::all()).unchecked();
            let failed = planner.reconcile(&mut director, &wanted, OnFailure::Keep).unwrap_err();
            assert_eq!(failed.kind(), ErrorKind::Unsupported);
            let Error::Incomplete(failed) = failed else { panic!("{failed}") };
            assert_eq!(!failed.outcome.held.is_empty(), stays, "{new}: {failed}");
            assert_eq!(director.service(&web(1)).is_ok(), stays, "{new}");
        }
    }

    #[test]
    fn in_a_service_nothing_is_removed_that_a_missing_server_was_to_stand_in_for() {
        let old = [entry(web(1), "rr", &[server(1, 1), server(2, 1), server(3, 1)])];
        let missing = Destination::new("224.0.0.1".parse().unwrap(), 80);
        let wanted = table(&[entry(web(1), "rr", &[missing, server(2, 0), server(3, 5)])]);
        let mut director = holding(&old);
        let current = director.snapshot().unwrap().to_table();
        let plan = freely(&Scope::all()).plan(&current, &wanted).unwrap();
        let outcome = plan.apply(&mut director, OnFailure::Keep);
        assert_eq!(outcome.refused[0].error.flaw, Some(Flaw::NotUnicast(missing.key.addr)));
        assert_eq!(weights(&mut director, web(1)), [1, 0, 5], "1 stays, 2 is quiesced while 3 serves on");
        assert_eq!(outcome.held.len(), 1);

        // All at once replaced by one that is refused: the last ones in use stay in use.
        let wanted = table(&[entry(web(1), "rr", &[missing, server(1, 0), server(2, 0), server(3, 0)])]);
        let mut director = holding(&old);
        let outcome = freely(&Scope::all()).plan(&current, &wanted).unwrap().apply(&mut director, OnFailure::Keep);
        assert_eq!((weights(&mut director, web(1)), outcome.held.len()), (vec![1, 1, 1], 3));
    }

    #[test]
    fn a_refused_weight_keeps_no_dead_server_in_use() {
        let mut director = holding(&[entry(web(1), "wrr", &[server(1, 1), server(2, 1), server(3, 1)])]);
        let wanted = table(&[entry(web(1), "wrr", &[server(1, 1 << 31), server(2, 0), server(3, 1)])]);
        let current = director.snapshot().unwrap().to_table();
        assert!(matches!(Plan::between(&current, &wanted, &Scope::all()), Err(PlanError::Flawed(_))));
        let outcome = freely(&Scope::all()).plan(&current, &wanted).unwrap().apply(&mut director, OnFailure::Keep);
        assert_eq!(weights(&mut director, web(1)), [1, 0, 1]);
        assert!(outcome.refused[0].error.to_string().ends_with("weight 2147483648 is above 2147483647"));
    }

    #[test]
    fn what_is_undone_is_what_was_asked_for() {
        let good = entry(web(1), "rr", &[server(1, 1)]);
        let bad = entry(web(2), "rr", &[server(1, 1), Destination::new("224.0.0.1".parse().unwrap(), 80)]);
        for (on_failure, left, undone) in
            [(OnFailure::Keep, 2, 0), (OnFailure::UndoService, 1, 2), (OnFailure::Undo, 0, 4)]
        {
            let mut director = EmbeddedDirector::new();
            let wanted = table(&[good.clone(), bad.clone()]);
            let failed = freely(&Scope::all()).reconcile(&mut director, &wanted, on_failure).unwrap_err();
            let Error::Incomplete(failed) = failed else { panic!("{failed}") };
            assert_eq!(director.services().unwrap().len(), left, "{on_failure:?}");
            assert_eq!(failed.outcome.undone.len(), undone, "{on_failure:?}");
            assert_eq!(failed.outcome.is_undone(), on_failure == OnFailure::Undo);
            assert!(failed.to_string().starts_with("1 of 5 steps refused"), "{failed}");
        }
    }

    #[test]
    fn a_rollback_inside_a_scope_always_works_and_touches_nothing_else() {
        let ours = Scope::network("192.0.2.0".parse().unwrap(), 24).unwrap();
        let foreign = ServiceKey::udp("203.0.113.1", 53).unwrap();
        // What the kernel takes and a plan would not: it must come back all the same.
        let odd = Destination::new([198, 51, 100, 5].into(), 8000).with_forwarding(ForwardingMethod::Direct);
        let mut director = EmbeddedDirector::new();
        let start = table(&[entry(web(1), "rr", &[odd]), entry(foreign, "rr", &[])]);
        freely(&Scope::all()).reconcile(&mut director, &start, OnFailure::Undo).unwrap();
        let before = director.snapshot().unwrap().to_table();

        let wanted = table(&[entry(web(2), "rr", &[server(1, 1)])]);
        reconcile(&mut director, &wanted, &ours, OnFailure::Undo).unwrap();
        director.set_timeouts(Timeouts { tcp: 60, tcp_fin: 10, udp: 10 }).unwrap();
        director.start_daemon(&Daemon::new(DaemonRole::Master, "eth0".parse().unwrap(), 1)).unwrap();
        director.remove_service(&foreign).unwrap();

        let now = director.snapshot().unwrap().to_table();
        assert_eq!(Plan::between(&now, &before, &ours), Err(PlanError::OutOfScope(foreign)));
        let restricted = Plan::between(&now, &before.restricted_to(&ours), &ours);
        assert!(matches!(restricted, Err(PlanError::Flawed(_))), "{restricted:?}");
        assert!(Plan::rollback(&now, &before, &ours).unwrap().apply(&mut director, OnFailure::Keep).is_complete());
        let after = director.snapshot().unwrap().to_table();
        assert_eq!(after.services, before.restricted_to(&ours).services);
        assert_eq!(after.timeouts.unwrap().tcp, 60, "somebody else's");
        assert_eq!(after.daemons.len(), 1, "somebody else's");
        let everything = Plan::rollback(&after, &before, &Scope::all()).unwrap();
        assert!(everything.apply(&mut director, OnFailure::Keep).is_complete());
        assert_eq!(director.timeouts().unwrap().tcp, 900);
    }

    #[test]
    fn timeouts_and_daemons_are_changed_only_by_their_owner() {
        let ours = Scope::services([web(1)]);
        let mut wanted = table(&[entry(web(1), "rr", &[])]);
        wanted.timeouts = Some(Timeouts { tcp: 60, tcp_fin: 0, udp: 0 });
        let plan = |wanted: &Table, scope: &Scope| Plan::between(&Table::new(), wanted, scope);
        assert_eq!(plan(&wanted, &ours), Err(PlanError::TimeoutsOutOfScope));
        assert_eq!(plan(&wanted, &ours.clone().with_timeouts()).unwrap().len(), 2);
        wanted.timeouts = None;
        wanted.daemons = vec![Daemon::new(DaemonRole::Backup, "eth0".parse().unwrap(), 1)];
        assert_eq!(plan(&wanted, &ours), Err(PlanError::DaemonOutOfScope(DaemonRole::Backup)));
        assert_eq!(plan(&wanted, &ours.or(Scope::none().with_daemons())).unwrap().len(), 2);
    }

    #[test]
    fn what_is_not_owned_is_taken_over_only_on_request() {
        let mut director = holding(&[entry(web(1), "rr", &[]), entry(web(2), "rr", &[])]);
        let mut ours = Ownership::new("web", Place::embedded("test"));
        let wanted = table(&[entry(web(1), "wrr", &[]), entry(web(3), "wrr", &[])]);
        let current = director.snapshot().unwrap().to_table();
        let refused = Planner::owned_by(&ours).plan(&current, &wanted).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("service {} is there already and does not belong to web: remove it, or adopt it", web(1))
        );
        let planner = Planner::owned_by(&ours).adopting();
        ours.claim(&wanted);
        assert_eq!(planner.reconcile(&mut director, &wanted, OnFailure::Undo).unwrap().plan.len(), 2);
        assert!(director.service(&web(2)).is_ok(), "neither wanted nor owned");

        let less = table(&[entry(web(3), "wrr", &[])]);
        assert_eq!(Planner::owned_by(&ours).reconcile(&mut director, &less, OnFailure::Undo).unwrap().plan.len(), 1);
        ours.settle(&less, &director.snapshot().unwrap().to_table());
        assert_eq!(ours.services().collect::<Vec<_>>(), [web(3)]);
    }

    #[test]
    fn an_empty_table_removes_everything_only_on_request() {
        let mut director = holding(&[entry(web(1), "rr", &[])]);
        let refused = reconcile(&mut director, &Table::new(), &Scope::all(), OnFailure::Undo).unwrap_err();
        assert!(matches!(refused, Error::Plan(PlanError::RemovesAll(1))));
        let others = Scope::services([web(2)]);
        assert!(reconcile(&mut director, &Table::new(), &others, OnFailure::Undo).unwrap().plan.is_empty());
        let planner = Planner::new(&Scope::all()).removing_all();
        assert_eq!(planner.reconcile(&mut director, &Table::new(), OnFailure::Undo).unwrap().plan.len(), 1);
    }

    #[test]
    fn a_scheduler_that_the_director_lacks_is_refused_before_any_change() {
        let mut director = EmbeddedDirector::new();
        let slip = entry(web(2), "nosuch", &[]);
        let wanted = table(&[entry(web(1), "rr", &[server(1, 1)]), slip.clone()]);
        let planner = Planner::new(&Scope::all());
        for refused in [
            planner.plan_for(&mut director, &wanted).unwrap_err(),
            planner.reconcile(&mut director, &wanted, OnFailure::Keep).unwrap_err(),
        ] {
            assert!(refused.to_string().contains("no scheduler nosuch"), "{refused}");
        }
        assert!(director.services().unwrap().is_empty());
        // Who asks for it gets what the director says.
        let forced = planner.clone().unchecked().reconcile(&mut director, &wanted, OnFailure::Keep).unwrap_err();
        assert!(matches!(forced, Error::Incomplete(_)), "{forced}");
        assert_eq!(director.services().unwrap().len(), 1);
        // Two tables alone cannot know it.
        assert_eq!(Plan::between(&Table::new(), &table(&[slip]), &Scope::all()).unwrap().len(), 1);
    }

    #[test]
    fn a_flawed_server_can_still_be_quiesced() {
        let odd = Destination::new([198, 51, 100, 5].into(), 8000);
        let now = table(&[entry(web(1), "rr", &[odd])]);
        let wanted = table(&[entry(web(1), "rr", &[odd.with_weight(0)])]);
        assert_eq!(Plan::between(&now, &wanted, &Scope::all()).unwrap().len(), 1);
    }

    #[test]
    fn a_plan_shows_what_changes() {
        let now = table(&[entry(web(1), "rr", &[server(1, 1), server(2, 1)]), entry(web(9), "rr", &[])]);
        let mut wanted = table(&[entry(web(1), "wrr", &[server(1, 5).with_thresholds(10, 0), server(3, 2)])]);
        wanted.timeouts = Some(Timeouts { tcp: 60, tcp_fin: 0, udp: 30 });
        let plan = Plan::between(&now, &wanted, &Scope::all()).unwrap();
        let (first, second) = (web(1), web(9));
        assert_eq!(
            plan.to_string(),
            format!(
                "+ {first} -> 198.51.100.3:80 weight 2 direct\n\
                 ~ {first} scheduler rr -> wrr\n\
                 ~ {first} -> 198.51.100.1:80 weight 1 -> 5 upper-threshold 0 -> 10\n\
                 - {first} -> 198.51.100.2:80\n\
                 - {second}\n\
                 ~ timeouts tcp 60 udp 30"
            )
        );
    }
}
