//! The connection table.

use std::ffi::{c_char, c_void};
use std::ops::ControlFlow;
use std::ptr;

use lvs_core::Director;
use lvs_core::connections::{ConnectionFilter, ConnectionKind};
use lvs_core::model::{
    AddressFamily, Connection, ConnectionOrigin, ConnectionState, ConnectionTarget, EngineData, Named, Protocol,
};

use crate::address::lvs_address;
use crate::boundary::call;
use crate::destination::lvs_destination_key;
use crate::director::{locked, lvs_director};
use crate::error::{Failure, lvs_error};
use crate::exports::{free, init, len, new};
use crate::handle::{choice, required};
use crate::list::nth;
use crate::record::{self, record, zeroed};
use crate::service::{LVS_NETMASK_FULL, lvs_service_key, netmask};
use crate::status::lvs_status;

/// The state of a connection.
#[repr(u32)]
pub enum lvs_state {
    /// No packet has moved it yet; of a template: not confirmed.
    None = 0,
    /// Data flows. TCP and SCTP.
    Established = 1,
    /// TCP: the real server opens.
    SynSent = 2,
    /// TCP: the client has asked.
    SynRecv = 3,
    /// TCP: one side has finished.
    FinWait = 4,
    /// TCP: both sides have finished.
    TimeWait = 5,
    /// TCP: reset.
    Close = 6,
    /// TCP: the client has finished, the real server not yet.
    CloseWait = 7,
    /// TCP: waiting for the last acknowledgement.
    LastAck = 8,
    /// TCP: listening.
    Listen = 9,
    /// TCP under secure_tcp: the real server has answered.
    SynAck = 10,
    /// UDP, its only state.
    Udp = 11,
    /// SCTP: the client's first INIT.
    Init1 = 12,
    /// SCTP: a further INIT.
    Init = 13,
    /// SCTP: INIT-ACK sent.
    CookieSent = 14,
    /// SCTP: COOKIE-ECHO seen.
    CookieReplied = 15,
    /// SCTP: waiting for a cookie.
    CookieWait = 16,
    /// SCTP: cookie received.
    Cookie = 17,
    /// SCTP: cookie echoed.
    CookieEchoed = 18,
    /// SCTP: SHUTDOWN sent.
    ShutdownSent = 19,
    /// SCTP: SHUTDOWN received.
    ShutdownReceived = 20,
    /// SCTP: SHUTDOWN-ACK sent.
    ShutdownAckSent = 21,
    /// SCTP: aborted.
    Rejected = 22,
    /// SCTP: closed.
    Closed = 23,
    /// A template that a completed connection has confirmed.
    Assured = 24,
    /// `ERR!`, or a word that this library does not know: see lvs_connection.unknown_state.
    Unknown = 25,
}

/// The names of the states, by number, as the kernel and ipvsadm print them.
const STATE_NAMES: [&std::ffi::CStr; 26] = [
    c"NONE",
    c"ESTABLISHED",
    c"SYN_SENT",
    c"SYN_RECV",
    c"FIN_WAIT",
    c"TIME_WAIT",
    c"CLOSE",
    c"CLOSE_WAIT",
    c"LAST_ACK",
    c"LISTEN",
    c"SYNACK",
    c"UDP",
    c"INIT1",
    c"INIT",
    c"C-SENT",
    c"C-REPLIED",
    c"C-WAIT",
    c"COOKIE",
    c"C-ECHOED",
    c"S-SENT",
    c"S-RECEIVED",
    c"S-ACK-SENT",
    c"REJECTED",
    c"CLOSED",
    c"ASSURED",
    c"ERR!",
];

/// A state's number: the core keeps its states in the order of these numbers, which a test below
/// holds it to.
#[inline]
pub(crate) const fn state_number(state: ConnectionState) -> u32 {
    state as u32
}

pub(crate) fn state(number: u32) -> Result<ConnectionState, Failure> {
    let found = usize::try_from(number).ok().and_then(|number| ConnectionState::NAMES.get(number));
    found.map(|(state, _)| *state).ok_or_else(|| Failure::invalid(format!("unknown connection state {number}")))
}

/// Where a connection entry came from.
#[repr(u32)]
pub enum lvs_origin {
    /// The source does not say.
    Unknown = 0,
    /// Made here.
    Local = 1,
    /// Received from a master's sync daemon.
    Sync = 2,
}

/// Connections proper, or persistence templates.
#[repr(u32)]
pub enum lvs_connection_kind {
    /// Connections of clients.
    Connection = 0,
    /// Persistence templates: their client port is 0 and their client address is masked.
    Template = 1,
}

/// One entry of the connection table. Initialise it with LVS_CONNECTION_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_connection {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// The state: enum lvs_state.
    pub state: u32,
    /// Whole seconds until it expires, 0 if overdue.
    pub expires: u32,
    /// Where it came from: enum lvs_origin.
    pub origin: u32,
    /// The client's address.
    pub client: lvs_address,
    /// The address that the client asked for; without a family if it is the template of a firewall
    /// mark.
    pub target: lvs_address,
    /// The real server's address.
    pub destination: lvs_address,
    /// The client's port in host order, 0 of a template.
    pub client_port: u16,
    /// The port that the client asked for, in host order. Of a firewall mark's template what the
    /// kernel shows there: 0, but 65535 if a kernel before 7.1 has invalidated the template.
    pub target_port: u16,
    /// The real server's port in host order.
    pub destination_port: u16,
    /// LVS_PROTOCOL_...; 0 for templates of firewall-mark services.
    pub protocol: u16,
    /// The firewall mark of a template, else 0.
    pub fwmark: u32,
    /// What it is: enum lvs_connection_kind.
    pub kind: u32,
    /// Reserved: always 0.
    pub reserved: u32,
    /// The persistence engine, `engine_len` bytes without a NUL byte at the end; NULL for none. It
    /// lives as long as the entry: until the visitor returns, or the list is read again or
    /// released.
    pub engine: *const c_char,
    /// The length of the engine's name.
    pub engine_len: usize,
    /// The engine's raw data, `engine_data_len` bytes; for sip the Call-ID.
    pub engine_data: *const u8,
    /// The length of the engine's data.
    pub engine_data_len: usize,
    /// LVS_STATE_UNKNOWN: the kernel's word for the state, `unknown_state_len` bytes without a NUL
    /// byte at the end, which lives as long as the entry; else NULL.
    pub unknown_state: *const c_char,
    /// The length of the word.
    pub unknown_state_len: usize,
}

/// The service counts.
pub const LVS_FILTER_SERVICE: u32 = 0x1;
/// The protocol counts.
pub const LVS_FILTER_PROTOCOL: u32 = 0x2;
/// The destination counts.
pub const LVS_FILTER_DESTINATION: u32 = 0x4;
/// The state counts.
pub const LVS_FILTER_STATE: u32 = 0x8;
/// The client's network counts.
pub const LVS_FILTER_CLIENT_NETWORK: u32 = 0x10;
/// The kind counts.
pub const LVS_FILTER_KIND: u32 = 0x20;
/// The origin counts.
pub const LVS_FILTER_ORIGIN: u32 = 0x40;
/// The earliest expiry counts.
pub const LVS_FILTER_MIN_EXPIRES: u32 = 0x80;
/// The latest expiry counts.
pub const LVS_FILTER_MAX_EXPIRES: u32 = 0x100;

/// Which connections are meant: every condition that is set must hold. Initialise it with
/// LVS_CONNECTION_FILTER_INIT, which sets none and means all.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_connection_filter {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Which of the fields below count: LVS_FILTER_... bits.
    pub conditions: u32,
    /// Of this service, as far as an entry tells. Port 0 means every port; a firewall mark means
    /// its templates.
    pub service: lvs_service_key,
    /// At this destination; port 0 means every port.
    pub destination: lvs_destination_key,
    /// From the network of this address ...
    pub client: lvs_address,
    /// ... with this netmask: IPv4 a mask in host order, IPv6 a prefix length, LVS_NETMASK_FULL the
    /// address alone.
    pub client_netmask: u32,
    /// In this state: enum lvs_state.
    pub state: u32,
    /// Of this protocol.
    pub protocol: u32,
    /// Of this kind: enum lvs_connection_kind.
    pub kind: u32,
    /// Of this origin: LVS_ORIGIN_LOCAL or LVS_ORIGIN_SYNC.
    pub origin: u32,
    /// That expire in so many seconds at the earliest.
    pub min_expires: u32,
    /// That expire in so many seconds at the latest.
    pub max_expires: u32,
}

record! {
    lvs_connection: 128;
    lvs_connection_filter: 112;
}

init!(lvs_connection_init, connection: lvs_connection, zeroed());

init!(
    lvs_connection_filter_init, filter: lvs_connection_filter,
    lvs_connection_filter { client_netmask: LVS_NETMASK_FULL, ..zeroed() }
);

/// Sees one connection; `user` is what the caller passed. Returns whether it wants to see more.
pub type lvs_connection_visitor =
    Option<unsafe extern "C" fn(connection: *const lvs_connection, user: *mut c_void) -> bool>;

impl From<&Connection<'_>> for lvs_connection {
    #[inline]
    fn from(connection: &Connection<'_>) -> Self {
        let (target, target_port, fwmark) = match connection.target {
            ConnectionTarget::Endpoint { addr, port } => (addr.into(), port, 0),
            ConnectionTarget::Fwmark(mark) => (lvs_address::NONE, connection.mark_port, mark.get()),
        };
        let (engine, engine_len, engine_data, engine_data_len) = match connection.engine {
            Some(EngineData { engine, data }) => (engine.as_ptr().cast(), engine.len(), data.as_ptr(), data.len()),
            None => (ptr::null(), 0, ptr::null(), 0),
        };
        Self {
            struct_size: size_of::<Self>() as u32,
            state: state_number(connection.state),
            expires: connection.expires,
            origin: match connection.origin {
                None => lvs_origin::Unknown as u32,
                Some(ConnectionOrigin::Local) => lvs_origin::Local as u32,
                Some(ConnectionOrigin::Sync) => lvs_origin::Sync as u32,
            },
            client: connection.client_addr.into(),
            target,
            destination: connection.destination_addr.into(),
            client_port: connection.client_port,
            target_port,
            destination_port: connection.destination_port,
            protocol: connection.protocol.number(),
            fwmark,
            kind: connection.is_template().into(),
            reserved: 0,
            engine,
            engine_len,
            engine_data,
            engine_data_len,
            unknown_state: connection.unknown_state.map_or(ptr::null(), |word| word.as_ptr().cast()),
            unknown_state_len: connection.unknown_state.map_or(0, str::len),
        }
    }
}

impl lvs_connection_filter {
    fn to_filter(self) -> Result<ConnectionFilter, Failure> {
        let known = LVS_FILTER_MAX_EXPIRES << 1;
        if self.conditions >= known {
            return Err(Failure::invalid(format!(
                "unknown condition {:#x} of a filter",
                self.conditions & !(known - 1)
            )));
        }
        let set = |bit: u32| self.conditions & bit != 0;
        let mut filter = ConnectionFilter::new();
        if set(LVS_FILTER_SERVICE) {
            filter = filter.with_service(&self.service.to_key()?);
        }
        if set(LVS_FILTER_PROTOCOL) {
            let number = u16::try_from(self.protocol)
                .map_err(|_| Failure::invalid(format!("no protocol has the number {}", self.protocol)))?;
            filter = filter.with_protocol(Protocol::from_number(number));
        }
        if set(LVS_FILTER_DESTINATION) {
            filter = filter.with_destination(&self.destination.to_key()?);
        }
        if set(LVS_FILTER_STATE) {
            filter = filter.with_state(state(self.state)?);
        }
        if set(LVS_FILTER_CLIENT_NETWORK) {
            let client = self.client.to_addr("the client's network")?;
            filter = filter.with_client_network(client, netmask(AddressFamily::of(client), self.client_netmask)?);
        }
        if set(LVS_FILTER_KIND) {
            let kinds = [ConnectionKind::Connection, ConnectionKind::Template];
            filter = filter.with_kind(choice(self.kind, "kind of connections", &kinds)?);
        }
        if set(LVS_FILTER_ORIGIN) {
            filter = filter.with_origin(match self.origin {
                1 => ConnectionOrigin::Local,
                2 => ConnectionOrigin::Sync,
                other => return Err(Failure::invalid(format!("unknown origin {other} of connections"))),
            });
        }
        filter.min_expires = set(LVS_FILTER_MIN_EXPIRES).then_some(self.min_expires);
        filter.max_expires = set(LVS_FILTER_MAX_EXPIRES).then_some(self.max_expires);
        Ok(filter)
    }
}

/// A filter that came from C; NULL means all.
pub(crate) unsafe fn filter(filter: *const lvs_connection_filter) -> Result<ConnectionFilter, Failure> {
    // SAFETY: NULL or as large as it says, by the promise of the caller.
    match unsafe { record::read_optional(filter)? } {
        Some(filter) => filter.to_filter(),
        None => Ok(ConnectionFilter::new()),
    }
}

/// Connections that were read from a director, to go through at leisure.
///
/// Made by lvs_connections_new(), filled by lvs_connections_read(), released by
/// lvs_connections_free(). Keep one and use it again, it keeps its memory. Any number of threads
/// may read it while nobody fills it.
#[derive(Default)]
pub struct lvs_connections {
    entries: Vec<Stored>,
    /// Names and data of engines, one after the other.
    bytes: Vec<u8>,
}

/// An entry with its engine's name and data in `bytes`.
struct Stored {
    connection: Connection<'static>,
    engine: Option<Lengths>,
}

#[derive(Clone, Copy)]
struct Lengths {
    at: usize,
    engine: usize,
    data: usize,
}

impl lvs_connections {
    fn push(&mut self, connection: &Connection<'_>) -> Result<(), Failure> {
        let engine = match connection.engine {
            None => None,
            Some(EngineData { engine, data }) => {
                let at = self.bytes.len();
                self.bytes.try_reserve(engine.len() + data.len())?;
                self.bytes.extend_from_slice(engine.as_bytes());
                self.bytes.extend_from_slice(data);
                Some(Lengths { at, engine: engine.len(), data: data.len() })
            }
        };
        self.entries.try_reserve(1)?;
        self.entries.push(Stored { connection: without_engine(connection), engine });
        Ok(())
    }

    /// Shows each entry to a writer, with its engine's data.
    pub(crate) fn each<E>(&self, mut see: impl FnMut(&Connection<'_>) -> Result<(), E>) -> Result<(), E> {
        for stored in &self.entries {
            let mut connection: Connection<'_> = stored.connection;
            if let Some(Lengths { at, engine, data }) = stored.engine {
                let (name, rest) = self.bytes[at..].split_at(engine);
                // The name was a str when it was stored.
                let engine = std::str::from_utf8(name).unwrap_or_default();
                connection.engine = Some(EngineData { engine, data: &rest[..data] });
            }
            see(&connection)?;
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.bytes.clear();
    }
}

/// The same entry, borrowing nothing.
fn without_engine(connection: &Connection<'_>) -> Connection<'static> {
    let mut stored = Connection::new(
        connection.protocol,
        (connection.client_addr, connection.client_port),
        connection.target,
        (connection.destination_addr, connection.destination_port),
        connection.state,
        connection.expires,
    );
    stored.origin = connection.origin;
    stored
}

/// The name of a state as the kernel and ipvsadm print it, such as "ESTABLISHED"; "ERR!" for an
/// unknown number. The string is static. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn lvs_state_name(state: u32) -> *const c_char {
    let name = usize::try_from(state).ok().and_then(|number| STATE_NAMES.get(number));
    name.unwrap_or(&STATE_NAMES[25]).as_ptr()
}

/// Shows the entries of the connection table that a filter means (all if it is NULL), templates
/// included, in the director's order, until the visitor returns false. Streams: allocates nothing
/// per entry.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_visit_connections(
    director: Option<&lvs_director>,
    filter: *const lvs_connection_filter,
    visitor: lvs_connection_visitor,
    user: *mut c_void,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let visitor = required(visitor, "visitor")?;
        let filter = self::filter(filter)?;
        locked(director)?.visit_matching_connections(&filter, &mut |connection| {
            if visitor(&lvs_connection::from(connection), user) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        Ok(())
    })
}

new!(
    lvs_connections_new, connections: lvs_connections, lvs_connections::default(),
    "Makes an empty list of connections."
);

/// Fills a list with the entries of the connection table that a filter means (all if it is NULL).
/// What was in it is gone, even if the call fails.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_connections_read(
    connections: Option<&mut lvs_connections>,
    director: Option<&lvs_director>,
    filter: *const lvs_connection_filter,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let connections = required(connections, "connections")?;
        let filter = self::filter(filter)?;
        connections.clear();
        let mut full = Ok(());
        locked(director)?.visit_matching_connections(&filter, &mut |connection| {
            full = connections.push(connection);
            if full.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        full
    })
}

len!(
    lvs_connections_len, connections: lvs_connections, connections.entries.len(),
    "How many connections there are; 0 if `connections` is NULL."
);

/// Reads connection `index`. Allocates nothing.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_connections_get(
    connections: Option<&lvs_connections>,
    index: usize,
    connection: *mut lvs_connection,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let connections = required(connections, "connections")?;
        let stored = nth(&connections.entries, index)?;
        let mut value = lvs_connection::from(&stored.connection);
        if let Some(Lengths { at, engine, data }) = stored.engine {
            let (name, rest) = connections.bytes[at..].split_at(engine);
            (value.engine, value.engine_len) = (name.as_ptr().cast(), engine);
            (value.engine_data, value.engine_data_len) = (rest.as_ptr(), data);
        }
        record::write(connection, value)
    })
}

free!(lvs_connections_free, connections: lvs_connections, "a list");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_keeps_its_states_in_the_order_of_the_numbers() {
        assert_eq!(ConnectionState::NAMES.len(), STATE_NAMES.len());
        for (number, &(state, name)) in ConnectionState::NAMES.iter().enumerate() {
            assert_eq!(state_number(state) as usize, number);
            assert_eq!(STATE_NAMES[number].to_str(), Ok(name));
        }
        assert_eq!(state_number(ConnectionState::Established), lvs_state::Established as u32);
        assert_eq!(state_number(ConnectionState::ShutdownAckSent), lvs_state::ShutdownAckSent as u32);
        assert_eq!(state_number(ConnectionState::Unknown), lvs_state::Unknown as u32);
        assert!(state(26).is_err());
    }

    #[test]
    fn an_engine_and_its_data_are_kept_with_the_list() {
        let target = ConnectionTarget::Endpoint { addr: [192, 0, 2, 1].into(), port: 5060 };
        let (client, server) = (([203, 0, 113, 9].into(), 0), ([198, 51, 100, 7].into(), 5060));
        let mut connection = Connection::new(Protocol::Udp, client, target, server, ConnectionState::None, 60);
        let mut list = lvs_connections::default();
        list.push(&connection).unwrap();
        connection.engine = Some(EngineData { engine: "sip", data: b"call\0id" });
        list.push(&connection).unwrap();
        let mut read = lvs_connection { struct_size: 128, ..lvs_connection::from(&connection) };
        for (index, length) in [(0, 0), (1, 7)] {
            // SAFETY: list and record are alive, and there are two entries.
            let status = unsafe { lvs_connections_get(Some(&list), index, &mut read, ptr::null_mut()) };
            assert_eq!((status, read.engine_data_len), (lvs_status::Ok, length));
        }
        // SAFETY: the list is alive and has not changed.
        let data = unsafe { std::slice::from_raw_parts(read.engine_data, 7) };
        assert_eq!(data, b"call\0id");
        assert_eq!(read.engine_len, 3);
    }
}
