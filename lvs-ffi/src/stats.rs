//! Counters and rates.

use lvs_core::model::{Counters, Stats};

/// The director reported statistics.
pub const LVS_STATS_PRESENT: u32 = 0x1;
/// The director reported 32-bit statistics.
pub const LVS_STATS32_PRESENT: u32 = 0x2;
/// The director reported 64-bit statistics.
pub const LVS_STATS64_PRESENT: u32 = 0x4;

/// Sums since the service or destination appeared or was zeroed. Its layout never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct lvs_counters {
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

/// Averages a second, as the kernel computes them every two seconds. Its layout never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct lvs_rates {
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

/// Sums and rates. The kernel refreshes both every two seconds. Its layout never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct lvs_stats {
    /// The sums.
    pub counters: lvs_counters,
    /// The rates.
    pub rates: lvs_rates,
}

impl From<&Counters> for lvs_counters {
    #[inline]
    fn from(counters: &Counters) -> Self {
        Self {
            connections: counters.connections,
            packets_in: counters.packets_in,
            packets_out: counters.packets_out,
            bytes_in: counters.bytes_in,
            bytes_out: counters.bytes_out,
        }
    }
}

impl From<&Stats> for lvs_stats {
    #[inline]
    fn from(stats: &Stats) -> Self {
        let rates = &stats.rates;
        Self {
            counters: (&stats.counters).into(),
            rates: lvs_rates {
                connections: rates.connections,
                packets_in: rates.packets_in,
                packets_out: rates.packets_out,
                bytes_in: rates.bytes_in,
                bytes_out: rates.bytes_out,
            },
        }
    }
}

impl From<Option<&Stats>> for lvs_stats {
    #[inline]
    fn from(stats: Option<&Stats>) -> Self {
        stats.map_or_else(Self::default, Self::from)
    }
}

/// The bits that say what was reported.
#[inline]
pub(crate) const fn present(stats32: bool, stats64: bool) -> u32 {
    (if stats32 || stats64 { LVS_STATS_PRESENT } else { 0 })
        | (if stats32 { LVS_STATS32_PRESENT } else { 0 })
        | (if stats64 { LVS_STATS64_PRESENT } else { 0 })
}
