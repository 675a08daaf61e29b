use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use super::ModelError;

/// Text of at most `N` bytes, held in place so that whoever holds it stays `Copy`.
#[derive(Clone, Copy)]
struct Inline<const N: usize> {
    len: u8,
    bytes: [u8; N],
}

impl<const N: usize> Inline<N> {
    const fn from_static(text: &'static str) -> Self {
        let source = text.as_bytes();
        assert!(source.len() <= N, "the name fits");
        let mut bytes = [0; N];
        let mut i = 0;
        while i < source.len() {
            bytes[i] = source[i];
            i += 1;
        }
        Self { len: source.len() as u8, bytes }
    }

    fn new(what: &'static str, text: &str, may_be_empty: bool) -> Result<Self, ModelError> {
        let reason = if text.len() > N {
            "too long"
        } else if text.contains('\0') {
            "it holds a NUL byte"
        } else if text.is_empty() && !may_be_empty {
            "it is empty"
        } else {
            let mut bytes = [0; N];
            bytes[..text.len()].copy_from_slice(text.as_bytes());
            return Ok(Self { len: text.len() as u8, bytes });
        };
        Err(ModelError::Name { what, name: text.to_owned(), reason })
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("built from a str")
    }
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, empty: $empty:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name(Inline<$max>);

        impl $name {
            /// The longest name, in bytes.
            pub const MAX_LEN: usize = $max;

            /// Checks and takes a name.
            ///
            /// # Errors
            /// [`ModelError::Name`] when it does not fit the kernel's field.
            pub fn new(name: &str) -> Result<Self, ModelError> {
                Inline::new($what, name, $empty).map(Self)
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// The name with NUL bytes behind it, as a field of the longest length holds it.
            pub const fn padded(&self) -> &[u8; Self::MAX_LEN] {
                &self.0.bytes
            }
        }

        impl FromStr for $name {
            type Err = ModelError;
            fn from_str(name: &str) -> Result<Self, ModelError> {
                Self::new(name)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl Eq for $name {}

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        $crate::model::named::serde_as_text!($name);
    };
}

name_type! {
    /// The name of a scheduler, at most 15 bytes (`IP_VS_SCHEDNAME_MAXLEN`).
    ///
    /// Any name can be said; whether a director has such a scheduler is its answer. The empty name
    /// can be said too: no director has it.
    SchedulerName, "scheduler", 15, empty: true
}

impl SchedulerName {
    /// `wlc`, the default of `ipvsadm`.
    pub const WLC: Self = Self(Inline::from_static("wlc"));
    /// `rr`, round robin.
    pub const RR: Self = Self(Inline::from_static("rr"));
    /// `none`: the service has no scheduler and every new connection fails.
    pub const NONE: Self = Self(Inline::from_static("none"));
}

impl Default for SchedulerName {
    fn default() -> Self {
        Self::WLC
    }
}

name_type! {
    /// The name of a persistence engine, at most 16 bytes by the kernel's policy. The kernel ships
    /// one: `sip`.
    EngineName, "persistence engine", 16, empty: false
}

name_type! {
    /// The name of a network interface, at most 15 bytes (`IP_VS_IFNAME_MAXLEN`). May be empty:
    /// `ipvsadm` sends an empty one to stop a daemon, and no interface has it.
    InterfaceName, "interface", 15, empty: true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_longest_length_is_kept_whole() {
        let name = SchedulerName::new("fifteen-bytes-x").unwrap();
        assert_eq!(name.as_str(), "fifteen-bytes-x");
        assert!(SchedulerName::new("sixteen-bytes-xy").is_err());
    }

    #[test]
    fn a_nul_byte_is_refused() {
        assert_eq!(
            EngineName::new("s\0p").unwrap_err().to_string(),
            "invalid persistence engine name \"s\\0p\": it holds a NUL byte"
        );
    }
}
