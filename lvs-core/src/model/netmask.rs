use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::named::serde_as_text;
use super::{AddressFamily, ModelError};

/// An IPv6 prefix length, 1..=128 (the kernel refuses others with `EINVAL`, `ip_vs_ctl.c`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "u32", into = "u32"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "u32"))]
pub struct PrefixLength(u8);

impl PrefixLength {
    /// The whole address: 128.
    pub const FULL: Self = Self(128);

    /// Checks a length.
    ///
    /// # Errors
    /// [`ModelError::PrefixLength`] outside 1..=128.
    pub const fn new(length: u32) -> Result<Self, ModelError> {
        if length >= 1 && length <= 128 {
            Ok(Self(length as u8))
        } else {
            Err(ModelError::PrefixLength { length, family: AddressFamily::Ipv6 })
        }
    }

    /// The length in bits.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u32> for PrefixLength {
    type Error = ModelError;
    fn try_from(length: u32) -> Result<Self, ModelError> {
        Self::new(length)
    }
}

impl From<PrefixLength> for u32 {
    fn from(length: PrefixLength) -> Self {
        Self::from(length.0)
    }
}

/// Which clients persistence counts as one: a mask for IPv4, a prefix length for IPv6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: there is one form for each family.
pub enum Netmask {
    /// An IPv4 mask; the kernel takes any 32 bits, contiguous or not.
    V4(Ipv4Addr),
    /// An IPv6 prefix length.
    V6(PrefixLength),
}

impl Netmask {
    /// The mask that tells every client from every other: 255.255.255.255 or 128.
    pub const fn full(family: AddressFamily) -> Self {
        match family {
            AddressFamily::Ipv4 => Self::V4(Ipv4Addr::BROADCAST),
            AddressFamily::Ipv6 => Self::V6(PrefixLength::FULL),
        }
    }

    /// The family the mask is for.
    pub const fn family(self) -> AddressFamily {
        match self {
            Self::V4(_) => AddressFamily::Ipv4,
            Self::V6(_) => AddressFamily::Ipv6,
        }
    }

    /// Whether it is the mask that tells every client from every other.
    pub fn is_full(self) -> bool {
        self == Self::full(self.family())
    }

    /// The client network of an address, or the address itself if it is of the other family.
    pub fn apply(self, addr: IpAddr) -> IpAddr {
        match (self, addr) {
            (Self::V4(mask), IpAddr::V4(addr)) => IpAddr::V4(Ipv4Addr::from_bits(addr.to_bits() & mask.to_bits())),
            (Self::V6(length), IpAddr::V6(addr)) => {
                let mask = u128::MAX << (128 - u32::from(length));
                IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits() & mask))
            }
            (_, addr) => addr,
        }
    }
}

/// Prints as `ipvsadm` does: dotted, or the bare length.
impl fmt::Display for Netmask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(mask) => mask.fmt(f),
            Self::V6(length) => length.0.fmt(f),
        }
    }
}

impl Netmask {
    /// The mask of a prefix length, for a family.
    ///
    /// # Errors
    /// [`ModelError::PrefixLength`] when it is outside 0..=32 (IPv4) or 1..=128 (IPv6).
    pub fn from_prefix(length: u32, family: AddressFamily) -> Result<Self, ModelError> {
        match family {
            AddressFamily::Ipv6 => PrefixLength::new(length).map(Self::V6),
            AddressFamily::Ipv4 if length <= 32 => {
                let bits = u32::MAX.checked_shl(32 - length).unwrap_or(0);
                Ok(Self::V4(Ipv4Addr::from_bits(bits)))
            }
            AddressFamily::Ipv4 => Err(ModelError::PrefixLength { length, family }),
        }
    }

    /// Reads a mask for a family: a prefix length, with or without a slash, or the dotted mask of
    /// IPv4.
    ///
    /// # Errors
    /// [`ModelError`] when the text is neither, or of the other family.
    pub fn parse(text: &str, family: AddressFamily) -> Result<Self, ModelError> {
        match text.strip_prefix('/').unwrap_or(text).parse() {
            Ok(length) => Self::from_prefix(length, family),
            Err(_) => text
                .parse::<Self>()
                .and_then(|mask| if mask.family() == family { Ok(mask) } else { Err(ModelError::NetmaskFamily) }),
        }
    }
}

/// Reads what [`Display`](fmt::Display) prints: a dotted mask of IPv4, or a prefix length of IPv6.
/// [`Netmask::parse`] knows the family and reads `24` for IPv4, too.
impl FromStr for Netmask {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        if let Ok(length) = text.strip_prefix('/').unwrap_or(text).parse() {
            return PrefixLength::new(length).map(Self::V6);
        }
        text.parse().map(Self::V4).map_err(|_| ModelError::Unknown {
            what: "a netmask",
            text: text.to_owned(),
            expected: "255.255.255.0 for IPv4, or a prefix length from 1 to 128 for IPv6".to_owned(),
        })
    }
}

impl From<Ipv4Addr> for Netmask {
    fn from(mask: Ipv4Addr) -> Self {
        Self::V4(mask)
    }
}

impl From<PrefixLength> for Netmask {
    fn from(length: PrefixLength) -> Self {
        Self::V6(length)
    }
}

serde_as_text!(Netmask);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_keeps_the_first_bits_of_a_client() {
        let mask = Netmask::V6(PrefixLength::new(64).unwrap());
        assert_eq!(mask.apply("2001:db8:1:2:3::4".parse().unwrap()), "2001:db8:1:2::".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn a_mask_with_holes_is_applied_bit_by_bit() {
        let mask = Netmask::V4(Ipv4Addr::new(255, 0, 255, 0));
        assert_eq!(mask.apply("192.0.2.77".parse().unwrap()), "192.0.2.0".parse::<IpAddr>().unwrap());
        assert_eq!(mask.apply("198.51.100.9".parse().unwrap()), "198.0.100.0".parse::<IpAddr>().unwrap());
    }
}
