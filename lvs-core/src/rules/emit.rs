//! Tables and commands into text.

pub(super) mod words;

use std::fmt::Write as _;

use self::words::{extended_tunnel, line_of, names_of, plain_tunnel};
use super::command::{Command, ListOptions, ListSubject};
use super::image::{self, is_word};
use super::loss::{self, Loss, LossKind};
use super::{Dialect, EXTENDED, Resolver, Script, Verb};
use crate::digits::{Cells, Text};
use crate::model::{
    Daemon, Destination, DestinationKey, ForwardingMethod, Netmask, Protocol, Service, ServiceFlags, ServiceKey, Table,
    TableService, Timeouts,
};
use crate::schedulers::has_flags;

/// A text, and what it does not carry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Emitted {
    /// The text, each line with its newline.
    pub text: String,
    /// What of the source is not in the text.
    pub losses: Vec<Loss>,
}

/// What is being written.
#[derive(Default)]
struct Out {
    text: Text,
    losses: Vec<Loss>,
}

impl Out {
    fn done(self) -> Emitted {
        Emitted { text: self.text.into_string(), losses: self.losses }
    }
}

/// Writes rules.
///
/// ```
/// use lvs_core::rules::{self, Dialect, Emitter};
///
/// let table = rules::parse("-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 198.51.100.7 -m -x 100 -y 80")?.to_table()?;
/// let saved = Emitter::new(Dialect::Lossless).table(&table);
/// assert_eq!(saved.text, "\
/// -A -t 192.0.2.1:80 -s wlc
/// -a -t 192.0.2.1:80 -r 198.51.100.7:80 -m -w 1 -x 100 -y 80
/// ");
/// assert!(saved.losses.is_empty());
/// // What `ipvsadm -S` would have lost:
/// let saved = Emitter::new(Dialect::Ipvsadm).table(&table);
/// assert_eq!(saved.losses[0].to_string(), "destination 198.51.100.7:80 of tcp://192.0.2.1:80: its thresholds are lost");
/// # Ok::<(), rules::SyntaxErrors>(())
/// ```
#[derive(Clone, Copy)]
pub struct Emitter<'r> {
    dialect: Dialect,
    names: Option<&'r dyn Resolver>,
    extended_lines: bool,
}

impl std::fmt::Debug for Emitter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { dialect, extended_lines, .. } = self;
        f.debug_struct("Emitter")
            .field("dialect", dialect)
            .field("extended_lines", extended_lines)
            .finish_non_exhaustive()
    }
}

impl Default for Emitter<'_> {
    fn default() -> Self {
        Self::new(Dialect::default())
    }
}

impl<'r> Emitter<'r> {
    /// Writes numbers, and in the lossless dialect extended lines where they are needed.
    pub const fn new(dialect: Dialect) -> Self {
        Self { dialect, names: None, extended_lines: matches!(dialect, Dialect::Lossless) }
    }

    /// Writes names of hosts and ports where they are known.
    #[must_use]
    pub const fn with_names(mut self, names: &'r dyn Resolver) -> Self {
        self.names = Some(names);
        self
    }

    /// Writes no extended lines; what they would have said is reported as lost.
    #[must_use]
    pub const fn without_extended_lines(mut self) -> Self {
        self.extended_lines = false;
        self
    }

    /// A whole table as the rules that build it: timeouts, services with their destinations,
    /// daemons.
    pub fn table(&self, table: &Table) -> Emitted {
        let mut out = Out::default();
        if let Some(timeouts) = table.timeouts {
            self.timeouts(timeouts, &mut out);
        }
        let mut start = Text::new();
        for service in &table.services {
            self.table_service(service, &mut start, &mut out);
        }
        for daemon in &table.daemons {
            self.daemon(daemon, &mut out);
        }
        out.done()
    }

    /// A script in canonical form, its comments kept (in the lossless dialect).
    pub fn script(&self, script: &Script) -> Emitted {
        let mut out = Out::default();
        let mut comments = script.comments.iter().filter(|_| self.dialect == Dialect::Lossless).peekable();
        for rule in &script.rules {
            while let Some(comment) = comments.next_if(|comment| comment.line <= rule.line) {
                line_of(&comment.text, &mut out.text);
            }
            self.one(&rule.command, &mut out);
        }
        for comment in comments {
            line_of(&comment.text, &mut out.text);
        }
        out.done()
    }

    /// One command.
    pub fn command(&self, command: &Command) -> Emitted {
        let mut out = Out::default();
        self.one(command, &mut out);
        out.done()
    }

    fn one(&self, command: &Command, out: &mut Out) {
        match command {
            Command::AddService(service) => {
                self.service(Verb::AddService, service, Lines::One, out);
            }
            Command::EditService(service) => {
                self.service(Verb::EditService, service, Lines::One, out);
            }
            Command::AddServer(key, server) | Command::EditServer(key, server) => {
                let mut start = Text::new();
                self.server_start(command.verb(), key, &mut start);
                self.server(command.verb(), Parent { key, start: &start }, server, Lines::One, out);
            }
            Command::DeleteService(key) | Command::Zero(Some(key)) => self.key_line(command.verb(), key, None, out),
            Command::DeleteServer(key, server) => self.key_line(command.verb(), key, Some(server), out),
            Command::SetTimeouts(timeouts) => self.set(*timeouts, Lines::One, out),
            Command::StartDaemon(daemon) => self.start_daemon(daemon, out),
            Command::StopDaemon { role, sync_id } => {
                let _ = write!(out.text, "--stop-daemon {role}");
                if *sync_id != 0 {
                    let _ = write!(out.text, " --syncid {sync_id}");
                }
                out.text.push_str("\n");
            }
            Command::List(options) => self.list(options, out),
            Command::Save { numeric: true } => out.text.push_str("-S -n\n"),
            Command::Clear
            | Command::Zero(None)
            | Command::Save { .. }
            | Command::Restore
            | Command::Help
            | Command::Version => {
                let _ = writeln!(out.text, "{}", command.verb());
            }
        }
    }

    /// `start` is a buffer for the service's [`Parent::start`], used again for each service.
    fn table_service(&self, entry: &TableService, start: &mut Text, out: &mut Out) {
        let lines = match self.service(Verb::AddService, &entry.service, Lines::Two, out) {
            Readers::All => Lines::Two,
            Readers::Extended => Lines::Extended,
            Readers::None => return,
        };
        let key = entry.service.key();
        start.clear();
        self.server_start(Verb::AddServer, &key, start);
        let parent = Parent { key: &key, start };
        for destination in &entry.destinations {
            self.server(Verb::AddServer, parent, destination, lines, out);
        }
    }

    fn extended(&self, out: &mut Out) {
        out.text.push_str(std::str::from_utf8(EXTENDED).expect("it is ASCII"));
        out.text.push_str(" ");
    }

    /// Writes a service; says whether `ipvsadm` will know it.
    fn service(&self, verb: Verb, service: &Service, lines: Lines, out: &mut Out) -> Readers {
        let key = service.key();
        let mut plain = image::service(service, self.dialect);
        if self.dialect == Dialect::Ipvsadm {
            return self.service_as_ipvsadm(verb, service, plain, out);
        }
        if lines == Lines::One && self.extended_lines {
            plain = plain.filter(|said| said == service);
        }
        if let Some(said) = &plain {
            self.service_line(verb, said, out);
            if said == service {
                return Readers::All;
            }
        }
        match image::extended_service(service).filter(|_| self.extended_lines) {
            Some(said) => {
                self.extended(out);
                let verb = if plain.is_some() { Verb::EditService } else { verb };
                self.service_line(verb, &said, out);
                loss::of_service(service, &said, &mut out.losses);
            }
            None => match &plain {
                Some(said) => loss::of_service(service, said, &mut out.losses),
                None => {
                    out.losses.push(Loss { service: Some(key), destination: None, what: LossKind::Everything });
                    return Readers::None;
                }
            },
        }
        if plain.is_some() { Readers::All } else { Readers::Extended }
    }

    fn service_as_ipvsadm(&self, verb: Verb, service: &Service, plain: Option<Service>, out: &mut Out) -> Readers {
        let lose = |what| Loss { service: Some(service.key()), destination: None, what };
        let word = is_word(service.scheduler.as_str());
        if !word || matches!(service.key().protocol(), Some(Protocol::Other(_))) {
            out.losses.push(lose(LossKind::Everything));
            return Readers::None;
        }
        // What -S writes is not always what -R reads.
        let said = plain.unwrap_or(*service);
        let only_third_flag = service.flags & ServiceFlags::SCHED_ALL == ServiceFlags::SCHED3
            && matches!(service.scheduler.as_str(), "sh" | "mh");
        let signed = matches!(service.key(), ServiceKey::Fwmark { mark, .. } if i32::try_from(mark.get()).is_err());
        if plain.is_none() || only_third_flag || signed {
            out.losses.push(lose(LossKind::Unreadable));
        }
        loss::of_service(service, &said, &mut out.losses);
        let mut written = said;
        if only_third_flag {
            written.flags |= ServiceFlags::SCHED3;
        }
        self.service_line(verb, &written, out);
        Readers::All
    }

    fn service_line(&self, verb: Verb, service: &Service, out: &mut Out) {
        let text = &mut out.text;
        text.push_str(verb.spelling());
        text.push_str(" ");
        self.key(&service.key(), text);
        text.push_str(" -s ");
        text.push_str(service.scheduler.as_str());
        if let Some(seconds) = service.persistence() {
            let _ = write!(text, " -p {seconds}");
        }
        if !service.netmask().is_full() {
            match service.netmask() {
                Netmask::V4(mask) => {
                    let _ = write!(text, " -M {mask}");
                }
                Netmask::V6(length) => {
                    let _ = write!(text, " -M {}", length.get());
                }
            }
        }
        if let Some(engine) = service.engine {
            let _ = write!(text, " --pe {engine}");
        }
        if service.is_one_packet() {
            text.push_str(" -o");
        }
        self.sched_flags(service, text);
        // The rest is for extended lines; images for plain ones have nothing of it.
        let named = ServiceFlags::PERSISTENT | ServiceFlags::ONE_PACKET | ServiceFlags::SCHED_ALL;
        let unnamed = service.flags.without(named);
        if !unnamed.is_empty() {
            let _ = write!(text, " --flags {unnamed:#x}");
        }
        if !service.is_persistent() && service.timeout != 0 {
            let _ = write!(text, " --duration {}", service.timeout);
        }
        text.push_str("\n");
    }

    fn sched_flags(&self, service: &Service, text: &mut Text) {
        let flags = service.flags & ServiceFlags::SCHED_ALL;
        if flags.is_empty() {
            return;
        }
        let scheduler = service.scheduler.as_str();
        // ipvsadm has no name for the third flag of sh and mh, but reads the general one.
        let nameless = self.dialect == Dialect::Ipvsadm && has_flags(scheduler);
        text.push_str(" -b ");
        let mut comma = "";
        for name in flags.names(scheduler).filter(|name| !(nameless && *name == "flag-3")) {
            text.push_str(comma);
            text.push_str(name);
            comma = ",";
        }
    }

    fn server(&self, verb: Verb, parent: Parent<'_>, destination: &Destination, lines: Lines, out: &mut Out) {
        let Parent { key, .. } = parent;
        let lose = |what| Loss { service: Some(*key), destination: Some(destination.key), what };
        let has_plain_form = lines != Lines::Extended && !matches!(key.protocol(), Some(Protocol::Other(_)));
        let mut plain = if has_plain_form { image::server(key, destination, self.dialect) } else { None };
        if self.dialect == Dialect::Ipvsadm {
            if !has_plain_form {
                out.losses.push(lose(LossKind::Everything));
                return;
            }
            if plain.is_none() {
                out.losses.push(lose(LossKind::Unreadable));
            }
            // -S never writes thresholds, also of what cannot be read back.
            let mut written = plain.unwrap_or_else(|| destination.with_thresholds(0, 0));
            loss::of_server(key, destination, &written, &mut out.losses);
            if verb == Verb::EditServer {
                // -S writes no -e; without thresholds it would remove them.
                written.upper_threshold = destination.upper_threshold;
                written.lower_threshold = destination.lower_threshold;
            }
            self.server_line(parent, &written, false, out);
            return;
        }
        if lines == Lines::One && self.extended_lines {
            plain = plain.filter(|said| said == destination);
        }
        if let Some(said) = &plain {
            self.server_line(parent, said, false, out);
            if said == destination {
                return;
            }
        }
        if self.extended_lines {
            self.extended(out);
            if plain.is_some() {
                let mut start = Text::new();
                self.server_start(Verb::EditServer, key, &mut start);
                self.server_line(Parent { key, start: &start }, destination, true, out);
            } else {
                self.server_line(parent, destination, true, out);
            }
            return;
        }
        match &plain {
            Some(said) => loss::of_server(key, destination, said, &mut out.losses),
            None => out.losses.push(lose(LossKind::Everything)),
        }
    }

    fn server_start(&self, verb: Verb, key: &ServiceKey, text: &mut Text) {
        text.push_str(verb.spelling());
        text.push_str(" ");
        self.key(key, text);
        text.push_str(" -r ");
    }

    fn server_line(&self, parent: Parent<'_>, server: &Destination, extended: bool, out: &mut Out) {
        let text = &mut out.text;
        text.push_text(parent.start);
        // An endpoint in numbers, a method, and three numbers with their options.
        let mut cells = Cells::<80>::new();
        self.endpoint(server.key.addr, server.key.port, names_of(parent.key), (text, &mut cells));
        match server.forwarding {
            ForwardingMethod::Masquerade => cells.word(" -m"),
            ForwardingMethod::Tunnel => cells.word(" -i"),
            ForwardingMethod::Direct => cells.word(" -g"),
            other if extended => {
                cells.move_to(text);
                text.push(format_args!(" --forwarding {other}"));
            }
            _ => cells.word(" -g"),
        }
        cells.word(" -w ");
        cells.number(server.weight);
        for (option, number) in [(" -x ", server.upper_threshold), (" -y ", server.lower_threshold)] {
            if number != 0 {
                cells.word(option);
                cells.number(number);
            }
        }
        if extended || server.forwarding == ForwardingMethod::Tunnel {
            cells.move_to(text);
            if extended {
                extended_tunnel(server, text);
            } else {
                plain_tunnel(&server.tunnel, text);
            }
        }
        cells.byte(b'\n');
        cells.move_to(text);
    }

    fn key_line(&self, verb: Verb, key: &ServiceKey, server: Option<&DestinationKey>, out: &mut Out) {
        if matches!(key.protocol(), Some(Protocol::Other(_))) {
            if !self.extended_lines {
                let what = LossKind::Everything;
                out.losses.push(Loss { service: Some(*key), destination: server.copied(), what });
                return;
            }
            self.extended(out);
        }
        let text = &mut out.text;
        text.push_str(verb.spelling());
        text.push_str(" ");
        self.key(key, text);
        if let Some(server) = server {
            text.push_str(" -r ");
            self.push_endpoint(server.addr, server.port, names_of(key), text);
        }
        text.push_str("\n");
    }

    fn timeouts(&self, timeouts: Timeouts, out: &mut Out) {
        match self.dialect {
            Dialect::Lossless => self.set(timeouts, Lines::Two, out),
            // -S says nothing of them.
            Dialect::Ipvsadm => loss::of_timeouts(timeouts, None, &mut out.losses),
        }
    }

    fn set(&self, timeouts: Timeouts, lines: Lines, out: &mut Out) {
        let said = image::timeouts(timeouts);
        let extended = said != timeouts && self.extended_lines;
        let line = |timeouts: Timeouts, out: &mut Out| {
            let _ = writeln!(out.text, "--set {} {} {}", timeouts.tcp, timeouts.tcp_fin, timeouts.udp);
        };
        if !extended || lines == Lines::Two {
            line(said, out);
        }
        if extended {
            self.extended(out);
            line(timeouts, out);
        } else {
            loss::of_timeouts(timeouts, Some(said), &mut out.losses);
        }
    }

    fn daemon(&self, daemon: &Daemon, out: &mut Out) {
        match self.dialect {
            Dialect::Lossless => self.start_daemon(daemon, out),
            Dialect::Ipvsadm => loss::of_daemon(daemon, None, &mut out.losses),
        }
    }

    fn start_daemon(&self, daemon: &Daemon, out: &mut Out) {
        let plain = image::is_plain_daemon(daemon);
        if !is_word(daemon.interface.as_str()) || !(plain || self.extended_lines) {
            loss::of_daemon(daemon, None, &mut out.losses);
            return;
        }
        if !plain {
            self.extended(out);
        }
        let text = &mut out.text;
        let Daemon { role, interface, sync_id, .. } = daemon;
        let _ = write!(text, "--start-daemon {role} --mcast-interface {interface} --syncid {sync_id}");
        if let Some(length) = daemon.max_len {
            let _ = write!(text, " --sync-maxlen {length}");
        }
        if let Some(group) = daemon.group {
            let _ = write!(text, " --mcast-group {group}");
        }
        if let Some(port) = daemon.port {
            let _ = write!(text, " --mcast-port {port}");
        }
        if let Some(ttl) = daemon.ttl {
            let _ = write!(text, " --mcast-ttl {ttl}");
        }
        text.push_str("\n");
    }

    fn list(&self, options: &ListOptions, out: &mut Out) {
        let text = &mut out.text;
        text.push_str("-L");
        match &options.subject {
            ListSubject::Table => {}
            ListSubject::Service(key) => {
                text.push_str(" ");
                self.key(key, text);
            }
            ListSubject::Connections => text.push_str(" -c"),
            ListSubject::Timeouts => text.push_str(" --timeout"),
            ListSubject::Daemons => text.push_str(" --daemon"),
        }
        for (set, option) in [
            (options.numeric, " -n"),
            (options.stats, " --stats"),
            (options.rate, " --rate"),
            (options.thresholds, " --thresholds"),
            (options.persistent_conn, " --persistent-conn"),
            (options.tun_info, " --tun-info"),
            (options.no_sort, " --nosort"),
            (options.exact, " --exact"),
        ] {
            if set {
                text.push_str(option);
            }
        }
        text.push_str("\n");
    }
}

/// The service of the real servers that are being written.
#[derive(Clone, Copy)]
struct Parent<'a> {
    key: &'a ServiceKey,
    /// What all lines of its real servers begin with: `-a -t 192.0.2.1:80 -r `.
    start: &'a Text,
}

/// How something is written that plain text cannot say in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lines {
    /// On one line, an extended one, so that a command stays one command.
    One,
    /// As well as a plain line can, and an extended line that makes it right: every reader gets
    /// what it can read.
    Two,
    /// On an extended line: it belongs to a service that only extended lines know.
    Extended,
}

/// Who will know a service that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// Everyone.
    All,
    /// Readers of extended lines.
    Extended,
    /// Nobody.
    None,
}
