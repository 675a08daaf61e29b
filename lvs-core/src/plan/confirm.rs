use std::collections::HashSet;

use crate::director::Director;
use crate::error::{ErrorKind, Result};
use crate::hash::Seedless;
use crate::model::{ServiceKey, Table, TableService};

/// Asks for those wanted services by name that a reading may only have passed over, so that none is
/// added twice.
pub(super) fn confirm<D: Director + ?Sized>(director: &mut D, current: &mut Table, wanted: &Table) -> Result<()> {
    if current.complete.is_whole() {
        return Ok(());
    }
    let seen: HashSet<ServiceKey, Seedless> = current.services.iter().map(|entry| entry.service.key()).collect();
    for key in wanted.services.iter().map(|entry| entry.service.key()) {
        if seen.contains(&key) || current.complete.of(key.family()) {
            continue;
        }
        let entry = match director.service(&key) {
            Ok(entry) => entry,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let destinations = director.destinations(&key)?.iter().rev().map(|entry| entry.destination).collect();
        current.services.push(TableService { service: entry.service, destinations });
    }
    Ok(())
}
