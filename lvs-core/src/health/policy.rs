use std::time::Duration;

use crate::model::Destination;

/// What becomes of a server that is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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
// Exhaustive: well or not.
pub enum StartAs {
    /// In use until probes say otherwise.
    #[default]
    Up,
    /// Out of use until a first probe succeeds (keepalived's `alpha`).
    Down,
}

/// When a server that comes and goes is held down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
// Exhaustive: how often, in which time, and for how long.
pub struct Damping {
    /// So many times down ...
    pub falls: u32,
    /// ... within so long ...
    pub window: Duration,
    /// ... and it stays down for so long, whatever probes say.
    pub hold: Duration,
}

/// When servers come and go, and what a service does when too few are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// By how much the weight must pass the quorum, downwards to lose it and upwards to have it back.
    pub hysteresis: u32,
    /// Who serves while the quorum is lost; servers still up are inhibited then.
    pub sorry_server: Option<Destination>,
    /// How long a server that comes back takes to reach its weight.
    pub slow_start: Option<Duration>,
    /// When a server that comes and goes is held down.
    pub damping: Option<Damping>,
}

impl Default for HealthPolicy {
    /// One success brings a server back, three failures in a row inhibit it; quorum 1 without hysteresis.
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
        }
    }
}

impl HealthPolicy {
    /// Steps in which a slow start raises the weight.
    pub const SLOW_START_STEPS: u32 = 10;

    /// With so many successes in a row to come back.
    #[must_use]
    pub const fn with_rise(mut self, rise: u32) -> Self {
        self.rise = rise;
        self
    }

    /// With so many failures in a row to go.
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
}
