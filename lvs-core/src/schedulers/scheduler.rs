//! The trait that every scheduler implements, and the table of them all.

use std::fmt;

use super::{DestinationId, Pool, Request, SchedulerOptions, SplitMix64, Twos};
use super::{dh::Dh, fo::Fo, lblc::Lblc, lblcr::Lblcr, lc::Lc, mh::Mh, nq::Nq};
use super::{ovf::Ovf, rr::Rr, sed::Sed, sh::Sh, wlc::Wlc, wrr::Wrr};

/// Chooses a destination for each new connection.
///
/// A scheduler keeps state of its own that follows the pool, so **each change of the pool is told
/// to it at once**, before the next change:
///
/// | change of the pool | call |
/// |---|---|
/// | a destination is added | [`added`](Self::added) |
/// | one is removed | [`removed`](Self::removed) |
/// | weight and thresholds are set by one command, even if nothing changed | one [`edited`](Self::edited) |
/// | a connection or template counted | [`counters_changed`](Self::counters_changed) |
///
/// [`Balancer`](super::Balancer) does this.
///
/// What the pool holds when [`bind`](Self::bind) is called needs no telling.
pub trait Scheduler: fmt::Debug + Send + CloneScheduler {
    /// The scheduler's name, as in `ipvsadm -s`.
    fn name(&self) -> &'static str;

    /// Begins to work for `pool` at time `now` (milliseconds), forgetting all state.
    ///
    /// # Errors
    /// [`BindError`] when the kernel would refuse the scheduler for this service.
    fn bind(&mut self, pool: &Pool, now: u64) -> Result<(), BindError>;

    /// `at` is now the head of the list.
    fn added(&mut self, pool: &Pool, at: DestinationId);

    /// `at` is no longer on the list. Its [neighbours](Pool::previous) are still known.
    fn removed(&mut self, pool: &Pool, at: DestinationId);

    /// The settings of `at` were set, perhaps to what they were before.
    fn edited(&mut self, pool: &Pool, at: DestinationId);

    /// The connections of `at` changed, and perhaps its overload flag.
    #[inline]
    fn counters_changed(&mut self, pool: &Pool, at: DestinationId) {
        let _ = (pool, at);
    }

    /// The settings that may change while a scheduler is bound did: the service's flags, the
    /// expirations of lblc and lblcr.
    fn reconfigured(&mut self, options: &SchedulerOptions) {
        let _ = options;
    }

    /// Chooses the destination of a new connection; `None` if no destination may have it.
    ///
    /// It counts nothing: the caller tells the pool of the connection.
    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId>;

    /// Whether [`next_tick`](Self::next_tick) ever asks for a [`tick`](Self::tick).
    fn has_timer(&self) -> bool {
        false
    }

    /// When [`tick`](Self::tick) has something to do next, in milliseconds; `None` while it has
    /// not.
    fn next_tick(&self) -> Option<u64> {
        None
    }

    /// Does what the kernel's scheduler has done by a timer up to `now`: lblc and lblcr drop old
    /// entries once a minute. It takes no longer the longer ago the last call was.
    fn tick(&mut self, pool: &Pool, now: u64) {
        let _ = (pool, now);
    }

    /// Whether the scheduler's own tables refer to `at`, so that it must not be
    /// released.
    fn holds(&self, at: DestinationId) -> bool {
        let _ = at;
        false
    }
}

/// What [`Clone`] gives a [`Scheduler`]: whatever is one and `Clone` has it.
pub trait CloneScheduler {
    /// A copy with the same state.
    fn clone_boxed(&self) -> Box<dyn Scheduler>;
}

impl<S: Scheduler + Clone + 'static> CloneScheduler for S {
    fn clone_boxed(&self) -> Box<dyn Scheduler> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Scheduler> {
    fn clone(&self) -> Self {
        (**self).clone_boxed()
    }
}

/// Why a scheduler cannot work for a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BindError {
    /// mh: there are more destinations than its table has slots.
    TooManyDestinations {
        /// How many destinations there are.
        destinations: usize,
        /// How many slots the table has.
        slots: usize,
    },
}

impl BindError {
    /// The kernel's errno.
    pub const fn errno(&self) -> i32 {
        const EINVAL: i32 = 22;
        match self {
            Self::TooManyDestinations { .. } => EINVAL,
        }
    }
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyDestinations { destinations, slots } => {
                write!(f, "{destinations} destinations do not fit into a table of {slots} slots")
            }
        }
    }
}

impl std::error::Error for BindError {}

/// What there is to know about a scheduler before using it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SchedulerInfo {
    /// Name as in `ipvsadm -s`.
    pub name: &'static str,
    /// The name in full.
    pub title: &'static str,
    /// Whether its choices follow from the history alone (not so for twos, which draws).
    pub deterministic: bool,
    /// The names of its flags (`ipvsadm -b`), in the order of the bits from 0x8 on.
    pub flags: &'static [&'static str],
    make: fn(&SchedulerOptions) -> Box<dyn Scheduler>,
}

impl SchedulerInfo {
    const fn new(name: &'static str, title: &'static str, make: fn(&SchedulerOptions) -> Box<dyn Scheduler>) -> Self {
        Self { name, title, deterministic: true, flags: &[], make }
    }

    const fn with_flags(mut self, flags: &'static [&'static str]) -> Self {
        self.flags = flags;
        self
    }

    const fn random(mut self) -> Self {
        self.deterministic = false;
        self
    }
}

/// All schedulers, in the order of `ipvsadm`'s manual.
pub static SCHEDULERS: [SchedulerInfo; 14] = [
    SchedulerInfo::new("rr", "round robin", |_| Box::new(Rr::new())),
    SchedulerInfo::new("wrr", "weighted round robin", |_| Box::new(Wrr::new())),
    SchedulerInfo::new("lc", "least connections", |_| Box::new(Lc::new())),
    SchedulerInfo::new("wlc", "weighted least connections", |_| Box::new(Wlc::new())),
    SchedulerInfo::new("lblc", "locality-based least connections", |o| Box::new(Lblc::new(o))),
    SchedulerInfo::new("lblcr", "locality-based least connections with replication", |o| Box::new(Lblcr::new(o))),
    SchedulerInfo::new("dh", "destination hashing", |_| Box::new(Dh::new())),
    SchedulerInfo::new("sh", "source hashing", |o| Box::new(Sh::new(o))).with_flags(&["sh-fallback", "sh-port"]),
    SchedulerInfo::new("sed", "shortest expected delay", |_| Box::new(Sed::new())),
    SchedulerInfo::new("nq", "never queue", |_| Box::new(Nq::new())),
    SchedulerInfo::new("fo", "weighted failover", |_| Box::new(Fo::new())),
    SchedulerInfo::new("ovf", "weighted overflow", |_| Box::new(Ovf::new())),
    SchedulerInfo::new("mh", "Maglev hashing", |o| Box::new(Mh::new(o))).with_flags(&["mh-fallback", "mh-port"]),
    SchedulerInfo::new("twos", "power of two choices", |o| Box::new(Twos::new(SplitMix64::new(o.seed)))).random(),
];

/// The scheduler called `name`, not yet bound; `None` if there is none.
pub fn by_name(name: &str, options: &SchedulerOptions) -> Option<Box<dyn Scheduler>> {
    info(name).map(|info| (info.make)(options))
}

/// What there is to know about the scheduler called `name`.
pub fn info(name: &str) -> Option<&'static SchedulerInfo> {
    SCHEDULERS.iter().find(|info| info.name == name)
}
