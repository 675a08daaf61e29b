//! A plain netlink socket: the same bytes go to the kernel and to the embedded director.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use lvs_core::embedded::{EmbeddedDirector, NetlinkSocket};
use lvs_core::model::{AddressFamily, DestinationEntry};
use lvs_core::wire::attr::Attributes;
use lvs_core::wire::message::{Command, EncodedMessage, Messages, header, write, write_header};
use lvs_core::wire::uapi::*;
use lvs_core::wire::{destination, family, service};

/// Both ends at once.
pub(crate) struct Both {
    socket: OwnedFd,
    family: u16,
    sequence: u32,
    pub(crate) embedded: EmbeddedDirector,
    embedded_socket: NetlinkSocket,
    embedded_family: u16,
}

/// One message of an answer, without what differs between boots and sockets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reply {
    pub(crate) error: Option<i32>,
    pub(crate) flags: u16,
    pub(crate) payload: Vec<u8>,
}

impl Both {
    pub(crate) fn open(embedded: EmbeddedDirector) -> Self {
        // SAFETY: no pointers but those to the local integer; the descriptor is checked and owned
        // once.
        let socket = unsafe {
            let fd = libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_GENERIC);
            assert!(fd >= 0, "{}", io::Error::last_os_error());
            let one = 1;
            let set = libc::setsockopt(fd, libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, (&raw const one).cast(), 4);
            assert_eq!(set, 0, "{}", io::Error::last_os_error());
            OwnedFd::from_raw_fd(fd)
        };
        let mut both = Self {
            socket,
            family: 0,
            sequence: 0,
            embedded,
            embedded_socket: NetlinkSocket::new(),
            embedded_family: 0,
        };
        let mut question = Vec::new();
        family::write_request(&mut question, 0, "IPVS");
        question[6] |= NLM_F_ACK as u8;
        let id = |datagrams: Vec<Vec<u8>>| {
            let message = Messages::new(&datagrams[0]).next().expect("a message");
            family::read_reply(&message).expect("the family").id
        };
        both.family = id(both.ask_kernel(&question));
        both.embedded_family = id(both.ask_embedded(&question));
        both
    }

    /// Asks both; their answers.
    pub(crate) fn ask(&mut self, command: Command, dump: bool, attributes: &[u8]) -> (Vec<Reply>, Vec<Reply>) {
        self.sequence += 1;
        let mut request = Vec::new();
        let flags = NLM_F_REQUEST | if dump { NLM_F_DUMP } else { NLM_F_ACK };
        write(&mut request, header(self.family, flags, self.sequence), EncodedMessage { command, attributes });
        let mut kernel = replies(&match command {
            Command::DelDaemon => self.ask_kernel_to_stop(&request),
            _ => self.ask_kernel(&request),
        });
        request[4..6].copy_from_slice(&self.embedded_family.to_ne_bytes());
        let embedded = replies(&self.ask_embedded(&request));
        if command == Command::DelDaemon && kernel.is_empty() {
            assert_eq!(embedded[0].error, Some(0), "only what is done may go unacknowledged");
            kernel.clone_from(&embedded);
        }
        (kernel, embedded)
    }

    /// What the kernel answers to a request for a list, as it came.
    pub(crate) fn list_of_kernel(&mut self, command: Command, attributes: &[u8]) -> Vec<Vec<u8>> {
        self.sequence += 1;
        let mut request = Vec::new();
        let flags = NLM_F_REQUEST | NLM_F_DUMP;
        write(&mut request, header(self.family, flags, self.sequence), EncodedMessage { command, attributes });
        self.ask_kernel(&request)
    }

    fn ask_kernel(&self, request: &[u8]) -> Vec<Vec<u8>> {
        // SAFETY: the pointer and the length are those of `request`.
        let sent = unsafe { libc::send(self.socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) };
        assert_eq!(sent, request.len() as isize, "{}", io::Error::last_os_error());
        self.answers()
    }

    /// What comes up to the end of one answer.
    fn answers(&self) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        loop {
            let mut buffer = vec![0_u8; 1 << 15];
            // SAFETY: the pointer and the length are those of `buffer`.
            let got = unsafe { libc::recv(self.socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
            assert!(got > 0, "{}", io::Error::last_os_error());
            buffer.truncate(got as usize);
            let kinds: Vec<u16> = Messages::new(&buffer).map(|message| message.header.message_type).collect();
            datagrams.push(buffer);
            if kinds.iter().any(|kind| matches!(*kind, NLMSG_ERROR | NLMSG_DONE)) {
                return datagrams;
            }
        }
    }

    /// The kernel does not acknowledge that it stopped a daemon whose thread never ran; so
    /// something that it does acknowledge follows.
    fn ask_kernel_to_stop(&self, request: &[u8]) -> Vec<Vec<u8>> {
        let mut both = request.to_vec();
        both.resize(both.len().next_multiple_of(4), 0);
        let flags = NLM_F_REQUEST | NLM_F_ACK;
        write_header(&mut both, header(NLMSG_NOOP, flags, 0));
        let mut answers = self.ask_kernel(&both);
        let is_last = |answers: &[Vec<u8>]| {
            answers
                .last()
                .and_then(|last| Messages::new(last).next())
                .is_some_and(|message| message.header.sequence_number == 0)
        };
        if !is_last(&answers) {
            answers.extend(self.answers());
        }
        assert!(is_last(&answers));
        answers.pop();
        answers
    }

    fn ask_embedded(&mut self, request: &[u8]) -> Vec<Vec<u8>> {
        self.embedded_socket.send(&mut self.embedded, request);
        std::iter::from_fn(|| self.embedded_socket.receive(&mut self.embedded, 1 << 15)).collect()
    }
}

fn replies(datagrams: &[Vec<u8>]) -> Vec<Reply> {
    datagrams.iter().flat_map(|datagram| Messages::new(datagram).map(|message| reply(&message))).collect()
}

fn reply(message: &lvs_core::wire::message::Message<'_>) -> Reply {
    let mut payload = message.payload.to_vec();
    let mut error = None;
    if message.header.message_type == NLMSG_ERROR {
        error = Some(i32::from_ne_bytes(payload[..4].try_into().unwrap()));
        // The echoed request names the family.
        payload[8..10].fill(0);
        if super::is_user_mode() {
            // The words to an error are padded, too.
            payload.truncate(20);
        }
    } else if let Some(entry) = rewritten(message) {
        payload.splice(4.., entry);
    }
    Reply { error, flags: message.header.flags, payload }
}

/// A service or destination as this library writes it. Only architectures without efficient
/// unaligned access pad the statistics (`CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS`), user-mode Linux
/// among them; elsewhere the bytes stay as they are.
fn rewritten(message: &lvs_core::wire::message::Message<'_>) -> Option<Vec<u8>> {
    if !super::is_user_mode() {
        return None;
    }
    let (command, mut attributes) = message.command().ok()?;
    let nest = attributes.next()?;
    let mut written = Vec::new();
    match command {
        Command::NewService => service::write_entry(&mut written, &service::read_entry(nest.nested()).ok()?),
        Command::NewDest => {
            let entry = destination::read_entry(nest.nested(), AddressFamily::Ipv4).ok()?;
            destination::write_entry(&mut written, &entry);
        }
        _ => return None,
    }
    Some(written)
}

/// The destination in a message of a dump.
pub(crate) fn destination_of(payload: &[u8], family: AddressFamily) -> Option<DestinationEntry> {
    let nest = Attributes::new(payload.get(4..)?).next()?;
    destination::read_entry(nest.nested(), family).ok()
}
