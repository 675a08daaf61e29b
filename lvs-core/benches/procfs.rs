//! Parsing `ip_vs_conn`, beside the way one writes it first: split at blanks, `from_str_radix`.
//!
//! Run with `cargo xtask bench procfs`; the best of several passes over the same text.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use lvs_core::model::{Connection, ConnectionState, ConnectionTarget, Protocol};
use lvs_core::procfs::{ConnectionReader, Connections, write_connection, write_connections_header};

const ROWS: usize = 200_000;
const PASSES: usize = 7;

fn text(v6: bool) -> Vec<u8> {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let mut addr = |net: u32| -> IpAddr {
        let host = next() as u32 & 0xffff;
        if v6 {
            Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(net) << 32 | u128::from(host)).into()
        } else {
            Ipv4Addr::from_bits(net | host).into()
        }
    };
    let states = [
        ConnectionState::Established,
        ConnectionState::Established,
        ConnectionState::FinWait,
        ConnectionState::TimeWait,
        ConnectionState::SynRecv,
        ConnectionState::Close,
    ];
    let mut out = Vec::new();
    write_connections_header(&mut out).unwrap();
    for i in 0..ROWS {
        let client = (addr(0xcb00_0000), (i * 7919) as u16);
        let target = ConnectionTarget::Endpoint { addr: addr(0xc000_0000), port: 443 };
        let destination = (addr(0xc633_0000), 8443);
        let expires = (i * 31 % 900) as u32;
        let connection =
            Connection::new(Protocol::Tcp, client, target, destination, states[i * 13 % states.len()], expires);
        write_connection(&mut out, &connection).unwrap();
    }
    out
}

/// What both sides add up, so that neither can leave a column out.
fn digest(c: &Connection<'_>) -> u64 {
    let of = |addr: IpAddr| match addr {
        IpAddr::V4(addr) => u64::from(addr.to_bits()),
        IpAddr::V6(addr) => addr.to_bits() as u64 ^ (addr.to_bits() >> 64) as u64,
    };
    let target = match c.target {
        ConnectionTarget::Endpoint { addr, port } => of(addr) ^ u64::from(port) << 48,
        ConnectionTarget::Fwmark(mark) => mark.get().into(),
    };
    of(c.client_addr).wrapping_add(u64::from(c.client_port)).wrapping_add(target) ^ of(c.destination_addr)
        | u64::from(c.destination_port) << 3 ^ c.state as u64 ^ u64::from(c.expires) << 20
}

fn ours(text: &[u8]) -> u64 {
    Connections::new(text).fold(0, |sum, c| sum.wrapping_add(digest(&c.unwrap())))
}

fn streamed(text: &[u8]) -> u64 {
    let mut rows = ConnectionReader::new(text);
    let mut sum = 0u64;
    while let Some(row) = rows.next_connection() {
        sum = sum.wrapping_add(digest(&row.unwrap()));
    }
    sum
}

fn naive(text: &[u8]) -> u64 {
    fn addr(word: &str) -> IpAddr {
        if word.len() == 8 {
            Ipv4Addr::from_bits(u32::from_str_radix(word, 16).unwrap()).into()
        } else {
            let groups = word.split(':').fold(0, |bits, group| bits << 16 | u128::from_str_radix(group, 16).unwrap());
            Ipv6Addr::from_bits(groups).into()
        }
    }
    let port = |word: &str| u16::from_str_radix(word, 16).unwrap();
    let mut sum = 0u64;
    for line in std::str::from_utf8(text).unwrap().lines().skip(1) {
        let mut words = line.split_ascii_whitespace();
        let mut word = || words.next().unwrap();
        let protocol = match word() {
            "TCP" => Protocol::Tcp,
            "UDP" => Protocol::Udp,
            _ => Protocol::Sctp,
        };
        let client = (addr(word()), port(word()));
        let target = ConnectionTarget::Endpoint { addr: addr(word()), port: port(word()) };
        let destination = (addr(word()), port(word()));
        let state = word().parse().unwrap();
        let expires = word().parse().unwrap();
        sum = sum.wrapping_add(digest(&Connection::new(protocol, client, target, destination, state, expires)));
    }
    sum
}

fn main() {
    for (name, v6) in [("IPv4", false), ("IPv6", true)] {
        let text = text(v6);
        type Parser = fn(&[u8]) -> u64;
        let parsers: [(&str, Parser); 3] = [("slice", ours), ("stream", streamed), ("naive", naive)];
        let mut best = [Duration::MAX; 3];
        let expected = naive(&text);
        for _ in 0..PASSES {
            for ((_, parser), best) in parsers.iter().zip(&mut best) {
                let start = Instant::now();
                let sum = parser(black_box(&text));
                *best = start.elapsed().min(*best);
                assert_eq!(sum, expected);
            }
        }
        for ((parser, _), best) in parsers.iter().zip(best) {
            println!("ip_vs_conn {name}\t{parser}\t{}\t{}\tB", best.as_secs_f64(), text.len());
        }
    }
}
