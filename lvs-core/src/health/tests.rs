use super::*;
use crate::model::ServiceKey;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn key() -> ServiceKey {
    ServiceKey::tcp("192.0.2.1", 80).unwrap()
}

fn server(last: u8, weight: u32) -> Destination {
    Destination::new([198, 51, 100, last].into(), 80).with_weight(weight)
}

fn watching(policy: HealthPolicy, servers: &[Destination]) -> Health {
    let mut health = Health::new();
    health.watch(Service::new(key()), servers.iter().copied(), policy).unwrap();
    health
}

fn weights(health: &Health, now: Duration) -> Vec<u32> {
    health.wanted(now).services[0].destinations.iter().map(|d| d.weight).collect()
}

#[test]
fn only_failures_in_a_row_take_a_server_out() {
    let a = server(1, 1);
    let mut health = watching(HealthPolicy::default().with_fall(3), &[a, server(2, 1)]);
    for (second, probe) in [Probe::Down, Probe::Down, Probe::Up, Probe::Down, Probe::Down].into_iter().enumerate() {
        assert_eq!(health.report(&key(), &a.key, probe, s(second as u64)), []);
    }
    assert_eq!(health.report(&key(), &a.key, Probe::Down, s(5)), [Change::ServerDown(key(), a.key)]);
    assert_eq!(weights(&health, s(5)), [0, 1]);
}

#[test]
fn a_server_that_starts_down_comes_up_with_its_first_success() {
    let a = server(1, 4);
    let mut health = watching(HealthPolicy::default().with_rise(3).starting_down(), &[a]);
    assert_eq!(weights(&health, s(0)), [0]);
    assert_eq!(health.has_quorum(&key()), Some(false));
    assert_eq!(
        health.report(&key(), &a.key, Probe::Up, s(1)),
        [Change::ServerUp(key(), a.key), Change::QuorumRegained(key())]
    );
    assert_eq!(weights(&health, s(1)), [4]);
}

#[test]
fn a_removed_server_is_not_wanted_at_all() {
    let (a, b) = (server(1, 1), server(2, 1));
    let mut health = watching(HealthPolicy::default().with_fall(1).removing(), &[a, b]);
    health.report(&key(), &a.key, Probe::Down, s(1));
    assert_eq!(health.wanted(s(1)).services[0].destinations, [b]);
}

#[test]
fn below_the_quorum_the_sorry_server_serves_until_the_hysteresis_is_passed() {
    let servers = [server(1, 2), server(2, 2), server(3, 2)];
    let sorry = server(99, 1);
    let policy = HealthPolicy::default().with_fall(1).with_quorum(3, 1).with_sorry_server(sorry);
    let mut health = watching(policy, &servers);
    health.report(&key(), &servers[0].key, Probe::Down, s(1));
    assert_eq!(weights(&health, s(1)), [0, 2, 2], "4 of 3 is a quorum");
    assert_eq!(health.report(&key(), &servers[1].key, Probe::Down, s(2)).len(), 1, "2 is not below 3 - 1");
    let changes = health.report(&key(), &servers[2].key, Probe::Down, s(3));
    assert_eq!(changes.last(), Some(&Change::QuorumLost(key())));
    assert_eq!(weights(&health, s(3)), [0, 0, 0, 1]);
    health.report(&key(), &servers[0].key, Probe::Up, s(4));
    assert_eq!(weights(&health, s(4)), [0, 0, 0, 1], "2 is not 3 + 1");
    let changes = health.report(&key(), &servers[1].key, Probe::Up, s(5));
    assert_eq!(changes.last(), Some(&Change::QuorumRegained(key())));
    assert_eq!(weights(&health, s(5)), [2, 2, 0]);
}

#[test]
fn a_hysteresis_above_the_whole_weight_still_lets_go() {
    let a = server(1, 2);
    let mut health = watching(HealthPolicy::default().with_fall(1).with_quorum(1, 5), &[a]);
    health.report(&key(), &a.key, Probe::Down, s(1));
    assert_eq!(health.has_quorum(&key()), Some(false), "nothing is left");
    health.report(&key(), &a.key, Probe::Up, s(2));
    assert_eq!(health.has_quorum(&key()), Some(true), "all there is, is there");
}

#[test]
fn a_slow_start_rises_in_steps_and_says_when() {
    let (a, b) = (server(1, 100), server(2, 1));
    let mut health = watching(HealthPolicy::default().with_fall(1).with_slow_start(s(100)), &[a, b]);
    assert_eq!(weights(&health, s(0)), [100, 1], "not at the very start");
    health.report(&key(), &a.key, Probe::Down, s(10));
    health.report(&key(), &a.key, Probe::Up, s(20));
    let mut now = s(20);
    let mut seen = vec![weights(&health, now)[0]];
    while let Some(next) = health.next_change(now) {
        assert!(next > now);
        now = next;
        seen.push(weights(&health, now)[0]);
    }
    assert_eq!(seen, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    assert_eq!(now, s(110));
}

#[test]
fn a_flapping_server_is_held_down_and_comes_back_by_itself() {
    let a = server(1, 1);
    let damping = Damping { falls: 2, window: s(60), hold: s(300) };
    let mut health = watching(HealthPolicy::default().with_fall(1).with_damping(damping), &[a, server(2, 1)]);
    health.report(&key(), &a.key, Probe::Down, s(1));
    health.report(&key(), &a.key, Probe::Up, s(2));
    assert_eq!(health.report(&key(), &a.key, Probe::Down, s(3)), [Change::ServerDamped(key(), a.key)]);
    assert_eq!(health.report(&key(), &a.key, Probe::Up, s(4)), []);
    assert_eq!(health.next_change(s(4)), Some(s(303)));
    assert_eq!(health.tick(s(303)), [Change::ServerUp(key(), a.key)]);
}

#[test]
fn a_host_is_reported_in_all_its_services() {
    let mut health = watching(HealthPolicy::default().with_fall(1), &[server(1, 1), server(2, 1)]);
    let other = ServiceKey::udp("192.0.2.1", 53).unwrap();
    health
        .watch(
            Service::new(other),
            [Destination::new([198, 51, 100, 1].into(), 53)],
            HealthPolicy::default().with_fall(1),
        )
        .unwrap();
    let changes = health.report_host([198, 51, 100, 1].into(), Probe::Down, s(1));
    assert_eq!(changes.iter().filter(|change| matches!(change, Change::ServerDown(..))).count(), 2);
}

#[test]
fn a_check_can_set_the_weight() {
    let a = server(1, 1);
    let mut health = watching(HealthPolicy::default(), &[a]);
    health.report(&key(), &a.key, Probe::UpWithWeight(7), s(1));
    assert_eq!(weights(&health, s(1)), [7]);
}

/// A checker's day in virtual time: every server is probed once in each interval, one after the other. Returns when
/// `dead` is out, having died at a time, and fails if anything else changes.
fn out_of_a_thousand(interval: Duration, fall: u32, dead: usize, died: Duration) -> Duration {
    const SERVICES: u8 = 10;
    const SERVERS: u8 = 100;
    let mut health = Health::new();
    let mut probed = Vec::new();
    for service in 0..SERVICES {
        let key = ServiceKey::endpoint(crate::model::Protocol::Tcp, [192, 0, 2, service].into(), 80);
        let servers = (0..SERVERS).map(|last| Destination::new([198, 51, service, last].into(), 80));
        probed.extend(servers.clone().map(|server| (key, server.key)));
        health.watch(Service::new(key), servers, HealthPolicy::default().with_fall(fall)).unwrap();
    }
    let count = probed.len() as u32;
    let due = (0..).flat_map(|round| (0..count).map(move |index| interval * round + interval * index / count));
    for (index, now) in (0..probed.len()).cycle().zip(due) {
        let (service, server) = probed[index];
        let probe = if index == dead && now >= died { Probe::Down } else { Probe::Up };
        let changes = health.report(&service, &server, probe, now);
        if changes.is_empty() {
            continue;
        }
        let (service, server) = probed[dead];
        assert_eq!(changes, [Change::ServerDown(service, server)]);
        let wanted = health.wanted(now);
        let out: Vec<_> =
            wanted.services.iter().flat_map(|entry| &entry.destinations).filter(|d| d.weight == 0).collect();
        assert_eq!(out.iter().map(|d| d.key).collect::<Vec<_>>(), [server]);
        return now;
    }
    unreachable!("the times have no end")
}

#[test]
fn the_dead_one_of_a_thousand_is_out_within_as_many_intervals_as_failures_it_takes() {
    for (seconds, fall) in [(1, 1), (5, 3), (60, 2)] {
        let interval = s(seconds);
        for (dead, part) in [(0, 0), (0, 1), (437, 436), (437, 437), (437, 438), (999, 500), (999, 999)] {
            let died = interval * 2 + interval * part / 1000;
            let out = out_of_a_thousand(interval, fall, dead, died);
            let took = out - died;
            assert!(took <= interval * fall, "{took:?} with interval {interval:?}, fall {fall}");
            assert!(took >= interval * (fall - 1), "{took:?}: sooner than {fall} failures can be");
        }
    }
}
