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
use super::file::{CheckEntry, HealthEntry, MaskEntry, ServerEntry, ServiceEntry};
use super::{ClusterService, Member, ServerCheck, address};

/// A server of the file whose parts are already valid.
struct Server {
    span: Range<usize>,
    key: DestinationKey,
    destination: Destination,
    check: Option<Rc<ServerCheck>>,
}

/// Adds the services of an entry, one for each of its addresses.
pub(super) fn build(
    entry: Spanned<ServiceEntry>,
    seen: &mut HashSet<ServiceKey>,
    services: &mut Vec<ClusterService>,
    found: &mut Findings<'_>,
) {
    let span = entry.span();
    let mut entry = entry.into_inner();
    let addresses: Vec<_> = entry.address.take().into_iter().chain(std::mem::take(&mut entry.addresses)).collect();
    if addresses.is_empty() {
        found.add(span.clone(), "a service has an address, or addresses");
    }
    let keys: Vec<(Range<usize>, ServiceKey)> = addresses
        .iter()
        .filter_map(|text| found.take(text.span(), address::keys(text.get_ref())).map(|keys| (text.span(), keys)))
        .flat_map(|(span, keys)| keys.into_iter().map(move |key| (span.clone(), key)))
        .collect();
    let check = entry.check.take().and_then(|check| CheckEntry::build(check, found)).map(Rc::new);
    let tunnel = tunnel(&entry);
    let forwarding = method(entry.forwarding.as_ref(), ForwardingMethod::Direct, found);
    let servers: Vec<Server> = std::mem::take(&mut entry.server)
        .into_iter()
        .filter_map(|server| read_server(server, forwarding, tunnel, check.as_ref(), found))
        .collect();
    let health = entry.health.take().unwrap_or_else(|| Spanned::new(span.clone(), HealthEntry::default()));
    let sorry = health.get_ref().sorry_server.as_ref().and_then(|text| {
        let key = found.take(text.span(), server_key(text.get_ref()))?;
        Some((text.span(), Destination::with_key(key).with_forwarding(forwarding).with_tunnel_if(tunnel)))
    });
    let both = keys.iter().any(|(_, key)| key.family() == AddressFamily::Ipv4)
        && keys.iter().any(|(_, key)| key.family() == AddressFamily::Ipv6);

    for (place, key) in keys {
        if !seen.insert(key) {
            found.add(place, format!("{key} is there twice"));
            continue;
        }
        let Some(service) = service(&entry, key, found) else { continue };
        for flaw in lint::service(&service) {
            found.add(place.clone(), flaw);
        }
        let mut members: Vec<Member> = Vec::with_capacity(servers.len());
        let mut taken = HashSet::with_capacity(servers.len());
        for server in &servers {
            // One list for both families: each service takes the servers that it can reach.
            let reaches = server.key.addr.is_ipv4() == (key.family() == AddressFamily::Ipv4);
            if both && !reaches && server.destination.forwarding != ForwardingMethod::Tunnel {
                continue;
            }
            let destination = with_port(server.destination, key);
            if !taken.insert(destination.key) {
                found.add(server.span.clone(), format!("server {} is there twice", destination.key));
                continue;
            }
            for flaw in lint::destination(&service, &destination) {
                found.add(server.span.clone(), format!("{flaw} (service {key})"));
            }
            members.push(Member { destination, check: server.check.clone() });
        }
        let sorry = sorry.as_ref().map(|(span, sorry)| {
            let sorry = with_port(*sorry, key);
            for flaw in lint::destination(&service, &sorry) {
                found.add(span.clone(), format!("{flaw} (service {key})"));
            }
            if taken.contains(&sorry.key) {
                found.add(span.clone(), format!("the sorry server {} is also a server", sorry.key));
            }
            sorry
        });
        let policy = health.get_ref().policy(health.span(), sorry, found);
        services.push(ClusterService {
            name: entry.name.clone(),
            labels: entry.labels.clone(),
            service,
            members,
            policy,
        });
    }
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

fn read_server(
    entry: Spanned<ServerEntry>,
    forwarding: ForwardingMethod,
    tunnel: Tunnel,
    check: Option<&Rc<ServerCheck>>,
    found: &mut Findings<'_>,
) -> Option<Server> {
    let entry = entry.into_inner();
    let span = entry.address.span();
    let key = found.take(span.clone(), server_key(entry.address.get_ref()))?;
    let destination = Destination::with_key(key)
        .with_forwarding(method(entry.forwarding.as_ref(), forwarding, found))
        .with_tunnel_if(tunnel)
        .with_weight(entry.weight)
        .with_thresholds(entry.upper_threshold, entry.lower_threshold);
    let own = entry.check.and_then(|check| CheckEntry::build(check, found)).map(Rc::new);
    Some(Server { span, key, destination, check: own.or_else(|| check.cloned()) })
}

fn service(entry: &ServiceEntry, key: ServiceKey, found: &mut Findings<'_>) -> Option<Service> {
    let mut service = Service::new(key);
    service = match &entry.scheduler {
        None => service,
        Some(name) => service.with_scheduler(found.take(name.span(), name.get_ref().parse())?),
    };
    for flag in &entry.flags {
        let read = ServiceFlags::of_scheduler(flag.get_ref(), service.scheduler.as_str());
        service.flags |= found.take(flag.span(), read).unwrap_or_default();
    }
    if let Some(seconds) = entry.persistent {
        service = service.with_persistence(seconds);
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
