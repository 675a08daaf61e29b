use crate::model::{DestinationKey, ServiceKey};

/// What cannot be watched, reported or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthError {
    /// No such service is watched.
    #[error("service {0} is not watched")]
    ServiceNotWatched(ServiceKey),
    /// The service is watched, but has no such server.
    #[error("destination {1} of {0} is not watched")]
    ServerNotWatched(ServiceKey, DestinationKey),
    /// A server of the service is named twice, or is also its sorry server.
    #[error("destination {1} of {0} is named twice")]
    DuplicateServer(ServiceKey, DestinationKey),
    /// A weight above 2^31-1, the kernel's largest.
    #[error("destination {1} of {0}: weight {2} is above 2147483647")]
    WeightOutOfRange(ServiceKey, DestinationKey, u32),
    /// The policy contradicts itself.
    #[error("service {0}: {1}")]
    Policy(ServiceKey, PolicyError),
    /// A saved state of a version that this release does not read.
    #[error("health state of version {0} is not supported")]
    StateVersion(u32),
}

/// What is wrong with a [`HealthPolicy`](super::HealthPolicy).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No success would be needed.
    #[error("rise is 0: at least one success brings a server back")]
    ZeroRise,
    /// No failure would be needed.
    #[error("fall is 0: at least one failure takes a server out")]
    ZeroFall,
    /// Every server would be held down always.
    #[error("damping after 0 falls would hold every server down: use at least 1")]
    ZeroDampingFalls,
    /// The quorum could not be lost.
    #[error("hysteresis {hysteresis} is above the quorum {quorum}")]
    HysteresisAboveQuorum {
        /// The quorum.
        quorum: u32,
        /// The hysteresis.
        hysteresis: u32,
    },
    /// Nobody would serve.
    #[error("the sorry server has weight 0 and would get no connections")]
    SorryServerWithoutWeight,
    /// A weight above 2^31-1, the kernel's largest.
    #[error("weight {0} is above 2147483647")]
    WeightOutOfRange(u32),
}

/// What is odd about a policy with a given set of servers, but may be meant: more servers may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyWarning {
    /// With all servers up the quorum is still not reached.
    #[error("the quorum {quorum} is never reached: all servers together have weight {weight}")]
    QuorumUnreachable {
        /// The quorum.
        quorum: u32,
        /// The weight of all servers together.
        weight: u64,
    },
    /// A lost quorum is regained only with all servers up.
    #[error("quorum and hysteresis ask for {needed}, all servers together have weight {weight}")]
    HysteresisUnreachable {
        /// The quorum and its hysteresis.
        needed: u64,
        /// The weight of all servers together.
        weight: u64,
    },
}
