//! Numbers from distributions: the generator of Blackman and Vigna, seeded, and the distributions
//! of `rand_distr`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use rand_distr::{Distribution, Exp, LogNormal, Pareto, Uniform, Zipf};

use super::workload::{Arrivals, Clients, Lengths};
use lvs_core::Error;
use lvs_core::model::AddressFamily;

pub(super) fn invalid(what: &'static str) -> Error {
    Error::io("simulate the workload", io::Error::new(io::ErrorKind::InvalidInput, what))
}

/// Each its own generator, so that other lengths don't change who comes when.
fn generator(seed: u64, stream: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// The times of the arrivals, one after the other.
pub(super) struct ArrivalTimes {
    kind: ArrivalKind,
    random: Xoshiro256PlusPlus,
    now: f64,
    index: usize,
}

enum ArrivalKind {
    Poisson(Exp<f64>),
    Regular(f64),
    Given(Vec<Duration>),
}

impl ArrivalTimes {
    pub(super) fn new(arrivals: &Arrivals, seed: u64) -> Result<Self, Error> {
        const RATE: &str = "the rate of arrivals is not above 0";
        let kind = match arrivals {
            Arrivals::Poisson { per_second } if *per_second > 0.0 => {
                ArrivalKind::Poisson(Exp::new(*per_second).map_err(|_| invalid(RATE))?)
            }
            Arrivals::Regular { per_second } if *per_second > 0.0 => ArrivalKind::Regular(1.0 / per_second),
            Arrivals::Given(times) => {
                let mut times = times.clone();
                times.sort();
                ArrivalKind::Given(times)
            }
            _ => return Err(invalid(RATE)),
        };
        Ok(Self { kind, random: generator(seed, 1), now: 0.0, index: 0 })
    }

    pub(super) fn next(&mut self) -> Option<Duration> {
        match &self.kind {
            ArrivalKind::Poisson(gap) => self.now += gap.sample(&mut self.random),
            ArrivalKind::Regular(gap) => self.now += gap,
            ArrivalKind::Given(times) => {
                self.index += 1;
                return times.get(self.index - 1).copied();
            }
        }
        Duration::try_from_secs_f64(self.now).ok()
    }
}

/// The lengths of sessions.
pub(super) struct SessionLengths {
    kind: LengthKind,
    random: Xoshiro256PlusPlus,
    index: usize,
}

enum LengthKind {
    Exponential(Exp<f64>),
    LogNormal(LogNormal<f64>),
    Pareto(Pareto<f64>),
    Given(Vec<Duration>),
}

impl SessionLengths {
    pub(super) fn new(lengths: &Lengths, seed: u64) -> Result<Self, Error> {
        const WRONG: &str = "the lengths of sessions are no distribution";
        let kind = match lengths {
            Lengths::Fixed(length) => LengthKind::Given(vec![*length]),
            Lengths::Exponential { mean } if !mean.is_zero() => {
                LengthKind::Exponential(Exp::new(1.0 / mean.as_secs_f64()).map_err(|_| invalid(WRONG))?)
            }
            Lengths::LogNormal { median, spread } if !median.is_zero() => {
                LengthKind::LogNormal(LogNormal::new(median.as_secs_f64().ln(), *spread).map_err(|_| invalid(WRONG))?)
            }
            Lengths::Pareto { shortest, shape } if !shortest.is_zero() => {
                LengthKind::Pareto(Pareto::new(shortest.as_secs_f64(), *shape).map_err(|_| invalid(WRONG))?)
            }
            Lengths::Given(given) if !given.is_empty() => LengthKind::Given(given.clone()),
            _ => return Err(invalid(WRONG)),
        };
        Ok(Self { kind, random: generator(seed, 2), index: 0 })
    }

    pub(super) fn next(&mut self) -> Duration {
        let seconds = match &self.kind {
            LengthKind::Exponential(length) => length.sample(&mut self.random),
            LengthKind::LogNormal(length) => length.sample(&mut self.random),
            LengthKind::Pareto(length) => length.sample(&mut self.random),
            LengthKind::Given(given) => {
                self.index += 1;
                return given[(self.index - 1) % given.len()];
            }
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// The clients, by number and by address.
pub(super) struct Population {
    kind: ClientKind,
    random: Xoshiro256PlusPlus,
    family: AddressFamily,
    index: usize,
}

enum ClientKind {
    Uniform(Uniform<u32>),
    Zipf(Zipf<f64>),
    Given(Vec<IpAddr>),
}

impl Population {
    pub(super) fn new(clients: &Clients, family: AddressFamily, seed: u64) -> Result<Self, Error> {
        const WRONG: &str = "the clients are no population";
        let kind = match clients {
            Clients::Uniform { count } => ClientKind::Uniform(Uniform::new(0, *count).map_err(|_| invalid(WRONG))?),
            Clients::Zipf { count, exponent } => {
                ClientKind::Zipf(Zipf::new(f64::from(*count), *exponent).map_err(|_| invalid(WRONG))?)
            }
            Clients::Given(given) => {
                if given.is_empty() || given.iter().any(|addr| AddressFamily::of(*addr) != family) {
                    return Err(invalid("the clients are none, or of another family than the service"));
                }
                ClientKind::Given(given.clone())
            }
        };
        Ok(Self { kind, random: generator(seed, 3), family, index: 0 })
    }

    /// The next client's number. Numbers are dense but for equal addresses given twice.
    pub(super) fn next(&mut self) -> u32 {
        match &self.kind {
            ClientKind::Uniform(number) => number.sample(&mut self.random),
            ClientKind::Zipf(rank) => rank.sample(&mut self.random) as u32 - 1,
            ClientKind::Given(given) => {
                self.index += 1;
                ((self.index - 1) % given.len()) as u32
            }
        }
    }

    /// A client's address. Drawn ones are spread over 203.0.0.0/8 or 2001:db8:c::/48, neighbours
    /// far apart.
    pub(super) fn addr(&self, number: u32) -> IpAddr {
        // An odd factor permutes the numbers of 24 bits.
        let spread = number.wrapping_mul(0x9E_3779) & 0xff_ffff;
        match (&self.kind, self.family) {
            (ClientKind::Given(given), _) => given[number as usize],
            (_, AddressFamily::Ipv4) => Ipv4Addr::from_bits(203 << 24 | spread).into(),
            (_, AddressFamily::Ipv6) => {
                let bits = 0x2001_0db8_000c_u128 << 80 | u128::from(spread) << 64 | u128::from(number);
                Ipv6Addr::from_bits(bits).into()
            }
        }
    }
}
