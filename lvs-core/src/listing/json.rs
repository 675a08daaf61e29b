//! JSON of a table and of connections.
//!
//! The names and types of members do not change within a major version of this crate; new members may come. Numbers are
//! whole; counters go up to 2^64-1, beyond what JavaScript reads exactly. What a director did not report is `null`.

use std::fmt;
use std::io::{self, Write};

use super::cells::flag_names;
use super::options::Style;
use super::order;
use crate::model::{
    Connection, ConnectionOrigin, ConnectionTarget, Daemon, DestinationEntry, ServiceEntry, ServiceFlags, ServiceKey,
    ServiceSnapshot, Snapshot, Stats, TunnelKind,
};

/// Writes a snapshot as one JSON object and a newline, services and destinations sorted by number.
///
/// ```text
/// {"version":"1.2.1","connection_table_size":4096,"complete":{"ipv4":true,"ipv6":true},
///  "timeouts":{"tcp":900,"tcp_fin":120,"udp":300},
///  "daemons":[{"role":"master","interface":"eth0","sync_id":1,"max_len":1472,"group":"224.0.0.81","port":8848,"ttl":1}],
///  "services":[
///   {"protocol":"tcp","address":"192.0.2.1","port":80,"family":"ipv4",        or  "fwmark":7,"family":"ipv6",
///    "scheduler":"sh","flags":17,"scheduler_flags":["sh-port"],"persistent":true,"timeout":300,
///    "netmask":"255.255.255.0","engine":null,"one_packet":false,              netmask of IPv6: "64"
///    "stats":{"connections":1,"packets_in":1,"packets_out":0,"bytes_in":60,"bytes_out":0},
///    "rates":{"connections":0,"packets_in":0,"packets_out":0,"bytes_in":0,"bytes_out":0},
///    "destinations":[
///     {"address":"198.51.100.7","port":8080,"forwarding":"masquerade","weight":1,
///      "upper_threshold":0,"lower_threshold":0,"tunnel":{"type":"ipip","port":0,"flags":0},
///      "active":1,"inactive":0,"persistent":1,"stats":{…},"rates":{…}}]}]}
/// ```
///
/// `complete` says of which families everything is there, see [`Completeness`](crate::model::Completeness).
/// `protocol` is `tcp`, `udp`, `sctp` or `protocol-N`; `forwarding` is `masquerade`, `local`, `tunnel`, `direct`,
/// `bypass` or `method-N`; the tunnel's `type` is `ipip`, `gue`, `gre` or `tunnel-N`. It stands there for every
/// destination, because the kernel keeps it for every one.
///
/// # Errors
/// Those of `out`.
pub fn write_json(out: &mut impl Write, snapshot: &Snapshot) -> io::Result<()> {
    let Snapshot { info, timeouts, complete, .. } = snapshot;
    write!(
        out,
        r#"{{"version":"{}","connection_table_size":{},"complete":{{"ipv4":{},"ipv6":{}}},"#,
        info.version, info.connection_table_size, complete.ipv4, complete.ipv6
    )?;
    write!(
        out,
        r#""timeouts":{{"tcp":{},"tcp_fin":{},"udp":{}}},"daemons":"#,
        timeouts.tcp, timeouts.tcp_fin, timeouts.udp
    )?;
    array(out, &snapshot.daemons, write_daemon)?;
    let mut services: Vec<_> = snapshot.services.iter().collect();
    order::sort_services(Style::Fixed, &mut services, |service| service.entry.service.key());
    out.write_all(br#","services":"#)?;
    array(out, services, write_service)?;
    out.write_all(b"}\n")
}

/// Writes a connection as one JSON object and a newline: a line of JSON Lines.
///
/// ```text
/// {"protocol":"udp","client":{"address":"203.0.113.5","port":0},"target":{"address":"192.0.2.1","port":5060},
///  "destination":{"address":"198.51.100.7","port":5060},"state":"NONE","expires":99,"template":true,
///  "origin":"local","engine":{"name":"sip","data":"aGVsbG8@192.0.2.1","hex":"6147…"}}
/// ```
///
/// The target of a firewall-mark service's template is `{"fwmark":77}`, its protocol `protocol-0`. The engine's `data`
/// is `null` where its bytes are no UTF-8; `hex` has them always. `origin` is `local`, `sync` or `null`.
///
/// # Errors
/// Those of `out`.
pub fn write_connection_json(out: &mut impl Write, connection: &Connection<'_>) -> io::Result<()> {
    let endpoint = |addr, port| Endpoint { addr, port };
    write!(
        out,
        r#"{{"protocol":"{}","client":{{{}}},"target":{{"#,
        connection.protocol,
        endpoint(connection.client_addr, connection.client_port)
    )?;
    match connection.target {
        ConnectionTarget::Endpoint { addr, port } => write!(out, "{}", endpoint(addr, port))?,
        ConnectionTarget::Fwmark(mark) => write!(out, r#""fwmark":{mark}"#)?,
    }
    write!(
        out,
        r#"}},"destination":{{{}}},"state":{},"expires":{},"template":{},"origin":{},"engine":"#,
        endpoint(connection.destination_addr, connection.destination_port),
        Text(connection.state_name()),
        connection.expires,
        connection.is_template(),
        match connection.origin {
            Some(ConnectionOrigin::Local) => r#""local""#,
            Some(ConnectionOrigin::Sync) => r#""sync""#,
            None => "null",
        }
    )?;
    match &connection.engine {
        Some(engine) => {
            write!(out, r#"{{"name":{},"data":"#, Text(engine.engine))?;
            match std::str::from_utf8(engine.data) {
                Ok(data) => write!(out, "{}", Text(data))?,
                Err(_) => out.write_all(b"null")?,
            }
            out.write_all(br#","hex":""#)?;
            for byte in engine.data {
                write!(out, "{byte:02x}")?;
            }
            out.write_all(b"\"}")?;
        }
        None => out.write_all(b"null")?,
    }
    out.write_all(b"}\n")
}

fn write_daemon<W: Write>(out: &mut W, daemon: &Daemon) -> io::Result<()> {
    write!(
        out,
        r#"{{"role":"{}","interface":{},"sync_id":{},"max_len":{},"group":{},"port":{},"ttl":{}}}"#,
        daemon.role,
        Text(daemon.interface.as_str()),
        daemon.sync_id,
        OrNull(daemon.max_len),
        OrNull(daemon.group.map(Quoted)),
        OrNull(daemon.port),
        OrNull(daemon.ttl)
    )
}

fn write_service<W: Write>(out: &mut W, snapshot: &ServiceSnapshot) -> io::Result<()> {
    let ServiceEntry { service, .. } = &snapshot.entry;
    let family = match service.key().family() {
        crate::model::AddressFamily::Ipv4 => "ipv4",
        crate::model::AddressFamily::Ipv6 => "ipv6",
    };
    match service.key() {
        ServiceKey::Endpoint { protocol, addr, port } => {
            write!(out, r#"{{"protocol":"{protocol}",{}"#, Endpoint { addr, port })?;
        }
        ServiceKey::Fwmark { mark, .. } => write!(out, r#"{{"fwmark":{mark}"#)?,
    }
    write!(
        out,
        r#","family":"{family}","scheduler":{},"flags":{},"scheduler_flags":["#,
        Text(service.scheduler.as_str()),
        service.flags.bits()
    )?;
    let bits = [ServiceFlags::SCHED1, ServiceFlags::SCHED2, ServiceFlags::SCHED3];
    let names = flag_names(service.scheduler.as_str());
    let set = bits.into_iter().zip(names).filter(|(bit, _)| service.flags.contains(*bit));
    for (i, (_, name)) in set.enumerate() {
        write!(out, r#"{}"{}""#, if i == 0 { "" } else { "," }, name.unwrap_or("flag-3"))?;
    }
    write!(
        out,
        r#"],"persistent":{},"timeout":{},"netmask":"{}","engine":{},"one_packet":{}"#,
        service.is_persistent(),
        service.timeout,
        service.netmask(),
        OrNull(service.engine.as_ref().map(|engine| Text(engine.as_str()))),
        service.is_one_packet()
    )?;
    write_stats(out, snapshot.entry.stats64.or(snapshot.entry.stats))?;
    let mut destinations: Vec<_> = snapshot.destinations.iter().collect();
    order::sort_destinations(Style::Fixed, &mut destinations, |entry| entry.destination.key);
    out.write_all(br#","destinations":"#)?;
    array(out, destinations, write_destination)?;
    out.write_all(b"}")
}

fn write_destination<W: Write>(out: &mut W, entry: &DestinationEntry) -> io::Result<()> {
    let destination = &entry.destination;
    let tunnel = &destination.tunnel;
    write!(
        out,
        r#"{{{},"forwarding":"{}","weight":{},"upper_threshold":{},"lower_threshold":{}"#,
        Endpoint { addr: destination.key.addr, port: destination.key.port },
        destination.forwarding,
        destination.weight,
        destination.upper_threshold,
        destination.lower_threshold
    )?;
    out.write_all(br#","tunnel":{"type":""#)?;
    match tunnel.kind {
        TunnelKind::Ipip => out.write_all(b"ipip")?,
        TunnelKind::Gue => out.write_all(b"gue")?,
        TunnelKind::Gre => out.write_all(b"gre")?,
        TunnelKind::Other(number) => write!(out, "tunnel-{number}")?,
    }
    write!(
        out,
        r#"","port":{},"flags":{}}},"active":{},"inactive":{},"persistent":{}"#,
        tunnel.port, tunnel.flags.0, entry.active, entry.inactive, entry.persistent
    )?;
    write_stats(out, entry.stats64.or(entry.stats))?;
    out.write_all(b"}")
}

fn write_stats(out: &mut impl Write, stats: Option<Stats>) -> io::Result<()> {
    let Some(Stats { counters: c, rates: r }) = stats else {
        return out.write_all(br#","stats":null,"rates":null"#);
    };
    for (name, [a, b, c, d, e]) in [
        ("stats", [c.connections, c.packets_in, c.packets_out, c.bytes_in, c.bytes_out]),
        ("rates", [r.connections, r.packets_in, r.packets_out, r.bytes_in, r.bytes_out]),
    ] {
        write!(
            out,
            r#","{name}":{{"connections":{a},"packets_in":{b},"packets_out":{c},"bytes_in":{d},"bytes_out":{e}}}"#
        )?;
    }
    Ok(())
}

fn array<W: Write, T>(
    out: &mut W,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut W, T) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(b"[")?;
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        write(out, item)?;
    }
    out.write_all(b"]")
}

struct Endpoint {
    addr: std::net::IpAddr,
    port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#""address":"{}","port":{}"#, self.addr, self.port)
    }
}

struct OrNull<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for OrNull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("null"),
        }
    }
}

/// What needs no escapes, in quotation marks.
struct Quoted<T>(T);

impl<T: fmt::Display> fmt::Display for Quoted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// Any text, escaped (RFC 8259, section 7).
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        let mut rest = self.0;
        while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\' | '\0'..='\x1f')) {
            f.write_str(&rest[..at])?;
            match rest.as_bytes()[at] {
                byte @ (b'"' | b'\\') => write!(f, "\\{}", char::from(byte))?,
                byte => write!(f, "\\u{byte:04x}")?,
            }
            rest = &rest[at + 1..];
        }
        write!(f, "{rest}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procfs::parse_connection;

    fn json(row: &[u8]) -> serde_json::Value {
        let mut text = Vec::new();
        write_connection_json(&mut text, &parse_connection(row).unwrap()).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn a_connection_is_an_object() {
        let value = json(b"UDP CB007105 0000 C0000201 13C4 C6336407 13C4 NONE             99 sip a\"b\\c\x01");
        let expected = serde_json::json!({
            "protocol": "udp",
            "client": {"address": "203.0.113.5", "port": 0},
            "target": {"address": "192.0.2.1", "port": 5060},
            "destination": {"address": "198.51.100.7", "port": 5060},
            "state": "NONE", "expires": 99, "template": true, "origin": null,
            "engine": {"name": "sip", "data": "a\"b\\c\u{1}", "hex": "6122625c6301"}
        });
        assert_eq!(value, expected);
        let value = json(b"IP  CB007100 0000 0000004D 0000 C6336407 0000 NONE        SYNC        59");
        assert_eq!(value["target"], serde_json::json!({"fwmark": 77}));
        assert_eq!(value["origin"], "sync");
        let value = json(b"UDP CB007105 0000 C0000201 13C4 C6336407 13C4 NONE             99 sip \xff");
        assert_eq!(value["engine"], serde_json::json!({"name": "sip", "data": null, "hex": "ff"}));
    }
}
