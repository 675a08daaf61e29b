//! How the director defends itself when it is told to, or when memory runs short (`ip_vs_ctl.c`: `update_defense_level()`,
//! `ip_vs_conn.c`: `ip_vs_random_dropentry()`).

use std::collections::HashMap;

use super::connections::{Entry, Flags, NONE, TemplateState, sctp, tcp};
use super::pipeline::{SCTP, TCP};
use super::{EmbeddedDirector, Settings};
use crate::model::ServiceFlags;
use crate::schedulers::{Random, SplitMix64};

/// Seconds for which a connection must have been silent to be dropped for having had few packets.
const SILENCE: u64 = 60;
/// Each second one part of so many of the table is looked through, as a power of two.
const PART_BITS: u32 = 5;

/// Whether the secure table of TCP's states is in force.
pub(super) const fn is_secure_tcp(settings: &Settings) -> bool {
    settings.secure_tcp >= 2
}

/// What the defences are up to.
#[derive(Debug)]
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
    random: SplitMix64,
    hz: u64,
    next: Option<u64>,
}

impl Defence {
    pub(super) fn new(settings: &mut Settings, seed: u64, hz: u64) -> Self {
        let mut defence = Self {
            available: u64::MAX,
            drop_rate: 0,
            until_drop: 0,
            drops_entries: false,
            until_dropped: [0; Entry::MANY as usize],
            random: SplitMix64::new(seed),
            hz,
            next: None,
        };
        defence.weigh(settings);
        defence.wind(settings, 0);
        defence
    }

    /// A mode that is set takes effect at once, a rate or threshold with the next look.
    pub(super) fn reconfigure(&mut self, former: &Settings, settings: &mut Settings, now: u64) {
        let modes = |settings: &Settings| [settings.drop_entry, settings.drop_packet, settings.secure_tcp];
        if modes(former) != modes(settings) {
            self.weigh(settings);
        }
        self.wind(settings, now);
    }

    /// Looks at the memory every second, as long as anything depends on it or is to be done.
    fn wind(&mut self, settings: &Settings, now: u64) {
        let idle = settings.drop_entry == 0 && settings.drop_packet == 0 && matches!(settings.secure_tcp, 0 | 3);
        self.next = if idle { None } else { Some((now / self.hz + 1) * self.hz) };
    }

    /// When to look next.
    pub(super) const fn next_look(&self) -> Option<u64> {
        self.next
    }

    /// Settles what is done, and moves the automatic modes.
    fn weigh(&mut self, settings: &mut Settings) {
        let threshold = u64::try_from(settings.amemthresh).unwrap_or(0);
        let short = self.available < threshold;
        // 1 and 2 are one mode that tells which way it has gone.
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

    /// Whether a connection that has had few packets and is silent is dropped: of those with n packets one in n.
    fn drops_silent(&mut self, entry: &Entry, now: u64) -> bool {
        let armed = entry.expires.saturating_sub(u64::from(entry.timeout));
        if now < armed + SILENCE * self.hz || matches!(entry.packets, 0 | Entry::MANY..) {
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
    /// Tells the director how much memory the machine has to spare, in pages. It looks at it once a second, when a mode depends on it.
    ///
    /// Until told otherwise there is plenty.
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

    /// What the kernel does every second.
    pub(super) fn look_after_memory(&mut self, now: u64) {
        let secure = is_secure_tcp(&self.options.settings);
        self.defence.weigh(&mut self.options.settings);
        self.defence.wind(&self.options.settings, now);
        if secure != is_secure_tcp(&self.options.settings) {
            self.renew_machine();
        }
        if self.defence.drops_entries {
            self.drop_entries(now);
        }
    }

    /// Looks through buckets of the table drawn at random, and drops what may go.
    fn drop_entries(&mut self, now: u64) {
        if self.connections.len() == 0 {
            return;
        }
        let bits = self.options.connection_table_size.max(1).ilog2();
        let draws: Vec<u32> = (0..1_u32 << bits >> PART_BITS).map(|_| self.defence.random.below(1 << bits)).collect();
        let mut buckets: HashMap<u32, Vec<u32>> = draws.iter().map(|bucket| (*bucket, Vec::new())).collect();
        for (at, entry) in self.connections.iter() {
            if let Some(bucket) = buckets.get_mut(&self.connections.bucket(entry, bits)) {
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
    }

    fn may_drop(&mut self, at: u32, now: u64) -> bool {
        let entry = self.connections.get(at);
        if entry.controlled > 0 {
            return false;
        }
        if entry.flags.contains(Flags::TEMPLATE) {
            let of_single_packets = entry.destination != NONE && {
                let service = self.rules.destination(entry.destination).service;
                self.rules.service(service).flags.contains(ServiceFlags::ONE_PACKET)
            };
            if !of_single_packets {
                return entry.state & TemplateState::ASSURED == 0;
            }
        } else {
            match (entry.protocol, entry.state) {
                (TCP, tcp::SYN_RECV | tcp::SYN_ACK) | (SCTP, sctp::INIT1 | sctp::INIT) => return true,
                (TCP, tcp::ESTABLISHED) | (SCTP, sctp::ESTABLISHED) => {}
                (TCP | SCTP, _) => return false,
                _ => {}
            }
        }
        self.defence.drops_silent(entry, now)
    }
}
