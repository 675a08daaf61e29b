//! Connection timeouts.

use lvs_core::model::Timeouts;

use crate::exports::init;
use crate::record::{record, zeroed};

/// The three connection timeouts that can be set, in seconds. Initialise it with LVS_TIMEOUTS_INIT:
/// all 0, which leaves all as they are. The kernel takes up to 8589934.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_timeouts {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Of established TCP connections. When set, 0 leaves it as it is.
    pub tcp: u32,
    /// Of TCP connections after a FIN. When set, 0 leaves it as it is.
    pub tcp_fin: u32,
    /// Of UDP connections. When set, 0 leaves it as it is.
    pub udp: u32,
}

record! { lvs_timeouts: 16; }

init!(lvs_timeouts_init, timeouts: lvs_timeouts, zeroed());

impl From<Timeouts> for lvs_timeouts {
    fn from(timeouts: Timeouts) -> Self {
        let Timeouts { tcp, tcp_fin, udp } = timeouts;
        Self { struct_size: size_of::<Self>() as u32, tcp, tcp_fin, udp }
    }
}

impl From<lvs_timeouts> for Timeouts {
    fn from(timeouts: lvs_timeouts) -> Self {
        Self { tcp: timeouts.tcp, tcp_fin: timeouts.tcp_fin, udp: timeouts.udp }
    }
}
