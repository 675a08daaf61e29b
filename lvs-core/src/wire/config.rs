//! The three timeouts, which stand at the top of a message.

use super::WireError;
use super::attr::{Attributes, put_u32};
use super::uapi::*;
use crate::model::Timeouts;

/// Appends the timeouts: a `SetConfig` request, and the kernel's reply to `GetConfig`.
pub fn write(buf: &mut Vec<u8>, timeouts: &Timeouts) {
    put_u32(buf, IPVS_CMD_ATTR_TIMEOUT_TCP, timeouts.tcp);
    put_u32(buf, IPVS_CMD_ATTR_TIMEOUT_TCP_FIN, timeouts.tcp_fin);
    put_u32(buf, IPVS_CMD_ATTR_TIMEOUT_UDP, timeouts.udp);
}

/// Reads the timeouts of a reply. A protocol that the kernel was built without has none; it reads as 0.
///
/// # Errors
/// When none of the three is there.
pub fn read(attributes: Attributes<'_>) -> Result<Timeouts, WireError> {
    let mut found = false;
    let mut timeouts = Timeouts { tcp: 0, tcp_fin: 0, udp: 0 };
    for attribute in attributes {
        let field = match attribute.number() {
            IPVS_CMD_ATTR_TIMEOUT_TCP => &mut timeouts.tcp,
            IPVS_CMD_ATTR_TIMEOUT_TCP_FIN => &mut timeouts.tcp_fin,
            IPVS_CMD_ATTR_TIMEOUT_UDP => &mut timeouts.udp,
            _ => continue,
        };
        if let Some(value) = attribute.u32() {
            *field = value;
            found = true;
        }
    }
    if found { Ok(timeouts) } else { Err(WireError::missing("timeouts", "TIMEOUT_TCP")) }
}
