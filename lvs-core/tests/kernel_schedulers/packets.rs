//! Packets from anywhere to anywhere, sent so that IPVS sees them as those of local clients.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ACK: u8 = 0x10;
pub(crate) const FIN: u8 = 0x01;

/// The addresses of a connection, as its client sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Flow {
    pub(crate) protocol: u8,
    pub(crate) client: IpAddr,
    pub(crate) client_port: u16,
    pub(crate) destination: IpAddr,
    pub(crate) destination_port: u16,
}

impl Flow {
    /// One packet of it; `flags` are TCP's.
    fn packet(&self, flags: u8) -> Vec<u8> {
        let mut upper = Vec::with_capacity(20);
        upper.extend_from_slice(&self.client_port.to_be_bytes());
        upper.extend_from_slice(&self.destination_port.to_be_bytes());
        match self.protocol {
            TCP => upper.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1, 5 << 4, flags, 0xff, 0xff, 0, 0, 0, 0]),
            _ => upper.extend_from_slice(&[0, 8, 0, 0]),
        }
        let mut packet = Vec::with_capacity(60);
        match (self.client, self.destination) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let total = 20 + upper.len() as u16;
                packet.extend_from_slice(&[0x45, 0]);
                packet.extend_from_slice(&total.to_be_bytes());
                packet.extend_from_slice(&[0, 0, 0, 0, 64, self.protocol, 0, 0]);
                packet.extend_from_slice(&from.octets());
                packet.extend_from_slice(&to.octets());
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                packet.extend_from_slice(&[0x60, 0, 0, 0]);
                packet.extend_from_slice(&(upper.len() as u16).to_be_bytes());
                packet.extend_from_slice(&[self.protocol, 64]);
                packet.extend_from_slice(&from.octets());
                packet.extend_from_slice(&to.octets());
            }
            _ => panic!("mixed families: {self:?}"),
        }
        packet.extend_from_slice(&upper);
        packet
    }
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

    /// Sends one packet of each flow, marked with `mark`, each exactly once. Tells for each whether
    /// it got through: the local client of a service that has no destination for it gets an error.
    pub(crate) fn send(&self, mark: u32, flows: &[Flow], flags: u8) -> Vec<bool> {
        let Some(first) = flows.first() else { return Vec::new() };
        let socket = if first.destination.is_ipv4() { &self.v4 } else { &self.v6 }.as_raw_fd();
        // SAFETY: the pointer and the length are those of `mark`.
        let set = unsafe {
            libc::setsockopt(
                socket,
                libc::SOL_SOCKET,
                libc::SO_MARK,
                (&raw const mark).cast(),
                size_of_val(&mark) as u32,
            )
        };
        assert_eq!(set, 0, "{}", io::Error::last_os_error());

        let packets: Vec<Vec<u8>> = flows.iter().map(|flow| flow.packet(flags)).collect();
        let addresses: Vec<libc::sockaddr_storage> = flows.iter().map(|flow| sockaddr(flow.destination)).collect();
        let mut vectors: Vec<libc::iovec> = packets
            .iter()
            .map(|packet| libc::iovec { iov_base: packet.as_ptr().cast_mut().cast(), iov_len: packet.len() })
            .collect();
        let mut headers: Vec<libc::mmsghdr> = vectors
            .iter_mut()
            .zip(&addresses)
            .map(|(vector, address)| {
                // SAFETY: zero is a valid value of every field.
                let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
                header.msg_hdr.msg_name = (&raw const *address).cast_mut().cast();
                header.msg_hdr.msg_namelen = match i32::from(address.ss_family) {
                    libc::AF_INET => size_of::<libc::sockaddr_in>() as u32,
                    _ => size_of::<libc::sockaddr_in6>() as u32,
                };
                header.msg_hdr.msg_iov = vector;
                header.msg_hdr.msg_iovlen = 1;
                header
            })
            .collect();

        let mut passed = Vec::with_capacity(flows.len());
        while passed.len() < flows.len() {
            let rest = &mut headers[passed.len()..];
            let count = rest.len().min(512) as u32;
            // SAFETY: `rest` has at least `count` headers, whose pointers lead into vectors that
            // live to the end.
            let sent = unsafe { libc::sendmmsg(socket, rest.as_mut_ptr(), count, 0) };
            let sent = if sent < 0 {
                let error = io::Error::last_os_error();
                assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{error}");
                0
            } else {
                sent as u32
            };
            passed.resize(passed.len() + sent as usize, true);
            // The packet at which it stopped was tried, and failed.
            if sent < count {
                passed.push(false);
            }
        }
        passed
    }
}

fn sockaddr(addr: IpAddr) -> libc::sockaddr_storage {
    // SAFETY: zero is a valid value of every field, and both address types fit and are aligned in
    // the storage.
    unsafe {
        let mut storage: libc::sockaddr_storage = std::mem::zeroed();
        match addr {
            IpAddr::V4(v4) => {
                let sin = (&raw mut storage).cast::<libc::sockaddr_in>();
                (*sin).sin_family = libc::AF_INET as u16;
                (*sin).sin_addr.s_addr = u32::from_ne_bytes(v4.octets());
            }
            IpAddr::V6(v6) => {
                let sin6 = (&raw mut storage).cast::<libc::sockaddr_in6>();
                (*sin6).sin6_family = libc::AF_INET6 as u16;
                (*sin6).sin6_addr.s6_addr = v6.octets();
            }
        }
        storage
    }
}

/// Who has which destination, by protocol, client address and port: the kernel's table of
/// connections.
pub(crate) fn connections() -> impl Iterator<Item = ((u8, IpAddr, u16), (IpAddr, u16))> {
    // Not /proc/net, which is that of the process's first thread.
    let text = std::fs::read_to_string("/proc/thread-self/net/ip_vs_conn").expect("the table of connections");
    let lines: Vec<String> = text.lines().skip(1).map(str::to_owned).collect();
    lines.into_iter().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let protocol = match words[0] {
            "TCP" => TCP,
            "UDP" => UDP,
            other => panic!("protocol {other}"),
        };
        let port = |word| u16::from_str_radix(word, 16).expect("a port");
        ((protocol, address(words[1]), port(words[2])), (address(words[5]), port(words[6])))
    })
}

fn address(word: &str) -> IpAddr {
    if word.contains(':') {
        word.parse::<Ipv6Addr>().expect("an IPv6 address").into()
    } else {
        Ipv4Addr::from_bits(u32::from_str_radix(word, 16).expect("an IPv4 address")).into()
    }
}
