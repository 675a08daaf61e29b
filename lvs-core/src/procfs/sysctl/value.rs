use std::fmt;

use super::{Sysctl, SysctlRange};

/// The value of a tunable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SysctlValue {
    /// A whole number.
    Int(i32),
    /// A whole number of the machine's `unsigned long`.
    Long(u64),
    /// `sync_threshold`.
    Threshold {
        /// The packet at which a connection is first synchronised.
        threshold: i32,
        /// After how many packets again; 0 for never.
        period: i32,
    },
    /// A list of processors in the kernel's spelling.
    Cpus(String),
}

/// A value that a tunable does not take, or text that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sysctl} takes {expected}, not {text:?}")]
#[non_exhaustive]
pub struct SysctlError {
    /// The tunable.
    pub sysctl: Sysctl,
    /// What it takes.
    pub expected: &'static str,
    /// What was given.
    pub text: String,
}

impl SysctlValue {
    /// Reads the text of a tunable's file.
    ///
    /// # Errors
    /// [`SysctlError`] when the text is of another form; whether it is in range does not matter.
    pub fn parse(sysctl: Sysctl, text: &str) -> Result<Self, SysctlError> {
        let text = text.trim_end_matches('\n');
        let parsed = match sysctl.info().range {
            SysctlRange::Int { .. } | SysctlRange::PowerOfTwo | SysctlRange::Seconds { .. } => {
                text.parse().ok().map(Self::Int)
            }
            SysctlRange::Long => text.parse().ok().map(Self::Long),
            SysctlRange::Threshold => {
                let mut words = text.split_ascii_whitespace().map(str::parse);
                match (words.next(), words.next(), words.next()) {
                    (Some(Ok(threshold)), Some(Ok(period)), None) => Some(Self::Threshold { threshold, period }),
                    _ => None,
                }
            }
            SysctlRange::Cpus => Some(Self::Cpus(text.to_owned())),
        };
        parsed.ok_or_else(|| sysctl.rejection(text.to_owned()))
    }

    /// The number, if it is a single one.
    pub const fn as_int(&self) -> Option<i32> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }
}

/// As written to the file.
impl fmt::Display for SysctlValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Long(value) => value.fmt(f),
            Self::Threshold { threshold, period } => write!(f, "{threshold} {period}"),
            Self::Cpus(list) => list.fmt(f),
        }
    }
}

impl From<i32> for SysctlValue {
    fn from(value: i32) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for SysctlValue {
    fn from(value: bool) -> Self {
        Self::Int(value.into())
    }
}

impl Sysctl {
    /// Whether the kernel takes the value, as far as that does not depend on the machine.
    ///
    /// # Errors
    /// [`SysctlError`] for what every kernel refuses.
    pub fn check(self, value: &SysctlValue) -> Result<(), SysctlError> {
        let fits = match (self.info().range, value) {
            (SysctlRange::Int { min, max }, SysctlValue::Int(value)) => (min..=max).contains(value),
            // The limit follows CONFIG_HZ, which is at least 100.
            (SysctlRange::Seconds { .. }, SysctlValue::Int(value)) => value.unsigned_abs() <= i32::MAX as u32 / 100,
            (SysctlRange::PowerOfTwo, SysctlValue::Int(value)) => *value > 0 && value.count_ones() == 1,
            (SysctlRange::Threshold, SysctlValue::Threshold { threshold, period }) => {
                *threshold >= 0 && *period >= 0 && (threshold < period || *period == 0)
            }
            (SysctlRange::Long, SysctlValue::Long(_)) => true,
            (SysctlRange::Cpus, SysctlValue::Cpus(list)) => {
                list.bytes().all(|byte| byte.is_ascii_digit() || b",-:/".contains(&byte))
            }
            _ => false,
        };
        if fits { Ok(()) } else { Err(self.rejection(value.to_string())) }
    }

    pub(crate) fn rejection(self, text: String) -> SysctlError {
        let expected = match self.info().range {
            SysctlRange::Int { min: 0, max: 3 } => "0, 1, 2 or 3",
            SysctlRange::Int { min: 0, max: 1 } => "0 or 1",
            SysctlRange::Int { min: -20, max: 19 } => "a number from -20 to 19",
            SysctlRange::Int { .. } => "a number of 32 bits",
            SysctlRange::Seconds { .. } => "a number of seconds",
            SysctlRange::PowerOfTwo => "a power of two",
            SysctlRange::Long => "a number of 64 bits",
            SysctlRange::Threshold => "a threshold and a greater period, or period 0",
            SysctlRange::Cpus => "a list of processors",
        };
        SysctlError { sysctl: self, expected, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_values_in_range() {
        for sysctl in Sysctl::ALL {
            if let Some(default) = sysctl.info().default {
                let value = SysctlValue::parse(*sysctl, default).unwrap();
                sysctl.check(&value).unwrap();
            }
        }
    }

    #[test]
    fn what_the_kernel_refuses_is_refused_in_words() {
        let refusal = |sysctl: Sysctl, value| sysctl.check(&value).unwrap_err().to_string();
        assert_eq!(refusal(Sysctl::DropEntry, 4.into()), "drop_entry takes 0, 1, 2 or 3, not \"4\"");
        assert_eq!(refusal(Sysctl::SyncPorts, 3.into()), "sync_ports takes a power of two, not \"3\"");
        let threshold = SysctlValue::Threshold { threshold: 5, period: 5 };
        assert!(Sysctl::SyncThreshold.check(&threshold).is_err());
        assert!(Sysctl::SyncThreshold.check(&SysctlValue::Threshold { threshold: 4, period: 0 }).is_ok());
        assert!(Sysctl::EstCpuList.check(&SysctlValue::Cpus("0-3\nx".into())).is_err());
        assert!(Sysctl::Conntrack.check(&SysctlValue::Long(1)).is_err());
    }
}
