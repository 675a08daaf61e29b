use std::collections::HashMap;
use std::hash::Hash;

/// Shows each item of two lists with its partner of the same key: first those of `new` in their
/// order, then those of `old` that have none.
///
/// Lists of an unchanged table come in the same order, so partners are looked for at the same place
/// before a map is built.
pub(super) fn pair<T, K: Eq + Hash>(
    old: &[T],
    new: &[T],
    key: impl Fn(&T) -> K,
    mut show: impl FnMut(Option<&T>, Option<&T>),
) {
    let common = old.iter().zip(new).take_while(|(a, b)| key(a) == key(b)).count();
    for (before, after) in old.iter().zip(new).take(common) {
        show(Some(before), Some(after));
    }
    let mut rest: HashMap<K, &T> = old[common..].iter().map(|item| (key(item), item)).collect();
    for after in &new[common..] {
        show(rest.remove(&key(after)), Some(after));
    }
    for before in &old[common..] {
        if rest.contains_key(&key(before)) {
            show(Some(before), None);
        }
    }
}
