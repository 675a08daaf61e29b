use std::time::Duration;

use crate::model::{Counters, DestinationKey, ServiceKey};

/// What a service or destination has counted between two looks.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Count {
    /// The service.
    pub service: ServiceKey,
    /// Its destination, `None` for the service itself.
    pub destination: Option<DestinationKey>,
    /// How much was counted since the last look. After a reset it is what the counters have counted
    /// since.
    pub delta: Counters,
    /// The time between the looks. Not that in which `delta` was counted: see
    /// [`Count::per_second`].
    pub elapsed: Duration,
    /// From which rates are taken; `None` as long as no earlier look lies whole ticks of the
    /// kernel's estimator back.
    pub window: Option<Window>,
}

/// What was counted in a number of whole ticks of the kernel's estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: how much, in which time.
pub struct Window {
    /// How much.
    pub counters: Counters,
    /// In which time: a multiple of two seconds.
    #[cfg_attr(feature = "serde", serde(with = "crate::seconds"))]
    #[cfg_attr(feature = "schema", schemars(with = "f64"))]
    pub elapsed: Duration,
}

/// Averages per second.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PerSecond {
    /// Connections.
    pub connections: f64,
    /// Packets from clients.
    pub packets_in: f64,
    /// Packets to clients.
    pub packets_out: f64,
    /// Bytes from clients.
    pub bytes_in: f64,
    /// Bytes to clients.
    pub bytes_out: f64,
}

impl Count {
    /// Averages per second over the last whole ticks of the kernel's estimator; `None` as long as
    /// none can be taken.
    ///
    /// Counters move every two seconds, so `delta / elapsed` is wrong at most intervals: looks
    /// every second find nothing and then all of two seconds.
    pub fn per_second(&self) -> Option<PerSecond> {
        let Window { counters, elapsed } = self.window?;
        let seconds = elapsed.as_secs_f64();
        let rate = |count: u64| count as f64 / seconds;
        Some(PerSecond {
            connections: rate(counters.connections),
            packets_in: rate(counters.packets_in),
            packets_out: rate(counters.packets_out),
            bytes_in: rate(counters.bytes_in),
            bytes_out: rate(counters.bytes_out),
        })
    }
}

/// The difference of two counts, `None` if the counters were reset in between.
///
/// Without 64-bit counters a lower number may be an overflow: the byte counts, 64 bits wide
/// everywhere, show which.
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
