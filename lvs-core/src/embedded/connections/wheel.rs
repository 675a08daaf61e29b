use super::entry::{Entry, Flags, NONE};
use super::slab::Slab;

/// What the timers of the kernel add to a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: to the tick, or as the kernel's wheel does.
pub(crate) enum Rounding {
    /// Nothing.
    Exact,
    /// The kernel's timer wheel rounds up to 8^n ticks, the more the longer the timeout, counted
    /// from its own tick 0, which was this many ticks before the director's (`kernel/time/timer.c`:
    /// `calc_index()`).
    Kernel(u64),
}

impl Rounding {
    /// The tick at which the timer of an entry goes off.
    #[inline]
    fn due(self, entry: &Entry) -> u64 {
        let Self::Kernel(origin) = self else { return entry.expires };
        let delta = if entry.flags.contains(Flags::HURRIED) { 0 } else { u64::from(entry.timeout) };
        let mut level = 0;
        // A level ends where the next one, eight times as coarse, has 63 of its steps.
        while level < 8 && delta >= 63 << (3 * level) {
            level += 1;
        }
        let shift = 3 * level;
        ((((entry.expires + origin) >> shift) + 1) << shift) - origin
    }
}

const BITS: u32 = 12;
const BUCKETS: usize = 1 << BITS;
const LEVELS: usize = 3;
/// Marks a bucket where an entry would be.
const BUCKET: u32 = 1 << 31;

/// A hierarchical timer wheel: 4096 ticks, 4096 times that, and 4096 times that again.
///
/// The lists are threaded through the entries. A timer that is set to a later time stays where it
/// is and moves when its bucket comes up, because most are set again with every packet.
#[derive(Debug, Clone)]
pub(super) struct Wheel {
    now: u64,
    rounding: Rounding,
    heads: Box<[u32]>,
    occupied: Box<[u64]>,
    armed: usize,
}

impl Wheel {
    pub(super) fn new(rounding: Rounding) -> Self {
        Self {
            now: 0,
            rounding,
            heads: vec![NONE; BUCKETS * LEVELS].into_boxed_slice(),
            occupied: vec![0; BUCKETS * LEVELS / 64].into_boxed_slice(),
            armed: 0,
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.heads.len() * size_of::<u32>() + self.occupied.len() * size_of::<u64>()
    }

    /// Sets the timer of an entry to its timeout from `now`.
    #[inline]
    pub(super) fn arm(&mut self, slab: &mut Slab, at: u32, now: u64) {
        let entry = slab.get_mut(at);
        let running = entry.previous != NONE;
        let former = self.rounding.due(entry);
        entry.expires = now + u64::from(entry.timeout);
        entry.flags.clear(Flags::HURRIED);
        if running {
            if self.rounding.due(entry) >= former {
                return;
            }
            self.disarm(slab, at);
        }
        self.link(slab, at);
    }

    /// Sets the timer of an entry to the next tick.
    pub(super) fn expire_now(&mut self, slab: &mut Slab, at: u32, now: u64) {
        let entry = slab.get_mut(at);
        if entry.expires > now {
            entry.expires = now;
            entry.flags |= Flags::HURRIED;
            self.disarm(slab, at);
            self.link(slab, at);
        }
    }

    /// Stops the timer of an entry, if it runs.
    pub(super) fn disarm(&mut self, slab: &mut Slab, at: u32) {
        let entry = slab.get_mut(at);
        let (previous, next) = (entry.previous, entry.next);
        if previous == NONE {
            return;
        }
        entry.previous = NONE;
        if next != NONE {
            slab.get_mut(next).previous = previous;
        }
        if previous & BUCKET != 0 {
            self.set_head((previous & !BUCKET) as usize, next);
        } else {
            slab.get_mut(previous).next = next;
        }
        self.armed -= 1;
    }

    fn set_head(&mut self, bucket: usize, head: u32) {
        self.heads[bucket] = head;
        if head == NONE {
            self.occupied[bucket / 64] &= !(1 << (bucket % 64));
        }
    }

    fn link(&mut self, slab: &mut Slab, at: u32) {
        let due = self.rounding.due(slab.get(at)).max(self.now + 1);
        self.push(slab, at, self.bucket(due));
    }

    fn push(&mut self, slab: &mut Slab, at: u32, bucket: usize) {
        let head = self.heads[bucket];
        let entry = slab.get_mut(at);
        entry.previous = BUCKET | bucket as u32;
        entry.next = head;
        if head != NONE {
            slab.get_mut(head).previous = at;
        }
        self.heads[bucket] = at;
        self.occupied[bucket / 64] |= 1 << (bucket % 64);
        self.armed += 1;
    }

    /// The bucket of a later tick: on the level of the highest digit in which it differs from the
    /// present.
    const fn bucket(&self, due: u64) -> usize {
        let differs = due ^ self.now;
        let level = if differs >> BITS == 0 {
            0
        } else if differs >> (2 * BITS) == 0 {
            1
        } else {
            // What is more than 4096^3 ticks away, comes up too early there, and is put back.
            2
        };
        level * BUCKETS + (due >> (level as u32 * BITS)) as usize % BUCKETS
    }

    /// The next tick at which a bucket comes up, or nothing if no timer runs.
    pub(super) fn next_event(&self) -> Option<u64> {
        if self.armed == 0 {
            return None;
        }
        (0..LEVELS)
            .find_map(|level| {
                let shift = level as u32 * BITS;
                let digit = (self.now >> shift) as usize % BUCKETS;
                let base = self.now >> shift >> BITS << BITS;
                self.next_occupied(level, digit + 1).map(|found| (base + found as u64) << shift)
            })
            // Only the last level goes around.
            .or_else(|| {
                let shift = 2 * BITS;
                let base = (self.now >> shift >> BITS << BITS) + BUCKETS as u64;
                self.next_occupied(2, 0).map(|found| (base + found as u64) << shift)
            })
    }

    fn next_occupied(&self, level: usize, from: usize) -> Option<usize> {
        let words = &self.occupied[level * BUCKETS / 64..(level + 1) * BUCKETS / 64];
        let mut word = from / 64;
        let mut bits = words.get(word)? & (u64::MAX << (from % 64));
        loop {
            if bits != 0 {
                return Some(word * 64 + bits.trailing_zeros() as usize);
            }
            word += 1;
            bits = *words.get(word)?;
        }
    }

    /// Moves to the next event, at most to `now`: entries of coarser buckets that come up are
    /// spread over finer ones.
    pub(super) fn turn(&mut self, slab: &mut Slab, now: u64) {
        let Some(event) = self.next_event().filter(|event| *event <= now) else {
            self.now = self.now.max(now);
            return;
        };
        self.now = event;
        for level in (1..LEVELS).rev() {
            let shift = level as u32 * BITS;
            if event & ((1 << shift) - 1) == 0 {
                self.spread(slab, level * BUCKETS + (event >> shift) as usize % BUCKETS);
            }
        }
    }

    fn spread(&mut self, slab: &mut Slab, bucket: usize) {
        let mut at = self.heads[bucket];
        self.set_head(bucket, NONE);
        while at != NONE {
            let next = slab.get(at).next;
            self.armed -= 1;
            // What is due at this very tick goes to the bucket that comes up now.
            let due = self.rounding.due(slab.get(at)).max(self.now);
            self.push(slab, at, self.bucket(due));
            at = next;
        }
    }

    /// The entries in the bucket of the present tick.
    pub(super) fn up_next<'s>(&self, slab: &'s Slab) -> impl Iterator<Item = u32> + 's {
        let listed = |at: u32| (at != NONE).then_some(at);
        let head = listed(self.heads[self.now as usize % BUCKETS]);
        std::iter::successors(head, move |at| listed(slab.get(*at).next))
    }

    /// Takes an entry from the bucket of the present tick whose time has come.
    pub(super) fn next_expired(&mut self, slab: &mut Slab) -> Option<u32> {
        let bucket = self.now as usize % BUCKETS;
        loop {
            let at = self.heads[bucket];
            if at == NONE {
                return None;
            }
            self.disarm(slab, at);
            if self.rounding.due(slab.get(at)) <= self.now {
                return Some(at);
            }
            self.link(slab, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Address, Client};
    use super::*;

    fn armed(wheel: &mut Wheel, slab: &mut Slab, timeout: u32, now: u64) -> u32 {
        let client = Client { addr: Address::default(), port: 0, protocol: 6, v6: false };
        let at = slab.insert(Entry::new(&client, 0, None, 0, Flags(0), timeout), Address::default());
        wheel.arm(slab, at, now);
        at
    }

    fn run(wheel: &mut Wheel, slab: &mut Slab, until: u64) -> Vec<(u64, u32)> {
        let mut gone = Vec::new();
        while let Some(event) = wheel.next_event().filter(|event| *event <= until) {
            wheel.turn(slab, event);
            while let Some(at) = wheel.next_expired(slab) {
                gone.push((event, slab.get(at).timeout));
            }
        }
        wheel.turn(slab, until);
        gone
    }

    #[test]
    fn every_timer_goes_off_at_its_tick() {
        let (mut wheel, mut slab) = (Wheel::new(Rounding::Exact), Slab::default());
        let timeouts = [1, 2, 4095, 4096, 4097, 75_000, 1 << 24, (1 << 24) + 1, 0x7fff_ffff, u32::MAX];
        for begin in [0, 4095, 12_345, (1 << 24) - 3] {
            run(&mut wheel, &mut slab, begin);
            let origin = wheel.now;
            for timeout in timeouts {
                armed(&mut wheel, &mut slab, timeout, origin);
            }
            let expected: Vec<_> = timeouts.iter().map(|timeout| (origin + u64::from(*timeout), *timeout)).collect();
            assert_eq!(run(&mut wheel, &mut slab, origin + (1 << 33)), expected);
        }
    }

    #[test]
    fn a_timer_set_again_goes_off_at_the_latest_setting_only() {
        let (mut wheel, mut slab) = (Wheel::new(Rounding::Exact), Slab::default());
        let longer = armed(&mut wheel, &mut slab, 100, 0);
        let shorter = armed(&mut wheel, &mut slab, 90_000, 0);
        run(&mut wheel, &mut slab, 50);
        slab.get_mut(longer).timeout = 5000;
        wheel.arm(&mut slab, longer, 50);
        slab.get_mut(shorter).timeout = 7;
        wheel.arm(&mut slab, shorter, 50);
        assert_eq!(run(&mut wheel, &mut slab, 1_000_000), [(57, 7), (5050, 5000)]);
    }

    #[test]
    fn expiring_now_takes_effect_with_the_next_tick() {
        for rounding in [Rounding::Exact, Rounding::Kernel(3)] {
            let (mut wheel, mut slab) = (Wheel::new(rounding), Slab::default());
            let at = armed(&mut wheel, &mut slab, 90_000, 0);
            run(&mut wheel, &mut slab, 10);
            wheel.expire_now(&mut slab, at, 10);
            assert_eq!(run(&mut wheel, &mut slab, 1000), [(11, 90_000)]);
        }
    }

    // kernel/time/timer.c documents the granularity of each level: 8^n ticks.
    #[test]
    fn the_kernels_wheel_rounds_long_timeouts_up() {
        let (mut wheel, mut slab) = (Wheel::new(Rounding::Kernel(0)), Slab::default());
        armed(&mut wheel, &mut slab, 62, 0);
        armed(&mut wheel, &mut slab, 63, 0);
        armed(&mut wheel, &mut slab, 15_000, 0);
        armed(&mut wheel, &mut slab, 225_000, 0);
        let expected = [(63, 62), (64, 63), (15_360, 15_000), (225_280, 225_000)];
        assert_eq!(run(&mut wheel, &mut slab, 1_000_000), expected);
    }

    #[test]
    fn timers_agree_with_a_plain_list_of_them() {
        let (mut wheel, mut slab) = (Wheel::new(Rounding::Exact), Slab::default());
        let mut state = 88_172_645_463_325_252_u64;
        let mut random = move |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let mut expected = std::collections::BTreeMap::new();
        let mut now = 0;
        for _ in 0..3000 {
            let bits = 1 + random(25);
            let timeout = 1 + random(1 << bits) as u32;
            let at = armed(&mut wheel, &mut slab, timeout, now);
            expected.insert(at, now + u64::from(timeout));
            if random(2) == 0 {
                let (&other, _) = expected.iter().nth(random(expected.len() as u64) as usize).unwrap();
                slab.get_mut(other).timeout = 1 + random(100_000) as u32;
                wheel.arm(&mut slab, other, now);
                expected.insert(other, slab.get(other).expires);
            }
            let until = now + random(3000);
            while let Some(event) = wheel.next_event().filter(|event| *event <= until) {
                wheel.turn(&mut slab, event);
                while let Some(at) = wheel.next_expired(&mut slab) {
                    assert_eq!(expected.remove(&at), Some(event));
                    slab.remove(at);
                }
            }
            wheel.turn(&mut slab, until);
            now = until;
            assert!(expected.values().all(|due| *due > now));
        }
        assert!(expected.len() < 3000);
    }
}
