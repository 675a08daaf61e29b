//! Version and table size, which stand at the top of a message.

use super::DecodeError;
use super::attr::Attributes;
use super::kind::U32;
use super::table::attributes;
use crate::model::Info;

attributes! {
    /// The top of the reply to `GetInfo`.
    InfoFields /
    /// An attribute of the reply to `GetInfo` (`IPVS_INFO_ATTR_*`), which stands at the top of the
    /// message.
    InfoAttribute [config = Info] {
        IPVS_INFO_ATTR_VERSION = 1: U32 => version / Version, since "2.6", config(version);
        IPVS_INFO_ATTR_CONN_TAB_SIZE = 2: U32 => table_size / TableSize, since "2.6", config(connection_table_size);
    }
}

impl<'a> InfoFields<'a> {
    pub(crate) fn info(info: &'a Info) -> Self {
        let mut fields = Self::default();
        fields.set_config(info);
        fields
    }
}

/// Appends the kernel's reply to `GetInfo`.
pub fn write(buf: &mut Vec<u8>, info: &Info) {
    super::attr::write(buf, &InfoFields::info(info));
}

/// Reads the reply to `GetInfo`.
///
/// # Errors
/// When version or table size is missing.
pub fn read(attributes: Attributes<'_>) -> Result<Info, DecodeError> {
    let fields = InfoFields::read(attributes);
    let missing = |attribute| DecodeError::missing("reply", attribute);
    fields.version.ok_or(missing("IPVS_INFO_ATTR_VERSION"))?;
    fields.table_size.ok_or(missing("IPVS_INFO_ATTR_CONN_TAB_SIZE"))?;
    let mut info = Info::default();
    fields.fill_config(&mut info);
    Ok(info)
}
