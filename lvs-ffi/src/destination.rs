//! Destinations: keys, configuration and state.

use std::ffi::c_char;

use lvs_core::model::{
    Destination, DestinationEntry, DestinationKey, ForwardingMethod, Tunnel, TunnelFlags, TunnelKind,
};

use crate::address::lvs_address;
use crate::boundary::{call, infallible};
use crate::error::{Failure, lvs_error};
use crate::exports::init;
use crate::handle::{self, place, print};
use crate::record::{self, record, zeroed};
use crate::stats::{lvs_stats, present};
use crate::status::lvs_status;

/// How packets reach a destination.
#[repr(u32)]
pub enum lvs_forwarding {
    /// LVS-NAT: the destination address and port are rewritten, replies pass the director.
    Masquerade = 0,
    /// The director itself; the kernel never reports it by itself.
    Local = 1,
    /// LVS-TUN: packets travel inside a tunnel.
    Tunnel = 2,
    /// LVS-DR: packets go to the real server on the same link, unchanged.
    Direct = 3,
    /// The kernel's internal method for cache_bypass. 5, 6 and 7 have no meaning, but the kernel
    /// stores them.
    Bypass = 4,
}

/// The encapsulation of a tunnel.
#[repr(u32)]
pub enum lvs_tunnel {
    /// IP in IP.
    Ipip = 0,
    /// Generic UDP encapsulation; needs a port.
    Gue = 1,
    /// Generic routing encapsulation. Numbers up to 255 without a name are kept.
    Gre = 2,
}

/// No checksum in the tunnel.
pub const LVS_TUNNEL_NO_CHECKSUM: u16 = 0x0;
/// A checksum in the tunnel (GUE, GRE).
pub const LVS_TUNNEL_CHECKSUM: u16 = 0x1;
/// A checksum with remote offload (GUE).
pub const LVS_TUNNEL_REMOTE_CHECKSUM: u16 = 0x2;

/// A buffer of this size holds any destination key as text, and its NUL byte.
pub const LVS_DESTINATION_KEY_STRLEN: usize = 56;

/// What identifies a destination inside its service. Its layout never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_destination_key {
    /// The real server's address.
    pub addr: lvs_address,
    /// The real server's port in host order; 0 keeps the port that the client asked for.
    pub port: u16,
    /// Reserved: must be 0.
    pub reserved: u16,
}

impl From<DestinationKey> for lvs_destination_key {
    #[inline]
    fn from(key: DestinationKey) -> Self {
        Self { addr: key.addr.into(), port: key.port, reserved: 0 }
    }
}

impl lvs_destination_key {
    pub(crate) fn to_key(self) -> Result<DestinationKey, Failure> {
        record::zero("lvs_destination_key.reserved", self.reserved)?;
        Ok(DestinationKey::new(self.addr.to_addr("the address of the destination")?, self.port))
    }
}

/// A key that came from C.
pub(crate) unsafe fn key(key: *const lvs_destination_key) -> Result<DestinationKey, Failure> {
    // SAFETY: NULL or valid, by the promise of the caller.
    unsafe { place(key.cast_mut(), "the destination key")?.read().to_key() }
}

/// A destination (real server) as you configure it. Initialise it with LVS_DESTINATION_INIT: direct
/// routing, weight 1, no thresholds.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_destination {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// How packets reach it: enum lvs_forwarding, or 5 to 7.
    pub forwarding: u32,
    /// What identifies it.
    pub key: lvs_destination_key,
    /// Its capacity against its neighbours'; 0 quiesces it. The kernel refuses values above
    /// 2147483647.
    pub weight: u32,
    /// Connections at which it counts as overloaded; 0 for no limit.
    pub upper_threshold: u32,
    /// Connections below which it counts as usable again; 0 for three quarters of the upper
    /// threshold.
    pub lower_threshold: u32,
    /// The encapsulation, for LVS_FORWARDING_TUNNEL: enum lvs_tunnel.
    pub tunnel: u32,
    /// The UDP port of GUE, in host order.
    pub tunnel_port: u16,
    /// LVS_TUNNEL_... bits. Bits without a name are kept.
    pub tunnel_flags: u16,
}

/// What a director reports of a destination beside its configuration. Initialise it with
/// LVS_DESTINATION_STATE_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_destination_state {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Which statistics the director reported: LVS_STATS_PRESENT, LVS_STATS32_PRESENT,
    /// LVS_STATS64_PRESENT.
    pub present: u32,
    /// Connections in an active state: established or on the way there.
    pub active: u32,
    /// All other connections; UDP ones always count here.
    pub inactive: u32,
    /// Persistence templates that point here.
    pub persistent: u32,
    /// Reserved: always 0.
    pub reserved: u32,
    /// The widest statistics reported; lvs_snapshot_destination_stats32() has those of 32 bits.
    pub stats: lvs_stats,
}

record! {
    lvs_destination: 52;
    lvs_destination_state: 104;
}

init!(
    lvs_destination_init, destination: lvs_destination,
    lvs_destination { forwarding: lvs_forwarding::Direct as u32, weight: 1, ..zeroed() }
);

init!(lvs_destination_state_init, state: lvs_destination_state, zeroed());

impl From<&Destination> for lvs_destination {
    #[inline]
    fn from(destination: &Destination) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            forwarding: destination.forwarding.number().into(),
            key: destination.key.into(),
            weight: destination.weight,
            upper_threshold: destination.upper_threshold,
            lower_threshold: destination.lower_threshold,
            tunnel: destination.tunnel.kind.number().into(),
            tunnel_port: destination.tunnel.port,
            tunnel_flags: destination.tunnel.flags.bits(),
        }
    }
}

impl lvs_destination {
    pub(crate) fn to_destination(self) -> Result<Destination, Failure> {
        let key = self.key.to_key()?;
        if self.forwarding > 7 {
            return Err(Failure::invalid(format!("unknown forwarding method {}", self.forwarding)));
        }
        let kind = u8::try_from(self.tunnel)
            .map_err(|_| Failure::invalid(format!("unknown encapsulation {}", self.tunnel)))?;
        let mut destination = Destination::with_key(key)
            .with_forwarding(ForwardingMethod::from_number(self.forwarding))
            .with_weight(self.weight)
            .with_thresholds(self.upper_threshold, self.lower_threshold);
        destination.tunnel = Tunnel {
            kind: TunnelKind::from_number(kind),
            port: self.tunnel_port,
            flags: TunnelFlags::from_bits(self.tunnel_flags),
        };
        Ok(destination)
    }
}

/// A destination that came from C.
pub(crate) unsafe fn read(destination: *const lvs_destination) -> Result<Destination, Failure> {
    // SAFETY: NULL or as large as it says, by the promise of the caller.
    unsafe { record::read(destination)?.to_destination() }
}

/// Fills the records of a destination; each may be NULL.
///
/// Part of each of its callers, by force: they do little else, and agents call them for every
/// entry.
#[inline(always)]
pub(crate) unsafe fn write_entry(
    entry: &DestinationEntry,
    destination: *mut lvs_destination,
    state: *mut lvs_destination_state,
) -> Result<(), Failure> {
    // SAFETY: NULL or as large as they say, by the promise of the caller.
    unsafe {
        record::write_optional(destination, || (&entry.destination).into())?;
        record::write_optional(state, || lvs_destination_state {
            struct_size: size_of::<lvs_destination_state>() as u32,
            present: present(entry.stats.is_some(), entry.stats64.is_some()),
            active: entry.active,
            inactive: entry.inactive,
            persistent: entry.persistent,
            reserved: 0,
            stats: entry.stats64.as_ref().or(entry.stats.as_ref()).into(),
        })
    }
}

/// Reads a key such as "198.51.100.7:80" or "[2001:db8::7]:80"; an address without a port has port 0. Any thread.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_destination_key_parse(
    text: *const c_char,
    key: *mut lvs_destination_key,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let key = place(key, "key")?;
        key.write(handle::text(text, "text")?.parse::<DestinationKey>()?.into());
        Ok(())
    })
}

/// Writes a key as text, such as "198.51.100.7:80" or "[2001:db8::7]:80", into `buffer` of `size`
/// bytes, cut short if it does not fit, and always with a NUL byte (unless `size` is 0). Returns
/// the length of the whole text without the NUL byte, or 0 if `key` is NULL or no key.
/// LVS_DESTINATION_KEY_STRLEN bytes are enough. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_destination_key_format(
    key: *const lvs_destination_key,
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

/// Whether two keys name the same destination of a service. False if one of them is NULL or no key.
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_destination_key_equal(
    a: *const lvs_destination_key,
    b: *const lvs_destination_key,
) -> bool {
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
pub unsafe extern "C" fn lvs_destination_key_compare(
    a: *const lvs_destination_key,
    b: *const lvs_destination_key,
) -> i32 {
    infallible!(0, {
        let key = |key: *const lvs_destination_key| key.as_ref().and_then(|key| key.to_key().ok());
        key(a).cmp(&key(b)) as i32
    })
}

/// The name of a forwarding method as `ipvsadm -L` prints it: "Masq", "Local", "Tunnel", "Route";
/// "Masq" for numbers without a meaning, as the kernel has it. The string is static. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn lvs_forwarding_name(forwarding: u32) -> *const c_char {
    let name = match ForwardingMethod::from_number(forwarding).listing_name() {
        "Local" => c"Local",
        "Tunnel" => c"Tunnel",
        "Route" => c"Route",
        _ => c"Masq",
    };
    name.as_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations_of_every_kind_survive_the_record() {
        let plain = Destination::new("198.51.100.7".parse().unwrap(), 80);
        let rich = Destination::new("2001:db8::7".parse().unwrap(), 0)
            .with_weight(u32::MAX)
            .with_thresholds(9, 4)
            .with_tunnel(Tunnel::gue(6080, TunnelFlags::from_bits(0xffff)));
        for number in 0..8 {
            for destination in [plain, rich] {
                let destination = destination.with_forwarding(ForwardingMethod::from_number(number));
                assert_eq!(lvs_destination::from(&destination).to_destination().unwrap(), destination);
            }
        }
    }

    #[test]
    fn numbers_that_the_wire_cannot_carry_are_refused() {
        let record = lvs_destination::from(&Destination::new("198.51.100.7".parse().unwrap(), 80));
        assert!(lvs_destination { forwarding: 8, ..record }.to_destination().is_err());
        assert!(lvs_destination { tunnel: 256, ..record }.to_destination().is_err());
    }
}
