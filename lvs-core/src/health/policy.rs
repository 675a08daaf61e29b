use std::time::Duration;

use super::{PolicyError, PolicyWarning};
use crate::model::Destination;

/// What becomes of a server that is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
// Exhaustive: it stays with weight 0 or it goes.
pub enum OnDown {
    /// It stays with weight 0: connections that still work go on.
    #[default]
    Inhibit,
    /// It is removed: what its connections send is dropped from then on.
    Remove,
}

/// How a server counts before its first probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
// Exhaustive: well or not.
pub enum StartAs {
    /// In use until probes say otherwise.
    #[default]
    Up,
    /// Out of use until a first probe succeeds (keepalived's `alpha`).
    Down,
}

/// When a flapping server is held down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
// Exhaustive: how often, in which time, and for how long.
pub struct Damping {
    /// How many falls within `window` count as flapping; at least 1.
    pub falls: u32,
    /// The time in which they are counted.
    #[cfg_attr(feature = "serde", serde(with = "crate::seconds"))]
    pub window: Duration,
    /// How long the server then stays down, whatever its probes say.
    #[cfg_attr(feature = "serde", serde(with = "crate::seconds"))]
    pub hold: Duration,
}

/// When servers come and go, and what a service does when too few are left.
///
/// [`HealthPolicy::check`] finds what contradicts itself, [`HealthPolicy::warnings`] what does not
/// fit the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
#[non_exhaustive]
pub struct HealthPolicy {
    /// Successes in a row that bring a server back; at least 1.
    pub rise: u32,
    /// Failures in a row that take a server out; at least 1.
    pub fall: u32,
    /// What becomes of a server that is down.
    pub on_down: OnDown,
    /// How a server counts before its first probe.
    pub start_as: StartAs,
    /// The weight of the servers in use below which the service has lost its quorum.
    pub quorum: u32,
    /// By how much the weight must pass the quorum, downwards to lose it and upwards to have it
    /// back.
    pub hysteresis: u32,
    /// Who serves while the quorum is lost; servers still up are inhibited then.
    pub sorry_server: Option<Destination>,
    /// How long a server that comes back takes to reach its weight.
    #[cfg_attr(feature = "serde", serde(with = "crate::seconds::optional"))]
    pub slow_start: Option<Duration>,
    /// When a flapping server is held down.
    pub damping: Option<Damping>,
    /// The largest weight that a probe gets by asking for it, unless the server was given more: a
    /// server that answers for itself must not take all the traffic.
    pub max_asked_weight: u32,
}

impl Default for HealthPolicy {
    /// One success brings a server back, three failures in a row inhibit it; quorum 1 without
    /// hysteresis.
    fn default() -> Self {
        Self {
            rise: 1,
            fall: 3,
            on_down: OnDown::Inhibit,
            start_as: StartAs::Up,
            quorum: 1,
            hysteresis: 0,
            sorry_server: None,
            slow_start: None,
            damping: None,
            max_asked_weight: Self::MAX_ASKED_WEIGHT,
        }
    }
}

impl HealthPolicy {
    /// Steps in which a slow start raises the weight.
    pub const SLOW_START_STEPS: u32 = 10;

    /// The default of [`HealthPolicy::max_asked_weight`].
    pub const MAX_ASKED_WEIGHT: u32 = 256;

    /// The largest weight that the kernel takes (`ip_vs_ctl.c: ip_vs_add_dest()`).
    pub(super) const MAX_WEIGHT: u32 = i32::MAX as u32;

    /// Finds what no set of servers could satisfy.
    ///
    /// # Errors
    /// The first contradiction.
    pub const fn check(&self) -> Result<(), PolicyError> {
        if self.rise == 0 {
            return Err(PolicyError::ZeroRise);
        }
        if self.fall == 0 {
            return Err(PolicyError::ZeroFall);
        }
        if self.hysteresis > self.quorum {
            return Err(PolicyError::HysteresisAboveQuorum { quorum: self.quorum, hysteresis: self.hysteresis });
        }
        if self.max_asked_weight > Self::MAX_WEIGHT {
            return Err(PolicyError::WeightOutOfRange(self.max_asked_weight));
        }
        if let Some(Damping { falls: 0, .. }) = self.damping {
            return Err(PolicyError::ZeroDampingFalls);
        }
        match &self.sorry_server {
            Some(Destination { weight: 0, .. }) => Err(PolicyError::SorryServerWithoutWeight),
            Some(sorry) if sorry.weight > Self::MAX_WEIGHT => Err(PolicyError::WeightOutOfRange(sorry.weight)),
            _ => Ok(()),
        }
    }

    /// What is odd about this policy with these servers.
    pub fn warnings(&self, servers: &[Destination]) -> Vec<PolicyWarning> {
        let weight = servers.iter().map(|server| u64::from(server.weight)).sum();
        let needed = u64::from(self.quorum) + u64::from(self.hysteresis);
        let mut warnings = Vec::new();
        if u64::from(self.quorum) > weight {
            warnings.push(PolicyWarning::QuorumUnreachable { quorum: self.quorum, weight });
        } else if needed > weight {
            warnings.push(PolicyWarning::HysteresisUnreachable { needed, weight });
        }
        warnings
    }

    /// With this many successes in a row to come back.
    #[must_use]
    pub const fn with_rise(mut self, rise: u32) -> Self {
        self.rise = rise;
        self
    }

    /// With this many failures in a row to go.
    #[must_use]
    pub const fn with_fall(mut self, fall: u32) -> Self {
        self.fall = fall;
        self
    }

    /// Removing servers that are down rather than inhibiting them.
    #[must_use]
    pub const fn removing(mut self) -> Self {
        self.on_down = OnDown::Remove;
        self
    }

    /// With servers out of use until a first probe succeeds.
    #[must_use]
    pub const fn starting_down(mut self) -> Self {
        self.start_as = StartAs::Down;
        self
    }

    /// With a quorum of weight and its hysteresis.
    #[must_use]
    pub const fn with_quorum(mut self, quorum: u32, hysteresis: u32) -> Self {
        self.quorum = quorum;
        self.hysteresis = hysteresis;
        self
    }

    /// With a sorry server.
    #[must_use]
    pub const fn with_sorry_server(mut self, server: Destination) -> Self {
        self.sorry_server = Some(server);
        self
    }

    /// With a slow start.
    #[must_use]
    pub const fn with_slow_start(mut self, time: Duration) -> Self {
        self.slow_start = Some(time);
        self
    }

    /// With damping.
    #[must_use]
    pub const fn with_damping(mut self, damping: Damping) -> Self {
        self.damping = Some(damping);
        self
    }

    /// With another bound for the weights that probes ask for.
    #[must_use]
    pub const fn with_max_asked_weight(mut self, weight: u32) -> Self {
        self.max_asked_weight = weight;
        self
    }
}
