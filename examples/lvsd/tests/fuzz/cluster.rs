//! Cluster files: what is wrong is named at a place of the file; what is accepted comes into force
//! as it stands there.

use std::net::IpAddr;

use lvs_core::Director;
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::lint;
use lvs_core::model::{Operation, Table, Timeouts};
use lvs_core::plan::{OnFailure, Planner, Scope};
use lvsd::config::{Answers, Cluster, ConfigError};

/// Longer timeouts of connections do not fit the kernel's count of clock ticks, and are refused.
const LONGEST: u32 = i32::MAX as u32 / 1000;

/// Reads a file, and plans it for an empty director; with names of hosts, then with addresses of
/// them.
pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let cluster = match Cluster::parse(text) {
        Ok(cluster) => cluster,
        Err(error) => return check_places(text, &error),
    };
    put_in_force(text, &cluster.table());
    if cluster.names.is_empty() {
        return;
    }
    let addresses: [IpAddr; 3] =
        ["198.51.100.7", "198.51.100.9", "2001:db8:1::7"].map(|addr| addr.parse().expect("an address"));
    let answers: Answers = cluster.names.iter().map(|name| (name.clone(), addresses.into())).collect();
    match cluster.resolved(&answers) {
        Ok(resolved) => put_in_force(text, &resolved.table()),
        Err(error) => check_places(text, &error),
    }
}

/// Each thing that is wrong has a place in the text, and words.
fn check_places(text: &str, error: &ConfigError) {
    assert!(!error.invalid.is_empty(), "an error that names nothing: {text}");
    for invalid in &error.invalid {
        let line = invalid.line.checked_sub(1).and_then(|line| text.split('\n').nth(line));
        let line = line.unwrap_or_else(|| panic!("{invalid:?} is on no line of {text:?}"));
        // The end of a line is a place, too.
        assert!((1..=line.chars().count() + 1).contains(&invalid.column), "{invalid:?} is not in {line:?}");
        assert!(!invalid.message.is_empty());
    }
}

/// What the embedded director may refuse is what it lacks: a scheduler, an engine, an interface, a
/// clock of that length. Everything else is in force afterwards, and nothing is left to do.
fn put_in_force(text: &str, wanted: &Table) {
    let mut director = EmbeddedDirector::new();
    let planner = Planner::new(&Scope::all());
    let lacking = lint::schedulers(&mut director, wanted).expect("it knows its schedulers");
    let plan = match planner.plan_for(&mut director, wanted) {
        Ok(plan) => plan,
        Err(error) => {
            assert!(!lacking.is_empty(), "{error}: {text}");
            return;
        }
    };
    assert!(lacking.is_empty(), "{lacking:?}: {text}");
    let outcome = plan.apply(&mut director, OnFailure::Keep);
    for refusal in &outcome.refused {
        let is_lacking = match plan.steps()[refusal.index].operation {
            Operation::AddService(service) => service.engine.is_some_and(|engine| engine != "sip"),
            Operation::StartDaemon(daemon) => !["lo", "eth0"].contains(&daemon.interface.as_str()),
            Operation::SetTimeouts(Timeouts { tcp, tcp_fin, udp }) => tcp.max(tcp_fin).max(udp) > LONGEST,
            _ => false,
        };
        assert!(is_lacking, "{}: {text}", refusal.error);
    }
    assert!(outcome.interrupted.is_none());
    if !outcome.is_complete() {
        return;
    }

    let (mut held, mut wanted) = (director.snapshot().expect("a snapshot").to_table(), wanted.clone());
    held.sort();
    wanted.sort();
    assert_eq!(held.services, wanted.services, "{text}");
    let names = |table: &Table| -> Vec<_> {
        table.daemons.iter().map(|daemon| (daemon.role, daemon.interface, daemon.sync_id)).collect()
    };
    assert_eq!(names(&held), names(&wanted), "{text}");
    if let (Some(held), Some(wanted)) = (held.timeouts, wanted.timeouts) {
        for (held, wanted) in [(held.tcp, wanted.tcp), (held.tcp_fin, wanted.tcp_fin), (held.udp, wanted.udp)] {
            assert!(wanted == 0 || held == wanted, "{text}");
        }
    }
    // What a daemon sends at most is brought into its range, and planned again.
    if wanted.daemons.is_empty() {
        let again = planner.plan_for(&mut director, &wanted).expect("it was planned before");
        assert!(again.is_empty(), "{again}: {text}");
    }
}

/// Files of each kind of section.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    FILES.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Each of them is a file, and what it asks for is a service at least.
pub(crate) fn seeds_are_files() {
    for text in FILES {
        let cluster = Cluster::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert!(!cluster.services.is_empty(), "{text}");
    }
}

/// The first is what requests are made of, too.
pub(crate) const FILES: [&str; 6] = [
    r#"name = "web"
timeouts = { tcp = 600, udp = 30 }
[[service]]
name = "shop"
labels = { site = "here" }
address = "tcp://192.0.2.1:80"
scheduler = "wrr"
persistent = 300
netmask = "255.255.255.0"
forwarding = "masquerade"
check = { http = { path = "/health" }, interval = 1.0 }
health = { fall = 2, sorry_server = "198.51.100.99:80", slow_start = 30 }
[[service.server]]
address = "198.51.100.7:8080"
weight = 3
[[service.server]]
address = "198.51.100.8"
check = { tcp = {} }
[[service]]
address = "udp://192.0.2.1:53"
one_packet = true
server = [{ address = "198.51.100.7" }, { address = "198.51.100.8", weight = 0 }]
"#,
    r#"[[daemon]]
role = "master"
interface = "eth0"
sync_id = 7
group = "224.0.0.99"
[sysctl]
"net.ipv4.ip_forward" = 1
[[service]]
addresses = ["tcp://192.0.2.1:80,443,8000-8003", "sctp://192.0.2.1:443", "tcp://[2001:db8::1]:80"]
scheduler = "mh"
flags = ["mh-port"]
[[service.server]]
address = "198.51.100.7"
[[service.server]]
address = "[2001:db8:1::7]"
"#,
    r#"[parameters]
vip = "192.0.2.1"
weight = 3
site = { environment = "LVS_FUZZ_SITE", default = "here" }
[[service]]
name = "shop-${site}"
address = "tcp://${vip}:80"
forwarding = "tunnel"
tunnel = { kind = "gue", port = 6080, checksum = true }
[[service.server]]
address = "[2001:db8::7]"
weight = "${weight}"
[[service.server]]
address = "198.51.100.8"
"#,
    r#"[[service]]
mark = 7
addresses = ["tcp://192.0.2.1:80,443,1000-60000", "udp://192.0.2.1:443", "tcp://[2001:db8::1]", "sctp://192.0.2.2"]
[[service.server]]
address = "198.51.100.7"
[[service.server]]
address = "[2001:db8:1::7]"
"#,
    r#"resolver = ["192.0.2.53", "[2001:db8::53]:5353"]
[[service]]
addresses = ["tcp://192.0.2.1:80", "tcp://[2001:db8::1]:80"]
forwarding = "masquerade"
check = { tcp = {} }
server = [{ address = "198.51.100.7" }, { address = "web.example.org:8080", weight = 4 }]
"#,
    r#"allowed_actions = ["add_service", "add_server", "change_server", "remove_server"]
[defaults]
scheduler = "rr"
forwarding = "masquerade"
persistent = 60
upper_threshold = 100
check = { tcp = {} }
health = { fall = 7 }
[[service]]
address = "tcp://192.0.2.1"
server = [{ address = "198.51.100.7:80" }]
[[service]]
address = "tcp://192.0.2.1:81"
persistent = 9
engine = "sip"
check = { icmp = {} }
health = { quorum = 2, remove = true, damping = { falls = 3, window = 10, hold = 60 } }
server = [{ address = "198.51.100.7", weight = 2, upper_threshold = 0 }, { address = "198.51.100.8" }]
[[hook]]
on = ["server_down"]
argv = ["/usr/local/bin/tell", "them"]
"#,
];
