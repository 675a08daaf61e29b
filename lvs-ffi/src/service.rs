//! Virtual services: keys, configuration and state.

use std::ffi::c_char;
use std::net::{IpAddr, Ipv4Addr};

use lvs_core::model::{
    AddressFamily, EngineName, Netmask, PrefixLength, Protocol, SchedulerName, Service, ServiceEntry, ServiceFlags,
    ServiceKey,
};

use crate::address::{self, lvs_address};
use crate::boundary::{call, infallible};
use crate::error::{Failure, lvs_error};
use crate::exports::init;
use crate::handle::{self, field, padded, place, print, to_field};
use crate::record::{self, record, zeroed};
use crate::stats::{lvs_stats, present};
use crate::status::lvs_status;

/// TCP.
pub const LVS_PROTOCOL_TCP: u16 = 6;
/// UDP.
pub const LVS_PROTOCOL_UDP: u16 = 17;
/// SCTP.
pub const LVS_PROTOCOL_SCTP: u16 = 132;

/// Connections of one client network stick to one destination.
pub const LVS_SERVICE_PERSISTENT: u32 = 0x1;
/// Every UDP datagram is scheduled by itself.
pub const LVS_SERVICE_ONE_PACKET: u32 = 0x4;
/// First scheduler flag: sh-fallback, mh-fallback.
pub const LVS_SERVICE_SCHED1: u32 = 0x8;
/// Second scheduler flag: sh-port, mh-port.
pub const LVS_SERVICE_SCHED2: u32 = 0x10;
/// Third scheduler flag: no scheduler of the kernel uses it.
pub const LVS_SERVICE_SCHED3: u32 = 0x20;

/// The netmask that tells every client from every other, for both address families.
pub const LVS_NETMASK_FULL: u32 = 0xffff_ffff;
/// A buffer of this size holds any service key as text, and its NUL byte.
pub const LVS_SERVICE_KEY_STRLEN: usize = 80;

/// What identifies a virtual service: an address and port of a protocol, or a firewall mark. Its
/// layout never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_service_key {
    /// The virtual address; for a firewall mark only its family counts.
    pub addr: lvs_address,
    /// The port in host order; 0 stands for all ports of a persistent service, and for a firewall
    /// mark.
    pub port: u16,
    /// LVS_PROTOCOL_TCP, _UDP, _SCTP or any other number that the kernel keeps; 0 for a firewall
    /// mark.
    pub protocol: u16,
    /// The firewall mark, or 0 for a service at an address.
    pub fwmark: u32,
    /// Reserved: must be 0.
    pub reserved: u32,
}

impl From<ServiceKey> for lvs_service_key {
    #[inline]
    fn from(key: ServiceKey) -> Self {
        match key {
            ServiceKey::Endpoint { protocol, addr, port } => {
                Self { addr: addr.into(), port, protocol: protocol.number(), fwmark: 0, reserved: 0 }
            }
            ServiceKey::Fwmark { mark, family } => Self {
                addr: lvs_address { family: family.number(), ..lvs_address::NONE },
                port: 0,
                protocol: 0,
                fwmark: mark.get(),
                reserved: 0,
            },
        }
    }
}

impl lvs_service_key {
    pub(crate) fn to_key(self) -> Result<ServiceKey, Failure> {
        record::zero("lvs_service_key.reserved", self.reserved)?;
        if self.fwmark == 0 {
            let addr = self.addr.to_addr("the address of the service")?;
            return Ok(ServiceKey::endpoint(Protocol::from_number(self.protocol), addr, self.port));
        }
        if self.port != 0 || self.protocol != 0 || self.addr.bytes != [0; 16] {
            return Err(Failure::invalid("a firewall-mark service has no protocol, address or port"));
        }
        record::zero("lvs_address.reserved", self.addr.reserved)?;
        Ok(ServiceKey::fwmark(self.fwmark, address::family(self.addr.family)?)?)
    }
}

/// A netmask as records hold it.
pub(crate) fn netmask(family: AddressFamily, value: u32) -> Result<Netmask, Failure> {
    Ok(match (family, value) {
        (AddressFamily::Ipv4, mask) => Netmask::V4(Ipv4Addr::from_bits(mask)),
        (AddressFamily::Ipv6, LVS_NETMASK_FULL) => Netmask::full(AddressFamily::Ipv6),
        (AddressFamily::Ipv6, length) => Netmask::V6(PrefixLength::new(length)?),
    })
}

/// A key that came from C.
pub(crate) unsafe fn key(key: *const lvs_service_key) -> Result<ServiceKey, Failure> {
    // SAFETY: NULL or valid, by the promise of the caller.
    unsafe { place(key.cast_mut(), "the service key")?.read().to_key() }
}

/// A virtual service as you configure it. Initialise it with LVS_SERVICE_INIT: scheduler wlc, no
/// flags, full netmask.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_service {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// LVS_SERVICE_... bits. Bits without a name are kept.
    pub flags: u32,
    /// What identifies the service.
    pub key: lvs_service_key,
    /// How long persistence lasts, in seconds; kept for services that are not persistent, too.
    pub timeout: u32,
    /// Which clients persistence counts as one. IPv4: a mask in host order, such as 0xffffff00.
    /// IPv6: a prefix length, 1 to 128. LVS_NETMASK_FULL for both: every client counts by itself.
    pub netmask: u32,
    /// The scheduler, at most 15 bytes and a NUL byte.
    pub scheduler: [c_char; 16],
    /// The persistence engine, at most 16 bytes and a NUL byte; empty for none.
    pub engine: [c_char; 24],
}

/// What a director reports of a service beside its configuration. Initialise it with
/// LVS_SERVICE_STATE_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_service_state {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Which statistics the director reported: LVS_STATS_PRESENT, LVS_STATS32_PRESENT,
    /// LVS_STATS64_PRESENT.
    pub present: u32,
    /// The widest statistics reported; lvs_snapshot_service_stats32() has those of 32 bits.
    pub stats: lvs_stats,
}

record! {
    lvs_service: 88;
    lvs_service_state: 88;
}

init!(
    lvs_service_init, service: lvs_service,
    lvs_service { netmask: LVS_NETMASK_FULL, scheduler: to_field("wlc"), ..zeroed() }
);

init!(lvs_service_state_init, state: lvs_service_state, zeroed());

impl From<&Service> for lvs_service {
    #[inline]
    fn from(service: &Service) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            flags: service.flags.bits(),
            key: service.key().into(),
            timeout: service.timeout,
            netmask: match service.netmask() {
                Netmask::V4(mask) => mask.to_bits(),
                Netmask::V6(PrefixLength::FULL) => LVS_NETMASK_FULL,
                Netmask::V6(length) => u32::from(length),
            },
            scheduler: padded(service.scheduler.padded()),
            engine: service.engine.as_ref().map_or([0; 24], |engine| padded(engine.padded())),
        }
    }
}

impl lvs_service {
    pub(crate) fn to_service(self) -> Result<Service, Failure> {
        let key = self.key.to_key()?;
        let netmask = netmask(key.family(), self.netmask)?;
        let mut service = Service::new(key)
            .with_scheduler(SchedulerName::new(field(&self.scheduler, "the scheduler's name")?)?)
            .with_flags(ServiceFlags::from_bits(self.flags))
            .with_netmask(netmask)?;
        service.timeout = self.timeout;
        let engine = field(&self.engine, "the engine's name")?;
        service.engine = if engine.is_empty() { None } else { Some(EngineName::new(engine)?) };
        Ok(service)
    }
}

/// A service that came from C.
pub(crate) unsafe fn read(service: *const lvs_service) -> Result<Service, Failure> {
    // SAFETY: NULL or as large as it says, by the promise of the caller.
    unsafe { record::read(service)?.to_service() }
}

/// Fills the records of a service; each may be NULL.
///
/// Part of each of its callers, by force: they do little else, and agents call them for every
/// entry.
#[inline(always)]
pub(crate) unsafe fn write_entry(
    entry: &ServiceEntry,
    service: *mut lvs_service,
    state: *mut lvs_service_state,
) -> Result<(), Failure> {
    // SAFETY: NULL or as large as they say, by the promise of the caller.
    unsafe {
        record::write_optional(service, || (&entry.service).into())?;
        record::write_optional(state, || lvs_service_state {
            struct_size: size_of::<lvs_service_state>() as u32,
            present: present(entry.stats.is_some(), entry.stats64.is_some()),
            stats: entry.stats64.as_ref().or(entry.stats.as_ref()).into(),
        })
    }
}

/// Reads a key as people write it: "tcp://192.0.2.1:80", "udp://[2001:db8::1]:53",
/// "192.0.2.1:80/sctp", "192.0.2.1:80" (TCP), "fwmark:7", "fwmark:7/ipv6". Any thread.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_service_key_parse(
    text: *const c_char,
    key: *mut lvs_service_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let key = place(key, "key")?;
        key.write(handle::text(text, "text")?.parse::<ServiceKey>()?.into());
        Ok(())
    })
}

/// Makes the key of a service at an address given as text. `protocol` is LVS_PROTOCOL_..., `port`
/// is in host order. Any thread.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_service_key_endpoint(
    protocol: u16,
    addr: *const c_char,
    port: u16,
    key: *mut lvs_service_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let key = place(key, "key")?;
        let addr: IpAddr = address::parse(addr, "addr")?;
        key.write(ServiceKey::endpoint(Protocol::from_number(protocol), addr, port).into());
        Ok(())
    })
}

/// Makes the key of a firewall-mark service. `fwmark` is not 0; `family` is LVS_FAMILY_IPV4 or
/// LVS_FAMILY_IPV6: the two services of one mark are different ones. Any thread.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_service_key_fwmark(
    fwmark: u32,
    family: u16,
    key: *mut lvs_service_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let key = place(key, "key")?;
        key.write(ServiceKey::fwmark(fwmark, address::family(family)?)?.into());
        Ok(())
    })
}

/// Writes a key as text, such as "tcp://192.0.2.1:80" or "fwmark:7/ipv6", into `buffer` of `size`
/// bytes, cut short if it does not fit, and always with a NUL byte (unless `size` is 0). Returns
/// the length of the whole text without the NUL byte, or 0 if `key` is NULL or no key.
/// LVS_SERVICE_KEY_STRLEN bytes are enough. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_service_key_format(
    key: *const lvs_service_key,
    buffer: *mut c_char,
    size: usize,
) -> usize {
    infallible!(0, {
        let text = match key.as_ref().map(|key| key.to_key()) {
            Some(Ok(key)) => key.to_string(),
            _ => String::new(),
        };
        print(buffer, size, &text)
    })
}

/// Whether two keys name the same service. False if one of them is NULL or no key. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_service_key_equal(a: *const lvs_service_key, b: *const lvs_service_key) -> bool {
    infallible!(false, {
        match (a.as_ref().map(|key| key.to_key()), b.as_ref().map(|key| key.to_key())) {
            (Some(Ok(a)), Some(Ok(b))) => a == b,
            _ => false,
        }
    })
}

/// Compares two keys for qsort() and search trees, in the order of lvs_snapshot_sort(): less than
/// 0, 0, or more than 0 as `a` comes before `b`, is the same, or comes after it. NULL and what is
/// no key come first, and are the same. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_service_key_compare(a: *const lvs_service_key, b: *const lvs_service_key) -> i32 {
    infallible!(0, {
        let key = |key: *const lvs_service_key| key.as_ref().and_then(|key| key.to_key().ok());
        key(a).cmp(&key(b)) as i32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(service: &Service) -> Service {
        lvs_service::from(service).to_service().unwrap()
    }

    #[test]
    fn services_of_every_kind_survive_the_record() {
        let v4 = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        let v6 = ServiceKey::sctp("2001:db8::1", 9).unwrap();
        let mark = ServiceKey::fwmark(u32::MAX, AddressFamily::Ipv6).unwrap();
        let other = ServiceKey::endpoint(Protocol::from_number(255), "192.0.2.2".parse().unwrap(), 0);
        for key in [v4, v6, mark, other] {
            assert_eq!(round_trip(&Service::new(key)), Service::new(key));
        }
        let rich = Service::new(v6)
            .with_scheduler(SchedulerName::new("fifteen-bytes-x").unwrap())
            .with_flags(ServiceFlags::from_bits(0xffff_ffff))
            .with_persistence(u32::MAX)
            .with_engine(EngineName::new("sixteen-bytes-xy").unwrap())
            .with_netmask(Netmask::V6(PrefixLength::new(1).unwrap()))
            .unwrap();
        assert_eq!(round_trip(&rich), rich);
        let open = Service::new(v4).with_netmask(Netmask::V4(Ipv4Addr::UNSPECIFIED)).unwrap();
        assert_eq!(round_trip(&open), open);
    }

    #[test]
    fn a_name_that_fills_its_field_is_refused() {
        let mut record = lvs_service::from(&Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap()));
        record.scheduler = [b'x' as c_char; 16];
        assert_eq!(record.to_service().unwrap_err().status(), lvs_status::InvalidInput);
    }
}
