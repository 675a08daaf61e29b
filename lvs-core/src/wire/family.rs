//! The controller of generic netlink, as far as it takes to find our family's number.

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader};
use netlink_packet_generic::constants::{CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_CMD_GETFAMILY, GENL_ID_CTRL};
use netlink_packet_generic::ctrl::nlas::GenlCtrlAttrs;
use netlink_packet_generic::ctrl::{GenlCtrl, GenlCtrlCmd};

use super::DecodeError;
use super::attr::Attribute;
use super::kind::{Kind, Text, TextBytes, U16};
use super::message::{Message, header, write};
use super::top::numbers::IPVS_CMD_ATTR_TIMEOUT_UDP;
use super::uapi::{IPVS_GENL_NAME, IPVS_GENL_VERSION};

/// A family of generic netlink, as the controller describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Family<'a> {
    /// Its name, `IPVS` for ours.
    pub name: &'a str,
    /// The number that its messages carry.
    pub id: u16,
}

fn get_family(name: Option<&str>) -> GenlCtrl {
    let nlas = name.map(|name| GenlCtrlAttrs::FamilyName(name.to_owned())).into_iter().collect();
    GenlCtrl { cmd: GenlCtrlCmd::GetFamily, nlas }
}

/// Appends the request for a family by name. For a name that it does not know the kernel first
/// loads the module that claims it (`net-pf-16-proto-16-family-NAME`, `ctrl_getfamily()` of
/// `genetlink.c`).
pub fn write_request(buf: &mut Vec<u8>, sequence: u32, name: &str) {
    write(buf, header(GENL_ID_CTRL, NLM_F_REQUEST, sequence), get_family(Some(name)));
}

/// Appends the request for all families, which loads no module.
pub fn write_dump_request(buf: &mut Vec<u8>, sequence: u32) {
    write(buf, header(GENL_ID_CTRL, NLM_F_REQUEST | NLM_F_DUMP, sequence), get_family(None));
}

/// The name of the family that a message asks the controller for; nothing if it is another message.
pub fn read_request<'a>(message: &Message<'a>) -> Option<&'a str> {
    let (command, mut attributes) = message.command().ok()?;
    if message.header.message_type != GENL_ID_CTRL || command.number() != CTRL_CMD_GETFAMILY {
        return None;
    }
    text(attributes.find(|attribute| attribute.number() == CTRL_ATTR_FAMILY_NAME)?)
}

fn text<'a>(attribute: Attribute<'a>) -> Option<&'a str> {
    Text::<0>::read(attribute.payload, false).and_then(TextBytes::as_str)
}

/// Appends the controller's description of the IPVS family under a number: its head, without
/// operations and policies. Of the header only flags, sequence number and port count.
pub fn write_reply(buf: &mut Vec<u8>, header: NetlinkHeader, id: u16) {
    let nlas = vec![
        GenlCtrlAttrs::FamilyName(IPVS_GENL_NAME.to_owned()),
        GenlCtrlAttrs::FamilyId(id),
        GenlCtrlAttrs::Version(IPVS_GENL_VERSION.into()),
        GenlCtrlAttrs::HdrSize(0),
        GenlCtrlAttrs::MaxAttr(IPVS_CMD_ATTR_TIMEOUT_UDP.into()),
    ];
    write(buf, header, GenlCtrl { cmd: GenlCtrlCmd::NewFamily, nlas });
}

/// Reads the controller's description of a family; what else it holds (operations, groups,
/// policies) is skipped.
///
/// `GenlCtrl` is not used for that: it fails on attributes that it does not know and panics on
/// malformed policies.
///
/// # Errors
/// When it lacks the name or the number.
pub fn read_reply<'a>(message: &Message<'a>) -> Result<Family<'a>, DecodeError> {
    let (_, attributes) = message.command()?;
    let (mut name, mut id) = (None, None);
    for attribute in attributes {
        match attribute.number() {
            CTRL_ATTR_FAMILY_NAME => name = text(attribute),
            CTRL_ATTR_FAMILY_ID => id = U16::read(attribute.payload, false),
            _ => {}
        }
    }
    let missing = |attribute| DecodeError::missing("netlink family", attribute);
    Ok(Family { name: name.ok_or(missing("CTRL_ATTR_FAMILY_NAME"))?, id: id.ok_or(missing("CTRL_ATTR_FAMILY_ID"))? })
}
