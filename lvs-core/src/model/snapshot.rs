use std::collections::TryReserveError;

use super::{AddressFamily, Daemon, DestinationEntry, Info, ServiceEntry, ServiceKey, Table, TableService, Timeouts};
use crate::memory;

/// What the source of a snapshot could see. A field that is `false` means: not looked at, not: not
/// there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Coverage {
    /// IPv6 services and destinations.
    pub ipv6: bool,
    /// Encapsulation of tunnels.
    pub tunnels: bool,
    /// Persistence engines.
    pub engines: bool,
    /// 64-bit statistics.
    pub stats64: bool,
    /// All attributes of sync daemons.
    pub daemon_details: bool,
}

impl Coverage {
    /// Everything: generic netlink, the embedded director.
    pub const FULL: Self = Self { ipv6: true, tunnels: true, engines: true, stats64: true, daemon_details: true };
    /// What the old socket options can say.
    pub const SOCKET_OPTIONS: Self =
        Self { ipv6: false, tunnels: false, engines: false, stats64: false, daemon_details: false };
}

/// Of which families a snapshot is known to hold everything that was there all the while it was
/// read.
///
/// The kernel hands out a long list in parts, and a change between two of them can hide entries
/// that did not change. IPv4 tables can be checked against a list that the kernel makes in one go;
/// of a long IPv6 list (more than some hundred services) it takes two equal readings, which a table
/// that never rests does not give. That a long list has no IPv6 service at all rests on one
/// reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: there are two families.
pub struct Completeness {
    /// No IPv4 service is missing, and no destination of one.
    pub ipv4: bool,
    /// No IPv6 service is missing, and no destination of one.
    pub ipv6: bool,
}

impl Default for Completeness {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl Completeness {
    /// Nothing is missing.
    pub const WHOLE: Self = Self { ipv4: true, ipv6: true };

    /// Whether nothing is missing.
    pub const fn is_whole(self) -> bool {
        self.ipv4 && self.ipv6
    }

    /// Whether nothing of a family is missing.
    pub const fn of(self, family: AddressFamily) -> bool {
        match family {
            AddressFamily::Ipv4 => self.ipv4,
            AddressFamily::Ipv6 => self.ipv6,
        }
    }

    /// Notes that something of a family may be missing.
    pub const fn lack(&mut self, family: AddressFamily) {
        match family {
            AddressFamily::Ipv4 => self.ipv4 = false,
            AddressFamily::Ipv6 => self.ipv6 = false,
        }
    }
}

/// A service as reported, with its destinations.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
// Exhaustive: a pair with names.
pub struct ServiceSnapshot {
    /// The service.
    pub entry: ServiceEntry,
    /// Its destinations in the director's order: the one added last comes first.
    pub destinations: Vec<DestinationEntry>,
}

/// All that a director holds, read in one call.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Snapshot {
    /// What the director says of itself.
    pub info: Info,
    /// The services in the director's order, which means nothing in the kernel.
    pub services: Vec<ServiceSnapshot>,
    /// The timeouts.
    pub timeouts: Timeouts,
    /// The running sync daemons.
    pub daemons: Vec<Daemon>,
    /// What this snapshot could see.
    pub coverage: Coverage,
    /// Whether that is all there was. Nothing may be concluded from the absence of a service where
    /// it is not.
    pub complete: Completeness,
}

impl Snapshot {
    /// An empty snapshot, of an empty table.
    pub fn new(info: Info, coverage: Coverage) -> Self {
        let (timeouts, complete) = (Timeouts::default(), Completeness::WHOLE);
        Self { info, services: Vec::new(), timeouts, daemons: Vec::new(), coverage, complete }
    }

    /// The service of a key.
    pub fn service(&self, key: &ServiceKey) -> Option<&ServiceSnapshot> {
        self.services.iter().find(|service| service.entry.service.key() == *key)
    }

    /// The configuration alone. Destinations come in the order in which adding them one by one
    /// gives this director's list again: oldest first.
    ///
    /// # Panics
    /// As every collection does when there is no memory; [`Snapshot::try_to_table`] says so
    /// instead.
    pub fn to_table(&self) -> Table {
        self.try_to_table().expect("memory for a table")
    }

    /// The same with an error if there is not enough memory.
    ///
    /// # Errors
    /// [`TryReserveError`], as the standard library gives it.
    pub fn try_to_table(&self) -> Result<Table, TryReserveError> {
        let mut table = Table::new();
        table.timeouts = Some(self.timeouts);
        table.complete = self.complete;
        table.daemons = memory::collect(self.daemons.iter().copied())?;
        table.services = memory::try_collect(self.services.iter().map(|service| {
            let destinations = service.destinations.iter().rev().map(|entry| entry.destination);
            Ok::<_, TryReserveError>(TableService {
                service: service.entry.service,
                destinations: memory::collect(destinations)?,
            })
        }))?;
        Ok(table)
    }

    /// Sorts services and destinations by their keys, numerically.
    pub fn sort(&mut self) {
        self.services.sort_by_key(|service| service.entry.service.key());
        for service in &mut self.services {
            service.destinations.sort_by_key(|entry| entry.destination.key);
        }
    }
}
