use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::named::{Named, text_by_name};

/// IPv4 or IPv6.
// Exhaustive: IPVS knows no other family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AddressFamily {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl AddressFamily {
    /// The family of an address.
    pub const fn of(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// The kernel's number: 2 or 10 (`AF_INET`, `AF_INET6` of Linux, on every platform).
    pub const fn number(self) -> u16 {
        match self {
            Self::Ipv4 => 2,
            Self::Ipv6 => 10,
        }
    }

    /// The family with that number, if it is one of the two.
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            2 => Some(Self::Ipv4),
            10 => Some(Self::Ipv6),
            _ => None,
        }
    }

    /// The all-zero address of this family.
    pub const fn unspecified(self) -> IpAddr {
        match self {
            Self::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }
}

impl Named for AddressFamily {
    const WHAT: &'static str = "an address family";
    const NAMES: &'static [(Self, &'static str)] = &[(Self::Ipv4, "ipv4"), (Self::Ipv6, "ipv6")];
    const ALIASES: &'static [(&'static str, Self)] = &[
        ("inet", Self::Ipv4),
        ("ip4", Self::Ipv4),
        ("v4", Self::Ipv4),
        ("4", Self::Ipv4),
        ("inet6", Self::Ipv6),
        ("ip6", Self::Ipv6),
        ("v6", Self::Ipv6),
        ("6", Self::Ipv6),
    ];
}

text_by_name!(AddressFamily);

impl From<IpAddr> for AddressFamily {
    fn from(addr: IpAddr) -> Self {
        Self::of(addr)
    }
}
