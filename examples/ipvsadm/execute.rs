//! One command after the other.

use std::io::{self, Write as _};

use lvs_core::listing::{Style, sort_destinations, sort_services};
use lvs_core::model::{Snapshot, Table};
use lvs_core::rules::{Command, Dialect, Emitter, Parser};

use crate::backend::Backend;
use crate::help;
use crate::list;
use crate::messages::Exit;
use crate::names::Names;
use crate::ours::Ours;
use crate::restore;

/// Everything that a command needs.
pub(crate) struct Session<'a> {
    pub(crate) backend: &'a mut Backend,
    pub(crate) names: &'a Names,
    pub(crate) ours: &'a Ours,
    pub(crate) parser: Parser<'a>,
    pub(crate) program: &'a str,
}

impl Session<'_> {
    /// Carries out a command. An error ends the program, too; the difference is for restores.
    pub(crate) fn execute(&mut self, command: &Command) -> Result<Exit, Exit> {
        if let Some(operation) = command.operation() {
            return match self.backend.director().execute(operation) {
                Ok(()) => Ok(Exit::SUCCESS),
                Err(error) => Ok(Exit::refused(&error)),
            };
        }
        match command {
            Command::List(options) => list::list(self, options),
            Command::Save { numeric } => self.save(*numeric),
            Command::Restore => restore::restore(self),
            Command::Help => {
                self.write(help::help(self.program).as_bytes())?;
                Ok(Exit { aborts: true, ..Exit::SUCCESS })
            }
            Command::Version => {
                self.write(help::VERSION.as_bytes())?;
                Ok(Exit { aborts: true, ..Exit::SUCCESS })
            }
            other => Err(Exit::failed(2, format!("{} is not known here\n", other.verb()))),
        }
    }

    pub(crate) fn write(&self, text: &[u8]) -> Result<(), Exit> {
        let mut out = io::stdout().lock();
        out.write_all(text).and_then(|()| out.flush()).map_err(|error| Exit::unwritten(&error))
    }

    fn save(&mut self, numeric: bool) -> Result<Exit, Exit> {
        let snapshot = self.backend.director().complete_snapshot().map_err(|error| Exit::unlisted(&error))?;
        if self.ours.lossless {
            // The director's own order: lists of destinations come back as they are.
            let emitted = Emitter::new(Dialect::Lossless).table(&snapshot.to_table());
            self.write(emitted.text.as_bytes())?;
            let lost: String = emitted.losses.iter().map(|loss| format!("{loss}\n")).collect();
            return if lost.is_empty() { Ok(Exit::SUCCESS) } else { Err(Exit::failed(1, lost)) };
        }
        let table = sorted(snapshot);
        let emitter = Emitter::new(Dialect::Ipvsadm);
        let emitted = if numeric { emitter.table(&table) } else { emitter.with_names(self.names).table(&table) };
        self.write(emitted.text.as_bytes())?;
        Ok(Exit::SUCCESS)
    }
}

/// The table in the order in which `ipvsadm -S` writes it: that of its listings.
fn sorted(mut snapshot: Snapshot) -> Table {
    let mut services: Vec<usize> = (0..snapshot.services.len()).collect();
    sort_services(Style::Ipvsadm, &mut services, |index| snapshot.services[*index].entry.service.key());
    for service in &mut snapshot.services {
        sort_destinations(Style::Ipvsadm, &mut service.destinations, |entry| entry.destination.key);
        // `to_table` turns lists round.
        service.destinations.reverse();
    }
    let mut table = snapshot.to_table();
    let mut unsorted: Vec<_> = std::mem::take(&mut table.services).into_iter().map(Some).collect();
    table.services = services.into_iter().filter_map(|index| unsorted[index].take()).collect();
    table
}
