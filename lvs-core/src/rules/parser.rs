//! Words into a command: options first, each value checked as it is read, then their combinations.

mod checks;
mod values;

use std::net::IpAddr;
use std::ops::Range;

use super::command::Command;
use super::kind::{Expected, Reason, SyntaxErrorKind as Kind};
use super::lexer::{Word, Words};
use super::option::{Action, Group, Opt, Verb};
use super::scan::{Scanned, Scanner};
use super::{Dialect, Resolver};
use crate::lint::Flaw;
use crate::model::{
    AddressFamily, DaemonRole, EngineName, ForwardingMethod, InterfaceName, Netmask, PrefixLength, Protocol,
    SchedulerName, ServiceKey, TunnelKind,
};

/// How a line is read.
#[derive(Clone, Copy)]
pub(crate) struct Context<'r> {
    pub(crate) dialect: Dialect,
    pub(crate) resolver: &'r dyn Resolver,
    /// Stop at a line's first error, as ipvsadm does.
    pub(crate) first_only: bool,
    /// Whether the line is an extended one.
    pub(crate) extended: bool,
}

/// An error, with its place in the line.
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

/// What was found of one line. Kept from line to line, so that nothing is allocated for each.
#[derive(Default)]
pub(crate) struct Found {
    /// Errors.
    pub(crate) faults: Vec<Fault>,
    /// What was taken and cannot work, with its place in the line.
    pub(crate) flaws: Vec<(Flaw, Range<usize>)>,
}

/// The most errors that are reported of one line.
const MOST_FAULTS: usize = 16;

/// The rest of the line is not checked.
struct Stop;

type Checked<T = ()> = Result<T, Stop>;

/// Reads one command. Errors and flaws are added to `found`; without errors the command is
/// returned.
#[inline]
pub(crate) fn command<'a, W: Words<'a>>(cx: Context<'_>, words: W, found: &mut Found) -> Option<Command> {
    let before = found.faults.len();
    let mut reader = Reader {
        cx,
        scanner: Scanner::new(words.clone(), cx.extended),
        words,
        found,
        before,
        seen: 0,
        bad: 0,
        lost: false,
        draft: Draft::default(),
    };
    let command = reader.read().ok().flatten();
    if reader.found.faults.len() > before { None } else { command }
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
            forwarding: ForwardingMethod::Direct,
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
    found: &'f mut Found,
    before: usize,
    /// Options given, and those among them with an invalid value.
    seen: u64,
    bad: u64,
    /// After an unknown option it is unclear what the following words belong to.
    lost: bool,
    draft: Draft<'a>,
}

impl<'a, W: Words<'a>> Reader<'a, '_, '_, W> {
    fn read(&mut self) -> Checked<Option<Command>> {
        let Some((verb, value)) = self.verb()? else { return Ok(None) };
        let mut role = None;
        match verb {
            // ipvsadm stops here.
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
        if self.found.faults.len() > self.before {
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
        self.found.faults.push(Fault { kind, span });
        if self.cx.first_only || self.found.faults.len() - self.before >= MOST_FAULTS { Err(Stop) } else { Ok(()) }
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

    /// The place of the first option that matches.
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

    /// The place of an option's value, or of the option if it has none.
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
                None => 0..0,
            };
            // What stands where the command should is what is wrong.
            let span = self.draft.stray[0].map_or(span, |word| word.span());
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
                    *family = AddressFamily::Ipv6;
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
                self.draft.forwarding = ForwardingMethod::Direct;
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
}
