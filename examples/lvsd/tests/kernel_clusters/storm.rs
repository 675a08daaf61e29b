//! Reloads in random order with random edits while servers die and recover, clients loading
//! throughout, and other people at the table.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::files::{Files, service};
use crate::nat::{Nat, mend, nat};
use crate::net::{Host, keep};
use crate::wait::wait_until;
use crate::web::{Server, get, serve};

const NAMES: [&str; 4] = ["rs1", "rs2", "rs3", "rs4"];
fn cluster(weights: &[u32]) -> String {
    let servers: Vec<(String, u32)> =
        weights.iter().enumerate().map(|(i, weight)| (format!("198.51.100.1{}:80", i + 1), *weight)).collect();
    let servers: Vec<_> = servers.iter().map(|(address, weight)| (address.as_str(), *weight)).collect();
    let settings = "scheduler = \"wrr\"\nforwarding = \"masquerade\"\n\
         check = { tcp = {}, interval = 0.2, timeout = 60.0 }\n\
         health = { fall = 1, rise = 1, sorry_server = \"198.51.100.15:80\" }";
    service("tcp://192.0.2.1:80", settings, &servers)
}

fn weight_of(director: &Host, index: usize) -> Option<u32> {
    let table = director.program("lvsctl", &["save"]);
    let line = table.lines().find(|line| line.contains(&format!("-r 198.51.100.1{}:80 ", index + 1)))?;
    Some(line.split(" -w ").nth(1).map_or(1, |weight| weight.trim().parse().unwrap()))
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn many_reloads_send_no_request_to_a_dead_server() {
    let Nat { net: _net, client, director, servers } = nat("storm", 5);
    let files = Files::new("storm");
    let file = files.write("web.toml", &cluster(&[1; 4]));
    mend(&director, &file);
    let start = |index: usize| serve(&servers[index], "[::]:80".parse().unwrap(), NAMES[index]);
    let mut web: Vec<Option<Server>> = (0..4).map(|index| Some(start(index))).collect();
    let _sorry = serve(&servers[4], "[::]:80".parse().unwrap(), "sorry");
    let _lvsd = keep(&director, &files, &file);
    let address: SocketAddr = "192.0.2.1:80".parse().unwrap();
    let reloads: usize = std::env::var("LVS_LAB_RELOADS").map_or(16, |count| count.parse().unwrap());

    let (stop, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    // While this is held nothing is known to be dying, so no request may fail.
    let calm = Mutex::new(());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                client.move_in();
                while !stop.load(Ordering::Relaxed) {
                    let guard = calm.lock().unwrap();
                    let answer = get(address, "/");
                    drop(guard);
                    let name = answer.unwrap_or_else(|error| panic!("a request failed: {error}"));
                    assert_ne!(name, "sorry", "some servers are always up");
                    asked.fetch_add(1, Ordering::Relaxed);
                    thread::yield_now();
                }
            });
        }
        let mut random = fastrand::Rng::with_seed(3);
        let mut dead: BTreeSet<usize> = BTreeSet::new();
        for _ in 0..reloads {
            let index = random.usize(0..3);
            match random.u8(..4) {
                0 if dead.len() < 2 && !dead.contains(&index) => {
                    // Between the death and its detection requests may fail: nobody asks meanwhile.
                    let guard = calm.lock().unwrap();
                    web[index] = None;
                    dead.insert(index);
                    wait_until("the dead one is out", || weight_of(&director, index) == Some(0));
                    drop(guard);
                }
                1 if dead.contains(&index) => {
                    web[index] = Some(start(index));
                    dead.remove(&index);
                }
                2 => {
                    // Somebody else clears the table; nobody asks until it is repaired.
                    let guard = calm.lock().unwrap();
                    director.sh("ipvsadm -C");
                    let check = || weight_of(&director, 3).is_some();
                    wait_until("the table is repaired", check);
                    drop(guard);
                }
                _ => {
                    let weights: Vec<u32> = (0..4).map(|_| random.u32(1..5)).collect();
                    files.write("web.toml", &cluster(&weights));
                    director.program("lvsctl", &["--run", files.state(), "reload"]);
                    for &index in &dead {
                        assert_eq!(weight_of(&director, index), Some(0), "a reload revived {}", NAMES[index]);
                    }
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    eprintln!("{} requests through {reloads} changes, none failed", asked.load(Ordering::Relaxed));
}
