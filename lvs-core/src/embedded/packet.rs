use std::net::SocketAddr;
use std::ops::BitOr;

/// Flags of a TCP segment, as in its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// The sender has finished.
    pub const FIN: Self = Self(0x01);
    /// The sender opens.
    pub const SYN: Self = Self(0x02);
    /// Reset.
    pub const RST: Self = Self(0x04);
    /// Push; it decides nothing.
    pub const PSH: Self = Self(0x08);
    /// Acknowledgement.
    pub const ACK: Self = Self(0x10);

    /// Whether all of `other`'s bits are set.
    #[inline]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for TcpFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The chunk of an SCTP packet that decides: the first one, or an ABORT right behind a COOKIE-ECHO
/// or COOKIE-ACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: the rows of the kernel's table.
pub enum SctpChunk {
    /// DATA, SACK, HEARTBEAT and every other that is not named here.
    Data,
    /// INIT.
    Init,
    /// INIT-ACK.
    InitAck,
    /// COOKIE-ECHO.
    CookieEcho,
    /// COOKIE-ACK.
    CookieAck,
    /// SHUTDOWN.
    Shutdown,
    /// SHUTDOWN-ACK.
    ShutdownAck,
    /// SHUTDOWN-COMPLETE.
    ShutdownComplete,
    /// ERROR.
    Error,
    /// ABORT.
    Abort,
}

impl SctpChunk {
    /// All of them, in the order of the kernel's table.
    pub const ALL: [Self; 10] = [
        Self::Data,
        Self::Init,
        Self::InitAck,
        Self::CookieEcho,
        Self::CookieAck,
        Self::Shutdown,
        Self::ShutdownAck,
        Self::ShutdownComplete,
        Self::Error,
        Self::Abort,
    ];
}

/// What a packet carries, as far as it decides something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Payload {
    /// A TCP segment.
    Tcp(TcpFlags),
    /// A UDP datagram.
    Udp,
    /// An SCTP packet.
    Sctp(SctpChunk),
    /// An ICMP error about a packet of the other side of this conversation, by the IANA number of
    /// what that one carried. Addresses and ports are those of the conversation, as a packet that
    /// goes the error's way has them: an error from anywhere between the service and a client about
    /// an answer to the client has the client as its source and the service as its destination.
    IcmpError(u8),
    /// Any other protocol, by its IANA number. IPsec (50, 51) follows the key exchange on UDP port
    /// 500; the rest is none of the director's.
    Other(u8),
}

impl Payload {
    /// The IANA number of the protocol; of an error that of what it is about.
    pub const fn protocol(self) -> u8 {
        match self {
            Self::Tcp(_) => 6,
            Self::Udp => 17,
            Self::Sctp(_) => 132,
            Self::IcmpError(number) | Self::Other(number) => number,
        }
    }
}

/// Where a packet comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
// Exhaustive: there are two sides.
pub enum Direction {
    /// From a client to a virtual service.
    FromClient,
    /// From a real server to a client, passing the director.
    FromServer,
}

/// A packet, described by what decides about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Packet {
    /// Where it comes from.
    pub direction: Direction,
    /// Its source, as the director receives it: the client, or the real server.
    pub source: SocketAddr,
    /// Its destination, as the director receives it: the virtual service, or the client.
    pub destination: SocketAddr,
    /// What it carries.
    pub payload: Payload,
    /// Its firewall mark, 0 for none.
    pub mark: u32,
    /// Its length in bytes, IP header included. It only counts.
    pub length: u32,
    /// Whether it belongs to a connection that netfilter tracks and has confirmed. Without it the
    /// director judges by what it knows: [`Settings::conntrack`](super::Settings::conntrack).
    pub tracked: Option<bool>,
}

impl Packet {
    /// A packet from a client, of the smallest length that its headers allow.
    pub const fn new(source: SocketAddr, destination: SocketAddr, payload: Payload) -> Self {
        let ip = if source.is_ipv4() { 20 } else { 40 };
        let rest = match payload {
            Payload::Tcp(_) => 20,
            Payload::Udp => 8,
            Payload::Sctp(_) => 16,
            // Its header, and of the packet that it is about the IP header and eight bytes.
            Payload::IcmpError(_) => 8 + ip + 8,
            Payload::Other(_) => 0,
        };
        let length = ip + rest;
        Self { direction: Direction::FromClient, source, destination, payload, mark: 0, length, tracked: None }
    }

    /// A TCP segment from a client.
    pub const fn tcp(client: SocketAddr, service: SocketAddr, flags: TcpFlags) -> Self {
        Self::new(client, service, Payload::Tcp(flags))
    }

    /// A UDP datagram from a client.
    pub const fn udp(client: SocketAddr, service: SocketAddr) -> Self {
        Self::new(client, service, Payload::Udp)
    }

    /// An SCTP packet from a client.
    pub const fn sctp(client: SocketAddr, service: SocketAddr, chunk: SctpChunk) -> Self {
        Self::new(client, service, Payload::Sctp(chunk))
    }

    /// An ICMP error from a client, or from a router on the way to it, about an answer of the
    /// service over a protocol.
    pub const fn icmp_error(client: SocketAddr, service: SocketAddr, protocol: u8) -> Self {
        Self::new(client, service, Payload::IcmpError(protocol))
    }

    /// The same coming from a real server.
    #[must_use]
    pub const fn from_server(mut self) -> Self {
        self.direction = Direction::FromServer;
        self
    }

    /// The same with a firewall mark.
    #[must_use]
    pub const fn with_mark(mut self, mark: u32) -> Self {
        self.mark = mark;
        self
    }

    /// The same, known to belong to a confirmed connection of netfilter's, or known not to.
    #[must_use]
    pub const fn with_tracking(mut self, tracked: bool) -> Self {
        self.tracked = Some(tracked);
        self
    }

    /// The same of another length, in bytes, IP header included.
    #[must_use]
    pub const fn with_length(mut self, bytes: u32) -> Self {
        self.length = bytes;
        self
    }
}
