//! How destinations are named and described.

use std::fmt;
use std::net::IpAddr;

/// The family of a virtual service's addresses.
///
/// A destination may be of the other family (tunnels between families), so the pool has to be told.
// Exhaustive: IPVS knows these two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4
    V4,
    /// IPv6
    V6,
}

impl Family {
    /// The family of `addr`.
    pub const fn of(addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// Names a destination of one [`Pool`](super::Pool).
///
/// Ids are small and stable: a destination keeps its id from
/// [`Balancer::add`](super::Balancer::add) until [`Balancer::release`](super::Balancer::release),
/// after which the number is used again. An id means nothing in another pool.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DestinationId(pub(super) u32);

impl DestinationId {
    /// The id of slot `index`, as [`index`](Self::index) returned it.
    pub const fn new(index: u32) -> Self {
        Self(index)
    }

    /// The slot's number, for tables kept beside the pool.
    pub const fn index(self) -> u32 {
        self.0
    }

    pub(super) const fn slot(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for DestinationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// What an operator says of a destination: its address and its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewDestination {
    /// Address of the real server.
    pub addr: IpAddr,
    /// Port of the real server.
    pub port: u16,
    /// Share of the load, 0 to 2<sup>31</sup>−1; 0 quiesces.
    pub weight: i32,
    /// Connections at which new ones are refused; 0 for no limit.
    pub upper_threshold: u32,
    /// Connections below which new ones are accepted again; 0 for three quarters of the upper
    /// threshold.
    pub lower_threshold: u32,
}

impl NewDestination {
    /// A destination without thresholds.
    pub const fn new(addr: IpAddr, port: u16, weight: i32) -> Self {
        Self { addr, port, weight, upper_threshold: 0, lower_threshold: 0 }
    }

    /// The same with thresholds, in connections.
    #[must_use]
    pub const fn with_thresholds(mut self, upper: u32, lower: u32) -> Self {
        self.upper_threshold = upper;
        self.lower_threshold = lower;
        self
    }
}

/// The address and port are in the pool already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DestinationExists(
    /// The destination that has them.
    pub DestinationId,
);

impl fmt::Display for DestinationExists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("destination already exists")
    }
}

impl std::error::Error for DestinationExists {}
