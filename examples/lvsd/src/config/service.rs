//! From a `[[service]]` of a file to the services that it stands for.

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use lvs_core::lint;
use lvs_core::model::{
    AddressFamily, Destination, DestinationKey, ForwardingMethod, Netmask, PrefixLength, Service, ServiceFlags,
    ServiceKey, Tunnel, TunnelFlags,
};
use toml::Spanned;

use super::error::Findings;
use super::file::{CheckEntry, CheckOf, Defaults, HealthEntry, MaskEntry, ServerEntry, ServiceEntry, To};
use super::{Answers, Cluster, ClusterService, Member, ServerCheck, address, names};
use crate::marks::Mark;
use crate::metrics::may_be_label;

/// A server of the file whose parts are already valid.
struct Server {
    span: Range<usize>,
    key: DestinationKey,
    /// The name whose address it is.
    name: Option<Rc<str>>,
    destination: Destination,
    check: Option<Rc<Checking>>,
}

/// A check of servers, and what it is where it is the same for all of them.
struct Checking {
    of: CheckOf,
    same: Rc<ServerCheck>,
}

impl Checking {
    fn new(of: CheckOf) -> Rc<Self> {
        Rc::new(Self { same: Rc::new(of.check.clone()), of })
    }

    fn of(&self, service: ServiceKey, server: &Destination, found: &mut Findings<'_>) -> Rc<ServerCheck> {
        if self.of.to == To::Server {
            return Rc::clone(&self.same);
        }
        let check = self.of.of(service, server).map_err(|error| format!("{error} (service {service})"));
        found.take(self.of.span.clone(), check).map_or_else(|| Rc::clone(&self.same), Rc::new)
    }
}

/// Adds the services of an entry, one for each of its addresses.
pub(super) fn build(
    entry: Spanned<ServiceEntry>,
    defaults: &Defaults,
    answers: &Answers,
    seen: &mut HashSet<ServiceKey>,
    cluster: &mut Cluster,
    found: &mut Findings<'_>,
) {
    let span = entry.span();
    let mut entry = entry.into_inner();
    let addresses: Vec<_> = entry.address.take().into_iter().chain(std::mem::take(&mut entry.addresses)).collect();
    if addresses.is_empty() {
        found.add(span.clone(), "a service has an address, or addresses");
    }
    if let Some(labels) = &entry.labels {
        for name in labels.get_ref().keys().filter(|name| !may_be_label(name)) {
            found.add(
                labels.span(),
                format!("{name:?} is no label for metrics: letters, digits and _, and none that they have already"),
            );
        }
    }
    let mark = entry.mark.take();
    let keys: Vec<(Range<usize>, ServiceKey)> = match &mark {
        Some(mark) => marked(mark, &addresses, &mut cluster.marks, found),
        None => addresses
            .iter()
            .filter_map(|text| found.take(text.span(), address::keys(text.get_ref())).map(|keys| (text.span(), keys)))
            .flat_map(|(span, keys)| keys.into_iter().map(move |key| (span.clone(), key)))
            .collect(),
    };
    let check = entry
        .check
        .take()
        .or_else(|| defaults.check.clone())
        .and_then(|check| CheckEntry::build(check, found))
        .map(Checking::new);
    let tunnel = tunnel(&entry);
    let forwarding =
        method(entry.forwarding.as_ref().or(defaults.forwarding.as_ref()), ForwardingMethod::Direct, found);
    let servers: Vec<Server> = std::mem::take(&mut entry.server)
        .into_iter()
        .flat_map(|server| read_server(server, defaults, answers, forwarding, tunnel, check.as_ref(), cluster, found))
        .collect();
    let health = entry.health.take().or_else(|| defaults.health.clone());
    let health = health.unwrap_or_else(|| Spanned::new(span.clone(), HealthEntry::default()));
    let sorry = health.get_ref().sorry_server.as_ref().and_then(|text| {
        let key = found.take(text.span(), server_key(text.get_ref()))?;
        Some((text.span(), Destination::with_key(key).with_forwarding(forwarding).with_tunnel_if(tunnel)))
    });
    let keep_weights = entry.keep_weights.as_ref().or(defaults.keep_weights.as_ref());
    let keep_weights = keep_weights.filter(|keep| *keep.get_ref()).map(Spanned::span);
    let both = keys.iter().any(|(_, key)| key.family() == AddressFamily::Ipv4)
        && keys.iter().any(|(_, key)| key.family() == AddressFamily::Ipv6);

    for (place, key) in keys {
        if !seen.insert(key) {
            found.add(place, format!("{key} is there twice"));
            continue;
        }
        let Some(service) = service(&entry, defaults, key, found) else { continue };
        for flaw in lint::service(&service) {
            found.add(place.clone(), flaw);
        }
        let mut members: Vec<Member> = Vec::with_capacity(servers.len());
        let mut taken = HashSet::with_capacity(servers.len());
        for server in &servers {
            // One list for both families: each service takes the servers that it can reach.
            let reaches = server.key.addr.is_ipv4() == (key.family() == AddressFamily::Ipv4);
            let chooses = both || server.name.is_some();
            if chooses && !reaches && server.destination.forwarding != ForwardingMethod::Tunnel {
                continue;
            }
            let destination = with_port(server.destination, key);
            if let Some(name) = &server.name {
                let flaw = lint::destination(&service, &destination).into_iter().next();
                if let Some(flaw) = flaw {
                    cluster.warnings.push(format!("{name}: {} of {key} is left out: {flaw}", destination.key));
                    continue;
                }
                if named(&servers, &destination, key) {
                    continue;
                }
            }
            if !taken.insert(destination.key) {
                // Two names may have one address.
                if server.name.is_none() {
                    found.add(server.span.clone(), format!("server {} is there twice", destination.key));
                }
                continue;
            }
            for flaw in lint::destination(&service, &destination) {
                found.add(server.span.clone(), format!("{flaw} (service {key})"));
            }
            let check = server.check.as_ref().map(|check| check.of(key, &destination, found));
            members.push(Member { destination, name: server.name.clone(), check });
        }
        let sorry = sorry.as_ref().map(|(span, sorry)| {
            let sorry = with_port(*sorry, key);
            for flaw in lint::destination(&service, &sorry) {
                found.add(span.clone(), format!("{flaw} (service {key})"));
            }
            // An address of a name that is the sorry server is that alone.
            members.retain(|member| member.name.is_none() || member.destination.key != sorry.key);
            if members.iter().any(|member| member.destination.key == sorry.key) {
                found.add(span.clone(), format!("the sorry server {} is also a server", sorry.key));
            }
            sorry
        });
        let policy = health.get_ref().policy(health.span(), sorry, found);
        if let Some(span) = &keep_weights {
            let weighs = |member: &Member| member.check.as_ref().is_some_and(|check| check.check.may_set_weights());
            if policy.slow_start.is_some() {
                found.add(span.clone(), format!("keep_weights and slow_start of {key} both set weights: keep one"));
            }
            if members.iter().any(weighs) {
                found.add(span.clone(), format!("keep_weights and a check of {key} both set weights: keep one"));
            }
        }
        cluster.services.push(ClusterService {
            name: entry.name.clone(),
            labels: entry.labels.as_ref().map(|labels| labels.get_ref().clone()).unwrap_or_default(),
            service,
            members,
            keep_weights: keep_weights.is_some(),
            policy,
        });
    }
}

/// The services of a mark, one for each family of the addresses, and the packets that get it.
fn marked(
    mark: &Spanned<u32>,
    addresses: &[Spanned<String>],
    marks: &mut Vec<Mark>,
    found: &mut Findings<'_>,
) -> Vec<(Range<usize>, ServiceKey)> {
    let mut keys: Vec<(Range<usize>, ServiceKey)> = Vec::new();
    for text in addresses {
        let Some(packets) = found.take(text.span(), address::packets(text.get_ref())) else { continue };
        let family = if packets.addr.is_ipv4() { AddressFamily::Ipv4 } else { AddressFamily::Ipv6 };
        let Some(key) = found.take(mark.span(), ServiceKey::fwmark(*mark.get_ref(), family)) else { return keys };
        if !keys.iter().any(|(_, other)| *other == key) {
            keys.push((mark.span(), key));
        }
        marks.push(Mark { mark: *mark.get_ref(), ..packets });
    }
    keys
}

/// As in ipvsadm: a server without a port has the service's.
fn with_port(mut destination: Destination, service: ServiceKey) -> Destination {
    if destination.key.port == 0 {
        destination.key.port = service.port();
    }
    destination
}

fn tunnel(entry: &ServiceEntry) -> Tunnel {
    entry.tunnel.as_ref().map_or(Tunnel::IPIP, |tunnel| Tunnel {
        kind: tunnel.kind,
        port: tunnel.port,
        flags: if tunnel.checksum { TunnelFlags::CHECKSUM } else { TunnelFlags::EMPTY },
    })
}

fn method(text: Option<&Spanned<String>>, default: ForwardingMethod, found: &mut Findings<'_>) -> ForwardingMethod {
    text.and_then(|text| found.take(text.span(), text.get_ref().parse())).unwrap_or(default)
}

fn server_key(text: &str) -> Result<DestinationKey, String> {
    text.parse().map_err(|error| format!("{text:?} is not an address or address:port ({error})"))
}

trait WithTunnel {
    /// With the tunnel of the service where packets go through one.
    fn with_tunnel_if(self, tunnel: Tunnel) -> Self;
}

impl WithTunnel for Destination {
    fn with_tunnel_if(mut self, tunnel: Tunnel) -> Self {
        if self.forwarding == ForwardingMethod::Tunnel {
            self.tunnel = tunnel;
        }
        self
    }
}

/// Whether an address of a name is one that the file names itself.
fn named(servers: &[Server], destination: &Destination, service: ServiceKey) -> bool {
    let own = servers.iter().filter(|server| server.name.is_none());
    own.into_iter().any(|server| with_port(server.destination, service).key == destination.key)
}

/// The servers of an entry: one, or as many as its name has addresses.
#[allow(clippy::too_many_arguments, reason = "what an entry does not say comes from all over the file")]
fn read_server(
    entry: Spanned<ServerEntry>,
    defaults: &Defaults,
    answers: &Answers,
    forwarding: ForwardingMethod,
    tunnel: Tunnel,
    check: Option<&Rc<Checking>>,
    cluster: &mut Cluster,
    found: &mut Findings<'_>,
) -> Vec<Server> {
    let entry = entry.into_inner();
    let span = entry.address.span();
    let (keys, name): (Vec<DestinationKey>, Option<Rc<str>>) = match names::host(entry.address.get_ref()) {
        Some((name, port)) => {
            cluster.names.insert(name.to_owned());
            let known = answers.get(name).into_iter().flatten();
            (known.map(|addr| DestinationKey { addr: *addr, port }).collect(), Some(name.into()))
        }
        None => (found.take(span.clone(), server_key(entry.address.get_ref())).into_iter().collect(), None),
    };
    let own = entry.check.and_then(|check| CheckEntry::build(check, found)).map(Checking::new);
    let check = own.or_else(|| check.cloned());
    let forwarding = method(entry.forwarding.as_ref(), forwarding, found);
    let server = |key| {
        let destination = Destination::with_key(key)
            .with_forwarding(forwarding)
            .with_tunnel_if(tunnel)
            .with_weight(entry.weight.or(defaults.weight).unwrap_or(1))
            .with_thresholds(
                entry.upper_threshold.unwrap_or(defaults.upper_threshold),
                entry.lower_threshold.unwrap_or(defaults.lower_threshold),
            );
        Server { span: span.clone(), key, name: name.clone(), destination, check: check.clone() }
    };
    keys.into_iter().map(server).collect()
}

fn persistence(seconds: u32) -> Result<u32, String> {
    let most = Service::MAX_TIMEOUT;
    if (1..=most).contains(&seconds) {
        return Ok(seconds);
    }
    Err(format!("persistent = {seconds} is not a number of seconds in 1..={most} (31 days)"))
}

fn service(entry: &ServiceEntry, defaults: &Defaults, key: ServiceKey, found: &mut Findings<'_>) -> Option<Service> {
    let mut service = Service::new(key);
    service = match entry.scheduler.as_ref().or(defaults.scheduler.as_ref()) {
        None => service,
        Some(name) => service.with_scheduler(found.take(name.span(), name.get_ref().parse())?),
    };
    for flag in &entry.flags {
        let read = ServiceFlags::of_scheduler(flag.get_ref(), service.scheduler.as_str());
        service.flags |= found.take(flag.span(), read).unwrap_or_default();
    }
    if let Some(seconds) = entry.persistent.as_ref().or(defaults.persistent.as_ref()) {
        service = service.with_persistence(found.take(seconds.span(), persistence(*seconds.get_ref()))?);
    }
    if entry.one_packet {
        service = service.with_one_packet();
    }
    if let Some(engine) = &entry.engine {
        service = service.with_engine(found.take(engine.span(), engine.get_ref().parse())?);
    }
    let Some(mask) = &entry.netmask else { return Some(service) };
    let netmask = match *mask.get_ref() {
        MaskEntry::V4(mask) => Netmask::V4(mask),
        MaskEntry::V6(length) => Netmask::V6(found.take(mask.span(), PrefixLength::new(length))?),
    };
    found.take(mask.span(), service.with_netmask(netmask))
}
