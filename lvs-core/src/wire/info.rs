//! Version and table size, which stand at the top of a message.

use super::WireError;
use super::attr::{Attributes, put_u32};
use super::uapi::*;
use crate::model::{Info, Version};

/// Appends the kernel's reply to `GetInfo`.
pub fn write(buf: &mut Vec<u8>, info: &Info) {
    put_u32(buf, IPVS_INFO_ATTR_VERSION, info.version.number());
    put_u32(buf, IPVS_INFO_ATTR_CONN_TAB_SIZE, info.connection_table_size);
}

/// Reads the reply to `GetInfo`.
///
/// # Errors
/// When version or table size is missing.
pub fn read(attributes: Attributes<'_>) -> Result<Info, WireError> {
    let (mut version, mut size) = (None, None);
    for attribute in attributes {
        match attribute.number() {
            IPVS_INFO_ATTR_VERSION => version = attribute.u32(),
            IPVS_INFO_ATTR_CONN_TAB_SIZE => size = attribute.u32(),
            _ => {}
        }
    }
    Ok(Info::new(
        Version::from_number(version.ok_or(WireError::missing("info", "VERSION"))?),
        size.ok_or(WireError::missing("info", "CONN_TAB_SIZE"))?,
    ))
}
