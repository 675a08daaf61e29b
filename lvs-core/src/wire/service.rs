//! The SERVICE nest.

use std::num::NonZeroU32;

use netlink_packet_core::NLA_F_NESTED;

use super::DecodeError;
use super::attr::{Attribute, Attributes, write_nest};
use super::destination::{address, ip_addr};
use super::kind::{Address, Be16, Bytes4, FlagsAndMask, Stats32, Stats64, Text, TextBytes, U16, U32};
use super::table::attributes;
use super::top::numbers::IPVS_CMD_ATTR_SERVICE;
use crate::errno::Errno;
use crate::model::{
    AddressFamily, EngineName, Netmask, PrefixLength, Protocol, SchedulerName, Service, ServiceEntry, ServiceFlags,
    ServiceKey,
};

attributes! {
    /// The SERVICE nest, in the order of `ip_vs_genl_fill_service()`.
    ServiceFields /
    /// An attribute of a service (`IPVS_SVC_ATTR_*`). `Netmask` is a mask in network order for
    /// IPv4, a prefix length in host order for IPv6; `Flags` is two numbers in host order, flags
    /// and mask.
    ServiceAttribute [config = Service, state = ServiceEntry] {
        IPVS_SVC_ATTR_AF = 1: U16 => family / AddressFamily, since "2.6";
        IPVS_SVC_ATTR_FWMARK = 5: U32 => fwmark / Fwmark, since "2.6";
        IPVS_SVC_ATTR_PROTOCOL = 2: U16 => protocol / Protocol, since "2.6";
        IPVS_SVC_ATTR_ADDR = 3: Address => addr / Address, since "2.6";
        IPVS_SVC_ATTR_PORT = 4: Be16 => port / Port, since "2.6";
        IPVS_SVC_ATTR_SCHED_NAME = 6: Text<{ SchedulerName::MAX_LEN }> => scheduler / Scheduler, since "2.6";
        IPVS_SVC_ATTR_PE_NAME = 11: Text<{ EngineName::MAX_LEN }> => engine / Engine, since "2.6";
        IPVS_SVC_ATTR_FLAGS = 7: FlagsAndMask => flags / Flags, since "2.6";
        IPVS_SVC_ATTR_TIMEOUT = 8: U32 => timeout / Timeout, since "2.6", config(timeout);
        IPVS_SVC_ATTR_NETMASK = 9: Bytes4 => netmask / Netmask, since "2.6";
        IPVS_SVC_ATTR_STATS = 10: Stats32 => stats / Stats, since "2.6", state(stats);
        IPVS_SVC_ATTR_STATS64 = 12: Stats64 => stats64 / Stats64, since "4.1", state(stats64);
    }
}

impl<'a> ServiceFields<'a> {
    /// What identifies a service: what all commands but `NewService` and `SetService` need.
    #[inline]
    pub(crate) fn key(key: &ServiceKey) -> Self {
        let mut fields = Self { family: Some(key.family().number()), ..Self::default() };
        match *key {
            ServiceKey::Fwmark { mark, .. } => fields.fwmark = Some(mark.get()),
            ServiceKey::Endpoint { protocol, addr, port } => {
                fields.protocol = Some(protocol.number());
                fields.addr = Some(address(addr));
                fields.port = Some(port);
            }
        }
        fields
    }

    /// What is configured of a service. All flag bits are set, but the kernel's own, which it keeps
    /// by itself.
    #[inline]
    pub(crate) fn service(service: &'a Service) -> Self {
        Self::configured(service, service.flags)
    }

    /// All of a service, the bit [`ServiceFlags::HASHED`] included, as the kernel has it.
    #[inline]
    pub(crate) fn entry(entry: &'a ServiceEntry) -> Self {
        let mut fields = Self::configured(&entry.service, entry.service.flags | ServiceFlags::HASHED);
        fields.set_state(entry);
        fields
    }

    /// A service that no kernel accepts: its prefix length is 0, which the model cannot express.
    /// The kernel looks up its scheduler before it finds that out (`ip_vs_add_service()`).
    pub(crate) fn scheduler_probe(key: &ServiceKey, scheduler: &'a SchedulerName) -> Self {
        Self {
            scheduler: Some(TextBytes(scheduler.as_str().as_bytes())),
            flags: Some([0; 8]),
            timeout: Some(0),
            netmask: Some([0; 4]),
            ..Self::key(key)
        }
    }

    #[inline]
    fn configured(service: &'a Service, flags: ServiceFlags) -> Self {
        let mut fields = Self::key(&service.key());
        fields.set_config(service);
        fields.scheduler = Some(TextBytes(service.scheduler.as_str().as_bytes()));
        fields.engine = service.engine.as_ref().map(|engine| TextBytes(engine.as_str().as_bytes()));
        let mut flags_and_mask = [0xff; 8];
        flags_and_mask[..4].copy_from_slice(&flags.bits().to_ne_bytes());
        fields.flags = Some(flags_and_mask);
        fields.netmask = Some(match service.netmask() {
            Netmask::V4(mask) => mask.octets(),
            Netmask::V6(length) => u32::from(length).to_ne_bytes(),
        });
        fields
    }

    fn flags_and_mask(&self) -> [ServiceFlags; 2] {
        let [a, b, c, d, e, f, g, h] = self.flags.unwrap_or_default();
        [[a, b, c, d], [e, f, g, h]].map(|bytes| ServiceFlags::from_bits(u32::from_ne_bytes(bytes)))
    }
}

/// Appends the SERVICE nest that identifies a service, as requests have it.
pub fn write_key(buf: &mut Vec<u8>, key: &ServiceKey) {
    write_nest(buf, IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED, &ServiceFields::key(key));
}

/// Appends the SERVICE nest of `NewService` and `SetService`.
pub fn write(buf: &mut Vec<u8>, service: &Service) {
    write_nest(buf, IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED, &ServiceFields::service(service));
}

/// Appends the SERVICE nest of a reply.
pub fn write_entry(buf: &mut Vec<u8>, entry: &ServiceEntry) {
    write_nest(buf, IPVS_CMD_ATTR_SERVICE, &ServiceFields::entry(entry));
}

/// Reads the SERVICE nest of a reply.
///
/// # Errors
/// When the nest lacks an attribute that identifies a service, or one holds what no kernel sends.
pub fn read_entry(nest: Attributes<'_>) -> Result<ServiceEntry, DecodeError> {
    let fields = ServiceFields::read(nest);
    let invalid = |what| DecodeError::invalid("service", what);
    let missing = |attribute| DecodeError::missing("service", attribute);
    let family = AddressFamily::from_number(fields.family.ok_or(missing("IPVS_SVC_ATTR_AF"))?)
        .ok_or(invalid("an unknown address family"))?;
    let key = match fields.fwmark {
        Some(mark) => ServiceKey::Fwmark { mark: NonZeroU32::new(mark).ok_or(invalid("firewall mark 0"))?, family },
        None => ServiceKey::Endpoint {
            protocol: Protocol::from_number(fields.protocol.ok_or(missing("IPVS_SVC_ATTR_PROTOCOL"))?),
            addr: ip_addr(family, fields.addr.ok_or(missing("IPVS_SVC_ATTR_ADDR"))?),
            port: fields.port.ok_or(missing("IPVS_SVC_ATTR_PORT"))?,
        },
    };
    let scheduler = fields.scheduler.and_then(TextBytes::as_str).ok_or(missing("IPVS_SVC_ATTR_SCHED_NAME"))?;
    let scheduler = SchedulerName::new(scheduler).map_err(|_| invalid("a scheduler's name that is too long"))?;
    let [flags, _] = fields.flags_and_mask();
    let mut service = Service::new(key).with_scheduler(scheduler).with_flags(flags.without(ServiceFlags::HASHED));
    fields.fill_config(&mut service);
    if let Some(bytes) = fields.netmask {
        let netmask = netmask(family, bytes).ok_or(invalid("a prefix length outside 1..=128"))?;
        service = service.with_netmask(netmask).map_err(|_| invalid("a netmask of another family"))?;
    }
    if let Some(name) = fields.engine.and_then(TextBytes::as_str).filter(|name| !name.is_empty()) {
        service = service.with_engine(EngineName::new(name).map_err(|_| invalid("an engine's name that is too long"))?);
    }
    let mut entry = ServiceEntry::new(service);
    fields.fill_state(&mut entry);
    Ok(entry)
}

fn netmask(family: AddressFamily, bytes: [u8; 4]) -> Option<Netmask> {
    match family {
        AddressFamily::Ipv4 => Some(Netmask::V4(bytes.into())),
        AddressFamily::Ipv6 => PrefixLength::new(u32::from_ne_bytes(bytes)).ok().map(Netmask::V6),
    }
}

/// A SERVICE nest of a request, read with the kernel's own leniency and strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestedService {
    /// Which service.
    pub key: ServiceKey,
    /// How to configure it; absent where only the key was read.
    pub configuration: Option<ServiceConfiguration>,
}

/// What `NewService` and `SetService` ask for of a service beyond its key.
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
    /// `EINVAL` when it is an IPv6 prefix length outside 1..=128. The kernel looks at it after it
    /// has looked up scheduler and engine (`ip_vs_add_service()`), so ask in that order.
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
/// What the kernel answers (`ip_vs_genl_parse_service()`): `EINVAL` when an attribute is missing or
/// breaks the policy, `EAFNOSUPPORT` for another family than the two.
pub fn read_request(nest: Option<Attribute<'_>>, full: bool) -> Result<RequestedService, Errno> {
    let nest = nest.ok_or(Errno::EINVAL)?.nested();
    let fields = ServiceFields::read_request(nest).map_err(|_| Errno::EINVAL)?;
    let family = fields.family.ok_or(Errno::EINVAL)?;
    let endpoint = fields.protocol.zip(fields.addr).zip(fields.port);
    if endpoint.is_none() && fields.fwmark.is_none() {
        return Err(Errno::EINVAL);
    }
    let family = AddressFamily::from_number(family).ok_or(Errno::EAFNOSUPPORT)?;
    let key = match (fields.fwmark, endpoint) {
        (Some(mark), _) => match NonZeroU32::new(mark) {
            Some(mark) => ServiceKey::Fwmark { mark, family },
            // Mark 0 is no mark: what is left is TCP, no address, no port.
            None => ServiceKey::Endpoint { protocol: Protocol::Tcp, addr: family.unspecified(), port: 0 },
        },
        (None, Some(((protocol, addr), port))) => {
            ServiceKey::Endpoint { protocol: Protocol::from_number(protocol), addr: ip_addr(family, addr), port }
        }
        (None, None) => return Err(Errno::EINVAL),
    };
    let configuration = if full { Some(configuration(&fields, family)?) } else { None };
    Ok(RequestedService { key, configuration })
}

fn configuration(fields: &ServiceFields<'_>, family: AddressFamily) -> Result<ServiceConfiguration, Errno> {
    let (Some(scheduler), Some(_), Some(timeout), Some(netmask)) =
        (fields.scheduler, fields.flags, fields.timeout, fields.netmask)
    else {
        return Err(Errno::EINVAL);
    };
    let [flags, mask] = fields.flags_and_mask();
    let engine = match fields.engine.map(|name| name.as_str().unwrap_or("?")) {
        None | Some("") => None,
        Some(name) => Some(EngineName::new(name).map_err(|_| Errno::EINVAL)?),
    };
    Ok(ServiceConfiguration {
        scheduler: SchedulerName::new(scheduler.as_str().unwrap_or_default()).map_err(|_| Errno::EINVAL)?,
        engine,
        flags,
        mask,
        timeout,
        netmask,
        family,
    })
}
