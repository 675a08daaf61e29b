//! The host that is looked at.

use std::net::IpAddr;
use std::path::PathBuf;

use super::HeldAddress;

/// What preflight wants to know of a host: `ThisHost`, or what was gathered on another one, or made
/// up by a test.
pub trait Host {
    /// Whether IPVS is there: its module loaded, or built in.
    fn has_ipvs(&self) -> bool;
    /// Whether a module, such as `ip_vs_wlc`, is loaded, built in, or can be loaded.
    fn has_module(&self, name: &str) -> bool;
    /// Whether a network interface is there.
    fn has_interface(&self, name: &str) -> bool;
    /// A kernel setting by its dotted name, without the newline; `None` if it is not there or
    /// cannot be read.
    fn sysctl(&self, name: &str) -> Option<String>;
    /// How many entries the connection table has and how many buckets, where the kernel says that
    /// (Linux 7.1).
    fn connections(&self) -> Option<(u64, u64)>;
    /// Whether an address is the host's.
    fn is_local(&self, addr: IpAddr) -> bool;
    /// The interfaces that hold an address.
    fn addresses(&self, addr: IpAddr) -> Vec<HeldAddress>;
}

/// The file of a kernel setting. An interface's dots are part of its name:
/// `net.ipv4.conf.eth0/1.rp_filter` is the setting of `eth0.1`.
pub fn sysctl_path(name: &str) -> PathBuf {
    let file: String = name
        .chars()
        .map(|c| match c {
            '.' => '/',
            '/' => '.',
            c => c,
        })
        .collect();
    PathBuf::from("/proc/sys").join(file)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_file_of_a_setting_keeps_the_dots_of_an_interface() {
        let path = sysctl_path("net.ipv4.conf.eth0/1.rp_filter");
        assert_eq!(path, Path::new("/proc/sys/net/ipv4/conf/eth0.1/rp_filter"));
    }
}
