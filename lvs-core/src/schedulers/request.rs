//! What a scheduler sees of the packet that needs a destination.

use std::net::{IpAddr, SocketAddr};

/// The packet that opens a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Request {
    /// Protocol number: 6 TCP, 17 UDP, 132 SCTP.
    pub protocol: u8,
    /// The client's address.
    pub client: IpAddr,
    /// The client's port.
    pub client_port: u16,
    /// The address that the client asked for: the virtual service's, or any if the service is a
    /// firewall mark.
    pub destination: IpAddr,
    /// The port that the client asked for.
    pub destination_port: u16,
    /// When, in milliseconds since any fixed moment. Only lblc and lblcr look at it.
    pub now: u64,
}

impl Request {
    /// A packet of `protocol` from `client` to `destination` at time 0.
    pub const fn new(protocol: u8, client: SocketAddr, destination: SocketAddr) -> Self {
        Self {
            protocol,
            client: client.ip(),
            client_port: client.port(),
            destination: destination.ip(),
            destination_port: destination.port(),
            now: 0,
        }
    }

    /// A TCP segment from `client` to `destination` at time 0.
    pub const fn tcp(client: SocketAddr, destination: SocketAddr) -> Self {
        Self::new(6, client, destination)
    }

    /// A UDP datagram from `client` to `destination` at time 0.
    pub const fn udp(client: SocketAddr, destination: SocketAddr) -> Self {
        Self::new(17, client, destination)
    }

    /// The same packet `now` milliseconds after the fixed moment.
    #[must_use]
    pub const fn at(mut self, now: u64) -> Self {
        self.now = now;
        self
    }

    /// The client's port if the protocol has ports, else 0.
    #[inline]
    pub(super) const fn hashed_port(&self) -> u16 {
        match self.protocol {
            6 | 17 | 132 => self.client_port,
            _ => 0,
        }
    }
}
