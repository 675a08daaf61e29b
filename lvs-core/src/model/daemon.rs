use std::net::IpAddr;

use super::InterfaceName;
use super::named::{Named, text_by_name};

/// The part a sync daemon plays. A director can run one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: `IP_VS_STATE_MASTER` and `IP_VS_STATE_BACKUP`.
pub enum DaemonRole {
    /// Sends the connections.
    Master,
    /// Receives them.
    Backup,
}

impl DaemonRole {
    /// The kernel's number: 1 or 2.
    pub const fn number(self) -> u32 {
        match self {
            Self::Master => 1,
            Self::Backup => 2,
        }
    }

    /// The role with that number.
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Master),
            2 => Some(Self::Backup),
            _ => None,
        }
    }
}

impl Named for DaemonRole {
    const WHAT: &'static str = "a role of a sync daemon";
    const NAMES: &'static [(Self, &'static str)] = &[(Self::Master, "master"), (Self::Backup, "backup")];
}

text_by_name!(DaemonRole);

/// A connection synchronisation daemon. What is `None` is the kernel's default when started, and
/// filled in when read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Daemon {
    /// The part it plays.
    pub role: DaemonRole,
    /// The interface that carries the multicast.
    pub interface: InterfaceName,
    /// Which daemons belong together: 0..=255; a backup with 0 takes all.
    pub sync_id: u32,
    /// The longest payload of a message, in bytes; the kernel clamps it.
    pub max_len: Option<u16>,
    /// The multicast group, 224.0.0.81 by default.
    pub group: Option<IpAddr>,
    /// The UDP port, 8848 by default.
    pub port: Option<u16>,
    /// The multicast time to live, 1 by default.
    pub ttl: Option<u8>,
}

impl Daemon {
    /// A daemon with the kernel's defaults.
    pub const fn new(role: DaemonRole, interface: InterfaceName, sync_id: u32) -> Self {
        Self { role, interface, sync_id, max_len: None, group: None, port: None, ttl: None }
    }
}
