//! The names of values: one table for each type, from which text, serde, JSON and the other
//! languages take theirs.

use std::fmt;

use super::ModelError;

/// A type whose values have names, the same in every language and format.
///
/// A name is what [`Display`](fmt::Display) writes and the first that
/// [`FromStr`](std::str::FromStr) reads. Reading ignores case, takes `_` for `-`, and knows the
/// [aliases](Self::ALIASES), too.
///
/// ```
/// use lvs_core::model::{ForwardingMethod, Named};
///
/// assert_eq!(ForwardingMethod::Direct.to_string(), "direct");
/// assert_eq!("NAT".parse(), Ok(ForwardingMethod::Masquerade));
/// assert_eq!("method-5".parse(), Ok(ForwardingMethod::Other(5)));
/// assert_eq!(
///     "teleport".parse::<ForwardingMethod>().unwrap_err().to_string(),
///     "\"teleport\" is not a forwarding method: expected masquerade, local, tunnel, direct, bypass or method-N"
/// );
/// assert_eq!(ForwardingMethod::NAMES[0], (ForwardingMethod::Masquerade, "masquerade"));
/// ```
pub trait Named: Copy + PartialEq + 'static {
    /// What such a value is called, with its article: `a forwarding method`.
    const WHAT: &'static str;

    /// The values that have a name of their own.
    const NAMES: &'static [(Self, &'static str)];

    /// Other spellings that are read.
    const ALIASES: &'static [(&'static str, Self)] = &[];

    /// How a value without a name is written: a prefix, followed by its number.
    const PREFIX: Option<&'static str> = None;

    /// The value without a name that has this number.
    fn from_unnamed(number: u32) -> Option<Self> {
        let _ = number;
        None
    }

    /// The number of a value without a name.
    fn unnamed(self) -> u32 {
        0
    }

    /// All names, for messages: `ipip, gue, gre or tunnel-N`.
    fn expected() -> String {
        let number = Self::PREFIX.map(|prefix| format!("{prefix}N"));
        let names = Self::NAMES.iter().map(|(_, name)| *name).chain(number.as_deref());
        one_of(names)
    }
}

/// `a, b or c`.
pub(crate) fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    match &names[..] {
        [] => String::new(),
        [name] => (*name).to_owned(),
        [names @ .., last] => format!("{} or {last}", names.join(", ")),
    }
}

/// Whether two spellings are the same but for case, and `_` for `-`.
pub(super) fn same(a: &str, b: &str) -> bool {
    let fold = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| fold(a) == fold(b))
}

pub(super) fn name_of<T: Named>(value: T) -> Option<&'static str> {
    T::NAMES.iter().find(|(named, _)| *named == value).map(|(_, name)| *name)
}

pub(super) fn write<T: Named>(value: T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match name_of(value) {
        Some(name) => f.pad(name),
        None => f.pad(&format!("{}{}", T::PREFIX.unwrap_or(""), value.unnamed())),
    }
}

pub(super) fn read<T: Named>(text: &str) -> Result<T, ModelError> {
    let named = T::NAMES.iter().find(|(_, name)| same(name, text)).map(|(value, _)| *value);
    let alias = || T::ALIASES.iter().find(|(alias, _)| same(alias, text)).map(|(_, value)| *value);
    let numbered = || {
        let prefix = T::PREFIX?;
        let (start, digits) = text.split_at_checked(prefix.len())?;
        if !same(start, prefix) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        T::from_unnamed(digits.parse().ok()?)
    };
    named.or_else(alias).or_else(numbered).ok_or_else(|| ModelError::Unknown {
        what: T::WHAT,
        text: text.to_owned(),
        expected: T::expected(),
    })
}

/// Display and `FromStr` of a type with names.
macro_rules! text_by_name {
    ($($name:ident),+) => {
        $(
            impl std::fmt::Display for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    $crate::model::named::write(*self, f)
                }
            }

            impl std::str::FromStr for $name {
                type Err = $crate::model::ModelError;

                fn from_str(text: &str) -> Result<Self, Self::Err> {
                    $crate::model::named::read(text)
                }
            }

            $crate::model::named::serde_as_text!($name);
        )+
    };
}
pub(super) use text_by_name;

/// Serialize and Deserialize of a type as what Display writes and `FromStr` reads.
macro_rules! serde_as_text {
    ($($name:ident),+) => {
        $(
            #[cfg(feature = "serde")]
            impl serde::Serialize for $name {
                fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            #[cfg(feature = "serde")]
            impl<'de> serde::Deserialize<'de> for $name {
                fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    deserializer.deserialize_str($crate::model::named::Text(std::marker::PhantomData))
                }
            }

            #[cfg(feature = "schema")]
            impl schemars::JsonSchema for $name {
                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    schemars::json_schema!({ "type": "string" })
                }
            }
        )+
    };
}
pub(super) use serde_as_text;

/// Reads a value from its text.
#[cfg(feature = "serde")]
pub(super) struct Text<T>(pub(super) std::marker::PhantomData<T>);

#[cfg(feature = "serde")]
impl<T: std::str::FromStr<Err = ModelError>> serde::de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}
