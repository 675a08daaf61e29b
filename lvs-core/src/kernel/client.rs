use std::cell::Cell;
use std::io;

use super::fault::{Fault, is_end};
use super::transport::{Inbox, LARGE, MAX_DATAGRAMS, Transport};
use super::whole::Witness;
use crate::director::{Attempt, Cause, OperationError};
use crate::errno::Errno;
use crate::error::Error;
use crate::trace;
use crate::wire::DecodeError;
use crate::wire::attr::Attributes;
use crate::wire::message::{Answer, Command, Message, Messages, header, write, write_header};
use crate::wire::payload::Request;
use crate::wire::{family, uapi::*};

/// Buffers for short lists: with the kernel's own bookkeeping (320 bytes on 64-bit) one fits a
/// page, so it clears no more than that for each part of a dump. Where its smallest part is larger,
/// a cut datagram says so.
const SMALL: usize = 3776;
/// Where [`SMALL`] turns out to be too small.
const MIDDLE: usize = 8 << 10;
/// For the first part of a list that is to be cut elsewhere than the one before.
const HALF: usize = LARGE / 2;
/// Small parts after which a list counts as long: 16 of them hold 160 destinations.
const LONG_AFTER: usize = 16;
/// How often a read is attempted that was disturbed.
pub(super) const TRIES: u32 = 4;

/// How the family's number is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolve {
    /// By name. The kernel loads the module for it.
    ByName,
    /// In the list of all families, which loads nothing.
    InList,
}

/// The client side of the netlink family: one request and its replies at a time.
pub(super) struct Client {
    transport: Box<dyn Transport + Send>,
    inbox: Inbox,
    pub(super) out: Vec<u8>,
    family: u16,
    sequence: u32,
    resolve: Resolve,
    /// Replies to earlier requests may still arrive.
    stale: bool,
    small: usize,
    /// Large buffers were offered on this socket.
    grown: bool,
    /// How many short lists came since then.
    short_lists: u32,
    /// Lists are read into buffers of [`MIDDLE`] first, see [`Client::expect_middling_lists`].
    middling: bool,
    /// The next list begins with a part of [`HALF`].
    shifted: bool,
    /// The largest buffer that was offered on this socket.
    offered: usize,
    pub(super) last_length: usize,
    /// The last list of services had some of IPv6.
    pub(super) saw_ipv6: bool,
    /// Where the kernel's locked lists come from, if they do.
    pub(super) witness: Option<Box<dyn Witness + Send>>,
}

impl Client {
    /// Finds the family.
    pub(super) fn open(transport: Box<dyn Transport + Send>, resolve: Resolve) -> Result<Self, Error> {
        let mut client = Self {
            transport,
            inbox: Inbox::new(),
            out: Vec::new(),
            family: 0,
            sequence: 0,
            resolve,
            stale: false,
            small: SMALL,
            grown: false,
            short_lists: 0,
            middling: false,
            shifted: false,
            offered: 0,
            last_length: 0,
            saw_ipv6: false,
            witness: None,
        };
        client.family = client.find_family(Attempt::Open)?;
        Ok(client)
    }

    fn find_family(&mut self, attempt: Attempt) -> Result<u16, Error> {
        let missing = || OperationError::new(attempt, Cause::ModuleMissing, Some(Errno::ENOENT)).into();
        let mut found = None;
        let list = self.resolve == Resolve::InList;
        let result = self.retry(|client| {
            client.prepare();
            client.out.clear();
            let sequence = client.next_sequence();
            if list {
                family::write_dump_request(&mut client.out, sequence);
            } else {
                family::write_request(&mut client.out, sequence, IPVS_GENL_NAME);
            }
            client.send()?;
            // A family with many operations needs a large buffer: the kernel ends a list at one
            // that does not fit.
            let size = if list { (LARGE, 1) } else { (client.short(), 1) };
            client.receive(
                |_| size,
                |message| {
                    if message.header.sequence_number != sequence {
                        return Ok(false);
                    }
                    match message.answer()? {
                        Answer::Data(..) => {
                            let family = family::read_reply(message)?;
                            if family.name == IPVS_GENL_NAME {
                                found = Some(family.id);
                            }
                            Ok(!list)
                        }
                        answer => is_end(&answer),
                    }
                },
            )
        });
        if list && result.is_ok() {
            self.stale = true;
            self.prepare(); // A fresh socket, to which no large buffer was offered.
        }
        match result {
            Ok(()) => found.ok_or_else(missing),
            Err(Fault::Refused(Errno::ENOENT, _)) => Err(missing()),
            Err(fault) => Err(fault.into_error(attempt)),
        }
    }

    /// Resolves the family's number again. Reloading `ip_vs` assigns a new one, and the kernel
    /// answers requests to a stale number with `ENOENT`, as it does for an absent destination.
    ///
    /// Gives back whether it has changed.
    pub(super) fn family_has_moved(&mut self, attempt: Attempt) -> Result<bool, Error> {
        let before = self.family;
        self.family = self.find_family(attempt)?;
        let moved = before != self.family;
        if moved && before != 0 {
            trace::family_moved(before, self.family);
        }
        Ok(moved)
    }

    pub(super) fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Appends a request; gives back its sequence number.
    #[inline]
    pub(super) fn request(&mut self, request: Request<'_>, flags: u16) -> u32 {
        let sequence = self.next_sequence();
        write(&mut self.out, header(self.family, NLM_F_REQUEST | flags, sequence), request);
        sequence
    }

    /// Appends a request for an acknowledgement alone.
    pub(super) fn request_ack(&mut self) {
        let sequence = self.next_sequence();
        write_header(&mut self.out, header(NLMSG_NOOP, NLM_F_REQUEST | NLM_F_ACK, sequence));
    }

    /// Drops replies to earlier requests, and reopens the socket after a large dump so that small
    /// dumps use small buffers again.
    pub(super) fn prepare(&mut self) {
        if self.stale || ((self.grown || self.middling) && self.short_lists >= 2) {
            // Where that is not supported, sequence numbers still tell old from new.
            if self.transport.reset().is_ok() {
                self.offered = 0;
                self.grown = false;
                self.middling = false;
            }
            self.stale = false;
            self.short_lists = 0;
        }
    }

    /// Replies to what was sent may still arrive.
    pub(super) fn discard_replies(&mut self) {
        self.stale = true;
    }

    /// Sends what was appended.
    pub(super) fn send(&mut self) -> Result<(), Fault> {
        loop {
            match self.transport.send(&self.out) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.out.clear();
                    return Err(Fault::sending(error));
                }
                Ok(()) => return Ok(()),
            }
        }
    }

    /// Sends, and leaves what was appended for another attempt.
    pub(super) fn try_send(&mut self, bytes: std::ops::Range<usize>) -> io::Result<()> {
        loop {
            match self.transport.send(&self.out[bytes.clone()]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Receives until `visit` says that this was the last message. `size` gives, from the number of
    /// receives so far, the size and number of the buffers.
    pub(super) fn receive(
        &mut self,
        mut size: impl FnMut(usize) -> (usize, usize),
        mut visit: impl FnMut(&Message<'_>) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let mut receives = 0;
        loop {
            let (chunk, limit) = size(receives);
            self.receive_once(chunk, limit, true).map_err(Fault::receiving)?;
            receives += 1;
            if self.visit_inbox(&mut visit)? {
                return Ok(());
            }
        }
    }

    /// Receives once.
    pub(super) fn receive_once(&mut self, chunk: usize, limit: usize, wait: bool) -> io::Result<()> {
        let chunk = chunk.max(self.small);
        self.grown |= chunk > MIDDLE;
        loop {
            self.inbox.prepare(chunk, limit);
            self.offered = self.offered.max(chunk);
            match self.transport.receive(&mut self.inbox, wait) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    /// Shows the messages received, to the end even after the last that matters.
    #[inline]
    pub(super) fn visit_inbox(
        &mut self,
        visit: &mut impl FnMut(&Message<'_>) -> Result<bool, Fault>,
    ) -> Result<bool, Fault> {
        self.visit_datagrams(visit, |_| {})
    }

    /// The same, and the length of each datagram after its messages.
    #[inline]
    fn visit_datagrams(
        &mut self,
        visit: &mut impl FnMut(&Message<'_>) -> Result<bool, Fault>,
        mut ended: impl FnMut(usize),
    ) -> Result<bool, Fault> {
        let mut done = false;
        for datagram in self.inbox.datagrams() {
            let Some(datagram) = datagram else {
                // This kernel's smallest parts are larger: offer more from now on.
                self.small = if self.small < MIDDLE { MIDDLE } else { LARGE };
                return Err(Fault::Disturbed(DecodeError::truncated("datagram").into()));
            };
            let mut messages = Messages::new(datagram);
            for message in messages.by_ref() {
                if !done {
                    done = visit(&message)?;
                }
            }
            if !messages.rest().is_empty() {
                return Err(DecodeError::truncated("netlink message").into());
            }
            ended(datagram.len());
        }
        Ok(done)
    }

    /// The size of the buffers for a few short answers.
    pub(super) fn short(&self) -> usize {
        if self.grown { LARGE } else { self.small }
    }

    /// Runs an exchange that changes nothing; repeats it if it was disturbed.
    pub(super) fn retry<T>(&mut self, mut exchange: impl FnMut(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut tries = 1;
        loop {
            match exchange(self) {
                Ok(value) => return Ok(value),
                Err(fault @ (Fault::Disturbed(_) | Fault::Refused(Errno::EBUSY, _))) if tries < TRIES => {
                    trace::repeated(tries, &fault);
                    self.stale = true;
                }
                Err(fault) => {
                    // A refusal of a single request leaves nothing behind; anything else may.
                    self.stale |= !matches!(fault, Fault::Refused(..));
                    return Err(fault);
                }
            }
            tries += 1;
        }
    }

    /// Runs a reading exchange; repeats it also if the family's number has changed.
    pub(super) fn read<T>(
        &mut self,
        attempt: Attempt,
        mut exchange: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        self.retry_after_reload(attempt, &mut exchange)?.map_err(|fault| fault.into_error(attempt))
    }

    /// The same, with the last fault as it is. The outer error is that the module is gone.
    pub(super) fn retry_after_reload<T>(
        &mut self,
        attempt: Attempt,
        mut exchange: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Result<T, Fault>, Error> {
        match self.retry(&mut exchange) {
            Err(Fault::Refused(Errno::ENOENT, _)) if self.family_has_moved(attempt)? => Ok(self.retry(exchange)),
            result => Ok(result),
        }
    }

    /// Asks for one thing. Without `NLM_F_ACK`: the reply is the answer, and an error comes in any
    /// case.
    pub(super) fn get<T>(
        &mut self,
        attempt: Attempt,
        request: Request<'_>,
        mut read: impl FnMut(Attributes<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, Error> {
        self.read(attempt, |client| {
            client.prepare();
            client.out.clear();
            let sequence = client.request(request, 0);
            client.send()?;
            let mut value = None;
            let chunk = client.short();
            client.receive(
                |_| (chunk, 1),
                |message| {
                    if message.header.sequence_number != sequence {
                        return Ok(false);
                    }
                    match message.answer()? {
                        Answer::Data(reply, attributes) => {
                            if Some(reply) != request.command().reply() {
                                return Err(DecodeError::Unexpected { what: "reply of the command asked for" }.into());
                            }
                            value = Some(read(attributes)?);
                            Ok(true)
                        }
                        answer => is_end(&answer),
                    }
                },
            )?;
            value.ok_or_else(|| DecodeError::Unexpected { what: "reply" }.into())
        })
    }

    /// Asks for a list; gives back how it came. `each` may see part of a list before a fault.
    #[inline]
    pub(super) fn dump(
        &mut self,
        request: Request<'_>,
        mut each: impl FnMut(Attributes<'_>) -> Result<(), Fault>,
    ) -> Result<Parts, Fault> {
        self.prepare();
        self.out.clear();
        let sequence = self.request(request, NLM_F_DUMP);
        self.send()?;
        let (grown, family) = (self.grown, self.family);
        let shifted = std::mem::take(&mut self.shifted);
        let entries = Cell::new(0);
        let mut cuts = Cuts::new(self.offered);
        let small = if self.middling { self.small.max(MIDDLE) } else { self.small };
        let wanted = request.command().reply().map(Command::number);
        let mut interrupted = false;
        let (mut datagrams, mut done, mut receives, mut first) = (0, false, 0, 0);
        while !done {
            // The first part and the end of a short list come in one receive: the kernel makes the
            // end while it hands over the part before. Then small parts for a while, in case it is
            // short after all.
            let (chunk, limit) = match receives {
                0 if grown => (LARGE, 2),
                0 => (small, 2),
                // One at a time costs more calls, and less memory to touch.
                _ if grown || datagrams > LONG_AFTER => (LARGE, 1),
                _ => (small, MAX_DATAGRAMS),
            };
            receives += 1;
            self.receive_once(chunk, limit, true).map_err(Fault::receiving)?;
            if receives == 1 {
                first = self.inbox.datagrams().next().flatten().map_or(0, <[u8]>::len);
            }
            datagrams += self.inbox.datagrams().count();
            let visit = &mut |message: &Message<'_>| {
                if message.header.sequence_number != sequence {
                    return Ok(false);
                }
                interrupted |= message.header.flags & NLM_F_DUMP_INTR != 0;
                if message.header.message_type != family {
                    return is_end(&message.answer()?);
                }
                match message.payload.split_first_chunk::<4>() {
                    Some((generic, attributes)) if Some(generic[0]) == wanted => {
                        each(Attributes::new(attributes))?;
                        entries.set(entries.get() + 1);
                        Ok(false)
                    }
                    Some(_) => Err(DecodeError::Unexpected { what: "reply of the command asked for" }.into()),
                    None => Err(DecodeError::truncated("generic netlink header").into()),
                }
            };
            let offered = self.offered;
            done = self.visit_datagrams(visit, |length| cuts.part(entries.get(), length, offered))?;
        }
        if interrupted {
            return Err(Fault::interrupted());
        }
        let parts = Parts {
            count: datagrams.saturating_sub(1), // The end has one of its own.
            first,
            is_large: grown && !shifted,
            cuts: cuts.finish(),
        };
        let short = if self.middling { parts.fits(SMALL) } else { datagrams <= 3 };
        self.short_lists = if short { self.short_lists.saturating_add(1) } else { 0 };
        Ok(parts)
    }

    /// Has the lists to come read into larger buffers: they are a little too long to come in one
    /// part. Short ones end it.
    pub(super) fn expect_middling_lists(&mut self) {
        if !self.grown && !self.middling {
            self.middling = true;
            self.short_lists = 0;
        }
    }

    /// After a list of this number of entries that did not come in one part: has the lists to come read
    /// into larger buffers if one of these would have held it.
    pub(super) fn expect_lists_of(&mut self, length: usize) {
        if (length + 1) * ENTRY <= MIDDLE {
            self.expect_middling_lists();
        }
    }

    /// Has the kernel make the largest parts from the next list's first on.
    pub(super) fn expect_long_lists(&mut self, attempt: Attempt) -> Result<(), Error> {
        self.prepare();
        self.grown = true;
        self.short_lists = 0;
        // It makes the first part when it is asked, as large as the buffers that it was offered
        // before.
        self.get(attempt, Request::Info, |_| Ok(()))
    }

    /// After a list that came in these parts: has the kernel cut the next one at other places.
    pub(super) fn expect_other_parts(&mut self, attempt: Attempt, parts: &Parts) -> Result<(), Error> {
        if !parts.is_large {
            return if self.grown { Ok(()) } else { self.expect_long_lists(attempt) };
        }
        // Only a socket to which no large buffer was offered yet has the kernel make a smaller
        // part.
        if self.transport.reset().is_err() {
            return Ok(());
        }
        (self.offered, self.grown, self.middling, self.stale, self.short_lists) = (0, false, false, false, 0);
        let small = std::mem::replace(&mut self.small, HALF);
        let answer = self.get(attempt, Request::Info, |_| Ok(()));
        self.small = small;
        self.shifted = true;
        answer
    }

    /// Whether lists are read into larger buffers for now.
    pub(super) const fn expects_more_than_short_lists(&self) -> bool {
        self.grown || self.middling
    }

    /// After a list whose length says nothing about the lists to come.
    pub(super) fn expect_short_lists(&mut self) {
        self.short_lists = 2;
    }
}

/// How a list came.
#[derive(Debug)]
pub(super) struct Parts {
    /// In how many datagrams, without its end.
    count: usize,
    /// Bytes of the first.
    first: usize,
    /// From the first on they were as large as the kernel makes them.
    is_large: bool,
    /// After how many entries each part ended behind which there may have been more.
    pub(super) cuts: Vec<usize>,
}

/// Takes down where a list is cut into parts.
///
/// A part ends a list, rather than being cut, if it could have held another entry: the kernel makes
/// it as large as the largest buffer that it was offered when it made it. Short of memory it makes
/// small ones all the same, and a part that is as long as these is then taken for whole. Only a
/// second reading that is equal settles such a list, so that more would have to come together: both
/// times no memory, and a neighbour that disturbs both alike.
#[derive(Debug)]
struct Cuts {
    cuts: Vec<usize>,
    /// Where the last part with entries ended, and whether it had room for another entry.
    end: usize,
    has_room: bool,
    /// The most bytes of the next part.
    size: usize,
}

impl Cuts {
    /// For a list that is asked for after a buffer of this size was offered: the kernel makes
    /// the first part at once.
    const fn new(offered: usize) -> Self {
        Self { cuts: Vec::new(), end: 0, has_room: false, size: offered }
    }

    /// A datagram came, after which there are `entries` of them. It was received when a buffer of
    /// `offered` bytes had been offered: the kernel made the next one then.
    fn part(&mut self, entries: usize, length: usize, offered: usize) {
        let size = std::mem::replace(&mut self.size, offered).max(SMALL);
        if entries == self.end {
            return;
        }
        // A list of one part costs no memory.
        if self.end > 0 {
            self.cuts.push(self.end);
        }
        self.end = entries;
        self.has_room = length + ENTRY <= size;
    }

    fn finish(mut self) -> Vec<usize> {
        if self.end > 0 && !self.has_room {
            self.cuts.push(self.end);
        }
        self.cuts
    }
}

/// A little more than the kernel needs for a service or destination, 356 bytes.
const ENTRY: usize = 400;
/// Lengths around which the kernel ends a datagram: a page, two, four, and 32 KiB, less its own
/// bookkeeping.
const ENDS: [(usize, usize); 4] = [(3700, 4096), (7800, MIDDLE), (16_000, HALF), (32_000, LARGE)];

impl Parts {
    /// Whether the kernel walked its list once, from one end to the other: in a datagram that had
    /// room for more.
    ///
    /// Where there was none, the walk stopped, and went on later from its position in a list that
    /// may be another by then.
    pub(super) fn are_one_walk(&self) -> bool {
        let end = ENDS.iter().find(|(_, end)| self.first <= *end);
        self.count == 0 || (self.count == 1 && end.is_some_and(|(end, _)| self.first + ENTRY <= *end))
    }

    fn fits(&self, size: usize) -> bool {
        self.count <= 1 && self.first + ENTRY <= size
    }
}
