//! The structures of the old socket options (`<linux/ip_vs.h>`): IPv4 alone, no tunnels, no
//! engines, no 64-bit counts.
//!
//! Another language than netlink, and an older one: fixed structures in host layout. What it cannot
//! say is refused with [`Inexpressible`] on the way in, and simply absent on the way out.

use std::mem::{offset_of, size_of};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;

use super::DecodeError;
use crate::model::{
    AddressFamily, Counters, Daemon, DaemonRole, Destination, DestinationEntry, DestinationKey, ForwardingMethod, Info,
    InterfaceName, Netmask, Protocol, Rates, SchedulerName, Service, ServiceEntry, ServiceFlags, ServiceKey, Stats,
    Timeouts, Tunnel, Version,
};

/// A value that the old socket options cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the old socket options cannot carry {0}")]
// Exhaustive: says what.
pub struct Inexpressible(pub &'static str);

// The kernel's structures, for their layout alone: it differs between architectures in where a u64
// may stand.
macro_rules! layout {
    ($name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        #[repr(C)]
        #[allow(dead_code)] // Only offsets and sizes are used.
        struct $name { $($field: $type,)* }
    };
}
layout!(ServiceUser {
    protocol: u16,
    addr: u32,
    port: u16,
    fwmark: u32,
    sched_name: [u8; 16],
    flags: u32,
    timeout: u32,
    netmask: u32,
});
layout!(DestUser { addr: u32, port: u16, conn_flags: u32, weight: u32, u_threshold: u32, l_threshold: u32 });
layout!(StatsUser {
    conns: u32,
    inpkts: u32,
    outpkts: u32,
    inbytes: u64,
    outbytes: u64,
    cps: u32,
    inpps: u32,
    outpps: u32,
    inbps: u32,
    outbps: u32,
});
layout!(ServiceRow {
    protocol: u16,
    addr: u32,
    port: u16,
    fwmark: u32,
    sched_name: [u8; 16],
    flags: u32,
    timeout: u32,
    netmask: u32,
    num_dests: u32,
    stats: StatsUser,
});
layout!(DestRow {
    addr: u32,
    port: u16,
    conn_flags: u32,
    weight: u32,
    u_threshold: u32,
    l_threshold: u32,
    activeconns: u32,
    inactconns: u32,
    persistconns: u32,
    stats: StatsUser,
});
layout!(GetServices { num_services: u32, rows: [ServiceRow; 0] });
layout!(GetDests { protocol: u16, addr: u32, port: u16, fwmark: u32, num_dests: u32, rows: [DestRow; 0] });
layout!(DaemonUser { state: u32, mcast_ifn: [u8; 16], syncid: u32 });

/// Bytes of `struct ip_vs_getinfo`.
pub const INFO_SIZE: usize = 12;
/// Bytes of `struct ip_vs_timeout_user`.
pub const TIMEOUTS_SIZE: usize = 12;
/// Bytes of the two `struct ip_vs_daemon_user` of a reply.
pub const DAEMONS_SIZE: usize = 2 * size_of::<DaemonUser>();

struct Fields<'a>(&'a mut [u8]);

impl Fields<'_> {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

/// Bytes that were not there read as zero: the readers check the length of a row first.
#[inline(always)]
fn get<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

#[inline(always)]
fn get_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(get(bytes, at))
}

#[inline(always)]
fn get_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(get(bytes, at))
}

fn text(bytes: &[u8]) -> &str {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    std::str::from_utf8(&bytes[..end]).unwrap_or_default()
}

fn ipv4(addr: IpAddr) -> Result<[u8; 4], Inexpressible> {
    match addr {
        IpAddr::V4(addr) => Ok(addr.octets()),
        IpAddr::V6(_) => Err(Inexpressible("IPv6")),
    }
}

/// Protocol, address, port and mark of a key, with the fields' order in all structures.
fn identity(key: &ServiceKey) -> Result<(u16, [u8; 4], [u8; 2], u32), Inexpressible> {
    match *key {
        ServiceKey::Endpoint { protocol, addr, port } => Ok((protocol.number(), ipv4(addr)?, port.to_be_bytes(), 0)),
        ServiceKey::Fwmark { mark, family: AddressFamily::Ipv4 } => {
            Ok((Protocol::Tcp.number(), [0; 4], [0; 2], mark.get()))
        }
        ServiceKey::Fwmark { .. } => Err(Inexpressible("IPv6")),
    }
}

/// `struct ip_vs_service_user` of an identity: what all commands but adding and editing a service
/// need.
///
/// # Errors
/// For IPv6 and protocols other than TCP, UDP and SCTP.
pub fn write_key(key: &ServiceKey) -> Result<Vec<u8>, Inexpressible> {
    if let Some(Protocol::Other(_)) = key.protocol() {
        return Err(Inexpressible("a protocol other than TCP, UDP and SCTP"));
    }
    let (protocol, addr, port, mark) = identity(key)?;
    let mut bytes = vec![0; size_of::<ServiceUser>()];
    let mut fields = Fields(&mut bytes);
    fields.put(offset_of!(ServiceUser, protocol), &protocol.to_ne_bytes());
    fields.put(offset_of!(ServiceUser, addr), &addr);
    fields.put(offset_of!(ServiceUser, port), &port);
    fields.put(offset_of!(ServiceUser, fwmark), &mark.to_ne_bytes());
    Ok(bytes)
}

/// `struct ip_vs_service_user` of no service: zeroing with it means all.
pub fn write_no_key() -> Vec<u8> {
    vec![0; size_of::<ServiceUser>()]
}

/// `struct ip_vs_service_user`.
///
/// # Errors
/// As [`write_key`], and for a persistence engine.
pub fn write_service(service: &Service) -> Result<Vec<u8>, Inexpressible> {
    if service.engine.is_some() {
        return Err(Inexpressible("a persistence engine"));
    }
    let Netmask::V4(netmask) = service.netmask() else { return Err(Inexpressible("IPv6")) };
    let mut bytes = write_key(&service.key())?;
    let mut fields = Fields(&mut bytes);
    fields.put(offset_of!(ServiceUser, sched_name), service.scheduler.as_str().as_bytes());
    fields.put(offset_of!(ServiceUser, flags), &service.flags.bits().to_ne_bytes());
    fields.put(offset_of!(ServiceUser, timeout), &service.timeout.to_ne_bytes());
    fields.put(offset_of!(ServiceUser, netmask), &netmask.octets());
    Ok(bytes)
}

/// `struct ip_vs_service_user` and `struct ip_vs_dest_user` of an identity.
///
/// # Errors
/// As [`write_key`].
pub fn write_destination_key(key: &ServiceKey, destination: &DestinationKey) -> Result<Vec<u8>, Inexpressible> {
    let mut bytes = write_key(key)?;
    let start = bytes.len();
    bytes.resize(start + size_of::<DestUser>(), 0);
    let mut fields = Fields(&mut bytes[start..]);
    fields.put(offset_of!(DestUser, addr), &ipv4(destination.addr)?);
    fields.put(offset_of!(DestUser, port), &destination.port.to_be_bytes());
    Ok(bytes)
}

/// `struct ip_vs_service_user` and `struct ip_vs_dest_user`.
///
/// # Errors
/// As [`write_key`], and for a tunnel other than IP in IP.
pub fn write_destination(key: &ServiceKey, destination: &Destination) -> Result<Vec<u8>, Inexpressible> {
    if destination.tunnel != Tunnel::IPIP {
        return Err(Inexpressible("a tunnel other than IP in IP"));
    }
    let mut bytes = write_destination_key(key, &destination.key)?;
    let start = size_of::<ServiceUser>();
    let mut fields = Fields(&mut bytes[start..]);
    let method = u32::from(destination.forwarding.number());
    fields.put(offset_of!(DestUser, conn_flags), &method.to_ne_bytes());
    fields.put(offset_of!(DestUser, weight), &destination.weight.to_ne_bytes());
    fields.put(offset_of!(DestUser, u_threshold), &destination.upper_threshold.to_ne_bytes());
    fields.put(offset_of!(DestUser, l_threshold), &destination.lower_threshold.to_ne_bytes());
    Ok(bytes)
}

/// `struct ip_vs_timeout_user`.
pub fn write_timeouts(timeouts: &Timeouts) -> [u8; TIMEOUTS_SIZE] {
    let mut bytes = [0; TIMEOUTS_SIZE];
    let mut fields = Fields(&mut bytes);
    for (at, value) in [(0, timeouts.tcp), (4, timeouts.tcp_fin), (8, timeouts.udp)] {
        fields.put(at, &value.to_ne_bytes());
    }
    bytes
}

/// `struct ip_vs_daemon_user`.
///
/// # Errors
/// When anything but role, interface and sync id is set.
pub fn write_daemon(daemon: &Daemon) -> Result<Vec<u8>, Inexpressible> {
    if daemon.max_len.is_some() || daemon.group.is_some() || daemon.port.is_some() || daemon.ttl.is_some() {
        return Err(Inexpressible("length, group, port or time to live of a sync daemon"));
    }
    let mut bytes = write_role(daemon.role);
    let mut fields = Fields(&mut bytes);
    fields.put(offset_of!(DaemonUser, mcast_ifn), daemon.interface.as_str().as_bytes());
    fields.put(offset_of!(DaemonUser, syncid), &daemon.sync_id.to_ne_bytes());
    Ok(bytes)
}

/// `struct ip_vs_daemon_user` with the role alone.
pub fn write_role(role: DaemonRole) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<DaemonUser>()];
    Fields(&mut bytes).put(offset_of!(DaemonUser, state), &role.number().to_ne_bytes());
    bytes
}

/// `struct ip_vs_get_services` for `count` services.
pub fn services_buffer(count: u32) -> Vec<u8> {
    let rows = usize::try_from(count).unwrap_or(0).saturating_mul(size_of::<ServiceRow>());
    let mut bytes = vec![0; offset_of!(GetServices, rows) + rows];
    Fields(&mut bytes).put(offset_of!(GetServices, num_services), &count.to_ne_bytes());
    bytes
}

/// `struct ip_vs_get_dests` for `count` destinations, in place of what the buffer held. Rows that
/// the kernel does not fill stay all ones, which is no destination. Unlike commands that change
/// something, this one takes every protocol.
///
/// # Errors
/// For IPv6.
pub fn prepare_destinations(buf: &mut Vec<u8>, key: &ServiceKey, count: u32) -> Result<(), Inexpressible> {
    let (protocol, addr, port, mark) = identity(key)?;
    let head = offset_of!(GetDests, rows);
    let rows = usize::try_from(count).unwrap_or(0).saturating_mul(size_of::<DestRow>());
    buf.clear();
    buf.resize(head, 0);
    buf.resize(head + rows, 0xff);
    let mut fields = Fields(buf);
    fields.put(offset_of!(GetDests, protocol), &protocol.to_ne_bytes());
    fields.put(offset_of!(GetDests, addr), &addr);
    fields.put(offset_of!(GetDests, port), &port);
    fields.put(offset_of!(GetDests, fwmark), &mark.to_ne_bytes());
    fields.put(offset_of!(GetDests, num_dests), &count.to_ne_bytes());
    Ok(())
}

/// `struct ip_vs_service_entry` of a key, to be filled in by the kernel.
///
/// # Errors
/// As [`write_key`].
pub fn service_buffer(key: &ServiceKey) -> Result<Vec<u8>, Inexpressible> {
    let mut bytes = write_key(key)?;
    bytes.resize(size_of::<ServiceRow>(), 0);
    Ok(bytes)
}

/// Reads `struct ip_vs_getinfo`; the number is that of the IPv4 services.
pub fn read_info(bytes: &[u8]) -> (Info, u32) {
    (Info::new(Version::from_number(get_u32(bytes, 0)), get_u32(bytes, 4)), get_u32(bytes, 8))
}

/// Reads `struct ip_vs_timeout_user`.
pub fn read_timeouts(bytes: &[u8]) -> Timeouts {
    Timeouts { tcp: get_u32(bytes, 0), tcp_fin: get_u32(bytes, 4), udp: get_u32(bytes, 8) }
}

/// Reads the two `struct ip_vs_daemon_user`; a part that does not run has state 0.
///
/// # Errors
/// When an interface's name is not text.
pub fn read_daemons(bytes: &[u8]) -> Result<Vec<Daemon>, DecodeError> {
    let mut daemons = Vec::new();
    for row in bytes.chunks_exact(size_of::<DaemonUser>()) {
        let Some(role) = DaemonRole::from_number(get_u32(row, offset_of!(DaemonUser, state))) else { continue };
        let interface: [u8; 16] = get(row, offset_of!(DaemonUser, mcast_ifn));
        let interface = InterfaceName::new(text(&interface))
            .map_err(|_| DecodeError::invalid("sync daemon", "an interface's name that is too long"))?;
        daemons.push(Daemon::new(role, interface, get_u32(row, offset_of!(DaemonUser, syncid))));
    }
    Ok(daemons)
}

/// Reads the rows of `struct ip_vs_get_services`: each service with the number of its destinations.
/// Rows that the kernel left empty are skipped.
///
/// # Errors
/// When a row holds what no kernel sends.
pub fn read_services(bytes: &[u8]) -> Result<Vec<(ServiceEntry, u32)>, DecodeError> {
    let mut list = Vec::with_capacity(service_rows(bytes).len());
    for_each_service(bytes, |entry, count| list.push((entry, count)))?;
    Ok(list)
}

fn service_rows(bytes: &[u8]) -> &[[u8; size_of::<ServiceRow>()]] {
    bytes.get(offset_of!(GetServices, rows)..).unwrap_or_default().as_chunks().0
}

/// Shows each service of `struct ip_vs_get_services` and the number of its destinations.
///
/// # Errors
/// As [`read_services`].
#[inline]
pub fn for_each_service(bytes: &[u8], mut show: impl FnMut(ServiceEntry, u32)) -> Result<(), DecodeError> {
    for row in service_rows(bytes).iter().filter(|row| **row != [0; size_of::<ServiceRow>()]) {
        let (entry, count) = read_service(row)?;
        show(entry, count);
    }
    Ok(())
}

/// Reads of each row of `struct ip_vs_get_services` whose it is and the number of its destinations,
/// up to the first that the kernel left empty: a service always has the name of a scheduler, if
/// only `none`.
pub fn read_service_keys(bytes: &[u8]) -> Vec<(ServiceKey, u32)> {
    let rows = service_rows(bytes);
    let mut list = Vec::with_capacity(rows.len());
    for row in rows.iter().take_while(|row| row[offset_of!(ServiceRow, sched_name)] != 0) {
        list.push((read_key(row), get_u32(row, offset_of!(ServiceRow, num_dests))));
    }
    list
}

#[inline]
fn read_key(row: &[u8]) -> ServiceKey {
    match NonZeroU32::new(get_u32(row, offset_of!(ServiceRow, fwmark))) {
        Some(mark) => ServiceKey::Fwmark { mark, family: AddressFamily::Ipv4 },
        None => ServiceKey::Endpoint {
            protocol: Protocol::from_number(u16::from_ne_bytes(get(row, offset_of!(ServiceRow, protocol)))),
            addr: Ipv4Addr::from(get::<4>(row, offset_of!(ServiceRow, addr))).into(),
            port: u16::from_be_bytes(get(row, offset_of!(ServiceRow, port))),
        },
    }
}

/// Reads `struct ip_vs_service_entry`: the service, and the number of its destinations.
///
/// # Errors
/// When it is cut short or holds what no kernel sends.
pub fn read_service(row: &[u8]) -> Result<(ServiceEntry, u32), DecodeError> {
    if row.len() < size_of::<ServiceRow>() {
        return Err(DecodeError::truncated("struct ip_vs_service_entry"));
    }
    let key = read_key(row);
    let scheduler: [u8; 16] = get(row, offset_of!(ServiceRow, sched_name));
    let scheduler = SchedulerName::new(text(&scheduler))
        .map_err(|_| DecodeError::invalid("service", "a scheduler's name that is too long"))?;
    let flags = ServiceFlags::from_bits(get_u32(row, offset_of!(ServiceRow, flags)));
    let mut service = Service::new(key)
        .with_scheduler(scheduler)
        .with_flags(flags.without(ServiceFlags::HASHED))
        .with_netmask(Netmask::V4(get::<4>(row, offset_of!(ServiceRow, netmask)).into()))
        .map_err(|_| DecodeError::invalid("service", "a netmask of another family"))?;
    service.timeout = get_u32(row, offset_of!(ServiceRow, timeout));
    let mut entry = ServiceEntry::new(service);
    entry.stats = Some(read_stats(row, offset_of!(ServiceRow, stats)));
    Ok((entry, get_u32(row, offset_of!(ServiceRow, num_dests))))
}

/// Reads the rows of `struct ip_vs_get_dests`. The kernel counts IPv6 destinations but does not
/// show them.
pub fn read_destinations(bytes: &[u8]) -> Vec<DestinationEntry> {
    let (rows, _) = bytes.get(offset_of!(GetDests, rows)..).unwrap_or_default().as_chunks();
    let mut list = Vec::with_capacity(rows.len());
    for row in rows.iter().filter(|row| get_u32(*row, offset_of!(DestRow, addr)) != u32::MAX) {
        // The larger half is read into its place: a whole entry would be made elsewhere, and
        // copied.
        list.push(read_without_statistics(row));
        if let Some(entry) = list.last_mut() {
            entry.stats = Some(read_stats(row, offset_of!(DestRow, stats)));
        }
    }
    list
}

/// Reads of each row of `struct ip_vs_get_dests` whose it is, as [`read_destinations`] does of all.
pub fn read_destination_keys(bytes: &[u8]) -> Vec<DestinationKey> {
    let (rows, _) = bytes.get(offset_of!(GetDests, rows)..).unwrap_or_default().as_chunks::<{ size_of::<DestRow>() }>();
    let mut list = Vec::with_capacity(rows.len());
    for row in rows.iter().filter(|row| get_u32(*row, offset_of!(DestRow, addr)) != u32::MAX) {
        let addr = Ipv4Addr::from(get::<4>(row, offset_of!(DestRow, addr)));
        list.push(DestinationKey::new(addr.into(), u16::from_be_bytes(get(row, offset_of!(DestRow, port)))));
    }
    list
}

#[inline(always)]
fn read_without_statistics(row: &[u8; size_of::<DestRow>()]) -> DestinationEntry {
    let addr = Ipv4Addr::from(get::<4>(row, offset_of!(DestRow, addr)));
    let port = u16::from_be_bytes(get(row, offset_of!(DestRow, port)));
    let destination = Destination::new(addr.into(), port)
        .with_forwarding(ForwardingMethod::from_number(get_u32(row, offset_of!(DestRow, conn_flags))))
        .with_weight(get_u32(row, offset_of!(DestRow, weight)))
        .with_thresholds(
            get_u32(row, offset_of!(DestRow, u_threshold)),
            get_u32(row, offset_of!(DestRow, l_threshold)),
        );
    let mut entry = DestinationEntry::new(destination);
    entry.active = get_u32(row, offset_of!(DestRow, activeconns));
    entry.inactive = get_u32(row, offset_of!(DestRow, inactconns));
    entry.persistent = get_u32(row, offset_of!(DestRow, persistconns));
    entry
}

#[inline(always)]
fn read_stats(row: &[u8], start: usize) -> Stats {
    let narrow = |at| u64::from(get_u32(row, start + at));
    let wide = |at| get_u64(row, start + at);
    Stats {
        counters: Counters {
            connections: narrow(offset_of!(StatsUser, conns)),
            packets_in: narrow(offset_of!(StatsUser, inpkts)),
            packets_out: narrow(offset_of!(StatsUser, outpkts)),
            bytes_in: wide(offset_of!(StatsUser, inbytes)),
            bytes_out: wide(offset_of!(StatsUser, outbytes)),
        },
        rates: Rates {
            connections: narrow(offset_of!(StatsUser, cps)),
            packets_in: narrow(offset_of!(StatsUser, inpps)),
            packets_out: narrow(offset_of!(StatsUser, outpps)),
            bytes_in: narrow(offset_of!(StatsUser, inbps)),
            bytes_out: narrow(offset_of!(StatsUser, outbps)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn the_structures_have_the_kernel_s_sizes() {
        // <linux/ip_vs.h> on amd64; the kernel checks them to the byte (`ip_vs_ctl.c`).
        assert_eq!(size_of::<ServiceUser>(), 44);
        assert_eq!(size_of::<DestUser>(), 24);
        assert_eq!(size_of::<ServiceRow>(), 104);
        assert_eq!(size_of::<DestRow>(), 96);
        assert_eq!(offset_of!(GetServices, rows), 8);
        assert_eq!(offset_of!(GetDests, rows), 24);
        assert_eq!(DAEMONS_SIZE, 48);
    }

    #[test]
    fn a_service_written_reads_back_but_for_its_statistics() {
        let key = ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap();
        let service = Service::new(key).with_persistence(60).with_scheduler("sh".parse().unwrap());
        let mut row = write_service(&service).unwrap();
        row.resize(size_of::<ServiceRow>(), 0);
        let (entry, count) = read_service(&row).unwrap();
        assert_eq!((entry.service, count, entry.stats64), (service, 0, None));
    }

    #[test]
    fn what_cannot_be_expressed_is_reported() {
        let v6 = ServiceKey::tcp("2001:db8::1", 80).unwrap();
        assert_eq!(write_key(&v6), Err(Inexpressible("IPv6")));
        let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        let engine = Service::new(key).with_engine("sip".parse().unwrap());
        assert_eq!(write_service(&engine), Err(Inexpressible("a persistence engine")));
        let gre = Destination::new("192.0.2.7".parse().unwrap(), 80).with_tunnel(Tunnel::gre(Default::default()));
        assert_eq!(write_destination(&key, &gre), Err(Inexpressible("a tunnel other than IP in IP")));
    }

    #[test]
    fn rows_that_the_kernel_left_alone_are_no_destinations() {
        let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        let mut buf = b"whatever was there".to_vec();
        prepare_destinations(&mut buf, &key, 3).unwrap();
        assert!(read_destinations(&buf).is_empty());
        assert!(read_services(&services_buffer(3)).unwrap().is_empty());
    }
}
