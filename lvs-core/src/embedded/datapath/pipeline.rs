//! What becomes of a packet (`ip_vs_core.c`).

use std::net::SocketAddr;

use super::super::EmbeddedDirector;
use super::super::connections::{AHEAD, Address, Client, Entry, Event, Flags, Leg, Target, sctp, tcp};
use super::super::ids::{EntryId, ServiceId};
use super::super::packet::{Direction, Packet, Payload, SctpChunk, TcpFlags};
use super::super::protocol::{AH, ESP, FTP, FTP_DATA, ISAKMP, SCTP, TCP, UDP};
use super::super::table::Moment;
use super::super::verdict::{DropReason, ForwardReason, Forwarding, PassReason, RejectReason, Verdict};
use crate::model::{AddressFamily, ForwardingMethod, Protocol, ServiceFlags, ServiceKey};
use crate::schedulers::Request;

/// A packet that may open a connection.
pub(super) struct Opening<'a> {
    pub(super) packet: &'a Packet,
    pub(super) client: Client,
    pub(super) target: Target,
    pub(super) service: ServiceId,
    pub(super) now: Moment,
}

/// Why a packet that may open a connection opens none.
pub(super) enum Failed {
    /// No destination can have it.
    Rejected(RejectReason),
    /// The table has as many entries as it may.
    Limit,
}

impl From<RejectReason> for Failed {
    fn from(reason: RejectReason) -> Self {
        Self::Rejected(reason)
    }
}

impl Opening<'_> {
    pub(super) const fn is_udp(&self) -> bool {
        self.client.protocol == UDP
    }

    pub(super) fn request(&self) -> Request {
        Request::new(self.client.protocol, self.packet.source, self.packet.destination).at(self.now.millis)
    }
}

fn side(addr: SocketAddr, protocol: u8) -> Client {
    Client { addr: Address::of(addr.ip()), port: addr.port(), protocol, v6: addr.is_ipv6() }
}

fn target(addr: SocketAddr) -> Target {
    Target { addr: Address::of(addr.ip()), port: addr.port() }
}

const fn row(flags: TcpFlags) -> Option<u8> {
    if flags.contains(TcpFlags::RST) {
        Some(tcp::RST)
    } else if flags.contains(TcpFlags::SYN) {
        Some(tcp::SYN)
    } else if flags.contains(TcpFlags::FIN) {
        Some(tcp::FIN)
    } else if flags.contains(TcpFlags::ACK) {
        Some(tcp::ACK)
    } else {
        None
    }
}

const fn event(payload: Payload) -> Option<Event> {
    match payload {
        Payload::Tcp(flags) => Some(Event::Tcp(row(flags))),
        Payload::Udp => Some(Event::Udp),
        Payload::Sctp(chunk) => Some(Event::Sctp(chunk as u8)),
        Payload::IcmpError(_) | Payload::Other(_) => None,
    }
}

/// Whether a packet begins a connection even where one is known already.
const fn begins(payload: Payload) -> bool {
    match payload {
        Payload::Tcp(flags) => flags.contains(TcpFlags::SYN),
        Payload::Sctp(chunk) => matches!(chunk, SctpChunk::Init),
        Payload::Udp | Payload::IcmpError(_) | Payload::Other(_) => false,
    }
}

/// Whether a connection in this state has ended, so that the next one between the same ends is
/// another.
const fn has_ended(protocol: u8, state: u8) -> bool {
    match protocol {
        TCP => state == tcp::TIME_WAIT || state == tcp::CLOSE,
        SCTP => state == sctp::CLOSED,
        _ => false,
    }
}

impl EmbeddedDirector {
    /// Takes a packet and says what becomes of it.
    ///
    /// It happens now, at a moment without length: move the clock with [`advance`](Self::advance).
    pub fn receive(&mut self, packet: &Packet) -> Verdict {
        if packet.source.is_ipv4() != packet.destination.is_ipv4() {
            return Verdict::Passed(PassReason::Protocol);
        }
        if !self.table.has_family(packet.source.is_ipv6()) {
            return Verdict::Passed(PassReason::NoHook);
        }
        match packet.direction {
            Direction::FromClient => self.inbound(packet),
            Direction::FromServer => self.outbound(packet),
        }
    }

    /// Takes packets in their order, and tells what becomes of each.
    ///
    /// The same as [`receive`](Self::receive) for one after the other, but faster with many
    /// connections: what the packets will look up is fetched from memory for several of them at a
    /// time.
    pub fn receive_all<'p>(&mut self, packets: &'p [Packet], mut each: impl FnMut(&'p Packet, Verdict)) {
        for packets in packets.chunks(AHEAD) {
            self.connections.prepare(packets.iter().map(|packet| {
                let client = match packet.direction {
                    Direction::FromClient => packet.source,
                    Direction::FromServer => packet.destination,
                };
                side(client, packet.payload.protocol())
            }));
            for packet in packets {
                each(packet, self.receive(packet));
            }
        }
    }

    fn inbound(&mut self, packet: &Packet) -> Verdict {
        if self.options.settings.backup_only && self.daemons.has_backup() {
            return Verdict::Passed(PassReason::BackupOnly);
        }
        let Some(event) = event(packet.payload) else {
            return match packet.payload {
                Payload::IcmpError(protocol) => self.error_in(packet, protocol),
                _ => self.ipsec(packet),
            };
        };
        let now = self.moment();
        let client = side(packet.source, packet.payload.protocol());
        let target = target(packet.destination);
        let mut found = self.connections.find(&client, &target);
        if let Some(at) = found {
            if begins(packet.payload) && self.starts_over(at) {
                if self.connections.get(at).controlled == 0 {
                    self.connections.expire_now(at, now.tick);
                }
                found = None;
            } else if self.is_orphan(at) {
                if !self.options.settings.expire_nodest_conn {
                    return Verdict::Dropped(DropReason::DestinationRemoved);
                }
                self.connections.expire_now(at, now.tick);
                found = None;
            }
            if found.is_none() && self.is_tracked(at, packet) {
                return Verdict::Dropped(DropReason::Tracked);
            }
        }
        let (at, reason) = match found {
            Some(at) => (at, ForwardReason::Connection),
            None => match self.admit(packet, client, target, now) {
                Ok(opened) => opened,
                Err(verdict) => return verdict,
            },
        };
        self.count_in(at, packet.length, now);
        self.transit(at, Leg::Input, event);
        self.connections.get_mut(at).count_packet();
        let verdict = self.forwarding(at, reason);
        self.packet_done(at, now);
        verdict
    }

    /// Whether netfilter still tracks the connection of an entry under which a packet came.
    fn is_tracked(&self, at: EntryId, packet: &Packet) -> bool {
        let entry = self.connections.get(at);
        let renewed = || begins(packet.payload) && has_ended(entry.protocol, entry.state);
        packet.tracked.unwrap_or_else(|| entry.flags.contains(Flags::TRACKED) && !renewed())
    }

    /// Whether a packet that begins a connection does so although `at` is in the table.
    fn starts_over(&self, at: EntryId) -> bool {
        let settings = &self.options.settings;
        let entry = self.connections.get(at);
        let quiesced = || entry.destination.is_some_and(|destination| self.table.weight(destination) == 0);
        if settings.expire_nodest_conn && quiesced() {
            return true;
        }
        if settings.conn_reuse_mode == 0 || entry.control.is_some() {
            return false;
        }
        let ending = entry.protocol == TCP && entry.state == tcp::FIN_WAIT && entry.flags.contains(Flags::NO_OUTPUT);
        has_ended(entry.protocol, entry.state) || (settings.conn_reuse_mode & 2 != 0 && ending)
    }

    /// Whether the destination of an entry was removed.
    fn is_orphan(&self, at: EntryId) -> bool {
        let destination = self.connections.get(at).destination;
        destination.is_some_and(|destination| !self.table.is_available(destination))
    }

    /// IPsec packets go where their key exchange went, and don't move its state.
    fn ipsec(&mut self, packet: &Packet) -> Verdict {
        if !matches!(packet.payload, Payload::Other(ESP | AH)) {
            return Verdict::Passed(PassReason::Protocol);
        }
        let client = Client { port: ISAKMP, ..side(packet.source, UDP) };
        let target = Target { port: ISAKMP, ..target(packet.destination) };
        let Some(at) = self.connections.find(&client, &target) else {
            return Verdict::Passed(PassReason::NotOpening);
        };
        let now = self.moment();
        if self.is_orphan(at) {
            if self.options.settings.expire_nodest_conn {
                self.connections.expire_now(at, now.tick);
                if self.is_tracked(at, packet) {
                    return Verdict::Dropped(DropReason::Tracked);
                }
                return Verdict::Passed(PassReason::NotOpening);
            }
            return Verdict::Dropped(DropReason::DestinationRemoved);
        }
        self.count_in(at, packet.length, now);
        self.connections.get_mut(at).count_packet();
        let verdict = self.forwarding(at, ForwardReason::Connection);
        self.packet_done(at, now);
        verdict
    }

    /// An error about a real server's answer goes where the client's packets go. It counts, and
    /// neither moves the state of the connection nor prolongs it (`ip_vs_in_icmp()`).
    fn error_in(&mut self, packet: &Packet, protocol: u8) -> Verdict {
        let client = side(packet.source, protocol);
        let Some(at) = self.connections.find(&client, &target(packet.destination)) else {
            return Verdict::Passed(PassReason::NotOpening);
        };
        let now = self.moment();
        self.count_in(at, packet.length, now);
        let entry = self.connections.get_mut(at);
        if entry.flags.0 & Flags::METHOD != 0 {
            entry.count_packet();
        }
        self.forwarding(at, ForwardReason::Connection)
    }

    /// The service that a packet is for (`ip_vs_service_find()`).
    fn service_of(&self, packet: &Packet) -> Option<ServiceId> {
        let table = &self.table;
        let (addr, port) = (packet.destination.ip(), packet.destination.port());
        if let Ok(key) = ServiceKey::fwmark(packet.mark, AddressFamily::of(addr))
            && let Some(at) = table.find(&key)
        {
            return Some(at);
        }
        let protocol = Protocol::from_number(u16::from(packet.payload.protocol()));
        let exact = |port| table.find(&ServiceKey::endpoint(protocol, addr, port));
        if let Some(at) = exact(port) {
            return Some(at);
        }
        let unprivileged = port >= self.options.settings.ip_unprivileged_port_start;
        if protocol == Protocol::Tcp
            && table.has_ftp()
            && (port == FTP_DATA || unprivileged)
            && let Some(at) = exact(FTP)
        {
            return Some(at);
        }
        if table.has_portless() { exact(0) } else { None }
    }

    fn admit(
        &mut self,
        packet: &Packet,
        client: Client,
        target: Target,
        now: Moment,
    ) -> Result<(EntryId, ForwardReason), Verdict> {
        let settings = &self.options.settings;
        let may_open = match packet.payload {
            Payload::Tcp(flags) => {
                (settings.sloppy_tcp || flags.contains(TcpFlags::SYN)) && !flags.contains(TcpFlags::RST)
            }
            Payload::Sctp(chunk) => chunk == SctpChunk::Init || (settings.sloppy_sctp && chunk != SctpChunk::Abort),
            Payload::Udp => true,
            Payload::IcmpError(_) | Payload::Other(_) => false,
        };
        if !may_open {
            return Err(Verdict::Passed(PassReason::NotOpening));
        }
        let service = self.service_of(packet).ok_or(Verdict::Passed(PassReason::NoService))?;
        if self.defence.drops_packet() {
            return Err(Verdict::Dropped(DropReason::Defence));
        }
        if client.port == FTP_DATA {
            return Err(Verdict::Passed(PassReason::FtpDataPort));
        }
        let opening = Opening { packet, client, target, service, now };
        let opened = if self.table.service(service).flags.contains(ServiceFlags::PERSISTENT) {
            self.open_persistent(&opening)
        } else {
            self.open_plain(&opening)
        };
        opened.or_else(|failed| match failed {
            Failed::Rejected(reason) => self.leave(&opening, reason),
            Failed::Limit => Err(Verdict::Dropped(DropReason::ConnectionLimit)),
        })
    }

    fn open_plain(&mut self, opening: &Opening<'_>) -> Result<(EntryId, ForwardReason), Failed> {
        let service = self.table.service(opening.service);
        if let ServiceKey::Endpoint { port, .. } = service.key
            && port != opening.target.port
        {
            return Err(Failed::Rejected(RejectReason::PortZero));
        }
        let one_packet = service.flags.contains(ServiceFlags::ONE_PACKET) && opening.is_udp();
        let destination = self.table.pick(opening.service, &opening.request())?;
        let port = match self.table.destination(destination).config.key.port {
            0 => opening.target.port,
            port => port,
        };
        let flags = if one_packet { Flags::ONE_PACKET } else { Flags::default() };
        let at = self.connect(&opening.client, &opening.target, destination, port, flags)?;
        self.count_connection(at, opening.service, opening.now);
        Ok((at, ForwardReason::Scheduled))
    }

    /// What becomes of a packet for which there is no destination (`ip_vs_leave()`).
    fn leave(&mut self, opening: &Opening<'_>, refusal: RejectReason) -> Result<(EntryId, ForwardReason), Verdict> {
        let service = self.table.service(opening.service);
        let addr = opening.packet.destination.ip();
        let marked = matches!(service.key, ServiceKey::Fwmark { .. });
        if self.options.settings.cache_bypass && marked && self.options.is_elsewhere(addr) {
            if self.connections.len() >= self.connection_limit {
                return Err(Verdict::Dropped(DropReason::ConnectionLimit));
            }
            let one_packet = service.flags.contains(ServiceFlags::ONE_PACKET) && opening.is_udp();
            let mut flags = Flags(u16::from(ForwardingMethod::Bypass.number()));
            if self.options.settings.conntrack {
                flags |= Flags::TRACKED;
            }
            if one_packet {
                flags |= Flags::ONE_PACKET;
            }
            let port = opening.target.port;
            let entry = Entry::new(&opening.client, port, None, 0, flags, self.first_timeout());
            let at = self.connections.insert(entry, opening.target.addr);
            self.connection_table_grew();
            return Ok((at, ForwardReason::Scheduled));
        }
        if service.key.port() == FTP && opening.target.port != FTP {
            return Err(Verdict::Passed(PassReason::OtherPort));
        }
        Err(Verdict::Rejected(refusal))
    }

    fn outbound(&mut self, packet: &Packet) -> Verdict {
        if self.options.settings.backup_only && self.daemons.has_backup() {
            return Verdict::Passed(PassReason::BackupOnly);
        }
        let event = event(packet.payload);
        if event.is_none() && !matches!(packet.payload, Payload::IcmpError(_)) {
            return Verdict::Passed(PassReason::Protocol);
        }
        let client = side(packet.destination, packet.payload.protocol());
        let (addr, port) = (packet.source.ip(), packet.source.port());
        let virtual_addr = Address::of(addr);
        let table = &self.table;
        let found = self.connections.find_where(&client, |target, entry| {
            if entry.flags.0 & Flags::METHOD != 0 {
                target == virtual_addr && entry.target_port == port
            } else {
                entry.destination_port == port
                    && entry.destination.is_some_and(|at| table.destination(at).config.key.addr == addr)
            }
        });
        let Some(at) = found else {
            return Verdict::Passed(PassReason::NoReply);
        };
        let now = self.moment();
        self.count_out(at, packet.length, now);
        let verdict = self.forwarding(at, ForwardReason::Reply);
        // An error about a client's packet only counts (`handle_response_icmp()`).
        if let Some(event) = event {
            self.transit(at, Leg::Output, event);
            self.packet_done(at, now);
        }
        verdict
    }

    #[inline]
    fn forwarding(&self, at: EntryId, reason: ForwardReason) -> Verdict {
        let entry = self.connections.get(at);
        let Some(destination) = entry.destination else {
            return Verdict::Bypassed;
        };
        Verdict::Forwarded(Forwarding {
            destination: self.table.destination(destination).config.key,
            port: entry.destination_port,
            method: ForwardingMethod::from_number(u32::from(entry.flags.0 & Flags::METHOD)),
            reason,
        })
    }

    pub(super) fn count_connection(&mut self, at: EntryId, service: ServiceId, now: Moment) {
        self.totals.connection(now.pass);
        self.table.service_mut(service).stats.connection(now.pass);
        if let Some(destination) = self.connections.get(at).destination {
            self.table.destination_mut(destination).stats.connection(now.pass);
        }
    }

    fn count_in(&mut self, at: EntryId, bytes: u32, now: Moment) {
        if let Some(destination) = self.connections.get(at).destination
            && let Some((destination, service)) = self.table.counted(destination)
        {
            destination.packet_in(now.pass, bytes);
            service.packet_in(now.pass, bytes);
            self.totals.packet_in(now.pass, bytes);
        }
    }

    fn count_out(&mut self, at: EntryId, bytes: u32, now: Moment) {
        if let Some(destination) = self.connections.get(at).destination
            && let Some((destination, service)) = self.table.counted(destination)
        {
            destination.packet_out(now.pass, bytes);
            service.packet_out(now.pass, bytes);
            self.totals.packet_out(now.pass, bytes);
        }
    }
}
