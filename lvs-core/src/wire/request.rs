//! Requests as the kernel's side reads them.

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NetlinkHeader};

use super::attr::Attribute;
use super::kind::Policy;
use super::message::{Command, ExtendedAck, HEADER_SIZE, Message};
use super::top::TopFields;
use super::top::numbers::{IPVS_CMD_ATTR_DAEMON, IPVS_CMD_ATTR_DEST, IPVS_CMD_ATTR_SERVICE};
use crate::errno::Errno;
use crate::model::Timeouts;

/// A request as the kernel's side sees it: the nests found, not yet read.
///
/// The kernel looks at the service before it looks at the destination, and answers `ESRCH` for an
/// absent service even when the destination is invalid; so each nest is read when its turn comes,
/// with [`service::read_request`](super::service::read_request) and its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedRequest<'a> {
    /// The header.
    pub header: NetlinkHeader,
    /// What is asked for.
    pub command: Command,
    /// The SERVICE nest.
    pub service: Option<Attribute<'a>>,
    /// The DEST nest.
    pub destination: Option<Attribute<'a>>,
    /// The DAEMON nest.
    pub daemon: Option<Attribute<'a>>,
    /// The timeouts; 0 for those that are absent.
    pub timeouts: Timeouts,
}

/// An errno and the explanation that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: what an error message carries.
pub struct Rejection {
    /// The errno.
    pub errno: Errno,
    /// The extended acknowledgement, empty for most.
    pub extended: ExtendedAck<'static>,
}

impl From<Errno> for Rejection {
    fn from(errno: Errno) -> Self {
        Self { errno, extended: ExtendedAck::default() }
    }
}

impl<'a> ReceivedRequest<'a> {
    /// Whether a dump is asked for: both bits of `NLM_F_DUMP`.
    pub const fn is_dump(&self) -> bool {
        self.header.flags & NLM_F_DUMP == NLM_F_DUMP
    }

    /// Whether success is to be acknowledged. A dump never is.
    pub const fn wants_ack(&self) -> bool {
        self.header.flags & NLM_F_ACK != 0
    }

    /// Reads a message of the IPVS family.
    ///
    /// # Errors
    /// What the kernel answers before IPVS sees the request (`genetlink.c`): `EINVAL` when it is
    /// too short, `EOPNOTSUPP` for a command or kind of request that the family does not have,
    /// `ERANGE` or `EINVAL`, with an explanation, when an attribute at the top breaks the policy.
    pub fn read(message: &Message<'a>) -> Result<Self, Rejection> {
        let (command, attributes) = message.command().map_err(|_| Errno::EINVAL)?;
        let dump = message.header.flags & NLM_F_DUMP == NLM_F_DUMP;
        let known = match command {
            Command::GetService => true,
            Command::GetDest | Command::GetDaemon => dump,
            Command::SetInfo | Command::Other(_) => false,
            _ => !dump,
        };
        if !known {
            return Err(Errno::EOPNOTSUPP.into());
        }
        // A dump's attributes are not validated (`GENL_DONT_VALIDATE_DUMP`).
        if !dump && let Err(attribute) = TopFields::read_request(attributes) {
            return Err(policy_rejection(message, attribute));
        }
        let last = |number| attributes.filter(|attribute| attribute.number() == number).last();
        Ok(Self {
            header: message.header,
            command,
            service: last(IPVS_CMD_ATTR_SERVICE),
            destination: last(IPVS_CMD_ATTR_DEST),
            daemon: last(IPVS_CMD_ATTR_DAEMON),
            timeouts: TopFields::read(attributes).to_timeouts(),
        })
    }
}

/// How the kernel describes the policy that was broken (`net/netlink/policy.c`): attribute 1 is the
/// type (13 a nest, 4 a `u32`), 4 and 5 are the least and the largest value.
#[cfg(target_endian = "little")]
const NEST_POLICY: [u8; 8] = [8, 0, 1, 0, 13, 0, 0, 0];
#[cfg(target_endian = "big")]
const NEST_POLICY: [u8; 8] = [0, 8, 0, 1, 0, 0, 0, 13];
#[cfg(target_endian = "little")]
const U32_POLICY: [u8; 32] =
    [12, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 5, 0, 255, 255, 255, 255, 0, 0, 0, 0, 8, 0, 1, 0, 4, 0, 0, 0];
#[cfg(target_endian = "big")]
const U32_POLICY: [u8; 32] =
    [0, 12, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 5, 0, 0, 0, 0, 255, 255, 255, 255, 0, 8, 0, 1, 0, 0, 0, 4];

fn policy_rejection(message: &Message<'_>, attribute: Attribute<'_>) -> Rejection {
    // Where the attribute's header starts, counted from the message's.
    let offset = (attribute.payload.as_ptr() as usize)
        .saturating_sub(message.payload.as_ptr() as usize)
        .saturating_sub(4)
        .saturating_add(HEADER_SIZE);
    let policy: &'static [u8] = match TopFields::policy(attribute.number()) {
        Policy::Nest => &NEST_POLICY,
        _ => &U32_POLICY,
    };
    let extended = ExtendedAck {
        message: Some("Attribute failed policy validation"),
        offset: u32::try_from(offset).ok(),
        policy: Some(policy),
        ..ExtendedAck::default()
    };
    Rejection { errno: Errno::ERANGE, extended }
}
