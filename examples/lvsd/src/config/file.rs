//! The cluster file as it is written.

use std::collections::{BTreeMap, HashSet};
use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use lvs_core::health::{Damping, HealthPolicy};
use lvs_core::lint;
use lvs_core::model::{Daemon, DaemonRole, Destination, Timeouts, TunnelKind};
use serde::Deserialize;
use toml::Spanned;

use super::error::Findings;
use super::{Cluster, Hook, ServerCheck};
use crate::event::EventKind;
use crate::probe::CheckKinds;

/// No check is made more often: a slip of the pen must not become a flood.
const SHORTEST: Duration = Duration::from_millis(50);
/// No time in a file is longer; sums of such times do not overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    name: Option<Spanned<String>>,
    #[serde(default)]
    adopt: bool,
    timeouts: Option<TimeoutsEntry>,
    #[serde(default)]
    service: Vec<Spanned<ServiceEntry>>,
    #[serde(default)]
    daemon: Vec<Spanned<DaemonEntry>>,
    #[serde(default)]
    hook: Vec<Spanned<HookEntry>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct TimeoutsEntry {
    tcp: u32,
    tcp_fin: u32,
    udp: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DaemonEntry {
    role: DaemonRole,
    interface: Spanned<String>,
    #[serde(default)]
    sync_id: u8,
    group: Option<IpAddr>,
    port: Option<u16>,
    ttl: Option<u8>,
    max_len: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceEntry {
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    pub(super) address: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) addresses: Vec<Spanned<String>>,
    pub(super) scheduler: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) flags: Vec<Spanned<String>>,
    pub(super) persistent: Option<u32>,
    pub(super) netmask: Option<Spanned<MaskEntry>>,
    pub(super) engine: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) one_packet: bool,
    pub(super) forwarding: Option<Spanned<String>>,
    pub(super) tunnel: Option<TunnelEntry>,
    #[serde(default)]
    pub(super) server: Vec<Spanned<ServerEntry>>,
    pub(super) check: Option<Spanned<CheckEntry>>,
    pub(super) health: Option<Spanned<HealthEntry>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
pub(super) enum MaskEntry {
    V4(std::net::Ipv4Addr),
    V6(u32),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TunnelEntry {
    pub(super) kind: TunnelKind,
    #[serde(default)]
    pub(super) port: u16,
    #[serde(default)]
    pub(super) checksum: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerEntry {
    pub(super) address: Spanned<String>,
    #[serde(default = "one")]
    pub(super) weight: u32,
    #[serde(default)]
    pub(super) upper_threshold: u32,
    #[serde(default)]
    pub(super) lower_threshold: u32,
    pub(super) forwarding: Option<Spanned<String>>,
    pub(super) check: Option<Spanned<CheckEntry>>,
}

fn one() -> u32 {
    1
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckEntry {
    tcp: Option<crate::probe::TcpCheck>,
    http: Option<crate::probe::HttpCheck>,
    udp: Option<crate::probe::UdpCheck>,
    smtp: Option<crate::probe::SmtpCheck>,
    file: Option<crate::probe::FileCheck>,
    command: Option<crate::probe::CommandCheck>,
    port: Option<u16>,
    #[serde(default = "five")]
    interval: f64,
    #[serde(default = "two")]
    timeout: f64,
}

fn five() -> f64 {
    5.0
}

fn two() -> f64 {
    2.0
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HealthEntry {
    pub(super) rise: Option<u32>,
    pub(super) fall: Option<u32>,
    pub(super) remove: bool,
    pub(super) start_down: bool,
    pub(super) quorum: Option<u32>,
    pub(super) hysteresis: u32,
    pub(super) sorry_server: Option<Spanned<String>>,
    pub(super) slow_start: Option<f64>,
    pub(super) damping: Option<DampingEntry>,
    pub(super) max_weight: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DampingEntry {
    falls: u32,
    window: f64,
    hold: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HookEntry {
    on: Vec<EventKind>,
    argv: Vec<String>,
    #[serde(default = "ten")]
    timeout: f64,
}

fn ten() -> f64 {
    10.0
}

impl File {
    pub(super) fn build(self, found: &mut Findings<'_>) -> Cluster {
        let mut cluster = Cluster { adopt: self.adopt, ..Cluster::default() };
        if let Some(name) = self.name {
            let valid = !name.get_ref().is_empty()
                && name.get_ref().len() <= 64
                && name.get_ref().chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
            if !valid {
                found.add(name.span(), "a name has 1 to 64 letters, digits, - and _");
            }
            cluster.name = Some(name.into_inner());
        }
        cluster.timeouts = self.timeouts.map(|TimeoutsEntry { tcp, tcp_fin, udp }| Timeouts { tcp, tcp_fin, udp });
        let mut seen = HashSet::new();
        for service in self.service {
            super::service::build(service, &mut seen, &mut cluster.services, found);
        }
        for daemon in self.daemon {
            let span = daemon.span();
            if let Some(daemon) = daemon.into_inner().build(found) {
                if cluster.daemons.iter().any(|other: &Daemon| other.role == daemon.role) {
                    found.add(span, format!("a second {} sync daemon", daemon.role));
                }
                cluster.daemons.push(daemon);
            }
        }
        // What is wrong with a service has been found at its place.
        for finding in lint::table(&cluster.table()).iter().filter(|finding| finding.service.is_none()) {
            found.add(0..0, finding);
        }
        cluster.hooks = self.hook.into_iter().filter_map(|hook| HookEntry::build(hook, found)).collect();
        cluster
    }
}

impl DaemonEntry {
    fn build(self, found: &mut Findings<'_>) -> Option<Daemon> {
        let interface = found.take(self.interface.span(), self.interface.get_ref().parse())?;
        let mut daemon = Daemon::new(self.role, interface, self.sync_id.into());
        daemon.group = self.group;
        daemon.port = self.port;
        daemon.ttl = self.ttl;
        daemon.max_len = self.max_len;
        Some(daemon)
    }
}

impl HookEntry {
    fn build(entry: Spanned<Self>, found: &mut Findings<'_>) -> Option<Hook> {
        let span = entry.span();
        let Self { on, argv, timeout } = entry.into_inner();
        if argv.is_empty() {
            found.add(span.clone(), "a hook names a program (argv = [\"/usr/local/bin/...\"])");
        }
        let timeout = found.take(span, seconds("timeout", timeout))?;
        Some(Hook { on, argv, timeout })
    }
}

impl CheckEntry {
    pub(super) fn build(entry: Spanned<Self>, found: &mut Findings<'_>) -> Option<ServerCheck> {
        let span = entry.span();
        let Self { tcp, http, udp, smtp, file, command, port, interval, timeout } = entry.into_inner();
        let check = found.take(span.clone(), CheckKinds { tcp, http, udp, smtp, file, command }.one());
        let interval = found.take(span.clone(), seconds("interval", interval))?;
        let timeout = found.take(span.clone(), seconds("timeout", timeout))?;
        if interval < SHORTEST || timeout < SHORTEST {
            found.add(span.clone(), format!("interval and timeout of a check are at least {SHORTEST:?}"));
        }
        if port == Some(0) {
            found.add(span, "0 is not a port that can be checked");
        }
        Some(ServerCheck { check: check?, port, interval, timeout })
    }
}

/// A number of seconds from a file.
pub(super) fn seconds(what: &str, value: f64) -> Result<Duration, String> {
    match Duration::try_from_secs_f64(value) {
        Ok(time) if time <= LONGEST => Ok(time),
        _ => Err(format!("{what} = {value} is not a number of seconds between 0 and {}", LONGEST.as_secs())),
    }
}

impl HealthEntry {
    /// The policy that it describes.
    pub(super) fn policy(
        &self,
        span: Range<usize>,
        sorry: Option<Destination>,
        found: &mut Findings<'_>,
    ) -> HealthPolicy {
        let mut policy = HealthPolicy::default();
        policy.rise = self.rise.unwrap_or(policy.rise);
        policy.fall = self.fall.unwrap_or(policy.fall);
        policy = policy.with_quorum(self.quorum.unwrap_or(policy.quorum), self.hysteresis);
        if self.remove {
            policy = policy.removing();
        }
        if self.start_down {
            policy = policy.starting_down();
        }
        policy.slow_start = self.slow_start.and_then(|value| found.take(span.clone(), seconds("slow_start", value)));
        if let Some(DampingEntry { falls, window, hold }) = self.damping {
            let window = found.take(span.clone(), seconds("window", window)).unwrap_or_default();
            let hold = found.take(span.clone(), seconds("hold", hold)).unwrap_or_default();
            policy = policy.with_damping(Damping { falls, window, hold });
        }
        policy.max_asked_weight = self.max_weight.unwrap_or(policy.max_asked_weight);
        policy.sorry_server = sorry;
        found.take(span, policy.check());
        policy
    }
}
