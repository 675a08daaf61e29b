//! The examples on a running kernel, and rates against the truth.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail loudly and says what it has seen")]

mod common;
mod example;

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use common::{assert_expected_kernel, in_new_namespace};
use example::run;
use lvs_core::embedded::{EmbeddedDirector, Flow};
use lvs_core::kernel::KernelDirector;
use lvs_core::model::{Destination, Service, ServiceKey};
use lvs_core::watch::{Event, Watcher};
use lvs_core::{Director, rules};

const FOREIGN: &str = "-A -u 203.0.113.1:53 -s rr\n-a -u 203.0.113.1:53 -r 198.51.100.9:53 -g\n";

fn held(director: &mut KernelDirector) -> String {
    let mut table = director.snapshot().unwrap().to_table();
    table.sort();
    format!("{:?}", table.services)
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_controller_leaves_what_others_have_as_it_was() {
    assert_expected_kernel();
    in_new_namespace(|| {
        let mut director = KernelDirector::open().unwrap();
        for entry in rules::parse(FOREIGN).unwrap().to_table().unwrap().services {
            director.add_service(&entry.service).unwrap();
            for server in &entry.destinations {
                director.add_destination(&entry.service.key(), server).unwrap();
            }
        }
        let before = held(&mut director);
        let file = std::env::temp_dir().join(format!("lvs-controller-{}.rules", std::process::id()));
        std::fs::write(&file, "-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 198.51.100.7:80 -g -w 3\n").unwrap();
        let file_name = file.to_str().unwrap();

        let dry = run("controller", &["--kernel", file_name]);
        assert!(dry.contains("+ tcp://192.0.2.1:80 scheduler wrr"), "{dry}");
        assert_eq!(held(&mut director), before, "a dry run changes nothing");

        let there_and_back = run("controller", &["--kernel", file_name, "--apply", "--back"]);
        for part in ["2 of 2 steps done", "left to do: 0", "1 foreign services as before"] {
            assert!(there_and_back.contains(part), "{part:?} is not in:\n{there_and_back}");
        }
        assert_eq!(held(&mut director), before);

        let applied = run("controller", &["--kernel", file_name, "--apply"]);
        assert!(!applied.contains("back:"), "{applied}");
        assert_eq!(director.services().unwrap().len(), 2);
        std::fs::remove_file(&file).unwrap();
    });
}

/// Connections a second.
const PACE: u32 = 20;
/// Between two looks of each watcher: multiples of half a second.
const INTERVALS: [f64; 5] = [0.5, 1.0, 1.5, 3.0, 5.0];
const LENGTH: Duration = Duration::from_secs(40);

/// Watchers that look at different intervals, and the rates that each has seen.
struct Watchers(Vec<(Duration, Watcher, Vec<f64>)>);

impl Watchers {
    fn new() -> Self {
        Self(INTERVALS.map(|seconds| (Duration::from_secs_f64(seconds), Watcher::new(), Vec::new())).into())
    }

    /// Lets those look whose time has come, and says when the next one looks.
    fn look(&mut self, looks: &mut [u32; 5], director: &mut dyn Director, now: impl Fn() -> Duration) {
        for (place, (interval, watcher, rates)) in self.0.iter_mut().enumerate() {
            if now() < *interval * looks[place] {
                continue;
            }
            looks[place] += 1;
            let snapshot = director.snapshot().unwrap();
            for event in watcher.observe(snapshot, now()) {
                if let Event::Counted(count) = event
                    && count.destination.is_none()
                    && let Some(rate) = count.per_second()
                {
                    rates.push(rate.connections);
                }
            }
        }
    }

    /// Each rate after the first ticks is the true one, give or take a twentieth and two
    /// connections a tick; of an uneven stream their mean is about the true one.
    fn hold(&self, name: &str, truth: f64, is_even: bool) {
        println!("{name}: true rate {truth:.2}/s, even: {is_even}");
        for (interval, _, rates) in &self.0 {
            let (least, most) = rates.iter().fold((f64::MAX, f64::MIN), |(a, b), rate| (a.min(*rate), b.max(*rate)));
            let mean = rates.iter().sum::<f64>() / rates.len() as f64;
            println!(
                "  every {:>3.1} s: {} rates, {least:.2} to {most:.2}, mean {mean:.2}",
                interval.as_secs_f64(),
                rates.len()
            );
            let near = |rate: f64, share: f64| (rate - truth).abs() <= truth * share + 1.0;
            assert!(rates.len() > 3 && near(mean, if is_even { 0.05 } else { 0.25 }), "{name}, every {interval:?}");
            assert!(!is_even || near(least, 0.15) && near(most, 0.15), "{name}, every {interval:?}");
        }
    }
}

fn service() -> (ServiceKey, Service, Destination) {
    let key = ServiceKey::udp("192.0.2.100", 53).unwrap();
    (key, Service::new(key), Destination::new("198.51.100.7".parse().unwrap(), 53))
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn rates_are_the_true_ones_at_every_interval() {
    assert_expected_kernel();
    let (key, service, server) = service();

    let mut embedded = EmbeddedDirector::new();
    embedded.add_service(&service).unwrap();
    embedded.add_destination(&key, &server).unwrap();
    let (mut watchers, mut looks) = (Watchers::new(), [0; 5]);
    for sent in 0..PACE * LENGTH.as_secs() as u32 {
        let [_, _, high, low] = sent.to_be_bytes();
        assert!(
            embedded
                .open(&Flow::udp(([10, 0, high, low], 4000).into(), key.socket_addr().unwrap()))
                .destination()
                .is_some()
        );
        embedded.advance(Duration::from_secs(1) / PACE);
        let now = embedded.now();
        watchers.look(&mut looks, &mut embedded, || now);
    }
    watchers.hold("embedded director", PACE.into(), true);
    in_new_namespace(|| on_the_kernel(&key, &service, &server));
}

/// A machine that stands still in between sends late: then there is no steady rate to be seen.
const LATE: Duration = Duration::from_millis(200);

fn on_the_kernel(key: &ServiceKey, service: &Service, server: &Destination) {
    let mut director = KernelDirector::open().unwrap();
    director.add_service(service).unwrap();
    director.add_destination(key, server).unwrap();
    let (mut watchers, mut looks) = (Watchers::new(), [0; 5]);
    let start = Instant::now();
    let (mut sockets, mut is_even) = (Vec::new(), true);
    while start.elapsed() < LENGTH {
        // Each socket has a port of its own, and so a connection.
        let socket = UdpSocket::bind("192.0.2.254:0").unwrap();
        socket.send_to(b"query", key.socket_addr().unwrap()).unwrap();
        sockets.push(socket);
        watchers.look(&mut looks, &mut director, || start.elapsed());
        let next = Duration::from_secs(1) * u32::try_from(sockets.len()).unwrap() / PACE;
        is_even &= start.elapsed() < next + LATE;
        std::thread::sleep(next.saturating_sub(start.elapsed()));
    }
    watchers.hold("kernel", sockets.len() as f64 / start.elapsed().as_secs_f64(), is_even);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_top_talkers_are_found_on_the_kernel() {
    assert_expected_kernel();
    in_new_namespace(|| {
        let mut director = KernelDirector::open().unwrap();
        let (key, service, server) = service();
        director.add_service(&service).unwrap();
        director.add_destination(&key, &server).unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        let text = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let socket = UdpSocket::bind("192.0.2.254:0").unwrap();
                    socket.send_to(b"query", key.socket_addr().unwrap()).unwrap();
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
            let text = run("top_talkers", &["1.5", "8"]);
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            text
        });
        assert_eq!(text.lines().filter(|line| line.starts_with("after ")).count(), 8, "{text}");
        let last = text.lines().last().unwrap().trim();
        assert!(last.ends_with("/s  198.51.100.7:53 of udp://192.0.2.100:53") && !last.starts_with("0.0"), "{text}");
    });
}
