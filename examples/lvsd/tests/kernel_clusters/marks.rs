//! A mark for many ports: nftables rules that lvsd writes, repairs and removes.

use std::time::{Duration, Instant};

use crate::direct::{self, Direct, VIPS};
use crate::files::Files;
use crate::nat::mend;
use crate::net::keep;
use crate::web::{answers, serve, shares};

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn one_mark_serves_many_ports_and_its_netfilter_rules_follow() {
    let files = Files::new("mark");
    let Direct { net: _net, client, directors, servers } = direct::direct("mark", 1, 2, &files);
    let director = &directors[0];
    direct::take_addresses(director);
    let text = |ports: &str| {
        format!(
            "[sysctl]\n\"net.ipv4.vs.expire_nodest_conn\" = 1\n[[service]]\nmark = 7\naddresses = [\"tcp://{}:{ports}\"]\n\
             scheduler = \"rr\"\n[[service.server]]\naddress = \"192.0.2.11\"\n[[service.server]]\naddress = \"192.0.2.12\"\n",
            VIPS[0]
        )
    };
    let file = files.write("web.toml", &text("80,8000-8100"));
    mend(director, &file);
    let _web: Vec<_> = ["rs1", "rs2"]
        .into_iter()
        .zip(&servers)
        .flat_map(|(name, host)| [80, 8050].map(|port| serve(host, format!("[::]:{port}").parse().unwrap(), name)))
        .collect();
    let _lvsd = keep(director, &files, &file);
    assert_eq!(director.sh("cat /proc/sys/net/ipv4/vs/expire_nodest_conn").trim(), "1");
    for port in [80, 8050] {
        let got = answers(&client, format!("{}:{port}", VIPS[0]).parse().unwrap(), 10);
        assert_eq!(shares(&got), [("rs1", 5), ("rs2", 5)], "port {port}");
    }
    // A firewall that is reloaded takes all rules away.
    director.sh("nft flush ruleset");
    let start = Instant::now();
    while !director.sh("nft list ruleset").contains("8000-8100") {
        assert!(start.elapsed() < Duration::from_secs(300), "the rules do not come back");
        std::thread::sleep(Duration::from_millis(200));
    }
    // A reload replaces the table as a whole; a file that nft would refuse changes nothing.
    files.write("web.toml", &text("80"));
    director.program("lvsctl", &["--run", files.state(), "reload"]);
    let rules = director.sh("nft list ruleset");
    assert!(rules.contains("lvsd_") && !rules.contains("8000-8100"), "{rules}");
    director.program("lvsctl", &["--run", files.state(), "stop"]);
    let start = Instant::now();
    while director.sh("nft list ruleset").contains("lvsd_") {
        assert!(start.elapsed() < Duration::from_secs(300), "the rules stay");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(!director.sh("cat /proc/net/ip_vs").contains("FWM"));
}
