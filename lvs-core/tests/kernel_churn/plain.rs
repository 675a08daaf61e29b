//! A list of services as a client reads it that trusts the kernel: once, datagram by datagram.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use lvs_core::model::ServiceKey;
use lvs_core::wire::attr::Attributes;
use lvs_core::wire::message::{Command, EncodedMessage, Messages, header, write};
use lvs_core::wire::uapi::*;
use lvs_core::wire::{family, service};

/// What a client offers that knows of no better size: a page.
const BUFFER: usize = 4096;

pub(crate) struct PlainClient {
    socket: OwnedFd,
    family: u16,
}

impl PlainClient {
    pub(crate) fn open() -> Self {
        // SAFETY: no pointers; the descriptor is checked and owned once.
        let socket = unsafe {
            let fd = libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_GENERIC);
            assert!(fd >= 0, "{}", io::Error::last_os_error());
            OwnedFd::from_raw_fd(fd)
        };
        let mut client = Self { socket, family: 0 };
        let mut request = Vec::new();
        family::write_request(&mut request, 0, IPVS_GENL_NAME);
        client.send(&request);
        let reply = client.receive();
        client.family = family::read_reply(&Messages::new(&reply).next().unwrap()).unwrap().id;
        client
    }

    pub(crate) fn services(&self) -> Vec<ServiceKey> {
        let mut request = Vec::new();
        let dump = EncodedMessage { command: Command::GetService, attributes: &[] };
        write(&mut request, header(self.family, NLM_F_REQUEST | NLM_F_DUMP, 0), dump);
        self.send(&request);
        let mut keys = Vec::new();
        loop {
            let datagram = self.receive();
            for message in Messages::new(&datagram) {
                if message.header.message_type == NLMSG_DONE {
                    return keys;
                }
                assert_eq!(message.header.message_type, self.family);
                let mut attributes = Attributes::new(&message.payload[4..]);
                keys.push(service::read_entry(attributes.next().unwrap().nested()).unwrap().service.key());
            }
        }
    }

    fn send(&self, request: &[u8]) {
        // SAFETY: the pointer and the length are those of `request`.
        let sent = unsafe { libc::send(self.socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) };
        assert_eq!(sent, request.len() as isize, "{}", io::Error::last_os_error());
    }

    fn receive(&self) -> Vec<u8> {
        let mut buffer = vec![0_u8; BUFFER];
        // SAFETY: the pointer and the length are those of `buffer`.
        let got = unsafe { libc::recv(self.socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        assert!(got > 0, "{}", io::Error::last_os_error());
        buffer.truncate(got as usize);
        buffer
    }
}
