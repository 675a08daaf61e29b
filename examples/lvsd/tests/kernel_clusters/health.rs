//! Servers that die and come back, the apology when all are dead, and servers taken out under load.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::direct::{Direct, VIPS, direct, take_addresses, web_cluster};
use crate::failover::wait_for;
use crate::files::Files;
use crate::nat::{Nat, mend, nat};
use crate::net::keep;
use crate::wait::{LIMIT, wait_until};
use crate::web::{Gate, answers, comes_whole, get, get_as, serve, serve_gated, shares};

/// Downloads that a drain must wait for, two on each server.
const DOWNLOADS: usize = 6;
/// Asks until the answers of so many requests are from these servers alone, and returns how long
/// that took.
fn until(client: &crate::net::Host, address: SocketAddr, names: &[&str]) -> Duration {
    let start = Instant::now();
    loop {
        let got: Vec<_> = client.enter(|| (0..6).map(|_| get(address, "/").unwrap_or_default()).collect());
        if shares(&got).iter().map(|(name, _)| *name).eq(names.iter().copied()) {
            return start.elapsed();
        }
        assert!(start.elapsed() < LIMIT, "only {names:?} should answer: {got:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_dead_go_the_recovered_return_and_all_dead_means_sorry() {
    let Nat { net: _net, client, director, servers } = nat("health", 3);
    let files = Files::new("health");
    // The dead refuse connections at once. The timeout is for the living, on a machine that has
    // other things to do.
    let text = "[[service]]\naddress = \"tcp://192.0.2.1:80\"\nscheduler = \"rr\"\nforwarding = \"masquerade\"\n\
         check = { http = { body = \"rs\" }, interval = 0.5, timeout = 60.0 }\n\
         health = { fall = 2, rise = 1, sorry_server = \"198.51.100.13:80\" }\n\
         [[service.server]]\naddress = \"198.51.100.11:80\"\n[[service.server]]\naddress = \"198.51.100.12:80\"\n";
    let file = files.write("web.toml", text);
    mend(&director, &file);
    let mut first = Some(serve(&servers[0], "[::]:80".parse().unwrap(), "rs1"));
    let mut second = Some(serve(&servers[1], "[::]:80".parse().unwrap(), "rs2"));
    let _sorry = serve(&servers[2], "[::]:80".parse().unwrap(), "sorry");
    let _lvsd = keep(&director, &files, &file);
    let address: SocketAddr = "192.0.2.1:80".parse().unwrap();
    until(&client, address, &["rs1", "rs2"]);

    first.take();
    let gone = until(&client, address, &["rs2"]);
    eprintln!("a dead server was out after {:.1} s (interval 0.5 s, fall 2)", gone.as_secs_f64());
    let got = answers(&client, address, 20);
    assert_eq!(shares(&got), [("rs2", 20)], "no request fails once the dead one is out");

    first = Some(serve(&servers[0], "[::]:80".parse().unwrap(), "rs1"));
    until(&client, address, &["rs1", "rs2"]);

    first.take();
    second.take();
    until(&client, address, &["sorry"]);
    second = Some(serve(&servers[1], "[::]:80".parse().unwrap(), "rs2"));
    until(&client, address, &["rs2"]);
    drop(second);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_drain_under_load_loses_no_request_and_no_byte() {
    let files = Files::new("drain");
    let Direct { net: _net, client, directors, servers } = direct("drain", 1, 3, &files);
    take_addresses(&directors[0]);
    let file = files.write("web.toml", &web_cluster("scheduler = \"wlc\"", &[1, 1, 1]));
    mend(&directors[0], &file);
    let gate = Gate::default();
    let _web: Vec<_> = ["rs1", "rs2", "rs3"]
        .into_iter()
        .zip(&servers)
        .map(|(name, host)| serve_gated(host, "[::]:80".parse().unwrap(), name, &gate))
        .collect();
    let _lvsd = keep(&directors[0], &files, &file);
    let address: SocketAddr = format!("{}:80", VIPS[0]).parse().unwrap();
    let requests: usize = std::env::var("LVS_LAB_REQUESTS").map_or(1000, |count| count.parse().unwrap());

    let stop = AtomicBool::new(false);
    let asked = AtomicUsize::new(0);
    let drained = thread::scope(|scope| {
        let downloads: Vec<_> = (0..DOWNLOADS)
            .map(|_| {
                scope.spawn(|| {
                    client.move_in();
                    comes_whole(address)
                })
            })
            .collect();
        wait_for(&directors[0], "ESTABLISHED", DOWNLOADS);
        for _ in 0..2 {
            scope.spawn(|| {
                client.move_in();
                while !stop.load(Ordering::Relaxed) {
                    let number = asked.fetch_add(1, Ordering::Relaxed);
                    get(address, "/").unwrap_or_else(|error| panic!("request {number}: {error}"));
                }
            });
        }
        let drain = scope.spawn(|| drain_first(&directors[0], &files));
        wait_until("rs1 is quiesced", || {
            directors[0].program("lvsctl", &["save"]).contains("-r 192.0.2.11:80 -g -w 0")
        });
        // While the downloads go on, the drain has to wait, and half of the requests come.
        wait_until("half of the requests", || asked.load(Ordering::Relaxed) * 2 >= requests);
        assert!(!drain.is_finished(), "downloads from rs1 are under way");
        gate.store(true, Ordering::Relaxed);
        let drained = drain.join().unwrap();
        wait_until("all requests", || asked.load(Ordering::Relaxed) >= requests);
        stop.store(true, Ordering::Relaxed);
        for download in downloads {
            assert!(download.join().unwrap(), "a download is cut");
        }
        drained
    });
    assert!(drained.contains("waiting for 192.0.2.11:80") && drained.contains("drained"), "{drained}");
    let got = answers(&client, address, 10);
    assert!(!got.contains(&"rs1".to_owned()), "{got:?}");
    eprintln!("{} requests and {DOWNLOADS} downloads during the drain, none failed", asked.load(Ordering::Relaxed));
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_port_that_is_used_again_after_a_drain_leads_to_another_server() {
    let files = Files::new("reuse");
    let Direct { net: _net, client, directors, servers } = direct("reuse", 1, 2, &files);
    take_addresses(&directors[0]);
    let file = files.write("web.toml", &web_cluster("scheduler = \"rr\"", &[1, 1]));
    mend(&directors[0], &file);
    let _web: Vec<_> = ["rs1", "rs2"]
        .into_iter()
        .zip(&servers)
        .map(|(name, host)| serve(host, "[::]:80".parse().unwrap(), name))
        .collect();
    let _lvsd = keep(&directors[0], &files, &file);
    let address: SocketAddr = format!("{}:80", VIPS[0]).parse().unwrap();
    let ask = |port: u16| client.enter(|| get_as(SocketAddr::from(([192, 0, 2, 2], port)), address, "/").unwrap());
    let port = (40_001..40_003).find(|&port| ask(port) == "rs1").expect("round robin");
    drain_first(&directors[0], &files);
    assert_eq!(ask(port), "rs2");
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn checks_leave_a_drained_server_out_until_it_is_brought_back() {
    let Nat { net: _net, client, director, servers } = nat("leave", 2);
    let files = Files::new("leave");
    let text = "[[service]]\naddress = \"tcp://192.0.2.1:80\"\nscheduler = \"rr\"\nforwarding = \"masquerade\"\n\
         check = { tcp = {}, interval = 0.5, timeout = 60.0 }\nhealth = { fall = 1, rise = 1 }\n\
         [[service.server]]\naddress = \"198.51.100.11:80\"\n[[service.server]]\naddress = \"198.51.100.12:80\"\n";
    let file = files.write("web.toml", text);
    mend(&director, &file);
    let _first = serve(&servers[0], "[::]:80".parse().unwrap(), "rs1");
    let second = serve(&servers[1], "[::]:80".parse().unwrap(), "rs2");
    let _lvsd = keep(&director, &files, &file);
    until(&client, "192.0.2.1:80".parse().unwrap(), &["rs1", "rs2"]);

    let service = ["--service", "tcp://192.0.2.1:80", "--server", "198.51.100.11:80"];
    director.program("lvsctl", &[&["--run", files.state(), "drain"][..], &service].concat());
    let table = || director.program("lvsctl", &["save"]);
    let is_out = |table: &str| !table.contains("198.51.100.11");
    // The checks go on: they see the other one die and come back.
    drop(second);
    wait_until("rs2 is down", || table().contains("-r 198.51.100.12:80 -m -w 0"));
    assert!(is_out(&table()));
    let _second = serve(&servers[1], "[::]:80".parse().unwrap(), "rs2");
    wait_until("rs2 is up", || table().contains("-r 198.51.100.12:80 -m -w 1"));
    assert!(is_out(&table()));

    director.program("lvsctl", &["--run", files.state(), "reload"]);
    assert!(is_out(&table()));
    director.program("lvsctl", &["--run", files.state(), "undrain", "--host", "198.51.100.11"]);
    until(&client, "192.0.2.1:80".parse().unwrap(), &["rs1", "rs2"]);
}

fn drain_first(director: &crate::net::Host, files: &Files) -> String {
    director.program("lvsctl", &["--run", files.state(), "drain", "--host", "192.0.2.11"])
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_killed_start_is_finished_by_the_next() {
    let nat = nat("kill", 1);
    let files = Files::new("kill");
    let cluster = |shift: u32| -> String {
        (0..40u32)
            .map(|i| {
                format!(
                    "[[service]]\naddress = \"tcp://192.0.2.{}:80\"\nscheduler = \"{}\"\n",
                    1 + (i + shift) % 60,
                    if (i + shift).is_multiple_of(2) { "rr" } else { "wlc" }
                ) + &(0..4u32)
                    .map(|j| {
                        let (last, weight) = (1 + (i + j + shift) % 200, 1 + (shift + j) % 3);
                        format!("[[service.server]]\naddress = \"198.51.100.{last}:80\"\nweight = {weight}\n")
                    })
                    .collect::<String>()
            })
            .collect()
    };
    let kills: u32 = std::env::var("LVS_LAB_KILLS").map_or(7, |count| count.parse().unwrap());
    let start = Instant::now();
    nat.director.program("lvsctl", &["--state", files.state(), "apply", &files.write("web.toml", &cluster(3))]);
    let whole = start.elapsed();
    let left_to_do = |file: &str| {
        nat.director.program("lvsctl", &["--state", files.state(), "--direct", "plan", file]).lines().count()
    };
    let (mut cut, mut between) = (0, 0);
    for round in 0..kills {
        let file = files.write("web.toml", &cluster(round * 7));
        let all = left_to_do(&file);
        let mut start = nat.director.start("lvsctl", &["--state", files.state(), "apply", &file]);
        // From before it has read its file to after it has ended, in no order.
        thread::sleep(whole * (round * 37 % 100) / 100);
        start.kill();
        let left = left_to_do(&file);
        cut += u32::from(left > 0);
        between += u32::from(left > 0 && left < all);
        nat.director.program("lvsctl", &["--state", files.state(), "apply", &file]);
        assert_eq!(left_to_do(&file), 0, "round {round}");
    }
    eprintln!(
        "{kills} starts were killed, {cut} before their end, {between} of these between two steps; each second one ended in \
         the wanted table"
    );
}
