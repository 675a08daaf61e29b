//! The DAEMON nest.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::attr::{
    Attribute, Attributes, close, open, open_marked, put, put_bytes4, put_text, put_u8, put_u16, put_u32,
};
use super::uapi::*;
use super::{WireError, policy};
use crate::errno::Errno;
use crate::model::{Daemon, DaemonRole, InterfaceName};

/// Appends a DAEMON nest for `NewDaemon`.
pub fn write(buf: &mut Vec<u8>, daemon: &Daemon) {
    let nest = open_marked(buf, IPVS_CMD_ATTR_DAEMON);
    write_attributes(buf, daemon);
    close(buf, nest);
}

/// Appends a DAEMON nest for `DelDaemon`.
pub fn write_role(buf: &mut Vec<u8>, role: DaemonRole) {
    let nest = open_marked(buf, IPVS_CMD_ATTR_DAEMON);
    put_u32(buf, IPVS_DAEMON_ATTR_STATE, role.number());
    close(buf, nest);
}

/// Appends a DAEMON nest as the kernel replies with it.
pub fn write_entry(buf: &mut Vec<u8>, daemon: &Daemon) {
    let nest = open(buf, IPVS_CMD_ATTR_DAEMON);
    write_attributes(buf, daemon);
    close(buf, nest);
}

fn write_attributes(buf: &mut Vec<u8>, daemon: &Daemon) {
    put_u32(buf, IPVS_DAEMON_ATTR_STATE, daemon.role.number());
    put_text(buf, IPVS_DAEMON_ATTR_MCAST_IFN, daemon.interface.as_str());
    put_u32(buf, IPVS_DAEMON_ATTR_SYNC_ID, daemon.sync_id);
    if let Some(max_len) = daemon.max_len {
        put_u16(buf, IPVS_DAEMON_ATTR_SYNC_MAXLEN, max_len);
    }
    if let Some(port) = daemon.port {
        put_u16(buf, IPVS_DAEMON_ATTR_MCAST_PORT, port);
    }
    if let Some(ttl) = daemon.ttl {
        put_u8(buf, IPVS_DAEMON_ATTR_MCAST_TTL, ttl);
    }
    match daemon.group {
        Some(IpAddr::V4(group)) => put_bytes4(buf, IPVS_DAEMON_ATTR_MCAST_GROUP, group.octets()),
        Some(IpAddr::V6(group)) => put(buf, IPVS_DAEMON_ATTR_MCAST_GROUP6, &group.octets()),
        None => {}
    }
}

#[derive(Default)]
struct Raw<'a> {
    state: Option<u32>,
    interface: Option<Attribute<'a>>,
    sync_id: Option<u32>,
    max_len: Option<u16>,
    group: Option<IpAddr>,
    group6: Option<IpAddr>,
    port: Option<u16>,
    ttl: Option<u8>,
}

impl<'a> Raw<'a> {
    fn take(&mut self, attribute: Attribute<'a>) {
        match attribute.number() {
            IPVS_DAEMON_ATTR_STATE => self.state = attribute.u32(),
            IPVS_DAEMON_ATTR_MCAST_IFN => self.interface = Some(attribute),
            IPVS_DAEMON_ATTR_SYNC_ID => self.sync_id = attribute.u32(),
            IPVS_DAEMON_ATTR_SYNC_MAXLEN => self.max_len = attribute.u16(),
            IPVS_DAEMON_ATTR_MCAST_GROUP => {
                self.group = attribute.bytes4().map(|bytes| Ipv4Addr::from(bytes).into());
            }
            IPVS_DAEMON_ATTR_MCAST_GROUP6 => {
                self.group6 = attribute.payload.first_chunk::<16>().map(|bytes| Ipv6Addr::from(*bytes).into());
            }
            IPVS_DAEMON_ATTR_MCAST_PORT => self.port = attribute.u16(),
            IPVS_DAEMON_ATTR_MCAST_TTL => self.ttl = attribute.u8(),
            _ => {}
        }
    }

    fn daemon(&self, role: DaemonRole, interface: InterfaceName, sync_id: u32) -> Daemon {
        let mut daemon = Daemon::new(role, interface, sync_id);
        daemon.max_len = self.max_len;
        daemon.group = self.group.or(self.group6); // The IPv4 group wins (`ip_vs_genl_new_daemon()`).
        daemon.port = self.port;
        daemon.ttl = self.ttl;
        daemon
    }
}

/// Reads the DAEMON nest of a reply.
///
/// # Errors
/// When the nest lacks state, interface or sync id, or holds what no kernel sends.
pub fn read_entry(nest: Attributes<'_>) -> Result<Daemon, WireError> {
    let mut raw = Raw::default();
    nest.for_each(|attribute| raw.take(attribute));
    let invalid = |what| WireError::invalid("sync daemon", what);
    let role = DaemonRole::from_number(raw.state.ok_or(WireError::missing("sync daemon", "STATE"))?)
        .ok_or(invalid("an unknown state"))?;
    let interface = raw.interface.and_then(|name| name.text()).ok_or(WireError::missing("sync daemon", "MCAST_IFN"))?;
    let interface = InterfaceName::new(interface).map_err(|_| invalid("an interface's name that is too long"))?;
    Ok(raw.daemon(role, interface, raw.sync_id.unwrap_or(0)))
}

fn read_policy(nest: Option<Attribute<'_>>) -> Result<Raw<'_>, Errno> {
    let mut raw = Raw::default();
    for attribute in nest.ok_or(Errno::EINVAL)?.nested() {
        let payload = attribute.payload;
        let sound = match attribute.number() {
            IPVS_DAEMON_ATTR_STATE | IPVS_DAEMON_ATTR_SYNC_ID | IPVS_DAEMON_ATTR_MCAST_GROUP => payload.len() >= 4,
            IPVS_DAEMON_ATTR_MCAST_IFN => policy::is_nul_text(payload, InterfaceName::MAX_LEN),
            IPVS_DAEMON_ATTR_SYNC_MAXLEN | IPVS_DAEMON_ATTR_MCAST_PORT => payload.len() >= 2,
            IPVS_DAEMON_ATTR_MCAST_GROUP6 => payload.len() >= 16,
            IPVS_DAEMON_ATTR_MCAST_TTL => !payload.is_empty(),
            _ => true,
        };
        if !sound {
            return Err(Errno::EINVAL);
        }
        raw.take(attribute);
    }
    Ok(raw)
}

/// Reads the DAEMON nest of `NewDaemon`. Zero length, port and time to live are the defaults, as in the kernel.
///
/// # Errors
/// `EINVAL` when an attribute is missing or breaks the policy, when the state is neither of the two, or the group is
/// not multicast (`ip_vs_genl_new_daemon()`, `start_sync_thread()`).
pub fn read_request(nest: Option<Attribute<'_>>) -> Result<Daemon, Errno> {
    let raw = read_policy(nest)?;
    let (Some(state), Some(interface), Some(sync_id)) = (raw.state, raw.interface, raw.sync_id) else {
        return Err(Errno::EINVAL);
    };
    let role = DaemonRole::from_number(state).ok_or(Errno::EINVAL)?;
    // An interface's name that is not UTF-8 becomes the empty one: no director has either.
    let interface = InterfaceName::new(interface.text().unwrap_or_default()).map_err(|_| Errno::EINVAL)?;
    let mut daemon = raw.daemon(role, interface, sync_id);
    daemon.max_len = daemon.max_len.filter(|length| *length != 0);
    daemon.port = daemon.port.filter(|port| *port != 0);
    daemon.ttl = daemon.ttl.filter(|ttl| *ttl != 0);
    if daemon.group.is_some_and(|group| !group.is_multicast()) {
        return Err(Errno::EINVAL);
    }
    Ok(daemon)
}

/// Reads the DAEMON nest of `DelDaemon`.
///
/// # Errors
/// `EINVAL` when the state is missing or neither of the two, or an attribute breaks the policy.
pub fn read_role(nest: Option<Attribute<'_>>) -> Result<DaemonRole, Errno> {
    read_policy(nest)?.state.and_then(DaemonRole::from_number).ok_or(Errno::EINVAL)
}
