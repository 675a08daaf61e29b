//! The kernel's language: bytes, attributes and the model, for the generic netlink family `IPVS`.
//!
//! **Unstable**: public with the feature `unstable-wire` alone, and free to change in any release.
//!
//! Pure: no I/O, no unsafe code, no allocation for an attribute, and total: any bytes give a value
//! or an error, never a panic. Both sides of a conversation are here. A client writes requests and
//! reads replies; the kernel's side, which the embedded director plays, reads requests with the
//! kernel's own leniency and writes replies in the kernel's order, byte for byte.
//!
//! | module | holds |
//! |---|---|
//! | [`payload`] | requests and replies as values of the model, payloads of `netlink_packet_generic::GenlMessage` |
//! | [`message`] | messages of a datagram, commands, answers, acknowledgements |
//! | [`request`] | requests as the kernel's side reads them |
//! | [`service`], [`destination`], [`stats`], [`daemon`], [`top`], [`info`] | the tables of attributes, and what reads them |
//! | [`kind`] | kinds of attributes, and what the kernel accepts of each |
//! | [`family`] | the controller |
//! | [`sockopt`] | the old socket options, which have structs of their own |
//!
//! Headers, attributes and the controller's requests are those of `netlink-packet-core` and
//! `netlink-packet-generic`. Each attribute is one row of a table; constant, reader, writer, the
//! kernel's policy, the typed view and the layout that the fast path of a dump expects follow from
//! it (see `table`). That fast path is the only place where attributes are not read one by one: a
//! dump is mostly destinations of one layout, and reading them through the crates' parser takes
//! three to four times as long. Attributes that this crate does not know are skipped by the readers
//! of the model and kept by the typed view.
//!
#![cfg_attr(feature = "unstable-wire", doc = "```")]
#![cfg_attr(not(feature = "unstable-wire"), doc = "```ignore")]
//! use lvs_core::director::Operation;
//! use lvs_core::model::{Service, ServiceKey};
//! use lvs_core::wire::message::{Command, Messages, write, header};
//! use lvs_core::wire::payload::Request;
//! use lvs_core::wire::request::ReceivedRequest;
//! use lvs_core::wire::{service, uapi::NLM_F_REQUEST};
//!
//! // The client's side: add a service.
//! let add = Operation::AddService(Service::new(ServiceKey::tcp("192.0.2.1", 80)?));
//! let mut datagram = Vec::new();
//! write(&mut datagram, header(33, NLM_F_REQUEST, 1), Request::Operation(&add));
//!
//! // The kernel's side.
//! let message = Messages::new(&datagram).next().expect("one message");
//! let request = ReceivedRequest::read(&message).expect("a valid request");
//! let read = service::read_request(request.service, true).expect("a complete service");
//! assert_eq!(request.command, Command::NewService);
//! assert_eq!(read.key.to_string(), "tcp://192.0.2.1:80");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod ack;
pub mod attr;
pub mod daemon;
pub mod destination;
pub mod family;
pub mod info;
pub mod kind;
pub mod message;
pub mod payload;
pub mod request;
pub mod service;
pub mod sockopt;
pub mod stats;
mod table;
pub mod top;
pub mod uapi;

pub use crate::decode::DecodeError;

impl DecodeError {
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
