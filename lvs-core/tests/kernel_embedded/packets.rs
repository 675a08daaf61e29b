//! Packets of the embedded director as bytes, sent so that IPVS sees them as those of local clients
//! and servers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use lvs_core::embedded::{Packet, Payload, SctpChunk};

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

fn chunk_type(chunk: SctpChunk) -> u8 {
    // RFC 9260, 3.2.
    match chunk {
        SctpChunk::Data => 0,
        SctpChunk::Init => 1,
        SctpChunk::InitAck => 2,
        SctpChunk::Abort => 6,
        SctpChunk::Shutdown => 7,
        SctpChunk::ShutdownAck => 8,
        SctpChunk::Error => 9,
        SctpChunk::CookieEcho => 10,
        SctpChunk::CookieAck => 11,
        SctpChunk::ShutdownComplete => 14,
    }
}

fn bytes(packet: &Packet) -> Vec<u8> {
    let ip_header = if packet.source.is_ipv4() { 20 } else { 40 };
    let mut upper = [packet.source.port().to_be_bytes(), packet.destination.port().to_be_bytes()].concat();
    match packet.payload {
        Payload::IcmpError(protocol) => upper = icmp_error(packet, protocol),
        Payload::Tcp(flags) => {
            upper.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1, 5 << 4, flags.0, 0xff, 0xff, 0, 0, 0, 0]);
        }
        Payload::Udp => {
            upper.extend_from_slice(&(packet.length as u16 - ip_header).to_be_bytes());
            upper.extend_from_slice(&[0, 0]);
        }
        Payload::Sctp(chunk) => {
            upper.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, chunk_type(chunk), 0, 0, 4]);
        }
        other => panic!("{other:?} is not sent here"),
    }
    upper.resize(packet.length as usize - usize::from(ip_header), 0);
    let protocol = match packet.payload {
        Payload::IcmpError(_) if packet.source.is_ipv4() => ICMP,
        Payload::IcmpError(_) => ICMPV6,
        other => other.protocol(),
    };
    ip_packet(packet.source.ip(), packet.destination.ip(), protocol, &upper)
}

/// Port unreachable, about a packet of the other side.
fn icmp_error(packet: &Packet, protocol: u8) -> Vec<u8> {
    let ip_header = if packet.source.is_ipv4() { 20 } else { 40 };
    let about = [packet.destination.port().to_be_bytes(), packet.source.port().to_be_bytes(), [0, 8], [0, 0]].concat();
    let about = ip_packet(packet.destination.ip(), packet.source.ip(), protocol, &about);
    let mut error = if packet.source.is_ipv4() { vec![3, 3, 0, 0, 0, 0, 0, 0] } else { vec![1, 4, 0, 0, 0, 0, 0, 0] };
    error.extend_from_slice(&about);
    error.resize((packet.length - ip_header) as usize, 0);
    let mut summed = Vec::new();
    if let (IpAddr::V6(from), IpAddr::V6(to)) = (packet.source.ip(), packet.destination.ip()) {
        summed.extend_from_slice(&from.octets());
        summed.extend_from_slice(&to.octets());
        summed.extend_from_slice(&(error.len() as u32).to_be_bytes());
        summed.extend_from_slice(&[0, 0, 0, ICMPV6]);
    }
    summed.extend_from_slice(&error);
    error[2..4].copy_from_slice(&checksum(&summed).to_be_bytes());
    error
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let pairs = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = pairs.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn ip_packet(source: IpAddr, destination: IpAddr, protocol: u8, upper: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(40 + upper.len());
    match (source, destination) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            whole.extend_from_slice(&[0x45, 0]);
            whole.extend_from_slice(&(20 + upper.len() as u16).to_be_bytes());
            whole.extend_from_slice(&[0, 0, 0, 0, 64, protocol, 0, 0]);
            whole.extend_from_slice(&from.octets());
            whole.extend_from_slice(&to.octets());
            let sum = checksum(&whole);
            whole[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            whole.extend_from_slice(&[0x60, 0, 0, 0]);
            whole.extend_from_slice(&(upper.len() as u16).to_be_bytes());
            whole.extend_from_slice(&[protocol, 64]);
            whole.extend_from_slice(&from.octets());
            whole.extend_from_slice(&to.octets());
        }
        _ => panic!("mixed families: {source} and {destination}"),
    }
    whole.extend_from_slice(upper);
    whole
}

/// Raw sockets of one network namespace.
pub(crate) struct Sender {
    v4: OwnedFd,
    v6: OwnedFd,
}

impl Sender {
    pub(crate) fn open() -> Self {
        let open = |family| {
            // SAFETY: no pointers; the descriptor is checked and owned once.
            unsafe {
                let fd = libc::socket(family, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::IPPROTO_RAW);
                assert!(fd >= 0, "{}", io::Error::last_os_error());
                OwnedFd::from_raw_fd(fd)
            }
        };
        Self { v4: open(libc::AF_INET), v6: open(libc::AF_INET6) }
    }

    /// Sends a packet; whether it was not dropped on its way out.
    pub(crate) fn send(&self, packet: &Packet) -> bool {
        let socket = if packet.source.is_ipv4() { &self.v4 } else { &self.v6 }.as_raw_fd();
        let mark = packet.mark;
        let whole = bytes(packet);
        let (address, length) = sockaddr(packet.destination);
        // SAFETY: each pointer goes with the length of what it points to.
        let sent = unsafe {
            let mark = (&raw const mark).cast();
            let set = libc::setsockopt(socket, libc::SOL_SOCKET, libc::SO_MARK, mark, 4);
            assert_eq!(set, 0, "{}", io::Error::last_os_error());
            libc::sendto(socket, whole.as_ptr().cast(), whole.len(), 0, (&raw const address).cast(), length)
        };
        if sent >= 0 {
            return true;
        }
        let error = io::Error::last_os_error();
        assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}: {packet:?}");
        false
    }
}

fn sockaddr(to: SocketAddr) -> (libc::sockaddr_storage, u32) {
    // SAFETY: zero is a valid value of every field, and both address types fit and are aligned in
    // the storage.
    unsafe {
        let mut storage: libc::sockaddr_storage = std::mem::zeroed();
        match to.ip() {
            IpAddr::V4(addr) => {
                let sin = (&raw mut storage).cast::<libc::sockaddr_in>();
                (*sin).sin_family = libc::AF_INET as u16;
                (*sin).sin_addr.s_addr = u32::from_ne_bytes(addr.octets());
                (storage, size_of::<libc::sockaddr_in>() as u32)
            }
            IpAddr::V6(addr) => {
                let sin6 = (&raw mut storage).cast::<libc::sockaddr_in6>();
                (*sin6).sin6_family = libc::AF_INET6 as u16;
                (*sin6).sin6_addr.s6_addr = addr.octets();
                (storage, size_of::<libc::sockaddr_in6>() as u32)
            }
        }
    }
}
