//! What must hold of every plan, on random tables: it ends in the wanted table, it leaves foreign services alone, and a
//! service that both tables keep in use never stands without a usable destination on the way.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod held;

use held::Held;
use lvs_core::director::Operation;
use lvs_core::model::{AddressFamily, Destination, Service, ServiceKey, Table, TableService, Timeouts};
use lvs_core::plan::{Plan, PlanError, Scope};
use proptest::prelude::*;

fn key() -> impl Strategy<Value = ServiceKey> {
    prop_oneof![
        (1..6u8).prop_map(|last| ServiceKey::tcp(&format!("192.0.2.{last}"), 80).unwrap()),
        (1..4u8).prop_map(|last| ServiceKey::udp(&format!("2001:db8::{last}"), 53).unwrap()),
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
        let plan = Plan::between(&now, &wanted, &Scope::all()).unwrap();
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
    fn a_table_needs_no_plan_to_itself(table in table()) {
        prop_assert!(Plan::between(&table, &table, &Scope::all()).unwrap().is_empty());
    }

    #[test]
    fn undoing_from_any_point_gives_the_table_from_before(now in table(), wanted in table(), stop in 0..40usize) {
        let plan = Plan::between(&now, &wanted, &Scope::all()).unwrap();
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
        let plan = Plan::between(&now, &wanted, &ours()).unwrap();
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
            let mut entry = TableService::new(Service::new(ServiceKey::tcp(&format!("10.{a}.{b}.{c}"), 80).unwrap()));
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
