//! The DEST nest.

use super::attr::{
    Attribute, Attributes, align, close, header, header_at, open, open_marked, put_address, put_be16, put_u8, put_u16,
    put_u32,
};
use super::uapi::*;
use super::{WireError, policy, stats};
use crate::errno::Errno;
use crate::model::{
    AddressFamily, Destination, DestinationEntry, DestinationKey, ForwardingMethod, Tunnel, TunnelFlags, TunnelKind,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Appends a DEST nest that identifies a destination: what `DelDest` needs.
pub fn write_key(buf: &mut Vec<u8>, key: &DestinationKey) {
    let nest = open_marked(buf, IPVS_CMD_ATTR_DEST);
    put_address(buf, IPVS_DEST_ATTR_ADDR, key.addr);
    put_be16(buf, IPVS_DEST_ATTR_PORT, key.port);
    put_u16(buf, IPVS_DEST_ATTR_ADDR_FAMILY, key.family().number());
    close(buf, nest);
}

/// Appends a DEST nest for `NewDest` and `SetDest`.
pub fn write(buf: &mut Vec<u8>, destination: &Destination) {
    let nest = open_marked(buf, IPVS_CMD_ATTR_DEST);
    write_configuration(buf, destination);
    put_u16(buf, IPVS_DEST_ATTR_ADDR_FAMILY, destination.key.family().number());
    close(buf, nest);
}

/// Appends a DEST nest as the kernel replies with it.
pub fn write_entry(buf: &mut Vec<u8>, entry: &DestinationEntry) {
    let nest = open(buf, IPVS_CMD_ATTR_DEST);
    write_configuration(buf, &entry.destination);
    put_u32(buf, IPVS_DEST_ATTR_ACTIVE_CONNS, entry.active);
    put_u32(buf, IPVS_DEST_ATTR_INACT_CONNS, entry.inactive);
    put_u32(buf, IPVS_DEST_ATTR_PERSIST_CONNS, entry.persistent);
    put_u16(buf, IPVS_DEST_ATTR_ADDR_FAMILY, entry.destination.key.family().number());
    if let Some(narrow) = &entry.stats {
        stats::write(buf, IPVS_DEST_ATTR_STATS, narrow);
    }
    if let Some(wide) = &entry.stats64 {
        stats::write64(buf, IPVS_DEST_ATTR_STATS64, wide);
    }
    close(buf, nest);
}

fn write_configuration(buf: &mut Vec<u8>, destination: &Destination) {
    put_address(buf, IPVS_DEST_ATTR_ADDR, destination.key.addr);
    put_be16(buf, IPVS_DEST_ATTR_PORT, destination.key.port);
    put_u32(buf, IPVS_DEST_ATTR_FWD_METHOD, destination.forwarding.number().into());
    put_u32(buf, IPVS_DEST_ATTR_WEIGHT, destination.weight);
    put_u8(buf, IPVS_DEST_ATTR_TUN_TYPE, destination.tunnel.kind.number());
    put_be16(buf, IPVS_DEST_ATTR_TUN_PORT, destination.tunnel.port);
    put_u16(buf, IPVS_DEST_ATTR_TUN_FLAGS, destination.tunnel.flags.0);
    put_u32(buf, IPVS_DEST_ATTR_U_THRESH, destination.upper_threshold);
    put_u32(buf, IPVS_DEST_ATTR_L_THRESH, destination.lower_threshold);
}

/// Reads the DEST nest of a reply; kernels before 3.18 do not send the family, which is then the service's.
///
/// # Errors
/// When the nest lacks address or port, or holds an address family that no kernel sends.
pub fn read_entry(nest: Attributes<'_>, service: AddressFamily) -> Result<DestinationEntry, WireError> {
    match usual(nest.rest()) {
        Some((bytes, family)) => {
            let mut entry = usual_without_statistics(bytes, family);
            add_usual_statistics(&mut entry, bytes);
            Ok(entry)
        }
        None => read_any(nest, service),
    }
}

/// [`read_entry`] to the end of a list. Entries are large and lists long: this way they are built where they stay.
#[inline]
pub(crate) fn push_entry(
    list: &mut Vec<DestinationEntry>,
    nest: Attributes<'_>,
    service: AddressFamily,
) -> Result<(), WireError> {
    match usual(nest.rest()) {
        Some((bytes, family)) => {
            // The larger half is read into its place: a whole entry would be made elsewhere, and copied.
            list.push(usual_without_statistics(bytes, family));
            if let Some(entry) = list.last_mut() {
                add_usual_statistics(entry, bytes);
            }
        }
        None => list.push(read_any(nest, service)?),
    }
    Ok(())
}

/// The attributes of a reply as kernels since 5.4 write them: kind, length with header, in order. Dumps are read mostly
/// for their destinations, so these are not walked but taken from their places.
const USUAL: [(u16, u16); 15] = [
    (IPVS_DEST_ATTR_ADDR, 20),
    (IPVS_DEST_ATTR_PORT, 6),
    (IPVS_DEST_ATTR_FWD_METHOD, 8),
    (IPVS_DEST_ATTR_WEIGHT, 8),
    (IPVS_DEST_ATTR_TUN_TYPE, 5),
    (IPVS_DEST_ATTR_TUN_PORT, 6),
    (IPVS_DEST_ATTR_TUN_FLAGS, 6),
    (IPVS_DEST_ATTR_U_THRESH, 8),
    (IPVS_DEST_ATTR_L_THRESH, 8),
    (IPVS_DEST_ATTR_ACTIVE_CONNS, 8),
    (IPVS_DEST_ATTR_INACT_CONNS, 8),
    (IPVS_DEST_ATTR_PERSIST_CONNS, 8),
    (IPVS_DEST_ATTR_ADDR_FAMILY, 6),
    (IPVS_DEST_ATTR_STATS, 4 + stats::USUAL_SIZE as u16),
    (IPVS_DEST_ATTR_STATS64, 4 + stats::USUAL64_SIZE as u16),
];

/// Where each of [`USUAL`] starts, and where the last ends.
const PLACES: [usize; 16] = {
    let mut places = [0; 16];
    let mut index = 0;
    while index < 15 {
        places[index + 1] = places[index] + align(USUAL[index].1 as usize);
        index += 1;
    }
    places
};

/// A nest in the usual shape.
type Usual = [u8; PLACES[15]];

/// Whether a nest has the usual shape, down to its statistics; and its address family.
#[inline(always)]
fn usual(bytes: &[u8]) -> Option<(&Usual, AddressFamily)> {
    let bytes: &Usual = bytes.try_into().ok()?;
    let mut odd = 0;
    for (at, (kind, length)) in PLACES.into_iter().zip(USUAL) {
        odd |= header_at(bytes, at) ^ header(length, kind);
    }
    odd |= stats::oddity(bytes, PLACES[13] + 4) | stats::oddity64(bytes, PLACES[14] + 4);
    if odd != 0 {
        return None;
    }
    let family = AddressFamily::from_number(u16::from_ne_bytes([bytes[PLACES[12] + 4], bytes[PLACES[12] + 5]]))?;
    Some((bytes, family))
}

#[inline(always)]
fn usual_without_statistics(bytes: &Usual, family: AddressFamily) -> DestinationEntry {
    let value = |index: usize| &bytes[PLACES[index] + 4..];
    let long = |index: usize| header_at(bytes, PLACES[index] + 4);
    let short = |index: usize| [value(index)[0], value(index)[1]];
    let addr = match family {
        AddressFamily::Ipv4 => IpAddr::V4(Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7])),
        AddressFamily::Ipv6 => IpAddr::V6(Ipv6Addr::from(value(0).first_chunk().copied().unwrap_or([0; 16]))),
    };
    let destination = Destination {
        key: DestinationKey::new(addr, u16::from_be_bytes(short(1))),
        forwarding: ForwardingMethod::from_number(long(2)),
        weight: long(3),
        upper_threshold: long(7),
        lower_threshold: long(8),
        tunnel: Tunnel {
            kind: TunnelKind::from_number(value(4)[0]),
            port: u16::from_be_bytes(short(5)),
            flags: TunnelFlags(u16::from_ne_bytes(short(6))),
        },
    };
    let (active, inactive, persistent) = (long(9), long(10), long(11));
    DestinationEntry { destination, active, inactive, persistent, stats: None, stats64: None }
}

#[inline(always)]
fn add_usual_statistics(entry: &mut DestinationEntry, bytes: &Usual) {
    entry.stats = Some(stats::read_at(bytes, PLACES[13] + 4));
    entry.stats64 = Some(stats::read64_at(bytes, PLACES[14] + 4));
}

fn read_any(nest: Attributes<'_>, service: AddressFamily) -> Result<DestinationEntry, WireError> {
    let mut raw = Raw::default();
    let (mut narrow, mut wide) = (None, None);
    let (mut active, mut inactive, mut persistent) = (None, None, None);
    for attribute in nest {
        match attribute.number() {
            IPVS_DEST_ATTR_STATS => narrow = Some(stats::read(attribute.nested())),
            IPVS_DEST_ATTR_STATS64 => wide = Some(stats::read(attribute.nested())),
            IPVS_DEST_ATTR_ACTIVE_CONNS => active = attribute.u32(),
            IPVS_DEST_ATTR_INACT_CONNS => inactive = attribute.u32(),
            IPVS_DEST_ATTR_PERSIST_CONNS => persistent = attribute.u32(),
            _ => raw.take(attribute),
        }
    }
    let family = match raw.family {
        None | Some(0) => service,
        Some(number) => {
            AddressFamily::from_number(number).ok_or(WireError::invalid("destination", "an unknown address family"))?
        }
    };
    let addr = raw.addr.and_then(|addr| addr.address(family)).ok_or(WireError::missing("destination", "ADDR"))?;
    let port = raw.port.ok_or(WireError::missing("destination", "PORT"))?;
    let mut entry = DestinationEntry::new(raw.destination(DestinationKey::new(addr, port)));
    entry.active = active.unwrap_or(0);
    entry.inactive = inactive.unwrap_or(0);
    entry.persistent = persistent.unwrap_or(0);
    entry.stats = narrow;
    entry.stats64 = wide;
    Ok(entry)
}

#[derive(Default)]
struct Raw<'a> {
    addr: Option<Attribute<'a>>,
    port: Option<u16>,
    family: Option<u16>,
    method: Option<u32>,
    weight: Option<u32>,
    upper: Option<u32>,
    lower: Option<u32>,
    tunnel: (u8, u16, u16),
}

impl<'a> Raw<'a> {
    #[inline]
    fn take(&mut self, attribute: Attribute<'a>) {
        match attribute.number() {
            IPVS_DEST_ATTR_ADDR => self.addr = Some(attribute),
            IPVS_DEST_ATTR_PORT => self.port = attribute.be16(),
            IPVS_DEST_ATTR_ADDR_FAMILY => self.family = attribute.u16(),
            IPVS_DEST_ATTR_FWD_METHOD => self.method = attribute.u32(),
            IPVS_DEST_ATTR_WEIGHT => self.weight = attribute.u32(),
            IPVS_DEST_ATTR_U_THRESH => self.upper = attribute.u32(),
            IPVS_DEST_ATTR_L_THRESH => self.lower = attribute.u32(),
            IPVS_DEST_ATTR_TUN_TYPE => self.tunnel.0 = attribute.u8().unwrap_or(0),
            IPVS_DEST_ATTR_TUN_PORT => self.tunnel.1 = attribute.be16().unwrap_or(0),
            IPVS_DEST_ATTR_TUN_FLAGS => self.tunnel.2 = attribute.u16().unwrap_or(0),
            _ => {}
        }
    }

    fn destination(&self, key: DestinationKey) -> Destination {
        let mut destination = Destination::with_key(key)
            .with_forwarding(ForwardingMethod::from_number(self.method.unwrap_or(0)))
            .with_weight(self.weight.unwrap_or(0))
            .with_thresholds(self.upper.unwrap_or(0), self.lower.unwrap_or(0));
        let (kind, port, flags) = self.tunnel;
        destination.tunnel = Tunnel { kind: TunnelKind::from_number(kind), port, flags: TunnelFlags(flags) };
        destination
    }
}

/// A DEST nest of a request, read with the kernel's own leniency and strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DestinationRequest {
    /// The destination; of an identity (`DelDest`) only the key counts.
    pub destination: Destination,
}

/// Reads the DEST nest of a request to a service of a family; `full` for `NewDest` and `SetDest`.
///
/// # Errors
/// What the kernel answers (`ip_vs_genl_parse_dest()`, and the family check of its caller): `EINVAL` when an attribute
/// is missing or breaks the policy, `EAFNOSUPPORT` for another family than the two.
pub fn read_request(
    nest: Option<Attribute<'_>>,
    service: AddressFamily,
    full: bool,
) -> Result<DestinationRequest, Errno> {
    let mut raw = Raw::default();
    for attribute in nest.ok_or(Errno::EINVAL)?.nested() {
        let payload = attribute.payload;
        let sound = match attribute.number() {
            IPVS_DEST_ATTR_TUN_TYPE => !payload.is_empty(),
            IPVS_DEST_ATTR_PORT | IPVS_DEST_ATTR_ADDR_FAMILY | IPVS_DEST_ATTR_TUN_PORT | IPVS_DEST_ATTR_TUN_FLAGS => {
                payload.len() >= 2
            }
            IPVS_DEST_ATTR_FWD_METHOD
            | IPVS_DEST_ATTR_WEIGHT
            | IPVS_DEST_ATTR_U_THRESH
            | IPVS_DEST_ATTR_L_THRESH
            | IPVS_DEST_ATTR_ACTIVE_CONNS
            | IPVS_DEST_ATTR_INACT_CONNS
            | IPVS_DEST_ATTR_PERSIST_CONNS => payload.len() >= 4,
            IPVS_DEST_ATTR_ADDR => payload.len() <= 16,
            // The kernel's policy has no line for STATS64.
            IPVS_DEST_ATTR_STATS => policy::is_nest(payload),
            _ => true,
        };
        if !sound {
            return Err(Errno::EINVAL);
        }
        raw.take(attribute);
    }
    let (Some(addr), Some(port)) = (raw.addr, raw.port) else { return Err(Errno::EINVAL) };
    if full && [raw.method, raw.weight, raw.upper, raw.lower].contains(&None) {
        return Err(Errno::EINVAL);
    }
    let family = match raw.family {
        None | Some(0) => service,
        Some(number) => AddressFamily::from_number(number).ok_or(Errno::EAFNOSUPPORT)?,
    };
    let addr = addr.address(family).ok_or(Errno::EINVAL)?;
    Ok(DestinationRequest { destination: raw.destination(DestinationKey::new(addr, port)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stats;

    #[test]
    fn the_usual_shape_and_any_other_read_alike() {
        for (addr, port) in [("192.0.2.7", 80), ("2001:db8::7", 65535)] {
            let mut entry = DestinationEntry::new(
                Destination::new(addr.parse().unwrap(), port)
                    .with_weight(3)
                    .with_thresholds(7, 5)
                    .with_tunnel(Tunnel::gue(6080, TunnelFlags::CHECKSUM)),
            );
            (entry.active, entry.inactive, entry.persistent) = (1, 2, 3);
            (entry.stats, entry.stats64) = (Some(Stats::default()), Some(Stats::default()));
            let mut buf = Vec::new();
            write_entry(&mut buf, &entry);
            let nest = Attributes::new(&buf[4..]);
            assert!(usual(nest.rest()).is_some());
            assert_eq!(read_entry(nest, AddressFamily::Ipv4), Ok(entry));
            assert_eq!(read_any(nest, AddressFamily::Ipv4), Ok(entry));
            // One attribute more at the end, as a newer kernel may send.
            put_u32(&mut buf, 99, 1);
            assert_eq!(usual(&buf[4..]), None);
            assert_eq!(read_entry(Attributes::new(&buf[4..]), AddressFamily::Ipv4), Ok(entry));
            // One header that is not the usual one, wherever it stands.
            let usual_bytes = &buf[4..4 + PLACES[15]];
            for at in (0..usual_bytes.len()).step_by(4) {
                let mut changed = usual_bytes.to_vec();
                changed[at + 2] ^= 0x40;
                let nest = Attributes::new(&changed);
                let read = read_entry(nest, AddressFamily::Ipv4);
                assert_eq!(read, read_any(nest, AddressFamily::Ipv4), "at {at}");
                let mut list = Vec::new();
                assert_eq!(push_entry(&mut list, nest, AddressFamily::Ipv4).map(|()| list[0]), read, "at {at}");
            }
        }
    }
}
