//! Sync daemons.

use std::ffi::c_char;

use lvs_core::model::{Daemon, DaemonRole, InterfaceName};

use crate::address::lvs_address;
use crate::error::Failure;
use crate::exports::init;
use crate::handle::{field, padded};
use crate::record::{self, record, zeroed};

/// The part a sync daemon plays. A director can run one of each.
#[repr(u32)]
pub enum lvs_role {
    /// Sends the connections.
    Master = 1,
    /// Receives them.
    Backup = 2,
}

/// A connection synchronisation daemon. Initialise it with LVS_DAEMON_INIT: a master with the
/// kernel's defaults, which still needs an interface.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_daemon {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// The part it plays: enum lvs_role.
    pub role: u32,
    /// Which daemons belong together: 0 to 255; a backup with 0 takes all.
    pub sync_id: u32,
    /// The longest payload of a message, in bytes; 0 for the kernel's default.
    pub max_len: u16,
    /// The UDP port in host order; 0 for the kernel's default, 8848.
    pub port: u16,
    /// The interface that carries the multicast, at most 15 bytes and a NUL byte.
    pub interface: [c_char; 16],
    /// The multicast group; family 0 for the kernel's default, 224.0.0.81.
    pub group: lvs_address,
    /// The multicast time to live; 0 for the kernel's default, 1.
    pub ttl: u8,
    /// Reserved: must be 0.
    pub reserved: [u8; 3],
}

record! { lvs_daemon: 56; }

init!(lvs_daemon_init, daemon: lvs_daemon, lvs_daemon { role: lvs_role::Master as u32, ..zeroed() });

/// A role that came from C.
pub(crate) fn role(number: u32) -> Result<DaemonRole, Failure> {
    DaemonRole::from_number(number).ok_or_else(|| Failure::invalid(format!("unknown role {number} of a sync daemon")))
}

impl From<&Daemon> for lvs_daemon {
    fn from(daemon: &Daemon) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            role: daemon.role.number(),
            sync_id: daemon.sync_id,
            max_len: daemon.max_len.unwrap_or(0),
            port: daemon.port.unwrap_or(0),
            interface: padded(daemon.interface.padded()),
            group: daemon.group.into(),
            ttl: daemon.ttl.unwrap_or(0),
            reserved: [0; 3],
        }
    }
}

impl lvs_daemon {
    // 0 and absent are one to the kernel: it puts its default in for both (ip_vs_sync.c,
    // start_sync_thread()).
    pub(crate) fn to_daemon(self) -> Result<Daemon, Failure> {
        let [a, b, c] = self.reserved.map(u32::from);
        record::zero("lvs_daemon.reserved", a | b | c)?;
        let interface = InterfaceName::new(field(&self.interface, "the interface's name")?)?;
        let mut daemon = Daemon::new(role(self.role)?, interface, self.sync_id);
        daemon.max_len = Some(self.max_len).filter(|value| *value != 0);
        daemon.port = Some(self.port).filter(|value| *value != 0);
        daemon.ttl = Some(self.ttl).filter(|value| *value != 0);
        daemon.group = self.group.to_optional_addr("the multicast group")?;
        Ok(daemon)
    }
}

/// A daemon that came from C.
pub(crate) unsafe fn read(daemon: *const lvs_daemon) -> Result<Daemon, Failure> {
    // SAFETY: NULL or as large as it says, by the promise of the caller.
    unsafe { record::read(daemon)?.to_daemon() }
}
