//! Reading a table that was read before.
//!
//! The old socket options show an IPv4 table at a tenth of what netlink takes, in lists that the
//! kernel makes under its lock. What they leave out is taken over from the reading before where it
//! cannot have changed, and read over netlink where it may have:
//!
//! * *Counters of 64 bits.* Byte counts are that wide everywhere, and they tell when the others need
//!   no more than 32 bits, or have not moved: [`widened`].
//! * *Engines of services, parameters of tunnels.* Read for what is new, what has changed in any
//!   other way, what is at another place of its list, and what has counted backwards: it was
//!   removed and added again. A change of nothing but an engine, or nothing but a tunnel's
//!   parameters, leaves no trace in these lists and is not seen.
//! * *IPv6 destinations of IPv4 services.* The kernel counts them without showing them: such lists
//!   are read over netlink.
//! * *IPv6 services.* Read over netlink as ever if the reading before had any. The first one is not
//!   seen, so the snapshot is then not [complete](Completeness) in IPv6.

use std::collections::{HashMap, HashSet};

use super::client::Client;
use crate::error::Result;
use crate::hash::Seedless;
use crate::model::{
    AddressFamily, Completeness, Counters, Coverage, DestinationEntry, ServiceEntry, ServiceKey, ServiceSnapshot,
    Snapshot, Stats,
};

/// Below this number of bytes there were fewer than 2^31 packets: each has an IP header of 20 bytes.
const FEW_BYTES: u64 = 20 << 31;
/// Below this number of packets a second there were fewer than 2^32 bytes a second: no packet, not even one
/// that segmentation offload has yet to cut, is longer than 2^19 bytes.
const FEW_PACKETS: u64 = 1 << 12;

/// The 64-bit statistics that belong to those of 32 bits, if they are certain.
///
/// They can while the numbers are small: connections and packets are bounded by the byte counts
/// (each connection begins with a packet; only one whose destination is removed at that very moment
/// goes uncounted), byte rates by the packet rates. And they can as long as nothing has moved: no
/// packet passes without adding to the byte counts, and no rate of bytes decays without its rate of
/// packets.
fn widened(now: &Stats, before: &Stats, before_wide: &Stats) -> Option<Stats> {
    if now == before {
        return Some(*before_wide);
    }
    let is_small = now.counters.bytes_in < FEW_BYTES
        && now.counters.bytes_out < FEW_BYTES
        && now.rates.packets_in < FEW_PACKETS
        && now.rates.packets_out < FEW_PACKETS;
    is_small.then_some(*now)
}

const fn went_back(now: &Counters, before: &Counters) -> bool {
    now.connections < before.connections
        || now.packets_in < before.packets_in
        || now.packets_out < before.packets_out
        || now.bytes_in < before.bytes_in
        || now.bytes_out < before.bytes_out
}

/// The 64-bit statistics of something whose configuration is what it was; the outer `None` where
/// netlink has to be asked.
fn wide(now: Option<Stats>, before: Option<Stats>, before_wide: Option<Stats>) -> Option<Option<Stats>> {
    let (now, before) = (now?, before?);
    // Kernels before 4.1 have none.
    let Some(before_wide) = before_wide else { return Some(None) };
    if went_back(&now.counters, &before.counters) {
        return None;
    }
    widened(&now, &before, &before_wide).map(Some)
}

/// Completes what the old socket options show of a service by what was known of it; gives back
/// whether that could be done.
fn complete_service(now: &mut ServiceEntry, before: &ServiceEntry) -> bool {
    let engine = std::mem::replace(&mut now.service.engine, before.service.engine);
    if now.service == before.service
        && let Some(wide) = wide(now.stats, before.stats, before.stats64)
    {
        now.stats64 = wide;
        return true;
    }
    now.service.engine = engine;
    false
}

/// The same of all destinations of a service.
fn complete_destinations(now: &mut [DestinationEntry], before: &[DestinationEntry]) -> bool {
    now.len() == before.len()
        && now.iter_mut().zip(before).all(|(now, before)| {
            now.destination.tunnel = before.destination.tunnel;
            if now.destination != before.destination {
                return false;
            }
            let wide = wide(now.stats, before.stats, before.stats64);
            now.stats64 = wide.unwrap_or_default();
            wide.is_some()
        })
}

/// The services of the reading before, most likely asked for in its order.
struct Remembered<'s> {
    list: Vec<&'s ServiceSnapshot>,
    next: usize,
    places: HashMap<ServiceKey, usize, Seedless>,
}

impl<'s> Remembered<'s> {
    fn new(last: &'s Snapshot, family: AddressFamily) -> Self {
        let list = last.services.iter().filter(|service| service.entry.service.key().family() == family).collect();
        Self { list, next: 0, places: HashMap::default() }
    }

    fn find(&mut self, key: &ServiceKey) -> Option<&'s ServiceSnapshot> {
        let is_it = |service: &&ServiceSnapshot| service.entry.service.key() == *key;
        if let Some(found) = self.list.get(self.next).copied().filter(is_it) {
            self.next += 1;
            return Some(found);
        }
        if self.places.is_empty() {
            let keys = self.list.iter().map(|service| service.entry.service.key());
            self.places = keys.enumerate().map(|(place, key)| (key, place)).collect();
        }
        let place = *self.places.get(key)?;
        self.next = place + 1;
        Some(self.list[place])
    }
}

impl Client {
    /// A snapshot of a table of which `last` is an earlier one.
    pub(super) fn snapshot_after(&mut self, last: &Snapshot) -> Result<Snapshot> {
        let mut remembered = Remembered::new(last, AddressFamily::Ipv4);
        let about = remembered.list.len();
        if about == 0 || last.coverage != Coverage::FULL {
            return self.snapshot();
        }
        let has_ipv6 = about < last.services.len();
        let (info, timeouts, daemons) = self.overview()?;
        let Some((services, counts)) = self.witness.as_mut().and_then(|witness| witness.service_entries(about)) else {
            return self.snapshot();
        };
        let mut snapshot = Snapshot::new(info, Coverage::FULL);
        snapshot.timeouts = timeouts;
        snapshot.daemons = daemons;
        snapshot.services = services;
        let mut others = Vec::new();
        if has_ipv6 {
            // Perhaps by another client.
            self.saw_ipv6 = true;
            let list = self.all_services()?;
            snapshot.complete = Completeness { ipv4: true, ipv6: list.complete.ipv6 };
            others = list.entries;
            others.retain(|entry| entry.service.key().family() == AddressFamily::Ipv6);
        } else {
            snapshot.complete.lack(AddressFamily::Ipv6);
        }
        self.expect_lists_of_a_snapshot();
        let (mut empty, mut doubtful) = (Vec::new(), Vec::new());
        for (place, count) in counts.into_iter().enumerate() {
            let service = &mut snapshot.services[place];
            let key = service.entry.service.key();
            let before = remembered.find(&key);
            if !before.is_some_and(|before| complete_service(&mut service.entry, &before.entry)) {
                doubtful.push(place);
            }
            let list = before.and_then(|before| {
                let mut list = self.witness.as_mut()?.destination_entries(&key, count)?;
                complete_destinations(&mut list, &before.destinations).then_some(list)
            });
            if let Some(list) = list {
                service.destinations = list;
                continue;
            }
            let (list, whole) = self.destinations_of(&key, Some(count))?;
            if list.is_empty() {
                empty.push(key);
            }
            if !whole {
                snapshot.complete.lack(AddressFamily::Ipv4);
            }
            snapshot.services[place].destinations = list;
        }
        let mut gone = HashSet::new();
        let keys: Vec<ServiceKey> =
            doubtful.iter().map(|place| snapshot.services[*place].entry.service.key()).collect();
        for (place, found) in doubtful.into_iter().zip(self.fetch(&keys)?) {
            match found {
                Some(entry) => snapshot.services[place].entry = entry,
                None => {
                    gone.insert(snapshot.services[place].entry.service.key());
                }
            }
        }
        for entry in others {
            self.read_destinations_into(&mut snapshot, entry, None, &mut empty)?;
        }
        self.remove_gone(&mut snapshot, empty, gone)?;
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Destination, ForwardingMethod, Rates, Service, Tunnel};

    fn stats(packets: u64, bytes: u64) -> Stats {
        let counters = Counters { connections: 1, packets_in: packets, bytes_in: bytes, ..Counters::default() };
        Stats { counters, ..Stats::default() }
    }

    #[test]
    fn small_numbers_and_those_that_have_not_moved_are_known_in_64_bits() {
        let (before, now) = (stats(10, 1000), stats(12, 1300));
        assert_eq!(widened(&now, &before, &before), Some(now));
        let large = stats((1 << 32) + 7, 1 << 40);
        let cut = large.truncated();
        assert_eq!(widened(&cut, &cut, &large), Some(large));
        // More than that many bytes may be 2^32 packets.
        assert_eq!(widened(&stats(8, FEW_BYTES - 1), &before, &before), Some(stats(8, FEW_BYTES - 1)));
        assert_eq!(widened(&stats(8, FEW_BYTES), &before, &before), None);
        let fast = Stats { rates: Rates { packets_out: FEW_PACKETS, ..Rates::default() }, ..now };
        assert_eq!(widened(&fast, &before, &before), None);
        assert_eq!(widened(&fast, &fast, &large), Some(large));
    }

    #[test]
    fn what_counts_backwards_was_perhaps_removed_and_added_again() {
        let (before, now) = (Some(stats(10, 1000)), Some(stats(9, 1000)));
        assert_eq!(wide(now, before, before), None);
        assert_eq!(wide(before, before, None), Some(None), "a kernel without 64-bit statistics");
    }

    #[test]
    fn what_the_lists_do_not_show_is_taken_over_where_all_else_is_as_it_was() {
        let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        let mut before = ServiceEntry::new(Service::new(key).with_engine("sip".parse().unwrap()));
        (before.stats, before.stats64) = (Some(stats(1, 40)), Some(stats(1, 40)));
        let mut now = ServiceEntry::new(Service::new(key));
        now.stats = Some(stats(2, 80));
        let mut other = ServiceEntry::new(Service::new(key).with_persistence(60));
        other.stats = now.stats;
        assert!(complete_service(&mut now, &before));
        assert_eq!((now.service, now.stats64), (before.service, Some(stats(2, 80))));
        let unknown = other;
        assert!(!complete_service(&mut other, &before));
        assert_eq!(other, unknown);

        let server = Destination::new("198.51.100.7".parse().unwrap(), 80);
        let mut before = DestinationEntry::new(server.with_tunnel(Tunnel::gre(Default::default())));
        (before.stats, before.stats64) = (Some(stats(1, 40)), Some(stats(1, 40)));
        let mut now = DestinationEntry::new(server.with_forwarding(ForwardingMethod::Tunnel));
        now.stats = before.stats;
        assert!(complete_destinations(&mut [now], &[before]));
        assert!(!complete_destinations(&mut [now], &[]));
        now.destination.weight += 1;
        assert!(!complete_destinations(&mut [now], &[before]));
    }

    #[test]
    fn services_are_found_in_order_and_out_of_it() {
        let mut last = Snapshot::new(Default::default(), Coverage::FULL);
        let key = |port| ServiceKey::tcp("192.0.2.1", port).unwrap();
        last.services.extend((1..=5).map(|port| ServiceSnapshot {
            entry: ServiceEntry::new(Service::new(key(port))),
            destinations: Vec::new(),
        }));
        let mut remembered = Remembered::new(&last, AddressFamily::Ipv4);
        for port in [1, 2, 4, 5, 3, 9, 4, 1] {
            let found = remembered.find(&key(port)).map(|service| service.entry.service.key());
            assert_eq!(found, (port < 6).then(|| key(port)));
        }
    }
}
