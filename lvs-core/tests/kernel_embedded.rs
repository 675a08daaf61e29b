//! The embedded director beside the running kernel: the same requests, the same packets, the same
//! answers.
//!
//! Needs root in a kernel with IPVS, as the lab provides.
//!
//! * `LVS_TEST_KERNEL=6.12`: the release that is expected; another one fails the test.
//! * `LVS_LAB_OPERATIONS=100000`: how many random requests to compare; 3000 if not set.
//! * `LVS_LAB_PACKETS=100000`: how many random packets to compare; 3000 if not set.
//! * `LVS_LAB_SILENCE=90`: for how many seconds to let silent connections be dropped, not at all if
//!   not set.
//! * `LVS_LAB_SEED=7`: another random history.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "kernel_embedded/clocked.rs"]
mod clocked;
mod common;
#[path = "kernel_embedded/defence.rs"]
mod defence;
#[path = "kernel_embedded/errnos.rs"]
mod errnos;
#[path = "kernel_embedded/layout.rs"]
mod layout;
#[path = "kernel_embedded/limits.rs"]
mod limits;
#[path = "kernel_embedded/packets.rs"]
mod packets;
#[path = "kernel_embedded/rules.rs"]
mod rules;
#[path = "kernel_embedded/socket.rs"]
mod socket;
#[path = "kernel_embedded/tracking.rs"]
mod tracking;
#[path = "kernel_embedded/walk.rs"]
mod walk;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::{assert_expected_kernel, environment, in_new_namespace};
use lvs_core::embedded::{EmbeddedDirector, EmbeddedOptions, Interface, Settings};
use lvs_core::model::{InterfaceName, SchedulerName};
use lvs_core::schedulers::{Profile, SCHEDULERS};
use lvs_core::wire::message::Command;
use lvs_core::wire::{destination, service};
use socket::Both;

/// An embedded director of the running kernel in the network namespace of the tests.
fn embedded(profile: Profile, twos: bool) -> EmbeddedOptions {
    let interface = |name, mtu| Interface { name: InterfaceName::new(name).unwrap(), mtu };
    EmbeddedDirector::options()
        .profile(profile)
        .settings(Settings::of_new_namespace())
        .ticks_per_second(if is_user_mode() { 100 } else { 250 })
        .schedulers(
            SCHEDULERS
                .iter()
                .filter(|info| twos || info.name != "twos")
                .map(|info| SchedulerName::new(info.name).unwrap()),
        )
        .interfaces([interface("lo", 65536), interface("dummy0", 1500)])
        .local_address("192.0.2.254".parse().unwrap(), 24)
        .local_address("2001:db8:ffff::1".parse().unwrap(), 64)
}

/// The kernel's shortest timeout: when a timer goes off to the tick is not the matter of walks.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(2);
const LONGEST_WALK: Duration = Duration::from_millis(1800);

/// Debian's user-mode kernel ticks 100 times a second.
fn is_user_mode() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| std::fs::read_to_string("/proc/cpuinfo").unwrap().contains("User Mode Linux"))
}

/// Asks the kernel what kind it is: how it counts, and whether it has twos.
fn kind() -> (Profile, bool) {
    use lvs_core::model::{Destination, Service, ServiceKey};
    in_new_namespace(|| {
        let mut both = Both::open(EmbeddedDirector::new());
        let key = ServiceKey::tcp("198.18.0.1", 80).unwrap();
        let mut ask = |command, buf: &[u8]| both.ask(command, false, buf).0.last().unwrap().error;
        let mut buf = Vec::new();
        service::write(&mut buf, &Service::new(key).with_scheduler("twos".parse().unwrap()));
        let twos = ask(Command::NewService, &buf) == Some(0);
        buf.clear();
        service::write(&mut buf, &Service::new(key).with_scheduler(SchedulerName::RR));
        let _ = ask(if twos { Command::SetService } else { Command::NewService }, &buf);
        buf.clear();
        service::write_key(&mut buf, &key);
        destination::write(&mut buf, &Destination::new("10.0.0.1".parse().unwrap(), 80).with_thresholds(1 << 31, 0));
        let profile = match ask(Command::NewDest, &buf) {
            Some(0) => Profile::Old,
            Some(-22) if Path::new("/proc/sys/net/ipv4/vs/conn_lfactor").exists() => Profile::Linux7,
            Some(-22) => Profile::New,
            other => panic!("{other:?}"),
        };
        assert_eq!(Profile::of_running_kernel().unwrap(), profile, "as the library asks");
        (profile, twos)
    })
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn every_rule_of_the_kernel_s_refuses_with_its_errno_there_and_here() {
    assert_expected_kernel();
    let (profile, twos) = kind();
    in_new_namespace(|| {
        let mut both = Both::open(embedded(profile, twos).build());
        let mut rules = errnos::Rules::new(&mut both);
        rules.every(profile);
        println!("{} rules, profile {profile:?}", rules.count);
    });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn every_request_is_answered_with_the_kernels_bytes() {
    assert_expected_kernel();
    let (profile, twos) = kind();
    let (wanted, seed) = (environment("LVS_LAB_OPERATIONS", 3000), environment("LVS_LAB_SEED", 1));
    println!("profile {profile:?}, twos {twos}, {wanted} requests, seed {seed}");
    let began = Instant::now();
    let mut done = 0;
    let mut dumped = 0;
    let mut requests = rules::Requests::new(seed);
    while done < wanted {
        in_new_namespace(|| {
            let mut both = Both::open(embedded(profile, twos).build());
            let start = Instant::now();
            for step in 0..4000 {
                both.embedded.advance_to(start.elapsed());
                if let Err(difference) = requests.step(&mut both) {
                    panic!("request {}: {difference}", done + step);
                }
                if step % 50 == 49 {
                    dumped += rules::same_table(&mut both).unwrap_or_else(|difference| {
                        panic!("after request {}: {difference}", done + step);
                    });
                }
                if done + step == wanted {
                    break;
                }
            }
        });
        done += 4000;
    }
    println!("{done} requests, {} of them refused, {dumped} entries dumped: no difference", requests.refused);
    for ((command, errno), count) in &requests.distinct {
        println!("  {:?} -> {errno}: {count}", Command::from_number(*command));
    }
    println!("{:.1} s", began.elapsed().as_secs_f64());
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn every_packet_leaves_the_kernels_connections_states_and_counters() {
    assert_expected_kernel();
    let (profile, twos) = kind();
    let (wanted, seed) = (environment("LVS_LAB_PACKETS", 3000), environment("LVS_LAB_SEED", 1));
    println!("profile {profile:?}, {wanted} packets, seed {seed}");
    let began = Instant::now();
    let mut packets = 0;
    let mut helped = false;
    // Rounds, and those that the kernel's own race has ended.
    let (mut rounds, mut ended) = (0, 0);
    let mut verdicts = std::collections::BTreeMap::<String, u64>::new();
    for round in 0.. {
        if packets >= wanted {
            break;
        }
        // With the helper of FTP and without it, where the kernel has one.
        if round == 0 || (packets >= wanted / 2 && !helped) {
            tracking::load_ftp_helper(round > 0);
            helped = round > 0;
        }
        let walk = || {
            in_new_namespace(|| {
                let draw = walk::Draw::default();
                let drawn = draw.clone();
                let options = embedded(profile, twos).ftp_helper(tracking::has_ftp_helper());
                let options = options.draws(move |_| drawn.load(Ordering::Relaxed));
                let both = Both::open(options.build());
                let mut walk = walk::Walk::new(both, draw, twos, round % 3 == 2, seed << 32 | round);
                let start = Instant::now();
                let mut whole = true;
                while whole && start.elapsed() < LONGEST_WALK && packets + walk.packets < wanted {
                    whole = match walk.step() {
                        Ok(whole) => whole,
                        Err(difference) if start.elapsed() < SHORTEST_TIMEOUT => panic!("round {round}: {difference}"),
                        Err(difference) => return Err(difference),
                    };
                }
                Ok((walk.packets, walk.verdicts, whole))
            })
        };
        // A step that a busy machine held up until a timer went off proves nothing, but then it
        // differs no second time.
        let again = (1..10).fold(walk(), |result, _| result.or_else(|_| walk()));
        let (count, seen, whole) = again.unwrap_or_else(|difference| panic!("round {round}, ten times: {difference}"));
        packets += count;
        rounds += 1;
        ended += u64::from(!whole);
        for (verdict, count) in seen {
            *verdicts.entry(verdict).or_default() += count;
        }
    }
    println!("{packets} packets in {rounds} rounds, {ended} of them cut short: no difference; {verdicts:#?}");
    assert!(
        ended * 10 <= rounds + 10,
        "{ended} of {rounds} rounds ended with a connection that stays: that is no accident"
    );
    println!("{:.1} s", began.elapsed().as_secs_f64());
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn every_entry_leaves_the_table_at_the_kernels_tick() {
    assert_expected_kernel();
    let (profile, twos) = kind();
    let compared = in_new_namespace(|| {
        let clock = clocked::Clock::read();
        let [early, late] = clock.ticks().map(|ticks| embedded(profile, twos).kernel_timers(ticks).build());
        clocked::compare_expiry(&mut Both::open(early), late, clock)
    });
    println!("{compared} expiries: no difference");
    assert!(compared >= 12, "{compared} expiries");
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn every_rate_is_the_kernels_to_the_digit() {
    assert_expected_kernel();
    let (profile, twos) = kind();
    for _ in 0..20 {
        let compare = || clocked::compare_rates(&mut Both::open(embedded(profile, twos).build()));
        match in_new_namespace(compare) {
            Some(compared) => return println!("{compared} passes of the estimator: no difference"),
            None => println!("too busy to send a burst between two passes of the estimator: once more"),
        }
    }
    panic!("no burst was ever within two passes of the estimator");
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn every_defence_is_the_kernels() {
    assert_expected_kernel();
    let (profile, twos) = kind();
    in_new_namespace(|| defence::compare_modes(&mut Both::open(embedded(profile, twos).build())));
    in_new_namespace(|| defence::compare_dropped_entries(&mut Both::open(embedded(profile, twos).build())));
    let seconds = environment("LVS_LAB_SILENCE", 0);
    if seconds > 0 {
        in_new_namespace(|| defence::compare_silent_entries(&mut Both::open(embedded(profile, twos).build()), seconds));
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn lists_are_laid_out_as_the_fast_path_of_a_dump_expects() {
    assert_expected_kernel();
    let (profile, twos) = kind();
    in_new_namespace(|| layout::look_at_lists(&mut Both::open(embedded(profile, twos).build())));
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn at_the_limit_of_connections_both_drop_the_same_packets() {
    assert_expected_kernel();
    let (profile, twos) = kind();
    if profile != Profile::Linux7 {
        println!("this kernel has no limit");
        return;
    }
    in_new_namespace(|| limits::compare_limit(&mut Both::open(embedded(profile, twos).build())));
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn packets_pass_both_when_the_last_service_of_their_family_is_gone() {
    assert_expected_kernel();
    let (profile, twos) = kind();
    in_new_namespace(|| limits::compare_last_service(&mut Both::open(embedded(profile, twos).build())));
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn both_tables_have_the_same_size() {
    assert_expected_kernel();
    let (profile, twos) = kind();
    in_new_namespace(|| limits::compare_sizes(&mut Both::open(embedded(profile, twos).build()), profile));
}
