//! Requests as the kernel's side reads them.

use super::attr::Attribute;
use super::message::{Command, ExtendedAck, Header, Message};
use super::uapi::*;
use crate::errno::Errno;

/// A request as the kernel's side sees it: the nests found, not yet read.
///
/// The kernel looks at the service before it looks at the destination, and says `ESRCH` of an absent service even
/// when the destination makes no sense; so each nest is read when its turn comes, with
/// [`service::read_request`](super::service::read_request) and its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The header.
    pub header: Header,
    /// What is asked for.
    pub command: Command,
    /// The SERVICE nest.
    pub service: Option<Attribute<'a>>,
    /// The DEST nest.
    pub destination: Option<Attribute<'a>>,
    /// The DAEMON nest.
    pub daemon: Option<Attribute<'a>>,
    /// The timeouts for TCP, TCP after a FIN, and UDP.
    pub timeouts: [Option<u32>; 3],
}

/// An errno and the words that go with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: what an error message carries.
pub struct Refusal {
    /// The errno.
    pub errno: Errno,
    /// The extended acknowledgement, empty for most.
    pub extended: ExtendedAck<'static>,
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self { errno, extended: ExtendedAck::default() }
    }
}

impl<'a> Request<'a> {
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
    /// What the kernel answers before IPVS sees the request (`genetlink.c`): `EINVAL` when it is too short, `EOPNOTSUPP`
    /// for a command or kind of request that the family does not have, `ERANGE` or `EINVAL`, with words, when an
    /// attribute at the top breaks the policy.
    pub fn read(message: &Message<'a>) -> Result<Self, Refusal> {
        let (command, attributes) = message.command().map_err(|_| Errno::EINVAL)?;
        let mut request = Self {
            header: message.header,
            command,
            service: None,
            destination: None,
            daemon: None,
            timeouts: [None; 3],
        };
        let dump = request.is_dump();
        let known = match command {
            Command::GetService => true,
            Command::GetDest | Command::GetDaemon => dump,
            Command::SetInfo | Command::Other(_) => false,
            _ => !dump,
        };
        if !known {
            return Err(Errno::EOPNOTSUPP.into());
        }
        for attribute in attributes {
            let slot = match attribute.number() {
                IPVS_CMD_ATTR_SERVICE => &mut request.service,
                IPVS_CMD_ATTR_DEST => &mut request.destination,
                IPVS_CMD_ATTR_DAEMON => &mut request.daemon,
                number @ IPVS_CMD_ATTR_TIMEOUT_TCP..=IPVS_CMD_ATTR_TIMEOUT_UDP => {
                    let value = attribute.u32();
                    if value.is_none() && !dump {
                        return Err(policy_refusal(message, attribute, &U32_POLICY));
                    }
                    request.timeouts[usize::from(number - IPVS_CMD_ATTR_TIMEOUT_TCP)] = value;
                    continue;
                }
                _ => continue,
            };
            // A dump's attributes are not validated (`GENL_DONT_VALIDATE_DUMP`).
            if !dump && !super::policy::is_nest(attribute.payload) {
                return Err(policy_refusal(message, attribute, &NEST_POLICY));
            }
            *slot = Some(attribute);
        }
        Ok(request)
    }
}

/// How the kernel describes the policy that was broken (`net/netlink/policy.c`): attribute 1 is the type (13 a nest, 4 a
/// `u32`), 4 and 5 are the least and the largest value.
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

fn policy_refusal(message: &Message<'_>, attribute: Attribute<'_>, policy: &'static [u8]) -> Refusal {
    // Where the attribute's header starts, counted from the message's.
    let offset = (attribute.payload.as_ptr() as usize)
        .saturating_sub(message.payload.as_ptr() as usize)
        .saturating_sub(4)
        .saturating_add(Header::SIZE);
    let extended = ExtendedAck {
        message: Some("Attribute failed policy validation"),
        offset: u32::try_from(offset).ok(),
        policy: Some(policy),
        ..ExtendedAck::default()
    };
    Refusal { errno: Errno::ERANGE, extended }
}
