//! Two directors of which one dies in the middle of transfers.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crate::direct::{Direct, VIPS, direct, take_addresses, web_cluster};
use crate::files::Files;
use crate::nat::mend;
use crate::net::Host;
use crate::wait::LIMIT;
use crate::web::{Gate, comes_whole, serve_gated};

const TRANSFERS: usize = 8;
/// Starts long transfers, lets the first director die and the address move, and returns how many
/// transfers went on.
fn transfers_that_survive(prefix: &'static str, settings: &str, daemons: bool, prepare: &str) -> usize {
    let files = Files::new(prefix);
    let Direct { net: _net, client, directors, servers } = direct(prefix, 2, 2, &files);
    take_addresses(&directors[0]);
    for (director, role) in directors.iter().zip(["master", "backup"]) {
        let daemon = match daemons {
            true => format!("[[daemon]]\nrole = \"{role}\"\ninterface = \"lan\"\nsync_id = 7\n"),
            false => String::new(),
        };
        let file = files.write(&format!("{role}.toml"), &(daemon + &web_cluster(settings, &[1, 1])));
        if role == "master" {
            mend(director, &file);
        }
        if !prepare.is_empty() {
            director.sh(prepare);
        }
        director.program("lvsctl", &["--state", files.state(), "apply", &file]);
    }
    let gate = Gate::default();
    let _web: Vec<_> = ["rs1", "rs2"]
        .into_iter()
        .zip(&servers)
        .map(|(name, host)| serve_gated(host, "[::]:80".parse().unwrap(), name, &gate))
        .collect();
    let address: SocketAddr = format!("{}:80", VIPS[0]).parse().unwrap();
    thread::scope(|scope| {
        let transfers: Vec<_> = (0..TRANSFERS)
            .map(|_| {
                scope.spawn(|| {
                    client.move_in();
                    comes_whole(address)
                })
            })
            .collect();
        // Established, and where there are daemons, told to the backup: it takes them a batch of up
        // to two seconds.
        let (who, what) = if daemons { (&directors[1], "SYNC") } else { (&directors[0], "ESTABLISHED") };
        wait_for(who, what, TRANSFERS);
        directors[0].sh("ip link set lan down");
        take_addresses(&directors[1]);
        // What a VRRP daemon announces, the client learns here by asking again.
        client.sh("ip neigh flush all");
        gate.store(true, Ordering::Relaxed);
        transfers.into_iter().map(|transfer| usize::from(transfer.join().unwrap())).sum()
    })
}

/// Waits until a director's connection table holds so many connections with this word.
pub fn wait_for(director: &Host, word: &str, count: usize) {
    let start = Instant::now();
    let count_now = || director.sh(&format!("grep -c {word} /proc/net/ip_vs_conn_sync || true"));
    while count_now().trim().parse::<usize>().unwrap() < count {
        assert!(start.elapsed() < LIMIT, "{} connections {word} of {count}", count_now().trim());
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn with_sync_daemons_transfers_outlive_their_director() {
    assert_eq!(transfers_that_survive("sync", "scheduler = \"rr\"", true, ""), TRANSFERS);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn without_sync_transfers_die_with_their_director() {
    let survivors = transfers_that_survive("nosync", "scheduler = \"rr\"", false, "");
    eprintln!("{survivors} of {TRANSFERS} transfers went on without sync daemons");
    assert!(survivors < TRANSFERS, "else the other tests of this file prove nothing");
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn maglev_hashing_keeps_transfers_without_any_sync() {
    let settings = "scheduler = \"mh\"\nflags = [\"mh-port\"]";
    let sloppy = "modprobe ip_vs; sysctl -qw net.ipv4.vs.sloppy_tcp=1";
    assert_eq!(transfers_that_survive("mh", settings, false, sloppy), TRANSFERS);
}
