//! The cluster file: services, real servers, checks, in TOML.
//!
//! A file is read as a whole: either it makes sense, or each thing that does not is named with its
//! line and column, and nothing else happens.

mod address;
mod allowed;
mod error;
mod file;
mod names;
mod parameters;
mod service;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use lvs_core::health::HealthPolicy;
use lvs_core::model::{Daemon, Destination, Service, ServiceKey, Table, TableService, Timeouts};

use serde::Deserialize as _;

pub use allowed::{Action, Allowed};
pub use error::{ConfigError, Invalid};

pub use names::Answers;

use crate::probe::Check;

/// A whole cluster as its file describes it.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// The name that its state is kept under, if the file gives one.
    pub name: Option<String>,
    /// Whether services that are there already, and not this cluster's, become its own.
    pub adopt: bool,
    /// What may be done to the table.
    pub allowed: Allowed,
    /// The services.
    pub services: Vec<ClusterService>,
    /// Connection timeouts, if the file sets any.
    pub timeouts: Option<Timeouts>,
    /// Sync daemons.
    pub daemons: Vec<Daemon>,
    /// Packets that get a mark.
    pub marks: Vec<crate::marks::Mark>,
    /// Sysctls with the values that they are to have.
    pub sysctls: Vec<(String, String)>,
    /// What is run when something changes.
    pub hooks: Vec<Hook>,
    /// Names of hosts that are servers.
    pub names: BTreeSet<String>,
    /// The addresses of them that this cluster was made with.
    pub answers: Answers,
    /// The name servers that are asked; none: those of the system.
    pub resolver: Vec<SocketAddr>,
    /// What is odd, but may be meant.
    pub warnings: Vec<String>,
    /// The text that it was read from, if it has names.
    text: Option<Rc<str>>,
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
    /// Whether weights that somebody else sets stay.
    pub keep_weights: bool,
    /// When they come and go.
    pub policy: HealthPolicy,
}

/// One real server of a service.
#[derive(Debug, Clone)]
pub struct Member {
    /// The server.
    pub destination: Destination,
    /// The name whose address it is.
    pub name: Option<Rc<str>>,
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
    /// The service's address, if it is to be asked through the server as clients' packets are sent,
    /// instead of the server's own.
    pub through: Option<std::net::SocketAddr>,
    /// How often.
    pub interval: Duration,
    /// After which time no answer is a failure.
    pub timeout: Duration,
}

/// What is told of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Of which.
    pub on: Vec<crate::event::EventKind>,
    /// What is told.
    pub action: HookAction,
    /// After which time it is given up.
    pub timeout: Duration,
}

/// What a hook does.
#[derive(Debug, Clone, PartialEq, Eq)]
// Exhaustive: a program of this host, or another host.
pub enum HookAction {
    /// Runs a program with arguments; it gets the event as JSON on its standard input.
    Command(Vec<String>),
    /// Posts the event as JSON.
    Webhook(Webhook),
}

/// Where an event is posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The URL.
    pub url: hyper::Uri,
    /// How TLS is spoken, with `https`.
    pub tls: Option<crate::probe::Tls>,
}

impl std::fmt::Display for HookAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Command(argv) => write!(f, "{argv:?}"),
            // A secret may be in its path or query.
            Self::Webhook(hook) => write!(f, "{}", hook.url.authority().map_or("", |authority| authority.as_str())),
        }
    }
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
        Self::parse_in(text, &parameters::environment())
    }

    /// The same file with these addresses of its names.
    ///
    /// # Errors
    /// With them it makes no sense.
    pub fn resolved(&self, answers: &Answers) -> Result<Self, ConfigError> {
        match &self.text {
            None => Ok(self.clone()),
            Some(text) => Self::parse_with(text, &parameters::environment(), answers),
        }
    }

    fn parse_in(text: &str, environment: &parameters::Environment) -> Result<Self, ConfigError> {
        Self::parse_with(text, environment, &Answers::new())
    }

    fn parse_with(text: &str, environment: &parameters::Environment, answers: &Answers) -> Result<Self, ConfigError> {
        // Editors of other systems begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let syntax = |error| ConfigError::syntax(text, &error);
        let mut root = toml::de::DeTable::parse(text).map_err(syntax)?;
        let mut found = error::Findings::new(text);
        parameters::substitute(root.get_mut(), environment, &mut found);
        // A string whose name has no value would be found wrong once more.
        found.into_result(())?;
        let mut found = error::Findings::new(text);
        let file = file::File::deserialize(toml::Deserializer::from(root)).map_err(syntax)?;
        let mut cluster = file.build(answers, &mut found);
        if !cluster.names.is_empty() {
            cluster.text = Some(text.into());
        }
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
