//! Packets to a service's address through one real server, as the director sends those of clients.
//!
//! The director holds the service's address itself, and IPVS takes what goes there: neither a
//! connection of the kernel's nor a route leads to a chosen real server. So TCP is spoken here
//! (smoltcp), its packets go out of a raw socket towards the real server's address (direct routing)
//! or inside a tunnel, and the answers, which the kernel drops because they come from an address of
//! its own, are read from a packet socket.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use lvs_core::model::{Destination, ForwardingMethod, TunnelKind};
use nix::libc;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Checksum, ChecksumCapabilities, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpCidr};
use socket2::{Domain, Protocol, SockAddr, SockFilter, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UdpSocket as Datagrams;
use tokio::time::Sleep;

use super::Outcome;

/// Small enough for every tunnel over Ethernet.
const MTU: usize = 1280;
/// Of each direction of a connection.
const BUFFER: usize = 16 << 10;
/// What is received may have been put together by the network card.
const LONGEST_PACKET: usize = 64 << 10;

/// Headers in front of the packet in a tunnel: RFC 2784 and the first version of GUE
/// (draft-ietf-intarea-gue, section 3), both without options.
const GRE_IPV4: [u8; 4] = [0, 0, 0x08, 0x00];
const GRE_IPV6: [u8; 4] = [0, 0, 0x86, 0xdd];

/// IPVS leaves packets of a raw socket alone that has this set.
// ip_vs_core.c: ip_vs_in_hook(), v6.12: "Bad... Do not break raw sockets"; for IPv4 alone.
#[derive(Debug, Clone)]
struct NoDefrag;
nix::setsockopt_impl!(NoDefrag, libc::IPPROTO_IP, libc::IP_NODEFRAG, bool, nix::sys::socket::sockopt::SetBool);

/// Whether packets can take this path at all; what is wrong is for people.
pub(crate) fn validate(server: &Destination, service: SocketAddr) -> Result<(), String> {
    if server.key.addr.is_ipv4() != service.is_ipv4() {
        return Err("through a tunnel of the other family no check can be made to the service's address".to_owned());
    }
    match server.forwarding {
        ForwardingMethod::Tunnel => Ok(()),
        ForwardingMethod::Direct if service.is_ipv4() => Ok(()),
        ForwardingMethod::Direct => {
            Err("with direct routing over IPv6 no check can be made to the service's address, for IPVS would take its \
                 packets: check the server's own"
                .to_owned())
        }
        other => Err(format!("{other} does not bring the service's address to the server: check the server's own")),
    }
}

/// Whether this process may open the sockets that are needed.
pub(crate) fn available() -> io::Result<()> {
    Socket::new(Domain::PACKET, Type::DGRAM, None).map(drop)
}

/// The way out: where to, and what is put in front of a packet.
struct Way {
    socket: Socket,
    to: SockAddr,
    header: Vec<u8>,
}

impl Way {
    fn new(server: &Destination) -> io::Result<Self> {
        let addr = server.key.addr;
        let domain = if addr.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
        let raw = |protocol: i32| Socket::new(domain, Type::RAW, Some(Protocol::from(protocol)));
        let inner = if addr.is_ipv4() { libc::IPPROTO_IPIP } else { libc::IPPROTO_IPV6 };
        let (socket, port, header) = match (server.forwarding, server.tunnel.kind) {
            (ForwardingMethod::Tunnel, TunnelKind::Ipip) => (raw(inner)?, 0, Vec::new()),
            (ForwardingMethod::Tunnel, TunnelKind::Gre) => {
                let header = if addr.is_ipv4() { GRE_IPV4 } else { GRE_IPV6 };
                (raw(libc::IPPROTO_GRE)?, 0, header.to_vec())
            }
            (ForwardingMethod::Tunnel, TunnelKind::Gue) => {
                let header = vec![0, u8::try_from(inner).unwrap_or_default(), 0, 0];
                (Socket::new(domain, Type::DGRAM, None)?, server.tunnel.port, header)
            }
            (ForwardingMethod::Tunnel, other) => {
                return Err(io::Error::new(ErrorKind::Unsupported, format!("tunnels of the kind {other}")));
            }
            _ => {
                // The header says where it is for; the address that it is sent to says which way it
                // goes.
                let socket = raw(libc::IPPROTO_RAW)?;
                socket.set_header_included_v4(true)?;
                nix::sys::socket::setsockopt(&socket, NoDefrag, &true)?;
                (socket, 0, Vec::new())
            }
        };
        socket.set_nonblocking(true)?;
        Ok(Self { socket, to: SocketAddr::new(addr, port).into(), header })
    }

    fn send(&self, packet: &[u8]) -> io::Result<()> {
        let whole = if self.header.is_empty() { packet.to_vec() } else { [&self.header, packet].concat() };
        self.socket.send_to(&whole, &self.to).map(drop)
    }
}

/// The packets of one connection.
struct Packets {
    way: Way,
    received: VecDeque<Vec<u8>>,
    error: Option<io::Error>,
}

struct Received(Vec<u8>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

struct Sending<'a>(&'a Way, &'a mut Option<io::Error>);

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut packet = vec![0; len];
        let result = f(&mut packet);
        if let Err(error) = self.0.send(&packet)
            && error.kind() != ErrorKind::WouldBlock
        {
            *self.1 = Some(error);
        }
        result
    }
}

impl Device for Packets {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sending<'_>)> {
        let packet = self.received.pop_front()?;
        Some((Received(packet), Sending(&self.way, &mut self.error)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        Some(Sending(&self.way, &mut self.error))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = MTU;
        // A sum that the sender's card was to fill in is not there when both are on one machine.
        capabilities.checksum = ChecksumCapabilities::default();
        capabilities.checksum.tcp = Checksum::Tx;
        capabilities
    }
}

/// A connection to a service's address through one real server.
pub(super) struct Stream {
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    packets: Packets,
    arriving: Datagrams,
    ends: [SocketAddr; 2],
    started: std::time::Instant,
    timer: Pin<Box<Sleep>>,
    /// Holds the local port, and keeps the kernel from answering on it.
    _port: Socket,
}

impl Stream {
    /// Connects.
    pub(super) async fn connect(server: &Destination, service: SocketAddr) -> Result<Box<Self>, Outcome> {
        let not_run =
            |error: io::Error| Outcome::NotRun(format!("no packets to {service} through the server: {error}"));
        let mut stream = Box::new(Self::open(server, service).map_err(not_run)?);
        std::future::poll_fn(|context| {
            if let Err(error) = stream.drive(context) {
                return Poll::Ready(Err(Outcome::of_error("cannot send", &error)));
            }
            match stream.socket().state() {
                tcp::State::SynSent | tcp::State::SynReceived => Poll::Pending,
                tcp::State::Closed => Poll::Ready(Err(Outcome::Down(format!("the server refuses {service}")))),
                _ => Poll::Ready(Ok(())),
            }
        })
        .await?;
        Ok(stream)
    }

    fn open(server: &Destination, service: SocketAddr) -> io::Result<Self> {
        let way = Way::new(server)?;
        let source = source(server.key.addr)?;
        if source == service.ip() {
            let text = format!("this host has no address of its own towards {}, only the service's", server.key.addr);
            return Err(io::Error::new(ErrorKind::AddrNotAvailable, text));
        }
        let (port, local) = hold_port(source)?;
        let arriving = listen(local, service)?;
        let mut packets = Packets { way, received: VecDeque::new(), error: None };
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = fastrand::u64(..);
        let mut interface = Interface::new(config, &mut packets, Instant::ZERO);
        interface.update_ip_addrs(|addrs| {
            // One address fits.
            let _ = addrs.push(IpCidr::new(local.ip().into(), if local.is_ipv4() { 32 } else { 128 }));
        });
        let buffer = || tcp::SocketBuffer::new(vec![0; BUFFER]);
        let mut socket = tcp::Socket::new(buffer(), buffer());
        socket
            .connect(interface.context(), service, local)
            .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error.to_string()))?;
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(socket);
        Ok(Self {
            interface,
            sockets,
            handle,
            packets,
            // To the runtime it is a socket of datagrams like any other.
            arriving: Datagrams::from_std(arriving.into())?,
            ends: [service, local],
            started: std::time::Instant::now(),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            _port: port,
        })
    }

    fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    /// Takes in what has come, sends what is due, and asks to be woken for the next of both.
    fn drive(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        loop {
            self.receive(context)?;
            let now = Instant::from_micros(i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX));
            self.interface.poll(now, &mut self.packets, &mut self.sockets);
            if let Some(error) = self.packets.error.take() {
                return Err(error);
            }
            let Some(delay) = self.interface.poll_delay(now, &self.sockets) else { return Ok(()) };
            // A timer of zero would be polled for ever.
            let delay = Duration::from(delay).max(Duration::from_millis(1));
            self.timer.as_mut().reset(tokio::time::Instant::now() + delay);
            if self.timer.as_mut().poll(context).is_pending() {
                return Ok(());
            }
        }
    }

    fn receive(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let mut buffer = vec![0; LONGEST_PACKET];
        loop {
            let mut packet = ReadBuf::new(&mut buffer);
            match self.arriving.poll_recv(context, &mut packet) {
                Poll::Pending => return Ok(()),
                Poll::Ready(received) => received?,
            }
            if is_between(packet.filled(), self.ends[0], self.ends[1]) {
                self.packets.received.push_back(packet.filled().to_vec());
            }
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // The server is to forget it, too.
        self.socket().abort();
        let now = Instant::from_micros(i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX));
        self.interface.poll(now, &mut self.packets, &mut self.sockets);
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        stream.drive(context)?;
        let socket = stream.socket();
        if socket.can_recv() {
            let length = socket.recv_slice(into.initialize_unfilled()).unwrap_or_default();
            into.advance(length);
            // There is room for more now, which the server is told.
            stream.drive(context)?;
            return Poll::Ready(Ok(()));
        }
        match socket.state() {
            tcp::State::Closed => Poll::Ready(Err(ErrorKind::ConnectionReset.into())),
            _ if socket.may_recv() => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, text: &[u8]) -> Poll<io::Result<usize>> {
        let stream = self.get_mut();
        stream.drive(context)?;
        let socket = stream.socket();
        if !socket.may_send() {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        if !socket.can_send() {
            return Poll::Pending;
        }
        let length = socket.send_slice(text).unwrap_or_default();
        stream.drive(context)?;
        Poll::Ready(Ok(length))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.get_mut().drive(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        stream.socket().close();
        ready!(Pin::new(stream).poll_flush(context))?;
        Poll::Ready(Ok(()))
    }
}

/// The address from which this host sends to another one.
fn source(to: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    // Nothing is sent; the route alone is asked for. Discard is port 9.
    socket.connect((to, 9))?;
    Ok(socket.local_addr()?.ip())
}

/// Takes a port on which the kernel drops what comes: where it takes the service's address for
/// another host's, as on a backup, it would end the connection that it does not know.
// tcp_ipv4.c: tcp_v4_rcv(), v6.12: a listener whose filter drops a packet sends no reset.
fn hold_port(addr: IpAddr) -> io::Result<(Socket, SocketAddr)> {
    let socket = Socket::new(Domain::for_address((addr, 0).into()), Type::STREAM, None)?;
    socket.attach_filter(&[DROP])?;
    socket.bind(&SocketAddr::new(addr, 0).into())?;
    socket.listen(1)?;
    let local = socket.local_addr()?.as_socket().ok_or(ErrorKind::AddrNotAvailable)?;
    Ok((socket, plain(local)))
}

/// Without scope and flow, which a packet does not carry.
fn plain(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V4(addr) => SocketAddrV4::new(*addr.ip(), addr.port()).into(),
        SocketAddr::V6(addr) => SocketAddrV6::new(*addr.ip(), addr.port(), 0, 0).into(),
    }
}

/// Hears the packets of one connection, before the kernel looks at their addresses.
fn listen(local: SocketAddr, service: SocketAddr) -> io::Result<Socket> {
    let kind = if local.is_ipv4() { libc::ETH_P_IP } else { libc::ETH_P_IPV6 };
    let kind = u16::try_from(kind).unwrap_or_default().to_be();
    let socket = Socket::new(Domain::PACKET, Type::DGRAM.nonblocking(), Some(Protocol::from(i32::from(kind))))?;
    socket.attach_filter(&filter(local, service))?;
    Ok(socket)
}

// linux/filter.h, classic BPF. Loads: 0x20 of a word, 0x28 of a half word, 0x30 of a byte; 0x48 of
// a half word from X on; 0xb1 sets X to the length of an IPv4 header. 0x15 jumps if equal, 0x45 if
// a bit is set, 0x06 ends.
const DROP: SockFilter = SockFilter::new(0x06, 0, 0, 0);
const TAKE: SockFilter = SockFilter::new(0x06, 0, 0, 0x0004_0000);

fn filter(local: SocketAddr, service: SocketAddr) -> Vec<SockFilter> {
    const TCP: u32 = 6;
    let (ours, theirs) = (u32::from(local.port()), u32::from(service.port()));
    // Each comparison is followed by how many instructions are left until the end of the program.
    let equal = |value: u32, left: u8| SockFilter::new(0x15, 0, left, value);
    match service.ip() {
        IpAddr::V4(addr) => vec![
            SockFilter::new(0x30, 0, 0, 9),
            equal(TCP, 10),
            SockFilter::new(0x28, 0, 0, 6),
            // No first fragment, no ports.
            SockFilter::new(0x45, 8, 0, 0x1fff),
            SockFilter::new(0x20, 0, 0, 12),
            equal(addr.into(), 6),
            SockFilter::new(0xb1, 0, 0, 0),
            SockFilter::new(0x48, 0, 0, 0),
            equal(theirs, 3),
            SockFilter::new(0x48, 0, 0, 2),
            equal(ours, 1),
            TAKE,
            DROP,
        ],
        IpAddr::V6(_) => vec![
            SockFilter::new(0x30, 0, 0, 6),
            equal(TCP, 5),
            SockFilter::new(0x28, 0, 0, 40),
            equal(theirs, 3),
            SockFilter::new(0x28, 0, 0, 42),
            equal(ours, 1),
            TAKE,
            DROP,
        ],
    }
}

/// Whether a packet is one of a connection. The filter says the same, but packets can come before
/// it is there.
fn is_between(packet: &[u8], from: SocketAddr, to: SocketAddr) -> bool {
    let read = || {
        let (source, target, ports) = match packet.first()? >> 4 {
            4 if packet.get(9) == Some(&6) => {
                let word = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?));
                (IpAddr::V4(word(12)?), IpAddr::V4(word(16)?), usize::from(packet[0] & 15) * 4)
            }
            6 if packet.get(6) == Some(&6) => {
                let addr = |at: usize| Some(Ipv6Addr::from(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?));
                (IpAddr::V6(addr(8)?), IpAddr::V6(addr(24)?), 40)
            }
            _ => return None,
        };
        let port = |at: usize| Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?));
        Some((SocketAddr::new(source, port(ports)?), SocketAddr::new(target, port(ports + 2)?)))
    };
    read() == Some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packets_of_the_connection_are_taken() {
        let (service, local) = ("192.0.2.1:80".parse().unwrap(), "198.51.100.2:40000".parse().unwrap());
        let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2];
        packet.extend([0, 80, 0x9c, 0x40]);
        assert!(is_between(&packet, service, local));
        assert!(!is_between(&packet, local, service));
        packet[9] = 17;
        assert!(!is_between(&packet, service, local));
        for short in 0..packet.len() {
            assert!(!is_between(&packet[..short], service, local));
        }
    }

    #[test]
    fn what_cannot_take_this_path_is_said() {
        let server = |method: ForwardingMethod| Destination::new([198, 51, 100, 7].into(), 80).with_forwarding(method);
        let (v4, v6): (SocketAddr, SocketAddr) = ("192.0.2.1:80".parse().unwrap(), "[2001:db8::1]:80".parse().unwrap());
        validate(&server(ForwardingMethod::Direct), v4).unwrap();
        validate(&server(ForwardingMethod::Tunnel), v4).unwrap();
        assert!(validate(&server(ForwardingMethod::Masquerade), v4).unwrap_err().contains("server's own"));
        assert!(validate(&server(ForwardingMethod::Tunnel), v6).unwrap_err().contains("family"));
    }
}
