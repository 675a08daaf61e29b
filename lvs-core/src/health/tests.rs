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
    let _ = health.watch(Service::new(key()), servers.iter().copied(), policy).unwrap();
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
        assert_eq!(health.report(&key(), &a.key, probe, s(second as u64)).unwrap(), []);
    }
    assert_eq!(health.report(&key(), &a.key, Probe::Down, s(5)).unwrap(), [Change::ServerDown(key(), a.key)]);
    assert_eq!(weights(&health, s(5)), [0, 1]);
}

#[test]
fn a_server_that_starts_down_comes_up_with_its_first_success() {
    let a = server(1, 4);
    let mut health = watching(HealthPolicy::default().with_rise(3).starting_down(), &[a]);
    assert_eq!(weights(&health, s(0)), [0]);
    assert_eq!(health.has_quorum(&key()), Some(false));
    assert_eq!(
        health.report(&key(), &a.key, Probe::Up, s(1)).unwrap(),
        [Change::ServerUp(key(), a.key), Change::QuorumRegained(key())]
    );
    assert_eq!(weights(&health, s(1)), [4]);
}

#[test]
fn a_removed_server_is_not_wanted_at_all() {
    let (a, b) = (server(1, 1), server(2, 1));
    let mut health = watching(HealthPolicy::default().with_fall(1).removing(), &[a, b]);
    let _ = health.report(&key(), &a.key, Probe::Down, s(1)).unwrap();
    assert_eq!(health.wanted(s(1)).services[0].destinations, [b]);
}

#[test]
fn below_the_quorum_the_sorry_server_serves_until_the_hysteresis_is_passed() {
    let servers = [server(1, 2), server(2, 2), server(3, 2)];
    let sorry = server(99, 1);
    let policy = HealthPolicy::default().with_fall(1).with_quorum(3, 1).with_sorry_server(sorry);
    let mut health = watching(policy, &servers);
    let _ = health.report(&key(), &servers[0].key, Probe::Down, s(1)).unwrap();
    assert_eq!(weights(&health, s(1)), [0, 2, 2], "4 of 3 is a quorum");
    assert_eq!(health.report(&key(), &servers[1].key, Probe::Down, s(2)).unwrap().len(), 1, "2 is not below 3 - 1");
    let changes = health.report(&key(), &servers[2].key, Probe::Down, s(3)).unwrap();
    assert_eq!(changes.last(), Some(&Change::QuorumLost(key())));
    assert_eq!(weights(&health, s(3)), [0, 0, 0, 1]);
    let _ = health.report(&key(), &servers[0].key, Probe::Up, s(4)).unwrap();
    assert_eq!(weights(&health, s(4)), [0, 0, 0, 1], "2 is not 3 + 1");
    let changes = health.report(&key(), &servers[1].key, Probe::Up, s(5)).unwrap();
    assert_eq!(changes.last(), Some(&Change::QuorumRegained(key())));
    assert_eq!(weights(&health, s(5)), [2, 2, 0]);
}

#[test]
fn a_hysteresis_above_the_whole_weight_still_lets_go() {
    let a = server(1, 2);
    let policy = HealthPolicy::default().with_fall(1).with_quorum(2, 2);
    assert_eq!(policy.warnings(&[a]), [PolicyWarning::HysteresisUnreachable { needed: 4, weight: 2 }]);
    let mut health = watching(policy, &[a]);
    let _ = health.report(&key(), &a.key, Probe::Down, s(1)).unwrap();
    assert_eq!(health.has_quorum(&key()), Some(false), "nothing is left");
    let _ = health.report(&key(), &a.key, Probe::Up, s(2)).unwrap();
    assert_eq!(health.has_quorum(&key()), Some(true), "all there is, is there");
}

#[test]
fn a_slow_start_rises_in_steps_at_known_times() {
    let (a, b) = (server(1, 100), server(2, 1));
    let mut health = watching(HealthPolicy::default().with_fall(1).with_slow_start(s(100)), &[a, b]);
    assert_eq!(weights(&health, s(0)), [100, 1], "not at the very start");
    let _ = health.report(&key(), &a.key, Probe::Down, s(10)).unwrap();
    let _ = health.report(&key(), &a.key, Probe::Up, s(20)).unwrap();
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
fn a_flapping_server_is_held_down_for_a_limited_time() {
    let a = server(1, 1);
    let damping = Damping { falls: 2, window: s(60), hold: s(300) };
    let mut health = watching(HealthPolicy::default().with_fall(1).with_damping(damping), &[a, server(2, 1)]);
    let _ = health.report(&key(), &a.key, Probe::Down, s(1)).unwrap();
    let _ = health.report(&key(), &a.key, Probe::Up, s(2)).unwrap();
    assert_eq!(health.report(&key(), &a.key, Probe::Down, s(3)).unwrap(), [Change::ServerDamped(key(), a.key)]);
    assert_eq!(health.report(&key(), &a.key, Probe::Up, s(4)).unwrap(), []);
    assert_eq!(health.next_change(s(4)), Some(s(303)));
    assert_eq!(health.tick(s(303)), [Change::ServerUp(key(), a.key)]);
}

#[test]
fn a_host_is_reported_in_all_its_services() {
    let mut health = watching(HealthPolicy::default().with_fall(1), &[server(1, 1), server(2, 1)]);
    let other = ServiceKey::udp("192.0.2.1", 53).unwrap();
    let _ = health
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
fn a_check_can_set_the_weight_up_to_a_bound() {
    let a = server(1, 1);
    let mut health = watching(HealthPolicy::default(), &[a]);
    assert_eq!(health.report(&key(), &a.key, Probe::UpWithWeight(7), s(1)).unwrap(), []);
    assert_eq!(weights(&health, s(1)), [7]);
    for asked in [257, i32::MAX as u32, i32::MAX as u32 + 1, u32::MAX] {
        let limited = Change::WeightLimited { service: key(), server: a.key, asked };
        assert_eq!(health.report(&key(), &a.key, Probe::UpWithWeight(asked), s(2)).unwrap(), [limited]);
        assert_eq!(health.report(&key(), &a.key, Probe::UpWithWeight(asked), s(2)).unwrap(), [], "reported once");
        assert_eq!(weights(&health, s(2)), [256]);
    }
    let _ = health.set_weight(&key(), &a.key, 1000).unwrap();
    let _ = health.report(&key(), &a.key, Probe::UpWithWeight(900), s(3)).unwrap();
    assert_eq!(weights(&health, s(3)), [900], "what it was given it may have");
}

#[test]
fn what_could_not_be_probed_is_no_failure() {
    let a = server(1, 1);
    let mut health = watching(HealthPolicy::default().with_fall(2), &[a]);
    let _ = health.report(&key(), &a.key, Probe::Down, s(1)).unwrap();
    for second in 2..100 {
        assert_eq!(health.report(&key(), &a.key, Probe::Unknown, s(second)).unwrap(), []);
    }
    assert_eq!(health.is_up(&key(), &a.key), Some(true));
    assert_eq!(health.report(&key(), &a.key, Probe::Down, s(100)).unwrap().len(), 2, "the row goes on");
}

#[test]
fn what_is_not_watched_is_an_error() {
    let (a, b) = (server(1, 1), server(2, 1));
    let mut health = watching(HealthPolicy::default(), &[a]);
    let other = ServiceKey::tcp("192.0.2.9", 80).unwrap();
    assert_eq!(health.report(&other, &a.key, Probe::Up, s(1)), Err(HealthError::ServiceNotWatched(other)));
    assert_eq!(health.report(&key(), &b.key, Probe::Up, s(1)), Err(HealthError::ServerNotWatched(key(), b.key)));
    assert_eq!(health.set_weight(&key(), &b.key, 1), Err(HealthError::ServerNotWatched(key(), b.key)));
    assert!(health.set_servers(&other, []).is_err() && health.clear_override(&key(), &b.key).is_err());
}

#[test]
fn a_service_that_is_watched_again_keeps_what_is_known_of_its_servers() {
    let (a, b, c) = (server(1, 1), server(2, 1), server(3, 1));
    let policy = HealthPolicy::default().with_fall(2);
    let mut health = watching(policy, &[a, b]);
    let _ = health.report(&key(), &a.key, Probe::Down, s(1)).unwrap();
    let _ = health.report(&key(), &a.key, Probe::Down, s(2)).unwrap();
    let _ = health.report(&key(), &b.key, Probe::Down, s(2)).unwrap();

    assert_eq!(health.watch(Service::new(key()), [c, b.with_weight(5), a], policy).unwrap(), []);
    assert_eq!(weights(&health, s(3)), [1, 5, 0], "a is down, b only nearly");
    let changes = health.report(&key(), &b.key, Probe::Down, s(3)).unwrap();
    assert_eq!(changes, [Change::ServerDown(key(), b.key)], "the first failure still counts");

    assert_eq!(health.set_servers(&key(), [a, b]).unwrap(), [Change::QuorumLost(key())], "c was the last one up");
    assert_eq!(health.set_servers(&key(), [a, b, c]).unwrap(), [Change::QuorumRegained(key())]);

    let bad = health.watch(Service::new(key()), [c, c], policy);
    assert_eq!(bad, Err(HealthError::DuplicateServer(key(), c.key)));
    assert_eq!(weights(&health, s(4)), [0, 0, 1], "an invalid configuration changes nothing");
}

#[test]
fn services_are_added_and_removed() {
    let mut health = Health::new();
    let keys: Vec<_> = (80..85).map(|port| ServiceKey::tcp("192.0.2.1", port).unwrap()).collect();
    for key in &keys {
        let _ = health.watch(Service::new(*key), [server(1, 1)], HealthPolicy::default().with_fall(1)).unwrap();
    }
    let _ = health.report(&keys[4], &server(1, 1).key, Probe::Down, s(1)).unwrap();
    assert!(health.unwatch(&keys[1]) && !health.unwatch(&keys[1]));
    assert_eq!(health.is_up(&keys[4], &server(1, 1).key), Some(false), "the others keep their places");
    health.retain(|key| *key == keys[0] || *key == keys[4]);
    assert_eq!(health.watched().map(|(key, _)| key).collect::<Vec<_>>(), [keys[0], keys[4]]);
    assert_eq!(health.has_quorum(&keys[4]), Some(false));
    assert_eq!(health.has_quorum(&keys[2]), None);
}

#[test]
fn a_start_without_a_state_believes_the_table() {
    let servers = [server(1, 2), server(2, 2), server(3, 2), server(4, 0)];
    let sorry = server(99, 1);
    let policy = HealthPolicy::default().with_sorry_server(sorry);
    let held = |destinations: &[Destination]| {
        let mut table = Table::new();
        table.services.push(TableService { service: Service::new(key()), destinations: destinations.to_vec() });
        table
    };
    let mut health = watching(policy, &servers);
    health.start_from(&held(&[servers[0].with_weight(0), servers[1], servers[3]]), StartAs::Down);
    assert_eq!(weights(&health, s(0)), [0, 2, 0, 0], "the missing one counts as down, as asked for");

    let mut health = watching(policy, &servers);
    health.start_from(&held(&[servers[0].with_weight(0), servers[1]]), StartAs::Up);
    assert_eq!(weights(&health, s(0)), [0, 2, 2, 0]);

    let mut health = watching(policy, &servers);
    let dead = servers.map(|server| server.with_weight(0));
    health.start_from(&held(&[&dead[..], &[sorry]].concat()), StartAs::Up);
    assert_eq!(health.has_quorum(&key()), Some(false));
    assert_eq!(weights(&health, s(0)), [0, 0, 0, 0, 1], "the sorry server goes on serving");
    let changes = health.report(&key(), &servers[0].key, Probe::Up, s(1)).unwrap();
    assert_eq!(changes, [Change::ServerUp(key(), servers[0].key), Change::QuorumRegained(key())]);

    let mut health = watching(policy, &servers);
    health.start_from(&Table::new(), StartAs::Down);
    assert_eq!(weights(&health, s(0)), [2, 2, 2, 0], "nothing is known of a service that is not there");
}

#[test]
fn a_saved_state_goes_on_where_it_was_on_another_clock() {
    let servers = [server(1, 100), server(2, 1), server(3, 1), server(4, 1)];
    let damping = Damping { falls: 1, window: s(60), hold: s(300) };
    let policy = HealthPolicy::default().with_fall(1).with_rise(2).with_slow_start(s(100)).with_quorum(3, 2);
    let mut health = watching(policy, &servers);
    for probe in [Probe::Down, Probe::Up, Probe::Up] {
        let _ = health.report(&key(), &servers[0].key, probe, s(1000)).unwrap();
    }
    let _ = health.report(&key(), &servers[1].key, Probe::UpWithWeight(7), s(1001)).unwrap();
    let _ = health.watch(Service::new(key()), servers, policy.with_damping(damping)).unwrap();
    let _ = health.report(&key(), &servers[2].key, Probe::Down, s(1010)).unwrap();
    let decision = Override::new(Forced::Weight(9), "test").until(s(1200));
    let _ = health.set_override(&key(), &servers[3].key, decision).unwrap();
    assert_eq!(weights(&health, s(1020)), [30, 7, 0, 9]);

    let state = health.save(s(1020));
    let mut next = watching(policy.with_damping(damping), &servers);
    next.restore(&state, s(0), s(10)).unwrap();
    assert_eq!(next.tick(s(0)), []);
    assert_eq!(weights(&next, s(0)), [40, 7, 0, 9], "ten seconds later, at zero of another clock");
    assert_eq!(next.next_change(s(0)), Some(s(10)), "the next step of the slow start");
    let _ = next.report(&key(), &servers[2].key, Probe::Up, s(1)).unwrap();
    assert_eq!(next.report(&key(), &servers[2].key, Probe::Up, s(279)).unwrap(), [], "held until 1310 of the old one");
    let changes = next.tick(s(280));
    assert!(changes.contains(&Change::ServerUp(key(), servers[2].key)), "{changes:?}");
    assert!(changes.contains(&Change::OverrideExpired(key(), servers[3].key)), "{changes:?}");
    assert_eq!(weights(&next, s(280)), [100, 7, 1, 1]);
    assert_eq!(next.restore(&HealthState { version: 2, ..state }, s(0), s(0)), Err(HealthError::StateVersion(2)));
}

#[test]
fn a_lost_quorum_stays_lost_over_a_restart_until_the_hysteresis_is_passed() {
    let servers = [server(1, 1), server(2, 1), server(3, 1)];
    let policy = HealthPolicy::default().with_fall(1).with_quorum(1, 1).with_sorry_server(server(9, 1));
    let mut health = watching(policy, &servers);
    for server in &servers {
        let _ = health.report(&key(), &server.key, Probe::Down, s(1)).unwrap();
    }
    let _ = health.report(&key(), &servers[0].key, Probe::Up, s(2)).unwrap();
    assert_eq!(health.has_quorum(&key()), Some(false), "1 is not 1 + 1");
    let mut next = watching(policy, &servers);
    next.restore(&health.save(s(2)), s(0), s(0)).unwrap();
    assert_eq!(weights(&next, s(0)), [0, 0, 0, 1]);
}

#[test]
fn an_override_decides_until_it_ends_and_probes_go_on_counting() {
    let (a, b) = (server(1, 3), server(2, 3));
    let mut health = watching(HealthPolicy::default().with_fall(1), &[a, b]);
    let set = |health: &mut Health, server: &Destination, decision| {
        health.set_override(&key(), &server.key, decision).unwrap()
    };
    let changes = set(&mut health, &a, Override::new(Forced::Down, "disk").until(s(100)));
    assert_eq!(changes, [Change::ServerDown(key(), a.key)]);
    assert_eq!(health.report(&key(), &a.key, Probe::Up, s(1)).unwrap(), []);
    assert_eq!((weights(&health, s(1)), health.next_change(s(1))), (vec![0, 3], Some(s(100))));
    let ended = [Change::OverrideExpired(key(), a.key), Change::ServerUp(key(), a.key)];
    assert_eq!(health.tick(s(100)), ended);

    let _ = set(&mut health, &b, Override::new(Forced::Up, "check is broken"));
    assert_eq!(health.report(&key(), &b.key, Probe::Down, s(101)).unwrap(), []);
    assert_eq!(weights(&health, s(101)), [3, 3]);
    let status: Vec<_> = health.status(s(101)).collect();
    assert!(status[1].up && !status[1].state.healthy && status[1].weight == 3);
    assert_eq!(health.clear_override(&key(), &b.key).unwrap(), [Change::ServerDown(key(), b.key)]);

    let _ = set(&mut health, &a, Override::new(Forced::Weight(0), "quiesced by hand"));
    assert_eq!(health.has_quorum(&key()), Some(false), "nothing is left to serve");
    let beyond = health.set_override(&key(), &a.key, Override::new(Forced::Weight(1 << 31), ""));
    assert_eq!(beyond, Err(HealthError::WeightOutOfRange(key(), a.key, 1 << 31)));
}

#[test]
fn contradictions_in_a_policy_are_named() {
    let policy = HealthPolicy::default();
    let damping = Damping { falls: 0, window: s(1), hold: s(1) };
    for (policy, error) in [
        (policy.with_rise(0), PolicyError::ZeroRise),
        (policy.with_fall(0), PolicyError::ZeroFall),
        (policy.with_damping(damping), PolicyError::ZeroDampingFalls),
        (policy.with_quorum(1, 5), PolicyError::HysteresisAboveQuorum { quorum: 1, hysteresis: 5 }),
        (policy.with_sorry_server(server(9, 0)), PolicyError::SorryServerWithoutWeight),
        (policy.with_max_asked_weight(u32::MAX), PolicyError::WeightOutOfRange(u32::MAX)),
    ] {
        let refused = Health::new().watch(Service::new(key()), [server(1, 1)], policy);
        assert_eq!(refused, Err(HealthError::Policy(key(), error)));
    }
    let health = watching(policy.with_quorum(5, 0), &[server(1, 2)]);
    let warnings: Vec<_> = health.warnings().map(|(_, warning)| warning.to_string()).collect();
    assert_eq!(warnings, ["the quorum 5 is never reached: all servers together have weight 2"]);
}

#[test]
fn the_longest_times_do_not_overflow() {
    let a = server(1, 100);
    let damping = Damping { falls: 2, window: Duration::MAX, hold: Duration::MAX };
    let policy = HealthPolicy::default().with_fall(1).with_damping(damping).with_slow_start(Duration::MAX);
    let mut health = watching(policy, &[a]);
    for probe in [Probe::Down, Probe::Up, Probe::Down, Probe::Up] {
        let _ = health.report(&key(), &a.key, probe, Duration::MAX).unwrap();
        assert!(health.next_change(Duration::MAX).is_none_or(|next| next == Duration::MAX));
        health.wanted(Duration::MAX);
    }
    let state = health.save(Duration::MAX);
    health.restore(&state, Duration::ZERO, Duration::MAX).unwrap();
    health.restore(&state, Duration::MAX, Duration::ZERO).unwrap();
    let _ = health.tick(Duration::MAX);
}

/// A checker's day in virtual time: every server is probed once in each interval, one after the
/// other. Returns when `dead` is out, having died at a time, and fails if anything else changes.
fn out_of_a_thousand(interval: Duration, fall: u32, dead: usize, died: Duration) -> Duration {
    const SERVICES: u8 = 10;
    const SERVERS: u8 = 100;
    let mut health = Health::new();
    let mut probed = Vec::new();
    for service in 0..SERVICES {
        let key = ServiceKey::endpoint(crate::model::Protocol::Tcp, [192, 0, 2, service].into(), 80);
        let servers = (0..SERVERS).map(|last| Destination::new([198, 51, service, last].into(), 80));
        probed.extend(servers.clone().map(|server| (key, server.key)));
        let _ = health.watch(Service::new(key), servers, HealthPolicy::default().with_fall(fall)).unwrap();
    }
    let count = probed.len() as u32;
    let due = (0..).flat_map(|round| (0..count).map(move |index| interval * round + interval * index / count));
    for (index, now) in (0..probed.len()).cycle().zip(due) {
        let (service, server) = probed[index];
        let probe = if index == dead && now >= died { Probe::Down } else { Probe::Up };
        let changes = health.report(&service, &server, probe, now).unwrap();
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
