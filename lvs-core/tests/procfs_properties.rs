//! What holds for any input: no bytes make a reader panic or run on, and what is written reads back
//! as it was.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use lvs_core::model::{
    AddressFamily, Connection, ConnectionOrigin, ConnectionState, ConnectionTarget, Counters, Coverage, Destination,
    DestinationEntry, EngineData, ForwardingMethod, Info, Named, Netmask, PrefixLength, Protocol, Rates, Service,
    ServiceEntry, ServiceFlags, ServiceKey, ServiceSnapshot, Snapshot, Stats,
};
use lvs_core::procfs::{
    ConnectionReader, Connections, HelperReader, PerCpuReader, PerCpuRow, TableDestinationRow, TableReader, TableRow,
    TableServiceRow, parse_connection, read_stats, write_connection, write_per_cpu_stats, write_stats,
    write_synced_connection, write_table,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Real rows, so that mutations get far into the parsers.
const SEED: &[u8] = b"\
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899
UDP CB007105 0000 C0000201 13C4 C6336407 13C4 NONE             99 sip aGVsbG8@192.0.2.1
IP  CB007100 0000 0000004D 0000 C6336407 0000 NONE        SYNC        59
SCTP 2001:0db8:0000:0000:0000:0000:0000:0005 EC70 2001:0db8:0000:0000:0000:0000:0000:0001 0050 C6336407 0050 C-ECHOED    LOCAL       60
IP Virtual Server version 1.2.1 (size=4096)
TCP  C0000201:0050 wlc  persistent 75000 FFFFFF00
FWM  0000004D rr ops persistent 75000 FFFFFF00
  -> [2001:0db8:0000:0000:0000:0000:0000:0009]:0050      Masq    1      0          3
  0       1B       1B       18              6EA              57F
  ~       1B       1B       18              6EA              57F

TCP  21      0      ftp
";

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    vec((0..SEED.len(), any::<u8>(), 0..4u8), 0..12).prop_map(|edits| {
        let mut text = SEED.to_vec();
        for (at, byte, kind) in edits {
            let at = at.min(text.len().saturating_sub(1));
            if text.is_empty() {
                break;
            }
            match kind {
                0 => text[at] = byte,
                1 => text.insert(at, byte),
                2 => drop(text.remove(at)),
                _ => text.truncate(at.max(1)),
            }
        }
        text
    })
}

/// Runs every reader to its end; each must give at most one item a line.
fn read_all(text: &[u8]) {
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    let ours: Vec<_> = Connections::new(text).collect();
    assert!(ours.len() <= lines);
    let mut streamed = 0;
    let mut rows = ConnectionReader::new(text);
    while let Some(row) = rows.next_connection() {
        match (&ours[streamed], row) {
            (Ok(one), Ok(other)) => assert_eq!(*one, other),
            (Err(one), Err(other)) => assert_eq!(one.to_string(), other.to_string()),
            different => panic!("slice and stream differ: {different:?}"),
        }
        streamed += 1;
    }
    assert_eq!(streamed, ours.len());
    for line in text.split(|byte| *byte == b'\n') {
        // The fast way and the slow way agree.
        let mut row = line.to_vec();
        row.push(b'\n');
        let words: Vec<_> = row.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).collect();
        match Connections::new(&row).next() {
            Some(fast) => assert_eq!(fast, parse_connection(line)),
            None => assert!(words.concat().is_empty() || words.concat().starts_with(b"ProFromIP"), "{words:?}"),
        }
    }
    let mut count = 0;
    let mut rows = TableReader::new(text);
    while rows.next_row().is_some() {
        count += 1;
    }
    assert!(count <= lines);
    let _ = TableReader::new(text).header();
    let mut count = 0;
    let mut rows = PerCpuReader::new(text);
    while rows.next_row().is_some() {
        count += 1;
    }
    assert!(count <= lines);
    let mut rows = HelperReader::new(text);
    while rows.next_row().is_some() {}
    let _ = read_stats(text);
}

fn addr() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<Ipv4Addr>().prop_map(IpAddr::V4), any::<Ipv6Addr>().prop_map(IpAddr::V6)]
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![Just(6), Just(17), Just(132), 1..=300u16].prop_map(Protocol::from_number)
}

#[derive(Debug, Clone)]
struct Row {
    protocol: Protocol,
    client: (IpAddr, u16),
    target: ConnectionTarget,
    destination: (IpAddr, u16),
    state: ConnectionState,
    expires: u32,
    origin: ConnectionOrigin,
    engine: Option<Vec<u8>>,
}

impl Row {
    fn connection(&self) -> Connection<'_> {
        let mut connection =
            Connection::new(self.protocol, self.client, self.target, self.destination, self.state, self.expires);
        connection.engine = self.engine.as_deref().map(|data| EngineData { engine: "sip", data });
        connection
    }
}

fn row() -> impl Strategy<Value = Row> {
    let target = prop_oneof![
        (addr(), any::<u16>()).prop_map(|(addr, port)| ConnectionTarget::Endpoint { addr, port }),
        any::<NonZeroU32>().prop_map(ConnectionTarget::Fwmark)
    ];
    let state = (0..ConnectionState::NAMES.len()).prop_map(|i| ConnectionState::NAMES[i].0);
    let port = || prop_oneof![any::<u16>(), Just(0), Just(0xffff)];
    let data = vec(any::<u8>().prop_filter("a newline ends the row", |byte| *byte != b'\n'), 0..=255);
    let engine = proptest::option::of(data);
    let origin = prop_oneof![Just(ConnectionOrigin::Local), Just(ConnectionOrigin::Sync)];
    let expires = prop_oneof![0..1000u32, any::<u32>()];
    (protocol(), (addr(), port()), target, (addr(), port()), state, expires, origin, engine).prop_map(
        |(protocol, client, target, destination, state, expires, origin, engine)| {
            let mark = matches!(target, ConnectionTarget::Fwmark(_));
            let protocol = if mark { Protocol::Other(0) } else { protocol };
            Row { protocol, client, target, destination, state, expires, origin, engine }
        },
    )
}

fn stats() -> impl Strategy<Value = Stats> {
    any::<[u64; 10]>().prop_map(|[a, b, c, d, e, f, g, h, i, j]| Stats {
        counters: Counters { connections: a, packets_in: b, packets_out: c, bytes_in: d, bytes_out: e },
        rates: Rates { connections: f, packets_in: g, packets_out: h, bytes_in: i, bytes_out: j },
    })
}

fn service() -> impl Strategy<Value = ServiceSnapshot> {
    let key = prop_oneof![
        (protocol(), addr(), any::<u16>()).prop_map(|(protocol, addr, port)| ServiceKey::Endpoint {
            protocol,
            addr,
            port
        }),
        (any::<NonZeroU32>(), any::<bool>()).prop_map(|(mark, v6)| ServiceKey::Fwmark {
            mark,
            family: if v6 { AddressFamily::Ipv6 } else { AddressFamily::Ipv4 },
        }),
    ];
    let destination = (addr(), any::<u16>(), 0..8u32, any::<i32>(), any::<u32>(), any::<u32>()).prop_map(
        |(addr, port, method, weight, active, inactive)| {
            let destination = Destination::new(addr, port)
                .with_forwarding(ForwardingMethod::from_number(method))
                .with_weight(weight as u32);
            let mut entry = DestinationEntry::new(destination);
            (entry.active, entry.inactive) = (active, inactive);
            entry
        },
    );
    let scheduler = "[!-~]{1,15}";
    (key, scheduler, any::<u32>(), any::<u32>(), any::<Ipv4Addr>(), 1..=128u32, vec(destination, 0..4)).prop_map(
        |(key, scheduler, flags, timeout, mask, prefix, destinations)| {
            let netmask = match key.family() {
                AddressFamily::Ipv4 => Netmask::V4(mask),
                AddressFamily::Ipv6 => Netmask::V6(PrefixLength::new(prefix).unwrap()),
            };
            let mut service = Service::new(key)
                .with_scheduler(scheduler.parse().unwrap())
                .with_flags(ServiceFlags::from_bits(flags))
                .with_netmask(netmask)
                .unwrap();
            service.timeout = timeout;
            ServiceSnapshot { entry: ServiceEntry::new(service), destinations }
        },
    )
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(text in vec(any::<u8>(), 0..400)) {
        read_all(&text);
    }

    #[test]
    fn no_mutation_of_real_rows_makes_a_reader_panic(text in mutated()) {
        read_all(&text);
    }

    #[test]
    fn a_written_connection_reads_back(row in row()) {
        let connection = row.connection();
        let mut text = Vec::new();
        write_connection(&mut text, &connection).unwrap();
        prop_assert_eq!(Connections::new(&text).next(), Some(Ok(connection)));

        let mut synced = connection;
        (synced.origin, synced.engine) = (Some(row.origin), None);
        let mut text = Vec::new();
        write_synced_connection(&mut text, &synced).unwrap();
        prop_assert_eq!(Connections::new(&text).next(), Some(Ok(synced)));
    }

    #[test]
    fn written_statistics_read_back(stats in stats(), cpus in vec((any::<u32>(), stats()), 0..5)) {
        let mut text = Vec::new();
        write_stats(&mut text, &stats).unwrap();
        prop_assert_eq!(read_stats(&text[..]).unwrap(), stats);

        let cpus: Vec<_> = cpus.into_iter().map(|(cpu, stats)| (cpu, stats.counters)).collect();
        let mut expected: Vec<_> = cpus.iter().map(|(cpu, counters)| (Some(*cpu), *counters)).collect();
        expected.push((None, stats.counters));
        let mut text = Vec::new();
        write_per_cpu_stats(&mut text, cpus, &stats).unwrap();
        let mut rows = PerCpuReader::new(&text[..]);
        let mut read = Vec::new();
        let mut rates = None;
        while let Some(row) = rows.next_row() {
            match row.unwrap() {
                PerCpuRow::Cpu { cpu, counters } => read.push((Some(cpu), counters)),
                PerCpuRow::Total(counters) => read.push((None, counters)),
                PerCpuRow::Rates(all) => rates = Some(all),
                _ => unreachable!(),
            }
        }
        prop_assert_eq!(read, expected);
        prop_assert_eq!(rates, Some(stats.rates));
    }

    #[test]
    fn a_written_table_reads_back(services in vec(service(), 0..5), hz in 100..1000u32) {
        let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
        snapshot.services = services;
        let mut text = Vec::new();
        write_table(&mut text, &snapshot, hz).unwrap();
        let mut rows = TableReader::new(&text[..]);
        prop_assert_eq!(rows.header().unwrap(), snapshot.info);
        for service in &snapshot.services {
            let Some(Ok(TableRow::Service(row))) = rows.next_row() else { panic!("a service") };
            prop_assert_eq!(row, TableServiceRow::new(&service.entry.service, hz));
            for destination in &service.destinations {
                let Some(Ok(TableRow::Destination(row))) = rows.next_row() else { panic!("a destination") };
                prop_assert_eq!(row, TableDestinationRow::from(destination));
            }
        }
        prop_assert!(rows.next_row().is_none());
    }
}
