//! What plain rules can express of a value: the value itself, or the closest one.
//!
//! The emitter writes these images. What differs from the original is lost or needs an extended
//! line.

use super::Dialect;
use crate::model::{
    Daemon, Destination, ForwardingMethod, Netmask, Protocol, Service, ServiceFlags, ServiceKey, Timeouts, Tunnel,
    TunnelFlags, TunnelKind,
};
use crate::schedulers::has_flags;

const MOST: u32 = i32::MAX as u32;

/// Whether a name is one word that no reader drops or cuts.
pub(crate) fn is_word(name: &str) -> bool {
    let plain = |byte: u8| !byte.is_ascii_whitespace() && byte != 0;
    !name.is_empty() && name != "ipvsadm" && !name.starts_with('#') && name.bytes().all(plain)
}

/// `None` if plain rules cannot express the service.
pub(crate) fn service(service: &Service, dialect: Dialect) -> Option<Service> {
    let key = service.key();
    let mut said = *service;
    let one_packet = match key.protocol() {
        None | Some(Protocol::Udp) => ServiceFlags::ONE_PACKET,
        Some(Protocol::Tcp | Protocol::Sctp) => ServiceFlags::EMPTY,
        Some(Protocol::Other(_)) => return None,
    };
    if !is_word(service.scheduler.as_str()) || (key.protocol().is_some() && key.port() == 0 && !said.is_persistent()) {
        return None;
    }
    let mut flags = ServiceFlags::PERSISTENT | one_packet | ServiceFlags::SCHED_ALL;
    if dialect == Dialect::Ipvsadm && has_flags(service.scheduler.as_str()) {
        flags = flags.without(ServiceFlags::SCHED3);
    }
    said.flags = service.flags & flags;
    said.timeout = if said.is_persistent() { service.timeout.clamp(1, Service::MAX_TIMEOUT) } else { 0 };
    said.engine = service.engine.filter(|engine| is_word(engine.as_str()));
    if dialect == Dialect::Ipvsadm && !said.is_persistent() {
        said = said.with_netmask(Netmask::full(key.family())).ok()?;
    }
    Some(said)
}

/// What an extended line can express of a service: everything but names that are not single words.
pub(crate) fn extended_service(service: &Service) -> Option<Service> {
    let mut said = *service;
    said.engine = service.engine.filter(|engine| is_word(engine.as_str()));
    is_word(service.scheduler.as_str()).then_some(said)
}

/// `None` if plain rules cannot express the destination.
pub(crate) fn server(key: &ServiceKey, destination: &Destination, dialect: Dialect) -> Option<Destination> {
    let mut said = *destination;
    said.forwarding = match destination.forwarding {
        ForwardingMethod::Masquerade => ForwardingMethod::Masquerade,
        ForwardingMethod::Tunnel => ForwardingMethod::Tunnel,
        _ => ForwardingMethod::Direct,
    };
    let rewritten = said.forwarding == ForwardingMethod::Masquerade || key.protocol().is_none();
    if (!rewritten && destination.key.port != key.port())
        || (destination.key.family() != key.family() && said.forwarding != ForwardingMethod::Tunnel)
    {
        return None;
    }
    said.weight = destination.weight.min(MOST);
    said.upper_threshold = destination.upper_threshold.min(MOST);
    said.lower_threshold = destination.lower_threshold.min(MOST);
    if dialect == Dialect::Ipvsadm {
        said.upper_threshold = 0;
        said.lower_threshold = 0;
    }
    said.tunnel = match (said.forwarding, destination.tunnel) {
        (ForwardingMethod::Tunnel, Tunnel { kind: TunnelKind::Gue, port: port @ 1.., flags }) => {
            Tunnel::gue(port, if flags.bits() > 2 { TunnelFlags::EMPTY } else { flags })
        }
        (ForwardingMethod::Tunnel, Tunnel { kind: TunnelKind::Gre, flags, .. }) => {
            Tunnel::gre(if flags.bits() > 1 { TunnelFlags::EMPTY } else { flags })
        }
        _ => Tunnel::IPIP,
    };
    Some(said)
}

pub(crate) fn timeouts(timeouts: Timeouts) -> Timeouts {
    let Timeouts { tcp, tcp_fin, udp } = timeouts;
    Timeouts {
        tcp: tcp.min(Service::MAX_TIMEOUT),
        tcp_fin: tcp_fin.min(Service::MAX_TIMEOUT),
        udp: udp.min(Service::MAX_TIMEOUT),
    }
}

/// Whether plain rules can express the daemon completely.
pub(crate) fn is_plain_daemon(daemon: &Daemon) -> bool {
    daemon.sync_id <= 255
        && daemon.max_len.is_none_or(|length| (1..=65507).contains(&length))
        && daemon.group.is_none_or(|group| group.is_multicast())
        && daemon.port != Some(0)
        && daemon.ttl != Some(0)
}
