//! Attributes: a header of four bytes, a payload, padding to four bytes.

use std::fmt;

use netlink_packet_core::{Emitable, NLA_F_NESTED, NLA_TYPE_MASK, Nla, NlaBuffer};

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

    /// Whether it is marked as a nest.
    #[inline]
    pub const fn is_marked(&self) -> bool {
        self.kind & NLA_F_NESTED != 0
    }

    /// The attributes inside, if this is a nest.
    #[inline]
    pub const fn nested(&self) -> Attributes<'a> {
        Attributes::new(self.payload)
    }

    /// Appends it, with header and padding.
    pub fn write(&self, buf: &mut Vec<u8>) {
        write(buf, self);
    }
}

impl Nla for Attribute<'_> {
    fn value_len(&self) -> usize {
        self.payload.len()
    }

    fn kind(&self) -> u16 {
        self.kind
    }

    fn emit_value(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(self.payload);
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
/// Total: ends at the first header that does not fit, as the kernel's own walk does;
/// [`Attributes::rest`] is then what was left, for which
/// [`NlasIterator`](netlink_packet_core::NlasIterator) has no equivalent.
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
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    #[inline]
    fn next(&mut self) -> Option<Attribute<'a>> {
        if self.rest.len() < 4 {
            return None;
        }
        // `NlaBuffer::new_checked` makes a `String` of what does not fit; here that is only the
        // end.
        let length = usize::from(NlaBuffer::new(self.rest).length());
        let payload = self.rest.get(4..length)?;
        let kind = u16::from_ne_bytes([self.rest[2], self.rest[3]]);
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        Some(Attribute { kind, payload })
    }
}

/// Bytes that are attributes already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: bytes.
pub struct Encoded<'a>(pub &'a [u8]);

impl Emitable for Encoded<'_> {
    fn buffer_len(&self) -> usize {
        self.0.len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer[..self.0.len()].copy_from_slice(self.0);
    }
}

/// Appends what can be emitted.
#[inline]
pub fn write(buf: &mut Vec<u8>, emitable: &impl Emitable) {
    let start = buf.len();
    buf.resize(start + emitable.buffer_len(), 0);
    emitable.emit(&mut buf[start..]);
}

/// Appends a nest.
pub(crate) fn write_nest(buf: &mut Vec<u8>, kind: u16, fields: &impl Emitable) {
    let start = buf.len();
    buf.extend_from_slice(&[0; 4]);
    write(buf, fields);
    let length = buf.len() - start;
    buf[start..start + 4].copy_from_slice(&header(length, kind).to_ne_bytes());
}

/// Rounded up to netlink's four bytes.
#[inline]
pub(crate) const fn align(length: usize) -> usize {
    (length + 3) & !3
}

/// The header of an attribute as one number, for comparing.
#[inline]
pub(crate) const fn header(length: usize, kind: u16) -> u32 {
    let ([a, b], [c, d]) = ((length as u16).to_ne_bytes(), kind.to_ne_bytes());
    u32::from_ne_bytes([a, b, c, d])
}

/// The four bytes at a place as one number; zero, which is no header, where there are none.
#[inline(always)]
pub(crate) fn header_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_ne_bytes(*bytes))
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
}
