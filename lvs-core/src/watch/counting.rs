use std::time::Duration;

use crate::model::{Counters, DestinationKey, ServiceKey};

/// What a service or destination has counted between two looks.
#[derive(Debug, Clone, Copy, PartialEq)]
// Exhaustive: whose, how much, in which time.
pub struct Count {
    /// The service.
    pub service: ServiceKey,
    /// Its destination, `None` for the service itself.
    pub destination: Option<DestinationKey>,
    /// How much was counted.
    pub delta: Counters,
    /// The time between the looks.
    pub elapsed: Duration,
}

impl Count {
    /// A part of the delta as an average per second, 0 if no time has passed.
    pub fn per_second(&self, part: u64) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { part as f64 / seconds } else { 0.0 }
    }
}

/// The difference of two counts, `None` if the counters were reset in between.
///
/// Without 64-bit counters a lower number may be an overflow: the byte counts, 64 bits wide everywhere, tell.
pub(super) fn compare(before: &Counters, after: &Counters, wide: bool) -> Option<Counters> {
    let bytes_in = after.bytes_in.checked_sub(before.bytes_in)?;
    let bytes_out = after.bytes_out.checked_sub(before.bytes_out)?;
    let narrow = |before: u64, after: u64| match after.checked_sub(before) {
        None if !wide && bytes_in + bytes_out > 0 => Some(after + (1 << 32) - before),
        difference => difference,
    };
    Some(Counters {
        connections: narrow(before.connections, after.connections)?,
        packets_in: narrow(before.packets_in, after.packets_in)?,
        packets_out: narrow(before.packets_out, after.packets_out)?,
        bytes_in,
        bytes_out,
    })
}
