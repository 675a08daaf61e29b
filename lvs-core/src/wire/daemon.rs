//! The DAEMON nest.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_packet_core::NLA_F_NESTED;

use super::DecodeError;
use super::attr::{Attribute, Attributes, write_nest};
use super::kind::{Bytes4, Bytes16, Text, TextBytes, U8, U16, U32};
use super::table::attributes;
use super::top::numbers::IPVS_CMD_ATTR_DAEMON;
use crate::errno::Errno;
use crate::model::{Daemon, DaemonRole, InterfaceName};

attributes! {
    /// The DAEMON nest, in the order of `ip_vs_genl_fill_daemon()`.
    DaemonFields /
    /// An attribute of a sync daemon (`IPVS_DAEMON_ATTR_*`). The port is the only one of IPVS in
    /// host order.
    DaemonAttribute [config = Daemon] {
        IPVS_DAEMON_ATTR_STATE = 1: U32 => state / State, since "2.6";
        IPVS_DAEMON_ATTR_MCAST_IFN = 2: Text<{ InterfaceName::MAX_LEN }> => interface / Interface, since "2.6";
        IPVS_DAEMON_ATTR_SYNC_ID = 3: U32 => sync_id / SyncId, since "2.6", config(sync_id);
        IPVS_DAEMON_ATTR_SYNC_MAXLEN = 4: U16 => max_len / MaxLen, since "4.3", config(max_len);
        IPVS_DAEMON_ATTR_MCAST_PORT = 7: U16 => port / Port, since "4.3", config(port);
        IPVS_DAEMON_ATTR_MCAST_TTL = 8: U8 => ttl / Ttl, since "4.3", config(ttl);
        IPVS_DAEMON_ATTR_MCAST_GROUP = 5: Bytes4 => group / Group, since "4.3";
        IPVS_DAEMON_ATTR_MCAST_GROUP6 = 6: Bytes16 => group6 / Group6, since "4.3";
    }
}

impl<'a> DaemonFields<'a> {
    /// Which daemon.
    pub(crate) fn role(role: DaemonRole) -> Self {
        Self { state: Some(role.number()), ..Self::default() }
    }

    /// All of a daemon.
    pub(crate) fn daemon(daemon: &'a Daemon) -> Self {
        let mut fields = Self::role(daemon.role);
        fields.set_config(daemon);
        fields.interface = Some(TextBytes(daemon.interface.as_str().as_bytes()));
        match daemon.group {
            Some(IpAddr::V4(group)) => fields.group = Some(group.octets()),
            Some(IpAddr::V6(group)) => fields.group6 = Some(group.octets()),
            None => {}
        }
        fields
    }

    fn to_daemon(self, role: DaemonRole, interface: InterfaceName) -> Daemon {
        let mut daemon = Daemon::new(role, interface, 0);
        self.fill_config(&mut daemon);
        let group = self.group.map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes)));
        let group6 = self.group6.map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes)));
        daemon.group = group.or(group6); // The IPv4 group wins (`ip_vs_genl_new_daemon()`).
        daemon
    }
}

/// Appends the DAEMON nest of `NewDaemon`.
pub fn write(buf: &mut Vec<u8>, daemon: &Daemon) {
    write_nest(buf, IPVS_CMD_ATTR_DAEMON | NLA_F_NESTED, &DaemonFields::daemon(daemon));
}

/// Appends the DAEMON nest of `DelDaemon`.
pub fn write_role(buf: &mut Vec<u8>, role: DaemonRole) {
    write_nest(buf, IPVS_CMD_ATTR_DAEMON | NLA_F_NESTED, &DaemonFields::role(role));
}

/// Appends the DAEMON nest of a reply.
pub fn write_entry(buf: &mut Vec<u8>, daemon: &Daemon) {
    write_nest(buf, IPVS_CMD_ATTR_DAEMON, &DaemonFields::daemon(daemon));
}

/// Reads the DAEMON nest of a reply.
///
/// # Errors
/// When the nest lacks state, interface or sync id, or holds what no kernel sends.
pub fn read_entry(nest: Attributes<'_>) -> Result<Daemon, DecodeError> {
    let fields = DaemonFields::read(nest);
    let invalid = |what| DecodeError::invalid("sync daemon", what);
    let missing = |attribute| DecodeError::missing("sync daemon", attribute);
    let role = DaemonRole::from_number(fields.state.ok_or(missing("IPVS_DAEMON_ATTR_STATE"))?)
        .ok_or(invalid("an unknown state"))?;
    let interface = fields.interface.and_then(TextBytes::as_str).ok_or(missing("IPVS_DAEMON_ATTR_MCAST_IFN"))?;
    let interface = InterfaceName::new(interface).map_err(|_| invalid("an interface's name that is too long"))?;
    Ok(fields.to_daemon(role, interface))
}

fn fields_of_request(nest: Option<Attribute<'_>>) -> Result<DaemonFields<'_>, Errno> {
    DaemonFields::read_request(nest.ok_or(Errno::EINVAL)?.nested()).map_err(|_| Errno::EINVAL)
}

/// Reads the DAEMON nest of `NewDaemon`. Zero length, port and time to live are the defaults, as in
/// the kernel.
///
/// # Errors
/// `EINVAL` when an attribute is missing or breaks the policy, when the state is neither of the
/// two, or the group is not multicast (`ip_vs_genl_new_daemon()`, `start_sync_thread()`).
pub fn read_request(nest: Option<Attribute<'_>>) -> Result<Daemon, Errno> {
    let fields = fields_of_request(nest)?;
    let (Some(state), Some(interface), Some(_)) = (fields.state, fields.interface, fields.sync_id) else {
        return Err(Errno::EINVAL);
    };
    let role = DaemonRole::from_number(state).ok_or(Errno::EINVAL)?;
    // An interface's name that is not UTF-8 becomes the empty one: no director has either.
    let interface = InterfaceName::new(interface.as_str().unwrap_or_default()).map_err(|_| Errno::EINVAL)?;
    let mut daemon = fields.to_daemon(role, interface);
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
    fields_of_request(nest)?.state.and_then(DaemonRole::from_number).ok_or(Errno::EINVAL)
}
