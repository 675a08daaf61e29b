/// Sums since the service or destination appeared or was zeroed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: the kernel's five (`struct ip_vs_kstats`).
pub struct Counters {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub packets_in: u64,
    /// Packets from real servers, as far as they pass the director.
    pub packets_out: u64,
    /// Bytes from clients, IP header included.
    pub bytes_in: u64,
    /// Bytes from real servers, IP header included.
    pub bytes_out: u64,
}

/// Averages per second over the last seconds, as the kernel's estimator computes them every two
/// seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: the kernel's five (`struct ip_vs_kstats`).
pub struct Rates {
    /// Connections a second.
    pub connections: u64,
    /// Packets a second from clients.
    pub packets_in: u64,
    /// Packets a second from real servers.
    pub packets_out: u64,
    /// Bytes (not bits) a second from clients.
    pub bytes_in: u64,
    /// Bytes (not bits) a second from real servers.
    pub bytes_out: u64,
}

/// Sums and rates of a service or destination.
///
/// The kernel refreshes both every two seconds: traffic shows up with that delay (`ip_vs_est.c`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: sums and rates.
pub struct Stats {
    /// The sums.
    pub counters: Counters,
    /// The rates.
    pub rates: Rates,
}

impl Stats {
    /// As the kernel's 32-bit attribute carries them: everything but the byte sums cut to 32 bits.
    #[must_use]
    pub fn truncated(&self) -> Self {
        let cut = |value: u64| value & u64::from(u32::MAX);
        let Self { counters, rates } = *self;
        Self {
            counters: Counters {
                connections: cut(counters.connections),
                packets_in: cut(counters.packets_in),
                packets_out: cut(counters.packets_out),
                ..counters
            },
            rates: Rates {
                connections: cut(rates.connections),
                packets_in: cut(rates.packets_in),
                packets_out: cut(rates.packets_out),
                bytes_in: cut(rates.bytes_in),
                bytes_out: cut(rates.bytes_out),
            },
        }
    }
}
