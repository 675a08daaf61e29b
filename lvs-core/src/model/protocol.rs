use std::fmt;
use std::str::FromStr;

use super::ModelError;

/// The transport protocol of a virtual service or a connection.
///
/// IPVS schedules TCP, UDP and SCTP. The kernel accepts any other number over netlink and keeps the service, which
/// then never matches a packet (`ip_vs_ctl.c`), so such numbers survive in [`Protocol::Other`]; build one with
/// [`Protocol::from_number`], which gives the named variants for 6, 17 and 132.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Protocol {
    /// TCP (6).
    Tcp,
    /// UDP (17).
    Udp,
    /// SCTP (132).
    Sctp,
    /// Any other number.
    Other(u16),
}

impl Protocol {
    /// The IANA protocol number.
    pub const fn number(self) -> u16 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
            Self::Other(number) => number,
        }
    }

    /// The protocol with that number.
    pub const fn from_number(number: u16) -> Self {
        match number {
            6 => Self::Tcp,
            17 => Self::Udp,
            132 => Self::Sctp,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp => f.write_str("tcp"),
            Self::Udp => f.write_str("udp"),
            Self::Sctp => f.write_str("sctp"),
            Self::Other(number) => write!(f, "protocol-{number}"),
        }
    }
}

impl FromStr for Protocol {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Ok(Self::Sctp),
            other => other
                .strip_prefix("protocol-")
                .and_then(|number| number.parse().ok())
                .map(Self::from_number)
                .ok_or_else(|| ModelError::Unknown { what: "protocol", text: text.to_owned() }),
        }
    }
}
