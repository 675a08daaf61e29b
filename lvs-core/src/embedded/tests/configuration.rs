use std::time::Duration;

use super::super::{EmbeddedDirector, Interface};
use crate::director::{Cause, Director, OnRefusal, Operation};
use crate::model::{
    AddressFamily, Daemon, DaemonRole, Destination, ForwardingMethod, InterfaceName, Netmask, SchedulerName, Service,
    ServiceFlags, ServiceKey, Timeouts, Tunnel, TunnelFlags,
};
use crate::schedulers::Profile;
use crate::{Errno, Error};

fn web() -> ServiceKey {
    ServiceKey::tcp("192.0.2.1", 80).unwrap()
}

fn server(host: u8) -> Destination {
    Destination::new([198, 51, 100, host].into(), 80)
}

fn with_web() -> EmbeddedDirector {
    let mut director = EmbeddedDirector::new();
    director.add_service(&Service::new(web())).unwrap();
    director
}

#[track_caller]
fn refused(result: crate::Result<()>) -> Errno {
    result.unwrap_err().errno().unwrap()
}

#[test]
fn an_existing_service_is_seen_before_an_unknown_scheduler() {
    let mut director = with_web();
    let unknown = Service::new(web()).with_scheduler(SchedulerName::new("unknown").unwrap());
    assert_eq!(refused(director.add_service(&unknown)), Errno::EEXIST);
    assert_eq!(refused(director.update_service(&unknown)), Errno::ENOENT);
    let empty = Service::new(web()).with_scheduler(SchedulerName::new("").unwrap());
    assert_eq!(refused(director.update_service(&empty)), Errno::ENOENT);
    assert_eq!(director.service(&web()).unwrap().service.scheduler, SchedulerName::WLC);
}

#[test]
fn the_list_begins_with_the_newest_and_an_edit_moves_nothing() {
    let mut director = with_web();
    for host in 1..=3 {
        director.add_destination(&web(), &server(host)).unwrap();
    }
    director.update_destination(&web(), &server(1).with_weight(9)).unwrap();
    let hosts = |director: &mut EmbeddedDirector| {
        let list = director.destinations(&web()).unwrap();
        list.iter().map(|entry| entry.destination.key.addr.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(hosts(&mut director), ["198.51.100.3", "198.51.100.2", "198.51.100.1"]);
    director.remove_destination(&web(), &server(1).key).unwrap();
    director.add_destination(&web(), &server(1)).unwrap();
    assert_eq!(hosts(&mut director), ["198.51.100.1", "198.51.100.3", "198.51.100.2"]);
}

// The order of rows is that of the kernel's checks (ip_vs_ctl.c: ip_vs_genl_set_cmd(),
// ip_vs_add_dest()).
#[test]
fn destinations_are_refused_for_the_kernels_reasons_in_the_kernels_order() {
    let mut director = with_web();
    director.add_destination(&web(), &server(1)).unwrap();
    let v6 = Destination::new("2001:db8::7".parse().unwrap(), 80);
    for (destination, errno) in [
        (v6.with_weight(1 << 31), Errno::EINVAL),
        (v6.with_tunnel(Tunnel::IPIP).with_weight(1 << 31), Errno::ERANGE),
        (server(1).with_weight(1 << 31), Errno::ERANGE),
        (server(1).with_thresholds(1, 2), Errno::ERANGE),
        (server(1).with_thresholds(0, 1), Errno::ERANGE),
        (server(1).with_thresholds(1 << 31, 0), Errno::EINVAL),
        (server(1).with_tunnel(Tunnel::gue(0, TunnelFlags::EMPTY)), Errno::EINVAL),
        (server(1), Errno::EEXIST),
        (Destination::new("224.0.0.1".parse().unwrap(), 80), Errno::EINVAL),
    ] {
        assert_eq!(refused(director.add_destination(&web(), &destination)), errno, "{destination:?}");
    }
    assert_eq!(refused(director.update_destination(&web(), &server(2))), Errno::ENOENT);
    assert_eq!(refused(director.remove_destination(&web(), &server(2).key)), Errno::ENOENT);
    let absent = ServiceKey::udp("192.0.2.1", 80).unwrap();
    assert_eq!(refused(director.remove_destination(&absent, &server(2).key)), Errno::ESRCH);
    director.add_destination(&web(), &v6.with_tunnel(Tunnel::IPIP)).unwrap();
}

#[test]
fn the_old_profile_takes_thresholds_above_the_signed_range() {
    let mut director = EmbeddedDirector::options().profile(Profile::Old).build();
    director.add_service(&Service::new(web())).unwrap();
    director.add_destination(&web(), &server(1).with_thresholds(1 << 31, 0)).unwrap();
}

#[test]
fn a_timeout_wraps_as_it_does_in_the_kernel() {
    let mut director = EmbeddedDirector::new();
    director.add_service(&Service::new(web()).with_persistence(u32::MAX)).unwrap();
    assert_eq!(director.service(&web()).unwrap().service.timeout, 17_179_868);
}

#[test]
fn a_timeout_out_of_range_changes_none_of_the_three() {
    let mut director = EmbeddedDirector::new();
    let timeouts = Timeouts { tcp: 10, tcp_fin: 0, udp: 8_589_935 };
    assert_eq!(refused(director.set_timeouts(timeouts)), Errno::EINVAL);
    assert_eq!(director.timeouts().unwrap(), Timeouts::default());
    director.set_timeouts(Timeouts { tcp: 10, tcp_fin: 0, udp: 8_589_934 }).unwrap();
    assert_eq!(director.timeouts().unwrap(), Timeouts { tcp: 10, tcp_fin: 120, udp: 8_589_934 });
}

#[test]
fn an_unused_destination_leaves_the_trash_after_three_minutes() {
    let mut director = with_web();
    director.add_destination(&web(), &server(1)).unwrap();
    director.remove_destination(&web(), &server(1).key).unwrap();
    // First found idle after 60 s, kept for 120 s from there, looked at every 60 s.
    director.advance(Duration::from_secs(179));
    assert_eq!(director.table.sizes().trash, 1);
    director.advance(Duration::from_secs(1));
    assert_eq!(director.table.sizes().trash, 0);
}

#[test]
fn a_service_made_again_finds_its_destinations() {
    let mut director = with_web();
    director.add_destination(&web(), &server(1)).unwrap();
    director.flush().unwrap();
    director.add_service(&Service::new(web())).unwrap();
    assert!(director.destinations(&web()).unwrap().is_empty());
    director.add_destination(&web(), &server(1)).unwrap();
    assert_eq!(refused(director.add_destination(&web(), &server(1))), Errno::EEXIST);
    assert_eq!(director.destinations(&web()).unwrap().len(), 1);
}

#[test]
fn daemons_are_filled_in_with_the_kernels_defaults() {
    let mut director = EmbeddedDirector::new();
    let daemon = Daemon::new(DaemonRole::Master, InterfaceName::new("eth0").unwrap(), 7);
    director.start_daemon(&daemon).unwrap();
    assert_eq!(refused(director.start_daemon(&daemon)), Errno::EEXIST);
    let nowhere = Daemon::new(DaemonRole::Master, InterfaceName::new("eth9").unwrap(), 7);
    assert_eq!(refused(director.start_daemon(&nowhere)), Errno::ENODEV);
    let running = director.daemons().unwrap()[0];
    assert_eq!((running.max_len, running.port, running.ttl), (Some(1472), Some(8848), Some(1)));
    director.stop_daemon(DaemonRole::Master).unwrap();
    assert_eq!(refused(director.stop_daemon(DaemonRole::Master)), Errno::ESRCH);
}

#[test]
fn a_sync_daemon_and_a_destination_of_the_other_family_exclude_each_other() {
    let mut director = with_web();
    let mixed = Destination::new("2001:db8::7".parse().unwrap(), 80).with_tunnel(Tunnel::IPIP);
    let daemon = Daemon::new(DaemonRole::Backup, InterfaceName::new("eth0").unwrap(), 0);
    director.start_daemon(&daemon).unwrap();
    assert_eq!(refused(director.add_destination(&web(), &mixed)), Errno::EINVAL);
    director.stop_daemon(DaemonRole::Backup).unwrap();
    director.add_destination(&web(), &mixed).unwrap();
    assert_eq!(refused(director.start_daemon(&daemon)), Errno::EINVAL);
    director.flush().unwrap();
    director.start_daemon(&daemon).unwrap();
}

#[test]
fn a_batch_names_what_was_refused() {
    let mut director = EmbeddedDirector::new();
    let add = Operation::AddService(Service::new(web()));
    let report = director.apply(&[add, add, Operation::Flush], OnRefusal::Continue);
    assert_eq!((report.answered, report.refused.len(), report.refused[0].index), (3, 1, 1));
    assert_eq!(report.refused[0].error.cause, Cause::ServiceExists);
    let report = director.apply(&[add, add, Operation::Flush], OnRefusal::Stop);
    assert_eq!((report.answered, report.applied()), (2, 1));
    assert_eq!(director.services().unwrap().len(), 1);
}

#[test]
fn a_kernel_without_ipv6_refuses_the_family() {
    let mut director = EmbeddedDirector::options().ipv6(false).build();
    let service = Service::new(ServiceKey::tcp("2001:db8::1", 80).unwrap());
    assert_eq!(refused(director.add_service(&service)), Errno::EAFNOSUPPORT);
    let Err(Error::Refused(error)) = director.service(&service.key()) else { panic!("it is refused") };
    assert_eq!(error.cause, Cause::FamilyUnsupported);
}

#[test]
fn whatever_can_be_set_is_read_back() {
    let mut director = EmbeddedDirector::options()
        .interfaces([Interface { name: InterfaceName::new("eth7").unwrap(), mtu: 9000 }])
        .build();
    let service = Service::new(ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap())
        .with_scheduler(SchedulerName::NONE)
        .with_flags(ServiceFlags::from_bits(0x8000_0004))
        .with_netmask(Netmask::V4([255, 0, 255, 0].into()))
        .unwrap();
    let destination = server(9).with_forwarding(ForwardingMethod::Other(6)).with_thresholds(9, 8).with_weight(0);
    director.add_service(&service).unwrap();
    director.add_destination(&service.key(), &destination).unwrap();
    director.start_daemon(&Daemon::new(DaemonRole::Backup, InterfaceName::new("eth7").unwrap(), 3)).unwrap();
    let snapshot = director.snapshot().unwrap();
    assert_eq!(snapshot.services[0].entry.service, service);
    assert_eq!(snapshot.services[0].destinations[0].destination, destination);
    assert_eq!(snapshot.daemons[0].max_len, Some(8972));
}
