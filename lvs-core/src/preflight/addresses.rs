//! Which interfaces of this host hold an address.

use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use super::HeldAddress;

/// Where this host holds an address; nowhere if the interfaces cannot be read.
pub(super) fn holding(address: IpAddr) -> Vec<HeldAddress> {
    let Ok(addresses) = getifaddrs() else { return Vec::new() };
    addresses
        .filter_map(|entry| {
            let ip = |storage: &nix::sys::socket::SockaddrStorage| {
                let v4 = storage.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
                v4.or_else(|| storage.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
            };
            if entry.address.as_ref().and_then(ip)? != address {
                return None;
            }
            let prefix = match entry.netmask.as_ref().and_then(ip)? {
                IpAddr::V4(mask) => u32::from(mask).count_ones(),
                IpAddr::V6(mask) => u128::from(mask).count_ones(),
            };
            // A label such as eth0:0 is an address of eth0.
            let interface = entry.interface_name.split(':').next().unwrap_or_default().to_owned();
            let silent = InterfaceFlags::IFF_LOOPBACK | InterfaceFlags::IFF_NOARP | InterfaceFlags::IFF_POINTOPOINT;
            Some(HeldAddress { interface, prefix, answers: !entry.flags.intersects(silent) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_address_is_on_the_loopback_interface() {
        let held = holding("127.0.0.1".parse().unwrap());
        assert_eq!(held, [HeldAddress { interface: "lo".to_owned(), prefix: 8, answers: false }]);
    }
}
