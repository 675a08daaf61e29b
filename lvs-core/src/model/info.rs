use std::fmt;
use std::str::FromStr;

use super::ModelError;
use super::named::serde_as_text;

/// The version that a director reports. The kernel's has been 1.2.1 for years and does not tell the
/// kernel's release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: three numbers in a u32 (`NVERSION` of <linux/ip_vs.h>).
pub struct Version {
    /// Major number.
    pub major: u16,
    /// Minor number.
    pub minor: u8,
    /// Patch level.
    pub patch: u8,
}

impl Version {
    /// From the kernel's number, `major << 16 | minor << 8 | patch`.
    pub const fn from_number(number: u32) -> Self {
        Self { major: (number >> 16) as u16, minor: (number >> 8) as u8, patch: number as u8 }
    }

    /// The kernel's number.
    pub const fn number(self) -> u32 {
        (self.major as u32) << 16 | (self.minor as u32) << 8 | self.patch as u32
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for Version {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let mut parts = text.split('.');
        let mut next = || parts.next()?.parse::<u16>().ok();
        let version = next().zip(next()).zip(next()).and_then(|((major, minor), patch)| {
            Some(Self { major, minor: minor.try_into().ok()?, patch: patch.try_into().ok()? })
        });
        version.filter(|_| parts.next().is_none()).ok_or_else(|| ModelError::Unknown {
            what: "a version of IPVS",
            text: text.to_owned(),
            expected: "three numbers such as 1.2.1".to_owned(),
        })
    }
}

serde_as_text!(Version);

/// What a director says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Info {
    /// The version of IPVS.
    pub version: Version,
    /// Buckets of the connection table.
    pub connection_table_size: u32,
}

impl Info {
    /// From its parts.
    pub const fn new(version: Version, connection_table_size: u32) -> Self {
        Self { version, connection_table_size }
    }
}

/// IPVS 1.2.1 with 4096 buckets, the kernel's defaults.
impl Default for Info {
    fn default() -> Self {
        Self::new(Version { major: 1, minor: 2, patch: 1 }, 4096)
    }
}
