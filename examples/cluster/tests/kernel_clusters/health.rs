//! Servers that die and come back, the apology when all are dead, and servers taken out under load.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::direct::{Direct, VIPS, direct, take_addresses, web_cluster};
use crate::files::Files;
use crate::nat::{Nat, mend, nat};
use crate::web::{self, answers, get, serve, shares};

/// Asks until the answers of so many requests are from these servers alone, and returns how long that took.
fn until(client: &crate::net::Host, address: SocketAddr, names: &[&str]) -> Duration {
    let start = Instant::now();
    loop {
        let got: Vec<_> = client.enter(|| (0..6).map(|_| get(address, "/").unwrap_or_default()).collect());
        if shares(&got).iter().map(|(name, _)| *name).eq(names.iter().copied()) {
            return start.elapsed();
        }
        assert!(start.elapsed() < Duration::from_secs(60), "only {names:?} should answer: {got:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_dead_go_the_recovered_return_and_all_dead_means_sorry() {
    let Nat { net: _net, client, director, servers } = nat("health", 3);
    let files = Files::new("health");
    let text = "[[service]]\naddress = \"tcp 192.0.2.1:80\"\nscheduler = \"rr\"\nforwarding = \"masquerade\"\n\
         check = { type = \"http\", path = \"/\", body = \"rs\", interval = 0.5, timeout = 1.0 }\n\
         health = { fall = 2, rise = 1, sorry_server = \"198.51.100.13:80\" }\n\
         [[service.server]]\naddress = \"198.51.100.11:80\"\n[[service.server]]\naddress = \"198.51.100.12:80\"\n";
    let file = files.write("web.toml", text);
    mend(&director, &file);
    let mut first = Some(serve(&servers[0], "[::]:80".parse().unwrap(), "rs1"));
    let mut second = Some(serve(&servers[1], "[::]:80".parse().unwrap(), "rs2"));
    let _sorry = serve(&servers[2], "[::]:80".parse().unwrap(), "sorry");
    let _checks = director.start("healthcheck", &["--state", files.state(), &file]);
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
    let _web: Vec<_> = ["rs1", "rs2", "rs3"]
        .into_iter()
        .zip(&servers)
        .map(|(name, host)| serve(host, "[::]:80".parse().unwrap(), name))
        .collect();
    directors[0].program("director", &["--state", files.state(), "start", &file]);
    let address: SocketAddr = format!("{}:80", VIPS[0]).parse().unwrap();
    let requests: usize = std::env::var("LVS_LAB_REQUESTS").map_or(1000, |count| count.parse().unwrap());

    let stop = AtomicBool::new(false);
    let asked = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                client.move_in();
                let body = get(address, "/long").expect("a long download is not cut");
                assert_eq!(body.len(), web::LONG.0);
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                client.move_in();
                while !stop.load(Ordering::Relaxed) {
                    let number = asked.fetch_add(1, Ordering::Relaxed);
                    get(address, "/").unwrap_or_else(|error| panic!("request {number}: {error}"));
                }
            });
        }
        thread::sleep(Duration::from_millis(500));
        let out = directors[0].program("drain", &["--host", "192.0.2.11", "--interval", "0.2"]);
        assert!(out.contains("drained in"), "{out}");
        while asked.load(Ordering::Relaxed) < requests {
            thread::sleep(Duration::from_millis(50));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let got = answers(&client, address, 10);
    assert!(!got.contains(&"rs1".to_owned()), "{got:?}");
    eprintln!("{} requests and 6 downloads during the drain, none failed", asked.load(Ordering::Relaxed));
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
                    "[[service]]\naddress = \"tcp 192.0.2.{}:80\"\nscheduler = \"{}\"\n",
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
    let kills: u32 = std::env::var("LVS_LAB_KILLS").map_or(20, |count| count.parse().unwrap());
    let mut cut = 0;
    for round in 0..kills {
        let file = files.write("web.toml", &cluster(round * 7));
        let mut start = nat.director.start("director", &["--state", files.state(), "start", &file]);
        // From before it has read its file to after it has ended.
        thread::sleep(Duration::from_millis(u64::from(round * 37 % 100)));
        start.kill();
        let left = nat.director.program("director", &["--state", files.state(), "plan", &file]);
        cut += u32::from(!left.is_empty());
        nat.director.program("director", &["--state", files.state(), "start", &file]);
        assert_eq!(nat.director.program("director", &["--state", files.state(), "plan", &file]), "", "round {round}");
    }
    eprintln!("{kills} starts were killed, {cut} before their end; each second one ended in the wanted table");
}
