//! What holds of the wire for any bytes and any value.
#![allow(clippy::unwrap_used)]

#[path = "../fuzz/src/wire.rs"]
#[allow(dead_code, unreachable_pub, reason = "the fuzz target is a module of another crate, too, and has seeds")]
mod target;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lvs_core::model::*;
use lvs_core::wire::ack::ErrorAttribute;
use lvs_core::wire::attr::{self, Attribute, Attributes};
use lvs_core::wire::daemon::DaemonAttribute;
use lvs_core::wire::destination::DestinationAttribute;
use lvs_core::wire::info::InfoAttribute;
use lvs_core::wire::message::{Command, EncodedMessage, header, write};
use lvs_core::wire::service::ServiceAttribute;
use lvs_core::wire::top::TopAttribute;
use lvs_core::wire::{destination, service, uapi::*};
use proptest::prelude::*;

/// Attributes that look like something: small numbers, likely lengths, nests of the same.
fn attributes(depth: u32) -> BoxedStrategy<Vec<u8>> {
    let leaf = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        Just(vec![0; 4]),
        Just(b"rr\0".to_vec()),
        Just(vec![2, 0]),
        Just(vec![10, 0]),
    ]
    .boxed();
    let payload = if depth == 0 { leaf } else { prop_oneof![3 => leaf, 2 => attributes(depth - 1)].boxed() };
    prop::collection::vec((0u16..17, any::<bool>(), payload), 0..12)
        .prop_map(|list| {
            let mut buf = Vec::new();
            for (number, marked, payload) in list {
                Attribute::new(number | if marked { NLA_F_NESTED } else { 0 }, &payload).write(&mut buf);
            }
            buf
        })
        .boxed()
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        (prop::sample::select(vec![2u16, 3, 16, 33]), any::<u16>(), 0u8..20, attributes(2), 0usize..8).prop_map(
            |(kind, flags, command, attributes, cut)| {
                let mut buf = Vec::new();
                let mut header = header(kind, flags, 1);
                header.port_number = 2;
                let command = Command::from_number(command);
                write(&mut buf, header, EncodedMessage { command, attributes: &attributes });
                buf.truncate(buf.len() - cut.min(buf.len()));
                buf
            }
        ),
    ]
}

fn addr() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
    ]
}

fn any_service() -> impl Strategy<Value = Service> {
    let key = prop_oneof![
        (any::<u16>(), addr(), any::<u16>()).prop_map(|(protocol, addr, port)| ServiceKey::endpoint(
            Protocol::from_number(protocol),
            addr,
            port
        )),
        (1u32.., any::<bool>()).prop_map(|(mark, six)| {
            ServiceKey::fwmark(mark, if six { AddressFamily::Ipv6 } else { AddressFamily::Ipv4 }).unwrap()
        }),
    ];
    (key, "[a-z]{0,15}", prop::option::of("[a-z]{1,16}"), any::<u32>(), any::<u32>(), any::<u32>(), 1u32..=128)
        .prop_map(|(key, scheduler, engine, flags, timeout, mask, prefix)| {
            let netmask = match key.family() {
                AddressFamily::Ipv4 => Netmask::V4(mask.into()),
                AddressFamily::Ipv6 => Netmask::V6(PrefixLength::new(prefix).unwrap()),
            };
            let mut service = Service::new(key)
                .with_scheduler(scheduler.parse().unwrap())
                .with_flags(ServiceFlags::from_bits(flags).without(ServiceFlags::HASHED))
                .with_netmask(netmask)
                .unwrap();
            service.timeout = timeout;
            service.engine = engine.map(|name| name.parse().unwrap());
            service
        })
}

fn any_stats() -> impl Strategy<Value = Stats> {
    any::<[u64; 10]>().prop_map(|n| Stats {
        counters: Counters { connections: n[0], packets_in: n[1], packets_out: n[2], bytes_in: n[3], bytes_out: n[4] },
        rates: Rates { connections: n[5], packets_in: n[6], packets_out: n[7], bytes_in: n[8], bytes_out: n[9] },
    })
}

fn any_destination() -> impl Strategy<Value = Destination> {
    (addr(), any::<u16>(), 0u32..8, any::<[u32; 3]>(), any::<(u8, u16, u16)>()).prop_map(
        |(addr, port, method, [weight, upper, lower], (kind, tunnel, flags))| {
            let mut destination = Destination::new(addr, port)
                .with_forwarding(ForwardingMethod::from_number(method))
                .with_weight(weight)
                .with_thresholds(upper, lower);
            destination.tunnel =
                Tunnel { kind: TunnelKind::from_number(kind), port: tunnel, flags: TunnelFlags::from_bits(flags) };
            destination
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_a_panic_and_in_bounded_steps(bytes in bytes()) {
        target::run(&bytes);
    }

    #[test]
    fn any_attributes_are_written_back_to_the_same_bytes(bytes in attributes(2)) {
        macro_rules! check {
            ($($kind:ident)*) => {$({
                let mut again = Vec::new();
                Attributes::new(&bytes).for_each(|attribute| attr::write(&mut again, &$kind::from(attribute)));
                prop_assert_eq!(&again, &bytes, "{}", stringify!($kind));
            })*};
        }
        check!(TopAttribute ServiceAttribute DestinationAttribute DaemonAttribute InfoAttribute ErrorAttribute);
    }

    #[test]
    fn any_service_survives_request_and_reply(wanted in any_service(), narrow in any_stats(), wide in any_stats()) {
        let mut buf = Vec::new();
        service::write(&mut buf, &wanted);
        let read = service::read_request(Attributes::new(&buf).next(), true).unwrap();
        let configuration = read.configuration.unwrap();
        prop_assert_eq!(read.key, wanted.key());
        prop_assert_eq!(configuration.scheduler, wanted.scheduler);
        prop_assert_eq!(configuration.engine, wanted.engine);
        prop_assert_eq!(configuration.apply_flags(ServiceFlags::EMPTY), wanted.flags);
        prop_assert_eq!(configuration.netmask(), Ok(wanted.netmask()));

        buf.clear();
        service::write_key(&mut buf, &wanted.key());
        prop_assert_eq!(service::read_request(Attributes::new(&buf).next(), false).unwrap().key, wanted.key());

        let mut entry = ServiceEntry::new(wanted);
        entry.stats = Some(narrow.truncated());
        entry.stats64 = Some(wide);
        buf.clear();
        service::write_entry(&mut buf, &entry);
        prop_assert_eq!(service::read_entry(Attributes::new(&buf).next().unwrap().nested()).unwrap(), entry);
    }

    #[test]
    fn any_destination_survives_request_and_reply(wanted in any_destination(), stats in any_stats(), n in any::<[u32; 3]>()) {
        let mut buf = Vec::new();
        destination::write(&mut buf, &wanted);
        let read = destination::read_request(Attributes::new(&buf).next(), AddressFamily::Ipv4, true).unwrap();
        prop_assert_eq!(read, wanted);

        buf.clear();
        destination::write_key(&mut buf, &wanted.key);
        let read = destination::read_request(Attributes::new(&buf).next(), AddressFamily::Ipv4, false).unwrap();
        prop_assert_eq!(read.key, wanted.key);

        let mut entry = DestinationEntry::new(wanted);
        [entry.active, entry.inactive, entry.persistent] = n;
        entry.stats = Some(stats.truncated());
        entry.stats64 = Some(stats);
        buf.clear();
        destination::write_entry(&mut buf, &entry);
        let nest = Attributes::new(&buf).next().unwrap().nested();
        prop_assert_eq!(destination::read_entry(nest, AddressFamily::Ipv4).unwrap(), entry);
    }
}
