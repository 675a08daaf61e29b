//! The cluster file as it is written.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use lvs_core::health::{Damping, HealthPolicy, OnDown};
use lvs_core::lint;
use lvs_core::model::{Daemon, DaemonRole, Destination, ServiceKey, Timeouts, TunnelKind};
use serde::Deserialize;
use toml::Spanned;

use super::error::Findings;
use super::{Action, Allowed, Answers, Cluster, Hook, HookAction, ServerCheck, Webhook};
use crate::event::EventKind;
use crate::probe::{CheckKinds, Tls};

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
    allowed_actions: Option<Spanned<BTreeSet<Action>>>,
    #[serde(default)]
    defaults: Defaults,
    timeouts: Option<TimeoutsEntry>,
    #[serde(default)]
    resolver: Vec<Spanned<String>>,
    #[serde(default)]
    sysctl: BTreeMap<String, Spanned<SysctlEntry>>,
    #[serde(default)]
    service: Vec<Spanned<ServiceEntry>>,
    #[serde(default)]
    daemon: Vec<Spanned<DaemonEntry>>,
    #[serde(default)]
    hook: Vec<Spanned<HookEntry>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SysctlEntry {
    Number(i64),
    Text(String),
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

/// What holds for services and servers that do not say otherwise.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    pub(super) scheduler: Option<Spanned<String>>,
    pub(super) forwarding: Option<Spanned<String>>,
    pub(super) persistent: Option<Spanned<u32>>,
    pub(super) keep_weights: Option<Spanned<bool>>,
    pub(super) check: Option<Spanned<CheckEntry>>,
    pub(super) health: Option<Spanned<HealthEntry>>,
    pub(super) weight: Option<u32>,
    #[serde(default)]
    pub(super) upper_threshold: u32,
    #[serde(default)]
    pub(super) lower_threshold: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceEntry {
    pub(super) name: Option<String>,
    pub(super) labels: Option<Spanned<BTreeMap<String, String>>>,
    pub(super) address: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) addresses: Vec<Spanned<String>>,
    pub(super) mark: Option<Spanned<u32>>,
    pub(super) scheduler: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) flags: Vec<Spanned<String>>,
    pub(super) persistent: Option<Spanned<u32>>,
    pub(super) netmask: Option<Spanned<MaskEntry>>,
    pub(super) engine: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) one_packet: bool,
    pub(super) forwarding: Option<Spanned<String>>,
    pub(super) keep_weights: Option<Spanned<bool>>,
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
    pub(super) weight: Option<u32>,
    pub(super) upper_threshold: Option<u32>,
    pub(super) lower_threshold: Option<u32>,
    pub(super) forwarding: Option<Spanned<String>>,
    pub(super) check: Option<Spanned<CheckEntry>>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckEntry {
    tcp: Option<crate::probe::TcpCheck>,
    http: Option<crate::probe::HttpCheck>,
    udp: Option<crate::probe::UdpCheck>,
    smtp: Option<crate::probe::SmtpCheck>,
    dns: Option<crate::probe::DnsCheck>,
    icmp: Option<crate::probe::IcmpCheck>,
    grpc: Option<crate::probe::GrpcCheck>,
    file: Option<crate::probe::FileCheck>,
    command: Option<crate::probe::CommandCheck>,
    port: Option<u16>,
    to: Option<Spanned<String>>,
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

#[derive(Deserialize, Default, Clone)]
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

#[derive(Deserialize, Clone, Copy)]
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
    argv: Option<Vec<String>>,
    url: Option<Spanned<String>>,
    tls: Option<crate::probe::Tls>,
    #[serde(default = "ten")]
    timeout: f64,
}

fn ten() -> f64 {
    10.0
}

impl File {
    pub(super) fn build(self, answers: &Answers, found: &mut Findings<'_>) -> Cluster {
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
        for (name, value) in self.sysctl {
            let clean = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
            if !name.starts_with("net.") || name.contains("..") || name.contains("//") || !name.chars().all(clean) {
                found.add(value.span(), format!("{name:?} is not a sysctl below net., such as net.ipv4.ip_forward"));
            }
            let value = match value.into_inner() {
                SysctlEntry::Number(number) => number.to_string(),
                SysctlEntry::Text(text) => text,
            };
            cluster.sysctls.push((name, value));
        }
        cluster.resolver = self
            .resolver
            .iter()
            .filter_map(|text| {
                let addr: Result<SocketAddr, _> = text.get_ref().parse();
                let addr = addr.or_else(|_| text.get_ref().parse::<IpAddr>().map(|addr| SocketAddr::new(addr, 53)));
                let wrong = |_| format!("{:?} is not the address of a name server", text.get_ref());
                found.take(text.span(), addr.map_err(wrong))
            })
            .collect();
        let mut seen = HashSet::new();
        for service in self.service {
            super::service::build(service, &self.defaults, answers, &mut seen, &mut cluster, found);
        }
        cluster.answers.extend(
            cluster.names.iter().filter_map(|name| answers.get(name).map(|known| (name.clone(), known.clone()))),
        );
        if let Some(allowed) = self.allowed_actions {
            let span = allowed.span();
            cluster.allowed = Allowed::only(allowed.into_inner());
            for problem in cannot_be_served(&cluster) {
                found.add(span.clone(), problem);
            }
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

/// What checks do and the file does not allow: dead servers would stay in use.
fn cannot_be_served(cluster: &Cluster) -> Vec<String> {
    let mut needed: BTreeMap<Action, &str> = BTreeMap::new();
    for entry in &cluster.services {
        if entry.members.iter().any(|member| member.check.is_some()) {
            needed.insert(Action::ChangeServer, "checks set weights");
            if entry.policy.on_down == OnDown::Remove {
                needed.insert(Action::AddServer, "health.remove adds servers that come back");
                needed.insert(Action::RemoveServer, "health.remove removes dead servers");
            }
        }
        if entry.policy.sorry_server.is_some() {
            needed.insert(Action::AddServer, "a sorry server is added when it serves");
            needed.insert(Action::RemoveServer, "a sorry server is removed when others serve again");
        }
    }
    let missing = needed.into_iter().filter(|(action, _)| !cluster.allowed.allows(*action));
    missing.map(|(action, why)| format!("{why}: {} has to be allowed, too", action.name())).collect()
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
        let Self { on, argv, url, tls, timeout } = entry.into_inner();
        let action = match (argv, url) {
            (Some(argv), None) if tls.is_none() => {
                if argv.first().is_none_or(String::is_empty) {
                    found.add(span.clone(), "a hook names a program (argv = [\"/usr/local/bin/...\"])");
                }
                Some(HookAction::Command(argv))
            }
            (None, Some(url)) => found.take(url.span(), webhook(url.get_ref(), tls)).map(HookAction::Webhook),
            _ => {
                found
                    .add(span.clone(), "a hook has either a program (argv = [...]) or a url, which alone may have tls");
                None
            }
        };
        let timeout = found.take(span, seconds("timeout", timeout))?;
        Some(Hook { on, action: action?, timeout })
    }
}

fn webhook(url: &str, tls: Option<Tls>) -> Result<Webhook, String> {
    // It is not quoted: what is in it may be a secret, and errors are logged.
    let wrong = || "this is not a URL such as https://alerts.example.org/lvs".to_owned();
    let parsed: hyper::Uri = url.parse().map_err(|_| wrong())?;
    let tls = match (parsed.scheme_str(), tls) {
        (Some("https"), tls) => Some(tls.unwrap_or_default()),
        (Some("http"), None) => None,
        (Some("http"), Some(_)) => return Err("a URL that speaks TLS begins with https://".to_owned()),
        _ => return Err(wrong()),
    };
    if parsed.host().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    if parsed.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("a URL without a user and password: they would be sent as part of the host's name".to_owned());
    }
    tls.as_ref().map_or(Ok(()), Tls::validate)?;
    Ok(Webhook { url: parsed, tls })
}

/// Whom the packets of a check are addressed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: the server, or the service.
pub(super) enum To {
    /// The server's own address.
    Server,
    /// The service's address.
    Service,
    /// One of the addresses of a service that is a mark.
    Address(SocketAddr),
}

/// A check as an entry describes it, for servers of any service.
#[derive(Debug)]
pub(super) struct CheckOf {
    pub(super) check: ServerCheck,
    pub(super) to: To,
    pub(super) span: Range<usize>,
}

impl CheckOf {
    /// The check of one server of one service.
    pub(super) fn of(&self, service: ServiceKey, server: &Destination) -> Result<ServerCheck, String> {
        let mut check = self.check.clone();
        let service = match (self.to, service) {
            (To::Server, _) => return Ok(check),
            (To::Service, ServiceKey::Endpoint { addr, port, .. }) => {
                SocketAddr::new(addr, check.port.unwrap_or(if port == 0 { server.key.port } else { port }))
            }
            (To::Service, ServiceKey::Fwmark { .. }) => {
                return Err("a mark has no address: say which one is asked (to = \"192.0.2.1:80\")".to_owned());
            }
            (To::Address(addr), _) => addr,
        };
        if service.port() == 0 {
            return Err("the service has no port of its own: say which one is asked (port = ...)".to_owned());
        }
        if !check.check.connects() {
            let kind = check.check.name();
            return Err(format!("a check of the service's address is made over TCP, which {kind} is not"));
        }
        crate::probe::path::validate(server, service)?;
        check.through = Some(service);
        Ok(check)
    }
}

impl CheckEntry {
    pub(super) fn build(entry: Spanned<Self>, found: &mut Findings<'_>) -> Option<CheckOf> {
        let span = entry.span();
        let Self { tcp, http, udp, smtp, dns, icmp, grpc, file, command, port, to, interval, timeout } =
            entry.into_inner();
        let kinds = CheckKinds { tcp, http, udp, smtp, dns, icmp, grpc, file, command };
        let check = found.take(span.clone(), kinds.one());
        let to = to.map_or(Some(To::Server), |text| match text.get_ref().as_str() {
            "server" => Some(To::Server),
            "service" => Some(To::Service),
            address => {
                let wrong = |_| format!("to = {address:?} is neither server, service nor an address with its port");
                found.take(text.span(), address.parse().map(To::Address).map_err(wrong))
            }
        });
        let interval = found.take(span.clone(), seconds("interval", interval))?;
        let timeout = found.take(span.clone(), seconds("timeout", timeout))?;
        if interval < SHORTEST || timeout < SHORTEST {
            found.add(span.clone(), format!("interval and timeout of a check are at least {SHORTEST:?}"));
        }
        if port == Some(0) {
            found.add(span.clone(), "0 is not a port that can be checked");
        }
        Some(CheckOf { check: ServerCheck { check: check?, port, interval, timeout, through: None }, to: to?, span })
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
