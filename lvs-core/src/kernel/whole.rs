//! Lists that are known to be whole.
//!
//! The kernel hands out a list in datagrams and goes on, from one to the next, by position
//! (`ip_vs_ctl.c`: `ip_vs_genl_dump_services()`, `ip_vs_genl_dump_dests()`). Whatever is removed or
//! added between two of them moves the rest: an entry that was there all the time may be missing,
//! or come twice. Since Linux 7.1 services move without any change, too, when the table of services
//! is resized. The kernel leaves no sign of any of it.
//!
//! So a list counts as whole only
//! * when it came in one walk ([`Parts::are_one_walk`](super::client::Parts::are_one_walk)),
//! * when it is the list that the old socket options make under the kernel's lock, entry by entry,
//!   or
//! * when two readings one after the other gave the same entries in the same order, and the kernel
//!   cut the one elsewhere than the other.
//!
//! The last one, because each datagram is a part of the list as it was at one time, and what stays
//! keeps its place among what stays, as long as the table is not rebuilt. Where a datagram of one
//! reading ends, one of the other goes on: nothing that stays can be hidden between the two. That
//! both readings are equal is not enough: others that remove and add the same services again and
//! again may disturb both in the same way. Two tables of which one is the other rebuilt have their
//! entries in another order, so the parts do not overlap.
//!
//! The locked list does not show IPv6. Where it is in step with a reading that had no IPv6 service,
//! that there is none rests on this reading alone; so it counts only for a client whose last list
//! had none either. A client may learn late of its first IPv6 service, but none that it knows is
//! ever said to be gone. Certainty of the first one, too, would take a second reading of every
//! table of more than ten services, or `ip_vs_status`, for which Linux 7.1 and later go through all
//! buckets of the connection table.
//!
//! Otherwise what several readings found is put together, and each entry that the last of them or
//! the locked list casts doubt on is asked for by itself.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

use crate::hash::Seedless;
use crate::model::{DestinationEntry, DestinationKey, ServiceKey, ServiceSnapshot};

/// How often a list is read that keeps changing.
pub(super) const READINGS: u32 = 4;

/// Lists that the kernel makes in one go, holding off all changes. IPv6 is not on them.
pub(super) trait Witness {
    /// The IPv4 services, each with the number of its destinations of both families. `about` says
    /// how many to expect.
    fn services(&mut self, about: usize) -> Option<Vec<(ServiceKey, u32)>>;

    /// The IPv4 destinations of an IPv4 service.
    fn destinations(&mut self, service: &ServiceKey, about: usize) -> Option<Vec<DestinationKey>>;

    /// The IPv4 services with all that these lists show of them, as yet without their
    /// destinations, and the numbers of these, of both families.
    fn service_entries(&mut self, about: usize) -> Option<(Vec<ServiceSnapshot>, Vec<u32>)>;

    /// The destinations of an IPv4 service with all that these lists show of them, if there are so
    /// many and all are IPv4.
    fn destination_entries(&mut self, service: &ServiceKey, count: u32) -> Option<Vec<DestinationEntry>>;
}

/// What several readings of one list say together.
#[derive(Debug)]
pub(super) struct Readings<T, F> {
    key: F,
    count: u32,
    settled: bool,
    last: Vec<T>,
    /// Where the kernel cut the last one.
    cuts: Vec<usize>,
    earlier: Vec<T>,
}

/// A list, put together.
#[derive(Debug, PartialEq)]
pub(super) struct Gathered<T, K> {
    /// The entries of the last reading, each once.
    pub(super) entries: Vec<T>,
    /// What earlier readings had and the last had not: removed since, or passed over.
    pub(super) earlier: Vec<T>,
    /// What was on the locked list and in no reading.
    pub(super) unread: Vec<K>,
}

impl<T: Copy, K: Copy + Eq + Hash, F: Fn(&T) -> K> Readings<T, F> {
    pub(super) fn new(key: F) -> Self {
        Self { key, count: 0, settled: false, last: Vec::new(), cuts: Vec::new(), earlier: Vec::new() }
    }

    /// Whether the last reading came in parts.
    pub(super) fn was_cut(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// Takes in a reading and after how many entries it was cut; gives back whether it settles the
    /// matter.
    pub(super) fn take(&mut self, reading: Vec<T>, cuts: Vec<usize>, one_walk: bool) -> bool {
        let key = &self.key;
        let same = self.count > 0
            && overlap(&self.cuts, &cuts)
            && self.last.len() == reading.len()
            && self.last.iter().zip(&reading).all(|(a, b)| key(a) == key(b))
            && !has_double(&reading, key);
        self.count += 1;
        self.settled = same || one_walk;
        self.cuts = cuts;
        let before = std::mem::replace(&mut self.last, reading);
        if self.settled {
            self.earlier = Vec::new();
        } else if !before.is_empty() {
            self.earlier.extend(before);
        }
        self.settled
    }

    /// Whether the only reading so far holds exactly what the locked list does, in its order.
    pub(super) fn is_in_step_with(&self, locked: impl ExactSizeIterator<Item = K>) -> bool {
        self.last.len() == locked.len() && self.last.iter().map(&self.key).eq(locked)
    }

    pub(super) fn is_settled(&self) -> bool {
        self.settled
    }

    /// The last reading as it came.
    pub(super) fn into_last(self) -> Vec<T> {
        self.last
    }

    /// Puts together what was read and what is on a locked list.
    pub(super) fn finish(self, locked: impl IntoIterator<Item = K>) -> Gathered<T, K> {
        let Self { key, last: mut entries, mut earlier, .. } = self;
        if has_double(&entries, &key) {
            merge_doubles(&mut entries, &key);
        }
        merge_doubles(&mut earlier, &key);
        let mut seen: Places<K> = HashMap::default();
        seen.extend(entries.iter().enumerate().map(|(place, entry)| (key(entry), place)));
        earlier.retain(|entry| !seen.contains_key(&key(entry)));
        seen.extend(earlier.iter().enumerate().map(|(place, entry)| (key(entry), place)));
        let unread = locked.into_iter().filter(|key| !seen.contains_key(key)).collect();
        Gathered { entries, earlier, unread }
    }
}

/// Entries that parts of two readings must have in common.
const OVERLAP: usize = 2;

/// Whether no place at which one list was cut is near one at which the other was. Both ascend.
fn overlap(cuts: &[usize], others: &[usize]) -> bool {
    cuts.iter().all(|cut| {
        let next = others.partition_point(|other| other + OVERLAP <= *cut);
        others.get(next).is_none_or(|other| cut + OVERLAP <= *other)
    })
}

type Places<K> = HashMap<K, usize, Seedless>;

/// Up to this many entries are compared each with each.
const FEW: usize = 16;

/// Whether two entries may be of one key: exact when it says no, and mostly when it says yes.
pub(super) fn has_double<T, K: Eq + Hash>(entries: &[T], key: &impl Fn(&T) -> K) -> bool {
    if entries.len() <= FEW {
        return entries.iter().enumerate().any(|(index, entry)| {
            let wanted = key(entry);
            entries[..index].iter().any(|other| key(other) == wanted)
        });
    }
    // A table of parts of hashes, at most two thirds full; zero is an empty place.
    let mut seen = vec![0; (entries.len() + entries.len() / 2 + 1).next_power_of_two()];
    let mask = seen.len() - 1;
    let hasher = Seedless;
    entries.iter().any(|entry| {
        let hash = hasher.hash_one(key(entry));
        let (tag, mut place) = ((hash >> 32) as u32 | 1, hash as usize & mask);
        while seen[place] != 0 && seen[place] != tag {
            place = (place + 1) & mask;
        }
        std::mem::replace(&mut seen[place], tag) == tag
    })
}

/// Merges entries of one key: the place of the first, the values of the last.
pub(super) fn merge_doubles<T: Copy, K: Eq + Hash>(entries: &mut Vec<T>, key: &impl Fn(&T) -> K) {
    let mut places: Places<K> = HashMap::with_capacity_and_hasher(entries.len(), Seedless);
    let mut kept = 0;
    for index in 0..entries.len() {
        let entry = entries[index];
        let place = *places.entry(key(&entry)).or_insert(kept);
        entries[place] = entry;
        kept = kept.max(place + 1);
    }
    entries.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(all: &[(&[i32], bool)]) -> Readings<i32, fn(&i32) -> i32> {
        let mut readings = Readings::new((|entry| *entry) as fn(&i32) -> i32);
        for (reading, one_walk) in all {
            readings.take(reading.to_vec(), Vec::new(), *one_walk);
        }
        readings
    }

    #[test]
    fn an_entry_that_came_twice_stays_once_with_its_latest_values() {
        let mut entries = vec![(1, 'a'), (2, 'b'), (3, 'c'), (2, 'd'), (3, 'e'), (4, 'f')];
        let key = |entry: &(i32, char)| entry.0;
        assert!(has_double(&entries, &key));
        merge_doubles(&mut entries, &key);
        assert_eq!(entries, [(1, 'a'), (2, 'd'), (3, 'e'), (4, 'f')]);
        assert!(!has_double(&entries, &key));
        entries.extend((5..1000).map(|number| (number, 'g')));
        assert!(!has_double(&entries, &key));
        entries.push((1, 'h'));
        assert!(has_double(&entries, &key));
    }

    #[test]
    fn one_walk_settles_the_matter_and_so_do_two_equal_readings() {
        assert!(readings(&[(&[1, 2], true)]).is_settled());
        assert!(!readings(&[(&[1, 2], false)]).is_settled());
        assert!(readings(&[(&[1, 2], false), (&[1, 2], false)]).is_settled());
        // Another order means that the table was rebuilt in between, a double that it changed
        // meanwhile.
        assert!(!readings(&[(&[1, 2], false), (&[2, 1], false)]).is_settled());
        assert!(!readings(&[(&[1, 2, 1], false), (&[1, 2, 1], false)]).is_settled());
        assert!(readings(&[(&[1, 2], false), (&[3], true)]).finish([]).earlier.is_empty());
    }

    #[test]
    fn equal_readings_settle_nothing_where_both_were_cut() {
        let all: Vec<i32> = (0..300).collect();
        let settles = |first: &[usize], second: &[usize]| {
            let mut readings = Readings::new(|entry: &i32| *entry);
            readings.take(all.clone(), first.to_vec(), false);
            readings.take(all.clone(), second.to_vec(), false)
        };
        assert!(settles(&[101, 202], &[50, 151, 252]));
        assert!(settles(&[11, 22, 99, 110], &[101, 202]));
        assert!(settles(&[101, 202], &[]));
        assert!(!settles(&[101, 202], &[101, 202]));
        assert!(!settles(&[11, 22, 100, 110], &[101, 202]));
        assert!(!settles(&[101, 202], &[50, 102, 203]));
        // The last part was full: what came behind it, nobody saw.
        assert!(!settles(&[101, 202, 300], &[50, 151, 252, 300]));
    }

    #[test]
    fn an_entry_missed_by_one_reading_is_found_by_another_or_by_the_locked_list() {
        let gathered = readings(&[(&[1, 2, 3, 4], false), (&[1, 5, 4, 1], false)]).finish([1, 2, 6]);
        assert_eq!(gathered, Gathered { entries: vec![1, 5, 4], earlier: vec![2, 3], unread: vec![6] });
    }

    #[test]
    fn a_reading_is_in_step_with_the_same_entries_in_the_same_order_alone() {
        let one = readings(&[(&[1, 2, 3], false)]);
        assert!(one.is_in_step_with([1, 2, 3].into_iter()));
        for other in [&[1, 2][..], &[1, 3, 2], &[1, 2, 3, 4], &[1, 2, 4]] {
            assert!(!one.is_in_step_with(other.iter().copied()), "{other:?}");
        }
    }
}
