//! The kernel's side of a generic netlink conversation.

use std::collections::VecDeque;

use netlink_packet_core::NetlinkHeader;

use super::EmbeddedDirector;
use super::ids::ServiceId;
use super::table::service::ServiceRequest;
use crate::director::Operation;
use crate::errno::Errno;
use crate::model::{AddressFamily, Daemon, DestinationEntry, ServiceEntry, ServiceKey};
use crate::wire::message::{Command, ExtendedAck, Message, Messages, header, write, write_ack, write_done};
use crate::wire::payload::Payload;
use crate::wire::request::{ReceivedRequest, Rejection};
use crate::wire::uapi::*;
use crate::wire::{daemon, destination, family, service};

/// The number under which the family answers. A kernel's changes with every boot.
const FAMILY: u16 = 0x21;
/// What the smallest datagram of a dump holds, and the largest, on 64-bit machines (`af_netlink.c`:
/// `netlink_dump()`).
const SMALLEST_PART: usize = 3776;
const LARGEST_PART: usize = 32448;

/// A netlink socket whose other end is an [`EmbeddedDirector`] instead of a kernel.
///
/// **Unstable**: with the feature `unstable-wire` alone.
///
/// It answers requests of the families `nlctrl` (to find IPVS by name) and `IPVS` with the very
/// bytes that a kernel would send, in as many datagrams: each reply and acknowledgement in one of
/// its own, dumps in parts as large as the buffers offered, their end in a last one.
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
    /// Entries that were sent. What changes meanwhile makes a dump miss or repeat an entry, as in
    /// the kernel.
    sent: usize,
}

/// What a dump lists from some position on: as much as fits into a datagram, or more.
enum Listed {
    Services(Vec<ServiceEntry>),
    Destinations(Vec<DestinationEntry>),
    Daemons(Vec<Daemon>),
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

    /// Sets `NETLINK_CAP_ACK` (errors repeat only the header of the request) and `NETLINK_EXT_ACK`
    /// (errors explain themselves where the kernel does).
    pub fn set_acknowledgements(&mut self, capped: bool, extended: bool) {
        self.capped = capped;
        self.extended = extended;
    }

    /// Sends a datagram of requests to the director, which carries them out at once.
    pub fn send(&mut self, director: &mut EmbeddedDirector, datagram: &[u8]) {
        let mut messages = Messages::new(datagram);
        loop {
            let rest = messages.rest();
            let Some(message) = messages.next() else { break };
            let raw = rest.get(..message.header.length as usize).unwrap_or(rest);
            self.handle_message(director, raw, &message);
        }
    }

    fn handle_message(&mut self, director: &mut EmbeddedDirector, raw: &[u8], message: &Message<'_>) {
        let header = message.header;
        let outcome = if header.flags & NLM_F_REQUEST == 0 || header.message_type < GENL_ID_CTRL {
            // Not for the kernel; acknowledged if asked for.
            Ok(true)
        } else if header.message_type == GENL_ID_CTRL {
            self.find_family(director, raw, message)
        } else if header.message_type == FAMILY {
            self.handle(director, raw, message)
        } else {
            Err(Errno::ENOENT.into())
        };
        let (errno, extended) = match outcome {
            Ok(true) if header.flags & NLM_F_ACK != 0 => (None, ExtendedAck::default()),
            Ok(_) => return,
            Err(Rejection { errno, extended }) => (Some(errno), extended),
        };
        let parsed = header.message_type == FAMILY && errno != Some(Errno::EOPNOTSUPP);
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

    /// Receives a datagram into a buffer of `room` bytes: the caller truncates what is longer.
    /// `None` if no reply is left.
    pub fn receive(&mut self, director: &mut EmbeddedDirector, room: usize) -> Option<Vec<u8>> {
        self.room = self.room.max(room);
        let datagram = self.queue.pop_front()?;
        self.continue_dump(director);
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
    ) -> Result<bool, Rejection> {
        if message.header.flags & NLM_F_DUMP == NLM_F_DUMP {
            return self.begin_dump(director, raw, message.header.sequence_number);
        }
        match family::read_request(message) {
            Some(IPVS_GENL_NAME) => {
                let mut reply = Vec::new();
                family::write_reply(&mut reply, self.header(0, message.header.sequence_number), FAMILY);
                self.queue.push_back(reply);
                Ok(true)
            }
            Some(_) => Err(Errno::ENOENT.into()),
            None => Err(Errno::EINVAL.into()),
        }
    }

    fn handle(
        &mut self,
        director: &mut EmbeddedDirector,
        raw: &[u8],
        message: &Message<'_>,
    ) -> Result<bool, Rejection> {
        let request = ReceivedRequest::read(message)?;
        if request.is_dump() {
            return self.begin_dump(director, raw, request.header.sequence_number);
        }
        if request.command.reply().is_some() {
            let mut reply = Vec::new();
            let header = self.header(0, request.header.sequence_number);
            write(&mut reply, header, reply_to(director, &request)?);
            self.queue.push_back(reply);
        } else {
            director.apply_request(&request)?;
        }
        Ok(true)
    }

    fn header(&self, flags: u16, sequence: u32) -> NetlinkHeader {
        let mut header = header(FAMILY, flags, sequence);
        header.port_number = self.port;
        header
    }

    fn begin_dump(&mut self, director: &mut EmbeddedDirector, raw: &[u8], sequence: u32) -> Result<bool, Rejection> {
        if self.dump.is_some() {
            return Err(Errno::EBUSY.into());
        }
        self.dump = Some(Dump { request: raw.to_vec(), sequence, sent: 0 });
        self.continue_dump(director);
        Ok(false)
    }

    /// Builds the next datagram of the running dump, if there is one.
    fn continue_dump(&mut self, director: &mut EmbeddedDirector) {
        let Some(Dump { request, sequence, sent }) = self.dump.take() else { return };
        let part = self.room.clamp(SMALLEST_PART, LARGEST_PART);
        let mut datagram = Vec::new();
        let mut index = sent;
        let listed = listed(director, &request, sent);
        while let Some(whole) = self.write(&mut datagram, &listed, index - sent, sequence) {
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

    /// Appends an entry of a dump; gives back where it begins, or nothing if there is no such
    /// entry.
    fn write(&self, datagram: &mut Vec<u8>, listed: &Listed, index: usize, sequence: u32) -> Option<usize> {
        let begin = datagram.len();
        let header = self.header(NLM_F_MULTIPART, sequence);
        let payload = match listed {
            Listed::Services(list) => Payload::Service(*list.get(index)?),
            Listed::Destinations(list) => Payload::Destination(*list.get(index)?),
            Listed::Daemons(list) => Payload::Daemon(*list.get(index)?),
            Listed::Families if index > 0 => return None,
            Listed::Families => {
                family::write_reply(datagram, header, FAMILY);
                return Some(begin);
            }
        };
        write(datagram, header, payload);
        Some(begin)
    }
}

fn reply_to(director: &mut EmbeddedDirector, request: &ReceivedRequest<'_>) -> Result<Payload<'static>, Errno> {
    Ok(match request.command {
        Command::GetService => {
            let key = service::read_request(request.service, false)?.key;
            let at = director.table.named(&key, &director.options)?;
            let now = director.moment();
            Payload::Service(director.table.service_entry(at, now))
        }
        Command::GetConfig => Payload::Timeouts(director.timeouts),
        Command::GetInfo => Payload::Info(director.version()),
        _ => return Err(Errno::EOPNOTSUPP),
    })
}

/// Whether bytes are left behind the attributes. That is no error, but every answer says so
/// (`nlattr.c`: `__nla_validate_parse()`).
fn leaves_bytes(message: &Message<'_>) -> bool {
    message.command().is_ok_and(|(_, mut attributes)| {
        attributes.by_ref().for_each(drop);
        !attributes.rest().is_empty()
    })
}

/// The least bytes of an entry of a dump, by far.
const LEAST_ENTRY: usize = 64;

/// What the request of a dump lists by now, from the entry after the first `sent` on. What makes no
/// sense lists nothing.
fn listed(director: &mut EmbeddedDirector, request: &[u8], sent: usize) -> Listed {
    const MOST: usize = LARGEST_PART / LEAST_ENTRY + 1;
    let Some(message) = Messages::new(request).next() else { return Listed::Destinations(Vec::new()) };
    if message.header.message_type == GENL_ID_CTRL {
        return if sent == 0 { Listed::Families } else { Listed::Daemons(Vec::new()) };
    }
    let Ok(request) = ReceivedRequest::read(&message) else { return Listed::Destinations(Vec::new()) };
    match request.command {
        Command::GetService => Listed::Services(director.services_from(sent, MOST)),
        Command::GetDaemon => Listed::Daemons(director.daemons.running().into_iter().skip(sent).collect()),
        _ => {
            let key = service::read_request(request.service, false).map(|service| service.key);
            let list = key.ok().and_then(|key| director.destinations_from(&key, sent, MOST).ok());
            Listed::Destinations(list.unwrap_or_default())
        }
    }
}

impl From<&service::RequestedService> for Option<ServiceRequest> {
    fn from(request: &service::RequestedService) -> Self {
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
    /// At most `most` services, after skipping the first `first`.
    fn services_from(&mut self, first: usize, most: usize) -> Vec<ServiceEntry> {
        let now = self.moment();
        let some: Vec<ServiceId> = self.table.iter().skip(first).take(most).collect();
        some.into_iter().map(|at| self.table.service_entry(at, now)).collect()
    }

    /// At most `most` destinations of a service, after skipping the first `first`.
    fn destinations_from(
        &mut self,
        key: &ServiceKey,
        first: usize,
        most: usize,
    ) -> Result<Vec<DestinationEntry>, Errno> {
        let at = self.table.named(key, &self.options)?;
        let now = self.moment();
        self.table.destination_entries_from(at, now, first, most).map_err(|_| Errno::ENOMEM)
    }

    /// Carries out a request that changes something, looking at its parts in the kernel's order
    /// (`ip_vs_genl_set_cmd()`).
    fn apply_request(&mut self, request: &ReceivedRequest<'_>) -> Result<(), Errno> {
        let operation = match request.command {
            Command::Flush => Operation::Flush,
            Command::SetConfig => Operation::SetTimeouts(request.timeouts),
            Command::NewDaemon => Operation::StartDaemon(daemon::read_request(request.daemon)?),
            Command::DelDaemon => Operation::StopDaemon(daemon::read_role(request.daemon)?),
            Command::Zero if request.service.is_none() => Operation::Zero(None),
            command => {
                let full = matches!(command, Command::NewService | Command::SetService);
                let service = service::read_request(request.service, full)?;
                if let Some(wanted) = Option::<ServiceRequest>::from(&service).filter(|_| full) {
                    let now = self.moment();
                    return self.commit(|director| match command {
                        Command::NewService => director.table.add_service(&wanted, &director.options, now),
                        _ => director.table.update_service(&wanted, &director.options, now),
                    });
                }
                let key = service.key;
                self.table.named(&key, &self.options)?;
                let destination =
                    |family: AddressFamily, full| destination::read_request(request.destination, family, full);
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
