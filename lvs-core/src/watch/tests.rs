use super::*;
use crate::model::{AddressFamily, Completeness, Counters, Coverage, Info, ServiceKey};

const SECOND: Duration = Duration::from_secs(1);

fn service(last: u8, destinations: &[u8]) -> ServiceSnapshot {
    let key = ServiceKey::endpoint(crate::model::Protocol::Tcp, [192, 0, 2, last].into(), 80);
    let server = |&last: &u8| DestinationEntry::new(Destination::new([198, 51, 100, last].into(), 80));
    ServiceSnapshot {
        entry: ServiceEntry::new(Service::new(key)),
        destinations: destinations.iter().map(server).collect(),
    }
}

fn table(services: &[ServiceSnapshot]) -> Snapshot {
    let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
    snapshot.services = services.to_vec();
    snapshot
}

fn between(before: Snapshot, after: Snapshot) -> Vec<Event> {
    let mut watcher = Watcher::new();
    watcher.observe(before, SECOND);
    watcher.observe(after, SECOND * 3)
}

#[test]
fn an_unchanged_table_is_silent() {
    let same = table(&[service(1, &[1, 2]), service(2, &[])]);
    assert_eq!(between(same.clone(), same), []);
}

#[test]
fn another_order_is_no_event() {
    let (a, b, c) = (service(1, &[1, 2]), service(2, &[3]), service(3, &[]));
    let turned = service(1, &[2, 1]);
    assert_eq!(between(table(&[a, b.clone(), c.clone()]), table(&[c, turned, b])), []);
}

#[test]
fn what_comes_and_goes_is_told_once() {
    let before = table(&[service(1, &[1, 2]), service(2, &[9])]);
    let after = table(&[service(3, &[4]), service(1, &[2, 3])]);
    let events = between(before.clone(), after.clone());
    let key = |table: &Snapshot, index: usize| table.services[index].entry.service.key();
    assert_eq!(
        events,
        [
            Event::ServiceAppeared(after.services[0].entry),
            Event::DestinationAppeared(key(&after, 0), after.services[0].destinations[0]),
            Event::DestinationAppeared(key(&after, 1), after.services[1].destinations[1]),
            Event::DestinationVanished(key(&after, 1), before.services[0].destinations[0].destination),
            Event::ServiceVanished(before.services[1].entry.service),
        ]
    );
}

#[test]
fn a_weight_flip_is_a_change_of_the_destination() {
    let before = table(&[service(1, &[1])]);
    let mut after = before.clone();
    after.services[0].destinations[0].destination.weight = 0;
    let events = between(before, after);
    assert!(matches!(&events[..], [Event::DestinationChanged { before, after, .. }]
        if before.weight == 1 && after.weight == 0));
}

fn counting(connections: u64, bytes_in: u64) -> Option<Stats> {
    Some(Stats { counters: Counters { connections, bytes_in, ..Counters::default() }, ..Stats::default() })
}

#[test]
fn lower_counters_are_a_reset() {
    let mut before = table(&[service(1, &[])]);
    before.services[0].entry.stats64 = counting(10, 1000);
    let mut after = before.clone();
    after.services[0].entry.stats64 = counting(1, 100);
    let key = after.services[0].entry.service.key();
    assert_eq!(between(before, after), [Event::CountersReset(key, None)]);
}

#[test]
fn a_narrow_counter_that_overflows_goes_on_counting() {
    let mut before = table(&[service(1, &[])]);
    before.services[0].entry.stats = counting(u64::from(u32::MAX), 1000);
    let mut after = before.clone();
    after.services[0].entry.stats = counting(4, 1500);
    let events = between(before, after);
    let [Event::Counted(count)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((count.delta.connections, count.delta.bytes_in), (5, 500));
    assert_eq!(count.per_second(count.delta.bytes_in), 250.0);
}

#[test]
fn what_an_incomplete_look_does_not_show_has_not_vanished() {
    let before = table(&[service(1, &[1, 2]), service(2, &[9])]);
    let mut after = table(&[service(1, &[2, 3])]);
    after.complete.lack(AddressFamily::Ipv4);
    let mut watcher = Watcher::new();
    watcher.observe(before.clone(), SECOND);
    let key = after.services[0].entry.service.key();
    let new = after.services[0].destinations[1];
    assert_eq!(watcher.observe(after.clone(), SECOND), [Event::DestinationAppeared(key, new)]);
    // The next complete look tells what became of it.
    after.complete = Completeness::WHOLE;
    assert_eq!(
        watcher.observe(after, SECOND),
        [
            Event::DestinationVanished(key, before.services[0].destinations[0].destination),
            Event::ServiceVanished(before.services[1].entry.service),
        ]
    );
}
