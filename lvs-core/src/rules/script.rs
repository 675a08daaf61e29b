//! A whole text: its rules and comments, as a table and as operations.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, TryReserveError};
use std::ops::Range;

use super::command::Command;
use super::error::{SyntaxError, SyntaxErrors, Warning};
use super::kind::SyntaxErrorKind as Kind;
use crate::error::Error;
use crate::memory;
use crate::model::{Destination, DestinationKey, Operation, Service, ServiceKey, Table, TableService, Timeouts};

/// A command with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The command.
    pub command: Command,
    /// The line, from 1.
    pub line: usize,
    /// The line in bytes from the start of the text.
    pub span: Range<usize>,
}

/// A comment with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Comment {
    /// What follows the `#`.
    pub text: String,
    /// The line, from 1.
    pub line: usize,
}

/// A rules file, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Script {
    /// Its rules, in order.
    pub rules: Vec<Rule>,
    /// Its comments, in order.
    pub comments: Vec<Comment>,
    /// What its rules ask for that cannot work, although they are taken, in order.
    pub warnings: Vec<Warning>,
    /// The text it was read from, to show the place of later errors.
    pub(crate) text: Box<[u8]>,
}

impl Script {
    /// The changes that the text asks for, in order, each of `rules` one.
    ///
    /// # Errors
    /// At every rule that is no change, such as `-L`.
    ///
    /// # Panics
    /// As every collection does when there is no memory; [`Script::try_operations`] says so
    /// instead.
    pub fn operations(&self) -> Result<Vec<Operation>, SyntaxErrors> {
        memory::or_panic(self.try_operations(), syntax)
    }

    /// The same with an error if there is not enough memory.
    ///
    /// # Errors
    /// [`Error::Rules`] as there, [`Error::OutOfMemory`].
    pub fn try_operations(&self) -> Result<Vec<Operation>, Error> {
        let mut errors = Vec::new();
        let mut operations = Vec::new();
        operations.try_reserve_exact(self.rules.len())?;
        for rule in &self.rules {
            match rule.command.operation() {
                Some(operation) => operations.push(operation),
                None => errors.push(self.error(rule, Kind::NotAChange(rule.command.verb()))),
            }
        }
        if errors.is_empty() { Ok(operations) } else { Err(SyntaxErrors(errors).into()) }
    }

    /// The table that the text describes: what an empty director holds after all its changes.
    ///
    /// # Errors
    /// At every rule that is no change, and at those that cannot take effect: a service or real
    /// server added twice, or one changed or removed that was not added before.
    ///
    /// # Panics
    /// As every collection does when there is no memory; [`Script::try_to_table`] says so instead.
    pub fn to_table(&self) -> Result<Table, SyntaxErrors> {
        memory::or_panic(self.try_to_table(), syntax)
    }

    /// The same with an error if there is not enough memory.
    ///
    /// # Errors
    /// [`Error::Rules`] as there, [`Error::OutOfMemory`].
    pub fn try_to_table(&self) -> Result<Table, Error> {
        let mut builder = TableBuilder::default();
        let mut errors = Vec::new();
        for rule in &self.rules {
            match builder.apply(&rule.command) {
                Ok(()) => {}
                Err(Unfit::Invalid(kind)) => errors.push(self.error(rule, kind)),
                Err(Unfit::OutOfMemory(error)) => return Err(error.into()),
            }
        }
        if errors.is_empty() { Ok(builder.finish()?) } else { Err(SyntaxErrors(errors).into()) }
    }

    #[cold]
    fn error(&self, rule: &Rule, kind: Kind) -> SyntaxError {
        let line = self.text.get(rule.span.clone()).unwrap_or_default();
        let indent = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let end = line.len() - line.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
        SyntaxError::new(kind, rule.line, line, rule.span.start, indent..end)
    }
}

fn syntax(error: Error) -> Option<SyntaxErrors> {
    match error {
        Error::Rules(errors) => Some(errors),
        _ => None,
    }
}

/// Why a rule does not get into the table.
enum Unfit {
    Invalid(Kind),
    OutOfMemory(TryReserveError),
}

impl From<Kind> for Unfit {
    fn from(kind: Kind) -> Self {
        Self::Invalid(kind)
    }
}

impl From<TryReserveError> for Unfit {
    fn from(error: TryReserveError) -> Self {
        Self::OutOfMemory(error)
    }
}

/// A table in the making: services and destinations keep their order, removed ones leave a gap
/// until the end.
#[derive(Default)]
struct TableBuilder {
    services: Vec<Option<ServiceBuilder>>,
    places: HashMap<ServiceKey, usize>,
    table: Table,
}

struct ServiceBuilder {
    service: Service,
    destinations: Vec<Option<Destination>>,
    /// Where each destination stands, once there are many.
    places: HashMap<DestinationKey, usize>,
}

/// So many destinations are found faster by looking at each.
const FEW: usize = 24;

impl ServiceBuilder {
    fn place(&self, key: &DestinationKey) -> Option<usize> {
        if self.destinations.len() > FEW {
            return self.places.get(key).copied();
        }
        self.destinations.iter().position(|known| known.is_some_and(|known| known.key == *key))
    }

    fn push(&mut self, destination: Destination) -> Result<(), TryReserveError> {
        if self.destinations.len() >= FEW {
            self.places.try_reserve(self.destinations.len() + 1 - self.places.len())?;
        }
        memory::push(&mut self.destinations, Some(destination))?;
        let count = self.destinations.len();
        if count > FEW {
            let new = if self.places.is_empty() { 0 } else { count - 1 };
            for (place, known) in self.destinations.iter().enumerate().skip(new) {
                self.places.extend(known.map(|known| (known.key, place)));
            }
        }
        Ok(())
    }

    fn remove(&mut self, key: &DestinationKey) -> Option<()> {
        let place = self.place(key)?;
        self.destinations[place] = None;
        self.places.remove(key);
        Some(())
    }
}

impl TableBuilder {
    fn service(&mut self, key: &ServiceKey) -> Result<&mut ServiceBuilder, Kind> {
        let service = self.places.get(key).and_then(|place| self.services[*place].as_mut());
        service.ok_or(Kind::ServiceNotFound(*key))
    }

    fn apply(&mut self, command: &Command) -> Result<(), Unfit> {
        match command {
            Command::AddService(service) => {
                self.places.try_reserve(1)?;
                match self.places.entry(service.key()) {
                    Entry::Occupied(_) => return Err(Kind::ServiceExists(service.key()).into()),
                    Entry::Vacant(place) => {
                        let new =
                            ServiceBuilder { service: *service, destinations: Vec::new(), places: HashMap::new() };
                        memory::push(&mut self.services, Some(new))?;
                        place.insert(self.services.len() - 1);
                    }
                }
            }
            Command::EditService(service) => self.service(&service.key())?.service = *service,
            Command::DeleteService(key) => {
                let place = self.places.remove(key).ok_or(Kind::ServiceNotFound(*key))?;
                self.services[place] = None;
            }
            Command::AddServer(key, destination) => {
                let service = self.service(key)?;
                if service.place(&destination.key).is_some() {
                    return Err(Kind::DestinationExists(destination.key).into());
                }
                service.push(*destination)?;
            }
            Command::EditServer(key, destination) => {
                let service = self.service(key)?;
                let place = service.place(&destination.key).ok_or(Kind::DestinationNotFound(destination.key))?;
                service.destinations[place] = Some(*destination);
            }
            Command::DeleteServer(key, destination) => {
                self.service(key)?.remove(destination).ok_or(Kind::DestinationNotFound(*destination))?;
            }
            Command::Clear => {
                self.services.clear();
                self.places.clear();
            }
            Command::Zero(Some(key)) => {
                self.service(key)?;
            }
            Command::Zero(None) => {}
            Command::SetTimeouts(new) => {
                // 0 leaves a timeout as it is.
                let timeouts = self.table.timeouts.get_or_insert(Timeouts { tcp: 0, tcp_fin: 0, udp: 0 });
                for (timeout, new) in
                    [(&mut timeouts.tcp, new.tcp), (&mut timeouts.tcp_fin, new.tcp_fin), (&mut timeouts.udp, new.udp)]
                {
                    if new != 0 {
                        *timeout = new;
                    }
                }
            }
            Command::StartDaemon(daemon) => {
                if self.table.daemons.iter().any(|known| known.role == daemon.role) {
                    return Err(Kind::DaemonExists.into());
                }
                memory::push(&mut self.table.daemons, *daemon)?;
            }
            Command::StopDaemon { role, .. } => {
                let place = self.table.daemons.iter().position(|known| known.role == *role);
                self.table.daemons.remove(place.ok_or(Kind::DaemonNotFound)?);
            }
            other => return Err(Kind::NotAChange(other.verb()).into()),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Table, TryReserveError> {
        let whole = |service: ServiceBuilder| {
            let destinations = memory::collect(service.destinations.into_iter().flatten())?;
            Ok::<_, TryReserveError>(TableService { service: service.service, destinations })
        };
        self.table.services = memory::try_collect(self.services.into_iter().flatten().map(whole))?;
        Ok(self.table)
    }
}
