//! The controller of generic netlink, as far as it takes to find our family's number.

use super::WireError;
use super::attr::{put_text, put_u16, put_u32};
use super::message::{Header, Message, finish};
use super::uapi::*;

/// A family of generic netlink, as the controller describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Family<'a> {
    /// Its name, `IPVS` for ours.
    pub name: &'a str,
    /// The number that its messages carry.
    pub id: u16,
}

/// Appends the controller's question after a family by name. Of a name that it does not know the kernel first loads
/// the module that claims it (`net-pf-16-proto-16-family-NAME`, `ctrl_getfamily()` of `genetlink.c`).
pub fn write_request(buf: &mut Vec<u8>, sequence: u32, name: &str) {
    let header = Header { kind: GENL_ID_CTRL, flags: NLM_F_REQUEST, sequence, ..Header::default() };
    let start = header.begin_generic(buf, CTRL_CMD_GETFAMILY, 2);
    put_text(buf, CTRL_ATTR_FAMILY_NAME, name);
    finish(buf, start);
}

/// Appends the controller's question after all families, which loads no module.
pub fn write_dump_request(buf: &mut Vec<u8>, sequence: u32) {
    let header = Header { kind: GENL_ID_CTRL, flags: NLM_F_REQUEST | NLM_F_DUMP, sequence, ..Header::default() };
    let start = header.begin_generic(buf, CTRL_CMD_GETFAMILY, 2);
    finish(buf, start);
}

/// The name that a request asks the controller after; nothing if the message is another.
pub fn read_request<'a>(message: &Message<'a>) -> Option<&'a str> {
    let (command, mut attributes) = message.command().ok()?;
    if message.header.kind != GENL_ID_CTRL || command.number() != CTRL_CMD_GETFAMILY {
        return None;
    }
    attributes.find(|attribute| attribute.number() == CTRL_ATTR_FAMILY_NAME)?.text()
}

/// Appends the controller's description of the IPVS family under a number: its head, without operations and policies.
pub fn write_reply(buf: &mut Vec<u8>, sequence: u32, port: u32, id: u16) {
    let header = Header { kind: GENL_ID_CTRL, flags: 0, sequence, port, length: 0 };
    let start = header.begin_generic(buf, CTRL_CMD_NEWFAMILY, 2);
    put_text(buf, CTRL_ATTR_FAMILY_NAME, IPVS_GENL_NAME);
    put_u16(buf, CTRL_ATTR_FAMILY_ID, id);
    put_u32(buf, CTRL_ATTR_VERSION, IPVS_GENL_VERSION.into());
    put_u32(buf, CTRL_ATTR_HDRSIZE, 0);
    put_u32(buf, CTRL_ATTR_MAXATTR, IPVS_CMD_ATTR_TIMEOUT_UDP.into());
    finish(buf, start);
}

/// Reads the controller's description of a family; what else it says (operations, groups, policies) is skipped.
///
/// # Errors
/// When it lacks the name or the number.
pub fn read_reply<'a>(message: &Message<'a>) -> Result<Family<'a>, WireError> {
    let (_, attributes) = message.command()?;
    let (mut name, mut id) = (None, None);
    for attribute in attributes {
        match attribute.number() {
            CTRL_ATTR_FAMILY_NAME => name = attribute.text(),
            CTRL_ATTR_FAMILY_ID => id = attribute.u16(),
            _ => {}
        }
    }
    Ok(Family {
        name: name.ok_or(WireError::missing("netlink family", "FAMILY_NAME"))?,
        id: id.ok_or(WireError::missing("netlink family", "FAMILY_ID"))?,
    })
}
