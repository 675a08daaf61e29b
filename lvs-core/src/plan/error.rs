use std::collections::TryReserveError;

use crate::lint::Finding;
use crate::model::{AddressFamily, DaemonRole, DestinationKey, ServiceKey};

/// Why there is no plan to a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The wanted table holds a service twice.
    #[error("service {0} is wanted twice")]
    DuplicateService(ServiceKey),
    /// The wanted table holds a destination twice in one service.
    #[error("destination {1} of {0} is wanted twice")]
    DuplicateDestination(ServiceKey, DestinationKey),
    /// The wanted table holds two sync daemons of one role.
    #[error("two {0} sync daemons are wanted")]
    DuplicateDaemon(DaemonRole),
    /// The wanted table holds a service that the plan may not touch.
    #[error("service {0} is wanted but outside of the scope")]
    OutOfScope(ServiceKey),
    /// Something of a family is to go, but not all that is there of it is known. Reading again may
    /// help.
    #[error("the {0} services kept changing while they were read: none can be removed")]
    Incomplete(AddressFamily),
    /// The wanted table sets timeouts that the plan may not touch.
    #[error("timeouts are wanted but outside of the scope: they are the whole table's, see Scope::with_timeouts")]
    TimeoutsOutOfScope,
    /// The wanted table names a sync daemon that the plan may not touch.
    #[error(
        "the {0} sync daemon is wanted but outside of the scope: daemons are the whole table's, see Scope::with_daemons"
    )]
    DaemonOutOfScope(DaemonRole),
    /// The wanted table holds a service that is there already and belongs to somebody else.
    #[error("service {service} is there already and does not belong to {owner}: remove it, or adopt it")]
    NotOwned {
        /// The service.
        service: ServiceKey,
        /// Who may not touch it.
        owner: String,
    },
    /// The wanted table has no services, so that all would go.
    #[error("the wanted table has no services: {0} would be removed (allow that explicitly if it is meant)")]
    RemovesAll(usize),
    /// What would be added or changed cannot work.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Flawed(Vec<Finding>),
    /// There is not enough memory for that number of steps.
    #[error("out of memory")]
    OutOfMemory(#[from] TryReserveError),
}
