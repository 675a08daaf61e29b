//! The kinds of syntax errors, and their messages.

use std::fmt;

use super::option::{Group, Verb};
use crate::model::{DestinationKey, ServiceKey, one_of};
use crate::schedulers::all_flag_names;

/// A value that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expected {
    /// The address of a virtual service.
    VirtualService,
    /// The address of a real server.
    RealServer,
    /// A dotted IPv4 netmask.
    Netmask,
    /// An IPv6 prefix length.
    PrefixLength,
    /// Seconds of persistence.
    Persistence,
    /// One of the three values of `--set`.
    Timeout,
    /// A firewall mark.
    Mark,
    /// A weight.
    Weight,
    /// An upper threshold.
    UpperThreshold,
    /// A lower threshold.
    LowerThreshold,
    /// The number that daemons share.
    SyncId,
    /// The multicast port.
    McastPort,
    /// The multicast time to live.
    McastTtl,
    /// The longest sync message.
    MaxLen,
    /// An IPv4 multicast group.
    McastGroup,
    /// An IPv6 multicast group.
    McastGroup6,
    /// `master` or `backup`, to start.
    StartRole,
    /// `master` or `backup`, to stop.
    StopRole,
    /// A tunnel type.
    TunnelType,
    /// The port of a tunnel.
    TunnelPort,
    /// A scheduler name.
    Scheduler,
    /// The name of a persistence engine.
    Engine,
    /// The name of an interface.
    Interface,
    /// A forwarding method, on extended lines.
    Forwarding,
    /// Flag bits, on extended lines.
    Bits,
}

impl Expected {
    const fn text(self) -> &'static str {
        match self {
            Self::VirtualService => "a virtual service as ADDRESS:PORT",
            Self::RealServer => "a real server as ADDRESS:PORT",
            Self::Netmask => "an IPv4 netmask",
            Self::PrefixLength => "an IPv6 prefix length in 1..=128",
            Self::Persistence => "a number of seconds in 1..=2678400",
            Self::Timeout => "a number of seconds in 0..=2678400",
            Self::Mark => "a firewall mark in 1..=4294967295, in decimal",
            Self::Weight => "a weight in 0..=2147483647",
            Self::UpperThreshold => "an upper threshold in 0..=2147483647",
            Self::LowerThreshold => "a lower threshold in 0..=2147483647",
            Self::SyncId => "a sync id in 0..=255",
            Self::McastPort => "a multicast port in 1..=65535",
            Self::McastTtl => "a time to live in 1..=255",
            Self::MaxLen => "a message length in 1..=65507",
            Self::McastGroup => "a multicast address in 224.0.0.0/4",
            Self::McastGroup6 => "a multicast address in ff00::/8",
            Self::StartRole | Self::StopRole => "`master` or `backup`",
            Self::TunnelType => "`ipip`, `gue` or `gre`",
            Self::TunnelPort => "a tunnel port in 1..=65535",
            Self::Scheduler => "a scheduler name of at most 15 bytes",
            Self::Engine => "a persistence engine's name of at most 16 bytes",
            Self::Interface => "an interface name of at most 15 bytes",
            Self::Forwarding => "a forwarding method",
            Self::Bits => "a number of 32 bits",
        }
    }
}

/// Why an address with a port is invalid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It is out of range or malformed: [`Expected`] says what is allowed.
    Form,
    /// No such host is known.
    Host(String),
    /// An IPv4 address that C programs read as octal, hexadecimal or with parts left out.
    OddIpv4(String),
    /// An IPv6 address without brackets that reads as a shorter one with a port, too.
    PerhapsPort(String),
    /// A port that is neither a number nor a known name.
    Port(String),
    /// Nothing follows the colon.
    NoPort,
    /// The brackets do not hold an IPv6 address.
    Brackets,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// The first option is not a command.
    NoCommand,
    /// `-R` in a file that is being restored.
    NestedRestore,
    /// No such option.
    UnknownOption {
        /// The word with the option.
        word: String,
    },
    /// The line ends where an option's argument was expected.
    MissingArgument {
        /// The word with the option.
        word: String,
        /// Which option.
        option: Option<Group>,
    },
    /// The option takes no argument.
    UnwantedArgument {
        /// The word with option and argument.
        word: String,
    },
    /// There is a command already.
    SecondCommand {
        /// The word read last.
        word: String,
    },
    /// A word that belongs to no option.
    UnexpectedWord {
        /// The word.
        word: String,
    },
    /// The option was given already.
    Repeated(Group),
    /// The command does not take the option.
    Illegal {
        /// The option.
        option: Group,
        /// The command.
        command: Verb,
    },
    /// The command needs the option.
    Required {
        /// The option.
        option: Group,
        /// The command.
        command: Verb,
    },
    /// Two options that exclude each other.
    Conflict {
        /// The one.
        option: Group,
        /// The other.
        with: Group,
        /// The command.
        command: Verb,
    },
    /// A counter mode with a listing that has no counters.
    ListConflict,
    /// An invalid value.
    Value {
        /// What was expected.
        expected: Expected,
        /// What was found.
        word: String,
        /// Why it is invalid.
        reason: Reason,
    },
    /// `-6` must follow the mark.
    Ipv6BeforeMark,
    /// `--set` has three values.
    SetNeedsThree,
    /// Port 0 stands for all ports, which only a persistent service can have.
    ZeroPort,
    /// One-packet scheduling is for UDP and marks.
    OnePacketNotUdp,
    /// Service and real server differ in family, which only tunnels can bridge.
    MixedFamily,
    /// Options of tunnels without `-i`.
    TunnelOptions,
    /// A GUE tunnel needs a port.
    TunnelNeedsPort {
        /// The tunnel type.
        tunnel: &'static str,
    },
    /// The tunnel type does not take the option.
    TunnelIllegal {
        /// The option.
        option: Group,
        /// The tunnel type.
        tunnel: &'static str,
    },
    /// Two options of a tunnel that exclude each other.
    TunnelConflict {
        /// The one.
        option: Group,
        /// The other.
        with: Group,
        /// The tunnel type.
        tunnel: &'static str,
    },
    /// No such scheduler flag.
    UnknownFlag(String),
    /// A flag of another scheduler.
    IncompatibleFlag(String),
    /// `-b` with nothing but commas.
    EmptyFlags,
    /// The command changes nothing, so it has no place in a table.
    NotAChange(Verb),
    /// The service was added by an earlier line.
    ServiceExists(ServiceKey),
    /// No earlier line has added the service.
    ServiceNotFound(ServiceKey),
    /// The real server was added by an earlier line.
    DestinationExists(DestinationKey),
    /// No earlier line has added the real server.
    DestinationNotFound(DestinationKey),
    /// A daemon of that role was started by an earlier line.
    DaemonExists,
    /// No earlier line has started a daemon of that role.
    DaemonNotFound,
}

impl fmt::Display for SyntaxErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommand => f.write_str("expected a command first, such as `-A` or `-a`"),
            Self::NestedRestore => f.write_str("expected a change: `-R` cannot stand in a file that is restored"),
            Self::UnknownOption { word } => write!(f, "expected an option, and there is none like `{word}`"),
            Self::MissingArgument { word, option } => {
                let argument = option.map_or("`master` or `backup`", Group::argument);
                write!(f, "expected {argument} after `{word}`")
            }
            Self::UnwantedArgument { word } => write!(f, "expected no argument in `{word}`"),
            Self::SecondCommand { .. } => f.write_str("expected an option: a line has one command"),
            Self::UnexpectedWord { word } => write!(f, "expected an option, found `{word}`"),
            Self::Repeated(option) => {
                write!(f, "expected no second {}: one (`{}`) was given before", option.name(), option.spelling())
            }
            Self::Illegal { option, command } => {
                write!(
                    f,
                    "expected an option of `{command}`: it does not take {} (`{}`)",
                    option.name(),
                    option.spelling()
                )
            }
            Self::Required { option, command } => {
                write!(f, "expected `{}` with {}: `{command}` needs it", option.spelling(), option.argument())
            }
            Self::Conflict { option, with, command } => write!(
                f,
                "expected one of {} (`{}`) and {} (`{}`) for `{command}`, not both",
                with.name(),
                with.spelling(),
                option.name(),
                option.spelling()
            ),
            Self::ListConflict => f.write_str(
                "expected either a list of services with counters, or connections, timeouts or daemons, not both",
            ),
            Self::Value { expected, word, reason } => {
                write!(f, "expected {}, found `{word}`", expected.text())?;
                match reason {
                    Reason::Form => Ok(()),
                    Reason::Host(host) => write!(f, ": `{host}` is neither a numeric address nor a known host"),
                    Reason::OddIpv4(addr) => write!(f, ": `{addr}` is not four plain decimal numbers"),
                    Reason::PerhapsPort(text) => {
                        let (addr, port) = text.rsplit_once(':').unwrap_or((text, ""));
                        write!(f, ": write `[{addr}]:{port}`, or `[{text}]` if that is all address")
                    }
                    Reason::Port(port) => {
                        write!(f, ": `{port}` is neither a port in 0..=65535 nor a known service name")
                    }
                    Reason::NoPort => f.write_str(": no port after the colon"),
                    Reason::Brackets => f.write_str(": brackets are for IPv6, as in `[2001:db8::1]:80`"),
                }
            }
            Self::Ipv6BeforeMark => f.write_str("expected `-6` after a firewall mark, as in `-f 1 -6`"),
            Self::SetNeedsThree => f.write_str("expected three numbers of seconds: tcp, tcpfin and udp"),
            Self::ZeroPort => f.write_str("expected a port: only a persistent service (`-p`) can have all ports"),
            Self::OnePacketNotUdp => f.write_str("expected `-u` or `-f` with `-o`: one-packet scheduling is for UDP"),
            Self::MixedFamily => {
                f.write_str("expected a real server of the service's address family: only tunnels (`-i`) can differ")
            }
            Self::TunnelOptions => f.write_str("expected `-i` with options of tunnels"),
            Self::TunnelNeedsPort { tunnel } => write!(f, "expected `--tun-port` for a {tunnel} tunnel"),
            Self::TunnelIllegal { option, tunnel } => {
                write!(f, "expected an option of {tunnel} tunnels: they do not take `{}`", option.spelling())
            }
            Self::TunnelConflict { option, with, tunnel } => write!(
                f,
                "expected one of `{}` and `{}` for a {tunnel} tunnel, not both",
                with.spelling(),
                option.spelling()
            ),
            Self::UnknownFlag(flag) => write!(f, "expected {}, found `{flag}`", one_of(all_flag_names())),
            Self::IncompatibleFlag(flag) => write!(f, "expected a flag of this line's scheduler, found `{flag}`"),
            Self::EmptyFlags => f.write_str("expected scheduler flags, found only commas"),
            Self::NotAChange(verb) => write!(f, "expected a command that changes the table, found `{verb}`"),
            Self::ServiceExists(key) => write!(f, "expected a new service: {key} was added before"),
            Self::ServiceNotFound(key) => write!(f, "expected a service of this file: {key} was not added before"),
            Self::DestinationExists(key) => write!(f, "expected a new real server: {key} was added before"),
            Self::DestinationNotFound(key) => {
                write!(f, "expected a real server of this service: {key} was not added before")
            }
            Self::DaemonExists => f.write_str("expected one daemon of a role: it was started before"),
            Self::DaemonNotFound => f.write_str("expected a daemon to stop: it was not started before"),
        }
    }
}
