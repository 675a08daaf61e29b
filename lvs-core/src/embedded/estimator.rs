//! Counters and rates as the kernel's estimator shows them (`ip_vs_est.c`).

use crate::model::{Counters, Rates, Stats};

const CONNECTIONS: usize = 0;
const PACKETS_IN: usize = 1;
const PACKETS_OUT: usize = 2;
const BYTES_IN: usize = 3;
const BYTES_OUT: usize = 4;

/// When the estimator passes: every two seconds, unless estimation is switched off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    /// Ticks between two passes.
    period: u64,
    passes: u64,
    counted_to: u64,
    stopped: bool,
}

impl Schedule {
    /// A schedule for a clock with `hz` ticks a second.
    pub(super) const fn new(hz: u64) -> Self {
        Self { period: 2 * hz, passes: 0, counted_to: 0, stopped: false }
    }

    /// How many passes there have been at tick `now`.
    pub(super) const fn passes(&self, now: u64) -> u64 {
        if self.stopped { self.passes } else { self.passes + now / self.period - self.counted_to / self.period }
    }

    /// Switches estimation on or off at tick `now`.
    pub(super) fn run(&mut self, run: bool, now: u64) {
        self.passes = self.passes(now);
        self.counted_to = now;
        self.stopped = !run;
    }
}

/// The counters of a service, a destination or the whole director.
///
/// Passes are caught up with when somebody looks or counts, so an idle estimator costs nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Estimator {
    /// What has happened.
    live: [u64; 5],
    /// What the latest pass saw.
    seen: [u64; 5],
    /// What was seen when the counters were zeroed.
    zero: [u64; 5],
    /// Averages, scaled by 2^10 (bytes: 2^5).
    average: [u64; 5],
    /// The latest pass.
    pass: u64,
    /// Not estimated for now: its destination is deleted.
    paused: bool,
}

impl Estimator {
    /// Counters that start after pass `pass`.
    pub(super) fn starting(pass: u64) -> Self {
        Self { pass, ..Self::default() }
    }

    /// Counts a connection.
    #[inline]
    pub(super) fn connection(&mut self, pass: u64) {
        self.catch_up(pass);
        self.live[CONNECTIONS] += 1;
    }

    /// Counts a packet from a client.
    #[inline]
    pub(super) fn packet_in(&mut self, pass: u64, bytes: u32) {
        self.catch_up(pass);
        self.live[PACKETS_IN] += 1;
        self.live[BYTES_IN] += u64::from(bytes);
    }

    /// Counts a packet from a real server.
    #[inline]
    pub(super) fn packet_out(&mut self, pass: u64, bytes: u32) {
        self.catch_up(pass);
        self.live[PACKETS_OUT] += 1;
        self.live[BYTES_OUT] += u64::from(bytes);
    }

    /// Zeroes what is shown. What happened since the latest pass is not shown yet and survives
    /// (`ip_vs_zero_stats()`).
    pub(super) fn zero(&mut self, pass: u64) {
        self.catch_up(pass);
        self.zero = self.seen;
        self.average = [0; 5];
    }

    /// Stops estimating: the destination goes to the trash.
    pub(super) fn pause(&mut self, pass: u64) {
        self.catch_up(pass);
        self.paused = true;
    }

    /// Goes on estimating.
    pub(super) fn resume(&mut self, pass: u64) {
        self.pass = pass;
        self.paused = false;
    }

    /// What the director shows.
    pub(super) fn stats(&mut self, pass: u64) -> Stats {
        self.catch_up(pass);
        let sum = |i: usize| self.seen[i].wrapping_sub(self.zero[i]);
        let rate = |i: usize| match i {
            BYTES_IN | BYTES_OUT => (self.average[i] + 0xf) >> 5,
            _ => (self.average[i] + 0x1ff) >> 10,
        };
        Stats {
            counters: Counters {
                connections: sum(CONNECTIONS),
                packets_in: sum(PACKETS_IN),
                packets_out: sum(PACKETS_OUT),
                bytes_in: sum(BYTES_IN),
                bytes_out: sum(BYTES_OUT),
            },
            rates: Rates {
                connections: rate(CONNECTIONS),
                packets_in: rate(PACKETS_IN),
                packets_out: rate(PACKETS_OUT),
                bytes_in: rate(BYTES_IN),
                bytes_out: rate(BYTES_OUT),
            },
        }
    }

    /// What has happened, seen by the estimator or not, and never zeroed.
    pub(super) const fn live(&self) -> Counters {
        let [connections, packets_in, packets_out, bytes_in, bytes_out] = self.live;
        Counters { connections, packets_in, packets_out, bytes_in, bytes_out }
    }

    #[inline]
    fn catch_up(&mut self, pass: u64) {
        if self.pass != pass && !self.paused {
            self.catch_up_to(pass);
        }
    }

    #[cold]
    fn catch_up_to(&mut self, pass: u64) {
        while self.pass < pass {
            self.pass += 1;
            if self.live == self.seen && self.average == [0; 5] {
                // Nothing will change until the next event.
                self.pass = pass;
                return;
            }
            for i in 0..5 {
                let scale = if matches!(i, BYTES_IN | BYTES_OUT) { 4 } else { 9 };
                let rate = self.live[i].wrapping_sub(self.seen[i]) << scale;
                let average = self.average[i];
                // A quarter of the way, rounded down: the shift is an arithmetic one.
                self.average[i] = average.wrapping_add_signed((rate as i64).wrapping_sub(average as i64) >> 2);
            }
            self.seen = self.live;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Worked by hand from the arithmetic of ip_vs_est.c: 1000 connections in one period of 2 s.
    #[test]
    fn a_burst_fades_by_a_quarter_every_two_seconds() {
        let mut estimator = Estimator::default();
        for _ in 0..1000 {
            estimator.connection(0);
        }
        let shown: Vec<_> = (0..6).map(|pass| estimator.stats(pass).rates.connections).collect();
        // 512000/4 = 128000 -> (128000+511)>>10 = 125; 96000 -> 94; 72000 -> 70; 54000 -> 53; 40500 -> 40.
        assert_eq!(shown, [0, 125, 94, 70, 53, 40]);
    }

    #[test]
    fn a_counter_is_shown_only_after_the_next_pass() {
        let mut estimator = Estimator::default();
        estimator.packet_in(3, 60);
        assert_eq!(estimator.stats(3).counters, Counters::default());
        let counters = estimator.stats(4).counters;
        assert_eq!((counters.packets_in, counters.bytes_in), (1, 60));
    }

    #[test]
    fn zeroing_spares_what_no_pass_has_seen() {
        let mut estimator = Estimator::default();
        estimator.packet_out(0, 100);
        estimator.stats(1);
        estimator.packet_out(1, 40);
        estimator.zero(1);
        assert_eq!(estimator.stats(1), Stats::default());
        assert_eq!(estimator.stats(2).counters.bytes_out, 40);
    }

    #[test]
    fn an_average_left_alone_reaches_zero() {
        let mut estimator = Estimator::default();
        estimator.packet_in(0, u32::MAX);
        estimator.stats(1);
        assert_eq!(estimator.stats(1_000_000_000_000).rates, Rates::default());
    }

    #[test]
    fn estimation_stops_and_goes_on() {
        const PERIOD: u64 = 500;
        let mut schedule = Schedule::new(250);
        assert_eq!(schedule.passes(PERIOD * 3), 3);
        schedule.run(false, PERIOD * 3 + 1);
        assert_eq!(schedule.passes(PERIOD * 10), 3);
        schedule.run(true, PERIOD * 10);
        assert_eq!(schedule.passes(PERIOD * 12), 5);
    }
}
