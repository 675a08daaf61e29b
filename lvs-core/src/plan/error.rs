use crate::model::{AddressFamily, DestinationKey, ServiceKey};

/// Two tables between which there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The wanted table holds a service twice.
    #[error("service {0} is wanted twice")]
    DuplicateService(ServiceKey),
    /// The wanted table holds a destination twice in one service.
    #[error("destination {1} of {0} is wanted twice")]
    DuplicateDestination(ServiceKey, DestinationKey),
    /// The wanted table holds a service that the plan may not touch.
    #[error("service {0} is wanted but outside of the scope")]
    OutOfScope(ServiceKey),
    /// Something of a family is to go, but not all that is there of it is known. Reading again may help.
    #[error("the {0} services kept changing while they were read: none can be removed")]
    Incomplete(AddressFamily),
    /// The wanted table holds two sync daemons of one role.
    #[error("two {0} sync daemons are wanted")]
    DuplicateDaemon(crate::model::DaemonRole),
}
