//! Our listings against `ipvsadm`'s, on tables and names made up at random.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod ipvsadm;
mod listing_case;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;

use ipvsadm::Oracle;
use listing_case::{Case, Names, all_listings, answers, ours};
use lvs_core::model::*;

/// Tables to compare; more with `LVS_ORACLE_TABLES`.
const TABLES: u64 = 60;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }

    /// Small, large, and at the edges of widths and units.
    fn number(&mut self) -> u64 {
        let edges = [0, 1, 99_999_999, 100_000_000, 999_999_999, 1_000_000_000, 99_999_999_999, 100_000_000_000];
        match self.below(4) {
            0 => self.pick(&edges),
            1 => self.pick(&[99_999_999_999_999, 100_000_000_000_000, u64::from(u32::MAX), 1 << 32, u64::MAX]),
            2 => self.below(100_000),
            _ => {
                let shift = self.below(64);
                self.next() >> shift
            }
        }
    }

    fn addr(&mut self, v6: bool) -> IpAddr {
        if v6 {
            let low = self.pick(&[1, 2, 0x80, 0xffff, u128::from(self.0)]);
            let high = self.pick(&[0x2001_0db8_u128 << 96, 0, 0xfe80 << 112, 1 << 127]);
            return Ipv6Addr::from_bits(high | low).into();
        }
        let edges = [0, 1, 0x0a00_0001, 0x7fff_ffff, 0x8000_0000, 0xc000_0201, 0xc0a8_0001, 0xe000_0001, u32::MAX];
        let bits = if self.below(3) == 0 { self.pick(&edges) } else { self.next() as u32 };
        Ipv4Addr::from_bits(bits).into()
    }

    fn stats(&mut self) -> Stats {
        let mut five = || [(); 5].map(|()| self.number());
        let ([a, b, c, d, e], [f, g, h, i, j]) = (five(), five());
        Stats {
            counters: Counters { connections: a, packets_in: b, packets_out: c, bytes_in: d, bytes_out: e },
            rates: Rates { connections: f, packets_in: g, packets_out: h, bytes_in: i, bytes_out: j },
        }
    }

    fn key(&mut self) -> ServiceKey {
        let v6 = self.below(3) == 0;
        if self.below(5) == 0 {
            let mark = self.pick(&[1, 7, 0x7fff_ffff, 0x8000_0000, u32::MAX, self.0 as u32 | 1]);
            let family = if v6 { AddressFamily::Ipv6 } else { AddressFamily::Ipv4 };
            return ServiceKey::Fwmark { mark: NonZeroU32::new(mark).unwrap(), family };
        }
        let number = self.pick(&[6, 6, 6, 17, 17, 132, 1, 47, 0, 300]);
        let addr = self.addr(v6);
        ServiceKey::Endpoint { protocol: Protocol::from_number(number), addr, port: self.port() }
    }

    fn port(&mut self) -> u16 {
        let any = self.next() as u16;
        self.pick(&[80, 53, 0, 65535, 443, any])
    }

    fn service(&mut self) -> ServiceSnapshot {
        let key = self.key();
        let flags = match self.below(3) {
            0 => 0,
            1 => self.below(64) as u32,
            _ => self.next() as u32,
        };
        // The kernel's bookkeeping bit is not part of the model.
        let flags = ServiceFlags::from_bits(flags).without(ServiceFlags::HASHED);
        let netmask = match key.family() {
            AddressFamily::Ipv4 => Netmask::V4(self.pick(&[u32::MAX, 0xffff_ff00, 0, 0xff00_ff00]).into()),
            AddressFamily::Ipv6 => Netmask::V6(PrefixLength::new(self.pick(&[128, 64, 1])).unwrap()),
        };
        let scheduler = self.pick(&["wlc", "rr", "sh", "mh", "none", "fifteen-bytes-x"]).parse().unwrap();
        let mut service = Service::new(key).with_scheduler(scheduler).with_flags(flags).with_netmask(netmask).unwrap();
        service.timeout = self.pick(&[0, 1, 360, 2_678_400, u32::MAX]);
        service.engine = (self.below(3) == 0).then(|| "sip".parse().unwrap());
        let mut entry = ServiceEntry::new(service);
        (entry.stats, entry.stats64) = self.both_stats();
        let destinations = (0..self.below(6)).map(|_| self.destination()).collect();
        ServiceSnapshot { entry, destinations }
    }

    /// Old kernels have no 64-bit attribute.
    fn both_stats(&mut self) -> (Option<Stats>, Option<Stats>) {
        let stats = self.stats();
        (Some(stats.truncated()), (self.below(4) > 0).then_some(stats))
    }

    fn destination(&mut self) -> DestinationEntry {
        let v6 = self.below(3) == 0;
        // Flags from 4 on make ipvsadm read beyond its table.
        let tunnel = Tunnel {
            kind: TunnelKind::from_number(self.below(4) as u8),
            port: self.port(),
            flags: TunnelFlags::from_bits(self.below(4) as u16),
        };
        let count = |random: &mut Self| random.number() as u32;
        let mut destination = Destination::new(self.addr(v6), self.port())
            .with_tunnel(tunnel)
            .with_forwarding(ForwardingMethod::from_number(self.below(8) as u32))
            .with_weight(self.number() as u32 & 0x7fff_ffff);
        destination.upper_threshold = count(self);
        destination.lower_threshold = count(self);
        let mut entry = DestinationEntry::new(destination);
        (entry.active, entry.inactive, entry.persistent) = (count(self), count(self), count(self));
        (entry.stats, entry.stats64) = self.both_stats();
        entry
    }

    fn snapshot(&mut self) -> Snapshot {
        let version = Version::from_number(self.pick(&[0x01_02_01, 0x01_02_01, 0x02_ff_00]));
        let mut snapshot = Snapshot::new(Info::new(version, self.pick(&[4096, 1 << 27])), Coverage::FULL);
        snapshot.services = (0..self.below(12)).map(|_| self.service()).collect();
        let mut seen = std::collections::HashSet::new();
        snapshot.services.retain(|service| seen.insert(service.entry.service.key()));
        let [tcp, tcp_fin, udp] = [(); 3].map(|()| self.below(8_589_935) as u32);
        snapshot.timeouts = Timeouts { tcp, tcp_fin, udp };
        for role in [DaemonRole::Master, DaemonRole::Backup] {
            if self.below(2) == 0 {
                let mut daemon = Daemon::new(role, "eth0".parse().unwrap(), self.below(256) as u32);
                daemon.max_len = (self.below(2) == 0).then(|| self.pick(&[0, 1472, 65535]));
                daemon.group = (self.below(2) == 0)
                    .then(|| self.pick(&[Ipv4Addr::new(224, 0, 0, 81).into(), "ff02::1".parse().unwrap()]));
                daemon.port = (self.below(2) == 0).then(|| self.pick(&[0, 8848, 65535]));
                daemon.ttl = (self.below(2) == 0).then(|| self.pick(&[0, 1, 255]));
                snapshot.daemons.push(daemon);
            }
        }
        snapshot
    }

    fn connections(&mut self, printable: bool) -> Vec<u8> {
        let mut text = Vec::new();
        lvs_core::procfs::write_connections_header(&mut text).unwrap();
        for _ in 0..self.below(20) {
            let v6 = self.below(3) == 0;
            let number = self.pick(&[6, 6, 17, 132, 0, 1, 58, 47]);
            let (client, addr) = (self.addr(v6), self.addr(v6));
            let destination_v6 = self.below(3) == 0;
            let connection = Connection::new(
                Protocol::from_number(number),
                (client, self.port()),
                ConnectionTarget::Endpoint { addr, port: self.port() },
                (self.addr(destination_v6), self.port()),
                ConnectionState::NAMES[self.below(26) as usize].0,
                self.number() as u32,
            );
            let connection = &mut { connection };
            // Longer data makes ipvsadm die.
            let data: Vec<u8> = (0..self.below(12))
                .map(|_| self.pick(if printable { b"aZ9@.- b%".as_slice() } else { b"aZ9@.- \t\x0b\0\xc3\xff%" }))
                .collect();
            if self.below(3) == 0 {
                connection.engine = Some(EngineData { engine: "sip", data: &data });
            }
            lvs_core::procfs::write_connection(&mut text, connection).unwrap();
        }
        text
    }

    fn names(&mut self, snapshot: &Snapshot, connections: &[u8]) -> Names {
        let mut names = Names::default();
        let mut host = |random: &mut Self, addr: IpAddr| {
            let length = random
                .pick(&[1, 10, 21, 22, 23, 24, 25, 26, 27, 28, 29, 33, 40, 52, 53, 54, 55, 56, 57, 58, 59, 60, 100]);
            if random.below(3) > 0 {
                names.hosts.insert(addr, (0..length).map(|i| char::from(b'a' + (i % 26) as u8)).collect());
            }
        };
        for service in &snapshot.services {
            if let ServiceKey::Endpoint { addr, .. } = service.entry.service.key() {
                host(self, addr);
            }
            for entry in &service.destinations {
                host(self, entry.destination.key.addr);
            }
        }
        for connection in lvs_core::procfs::Connections::new(connections) {
            host(self, connection.unwrap().client_addr);
        }
        for (port, protocol, name) in [
            (80, Protocol::Tcp, "http"),
            (53, Protocol::Udp, "domain"),
            (80, Protocol::Sctp, "web"),
            (0, Protocol::Tcp, "zero"),
        ] {
            names.ports.insert((port, protocol), name.to_owned());
        }
        names
    }
}

fn tables() -> u64 {
    std::env::var("LVS_ORACLE_TABLES").map_or(TABLES, |text| text.parse().unwrap())
}

#[test]
#[ignore = "needs Debian's ipvsadm 1.31 and a C compiler"]
fn every_listing_is_that_of_ipvsadm() {
    let oracle = Oracle::new("listing");
    let record = std::env::var("LVS_RECORD_LISTING").ok();
    for seed in 1..=tables() {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let snapshot = random.snapshot();
        let connections = random.connections(record.is_some());
        let names = random.names(&snapshot, &connections);
        oracle.show(snapshot.clone());
        oracle.show_connections(&connections);
        oracle.name(&names);
        let mut commands = Vec::new();
        for arguments in all_listings(&snapshot, true) {
            let theirs = oracle.run(&arguments);
            assert_eq!((theirs.status, &*theirs.stderr), (Some(0), ""), "table {seed}, {arguments}");
            let ours = ours(&arguments, &snapshot, &connections, &names);
            if theirs.stdout != ours {
                let different = theirs.stdout.lines().zip(ours.lines()).find(|(a, b)| a != b);
                panic!("table {seed}, {arguments}:\n{different:#?}\ntheirs:\n{}\nours:\n{ours}", theirs.stdout);
            }
            commands.push((arguments, theirs.stdout));
        }
        if let Some(directory) = &record {
            let comment = format!("Random table {seed} of tests/listing_oracle.rs, ipvsadm 1.31.");
            let case = Case {
                comment,
                answers: answers(&snapshot),
                rows: String::from_utf8(connections).unwrap().lines().skip(1).map(str::to_owned).collect(),
                names,
                commands,
            };
            std::fs::write(format!("{directory}/random-{seed}.txt"), case.print()).unwrap();
        }
    }
}
