//! lblc: locality-based least connections.

use super::locality::{Locality, Memory};
use super::{DestinationId, Pool, SchedulerOptions};

/// Locality-based least connections: the same destination address to the same destination, until
/// that has too much to do.
///
/// # What for
/// Caches behind a firewall-mark service, as [`Dh`](super::Dh), but with regard to load and
/// weights.
///
/// # How it decides
/// It remembers a destination for each address that was asked for. That one gets the connection
/// unless it is quiesced or gone, or has more active connections than its weight while another has
/// less than half of its own. Otherwise [`Wlc`](super::Wlc)'s choice is taken and remembered.
/// Entries idle for `lblc_expiration` are dropped, but only every half hour is that looked at.
///
/// # When it surprises
/// * A service of one address has one entry, and so one destination at a time: it is filled beyond
///   its weight before the next one is touched. Weights are numbers of connections here, small ones
///   move often.
/// * The **overload flag does not matter** for a remembered destination: thresholds do not protect
///   it.
/// * When all are above half of their weight nothing moves any more.
///
/// # Example
/// ```
/// # use lvs_core::schedulers::*;
/// # mod examples { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/schedulers/examples.rs")); }
/// # use examples::*;
/// let mut service = service("lblc", &[3, 2, 1]);
/// assert_eq!(picks(&mut service, 12), "CCBBBAAAAAAA");
/// ```
pub type Lblc = Locality<DestinationId>;

impl Memory for DestinationId {
    const NAME: &'static str = "lblc";

    fn expiration(options: &SchedulerOptions) -> u64 {
        options.lblc_expiration
    }

    fn first(at: DestinationId, _: u64) -> Self {
        at
    }

    /// The overload flag does not matter here.
    fn recall(&mut self, pool: &Pool, _: u64, _: u64) -> Option<DestinationId> {
        (pool.available(*self) && pool.weight(*self) > 0).then_some(*self)
    }

    /// The kernel replaces the entry, which makes it the newest of its bucket.
    fn replace(&mut self, at: DestinationId, _: u64) -> bool {
        *self != at
    }

    fn holds(&self, at: DestinationId) -> bool {
        *self == at
    }
}
