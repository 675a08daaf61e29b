//! The statistics of services and destinations, 32 and 64 bits wide.

use super::attr::{Attributes, close, header, header_at, open, put_u32, put_u64};
use super::uapi::*;
use crate::model::{Counters, Rates, Stats};

/// Reads a statistics nest, 32 or 64 bits wide: the length of each attribute tells. What is absent is zero.
#[inline]
pub fn read(nest: Attributes<'_>) -> Stats {
    read_usual(nest.rest()).or_else(|| read_usual64(nest.rest())).unwrap_or_else(|| read_any(nest))
}

/// The ten attributes of the 64-bit nest as today's kernels write them, each at its place.
#[inline]
fn read_usual64(bytes: &[u8]) -> Option<Stats> {
    let bytes: &[u8; 120] = bytes.try_into().ok()?;
    let mut odd = 0;
    let mut values = [0; 10];
    for (index, value) in values.iter_mut().enumerate() {
        let at = index * 12;
        odd |= header_at(bytes, at) ^ header(12, IPVS_STATS_ATTR_CONNS + index as u16);
        *value = u64_at(bytes, at + 4);
    }
    (odd == 0).then(|| from_values(values))
}

/// The same of the 32-bit nest, in which the bytes are 64 bits wide, too.
#[inline]
fn read_usual(bytes: &[u8]) -> Option<Stats> {
    let bytes: &[u8; 88] = bytes.try_into().ok()?;
    let mut odd = 0;
    let mut values = [0; 10];
    for (index, value) in values.iter_mut().enumerate() {
        let wide = index == 3 || index == 4;
        let at = index * 8 + if index > 3 { 4 } else { 0 } + if index > 4 { 4 } else { 0 };
        odd |= header_at(bytes, at) ^ header(if wide { 12 } else { 8 }, IPVS_STATS_ATTR_CONNS + index as u16);
        *value = if wide { u64_at(bytes, at + 4) } else { header_at(bytes, at + 4).into() };
    }
    (odd == 0).then(|| from_values(values))
}

#[inline]
fn from_values(values: [u64; 10]) -> Stats {
    let [connections, packets_in, packets_out, bytes_in, bytes_out, rates @ ..] = values;
    let counters = Counters { connections, packets_in, packets_out, bytes_in, bytes_out };
    let [connections, packets_in, packets_out, bytes_in, bytes_out] = rates;
    Stats { counters, rates: Rates { connections, packets_in, packets_out, bytes_in, bytes_out } }
}

#[inline]
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u64::from_ne_bytes(*bytes))
}

fn read_any(nest: Attributes<'_>) -> Stats {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_shape_and_any_other_read_alike() {
        let values: [u64; 10] = std::array::from_fn(|index| 1 + index as u64);
        let stats = from_values(values);
        let mut buf = Vec::new();
        write(&mut buf, 1, &stats);
        write64(&mut buf, 2, &stats);
        for nest in Attributes::new(&buf) {
            let nest = nest.nested();
            assert_eq!(read(nest), stats);
            assert_eq!(read_any(nest), stats);
            // In another order, which no fast way knows.
            let mut turned = Vec::new();
            let mut list: Vec<_> = nest.collect();
            list.reverse();
            list.iter().for_each(|attribute| attribute.write(&mut turned));
            assert_eq!(read(Attributes::new(&turned)), stats);
        }
    }
}
