//! Entries of connection tracking (netfilter) of UDP servers that were removed.
//!
//! Where IPVS keeps flows in the tracker (`net.ipv4.vs.conntrack`), an entry ties the packets of a
//! client to the server that it had, also when IPVS has chosen another one: replies of that one
//! are not recognised for as long as the client keeps sending. TCP starts again by itself.

use lvs_core::model::{AddressFamily, Protocol, ServiceKey};

use crate::engine::Server;
use crate::marks::Mark;

/// What `conntrack` says, as a failure, where there was nothing to remove.
pub(crate) const NONE: &str = ": 0 flow entries have been deleted";

/// The commands that remove them; the marks say where packets of services that are marks go.
pub(crate) fn commands((service, server): Server, marks: &[Mark]) -> Vec<Vec<String>> {
    let ends = match service {
        ServiceKey::Endpoint { protocol: Protocol::Udp, addr, port } => vec![(addr, port)],
        ServiceKey::Endpoint { .. } => Vec::new(),
        ServiceKey::Fwmark { mark, family } => marks
            .iter()
            .filter(|packets| {
                let of_family = packets.addr.is_ipv4() == (family == AddressFamily::Ipv4);
                packets.mark == mark.get() && packets.protocol == Protocol::Udp && of_family
            })
            .map(|packets| (packets.addr, 0))
            .collect(),
    };
    ends.into_iter()
        .map(|(addr, port)| {
            let mut argv = vec!["conntrack".to_owned()];
            let family = if addr.is_ipv4() { "ipv4" } else { "ipv6" };
            argv.extend(["-D", "-f", family, "-p", "udp", "--orig-dst"].map(str::to_owned));
            argv.push(addr.to_string());
            if port != 0 {
                argv.extend(["--orig-port-dst".to_owned(), port.to_string()]);
            }
            argv.extend(["--reply-src".to_owned(), server.addr.to_string()]);
            if server.port != 0 {
                argv.extend(["--reply-port-src".to_owned(), server.port.to_string()]);
            }
            argv
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_of_one_server_of_one_service_are_meant() {
        let lines = |service: &str, server: &str, marks: &[Mark]| -> Vec<String> {
            let server = (service.parse().unwrap(), server.parse().unwrap());
            commands(server, marks).into_iter().map(|argv| argv.join(" ")).collect()
        };
        assert_eq!(
            lines("udp://192.0.2.1:53", "198.51.100.7:5353", &[]),
            [
                "conntrack -D -f ipv4 -p udp --orig-dst 192.0.2.1 --orig-port-dst 53 --reply-src 198.51.100.7 --reply-port-src 5353"
            ]
        );
        assert_eq!(lines("tcp://192.0.2.1:53", "198.51.100.7:53", &[]), [""; 0]);
        let mark = |mark, addr: &str, protocol| Mark { mark, addr: addr.parse().unwrap(), protocol, ports: Vec::new() };
        let marks = [
            mark(7, "2001:db8::1", Protocol::Udp),
            mark(7, "2001:db8::1", Protocol::Tcp),
            mark(7, "192.0.2.1", Protocol::Udp),
            mark(8, "2001:db8::8", Protocol::Udp),
        ];
        assert_eq!(
            lines("fwmark:7/ipv6", "[2001:db8:1::7]:0", &marks),
            ["conntrack -D -f ipv6 -p udp --orig-dst 2001:db8::1 --reply-src 2001:db8:1::7"]
        );
    }
}
