//! LVS-TUN: real servers behind a router, reached through IPIP, GUE and GRE; replies go straight to
//! the client.

use crate::files::{Files, service};
use crate::nat::mend;
use crate::net::{Host, Net, endpoint};
use crate::web::{answers, serve, shares};

pub struct Tunnel {
    pub net: Net,
    pub client: Host,
    pub director: Host,
    pub servers: Vec<Host>,
}

const VIPS: [&str; 2] = ["192.0.2.1", "2001:db8::1"];

/// Client, director and real servers on three links that a router joins.
pub fn tunnel(prefix: &'static str) -> Tunnel {
    let mut net = Net::new(prefix, &["front", "mid", "back"]);
    let router = net.host(
        "router",
        &[
            ("front", &["203.0.113.1/24", "2001:db8:1::1/64"]),
            ("mid", &["198.51.100.1/25", "2001:db8:2::1/64"]),
            ("back", &["198.51.100.129/25", "2001:db8:3::1/64"]),
        ],
    );
    router.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    router.sh("ip route add 192.0.2.0/24 via 198.51.100.2; ip route add 2001:db8::/64 via 2001:db8:2::2");
    let mut leaf = |name: &str, link: &str, v4: &str, v6: &str, gateways: (&str, &str)| {
        let host = net.host(name, &[(link, &[v4, v6])]);
        host.sh(&format!("ip route add default via {}; ip route add default via {}", gateways.0, gateways.1));
        host
    };
    let client = leaf("client", "front", "203.0.113.2/24", "2001:db8:1::2/64", ("203.0.113.1", "2001:db8:1::1"));
    let director = leaf("dir", "mid", "198.51.100.2/25", "2001:db8:2::2/64", ("198.51.100.1", "2001:db8:2::1"));
    let back = ("198.51.100.129", "2001:db8:3::1");
    let servers = vec![
        leaf("rs1", "back", "198.51.100.131/25", "2001:db8:3::11/64", back),
        leaf("rs2", "back", "198.51.100.132/25", "2001:db8:3::12/64", back),
    ];
    Tunnel { net, client, director, servers }
}

/// One encapsulation over one outer family, for both virtual addresses that it can carry.
fn works(prefix: &'static str, arrival: &str, kind: &str, pairs: &[(&str, &str)]) {
    let Tunnel { net: _net, client, director, servers } = tunnel(prefix);
    let files = Files::new(prefix);
    let mut text = String::new();
    for (vip, outer) in pairs {
        let addresses = match *outer {
            "ipv4" => ["198.51.100.131:80", "198.51.100.132:80"],
            _ => ["[2001:db8:3::11]:80", "[2001:db8:3::12]:80"],
        };
        text += &service(
            &format!("tcp://{}", endpoint(vip, 80)),
            &format!("scheduler = \"wrr\"\nforwarding = \"tunnel\"\n{kind}"),
            &[(addresses[0], 3), (addresses[1], 1)],
        );
        for (index, host) in servers.iter().enumerate() {
            let state = files.path().join(format!("rs{index}"));
            host.program(
                "lvsctl",
                &[
                    "realserver",
                    "apply",
                    vip,
                    "--arrival",
                    arrival,
                    "--outer",
                    outer,
                    "--state",
                    state.to_str().unwrap(),
                ],
            );
        }
    }
    let file = files.write("web.toml", &text);
    mend(&director, &file);
    let _web: Vec<_> = ["rs1", "rs2"]
        .into_iter()
        .zip(&servers)
        .map(|(name, host)| serve(host, "[::]:80".parse().unwrap(), name))
        .collect();
    director.program("lvsctl", &["--state", files.state(), "apply", &file]);
    for (vip, outer) in pairs {
        let got = answers(&client, endpoint(vip, 80).parse().unwrap(), 20);
        assert_eq!(shares(&got), [("rs1", 15), ("rs2", 5)], "{vip} over {outer}");
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn ipip_tunnels_carry_both_families() {
    works("ipip", "ipip", "", &[(VIPS[0], "ipv4"), (VIPS[1], "ipv6")]);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn ipip_tunnels_carry_ipv4_over_ipv6() {
    works("mixed", "ipip", "", &[(VIPS[0], "ipv6")]);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn gue_tunnels_carry_both_families() {
    works("gue", "gue", "tunnel = { kind = \"gue\", port = 6080 }", &[(VIPS[0], "ipv4"), (VIPS[1], "ipv6")]);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn gre_tunnels_carry_both_families() {
    works("gre", "gre", "tunnel = { kind = \"gre\" }", &[(VIPS[0], "ipv4"), (VIPS[1], "ipv6")]);
}
