//! What decides a scheduler's behaviour besides the destinations.

use std::fmt;
use std::str::FromStr;

use crate::model::ModelError;

/// Which behaviour of the kernel to follow.
///
/// Two things changed what IPVS decides. The arithmetic of the least-connection family and the
/// handling of thresholds changed within the stable series, so a release's first two numbers do not
/// say which one it has. Linux 7.1 rebuilt the tables of services and connections. As vendors carry
/// changes into older kernels, a running kernel is better asked than judged by its version:
/// `Profile::of_running_kernel()` does so where the kernel director is built in.
// Exhaustive: a further behaviour breaks every match on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// Linux 6.1 to 6.1.182, 6.12 to 6.12.103: active and inactive connections are counted, a
    /// connection is active or inactive.
    Old,
    /// Linux 6.1.183, 6.12.104 and later: active and all connections are counted, an active one
    /// weighs 257.
    #[default]
    New,
    /// Linux 7.1 and later: counts as [`New`](Self::New); each namespace has tables of its own,
    /// which grow and shrink, persistence templates are invalidated in another way, and since 7.2
    /// the number of connections can be limited.
    Linux7,
}

impl Profile {
    /// All of them, the oldest first.
    pub const ALL: [Self; 3] = [Self::Old, Self::New, Self::Linux7];

    /// Its name: `old`, `new` or `linux7`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Linux7 => "linux7",
        }
    }

    /// Whether each namespace has tables that grow and shrink, and all that came with them.
    pub(crate) const fn has_resizable_tables(self) -> bool {
        matches!(self, Self::Linux7)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Profile {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let found = Self::ALL.into_iter().find(|profile| profile.name() == text);
        found.ok_or_else(|| ModelError::Unknown {
            what: "a profile",
            text: text.to_owned(),
            expected: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// Settings of a scheduler. Each scheduler reads its own and ignores the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchedulerOptions {
    /// The service's flags: [`FALLBACK`](Self::FALLBACK) and [`PORT`](Self::PORT), read by sh and
    /// mh.
    pub flags: u32,
    /// sh: slots of the table as a power of two (`CONFIG_IP_VS_SH_TAB_BITS`), 4 to 20.
    pub sh_table_bits: u32,
    /// mh: size of the table (`CONFIG_IP_VS_MH_TAB_INDEX`), 8 (251 slots) to 17 (131071 slots).
    pub mh_table_index: u32,
    /// lblc: idle time after which an entry is dropped, milliseconds (`lblc_expiration`).
    pub lblc_expiration: u64,
    /// lblcr: idle time after which an entry is dropped, and time after which an unchanged set
    /// shrinks, milliseconds (`lblcr_expiration`).
    pub lblcr_expiration: u64,
    /// lblc, lblcr: whether the cache has a hard limit (Linux 6.1.191, 6.12.113 and later) or not
    /// (earlier ones, in which lblc also counts a replaced entry twice).
    pub lblc_capped: bool,
    /// twos: seed of the generator.
    pub seed: u64,
}

impl SchedulerOptions {
    /// Flag: look for another destination if the hashed one cannot take the connection
    /// (`sh-fallback`, `mh-fallback`).
    pub const FALLBACK: u32 = 0x8;
    /// Flag: hash the client's port too (`sh-port`, `mh-port`).
    pub const PORT: u32 = 0x10;

    /// The same with other service flags.
    #[must_use]
    pub const fn with_flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// The same with another seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

impl Default for SchedulerOptions {
    /// What a Debian kernel has.
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60 * 1000;
        Self {
            flags: 0,
            sh_table_bits: 8,
            mh_table_index: 12,
            lblc_expiration: DAY,
            lblcr_expiration: DAY,
            lblc_capped: true,
            seed: 0,
        }
    }
}

/// A source of random numbers, for twos.
///
/// Any `FnMut(u32) -> u32` is one.
pub trait Random {
    /// A number from 0 to `bound` − 1, each as likely as the others. `bound` is never 0.
    fn below(&mut self, bound: u32) -> u32;
}

impl<F: FnMut(u32) -> u32> Random for F {
    fn below(&mut self, bound: u32) -> u32 {
        self(bound)
    }
}

/// A small generator with a seed, so that a run with twos can be repeated.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A generator that always gives the same numbers for the same seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    // Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Random for SplitMix64 {
    fn below(&mut self, bound: u32) -> u32 {
        // Lemire's multiplication with rejection: exactly uniform.
        let bound = u64::from(bound.max(1));
        let mut product = (self.next() >> 32) * bound;
        let threshold = (1u64 << 32) % bound;
        while product & 0xFFFF_FFFF < threshold {
            product = (self.next() >> 32) * bound;
        }
        (product >> 32) as u32
    }
}
