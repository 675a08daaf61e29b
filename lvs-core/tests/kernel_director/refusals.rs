//! Services and destinations that the kernel refuses.

use super::*;

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn services_are_refused_with_the_errno_of_the_kernel_s_table() {
    let mut director = open();
    let service = Service::new(v4(1)).with_scheduler(SchedulerName::RR);
    director.add_service(&service).unwrap();
    refused(director.add_service(&service), Errno::EEXIST, Cause::ServiceExists);
    // Existence is checked before the scheduler.
    let odd = service.with_scheduler(name("nosuch"));
    refused(director.add_service(&odd), Errno::EEXIST, Cause::ServiceExists);
    refused(director.update_service(&odd), Errno::ENOENT, Cause::SchedulerNotFound(name("nosuch")));
    assert_eq!(director.service(&v4(1)).unwrap().service, service);

    let absent = Service::new(v4(2)).with_scheduler(SchedulerName::RR);
    let gone = Cause::ServiceNotFound;
    refused(director.update_service(&absent), Errno::ESRCH, gone);
    refused(director.remove_service(&v4(2)), Errno::ESRCH, gone);
    refused(director.service(&v4(2)), Errno::ESRCH, gone);
    refused(director.destinations(&v4(2)), Errno::ESRCH, gone);
    refused(director.zero(Some(&v4(2))), Errno::ESRCH, gone);
    refused(director.add_destination(&v4(2), &server(1)), Errno::ESRCH, gone);
    refused(director.update_destination(&v4(2), &server(1)), Errno::ESRCH, gone);
    refused(director.remove_destination(&v4(2), &server(1).key), Errno::ESRCH, gone);
    assert!(director.destinations(&v4(1)).unwrap().is_empty());
    let mark = ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap();
    director.add_service(&Service::new(mark)).unwrap();
    refused(director.service(&ServiceKey::fwmark(7, AddressFamily::Ipv6).unwrap()), Errno::ESRCH, gone);

    for scheduler in ["nosuch", ""] {
        let odd = absent.with_scheduler(name(scheduler));
        refused(director.add_service(&odd), Errno::ENOENT, Cause::SchedulerNotFound(name(scheduler)));
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_missing_engine_is_reported_apart_from_a_missing_scheduler() {
    let mut director = open();
    let there = Service::new(ServiceKey::udp("192.0.2.1", 5060).unwrap()).with_persistence(60);
    director.add_service(&there).unwrap();
    let absent = Service::new(ServiceKey::udp("2001:db8::1", 5060).unwrap()).with_persistence(60);
    let before = director.snapshot().unwrap();
    for (scheduler, engine, cause) in [
        ("rr", "nosuch", Cause::EngineNotFound(name("nosuch"))),
        ("none", "nosuch", Cause::EngineNotFound(name("nosuch"))),
        ("nosuch", "sip", Cause::SchedulerNotFound(name("nosuch"))),
        ("nosuch", "neither", Cause::SchedulerNotFound(name("nosuch"))),
    ] {
        let with = |service: Service| service.with_scheduler(name(scheduler)).with_engine(name(engine));
        refused(director.add_service(&with(absent)), Errno::ENOENT, cause);
        refused(director.update_service(&with(there)), Errno::ENOENT, cause);
    }
    assert_eq!(director.snapshot().unwrap(), before);
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn destinations_are_refused_with_the_errno_of_the_kernel_s_table() {
    let mut director = open();
    director.add_service(&Service::new(v4(1))).unwrap();
    director.add_destination(&v4(1), &server(1)).unwrap();
    refused(director.add_destination(&v4(1), &server(1)), Errno::EEXIST, Cause::DestinationExists);
    refused(director.update_destination(&v4(1), &server(2)), Errno::ENOENT, Cause::DestinationNotFound);
    refused(director.remove_destination(&v4(1), &server(2).key), Errno::ENOENT, Cause::DestinationNotFound);
    // Another port is another destination.
    let mut other_port = server(1);
    other_port.key.port = 81;
    refused(director.update_destination(&v4(1), &other_port), Errno::ENOENT, Cause::DestinationNotFound);

    for bad in [server(2).with_weight(1 << 31), server(2).with_thresholds(1, 2), server(2).with_thresholds(0, 1)] {
        refused(director.add_destination(&v4(1), &bad), Errno::ERANGE, Cause::OutOfRange);
        let mut edit = bad;
        edit.key = server(1).key;
        refused(director.update_destination(&v4(1), &edit), Errno::ERANGE, Cause::OutOfRange);
    }
    let no_port = server(2).with_tunnel(Tunnel::gue(0, TunnelFlags::EMPTY));
    refused(director.add_destination(&v4(1), &no_port), Errno::EINVAL, Cause::Invalid);
    for addr in ["0.0.0.0", "224.0.0.1", "255.255.255.255"] {
        let odd = Destination::new(addr.parse().unwrap(), 80);
        refused(director.add_destination(&v4(1), &odd), Errno::EINVAL, Cause::Invalid);
    }
    for addr in ["127.0.0.1", "240.0.0.1"] {
        director.add_destination(&v4(1), &Destination::new(addr.parse().unwrap(), 80)).unwrap();
    }
    director.add_destination(&v4(1), &server(3).with_thresholds(2, 2)).unwrap();
    // Of another family only through a tunnel.
    let six = Destination::new("2001:db8::7".parse().unwrap(), 80);
    for method in [ForwardingMethod::Masquerade, ForwardingMethod::Direct] {
        refused(director.add_destination(&v4(1), &six.with_forwarding(method)), Errno::EINVAL, Cause::Invalid);
    }
    director.add_destination(&v4(1), &six.with_tunnel(Tunnel::IPIP)).unwrap();

    // 6.1.183 and 6.12.104 refuse what does not fit an int; those before take it.
    let huge = server(4).with_thresholds(1 << 31, 0);
    let numbers: Vec<u32> = release().split(['.', '-', '+']).take(3).map_while(|part| part.parse().ok()).collect();
    // Debian's 6.1 packages do not say the third number; the kernel's own version does.
    let version = std::fs::read_to_string("/proc/version").unwrap();
    match director.add_destination(&v4(1), &huge) {
        Ok(()) => assert!(numbers.starts_with(&[6, 1]) && version.contains("6.1.176"), "{version}"),
        result => refused(result, Errno::EINVAL, Cause::Invalid),
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_scheduler_that_cannot_start_refuses_the_service() {
    let mut director = open();
    director.add_service(&Service::new(v4(1)).with_scheduler(SchedulerName::RR)).unwrap();
    // The table of mh has 4093 places.
    let adds: Vec<_> =
        (1..=4094).map(|number| Operation::AddDestination(v4(1), Destination::new(addr_of(number), 80))).collect();
    let report = director.apply(&adds, OnRefusal::Continue);
    assert!(report.is_complete(), "{:?}", report.refused);
    let mh = Service::new(v4(1)).with_scheduler(name("mh"));
    refused(director.update_service(&mh), Errno::EINVAL, Cause::Invalid);
    assert_eq!(director.service(&v4(1)).unwrap().service.scheduler, SchedulerName::RR);
    let list = director.destinations(&v4(1)).unwrap();
    assert_eq!(list.len(), 4094);
    assert_eq!(list.iter().map(|entry| entry.destination.key).collect::<HashSet<_>>().len(), 4094);
}
