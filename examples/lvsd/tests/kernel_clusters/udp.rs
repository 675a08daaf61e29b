//! UDP through connection tracking.

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use crate::files::{Files, service};
use crate::nat::{Nat, mend, nat};
use crate::net::keep;
use crate::wait::LIMIT;

fn cluster(servers: &[&str]) -> String {
    let servers: Vec<(&str, u32)> = servers.iter().map(|server| (*server, 1)).collect();
    "[sysctl]\n\"net.ipv4.vs.conntrack\" = 1\n".to_owned()
        + &service("udp://192.0.2.1:53", "scheduler = \"rr\"\nforwarding = \"masquerade\"", &servers)
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn connection_tracking_forgets_removed_udp_servers_and_no_others() {
    let Nat { net: _net, client, director, servers } = nat("udp", 2);
    let files = Files::new("udp");
    let file = files.write("dns.toml", &cluster(&["198.51.100.11:53", "198.51.100.12:53"]));
    director.address("192.0.2.1/32", "lo");
    mend(&director, &file);
    // Connection tracking works once somebody asks for it.
    director.sh("nft 'add table ip tracked; add chain ip tracked input { type filter hook input priority 0; }; \
                 add rule ip tracked input ct state invalid counter'");
    let _lvsd = keep(&director, &files, &file);
    for server in &servers {
        let socket = server.enter(|| UdpSocket::bind("0.0.0.0:53").unwrap());
        thread::spawn(move || {
            let mut datagram = [0; 64];
            while let Ok((length, from)) = socket.recv_from(&mut datagram) {
                let _ = socket.send_to(&datagram[..length], from);
            }
        });
    }
    let ask = |port: u16| {
        let socket = client.enter(|| UdpSocket::bind(("0.0.0.0", port)).unwrap());
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let service: SocketAddr = "192.0.2.1:53".parse().unwrap();
        let start = Instant::now();
        while socket.send_to(b"?", service).is_err() || socket.recv_from(&mut [0; 64]).is_err() {
            assert!(start.elapsed() < LIMIT, "no answer on port {port}");
        }
    };
    (5001..5005).for_each(ask);
    let tracked = |server: &str| {
        let listing = director.sh("conntrack -L -p udp 2>/dev/null");
        listing.lines().filter(|line| line.contains(&format!("src={server} dst=203.0.113.2"))).count()
    };
    assert_eq!((tracked("198.51.100.11"), tracked("198.51.100.12")), (2, 2));
    files.write("dns.toml", &cluster(&["198.51.100.12:53"]));
    director.program("lvsctl", &["--run", files.state(), "reload"]);
    let start = Instant::now();
    while tracked("198.51.100.11") > 0 {
        assert!(start.elapsed() < LIMIT, "the removed server is still tracked");
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(tracked("198.51.100.12"), 2);
}
