//! Words into a command: options first, each value checked as it comes, then what goes with what.

use std::net::IpAddr;
use std::ops::Range;

use super::command::{Command, ListOptions, ListSubject};
use super::error::{Expected, Reason, SyntaxErrorKind as Kind};
use super::lexer::{Word, Words};
use super::option::{Action, Group, Opt, Verb};
use super::scan::{Scanned, Scanner};
use super::{Dialect, Resolver, address, number};
use crate::model::{
    AddressFamily, Daemon, DaemonRole, Destination, DestinationKey, EngineName, ForwardingMethod, InterfaceName,
    Netmask, PrefixLength, Protocol, SchedulerName, Service, ServiceFlags, ServiceKey, Timeouts, Tunnel, TunnelFlags,
    TunnelKind,
};

/// How to read.
#[derive(Clone, Copy)]
pub(crate) struct Context<'r> {
    pub(crate) dialect: Dialect,
    pub(crate) resolver: &'r dyn Resolver,
    /// Stop at a line's first mistake, as ipvsadm does.
    pub(crate) first_only: bool,
    /// Whether the line is an extended one.
    pub(crate) extended: bool,
}

/// A mistake, with its place in the line.
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

/// More than these mistakes of one line are not worth reporting.
const MOST_FAULTS: usize = 16;

/// Nothing more to be said about a line.
struct Stop;

type Checked<T = ()> = Result<T, Stop>;

/// Reads one command. Whatever is wrong is added to `faults`; a command is returned if nothing is.
#[inline]
pub(crate) fn command<'a, W: Words<'a>>(cx: Context<'_>, words: W, faults: &mut Vec<Fault>) -> Option<Command> {
    let before = faults.len();
    let mut reader = Reader {
        cx,
        scanner: Scanner::new(words.clone(), cx.extended),
        words,
        faults,
        before,
        seen: 0,
        bad: 0,
        lost: false,
        draft: Draft::default(),
    };
    let command = reader.read().ok().flatten();
    if reader.faults.len() > before { None } else { command }
}

/// The values of a line so far.
struct Draft<'a> {
    key: Option<ServiceKey>,
    scheduler: Option<SchedulerName>,
    sched_flags: Option<Word<'a>>,
    timeout: u32,
    netmask: Option<Netmask>,
    engine: Option<EngineName>,
    raw_flags: Option<u32>,
    destination: Option<(IpAddr, Option<u16>)>,
    forwarding: ForwardingMethod,
    weight: u32,
    upper: u32,
    lower: u32,
    tunnel: TunnelKind,
    tunnel_port: u16,
    tunnel_flags: Option<u16>,
    interface: Option<InterfaceName>,
    sync_id: u32,
    max_len: Option<u16>,
    group: Option<IpAddr>,
    mcast_port: Option<u16>,
    ttl: Option<u8>,
    /// Values whose meaning depends on others; read at the end in the lossless dialect.
    late_mask: Option<Word<'a>>,
    late_server: Option<Word<'a>>,
    /// Words without an option: the first four.
    stray: [Option<Word<'a>>; 4],
    strays: usize,
}

impl Default for Draft<'_> {
    fn default() -> Self {
        Self {
            key: None,
            scheduler: None,
            sched_flags: None,
            timeout: 0,
            netmask: None,
            engine: None,
            raw_flags: None,
            destination: None,
            forwarding: ForwardingMethod::DirectRoute,
            weight: 1,
            upper: 0,
            lower: 0,
            tunnel: TunnelKind::Ipip,
            tunnel_port: 0,
            tunnel_flags: None,
            interface: None,
            sync_id: 0,
            max_len: None,
            group: None,
            mcast_port: None,
            ttl: None,
            late_mask: None,
            late_server: None,
            stray: [None; 4],
            strays: 0,
        }
    }
}

struct Reader<'a, 'f, 'r, W> {
    cx: Context<'r>,
    scanner: Scanner<'a, W>,
    words: W,
    faults: &'f mut Vec<Fault>,
    before: usize,
    /// Groups given, and those among them whose value was wrong.
    seen: u64,
    bad: u64,
    /// After an unknown option nobody knows what the words that follow belong to.
    lost: bool,
    draft: Draft<'a>,
}

impl<'a, W: Words<'a>> Reader<'a, '_, '_, W> {
    fn read(&mut self) -> Checked<Option<Command>> {
        let Some((verb, value)) = self.verb()? else { return Ok(None) };
        let mut role = None;
        match verb {
            // ipvsadm looks no further.
            Verb::Help => return Ok(Some(Command::Help)),
            Verb::Version => return Ok(Some(Command::Version)),
            Verb::StartDaemon | Verb::StopDaemon => role = self.role(verb, value)?,
            _ => {}
        }
        while let Some(scanned) = self.scanner.next() {
            match scanned {
                Scanned::Option { opt, value, at } => self.option(opt, value, at)?,
                Scanned::Positional(word) => self.stray(word),
                Scanned::Unknown { shown, at } => {
                    self.lost = true;
                    self.fault(Kind::UnknownOption { word: shown.text() }, at.span())?;
                }
                Scanned::Missing { shown, opt, end } => {
                    let kind = Kind::MissingArgument { word: shown.text(), option: opt.group };
                    if let Some(group) = opt.group {
                        self.seen |= group.bit();
                        self.bad |= group.bit();
                    }
                    self.fault(kind, end..end)?;
                }
                Scanned::Unwanted { shown, at } => {
                    self.fault(Kind::UnwantedArgument { word: shown.text() }, at.span())?;
                }
            }
        }
        let timeouts = if verb == Verb::Set { self.three_timeouts()? } else { None };
        self.unexpected_words(verb)?;
        let flags = self.sched_flags()?;
        self.late_values()?;
        self.legality(verb)?;
        if self.faults.len() > self.before {
            return Ok(None);
        }
        Ok(match verb {
            Verb::AddService => self.service(flags)?.map(Command::AddService),
            Verb::EditService => self.service(flags)?.map(Command::EditService),
            Verb::DeleteService => self.draft.key.map(Command::DeleteService),
            Verb::AddServer => self.server()?.map(|(key, server)| Command::AddServer(key, server)),
            Verb::EditServer => self.server()?.map(|(key, server)| Command::EditServer(key, server)),
            Verb::DeleteServer => self.draft.key.zip(self.server_key()).map(|(k, d)| Command::DeleteServer(k, d)),
            Verb::Flush => Some(Command::Clear),
            Verb::List => Some(Command::List(self.list())),
            Verb::Set => timeouts.map(Command::SetTimeouts),
            Verb::StartDaemon => role.map(|role| Command::StartDaemon(self.daemon(role))),
            Verb::StopDaemon => role.map(|role| Command::StopDaemon { role, sync_id: self.draft.sync_id }),
            Verb::Restore => Some(Command::Restore),
            Verb::Save => Some(Command::Save { numeric: self.has(Group::Numeric) }),
            Verb::Zero => Some(Command::Zero(self.draft.key)),
            Verb::Help | Verb::Version => None,
        })
    }

    #[inline]
    fn has(&self, group: Group) -> bool {
        self.seen & group.bit() != 0
    }

    #[cold]
    fn fault(&mut self, kind: Kind, span: Range<usize>) -> Checked {
        self.faults.push(Fault { kind, span });
        if self.cx.first_only || self.faults.len() - self.before >= MOST_FAULTS { Err(Stop) } else { Ok(()) }
    }

    #[cold]
    fn value_fault(&mut self, group: Group, expected: Expected, word: Word<'_>) -> Checked {
        self.address_fault(group, expected, word, Reason::Form, word.span())
    }

    #[cold]
    fn address_fault(
        &mut self,
        group: Group,
        expected: Expected,
        word: Word<'_>,
        reason: Reason,
        span: Range<usize>,
    ) -> Checked {
        self.bad |= group.bit();
        self.fault(Kind::Value { expected, word: word.text(), reason }, span)
    }

    /// The end of the line, where something is missing.
    #[cold]
    fn end(&self) -> usize {
        let mut words = self.words.clone();
        let mut end = 0;
        while let Some(word) = words.next_word() {
            end = word.span().end;
        }
        end
    }

    /// Where an option stands: of the first one that satisfies.
    #[cold]
    fn place(&self, wanted: impl Fn(Opt) -> bool) -> Range<usize> {
        let mut scanner = Scanner::new(self.words.clone(), self.cx.extended);
        while let Some(scanned) = scanner.next() {
            if let Scanned::Option { opt, at, .. } = scanned
                && wanted(opt)
            {
                return at.span();
            }
        }
        let end = self.end();
        end..end
    }

    #[cold]
    fn place_of(&self, group: Group) -> Range<usize> {
        self.place(|opt| opt.group == Some(group))
    }

    /// Where an option's value stands, or the option if it has none.
    #[cold]
    fn place_of_value(&self, group: Group) -> Range<usize> {
        let mut scanner = Scanner::new(self.words.clone(), self.cx.extended);
        while let Some(scanned) = scanner.next() {
            if let Scanned::Option { opt, at, value } = scanned
                && opt.group == Some(group)
            {
                return value.unwrap_or(at).span();
            }
        }
        let end = self.end();
        end..end
    }

    fn stray(&mut self, word: Word<'a>) {
        if let Some(slot) = self.draft.stray.get_mut(self.draft.strays) {
            *slot = Some(word);
        }
        self.draft.strays += 1;
    }

    /// The first option, which has to be a command.
    fn verb(&mut self) -> Checked<Option<(Verb, Option<Word<'a>>)>> {
        loop {
            let span = match self.scanner.next() {
                Some(Scanned::Option { opt: Opt { action: Action::Command(verb), .. }, value, .. }) => {
                    return Ok(Some((verb, value)));
                }
                Some(Scanned::Positional(word)) => {
                    self.stray(word);
                    continue;
                }
                Some(Scanned::Option { at, .. } | Scanned::Unknown { at, .. } | Scanned::Unwanted { at, .. }) => {
                    at.span()
                }
                Some(Scanned::Missing { end, .. }) => end..end,
                None => self.draft.stray[0].map_or(0..0, |word| word.span()),
            };
            self.fault(Kind::NoCommand, span)?;
            return Ok(None);
        }
    }

    fn role(&mut self, verb: Verb, value: Option<Word<'a>>) -> Checked<Option<DaemonRole>> {
        let Some(word) = value else { return Ok(None) };
        match word.bytes {
            b"master" => Ok(Some(DaemonRole::Master)),
            b"backup" => Ok(Some(DaemonRole::Backup)),
            _ => {
                let expected = if verb == Verb::StartDaemon { Expected::StartRole } else { Expected::StopRole };
                self.fault(Kind::Value { expected, word: word.text(), reason: Reason::Form }, word.span())?;
                Ok(None)
            }
        }
    }

    #[inline]
    fn option(&mut self, opt: Opt, value: Option<Word<'a>>, at: Word<'a>) -> Checked {
        if let Some(group) = opt.group {
            if self.has(group) {
                return self.fault(Kind::Repeated(group), at.span());
            }
            self.seen |= group.bit();
        }
        match (opt.action, value) {
            (Action::Command(_), _) => {
                let shown = self.scanner.last;
                self.fault(Kind::SecondCommand { word: shown.text() }, at.span())
            }
            (Action::Tcp, Some(word)) => self.virtual_service(word, Protocol::Tcp),
            (Action::Udp, Some(word)) => self.virtual_service(word, Protocol::Udp),
            (Action::Sctp, Some(word)) => self.virtual_service(word, Protocol::Sctp),
            (Action::Fwmark, Some(word)) => self.mark(word),
            (Action::AnyProtocol, Some(word)) => self.any_protocol(word),
            (Action::Ipv6, _) => match &mut self.draft.key {
                Some(ServiceKey::Fwmark { family, .. }) => {
                    *family = AddressFamily::Inet6;
                    self.draft.netmask = Some(Netmask::V6(PrefixLength::FULL));
                    Ok(())
                }
                _ if self.bad & Group::Service.bit() != 0 => Ok(()),
                _ => self.fault(Kind::Ipv6BeforeMark, at.span()),
            },
            (Action::Sort, _) => Ok(()),
            (Action::Masquerade, _) => {
                self.draft.forwarding = ForwardingMethod::Masquerade;
                Ok(())
            }
            (Action::Tunnel, _) => {
                self.draft.forwarding = ForwardingMethod::Tunnel;
                Ok(())
            }
            (Action::Gateway, _) => {
                self.draft.forwarding = ForwardingMethod::DirectRoute;
                Ok(())
            }
            (Action::Forwarding, Some(word)) => self.forwarding(word),
            (Action::Plain, value) => match opt.group {
                Some(group) => self.plain(group, value),
                None => Ok(()),
            },
            // The scanner gives every option that takes an argument one.
            (_, None) => Ok(()),
        }
    }

    #[inline]
    fn virtual_service(&mut self, word: Word<'a>, protocol: Protocol) -> Checked {
        match address::endpoint(word, Some(protocol), self.cx.dialect, self.cx.resolver) {
            Ok((addr, port)) => {
                if addr.is_ipv6() && self.cx.dialect == Dialect::Ipvsadm {
                    // What ipvsadm does: a mask given before an IPv6 service is forgotten.
                    self.draft.netmask = None;
                }
                self.draft.key = Some(ServiceKey::endpoint(protocol, addr, port.unwrap_or(0)));
                Ok(())
            }
            Err(fault) => self.address_fault(Group::Service, Expected::VirtualService, word, fault.reason, fault.span),
        }
    }

    fn mark(&mut self, word: Word<'a>) -> Checked {
        let most = i64::from(u32::MAX);
        // ipvsadm -S writes marks from 2^31 on as negative numbers, which it then refuses to read.
        let least = if self.cx.dialect == Dialect::Lossless { i64::from(i32::MIN) } else { 1 };
        let mark = number::ranged(word.bytes, least, most).map(|mark| mark as u32);
        match mark.and_then(|mark| ServiceKey::fwmark(mark, AddressFamily::Inet).ok()) {
            Some(key) => {
                self.draft.key = Some(key);
                Ok(())
            }
            None => self.value_fault(Group::Service, Expected::Mark, word),
        }
    }

    fn any_protocol(&mut self, word: Word<'a>) -> Checked {
        let colon = word.bytes.iter().position(|byte| *byte == b':').unwrap_or(0);
        match number::ranged(&word.bytes[..colon], 0, i64::from(u16::MAX)) {
            Some(protocol) => self.virtual_service(word.from(colon + 1), Protocol::from_number(protocol as u16)),
            None => self.value_fault(Group::Service, Expected::VirtualService, word),
        }
    }

    fn forwarding(&mut self, word: Word<'a>) -> Checked {
        let method = match word.bytes {
            b"masquerade" => Some(ForwardingMethod::Masquerade),
            b"local" => Some(ForwardingMethod::LocalNode),
            b"tunnel" => Some(ForwardingMethod::Tunnel),
            b"direct" => Some(ForwardingMethod::DirectRoute),
            b"bypass" => Some(ForwardingMethod::Bypass),
            other => match other.strip_prefix(b"method-") {
                Some([digit @ b'0'..=b'7']) => Some(ForwardingMethod::from_number(u32::from(digit - b'0'))),
                _ => None,
            },
        };
        match method {
            Some(method) => {
                self.draft.forwarding = method;
                Ok(())
            }
            None => self.value_fault(Group::Forward, Expected::Forwarding, word),
        }
    }

    /// A number in a range, or a fault and 0.
    #[inline]
    fn number(&mut self, group: Group, expected: Expected, word: Word<'a>, least: i64, most: i64) -> Checked<i64> {
        let (least, most) = if self.cx.extended { (0, i64::from(u32::MAX)) } else { (least, most) };
        match number::ranged(word.bytes, least, most) {
            Some(number) => Ok(number),
            None => self.value_fault(group, expected, word).map(|()| 0),
        }
    }

    /// The same for what is 16 bits wide on the wire.
    fn short(&mut self, group: Group, expected: Expected, word: Word<'a>, least: i64, most: i64) -> Checked<u16> {
        let least = if self.cx.extended { 0 } else { least };
        let most = if self.cx.extended { i64::from(u16::MAX) } else { most };
        match number::ranged(word.bytes, least, most) {
            Some(number) => Ok(number as u16),
            None => self.value_fault(group, expected, word).map(|()| 0),
        }
    }

    #[inline]
    fn plain(&mut self, group: Group, value: Option<Word<'a>>) -> Checked {
        const INT_MAX: i64 = i32::MAX as i64;
        let lossless = self.cx.dialect == Dialect::Lossless;
        let Some(word) = value else {
            if group == Group::Persistent {
                self.draft.timeout = Service::DEFAULT_PERSISTENCE;
            }
            return Ok(());
        };
        match group {
            Group::RealServer if lossless => self.draft.late_server = Some(word),
            Group::RealServer => return self.real_server(word),
            Group::Weight => self.draft.weight = self.number(group, Expected::Weight, word, 0, INT_MAX)? as u32,
            Group::Scheduler => return self.scheduler(word),
            Group::SchedFlags => self.draft.sched_flags = Some(word),
            Group::Persistent => {
                self.draft.timeout = self.number(group, Expected::Persistence, word, 1, MOST_SECONDS)? as u32;
            }
            Group::Netmask if lossless => self.draft.late_mask = Some(word),
            Group::Netmask => return self.netmask(word),
            Group::Upper => self.draft.upper = self.number(group, Expected::UpperThreshold, word, 0, INT_MAX)? as u32,
            Group::Lower => self.draft.lower = self.number(group, Expected::LowerThreshold, word, 0, INT_MAX)? as u32,
            Group::Engine => return self.engine(word),
            Group::TunType => return self.tunnel_type(word),
            Group::TunPort => self.draft.tunnel_port = self.short(group, Expected::TunnelPort, word, 1, 65535)?,
            Group::Interface => return self.interface(word),
            Group::SyncId => self.draft.sync_id = self.number(group, Expected::SyncId, word, 0, 255)? as u32,
            Group::MaxLen => self.draft.max_len = Some(self.short(group, Expected::MaxLen, word, 1, 65507)?),
            Group::McastPort => self.draft.mcast_port = Some(self.short(group, Expected::McastPort, word, 1, 65535)?),
            Group::McastTtl => {
                let least = if self.cx.extended { 0 } else { 1 };
                match number::ranged(word.bytes, least, 255) {
                    Some(ttl) => self.draft.ttl = Some(ttl as u8),
                    None => return self.value_fault(group, Expected::McastTtl, word),
                }
            }
            Group::McastGroup => return self.multicast_group(word),
            Group::Duration => self.draft.timeout = self.number(group, Expected::Persistence, word, 0, 0)? as u32,
            Group::Flags => match number::bits(word.bytes) {
                Some(bits) => self.draft.raw_flags = Some(bits),
                None => return self.value_fault(group, Expected::Bits, word),
            },
            Group::TunFlags => match number::bits(word.bytes).and_then(|bits| u16::try_from(bits).ok()) {
                Some(bits) => self.draft.tunnel_flags = Some(bits),
                None => return self.value_fault(group, Expected::Bits, word),
            },
            _ => {}
        }
        Ok(())
    }

    fn real_server(&mut self, word: Word<'a>) -> Checked {
        // Marks take the names of TCP's ports.
        let protocol = self.draft.key.map(|key| key.protocol().unwrap_or(Protocol::Tcp));
        match address::endpoint(word, protocol, self.cx.dialect, self.cx.resolver) {
            Ok((addr, port)) => {
                // Without a port of its own it has the service's, if that is known by now.
                let port = port.or_else(|| self.draft.key.map(|key| key.port()));
                self.draft.destination = Some((addr, port));
                Ok(())
            }
            Err(fault) => self.address_fault(Group::RealServer, Expected::RealServer, word, fault.reason, fault.span),
        }
    }

    fn netmask(&mut self, word: Word<'a>) -> Checked {
        let family = self.draft.key.map_or(AddressFamily::Inet, |key| key.family());
        let netmask = match family {
            AddressFamily::Inet6 => {
                let length = match self.cx.dialect {
                    // What ipvsadm does: whatever follows the number is ignored, and the number is cut to 32 bits.
                    Dialect::Ipvsadm => u32::try_from(number::strtol(word.bytes).0 as i32).ok(),
                    Dialect::Lossless => number::ranged(word.bytes, 1, 128).map(|length| length as u32),
                };
                match length.and_then(|length| PrefixLength::new(length).ok()) {
                    Some(length) => Netmask::V6(length),
                    None => return self.value_fault(Group::Netmask, Expected::PrefixLength, word),
                }
            }
            AddressFamily::Inet => match address::host(word, self.cx.dialect, self.cx.resolver) {
                Ok(IpAddr::V4(mask)) => Netmask::V4(mask),
                Ok(IpAddr::V6(_)) => return self.value_fault(Group::Netmask, Expected::Netmask, word),
                Err(fault) => {
                    return self.address_fault(Group::Netmask, Expected::Netmask, word, fault.reason, fault.span);
                }
            },
        };
        self.draft.netmask = Some(netmask);
        Ok(())
    }

    /// A name, cut to its field where ipvsadm cuts it.
    // DIFFERENCE: ipvsadm sends names that are no UTF-8, which no kernel has.
    fn name<'w>(&self, word: Word<'w>, longest: usize) -> Option<&'w str> {
        let text = std::str::from_utf8(word.bytes).ok()?;
        if text.len() <= longest {
            Some(text)
        } else if self.cx.dialect == Dialect::Ipvsadm {
            // DIFFERENCE: ipvsadm may cut a character in two.
            (0..=longest).rev().find_map(|at| text.get(..at))
        } else {
            None
        }
    }

    fn scheduler(&mut self, word: Word<'a>) -> Checked {
        match self.name(word, SchedulerName::MAX_LEN).and_then(|name| SchedulerName::new(name).ok()) {
            // An empty one is the default one.
            Some(name) if name.as_str().is_empty() && self.cx.dialect == Dialect::Ipvsadm => {}
            Some(name) if !name.as_str().is_empty() => self.draft.scheduler = Some(name),
            _ => return self.value_fault(Group::Scheduler, Expected::Scheduler, word),
        }
        Ok(())
    }

    fn engine(&mut self, word: Word<'a>) -> Checked {
        if word.bytes.is_empty() && self.cx.dialect == Dialect::Ipvsadm {
            return Ok(());
        }
        match self.name(word, EngineName::MAX_LEN).and_then(|name| EngineName::new(name).ok()) {
            Some(name) => self.draft.engine = Some(name),
            None => return self.value_fault(Group::Engine, Expected::Engine, word),
        }
        Ok(())
    }

    fn interface(&mut self, word: Word<'a>) -> Checked {
        match self.name(word, InterfaceName::MAX_LEN).and_then(|name| InterfaceName::new(name).ok()) {
            Some(name) => self.draft.interface = Some(name),
            None => return self.value_fault(Group::Interface, Expected::Interface, word),
        }
        Ok(())
    }

    fn tunnel_type(&mut self, word: Word<'a>) -> Checked {
        self.draft.tunnel = match word.bytes {
            b"ipip" => TunnelKind::Ipip,
            b"gue" => TunnelKind::Gue,
            b"gre" => TunnelKind::Gre,
            other => match number::ranged(other, 0, 255) {
                Some(number) if self.cx.extended => TunnelKind::from_number(number as u8),
                _ => return self.value_fault(Group::TunType, Expected::TunnelType, word),
            },
        };
        Ok(())
    }

    fn multicast_group(&mut self, word: Word<'a>) -> Checked {
        let (addr, expected): (Option<IpAddr>, _) = if word.bytes.contains(&b':') {
            (number::ipv6(word.bytes).map(IpAddr::V6), Expected::McastGroup6)
        } else {
            (number::dotted_quad(word.bytes).map(IpAddr::V4), Expected::McastGroup)
        };
        match addr.filter(|addr| addr.is_multicast() || self.cx.extended) {
            Some(addr) => self.draft.group = Some(addr),
            None => return self.value_fault(Group::McastGroup, expected, word),
        }
        Ok(())
    }

    fn three_timeouts(&mut self) -> Checked<Option<Timeouts>> {
        if self.draft.strays < 3 {
            if !self.lost {
                let end = self.end();
                self.fault(Kind::SetNeedsThree, end..end)?;
            }
            self.draft.strays = 0;
            return Ok(None);
        }
        let mut seconds = [0; 3];
        for (i, seconds) in seconds.iter_mut().enumerate() {
            let Some(word) = self.draft.stray[i] else { continue };
            let most = if self.cx.extended { i64::from(u32::MAX) } else { MOST_SECONDS };
            match number::ranged(word.bytes, 0, most) {
                Some(number) => *seconds = number as u32,
                None => {
                    let kind = Kind::Value { expected: Expected::Timeout, word: word.text(), reason: Reason::Form };
                    self.fault(kind, word.span())?;
                }
            }
        }
        let [tcp, tcp_fin, udp] = seconds;
        Ok(Some(Timeouts { tcp, tcp_fin, udp }))
    }

    fn unexpected_words(&mut self, verb: Verb) -> Checked {
        let meant = if verb == Verb::Set { 3 } else { 0 };
        if self.draft.strays > meant
            && !self.lost
            && let Some(word) = self.draft.stray[meant]
        {
            self.fault(Kind::UnexpectedWord { word: word.text() }, word.span())?;
        }
        Ok(())
    }

    /// What `-b` says. Which names are right depends on the scheduler, so it is read when all else is.
    fn sched_flags(&mut self) -> Checked<ServiceFlags> {
        let mut flags = ServiceFlags::EMPTY;
        let Some(word) = self.draft.sched_flags else { return Ok(flags) };
        let scheduler = self.draft.scheduler;
        let is = |name: &str| scheduler.is_some_and(|scheduler| scheduler == name);
        let mut at = 0;
        let mut any = false;
        for name in word.bytes.split(|byte| *byte == b',') {
            let part = Word { bytes: name, start: word.start + at };
            at += name.len() + 1;
            let (flag, fits) = match name {
                b"" => continue,
                b"flag-1" => (ServiceFlags::SCHED1, true),
                b"flag-2" => (ServiceFlags::SCHED2, true),
                b"flag-3" => (ServiceFlags::SCHED3, true),
                b"sh-fallback" => (ServiceFlags::SCHED1, is("sh")),
                b"sh-port" => (ServiceFlags::SCHED2, is("sh")),
                b"mh-fallback" => (ServiceFlags::SCHED1, is("mh")),
                b"mh-port" => (ServiceFlags::SCHED2, is("mh")),
                _ => {
                    self.fault(Kind::UnknownFlag(part.text()), part.span())?;
                    any = true;
                    continue;
                }
            };
            any = true;
            if fits {
                flags |= flag;
            } else if self.bad & Group::Scheduler.bit() == 0 {
                self.fault(Kind::IncompatibleFlag(part.text()), part.span())?;
            }
        }
        if !any && !word.bytes.is_empty() {
            self.fault(Kind::EmptyFlags, word.span())?;
        }
        Ok(flags)
    }

    /// Values that ipvsadm reads by what came before them are read by the whole line here.
    fn late_values(&mut self) -> Checked {
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
    fn legality(&mut self, verb: Verb) -> Checked {
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

    fn service(&mut self, sched_flags: ServiceFlags) -> Checked<Option<Service>> {
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
        // A mask of the other family can only stem from ipvsadm's forgetting, see `virtual_service`.
        Ok(Some(draft.netmask.and_then(|netmask| service.with_netmask(netmask).ok()).unwrap_or(service)))
    }

    fn server_key(&self) -> Option<DestinationKey> {
        self.draft.destination.map(|(addr, port)| DestinationKey::new(addr, port.unwrap_or(0)))
    }

    #[inline]
    fn server(&mut self) -> Checked<Option<(ServiceKey, Destination)>> {
        let (Some(key), Some(mut server)) = (self.draft.key, self.server_key()) else { return Ok(None) };
        let forwarding = self.draft.forwarding;
        if !self.cx.extended {
            let direct = matches!(forwarding, ForwardingMethod::DirectRoute | ForwardingMethod::Tunnel);
            if direct && key.protocol().is_some() {
                // These methods do not rewrite ports.
                server.port = key.port();
            }
            if server.family() != key.family() && forwarding != ForwardingMethod::Tunnel {
                let span = self.place_of_value(Group::RealServer);
                self.fault(Kind::MixedFamily, span)?;
            }
        }
        let mut destination = Destination::with_key(server).with_forwarding(forwarding).with_weight(self.draft.weight);
        destination.upper_threshold = self.draft.upper;
        destination.lower_threshold = self.draft.lower;
        if self.seen & TUNNEL_OPTIONS != 0 {
            destination.tunnel = self.tunnel(forwarding)?;
        }
        Ok(Some((key, destination)))
    }

    fn tunnel(&mut self, forwarding: ForwardingMethod) -> Checked<Tunnel> {
        let kind = self.draft.tunnel;
        let port = self.draft.tunnel_port;
        let flags = match self.draft.tunnel_flags {
            Some(bits) => TunnelFlags(bits),
            None if self.has(Group::TunRemCsum) => TunnelFlags::REMOTE_CHECKSUM,
            None if self.has(Group::TunCsum) => TunnelFlags::CHECKSUM,
            None => TunnelFlags::NO_CHECKSUM,
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

    fn daemon(&self, role: DaemonRole) -> Daemon {
        let draft = &self.draft;
        let interface = draft.interface.unwrap_or_else(|| InterfaceName::new("eth0").expect("it is short"));
        let mut daemon = Daemon::new(role, interface, draft.sync_id);
        daemon.max_len = draft.max_len;
        daemon.group = draft.group;
        daemon.port = draft.mcast_port;
        daemon.ttl = draft.ttl;
        daemon
    }

    fn list(&self) -> ListOptions {
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

/// 31 days: the longest timeout that ipvsadm takes.
const MOST_SECONDS: i64 = 31 * 24 * 3600;

const TUNNEL_OPTIONS: u64 = Group::TunType.bit()
    | Group::TunPort.bit()
    | Group::TunNoCsum.bit()
    | Group::TunCsum.bit()
    | Group::TunRemCsum.bit()
    | Group::TunFlags.bit();
