//! Tables, plans and snapshots as text.

use lvs_core::director::Operation;
use lvs_core::listing::{self, ListingOptions};
use lvs_core::model::{DestinationKey, ServiceKey, Snapshot, Table};
use lvs_core::plan::Plan;
use lvs_core::rules::{Dialect, Emitter};
use lvs_core::watch::Event;

/// A table as rules that `ipvsadm --restore` takes.
pub fn rules(table: &Table) -> String {
    Emitter::new(Dialect::Lossless).table(table).text
}

/// A plan as `ipvsadm` lines.
pub fn plan(plan: &Plan) -> String {
    plan.operations().map(|operation| line(*operation)).collect()
}

fn line(operation: Operation) -> String {
    Emitter::new(Dialect::Lossless).command(&operation.into()).text
}

/// An event as a line: a change as the command that would make it, a count as a comment.
pub fn event(event: &Event) -> String {
    match *event {
        Event::ServiceAppeared(entry) => line(Operation::AddService(entry.service)),
        Event::ServiceChanged { after, .. } => line(Operation::UpdateService(after)),
        Event::ServiceVanished(service) => line(Operation::RemoveService(service.key())),
        Event::DestinationAppeared(service, entry) => line(Operation::AddDestination(service, entry.destination)),
        Event::DestinationChanged { service, after, .. } => line(Operation::UpdateDestination(service, after)),
        Event::DestinationVanished(service, server) => line(Operation::RemoveDestination(service, server.key)),
        Event::TimeoutsChanged { after, .. } => line(Operation::SetTimeouts(after)),
        Event::DaemonStarted(daemon) => line(Operation::StartDaemon(daemon)),
        Event::DaemonStopped(daemon) => line(Operation::StopDaemon(daemon.role)),
        Event::Counted(count) => match count.per_second() {
            Some(rate) => format!(
                "# {}: {:.1} connections/s, {:.1} packets/s and {:.1} bytes/s in\n",
                whose(&count.service, count.destination.as_ref()),
                rate.connections,
                rate.packets_in,
                rate.bytes_in,
            ),
            // Too early for a rate.
            None => String::new(),
        },
        Event::CountersReset(service, server) => {
            format!("# {}: counters are back at 0\n", whose(&service, server.as_ref()))
        }
        ref other => format!("# {other:?}\n"),
    }
}

fn whose(service: &ServiceKey, server: Option<&DestinationKey>) -> String {
    match server {
        Some(server) => format!("{server} of {service}"),
        None => service.to_string(),
    }
}

/// A snapshot as `ipvsadm -Ln` lists it.
///
/// # Errors
/// Never in practice: writing to memory does not fail.
pub fn listing(snapshot: &Snapshot) -> std::io::Result<String> {
    let mut text = Vec::new();
    listing::write_table(&mut text, snapshot, &ListingOptions::new())?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
