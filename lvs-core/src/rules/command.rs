//! The commands that a line can hold.

use crate::model::{Daemon, DaemonRole, Destination, DestinationKey, Operation, Service, ServiceKey, Timeouts};

use super::Verb;

/// One command of the language, with checked values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Command {
    /// `-A`
    AddService(Service),
    /// `-E`
    EditService(Service),
    /// `-D`
    DeleteService(ServiceKey),
    /// `-a`
    AddServer(ServiceKey, Destination),
    /// `-e`
    EditServer(ServiceKey, Destination),
    /// `-d`
    DeleteServer(ServiceKey, DestinationKey),
    /// `-C`
    Clear,
    /// `-Z`, of one service or of all
    Zero(Option<ServiceKey>),
    /// `--set`
    SetTimeouts(Timeouts),
    /// `--start-daemon`
    StartDaemon(Daemon),
    /// `--stop-daemon`
    StopDaemon {
        /// Which one.
        role: DaemonRole,
        /// `--syncid`; the kernel ignores it.
        sync_id: u32,
    },
    /// `-L`
    List(ListOptions),
    /// `-R`
    Restore,
    /// `-S`
    Save {
        /// `-n`
        numeric: bool,
    },
    /// `-h`
    Help,
    /// `-v`
    Version,
}

impl Command {
    /// Which command it is.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::AddService(_) => Verb::AddService,
            Self::EditService(_) => Verb::EditService,
            Self::DeleteService(_) => Verb::DeleteService,
            Self::AddServer(..) => Verb::AddServer,
            Self::EditServer(..) => Verb::EditServer,
            Self::DeleteServer(..) => Verb::DeleteServer,
            Self::Clear => Verb::Flush,
            Self::Zero(_) => Verb::Zero,
            Self::SetTimeouts(_) => Verb::Set,
            Self::StartDaemon(_) => Verb::StartDaemon,
            Self::StopDaemon { .. } => Verb::StopDaemon,
            Self::List(_) => Verb::List,
            Self::Restore => Verb::Restore,
            Self::Save { .. } => Verb::Save,
            Self::Help => Verb::Help,
            Self::Version => Verb::Version,
        }
    }

    /// The operation that the command requests, if it changes anything.
    pub const fn operation(&self) -> Option<Operation> {
        Some(match *self {
            Self::AddService(service) => Operation::AddService(service),
            Self::EditService(service) => Operation::UpdateService(service),
            Self::DeleteService(key) => Operation::RemoveService(key),
            Self::AddServer(key, destination) => Operation::AddDestination(key, destination),
            Self::EditServer(key, destination) => Operation::UpdateDestination(key, destination),
            Self::DeleteServer(key, destination) => Operation::RemoveDestination(key, destination),
            Self::Clear => Operation::Flush,
            Self::Zero(key) => Operation::Zero(key),
            Self::SetTimeouts(timeouts) => Operation::SetTimeouts(timeouts),
            Self::StartDaemon(daemon) => Operation::StartDaemon(daemon),
            Self::StopDaemon { role, .. } => Operation::StopDaemon(role),
            Self::List(_) | Self::Restore | Self::Save { .. } | Self::Help | Self::Version => return None,
        })
    }
}

/// Every operation has a command.
impl From<Operation> for Command {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::AddService(service) => Self::AddService(service),
            Operation::UpdateService(service) => Self::EditService(service),
            Operation::RemoveService(key) => Self::DeleteService(key),
            Operation::AddDestination(key, destination) => Self::AddServer(key, destination),
            Operation::UpdateDestination(key, destination) => Self::EditServer(key, destination),
            Operation::RemoveDestination(key, destination) => Self::DeleteServer(key, destination),
            Operation::SetTimeouts(timeouts) => Self::SetTimeouts(timeouts),
            Operation::StartDaemon(daemon) => Self::StartDaemon(daemon),
            Operation::StopDaemon(role) => Self::StopDaemon { role, sync_id: 0 },
            Operation::Zero(key) => Self::Zero(key),
            Operation::Flush => Self::Clear,
        }
    }
}

/// What `-L` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ListSubject {
    /// All services with their destinations.
    #[default]
    Table,
    /// One service with its destinations.
    Service(ServiceKey),
    /// `-c`: the connection table.
    Connections,
    /// `--timeout`
    Timeouts,
    /// `--daemon`
    Daemons,
}

/// The options of `-L`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct ListOptions {
    /// What to list.
    pub subject: ListSubject,
    /// `-n`: no names.
    pub numeric: bool,
    /// `--stats`
    pub stats: bool,
    /// `--rate`
    pub rate: bool,
    /// `--thresholds`
    pub thresholds: bool,
    /// `--persistent-conn`
    pub persistent_conn: bool,
    /// `--tun-info`
    pub tun_info: bool,
    /// `--nosort`
    pub no_sort: bool,
    /// `-X`: whole numbers.
    pub exact: bool,
}
