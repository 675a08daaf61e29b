//! Kinds of attributes: how a value stands in a payload, and what the kernel's policy accepts in a
//! request.

use netlink_packet_core::NLA_F_NESTED;

use super::attr::{Attributes, align};
use super::stats;
use crate::model::{ForwardingMethod, Stats, TunnelFlags, TunnelKind, Version};

/// What the kernel accepts of an attribute in a request (`lib/nlattr.c`, `validate_nla()`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: what the policies of IPVS use.
pub enum Policy {
    /// Anything: the kernel's policy has no entry for it.
    Any,
    /// At least this many bytes.
    AtLeast(usize),
    /// At most this many bytes (`NLA_BINARY`).
    AtMost(usize),
    /// Text of at most this many bytes that ends in a NUL byte (`NLA_NUL_STRING`).
    Text(usize),
    /// A nest (`NLA_NESTED`): empty, or at least one attribute's header.
    Nest,
}

impl Policy {
    /// Whether the kernel accepts such a payload.
    pub fn accepts(self, payload: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::AtLeast(size) => payload.len() >= size,
            Self::AtMost(size) => payload.len() <= size,
            Self::Text(max) => {
                let text = payload.strip_suffix(&[0]).unwrap_or(payload);
                payload[..payload.len().min(max + 1)].contains(&0) && text.len() <= max
            }
            Self::Nest => payload.is_empty() || payload.len() >= 4,
        }
    }
}

/// A kind of attribute.
pub trait Kind<'a> {
    /// What the payload means.
    type Value: Copy;
    /// Bytes of the payload as the kernel sends it, if they are always as many.
    const SIZE: Option<usize>;
    /// What the kernel accepts in a request.
    const POLICY: Policy;

    /// Reads a payload, `nested` as the header has it. Longer than needed is tolerated, as the
    /// kernel does.
    fn read(payload: &'a [u8], nested: bool) -> Option<Self::Value>;

    /// Zero if a payload of [`Kind::SIZE`] bytes is laid out as the kernel does it: what
    /// [`Kind::read_fixed`] relies on.
    #[inline(always)]
    fn differences(_: &[u8]) -> u32 {
        0
    }

    /// Reads a payload of [`Kind::SIZE`] bytes without [`Kind::differences`].
    #[inline(always)]
    fn read_fixed(payload: &'a [u8]) -> Option<Self::Value> {
        Self::read(payload, false)
    }

    /// Bytes of the payload of a value.
    fn size(value: &Self::Value) -> usize;

    /// Fills a payload of [`Kind::size`] bytes.
    fn write(value: &Self::Value, payload: &mut [u8]);

    /// Flag bits of the header.
    fn flags(_: &Self::Value) -> u16 {
        0
    }
}

macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident: $value:ty = $size:literal bytes, $from:expr, $to:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Kind<'_> for $name {
            type Value = $value;
            const SIZE: Option<usize> = Some($size);
            const POLICY: Policy = Policy::AtLeast($size);

            #[inline(always)]
            fn read(payload: &[u8], _: bool) -> Option<$value> {
                payload.first_chunk::<$size>().copied().map($from)
            }

            #[inline(always)]
            fn size(_: &$value) -> usize {
                $size
            }

            #[inline(always)]
            fn write(value: &$value, payload: &mut [u8]) {
                payload.copy_from_slice(&$to(*value));
            }
        }
    )*};
}

fixed! {
    /// A number.
    U8: u8 = 1 bytes, u8::from_ne_bytes, u8::to_ne_bytes;
    /// A number in host order.
    U16: u16 = 2 bytes, u16::from_ne_bytes, u16::to_ne_bytes;
    /// A number in network order.
    Be16: u16 = 2 bytes, u16::from_be_bytes, u16::to_be_bytes;
    /// A number in host order.
    U32: u32 = 4 bytes, u32::from_ne_bytes, u32::to_ne_bytes;
    /// A number in host order.
    U64: u64 = 8 bytes, u64::from_ne_bytes, u64::to_ne_bytes;
    /// Four bytes.
    Bytes4: [u8; 4] = 4 bytes, std::convert::identity, std::convert::identity;
    /// Sixteen bytes.
    Bytes16: [u8; 16] = 16 bytes, std::convert::identity, std::convert::identity;
}

/// Up to `N` bytes; fewer are filled up with zeros, more are nothing.
#[derive(Debug, Clone, Copy)]
pub struct UpTo<const N: usize>;

/// An address: 16 bytes, the last twelve zero for IPv4.
pub type Address = UpTo<16>;
/// Two numbers in host order: flags, and which of them count.
pub type FlagsAndMask = UpTo<8>;

impl<const N: usize> Kind<'_> for UpTo<N> {
    type Value = [u8; N];
    const SIZE: Option<usize> = Some(N);
    const POLICY: Policy = Policy::AtMost(N);

    #[inline(always)]
    fn read(payload: &[u8], _: bool) -> Option<[u8; N]> {
        if let Ok(whole) = payload.try_into() {
            return Some(whole);
        }
        let mut bytes = [0; N];
        bytes.get_mut(..payload.len())?.copy_from_slice(payload);
        Some(bytes)
    }

    #[inline(always)]
    fn size(_: &[u8; N]) -> usize {
        N
    }

    #[inline(always)]
    fn write(value: &[u8; N], payload: &mut [u8]) {
        payload.copy_from_slice(value);
    }
}

/// Any bytes.
#[derive(Debug, Clone, Copy)]
pub struct Bytes;

impl<'a> Kind<'a> for Bytes {
    type Value = &'a [u8];
    const SIZE: Option<usize> = None;
    const POLICY: Policy = Policy::Any;

    fn read(payload: &'a [u8], _: bool) -> Option<&'a [u8]> {
        Some(payload)
    }

    fn size(value: &&'a [u8]) -> usize {
        value.len()
    }

    fn write(value: &&'a [u8], payload: &mut [u8]) {
        payload.copy_from_slice(value);
    }
}

/// Text with its NUL byte, of at most `MAX` bytes without.
#[derive(Debug, Clone, Copy)]
pub struct Text<const MAX: usize>;

/// The bytes in front of the first NUL byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: nothing is known of them.
pub struct TextBytes<'a>(pub &'a [u8]);

impl<'a> TextBytes<'a> {
    /// The text, if it is UTF-8.
    pub const fn as_str(self) -> Option<&'a str> {
        match std::str::from_utf8(self.0) {
            Ok(text) => Some(text),
            Err(_) => None,
        }
    }
}

impl<'a, const MAX: usize> Kind<'a> for Text<MAX> {
    type Value = TextBytes<'a>;
    const SIZE: Option<usize> = None;
    const POLICY: Policy = Policy::Text(MAX);

    #[inline]
    fn read(payload: &'a [u8], _: bool) -> Option<TextBytes<'a>> {
        let end = payload.iter().position(|byte| *byte == 0).unwrap_or(payload.len());
        Some(TextBytes(&payload[..end]))
    }

    #[inline]
    fn size(value: &TextBytes<'a>) -> usize {
        value.0.len() + 1
    }

    #[inline]
    fn write(value: &TextBytes<'a>, payload: &mut [u8]) {
        let (text, nul) = payload.split_at_mut(value.0.len());
        text.copy_from_slice(value.0);
        nul.fill(0);
    }
}

/// A nest of attributes.
#[derive(Debug, Clone, Copy)]
pub struct Nest;

/// The attributes of a nest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: a pair with names.
pub struct Nested<'a> {
    /// Whether the nest is marked as one (`NLA_F_NESTED`): libnl does so in requests, the kernel
    /// does not in IPVS replies.
    pub marked: bool,
    /// The attributes inside.
    pub attributes: Attributes<'a>,
}

impl<'a> Kind<'a> for Nest {
    type Value = Nested<'a>;
    const SIZE: Option<usize> = None;
    const POLICY: Policy = Policy::Nest;

    #[inline]
    fn read(payload: &'a [u8], nested: bool) -> Option<Nested<'a>> {
        Some(Nested { marked: nested, attributes: Attributes::new(payload) })
    }

    fn size(value: &Nested<'a>) -> usize {
        value.attributes.rest().len()
    }

    fn write(value: &Nested<'a>, payload: &mut [u8]) {
        payload.copy_from_slice(value.attributes.rest());
    }

    fn flags(value: &Nested<'a>) -> u16 {
        if value.marked { NLA_F_NESTED } else { 0 }
    }
}

/// A nest of statistics, as it stands in a message or to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: a message's or the model's.
pub enum Statistics<'a> {
    /// The nest of a message.
    Nested(Nested<'a>),
    /// The nest of a message, 32 bits wide, whose layout was checked.
    Fixed32(&'a [u8]),
    /// The nest of a message, 64 bits wide, whose layout was checked.
    Fixed64(&'a [u8]),
    /// Values of the model.
    Values(&'a Stats),
}

impl Statistics<'_> {
    /// The values.
    #[inline(always)]
    pub fn values(self) -> Stats {
        match self {
            Self::Nested(nest) => stats::read(nest.attributes),
            Self::Fixed32(bytes) => stats::read32(bytes),
            Self::Fixed64(bytes) => stats::read64(bytes),
            Self::Values(values) => *values,
        }
    }
}

macro_rules! statistics {
    ($($(#[$doc:meta])* $name:ident / $fixed:ident: $size:expr, $policy:expr, $differences:path, $write:path;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl<'a> Kind<'a> for $name {
            type Value = Statistics<'a>;
            const SIZE: Option<usize> = Some($size);
            const POLICY: Policy = $policy;

            #[inline]
            fn read(payload: &'a [u8], nested: bool) -> Option<Statistics<'a>> {
                Nest::read(payload, nested).map(Statistics::Nested)
            }

            #[inline(always)]
            fn differences(payload: &[u8]) -> u32 {
                $differences(payload)
            }

            #[inline(always)]
            fn read_fixed(payload: &'a [u8]) -> Option<Statistics<'a>> {
                Some(Statistics::$fixed(payload))
            }

            #[inline]
            fn size(value: &Statistics<'a>) -> usize {
                match value {
                    Statistics::Nested(nest) => Nest::size(nest),
                    Statistics::Fixed32(_) | Statistics::Fixed64(_) | Statistics::Values(_) => $size,
                }
            }

            #[inline]
            fn write(value: &Statistics<'a>, payload: &mut [u8]) {
                match value {
                    Statistics::Nested(nest) => Nest::write(nest, payload),
                    Statistics::Fixed32(bytes) | Statistics::Fixed64(bytes) => payload.copy_from_slice(bytes),
                    Statistics::Values(values) => $write(values, payload),
                }
            }

            fn flags(value: &Statistics<'a>) -> u16 {
                match value {
                    Statistics::Nested(nest) => Nest::flags(nest),
                    Statistics::Fixed32(_) | Statistics::Fixed64(_) | Statistics::Values(_) => 0,
                }
            }
        }
    )*};
}

statistics! {
    /// Statistics of 32 bits but for the bytes.
    Stats32 / Fixed32: stats::SIZE32, Policy::Nest, stats::differences32, stats::write32;
    /// Statistics of 64 bits. The kernel's policy has no entry for them.
    Stats64 / Fixed64: stats::SIZE64, Policy::Any, stats::differences64, stats::write64;
}

/// A field of the model that is the value of an attribute.
pub(crate) trait Field<'a, V>: Sized {
    fn decode(value: V) -> Self;

    /// The value to write; nothing where the attribute is left out.
    fn encode(&'a self) -> Option<V>;
}

macro_rules! fields {
    ($($model:ty = $wire:ty: $decode:expr, $encode:expr;)*) => {$(
        impl Field<'_, $wire> for $model {
            #[inline(always)]
            fn decode(value: $wire) -> Self {
                $decode(value)
            }

            #[inline(always)]
            fn encode(&self) -> Option<$wire> {
                $encode(*self)
            }
        }
    )*};
}

fields! {
    u8 = u8: std::convert::identity, Some;
    u16 = u16: std::convert::identity, Some;
    u32 = u32: std::convert::identity, Some;
    u64 = u64: std::convert::identity, Some;
    Option<u8> = u8: Some, std::convert::identity;
    Option<u16> = u16: Some, std::convert::identity;
    Option<u32> = u32: Some, std::convert::identity;
    ForwardingMethod = u32: Self::from_number, |method: Self| Some(method.number().into());
    TunnelKind = u8: Self::from_number, |kind: Self| Some(kind.number());
    TunnelFlags = u16: Self::from_bits, |flags: Self| Some(flags.bits());
    Version = u32: Self::from_number, |version: Self| Some(version.number());
}

impl<'a> Field<'a, Statistics<'a>> for Option<Stats> {
    #[inline(always)]
    fn decode(value: Statistics<'a>) -> Self {
        Some(value.values())
    }

    #[inline(always)]
    fn encode(&'a self) -> Option<Statistics<'a>> {
        self.as_ref().map(Statistics::Values)
    }
}

/// Bytes of an attribute with header and padding.
#[inline(always)]
pub(crate) fn room<'a, K: Kind<'a>>(value: &K::Value) -> usize {
    4 + align(K::size(value))
}

/// Writes an attribute in front of a buffer; gives back the rest of the buffer.
#[inline(always)]
pub(crate) fn put<'b, 'a, K: Kind<'a>>(buffer: &'b mut [u8], number: u16, value: &K::Value) -> &'b mut [u8] {
    let size = K::size(value);
    let (attribute, rest) = buffer.split_at_mut(4 + align(size));
    // Longer ones do not occur: names are short, and nests come from messages, where a `u16` had
    // their lengths.
    let length = u16::try_from(4 + size).unwrap_or(u16::MAX);
    attribute[..2].copy_from_slice(&length.to_ne_bytes());
    attribute[2..4].copy_from_slice(&(number | K::flags(value)).to_ne_bytes());
    attribute[4 + size..].fill(0);
    K::write(value, &mut attribute[4..4 + size]);
    rest
}
