//! The DEST nest.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::NLA_F_NESTED;

use super::DecodeError;
use super::attr::{Attribute, Attributes, write_nest};
use super::kind::{Address, Be16, Stats32, Stats64, U8, U16, U32};
use super::table::attributes;
use super::top::numbers::IPVS_CMD_ATTR_DEST;
use crate::errno::Errno;
use crate::model::{AddressFamily, Destination, DestinationEntry, DestinationKey};

attributes! {
    /// The DEST nest, in the order of `ip_vs_genl_fill_dest()`.
    DestinationFields /
    /// An attribute of a destination (`IPVS_DEST_ATTR_*`).
    DestinationAttribute [config = Destination, state = DestinationEntry] {
        IPVS_DEST_ATTR_ADDR = 1: Address => addr / Address, since "2.6";
        IPVS_DEST_ATTR_PORT = 2: Be16 => port / Port, since "2.6";
        IPVS_DEST_ATTR_FWD_METHOD = 3: U32 => method / ForwardingMethod, since "2.6", config(forwarding);
        IPVS_DEST_ATTR_WEIGHT = 4: U32 => weight / Weight, since "2.6", config(weight);
        IPVS_DEST_ATTR_TUN_TYPE = 13: U8 => tunnel_type / TunnelType, since "5.2", config(tunnel.kind);
        IPVS_DEST_ATTR_TUN_PORT = 14: Be16 => tunnel_port / TunnelPort, since "5.2", config(tunnel.port);
        IPVS_DEST_ATTR_TUN_FLAGS = 15: U16 => tunnel_flags / TunnelFlags, since "5.3", config(tunnel.flags);
        IPVS_DEST_ATTR_U_THRESH = 5: U32 => upper / UpperThreshold, since "2.6", config(upper_threshold);
        IPVS_DEST_ATTR_L_THRESH = 6: U32 => lower / LowerThreshold, since "2.6", config(lower_threshold);
        IPVS_DEST_ATTR_ACTIVE_CONNS = 7: U32 => active / Active, since "2.6", state(active);
        IPVS_DEST_ATTR_INACT_CONNS = 8: U32 => inactive / Inactive, since "2.6", state(inactive);
        IPVS_DEST_ATTR_PERSIST_CONNS = 9: U32 => persistent / Persistent, since "2.6", state(persistent);
        IPVS_DEST_ATTR_ADDR_FAMILY = 11: U16 => family / AddressFamily, since "3.18";
        IPVS_DEST_ATTR_STATS = 10: Stats32 => stats / Stats, since "2.6", state(stats);
        IPVS_DEST_ATTR_STATS64 = 12: Stats64 => stats64 / Stats64, since "4.1", state(stats64);
    }
}

impl<'a> DestinationFields<'a> {
    /// What identifies a destination.
    #[inline]
    pub(crate) fn key(key: &DestinationKey) -> Self {
        Self {
            addr: Some(address(key.addr)),
            port: Some(key.port),
            family: Some(key.family().number()),
            ..Self::default()
        }
    }

    /// What is configured of a destination.
    #[inline]
    pub(crate) fn destination(destination: &'a Destination) -> Self {
        let mut fields = Self::key(&destination.key);
        fields.set_config(destination);
        fields
    }

    /// All of a destination.
    #[inline]
    pub(crate) fn entry(entry: &'a DestinationEntry) -> Self {
        let mut fields = Self::destination(&entry.destination);
        fields.set_state(entry);
        fields
    }

    /// A destination of which only the key is known. Everything else is 0 where it is absent.
    #[inline(always)]
    fn blank(&self, service: AddressFamily) -> Result<DestinationEntry, DecodeError> {
        let family = match self.family {
            None | Some(0) => service,
            Some(number) => AddressFamily::from_number(number)
                .ok_or(DecodeError::invalid("destination", "an unknown address family"))?,
        };
        let addr = self.addr.ok_or(DecodeError::missing("destination", "IPVS_DEST_ATTR_ADDR"))?;
        let port = self.port.ok_or(DecodeError::missing("destination", "IPVS_DEST_ATTR_PORT"))?;
        let key = DestinationKey::new(ip_addr(family, addr), port);
        Ok(DestinationEntry::new(Destination::with_key(key).with_weight(0)))
    }

    #[inline(always)]
    fn fill(&self, entry: &mut DestinationEntry) {
        self.fill_config(&mut entry.destination);
        self.fill_state(entry);
    }
}

/// An address in 16 bytes, the last twelve zero for IPv4, as the kernel has it.
#[inline(always)]
pub(crate) fn address(addr: IpAddr) -> [u8; 16] {
    match addr {
        IpAddr::V4(addr) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&addr.octets());
            bytes
        }
        IpAddr::V6(addr) => addr.octets(),
    }
}

#[inline(always)]
pub(crate) fn ip_addr(family: AddressFamily, bytes: [u8; 16]) -> IpAddr {
    match family {
        AddressFamily::Ipv4 => IpAddr::V4(Ipv4Addr::new(bytes[0], bytes[1], bytes[2], bytes[3])),
        AddressFamily::Ipv6 => IpAddr::V6(Ipv6Addr::from(bytes)),
    }
}

/// Appends the DEST nest that identifies a destination, as requests have it.
pub fn write_key(buf: &mut Vec<u8>, key: &DestinationKey) {
    write_nest(buf, IPVS_CMD_ATTR_DEST | NLA_F_NESTED, &DestinationFields::key(key));
}

/// Appends the DEST nest of `NewDest` and `SetDest`.
pub fn write(buf: &mut Vec<u8>, destination: &Destination) {
    write_nest(buf, IPVS_CMD_ATTR_DEST | NLA_F_NESTED, &DestinationFields::destination(destination));
}

/// Appends the DEST nest of a reply.
pub fn write_entry(buf: &mut Vec<u8>, entry: &DestinationEntry) {
    write_nest(buf, IPVS_CMD_ATTR_DEST, &DestinationFields::entry(entry));
}

/// Reads the DEST nest of a reply; kernels before 3.18 do not send the family, which is then the
/// service's.
///
/// # Errors
/// When the nest lacks address or port, or holds an address family that no kernel sends.
pub fn read_entry(nest: Attributes<'_>, service: AddressFamily) -> Result<DestinationEntry, DecodeError> {
    let fields = DestinationFields::read_fixed(nest.rest()).unwrap_or_else(|| DestinationFields::read_any(nest));
    let mut entry = fields.blank(service)?;
    fields.fill(&mut entry);
    Ok(entry)
}

/// [`read_entry`] to the end of a list. Entries are large and lists long: this way they are filled
/// where they stay.
#[cfg_attr(not(feature = "kernel"), allow(dead_code))] // For the kernel director.
#[inline]
pub(crate) fn push_entry(
    list: &mut Vec<DestinationEntry>,
    nest: Attributes<'_>,
    service: AddressFamily,
) -> Result<(), DecodeError> {
    // Dumps are read mostly for their destinations: these are not walked but taken from their
    // places.
    match DestinationFields::read_fixed(nest.rest()) {
        Some(fields) => push(list, &fields, service),
        None => push_any(list, nest, service),
    }
}

#[inline(always)]
fn push(
    list: &mut Vec<DestinationEntry>,
    fields: &DestinationFields<'_>,
    service: AddressFamily,
) -> Result<(), DecodeError> {
    list.push(fields.blank(service)?);
    if let Some(entry) = list.last_mut() {
        fields.fill(entry);
    }
    Ok(())
}

#[cold]
fn push_any(list: &mut Vec<DestinationEntry>, nest: Attributes<'_>, service: AddressFamily) -> Result<(), DecodeError> {
    push(list, &DestinationFields::read_any(nest), service)
}

/// Whether the DEST nest of a reply, with its statistics, is laid out as the fast path of a dump
/// expects it.
pub fn has_fixed_layout(nest: Attributes<'_>) -> bool {
    let bytes = nest.rest();
    DestinationFields::read_fixed(bytes).is_some() || DestinationFields::read_fixed_before(bytes).is_some()
}

/// Reads the DEST nest of a request to a service of a family, with the kernel's own leniency and
/// strictness; `full` for `NewDest` and `SetDest`, otherwise only the key counts.
///
/// # Errors
/// What the kernel answers (`ip_vs_genl_parse_dest()`, and the family check of its caller):
/// `EINVAL` when an attribute is missing or breaks the policy, `EAFNOSUPPORT` for another family
/// than the two.
pub fn read_request(nest: Option<Attribute<'_>>, service: AddressFamily, full: bool) -> Result<Destination, Errno> {
    let nest = nest.ok_or(Errno::EINVAL)?.nested();
    let fields = DestinationFields::read_request(nest).map_err(|_| Errno::EINVAL)?;
    let (Some(addr), Some(port)) = (fields.addr, fields.port) else { return Err(Errno::EINVAL) };
    if full && [fields.method, fields.weight, fields.upper, fields.lower].contains(&None) {
        return Err(Errno::EINVAL);
    }
    let family = match fields.family {
        None | Some(0) => service,
        Some(number) => AddressFamily::from_number(number).ok_or(Errno::EAFNOSUPPORT)?,
    };
    let mut destination = Destination::with_key(DestinationKey::new(ip_addr(family, addr), port)).with_weight(0);
    fields.fill_config(&mut destination);
    Ok(destination)
}

#[cfg(test)]
mod tests {
    use super::super::attr;
    use super::*;
    use crate::model::{Stats, Tunnel, TunnelFlags};

    fn walked(nest: Attributes<'_>) -> Result<DestinationEntry, DecodeError> {
        let fields = DestinationFields::read(nest);
        let mut entry = fields.blank(AddressFamily::Ipv4)?;
        fields.fill(&mut entry);
        Ok(entry)
    }

    #[test]
    fn a_nest_reads_alike_at_fixed_places_and_walked() {
        for (addr, port) in [("192.0.2.7", 80), ("2001:db8::7", 65535)] {
            let mut entry = DestinationEntry::new(
                Destination::new(addr.parse().unwrap(), port)
                    .with_weight(3)
                    .with_thresholds(7, 5)
                    .with_tunnel(Tunnel::gue(6080, TunnelFlags::CHECKSUM)),
            );
            (entry.active, entry.inactive, entry.persistent) = (1, 2, 3);
            (entry.stats, entry.stats64) = (Some(Stats::default()), Some(Stats::default()));
            let mut bytes = Vec::new();
            attr::write(&mut bytes, &DestinationFields::entry(&entry));
            let nest = Attributes::new(&bytes);
            assert!(has_fixed_layout(nest));
            assert_eq!(read_entry(nest, AddressFamily::Ipv4), Ok(entry));
            assert_eq!(walked(nest), Ok(entry));
            // One attribute more at the end, as a newer kernel may send.
            let mut longer = bytes.clone();
            attr::write(&mut longer, &Attribute::new(99, &[1, 0, 0, 0]));
            assert!(!has_fixed_layout(Attributes::new(&longer)));
            assert_eq!(read_entry(Attributes::new(&longer), AddressFamily::Ipv4), Ok(entry));
            // A header that is another, wherever it stands.
            for at in (0..bytes.len()).step_by(4) {
                let mut changed = bytes.clone();
                changed[at + 2] ^= 0x40;
                let nest = Attributes::new(&changed);
                let read = read_entry(nest, AddressFamily::Ipv4);
                assert_eq!(read, walked(nest), "at {at}");
                let mut list = Vec::new();
                assert_eq!(push_entry(&mut list, nest, AddressFamily::Ipv4).map(|()| list[0]), read, "at {at}");
            }
        }
    }

    #[test]
    fn a_nest_of_a_kernel_before_the_newest_attribute_has_a_fixed_layout_too() {
        let mut entry = DestinationEntry::new(Destination::new("192.0.2.7".parse().unwrap(), 80));
        (entry.stats, entry.stats64) = (Some(Stats::default()), Some(Stats::default()));
        let (mut bytes, mut before) = (Vec::new(), Vec::new());
        attr::write(&mut bytes, &DestinationFields::entry(&entry));
        let newest = |number| ROWS.iter().any(|row| row.number == number && row.since == NEWEST);
        for attribute in Attributes::new(&bytes).filter(|attribute| !newest(attribute.number())) {
            attribute.write(&mut before);
        }
        let nest = Attributes::new(&before);
        assert!(has_fixed_layout(nest) && DestinationFields::read_fixed(nest.rest()).is_none());
        assert_eq!(read_entry(nest, AddressFamily::Ipv4), Ok(entry));
    }
}
