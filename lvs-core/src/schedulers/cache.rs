//! The table of lblc and lblcr: what was last decided for each destination address.

use std::net::IpAddr;

use super::hash::{fold, hash_32};

const BITS: u32 = 10;
const BUCKETS: usize = 1 << BITS;
const MAX_ENTRIES: i32 = 16 * BUCKETS as i32;
const SWEEP_INTERVAL: u64 = 60_000;
/// Every how many sweeps all idle entries go.
const FULL_SWEEP: u32 = 30;
/// What "idle" means to the sweeps between, milliseconds.
const PARTIAL_IDLE: u64 = 6 * 60_000;

#[derive(Clone, Debug)]
pub(super) struct Entry<T> {
    addr: IpAddr,
    last_use: u64,
    pub(super) value: T,
}

#[derive(Clone, Debug)]
pub(super) struct Cache<T> {
    /// Newest entry last.
    buckets: Vec<Vec<Entry<T>>>,
    /// The kernel's counter, which without the cap counts replaced entries twice.
    entries: i32,
    /// How many entries there really are.
    stored: usize,
    capped: bool,
    rover: usize,
    sweeps: u32,
    /// The sweep that comes next, whether it finds anything to drop or not.
    next_sweep: u64,
}

impl<T> Cache<T> {
    pub(super) fn new(capped: bool) -> Self {
        let buckets = std::iter::repeat_with(Vec::new).take(BUCKETS).collect();
        Self { buckets, entries: 0, stored: 0, capped, rover: 0, sweeps: 1, next_sweep: SWEEP_INTERVAL }
    }

    pub(super) fn reset(&mut self, now: u64) {
        *self = Self::new(self.capped);
        self.next_sweep = now.saturating_add(SWEEP_INTERVAL);
    }

    fn bucket(&mut self, addr: IpAddr) -> &mut Vec<Entry<T>> {
        &mut self.buckets[hash_32(fold(addr), BITS) as usize]
    }

    /// The entry of `addr`, now used.
    pub(super) fn touch(&mut self, addr: IpAddr, now: u64) -> Option<&mut T> {
        let entry = self.bucket(addr).iter_mut().rev().find(|entry| entry.addr == addr)?;
        entry.last_use = now;
        Some(&mut entry.value)
    }

    /// Stores an entry for `addr` in place of any former one, unless the cache is full.
    pub(super) fn store(&mut self, addr: IpAddr, value: T, now: u64) {
        self.skip_idle_sweeps(now);
        let capped = self.capped;
        let bucket = self.bucket(addr);
        let before = bucket.len();
        bucket.retain(|entry| entry.addr != addr);
        let replaced = before - bucket.len();
        self.stored -= replaced;
        if replaced > 0 && capped {
            self.entries -= 1;
        }
        if capped && self.entries >= MAX_ENTRIES + MAX_ENTRIES / 2 {
            return;
        }
        self.entries += 1;
        self.stored += 1;
        self.bucket(addr).push(Entry { addr, last_use: now, value });
    }

    /// The next sweep that looks for entries to drop; `None` while there are no entries.
    pub(super) const fn next_sweep(&self) -> Option<u64> {
        if self.stored == 0 {
            None
        } else if self.entries > MAX_ENTRIES {
            Some(self.next_sweep)
        } else {
            let before = (FULL_SWEEP - self.sweeps) as u64;
            Some(self.next_sweep.saturating_add(before * SWEEP_INTERVAL))
        }
    }

    /// Does all sweeps up to `now` that drop nothing whatever the entries are: a time without end
    /// costs nothing.
    fn skip_idle_sweeps(&mut self, now: u64) {
        if now < self.next_sweep {
            return;
        }
        let due = (now - self.next_sweep) / SWEEP_INTERVAL + 1;
        let idle = match self.next_sweep() {
            None => due,
            Some(next) => due.min((next - self.next_sweep) / SWEEP_INTERVAL),
        };
        if self.entries <= MAX_ENTRIES {
            // The counter goes from 1 to 30, the sweep at 30 sets it back.
            self.sweeps = ((u64::from(self.sweeps) - 1 + idle) % u64::from(FULL_SWEEP)) as u32 + 1;
        } else if idle > 0 && self.sweeps == FULL_SWEEP {
            self.sweeps = 1;
        }
        self.next_sweep = self.next_sweep.saturating_add(idle.saturating_mul(SWEEP_INTERVAL));
    }

    /// Does all sweeps that are due at `now`.
    pub(super) fn sweep(&mut self, now: u64, expiration: u64) {
        self.skip_idle_sweeps(now);
        while self.stored > 0 && self.next_sweep <= now {
            let due = self.next_sweep;
            self.next_sweep = due.saturating_add(SWEEP_INTERVAL);
            if self.sweeps == FULL_SWEEP {
                self.drop_idle(due, expiration, i32::MAX);
                self.sweeps = 1;
                self.skip_full_sweeps(now, expiration);
            } else {
                let goal = ((self.entries - MAX_ENTRIES) * 4 / 3).min(MAX_ENTRIES / 2);
                self.drop_idle(due, PARTIAL_IDLE, goal);
            }
            if self.next_sweep == u64::MAX {
                return;
            }
            self.skip_idle_sweeps(now);
        }
    }

    /// After a full sweep: passes over those up to `now` before which no entry has been idle for
    /// long enough.
    fn skip_full_sweeps(&mut self, now: u64, expiration: u64) {
        const CYCLE: u64 = FULL_SWEEP as u64 * SWEEP_INTERVAL;
        if self.entries > MAX_ENTRIES {
            return;
        }
        let oldest = self.buckets.iter().flatten().map(|entry| entry.last_use).min();
        let until = oldest.map_or(now, |oldest| oldest.saturating_add(expiration).min(now));
        let cycles = until.saturating_sub(self.next_sweep) / CYCLE;
        self.next_sweep += cycles * CYCLE;
    }

    /// Drops entries idle for `idle` milliseconds or more, bucket by bucket from after the rover,
    /// until `goal` are gone.
    fn drop_idle(&mut self, now: u64, idle: u64, mut goal: i32) {
        for _ in 0..BUCKETS {
            self.rover = (self.rover + 1) % BUCKETS;
            let bucket = &mut self.buckets[self.rover];
            let before = bucket.len();
            bucket.retain(|entry| now < entry.last_use.saturating_add(idle));
            let dropped = before - bucket.len();
            self.stored -= dropped;
            self.entries -= dropped as i32;
            goal -= dropped as i32;
            if goal <= 0 {
                break;
            }
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.buckets.iter().flatten().map(|entry| &entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Random, SplitMix64};
    use super::*;

    /// The kernel's way: every sweep at its minute.
    #[derive(Default)]
    struct Minutes {
        entries: Vec<(IpAddr, u64)>,
        sweeps: u32,
        next: u64,
    }

    impl Minutes {
        fn until(&mut self, now: u64, expiration: u64) {
            while self.next <= now {
                self.sweeps += 1;
                if self.sweeps.is_multiple_of(FULL_SWEEP) {
                    let due = self.next;
                    self.entries.retain(|(_, used)| due < used + expiration);
                }
                self.next += SWEEP_INTERVAL;
            }
        }
    }

    #[test]
    fn sweeps_that_are_passed_over_would_have_dropped_nothing() {
        for seed in 0..40 {
            let mut random = SplitMix64::new(seed);
            let mut cache = Cache::new(true);
            cache.reset(0);
            let mut minutes = Minutes { next: SWEEP_INTERVAL, ..Minutes::default() };
            let mut now = 0;
            let expiration = 1000 * u64::from(1 + random.below(20_000));
            for _ in 0..200 {
                let bits = random.below(25);
                now += u64::from(random.below(1 << bits));
                minutes.until(now, expiration);
                cache.sweep(now, expiration);
                let addr = IpAddr::from([10, 0, 0, random.below(8) as u8]);
                let known = cache.touch(addr, now).is_some();
                assert_eq!(known, minutes.entries.iter().any(|(other, _)| *other == addr), "seed {seed} at {now}");
                minutes.entries.retain(|(other, _)| *other != addr);
                minutes.entries.push((addr, now));
                if !known {
                    cache.store(addr, (), now);
                }
                assert_eq!((cache.stored, cache.entries), (minutes.entries.len(), minutes.entries.len() as i32));
            }
        }
    }

    #[test]
    fn a_time_without_end_passes_at_once() {
        for (expiration, left) in [(86_400_000, 0), (u64::MAX, 1)] {
            let mut cache = Cache::new(true);
            cache.reset(0);
            cache.sweep(u64::MAX / 2, expiration);
            cache.store([10, 0, 0, 1].into(), (), u64::MAX / 2);
            cache.sweep(u64::MAX, expiration);
            assert_eq!(cache.values().count(), left);
        }
    }
}
