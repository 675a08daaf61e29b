//! How the director defends itself when a sysctl says so or memory runs short (`ip_vs_ctl.c`:
//! `update_defense_level()`, `ip_vs_conn.c`: `ip_vs_random_dropentry()`).

use std::collections::HashMap;

use super::connections::{Entry, Flags, TemplateState, sctp, tcp};
use super::ids::EntryId;
use super::protocol::{SCTP, TCP};
use super::timers::Timer;
use super::{EmbeddedDirector, Settings};
use crate::model::ServiceFlags;
use crate::schedulers::{Random, SplitMix64};

/// Seconds for which a connection must have been silent to be dropped for having had few packets.
const SILENCE: u64 = 60;
/// Into how many parts the table is divided, as a power of two: each second one is looked through.
const PART_BITS: u32 = 5;

/// Whether the secure table of TCP's states is in force.
pub(super) const fn is_secure_tcp(settings: &Settings) -> bool {
    settings.secure_tcp >= 2
}

/// Whether the modes of the defences differ: a mode that is set takes effect at once, a rate or
/// threshold with the next look at the memory.
pub(super) fn has_other_modes(former: &Settings, settings: &Settings) -> bool {
    let modes = |settings: &Settings| [settings.drop_entry, settings.drop_packet, settings.secure_tcp];
    modes(former) != modes(settings)
}

/// What the defences are doing.
#[derive(Debug, Clone)]
pub(super) struct Defence {
    /// Pages of free memory.
    available: u64,
    /// One in how many packets is dropped, 0 for none.
    drop_rate: i32,
    /// Packets until one is dropped.
    until_drop: i32,
    drops_entries: bool,
    /// By the number of a connection's packets: silent connections until one is dropped.
    until_dropped: [i8; Entry::MANY as usize],
    seed: u64,
    hz: u64,
}

impl Defence {
    pub(super) fn new(seed: u64, hz: u64) -> Self {
        Self {
            available: u64::MAX,
            drop_rate: 0,
            until_drop: 0,
            drops_entries: false,
            until_dropped: [0; Entry::MANY as usize],
            seed,
            hz,
        }
    }

    /// The numbers of the look at a tick. They do not depend on former looks, as some of those are
    /// left out.
    fn random(&self, now: u64) -> SplitMix64 {
        SplitMix64::new(self.seed ^ (now / self.hz).wrapping_mul(0xD1B5_4A32_D192_ED03))
    }

    /// Settles what is done, and moves the automatic modes.
    pub(super) fn update(&mut self, settings: &mut Settings) {
        let threshold = u64::try_from(settings.amemthresh).unwrap_or(0);
        let short = self.available < threshold;
        // 1 and 2 are one mode that says which way it has gone.
        for mode in [&mut settings.drop_entry, &mut settings.drop_packet, &mut settings.secure_tcp] {
            if matches!(*mode, 1 | 2) {
                *mode = if short { 2 } else { 1 };
            }
        }
        self.drops_entries = settings.drop_entry >= 2;
        match settings.drop_packet {
            2 => {
                // At most the threshold, which is an i32.
                self.drop_rate = (threshold / (threshold - self.available)) as i32;
                self.until_drop = self.drop_rate;
            }
            3 => self.drop_rate = settings.am_droprate,
            _ => self.drop_rate = 0,
        }
    }

    /// Whether `drop_packet` drops this packet.
    #[inline]
    pub(super) fn drops_packet(&mut self) -> bool {
        if self.drop_rate == 0 {
            return false;
        }
        self.until_drop -= 1;
        if self.until_drop > 0 {
            return false;
        }
        self.until_drop = self.drop_rate;
        true
    }

    /// Whether a connection that has had few packets and is silent is dropped: of those with n
    /// packets one in n.
    fn drops_silent(&mut self, entry: &Entry, now: u64) -> bool {
        let armed = entry.expires.saturating_sub(u64::from(entry.timeout));
        if now < armed + SILENCE * self.hz {
            return false;
        }
        let left = &mut self.until_dropped[usize::from(entry.packets)];
        *left -= 1;
        if *left > 0 {
            return false;
        }
        *left = entry.packets as i8;
        true
    }
}

impl EmbeddedDirector {
    /// Sets how much memory the machine has to spare, in pages. The director looks at it once a
    /// second, when a mode depends on it. Until it is set there is plenty.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use lvs_core::embedded::EmbeddedDirector;
    ///
    /// let mut director = EmbeddedDirector::new();
    /// let mut settings = *director.settings();
    /// settings.secure_tcp = 1;
    /// director.set_settings(settings);
    /// director.set_available_pages(1000);
    /// director.advance(Duration::from_secs(1));
    /// assert_eq!(director.settings().secure_tcp, 2);
    /// ```
    pub fn set_available_pages(&mut self, pages: u64) {
        self.defence.available = pages;
    }

    /// Has the director look at the memory every second, as long as a defence depends on it or is
    /// at work.
    pub(super) fn schedule_defence(&mut self, now: u64) {
        let Settings { drop_entry, drop_packet, secure_tcp, .. } = self.options.settings;
        let idle = drop_entry == 0 && drop_packet == 0 && matches!(secure_tcp, 0 | 3);
        let hz = self.clock.hz();
        self.timers.set(Timer::Defence, (!idle).then_some((now / hz + 1) * hz));
    }

    /// What the kernel does every second (`defense_work_handler()`).
    pub(super) fn look_at_memory(&mut self, now: u64) {
        let secure = is_secure_tcp(&self.options.settings);
        self.defence.update(&mut self.options.settings);
        if secure != is_secure_tcp(&self.options.settings) {
            self.renew_machine();
        }
        let may_drop_more = self.defence.drops_entries && self.drop_entries(now);
        self.schedule_defence(now);
        let hz = self.clock.hz();
        if !may_drop_more && self.timers.is_set(Timer::Defence) {
            // Until something happens every further look would find the same.
            self.timers.rest(Timer::Defence, now + hz, hz);
        }
    }

    /// Looks through some of the table's buckets, and drops what may go. Whether there is more that
    /// a later look may drop.
    fn drop_entries(&mut self, now: u64) -> bool {
        if self.connections.len() == 0 || !self.connection_table.exists() {
            return false;
        }
        let bits = self.connection_table.buckets().max(1).ilog2();
        let part = 1_u32 << bits >> PART_BITS;
        let mask = (1_u32 << bits) - 1;
        let mut random = self.defence.random(now);
        let by_target = self.options.profile.has_resizable_tables();
        let draws: Vec<u32> = if by_target {
            let first = random.below(1 << bits);
            (0..part).map(|i| (first + i) & mask).collect()
        } else {
            (0..part).map(|_| random.below(1 << bits)).collect()
        };
        let mut buckets: HashMap<u32, Vec<EntryId>> = draws.iter().map(|bucket| (*bucket, Vec::new())).collect();
        for (at, entry) in self.connections.iter() {
            if let Some(bucket) = buckets.get_mut(&self.connections.bucket(at, entry, bits, by_target)) {
                bucket.push(at);
            }
        }
        for draw in draws {
            for &at in &buckets[&draw] {
                if self.connections.is_live(at) && self.may_drop(at, now) {
                    self.delete(at, now);
                }
            }
        }
        self.connections.iter().any(|(_, entry)| self.droppable(entry).is_some())
    }

    /// Whether an entry may be dropped, and then whether at once or only when it has been silent
    /// for long.
    fn droppable(&self, entry: &Entry) -> Option<Droppable> {
        if entry.controlled > 0 {
            return None;
        }
        if entry.flags.contains(Flags::TEMPLATE) {
            let of_single_packets = entry.destination.is_some_and(|destination| {
                let service = self.table.destination(destination).service;
                self.table.service(service).flags.contains(ServiceFlags::ONE_PACKET)
            });
            if !of_single_packets {
                return (entry.state & TemplateState::ASSURED == 0).then_some(Droppable::AtOnce);
            }
        } else {
            match (entry.protocol, entry.state) {
                (TCP, tcp::SYN_RECV | tcp::SYN_ACK) | (SCTP, sctp::INIT1 | sctp::INIT) => {
                    return Some(Droppable::AtOnce);
                }
                (TCP, tcp::ESTABLISHED) | (SCTP, sctp::ESTABLISHED) => {}
                (TCP | SCTP, _) => return None,
                _ => {}
            }
        }
        (!matches!(entry.packets, 0 | Entry::MANY..)).then_some(Droppable::WhenSilent)
    }

    fn may_drop(&mut self, at: EntryId, now: u64) -> bool {
        let entry = self.connections.get(at);
        match self.droppable(entry) {
            None => false,
            Some(Droppable::AtOnce) => true,
            Some(Droppable::WhenSilent) => self.defence.drops_silent(entry, now),
        }
    }
}

/// When `drop_entry` may drop an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Droppable {
    AtOnce,
    WhenSilent,
}
