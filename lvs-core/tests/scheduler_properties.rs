//! What must always hold of schedulers.
#![allow(clippy::unwrap_used)]

mod linear;

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};

use linear::chance::{Tally, chances};
use linear::linear;
use lvs_core::schedulers::{
    Balancer, BindError, DestinationId, Family, Mh, NewDestination, Pool, Profile, Random, Request, SCHEDULERS,
    Scheduler, SchedulerOptions, SplitMix64, Twos, by_name,
};
use proptest::prelude::*;

fn destination(n: u32, weight: i32) -> NewDestination {
    NewDestination::new(Ipv4Addr::from_bits(0x0A02_0001 + n).into(), 80, weight)
}

fn service(name: &str, options: &SchedulerOptions, weights: impl IntoIterator<Item = i32>) -> Balancer {
    let pool = Pool::new(Profile::New, Family::V4);
    let mut balancer = Balancer::new(pool, by_name(name, options).unwrap(), 0).unwrap();
    for (weight, n) in weights.into_iter().zip(0..) {
        balancer.add(destination(n, weight)).unwrap();
    }
    balancer
}

fn request(n: u32) -> Request {
    let client = SocketAddr::new(Ipv4Addr::from_bits(0xCB00_7100 ^ n.wrapping_mul(0x9E37_79B9)).into(), n as u16);
    Request::tcp(client, SocketAddr::new([198, 51, 100, n as u8 % 7].into(), 80))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Schedulers with caches are told of everything too, so only lblc's remembered destination may
    /// be overloaded.
    #[test]
    fn no_scheduler_chooses_quiesced_overloaded_or_removed_destinations(
        flags in 0u32..4,
        weights in prop::collection::vec(0i32..5, 1..40),
        steps in prop::collection::vec((0u8..6, any::<u16>(), 0i32..4), 0..200),
    ) {
        for info in &SCHEDULERS {
            let mut balancer = service(info.name, &SchedulerOptions::default().with_flags(flags << 3), weights.iter().copied());
            let all: Vec<DestinationId> = balancer.pool().iter().collect();
            let mut open: Vec<DestinationId> = Vec::new();
            for &(what, n, weight) in &steps {
                let at = all[usize::from(n) % all.len()];
                match what {
                    0 => balancer.edit(at, weight, u32::from(n % 4), 0),
                    1 => balancer.remove(at),
                    2 => drop(balancer.add(NewDestination::new(balancer.pool().addr(at), 80, weight))),
                    3 if !open.is_empty() => {
                        let at = open.swap_remove(usize::from(n) % open.len());
                        balancer.connection_removed(at, true);
                    }
                    _ => {
                        let Some(chosen) = balancer.pick(&request(n.into())) else { continue };
                        let pool = balancer.pool();
                        prop_assert!(pool.weight(chosen) > 0 && pool.available(chosen), "{}", info.name);
                        prop_assert!(!pool.overloaded(chosen) || info.name == "lblc", "{}", info.name);
                        balancer.connection_added(chosen);
                        balancer.connection_activated(chosen);
                        open.push(chosen);
                    }
                }
            }
            // Each connection is counted once, where it went.
            let counted: i32 = all.iter().map(|&at| balancer.pool().active(at)).sum();
            prop_assert_eq!(counted as usize, open.len());
        }
    }

    /// Some sets of addresses are unlucky, but even these keep what a refilled table would not.
    #[test]
    fn mh_deals_equal_shares_and_moves_no_more_than_a_quarter(n in 2u32..60, leaving in any::<u32>(), seed in any::<u32>()) {
        let (shares, moved) = one_leaves(n, leaving, seed);
        prop_assert!(moved < 0.25, "{moved}");
        prop_assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
    }
}

/// Of `n` destinations with mh one leaves: the slots of each of the others, and which part of their
/// former slots has moved.
fn one_leaves(n: u32, leaving: u32, seed: u32) -> (Vec<usize>, f64) {
    let mut balancer = service("rr", &SchedulerOptions::default(), []);
    for host in 0..n {
        let addr = Ipv4Addr::from_bits(seed.wrapping_add(host));
        balancer.add(NewDestination::new(addr.into(), 80, 1)).unwrap();
    }
    let leaving = balancer.pool().iter().nth((leaving % n) as usize).unwrap();
    let mut mh = Mh::new(&SchedulerOptions::default());
    let before = mh.table(balancer.pool());
    balancer.remove(leaving);
    let pool = balancer.pool();
    let after = mh.table(pool);
    let kept = before.iter().zip(&after).filter(|&(&old, _)| old != leaving);
    let moved = kept.clone().filter(|(old, new)| old != new).count() as f64 / kept.count() as f64;
    (pool.iter().map(|at| after.iter().filter(|&&owner| owner == at).count()).collect(), moved)
}

/// Maglev's promise: when one leaves, hardly any slot moves that was not its own.
#[test]
fn mh_moves_few_clients_when_one_leaves() {
    for n in [3, 5, 10, 20, 60, 100, 200] {
        let mut random = SplitMix64::new(n.into());
        let moved: f64 = (0..50).map(|_| one_leaves(n, random.below(n), random.below(u32::MAX)).1).sum::<f64>() / 50.0;
        assert!(moved < 0.04, "{n}: {moved}");
    }
}

#[test]
fn twos_draws_as_its_chances_say_and_a_wrong_bias_would_show() {
    const DRAWS: usize = 100_000;
    // Five standard deviations of the worst of a few destinations: one run in a million.
    const LIMIT: f64 = 5.0;
    for (weights, loads) in [
        (vec![1, 1], vec![0, 0]),
        (vec![3, 2, 1], vec![0, 0, 0]),
        (vec![3, 2, 1], vec![5, 1, 9]),
        (vec![1, 1, 1, 1, 0], vec![4, 3, 2, 1, 0]),
        (vec![7, 1, 30, 2, 2, 5], vec![9, 1, 80, 3, 0, 5]),
    ] {
        let mut balancer = service("rr", &SchedulerOptions::default(), []);
        for ((&weight, &load), n) in weights.iter().zip(&loads).zip(0..) {
            let at = balancer.add(destination(n, weight)).unwrap();
            (0..load).for_each(|_| balancer.connection_added(at));
        }
        let (pool, _) = balancer.into_parts();
        let likely = chances(&pool);
        assert!((likely.iter().map(|(_, chance)| chance).sum::<f64>() - 1.0).abs() < 1e-9);

        let deviation = |mut choose: Box<dyn FnMut() -> DestinationId>| {
            let mut tally = Tally::default();
            (0..DRAWS).for_each(|_| tally.add(&likely, choose()));
            tally.largest_deviation()
        };
        let right = deviation(Box::new({
            let (pool, mut twos) = (pool.clone(), Twos::new(SplitMix64::new(3)));
            move || twos.pick(&pool, &request(0)).unwrap()
        }));
        assert!(right < LIMIT, "{weights:?} {loads:?}: {right}");

        // The same with the first destination's extra chance forgotten.
        let mut random = SplitMix64::new(4);
        let exclusive = deviation(Box::new({
            let (pool, mut twos) = (pool.clone(), Twos::new(move |bound: u32| 1 + random.below(bound - 1)));
            move || twos.pick(&pool, &request(0)).unwrap()
        }));
        assert!(exclusive > LIMIT, "{weights:?} {loads:?}: {exclusive}");
        // With one choice instead of two; equal loads cannot tell the difference.
        if loads.iter().any(|&load| load > 0) {
            let (pool, mut random) = (pool.clone(), SplitMix64::new(5));
            let single = deviation(Box::new(move || {
                let usable: Vec<DestinationId> = pool.iter().filter(|&at| pool.usable(at)).collect();
                let total: i32 = usable.iter().map(|&at| pool.weight(at)).sum();
                let mut left = random.below(total as u32 + 1) as i32;
                let drawn = usable.into_iter().find(|&at| {
                    left -= pool.weight(at);
                    left <= 0
                });
                drawn.unwrap()
            }));
            assert!(single > LIMIT, "{weights:?} {loads:?}: {single}");
        }
    }
}

#[test]
fn twos_with_the_same_seed_chooses_the_same() {
    let run = |seed| {
        let mut balancer = service("twos", &SchedulerOptions::default().with_seed(seed), [5, 4, 3]);
        (0..100).map(|n| balancer.connect(&request(n)).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn mh_keeps_its_table_when_there_are_more_destinations_than_slots() {
    let options = SchedulerOptions::default();
    let (pool, _) = service("rr", &options, [1; 4092]).into_parts();
    let mut ours = Balancer::new(pool.clone(), by_name("mh", &options).unwrap(), 0).unwrap();
    let mut reference = Balancer::new(pool, linear("mh", &options).unwrap(), 0).unwrap();
    // The last that fits, and nobody chooses before the next.
    for balancer in [&mut ours, &mut reference] {
        balancer.add(destination(4092, 1)).unwrap();
    }
    let both = |ours: &mut Balancer, reference: &mut Balancer, act: &dyn Fn(&mut Balancer)| {
        act(ours);
        act(reference);
        for n in 0..3000 {
            assert_eq!(ours.pick(&request(n)), reference.pick(&request(n)));
        }
    };
    // One more without a choice since the last change, then edits and removals beyond and back
    // below the limit.
    let victim = ours.pool().find([10, 2, 0, 9].into(), 80).unwrap();
    both(&mut ours, &mut reference, &|b| assert!(b.add(destination(5000, 1)).is_ok()));
    both(&mut ours, &mut reference, &|b| b.set_weight(victim, 40));
    both(&mut ours, &mut reference, &|b| assert!(b.add(destination(5001, 1)).is_ok()));
    both(&mut ours, &mut reference, &|b| b.remove(victim));
    assert!(ours.scheduler().holds(victim) && !ours.release(victim));
    let chosen: HashSet<_> = (0..60_000).filter_map(|n| ours.pick(&request(n))).collect();
    assert!(chosen.contains(&victim), "the former table still leads to it");
    let refused = Mh::new(&options).bind(ours.pool(), 0);
    assert_eq!(refused, Err(BindError::TooManyDestinations { destinations: 4094, slots: 4093 }));
    let another = ours.pool().head().unwrap();
    both(&mut ours, &mut reference, &|b| b.remove(another));
    assert!(!ours.scheduler().holds(victim) && ours.release(victim));
}

/// From 2^23 active connections on the overhead is negative; then a quiesced destination can be
/// chosen.
#[test]
fn an_overhead_that_overflowed_is_compared_as_the_kernel_does() {
    for size in [3, 40] {
        let scheduler = by_name("rr", &SchedulerOptions::default()).unwrap();
        let mut balancer = Balancer::new(Pool::new(Profile::Old, Family::V4), scheduler, 0).unwrap();
        let ids: Vec<DestinationId> = (0..size).map(|n| balancer.add(destination(n, 2)).unwrap()).collect();
        for _ in 0..(1 << 23) + 5 {
            balancer.connection_added(ids[1]);
            balancer.connection_activated(ids[1]);
        }
        let (pool, _) = balancer.into_parts();
        assert!(pool.overhead(ids[1]) < 0);
        for name in ["lc", "wlc", "lblc", "lblcr", "sed", "nq"] {
            let both = [
                by_name(name, &SchedulerOptions::default()).unwrap(),
                linear(name, &SchedulerOptions::default()).unwrap(),
            ];
            let mut both = both.map(|scheduler| Balancer::new(pool.clone(), scheduler, 0).unwrap());
            let mut chosen = Vec::new();
            for weight in [2, 0, 1, 0] {
                for balancer in &mut both {
                    balancer.set_weight(ids[1], weight);
                }
                let [ours, reference] = &mut both;
                for n in 0..20 {
                    let picked = ours.connect(&request(n));
                    assert_eq!(picked, reference.connect(&request(n)), "{name}");
                    chosen.push((weight, picked));
                }
            }
            let quiesced = chosen.contains(&(0, Some(ids[1])));
            assert_eq!(quiesced, matches!(name, "wlc" | "lblcr" | "lblc"), "{name}");
        }
    }
}

#[test]
fn wrr_finds_no_destination_among_overloaded_ones_as_the_kernel_does() {
    for weights in [vec![65_535, 65_534], vec![60_000, 40_000, 20_000], vec![1, 50_000], vec![7]] {
        let both = [
            by_name("wrr", &SchedulerOptions::default()).unwrap(),
            linear("wrr", &SchedulerOptions::default()).unwrap(),
        ];
        let mut both = both.map(|s| Balancer::new(Pool::new(Profile::New, Family::V4), s, 0).unwrap());
        for balancer in &mut both {
            for (&weight, n) in weights.iter().zip(0..) {
                balancer.add(destination(n, weight).with_thresholds(2, 0)).unwrap();
            }
        }
        let [ours, reference] = &mut both;
        let mut open = Vec::new();
        let mut refusals = 0;
        for n in 0..60 {
            let picked = ours.connect(&request(n));
            assert_eq!(picked, reference.connect(&request(n)), "{weights:?}");
            refusals += usize::from(picked.is_none());
            open.extend(picked);
            if n % 7 == 6 {
                for at in open.drain(..2) {
                    ours.connection_removed(at, true);
                    reference.connection_removed(at, true);
                }
            }
        }
        assert!(refusals > 10);
    }
}
