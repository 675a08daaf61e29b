//! What is different since Linux 7.1.

use std::net::SocketAddr;
use std::time::Duration;

use super::super::*;
use crate::Director;
use crate::model::{AddressFamily, Connection, Destination, DestinationKey, Service, ServiceKey};
use crate::schedulers::Profile;

fn vip() -> SocketAddr {
    ([192, 0, 2, 1], 80).into()
}

fn web() -> ServiceKey {
    ServiceKey::tcp("192.0.2.1", 80).unwrap()
}

fn director(profile: Profile) -> EmbeddedDirector {
    EmbeddedDirector::options().profile(profile).build()
}

fn pool(profile: Profile, service: Service, port: u16) -> EmbeddedDirector {
    let mut director = director(profile);
    director.add_service(&service.with_scheduler("rr".parse().unwrap())).unwrap();
    for host in 1..=3 {
        director.add_destination(&service.key(), &Destination::new([198, 51, 100, host].into(), port)).unwrap();
    }
    director
}

fn syn(port: u16) -> Packet {
    Packet::tcp(([203, 0, 113, 9], 1024 + port).into(), vip(), TcpFlags::SYN)
}

fn chosen(director: &mut EmbeddedDirector, packet: &Packet) -> DestinationKey {
    director.receive(packet).destination().expect("it is forwarded")
}

fn set(director: &mut EmbeddedDirector, change: impl FnOnce(&mut Settings)) {
    let mut settings = *director.settings();
    change(&mut settings);
    director.set_settings(settings);
}

fn templates(director: &mut EmbeddedDirector) -> Vec<String> {
    let mut text = Vec::new();
    director.write_connections(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.lines().filter(|line| line.contains(" 0000 ")).map(|line| line[..48].trim_end().to_owned()).collect()
}

// Rows of /proc/net/ip_vs_conn of Linux 6.12.117 and 7.3.4.
#[test]
fn an_invalid_template_keeps_its_key_and_is_found_no_more() {
    for (profile, invalid) in [
        (Profile::New, "TCP CB007109 0000 C0000201 FFFF C6336403 FFFF NONE"),
        (Profile::Linux7, "TCP CB007109 0000 C0000201 0050 C6336403 FFFF NONE"),
    ] {
        let mut director = pool(profile, Service::new(web()).with_persistence(100), 80);
        let first = chosen(&mut director, &syn(1));
        director.remove_destination(&web(), &first).unwrap();
        let second = chosen(&mut director, &syn(2));
        assert_ne!(first, second);
        director.add_destination(&web(), &Destination::new(first.addr, first.port)).unwrap();
        assert_eq!(chosen(&mut director, &syn(3)), second);
        let all = templates(&mut director);
        assert_eq!(all.len(), 2, "{all:#?}");
        assert!(all.iter().any(|row| invalid.starts_with(row.as_str())), "{all:#?}");
    }
}

#[test]
fn an_invalid_template_of_a_mark_is_shown_with_the_port_that_its_kernel_shows() {
    for (profile, invalid) in [
        (Profile::New, "IP  CB007109 0000 00000007 FFFF C6336403 FFFF NONE"),
        (Profile::Linux7, "IP  CB007109 0000 00000007 0000 C6336403 FFFF NONE"),
    ] {
        let mark = ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap();
        let mut director = pool(profile, Service::new(mark).with_persistence(100), 80);
        let first = chosen(&mut director, &syn(1).with_mark(7));
        director.remove_destination(&mark, &first).unwrap();
        chosen(&mut director, &syn(2).with_mark(7));
        let all = templates(&mut director);
        assert!(all.iter().any(|row| invalid.starts_with(row.as_str())), "{all:#?}");
        let mut seen = 0;
        let _ = director.visit_connections(&mut |connection: &Connection<'_>| {
            seen += usize::from(matches!(connection.target, crate::model::ConnectionTarget::Fwmark(_)));
            std::ops::ControlFlow::Continue(())
        });
        assert_eq!(seen, 2);
    }
}

#[test]
fn a_destination_on_port_65535_never_persists() {
    for (profile, expected) in [(Profile::New, 1), (Profile::Linux7, 6)] {
        let mut director = pool(profile, Service::new(web()).with_persistence(100), 65535);
        let picks: Vec<_> = (0..6).map(|port| chosen(&mut director, &syn(port)).addr.to_string()).collect();
        assert_eq!(templates(&mut director).len(), expected);
        let last = if profile == Profile::Linux7 { "198.51.100.1" } else { "198.51.100.3" };
        assert_eq!(picks[5], last);
    }
}

#[test]
fn at_the_limit_packets_vanish_after_the_scheduler_chose() {
    let mut director = pool(Profile::Linux7, Service::new(web()), 80);
    set(&mut director, |settings| settings.conn_max = 2);
    assert_eq!(chosen(&mut director, &syn(1)).addr.to_string(), "198.51.100.3");
    assert_eq!(chosen(&mut director, &syn(2)).addr.to_string(), "198.51.100.2");
    for port in 3..5 {
        assert_eq!(director.receive(&syn(port)), Verdict::Dropped(DropReason::ConnectionLimit));
    }
    assert!(director.receive(&syn(1)).is_forwarded(), "what is there goes on");
    assert_eq!(director.live_totals().connections, 2);
    set(&mut director, |settings| settings.conn_max = 3);
    assert_eq!(chosen(&mut director, &syn(5)).addr.to_string(), "198.51.100.2", "two picks were lost");
    // No destination is decided before.
    director.flush().unwrap();
    director.add_service(&Service::new(web())).unwrap();
    set(&mut director, |settings| settings.conn_max = 0);
    assert_eq!(director.receive(&syn(9)), Verdict::Rejected(RejectReason::NoDestination));
}

#[test]
fn with_one_place_left_a_template_remains_without_its_connection() {
    let mut director = pool(Profile::Linux7, Service::new(web()).with_persistence(100), 80);
    set(&mut director, |settings| settings.conn_max = 1);
    for port in 0..3 {
        assert_eq!(director.receive(&syn(port)), Verdict::Dropped(DropReason::ConnectionLimit));
        director.advance(Duration::from_secs(99));
    }
    let persistent: Vec<_> = director.destinations(&web()).unwrap().iter().map(|entry| entry.persistent).collect();
    assert_eq!(persistent, [1, 0, 0], "it is armed again by each attempt");
    director.advance(Duration::from_secs(1));
    assert_eq!(director.connection_count(), 0);
}

#[test]
fn a_single_datagram_needs_one_place() {
    let key = ServiceKey::udp("192.0.2.1", 80).unwrap();
    let mut director = pool(Profile::Linux7, Service::new(key).with_one_packet(), 80);
    let packet = Packet::udp(([203, 0, 113, 9], 1).into(), vip());
    set(&mut director, |settings| settings.conn_max = 1);
    assert!((0..3).all(|_| director.receive(&packet).is_forwarded()));
    set(&mut director, |settings| settings.conn_max = 0);
    assert_eq!(director.receive(&packet), Verdict::Dropped(DropReason::ConnectionLimit));
}

#[test]
fn the_limit_is_none_of_older_kernels() {
    let mut director = pool(Profile::New, Service::new(web()), 80);
    set(&mut director, |settings| settings.conn_max = 0);
    assert!(director.receive(&syn(1)).is_forwarded());
}

#[test]
fn the_connection_table_follows_its_connections() {
    let size = |director: &mut EmbeddedDirector| director.info().unwrap().connection_table_size;
    let mut director = director(Profile::Linux7);
    assert_eq!(size(&mut director), 0);
    director.add_service(&Service::new(web())).unwrap();
    director.add_destination(&web(), &Destination::new([198, 51, 100, 1].into(), 80)).unwrap();
    assert_eq!(size(&mut director), 256);
    for (connections, buckets) in [(16, 256), (17, 512), (33, 1024), (65, 2048), (129, 4096), (1000, 4096)] {
        for port in director.connection_count()..connections {
            assert!(director.receive(&syn(port as u16)).is_forwarded());
        }
        director.advance(Duration::from_millis(4));
        assert_eq!(size(&mut director), buckets, "{connections}");
    }
    // Half-open connections last a minute; the size is looked at every two seconds.
    director.advance(Duration::from_secs(62));
    assert_eq!((director.connection_count(), size(&mut director)), (0, 256));
    set(&mut director, |settings| settings.conn_lfactor = -8);
    director.flush().unwrap();
    assert_eq!(size(&mut director), 256, "it stays when the last service goes");
}

#[test]
fn a_backup_daemon_needs_the_connection_table() {
    use crate::model::{Daemon, DaemonRole};
    let mut director = director(Profile::Linux7);
    let mut daemon = Daemon::new(DaemonRole::Backup, "nosuch".parse().unwrap(), 1);
    assert!(director.start_daemon(&daemon).is_err());
    assert_eq!(director.info().unwrap().connection_table_size, 256);
    let mut other = self::director(Profile::Linux7);
    daemon.role = DaemonRole::Master;
    daemon.interface = "lo".parse().unwrap();
    other.start_daemon(&daemon).unwrap();
    assert_eq!(other.info().unwrap().connection_table_size, 0);
}

#[test]
fn packets_pass_when_the_last_service_of_their_family_is_gone() {
    for profile in Profile::ALL {
        let mut director = pool(profile, Service::new(web()), 80);
        let v6 = ServiceKey::tcp("2001:db8::1", 80).unwrap();
        director.add_service(&Service::new(v6)).unwrap();
        assert!(director.receive(&syn(1)).is_forwarded());
        director.remove_service(&web()).unwrap();
        assert_eq!(director.receive(&syn(1)), Verdict::Passed(PassReason::NoHook));
        assert_eq!(director.connection_count(), 1);
        director.add_service(&Service::new(ServiceKey::tcp("192.0.2.7", 80).unwrap())).unwrap();
        assert_eq!(director.receive(&syn(1)), Verdict::Dropped(DropReason::DestinationRemoved));
    }
}

#[test]
fn the_order_of_services_can_be_that_of_a_hash_that_changes_with_the_table() {
    let keys = |director: &mut EmbeddedDirector| -> Vec<ServiceKey> {
        director.services().unwrap().iter().map(|entry| entry.service.key()).collect()
    };
    let build = |seed| {
        let options = EmbeddedDirector::options().profile(Profile::Linux7).seed(seed);
        options.service_order(ServiceOrder::Hashed).build()
    };
    let (mut one, mut same, mut other) = (build(1), build(1), build(2));
    for director in [&mut one, &mut same, &mut other] {
        for port in 1..=16 {
            director.add_service(&Service::new(ServiceKey::tcp("192.0.2.1", port).unwrap())).unwrap();
            director.add_service(&Service::new(ServiceKey::fwmark(port.into(), AddressFamily::Ipv4).unwrap())).unwrap();
        }
        director.advance(Duration::from_secs(1));
    }
    let (before, others) = (keys(&mut one), keys(&mut other));
    assert_eq!(before, keys(&mut same));
    assert_ne!(before, others);
    let is_mark = |key: &ServiceKey| matches!(key, ServiceKey::Fwmark { .. });
    assert!(!before.is_sorted_by_key(is_mark), "addresses and marks are mixed");
    set(&mut one, |settings| settings.svc_lfactor = -8);
    let after = keys(&mut one);
    assert_ne!(before, after, "resized");
    let sorted = |mut keys: Vec<ServiceKey>| {
        keys.sort();
        keys
    };
    assert_eq!(sorted(after), sorted(before));
    one.flush().unwrap();
    assert!(keys(&mut one).is_empty());
}
