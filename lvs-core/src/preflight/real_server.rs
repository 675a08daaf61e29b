//! A host as a real server.

use std::net::IpAddr;

use super::{HeldAddress, Host, HostFinding, missing};

/// What a host lacks to be a real server that holds a virtual address for direct routing, or for
/// tunnels that end at the interface `tunnel`.
pub fn real_server(vip: IpAddr, tunnel: Option<&str>, host: &dyn Host) -> Vec<HostFinding> {
    let mut findings = addresses(vip, &host.addresses(vip));
    if vip.is_ipv4() {
        for (name, wanted) in [("arp_ignore", 1), ("arp_announce", 2)] {
            let name = format!("net.ipv4.conf.all.{name}");
            if host.sysctl(&name).is_some_and(|value| value.parse::<u32>().is_ok_and(|value| value < wanted)) {
                findings.push(missing(
                    format!("{name} is too low: this host answers ARP for {vip}, which is the director's"),
                    format!("sysctl -w {name}={wanted}"),
                ));
            }
        }
    }
    for interface in tunnel.into_iter().chain(tunnel.map(|_| "all")) {
        let name = format!("net.ipv4.conf.{interface}.rp_filter");
        if vip.is_ipv4() && host.sysctl(&name).is_some_and(|value| value == "1") {
            findings.push(missing(
                format!("{name} is strict: tunnelled packets are dropped"),
                format!("sysctl -w {name}=0"),
            ));
        }
    }
    findings
}

/// Where the VIP may be: on an interface that no neighbour asks, and alone.
fn addresses(vip: IpAddr, held: &[HeldAddress]) -> Vec<HostFinding> {
    let whole = if vip.is_ipv4() { 32 } else { 128 };
    let nodad = if vip.is_ipv4() { "" } else { " nodad" };
    let add = format!("ip addr add {vip}/{whole} dev lo{nodad}");
    if held.is_empty() {
        return vec![missing(format!("{vip} is not this host's"), add)];
    }
    let mut findings = Vec::new();
    for HeldAddress { interface, prefix, answers } in held {
        let delete = format!("ip addr del {vip}/{prefix} dev {interface}");
        if *answers {
            findings.push(missing(
                format!("{vip} is on {interface}, where this host answers its neighbours: it is the director's there"),
                format!("{add}; {delete}"),
            ));
        } else if *prefix != whole {
            findings.push(missing(
                format!("{vip}/{prefix} on {interface} makes all of that network local: this host is cut off from it"),
                format!("{delete}; {add}"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(interface: &str, prefix: u32, answers: bool) -> HeldAddress {
        HeldAddress { interface: interface.to_owned(), prefix, answers }
    }

    #[test]
    fn the_address_is_on_a_silent_interface_and_alone() {
        let vip = "192.0.2.1".parse().unwrap();
        assert_eq!(addresses(vip, &[on("lo", 32, false)]), []);
        assert!(addresses(vip, &[])[0].what.contains("not this host's"));
        let lan = addresses(vip, &[on("lo", 32, false), on("eth0", 32, true)]);
        assert_eq!(lan.len(), 1);
        assert!(lan[0].what.contains("on eth0"), "{lan:?}");
        let wide = addresses(vip, &[on("lo", 24, false)]);
        assert!(wide[0].mend.as_deref().unwrap().contains("ip addr add 192.0.2.1/32 dev lo"), "{wide:?}");
        let vip = "2001:db8::1".parse().unwrap();
        assert!(addresses(vip, &[on("eth0", 128, true)])[0].what.contains("neighbours"));
        assert_eq!(addresses(vip, &[on("lo", 128, false)]), []);
    }

    #[test]
    fn preflight_finds_real_servers_that_answer_arp_or_drop_tunnelled_packets() {
        use super::super::tests::TestHost;
        let vip = "192.0.2.1".parse().unwrap();
        let host = TestHost::new().holding("192.0.2.1").with("net.ipv4.conf.all.arp_ignore", 1);
        assert_eq!(real_server(vip, None, &host.clone().with("net.ipv4.conf.all.arp_announce", 2)), []);
        let low = real_server(vip, None, &host.clone().with("net.ipv4.conf.all.arp_announce", 1));
        assert_eq!(low[0].mend.as_deref(), Some("sysctl -w net.ipv4.conf.all.arp_announce=2"));
        let strict = host.with("net.ipv4.conf.tunl0.rp_filter", 1);
        assert_eq!(real_server(vip, None, &strict), []);
        assert!(real_server(vip, Some("tunl0"), &strict)[0].what.contains("tunnelled packets are dropped"));
    }
}
