//! The statistics of services and destinations, 32 and 64 bits wide.

use super::attr::{Attributes, close, open, put_u32, put_u64};
use super::uapi::*;
use crate::model::{Counters, Rates, Stats};

/// Reads a statistics nest, 32 or 64 bits wide: the length of each attribute tells. What is absent is zero.
#[inline]
pub fn read(nest: Attributes<'_>) -> Stats {
    let mut stats = Stats::default();
    let Stats { counters, rates } = &mut stats;
    for attribute in nest {
        let field = match attribute.number() {
            IPVS_STATS_ATTR_CONNS => &mut counters.connections,
            IPVS_STATS_ATTR_INPKTS => &mut counters.packets_in,
            IPVS_STATS_ATTR_OUTPKTS => &mut counters.packets_out,
            IPVS_STATS_ATTR_INBYTES => &mut counters.bytes_in,
            IPVS_STATS_ATTR_OUTBYTES => &mut counters.bytes_out,
            IPVS_STATS_ATTR_CPS => &mut rates.connections,
            IPVS_STATS_ATTR_INPPS => &mut rates.packets_in,
            IPVS_STATS_ATTR_OUTPPS => &mut rates.packets_out,
            IPVS_STATS_ATTR_INBPS => &mut rates.bytes_in,
            IPVS_STATS_ATTR_OUTBPS => &mut rates.bytes_out,
            _ => continue,
        };
        if let Some(value) = attribute.u64().or_else(|| attribute.u32().map(u64::from)) {
            *field = value;
        }
    }
    stats
}

/// Appends the 32-bit statistics as the kernel does: counts and rates cut to 32 bits, bytes whole.
pub fn write(buf: &mut Vec<u8>, kind: u16, stats: &Stats) {
    let Stats { counters, rates } = stats;
    let start = open(buf, kind);
    put_u32(buf, IPVS_STATS_ATTR_CONNS, counters.connections as u32);
    put_u32(buf, IPVS_STATS_ATTR_INPKTS, counters.packets_in as u32);
    put_u32(buf, IPVS_STATS_ATTR_OUTPKTS, counters.packets_out as u32);
    put_u64(buf, IPVS_STATS_ATTR_INBYTES, counters.bytes_in);
    put_u64(buf, IPVS_STATS_ATTR_OUTBYTES, counters.bytes_out);
    put_u32(buf, IPVS_STATS_ATTR_CPS, rates.connections as u32);
    put_u32(buf, IPVS_STATS_ATTR_INPPS, rates.packets_in as u32);
    put_u32(buf, IPVS_STATS_ATTR_OUTPPS, rates.packets_out as u32);
    put_u32(buf, IPVS_STATS_ATTR_INBPS, rates.bytes_in as u32);
    put_u32(buf, IPVS_STATS_ATTR_OUTBPS, rates.bytes_out as u32);
    close(buf, start);
}

/// Appends the 64-bit statistics.
pub fn write64(buf: &mut Vec<u8>, kind: u16, stats: &Stats) {
    let Stats { counters, rates } = stats;
    let Counters { connections, packets_in, packets_out, bytes_in, bytes_out } = *counters;
    let sums = [connections, packets_in, packets_out, bytes_in, bytes_out];
    let Rates { connections, packets_in, packets_out, bytes_in, bytes_out } = *rates;
    let averages = [connections, packets_in, packets_out, bytes_in, bytes_out];
    let start = open(buf, kind);
    for (number, value) in (IPVS_STATS_ATTR_CONNS..).zip(sums.into_iter().chain(averages)) {
        put_u64(buf, number, value);
    }
    close(buf, start);
}
