//! The statistics of services and destinations, 32 and 64 bits wide.

use super::attr::{Attributes, close, header, header_at, open, put_u32, put_u64};
use super::uapi::*;
use crate::model::{Counters, Rates, Stats};

/// Reads a statistics nest, 32 or 64 bits wide: the length of each attribute tells. What is absent is zero.
#[inline]
pub fn read(nest: Attributes<'_>) -> Stats {
    let bytes = nest.rest();
    if bytes.len() == USUAL_SIZE && oddity(bytes, 0) == 0 {
        read_at(bytes, 0)
    } else if bytes.len() == USUAL64_SIZE && oddity64(bytes, 0) == 0 {
        read64_at(bytes, 0)
    } else {
        read_any(nest)
    }
}

/// The length of the 32-bit nest as today's kernels write it: ten attributes in order, two of them (the bytes) 64 bits
/// wide here, too.
pub(super) const USUAL_SIZE: usize = 88;
/// The length of the 64-bit nest: ten attributes in order.
pub(super) const USUAL64_SIZE: usize = 120;

/// Where the attributes of the 32-bit nest start.
const PLACES: [usize; 10] = [0, 8, 16, 24, 36, 48, 56, 64, 72, 80];

/// Zero if the headers of the 32-bit nest that starts there are the usual ones.
#[inline(always)]
pub(super) fn oddity(bytes: &[u8], start: usize) -> u32 {
    let mut odd = 0;
    for (index, at) in PLACES.into_iter().enumerate() {
        let length = if index == 3 || index == 4 { 12 } else { 8 };
        odd |= header_at(bytes, start + at) ^ header(length, IPVS_STATS_ATTR_CONNS + index as u16);
    }
    odd
}

/// Zero if the headers of the 64-bit nest that starts there are the usual ones.
#[inline(always)]
pub(super) fn oddity64(bytes: &[u8], start: usize) -> u32 {
    let mut odd = 0;
    for index in 0..10 {
        odd |= header_at(bytes, start + index * 12) ^ header(12, IPVS_STATS_ATTR_CONNS + index as u16);
    }
    odd
}

/// Reads the 32-bit nest in the usual shape that starts there.
#[inline(always)]
pub(super) fn read_at(bytes: &[u8], start: usize) -> Stats {
    let narrow = |index: usize| u64::from(header_at(bytes, start + PLACES[index] + 4));
    let wide = |index: usize| u64_at(bytes, start + PLACES[index] + 4);
    Stats {
        counters: Counters {
            connections: narrow(0),
            packets_in: narrow(1),
            packets_out: narrow(2),
            bytes_in: wide(3),
            bytes_out: wide(4),
        },
        rates: Rates {
            connections: narrow(5),
            packets_in: narrow(6),
            packets_out: narrow(7),
            bytes_in: narrow(8),
            bytes_out: narrow(9),
        },
    }
}

/// Reads the 64-bit nest in the usual shape that starts there.
#[inline(always)]
pub(super) fn read64_at(bytes: &[u8], start: usize) -> Stats {
    let value = |index: usize| u64_at(bytes, start + index * 12 + 4);
    Stats {
        counters: Counters {
            connections: value(0),
            packets_in: value(1),
            packets_out: value(2),
            bytes_in: value(3),
            bytes_out: value(4),
        },
        rates: Rates {
            connections: value(5),
            packets_in: value(6),
            packets_out: value(7),
            bytes_in: value(8),
            bytes_out: value(9),
        },
    }
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
        let counters = Counters { connections: 1, packets_in: 2, packets_out: 3, bytes_in: 4, bytes_out: 5 };
        let rates = Rates { connections: 6, packets_in: 7, packets_out: 8, bytes_in: 9, bytes_out: 10 };
        let stats = Stats { counters, rates };
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
