//! The SERVICE nest.

use std::num::NonZeroU32;

use super::attr::{
    Attribute, Attributes, close, open, open_marked, put_address, put_be16, put_bytes4, put_bytes8, put_text, put_u16,
    put_u32,
};
use super::uapi::*;
use super::{WireError, policy, stats};
use crate::errno::Errno;
use crate::model::{
    AddressFamily, EngineName, Netmask, PrefixLength, Protocol, SchedulerName, Service, ServiceEntry, ServiceFlags,
    ServiceKey,
};

/// Appends a SERVICE nest that identifies a service: what all commands but `NewService` and `SetService` need.
pub fn write_key(buf: &mut Vec<u8>, key: &ServiceKey) {
    let nest = open_marked(buf, IPVS_CMD_ATTR_SERVICE);
    write_identity(buf, key);
    close(buf, nest);
}

/// Appends a SERVICE nest for `NewService` and `SetService`. All flag bits are set, but the kernel's own, which it
/// keeps by itself.
pub fn write(buf: &mut Vec<u8>, service: &Service) {
    let nest = open_marked(buf, IPVS_CMD_ATTR_SERVICE);
    write_identity(buf, &service.key());
    write_configuration(buf, service, service.flags);
    close(buf, nest);
}

/// Appends a SERVICE nest as the kernel replies with it, the bit [`ServiceFlags::HASHED`] included.
pub fn write_entry(buf: &mut Vec<u8>, entry: &ServiceEntry) {
    let nest = open(buf, IPVS_CMD_ATTR_SERVICE);
    write_identity(buf, &entry.service.key());
    write_configuration(buf, &entry.service, entry.service.flags | ServiceFlags::HASHED);
    if let Some(narrow) = &entry.stats {
        stats::write(buf, IPVS_SVC_ATTR_STATS, narrow);
    }
    if let Some(wide) = &entry.stats64 {
        stats::write64(buf, IPVS_SVC_ATTR_STATS64, wide);
    }
    close(buf, nest);
}

fn write_identity(buf: &mut Vec<u8>, key: &ServiceKey) {
    put_u16(buf, IPVS_SVC_ATTR_AF, key.family().number());
    match *key {
        ServiceKey::Fwmark { mark, .. } => put_u32(buf, IPVS_SVC_ATTR_FWMARK, mark.get()),
        ServiceKey::Endpoint { protocol, addr, port } => {
            put_u16(buf, IPVS_SVC_ATTR_PROTOCOL, protocol.number());
            put_address(buf, IPVS_SVC_ATTR_ADDR, addr);
            put_be16(buf, IPVS_SVC_ATTR_PORT, port);
        }
    }
}

fn write_configuration(buf: &mut Vec<u8>, service: &Service, flags: ServiceFlags) {
    put_text(buf, IPVS_SVC_ATTR_SCHED_NAME, service.scheduler.as_str());
    if let Some(engine) = &service.engine {
        put_text(buf, IPVS_SVC_ATTR_PE_NAME, engine.as_str());
    }
    let mut both = [0xff; 8];
    both[..4].copy_from_slice(&flags.bits().to_ne_bytes());
    put_bytes8(buf, IPVS_SVC_ATTR_FLAGS, both);
    put_u32(buf, IPVS_SVC_ATTR_TIMEOUT, service.timeout);
    let netmask = match service.netmask() {
        Netmask::V4(mask) => mask.octets(),
        Netmask::V6(length) => u32::from(length).to_ne_bytes(),
    };
    put_bytes4(buf, IPVS_SVC_ATTR_NETMASK, netmask);
}

/// Reads the SERVICE nest of a reply.
///
/// # Errors
/// When the nest lacks an attribute that identifies a service, or one holds what no kernel sends.
pub fn read_entry(nest: Attributes<'_>) -> Result<ServiceEntry, WireError> {
    let mut raw = Raw::default();
    let (mut narrow, mut wide) = (None, None);
    for attribute in nest {
        match attribute.number() {
            IPVS_SVC_ATTR_STATS => narrow = Some(stats::read(attribute.nested())),
            IPVS_SVC_ATTR_STATS64 => wide = Some(stats::read(attribute.nested())),
            _ => raw.take(attribute),
        }
    }
    let invalid = |what| WireError::invalid("service", what);
    let family = AddressFamily::from_number(raw.family.ok_or(WireError::missing("service", "AF"))?)
        .ok_or(invalid("an unknown address family"))?;
    let key = match raw.fwmark {
        Some(mark) => ServiceKey::Fwmark { mark: NonZeroU32::new(mark).ok_or(invalid("firewall mark 0"))?, family },
        None => ServiceKey::Endpoint {
            protocol: Protocol::from_number(raw.protocol.ok_or(WireError::missing("service", "PROTOCOL"))?),
            addr: raw.addr.and_then(|addr| addr.address(family)).ok_or(WireError::missing("service", "ADDR"))?,
            port: raw.port.ok_or(WireError::missing("service", "PORT"))?,
        },
    };
    let scheduler = raw.scheduler.and_then(|name| name.text()).ok_or(WireError::missing("service", "SCHED_NAME"))?;
    let scheduler = SchedulerName::new(scheduler).map_err(|_| invalid("a scheduler's name that is too long"))?;
    let flags = raw.flags.and_then(|flags| flags.u32()).unwrap_or(0);
    let mut service = Service::new(key)
        .with_scheduler(scheduler)
        .with_flags(ServiceFlags::from_bits(flags).without(ServiceFlags::HASHED));
    service.timeout = raw.timeout.unwrap_or(0);
    if let Some(bytes) = raw.netmask {
        let netmask = netmask(family, bytes).ok_or(invalid("a prefix length outside 1..=128"))?;
        service = service.with_netmask(netmask).map_err(|_| invalid("a netmask of another family"))?;
    }
    if let Some(name) = raw.engine.and_then(|name| name.text()).filter(|name| !name.is_empty()) {
        service = service.with_engine(EngineName::new(name).map_err(|_| invalid("an engine's name that is too long"))?);
    }
    let mut entry = ServiceEntry::new(service);
    entry.stats = narrow;
    entry.stats64 = wide;
    Ok(entry)
}

fn netmask(family: AddressFamily, bytes: [u8; 4]) -> Option<Netmask> {
    match family {
        AddressFamily::Ipv4 => Some(Netmask::V4(bytes.into())),
        AddressFamily::Ipv6 => PrefixLength::new(u32::from_ne_bytes(bytes)).ok().map(Netmask::V6),
    }
}

/// The last of each attribute, as the kernel takes it.
#[derive(Default)]
struct Raw<'a> {
    family: Option<u16>,
    protocol: Option<u16>,
    addr: Option<Attribute<'a>>,
    port: Option<u16>,
    fwmark: Option<u32>,
    scheduler: Option<Attribute<'a>>,
    engine: Option<Attribute<'a>>,
    flags: Option<Attribute<'a>>,
    timeout: Option<u32>,
    netmask: Option<[u8; 4]>,
}

impl<'a> Raw<'a> {
    #[inline]
    fn take(&mut self, attribute: Attribute<'a>) {
        match attribute.number() {
            IPVS_SVC_ATTR_AF => self.family = attribute.u16(),
            IPVS_SVC_ATTR_PROTOCOL => self.protocol = attribute.u16(),
            IPVS_SVC_ATTR_ADDR => self.addr = Some(attribute),
            IPVS_SVC_ATTR_PORT => self.port = attribute.be16(),
            IPVS_SVC_ATTR_FWMARK => self.fwmark = attribute.u32(),
            IPVS_SVC_ATTR_SCHED_NAME => self.scheduler = Some(attribute),
            IPVS_SVC_ATTR_PE_NAME => self.engine = Some(attribute),
            IPVS_SVC_ATTR_FLAGS => self.flags = Some(attribute),
            IPVS_SVC_ATTR_TIMEOUT => self.timeout = attribute.u32(),
            IPVS_SVC_ATTR_NETMASK => self.netmask = attribute.bytes4(),
            _ => {}
        }
    }
}

/// A SERVICE nest of a request, read with the kernel's own leniency and strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceRequest {
    /// Which service.
    pub key: ServiceKey,
    /// What it is to be; absent where only the identity was asked for.
    pub configuration: Option<ServiceConfiguration>,
}

/// What `NewService` and `SetService` say of a service beyond its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceConfiguration {
    /// The scheduler. A name that is not UTF-8 becomes the empty one: no director has either.
    pub scheduler: SchedulerName,
    /// The persistence engine; the empty name is none. One that is not UTF-8 becomes `?`.
    pub engine: Option<EngineName>,
    /// The flag bits to set.
    pub flags: ServiceFlags,
    /// The flag bits that count: the others stay as they are.
    pub mask: ServiceFlags,
    /// The persistence timeout in seconds.
    pub timeout: u32,
    netmask: [u8; 4],
    family: AddressFamily,
}

impl ServiceConfiguration {
    /// The netmask.
    ///
    /// # Errors
    /// `EINVAL` when it is an IPv6 prefix length outside 1..=128. The kernel looks at it after it has looked up
    /// scheduler and engine (`ip_vs_add_service()`), so ask in that order.
    pub fn netmask(&self) -> Result<Netmask, Errno> {
        netmask(self.family, self.netmask).ok_or(Errno::EINVAL)
    }

    /// The flags after the request, from those before it: none for `NewService`.
    pub fn apply_flags(&self, before: ServiceFlags) -> ServiceFlags {
        before.without(self.mask) | (self.flags & self.mask)
    }
}

/// Reads the SERVICE nest of a request; `full` for `NewService` and `SetService`.
///
/// # Errors
/// What the kernel answers (`ip_vs_genl_parse_service()`): `EINVAL` when an attribute is missing or breaks the policy,
/// `EAFNOSUPPORT` for another family than the two.
pub fn read_request(nest: Option<Attribute<'_>>, full: bool) -> Result<ServiceRequest, Errno> {
    let mut raw = Raw::default();
    for attribute in nest.ok_or(Errno::EINVAL)?.nested() {
        let payload = attribute.payload;
        let sound = match attribute.number() {
            IPVS_SVC_ATTR_AF | IPVS_SVC_ATTR_PROTOCOL | IPVS_SVC_ATTR_PORT => payload.len() >= 2,
            IPVS_SVC_ATTR_FWMARK | IPVS_SVC_ATTR_TIMEOUT | IPVS_SVC_ATTR_NETMASK => payload.len() >= 4,
            IPVS_SVC_ATTR_ADDR => payload.len() <= 16,
            IPVS_SVC_ATTR_FLAGS => payload.len() <= 8,
            IPVS_SVC_ATTR_SCHED_NAME => policy::is_nul_text(payload, SchedulerName::MAX_LEN),
            IPVS_SVC_ATTR_PE_NAME => policy::is_nul_text(payload, EngineName::MAX_LEN),
            // The kernel's policy has no line for STATS64.
            IPVS_SVC_ATTR_STATS => policy::is_nest(payload),
            _ => true,
        };
        if !sound {
            return Err(Errno::EINVAL);
        }
        raw.take(attribute);
    }
    let family = raw.family.ok_or(Errno::EINVAL)?;
    let endpoint = raw.protocol.zip(raw.addr).zip(raw.port);
    if endpoint.is_none() && raw.fwmark.is_none() {
        return Err(Errno::EINVAL);
    }
    let family = AddressFamily::from_number(family).ok_or(Errno::EAFNOSUPPORT)?;
    let key = match (raw.fwmark, endpoint) {
        (Some(mark), _) => match NonZeroU32::new(mark) {
            Some(mark) => ServiceKey::Fwmark { mark, family },
            // Mark 0 is no mark: what is left is TCP, no address, no port.
            None => ServiceKey::Endpoint { protocol: Protocol::Tcp, addr: family.unspecified(), port: 0 },
        },
        (None, Some(((protocol, addr), port))) => ServiceKey::Endpoint {
            protocol: Protocol::from_number(protocol),
            addr: addr.address(family).ok_or(Errno::EINVAL)?,
            port,
        },
        (None, None) => return Err(Errno::EINVAL),
    };
    let configuration = if full { Some(configuration(&raw, family)?) } else { None };
    Ok(ServiceRequest { key, configuration })
}

fn configuration(raw: &Raw<'_>, family: AddressFamily) -> Result<ServiceConfiguration, Errno> {
    let (Some(scheduler), Some(flags), Some(timeout), Some(netmask)) =
        (raw.scheduler, raw.flags, raw.timeout, raw.netmask)
    else {
        return Err(Errno::EINVAL);
    };
    let mut both = [0; 8];
    both[..flags.payload.len()].copy_from_slice(flags.payload);
    let [a, b, c, d, e, f, g, h] = both;
    let engine = match raw.engine.map(|name| name.text().unwrap_or("?")) {
        None | Some("") => None,
        Some(name) => Some(EngineName::new(name).map_err(|_| Errno::EINVAL)?),
    };
    Ok(ServiceConfiguration {
        scheduler: SchedulerName::new(scheduler.text().unwrap_or_default()).map_err(|_| Errno::EINVAL)?,
        engine,
        flags: ServiceFlags::from_bits(u32::from_ne_bytes([a, b, c, d])),
        mask: ServiceFlags::from_bits(u32::from_ne_bytes([e, f, g, h])),
        timeout,
        netmask,
        family,
    })
}
