//! Durations in JSON and TOML: seconds, with a fraction where needed.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Whole seconds as an integer: exact, and what a person would write.
    match time.subsec_nanos() {
        0 => serializer.serialize_u64(time.as_secs()),
        _ => serializer.serialize_f64(time.as_secs_f64()),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Seconds::deserialize(deserializer)?.to_duration()
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a number of seconds")]
enum Seconds {
    Whole(u64),
    Fraction(f64),
}

impl Seconds {
    fn to_duration<E: Error>(&self) -> Result<Duration, E> {
        match *self {
            Self::Whole(seconds) => Ok(Duration::from_secs(seconds)),
            Self::Fraction(seconds) if seconds >= 0.0 => {
                // What is longer than a duration can say is for ever in any case.
                Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
            }
            Self::Fraction(seconds) => Err(E::custom(format!("{seconds} is not a time in seconds"))),
        }
    }
}

/// `Option<Duration>`.
pub(crate) mod optional {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Option::<Seconds>::deserialize(deserializer)?.map(|seconds| seconds.to_duration()).transpose()
    }
}

/// `Vec<Duration>`.
pub(crate) mod list {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(times: &[Duration], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(times.iter().map(Duration::as_secs_f64))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Duration>, D::Error> {
        let seconds = Vec::<Seconds>::deserialize(deserializer)?;
        seconds.iter().map(Seconds::to_duration).collect()
    }
}
