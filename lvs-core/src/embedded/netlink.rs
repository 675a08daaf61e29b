//! The kernel's side of a generic netlink conversation.

use std::collections::VecDeque;

use super::EmbeddedDirector;
use super::rules::ServiceRequest;
use crate::director::{Director, Operation};
use crate::errno::Errno;
use crate::model::{AddressFamily, DestinationEntry, ServiceEntry, Timeouts};
use crate::wire::message::{Command, ExtendedAck, Header, Message, Messages, finish, write_ack, write_done};
use crate::wire::request::{Refusal, Request};
use crate::wire::uapi::*;
use crate::wire::{config, daemon, destination, family, info, service};

/// The number under which the family answers. A kernel's changes with every boot.
const FAMILY: u16 = 0x21;
/// What the smallest datagram of a dump holds, and the largest, on 64-bit machines (`af_netlink.c`: `netlink_dump()`).
const SMALLEST_PART: usize = 3776;
const LARGEST_PART: usize = 32448;

/// A netlink socket whose other end is an [`EmbeddedDirector`] instead of a kernel.
///
/// It answers requests of the families `nlctrl` (to find IPVS by name) and `IPVS` with the very bytes that a kernel would send, in as
/// many datagrams: each reply and acknowledgement in one of its own, dumps in parts as large as the buffers
/// offered, their end in a last one.
///
/// ```
/// use lvs_core::embedded::{EmbeddedDirector, NetlinkSocket};
/// use lvs_core::wire::family;
/// use lvs_core::wire::message::Messages;
///
/// let mut director = EmbeddedDirector::new();
/// let mut socket = NetlinkSocket::new();
/// let mut request = Vec::new();
/// family::write_request(&mut request, 1, "IPVS");
/// socket.send(&mut director, &request);
/// let reply = socket.receive(&mut director, 4096).expect("an answer");
/// let message = Messages::new(&reply).next().expect("one message");
/// assert_eq!(family::read_reply(&message)?.name, "IPVS");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct NetlinkSocket {
    port: u32,
    capped: bool,
    extended: bool,
    queue: VecDeque<Vec<u8>>,
    dump: Option<Dump>,
    /// The largest buffer offered so far.
    room: usize,
}

#[derive(Debug)]
struct Dump {
    request: Vec<u8>,
    sequence: u32,
    /// Entries that were sent. What changes meanwhile makes a dump miss or repeat an entry, as in the kernel.
    sent: usize,
}

/// What a dump lists.
enum Listed {
    Services(Vec<ServiceEntry>),
    Destinations(Vec<DestinationEntry>),
    Daemons(Vec<crate::model::Daemon>),
    Families,
}

impl Default for NetlinkSocket {
    fn default() -> Self {
        Self::new()
    }
}

impl NetlinkSocket {
    /// A socket with extended acknowledgements and without capped ones.
    pub fn new() -> Self {
        Self { port: 1, capped: false, extended: true, queue: VecDeque::new(), dump: None, room: 0 }
    }

    /// Sets `NETLINK_CAP_ACK` (errors repeat only the header of the request) and `NETLINK_EXT_ACK` (errors explain themselves
    /// where the kernel does).
    pub fn set_acknowledgements(&mut self, capped: bool, extended: bool) {
        self.capped = capped;
        self.extended = extended;
    }

    /// Sends a datagram of requests to the director, which carries them out at once.
    pub fn send(&mut self, director: &mut EmbeddedDirector, datagram: &[u8]) {
        let mut at = 0;
        for message in Messages::new(datagram) {
            let length = Header::SIZE + message.payload.len();
            let raw = &datagram[at..at + length];
            at = (at + length.next_multiple_of(4)).min(datagram.len());
            self.take(director, raw, &message);
        }
    }

    fn take(&mut self, director: &mut EmbeddedDirector, raw: &[u8], message: &Message<'_>) {
        let header = message.header;
        let outcome = if header.flags & NLM_F_REQUEST == 0 || header.kind < GENL_ID_CTRL {
            // Not for the kernel; acknowledged if asked for.
            Ok(true)
        } else if header.kind == GENL_ID_CTRL {
            self.find_family(director, raw, message)
        } else if header.kind == FAMILY {
            self.handle(director, raw, message)
        } else {
            Err(Errno::ENOENT.into())
        };
        let (errno, extended) = match outcome {
            Ok(true) if header.flags & NLM_F_ACK != 0 => (None, ExtendedAck::default()),
            Ok(_) => return,
            Err(Refusal { errno, extended }) => (Some(errno), extended),
        };
        let parsed = header.kind == FAMILY && errno != Some(Errno::EOPNOTSUPP);
        let extended = if parsed && extended.message.is_none() && leaves_bytes(message) {
            ExtendedAck { message: Some("bytes leftover after parsing attributes"), ..extended }
        } else {
            extended
        };
        let extended = if self.extended { extended } else { ExtendedAck::default() };
        let mut ack = Vec::new();
        write_ack(&mut ack, raw, self.port, errno, &extended, self.capped);
        self.queue.push_back(ack);
    }

    /// Receives a datagram, for which there is room for `room` bytes: the caller cuts what is longer. Nothing if no answer is
    /// left.
    pub fn receive(&mut self, director: &mut EmbeddedDirector, room: usize) -> Option<Vec<u8>> {
        self.room = self.room.max(room);
        let datagram = self.queue.pop_front()?;
        self.go_on(director);
        Some(datagram)
    }

    /// Forgets what was asked and not yet answered, as a new socket does.
    pub fn reset(&mut self) {
        self.queue.clear();
        self.dump = None;
        self.room = 0;
    }

    /// Answers whether an acknowledgement may follow.
    fn find_family(
        &mut self,
        director: &mut EmbeddedDirector,
        raw: &[u8],
        message: &Message<'_>,
    ) -> Result<bool, Refusal> {
        if message.header.flags & NLM_F_DUMP == NLM_F_DUMP {
            return self.begin_dump(director, raw, message.header.sequence);
        }
        match family::read_request(message) {
            Some(IPVS_GENL_NAME) => {
                let mut reply = Vec::new();
                family::write_reply(&mut reply, message.header.sequence, self.port, FAMILY);
                self.queue.push_back(reply);
                Ok(true)
            }
            Some(_) => Err(Errno::ENOENT.into()),
            None => Err(Errno::EINVAL.into()),
        }
    }

    fn handle(&mut self, director: &mut EmbeddedDirector, raw: &[u8], message: &Message<'_>) -> Result<bool, Refusal> {
        let request = Request::read(message)?;
        if request.is_dump() {
            return self.begin_dump(director, raw, request.header.sequence);
        }
        if let Some(command) = request.command.reply() {
            let reply = self.reply(director, &request, command)?;
            self.queue.push_back(reply);
        } else {
            director.take_request(&request)?;
        }
        Ok(true)
    }

    fn header(&self, kind: u16, flags: u16, sequence: u32) -> Header {
        Header { kind, flags, sequence, port: self.port, length: 0 }
    }

    fn reply(
        &self,
        director: &mut EmbeddedDirector,
        request: &Request<'_>,
        command: Command,
    ) -> Result<Vec<u8>, Errno> {
        let mut reply = Vec::new();
        let start = self.header(FAMILY, 0, request.header.sequence).begin_command(&mut reply, command);
        match request.command {
            Command::GetService => {
                let key = service::read_request(request.service, false)?.key;
                let at = director.rules.named(&key, &director.options)?;
                let now = director.moment();
                service::write_entry(&mut reply, &director.rules.service_entry(at, now));
            }
            Command::GetConfig => config::write(&mut reply, &director.timeouts),
            Command::GetInfo => info::write(&mut reply, &director.version()),
            _ => return Err(Errno::EOPNOTSUPP),
        }
        finish(&mut reply, start);
        Ok(reply)
    }

    fn begin_dump(&mut self, director: &mut EmbeddedDirector, raw: &[u8], sequence: u32) -> Result<bool, Refusal> {
        if self.dump.is_some() {
            return Err(Errno::EBUSY.into());
        }
        self.dump = Some(Dump { request: raw.to_vec(), sequence, sent: 0 });
        self.go_on(director);
        Ok(false)
    }

    /// Builds the next datagram of the running dump, if there is one.
    fn go_on(&mut self, director: &mut EmbeddedDirector) {
        let Some(Dump { request, sequence, sent }) = self.dump.take() else { return };
        let part = self.room.clamp(SMALLEST_PART, LARGEST_PART);
        let mut datagram = Vec::new();
        let mut index = sent;
        let listed = listed(director, &request);
        while let Some(whole) = self.append(&mut datagram, &listed, index, sequence) {
            if datagram.len() > part {
                datagram.truncate(whole);
                break;
            }
            index += 1;
        }
        if datagram.is_empty() {
            write_done(&mut datagram, sequence, self.port, None);
        } else {
            self.dump = Some(Dump { request, sequence, sent: index });
        }
        self.queue.push_back(datagram);
    }

    /// Appends an entry of a dump; gives back where it begins, or nothing if there is no such entry.
    fn append(&self, datagram: &mut Vec<u8>, listed: &Listed, index: usize, sequence: u32) -> Option<usize> {
        let begin = datagram.len();
        let header = self.header(FAMILY, NLM_F_MULTI, sequence);
        match listed {
            Listed::Services(list) => {
                let entry = list.get(index)?;
                header.begin_command(datagram, Command::NewService);
                service::write_entry(datagram, entry);
            }
            Listed::Destinations(list) => {
                let entry = list.get(index)?;
                header.begin_command(datagram, Command::NewDest);
                destination::write_entry(datagram, entry);
            }
            Listed::Daemons(list) => {
                let entry = list.get(index)?;
                header.begin_command(datagram, Command::NewDaemon);
                daemon::write_entry(datagram, entry);
            }
            Listed::Families => {
                if index > 0 {
                    return None;
                }
                family::write_reply(datagram, sequence, self.port, FAMILY);
                datagram[begin + 6..begin + 8].copy_from_slice(&NLM_F_MULTI.to_ne_bytes());
            }
        }
        finish(&mut datagram[begin..], 0);
        Some(begin)
    }
}

/// Whether bytes are left behind the attributes. That is no error, but every answer says so (`nlattr.c`:
/// `__nla_validate_parse()`).
fn leaves_bytes(message: &Message<'_>) -> bool {
    message.command().is_ok_and(|(_, mut attributes)| {
        attributes.by_ref().for_each(drop);
        !attributes.rest().is_empty()
    })
}

/// What the request of a dump lists by now. What makes no sense lists nothing.
fn listed(director: &mut EmbeddedDirector, request: &[u8]) -> Listed {
    let Some(message) = Messages::new(request).next() else { return Listed::Destinations(Vec::new()) };
    if message.header.kind == GENL_ID_CTRL {
        return Listed::Families;
    }
    let Ok(request) = Request::read(&message) else { return Listed::Destinations(Vec::new()) };
    match request.command {
        Command::GetService => Listed::Services(director.services().unwrap_or_default()),
        Command::GetDaemon => Listed::Daemons(director.daemons.running()),
        _ => {
            let key = service::read_request(request.service, false).map(|service| service.key);
            let list = key.ok().and_then(|key| director.destinations(&key).ok());
            Listed::Destinations(list.unwrap_or_default())
        }
    }
}

impl From<&service::ServiceRequest> for Option<ServiceRequest> {
    fn from(request: &service::ServiceRequest) -> Self {
        let configuration = request.configuration.as_ref()?;
        Some(ServiceRequest {
            key: request.key,
            scheduler: configuration.scheduler,
            engine: configuration.engine,
            flags: configuration.flags,
            mask: configuration.mask,
            timeout: configuration.timeout,
            netmask: configuration.netmask(),
        })
    }
}

impl EmbeddedDirector {
    /// Carries out a request that changes something, looking at its parts in the kernel's order (`ip_vs_genl_set_cmd()`).
    fn take_request(&mut self, request: &Request<'_>) -> Result<(), Errno> {
        let operation = match request.command {
            Command::Flush => Operation::Flush,
            Command::SetConfig => {
                let [tcp, tcp_fin, udp] = request.timeouts.map(|seconds| seconds.unwrap_or(0));
                Operation::SetTimeouts(Timeouts { tcp, tcp_fin, udp })
            }
            Command::NewDaemon => Operation::StartDaemon(daemon::read_request(request.daemon)?),
            Command::DelDaemon => Operation::StopDaemon(daemon::read_role(request.daemon)?),
            Command::Zero if request.service.is_none() => Operation::Zero(None),
            command => {
                let full = matches!(command, Command::NewService | Command::SetService);
                let service = service::read_request(request.service, full)?;
                if let Some(wanted) = Option::<ServiceRequest>::from(&service).filter(|_| full) {
                    let now = self.moment();
                    return if command == Command::NewService {
                        self.rules.add_service(&wanted, &self.options, now).map(|_| ())
                    } else {
                        self.rules.update_service(&wanted, &self.options, now)
                    };
                }
                let key = service.key;
                self.rules.named(&key, &self.options)?;
                let destination = |family: AddressFamily, full| {
                    destination::read_request(request.destination, family, full).map(|read| read.destination)
                };
                match command {
                    Command::DelService => Operation::RemoveService(key),
                    Command::Zero => Operation::Zero(Some(key)),
                    Command::NewDest => Operation::AddDestination(key, destination(key.family(), true)?),
                    Command::SetDest => Operation::UpdateDestination(key, destination(key.family(), true)?),
                    Command::DelDest => Operation::RemoveDestination(key, destination(key.family(), false)?.key),
                    _ => return Err(Errno::EOPNOTSUPP),
                }
            }
        };
        self.carry_out(&operation)
    }
}
