//! As much generic netlink as asking a kernel about its choices takes. Written apart from the
//! library, to be its referee.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Attributes under construction.
#[derive(Default)]
pub(crate) struct Attrs(Vec<u8>);

impl Attrs {
    pub(crate) fn put(mut self, kind: u16, value: &[u8]) -> Self {
        self.0.extend_from_slice(&(value.len() as u16 + 4).to_ne_bytes());
        self.0.extend_from_slice(&kind.to_ne_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    pub(crate) fn nest(self, kind: u16, inner: Attrs) -> Self {
        self.put(kind | 0x8000, &inner.0)
    }

    pub(crate) fn u16(self, kind: u16, value: u16) -> Self {
        self.put(kind, &value.to_ne_bytes())
    }

    pub(crate) fn u32(self, kind: u16, value: u32) -> Self {
        self.put(kind, &value.to_ne_bytes())
    }

    pub(crate) fn string(self, kind: u16, value: &str) -> Self {
        self.put(kind, &[value.as_bytes(), &[0]].concat())
    }

    pub(crate) fn addr(self, kind: u16, value: IpAddr) -> Self {
        match value {
            IpAddr::V4(v4) => self.put(kind, &v4.octets()),
            IpAddr::V6(v6) => self.put(kind, &v6.octets()),
        }
    }
}

/// The attributes in `bytes`.
pub(crate) fn attrs(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while bytes.len() >= 4 {
        let len = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        found.push((u16::from_ne_bytes([bytes[2], bytes[3]]) & 0x3fff, &bytes[4..len]));
        bytes = &bytes[len.next_multiple_of(4).min(bytes.len())..];
    }
    found
}

pub(crate) struct Genl {
    socket: OwnedFd,
    family: u16,
    seq: u32,
}

impl Genl {
    /// A socket in this thread's network namespace, for the family IPVS.
    pub(crate) fn open() -> Self {
        // SAFETY: no pointers; the descriptor is checked and owned once.
        let socket = unsafe {
            let fd = libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_GENERIC);
            assert!(fd >= 0, "{}", io::Error::last_os_error());
            OwnedFd::from_raw_fd(fd)
        };
        let mut genl = Self { socket, family: 16, seq: 0 };
        let reply = genl.request(3, false, Attrs::default().string(2, "IPVS")).expect("the kernel has IPVS");
        let id = attrs(&reply[0]).into_iter().find(|&(kind, _)| kind == 1).expect("a family id").1;
        genl.family = u16::from_ne_bytes([id[0], id[1]]);
        genl
    }

    /// Sends a command; the payloads of the replies, or an errno.
    pub(crate) fn request(&mut self, command: u8, dump: bool, attrs: Attrs) -> Result<Vec<Vec<u8>>, i32> {
        const REQUEST: u16 = 1;
        const ACK: u16 = 4;
        const DUMP: u16 = 0x300;
        self.seq += 1;
        let mut message = Vec::with_capacity(20 + attrs.0.len());
        message.extend_from_slice(&(20 + attrs.0.len() as u32).to_ne_bytes());
        message.extend_from_slice(&self.family.to_ne_bytes());
        message.extend_from_slice(&(REQUEST | if dump { DUMP } else { ACK }).to_ne_bytes());
        message.extend_from_slice(&self.seq.to_ne_bytes());
        message.extend_from_slice(&[0, 0, 0, 0, command, 1, 0, 0]);
        message.extend_from_slice(&attrs.0);
        // SAFETY: the pointer and the length are those of `message`.
        let sent = unsafe { libc::send(self.socket.as_raw_fd(), message.as_ptr().cast(), message.len(), 0) };
        assert_eq!(sent, message.len() as isize, "{}", io::Error::last_os_error());

        let mut replies = Vec::new();
        let mut buffer = vec![0u8; 1 << 15];
        loop {
            // SAFETY: the pointer and the length are those of `buffer`.
            let got = unsafe { libc::recv(self.socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
            assert!(got > 0, "{}", io::Error::last_os_error());
            let mut rest = &buffer[..got as usize];
            while rest.len() >= 16 {
                let word = |at: usize| u32::from_ne_bytes(rest[at..at + 4].try_into().unwrap());
                let len = word(0) as usize;
                match u16::from_ne_bytes([rest[4], rest[5]]) {
                    2 => match word(16) as i32 {
                        0 => return Ok(replies),
                        errno => return Err(-errno),
                    },
                    3 => return Ok(replies),
                    _ => replies.push(rest[20..len].to_vec()),
                }
                rest = &rest[len.next_multiple_of(4).min(rest.len())..];
            }
        }
    }
}
