//! The kernel's language: bytes, attributes and the model, for the generic netlink family `IPVS`.
//!
//! Pure: no I/O, no unsafe code, no allocation for an attribute, and total: any bytes give a value or an error, never a
//! panic. Both sides of a conversation are here. A client writes requests and reads replies; the kernel's side, which
//! the embedded director plays, reads requests with the kernel's own leniency and writes replies in the kernel's order,
//! byte for byte.
//!
//! | module | holds | request: write, read | reply: write, read |
//! |---|---|---|---|
//! | [`message`] | netlink and generic headers, acknowledgements | [`message::Header`], [`request::Request`] | [`message::write_ack`], [`message::Message::answer`] |
//! | [`service`] | SERVICE | [`service::write`], [`service::read_request`] | [`service::write_entry`], [`service::read_entry`] |
//! | [`destination`] | DEST | [`destination::write`], [`destination::read_request`] | [`destination::write_entry`], [`destination::read_entry`] |
//! | [`stats`] | STATS, STATS64 | | [`stats::write`], [`stats::read`] |
//! | [`daemon`] | DAEMON | [`daemon::write`], [`daemon::read_request`] | [`daemon::write_entry`], [`daemon::read_entry`] |
//! | [`config`] | timeouts | [`config::write`], [`request::Request`] | [`config::write`], [`config::read`] |
//! | [`info`] | version | | [`info::write`], [`info::read`] |
//! | [`family`] | the controller | [`family::write_request`], [`family::read_request`] | [`family::write_reply`], [`family::read_reply`] |
//! | [`anatomy`] | every attribute as a typed value that keeps its bytes | | |
//! | [`sockopt`] | the old socket options, which are another language | | |
//!
//! What a reply holds and this crate does not know is skipped by the readers of the model and kept by [`anatomy`].
//!
//! No netlink crate is used here. Their attribute types allocate for each attribute or parse three to four times
//! slower, their reader of the controller's reply fails on attributes it does not know, and none reads the
//! extended acknowledgement; what remained to take from them is a 16- and a 4-byte header.
//!
//! ```
//! use lvs_core::model::{Service, ServiceKey};
//! use lvs_core::wire::message::{Command, Header, Messages, finish};
//! use lvs_core::wire::{request::Request, service, uapi::NLM_F_REQUEST};
//!
//! // The client's side: add a service.
//! let wanted = Service::new(ServiceKey::tcp("192.0.2.1", 80)?);
//! let mut datagram = Vec::new();
//! let header = Header { kind: 33, flags: NLM_F_REQUEST, sequence: 1, ..Header::default() };
//! let start = header.begin_command(&mut datagram, Command::NewService);
//! service::write(&mut datagram, &wanted);
//! finish(&mut datagram, start);
//!
//! // The kernel's side.
//! let message = Messages::new(&datagram).next().expect("one message");
//! let request = Request::read(&message).expect("well formed");
//! let read = service::read_request(request.service, true).expect("complete");
//! assert_eq!(request.command, Command::NewService);
//! assert_eq!(read.key, wanted.key());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod anatomy;
pub mod attr;
pub mod config;
pub mod daemon;
pub mod destination;
pub mod family;
pub mod info;
pub mod message;
mod policy;
pub mod request;
pub mod service;
pub mod sockopt;
pub mod stats;
pub mod uapi;

/// Bytes of a director that make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end too early.
    #[error("the director's answer is cut short: {what}")]
    Truncated {
        /// In what.
        what: &'static str,
    },
    /// What has to be there is not.
    #[error("the director's answer has a {object} without {attribute}")]
    Missing {
        /// In what.
        object: &'static str,
        /// The attribute, by the kernel's name.
        attribute: &'static str,
    },
    /// A value that no director sends.
    #[error("the director's answer has a {object} with {what}")]
    Invalid {
        /// In what.
        object: &'static str,
        /// The value.
        what: &'static str,
    },
    /// An answer to another question.
    #[error("the director's answer has no {what}")]
    Unexpected {
        /// What was expected.
        what: &'static str,
    },
}

impl WireError {
    pub(crate) const fn truncated(what: &'static str) -> Self {
        Self::Truncated { what }
    }

    pub(crate) const fn missing(object: &'static str, attribute: &'static str) -> Self {
        Self::Missing { object, attribute }
    }

    pub(crate) const fn invalid(object: &'static str, what: &'static str) -> Self {
        Self::Invalid { object, what }
    }
}
