//! Persistence of three kinds: per port, per client, and by firewall mark across ports.

use std::net::IpAddr;

use crate::files::{Files, service};
use crate::nat::{Nat, mend, nat};
use crate::web::{get_as, serve};

const PORTS: [u16; 2] = [80, 443];

/// Who answers each of the clients on each port, three times over: one name if the client sticks.
fn stuck(nat: &Nat, clients: &[IpAddr], port: u16) -> Vec<String> {
    clients
        .iter()
        .map(|&client| {
            let address = format!("192.0.2.1:{port}").parse().unwrap();
            let ask = || {
                nat.client
                    .enter(|| get_as((client, 0).into(), address, "/").unwrap_or_else(|e| panic!("{client}: {e}")))
            };
            let first = ask();
            for _ in 0..2 {
                assert_eq!(ask(), first, "{client} on port {port} sticks");
            }
            first
        })
        .collect()
}

fn clients(nat: &Nat) -> Vec<IpAddr> {
    (20..26)
        .map(|last| {
            let address = format!("203.0.113.{last}");
            nat.client.address(&format!("{address}/24"), "front");
            address.parse().unwrap()
        })
        .collect()
}

fn with(prefix: &'static str, text: &str, rules: &str) -> (Nat, Vec<IpAddr>, Vec<crate::web::Server>, Files) {
    let nat = nat(prefix, 3);
    let files = Files::new(prefix);
    let file = files.write("web.toml", text);
    mend(&nat.director, &file);
    // A mark does not name an address: the director must take the packets in.
    nat.director.sh("ip addr replace 192.0.2.1/32 dev lo; sysctl -qw net.ipv4.ip_forward=1");
    if !rules.is_empty() {
        nat.director.sh(rules);
    }
    nat.director.program("lvsctl", &["--state", files.state(), "apply", &file]);
    let clients = clients(&nat);
    let servers = ["rs1", "rs2", "rs3"]
        .into_iter()
        .zip(&nat.servers)
        .flat_map(|(name, host)| PORTS.map(|port| serve(host, format!("[::]:{port}").parse().unwrap(), name)))
        .collect();
    (nat, clients, servers, files)
}

const SETTINGS: &str = "scheduler = \"rr\"\nforwarding = \"masquerade\"\npersistent = 300";

fn spread(names: &[String]) -> usize {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    names.len()
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn per_port_a_client_sticks_to_a_server_of_each_port() {
    let servers =
        |port: u16| -> Vec<(String, u32)> { (1..=3).map(|i| (format!("198.51.100.1{i}:{port}"), 1)).collect() };
    let text: String = PORTS
        .iter()
        .map(|&port| {
            let servers = servers(port);
            let servers: Vec<_> = servers.iter().map(|(a, w)| (a.as_str(), *w)).collect();
            service(&format!("tcp://192.0.2.1:{port}"), SETTINGS, &servers)
        })
        .collect();
    let (nat, clients, _servers, _files) = with("ppc", &text, "");
    // Round robin goes on at each new client, and the two services go on by themselves: the seventh
    // connection of the first would come to the server of the first again, so an odd one on the
    // first service sets them apart.
    let http = stuck(&nat, &clients, 80);
    let https = stuck(&nat, &clients[1..], 443);
    assert_eq!(spread(&http), 3);
    assert_ne!(http[1..], https[..], "the ports are balanced each for itself");
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn per_client_one_server_has_all_ports() {
    let servers = [("198.51.100.11:0", 1), ("198.51.100.12:0", 1), ("198.51.100.13:0", 1)];
    let text = service("tcp://192.0.2.1:0", SETTINGS, &servers);
    let (nat, clients, _servers, _files) = with("pcc", &text, "");
    let http = stuck(&nat, &clients, 80);
    assert_eq!(spread(&http), 3);
    assert_eq!(stuck(&nat, &clients, 443), http);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn by_mark_two_ports_are_one_service_and_others_are_none() {
    let servers = [("198.51.100.11:0", 1), ("198.51.100.12:0", 1), ("198.51.100.13:0", 1)];
    let text = service("fwmark:7", SETTINGS, &servers);
    let rules =
        "iptables-legacy -t mangle -A PREROUTING -d 192.0.2.1 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 7";
    let (nat, clients, _servers, _files) = with("mark", &text, rules);
    let http = stuck(&nat, &clients, 80);
    assert_eq!(spread(&http), 3);
    assert_eq!(stuck(&nat, &clients, 443), http);
    let other = nat.client.enter(|| get_as((clients[0], 0).into(), "192.0.2.1:8080".parse().unwrap(), "/"));
    assert!(other.is_err(), "port 8080 is not marked");
}
