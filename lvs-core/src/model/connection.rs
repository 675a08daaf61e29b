use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;

use super::named::{Named, serde_as_text, text_by_name};
use super::{AddressFamily, DestinationKey, ModelError, Protocol, ServiceKey};

/// The virtual side of a connection: an address and port, or the mark of a firewall-mark service's
/// template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: what a connection entry can hold (ip_vs_conn.c).
pub enum ConnectionTarget {
    /// The address and port that the client asked for.
    Endpoint {
        /// The virtual address.
        addr: IpAddr,
        /// The virtual port.
        port: u16,
    },
    /// The firewall mark of a persistence template.
    Fwmark(NonZeroU32),
}

/// `192.0.2.1:80`, `[2001:db8::1]:53`, `fwmark:7`.
impl fmt::Display for ConnectionTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Endpoint { addr, port } => SocketAddr::new(addr, port).fmt(f),
            Self::Fwmark(mark) => write!(f, "fwmark:{mark}"),
        }
    }
}

impl FromStr for ConnectionTarget {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        match text.parse()? {
            ServiceKey::Endpoint { addr, port, .. } => Ok(Self::Endpoint { addr, port }),
            ServiceKey::Fwmark { mark, .. } => Ok(Self::Fwmark(mark)),
        }
    }
}

serde_as_text!(ConnectionTarget);

/// Where a connection entry came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: the two words of `/proc/net/ip_vs_conn_sync`.
pub enum ConnectionOrigin {
    /// Made here.
    Local,
    /// Received from a master's sync daemon.
    Sync,
}

impl Named for ConnectionOrigin {
    const WHAT: &'static str = "an origin of a connection";
    const NAMES: &'static [(Self, &'static str)] = &[(Self::Local, "local"), (Self::Sync, "sync")];
}

/// Data of a persistence engine on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
// Exhaustive: a pair with names.
pub struct EngineData<'a> {
    /// The engine, `sip` in the kernel.
    pub engine: &'a str,
    /// Its raw data, for `sip` the Call-ID.
    pub data: &'a [u8],
}

/// The state of a connection.
///
/// The same number means different things by protocol, so the names are what counts
/// (`ip_vs_proto_*.c`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ConnectionState {
    /// No packet has moved it yet; of a template: not confirmed.
    None,
    /// Data flows. TCP and SCTP.
    Established,
    /// TCP: the real server opens.
    SynSent,
    /// TCP: the client has asked.
    SynRecv,
    /// TCP: one side has finished.
    FinWait,
    /// TCP: both sides have finished.
    TimeWait,
    /// TCP: reset.
    Close,
    /// TCP: the client has finished, the real server not yet.
    CloseWait,
    /// TCP: waiting for the last acknowledgement.
    LastAck,
    /// TCP: listening.
    Listen,
    /// TCP under `secure_tcp`: the real server has answered.
    SynAck,
    /// UDP, its only state.
    Udp,
    /// SCTP: the client's first INIT.
    Init1,
    /// SCTP: a further INIT.
    Init,
    /// SCTP: INIT-ACK sent.
    CookieSent,
    /// SCTP: COOKIE-ECHO seen.
    CookieReplied,
    /// SCTP: waiting for a cookie.
    CookieWait,
    /// SCTP: cookie received.
    Cookie,
    /// SCTP: cookie echoed.
    CookieEchoed,
    /// SCTP: SHUTDOWN sent.
    ShutdownSent,
    /// SCTP: SHUTDOWN received.
    ShutdownReceived,
    /// SCTP: SHUTDOWN-ACK sent.
    ShutdownAckSent,
    /// SCTP: aborted.
    Rejected,
    /// SCTP: closed.
    Closed,
    /// A template that a completed connection has confirmed.
    Assured,
    /// `ERR!`, or a word that this crate does not know: see [`Connection::state_name`].
    Unknown,
}

/// The names that the kernel and `ipvsadm` print.
impl Named for ConnectionState {
    const WHAT: &'static str = "a state of a connection";
    const NAMES: &'static [(Self, &'static str)] = &[
        (Self::None, "NONE"),
        (Self::Established, "ESTABLISHED"),
        (Self::SynSent, "SYN_SENT"),
        (Self::SynRecv, "SYN_RECV"),
        (Self::FinWait, "FIN_WAIT"),
        (Self::TimeWait, "TIME_WAIT"),
        (Self::Close, "CLOSE"),
        (Self::CloseWait, "CLOSE_WAIT"),
        (Self::LastAck, "LAST_ACK"),
        (Self::Listen, "LISTEN"),
        (Self::SynAck, "SYNACK"),
        (Self::Udp, "UDP"),
        (Self::Init1, "INIT1"),
        (Self::Init, "INIT"),
        (Self::CookieSent, "C-SENT"),
        (Self::CookieReplied, "C-REPLIED"),
        (Self::CookieWait, "C-WAIT"),
        (Self::Cookie, "COOKIE"),
        (Self::CookieEchoed, "C-ECHOED"),
        (Self::ShutdownSent, "S-SENT"),
        (Self::ShutdownReceived, "S-RECEIVED"),
        (Self::ShutdownAckSent, "S-ACK-SENT"),
        (Self::Rejected, "REJECTED"),
        (Self::Closed, "CLOSED"),
        (Self::Assured, "ASSURED"),
        (Self::Unknown, "ERR!"),
    ];
}

impl ConnectionState {
    /// The name that the kernel and `ipvsadm` print.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }
}

text_by_name!(ConnectionOrigin, ConnectionState);

/// One entry of the connection table, borrowed from where it was read.
///
/// Persistence templates are entries, too: their client port is 0 and their client address is
/// masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Connection<'a> {
    /// The protocol; `Other(0)` (`IP`) for templates of firewall-mark services.
    pub protocol: Protocol,
    /// The client's address.
    pub client_addr: IpAddr,
    /// The client's port, 0 of a template.
    pub client_port: u16,
    /// What the client asked for.
    pub target: ConnectionTarget,
    /// The port that the kernel shows beside a firewall mark: 0, but 65535 of a template that a
    /// kernel before 7.1 has invalidated. No port of its own: 0 where the target is an address and
    /// a port.
    pub mark_port: u16,
    /// The real server's address.
    pub destination_addr: IpAddr,
    /// The real server's port.
    pub destination_port: u16,
    /// The state.
    pub state: ConnectionState,
    /// The kernel's word for a state that this crate does not know.
    pub unknown_state: Option<&'a str>,
    /// Whole seconds until it expires, 0 if overdue.
    pub expires: u32,
    /// Where it came from, where the source says so.
    pub origin: Option<ConnectionOrigin>,
    /// Data of a persistence engine, if any.
    pub engine: Option<EngineData<'a>>,
}

impl<'a> Connection<'a> {
    /// An entry without origin and engine data.
    pub const fn new(
        protocol: Protocol,
        client: (IpAddr, u16),
        target: ConnectionTarget,
        destination: (IpAddr, u16),
        state: ConnectionState,
        expires: u32,
    ) -> Self {
        Self {
            protocol,
            client_addr: client.0,
            client_port: client.1,
            target,
            mark_port: 0,
            destination_addr: destination.0,
            destination_port: destination.1,
            state,
            unknown_state: None,
            expires,
            origin: None,
            engine: None,
        }
    }

    /// The client's address and port.
    pub const fn client(&self) -> SocketAddr {
        SocketAddr::new(self.client_addr, self.client_port)
    }

    /// Where it goes.
    pub const fn destination(&self) -> DestinationKey {
        DestinationKey::new(self.destination_addr, self.destination_port)
    }

    /// The same, to be kept: see [`OwnedConnection`](super::OwnedConnection).
    pub fn into_owned(self) -> super::OwnedConnection {
        self.into()
    }

    /// The address family of the client's side.
    pub const fn family(&self) -> AddressFamily {
        AddressFamily::of(self.client_addr)
    }

    /// The name of its state as the kernel and `ipvsadm` print it, known to this crate or not.
    pub const fn state_name(&self) -> &'a str {
        match (self.state, self.unknown_state) {
            (ConnectionState::Unknown, Some(word)) => word,
            (state, _) => state.name(),
        }
    }

    /// The address and port that the kernel shows in the columns of the virtual side; a mark stands
    /// where the address does.
    pub fn target_columns(&self) -> (IpAddr, u16) {
        match self.target {
            ConnectionTarget::Endpoint { addr, port } => (addr, port),
            ConnectionTarget::Fwmark(mark) => {
                let addr = match self.client_addr {
                    IpAddr::V4(_) => IpAddr::V4(mark.get().into()),
                    IpAddr::V6(_) => IpAddr::V6((u128::from(mark.get()) << 96).into()),
                };
                (addr, self.mark_port)
            }
        }
    }

    /// Whether it is a template that the kernel has invalidated: it only runs out.
    ///
    /// Since Linux 7.1 this is also what a valid template of a destination on port 65535 looks
    /// like. The kernel never uses such a one either.
    pub const fn is_invalid_template(&self) -> bool {
        self.is_template() && self.destination_port == u16::MAX
    }

    /// Whether it is a persistence template rather than a connection.
    pub const fn is_template(&self) -> bool {
        self.client_port == 0 && matches!(self.state, ConnectionState::None | ConnectionState::Assured)
    }
}

/// A connection as serde writes it.
#[cfg(feature = "serde")]
#[derive(serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Record<'a> {
    protocol: Protocol,
    /// The client's address and port.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    client: SocketAddr,
    /// What the client asked for: `ADDRESS:PORT`, or `fwmark:N` for the template of a firewall-mark
    /// service.
    target: ConnectionTarget,
    /// The real server's address and port.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    destination: SocketAddr,
    state: ConnectionState,
    /// The kernel's word for a state that is not known here; left out where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_state: Option<&'a str>,
    /// The port beside a firewall mark; left out where it is 0.
    #[serde(skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "schema", schemars(default))]
    mark_port: u16,
    /// Whole seconds until it expires, 0 if overdue.
    expires: u32,
    /// Whether it is a persistence template rather than a connection.
    template: bool,
    origin: Option<ConnectionOrigin>,
    engine: Option<EngineRecord<'a>>,
}

#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(port: &u16) -> bool {
    *port == 0
}

/// Data of a persistence engine as serde writes it.
#[cfg(feature = "serde")]
#[derive(serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct EngineRecord<'a> {
    name: &'a str,
    /// The data as text, `null` where it is not UTF-8.
    data: Option<&'a str>,
    /// The data in hexadecimal.
    hex: String,
}

#[cfg(feature = "serde")]
impl serde::Serialize for Connection<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let engine = self.engine.map(|EngineData { engine, data }| EngineRecord {
            name: engine,
            data: std::str::from_utf8(data).ok(),
            hex: data.iter().map(|byte| format!("{byte:02x}")).collect(),
        });
        let record = Record {
            protocol: self.protocol,
            client: self.client(),
            target: self.target,
            destination: self.destination().into(),
            state: self.state,
            unknown_state: self.unknown_state,
            mark_port: self.mark_port,
            expires: self.expires,
            template: self.is_template(),
            origin: self.origin,
            engine,
        };
        record.serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Connection<'_> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Connection".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Record::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_stands_at_its_own_name() {
        for &(state, name) in ConnectionState::NAMES {
            assert_eq!(state.name(), name);
            assert_eq!(name.parse(), Ok(state));
        }
    }
}
