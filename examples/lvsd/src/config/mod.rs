//! The cluster file: services, real servers, checks, in TOML.
//!
//! A file is read as a whole: either it makes sense, or each thing that does not is named with its line
//! and column, and nothing else happens.

mod address;
mod error;
mod file;
mod service;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use lvs_core::health::HealthPolicy;
use lvs_core::model::{Daemon, Destination, Service, ServiceKey, Table, TableService, Timeouts};

pub use error::{ConfigError, Invalid};

use crate::probe::Check;

/// A whole cluster as its file describes it.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// The name that its state is kept under, if the file gives one.
    pub name: Option<String>,
    /// Whether services that are there already, and not this cluster's, become its own.
    pub adopt: bool,
    /// The services.
    pub services: Vec<ClusterService>,
    /// Connection timeouts, if the file sets any.
    pub timeouts: Option<Timeouts>,
    /// Sync daemons.
    pub daemons: Vec<Daemon>,
    /// What is run when something changes.
    pub hooks: Vec<Hook>,
}

/// One virtual service with its real servers and how to check them.
#[derive(Debug, Clone)]
pub struct ClusterService {
    /// What people call it; metrics carry it.
    pub name: Option<String>,
    /// More words of theirs; metrics carry them.
    pub labels: BTreeMap<String, String>,
    /// The service.
    pub service: Service,
    /// Its real servers.
    pub members: Vec<Member>,
    /// When they come and go.
    pub policy: HealthPolicy,
}

/// One real server of a service.
#[derive(Debug, Clone)]
pub struct Member {
    /// The server.
    pub destination: Destination,
    /// How it is checked, if it is.
    pub check: Option<Rc<ServerCheck>>,
}

/// How and how often a server is checked.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerCheck {
    /// What is done.
    pub check: Check,
    /// Another port than the real server's own.
    pub port: Option<u16>,
    /// How often.
    pub interval: Duration,
    /// After which time no answer is a failure.
    pub timeout: Duration,
}

/// A command that is run on events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// On which.
    pub on: Vec<crate::event::EventKind>,
    /// Program and arguments; it gets the event as JSON on its standard input.
    pub argv: Vec<String>,
    /// After which time it is killed.
    pub timeout: Duration,
}

impl Cluster {
    /// Reads a file.
    ///
    /// # Errors
    /// The file cannot be read, or something in it makes no sense.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(&text).map_err(|error| error.in_file(path))
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// Something in it makes no sense.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        // Editors of other systems begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let file: file::File = toml::from_str(text).map_err(|error| ConfigError::syntax(text, &error))?;
        let mut found = error::Findings::new(text);
        let cluster = file.build(&mut found);
        found.into_result(cluster)
    }

    /// The table that the file asks for while all servers are up.
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.services = self
            .services
            .iter()
            .map(|entry| TableService { service: entry.service, destinations: entry.destinations().collect() })
            .collect();
        table.timeouts = self.timeouts;
        table.daemons.clone_from(&self.daemons);
        table
    }

    /// The services by key.
    pub fn by_key(&self) -> HashMap<ServiceKey, &ClusterService> {
        self.services.iter().map(|entry| (entry.service.key(), entry)).collect()
    }
}

impl ClusterService {
    /// Its real servers.
    pub fn destinations(&self) -> impl Iterator<Item = Destination> + '_ {
        self.members.iter().map(|member| member.destination)
    }
}

#[cfg(test)]
mod tests;
