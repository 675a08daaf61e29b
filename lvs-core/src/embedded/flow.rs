use std::net::SocketAddr;

use super::{EmbeddedDirector, Packet, Payload, SctpChunk, TcpFlags, Verdict};
use crate::model::ForwardingMethod;

/// A client's conversation with a virtual service, for those who don't care for single packets.
///
/// ```
/// use lvs_core::embedded::{EmbeddedDirector, Flow};
/// use lvs_core::model::{Destination, Service, ServiceKey};
/// use lvs_core::Director;
///
/// let mut director = EmbeddedDirector::new();
/// let web = ServiceKey::tcp("192.0.2.1", 80)?;
/// director.add_service(&Service::new(web))?;
/// director.add_destination(&web, &Destination::new("198.51.100.7".parse()?, 80))?;
///
/// let flow = Flow::tcp("203.0.113.9:40000".parse()?, "192.0.2.1:80".parse()?);
/// let verdict = director.open(&flow);
/// assert_eq!(verdict.to_string(), "to 198.51.100.7:80 (direct): the scheduler chose it");
/// assert_eq!(director.destinations(&web)?[0].active, 1);
/// director.close(&flow);
/// assert_eq!((director.destinations(&web)?[0].active, director.destinations(&web)?[0].inactive), (0, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Flow {
    /// The client.
    pub client: SocketAddr,
    /// What the client asks for.
    pub service: SocketAddr,
    /// The protocol.
    pub protocol: FlowProtocol,
    /// The firewall mark of the client's packets, 0 for none.
    pub mark: u32,
}

/// The protocols that are scheduled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: the kernel's three.
pub enum FlowProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Flow {
    /// A conversation over any of the protocols.
    pub const fn new(protocol: FlowProtocol, client: SocketAddr, service: SocketAddr) -> Self {
        Self { client, service, protocol, mark: 0 }
    }

    /// A TCP connection.
    pub const fn tcp(client: SocketAddr, service: SocketAddr) -> Self {
        Self::new(FlowProtocol::Tcp, client, service)
    }

    /// An exchange of UDP datagrams.
    pub const fn udp(client: SocketAddr, service: SocketAddr) -> Self {
        Self::new(FlowProtocol::Udp, client, service)
    }

    /// An SCTP association.
    pub const fn sctp(client: SocketAddr, service: SocketAddr) -> Self {
        Self::new(FlowProtocol::Sctp, client, service)
    }

    /// The same with a firewall mark on the client's packets.
    #[must_use]
    pub const fn with_mark(mut self, mark: u32) -> Self {
        self.mark = mark;
        self
    }

    const fn packet(&self, payload: Payload) -> Packet {
        Packet::new(self.client, self.service, payload).with_mark(self.mark)
    }
}

const SYN_ACK: TcpFlags = TcpFlags(TcpFlags::SYN.0 | TcpFlags::ACK.0);
const FIN_ACK: TcpFlags = TcpFlags(TcpFlags::FIN.0 | TcpFlags::ACK.0);

impl EmbeddedDirector {
    /// Opens a conversation: the handshake of TCP or SCTP, one datagram of UDP. Returns what became
    /// of its first packet.
    ///
    /// Where replies pass the director (masquerading) it sees both sides' packets, else the
    /// client's alone.
    pub fn open(&mut self, flow: &Flow) -> Verdict {
        match flow.protocol {
            FlowProtocol::Tcp => {
                let client = [TcpFlags::SYN, TcpFlags::ACK].map(Payload::Tcp);
                self.converse(flow, client, Payload::Tcp(SYN_ACK))
            }
            FlowProtocol::Udp => self.receive(&flow.packet(Payload::Udp)),
            FlowProtocol::Sctp => {
                let verdict = self.converse(
                    flow,
                    [SctpChunk::Init, SctpChunk::CookieEcho].map(Payload::Sctp),
                    Payload::Sctp(SctpChunk::InitAck),
                );
                self.reply(flow, &verdict, Payload::Sctp(SctpChunk::CookieAck));
                verdict
            }
        }
    }

    /// Closes a conversation, the client first. UDP has no end but its timeout.
    pub fn close(&mut self, flow: &Flow) {
        let _ = match flow.protocol {
            FlowProtocol::Tcp => {
                let client = [FIN_ACK, TcpFlags::ACK].map(Payload::Tcp);
                self.converse(flow, client, Payload::Tcp(FIN_ACK))
            }
            FlowProtocol::Udp => return,
            FlowProtocol::Sctp => {
                let client = [SctpChunk::Shutdown, SctpChunk::ShutdownComplete].map(Payload::Sctp);
                self.converse(flow, client, Payload::Sctp(SctpChunk::ShutdownAck))
            }
        };
    }

    /// One more packet of a conversation.
    pub fn send(&mut self, flow: &Flow, bytes: u32) -> Verdict {
        let payload = match flow.protocol {
            FlowProtocol::Tcp => Payload::Tcp(TcpFlags::ACK),
            FlowProtocol::Udp => Payload::Udp,
            FlowProtocol::Sctp => Payload::Sctp(SctpChunk::Data),
        };
        self.receive(&flow.packet(payload).with_length(bytes))
    }

    /// The client's first packet, the server's answer, the client's second packet.
    fn converse(&mut self, flow: &Flow, client: [Payload; 2], server: Payload) -> Verdict {
        let [first, second] = client;
        let verdict = self.receive(&flow.packet(first));
        if verdict.is_forwarded() {
            self.reply(flow, &verdict, server);
            let _ = self.receive(&flow.packet(second));
        }
        verdict
    }

    /// The real server's packet, if it passes the director.
    fn reply(&mut self, flow: &Flow, verdict: &Verdict, payload: Payload) {
        if let Verdict::Forwarded(forwarding) = verdict
            && forwarding.method == ForwardingMethod::Masquerade
        {
            let server = SocketAddr::new(forwarding.destination.addr, forwarding.port);
            let _ = self.receive(&Packet::new(server, flow.client, payload).from_server());
        }
    }
}
