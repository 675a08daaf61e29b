//! The kernel's side of a conversation, without a kernel.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use lvs_core::kernel::{Inbox, Transport};
use lvs_core::model::{
    Destination, DestinationEntry, Info, Protocol, Service, ServiceEntry, ServiceKey, Stats, Timeouts,
};
use lvs_core::wire::family;
use lvs_core::wire::message::{Command, Messages, header, write, write_done};
use lvs_core::wire::payload::Payload;
use lvs_core::wire::request::ReceivedRequest;
use lvs_core::wire::uapi::{NLM_F_DUMP, NLM_F_MULTIPART};

fn key(index: u32) -> ServiceKey {
    let [_, a, b, c] = index.to_be_bytes();
    ServiceKey::endpoint(Protocol::Tcp, IpAddr::V4(Ipv4Addr::new(10, a, b, c)), 80)
}

/// What the kernel puts into a datagram for whoever has offered no larger buffer.
const SMALLEST: usize = 3776;

/// Answers as the kernel would, from messages made beforehand.
pub(crate) struct Canned {
    services: Vec<Vec<u8>>,
    destinations: Vec<Vec<u8>>,
    answers: VecDeque<Answer>,
    /// The largest buffer that was offered: parts of lists are as large.
    offered: usize,
}

enum Answer {
    Datagram(Vec<u8>),
    List {
        command: Command,
        sequence: u32,
        /// Which entry is next.
        next: usize,
        /// The most bytes of the next part. The kernel makes the first when it is asked.
        part: usize,
    },
}

impl Canned {
    pub(crate) fn new(services: u32, destinations: u32) -> Self {
        let stats = Stats::default();
        let service = |index| {
            let mut entry = ServiceEntry::new(Service::new(key(index)));
            (entry.stats, entry.stats64) = (Some(stats), Some(stats));
            reply(Payload::Service(entry))
        };
        let destination = |number: u32| {
            let [_, a, b, c] = number.to_be_bytes();
            let addr = IpAddr::V4(Ipv4Addr::new(172, 16 + a, b, c));
            let mut entry = DestinationEntry::new(Destination::new(addr, 8080));
            (entry.stats, entry.stats64) = (Some(stats), Some(stats));
            reply(Payload::Destination(entry))
        };
        Self {
            services: (0..services).map(service).collect(),
            destinations: (0..destinations).map(destination).collect(),
            answers: VecDeque::new(),
            offered: SMALLEST,
        }
    }

    fn list(&self, command: Command) -> &[Vec<u8>] {
        match command {
            Command::GetService => &self.services,
            Command::GetDest => &self.destinations,
            _ => &[],
        }
    }

    /// The next datagram, if there is one.
    fn next(&mut self) -> Option<Vec<u8>> {
        let (command, sequence, next, part) = match self.answers.pop_front()? {
            Answer::Datagram(datagram) => return Some(datagram),
            Answer::List { command, sequence, next, part } => (command, sequence, next, part),
        };
        let mut datagram = Vec::with_capacity(part);
        let mut end = next;
        for message in &self.list(command)[next..] {
            if datagram.len() + message.len() > part {
                break;
            }
            let start = datagram.len();
            datagram.extend_from_slice(message);
            number(&mut datagram[start..], sequence);
            end += 1;
        }
        if end == next {
            write_done(&mut datagram, sequence, 0, None);
        } else {
            self.answers.push_front(Answer::List { command, sequence, next: end, part: self.offered });
        }
        Some(datagram)
    }
}

fn reply(payload: Payload<'_>) -> Vec<u8> {
    let mut buf = Vec::new();
    write(&mut buf, header(33, NLM_F_MULTIPART, 0), payload);
    buf
}

fn number(message: &mut [u8], sequence: u32) {
    message[8..12].copy_from_slice(&sequence.to_ne_bytes());
}

impl Transport for Canned {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        for message in Messages::new(datagram) {
            let sequence = message.header.sequence_number;
            let mut answer = |mut datagram: Vec<u8>| {
                number(&mut datagram, sequence);
                self.answers.push_back(Answer::Datagram(datagram));
            };
            if family::read_request(&message).is_some() {
                let mut buf = Vec::new();
                family::write_reply(&mut buf, header(0, 0, sequence), 33);
                answer(buf);
                continue;
            }
            let command = ReceivedRequest::read(&message).unwrap().command;
            match command {
                Command::GetInfo => answer(reply(Payload::Info(Info::default()))),
                Command::GetConfig => answer(reply(Payload::Timeouts(Timeouts::default()))),
                _ => {}
            }
            if message.header.flags & NLM_F_DUMP != 0 {
                self.answers.push_back(Answer::List { command, sequence, next: 0, part: self.offered });
            }
        }
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, _wait: bool) -> io::Result<()> {
        self.offered = self.offered.max(inbox.chunk());
        while !inbox.is_full() {
            let Some(datagram) = self.next() else { break };
            inbox.push(&datagram);
        }
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.answers.clear();
        self.offered = SMALLEST;
        Ok(())
    }
}
