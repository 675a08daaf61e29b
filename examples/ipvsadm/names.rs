//! Names of hosts and ports, as the system knows them.

use std::ffi::{CStr, c_char};
use std::mem::size_of;
use std::net::IpAddr;

use lvs_core::model::Protocol;
use lvs_core::rules::{Resolver, SystemResolver};

/// The system's names, and those of addresses, too.
#[derive(Debug)]
pub(crate) struct Names(SystemResolver);

impl Names {
    pub(crate) fn new() -> Self {
        Self(SystemResolver::new())
    }
}

impl Resolver for Names {
    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        self.0.addresses(host)
    }

    fn port(&self, name: &str, protocol: Protocol) -> Option<u16> {
        self.0.port(name, protocol)
    }

    fn host_name(&self, addr: IpAddr) -> Option<String> {
        reverse(addr)
    }

    fn port_name(&self, port: u16, protocol: Protocol) -> Option<String> {
        self.0.port_name(port, protocol)
    }
}

/// The name of an address, as `getnameinfo` has it.
fn reverse(addr: IpAddr) -> Option<String> {
    let mut name = [0 as c_char; libc::NI_MAXHOST as usize];
    let mut lookup = |socket: *const libc::sockaddr, length: usize| {
        // SAFETY: `socket` points to a whole socket address of `length` bytes that outlives the
        // call, and `name` is as long as it is said to be. No service name is asked for.
        unsafe {
            libc::getnameinfo(
                socket,
                length as libc::socklen_t,
                name.as_mut_ptr(),
                name.len() as libc::socklen_t,
                std::ptr::null_mut(),
                0,
                libc::NI_NAMEREQD,
            )
        }
    };
    let answer = match addr {
        IpAddr::V4(addr) => {
            let socket = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: 0,
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(addr.octets()) },
                sin_zero: [0; 8],
            };
            lookup((&raw const socket).cast(), size_of::<libc::sockaddr_in>())
        }
        IpAddr::V6(addr) => {
            let socket = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: 0,
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr { s6_addr: addr.octets() },
                sin6_scope_id: 0,
            };
            lookup((&raw const socket).cast(), size_of::<libc::sockaddr_in6>())
        }
    };
    if answer != 0 {
        return None;
    }
    // SAFETY: `getnameinfo` succeeded, so it wrote a string with its end into `name`.
    let name = unsafe { CStr::from_ptr(name.as_ptr()) };
    name.to_str().ok().map(str::to_owned)
}
