use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::time::Duration;

use super::super::{
    DropReason, EmbeddedDirector, Flow, ForwardReason, Packet, PassReason, Payload, RejectReason, SctpChunk, Settings,
    TcpFlags, Verdict,
};
use crate::Director;
use crate::model::{
    AddressFamily, Connection, ConnectionState as S, Destination, ForwardingMethod, Netmask, SchedulerName, Service,
    ServiceKey,
};
use crate::schedulers::Profile;

pub(super) const SYN: TcpFlags = TcpFlags::SYN;
pub(super) const ACK: TcpFlags = TcpFlags::ACK;
pub(super) const FIN: TcpFlags = TcpFlags::FIN;
pub(super) const RST: TcpFlags = TcpFlags::RST;

pub(super) fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(super) fn vip() -> SocketAddr {
    addr("192.0.2.1:80")
}

pub(super) fn client(port: u16) -> SocketAddr {
    SocketAddr::new([203, 0, 113, 9].into(), port)
}

pub(super) fn key() -> ServiceKey {
    ServiceKey::tcp("192.0.2.1", 80).unwrap()
}

pub(super) fn server(host: u8) -> Destination {
    Destination::new([198, 51, 100, host].into(), 80)
}

pub(super) fn rr(key: ServiceKey) -> Service {
    Service::new(key).with_scheduler(SchedulerName::RR)
}

pub(super) fn pool(service: Service, destinations: &[Destination]) -> EmbeddedDirector {
    let mut director = EmbeddedDirector::new();
    director.add_service(&service).unwrap();
    for destination in destinations {
        director.add_destination(&service.key(), destination).unwrap();
    }
    director
}

pub(super) fn set(director: &mut EmbeddedDirector, change: impl FnOnce(&mut Settings)) {
    let mut settings = *director.settings();
    change(&mut settings);
    director.set_settings(settings);
}

pub(super) fn host(verdict: Verdict) -> String {
    verdict.destination().unwrap_or_else(|| panic!("{verdict}")).addr.to_string()
}

pub(super) fn why(verdict: Verdict) -> ForwardReason {
    let Verdict::Forwarded(forwarding) = verdict else { panic!("{verdict}") };
    forwarding.reason
}

/// Active, inactive, templates of the destinations, in list order.
pub(super) fn counts(director: &mut EmbeddedDirector, key: &ServiceKey) -> Vec<(u32, u32, u32)> {
    let list = director.destinations(key).unwrap();
    list.iter().map(|entry| (entry.active, entry.inactive, entry.persistent)).collect()
}

pub(super) fn table(director: &mut EmbeddedDirector) -> Vec<Connection<'static>> {
    let mut all = Vec::new();
    director
        .visit_connections(&mut |connection| {
            let Connection { client_addr, client_port, target, destination_addr, destination_port, .. } = *connection;
            all.push(Connection::new(
                connection.protocol,
                (client_addr, client_port),
                target,
                (destination_addr, destination_port),
                connection.state,
                connection.expires,
            ));
            ControlFlow::Continue(())
        })
        .unwrap();
    all
}

pub(super) fn state(director: &mut EmbeddedDirector) -> (S, u32) {
    let all = table(director);
    assert_eq!(all.len(), 1);
    (all[0].state, all[0].expires)
}

#[test]
fn a_syn_opens_and_counts_as_active() {
    let mut director = pool(rr(key()), &[server(1), server(2)]);
    let verdict = director.receive(&Packet::tcp(client(1), vip(), SYN));
    assert_eq!((host(verdict), why(verdict)), ("198.51.100.2".to_owned(), ForwardReason::Scheduled));
    assert_eq!(counts(&mut director, &key()), [(1, 0, 0), (0, 0, 0)]);
    assert_eq!(state(&mut director), (S::SynRecv, 60));
    let verdict = director.receive(&Packet::tcp(client(1), vip(), ACK));
    assert_eq!(why(verdict), ForwardReason::Connection);
    assert_eq!(state(&mut director), (S::Established, 900));
}

#[test]
fn only_a_syn_opens_unless_sloppy_tcp_is_set() {
    let mut director = pool(rr(key()), &[server(1)]);
    for flags in [ACK, FIN, RST, SYN | RST, TcpFlags(0)] {
        let verdict = director.receive(&Packet::tcp(client(1), vip(), flags));
        assert_eq!(verdict, Verdict::Passed(PassReason::NotOpening), "{flags:?}");
    }
    set(&mut director, |settings| settings.sloppy_tcp = true);
    assert_eq!(director.receive(&Packet::tcp(client(1), vip(), RST)), Verdict::Passed(PassReason::NotOpening));
    assert!(director.receive(&Packet::tcp(client(1), vip(), ACK)).is_forwarded());
    assert_eq!(state(&mut director), (S::Established, 900));
}

#[test]
fn masqueraded_connections_see_both_sides() {
    let mut director = pool(rr(key()), &[server(1).with_forwarding(ForwardingMethod::Masquerade)]);
    let from_server = |flags| Packet::tcp(addr("198.51.100.1:80"), client(1), flags).from_server();
    let from_client = |flags| Packet::tcp(client(1), vip(), flags);
    for (packet, expected) in [
        (from_client(SYN), S::SynRecv),
        (from_server(SYN | ACK), S::SynRecv),
        (from_client(ACK), S::Established),
        (from_client(FIN | ACK), S::CloseWait),
        (from_server(FIN | ACK), S::TimeWait),
        (from_client(ACK), S::TimeWait),
    ] {
        assert!(director.receive(&packet).is_forwarded());
        assert_eq!(state(&mut director).0, expected, "{packet:?}");
    }
    assert_eq!(counts(&mut director, &key()), [(0, 1, 0)]);
    director.advance(Duration::from_secs(119));
    assert_eq!(director.connection_count(), 1);
    director.advance(Duration::from_secs(1));
    assert_eq!(director.connection_count(), 0);
    assert_eq!(counts(&mut director, &key()), [(0, 0, 0)]);
}

#[test]
fn a_reply_that_passes_without_need_changes_the_table_from_then_on() {
    let mut director = pool(rr(key()), &[server(1)]);
    assert!(director.receive(&Packet::tcp(client(1), vip(), SYN)).is_forwarded());
    let reply = Packet::tcp(vip(), client(1), SYN | ACK).from_server();
    assert_eq!(why(director.receive(&reply)), ForwardReason::Reply);
    assert!(director.receive(&Packet::tcp(client(1), vip(), ACK)).is_forwarded());
    // Of a client whose replies don't pass it would be FIN_WAIT.
    assert!(director.receive(&Packet::tcp(client(1), vip(), FIN)).is_forwarded());
    assert_eq!(state(&mut director).0, S::CloseWait);
    assert_eq!(
        director.receive(&Packet::tcp(vip(), client(2), ACK).from_server()),
        Verdict::Passed(PassReason::NoReply)
    );
}

#[test]
fn direct_routing_sees_only_the_client_finish() {
    let mut director = pool(rr(key()), &[server(1)]);
    for (flags, expected) in [(SYN, S::SynRecv), (ACK, S::Established), (FIN, S::FinWait), (ACK, S::FinWait)] {
        assert!(director.receive(&Packet::tcp(client(1), vip(), flags)).is_forwarded());
        assert_eq!(state(&mut director).0, expected);
    }
    assert!(director.receive(&Packet::tcp(client(2), vip(), SYN)).is_forwarded());
    assert!(director.receive(&Packet::tcp(client(2), vip(), FIN)).is_forwarded());
    assert_eq!(table(&mut director)[1].state, S::TimeWait);
}

#[test]
fn udp_is_inactive_all_its_life() {
    let key = ServiceKey::udp("192.0.2.1", 80).unwrap();
    let mut director = pool(rr(key), &[server(1)]);
    assert!(director.receive(&Packet::udp(client(1), vip())).is_forwarded());
    assert_eq!(counts(&mut director, &key), [(0, 1, 0)]);
    assert_eq!(state(&mut director), (S::Udp, 300));
}

#[test]
fn one_packet_connections_leave_no_trace_but_the_count() {
    let key = ServiceKey::udp("192.0.2.1", 80).unwrap();
    let mut director = pool(rr(key).with_one_packet(), &[server(1), server(2)]);
    let hosts: Vec<_> = (0..4).map(|_| host(director.receive(&Packet::udp(client(1), vip())))).collect();
    assert_eq!(hosts, ["198.51.100.2", "198.51.100.1", "198.51.100.2", "198.51.100.1"]);
    assert_eq!(counts(&mut director, &key), [(0, 0, 0); 2]);
    director.advance(Duration::from_secs(2));
    assert_eq!(director.service(&key).unwrap().statistics().counters.connections, 4);
}

#[test]
fn an_sctp_association_is_active_only_when_established() {
    let key = ServiceKey::sctp("192.0.2.1", 80).unwrap();
    let mut director = pool(rr(key), &[server(1)]);
    let packet = |chunk| Packet::sctp(client(1), vip(), chunk);
    assert_eq!(director.receive(&packet(SctpChunk::Data)), Verdict::Passed(PassReason::NotOpening));
    assert!(director.receive(&packet(SctpChunk::Init)).is_forwarded());
    assert_eq!((state(&mut director).0, counts(&mut director, &key)[0]), (S::Init1, (0, 1, 0)));
    assert!(director.receive(&packet(SctpChunk::CookieEcho)).is_forwarded());
    assert_eq!((state(&mut director), counts(&mut director, &key)[0]), ((S::Established, 900), (1, 0, 0)));
}

#[test]
fn a_mark_is_looked_up_before_the_address() {
    let mut director = pool(rr(key()), &[server(1)]);
    let mark = ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap();
    director.add_service(&rr(mark)).unwrap();
    director.add_destination(&mark, &server(2)).unwrap();
    assert_eq!(host(director.receive(&Packet::tcp(client(1), vip(), SYN).with_mark(7))), "198.51.100.2");
    assert_eq!(host(director.receive(&Packet::tcp(client(2), vip(), SYN).with_mark(8))), "198.51.100.1");
    assert_eq!(host(director.receive(&Packet::tcp(client(3), addr("192.0.2.2:9"), SYN).with_mark(7))), "198.51.100.2");
}

#[test]
fn port_zero_catches_all_ports_of_a_persistent_service_only() {
    let all = ServiceKey::tcp("192.0.2.1", 0).unwrap();
    let mut director = pool(rr(all), &[server(1)]);
    assert_eq!(director.receive(&Packet::tcp(client(1), vip(), SYN)), Verdict::Rejected(RejectReason::PortZero));
    director.update_service(&rr(all).with_persistence(300)).unwrap();
    let Verdict::Forwarded(forwarding) = director.receive(&Packet::tcp(client(1), addr("192.0.2.1:443"), SYN)) else {
        panic!("it is forwarded");
    };
    assert_eq!(forwarding.port, 443);
}

#[test]
fn without_a_usable_destination_packets_are_rejected() {
    let mut director = pool(rr(key()), &[]);
    let syn = Packet::tcp(client(1), vip(), SYN);
    assert_eq!(director.receive(&syn), Verdict::Rejected(RejectReason::NoDestination));
    director.add_destination(&key(), &server(1).with_weight(0)).unwrap();
    assert_eq!(director.receive(&syn), Verdict::Rejected(RejectReason::NoDestination));
    director.update_service(&Service::new(key()).with_scheduler(SchedulerName::NONE)).unwrap();
    assert_eq!(director.receive(&syn), Verdict::Rejected(RejectReason::NoScheduler));
    let elsewhere = Packet::tcp(client(1), addr("192.0.2.99:80"), SYN);
    assert_eq!(director.receive(&elsewhere), Verdict::Passed(PassReason::NoService));
}

#[test]
fn bypass_sends_marked_packets_on() {
    let mark = ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap();
    let mut director = pool(rr(mark), &[]);
    set(&mut director, |settings| settings.cache_bypass = true);
    let syn = Packet::tcp(client(1), vip(), SYN).with_mark(7);
    assert_eq!(director.receive(&syn), Verdict::Bypassed);
    let all = table(&mut director);
    assert_eq!((all[0].destination_addr, all[0].state), ("0.0.0.0".parse().unwrap(), S::SynRecv));
}

#[test]
fn packets_for_a_removed_destination_vanish_until_it_is_back() {
    let mut director = pool(rr(key()), &[server(1), server(2)]);
    let open = Packet::tcp(client(1), vip(), SYN);
    assert_eq!(host(director.receive(&open)), "198.51.100.2");
    director.remove_destination(&key(), &server(2).key).unwrap();
    assert_eq!(director.receive(&open), Verdict::Dropped(DropReason::DestinationRemoved));
    director.add_destination(&key(), &server(2)).unwrap();
    assert_eq!(counts(&mut director, &key())[0], (1, 0, 0));
    assert_eq!(why(director.receive(&Packet::tcp(client(1), vip(), ACK))), ForwardReason::Connection);
}

#[test]
fn connections_of_a_removed_destination_can_be_made_to_move() {
    let mut director = pool(rr(key()), &[server(1), server(2)]);
    set(&mut director, |settings| settings.expire_nodest_conn = true);
    let open = Packet::tcp(client(1), vip(), SYN);
    assert_eq!(host(director.receive(&open)), "198.51.100.2");
    director.remove_destination(&key(), &server(2).key).unwrap();
    assert_eq!(director.receive(&Packet::tcp(client(1), vip(), ACK)), Verdict::Passed(PassReason::NotOpening));
    assert_eq!(host(director.receive(&open)), "198.51.100.1");
    director.advance(Duration::from_millis(8));
    assert_eq!(director.connection_count(), 1);
}

#[test]
fn the_trash_keeps_what_connections_need_and_counts_survive_the_service() {
    let mut director = pool(rr(key()), &[server(1)]);
    let _ = director.open(&Flow::tcp(client(1), vip()));
    director.advance(Duration::from_secs(2));
    assert_eq!(director.service(&key()).unwrap().statistics().counters.connections, 1);
    director.flush().unwrap();
    director.advance(Duration::from_secs(600));
    director.add_service(&rr(key())).unwrap();
    director.add_destination(&key(), &server(1)).unwrap();
    assert_eq!(counts(&mut director, &key()), [(1, 0, 0)]);
    assert_eq!(director.destinations(&key()).unwrap()[0].statistics().counters.connections, 0);
    director.advance(Duration::from_secs(300));
    assert_eq!(counts(&mut director, &key()), [(0, 0, 0)]);
}

#[test]
fn a_client_that_reuses_its_port_is_scheduled_again_as_conn_reuse_mode_says() {
    // (mode, after SYN and FIN: TIME_WAIT, after SYN, ACK and FIN: FIN_WAIT), direct routing
    for (mode, time_wait, fin_wait) in [(0, false, false), (1, true, false), (2, true, true), (3, true, true)] {
        let mut director = pool(rr(key()), &[server(1), server(2)]);
        set(&mut director, |settings| settings.conn_reuse_mode = mode);
        let mut moved = |port, flags: &[TcpFlags]| {
            let send =
                |director: &mut EmbeddedDirector, flags| director.receive(&Packet::tcp(client(port), vip(), flags));
            let first = host(send(&mut director, SYN));
            for flags in flags {
                let _ = send(&mut director, *flags);
            }
            let verdict = send(&mut director, SYN);
            assert_eq!(why(verdict) == ForwardReason::Scheduled, host(verdict) != first);
            host(verdict) != first
        };
        assert_eq!(moved(1, &[FIN]), time_wait, "mode {mode}");
        assert_eq!(moved(2, &[ACK, FIN]), fin_wait, "mode {mode}");
    }
}

#[test]
fn persistence_binds_a_client_per_port_per_host_and_per_mark() {
    let mark = ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap();
    for (key, ports, mark) in
        [(key(), &[80, 80][..], 0), (ServiceKey::tcp("192.0.2.1", 0).unwrap(), &[80, 443], 0), (mark, &[80, 443], 7)]
    {
        let service = rr(key).with_persistence(300).with_netmask(Netmask::V4([255, 255, 255, 0].into())).unwrap();
        let mut director = pool(service, &[server(1), server(2)]);
        let mut from = |last: u8, port| {
            let client = SocketAddr::new([203, 0, 113, last].into(), 1000);
            let service = SocketAddr::new([192, 0, 2, 1].into(), port);
            director.receive(&Packet::tcp(client, service, SYN).with_mark(mark))
        };
        let first = from(1, ports[0]);
        assert_eq!(why(first), ForwardReason::Scheduled, "{key}");
        let second = from(2, ports[1]);
        assert_eq!((why(second), host(second)), (ForwardReason::Template, host(first)), "{key}");
        assert_eq!(counts(&mut director, &key), [(2, 0, 1), (0, 0, 0)], "{key}");
        let template = table(&mut director).into_iter().find(Connection::is_template).unwrap();
        assert_eq!(template.client_addr.to_string(), "203.0.113.0");
        let shown = (template.protocol.number(), template.destination_port);
        assert_eq!(
            shown,
            if key == self::key() {
                (6, 80)
            } else if mark == 7 {
                (0, 0)
            } else {
                (6, 0)
            }
        );
    }
}

#[test]
fn a_template_lives_in_steps_of_a_minute_while_it_has_connections() {
    let mut director = pool(rr(key()).with_persistence(100), &[server(1)]);
    let _ = director.open(&Flow::tcp(client(1), vip()));
    assert_eq!(counts(&mut director, &key()), [(1, 0, 1)]);
    director.advance(Duration::from_secs(100));
    let expires = |director: &mut EmbeddedDirector| {
        table(director).iter().find(|connection| connection.is_template()).map(|template| template.expires)
    };
    assert_eq!(expires(&mut director), Some(60));
    // The connection ends at 900 s; the last step had begun at 880 s.
    director.advance(Duration::from_secs(800));
    assert_eq!((director.connection_count(), expires(&mut director)), (1, Some(40)));
    director.advance(Duration::from_secs(40));
    assert_eq!(director.connection_count(), 0);
}

#[test]
fn an_established_connection_assures_its_template() {
    let mut director = pool(rr(key()).with_persistence(100), &[server(1)]);
    assert!(director.receive(&Packet::tcp(client(1), vip(), SYN)).is_forwarded());
    let template = |director: &mut EmbeddedDirector| {
        table(director).into_iter().find(|connection| connection.client_port == 0).unwrap().state
    };
    assert_eq!(template(&mut director), S::None);
    assert!(director.receive(&Packet::tcp(client(1), vip(), ACK)).is_forwarded());
    assert_eq!(template(&mut director), S::Assured);
}

#[test]
fn weight_zero_ends_persistence_only_with_expire_quiescent_template() {
    let mut director = pool(rr(key()).with_persistence(100), &[server(1), server(2)]);
    assert_eq!(host(director.receive(&Packet::tcp(client(1), vip(), SYN))), "198.51.100.2");
    director.update_destination(&key(), &server(2).with_weight(0)).unwrap();
    assert_eq!(host(director.receive(&Packet::tcp(client(2), vip(), SYN))), "198.51.100.2");
    set(&mut director, |settings| settings.expire_quiescent_template = true);
    assert_eq!(host(director.receive(&Packet::tcp(client(3), vip(), SYN))), "198.51.100.1");
    let all = table(&mut director);
    let templates: Vec<_> = all.iter().filter(|connection| connection.client_port == 0).collect();
    assert_eq!(templates.len(), 2);
    assert_eq!(templates.iter().filter(|template| template.destination_port == 0xffff).count(), 1);
}

#[test]
fn thresholds_block_new_connections_with_hysteresis() {
    for profile in [Profile::Old, Profile::New] {
        let key = ServiceKey::udp("192.0.2.1", 80).unwrap();
        let mut director = EmbeddedDirector::options().profile(profile).build();
        director.add_service(&rr(key)).unwrap();
        director.add_destination(&key, &server(1).with_thresholds(8, 0)).unwrap();
        let send =
            |director: &mut EmbeddedDirector, port| director.receive(&Packet::udp(client(port), vip())).is_forwarded();
        for port in 0..8 {
            assert!(send(&mut director, port), "{profile:?}");
            director.advance(Duration::from_secs(10));
        }
        assert!(!send(&mut director, 8), "{profile:?}");
        // The first expires at 300 s; new ones are taken again when 5 are left.
        director.advance(Duration::from_secs(230));
        assert!(!send(&mut director, 9), "{profile:?}");
        director.advance(Duration::from_secs(10));
        assert!(send(&mut director, 9), "{profile:?}");
    }
}

#[test]
fn ipsec_follows_its_key_exchange() {
    let key = ServiceKey::udp("192.0.2.1", 500).unwrap();
    let mut director = pool(rr(key), &[Destination::new([198, 51, 100, 1].into(), 500)]);
    let esp = Packet::new(client(0), addr("192.0.2.1:0"), Payload::Other(50));
    assert_eq!(director.receive(&esp), Verdict::Passed(PassReason::NotOpening));
    assert!(director.receive(&Packet::udp(client(500), addr("192.0.2.1:500"))).is_forwarded());
    assert_eq!(host(director.receive(&esp)), "198.51.100.1");
}

#[test]
fn rates_follow_the_traffic_with_the_kernels_delay() {
    let mut director = pool(rr(key()), &[server(1)]);
    for port in 1024..2024 {
        let _ = director.receive(&Packet::tcp(client(port), vip(), SYN).with_length(60));
    }
    assert_eq!(director.totals().counters.connections, 0);
    assert_eq!(director.live_totals().connections, 1000);
    director.advance(Duration::from_secs(2));
    let stats = director.destinations(&key()).unwrap()[0].statistics();
    assert_eq!((stats.counters.connections, stats.counters.bytes_in), (1000, 60_000));
    // 60000 << 4 >> 2 = 240000; (240000 + 15) >> 5 = 7500.
    assert_eq!((stats.rates.connections, stats.rates.bytes_in), (125, 7500));
    director.zero(Some(&key())).unwrap();
    assert_eq!(director.service(&key()).unwrap().statistics(), Default::default());
    assert_eq!(director.totals().counters.connections, 1000);
}

// The columns are those of /proc/net/ip_vs_conn of Linux 6.1 and 6.12 (ip_vs_conn.c:
// ip_vs_conn_seq_show()).
#[test]
fn the_table_prints_as_the_kernels_files() {
    let mut director = pool(rr(key()).with_persistence(300), &[server(1)]);
    let _ = director.open(&Flow::tcp(client(40000), vip()));
    director.advance(Duration::from_secs(2));
    let mut text = Vec::new();
    director.write_table(&mut text).unwrap();
    director.write_connections(&mut text).unwrap();
    director.write_stats(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    for line in [
        "IP Virtual Server version 1.2.1 (size=4096)",
        "TCP  C0000201:0050 rr  persistent 75000 FFFFFFFF",
        "  -> C6336401:0050      Route   1      1          0         ",
        "TCP CB007109 0000 C0000201 0050 C6336401 0050 ASSURED         298",
        "TCP CB007109 9C40 C0000201 0050 C6336401 0050 ESTABLISHED     898",
        "       1        2        0               50                0",
    ] {
        assert!(text.lines().any(|known| known == line), "{line:?} is not in\n{text}");
    }
}
