//! Packets of the embedded director as bytes, sent so that IPVS sees them as those of local clients and servers.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use lvs_core::embedded::{Packet, Payload, SctpChunk};

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
    let ports = [packet.source.port().to_be_bytes(), packet.destination.port().to_be_bytes()].concat();
    let ip_header = if packet.source.is_ipv4() { 20 } else { 40 };
    let mut upper = ports;
    match packet.payload {
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
    let protocol = packet.payload.protocol();
    let mut whole = Vec::with_capacity(packet.length as usize);
    match (packet.source.ip(), packet.destination.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            whole.extend_from_slice(&[0x45, 0]);
            whole.extend_from_slice(&(packet.length as u16).to_be_bytes());
            whole.extend_from_slice(&[0, 0, 0, 0, 64, protocol, 0, 0]);
            whole.extend_from_slice(&from.octets());
            whole.extend_from_slice(&to.octets());
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            whole.extend_from_slice(&[0x60, 0, 0, 0]);
            whole.extend_from_slice(&(upper.len() as u16).to_be_bytes());
            whole.extend_from_slice(&[protocol, 64]);
            whole.extend_from_slice(&from.octets());
            whole.extend_from_slice(&to.octets());
        }
        _ => panic!("mixed families: {packet:?}"),
    }
    whole.extend_from_slice(&upper);
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
    // SAFETY: zero is a valid value of every field, and both address types fit and are aligned in the storage.
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
