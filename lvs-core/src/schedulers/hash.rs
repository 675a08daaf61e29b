//! The hash functions of the table-based schedulers.

use std::net::{IpAddr, Ipv6Addr};

use super::Family;

/// The multiplier of the kernel's `hash_32()`: 2<sup>32</sup> divided by the golden ratio's square.
// include/linux/hash.h: GOLDEN_RATIO_32
const GOLDEN_RATIO_32: u32 = 0x61C8_8647;

/// Multiplicative hash of `value` to `bits` bits, 1 to 32.
#[inline]
pub const fn hash_32(value: u32, bits: u32) -> u32 {
    value.wrapping_mul(GOLDEN_RATIO_32) >> (32 - bits)
}

/// An address as one word: an IPv4 address as a number, an IPv6 address with its four words XORed.
#[inline]
pub const fn fold(addr: IpAddr) -> u32 {
    match addr {
        IpAddr::V4(v4) => v4.to_bits(),
        IpAddr::V6(v6) => fold_v6(v6),
    }
}

#[inline]
const fn fold_v6(addr: Ipv6Addr) -> u32 {
    let bits = addr.to_bits();
    (bits >> 96) as u32 ^ (bits >> 64) as u32 ^ (bits >> 32) as u32 ^ bits as u32
}

/// An address folded as one of `family`, whatever it is.
///
/// An IPv4 service looks only at the first word, which matters for IPv6 destinations reached
/// through a tunnel.
#[inline]
pub const fn fold_as(family: Family, addr: IpAddr) -> u32 {
    match (family, addr) {
        (Family::V4, IpAddr::V6(v6)) => (v6.to_bits() >> 96) as u32,
        _ => fold(addr),
    }
}

/// The kernel's `hsiphash_1u32` on 64-bit little-endian machines: SipHash-1-3 of the four bytes of
/// `value`, shortened to its low 32 bits. Both words of the key are `key`.
// lib/siphash.c; 32-bit kernels use HalfSipHash there, and big-endian ones hash the bytes the other
// way round.
#[inline]
pub const fn hsiphash(value: u32, key: u64) -> u32 {
    let mut v0 = 0x736f_6d65_7073_6575 ^ key;
    let mut v1 = 0x646f_7261_6e64_6f6d ^ key;
    let mut v2 = 0x6c79_6765_6e65_7261 ^ key;
    let mut v3 = 0x7465_6462_7974_6573 ^ key;
    let block = (4 << 56) | value as u64;
    v3 ^= block;
    (v0, v1, v2, v3) = sip_round(v0, v1, v2, v3);
    v0 ^= block;
    v2 ^= 0xff;
    (v0, v1, v2, v3) = sip_round(v0, v1, v2, v3);
    (v0, v1, v2, v3) = sip_round(v0, v1, v2, v3);
    (v0, v1, v2, v3) = sip_round(v0, v1, v2, v3);
    (v0 ^ v1 ^ v2 ^ v3) as u32
}

#[inline]
const fn sip_round(mut v0: u64, mut v1: u64, mut v2: u64, mut v3: u64) -> (u64, u64, u64, u64) {
    v0 = v0.wrapping_add(v1);
    v1 = v1.rotate_left(13) ^ v0;
    v0 = v0.rotate_left(32);
    v2 = v2.wrapping_add(v3);
    v3 = v3.rotate_left(16) ^ v2;
    v0 = v0.wrapping_add(v3);
    v3 = v3.rotate_left(21) ^ v0;
    v2 = v2.wrapping_add(v1);
    v1 = v1.rotate_left(17) ^ v2;
    v2 = v2.rotate_left(32);
    (v0, v1, v2, v3)
}
