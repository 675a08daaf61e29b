//! The statistics of services and destinations, 32 and 64 bits wide.

use super::attr::{Attributes, align, header, header_at};
use super::kind::{Kind, U32, U64, put};
use crate::model::Stats;

/// Defines both nests by their attributes, in the order in which the kernel writes them: number,
/// kind in the 32-bit nest (in the 64-bit nest all are of 64 bits), field.
macro_rules! statistics {
    ($($number:ident = $value:literal: $narrow:ident => $($path:ident).+;)*) => {
        /// The attributes' numbers.
        #[allow(missing_docs)] // The kernel's names.
        pub mod numbers {
            $(pub const $number: u16 = $value;)*
            pub const IPVS_STATS_ATTR_PAD: u16 = 11;
        }
        use numbers::*;

        /// Bytes of the 32-bit nest as kernels on machines without alignment rules write it.
        pub(crate) const SIZE32: usize = 0 $(+ size::<$narrow>())*;
        /// Bytes of the 64-bit nest.
        pub(crate) const SIZE64: usize = 0 $(+ { let _ = $value; size::<U64>() })*;

        /// Zero if the headers of the 32-bit nest are at their fixed places.
        #[inline(always)]
        pub(crate) fn differences32(bytes: &[u8]) -> u32 {
            let (mut differences, mut at) = (0, 0);
            $(
                differences |= header_at(bytes, at) ^ header(payload::<$narrow>() + 4, $number);
                at += size::<$narrow>();
            )*
            let _ = at;
            differences
        }

        /// Zero if the headers of the 64-bit nest are at their fixed places.
        #[inline(always)]
        pub(crate) fn differences64(bytes: &[u8]) -> u32 {
            let (mut differences, mut at) = (0, 0);
            $(
                differences |= header_at(bytes, at) ^ header(payload::<U64>() + 4, $number);
                at += size::<U64>();
            )*
            let _ = at;
            differences
        }

        #[inline(always)]
        pub(crate) fn read32(bytes: &[u8]) -> Stats {
            let (mut stats, mut at) = (Stats::default(), 4);
            $(
                stats.$($path).+ = value_at::<$narrow>(bytes, at);
                at += size::<$narrow>();
            )*
            let _ = at;
            stats
        }

        #[inline(always)]
        pub(crate) fn read64(bytes: &[u8]) -> Stats {
            let (mut stats, mut at) = (Stats::default(), 4);
            $(
                stats.$($path).+ = value_at::<U64>(bytes, at);
                at += size::<U64>();
            )*
            let _ = at;
            stats
        }

        fn walk(nest: Attributes<'_>) -> Stats {
            let mut stats = Stats::default();
            for attribute in nest {
                let field = match attribute.number() {
                    $($number => &mut stats.$($path).+,)*
                    _ => continue,
                };
                let (wide, narrow) = (U64::read(attribute.payload, false), U32::read(attribute.payload, false));
                if let Some(value) = wide.or_else(|| narrow.map(u64::from)) {
                    *field = value;
                }
            }
            stats
        }

        /// Writes the 32-bit nest as the kernel does: counts and rates cut to 32 bits, bytes whole.
        #[inline]
        pub(crate) fn write32(stats: &Stats, buffer: &mut [u8]) {
            let rest = buffer;
            $(let rest = put::<$narrow>(rest, $number, &(stats.$($path).+ as _));)*
            let _ = rest;
        }

        /// Writes the 64-bit nest.
        #[inline]
        pub(crate) fn write64(stats: &Stats, buffer: &mut [u8]) {
            let rest = buffer;
            $(let rest = put::<U64>(rest, $number, &stats.$($path).+);)*
            let _ = rest;
        }
    };
}

statistics! {
    IPVS_STATS_ATTR_CONNS = 1: U32 => counters.connections;
    IPVS_STATS_ATTR_INPKTS = 2: U32 => counters.packets_in;
    IPVS_STATS_ATTR_OUTPKTS = 3: U32 => counters.packets_out;
    IPVS_STATS_ATTR_INBYTES = 4: U64 => counters.bytes_in;
    IPVS_STATS_ATTR_OUTBYTES = 5: U64 => counters.bytes_out;
    IPVS_STATS_ATTR_CPS = 6: U32 => rates.connections;
    IPVS_STATS_ATTR_INPPS = 7: U32 => rates.packets_in;
    IPVS_STATS_ATTR_OUTPPS = 8: U32 => rates.packets_out;
    IPVS_STATS_ATTR_INBPS = 9: U32 => rates.bytes_in;
    IPVS_STATS_ATTR_OUTBPS = 10: U32 => rates.bytes_out;
}

/// Bytes of a payload of a fixed kind.
const fn payload<K: Kind<'static>>() -> usize {
    match K::SIZE {
        Some(size) => size,
        None => 0,
    }
}

/// Bytes of an attribute of a fixed kind.
const fn size<K: Kind<'static>>() -> usize {
    4 + align(payload::<K>())
}

#[inline(always)]
fn value_at<'a, K: Kind<'a>>(bytes: &'a [u8], at: usize) -> u64
where
    u64: From<K::Value>,
{
    bytes.get(at..).and_then(|rest| K::read(rest, false)).map_or(0, u64::from)
}

/// Reads a statistics nest, 32 or 64 bits wide: the length of each attribute tells. What is absent
/// is zero.
#[inline]
pub fn read(nest: Attributes<'_>) -> Stats {
    let bytes = nest.rest();
    if bytes.len() == SIZE32 && differences32(bytes) == 0 {
        read32(bytes)
    } else if bytes.len() == SIZE64 && differences64(bytes) == 0 {
        read64(bytes)
    } else {
        walk(nest)
    }
}

/// Whether a statistics nest is laid out as the fast path of a dump expects it.
pub fn has_fixed_layout(nest: Attributes<'_>) -> bool {
    let bytes = nest.rest();
    bytes.len() == SIZE32 && differences32(bytes) == 0 || bytes.len() == SIZE64 && differences64(bytes) == 0
}

#[cfg(test)]
mod tests {
    use super::super::attr::write;
    use super::*;
    use crate::model::{Counters, Rates};

    #[test]
    fn a_nest_reads_alike_at_fixed_places_and_walked() {
        let counters = Counters { connections: 1, packets_in: 2, packets_out: 3, bytes_in: 4, bytes_out: 5 };
        let rates = Rates { connections: 6, packets_in: 7, packets_out: 8, bytes_in: 9, bytes_out: 10 };
        let stats = Stats { counters, rates };
        let (mut narrow, mut wide) = ([0; SIZE32], [0; SIZE64]);
        write32(&stats, &mut narrow);
        write64(&stats, &mut wide);
        for nest in [Attributes::new(&narrow), Attributes::new(&wide)] {
            assert!(has_fixed_layout(nest));
            assert_eq!(read(nest), stats);
            assert_eq!(walk(nest), stats);
            // In another order it is walked.
            let mut turned = Vec::new();
            let mut list: Vec<_> = nest.collect();
            list.reverse();
            list.iter().for_each(|attribute| write(&mut turned, attribute));
            assert!(!has_fixed_layout(Attributes::new(&turned)));
            assert_eq!(read(Attributes::new(&turned)), stats);
        }
    }
}
