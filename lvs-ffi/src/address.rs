//! Addresses.

use std::ffi::c_char;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lvs_core::model::{AddressFamily, ModelError};

use crate::boundary::{call, infallible};
use crate::error::{Failure, lvs_error};
use crate::handle::{place, print, text};
use crate::record;
use crate::status::lvs_status;

/// IPv4: AF_INET of Linux.
pub const LVS_FAMILY_IPV4: u16 = 2;
/// IPv6: AF_INET6 of Linux.
pub const LVS_FAMILY_IPV6: u16 = 10;
/// A buffer of this size holds any address as text, and its NUL byte.
pub const LVS_ADDRESS_STRLEN: usize = 46;

/// An IP address. Its layout never changes.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct lvs_address {
    /// LVS_FAMILY_IPV4 or LVS_FAMILY_IPV6; 0 where there is no address.
    pub family: u16,
    /// Reserved: must be 0.
    pub reserved: u16,
    /// The address in network order, as in struct in_addr and struct in6_addr. IPv4 uses the first
    /// four bytes, and the rest must be 0.
    pub bytes: [u8; 16],
}

impl lvs_address {
    pub(crate) const NONE: Self = Self { family: 0, reserved: 0, bytes: [0; 16] };

    pub(crate) fn to_addr(self, what: &str) -> Result<IpAddr, Failure> {
        record::zero("lvs_address.reserved", self.reserved)?;
        match AddressFamily::from_number(self.family) {
            Some(AddressFamily::Ipv4) => {
                let [a, b, c, d, rest @ ..] = self.bytes;
                if rest != [0; 12] {
                    return Err(Failure::invalid(format!("{what} is IPv4 and has more than four bytes")));
                }
                Ok(Ipv4Addr::new(a, b, c, d).into())
            }
            Some(AddressFamily::Ipv6) => Ok(Ipv6Addr::from(self.bytes).into()),
            None => Err(Failure::invalid(format!("{what} has the unknown address family {}", self.family))),
        }
    }

    pub(crate) fn to_optional_addr(self, what: &str) -> Result<Option<IpAddr>, Failure> {
        if self == Self::NONE { Ok(None) } else { self.to_addr(what).map(Some) }
    }
}

impl From<IpAddr> for lvs_address {
    #[inline]
    fn from(addr: IpAddr) -> Self {
        // As numbers, which pass from here to a record in registers: arrays would go through
        // memory.
        let (family, bytes) = match addr {
            IpAddr::V4(addr) => (LVS_FAMILY_IPV4, u128::from(u32::from_le_bytes(addr.octets()))),
            IpAddr::V6(addr) => (LVS_FAMILY_IPV6, u128::from_le_bytes(addr.octets())),
        };
        Self { family, reserved: 0, bytes: bytes.to_le_bytes() }
    }
}

impl From<Option<IpAddr>> for lvs_address {
    fn from(addr: Option<IpAddr>) -> Self {
        addr.map_or(Self::NONE, Self::from)
    }
}

/// The family of a number that came from C.
pub(crate) fn family(number: u16) -> Result<AddressFamily, Failure> {
    AddressFamily::from_number(number)
        .ok_or_else(|| Failure::invalid(format!("unknown address family {number}: neither IPv4 (2) nor IPv6 (10)")))
}

/// An address as text that came from C.
pub(crate) unsafe fn parse(addr: *const c_char, what: &str) -> Result<IpAddr, Failure> {
    // SAFETY: NULL or a string, by the promise of the caller.
    let text = unsafe { text(addr, what)? };
    text.parse().map_err(|_| ModelError::Address(text.to_owned()).into())
}

/// Reads an address such as "192.0.2.1" or "2001:db8::1" (no brackets, no zone, no name). Any
/// thread.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_address_parse(
    text: *const c_char,
    address: *mut lvs_address,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let address = place(address, "address")?;
        address.write(parse(text, "text")?.into());
        Ok(())
    })
}

/// Writes an address as text into `buffer` of `size` bytes, cut short if it does not fit, and
/// always with a NUL byte (unless `size` is 0). Returns the length of the whole text without the
/// NUL byte, or 0 if `address` is NULL or holds no address. LVS_ADDRESS_STRLEN bytes are enough.
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn lvs_address_format(address: *const lvs_address, buffer: *mut c_char, size: usize) -> usize {
    infallible!(0, {
        let text = match address.as_ref().map(|address| address.to_addr("address")) {
            Some(Ok(addr)) => addr.to_string(),
            _ => String::new(),
        };
        print(buffer, size, &text)
    })
}
