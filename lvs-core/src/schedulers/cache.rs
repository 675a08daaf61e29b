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
    entries: i32,
    capped: bool,
    rover: usize,
    sweeps: u32,
    next_sweep: u64,
}

impl<T> Cache<T> {
    pub(super) fn new(capped: bool) -> Self {
        let buckets = std::iter::repeat_with(Vec::new).take(BUCKETS).collect();
        Self { buckets, entries: 0, capped, rover: 0, sweeps: 1, next_sweep: 0 }
    }

    pub(super) fn reset(&mut self, now: u64) {
        *self = Self::new(self.capped);
        self.next_sweep = now + SWEEP_INTERVAL;
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
        let capped = self.capped;
        let bucket = self.bucket(addr);
        let before = bucket.len();
        bucket.retain(|entry| entry.addr != addr);
        if bucket.len() < before && capped {
            self.entries -= 1;
        }
        if capped && self.entries >= MAX_ENTRIES + MAX_ENTRIES / 2 {
            return;
        }
        self.entries += 1;
        self.bucket(addr).push(Entry { addr, last_use: now, value });
    }

    pub(super) const fn next_sweep(&self) -> u64 {
        self.next_sweep
    }

    pub(super) fn sweep(&mut self, now: u64, expiration: u64) {
        self.next_sweep = now + SWEEP_INTERVAL;
        if self.sweeps.is_multiple_of(FULL_SWEEP) {
            self.drop_idle(now, expiration, i32::MAX);
            self.sweeps = 1;
        } else if self.entries <= MAX_ENTRIES {
            self.sweeps += 1;
        } else {
            let goal = ((self.entries - MAX_ENTRIES) * 4 / 3).min(MAX_ENTRIES / 2);
            self.drop_idle(now, PARTIAL_IDLE, goal);
        }
    }

    /// Drops entries idle for `idle` milliseconds or more, bucket by bucket from after the rover, until `goal` are gone.
    fn drop_idle(&mut self, now: u64, idle: u64, mut goal: i32) {
        for _ in 0..BUCKETS {
            self.rover = (self.rover + 1) % BUCKETS;
            let bucket = &mut self.buckets[self.rover];
            let before = bucket.len();
            bucket.retain(|entry| now < entry.last_use + idle);
            let dropped = (before - bucket.len()) as i32;
            self.entries -= dropped;
            goal -= dropped;
            if goal <= 0 {
                break;
            }
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.buckets.iter().flatten().map(|entry| &entry.value)
    }
}
