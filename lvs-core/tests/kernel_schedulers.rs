//! Our choices against those of the running kernel, connection by connection.
//!
//! Needs root in a kernel with IPVS, as the lab provides. Each run makes random services, changes
//! them at random, opens and ends connections, and looks up in the kernel's own table which
//! destination each connection got.
//!
//! * `LVS_TEST_KERNEL=6.12`: the release that is expected; another one fails the test.
//! * `LVS_LAB_PICKS=100000`: how many new connections to compare for each scheduler, refused ones
//!   not counted; 2000 if not set.
//! * `LVS_LAB_SEED=7`: another random history.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "kernel_schedulers/genl.rs"]
mod genl;
mod linear;
#[path = "kernel_schedulers/packets.rs"]
mod packets;
#[path = "kernel_schedulers/plain.rs"]
mod plain;
#[path = "kernel_schedulers/scenario.rs"]
mod scenario;

use std::collections::HashMap;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use genl::{Attrs, Genl};
use linear::chance::{Tally, chances};
use lvs_core::schedulers::{Profile, SCHEDULERS, SchedulerOptions};
use packets::Sender;
use plain::Plain;
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

/// The running release's three numbers, after a check that it is the expected one.
fn kernel() -> [u32; 3] {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    if let Ok(expected) = std::env::var("LVS_TEST_KERNEL") {
        let rest = release.strip_prefix(&expected).unwrap_or("?");
        assert!(rest.starts_with(['.', '-', '\n']), "kernel {expected} is expected, {release} runs");
    }
    // Debian's release has a 0 for the third number, and tells the real one elsewhere:
    // `... SMP ... Debian 6.1.192-2 (...)`.
    let version = std::fs::read_to_string("/proc/version").unwrap();
    let series: String = release.split_inclusive('.').take(2).collect();
    let full = version.split("Debian ").find(|part| part.starts_with(&series)).unwrap_or(&release);
    let mut numbers = full.split(|c: char| !c.is_ascii_digit()).map_while(|word| word.parse().ok());
    let kernel = [(); 3].map(|()| numbers.next().expect("three numbers"));
    println!("kernel {kernel:?}");
    kernel
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
            Err(22) if Path::new("/proc/sys/net/ipv4/vs/conn_lfactor").exists() => Profile::Linux7,
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
    kernel();
    let profile = profile();
    let wanted = environment("LVS_LAB_PICKS", 2000) as usize;
    let seed = environment("LVS_LAB_SEED", 1);
    println!("profile {profile:?}, {wanted} connections a scheduler, seed {seed}");

    let names: Vec<&str> = SCHEDULERS.iter().filter(|info| info.deterministic).map(|info| info.name).collect();
    let mut picks: HashMap<&str, (usize, usize)> = HashMap::new();
    let began = Instant::now();
    for chunk in 0.. {
        let lacking: Vec<&str> =
            names.iter().copied().filter(|name| picks.get(name).is_none_or(|p| p.0 - p.1 < wanted)).collect();
        if lacking.is_empty() {
            break;
        }
        for scenario in play(&lacking, profile, seed << 32 | chunk << 8, None) {
            let total = picks.entry(scenario.scheduler).or_default();
            total.0 += scenario.picks;
            total.1 += scenario.refusals;
        }
        let all: usize = picks.values().map(|total| total.0).sum();
        println!("{all} choices after {:.0} s", began.elapsed().as_secs_f64());
    }
    for name in names {
        let (picked, refused) = picks[name];
        println!("{name:6} {:7} connections, {refused:7} refused: no difference", picked - refused);
    }
    println!("{:.1} s", began.elapsed().as_secs_f64());
}

/// lblcr's sets lose members when they have not changed for a while.
#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn sets_of_lblcr_shrink_as_the_kernels_do() {
    kernel();
    let profile = profile();
    let expiration = Duration::from_secs(4);
    let scenarios = play(&["lblcr"], profile, environment("LVS_LAB_SEED", 1) << 32, Some(expiration));
    let picks: usize = scenarios.iter().map(|scenario| scenario.picks).sum();
    println!("{picks} choices: no difference");
}

/// The caches of lblc and lblcr are limited in newer kernels, and so is what ours remember.
#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_full_cache_remembers_what_the_kernels_does() {
    let kernel = kernel();
    let profile = profile();
    let mut options = SchedulerOptions::default();
    options.lblc_capped = match kernel {
        [6, 1, patch] => patch >= 191,
        [6, 12, patch] => patch >= 113,
        _ => true,
    };
    let address = |n: u32| Ipv4Addr::from_bits(0x3200_0000 + n * 7);
    for scheduler in ["lblc", "lblcr"] {
        in_new_namespace(|| {
            let mut service = Plain::new(scheduler, profile, &options, &[3, 5, 2, 4]).expect("the scheduler exists");
            service.compare((0..26_000).map(address));
            // Other least loaded ones for the addresses that are not remembered, and other ones for
            // those that were here.
            service.compare((23_000..26_000).map(address));
            service.set_weight(1, 0);
            service.compare((0..26_000).step_by(20).map(address));
            service.set_weight(1, 30);
            service.compare((0..26_000).rev().step_by(20).map(address));
            service.verify();
        });
        println!("{scheduler}, capped {}: no difference", options.lblc_capped);
    }
}

/// twos draws, so no single choice can be compared, but thousands can be with what was to be
/// expected of each.
#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn twos_chooses_with_the_chances_that_ours_has() {
    let kernel = kernel();
    let profile = profile();
    for weights in [&[3, 2, 1][..], &[1, 1], &[50, 20, 30, 0, 1], &[1, 2, 4, 8, 16, 32]] {
        let tally = in_new_namespace(|| {
            let mut service = match Plain::new("twos", profile, &SchedulerOptions::default(), weights) {
                Ok(service) => service,
                Err(2) if kernel < [6, 12, 0] => return None,
                Err(errno) => panic!("errno {errno}"),
            };
            let mut tally = Tally::default();
            for _ in 0..4 {
                for chosen in service.open(std::iter::repeat_n([198, 51, 100, 1].into(), 2000)) {
                    tally.add(&chances(service.balancer.pool()), chosen);
                    service.balancer.connection_added(chosen);
                }
            }
            Some(tally)
        });
        let Some(tally) = tally else {
            println!("this kernel was built without twos");
            return;
        };
        let deviation = tally.largest_deviation();
        println!("{weights:?}: {} choices, {deviation:.2} standard deviations", tally.choices);
        assert!(deviation < 5.0);
    }
}

/// Random histories of many services side by side; `expiration` is that of lblcr's sets. A machine
/// that is too busy for the kernel's timers has fewer of them.
fn play(names: &[&'static str], profile: Profile, seed: u64, expiration: Option<Duration>) -> Vec<Scenario> {
    let mut count = if expiration.is_some() { SCENARIOS / 6 } else { SCENARIOS };
    loop {
        match in_new_namespace(|| play_some(names, profile, seed, expiration, count)) {
            Some(scenarios) => return scenarios,
            None if count > names.len() => count = (count / 2).max(names.len()),
            None => panic!("too slow for the kernel's timers with {count} scenarios"),
        }
        println!("too slow for the kernel's timers: once more, with {count} scenarios");
    }
}

/// So many histories; nothing if they took too long.
fn play_some(
    names: &[&'static str],
    profile: Profile,
    seed: u64,
    expiration: Option<Duration>,
    count: usize,
) -> Option<Vec<Scenario>> {
    // One packet that is no SYN makes an established connection.
    std::fs::write("/proc/sys/net/ipv4/vs/sloppy_tcp", "1").expect("sysctl sloppy_tcp");
    let mut genl = Genl::open();
    let sender = Sender::open();
    let began = Instant::now();
    let mut scenarios: Vec<Scenario> = names
        .iter()
        .cycle()
        .take(count)
        .zip(0..)
        .map(|(name, n)| Scenario::new(name, profile, n, seed + u64::from(n), &mut genl))
        .collect();
    if let Some(expiration) = expiration {
        let path = "/proc/sys/net/ipv4/vs/lblcr_expiration";
        std::fs::write(path, expiration.as_secs().to_string()).expect("sysctl lblcr_expiration");
        scenarios.iter_mut().for_each(|scenario| scenario.set_expiration(expiration));
    }
    for round in 0..ROUNDS {
        // On a busy machine fewer rounds fit in.
        if began.elapsed() > Duration::from_secs(60) {
            break;
        }
        set_timeouts(&mut genl, 900, 900);
        // Time stands still within a round of the model, and more than the expiration passes from
        // round to round.
        let start = Instant::now();
        scenarios.iter_mut().for_each(|scenario| scenario.play(&mut genl, &sender, round * 1_000_000));
        if let Some(expiration) = expiration {
            if start.elapsed() >= expiration {
                return None;
            }
            std::thread::sleep(expiration);
        }
        let table: HashMap<_, _> = packets::connections().collect();
        scenarios.iter_mut().for_each(|scenario| scenario.compare(&table));
        set_timeouts(&mut genl, 1, 1);
        scenarios.iter_mut().for_each(|scenario| scenario.close(&sender));
        let deadline = Instant::now() + Duration::from_secs(60);
        std::thread::sleep(Duration::from_millis(1020));
        for scenario in &scenarios {
            while let Some(difference) = scenario.difference(&mut genl) {
                assert!(Instant::now() < deadline, "{difference}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
    // The kernel would forget a destination that has been removed for two minutes.
    (began.elapsed() < Duration::from_secs(120)).then_some(scenarios)
}
