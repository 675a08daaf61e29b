//! Memory that may not be there: lists as long as somebody else's data, made without an abort when
//! there is none.

use std::collections::{HashMap, HashSet, TryReserveError};
use std::hash::Hash;

use crate::error::Error;
use crate::hash::Seedless;

/// Adds to the end of a list.
pub(crate) fn push<T>(list: &mut Vec<T>, value: T) -> Result<(), TryReserveError> {
    list.try_reserve(1)?;
    list.push(value);
    Ok(())
}

/// A list of all that an iterator gives.
pub(crate) fn collect<T>(values: impl Iterator<Item = T>) -> Result<Vec<T>, TryReserveError> {
    let mut list = Vec::new();
    list.try_reserve_exact(values.size_hint().0)?;
    for value in values {
        push(&mut list, value)?;
    }
    Ok(list)
}

/// The same of values that may themselves lack memory.
pub(crate) fn try_collect<T, E: From<TryReserveError>>(
    values: impl Iterator<Item = Result<T, E>>,
) -> Result<Vec<T>, E> {
    let mut list = Vec::new();
    list.try_reserve_exact(values.size_hint().0)?;
    for value in values {
        push(&mut list, value?)?;
    }
    Ok(list)
}

/// A copy of bytes.
pub(crate) fn bytes(bytes: &[u8]) -> Result<Vec<u8>, TryReserveError> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// A copy of text.
pub(crate) fn string(text: &str) -> Result<String, TryReserveError> {
    let mut copy = String::new();
    copy.try_reserve_exact(text.len())?;
    copy.push_str(text);
    Ok(copy)
}

/// A list of one.
pub(crate) fn one<T>(value: T) -> Result<Vec<T>, TryReserveError> {
    collect(std::iter::once(value))
}

/// A map of all that an iterator gives.
pub(crate) fn map<K: Eq + Hash, V>(
    values: impl Iterator<Item = (K, V)>,
) -> Result<HashMap<K, V, Seedless>, TryReserveError> {
    let mut map = HashMap::with_hasher(Seedless);
    map.try_reserve(values.size_hint().0)?;
    for (key, value) in values {
        map.try_reserve(1)?;
        map.insert(key, value);
    }
    Ok(map)
}

/// A set of all that an iterator gives.
pub(crate) fn set<K: Eq + Hash>(values: impl Iterator<Item = K>) -> Result<HashSet<K, Seedless>, TryReserveError> {
    let mut set = HashSet::with_hasher(Seedless);
    set.try_reserve(values.size_hint().0)?;
    for value in values {
        set.try_reserve(1)?;
        set.insert(value);
    }
    Ok(set)
}

/// For those who take no memory as everybody in Rust does: with a panic. Every other error is
/// handed on.
pub(crate) fn or_panic<T, E>(result: Result<T, Error>, other: impl FnOnce(Error) -> Option<E>) -> Result<T, E> {
    result.map_err(|error| other(error).expect("enough memory"))
}
