use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Not};

/// The flag bits of a virtual service (`IP_VS_SVC_F_*` of `<linux/ip_vs.h>`).
///
/// Bits that this crate does not know are kept as they are. The kernel's own bookkeeping bit
/// ([`ServiceFlags::HASHED`]) is removed where a reply is decoded, so that flags read back compare equal to flags set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ServiceFlags(u32);

impl ServiceFlags {
    /// No flag.
    pub const EMPTY: Self = Self(0);
    /// Connections of one client network stick to one destination.
    pub const PERSISTENT: Self = Self(0x1);
    /// The kernel's bookkeeping: the service is in its table.
    pub const HASHED: Self = Self(0x2);
    /// Every UDP datagram is scheduled by itself.
    pub const ONE_PACKET: Self = Self(0x4);
    /// First scheduler flag: `sh-fallback` of sh, `mh-fallback` of mh.
    pub const SCHED1: Self = Self(0x8);
    /// Second scheduler flag: `sh-port` of sh, `mh-port` of mh.
    pub const SCHED2: Self = Self(0x10);
    /// Third scheduler flag: unused by the kernel's schedulers.
    pub const SCHED3: Self = Self(0x20);
    /// The three scheduler flags.
    pub const SCHED_ALL: Self = Self(0x38);

    /// The flags with these bits, known or not.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `other`'s bits are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags and `other`'s.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These flags without `other`'s.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bits that have no name here.
    pub const fn unknown(self) -> Self {
        Self(self.0 & !0x3f)
    }
}

impl BitOr for ServiceFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

impl BitOrAssign for ServiceFlags {
    fn bitor_assign(&mut self, other: Self) {
        *self = self.with(other);
    }
}

impl BitAnd for ServiceFlags {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for ServiceFlags {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl fmt::Display for ServiceFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
