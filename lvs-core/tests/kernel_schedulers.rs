//! Our choices against those of the running kernel, connection by connection.
//!
//! Needs root in a kernel with IPVS, as the lab provides. Each run makes random services, changes them at random, opens and ends
//! connections, and looks up in the kernel's own table which destination each connection got.
//!
//! * `LVS_TEST_KERNEL=6.12`: the release that is expected; another one fails the test.
//! * `LVS_LAB_PICKS=100000`: how many choices to compare for each scheduler; 2000 if not set.
//! * `LVS_LAB_SEED=7`: another random history.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "kernel_schedulers/genl.rs"]
mod genl;
#[path = "kernel_schedulers/packets.rs"]
mod packets;
#[path = "kernel_schedulers/scenario.rs"]
mod scenario;

use std::collections::HashMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use genl::{Attrs, Genl};
use lvs_core::schedulers::{Profile, SCHEDULERS};
use packets::Sender;
use scenario::Scenario;

/// Services at work side by side in one network namespace.
const SCENARIOS: usize = 39;
const ROUNDS: u64 = 6;

fn environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// Runs `body` in a thread with a network namespace of its own.
fn in_new_namespace<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: no pointers.
            let made = unsafe { libc::unshare(libc::CLONE_NEWNET) };
            assert_eq!(made, 0, "a network namespace: {}", std::io::Error::last_os_error());
            let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().expect("iproute2");
            ip.stdin
                .take()
                .unwrap()
                .write_all(
                    b"link set lo up\n\
                      link add dummy0 type dummy\n\
                      link set dummy0 up\n\
                      addr add 192.0.2.254/24 dev dummy0\n\
                      route add default dev dummy0\n\
                      addr add 2001:db8:ffff::1/64 dev dummy0 nodad\n\
                      route add ::/0 dev dummy0\n",
                )
                .unwrap();
            assert!(ip.wait().unwrap().success(), "the network is set up");
            body()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn assert_expected_kernel() {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    println!("kernel {}", release.trim());
    if let Ok(expected) = std::env::var("LVS_TEST_KERNEL") {
        assert!(release.starts_with(&expected), "kernel {expected} is expected, {release} runs");
    }
}

/// Asks the kernel how it counts.
fn profile() -> Profile {
    in_new_namespace(|| {
        let mut genl = Genl::open();
        let service = || Attrs::default().u16(1, 2).u32(5, 1);
        let full = service().string(6, "rr").put(7, &[0, 0, 0, 0, 255, 255, 255, 255]).u32(8, 0).u32(9, u32::MAX);
        genl.request(1, false, Attrs::default().nest(1, full)).expect("a new service");
        let destination = Attrs::default().put(1, &[192, 0, 2, 1]).put(2, &[0, 80]).u32(3, 3).u32(4, 1);
        let limited = destination.u32(5, 0x8000_0000).u32(6, 0);
        match genl.request(5, false, Attrs::default().nest(1, service()).nest(2, limited)) {
            Ok(_) => Profile::Old,
            Err(22) => Profile::New,
            Err(errno) => panic!("errno {errno}"),
        }
    })
}

/// Timeouts in seconds: of half-closed TCP connections, and of UDP.
fn set_timeouts(genl: &mut Genl, fin: u32, udp: u32) {
    genl.request(12, false, Attrs::default().u32(5, fin).u32(6, udp)).expect("timeouts");
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn every_choice_is_the_kernels() {
    assert_expected_kernel();
    let profile = profile();
    let wanted = environment("LVS_LAB_PICKS", 2000) as usize;
    let seed = environment("LVS_LAB_SEED", 1);
    println!("profile {profile:?}, {wanted} choices a scheduler, seed {seed}");

    let names: Vec<&str> = SCHEDULERS.iter().filter(|info| info.deterministic).map(|info| info.name).collect();
    let mut picks: HashMap<&str, (usize, usize)> = HashMap::new();
    let began = Instant::now();
    for chunk in 0.. {
        let lacking: Vec<&str> =
            names.iter().copied().filter(|name| picks.get(name).is_none_or(|p| p.0 < wanted)).collect();
        if lacking.is_empty() {
            break;
        }
        for scenario in in_new_namespace(|| play(&lacking, profile, seed << 32 | chunk << 8)) {
            let total = picks.entry(scenario.scheduler).or_default();
            total.0 += scenario.picks;
            total.1 += scenario.refusals;
        }
    }
    for name in names {
        let (picked, refused) = picks[name];
        println!("{name:6} {picked:7} choices, {refused} of them none: no difference");
    }
    println!("{:.1} s", began.elapsed().as_secs_f64());
}

fn play(names: &[&'static str], profile: Profile, seed: u64) -> Vec<Scenario> {
    // One packet that is no SYN makes an established connection.
    std::fs::write("/proc/sys/net/ipv4/vs/sloppy_tcp", "1").expect("sysctl sloppy_tcp");
    let mut genl = Genl::open();
    let sender = Sender::open();
    let began = Instant::now();
    let mut scenarios: Vec<Scenario> = names
        .iter()
        .cycle()
        .take(SCENARIOS)
        .zip(0..)
        .map(|(name, n)| Scenario::new(name, profile, n, seed + u64::from(n), &mut genl))
        .collect();
    for round in 0..ROUNDS {
        set_timeouts(&mut genl, 900, 900);
        scenarios.iter_mut().for_each(|scenario| scenario.play(&mut genl, &sender, round * 1000));
        let table: HashMap<_, _> = packets::connections().collect();
        scenarios.iter_mut().for_each(|scenario| scenario.compare(&table));
        set_timeouts(&mut genl, 1, 1);
        scenarios.iter_mut().for_each(|scenario| scenario.close(&sender));
        let deadline = Instant::now() + Duration::from_secs(20);
        std::thread::sleep(Duration::from_millis(1020));
        for scenario in &scenarios {
            while let Some(difference) = scenario.difference(&mut genl) {
                assert!(Instant::now() < deadline, "{difference}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
    // A destination removed for two minutes would be forgotten by the kernel.
    assert!(began.elapsed() < Duration::from_secs(100), "too slow for the kernel's timers: {:?}", began.elapsed());
    scenarios
}
