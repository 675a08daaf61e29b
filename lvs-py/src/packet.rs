//! Packets for the embedded director, and what becomes of them.

use std::net::SocketAddr;

use lvs_core::embedded::{Flow, FlowProtocol, Packet, Payload, SctpChunk, TcpFlags, Verdict};
use lvs_core::model::Protocol;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;

use crate::args::choice;
use crate::convert;
use crate::destination::{DestinationKeyArg, PyDestinationKey};
use crate::errors::invalid;
use crate::schema::schema_methods;

/// What the embedded director does with a packet, and why.
#[pyclass(name = "Verdict", module = "lvs_py", frozen, eq, hash)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyVerdict(pub(crate) Verdict);

#[pymethods]
impl PyVerdict {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("action", "destination").into_py_any(py)
    }

    /// "forwarded", "bypassed", "rejected", "passed" or "dropped".
    #[getter]
    const fn action(&self) -> &'static str {
        match self.0 {
            Verdict::Forwarded(_) => "forwarded",
            Verdict::Bypassed => "bypassed",
            Verdict::Rejected(_) => "rejected",
            Verdict::Passed(_) => "passed",
            Verdict::Dropped(_) => "dropped",
        }
    }

    /// The destination, None if the packet goes to none; of a reply the one that sent it.
    #[getter]
    fn destination(&self) -> Option<PyDestinationKey> {
        self.0.destination().map(PyDestinationKey)
    }

    /// How it gets there, None if it goes to no destination.
    #[getter]
    fn forwarding<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self.0 {
            Verdict::Forwarded(forwarding) => {
                convert::member(convert::forwarding_class(py)?, forwarding.method.number()).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// ForwardReason, in words: "the scheduler chose it", "no service matches".
    #[getter]
    fn reason(&self) -> String {
        match &self.0 {
            Verdict::Forwarded(forwarding) => forwarding.reason.to_string(),
            Verdict::Bypassed => "no destination is available".to_owned(),
            Verdict::Rejected(reason) => reason.to_string(),
            Verdict::Passed(reason) => reason.to_string(),
            Verdict::Dropped(reason) => reason.to_string(),
        }
    }

    /// Whether the packet goes on, to a destination or past them.
    fn __bool__(&self) -> bool {
        self.0.is_forwarded()
    }

    /// A sentence: "to 198.51.100.7:80 (direct): the scheduler chose it".
    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Verdict {}>", self.0)
    }
}

schema_methods!(PyVerdict, "Verdict" as Verdict, |value| &value.0, |read| Ok(Self(read)));

fn socket(key: &DestinationKeyArg) -> SocketAddr {
    (key.0.addr, key.0.port).into()
}

/// TCP flags by their letters: "S", "SA", "A", "FA", "R".
fn tcp_flags(py: Python<'_>, letters: &str) -> PyResult<TcpFlags> {
    letters.chars().try_fold(TcpFlags(0), |flags, letter| match letter.to_ascii_uppercase() {
        'F' => Ok(flags | TcpFlags::FIN),
        'S' => Ok(flags | TcpFlags::SYN),
        'R' => Ok(flags | TcpFlags::RST),
        'P' => Ok(flags | TcpFlags::PSH),
        'A' | '.' => Ok(flags | TcpFlags::ACK),
        other => Err(invalid(py, format!("{other:?} is no TCP flag: F, S, R, P or A"))),
    })
}

fn chunk(py: Python<'_>, name: &str) -> PyResult<SctpChunk> {
    let choices = [
        ("data", SctpChunk::Data),
        ("init", SctpChunk::Init),
        ("init-ack", SctpChunk::InitAck),
        ("cookie-echo", SctpChunk::CookieEcho),
        ("cookie-ack", SctpChunk::CookieAck),
        ("shutdown", SctpChunk::Shutdown),
        ("shutdown-ack", SctpChunk::ShutdownAck),
        ("shutdown-complete", SctpChunk::ShutdownComplete),
        ("error", SctpChunk::Error),
        ("abort", SctpChunk::Abort),
    ];
    choice(py, &name.to_ascii_lowercase().replace('_', "-"), "is no SCTP chunk", &choices)
}

/// What a packet is made of.
pub(crate) struct PacketArgs<'a, 'py> {
    pub(crate) source: DestinationKeyArg,
    pub(crate) destination: DestinationKeyArg,
    pub(crate) protocol: &'a Bound<'py, PyAny>,
    pub(crate) flags: Option<&'a str>,
    pub(crate) from_server: bool,
    pub(crate) mark: u32,
    pub(crate) length: Option<u32>,
    pub(crate) icmp_error: bool,
    pub(crate) tracked: Option<bool>,
}

impl PacketArgs<'_, '_> {
    pub(crate) fn packet(self) -> PyResult<Packet> {
        let py = self.protocol.py();
        let number = |protocol: Protocol| u8::try_from(protocol.number()).map_err(|_| invalid(py, "not a protocol"));
        let payload = match convert::protocol(self.protocol)? {
            about if self.icmp_error => Payload::IcmpError(number(about)?),
            Protocol::Tcp => Payload::Tcp(tcp_flags(py, self.flags.unwrap_or("S"))?),
            Protocol::Udp => Payload::Udp,
            Protocol::Sctp => Payload::Sctp(chunk(py, self.flags.unwrap_or("init"))?),
            other => Payload::Other(number(other)?),
        };
        let mut packet = Packet::new(socket(&self.source), socket(&self.destination), payload).with_mark(self.mark);
        if self.from_server {
            packet = packet.from_server();
        }
        packet.tracked = self.tracked;
        Ok(match self.length {
            Some(length) => packet.with_length(length),
            None => packet,
        })
    }
}

/// A conversation of a client with a service.
pub(crate) fn flow(
    client: &DestinationKeyArg,
    target: &DestinationKeyArg,
    protocol: &Bound<'_, PyAny>,
    mark: u32,
) -> PyResult<Flow> {
    let kind = match convert::protocol(protocol)? {
        Protocol::Tcp => FlowProtocol::Tcp,
        Protocol::Udp => FlowProtocol::Udp,
        Protocol::Sctp => FlowProtocol::Sctp,
        _ => return Err(invalid(protocol.py(), "a conversation is of tcp, udp or sctp")),
    };
    let mut flow = Flow::new(kind, socket(client), socket(target));
    flow.mark = mark;
    Ok(flow)
}
