//! Attributes: a header of four bytes, a payload, padding to four bytes.

use super::uapi::{NLA_F_NESTED, NLA_TYPE_MASK};
use crate::model::AddressFamily;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One attribute as it stands in a message, borrowed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
// Exhaustive: the two parts of every netlink attribute.
pub struct Attribute<'a> {
    /// Number and flag bits, as sent.
    pub kind: u16,
    /// What follows the four-byte header, without the padding.
    pub payload: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// An attribute without flag bits.
    pub const fn new(number: u16, payload: &'a [u8]) -> Self {
        Self { kind: number, payload }
    }

    /// The attribute's number, without the flag bits.
    #[inline]
    pub const fn number(&self) -> u16 {
        self.kind & NLA_TYPE_MASK
    }

    /// The attributes inside, if this is a nest.
    #[inline]
    pub const fn nested(&self) -> Attributes<'a> {
        Attributes::new(self.payload)
    }

    #[inline]
    fn first<const N: usize>(&self) -> Option<[u8; N]> {
        self.payload.first_chunk().copied()
    }

    /// The first byte.
    #[inline]
    pub fn u8(&self) -> Option<u8> {
        self.payload.first().copied()
    }

    /// The first two bytes in host order. Longer is tolerated, as the kernel does.
    #[inline]
    pub fn u16(&self) -> Option<u16> {
        self.first().map(u16::from_ne_bytes)
    }

    /// The first two bytes in network order.
    #[inline]
    pub fn be16(&self) -> Option<u16> {
        self.first().map(u16::from_be_bytes)
    }

    /// The first four bytes in host order.
    #[inline]
    pub fn u32(&self) -> Option<u32> {
        self.first().map(u32::from_ne_bytes)
    }

    /// The first four bytes as they stand.
    #[inline]
    pub fn bytes4(&self) -> Option<[u8; 4]> {
        self.first()
    }

    /// The first eight bytes in host order.
    #[inline]
    pub fn u64(&self) -> Option<u64> {
        self.first().map(u64::from_ne_bytes)
    }

    /// Text up to the first NUL byte, if it is UTF-8.
    #[inline]
    pub fn text(&self) -> Option<&'a str> {
        let end = self.payload.iter().position(|byte| *byte == 0).unwrap_or(self.payload.len());
        std::str::from_utf8(&self.payload[..end]).ok()
    }

    /// An address of a family: the first bytes of up to 16, missing ones zero; none above 16.
    #[inline]
    pub fn address(&self, family: AddressFamily) -> Option<IpAddr> {
        let mut bytes = [0; 16];
        bytes.get_mut(..self.payload.len())?.copy_from_slice(self.payload);
        Some(match family {
            AddressFamily::Ipv4 => IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])),
            AddressFamily::Ipv6 => IpAddr::V6(Ipv6Addr::from(bytes)),
        })
    }

    /// Appends it, with header and padding.
    pub fn write(&self, buf: &mut Vec<u8>) {
        put(buf, self.kind, self.payload);
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.kind)?;
        self.payload.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The attributes of a message or nest, one after the other.
///
/// Total: ends at the first header that does not fit, as the kernel's own walk does; [`Attributes::rest`] is then
/// what was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The attributes in these bytes.
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes not walked yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    #[inline]
    fn next(&mut self) -> Option<Attribute<'a>> {
        let [a, b, c, d] = *self.rest.first_chunk()?;
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let payload = self.rest.get(4..length)?;
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        Some(Attribute { kind: u16::from_ne_bytes([c, d]), payload })
    }
}

/// Rounded up to netlink's four bytes.
#[inline]
pub(crate) const fn align(length: usize) -> usize {
    (length + 3) & !3
}

/// The header of an attribute as one number, for comparing.
#[inline]
pub(crate) const fn header(length: u16, kind: u16) -> u32 {
    let ([a, b], [c, d]) = (length.to_ne_bytes(), kind.to_ne_bytes());
    u32::from_ne_bytes([a, b, c, d])
}

/// The four bytes at a place as one number; zero, which is no header, where there are none.
#[inline]
pub(crate) fn header_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}

/// Appends an attribute. A payload that no attribute can hold (above 65531 bytes) is a mistake of this crate.
#[inline]
pub(crate) fn put(buf: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    let length = u16::try_from(payload.len() + 4).expect("an attribute holds at most 65531 bytes");
    buf.extend_from_slice(&length.to_ne_bytes());
    buf.extend_from_slice(&kind.to_ne_bytes());
    buf.extend_from_slice(payload);
    buf.resize(align(buf.len()), 0);
}

#[inline]
pub(crate) fn put_u8(buf: &mut Vec<u8>, kind: u16, value: u8) {
    put4(buf, kind, 5, [value, 0, 0, 0]);
}

#[inline]
pub(crate) fn put_u16(buf: &mut Vec<u8>, kind: u16, value: u16) {
    let [a, b] = value.to_ne_bytes();
    put4(buf, kind, 6, [a, b, 0, 0]);
}

#[inline]
pub(crate) fn put_be16(buf: &mut Vec<u8>, kind: u16, value: u16) {
    let [a, b] = value.to_be_bytes();
    put4(buf, kind, 6, [a, b, 0, 0]);
}

#[inline]
pub(crate) fn put_u32(buf: &mut Vec<u8>, kind: u16, value: u32) {
    put4(buf, kind, 8, value.to_ne_bytes());
}

#[inline]
pub(crate) fn put_bytes4(buf: &mut Vec<u8>, kind: u16, value: [u8; 4]) {
    put4(buf, kind, 8, value);
}

#[inline]
fn put4(buf: &mut Vec<u8>, kind: u16, length: u16, value: [u8; 4]) {
    let ([a, b, c, d], [e, f, g, h]) = (header(length, kind).to_ne_bytes(), value);
    buf.extend_from_slice(&[a, b, c, d, e, f, g, h]);
}

#[inline]
pub(crate) fn put_u64(buf: &mut Vec<u8>, kind: u16, value: u64) {
    put_bytes8(buf, kind, value.to_ne_bytes());
}

/// Appends text with its NUL byte.
#[inline]
pub(crate) fn put_text(buf: &mut Vec<u8>, kind: u16, text: &str) {
    // Names of the model fit; so one copy does.
    let mut bytes = [0; 24];
    let Some(place) = bytes.get_mut(4..4 + text.len()).filter(|_| text.len() < 20) else {
        return put_long_text(buf, kind, text);
    };
    place.copy_from_slice(text.as_bytes());
    bytes[..4].copy_from_slice(&header(text.len() as u16 + 5, kind).to_ne_bytes());
    buf.extend_from_slice(&bytes[..align(text.len() + 5)]);
}

fn put_long_text(buf: &mut Vec<u8>, kind: u16, text: &str) {
    let length = u16::try_from(text.len() + 5).expect("a name is short");
    buf.extend_from_slice(&header(length, kind).to_ne_bytes());
    buf.extend_from_slice(text.as_bytes());
    buf.push(0);
    buf.resize(align(buf.len()), 0);
}

/// Appends an address in 16 bytes, the last twelve zero for IPv4, as the kernel does.
#[inline]
pub(crate) fn put_address(buf: &mut Vec<u8>, kind: u16, addr: IpAddr) {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&header(20, kind).to_ne_bytes());
    match addr {
        IpAddr::V4(addr) => bytes[4..8].copy_from_slice(&addr.octets()),
        IpAddr::V6(addr) => bytes[4..].copy_from_slice(&addr.octets()),
    }
    buf.extend_from_slice(&bytes);
}

/// Appends eight bytes as they stand.
#[inline]
pub(crate) fn put_bytes8(buf: &mut Vec<u8>, kind: u16, value: [u8; 8]) {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&header(12, kind).to_ne_bytes());
    bytes[4..].copy_from_slice(&value);
    buf.extend_from_slice(&bytes);
}

/// Opens a nest; [`close`] with what this returns.
#[inline]
pub(crate) fn open(buf: &mut Vec<u8>, kind: u16) -> usize {
    let start = buf.len();
    buf.extend_from_slice(&header(4, kind).to_ne_bytes());
    start
}

/// Opens a nest and marks it as one: what libnl does for requests, and the kernel does not for IPVS replies.
#[inline]
pub(crate) fn open_marked(buf: &mut Vec<u8>, kind: u16) -> usize {
    open(buf, kind | NLA_F_NESTED)
}

#[inline]
pub(crate) fn close(buf: &mut [u8], start: usize) {
    let length = u16::try_from(buf.len() - start).expect("a nest holds at most 65531 bytes");
    buf[start..start + 2].copy_from_slice(&length.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_ends_where_the_kernel_s_would() {
        // Length 3 is below a header, length 9 above what is there; one stray byte is no attribute.
        for bytes in [&[3, 0, 1, 0][..], &[9, 0, 1, 0, 1, 2, 3, 4], &[0]] {
            let mut walk = Attributes::new(bytes);
            assert_eq!(walk.next(), None);
            assert_eq!(walk.rest(), bytes);
        }
    }

    #[test]
    fn the_last_attribute_may_lack_its_padding() {
        let length = 5u16.to_ne_bytes();
        let number = 7u16.to_ne_bytes();
        let bytes = [length[0], length[1], number[0], number[1], 0xab];
        let mut walk = Attributes::new(&bytes);
        assert_eq!(walk.next(), Some(Attribute::new(7, &[0xab])));
        assert_eq!(walk.next(), None);
        assert!(walk.rest().is_empty());
    }

    #[test]
    fn text_of_every_length_is_padded_to_four_bytes() {
        for length in 0..40 {
            let text = "x".repeat(length);
            let mut buf = Vec::new();
            put_text(&mut buf, 6, &text);
            assert_eq!(buf.len(), align(length + 5));
            let attribute = Attributes::new(&buf).next().unwrap();
            assert_eq!((attribute.payload.len(), attribute.text()), (length + 1, Some(text.as_str())));
        }
    }

    #[test]
    fn a_short_address_is_filled_with_zeros() {
        let four = Attribute::new(3, &[192, 0, 2, 1]);
        assert_eq!(four.address(AddressFamily::Ipv4), Some("192.0.2.1".parse().unwrap()));
        assert_eq!(Attribute::new(3, &[0x20, 1]).address(AddressFamily::Ipv6), Some("2001::".parse().unwrap()));
        assert_eq!(Attribute::new(3, &[0; 17]).address(AddressFamily::Ipv6), None);
    }
}
