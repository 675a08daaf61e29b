use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use lvs_core::embedded::{EmbeddedDirector, EmbeddedOptions};
use lvs_core::model::{Destination, DestinationKey, Service};

/// When connections are opened.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Arrivals {
    /// At random and independently of each other, on average so many a second.
    Poisson {
        /// Connections a second, above 0.
        per_second: f64,
    },
    /// At regular intervals.
    Regular {
        /// Connections a second, above 0.
        per_second: f64,
    },
    /// At these times.
    Given(Vec<Duration>),
}

/// How long a connection is used.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Lengths {
    /// Always as long.
    Fixed(Duration),
    /// Exponentially distributed: it may end at any moment.
    Exponential {
        /// The average.
        mean: Duration,
    },
    /// Log-normally distributed: most are short, some are long. Web sessions are much like this.
    LogNormal {
        /// Half of them are shorter.
        median: Duration,
        /// The standard deviation of the logarithm, 0 or above; 1 is a wide spread.
        spread: f64,
    },
    /// Pareto distributed: few last very long. Downloads are much like this.
    Pareto {
        /// The shortest.
        shortest: Duration,
        /// The smaller, the longer the longest; above 0, and above 1 for there to be an average.
        shape: f64,
    },
    /// These, one after the other, and again from the first.
    Given(Vec<Duration>),
}

/// Who opens connections.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Clients {
    /// So many, each as often as the others.
    Uniform {
        /// How many, at least 1.
        count: u32,
    },
    /// So many, the n-th one proportionally to n<sup>-exponent</sup>: some come all the time, most
    /// come seldom.
    Zipf {
        /// How many, at least 1.
        count: u32,
        /// 0 is uniform, 1 is usual.
        exponent: f64,
    },
    /// These, one after the other, and again from the first.
    Given(Vec<IpAddr>),
}

/// What happens to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// It is gone: its connections break, and it is removed from the service.
    Fail(DestinationKey),
    /// Its weight becomes 0: it keeps its connections and gets no new ones.
    Drain(DestinationKey),
    /// It is back with the settings it had at first.
    Return(DestinationKey),
    /// Its weight changes.
    Weight(DestinationKey, u32),
}

impl Event {
    /// The server it happens to.
    pub const fn server(&self) -> DestinationKey {
        match self {
            Self::Fail(key) | Self::Drain(key) | Self::Return(key) | Self::Weight(key, _) => *key,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fail(key) => write!(f, "failure of {key}"),
            Self::Drain(key) => write!(f, "drain of {key}"),
            Self::Return(key) => write!(f, "return of {key}"),
            Self::Weight(key, weight) => write!(f, "weight {weight} for {key}"),
        }
    }
}

/// A service, its servers, and what comes upon them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Workload {
    /// The service. Clients connect to its address and port; to port 80 of 192.0.2.1 or 2001:db8::1
    /// if it is a firewall mark.
    pub service: Service,
    /// Its servers, added in this order.
    pub servers: Vec<Destination>,
    /// When connections are opened.
    pub arrivals: Arrivals,
    /// How long they are used.
    pub lengths: Lengths,
    /// Who opens them.
    pub clients: Clients,
    /// What happens to the servers, and when.
    pub events: Vec<(Duration, Event)>,
    /// How long it goes on.
    pub duration: Duration,
    /// How often to take a sample.
    pub sample_every: Duration,
    /// The seed of all that is drawn.
    pub seed: u64,
    /// The kernel to follow.
    pub director: EmbeddedOptions,
}

impl Workload {
    /// Ten connections a second of ten seconds each, from a thousand clients that come alike, on no
    /// server yet.
    pub fn new(service: Service, duration: Duration) -> Self {
        Self {
            service,
            servers: Vec::new(),
            arrivals: Arrivals::Poisson { per_second: 10.0 },
            lengths: Lengths::Exponential { mean: Duration::from_secs(10) },
            clients: Clients::Uniform { count: 1000 },
            events: Vec::new(),
            duration,
            sample_every: (duration / 100).max(Duration::from_millis(1)),
            seed: 1,
            director: EmbeddedDirector::options(),
        }
    }
}
