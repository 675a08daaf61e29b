//! LVS-DR: director and real servers on one link, the real servers hold the virtual address
//! silently.

use crate::files::{Files, service};
use crate::nat::mend;
use crate::net::{Host, Net, endpoint};
use crate::web::{answers, serve, shares};

pub const VIPS: [&str; 2] = ["192.0.2.100", "2001:db8::100"];

pub struct Direct {
    pub net: Net,
    pub client: Host,
    pub directors: Vec<Host>,
    pub servers: Vec<Host>,
}

/// Everybody on one link.
pub fn link(prefix: &'static str, directors: usize, servers: usize) -> Direct {
    let mut net = Net::new(prefix, &["lan"]);
    let mut host = |name: String, last: usize| {
        net.host(&name, &[("lan", &[&format!("192.0.2.{last}/24"), &format!("2001:db8::{last}/64")])])
    };
    let client = host("client".to_owned(), 2);
    let directors = (1..=directors).map(|i| host(format!("dir{i}"), 50 + i)).collect();
    let servers = (1..=servers).map(|i| host(format!("rs{i}"), 10 + i)).collect();
    Direct { net, client, directors, servers }
}

/// The same with the real servers made ready by our program.
pub fn direct(prefix: &'static str, directors: usize, servers: usize, files: &Files) -> Direct {
    let direct = link(prefix, directors, servers);
    for (index, host) in direct.servers.iter().enumerate() {
        let state = files.path().join(format!("rs{}", index + 1));
        for vip in VIPS {
            assert!(!host.try_program("lvsctl", &["realserver", "check", vip]).status.success(), "not ready before");
            host.program("lvsctl", &["realserver", "apply", vip, "--state", state.to_str().unwrap()]);
            assert!(host.program("lvsctl", &["realserver", "check", vip]).contains("ready"));
        }
    }
    direct
}

/// The virtual addresses as those of an interface, as a VRRP daemon would give them.
pub fn take_addresses(director: &Host) {
    director.address(&format!("{}/32", VIPS[0]), "lan");
    director.address(&format!("{}/128", VIPS[1]), "lan");
}

pub fn web_cluster(settings: &str, servers: &[u32]) -> String {
    let v4: Vec<_> = (1..=servers.len()).map(|i| format!("192.0.2.1{i}")).collect();
    let v6: Vec<_> = (1..=servers.len()).map(|i| format!("[2001:db8::1{i}]")).collect();
    let pairs = |addresses: &[String]| -> String {
        let servers: Vec<_> = addresses.iter().map(String::as_str).zip(servers.iter().copied()).collect();
        servers.iter().map(|(a, w)| format!("[[service.server]]\naddress = \"{a}\"\nweight = {w}\n")).collect()
    };
    service(&format!("tcp://{}:80", VIPS[0]), settings, &[])
        + &pairs(&v4)
        + &service(&format!("tcp://[{}]:80", VIPS[1]), settings, &[])
        + &pairs(&v6)
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn direct_routing_keeps_the_real_servers_silent_and_the_shares_exact() {
    let files = Files::new("dr");
    let Direct { net: _net, client, directors, servers } = direct("dr", 1, 3, &files);
    take_addresses(&directors[0]);
    let file = files.write("web.toml", &web_cluster("scheduler = \"rr\"", &[1, 1, 1]));
    mend(&directors[0], &file);
    let _web: Vec<_> = ["rs1", "rs2", "rs3"]
        .into_iter()
        .zip(&servers)
        .map(|(name, host)| serve(host, "[::]:80".parse().unwrap(), name))
        .collect();
    directors[0].program("lvsctl", &["--state", files.state(), "apply", &file]);
    for vip in VIPS {
        let got = answers(&client, endpoint(vip, 80).parse().unwrap(), 30);
        assert_eq!(shares(&got), [("rs1", 10), ("rs2", 10), ("rs3", 10)], "{vip}");
    }

    // Every setting goes back to what it was.
    let state = files.path().join("rs1");
    for vip in VIPS {
        servers[0].program("lvsctl", &["realserver", "undo", vip, "--state", state.to_str().unwrap()]);
    }
    assert_eq!(servers[0].sh("cat /proc/sys/net/ipv4/conf/all/arp_ignore").trim(), "0");
    assert!(!servers[0].sh("ip addr show dev lo").contains(VIPS[0]));
}
