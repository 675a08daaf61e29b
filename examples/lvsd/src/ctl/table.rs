//! Commands about the whole table, whosever its services are.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use lvs_core::model::{
    AddressFamily, Coverage, Destination, DestinationEntry, Service, ServiceEntry, ServiceKey, ServiceSnapshot,
    Snapshot,
};
use lvs_core::plan::{OnFailure, Scope, reconcile};
use lvs_core::procfs::{Procfs, TableRow, TableTarget};
use lvs_core::rules;

use super::{Answer, Cli};
use crate::metrics::{Families, Naming, add_state, add_totals, classic, of_table};
use crate::text;

pub(super) fn save(cli: &Cli, out: &mut dyn Write) -> Answer {
    let table = cli.target.open()?.snapshot()?.to_table();
    write!(out, "{}", text::rules(&table))?;
    Ok(true)
}

/// Nothing is foreign to a whole table; still no service is without its servers on the way.
pub(super) fn restore(cli: &Cli, rules: Option<&Path>, out: &mut dyn Write) -> Answer {
    let (name, text) = match rules {
        Some(file) => (file.display().to_string(), fs::read(file)),
        None => ("standard input".to_owned(), std::io::read_to_string(std::io::stdin()).map(String::into_bytes)),
    };
    let text = text.with_context(|| format!("cannot read {name}"))?;
    let script = rules::parse(&text).map_err(|errors| anyhow!("{name}:\n{errors}"))?;
    let table = script.to_table().map_err(|errors| anyhow!("{name}:\n{errors}"))?;
    let mut director = cli.target.open()?;
    let applied = reconcile(&mut *director, &table, &Scope::all(), OnFailure::Undo)?;
    for operation in applied.plan.operations() {
        writeln!(out, "{operation}")?;
    }
    if applied.plan.is_empty() {
        writeln!(out, "nothing to do: the table is as it should be")?;
    }
    Ok(true)
}

pub(super) fn metrics(cli: &Cli, out: &mut dyn Write) -> Answer {
    let mut director = cli.target.open()?;
    let (snapshot, totals) = (director.snapshot()?, director.totals().ok());
    write!(out, "{}", classic(&of_table(&snapshot, totals.as_ref())?))?;
    Ok(true)
}

/// What everybody may read.
pub(super) fn procfs_metrics(out: &mut dyn Write) -> Answer {
    let mut families = Families::default();
    add_state(&mut families, &procfs()?, |_| Naming::default());
    add_totals(&mut families, &Procfs::current().stats()?);
    write!(out, "{}", classic(&families.render(None)?))?;
    Ok(true)
}

/// The table as `/proc/net/ip_vs` shows it: without thresholds, and marks without their family.
fn procfs() -> Result<Snapshot> {
    let mut reader = Procfs::current().table()?;
    let mut snapshot = Snapshot::new(reader.header()?, Coverage::FULL);
    while let Some(row) = reader.next_row() {
        match row? {
            TableRow::Service(row) => {
                let key = match row.target {
                    TableTarget::Endpoint { protocol, addr, port } => ServiceKey::endpoint(protocol, addr, port),
                    TableTarget::Fwmark(mark) => ServiceKey::fwmark(mark, AddressFamily::Ipv4)?,
                };
                let service = Service::new(key).with_scheduler(row.scheduler.parse()?);
                snapshot.services.push(ServiceSnapshot { entry: ServiceEntry::new(service), destinations: vec![] });
            }
            TableRow::Destination(row) => {
                let Some(service) = snapshot.services.last_mut() else { continue };
                let destination =
                    Destination::with_key(row.key).with_forwarding(row.forwarding).with_weight(row.weight);
                let mut entry = DestinationEntry::new(destination);
                (entry.active, entry.inactive) = (row.active, row.inactive);
                service.destinations.push(entry);
            }
        }
    }
    Ok(snapshot)
}
