//! An echo request: the host is there, whatever its services do.

use std::io;
use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::Deserialize;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::{Context, Outcome, Probe, Target};

/// Types of RFC 792 and RFC 4443.
const REQUEST_V4: u8 = 8;
const REPLY_V4: u8 = 0;
const REQUEST_V6: u8 = 128;
const REPLY_V6: u8 = 129;

/// The server's host answers an echo request (ping).
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IcmpCheck {
    /// How many bytes the request carries.
    pub size: u16,
}

impl Probe for IcmpCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        match self.exchange(target.address.ip()).await {
            Ok(()) => Outcome::Up,
            Err(error) => Outcome::of_error("no echo", &error),
        }
    }

    fn validate(&self) -> Result<(), String> {
        if self.size > 1400 { Err(format!("size {} is more than 1400", self.size)) } else { Ok(()) }
    }
}

/// Opens a socket for echoes: of the kind that needs no privileges (`net.ipv4.ping_group_range`),
/// else a raw one. Says which.
fn open(addr: IpAddr) -> io::Result<(Socket, bool)> {
    let (domain, protocol) =
        if addr.is_ipv4() { (Domain::IPV4, Protocol::ICMPV4) } else { (Domain::IPV6, Protocol::ICMPV6) };
    match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Ok(socket) => Ok((socket, false)),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Ok((Socket::new(domain, Type::RAW, Some(protocol)).map_err(|_| error)?, true))
        }
        Err(error) => Err(error),
    }
}

/// Whether this process may send echo requests.
pub(crate) fn available(addr: IpAddr) -> io::Result<()> {
    open(addr).map(drop)
}

impl IcmpCheck {
    async fn exchange(&self, addr: IpAddr) -> io::Result<()> {
        let (socket, raw) = open(addr)?;
        socket.set_nonblocking(true)?;
        // A connected socket hears of what is unreachable, and of nobody else.
        socket.connect(&SocketAddr::new(addr, 0).into())?;
        // The kernel sets the identifier of an unprivileged socket; what is random tells replies
        // apart.
        let mark: [u8; 16] = std::array::from_fn(|_| fastrand::u8(..));
        socket.send(&self.request(addr, &mark))?;
        // To the runtime it is a socket of datagrams like any other.
        let socket = UdpSocket::from_std(socket.into())?;
        loop {
            let mut buffer = vec![0; 4096];
            let length = socket.recv(&mut buffer).await?;
            let reply = &buffer[..length];
            // A raw socket of IPv4 gives the header of the packet as well.
            let start = if raw && addr.is_ipv4() { usize::from(reply.first().unwrap_or(&0) & 15) * 4 } else { 0 };
            let wanted = if addr.is_ipv4() { REPLY_V4 } else { REPLY_V6 };
            if let Some([kind, rest @ ..]) = reply.get(start..)
                && *kind == wanted
                && rest.get(7..7 + mark.len()) == Some(&mark[..])
            {
                return Ok(());
            }
        }
    }

    fn request(&self, addr: IpAddr, mark: &[u8]) -> Vec<u8> {
        let mut message = vec![if addr.is_ipv4() { REQUEST_V4 } else { REQUEST_V6 }, 0, 0, 0];
        // Identifier and sequence number.
        message.extend(&mark[..2]);
        message.extend([0, 1]);
        message.extend(mark);
        message.resize(message.len() + usize::from(self.size).saturating_sub(mark.len()), 0);
        if addr.is_ipv4() {
            let sum = checksum(&message).to_be_bytes();
            message[2..4].copy_from_slice(&sum);
        }
        message
    }
}

/// RFC 1071.
fn checksum(text: &[u8]) -> u16 {
    let word = |pair: &[u8]| u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
    let mut sum: u32 = text.chunks(2).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}

/// What a file that needs echo requests is told where they cannot be made.
pub(crate) const ADVICE: &str = "echo requests need CAP_NET_RAW, which lvsd gives up unless --keep-raw is given, or a group \
                                 within net.ipv4.ping_group_range";

#[cfg(test)]
mod tests {
    use super::super::tests_support::{context, target};
    use super::*;

    #[test]
    fn the_sum_of_a_message_with_its_sum_is_zero() {
        // RFC 1071, section 3: 0001 f203 f4f5 f6f7 sum up to ddf2.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        let message = IcmpCheck { size: 33 }.request([192, 0, 2, 1].into(), &[7; 16]);
        assert_eq!((message.len(), checksum(&message)), (41, 0));
    }

    #[tokio::test]
    async fn this_host_answers_itself_where_echoes_may_be_sent() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let address: SocketAddr = address.parse().unwrap();
            // Without loopback of this family, or the right to send, it is this host's matter, not
            // the server's.
            let outcome = IcmpCheck { size: 100 }.run(&target(address), &context()).await;
            match available(address.ip()) {
                Ok(()) if std::net::UdpSocket::bind((address.ip(), 0)).is_ok() => assert_eq!(outcome, Outcome::Up),
                _ => assert!(matches!(outcome, Outcome::NotRun(_)), "{outcome:?}"),
            }
        }
    }
}
