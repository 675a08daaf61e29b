//! What a director reports of itself.

use lvs_core::model::Info;

use crate::exports::init;
use crate::record::{record, zeroed};

/// What a director says of itself. Initialise it with LVS_INFO_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_info {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// The version of IPVS: the major number. The kernel has said 1.2.1 for years, whatever its own
    /// release.
    pub version_major: u16,
    /// The minor number.
    pub version_minor: u8,
    /// The patch level.
    pub version_patch: u8,
    /// Buckets of the connection table.
    pub connection_table_size: u32,
}

record! { lvs_info: 12; }

init!(lvs_info_init, info: lvs_info, zeroed());

impl From<Info> for lvs_info {
    fn from(info: Info) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            version_major: info.version.major,
            version_minor: info.version.minor,
            version_patch: info.version.patch,
            connection_table_size: info.connection_table_size,
        }
    }
}
