//! Answers for people.

use std::io::Write;

use schemars::{JsonSchema, schema_for};
use serde::Serialize;

use super::Answer;
use crate::control::{
    Changed, DrainSpec, DrainStatus, Draining, Findings, Force, History, Operations, OverrideSpec, OverrideStatus,
    Refused, Reloaded, Selection, ServerStatus, Status,
};
use crate::event::Event;

/// As JSON, on a line.
pub(super) fn json(value: &impl Serialize, out: &mut dyn Write) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    Ok(writeln!(out)?)
}

pub(super) fn status(status: &Status, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{} ({}), up {} s", status.instance, status.cluster, status.uptime)?;
    for service in &status.services {
        let name = service.name.as_ref().map(|name| format!(" {name:?}")).unwrap_or_default();
        let quorum = if service.quorum { "" } else { ", quorum lost" };
        let sorry = if service.sorry { ", sorry server" } else { "" };
        writeln!(out, "{}{name} {}{quorum}{sorry}", service.service, service.scheduler)?;
        for server in &service.servers {
            writeln!(out, "  {}", line(server))?;
        }
    }
    for drain in &status.drains {
        drain_line(drain, out)?;
    }
    for server in &status.absent {
        let overridden = overridden(&server.overridden);
        writeln!(out, "{} of {}: not in the file, {overridden}", server.server, server.service)?;
    }
    for problem in &status.problems {
        writeln!(out, "not in force: {problem}")?;
    }
    if let Some(refused) = &status.reload_refused {
        writeln!(out, "the file was refused, the one before it is in force: {}", refused.error)?;
    }
    Ok(())
}

fn line(server: &ServerStatus) -> String {
    let mut line = format!("{:<24} {}", server.server, if server.up { "up  " } else { "DOWN" });
    match server.weight {
        Some(weight) => line += &format!(" weight {weight}"),
        None => line += " not in the table",
    }
    if server.weight != Some(server.configured_weight) {
        line += &format!(" of {}", server.configured_weight);
    }
    if let Some(decision) = &server.overridden {
        line += &format!(", {}", overridden(decision));
    }
    if server.drained {
        line += ", drained";
    }
    if let Some(reason) = &server.reason {
        line += &format!(": {reason}");
    }
    line
}

fn overridden(decision: &OverrideStatus) -> String {
    let mut text = match decision.force {
        Force::Up => "overridden: up".to_owned(),
        Force::Down => "overridden: down".to_owned(),
        Force::Weight(weight) => format!("overridden: weight {weight}"),
    };
    if let Some(left) = decision.ends_in {
        text += &format!(" for {left:.0} s more");
    }
    if !decision.reason.is_empty() {
        text += &format!(" ({})", decision.reason);
    }
    text
}

pub(super) fn drain_line(drain: &DrainStatus, out: &mut dyn Write) -> anyhow::Result<()> {
    let state = if drain.done { "over" } else { "under way" };
    writeln!(
        out,
        "drain {}: {state}{}",
        drain.id,
        if drain.cut > 0 { format!(", {} cut", drain.cut) } else { String::new() }
    )?;
    for waiting in &drain.waiting {
        writeln!(out, "  waiting for {waiting}")?;
    }
    Ok(())
}

pub(super) fn event(event: &Event, out: &mut dyn Write) -> anyhow::Result<()> {
    Ok(writeln!(out, "{} {event}", event.time)?)
}

pub(super) fn reloaded(reloaded: &Reloaded, out: &mut dyn Write) -> anyhow::Result<()> {
    for operation in &reloaded.operations {
        writeln!(out, "{operation}")?;
    }
    for warning in &reloaded.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    for refused in &reloaded.refused {
        writeln!(out, "refused: {refused}")?;
    }
    if reloaded.operations.is_empty() && reloaded.refused.is_empty() {
        writeln!(out, "nothing to do: the table is as it should be")?;
    }
    Ok(())
}

pub(super) fn findings(findings: &Findings, out: &mut dyn Write) -> anyhow::Result<()> {
    for finding in &findings.findings {
        writeln!(out, "{finding}")?;
    }
    if findings.ready {
        writeln!(out, "ready")?;
    }
    Ok(())
}

/// The schema of everything that goes over the socket, by name.
pub(super) fn schema(out: &mut dyn Write) -> Answer {
    fn of<T: JsonSchema>(name: &str) -> (String, serde_json::Value) {
        (name.to_owned(), schema_for!(T).to_value())
    }
    let all: serde_json::Map<_, _> = [
        of::<Status>("status"),
        of::<Operations>("plan"),
        of::<Reloaded>("reloaded"),
        of::<DrainSpec>("drain"),
        of::<Draining>("draining"),
        of::<Selection>("undrain"),
        of::<OverrideSpec>("override"),
        of::<Changed>("changed"),
        of::<History>("history"),
        of::<Findings>("check"),
        of::<Refused>("refused"),
        of::<Event>("event"),
    ]
    .into_iter()
    .collect();
    serde_json::to_writer_pretty(&mut *out, &all)?;
    writeln!(out)?;
    Ok(true)
}
