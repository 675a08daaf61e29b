use std::fmt;

use crate::model::{DestinationKey, ForwardingMethod};

/// Why a packet goes to its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ForwardReason {
    /// Its connection is in the table.
    Connection,
    /// It opens a connection, and a persistence template says where to.
    Template,
    /// It opens a connection, and the scheduler chose.
    Scheduled,
    /// It is a real server's reply.
    Reply,
}

/// Where a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Forwarding {
    /// The destination; of a reply the one that sent it.
    pub destination: DestinationKey,
    /// The port that the real server sees under masquerading. Otherwise the kernel stores and shows
    /// it, but does not change the packet.
    pub port: u16,
    /// How it gets there.
    pub method: ForwardingMethod,
    /// Why it goes there.
    pub reason: ForwardReason,
}

/// Why the director passes a packet on to the rest of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum PassReason {
    /// No service of its address family exists, so the director has no hook that would see it.
    NoHook,
    /// Its protocol is none that is scheduled.
    Protocol,
    /// No service matches it.
    NoService,
    /// It has no connection and may not open one: no SYN, no INIT.
    NotOpening,
    /// Its source port is 20: active FTP data comes from a server.
    FtpDataPort,
    /// It came to a port-21 service's address for another port that the service does not handle.
    OtherPort,
    /// A backup sync daemon runs, and `backup_only` is set.
    BackupOnly,
    /// A reply without a connection.
    NoReply,
}

/// Why a client is rejected with ICMP port unreachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum RejectReason {
    /// The scheduler found no destination for it: none there, all quiesced or overloaded.
    NoDestination,
    /// The service has no scheduler.
    NoScheduler,
    /// The service has port 0 and is not persistent.
    PortZero,
}

/// Why a packet is dropped, without an answer to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum DropReason {
    /// The destination of its connection was removed.
    DestinationRemoved,
    /// `drop_packet`.
    Defence,
    /// The connection table has as many entries as `conn_max` allows.
    ConnectionLimit,
    /// It would be scheduled again, but netfilter still tracks the connection that it belonged to.
    /// That one ends; the client's next attempt gets through.
    Tracked,
}

/// What the director does with a packet, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(into = "Record", from = "Record"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[must_use]
// Exhaustive: what a netfilter hook can say.
pub enum Verdict {
    /// It goes to a destination, or as that one's reply to the client.
    Forwarded(Forwarding),
    /// It goes where it was addressed to, past the real servers (`cache_bypass`).
    Bypassed,
    /// The client is rejected with ICMP port unreachable.
    Rejected(RejectReason),
    /// It passes on to the rest of the system, as if there were no director.
    Passed(PassReason),
    /// It is dropped.
    Dropped(DropReason),
}

/// A verdict as serde has it:
/// `{"action": "forwarded", "destination": KEY, "forwarding": "direct", "reason": "scheduled", …}`.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
enum Record {
    Forwarded {
        destination: DestinationKey,
        /// The port that the real server sees under masquerading.
        port: u16,
        forwarding: ForwardingMethod,
        reason: ForwardReason,
    },
    Bypassed {},
    Rejected {
        reason: RejectReason,
    },
    Passed {
        reason: PassReason,
    },
    Dropped {
        reason: DropReason,
    },
}

#[cfg(feature = "serde")]
impl From<Verdict> for Record {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Forwarded(Forwarding { destination, port, method, reason }) => {
                Self::Forwarded { destination, port, forwarding: method, reason }
            }
            Verdict::Bypassed => Self::Bypassed {},
            Verdict::Rejected(reason) => Self::Rejected { reason },
            Verdict::Passed(reason) => Self::Passed { reason },
            Verdict::Dropped(reason) => Self::Dropped { reason },
        }
    }
}

#[cfg(feature = "serde")]
impl From<Record> for Verdict {
    fn from(record: Record) -> Self {
        match record {
            Record::Forwarded { destination, port, forwarding, reason } => {
                Self::Forwarded(Forwarding { destination, port, method: forwarding, reason })
            }
            Record::Bypassed {} => Self::Bypassed,
            Record::Rejected { reason } => Self::Rejected(reason),
            Record::Passed { reason } => Self::Passed(reason),
            Record::Dropped { reason } => Self::Dropped(reason),
        }
    }
}

impl Verdict {
    /// The destination, if the packet goes to one.
    pub const fn destination(&self) -> Option<DestinationKey> {
        match self {
            Self::Forwarded(forwarding) => Some(forwarding.destination),
            _ => None,
        }
    }

    /// Whether the director forwards the packet, to a destination or past them.
    pub const fn is_forwarded(&self) -> bool {
        matches!(self, Self::Forwarded(_) | Self::Bypassed)
    }
}

impl fmt::Display for ForwardReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connection => "its connection is there",
            Self::Template => "the client is bound to it",
            Self::Scheduled => "the scheduler chose it",
            Self::Reply => "it is a reply",
        })
    }
}

impl fmt::Display for PassReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHook => "no service of its family exists",
            Self::Protocol => "its protocol is not scheduled",
            Self::NoService => "no service matches",
            Self::NotOpening => "it has no connection and cannot open one",
            Self::FtpDataPort => "it comes from port 20",
            Self::OtherPort => "the FTP service does not handle its port",
            Self::BackupOnly => "this director is a backup only",
            Self::NoReply => "it is a reply without a connection",
        })
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoDestination => "no destination can take it",
            Self::NoScheduler => "the service has no scheduler",
            Self::PortZero => "a service with port 0 must be persistent",
        })
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DestinationRemoved => "the destination of its connection was removed",
            Self::Defence => "the director defends itself",
            Self::ConnectionLimit => "the connection table is full",
            Self::Tracked => "its former connection is still tracked",
        })
    }
}

/// A sentence: `to 198.51.100.7:80 (direct): the scheduler chose it`.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forwarded(Forwarding { destination, method, reason: ForwardReason::Reply, .. }) => {
                write!(f, "from {destination} ({method}) to the client: {}", ForwardReason::Reply)
            }
            Self::Forwarded(Forwarding { destination, method, reason, .. }) => {
                write!(f, "to {destination} ({method}): {reason}")
            }
            Self::Bypassed => f.write_str("to where it was addressed, past the real servers"),
            Self::Rejected(reason) => write!(f, "rejected: {reason}"),
            Self::Passed(reason) => write!(f, "passed on: {reason}"),
            Self::Dropped(reason) => write!(f, "dropped: {reason}"),
        }
    }
}
