//! What a table asks for that cannot work: refused by the kernel, or taken by it and then without
//! the effect meant.
//!
//! [`Plan::between`](crate::plan::Plan::between) checks what it would add or change, so that a
//! table is refused before anything is touched; [`explain`] finds the rule of the kernel that a
//! refused operation has broken.
//!
//! ```
//! use lvs_core::lint;
//! use lvs_core::model::{Destination, Service, ServiceKey};
//!
//! let service = Service::new(ServiceKey::tcp("192.0.2.1", 80)?);
//! let server = Destination::new("198.51.100.7".parse()?, 8000);
//! let flaws = lint::destination(&service, &server);
//! assert_eq!(
//!     flaws[0].to_string(),
//!     "port 8000 is never reached, since direct does not rewrite ports: use port 80, or masquerade"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::director::Director;
use crate::errno::Errno;
use crate::error::Result;
use crate::model::{
    Daemon, Destination, DestinationKey, ForwardingMethod, Operation, Protocol, SchedulerName, Service, ServiceKey,
    Table, TableService, Timeouts, TunnelKind,
};

/// The largest number that the kernel takes where it counts in signed integers.
const INT_MAX: u32 = i32::MAX as u32;

/// Something that cannot work, with the way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case", deny_unknown_fields)
)]
#[non_exhaustive]
pub enum Flaw {
    /// A server of the other address family, reached by something else than a tunnel. The kernel
    /// refuses it.
    MixedFamily(ForwardingMethod),
    /// A GUE tunnel without its UDP port. The kernel refuses it.
    GueWithoutPort,
    /// An address that is not unicast. The kernel refuses it.
    NotUnicast(IpAddr),
    /// A weight above 2^31-1. The kernel refuses it.
    WeightOutOfRange(u32),
    /// A lower threshold above the upper one. The kernel refuses it.
    ThresholdsCrossed {
        /// The upper threshold.
        upper: u32,
        /// The lower threshold.
        lower: u32,
    },
    /// An upper threshold above 2^31-1. The kernel refuses it (6.1 series: from 6.1.183; 6.12
    /// series: from 6.12.104).
    ThresholdOutOfRange(u32),
    /// Timeouts that are more than 2^31-1 ticks of the kernel's clock. The kernel refuses them.
    TimeoutOutOfRange(u32),
    /// A port other than the service's with a forwarding method that does not rewrite ports. The
    /// kernel takes it, and packets arrive at the service's port.
    PortNotRewritten {
        /// The forwarding method.
        forwarding: ForwardingMethod,
        /// The port that was asked for.
        asked: u16,
        /// The port at which packets arrive, 0 for whatever port the client has chosen.
        actual: u16,
    },
    /// Port 0 without persistence. The kernel takes it and rejects every packet.
    ZeroPort,
    /// One-packet scheduling of something else than UDP. The kernel takes it and ignores it.
    OnePacketNotUdp(Protocol),
    /// A protocol that IPVS does not schedule. The kernel takes it and never uses it.
    UnscheduledProtocol(Protocol),
    /// A mixed family while a sync daemon runs. The kernel refuses it.
    MixedFamilyWithDaemon,
    /// A sync daemon's group that is not a multicast address. The kernel refuses it.
    NotMulticast(IpAddr),
    /// The scheduler `mh` for a service with more destinations than its table has entries. The
    /// kernel refuses it.
    TooManyForMh,
    /// A scheduler that the director does not have. It refuses it. Only [`schedulers`] finds this:
    /// kernels differ in what they have.
    NoScheduler(SchedulerName),
}

impl Flaw {
    /// Whether the kernel refuses it, rather than taking it without the effect that was meant.
    pub const fn is_refused(&self) -> bool {
        !matches!(
            self,
            Self::PortNotRewritten { .. } | Self::ZeroPort | Self::OnePacketNotUdp(_) | Self::UnscheduledProtocol(_)
        )
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MixedFamily(forwarding) => write!(
                f,
                "{forwarding} cannot reach a server of the other address family: use a tunnel, or a service of that family"
            ),
            Self::GueWithoutPort => f.write_str("a GUE tunnel needs its UDP port: name it, or use ipip or gre"),
            Self::NotUnicast(addr) => write!(f, "{addr} is not the unicast address of a server"),
            Self::WeightOutOfRange(weight) => write!(f, "weight {weight} is above 2147483647"),
            Self::ThresholdsCrossed { upper, lower } => {
                write!(f, "the lower threshold {lower} is above the upper one, {upper}")
            }
            Self::ThresholdOutOfRange(upper) => write!(f, "the upper threshold {upper} is above 2147483647"),
            Self::TimeoutOutOfRange(seconds) => {
                write!(f, "a timeout of {seconds} s is above the kernel's limit (2^31-1 ticks: 2147483 s at 1000 Hz)")
            }
            Self::PortNotRewritten { forwarding, asked, actual: 0 } => write!(
                f,
                "port {asked} is never reached, since {forwarding} does not rewrite ports: use port 0, which keeps the \
                 client's, or masquerade"
            ),
            Self::PortNotRewritten { forwarding, asked, actual } => write!(
                f,
                "port {asked} is never reached, since {forwarding} does not rewrite ports: use port {actual}, or masquerade"
            ),
            Self::ZeroPort => f.write_str("port 0 serves only persistent services: name a port, or make it persistent"),
            Self::OnePacketNotUdp(protocol) => write!(f, "one-packet scheduling is for UDP, not for {protocol}"),
            Self::UnscheduledProtocol(protocol) => {
                write!(f, "{protocol} is not scheduled: IPVS serves tcp, udp and sctp")
            }
            Self::MixedFamilyWithDaemon => f.write_str(
                "servers of the other address family and a sync daemon exclude each other: stop the daemon, or remove them",
            ),
            Self::NotMulticast(addr) => write!(f, "{addr} is not the multicast address of a group of sync daemons"),
            Self::TooManyForMh => f.write_str(
                "the service has more destinations than the table of mh has entries (4093, unless the kernel was built \
                 otherwise): use another scheduler",
            ),
            Self::NoScheduler(name) => write!(
                f,
                "this director has no scheduler {name}: look for a slip in the name, or for the kernel's module ip_vs_{name}"
            ),
        }
    }
}

/// A flaw and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct Finding {
    /// Of which service, `None` if of the table.
    pub service: Option<ServiceKey>,
    /// Of which of its destinations, `None` if of the service itself.
    pub destination: Option<DestinationKey>,
    /// What is wrong.
    pub flaw: Flaw,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.service, &self.destination) {
            (Some(service), Some(destination)) => write!(f, "destination {destination} of {service}: {}", self.flaw),
            (Some(service), None) => write!(f, "service {service}: {}", self.flaw),
            _ => self.flaw.fmt(f),
        }
    }
}

/// What is wrong with a service.
pub fn service(service: &Service) -> Vec<Flaw> {
    let key = service.key();
    let mut flaws = Vec::new();
    if let Some(protocol) = key.protocol() {
        if !matches!(protocol, Protocol::Tcp | Protocol::Udp | Protocol::Sctp) {
            flaws.push(Flaw::UnscheduledProtocol(protocol));
        }
        if key.port() == 0 && !service.is_persistent() {
            flaws.push(Flaw::ZeroPort);
        }
        if service.is_one_packet() && protocol != Protocol::Udp {
            flaws.push(Flaw::OnePacketNotUdp(protocol));
        }
    }
    flaws
}

/// What is wrong with a destination of a service.
pub fn destination(service: &Service, destination: &Destination) -> Vec<Flaw> {
    of_key(&service.key(), destination)
}

fn of_key(key: &ServiceKey, destination: &Destination) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let forwarding = destination.forwarding;
    // In the kernel's order (ip_vs_ctl.c), so that the first one is that which it answers with.
    if destination.key.family() != key.family() && forwarding != ForwardingMethod::Tunnel {
        flaws.push(Flaw::MixedFamily(forwarding));
    }
    if destination.weight > INT_MAX {
        flaws.push(Flaw::WeightOutOfRange(destination.weight));
    }
    let (upper, lower) = (destination.upper_threshold, destination.lower_threshold);
    if lower > upper {
        flaws.push(Flaw::ThresholdsCrossed { upper, lower });
    }
    if upper > INT_MAX {
        flaws.push(Flaw::ThresholdOutOfRange(upper));
    }
    if destination.tunnel.kind == TunnelKind::Gue && destination.tunnel.port == 0 {
        flaws.push(Flaw::GueWithoutPort);
    }
    if !may_be_a_server(destination.key.addr) {
        flaws.push(Flaw::NotUnicast(destination.key.addr));
    }
    flaws.extend(port(key, destination.key.port, forwarding));
    flaws
}

/// A port at which a real server is never reached, since its forwarding method does not rewrite
/// ports.
pub(crate) fn port(key: &ServiceKey, asked: u16, forwarding: ForwardingMethod) -> Option<Flaw> {
    let rewrites = !matches!(forwarding, ForwardingMethod::Direct | ForwardingMethod::Tunnel | ForwardingMethod::Local);
    let actual = key.port();
    let lost = key.protocol().is_some() && !rewrites && asked != actual;
    lost.then_some(Flaw::PortNotRewritten { forwarding, asked, actual })
}

/// The classes that the kernel refuses wherever it runs; broadcast addresses of its own networks it
/// knows alone (`ip_vs_ctl.c: ip_vs_new_dest()`). Link-local addresses may be its own.
fn may_be_a_server(addr: IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => !(addr.is_unspecified() || addr.is_broadcast() || addr.is_multicast()),
        IpAddr::V6(addr) => !(addr.is_unspecified() || addr.is_multicast() || addr.to_ipv4_mapped().is_some()),
    }
}

fn timeouts(timeouts: &Timeouts) -> Option<Flaw> {
    // At 100 Hz, the slowest clock: what is above that no kernel takes.
    let most = INT_MAX / 100;
    let found = [timeouts.tcp, timeouts.tcp_fin, timeouts.udp].into_iter().find(|seconds| *seconds > most);
    found.map(Flaw::TimeoutOutOfRange)
}

fn daemon(daemon: &Daemon) -> Option<Flaw> {
    daemon.group.filter(|group| !group.is_multicast()).map(Flaw::NotMulticast)
}

/// Everything that is wrong with a table, in its order.
pub fn table(table: &Table) -> Vec<Finding> {
    let (timeouts, mixed) = of_no_service(table);
    let mut findings: Vec<Finding> = timeouts.into_iter().collect();
    for entry in &table.services {
        let key = Some(entry.service.key());
        findings.extend(service(&entry.service).into_iter().map(|flaw| Finding {
            service: key,
            destination: None,
            flaw,
        }));
        for server in &entry.destinations {
            let at = Some(server.key);
            let flaws = destination(&entry.service, server).into_iter();
            findings.extend(flaws.map(|flaw| Finding { service: key, destination: at, flaw }));
        }
    }
    let daemons = table.daemons.iter().filter_map(daemon);
    findings.extend(daemons.map(|flaw| Finding { service: None, destination: None, flaw }));
    findings.extend(mixed);
    findings
}

/// Which services of a table a director will refuse since it lacks their scheduler. Nothing changes
/// there; see [`Director::has_scheduler`]. Services whose scheduler it cannot tell are left out.
///
/// ```
/// use lvs_core::embedded::EmbeddedDirector;
/// use lvs_core::lint;
///
/// let table = lvs_core::rules::parse("-A -t 192.0.2.1:80 -s nosuch")?.to_table()?;
/// let findings = lint::schedulers(&mut EmbeddedDirector::new(), &table)?;
/// assert!(findings[0].to_string().starts_with("service tcp://192.0.2.1:80: this director has no scheduler nosuch"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of the director.
pub fn schedulers<D: Director + ?Sized>(director: &mut D, table: &Table) -> Result<Vec<Finding>> {
    lacking_schedulers(director, table.services.iter().map(|entry| &entry.service))
}

/// The same of some services.
pub(crate) fn lacking_schedulers<'a, D: Director + ?Sized>(
    director: &mut D,
    services: impl Iterator<Item = &'a Service>,
) -> Result<Vec<Finding>> {
    let mut lacks: BTreeMap<SchedulerName, bool> = BTreeMap::new();
    let mut findings = Vec::new();
    for service in services {
        let name = service.scheduler;
        let is_lacking = match lacks.get(&name) {
            Some(known) => *known,
            None => *lacks.entry(name).or_insert(director.has_scheduler(&name)? == Some(false)),
        };
        if is_lacking {
            let flaw = Flaw::NoScheduler(name);
            findings.push(Finding { service: Some(service.key()), destination: None, flaw });
        }
    }
    Ok(findings)
}

/// What is wrong with a table as a whole: with its timeouts, and with its sync daemons.
pub(crate) fn of_no_service(table: &Table) -> (Option<Finding>, Option<Finding>) {
    let finding = |flaw| Finding { service: None, destination: None, flaw };
    let is_mixed = |entry: &TableService| {
        let family = entry.service.key().family();
        entry.destinations.iter().any(|server| server.key.family() != family)
    };
    let mixed = !table.daemons.is_empty() && table.services.iter().any(is_mixed);
    let timeouts = table.timeouts.as_ref().and_then(timeouts);
    (timeouts.map(finding), mixed.then(|| finding(Flaw::MixedFamilyWithDaemon)))
}

/// The rule of the kernel that a refused operation has broken, as far as the operation alone shows
/// it.
pub fn explain(operation: &Operation, errno: Errno) -> Option<Flaw> {
    if !matches!(errno, Errno::EINVAL | Errno::ERANGE) {
        return None;
    }
    match operation {
        Operation::AddDestination(key, server) | Operation::UpdateDestination(key, server) => {
            let mixed = server.key.family() != key.family();
            let flaw = of_key(key, server).into_iter().find(Flaw::is_refused);
            // Nothing else about a tunnel to the other family is refused.
            flaw.or((mixed && errno == Errno::EINVAL).then_some(Flaw::MixedFamilyWithDaemon))
        }
        Operation::SetTimeouts(values) => {
            let most = [values.tcp, values.tcp_fin, values.udp].into_iter().max();
            most.map(Flaw::TimeoutOutOfRange)
        }
        // ip_vs_ctl.c: ip_vs_genl_new_daemon(). Sockets of an IPv6 group may fail with the same
        // number later on.
        Operation::StartDaemon(asked) => {
            let is_ipv4 = asked.group.is_none_or(|group| group.is_ipv4());
            daemon(asked).or((is_ipv4 && errno == Errno::EINVAL).then_some(Flaw::MixedFamilyWithDaemon))
        }
        // A netmask that the model holds is valid, and an empty service suits every scheduler: what
        // is left is ip_vs_mh.c: ip_vs_mh_init_svc().
        Operation::UpdateService(service) if service.scheduler.as_str() == "mh" && errno == Errno::EINVAL => {
            Some(Flaw::TooManyForMh)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Tunnel, TunnelFlags};

    fn web() -> Service {
        Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap())
    }

    fn server(addr: &str, port: u16) -> Destination {
        Destination::new(addr.parse().unwrap(), port)
    }

    #[test]
    fn each_unusable_destination_gets_a_finding_with_advice() {
        let good = server("198.51.100.7", 80);
        let masq = ForwardingMethod::Masquerade;
        for (server, flaw) in [
            (good, None),
            (server("198.51.100.7", 8000).with_forwarding(masq), None),
            (server("2001:db8::7", 80).with_tunnel(Tunnel::IPIP), None),
            (server("198.51.100.7", 8000), Some("use port 80, or masquerade")),
            (server("2001:db8::7", 80), Some("use a tunnel")),
            (good.with_weight(1 << 31), Some("above 2147483647")),
            (good.with_thresholds(1, 2), Some("lower threshold 2 is above")),
            (good.with_tunnel(Tunnel::gue(0, TunnelFlags::EMPTY)), Some("name it")),
            (server("224.0.0.5", 80), Some("224.0.0.5 is not the unicast")),
        ] {
            let flaws = destination(&web(), &server);
            assert_eq!(flaws.len(), usize::from(flaw.is_some()), "{flaws:?}");
            assert!(flaws.iter().all(|found| found.to_string().contains(flaw.unwrap())), "{flaws:?}");
        }
        let mark = Service::new(ServiceKey::fwmark(1, crate::model::AddressFamily::Ipv4).unwrap());
        assert_eq!(destination(&mark, &server("198.51.100.7", 8000)), [], "a mark has no port of its own");
    }

    #[test]
    fn flaws_of_services_and_tables_are_found() {
        let any_port = Service::new(ServiceKey::tcp("192.0.2.1", 0).unwrap());
        assert_eq!(service(&any_port), [Flaw::ZeroPort]);
        assert_eq!(service(&any_port.with_persistence(60)), []);
        assert_eq!(service(&web().with_one_packet()), [Flaw::OnePacketNotUdp(Protocol::Tcp)]);

        let mut mixed = Table::new();
        let mut entry = crate::model::TableService::new(web());
        entry.destinations.push(server("2001:db8::7", 80).with_tunnel(Tunnel::IPIP));
        mixed.services.push(entry);
        assert_eq!(super::table(&mixed), []);
        mixed.daemons.push(crate::model::Daemon::new(crate::model::DaemonRole::Master, "eth0".parse().unwrap(), 1));
        assert_eq!(super::table(&mixed)[0].flaw, Flaw::MixedFamilyWithDaemon);
    }

    #[test]
    fn a_refusal_names_the_rule_that_was_broken() {
        let add = |server| Operation::AddDestination(web().key(), server);
        let mixed = server("2001:db8::7", 80);
        let explained = |operation| explain(&operation, Errno::EINVAL);
        assert_eq!(explained(add(mixed)), Some(Flaw::MixedFamily(ForwardingMethod::Direct)));
        assert_eq!(explained(add(mixed.with_tunnel(Tunnel::IPIP))), Some(Flaw::MixedFamilyWithDaemon));
        assert_eq!(explained(add(server("198.51.100.7", 8000))), None, "the kernel takes that");
        assert_eq!(explain(&add(mixed), Errno::EEXIST), None);
        let mh = web().with_scheduler("mh".parse().unwrap());
        assert_eq!(explained(Operation::UpdateService(mh)), Some(Flaw::TooManyForMh));
        assert_eq!(explained(Operation::UpdateService(web())), None);
    }

    #[test]
    fn a_refused_daemon_names_its_group_or_the_servers_that_exclude_it() {
        use crate::embedded::EmbeddedDirector;
        use crate::model::{DaemonRole, TableService};
        use crate::{Director, Errno};

        let master = |group: Option<&str>| {
            let mut daemon = Daemon::new(DaemonRole::Master, "eth0".parse().unwrap(), 1);
            daemon.group = group.map(|group| group.parse().unwrap());
            daemon
        };
        let unicast = Flaw::NotMulticast("192.0.2.9".parse().unwrap());
        let mut director = EmbeddedDirector::new();
        let error = director.start_daemon(&master(Some("192.0.2.9"))).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EINVAL));
        assert!(error.to_string().contains(&unicast.to_string()), "{error}");

        director.add_service(&web()).unwrap();
        director.add_destination(&web().key(), &server("2001:db8::7", 80).with_tunnel(Tunnel::IPIP)).unwrap();
        let error = director.start_daemon(&master(Some("224.0.0.81"))).unwrap_err();
        assert!(error.to_string().contains(&Flaw::MixedFamilyWithDaemon.to_string()), "{error}");

        let mut table = Table::new();
        table.services.push(TableService::new(web()));
        table.daemons.push(master(Some("192.0.2.9")));
        assert_eq!(super::table(&table)[0].flaw, unicast);
    }
}
