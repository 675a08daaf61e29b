//! The lines that make up nearly all of a large file, read in one go: what `-S -n` writes for a
//! service and for a real server of IPv4 without options beyond forwarding method and weight. Any
//! other line is left to the parser, and so is every error.

use std::net::{IpAddr, Ipv4Addr};

use super::{Command, number};
use crate::model::{Destination, ForwardingMethod, Protocol, SchedulerName, Service, ServiceKey};

/// The command of such a line, as the parser would read it in either dialect.
#[inline]
pub(super) fn command(line: &[u8]) -> Option<Command> {
    let (add_server, rest) = match line {
        [b'-', b'a', b' ', rest @ ..] => (true, rest),
        [b'-', b'A', b' ', rest @ ..] => (false, rest),
        _ => return None,
    };
    let (protocol, rest) = match rest {
        [b'-', b't', b' ', rest @ ..] => (Protocol::Tcp, rest),
        [b'-', b'u', b' ', rest @ ..] => (Protocol::Udp, rest),
        _ => return None,
    };
    let (addr, port, rest) = endpoint(rest)?;
    let key = ServiceKey::endpoint(protocol, IpAddr::V4(addr), port);
    if add_server { server(key, rest) } else { service(key, rest) }
}

/// Behind the address of a service: ` -s NAME`.
fn service(key: ServiceKey, rest: &[u8]) -> Option<Command> {
    let [b' ', b'-', b's', b' ', name @ ..] = rest else { return None };
    // Port 0 needs persistence.
    if key.port() == 0 || !name.iter().all(u8::is_ascii_lowercase) || name.is_empty() {
        return None;
    }
    let scheduler = SchedulerName::new(std::str::from_utf8(name).ok()?).ok()?;
    Some(Command::AddService(Service::new(key).with_scheduler(scheduler)))
}

/// Behind the address of a service: ` -r ADDRESS:PORT -m -w WEIGHT`, or another forwarding method.
#[inline]
fn server(key: ServiceKey, rest: &[u8]) -> Option<Command> {
    let [b' ', b'-', b'r', b' ', rest @ ..] = rest else { return None };
    let (addr, port, rest) = endpoint(rest)?;
    let [b' ', b'-', method, b' ', b'-', b'w', b' ', rest @ ..] = rest else { return None };
    let forwarding = match method {
        b'm' => ForwardingMethod::Masquerade,
        b'g' => ForwardingMethod::Direct,
        b'i' => ForwardingMethod::Tunnel,
        _ => return None,
    };
    // These two do not rewrite ports: the parser has a warning.
    if *method != b'm' && port != key.port() {
        return None;
    }
    let (weight, []) = decimal(rest, 9)? else { return None };
    let destination = Destination::new(IpAddr::V4(addr), port).with_forwarding(forwarding).with_weight(weight);
    Some(Command::AddServer(key, destination))
}

/// `a.b.c.d:port` at the start of a text, and what follows it.
#[inline]
fn endpoint(text: &[u8]) -> Option<(Ipv4Addr, u16, &[u8])> {
    let (addr, [b':', rest @ ..]) = number::dotted_quad_prefix(text)? else { return None };
    let (port, rest) = decimal(rest, 5)?;
    Some((addr, u16::try_from(port).ok()?, rest))
}

/// A number of at most `most` digits (no more than 9) at the start of a text, and what follows it.
#[inline]
fn decimal(text: &[u8], most: usize) -> Option<(u32, &[u8])> {
    let digits = text.iter().take(most + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > most {
        return None;
    }
    let (number, rest) = text.split_at(digits);
    Some((number.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')), rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::lexer::LineWords;
    use crate::rules::{Dialect, Parser, parser};

    fn parsed(line: &str, dialect: Dialect) -> Option<Command> {
        let context = Parser::new(dialect).context(false);
        parser::command(context, LineWords::new(line.as_bytes(), dialect), &mut parser::Found::default())
    }

    #[test]
    fn what_save_writes_is_read_here() {
        for line in [
            "-A -t 192.0.2.1:80 -s wlc",
            "-A -u 255.255.255.255:65535 -s sh",
            "-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 1",
            "-a -u 192.0.2.1:0 -r 0.0.0.0:0 -g -w 0",
            "-a -t 192.0.2.1:80 -r 198.51.100.7:80 -i -w 999999999",
        ] {
            let command = command(line.as_bytes());
            assert!(command.is_some(), "{line}");
            assert_eq!(command, parsed(line, Dialect::Lossless), "{line}");
            assert_eq!(command, parsed(line, Dialect::Ipvsadm), "{line}");
        }
    }

    /// Such lines, and lines that are nearly so.
    fn lines() -> impl Strategy<Value = String> {
        let number = prop_oneof![
            (0..70_000_u32).prop_map(|number| number.to_string()),
            "[0-9]{1,11}",
            Just(String::new()),
            Just("+7".to_owned()),
        ];
        let quad = prop_oneof![
            any::<[u8; 4]>().prop_map(|quad| Ipv4Addr::from(quad).to_string()),
            "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}(\\.[0-9]{1,3})?",
        ];
        let endpoint = (quad, number.clone()).prop_map(|(quad, port)| format!("{quad}:{port}"));
        let name = prop_oneof![Just("wlc".to_owned()), "[a-z]{0,18}", "[a-zA-Z0-9,-]{1,4}"];
        let end = prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\r"), 1 => Just(" -x 7"), 1 => Just(" -p")];
        let verb = prop::sample::select(vec!["-a", "-A", "-e"]);
        let protocol = prop::sample::select(vec!["-t", "-u", "-f"]);
        let method = prop::sample::select(vec!["-m", "-g", "-i", "-b"]);
        let server =
            (endpoint.clone(), method, number).prop_map(|(to, method, weight)| format!("-r {to} {method} -w {weight}"));
        let rest = prop_oneof![server, name.prop_map(|name| format!("-s {name}"))];
        (verb, protocol, endpoint, rest, end)
            .prop_map(|(verb, protocol, service, rest, end)| format!("{verb} {protocol} {service} {rest}{end}"))
    }

    proptest! {
        #[test]
        fn what_is_read_here_the_parser_reads_alike(line in lines()) {
            if let Some(command) = command(line.as_bytes()) {
                prop_assert_eq!(Some(command), parsed(&line, Dialect::Lossless));
                prop_assert_eq!(Some(command), parsed(&line, Dialect::Ipvsadm));
            }
        }
    }
}
