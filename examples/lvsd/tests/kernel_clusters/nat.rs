//! LVS-NAT: the director is the gateway of the real servers and rewrites addresses and ports.

use crate::files::{Files, service};
use crate::net::{Host, Net, endpoint};
use crate::web::{self, answers, serve, shares};

pub struct Nat {
    pub net: Net,
    pub client: Host,
    pub director: Host,
    pub servers: Vec<Host>,
}

/// A client in front of a director, real servers behind it. The director does not forward yet and
/// has no virtual address.
pub fn nat(prefix: &'static str, servers: usize) -> Nat {
    let mut net = Net::new(prefix, &["front", "back"]);
    let client = net.host("client", &[("front", &["203.0.113.2/24", "2001:db8:1::2/64"])]);
    let director = net.host(
        "dir",
        &[("front", &["203.0.113.1/24", "2001:db8:1::1/64"]), ("back", &["198.51.100.1/24", "2001:db8:2::1/64"])],
    );
    client.sh("ip route add 192.0.2.0/24 via 203.0.113.1; ip route add 2001:db8::/64 via 2001:db8:1::1");
    let servers = (1..=servers)
        .map(|i| {
            let (v4, v6) = (format!("198.51.100.1{i}/24"), format!("2001:db8:2::1{i}/64"));
            let host = net.host(&format!("rs{i}"), &[("back", &[&v4, &v6])]);
            host.sh("ip route add default via 198.51.100.1; ip route add default via 2001:db8:2::1");
            host
        })
        .collect();
    Nat { net, client, director, servers }
}

/// Runs the commands by which the preflight check would mend what it finds.
pub fn mend(director: &Host, file: &str) {
    let found = director.try_program("lvsctl", &["--direct", "check", file]);
    let text = String::from_utf8(found.stdout).unwrap();
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("mend: ")).filter(|line| !line.contains("..."));
    director.sh(&lines.collect::<Vec<_>>().join("\n"));
}

fn web_cluster(weights: (u32, u32), scheduler: &str) -> String {
    let settings = format!("scheduler = \"{scheduler}\"\nforwarding = \"masquerade\"");
    service("tcp://192.0.2.1:80", &settings, &[("198.51.100.11:8080", weights.0), ("198.51.100.12:8080", weights.1)])
        + &service(
            "tcp://[2001:db8::1]:80",
            &settings,
            &[("[2001:db8:2::11]:8080", weights.0), ("[2001:db8:2::12]:8080", weights.1)],
        )
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn nat_balances_with_port_mapping_and_exact_shares() {
    let Nat { net: _net, client, director, servers } = nat("nat", 2);
    let files = Files::new("nat");
    let file = files.write("web.toml", &web_cluster((3, 1), "wrr"));
    let before = director.try_program("lvsctl", &["--direct", "check", &file]);
    assert!(!before.status.success(), "this host is not ready yet");
    mend(&director, &file);
    assert!(director.program("lvsctl", &["--direct", "check", &file]).contains("ready"));

    let _web: Vec<_> = ["rs1", "rs2"]
        .into_iter()
        .zip(&servers)
        .map(|(name, host)| serve(host, "[::]:8080".parse().unwrap(), name))
        .collect();
    director.program("lvsctl", &["--state", files.state(), "apply", &file]);
    for vip in ["192.0.2.1", "2001:db8::1"] {
        let address = endpoint(vip, 80).parse().unwrap();
        let got = answers(&client, address, 40);
        assert_eq!(shares(&got), [("rs1", 30), ("rs2", 10)], "{vip}");
    }
    assert!(
        director
            .program("lvsctl", &["--state", files.state(), "--direct", "status", &file])
            .contains("198.51.100.11:8080")
    );

    files.write("web.toml", &web_cluster((1, 1), "wrr"));
    let changed = director.program("lvsctl", &["--state", files.state(), "apply", &file]);
    assert_eq!(changed.lines().count(), 2, "only what differs is done: {changed}");
    let got = answers(&client, endpoint("192.0.2.1", 80).parse().unwrap(), 20);
    assert_eq!(shares(&got), [("rs1", 10), ("rs2", 10)]);

    let saved = director.program("lvsctl", &["save"]);
    director.program("lvsctl", &["--state", files.state(), "--direct", "stop", &file]);
    assert!(client.enter(|| web::get("192.0.2.1:80".parse().unwrap(), "/")).is_err(), "nobody serves any more");

    // What was saved is what Debian's own tool takes back.
    let rules = files.write("saved.rules", &saved);
    director.sh(&format!("ipvsadm -R < {rules}"));
    let got = answers(&client, endpoint("2001:db8::1", 80).parse().unwrap(), 20);
    assert_eq!(shares(&got), [("rs1", 10), ("rs2", 10)]);
    // From Linux 7.1 on the kernel lists services in an order of its own.
    let sorted = |rules: &str| {
        let mut lines: Vec<_> = rules.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&director.program("lvsctl", &["save"])), sorted(&saved));
}
