//! What must always hold of pools.

use std::net::{IpAddr, Ipv4Addr};

use proptest::prelude::*;

use super::{DestinationId, Family, NewDestination, Pool, Profile};

fn destination(n: u32, weight: i32) -> NewDestination {
    NewDestination::new(Ipv4Addr::from_bits(0x0A02_0001 + n).into(), 80, weight)
}

/// The overload flag by the letter of the kernel's rules, with plain numbers.
#[derive(Clone, Copy, Default)]
struct Plain {
    active: u32,
    inactive: u32,
    templates: u32,
    upper: u32,
    lower: u32,
    overloaded: bool,
}

impl Plain {
    fn connections(&self) -> u32 {
        self.active + self.inactive
    }

    fn reopening(&self) -> u32 {
        if self.lower > 0 { self.lower } else { self.upper - self.upper / 4 }
    }

    fn after_adding(&mut self, profile: Profile, template: bool) {
        let n = self.connections();
        match profile {
            Profile::Old if self.upper > 0 && n >= self.upper => self.overloaded = true,
            Profile::New | Profile::Linux7 if !template && self.upper > 0 && n == self.upper => self.overloaded = true,
            _ => {}
        }
    }

    fn after_removing(&mut self, profile: Profile, template: bool) {
        let n = self.connections();
        let clear = match profile {
            Profile::Old if self.lower > 0 => n < self.lower,
            Profile::Old if self.upper > 0 => 4 * n < 3 * self.upper,
            Profile::Old => true,
            Profile::New | Profile::Linux7 => !template && n + 1 == self.reopening() && n < self.upper,
        };
        if clear {
            self.overloaded = false;
        }
    }

    fn set(&mut self, profile: Profile, upper: u32, lower: u32) {
        let (before, n) = ((self.upper, self.lower), self.connections());
        (self.upper, self.lower) = (upper, lower);
        match profile {
            Profile::Old if upper == 0 || upper > before.0 => self.overloaded = false,
            Profile::New | Profile::Linux7 if before != (upper, lower) => {
                if upper > 0 && n >= upper {
                    self.overloaded = true;
                } else if upper == 0 || n < self.reopening() {
                    self.overloaded = false;
                }
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn counters_and_overload_flags_follow_the_rules(
        profile in 0..Profile::ALL.len(),
        steps in prop::collection::vec((0u8..8, 1u32..10, 0u32..10), 0..400),
    ) {
        let profile = Profile::ALL[profile];
        let mut pool = Pool::new(profile, Family::V4);
        let at = pool.insert(destination(0, 1)).unwrap();
        let mut plain = Plain::default();
        for (what, a, b) in steps {
            match what {
                0..3 => {
                    plain.inactive += 1;
                    plain.after_adding(profile, false);
                    pool.connection_added(at);
                }
                3 if plain.inactive > 0 => {
                    plain.inactive -= 1;
                    plain.active += 1;
                    pool.connection_activated(at);
                }
                4 if plain.active > 0 => {
                    plain.active -= 1;
                    plain.inactive += 1;
                    pool.connection_deactivated(at);
                }
                5 if plain.connections() > 0 => {
                    let active = plain.inactive == 0 || (plain.active > 0 && a % 2 == 0);
                    *(if active { &mut plain.active } else { &mut plain.inactive }) -= 1;
                    plain.after_removing(profile, false);
                    pool.connection_removed(at, active);
                }
                6 if b % 2 == 0 || plain.templates == 0 => {
                    plain.templates += 1;
                    plain.after_adding(profile, true);
                    pool.template_added(at);
                }
                6 => {
                    plain.templates -= 1;
                    plain.after_removing(profile, true);
                    pool.template_removed(at);
                }
                7 => {
                    let (upper, lower) = (a - 1, b.min(a - 1));
                    plain.set(profile, upper, lower);
                    pool.set_thresholds(at, upper, lower);
                }
                _ => {}
            }
            prop_assert_eq!(pool.overloaded(at), plain.overloaded);
            prop_assert_eq!(pool.active(at), plain.active as i32);
            prop_assert_eq!(pool.inactive(at), plain.inactive as i32);
            prop_assert_eq!(pool.connections(at), plain.connections() as i32);
            prop_assert_eq!(pool.persistent(at), plain.templates as i32);
            let second = if profile == Profile::Old { plain.inactive } else { plain.connections() };
            prop_assert_eq!(pool.overhead(at), (plain.active * 256 + second) as i32);
        }
    }

    #[test]
    fn the_list_is_newest_first_and_finds_what_is_on_it(steps in prop::collection::vec((0u8..4, 0u32..12), 0..200)) {
        let mut pool = Pool::new(Profile::New, Family::V4);
        let mut list: Vec<u32> = Vec::new();
        let mut detached: Vec<u32> = Vec::new();
        let addr = |n: u32| IpAddr::from(Ipv4Addr::from_bits(0x0A02_0001 + n));
        for (what, n) in steps {
            match what {
                0 | 1 => {
                    prop_assert_eq!(pool.insert(destination(n, 1)).is_ok(), !list.contains(&n));
                    if !list.contains(&n) {
                        list.insert(0, n);
                        detached.retain(|&other| other != n);
                    }
                }
                2 => {
                    if let Some(at) = pool.find(addr(n), 80) {
                        pool.detach(at);
                        detached.push(n);
                        list.retain(|&other| other != n);
                    }
                }
                _ => {
                    if let Some(at) = pool.find_detached(addr(n), 80) {
                        prop_assert_eq!(pool.addr(at), addr(n));
                        pool.release(at);
                        prop_assert!(!pool.contains(at));
                        detached.retain(|&other| other != n);
                    }
                }
            }
            let got: Vec<IpAddr> = pool.iter().map(|at| pool.addr(at)).collect();
            prop_assert_eq!(&got, &list.iter().map(|&n| addr(n)).collect::<Vec<_>>());
            let mut backwards: Vec<DestinationId> = std::iter::successors(pool.tail(), |&at| pool.previous(at)).collect();
            backwards.reverse();
            prop_assert_eq!(pool.iter().collect::<Vec<_>>(), backwards.clone());
            prop_assert!(backwards.iter().rev().is_sorted_by_key(|&at| pool.rank(at)));
            prop_assert_eq!(pool.len(), list.len());
            for n in 0..12 {
                prop_assert_eq!(pool.find(addr(n), 80).is_some(), list.contains(&n));
                prop_assert_eq!(pool.find_detached(addr(n), 80).is_some(), detached.contains(&n));
            }
        }
    }
}
