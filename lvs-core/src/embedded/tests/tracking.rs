//! What connection tracking does to the director, and ICMP errors.

use std::time::Duration;

use super::super::{DropReason, EmbeddedDirector, ForwardReason, Packet, PassReason, TcpFlags, Verdict};
use super::packets::{ACK, FIN, RST, SYN, addr, client, counts, host, key, pool, rr, server, set, state, vip, why};
use crate::Director;
use crate::model::{ConnectionState as S, ForwardingMethod, ServiceKey};

fn send(director: &mut EmbeddedDirector, flags: TcpFlags) -> Verdict {
    director.receive(&Packet::tcp(client(1), vip(), flags))
}

#[test]
fn a_tracked_connection_of_a_quiesced_destination_must_end_first() {
    for (conntrack, expected) in [(false, false), (true, true)] {
        let mut director = pool(rr(key()), &[server(1), server(2)]);
        set(&mut director, |settings| {
            settings.conntrack = conntrack;
            settings.expire_nodest_conn = true;
        });
        assert_eq!(host(send(&mut director, SYN)), "198.51.100.2");
        director.update_destination(&key(), &server(2).with_weight(0)).unwrap();
        assert_eq!(send(&mut director, SYN) == Verdict::Dropped(DropReason::Tracked), expected);
        director.advance(Duration::from_millis(8));
        assert_eq!((host(send(&mut director, SYN)), director.connection_count()), ("198.51.100.1".into(), 1));
    }
}

#[test]
fn a_tracked_connection_of_a_removed_destination_must_end_first() {
    let mut director = pool(rr(key()), &[server(1), server(2)]);
    set(&mut director, |settings| {
        settings.conntrack = true;
        settings.expire_nodest_conn = true;
    });
    assert_eq!(host(send(&mut director, SYN)), "198.51.100.2");
    director.remove_destination(&key(), &server(2).key).unwrap();
    assert_eq!(send(&mut director, ACK), Verdict::Dropped(DropReason::Tracked));
    director.advance(Duration::from_millis(8));
    assert_eq!(host(send(&mut director, SYN)), "198.51.100.1");
}

#[test]
fn a_reused_ended_connection_is_dropped_only_while_tracked() {
    let mut director = pool(rr(key()), &[server(1), server(2)]);
    set(&mut director, |settings| settings.conntrack = true);
    let syn = Packet::tcp(client(1), vip(), SYN);
    for (packet, expected) in [
        // Netfilter starts again when both sides have finished.
        (syn, None),
        (syn.with_tracking(false), None),
        (syn.with_tracking(true), Some(DropReason::Tracked)),
    ] {
        let _ = send(&mut director, SYN);
        let _ = send(&mut director, RST);
        let _ = send(&mut director, FIN);
        let verdict = director.receive(&packet);
        match expected {
            Some(drop) => assert_eq!(verdict, Verdict::Dropped(drop)),
            None => assert_eq!(why(verdict), ForwardReason::Scheduled),
        }
    }
}

#[test]
fn the_ftp_helper_keeps_masqueraded_control_connections_tracked() {
    let ftp = ServiceKey::tcp("192.0.2.1", 21).unwrap();
    let syn = Packet::tcp(client(1), addr("192.0.2.1:21"), SYN);
    for (loaded, method, tracked) in [
        (true, ForwardingMethod::Masquerade, true),
        (true, ForwardingMethod::Direct, false),
        (false, ForwardingMethod::Masquerade, false),
    ] {
        // Told nothing, the director judges by itself.
        for (packet, tracked) in [(syn, tracked), (syn.with_tracking(true), true), (syn.with_tracking(false), false)] {
            let mut director = EmbeddedDirector::options().ftp_helper(loaded).build();
            set(&mut director, |settings| settings.expire_nodest_conn = true);
            director.add_service(&rr(ftp)).unwrap();
            director.add_destination(&ftp, &server(1).with_forwarding(method)).unwrap();
            let _ = director.receive(&syn);
            director.update_destination(&ftp, &server(1).with_forwarding(method).with_weight(0)).unwrap();
            let verdict = director.receive(&packet);
            assert_eq!(
                verdict == Verdict::Dropped(DropReason::Tracked),
                tracked,
                "{loaded} {method} {packet:?} {verdict}"
            );
        }
    }
}

#[test]
fn errors_about_a_connection_count_and_do_nothing_else() {
    let mut director = pool(rr(key()), &[server(1).with_forwarding(ForwardingMethod::Masquerade)]);
    let error = Packet::icmp_error(client(1), vip(), 6);
    assert_eq!(director.receive(&error), Verdict::Passed(PassReason::NotOpening));
    let _ = send(&mut director, SYN);
    director.advance(Duration::from_secs(10));
    assert_eq!(
        (host(director.receive(&error)), why(director.receive(&error))),
        ("198.51.100.1".into(), ForwardReason::Connection)
    );
    let about_request = Packet::icmp_error(addr("198.51.100.1:80"), client(1), 6).from_server();
    assert_eq!(why(director.receive(&about_request)), ForwardReason::Reply);
    let elsewhere = Packet::icmp_error(addr("198.51.100.1:81"), client(1), 6).from_server();
    assert_eq!(director.receive(&elsewhere), Verdict::Passed(PassReason::NoReply));
    assert_eq!(director.receive(&Packet::icmp_error(client(1), vip(), 17)), Verdict::Passed(PassReason::NotOpening));
    assert_eq!((state(&mut director), counts(&mut director, &key())[0]), ((S::SynRecv, 50), (1, 0, 0)));
    let live = director.live_totals();
    assert_eq!((live.packets_in, live.bytes_in, live.packets_out, live.bytes_out), (3, 40 + 2 * 56, 1, 56));
}
