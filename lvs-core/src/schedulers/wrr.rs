//! wrr: weighted round robin.

use super::{BindError, DestinationId, Pool, Request, Scheduler};

/// Weighted round robin: in turns, the heavier ones in more of them.
#[derive(Clone, Debug, Default)]
pub struct Wrr {
    /// Current entry; `None` stands for the list's head, before the first entry.
    current: Option<DestinationId>,
    /// The weight that an entry must have in the present pass.
    threshold: i32,
    /// Threshold of the first pass: maximum weight − (step − 1).
    maximum: i32,
    /// By how much the threshold falls from pass to pass: the weights' greatest common divisor.
    step: i32,
}

impl Wrr {
    /// Not yet bound.
    pub const fn new() -> Self {
        Self { current: None, threshold: 0, maximum: 0, step: 1 }
    }

    fn measure(&mut self, pool: &Pool) {
        let mut divisor = 0;
        let mut heaviest = 0;
        for at in pool {
            let weight = pool.weight(at);
            if weight > 0 {
                divisor = gcd(weight as u32, divisor);
                heaviest = heaviest.max(weight);
            }
        }
        self.step = divisor.max(1) as i32;
        self.maximum = if heaviest == 0 { 0 } else { heaviest - (self.step - 1) };
    }

    // ip_vs_wrr.c: ip_vs_wrr_dest_changed()
    fn changed(&mut self, pool: &Pool) {
        self.current = None;
        self.measure(pool);
        if self.threshold > self.maximum || self.threshold == 0 {
            self.threshold = self.maximum;
        } else if self.step > 1 {
            self.threshold = self.threshold / self.step * self.step + 1;
        }
    }
}

pub(super) const fn gcd(mut a: u32, mut b: u32) -> u32 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Scheduler for Wrr {
    fn name(&self) -> &'static str {
        "wrr"
    }

    fn bind(&mut self, pool: &Pool, _: u64) -> Result<(), BindError> {
        self.current = None;
        self.measure(pool);
        self.threshold = self.maximum;
        Ok(())
    }

    fn added(&mut self, pool: &Pool, _: DestinationId) {
        self.changed(pool);
    }

    fn removed(&mut self, pool: &Pool, _: DestinationId) {
        self.changed(pool);
    }

    fn edited(&mut self, pool: &Pool, _: DestinationId) {
        self.changed(pool);
    }

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        if self.maximum == 0 {
            return None;
        }
        let last = self.current;
        let mut stop = None;
        let (mut last_pass, mut restarted) = (false, false);
        loop {
            while let Some(here) = self.current.map_or(pool.head(), |at| pool.next(at)) {
                self.current = Some(here);
                if !pool.overloaded(here) && pool.weight(here) >= self.threshold {
                    return Some(here);
                }
                if stop == Some(here) {
                    return None;
                }
            }
            self.current = None;
            self.threshold -= self.step;
            if self.threshold <= 0 {
                self.threshold = self.maximum;
                if last_pass || last.is_none() {
                    return None;
                }
                restarted = true;
            }
            last_pass = self.threshold <= self.step;
            if last_pass && restarted && last.is_some() {
                stop = last;
            }
        }
    }
}
