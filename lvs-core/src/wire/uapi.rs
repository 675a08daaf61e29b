//! Numbers of `<linux/ip_vs.h>`, `<linux/netlink.h>` and `<linux/genetlink.h>` in one place, in the
//! kernel's spelling.
//!
//! They are the same on every architecture, and frozen: the kernel's user interface. Those of
//! attributes and commands stand in their tables, those of netlink in the crates that they come
//! from.
#![allow(missing_docs)]

pub use netlink_packet_core::{
    NLA_F_NESTED, NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_MULTIPART, NLM_F_REQUEST,
    NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN,
};
pub use netlink_packet_generic::constants::{
    CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME, CTRL_CMD_GETFAMILY, CTRL_CMD_NEWFAMILY, GENL_ID_CTRL,
};

pub use super::daemon::numbers::*;
pub use super::destination::numbers::*;
pub use super::info::numbers::*;
pub use super::message::numbers::*;
pub use super::service::numbers::*;
pub use super::stats::numbers::*;
pub use super::top::numbers::*;

pub const IPVS_GENL_NAME: &str = "IPVS";
pub const IPVS_GENL_VERSION: u8 = 1;

// <linux/ip_vs.h>, socket options at level IPPROTO_IP
pub const IP_VS_BASE_CTL: i32 = 64 + 1024 + 64;
pub const IP_VS_SO_SET_ADD: i32 = IP_VS_BASE_CTL + 2;
pub const IP_VS_SO_SET_EDIT: i32 = IP_VS_BASE_CTL + 3;
pub const IP_VS_SO_SET_DEL: i32 = IP_VS_BASE_CTL + 4;
pub const IP_VS_SO_SET_FLUSH: i32 = IP_VS_BASE_CTL + 5;
pub const IP_VS_SO_SET_ADDDEST: i32 = IP_VS_BASE_CTL + 7;
pub const IP_VS_SO_SET_DELDEST: i32 = IP_VS_BASE_CTL + 8;
pub const IP_VS_SO_SET_EDITDEST: i32 = IP_VS_BASE_CTL + 9;
pub const IP_VS_SO_SET_TIMEOUT: i32 = IP_VS_BASE_CTL + 10;
pub const IP_VS_SO_SET_STARTDAEMON: i32 = IP_VS_BASE_CTL + 11;
pub const IP_VS_SO_SET_STOPDAEMON: i32 = IP_VS_BASE_CTL + 12;
pub const IP_VS_SO_SET_ZERO: i32 = IP_VS_BASE_CTL + 15;
pub const IP_VS_SO_GET_VERSION: i32 = IP_VS_BASE_CTL;
pub const IP_VS_SO_GET_INFO: i32 = IP_VS_BASE_CTL + 1;
pub const IP_VS_SO_GET_SERVICES: i32 = IP_VS_BASE_CTL + 2;
pub const IP_VS_SO_GET_SERVICE: i32 = IP_VS_BASE_CTL + 3;
pub const IP_VS_SO_GET_DESTS: i32 = IP_VS_BASE_CTL + 4;
pub const IP_VS_SO_GET_TIMEOUT: i32 = IP_VS_BASE_CTL + 6;
pub const IP_VS_SO_GET_DAEMON: i32 = IP_VS_BASE_CTL + 7;
