//! Listings of snapshots that no director would give: no line is lost or doubled by sorting, and
//! what is shown in full is what the snapshot holds.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lvs_core::listing::{self, ConnectionListing, ListingMode, ListingOptions, Style};
use lvs_core::model::{
    AddressFamily, Counters, Coverage, Destination, DestinationEntry, ForwardingMethod, Info, Netmask, Protocol, Rates,
    Service, ServiceEntry, ServiceFlags, ServiceKey, ServiceSnapshot, Snapshot, Stats, Tunnel, TunnelFlags, TunnelKind,
};
use lvs_core::procfs::Connections;

use crate::input::Input;

/// Lines before the first service: version, columns of services, columns of destinations.
const HEADER: usize = 3;

/// A snapshot made from the bytes in every form of listing, and the connections that they are as
/// text.
pub fn run(bytes: &[u8]) {
    connections(bytes);
    let snapshot = snapshot(&mut Input(bytes));
    for mode in ListingMode::ALL {
        for style in Style::ALL {
            for exact in [false, true] {
                check(&snapshot, &ListingOptions::new().with_mode(mode).with_style(style).with_exact(exact));
            }
        }
    }
}

fn check(snapshot: &Snapshot, sorted: &ListingOptions<'_>) {
    let unsorted = sorted.with_sort(false);
    let listing = table(snapshot, &unsorted);
    let lines: Vec<&str> = listing.lines().collect();
    let rows: usize = snapshot.services.iter().map(|service| 1 + service.destinations.len()).sum();
    assert_eq!(lines.len(), HEADER + rows, "{listing}");
    let one_by_one: Vec<String> = snapshot.services.iter().flat_map(|service| one(service, &unsorted)).collect();
    assert_eq!(one_by_one, lines[HEADER..]);

    let text = table(snapshot, sorted);
    let (mut before, mut after) = (lines.clone(), text.lines().collect::<Vec<_>>());
    before.sort_unstable();
    after.sort_unstable();
    assert_eq!(after, before, "sorting takes or adds lines");

    // In the other style the order of what is sorted may matter, and numbers may be cut.
    if sorted.style == Style::Fixed {
        let mut turned = snapshot.clone();
        turned.services.reverse();
        turned.services.iter_mut().for_each(|service| service.destinations.reverse());
        assert_eq!(table(&turned, sorted), text);
        if sorted.exact {
            let numbers = snapshot.services.iter().flat_map(|service| numbers(sorted.mode, service));
            for (line, numbers) in lines[HEADER..].iter().zip(numbers) {
                let words: Vec<&str> = line.split_whitespace().collect();
                assert_eq!(words[words.len() - numbers.len()..], numbers, "{line}");
            }
        }
    }
}

fn table(snapshot: &Snapshot, options: &ListingOptions<'_>) -> String {
    let mut text = Vec::new();
    listing::write_table(&mut text, snapshot, options).expect("into memory");
    String::from_utf8(text).expect("a listing is text")
}

/// The lines of a service that is listed by itself.
fn one(service: &ServiceSnapshot, options: &ListingOptions<'_>) -> Vec<String> {
    let mut text = Vec::new();
    listing::write_service(&mut text, service, options).expect("into memory");
    let text = String::from_utf8(text).expect("a listing is text");
    text.lines().skip(HEADER - 1).map(str::to_owned).collect()
}

/// The numbers at the end of each line of a service: its own, then those of its destinations.
fn numbers(mode: ListingMode, service: &ServiceSnapshot) -> Vec<Vec<String>> {
    let sums = |stats: Stats| {
        let Stats { counters: c, rates: r } = stats;
        match mode {
            ListingMode::Stats => vec![c.connections, c.packets_in, c.packets_out, c.bytes_in, c.bytes_out],
            ListingMode::Rate => vec![r.connections, r.packets_in, r.packets_out, r.bytes_in, r.bytes_out],
            _ => Vec::new(),
        }
    };
    let of_destination = |entry: &DestinationEntry| {
        let Destination { weight, upper_threshold, lower_threshold, .. } = entry.destination;
        match mode {
            ListingMode::Stats | ListingMode::Rate => text(sums(entry.statistics())),
            ListingMode::Thresholds => text(vec![upper_threshold, lower_threshold, entry.active, entry.inactive]),
            ListingMode::PersistentConnections => text(vec![weight, entry.persistent, entry.active, entry.inactive]),
            // Weights are signed there.
            _ => [text(vec![weight as i32]), text(vec![entry.active, entry.inactive])].concat(),
        }
    };
    let own = text(sums(service.entry.statistics()));
    std::iter::once(own).chain(service.destinations.iter().map(of_destination)).collect()
}

fn text(numbers: Vec<impl ToString>) -> Vec<String> {
    numbers.iter().map(ToString::to_string).collect()
}

/// Each connection is one line; engine data may be anything, and is shown as it is in one style
/// alone.
fn connections(bytes: &[u8]) {
    for style in Style::ALL {
        let options = ListingOptions::new().with_style(style);
        let mut listing = ConnectionListing::new(Vec::new(), options, true).expect("into memory");
        let mut rows = 0;
        for connection in Connections::new(bytes).flatten() {
            listing.write(&connection).expect("into memory");
            rows += 1;
        }
        let text = listing.into_inner();
        let lines = text.iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(lines, 2 + rows, "{}", String::from_utf8_lossy(&text));
        if style == Style::Fixed {
            String::from_utf8(text).expect("a listing is text");
        }
    }
}

/// At most six services of at most four destinations, none of them twice.
fn snapshot(input: &mut Input<'_>) -> Snapshot {
    let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
    while !input.is_over() && snapshot.services.len() < 6 {
        let key = key(input);
        let mut entry = ServiceEntry::new(service(input, key));
        (entry.stats, entry.stats64) = (stats(input), stats(input));
        let mut destinations: Vec<DestinationEntry> = Vec::new();
        for _ in 0..input.below(5) {
            let entry = destination(input);
            if destinations.iter().all(|other| other.destination.key != entry.destination.key) {
                destinations.push(entry);
            }
        }
        if snapshot.service(&key).is_none() {
            snapshot.services.push(ServiceSnapshot { entry, destinations });
        }
    }
    snapshot
}

/// A number of any magnitude.
fn number(input: &mut Input<'_>) -> u64 {
    let (byte, shift) = (u64::from(input.byte()), input.below(64));
    (byte << shift).wrapping_sub(u64::from(input.byte() & 1))
}

fn address(input: &mut Input<'_>, family: AddressFamily) -> IpAddr {
    let number = number(input);
    match family {
        AddressFamily::Ipv4 => Ipv4Addr::from_bits(number as u32).into(),
        AddressFamily::Ipv6 => Ipv6Addr::from_bits(u128::from(number).rotate_left(32 * input.below(4) as u32)).into(),
    }
}

fn family(input: &mut Input<'_>) -> AddressFamily {
    input.pick(&[AddressFamily::Ipv4, AddressFamily::Ipv4, AddressFamily::Ipv6])
}

fn key(input: &mut Input<'_>) -> ServiceKey {
    let family = family(input);
    if input.below(4) == 0 {
        return ServiceKey::fwmark((number(input) as u32).max(1), family).expect("not 0");
    }
    let protocol = Protocol::from_number(input.pick(&[6, 17, 132, 47, 0]));
    ServiceKey::endpoint(protocol, address(input, family), number(input) as u16)
}

fn service(input: &mut Input<'_>, key: ServiceKey) -> Service {
    let scheduler = input.pick(&["wlc", "sh", "mh", "none", "of-their-own"]).parse().expect("a name");
    let netmask = Netmask::from_prefix(input.below(129) as u32, key.family());
    let mut service = Service::new(key)
        .with_scheduler(scheduler)
        .with_flags(ServiceFlags::from_bits(number(input) as u32))
        .with_netmask(netmask.unwrap_or(Netmask::full(key.family())))
        .expect("of its family");
    service.timeout = number(input) as u32;
    if input.below(2) == 1 {
        service = service.with_engine("sip".parse().expect("a name"));
    }
    service
}

fn destination(input: &mut Input<'_>) -> DestinationEntry {
    let family = family(input);
    let tunnel = Tunnel {
        kind: TunnelKind::from_number(input.below(5) as u8),
        port: number(input) as u16,
        flags: TunnelFlags::from_bits(number(input) as u16),
    };
    let destination = Destination::new(address(input, family), number(input) as u16)
        .with_forwarding(ForwardingMethod::from_number(input.byte().into()))
        .with_weight(number(input) as u32)
        .with_thresholds(number(input) as u32, number(input) as u32)
        .with_tunnel(tunnel);
    let mut entry = DestinationEntry::new(destination);
    (entry.active, entry.inactive, entry.persistent) =
        (number(input) as u32, number(input) as u32, number(input) as u32);
    (entry.stats, entry.stats64) = (stats(input), stats(input));
    entry
}

fn stats(input: &mut Input<'_>) -> Option<Stats> {
    if input.below(2) == 0 {
        return None;
    }
    let mut next = || number(input);
    Some(Stats {
        counters: Counters {
            connections: next(),
            packets_in: next(),
            packets_out: next(),
            bytes_in: next(),
            bytes_out: next(),
        },
        rates: Rates {
            connections: next(),
            packets_in: next(),
            packets_out: next(),
            bytes_in: next(),
            bytes_out: next(),
        },
    })
}

/// Decisions of several kinds, and connections.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![
        (0..=255).collect(),
        (0..=255).rev().collect(),
        (0..600_u32).map(|index| (index * index % 251) as u8).collect(),
        // Services that differ in the address alone, half of the address space apart and more.
        [10_u8, 96, 182, 200]
            .iter()
            .flat_map(|first| [0, 1, 0, *first, 24, 0, 80, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            .collect(),
    ];
    seeds.extend(crate::procfs::seeds());
    seeds
}
