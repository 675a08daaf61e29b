use std::fmt;

use super::{Plan, Step};
use crate::model::{Daemon, DaemonRole, Destination, Operation, Service, ServiceKey};

/// A line each: what it adds (`+`), changes (`~`, naming what is different) or removes (`-`).
///
/// ```text
/// + tcp://192.0.2.1:80 -> 198.51.100.8:80 weight 3 masquerade
/// ~ tcp://192.0.2.1:80 -> 198.51.100.7:80 weight 1 -> 5
/// - tcp://192.0.2.9:80
/// ```
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.steps().iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            step.fmt(f)?;
        }
        Ok(())
    }
}

/// What it adds, changes or removes, see [`Plan`].
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.operation, self.undo.first()) {
            (Operation::AddService(service), _) => new_service(f, service),
            (Operation::UpdateService(after), Some(Operation::UpdateService(before))) => {
                changed_service(f, before, after)
            }
            (Operation::RemoveService(key), _) => write!(f, "- {key}"),
            (Operation::AddDestination(key, server), _) => new_destination(f, key, server),
            (Operation::UpdateDestination(key, after), Some(Operation::UpdateDestination(_, before))) => {
                changed_destination(f, key, before, after)
            }
            (Operation::RemoveDestination(key, server), _) => write!(f, "- {key} -> {server}"),
            (Operation::SetTimeouts(after), _) => {
                f.write_str("~ timeouts")?;
                let values = [("tcp", after.tcp), ("tcp-fin", after.tcp_fin), ("udp", after.udp)];
                values
                    .iter()
                    .filter(|(_, seconds)| *seconds > 0)
                    .try_for_each(|(name, seconds)| write!(f, " {name} {seconds}"))
            }
            (Operation::StartDaemon(daemon), _) => new_daemon(f, daemon),
            (Operation::StopDaemon(role), _) => ended_daemon(f, *role),
            (operation, _) => write!(f, "~ {operation}"),
        }
    }
}

pub(crate) fn new_service(f: &mut fmt::Formatter<'_>, service: &Service) -> fmt::Result {
    write!(f, "+ {} scheduler {}", service.key(), service.scheduler)?;
    service_difference(f, &Service::new(service.key()).with_scheduler(service.scheduler), service, false)
}

pub(crate) fn changed_service(f: &mut fmt::Formatter<'_>, before: &Service, after: &Service) -> fmt::Result {
    write!(f, "~ {}", after.key())?;
    service_difference(f, before, after, true)
}

pub(crate) fn new_destination(f: &mut fmt::Formatter<'_>, key: &ServiceKey, server: &Destination) -> fmt::Result {
    write!(f, "+ {key} -> {} weight {} {}", server.key, server.weight, server.forwarding)?;
    let plain = Destination::with_key(server.key).with_weight(server.weight);
    destination_difference(f, &plain.with_forwarding(server.forwarding), server, false)
}

pub(crate) fn changed_destination(
    f: &mut fmt::Formatter<'_>,
    key: &ServiceKey,
    before: &Destination,
    after: &Destination,
) -> fmt::Result {
    write!(f, "~ {key} -> {}", after.key)?;
    destination_difference(f, before, after, true)
}

pub(crate) fn new_daemon(f: &mut fmt::Formatter<'_>, daemon: &Daemon) -> fmt::Result {
    write!(f, "+ {} sync daemon on {}, id {}", daemon.role, daemon.interface, daemon.sync_id)
}

pub(crate) fn ended_daemon(f: &mut fmt::Formatter<'_>, role: DaemonRole) -> fmt::Result {
    write!(f, "- {role} sync daemon")
}

/// Writes ` name before -> after`, or ` name after` of something new.
pub(crate) fn part<T: fmt::Display + PartialEq>(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    (before, after): (T, T),
    was_there: bool,
) -> fmt::Result {
    match (before == after, was_there) {
        (true, _) => Ok(()),
        (false, true) => write!(f, " {name} {before} -> {after}"),
        (false, false) => write!(f, " {name} {after}"),
    }
}

fn service_difference(f: &mut fmt::Formatter<'_>, before: &Service, after: &Service, was_there: bool) -> fmt::Result {
    part(f, "scheduler", (before.scheduler, after.scheduler), was_there)?;
    part(f, "flags", (before.flags, after.flags), was_there)?;
    part(f, "timeout", (before.timeout, after.timeout), was_there)?;
    part(f, "netmask", (before.netmask(), after.netmask()), was_there)?;
    let engine = |service: &Service| service.engine.map_or_else(|| "none".to_owned(), |engine| engine.to_string());
    part(f, "engine", (engine(before), engine(after)), was_there)
}

fn destination_difference(
    f: &mut fmt::Formatter<'_>,
    before: &Destination,
    after: &Destination,
    was_there: bool,
) -> fmt::Result {
    part(f, "weight", (before.weight, after.weight), was_there)?;
    part(f, "forwarding", (before.forwarding, after.forwarding), was_there)?;
    part(f, "upper-threshold", (before.upper_threshold, after.upper_threshold), was_there)?;
    part(f, "lower-threshold", (before.lower_threshold, after.lower_threshold), was_there)?;
    let tunnel = |server: &Destination| {
        let tunnel = server.tunnel;
        format!("{} port {} flags {:#x}", tunnel.kind, tunnel.port, tunnel.flags)
    };
    part(f, "tunnel", (tunnel(before), tunnel(after)), was_there)
}
