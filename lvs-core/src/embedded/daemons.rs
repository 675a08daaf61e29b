//! Sync daemons as configuration: they are started, shown and stopped, but send nothing
//! (`ip_vs_sync.c`).

use std::net::{IpAddr, Ipv4Addr};

use super::options::EmbeddedOptions;
use crate::errno::Errno;
use crate::model::{Daemon, DaemonRole};

const DEFAULT_GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 0, 0, 81));
const DEFAULT_PORT: u16 = 8848;
const DEFAULT_TTL: u8 = 1;
/// The smallest payload that a backup must be able to receive.
const BACKUP_MIN_LEN: u32 = 1024;

/// At most one of each role.
#[derive(Debug, Clone, Default)]
pub(super) struct Daemons {
    master: Option<Daemon>,
    backup: Option<Daemon>,
}

impl Daemons {
    fn slot(&mut self, role: DaemonRole) -> &mut Option<Daemon> {
        match role {
            DaemonRole::Master => &mut self.master,
            DaemonRole::Backup => &mut self.backup,
        }
    }

    pub(super) const fn any(&self) -> bool {
        self.master.is_some() || self.backup.is_some()
    }

    pub(super) const fn has_backup(&self) -> bool {
        self.backup.is_some()
    }

    /// The running ones, the master first.
    pub(super) fn running(&self) -> Vec<Daemon> {
        self.master.into_iter().chain(self.backup).collect()
    }

    /// What can be said of a daemon before anything is done; `mixed` if a destination is not of its
    /// service's family.
    pub(super) fn check(daemon: &Daemon, mixed: bool) -> Result<(), Errno> {
        if daemon.group.unwrap_or(DEFAULT_GROUP).is_multicast() && !mixed { Ok(()) } else { Err(Errno::EINVAL) }
    }

    /// Starts a daemon that was checked.
    pub(super) fn start(&mut self, daemon: &Daemon, options: &EmbeddedOptions) -> Result<(), Errno> {
        let group = daemon.group.unwrap_or(DEFAULT_GROUP);
        let interface = options.interfaces.iter().find(|known| known.name == daemon.interface).ok_or(Errno::ENODEV)?;
        let slot = self.slot(daemon.role);
        if slot.is_some() {
            return Err(Errno::EEXIST);
        }
        let headers = if group.is_ipv4() { 20 + 8 } else { 40 + 8 };
        let longest = 65535 - headers;
        let wanted = daemon.max_len.filter(|len| *len != 0).map(u32::from);
        let max_len = match daemon.role {
            DaemonRole::Master => wanted.map_or(1500 - headers, |len| len.clamp(1, longest)),
            DaemonRole::Backup => {
                wanted.map_or(interface.mtu.clamp(1500, 65535) - headers, |len| len.clamp(BACKUP_MIN_LEN, longest))
            }
        };
        let mut started = *daemon;
        started.group = Some(group);
        started.port = Some(daemon.port.filter(|port| *port != 0).unwrap_or(DEFAULT_PORT));
        started.ttl = Some(daemon.ttl.filter(|ttl| *ttl != 0).unwrap_or(DEFAULT_TTL));
        started.max_len = u16::try_from(max_len).ok();
        *slot = Some(started);
        Ok(())
    }

    pub(super) fn stop(&mut self, role: DaemonRole) -> Result<(), Errno> {
        self.slot(role).take().map(|_| ()).ok_or(Errno::ESRCH)
    }
}
