//! The messages of `ipvsadm` 1.31 for the same errors, byte for byte, and its exit status.
//!
//! Measured on Debian's binary. DIFFERENCE: where it crashes (`-b ,`) or has no equivalent
//! (extended lines), its closest message is used.

use super::error::SyntaxError;
use super::kind::{Expected, SyntaxErrorKind};

/// What `ipvsadm` prints on standard error for an error in its input, and its exit status.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CompatMessage {
    /// The text, with its newline.
    pub text: String,
    /// The exit status: 2 or 255.
    pub status: u8,
    /// Whether `ipvsadm -R` stops at such a line. If not, it continues with the next one, and exits
    /// with the status of the last line.
    pub aborts: bool,
}

impl SyntaxError {
    /// The message of `ipvsadm`, called as `program`.
    pub fn ipvsadm(&self, program: &str) -> CompatMessage {
        let fail = |text: String| CompatMessage { text: text + "\n", status: 2, aborts: true };
        let option = |text: String| CompatMessage { text: text + "\n", status: 255, aborts: false };
        use SyntaxErrorKind as K;
        match &self.kind {
            K::NoCommand | K::NestedRestore => CompatMessage {
                text: format!("Try `{program} -h' or '{program} --help' for more information.\n"),
                status: 255,
                aborts: true,
            },
            K::UnknownOption { word } => option(format!("{word}: unknown option")),
            K::MissingArgument { word, .. } => option(format!("{word}: missing argument")),
            K::UnwantedArgument { word } => option(format!("{word}: option does not take an argument")),
            K::SecondCommand { word } => fail(format!("invalid option `{word}'")),
            K::UnexpectedWord { word } => fail(format!("unexpected argument {word}")),
            K::Repeated(group) => fail(format!("multiple '{}' options specified", group.name())),
            K::Illegal { option, command } => {
                fail(format!("Illegal '{}' option with the '{}' command", option.name(), command.name()))
            }
            K::Required { option, command } => {
                fail(format!("You need to supply the '{}' option for the '{}' command", option.name(), command.name()))
            }
            K::Conflict { option, with, command } => fail(format!(
                "The option '{}' conflicts with the '{}' option in the '{}' command",
                option.name(),
                with.name(),
                command.name()
            )),
            K::ListConflict => fail("options conflicts in the list command".into()),
            K::Value { expected, word, .. } => fail(value(*expected, word)),
            K::Ipv6BeforeMark => fail("-6 used before -f\n".into()),
            K::SetNeedsThree => fail("--set option requires 3 timeout values".into()),
            K::ZeroPort => fail("Zero port specified for non-persistent service".into()),
            K::OnePacketNotUdp => fail("One-Packet Scheduling is only for UDP virtual services".into()),
            K::MixedFamily => fail("Different address family is allowed only for tunneling servers".into()),
            K::TunnelOptions => fail("Tunnel options conflict with forward method".into()),
            K::TunnelNeedsPort { tunnel } => {
                fail(format!("You need to supply the 'tun-port' option for the '{tunnel}' tunnel type"))
            }
            K::TunnelIllegal { option, tunnel } => {
                fail(format!("Illegal '{}' option with the '{tunnel}' tunnel type", option.name()))
            }
            K::TunnelConflict { option, with, tunnel } => fail(format!(
                "The option '{}' conflicts with the '{}' option in the '{tunnel}' tunnel type",
                option.name(),
                with.name()
            )),
            K::UnknownFlag(flag) => fail(format!("invalid scheduler flag `{flag}'")),
            K::IncompatibleFlag(flag) => fail(format!("incompatible scheduler flag `{flag}'")),
            // DIFFERENCE: ipvsadm follows a null pointer here.
            K::EmptyFlags => fail("invalid scheduler flag `'".into()),
            // ipvsadm leaves these to the kernel and has no messages for them.
            K::NotAChange(_)
            | K::ServiceExists(_)
            | K::ServiceNotFound(_)
            | K::DestinationExists(_)
            | K::DestinationNotFound(_)
            | K::DaemonExists
            | K::DaemonNotFound => fail(self.kind.to_string()),
        }
    }
}

// DIFFERENCE: bytes that are not UTF-8 are replaced here.
fn value(expected: Expected, word: &str) -> String {
    use Expected as E;
    match expected {
        E::VirtualService => "illegal virtual server address[:port] specified".into(),
        E::RealServer => "illegal real server address[:port] specified".into(),
        E::Netmask => "illegal virtual server persistent mask specified".into(),
        E::PrefixLength => "illegal ipv6 netmask specified".into(),
        E::Persistence | E::Timeout => format!("invalid timeout value `{word}' specified"),
        E::Mark => format!("invalid fwmark value `{word}' specified"),
        E::Weight => "illegal weight specified".into(),
        E::UpperThreshold => "illegal u_threshold specified".into(),
        E::LowerThreshold => "illegal l_threshold specified".into(),
        E::SyncId => "illegal syncid specified".into(),
        E::McastPort => "illegal mcast-port specified".into(),
        E::McastTtl => "illegal mcast-ttl specified".into(),
        E::MaxLen => "illegal sync-maxlen specified".into(),
        E::McastGroup => format!("invalid IPv4 mcast-group `{word}'"),
        E::McastGroup6 => format!("invalid IPv6 mcast-group `{word}'"),
        E::StartRole => "illegal start-daemon parameter specified".into(),
        // Spelled so by ipvsadm.
        E::StopRole => "illegal start_daemon specified".into(),
        E::TunnelType => "illegal tunnel type specified".into(),
        E::TunnelPort => "illegal tunnel port specified".into(),
        // ipvsadm cuts long names; these remain for names that are not text, and for extended
        // lines.
        E::Scheduler => format!("illegal scheduler `{word}' specified"),
        E::Engine => format!("illegal persistence engine `{word}' specified"),
        E::Interface => format!("illegal interface `{word}' specified"),
        E::Forwarding => format!("illegal forwarding method `{word}' specified"),
        E::Bits => format!("illegal flags `{word}' specified"),
    }
}
