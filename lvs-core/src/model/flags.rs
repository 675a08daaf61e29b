use std::fmt;

use super::ModelError;
use super::named::{one_of, same};
use crate::schedulers;

/// A set of flag bits: the methods, operators and text forms that all such types share.
macro_rules! flag_set {
    ($name:ident, $bits:ty, $what:literal) => {
        impl $name {
            /// No flag.
            pub const EMPTY: Self = Self(0);

            /// The flags with these bits, known or not.
            pub const fn from_bits(bits: $bits) -> Self {
                Self(bits)
            }

            /// The bits.
            pub const fn bits(self) -> $bits {
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
            pub fn unknown(self) -> Self {
                Self::NAMES.iter().fold(self, |rest, (flag, _)| rest.without(*flag))
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                self.with(other)
            }
        }

        impl std::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                *self = self.with(other);
            }
        }

        impl std::ops::BitAnd for $name {
            type Output = Self;
            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }

        impl std::ops::Not for $name {
            type Output = Self;
            fn not(self) -> Self {
                Self(!self.0)
            }
        }

        impl FromIterator<Self> for $name {
            fn from_iter<I: IntoIterator<Item = Self>>(flags: I) -> Self {
                flags.into_iter().fold(Self::EMPTY, Self::with)
            }
        }

        impl fmt::LowerHex for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::LowerHex::fmt(&self.0, f)
            }
        }

        /// The names with commas between them, bits without a name as one hexadecimal number;
        /// nothing if no bit is set.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut comma = "";
                for (flag, name) in Self::NAMES.iter().filter(|(flag, _)| self.contains(*flag)) {
                    let _ = flag;
                    write!(f, "{comma}{name}")?;
                    comma = ",";
                }
                match self.unknown() {
                    Self::EMPTY => Ok(()),
                    unknown => write!(f, "{comma}{unknown:#x}"),
                }
            }
        }

        /// Reads what [`Display`](fmt::Display) prints; `|` may stand for the comma.
        impl std::str::FromStr for $name {
            type Err = ModelError;

            fn from_str(text: &str) -> Result<Self, ModelError> {
                text.split([',', '|']).map(str::trim).filter(|name| !name.is_empty()).map(Self::one).collect()
            }
        }

        impl $name {
            /// The flag of one name, or the bits of a hexadecimal number.
            fn one(name: &str) -> Result<Self, ModelError> {
                if let Some((flag, _)) = Self::NAMES.iter().find(|(_, known)| same(known, name)) {
                    return Ok(*flag);
                }
                if let Some(flag) = Self::other(name) {
                    return Ok(flag);
                }
                let digits = name.strip_prefix("0x").filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                digits.and_then(|digits| <$bits>::from_str_radix(digits, 16).ok()).map(Self).ok_or_else(|| {
                    let names = Self::NAMES.iter().map(|(_, name)| *name);
                    let expected = one_of(names.chain(["bits such as 0x40"]));
                    ModelError::Unknown { what: $what, text: name.to_owned(), expected }
                })
            }
        }
    };
}

/// The flag bits of a virtual service (`IP_VS_SVC_F_*` of `<linux/ip_vs.h>`).
///
/// Bits that this crate does not know are kept as they are. The kernel's own bookkeeping bit
/// ([`ServiceFlags::HASHED`]) is removed where a reply is decoded, so that flags read back compare
/// equal to flags set.
///
/// ```
/// use lvs_core::model::ServiceFlags;
///
/// let flags: ServiceFlags = "persistent,sh-port".parse()?;
/// assert_eq!(flags, ServiceFlags::PERSISTENT | ServiceFlags::SCHED2);
/// assert_eq!(flags.to_string(), "persistent,flag-2");
/// assert_eq!(flags.names("sh").collect::<Vec<_>>(), ["persistent", "sh-port"]);
/// # Ok::<(), lvs_core::model::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ServiceFlags(u32);

impl ServiceFlags {
    /// Connections of one client network stick to one destination.
    pub const PERSISTENT: Self = Self(0x1);
    /// The kernel's bookkeeping: the service is in its table.
    pub const HASHED: Self = Self(0x2);
    /// Every UDP datagram is scheduled by itself.
    pub const ONE_PACKET: Self = Self(0x4);
    /// First scheduler flag; what it is called depends on the scheduler, see
    /// [`SchedulerInfo::flags`](schedulers::SchedulerInfo::flags).
    pub const SCHED1: Self = Self(0x8);
    /// Second scheduler flag.
    pub const SCHED2: Self = Self(0x10);
    /// Third scheduler flag: unused by the kernel's schedulers.
    pub const SCHED3: Self = Self(0x20);
    /// The three scheduler flags.
    pub const SCHED_ALL: Self = Self(0x38);

    /// The flags that have a name of their own, whatever the scheduler.
    pub const NAMES: &'static [(Self, &'static str)] = &[
        (Self::PERSISTENT, "persistent"),
        (Self::HASHED, "hashed"),
        (Self::ONE_PACKET, "one-packet"),
        (Self::SCHED1, "flag-1"),
        (Self::SCHED2, "flag-2"),
        (Self::SCHED3, "flag-3"),
    ];

    /// The name of a scheduler's flag, whose ever.
    fn other(name: &str) -> Option<Self> {
        schedulers::flag_by_name(name).map(|(bit, _)| Self(bit))
    }

    /// The names of the flags that are set, those of the scheduler among them, without bits that
    /// have no name.
    pub fn names(self, scheduler: &str) -> impl Iterator<Item = &'static str> {
        let mut own = None;
        Self::NAMES.iter().filter(move |(flag, _)| self.contains(*flag)).map(move |(flag, name)| {
            if !Self::SCHED_ALL.contains(*flag) {
                return *name;
            }
            let own = own.get_or_insert_with(|| schedulers::flag_names(scheduler));
            own[(flag.0 / Self::SCHED1.0).trailing_zeros() as usize]
        })
    }

    /// The scheduler flag of one name, for a service with this scheduler.
    ///
    /// # Errors
    /// [`ModelError::Unknown`] when the name is none, or that of another scheduler's flag.
    pub fn of_scheduler(name: &str, scheduler: &str) -> Result<Self, ModelError> {
        match schedulers::flag_by_name(name) {
            Some((bit, None)) => Ok(Self(bit)),
            Some((bit, Some(info))) if info.name == scheduler => Ok(Self(bit)),
            _ => Err(ModelError::Flag {
                scheduler: scheduler.to_owned(),
                flag: name.to_owned(),
                expected: one_of(schedulers::flag_names(scheduler).into_iter()),
            }),
        }
    }
}

flag_set!(ServiceFlags, u32, "a flag of a service");

/// Checksum flags of GUE and GRE tunnels (`IP_VS_TUNNEL_ENCAP_FLAG_*`); the kernel stores any 16
/// bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TunnelFlags(u16);

impl TunnelFlags {
    /// A checksum over the payload.
    pub const CHECKSUM: Self = Self(1);
    /// Remote checksum offload (GUE only).
    pub const REMOTE_CHECKSUM: Self = Self(2);

    /// The flags that have a name.
    pub const NAMES: &'static [(Self, &'static str)] =
        &[(Self::CHECKSUM, "checksum"), (Self::REMOTE_CHECKSUM, "remote-checksum")];

    const fn other(_: &str) -> Option<Self> {
        None
    }
}

flag_set!(TunnelFlags, u16, "a flag of a tunnel");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_they_are_printed() {
        for (flags, text) in [
            (ServiceFlags::EMPTY, ""),
            (ServiceFlags::PERSISTENT | ServiceFlags::SCHED2, "persistent,flag-2"),
            (ServiceFlags::from_bits(0xff), "persistent,hashed,one-packet,flag-1,flag-2,flag-3,0xc0"),
        ] {
            assert_eq!(flags.to_string(), text);
            assert_eq!(text.parse(), Ok(flags));
        }
        assert_eq!("checksum | 0x8".parse(), Ok(TunnelFlags::from_bits(9)));
        assert_eq!(
            "remcsum".parse::<TunnelFlags>().unwrap_err().to_string(),
            "\"remcsum\" is not a flag of a tunnel: expected checksum, remote-checksum or bits such as 0x40"
        );
    }

    #[test]
    fn a_flag_belongs_to_its_scheduler() {
        assert_eq!(ServiceFlags::of_scheduler("mh-port", "mh"), Ok(ServiceFlags::SCHED2));
        assert_eq!(ServiceFlags::of_scheduler("flag-2", "wrr"), Ok(ServiceFlags::SCHED2));
        assert_eq!(
            ServiceFlags::of_scheduler("mh-port", "wrr").unwrap_err().to_string(),
            "\"mh-port\" is not a flag of the scheduler wrr: expected flag-1, flag-2 or flag-3"
        );
    }
}
