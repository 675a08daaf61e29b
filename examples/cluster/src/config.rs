//! The cluster file: services, real servers, checks, in TOML.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lvs_core::health::{Damping, HealthPolicy};
use lvs_core::model::{
    Daemon, DaemonRole, Destination, DestinationKey, ForwardingMethod, Netmask, PrefixLength, Service, ServiceFlags,
    ServiceKey, Table, TableService, Timeouts, Tunnel, TunnelFlags, TunnelKind,
};
use serde::Deserialize;

use crate::probe::{Check, CommandCheck, HttpCheck};

/// A whole cluster as its file describes it.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// The services.
    pub services: Vec<ClusterService>,
    /// Connection timeouts, if the file sets any.
    pub timeouts: Option<Timeouts>,
    /// Sync daemons.
    pub daemons: Vec<Daemon>,
}

/// One virtual service with its real servers and how to check them.
#[derive(Debug, Clone)]
pub struct ClusterService {
    /// The service.
    pub service: Service,
    /// Its real servers.
    pub destinations: Vec<Destination>,
    /// How they are checked, if they are.
    pub check: Option<ServiceCheck>,
    /// When they come and go.
    pub policy: HealthPolicy,
}

/// How the servers of a service are checked.
#[derive(Debug, Clone)]
pub struct ServiceCheck {
    /// What is done.
    pub check: Check,
    /// Another port than the real server's own.
    pub port: Option<u16>,
    /// How often.
    pub interval: Duration,
    /// After which time no answer is a failure.
    pub timeout: Duration,
}

impl Cluster {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, or what it says makes no sense; the error names the line.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// What the text says makes no sense; the error names the line or the service.
    pub fn parse(text: &str) -> Result<Self> {
        let file: File = toml::from_str(text)?;
        let mut seen = HashSet::new();
        let mut services = Vec::with_capacity(file.service.len());
        for service in file.service {
            let name = service.address.clone();
            let service = service.build().with_context(|| format!("service {name:?}"))?;
            if !seen.insert(service.service.key()) {
                bail!("service {name:?} is there twice");
            }
            services.push(service);
        }
        let daemons = file.daemon.into_iter().map(DaemonEntry::build).collect::<Result<_>>()?;
        Ok(Self { services, timeouts: file.timeouts.map(Into::into), daemons })
    }

    /// The table that the file asks for, all servers being well.
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.services = self
            .services
            .iter()
            .map(|entry| TableService { service: entry.service, destinations: entry.destinations.clone() })
            .collect();
        table.timeouts = self.timeouts;
        table.daemons.clone_from(&self.daemons);
        table
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    timeouts: Option<TimeoutsEntry>,
    #[serde(default)]
    service: Vec<ServiceEntry>,
    #[serde(default)]
    daemon: Vec<DaemonEntry>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct TimeoutsEntry {
    tcp: u32,
    tcp_fin: u32,
    udp: u32,
}

impl From<TimeoutsEntry> for Timeouts {
    fn from(entry: TimeoutsEntry) -> Self {
        Self { tcp: entry.tcp, tcp_fin: entry.tcp_fin, udp: entry.udp }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DaemonEntry {
    role: DaemonRole,
    interface: String,
    #[serde(default)]
    sync_id: u8,
    group: Option<IpAddr>,
    port: Option<u16>,
    ttl: Option<u8>,
    max_len: Option<u16>,
}

impl DaemonEntry {
    fn build(self) -> Result<Daemon> {
        let mut daemon = Daemon::new(self.role, self.interface.parse()?, self.sync_id.into());
        daemon.group = self.group;
        daemon.port = self.port;
        daemon.ttl = self.ttl;
        daemon.max_len = self.max_len;
        Ok(daemon)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceEntry {
    address: String,
    #[serde(default = "wlc")]
    scheduler: String,
    #[serde(default)]
    flags: Vec<String>,
    persistent: Option<u32>,
    netmask: Option<MaskEntry>,
    engine: Option<String>,
    #[serde(default)]
    one_packet: bool,
    #[serde(default = "direct")]
    forwarding: String,
    tunnel: Option<TunnelEntry>,
    #[serde(default)]
    server: Vec<ServerEntry>,
    check: Option<CheckEntry>,
    #[serde(default)]
    health: HealthEntry,
}

fn wlc() -> String {
    "wlc".to_owned()
}

fn direct() -> String {
    "direct".to_owned()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum MaskEntry {
    V4(std::net::Ipv4Addr),
    V6(u32),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TunnelEntry {
    kind: TunnelKind,
    #[serde(default)]
    port: u16,
    #[serde(default)]
    checksum: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerEntry {
    address: String,
    #[serde(default = "one")]
    weight: u32,
    #[serde(default)]
    upper_threshold: u32,
    #[serde(default)]
    lower_threshold: u32,
    forwarding: Option<String>,
}

fn one() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckEntry {
    #[serde(rename = "type")]
    kind: CheckKind,
    path: Option<String>,
    host: Option<String>,
    status: Option<u16>,
    body: Option<String>,
    weight_header: Option<String>,
    command: Option<Vec<String>>,
    #[serde(default)]
    dynamic: bool,
    port: Option<u16>,
    #[serde(default = "five_seconds")]
    interval: f64,
    #[serde(default = "two_seconds")]
    timeout: f64,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum CheckKind {
    Tcp,
    Http,
    Command,
}

fn five_seconds() -> f64 {
    5.0
}

fn two_seconds() -> f64 {
    2.0
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct HealthEntry {
    rise: Option<u32>,
    fall: Option<u32>,
    remove: bool,
    start_down: bool,
    quorum: Option<u32>,
    hysteresis: u32,
    sorry_server: Option<String>,
    slow_start: Option<f64>,
    damping: Option<DampingEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DampingEntry {
    falls: u32,
    window: f64,
    hold: f64,
}

fn seconds(value: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(value).with_context(|| format!("{value} is not a number of seconds"))
}

impl ServiceEntry {
    fn build(self) -> Result<ClusterService> {
        let key: ServiceKey = self.address.parse()?;
        let mut service = Service::new(key).with_scheduler(self.scheduler.parse()?);
        for flag in &self.flags {
            service.flags |= match flag.as_str() {
                "sh-fallback" | "mh-fallback" | "flag-1" => ServiceFlags::SCHED1,
                "sh-port" | "mh-port" | "flag-2" => ServiceFlags::SCHED2,
                "flag-3" => ServiceFlags::SCHED3,
                other => bail!("unknown scheduler flag {other:?}"),
            };
        }
        if let Some(seconds) = self.persistent {
            service = service.with_persistence(seconds);
        }
        if key.port() == 0 && key.protocol().is_some() && self.persistent.is_none() {
            bail!("it names no port: a service of all ports has to be persistent (persistent = 300)");
        }
        if self.one_packet {
            service = service.with_one_packet();
        }
        if let Some(engine) = &self.engine {
            service = service.with_engine(engine.parse()?);
        }
        service = match self.netmask {
            None => service,
            Some(MaskEntry::V4(mask)) => service.with_netmask(Netmask::V4(mask))?,
            Some(MaskEntry::V6(length)) => service.with_netmask(Netmask::V6(PrefixLength::new(length)?))?,
        };
        let forwarding: ForwardingMethod = self.forwarding.parse()?;
        let tunnel = self.tunnel.map_or(Tunnel::IPIP, |entry| Tunnel {
            kind: entry.kind,
            port: entry.port,
            flags: if entry.checksum { TunnelFlags::CHECKSUM } else { TunnelFlags::NO_CHECKSUM },
        });
        let destination = |address: &str, method: ForwardingMethod| -> Result<Destination> {
            let mut server: DestinationKey =
                address.parse().with_context(|| format!("server {address:?} is not an address, or address:port"))?;
            // As in ipvsadm: a server without a port has the service's.
            if server.port == 0 {
                server.port = key.port();
            }
            let tunnel = if method == ForwardingMethod::Tunnel { tunnel } else { Tunnel::IPIP };
            let mut destination = Destination::with_key(server).with_forwarding(method);
            destination.tunnel = tunnel;
            Ok(destination)
        };
        let mut destinations = Vec::with_capacity(self.server.len());
        for server in &self.server {
            let method = server.forwarding.as_deref().map_or(Ok(forwarding), str::parse)?;
            let destination = destination(&server.address, method)?
                .with_weight(server.weight)
                .with_thresholds(server.upper_threshold, server.lower_threshold);
            if destinations.iter().any(|other: &Destination| other.key == destination.key) {
                bail!("server {} is there twice", destination.key);
            }
            destinations.push(destination);
        }
        let sorry = self.health.sorry_server.as_deref().map(|address| destination(address, forwarding)).transpose()?;
        let policy = self.health.build(sorry)?;
        let check = self.check.map(CheckEntry::build).transpose()?;
        Ok(ClusterService { service, destinations, check, policy })
    }
}

impl CheckEntry {
    fn build(self) -> Result<ServiceCheck> {
        let (interval, timeout) = (seconds(self.interval)?, seconds(self.timeout)?);
        if interval.is_zero() || timeout.is_zero() {
            bail!("interval and timeout of a check are more than 0 seconds");
        }
        let asks_http = self.path.is_some()
            || self.host.is_some()
            || self.status.is_some()
            || self.body.is_some()
            || self.weight_header.is_some();
        if asks_http && self.kind != CheckKind::Http {
            bail!("path, host, status, body and weight_header belong to checks of type \"http\"");
        }
        if (self.command.is_some() || self.dynamic) && self.kind != CheckKind::Command {
            bail!("command and dynamic belong to checks of type \"command\"");
        }
        let check = match self.kind {
            CheckKind::Tcp => Check::Tcp,
            CheckKind::Http => Check::Http(HttpCheck {
                path: self.path.unwrap_or_else(|| "/".to_owned()),
                host: self.host,
                status: self.status.unwrap_or(200),
                body: self.body,
                weight_header: self.weight_header,
            }),
            CheckKind::Command => match self.command {
                Some(command) if !command.is_empty() => Check::Command(CommandCheck { command, dynamic: self.dynamic }),
                _ => bail!("a check of type \"command\" needs a command"),
            },
        };
        Ok(ServiceCheck { check, port: self.port, interval, timeout })
    }
}

impl HealthEntry {
    fn build(self, sorry: Option<Destination>) -> Result<HealthPolicy> {
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
        policy.sorry_server = sorry;
        policy.slow_start = self.slow_start.map(seconds).transpose()?;
        if let Some(damping) = self.damping {
            let (window, hold) = (seconds(damping.window)?, seconds(damping.hold)?);
            policy = policy.with_damping(Damping { falls: damping.falls, window, hold });
        }
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEB: &str = r#"
        timeouts = { tcp = 600 }

        [[daemon]]
        role = "master"
        interface = "eth1"

        [[service]]
        address = "tcp://192.0.2.1:80"
        scheduler = "wrr"
        persistent = 300
        netmask = "255.255.255.0"
        forwarding = "masquerade"
        check = { type = "http", path = "/health", interval = 1.0 }
        health = { fall = 2, sorry_server = "198.51.100.99:80", slow_start = 30 }

        [[service.server]]
        address = "198.51.100.7:8080"
        weight = 3

        [[service.server]]
        address = "198.51.100.8"
    "#;

    #[test]
    fn a_cluster_file_becomes_a_table() {
        let cluster = Cluster::parse(WEB).unwrap();
        let table = cluster.table();
        let web = &table.services[0];
        assert_eq!(web.service.persistence(), Some(300));
        assert_eq!(web.destinations[0].weight, 3);
        assert_eq!(web.destinations[1].key.to_string(), "198.51.100.8:80");
        assert_eq!(web.destinations[1].forwarding, ForwardingMethod::Masquerade);
        assert_eq!(table.timeouts, Some(Timeouts { tcp: 600, tcp_fin: 0, udp: 0 }));
        assert_eq!(cluster.services[0].policy.fall, 2);
        assert_eq!(cluster.services[0].check.as_ref().unwrap().interval, Duration::from_secs(1));
    }

    #[test]
    fn a_check_takes_only_what_belongs_to_it() {
        let error = format!("{:#}", Cluster::parse(&WEB.replace("\"http\"", "\"tcp\"")).unwrap_err());
        assert!(error.contains("belong to checks of type \"http\""), "{error}");
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let text = WEB.replace("scheduler", "schedular");
        let error = format!("{:#}", Cluster::parse(&text).unwrap_err());
        assert!(error.contains("schedular") && error.contains("line"), "{error}");
        let text = WEB.replace("198.51.100.8", "198.51.100.256");
        let error = format!("{:#}", Cluster::parse(&text).unwrap_err());
        assert!(error.contains("tcp://192.0.2.1:80") && error.contains("198.51.100.256"), "{error}");
        let text = WEB
            .replace("tcp://192.0.2.1:80", "tcp://192.0.2.1")
            .replace("persistent = 300", "")
            .replace("netmask = ", "#");
        let error = format!("{:#}", Cluster::parse(&text).unwrap_err());
        assert!(error.contains("names no port"), "{error}");
    }

    #[test]
    fn the_reference_in_the_guides_is_a_cluster_file_and_right_about_defaults() {
        let guide = include_str!("../guides/README.md");
        let text = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let whole = Cluster::parse(text).unwrap();
        assert_eq!((whole.services.len(), whole.daemons.len()), (3, 1));
        let said: Vec<_> = text.lines().filter(|line| !line.contains("# default")).collect();
        assert!(text.lines().count() - said.len() >= 10);
        assert_eq!(format!("{:?}", Cluster::parse(&said.join("\n")).unwrap()), format!("{whole:?}"));
    }
}
