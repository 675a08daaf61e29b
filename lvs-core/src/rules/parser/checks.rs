//! Which options go together, and the command that results.

use super::{Checked, Kind, Reader};
use crate::lint;
use crate::model::{
    Daemon, DaemonRole, Destination, DestinationKey, ForwardingMethod, InterfaceName, Protocol, Service, ServiceFlags,
    ServiceKey, Tunnel, TunnelFlags, TunnelKind,
};
use crate::rules::command::{ListOptions, ListSubject};
use crate::rules::lexer::{Word, Words};
use crate::rules::option::{Group, Verb};
use crate::schedulers::flag_by_name;

const TUNNEL_OPTIONS: u64 = Group::TunType.bit()
    | Group::TunPort.bit()
    | Group::TunNoCsum.bit()
    | Group::TunCsum.bit()
    | Group::TunRemCsum.bit()
    | Group::TunFlags.bit();

impl<'a, W: Words<'a>> Reader<'a, '_, '_, W> {
    pub(super) fn unexpected_words(&mut self, verb: Verb) -> Checked {
        let meant = if verb == Verb::Set { 3 } else { 0 };
        if self.draft.strays > meant
            && !self.lost
            && let Some(word) = self.draft.stray[meant]
        {
            self.fault(Kind::UnexpectedWord { word: word.text() }, word.span())?;
        }
        Ok(())
    }

    /// The value of `-b`. The valid names depend on the scheduler, so it is read last.
    pub(super) fn sched_flags(&mut self) -> Checked<ServiceFlags> {
        let mut flags = ServiceFlags::EMPTY;
        let Some(word) = self.draft.sched_flags else { return Ok(flags) };
        let scheduler = self.draft.scheduler;
        let mut at = 0;
        let mut any = false;
        for name in word.bytes.split(|byte| *byte == b',') {
            let part = Word { bytes: name, start: word.start + at };
            at += name.len() + 1;
            if name.is_empty() {
                continue;
            }
            any = true;
            let Some((bit, of)) = std::str::from_utf8(name).ok().and_then(flag_by_name) else {
                self.fault(Kind::UnknownFlag(part.text()), part.span())?;
                continue;
            };
            if of.is_none_or(|of| scheduler.is_some_and(|scheduler| scheduler == of.name)) {
                flags |= ServiceFlags::from_bits(bit);
            } else if self.bad & Group::Scheduler.bit() == 0 {
                self.fault(Kind::IncompatibleFlag(part.text()), part.span())?;
            }
        }
        if !any && !word.bytes.is_empty() {
            self.fault(Kind::EmptyFlags, word.span())?;
        }
        Ok(flags)
    }

    /// Values whose meaning in ipvsadm depends on the options before them; here it depends on the
    /// whole line.
    pub(super) fn late_values(&mut self) -> Checked {
        if let Some(word) = self.draft.late_server
            && self.bad & Group::Service.bit() == 0
        {
            self.real_server(word)?;
        }
        if let Some(word) = self.draft.late_mask
            && self.bad & Group::Service.bit() == 0
        {
            self.netmask(word)?;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn legality(&mut self, verb: Verb) -> Checked {
        let takes = verb.takes() | if self.cx.extended { Group::EXTENDED } else { 0 };
        let missing = verb.needs() & !self.seen;
        let illegal = self.seen & !takes;
        const EXCLUSIVE: u64 =
            Group::Connection.bit() | Group::Service.bit() | Group::Timeout.bit() | Group::Daemon.bit();
        let exclusive = if verb == Verb::List { self.seen & EXCLUSIVE } else { 0 };
        if missing | illegal != 0 || exclusive.count_ones() > 1 {
            let mut first = None;
            for group in Group::ALL.iter().copied() {
                if missing & group.bit() != 0 && !self.lost {
                    let end = self.end();
                    self.fault(Kind::Required { option: group, command: verb }, end..end)?;
                } else if illegal & group.bit() != 0 {
                    let span = self.place_of(group);
                    self.fault(Kind::Illegal { option: group, command: verb }, span)?;
                } else if exclusive & group.bit() != 0 {
                    if let Some(with) = first {
                        let span = self.place_of(group);
                        self.fault(Kind::Conflict { option: group, with, command: verb }, span)?;
                    }
                    first = Some(group);
                }
            }
        }
        if verb == Verb::List {
            self.list_legality()?;
        }
        Ok(())
    }

    fn list_legality(&mut self) -> Checked {
        let counters = Group::Stats.bit() | Group::Rate.bit() | Group::Thresholds.bit();
        let bare = Group::Timeout.bit() | Group::Daemon.bit();
        let conflict = (self.seen & (bare | Group::Connection.bit()) != 0 && self.seen & counters != 0)
            || (self.seen & bare != 0 && self.has(Group::PersistentConn));
        if conflict {
            let counters = counters | Group::PersistentConn.bit();
            let span = self.place(|opt| opt.group.is_some_and(|group| counters & group.bit() != 0));
            self.fault(Kind::ListConflict, span)?;
        }
        Ok(())
    }

    pub(super) fn service(&mut self, sched_flags: ServiceFlags) -> Checked<Option<Service>> {
        let draft = &self.draft;
        let Some(key) = draft.key else { return Ok(None) };
        let persistent = self.has(Group::Persistent);
        if !self.cx.extended {
            if key.protocol().is_some() && key.port() == 0 && !persistent {
                let span = self.place_of_value(Group::Service);
                self.fault(Kind::ZeroPort, span)?;
            }
            if self.has(Group::Ops) && !matches!(key.protocol(), None | Some(Protocol::Udp)) {
                let span = self.place_of(Group::Ops);
                self.fault(Kind::OnePacketNotUdp, span)?;
            }
        }
        let draft = &self.draft;
        let mut service = Service::new(key);
        if let Some(scheduler) = draft.scheduler {
            service.scheduler = scheduler;
        }
        let mut flags = sched_flags;
        if persistent {
            flags |= ServiceFlags::PERSISTENT;
        }
        if self.has(Group::Ops) {
            flags |= ServiceFlags::ONE_PACKET;
        }
        service.flags = draft.raw_flags.map_or(flags, |bits| flags | ServiceFlags::from_bits(bits));
        service.timeout = draft.timeout;
        service.engine = draft.engine;
        // A mask of the other family can only come from ipvsadm's order of reading, see
        // `virtual_service`.
        Ok(Some(draft.netmask.and_then(|netmask| service.with_netmask(netmask).ok()).unwrap_or(service)))
    }

    pub(super) fn server_key(&self) -> Option<DestinationKey> {
        self.draft.destination.map(|(addr, port)| DestinationKey::new(addr, port.unwrap_or(0)))
    }

    #[inline]
    pub(super) fn server(&mut self) -> Checked<Option<(ServiceKey, Destination)>> {
        let (Some(key), Some(mut server)) = (self.draft.key, self.server_key()) else { return Ok(None) };
        let forwarding = self.draft.forwarding;
        if let Some(flaw) = lint::port(&key, server.port, forwarding) {
            // Port 0 stands for the service's, but on extended lines.
            if server.port != 0 || self.cx.extended {
                self.flaw(flaw);
            }
            if !self.cx.extended {
                server.port = key.port();
            }
        }
        if !self.cx.extended && server.family() != key.family() && forwarding != ForwardingMethod::Tunnel {
            let span = self.place_of_value(Group::RealServer);
            self.fault(Kind::MixedFamily, span)?;
        }
        let mut destination = Destination::with_key(server).with_forwarding(forwarding).with_weight(self.draft.weight);
        destination.upper_threshold = self.draft.upper;
        destination.lower_threshold = self.draft.lower;
        if self.seen & TUNNEL_OPTIONS != 0 {
            destination.tunnel = self.tunnel(forwarding)?;
        }
        Ok(Some((key, destination)))
    }

    #[cold]
    fn flaw(&mut self, flaw: lint::Flaw) {
        let span = self.place_of_value(Group::RealServer);
        self.found.flaws.push((flaw, span));
    }

    fn tunnel(&mut self, forwarding: ForwardingMethod) -> Checked<Tunnel> {
        let kind = self.draft.tunnel;
        let port = self.draft.tunnel_port;
        let flags = match self.draft.tunnel_flags {
            Some(bits) => TunnelFlags::from_bits(bits),
            None if self.has(Group::TunRemCsum) => TunnelFlags::REMOTE_CHECKSUM,
            None if self.has(Group::TunCsum) => TunnelFlags::CHECKSUM,
            None => TunnelFlags::EMPTY,
        };
        if self.cx.extended {
            return Ok(Tunnel { kind, port, flags });
        }
        if forwarding != ForwardingMethod::Tunnel {
            let span = self.place(|opt| opt.group.is_some_and(|group| TUNNEL_OPTIONS & group.bit() != 0));
            self.fault(Kind::TunnelOptions, span)?;
        }
        let (tunnel, takes) = match kind {
            TunnelKind::Gue => {
                ("gue", Group::TunPort.bit() | Group::TunNoCsum.bit() | Group::TunCsum.bit() | Group::TunRemCsum.bit())
            }
            TunnelKind::Gre => ("gre", Group::TunNoCsum.bit() | Group::TunCsum.bit()),
            _ => ("ipip", 0),
        };
        let mut checksum = None;
        for option in [Group::TunPort, Group::TunNoCsum, Group::TunCsum, Group::TunRemCsum] {
            if !self.has(option) {
                if option == Group::TunPort && kind == TunnelKind::Gue {
                    let end = self.end();
                    self.fault(Kind::TunnelNeedsPort { tunnel }, end..end)?;
                }
                continue;
            }
            if takes & option.bit() == 0 {
                let span = self.place_of(option);
                self.fault(Kind::TunnelIllegal { option, tunnel }, span)?;
            } else if option != Group::TunPort {
                if let Some(with) = checksum {
                    let span = self.place_of(option);
                    self.fault(Kind::TunnelConflict { option, with, tunnel }, span)?;
                }
                checksum = Some(option);
            }
        }
        Ok(Tunnel { kind, port, flags })
    }

    pub(super) fn daemon(&self, role: DaemonRole) -> Daemon {
        let draft = &self.draft;
        let interface = draft.interface.unwrap_or_else(|| InterfaceName::new("eth0").expect("it is short"));
        let mut daemon = Daemon::new(role, interface, draft.sync_id);
        daemon.max_len = draft.max_len;
        daemon.group = draft.group;
        daemon.port = draft.mcast_port;
        daemon.ttl = draft.ttl;
        daemon
    }

    pub(super) fn list(&self) -> ListOptions {
        let subject = match self.draft.key {
            Some(key) => ListSubject::Service(key),
            None if self.has(Group::Connection) => ListSubject::Connections,
            None if self.has(Group::Timeout) => ListSubject::Timeouts,
            None if self.has(Group::Daemon) => ListSubject::Daemons,
            None => ListSubject::Table,
        };
        ListOptions {
            subject,
            numeric: self.has(Group::Numeric),
            stats: self.has(Group::Stats),
            rate: self.has(Group::Rate),
            thresholds: self.has(Group::Thresholds),
            persistent_conn: self.has(Group::PersistentConn),
            tun_info: self.has(Group::TunInfo),
            no_sort: self.has(Group::NoSort),
            exact: self.has(Group::Exact),
        }
    }
}
