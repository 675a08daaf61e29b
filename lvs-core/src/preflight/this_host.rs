//! The host of this process.

use std::fs;
use std::net::{IpAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{HeldAddress, Host, sysctl_path};
use crate::procfs::Procfs;

/// The host of this process, in the network namespace of the calling thread. It runs
/// `modprobe --dry-run` to learn which modules could be loaded.
#[derive(Debug, Clone, Copy, Default)]
pub struct ThisHost;

impl Host for ThisHost {
    fn has_ipvs(&self) -> bool {
        Path::new("/proc/net/ip_vs").exists()
    }

    fn has_module(&self, name: &str) -> bool {
        let loaded = fs::read_to_string("/proc/modules").unwrap_or_default();
        loaded.lines().any(|line| line.split(' ').next() == Some(name)) || can_load(name)
    }

    fn has_interface(&self, name: &str) -> bool {
        Path::new("/sys/class/net").join(name).exists()
    }

    fn sysctl(&self, name: &str) -> Option<String> {
        Some(fs::read_to_string(sysctl_path(name)).ok()?.trim().to_owned())
    }

    fn connections(&self) -> Option<(u64, u64)> {
        let table = Procfs::current().status().ok()?.connections;
        Some((table.entries, table.buckets))
    }

    /// A socket can be bound only to an address of the host, unless `ip_nonlocal_bind` permits
    /// others.
    fn is_local(&self, addr: IpAddr) -> bool {
        UdpSocket::bind((addr, 0)).is_ok()
    }

    fn addresses(&self, addr: IpAddr) -> Vec<HeldAddress> {
        super::addresses::holding(addr)
    }
}

fn can_load(module: &str) -> bool {
    let mut modprobe = Command::new("modprobe");
    modprobe.args(["-n", "-q", module]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    modprobe.status().is_ok_and(|status| status.success())
}
