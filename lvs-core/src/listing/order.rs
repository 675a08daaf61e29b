use std::cmp::Ordering;
use std::net::{IpAddr, Ipv4Addr};

use super::options::Style;
use crate::model::{DestinationKey, ServiceKey};

/// How a listing orders two services.
///
/// In [`Style::Ipvsadm`] this is no order at all: differences are cut to 32 bits and taken with a
/// sign, so that three services can be before each other in a circle: for [`merge_sort`] alone.
fn compare_services(style: Style, a: &ServiceKey, b: &ServiceKey) -> Ordering {
    let ((mark_a, addr_a, port_a, protocol_a), (mark_b, addr_b, port_b, protocol_b)) = (parts(a), parts(b));
    let family = |key: &ServiceKey| key.family().number();
    by_number(style, mark_a, mark_b)
        .then_with(|| family(a).cmp(&family(b)))
        .then_with(|| protocol_a.cmp(&protocol_b))
        .then_with(|| by_addr(style, addr_a, addr_b))
        .then_with(|| port_a.cmp(&port_b))
}

/// How a listing orders two destinations of a service; see [`compare_services`].
///
/// `ipvsadm` looks at the family of the first alone: it says whether four bytes are compared or
/// sixteen.
fn compare_destinations(style: Style, a: &DestinationKey, b: &DestinationKey) -> Ordering {
    by_addr(style, a.addr, b.addr).then_with(|| a.port.cmp(&b.port))
}

fn parts(key: &ServiceKey) -> (u32, IpAddr, u16, u16) {
    match *key {
        ServiceKey::Endpoint { protocol, addr, port } => (0, addr, port, protocol.number()),
        ServiceKey::Fwmark { mark, family } => (mark.get(), family.unspecified(), 0, 0),
    }
}

fn by_number(style: Style, a: u32, b: u32) -> Ordering {
    match style {
        Style::Ipvsadm => (a.wrapping_sub(b) as i32).cmp(&0),
        Style::Fixed => a.cmp(&b),
    }
}

fn by_addr(style: Style, a: IpAddr, b: IpAddr) -> Ordering {
    match (style, a, b) {
        (Style::Fixed, ..) => return a.cmp(&b),
        (Style::Ipvsadm, IpAddr::V4(a), IpAddr::V4(b)) => return by_number(style, a.to_bits(), b.to_bits()),
        _ => {}
    }
    let (left, right) = (words(a), words(b));
    let compared = if a.is_ipv6() { 4 } else { 1 };
    let differences = left.into_iter().zip(right).take(compared).map(|(a, b)| by_number(style, a, b));
    differences.fold(Ordering::Equal, Ordering::then)
}

/// The address as the kernel sends it: four words, of an IPv4 address the last three zero.
fn words(addr: IpAddr) -> [u32; 4] {
    match addr {
        IpAddr::V4(addr) => [addr.to_bits(), 0, 0, 0],
        IpAddr::V6(addr) => [96, 64, 32, 0].map(|shift| (addr.to_bits() >> shift) as u32),
    }
}

/// The merge sort of the GNU C library (`msort.c` of glibc 2.36, which its `qsort()` uses for
/// arrays that fit into memory): halves, the smaller one first when odd, and the left one's element
/// on a tie.
///
/// With an order it gives what any stable sort gives. With [`compare_services`] in
/// [`Style::Ipvsadm`] it gives what `ipvsadm` gives.
fn merge_sort<T: Copy>(items: &mut [T], compare: &mut impl FnMut(&T, &T) -> Ordering) {
    fn sort<T: Copy>(items: &mut [T], scratch: &mut Vec<T>, compare: &mut impl FnMut(&T, &T) -> Ordering) {
        if items.len() <= 1 {
            return;
        }
        let middle = items.len() / 2;
        let (left, right) = items.split_at_mut(middle);
        sort(left, scratch, compare);
        sort(right, scratch, compare);
        scratch.clear();
        let (mut l, mut r) = (0, 0);
        while l < left.len() && r < right.len() {
            if compare(&left[l], &right[r]).is_gt() {
                scratch.push(right[r]);
                r += 1;
            } else {
                scratch.push(left[l]);
                l += 1;
            }
        }
        scratch.extend_from_slice(&left[l..]);
        // What is left of the right half is in its place already.
        let length = scratch.len();
        items[..length].copy_from_slice(scratch);
    }
    sort(items, &mut Vec::with_capacity(items.len()), compare);
}

/// Sorts by keys that are asked for once each: items may be large, or far away.
fn sort_by_key<T: Copy, K: Copy>(items: &mut [T], key: impl Fn(&T) -> K, mut compare: impl FnMut(&K, &K) -> Ordering) {
    if items.len() < 2 {
        return;
    }
    let mut keys: Vec<(K, usize)> = items.iter().map(key).zip(0..).collect();
    merge_sort(&mut keys, &mut |a, b| compare(&a.0, &b.0));
    let sorted: Vec<T> = keys.into_iter().map(|(_, index)| items[index]).collect();
    items.copy_from_slice(&sorted);
}

/// Sorts where the comparison is an order, that is where all addresses are of IPv4 and no two are
/// half of the address space or more apart; gives back whether that is so. Numbers take the place of
/// comparisons, and lists that ascend or descend already (the kernel's do) are not sorted at all.
///
/// `parts` gives what is compared: protocol, address and port.
fn sort_by_number<T>(style: Style, items: &mut [T], parts: impl Fn(&T) -> Option<(u16, Ipv4Addr, u16)>) -> bool {
    let Some((_, origin, _)) = items.first().and_then(&parts) else { return items.is_empty() };
    let distance = |addr: Ipv4Addr| match style {
        Style::Ipvsadm => addr.to_bits().wrapping_sub(origin.to_bits()) as i32,
        Style::Fixed => (addr.to_bits() ^ 1 << 31) as i32,
    };
    let number = |(protocol, addr, port): (u16, Ipv4Addr, u16)| {
        let addr = distance(addr) as u32 ^ 1 << 31;
        u64::from(protocol) << 48 | u64::from(addr) << 16 | u64::from(port)
    };
    let (mut least, mut most) = (i32::MAX, i32::MIN);
    let (mut ascends, mut descends) = (true, true);
    let mut before = None;
    for item in items.iter() {
        let Some(parts) = parts(item) else { return false };
        let distance = distance(parts.1);
        (least, most) = (least.min(distance), most.max(distance));
        let number = number(parts);
        if let Some(before) = before {
            ascends &= before <= number;
            descends &= before > number;
        }
        before = Some(number);
    }
    if style == Style::Ipvsadm && most.abs_diff(least) > i32::MAX.unsigned_abs() {
        return false;
    }
    if descends && !ascends {
        items.reverse();
    } else if !ascends {
        items.sort_by_cached_key(|item| parts(item).map(number));
    }
    true
}

/// Sorts services as a listing does; `key` gives each one's key.
///
/// In [`Style::Ipvsadm`] the result is that of `ipvsadm`, whose comparison is no order, so that no
/// other sort gives it.
pub fn sort_services<T: Copy>(style: Style, services: &mut [T], key: impl Fn(&T) -> ServiceKey) {
    let parts = |service: &T| match key(service) {
        ServiceKey::Endpoint { protocol, addr: IpAddr::V4(addr), port } => Some((protocol.number(), addr, port)),
        _ => None,
    };
    if !sort_by_number(style, services, parts) {
        sort_by_key(services, key, |a, b| compare_services(style, a, b));
    }
}

/// Sorts the destinations of a service as a listing does, see [`sort_services`].
pub fn sort_destinations<T: Copy>(style: Style, destinations: &mut [T], key: impl Fn(&T) -> DestinationKey) {
    let parts = |destination: &T| match key(destination) {
        DestinationKey { addr: IpAddr::V4(addr), port } => Some((0, addr, port)),
        _ => None,
    };
    if !sort_by_number(style, destinations, parts) {
        sort_by_key(destinations, key, |a, b| compare_destinations(style, a, b));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Protocol;

    fn sorted(style: Style, keys: &[&str]) -> Vec<String> {
        let mut keys: Vec<ServiceKey> = keys.iter().map(|key| key.parse().unwrap()).collect();
        merge_sort(&mut keys, &mut |a, b| compare_services(style, a, b));
        keys.iter().map(ServiceKey::to_string).collect()
    }

    #[test]
    fn ipvsadm_puts_high_addresses_and_marks_first() {
        let keys = ["tcp://10.0.0.1:80", "tcp://192.168.0.1:80", "fwmark:1", "fwmark:4294967295"];
        assert_eq!(
            sorted(Style::Ipvsadm, &keys),
            ["fwmark:4294967295", "tcp://192.168.0.1:80", "tcp://10.0.0.1:80", "fwmark:1"]
        );
        assert_eq!(sorted(Style::Fixed, &keys), keys);
    }

    #[test]
    fn a_circle_stays_as_it_is_wherever_it_starts() {
        // Each is before the next by less than 2^31, and the last before the first.
        let keys = ["tcp://10.0.0.1:80", "tcp://96.0.0.1:80", "tcp://182.0.0.1:80"];
        let rotated = ["tcp://182.0.0.1:80", "tcp://10.0.0.1:80", "tcp://96.0.0.1:80"];
        assert_eq!(sorted(Style::Ipvsadm, &keys), keys);
        assert_eq!(sorted(Style::Ipvsadm, &rotated), rotated);
        assert_eq!(sorted(Style::Fixed, &rotated), keys);
    }

    #[test]
    fn merge_sort_agrees_with_a_stable_sort_where_there_is_an_order() {
        let mut state = 1u32;
        for length in 0..60 {
            let mut items: Vec<(u32, usize)> = (0..length)
                .map(|i| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 28, i)
                })
                .collect();
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            merge_sort(&mut items, &mut |a, b| a.0.cmp(&b.0));
            assert_eq!(items, expected);
        }
    }

    /// Addresses from a window of the address space that is a little narrower or wider than half of
    /// it, few enough that keys are equal now and then.
    #[test]
    fn numbers_sort_as_comparisons_do() {
        let mut state = 7_u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 16) % below
        };
        let (mut by_number, mut by_comparison) = (0, 0);
        for round in 0..2_000 {
            let (start, wide) = (draw(1 << 32), [1 << 3, 1 << 30, (1 << 31) - 1, 1 << 31, 1 << 32][round % 5]);
            let mut addr = || Ipv4Addr::from_bits((start + [0, draw(wide), wide - 1][draw(3) as usize]) as u32);
            let addrs: Vec<Ipv4Addr> = (0..round % 23).map(|_| addr()).collect();
            let services: Vec<(usize, ServiceKey)> = (0..)
                .zip(addrs.iter().map(|addr| {
                    let protocol = [Protocol::Tcp, Protocol::Udp, Protocol::Other(200)][draw(3) as usize];
                    ServiceKey::endpoint(protocol, (*addr).into(), draw(3) as u16)
                }))
                .collect();
            let destinations: Vec<(usize, DestinationKey)> =
                (0..).zip(addrs.iter().map(|addr| DestinationKey::new((*addr).into(), draw(3) as u16))).collect();
            for style in [Style::Ipvsadm, Style::Fixed] {
                let mut sorted = services.clone();
                sort_services(style, &mut sorted, |item| item.1);
                // What is sorted once more ascends, or is a circle; what is turned round descends.
                for again in [false, true] {
                    let mut items = services.clone();
                    if again {
                        items = sorted.iter().rev().copied().collect();
                    }
                    let mut expected = items.clone();
                    merge_sort(&mut expected, &mut |a, b| compare_services(style, &a.1, &b.1));
                    sort_services(style, &mut items, |item| item.1);
                    assert_eq!(items, expected, "{style:?}");
                }
                let (mut items, mut expected) = (destinations.clone(), destinations.clone());
                merge_sort(&mut expected, &mut |a, b| compare_destinations(style, &a.1, &b.1));
                let parts = |item: &(usize, DestinationKey)| match item.1.addr {
                    IpAddr::V4(addr) => Some((0, addr, item.1.port)),
                    IpAddr::V6(_) => None,
                };
                if sort_by_number(style, &mut items, parts) {
                    by_number += 1;
                } else {
                    by_comparison += 1;
                    sort_destinations(style, &mut items, |item| item.1);
                }
                assert_eq!(items, expected, "{style:?}");
            }
        }
        assert!(by_number > 2_000 && by_comparison > 200, "{by_number}, {by_comparison}");
    }
}
