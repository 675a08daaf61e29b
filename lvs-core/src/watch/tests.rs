use super::*;
use crate::Director;
use crate::embedded::{EmbeddedDirector, Flow};
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
    let _ = watcher.observe(before, SECOND);
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
fn each_addition_and_removal_is_one_event() {
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
    let events = between(before, after);
    let [Event::CountersReset(reset, None), Event::Counted(count)] = events[..] else { panic!("{events:?}") };
    assert_eq!((reset, count.service, count.delta.connections, count.delta.bytes_in), (key, key, 1, 100));
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
    assert_eq!(count.per_second().unwrap().bytes_in, 250.0);
}

#[test]
fn what_an_incomplete_look_does_not_show_has_not_vanished() {
    let before = table(&[service(1, &[1, 2]), service(2, &[9])]);
    let mut after = table(&[service(1, &[2, 3])]);
    after.complete.lack(AddressFamily::Ipv4);
    let mut watcher = Watcher::new();
    let _ = watcher.observe(before.clone(), SECOND);
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

#[test]
fn a_scope_hides_what_others_own() {
    let (ours, theirs) = (service(1, &[1]), service(2, &[]));
    let scope = Scope::services([ours.entry.service.key()]);
    let mut watcher = Watcher::within(scope);
    let mut with_timeouts = table(&[ours.clone(), theirs]);
    assert_eq!(watcher.observe(with_timeouts.clone(), SECOND).len(), 2);
    with_timeouts.timeouts.tcp = 1;
    with_timeouts.services.truncate(1);
    assert_eq!(watcher.observe(with_timeouts, SECOND * 2), [], "neither a foreign service nor the timeouts");
    assert_eq!(watcher.last().unwrap().services, [ours]);
}

#[test]
fn events_print_as_lines() {
    let (mut before, mut after) = (table(&[service(1, &[1, 2]), service(2, &[])]), table(&[service(1, &[1, 3])]));
    before.services[0].entry.stats64 = counting(50, 7000);
    after.services[0].entry.service.scheduler = "wrr".parse().unwrap();
    after.services[0].destinations[0].destination.weight = 5;
    after.services[0].destinations[0].stats64 = counting(3, 900);
    after.timeouts.udp = before.timeouts.udp + 1;
    let (udp, events) = (before.timeouts.udp, between(before, after));
    let lines: Vec<String> = events.iter().map(ToString::to_string).collect();
    for line in [
        &*format!("~ timeouts udp {udp} -> {}", udp + 1),
        "~ tcp://192.0.2.1:80 scheduler wlc -> wrr",
        "~ tcp://192.0.2.1:80 counters reset",
        "~ tcp://192.0.2.1:80 -> 198.51.100.1:80 weight 1 -> 5",
        "= tcp://192.0.2.1:80 -> 198.51.100.1:80 connections 3, packets 0 in 0 out, bytes 900 in 0 out",
        "+ tcp://192.0.2.1:80 -> 198.51.100.3:80 weight 1 direct",
        "- tcp://192.0.2.1:80 -> 198.51.100.2:80",
        "- tcp://192.0.2.2:80",
    ] {
        assert!(lines.iter().any(|printed| printed == line), "{line:?} is not in {lines:#?}");
    }
}

/// Steady traffic of 10 connections a second, counted by an estimator that ticks every two seconds
/// at an offset, looked at in an interval: the sum of all deltas, and all rates.
fn steady(interval: Duration, offset: Duration, looks: u32) -> (u64, Vec<f64>) {
    let mut watcher = Watcher::new();
    let (mut sum, mut rates) = (0, Vec::new());
    for index in 0..looks {
        let now = interval * index;
        let ticks = (now + SECOND * 2 - offset).as_nanos() / (SECOND * 2).as_nanos();
        let mut look = table(&[service(1, &[])]);
        look.services[0].entry.stats64 = counting(ticks as u64 * 20, ticks as u64 * 2000);
        for event in watcher.observe(look, now) {
            if let Event::Counted(count) = event {
                sum += count.delta.connections;
                rates.extend(count.per_second().map(|rate| rate.connections));
            }
        }
    }
    (sum, rates)
}

#[test]
fn rates_are_right_at_any_interval_and_any_phase() {
    for interval in [100, 500, 700, 1000, 1500, 2000, 2500, 3000, 5000, 7000, 10_000] {
        for offset in [1, 300, 999, 1001, 1700] {
            let interval = Duration::from_millis(interval);
            let looks = (120_000 / interval.as_millis()) as u32 + 1;
            let (sum, rates) = steady(interval, Duration::from_millis(offset), looks);
            assert!(rates.len() >= 8, "{interval:?} {offset}: {} rates", rates.len());
            assert!(rates.iter().all(|rate| (rate - 10.0).abs() < 1.01), "{interval:?} {offset}: {rates:?}");
            let wrong = rates.iter().filter(|rate| (**rate - 10.0).abs() > 0.01).count();
            assert!(wrong * 10 <= rates.len(), "{interval:?} {offset}: {rates:?}");
            assert!((1160..=1200).contains(&sum), "{sum}");
        }
    }
}

#[test]
fn rates_go_on_over_a_reset_and_follow_what_is_new() {
    let mut watcher = Watcher::new();
    let mut rates = Vec::new();
    let mut sum = 0;
    for second in 0..40u32 {
        let ticks = u64::from(second) / 2;
        // Zeroed every ten seconds, right after a tick.
        let mut look = table(&[service(1, &[])]);
        look.services[0].entry.stats64 = counting(ticks % 5 * 20, ticks % 5 * 100);
        if second >= 20 {
            look.services.push(service(2, &[]));
            look.services[1].entry.stats64 = counting(ticks * 40, ticks * 100);
        }
        for event in watcher.observe(look, SECOND * second) {
            let Event::Counted(count) = event else { continue };
            let rate = count.per_second().map(|rate| rate.connections);
            match count.service == service(1, &[]).entry.service.key() {
                true => {
                    sum += count.delta.connections;
                    rates.extend(rate);
                }
                false => assert!(rate.is_none_or(|rate| rate == 20.0), "{rate:?} at {second}"),
            }
        }
    }
    // What was counted in the tick of each reset is lost with it: the counters show 0.
    assert_eq!(sum, 20 * 16);
    assert!(rates.iter().all(|rate| *rate == 10.0), "{rates:?}");
}

/// Twenty connections a second to an embedded director, seen by a watcher that looks in an
/// interval: its rates, as they come.
fn seen_of_embedded(interval: Duration) -> Vec<f64> {
    let key: ServiceKey = "udp://192.0.2.1:53".parse().unwrap();
    let mut director = EmbeddedDirector::new();
    director.add_service(&Service::new(key)).unwrap();
    director.add_destination(&key, &Destination::new([198, 51, 100, 7].into(), 53)).unwrap();
    let (mut watcher, mut rates, mut next) = (Watcher::new(), Vec::new(), Duration::ZERO);
    for client in 0..60 * 20u16 {
        if director.now() >= next {
            next += interval;
            for event in watcher.observe(director.snapshot().unwrap(), director.now()) {
                let Event::Counted(count) = event else { continue };
                let of_service = count.per_second().filter(|_| count.destination.is_none());
                rates.extend(of_service.map(|rate| rate.connections));
            }
        }
        let [high, low] = client.to_be_bytes();
        let flow = Flow::udp(([10, 0, high, low], 4000).into(), key.socket_addr().unwrap());
        assert!(director.open(&flow).destination().is_some());
        director.advance(SECOND / 20);
    }
    rates
}

/// As counters move every two seconds, a naive rate is 0, 0, 0, 80 at half a second.
#[test]
fn rates_of_an_embedded_director_are_the_true_ones_at_every_interval() {
    for seconds in [0.5, 1.0, 1.5, 3.0, 5.0] {
        let rates = seen_of_embedded(Duration::from_secs_f64(seconds));
        assert!(rates.len() >= 10 && rates.iter().all(|rate| *rate == 20.0), "every {seconds} s: {rates:?}");
    }
}
