//! Random packets, edits and sysctls; after each step the same connections, states, timeouts and
//! counters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lvs_core::Director;
use lvs_core::embedded::{Direction, ForwardReason, Packet, Payload, SctpChunk, Settings, TcpFlags, Verdict};
use lvs_core::model::{
    AddressFamily, Connection, ConnectionTarget, Counters, Destination, ForwardingMethod, Netmask, PrefixLength,
    Protocol, Service, ServiceKey, Tunnel,
};
use lvs_core::procfs::{PerCpuRow, Procfs};
use lvs_core::schedulers::SCHEDULERS;
use lvs_core::wire::message::Command;
use lvs_core::wire::{destination, service};

use super::common::{Random, set_sysctl};
use super::packets::Sender;
use super::socket::Both;
use super::tracking::{Tracking, has_ftp_helper};

/// A service and what may go to it.
struct Site {
    service: Service,
    destinations: Vec<Destination>,
}

pub(crate) struct Walk {
    random: Random,
    pub(crate) both: Both,
    sender: Sender,
    tracking: Option<Tracking>,
    /// What the embedded director's twos draws next, both times.
    draw: Draw,
    has_twos: bool,
    /// Few clients of TCP services that come back often, tracked: what [`Tracking`] is for.
    returning: bool,
    began: Instant,
    sites: Vec<Site>,
    settings: Settings,
    history: String,
    /// Packets and bytes to clients that the kernel counts and the embedded director does not.
    unasked: (u64, u64),
    /// What was in both tables when they were last alike.
    before: Vec<String>,
    /// Whether the kernel has kept a connection that the last packet ended: it then stays for a
    /// minute. A kernel does so when its timer, set to go off at once, does while the packet still
    /// holds the connection (`ip_vs_conn_expire()`); a matter of microseconds, that nobody can
    /// foretell.
    lingers: bool,
    pub(crate) packets: u64,
    pub(crate) verdicts: BTreeMap<String, u64>,
}

fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4([a, b, c, d].into())
}

fn v6(high: u128, low: u64) -> IpAddr {
    IpAddr::V6((0x2001_0db8_u128 << 96 | high << 64 | u128::from(low)).into())
}

/// Seconds for which the kernel keeps a connection that was held when its timer went off.
const LINGERING: u32 = 60;

/// A number that an embedded director was told to draw.
pub(crate) type Draw = Arc<AtomicU32>;

impl Walk {
    pub(crate) fn new(both: Both, draw: Draw, has_twos: bool, returning: bool, seed: u64) -> Self {
        let mut walk = Self {
            random: Random(seed),
            both,
            sender: Sender::open(),
            tracking: Tracking::begin(),
            draw,
            has_twos,
            returning,
            began: Instant::now(),
            sites: Vec::new(),
            settings: Settings::default(),
            history: String::new(),
            unasked: (0, 0),
            before: Vec::new(),
            lingers: false,
            packets: 0,
            verdicts: BTreeMap::new(),
        };
        for number in 0..3 {
            walk.add_site(number);
        }
        if returning {
            walk.settings.expire_nodest_conn = true;
            walk.set("expire_nodest_conn", 1);
            walk.settings.conntrack = walk.tracking.is_some();
            walk.set("conntrack", walk.settings.conntrack.into());
        }
        walk
    }

    fn note(&mut self, text: std::fmt::Arguments<'_>) {
        writeln!(self.history, "{text}").expect("a string grows");
    }

    fn command(&mut self, command: Command, attributes: &[u8]) -> Result<(), String> {
        let (kernel, embedded) = self.both.ask(command, false, attributes);
        if kernel == embedded { Ok(()) } else { Err(self.story(&format!("{command:?}: {kernel:?} and {embedded:?}"))) }
    }

    fn story(&self, end: &str) -> String {
        format!("{}{end}\nsettings {:?}", self.history, self.settings)
    }

    fn add_site(&mut self, number: u8) {
        let schedulers: Vec<&str> =
            SCHEDULERS.iter().map(|info| info.name).filter(|name| self.has_twos || *name != "twos").collect();
        let random = &mut self.random;
        let is_v6 = random.one_in(3);
        let family = if is_v6 { AddressFamily::Ipv6 } else { AddressFamily::Ipv4 };
        let vip = if is_v6 { v6(1, u64::from(number)) } else { v4(198, 18, 0, number) };
        let protocol = random.pick(&[Protocol::Tcp, Protocol::Tcp, Protocol::Udp, Protocol::Sctp]);
        let key = match random.below(8) {
            _ if self.returning => ServiceKey::endpoint(Protocol::Tcp, vip, random.pick(&[21, 21, 80])),
            0 | 1 => ServiceKey::fwmark(u32::from(number) + 1, family).unwrap(),
            2 => ServiceKey::endpoint(protocol, vip, 0),
            3 => ServiceKey::endpoint(Protocol::Tcp, vip, 21),
            _ => ServiceKey::endpoint(protocol, vip, 80),
        };
        let mut service = Service::new(key).with_scheduler(random.pick(&schedulers).parse().unwrap());
        if random.one_in(2) {
            service = service.with_persistence(100 + random.below(200) as u32);
            let netmask = match family {
                AddressFamily::Ipv4 => Netmask::V4(random.pick(&[[255; 4], [255, 255, 255, 0]]).into()),
                AddressFamily::Ipv6 => Netmask::V6(PrefixLength::new(random.pick(&[64, 112, 128])).unwrap()),
            };
            service = service.with_netmask(netmask).unwrap();
        }
        // Whom twos chose for a single packet, nothing tells.
        if random.one_in(6) && service.scheduler.as_str() != "twos" {
            service = service.with_one_packet();
        }
        self.note(format_args!("service {service:?}"));
        let mut buf = Vec::new();
        service::write(&mut buf, &service);
        self.command(Command::NewService, &buf).unwrap();
        self.sites.push(Site { service, destinations: Vec::new() });
        let at = self.sites.len() - 1;
        for host in 1..=1 + self.random.below(3) as u8 {
            self.add_destination(at, host).unwrap();
        }
    }

    fn add_destination(&mut self, site: usize, host: u8) -> Result<(), String> {
        let key = self.sites[site].service.key();
        let random = &mut self.random;
        let number = site as u8;
        let addr = match key.family() {
            AddressFamily::Ipv4 => v4(10, 0, number, host),
            AddressFamily::Ipv6 => v6(2, u64::from(number) << 8 | u64::from(host)),
        };
        let mut destination = Destination::new(addr, random.pick(&[80, 80, 8080, 0]));
        destination.forwarding = random.pick(&[
            ForwardingMethod::Masquerade,
            ForwardingMethod::Masquerade,
            ForwardingMethod::Direct,
            ForwardingMethod::Tunnel,
        ]);
        // Where it cannot be told what is tracked: such a service has netfilter track all that it
        // does not take itself, and the helper of FTP also what goes to port 21 of others.
        let tracked = key.port() == 21 || has_ftp_helper();
        if self.tracking.is_none() && tracked && destination.forwarding == ForwardingMethod::Masquerade {
            destination.forwarding = ForwardingMethod::Direct;
        }
        destination.tunnel = Tunnel::IPIP;
        self.edit(site, &mut destination);
        let Site { service, destinations: list } = &mut self.sites[site];
        let twos = service.scheduler.as_str() == "twos";
        if list.iter().any(|known| known.key == destination.key || (twos && known.key.addr == addr)) {
            return Ok(());
        }
        list.push(destination);
        self.note(format_args!("add {destination:?} to {key}"));
        let mut buf = Vec::new();
        service::write_key(&mut buf, &key);
        destination::write(&mut buf, &destination);
        self.command(Command::NewDest, &buf)
    }

    fn edit(&mut self, site: usize, destination: &mut Destination) {
        let random = &mut self.random;
        destination.weight = random.pick(&[0, 1, 1, 2, 3]);
        // Whom twos can draw must be plain to see, and each by its address.
        let limited = self.sites[site].service.scheduler.as_str() != "twos";
        let upper = if limited { random.pick(&[0, 0, 0, 2, 4, 8]) } else { 0 };
        destination.upper_threshold = upper;
        destination.lower_threshold = if random.one_in(2) { 0 } else { upper / 2 };
    }

    /// A change of the configuration.
    fn reconfigure(&mut self) -> Result<(), String> {
        let site = self.random.below(self.sites.len() as u64) as usize;
        let key = self.sites[site].service.key();
        let mut buf = Vec::new();
        service::write_key(&mut buf, &key);
        let count = self.sites[site].destinations.len() as u64;
        match self.random.below(6) {
            0 => {
                let host = 1 + self.random.below(4) as u8;
                self.add_destination(site, host)
            }
            1 if count > 0 => {
                let at = self.random.below(count) as usize;
                let destination = self.sites[site].destinations.remove(at);
                self.note(format_args!("remove {} from {key}", destination.key));
                destination::write_key(&mut buf, &destination.key);
                let done = self.command(Command::DelDest, &buf);
                if self.settings.expire_nodest_conn {
                    // The kernel looks for orphans in the background.
                    std::thread::sleep(Duration::from_millis(150));
                }
                done
            }
            2 | 3 if count > 0 => {
                let at = self.random.below(count) as usize;
                let mut destination = self.sites[site].destinations[at];
                self.edit(site, &mut destination);
                self.sites[site].destinations[at] = destination;
                self.note(format_args!("edit {destination:?} of {key}"));
                destination::write(&mut buf, &destination);
                self.command(Command::SetDest, &buf)
            }
            _ => {
                let random = &mut self.random;
                let on = random.one_in(2);
                let number = random.below(4);
                let tracked = on && self.tracking.is_some();
                let name = match random.below(9) {
                    0 => {
                        self.settings.expire_nodest_conn = on;
                        ("expire_nodest_conn", i64::from(on))
                    }
                    1 => {
                        self.settings.expire_quiescent_template = on;
                        ("expire_quiescent_template", i64::from(on))
                    }
                    2 => {
                        self.settings.conn_reuse_mode = number as i32;
                        ("conn_reuse_mode", number as i64)
                    }
                    3 => {
                        self.settings.sloppy_tcp = on;
                        ("sloppy_tcp", i64::from(on))
                    }
                    4 => {
                        self.settings.sloppy_sctp = on;
                        ("sloppy_sctp", i64::from(on))
                    }
                    5 => {
                        self.settings.cache_bypass = on;
                        ("cache_bypass", i64::from(on))
                    }
                    6 => {
                        self.settings.conntrack = tracked;
                        ("conntrack", i64::from(tracked))
                    }
                    7 => {
                        // A mode takes effect at once, a rate within a second.
                        let rate = 2 + number as i32;
                        self.settings.drop_packet = 0;
                        self.settings.am_droprate = rate;
                        self.set("drop_packet", 0);
                        self.set("am_droprate", rate.into());
                        self.settings.drop_packet = if on { 3 } else { 1 };
                        ("drop_packet", self.settings.drop_packet.into())
                    }
                    _ => {
                        let mode = random.pick(&[0, 3, 0, 1, 2]);
                        self.settings.secure_tcp = mode;
                        ("secure_tcp", i64::from(mode))
                    }
                };
                self.set(name.0, name.1);
                // 2 means 1 here: there is enough memory.
                self.settings = *self.both.embedded.settings();
                Ok(())
            }
        }
    }

    /// Sets a sysctl, and all of the embedded director's.
    fn set(&mut self, name: &str, value: i64) {
        self.note(format_args!("sysctl {name} {value}"));
        set_sysctl(name, value);
        self.both.embedded.set_settings(self.settings);
    }

    fn payload(&mut self, protocol: u8) -> Payload {
        let random = &mut self.random;
        if random.one_in(10) {
            return Payload::IcmpError(protocol);
        }
        match protocol {
            6 => {
                let often = if self.returning { TcpFlags::SYN } else { TcpFlags::ACK };
                let common = [TcpFlags::SYN, TcpFlags::ACK, often, TcpFlags::FIN | TcpFlags::ACK, TcpFlags::RST];
                let any = TcpFlags(random.below(32) as u8);
                Payload::Tcp(if random.one_in(5) { any } else { random.pick(&common) })
            }
            17 => Payload::Udp,
            _ => {
                let any = random.pick(&SctpChunk::ALL);
                Payload::Sctp(if random.one_in(2) { random.pick(&[SctpChunk::Init, any]) } else { any })
            }
        }
    }

    /// A packet of a client, or of a server in answer to one.
    fn packet(&mut self) -> Packet {
        let site = self.random.below(self.sites.len() as u64) as usize;
        let key = self.sites[site].service.key();
        let random = &mut self.random;
        let is_v6 = key.family() == AddressFamily::Ipv6;
        let returning = self.returning;
        let host = 1 + random.below(if returning { 2 } else { 3 });
        let client_addr = if is_v6 { v6(3, host << 24 | 1) } else { v4(203, 0, 113, host as u8) };
        // A port of its own for each site: two services must not share a client's port and
        // destination.
        let client_port = if random.one_in(60) {
            20
        } else {
            40_000 + 100 * site as u16 + random.below(if returning { 1 } else { 3 }) as u16
        };
        let client = SocketAddr::new(client_addr, client_port);
        let number = site as u8;
        let vip = if is_v6 { v6(1, u64::from(number)) } else { v4(198, 18, 0, number) };
        let port = match key.port() {
            0 => random.pick(&[80, 443, 20]),
            port if returning => port,
            port => random.pick(&[port, port, port, port, port, 1024, 443]),
        };
        let protocol = match key {
            ServiceKey::Endpoint { protocol, .. } => protocol.number() as u8,
            ServiceKey::Fwmark { .. } => random.pick(&[6, 6, 17, 132]),
        };
        let mark = match key {
            ServiceKey::Fwmark { mark, .. } if !random.one_in(10) => mark.get(),
            _ => 0,
        };
        let servers: Vec<Destination> = self.sites[site].destinations.clone();
        let reply = self.random.one_in(3) && !servers.is_empty();
        let payload = self.payload(protocol);
        let length = 100 + self.random.below(100) as u32;
        // Linux 6.1.176, which user-mode Linux is here, drops real servers' ICMPv6 errors and does
        // not count clients'.
        let payload = match payload {
            Payload::IcmpError(17) if is_v6 && super::is_user_mode() => Payload::Udp,
            Payload::IcmpError(132) if is_v6 && super::is_user_mode() => Payload::Sctp(SctpChunk::Data),
            Payload::IcmpError(_) if is_v6 && super::is_user_mode() => Payload::Tcp(TcpFlags::ACK),
            other => other,
        };
        if !reply {
            return Packet::new(client, SocketAddr::new(vip, port), payload).with_mark(mark).with_length(length);
        }
        let server = self.random.pick(&servers);
        let from = match server.key.port {
            0 => port,
            other => self.random.pick(&[other, other, other, port]),
        };
        // What a real server of another method answers, it answers in the service's name.
        let masqueraded = server.forwarding == ForwardingMethod::Masquerade || self.random.one_in(4);
        let source = if masqueraded { SocketAddr::new(server.key.addr, from) } else { SocketAddr::new(vip, port) };
        Packet::new(source, client, payload).with_length(length).from_server()
    }

    /// One packet or change to both, then all compared. False if there is no going on: see
    /// [`Walk::lingers`].
    pub(crate) fn step(&mut self) -> Result<bool, String> {
        self.both.embedded.advance_to(self.began.elapsed());
        let mut ends_another = false;
        if self.random.one_in(12) {
            self.reconfigure()?;
        } else {
            let mut packet = self.packet();
            let passed = self.sender.send(&packet);
            if let Some(tracking) = &mut self.tracking {
                packet = packet.with_tracking(tracking.was_confirmed());
            }
            self.foresee(&packet)?;
            let verdict = self.both.embedded.receive(&packet);
            self.packets += 1;
            let Packet { direction, source, destination, payload, mark, tracked, .. } = packet;
            self.note(format_args!(
                "{direction:?} {source} > {destination} {payload:?} mark {mark} tracked {tracked:?}: {verdict}, {passed}"
            ));
            if let Verdict::Rejected(_) = verdict {
                self.heed_refusal(&packet)?;
            }
            let kind = match verdict {
                Verdict::Forwarded(forwarding) => format!("{:?}", forwarding.reason),
                other => format!("{other:?}"),
            };
            *self.verdicts.entry(kind).or_default() += 1;
            let refused = matches!(verdict, Verdict::Rejected(_) | Verdict::Dropped(_));
            // Where the director is done with a packet, tracking may still drop it: if it clashes
            // with a connection that the director changed. That the director took it shows in
            // states and sums.
            let tells = self.tracking.is_none()
                || (packet.direction == Direction::FromClient && !matches!(verdict, Verdict::Passed(_)));
            if passed == refused && tells {
                return Err(self.story("the kernel decided otherwise"));
            }
            ends_another = match verdict {
                Verdict::Forwarded(forwarding) => {
                    forwarding.reason != ForwardReason::Connection && forwarding.reason != ForwardReason::Reply
                }
                Verdict::Passed(_) => self.settings.expire_nodest_conn,
                _ => true,
            };
            if ends_another {
                // An old connection of the same client expires with the next tick: not while the
                // next packet is under way.
                std::thread::sleep(Duration::from_millis(if super::is_user_mode() { 21 } else { 9 }));
            }
        }
        let mut difference = self.difference()?;
        for pause in [15, 15, 30, 60, 120, 240, 480] {
            if difference.is_none() {
                return Ok(true);
            }
            // A tick may lie between the two looks, and a busy machine is late with what is due.
            std::thread::sleep(Duration::from_millis(pause));
            difference = self.difference()?;
        }
        match difference {
            None => Ok(true),
            Some(_) if ends_another && self.lingers => Ok(false),
            Some(difference) => Err(self.story(&difference)),
        }
    }

    /// Has the embedded director draw whom the kernel drew, if this packet has it draw: twos takes
    /// the one that it drew twice.
    fn foresee(&mut self, packet: &Packet) -> Result<(), String> {
        if packet.direction == Direction::FromServer || matches!(packet.payload, Payload::IcmpError(_)) {
            return Ok(());
        }
        let protocol = Protocol::from_number(packet.payload.protocol().into());
        let target = ConnectionTarget::Endpoint { addr: packet.destination.ip(), port: packet.destination.port() };
        let mut chosen = BTreeSet::new();
        let files = Procfs::at("/proc/thread-self/net");
        let mut look = || -> Result<usize, String> {
            chosen.clear();
            let mut reader = files.connections().map_err(|error| error.to_string())?;
            let visited = reader.visit(|row| {
                let client = SocketAddr::new(row.client_addr, row.client_port);
                if row.protocol == protocol && client == packet.source && row.target == target {
                    chosen.insert(row.destination_addr);
                }
                ControlFlow::Continue(())
            });
            visited.map_err(|error| error.to_string())?;
            Ok(chosen.len())
        };
        // A former connection of the same client goes with the next tick.
        for _ in 0..20 {
            if look()? <= 1 {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let Some(addr) = chosen.pop_first() else { return Ok(()) };
        for site in 0..self.sites.len() {
            let Site { service, destinations } = &self.sites[site];
            if service.scheduler.as_str() != "twos" {
                continue;
            }
            let mut sum = 0;
            // The newest comes first.
            for destination in destinations.iter().rev().filter(|destination| destination.weight > 0) {
                sum += destination.weight;
                if destination.key.addr == addr {
                    self.draw.store(sum, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    fn difference(&mut self) -> Result<Option<String>, String> {
        self.both.embedded.advance_to(self.began.elapsed());
        let mut embedded = Vec::new();
        let listed = |list: &mut Vec<(String, u32)>, connection: &Connection<'_>| {
            let Connection {
                protocol,
                client_addr,
                client_port,
                target,
                destination_addr,
                destination_port,
                state,
                ..
            } = *connection;
            let text = format!(
                "{protocol} {client_addr} {client_port} {target:?} {destination_addr} {destination_port} {state}"
            );
            list.push((text, connection.expires));
            ControlFlow::Continue(())
        };
        let _ = self.both.embedded.visit_connections(&mut |connection| listed(&mut embedded, connection));
        let mut kernel = Vec::new();
        // Not /proc/net, which is that of the process's first thread.
        let files = Procfs::at("/proc/thread-self/net");
        let mut reader = files.connections().map_err(|error| error.to_string())?;
        reader.visit(|connection| listed(&mut kernel, connection)).map_err(|error| error.to_string())?;
        kernel.sort();
        embedded.sort();
        self.lingers = false;
        if let Some(difference) = self.miscounted()? {
            return Ok(Some(difference));
        }
        let same = kernel.len() == embedded.len()
            && kernel
                .iter()
                .zip(&embedded)
                .all(|(kernel, embedded)| kernel.0 == embedded.0 && kernel.1.abs_diff(embedded.1) <= 1);
        if same {
            self.before = embedded.into_iter().map(|(text, _)| text).collect();
            return self.destinations_differ();
        }
        let only = |one: &[(String, u32)], other: &[(String, u32)]| -> Vec<(String, u32)> {
            let near = |a: &(String, u32)| other.iter().any(|b| a.0 == b.0 && a.1.abs_diff(b.1) <= 1);
            one.iter().filter(|entry| !near(entry)).cloned().collect()
        };
        let (kernel, embedded) = (only(&kernel, &embedded), only(&embedded, &kernel));
        self.lingers = kernel.iter().any(|(text, expires)| *expires >= LINGERING - 3 && self.before.contains(text));
        Ok(Some(format!("connections\nkernel {kernel:#?}\nembedded {embedded:#?}")))
    }

    fn destinations_differ(&mut self) -> Result<Option<String>, String> {
        for site in 0..self.sites.len() {
            let key = self.sites[site].service.key();
            let mut buf = Vec::new();
            service::write_key(&mut buf, &key);
            let (kernel, _) = self.both.ask(Command::GetDest, true, &buf);
            let embedded = self.both.embedded.destinations(&key).map_err(|error| error.to_string())?;
            let kernel: Vec<_> = kernel
                .iter()
                .filter_map(|reply| super::socket::destination_of(&reply.payload, key.family()))
                .map(|entry| (entry.destination, entry.active, entry.inactive, entry.persistent))
                .collect();
            let embedded: Vec<_> = embedded
                .iter()
                .map(|entry| (entry.destination, entry.active, entry.inactive, entry.persistent))
                .collect();
            if kernel != embedded {
                return Ok(Some(format!("destinations of {key}\nkernel {kernel:#?}\nembedded {embedded:#?}")));
            }
        }
        Ok(None)
    }

    /// A refused client may have had a connection that has not left the table yet. Then the kernel
    /// takes its own refusal for that one's answer, and counts it; unless netfilter's limit of
    /// refusals let it send none.
    fn heed_refusal(&mut self, packet: &Packet) -> Result<(), String> {
        let refusal = u64::from(packet.length) + if packet.source.is_ipv4() { 28 } else { 48 };
        let (kernel, embedded) = self.counters()?;
        if (kernel.packets_out, kernel.bytes_out) == (embedded.packets_out + 1, embedded.bytes_out + refusal) {
            self.unasked.0 += 1;
            self.unasked.1 += refusal;
        }
        Ok(())
    }

    /// The difference between the sums of connections, packets and bytes, if any.
    fn miscounted(&mut self) -> Result<Option<String>, String> {
        let (kernel, embedded) = self.counters()?;
        Ok((kernel != embedded).then(|| format!("kernel {kernel:?}\nembedded {embedded:?}")))
    }

    /// The sums of the kernel, and what they should be.
    fn counters(&mut self) -> Result<(Counters, Counters), String> {
        let files = Procfs::at("/proc/thread-self/net");
        let mut reader = files.per_cpu_stats().map_err(|error| error.to_string())?;
        let mut kernel = Counters::default();
        while let Some(row) = reader.next_row() {
            if let PerCpuRow::Cpu { counters, .. } = row.map_err(|error| error.to_string())? {
                kernel.connections += counters.connections;
                kernel.packets_in += counters.packets_in;
                kernel.packets_out += counters.packets_out;
                kernel.bytes_in += counters.bytes_in;
                kernel.bytes_out += counters.bytes_out;
            }
        }
        let mut embedded = self.both.embedded.live_totals();
        embedded.packets_out += self.unasked.0;
        embedded.bytes_out += self.unasked.1;
        Ok((kernel, embedded))
    }
}
