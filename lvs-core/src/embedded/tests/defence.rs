use std::time::Duration;

use super::super::{DropReason, EmbeddedDirector, Flow, Packet, SctpChunk, Verdict};
use super::packets::{ACK, FIN, SYN, addr, client, key, pool, rr, server, set, state, table, vip};
use crate::Director;
use crate::model::{Connection, ConnectionState as S, Service, ServiceKey};

#[test]
fn every_drop_rate_th_opening_packet_is_dropped_in_defence() {
    let mut director = pool(rr(key()), &[server(1)]);
    set(&mut director, |settings| {
        settings.drop_packet = 3;
        settings.am_droprate = 3;
    });
    let dropped: Vec<_> = (0..7)
        .map(|port| director.receive(&Packet::tcp(client(port), vip(), SYN)) == Verdict::Dropped(DropReason::Defence))
        .collect();
    assert_eq!(dropped, [true, false, false, true, false, false, true]);
}

#[test]
fn the_automatic_drop_rate_follows_free_memory() {
    let mut director = pool(rr(key()), &[server(1)]);
    set(&mut director, |settings| {
        settings.drop_packet = 1;
        settings.amemthresh = 1000;
    });
    let mut port = 0;
    let mut dropped = |director: &mut EmbeddedDirector| -> Vec<bool> {
        let mut one = || {
            port += 1;
            director.receive(&Packet::tcp(client(port), vip(), SYN)) == Verdict::Dropped(DropReason::Defence)
        };
        (0..6).map(|_| one()).collect()
    };
    assert_eq!(dropped(&mut director), [false; 6]);
    // 1000 / (1000 - 700) = 3. It is seen when the second is over.
    director.set_available_pages(700);
    assert_eq!((dropped(&mut director), director.settings().drop_packet), (vec![false; 6], 1));
    director.advance(Duration::from_secs(1));
    assert_eq!(director.settings().drop_packet, 2);
    assert_eq!(dropped(&mut director), [false, false, true, false, false, true]);
    director.set_available_pages(0);
    director.advance(Duration::from_secs(1));
    assert_eq!(dropped(&mut director), [true; 6]);
    director.set_available_pages(1000);
    director.advance(Duration::from_secs(1));
    assert_eq!((dropped(&mut director), director.settings().drop_packet), (vec![false; 6], 1));
}

#[test]
fn the_automatic_state_table_follows_the_memory() {
    let mut director = pool(rr(key()), &[server(1)]);
    set(&mut director, |settings| settings.secure_tcp = 2);
    assert_eq!(director.settings().secure_tcp, 1, "there is plenty of memory");
    let opened = |director: &mut EmbeddedDirector, port| {
        let _ = director.receive(&Packet::tcp(client(port), vip(), SYN));
        table(director).into_iter().find(|connection| connection.client_port == port).unwrap().state
    };
    assert_eq!(opened(&mut director, 1), S::SynRecv);
    director.set_available_pages(0);
    director.advance(Duration::from_secs(1));
    assert_eq!((opened(&mut director, 2), director.settings().secure_tcp), (S::SynAck, 2));
    director.set_available_pages(u64::MAX);
    director.advance(Duration::from_secs(1));
    assert_eq!((opened(&mut director, 3), director.settings().secure_tcp), (S::SynRecv, 1));
}

/// A director that drops entries, and the seconds that pass until nothing more changes.
fn dropping(director: &mut EmbeddedDirector, seconds: u64) {
    set(director, |settings| settings.drop_entry = 3);
    director.advance(Duration::from_secs(seconds));
}

#[test]
fn half_open_connections_are_dropped_a_part_of_the_table_each_second() {
    let mut director = pool(rr(key()), &[server(1)]);
    for port in 0..10_000 {
        let _ = director.receive(&Packet::tcp(client(port), vip(), SYN));
    }
    dropping(&mut director, 10);
    // Each second one bucket in 32 on average, each drawn again: (1 - 1/4096)^1280 of them are left.
    let left = director.connection_count() as f64 / 10_000.0;
    assert!((left - 0.7316).abs() < 0.04, "{left}");
    let entry = &director.destinations(&key()).unwrap()[0];
    assert_eq!(entry.active as usize, director.connection_count());
    let again = director.connection_count();
    set(&mut director, |settings| settings.drop_entry = 1);
    director.advance(Duration::from_secs(5));
    assert_eq!(director.connection_count(), again, "there is plenty of memory");
    director.set_available_pages(0);
    director.advance(Duration::from_secs(5));
    assert!(director.connection_count() < again);
    assert_eq!(director.settings().drop_entry, 2);
}

#[test]
fn what_is_in_order_is_not_dropped() {
    let sctp = ServiceKey::sctp("192.0.2.1", 80).unwrap();
    let mut director = pool(rr(key()), &[server(1)]);
    director.add_service(&rr(sctp)).unwrap();
    director.add_destination(&sctp, &server(1)).unwrap();
    let packets = [(1, &[SYN, ACK][..]), (2, &[SYN, ACK, FIN]), (3, &[SYN, FIN])];
    for (port, flags) in packets {
        for flags in flags {
            let _ = director.receive(&Packet::tcp(client(port), vip(), *flags));
        }
    }
    for chunk in [SctpChunk::Init, SctpChunk::CookieEcho] {
        let _ = director.receive(&Packet::sctp(client(4), vip(), chunk));
    }
    dropping(&mut director, 55);
    assert_eq!(director.connection_count(), 4);
}

#[test]
fn silent_connections_are_dropped_the_more_the_fewer_packets_they_had() {
    let key = ServiceKey::udp("192.0.2.1", 80).unwrap();
    let mut director = pool(rr(key), &[server(1)]);
    for port in 900..5400 {
        for _ in 0..=port % 9 {
            let _ = director.receive(&Packet::udp(client(port), vip()));
        }
    }
    dropping(&mut director, 59);
    assert_eq!(director.connection_count(), 4500, "nobody has been silent for a minute");
    director.advance(Duration::from_secs(11));
    let mut left = [0; 9];
    for connection in table(&mut director) {
        left[usize::from(connection.client_port % 9)] += 1;
    }
    assert_eq!(left[8], 500, "who had nine packets stays");
    // Each second a thirty-second of those with n packets is looked at, and one in n of them goes.
    assert!(left.is_sorted() && left[0] < 400 && left[7] > 460, "{left:?}");
}

#[test]
fn a_template_that_no_connection_confirmed_goes_with_the_last_of_them() {
    let persistent: Service = rr(key()).with_persistence(3600);
    let mut director = pool(persistent, &[server(1)]);
    let from = |last: u8| addr(&format!("203.0.113.{last}:1000"));
    for last in 0..200 {
        let _ = director.receive(&Packet::tcp(from(last), vip(), SYN));
    }
    for last in 200..210 {
        let _ = director.open(&Flow::tcp(from(last), vip()));
    }
    dropping(&mut director, 59);
    let (templates, connections): (Vec<_>, Vec<_>) =
        table(&mut director).into_iter().partition(Connection::is_template);
    assert_eq!(templates.iter().filter(|template| template.state == S::Assured).count(), 10);
    assert_eq!(templates.len(), connections.len(), "each went with its connection");
    assert!((20..60).contains(&(connections.len() - 10)), "{}", connections.len());
}

#[test]
fn the_secure_table_can_be_set() {
    let mut director = pool(rr(key()), &[server(1)]);
    set(&mut director, |settings| settings.secure_tcp = 3);
    let _ = director.receive(&Packet::tcp(client(1), vip(), SYN));
    assert_eq!(state(&mut director).0, S::SynAck);
    set(&mut director, |settings| settings.secure_tcp = 0);
    let _ = director.receive(&Packet::tcp(client(1), vip(), SYN));
    assert_eq!(state(&mut director).0, S::SynRecv);
}
