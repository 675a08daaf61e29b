use std::fmt;

use super::{Count, Event};
use crate::plan::display::{
    changed_destination, changed_service, ended_daemon, new_daemon, new_destination, new_service, part,
};

/// A line, as a [`Plan`](crate::plan::Plan) has them: what appeared (`+`), changed (`~`) or
/// vanished (`-`); what was counted (`=`).
///
/// ```text
/// ~ tcp://192.0.2.1:80 -> 198.51.100.7:80 weight 1 -> 5
/// = tcp://192.0.2.1:80 connections 3, packets 12 in 9 out, bytes 900 in 4000 out
/// ```
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceAppeared(entry) => new_service(f, &entry.service),
            Self::ServiceChanged { before, after } => changed_service(f, before, after),
            Self::ServiceVanished(service) => write!(f, "- {}", service.key()),
            Self::DestinationAppeared(key, entry) => new_destination(f, key, &entry.destination),
            Self::DestinationChanged { service, before, after } => changed_destination(f, service, before, after),
            Self::DestinationVanished(key, server) => write!(f, "- {key} -> {}", server.key),
            Self::Counted(count) => count.fmt(f),
            Self::CountersReset(key, None) => write!(f, "~ {key} counters reset"),
            Self::CountersReset(key, Some(server)) => write!(f, "~ {key} -> {server} counters reset"),
            Self::TimeoutsChanged { before, after } => {
                f.write_str("~ timeouts")?;
                part(f, "tcp", (before.tcp, after.tcp), true)?;
                part(f, "tcp-fin", (before.tcp_fin, after.tcp_fin), true)?;
                part(f, "udp", (before.udp, after.udp), true)
            }
            Self::DaemonStarted(daemon) => new_daemon(f, daemon),
            Self::DaemonStopped(daemon) => ended_daemon(f, daemon.role),
        }
    }
}

/// What was counted since the last look, see [`Event`].
impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "= {}", self.service)?;
        if let Some(server) = self.destination {
            write!(f, " -> {server}")?;
        }
        let delta = &self.delta;
        write!(
            f,
            " connections {}, packets {} in {} out, bytes {} in {} out",
            delta.connections, delta.packets_in, delta.packets_out, delta.bytes_in, delta.bytes_out
        )
    }
}
