//! The old socket options beside netlink.

use super::*;

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_old_socket_options_see_what_netlink_sees_as_far_as_they_see() {
    let mut director = open();
    assert!(director.apply(&operations(&rich_table()), OnRefusal::Continue).refused.is_empty());
    let mut options = KernelDirector::options().transport(TransportChoice::SocketOptions).open().unwrap();
    let (full, seen) = (director.snapshot().unwrap(), options.snapshot().unwrap());
    assert_eq!(seen.info, full.info);
    assert_eq!(seen.timeouts, full.timeouts);
    let expected: Vec<ServiceSnapshot> = full
        .services
        .iter()
        .filter(|service| service.entry.service.key().family() == AddressFamily::Ipv4)
        .map(|service| {
            let mut seen = service.clone();
            seen.entry.service.engine = None;
            seen.entry.stats64 = None;
            seen.destinations.retain(|entry| entry.destination.key.family() == AddressFamily::Ipv4);
            for entry in &mut seen.destinations {
                entry.destination.tunnel = Tunnel::IPIP;
                entry.stats64 = None;
            }
            seen
        })
        .collect();
    // The kernel may put services elsewhere in its table between two readings: since 7.1 the table
    // grows.
    let in_order = |mut services: Vec<ServiceSnapshot>| {
        services.sort_by_key(|service| service.entry.service.key());
        services
    };
    let expected = in_order(expected);
    assert_eq!(in_order(seen.services), expected);
    for service in &expected {
        let key = service.entry.service.key();
        if key.protocol() != Some(Protocol::Other(300)) {
            assert_eq!(options.service(&key).unwrap(), service.entry);
            assert_eq!(options.destinations(&key).unwrap(), service.destinations);
        }
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_old_socket_options_write_what_netlink_reads_and_refuse_alike() {
    let mut director = open();
    let mut options = KernelDirector::options().transport(TransportChoice::SocketOptions).open().unwrap();
    let mark = ServiceKey::fwmark(u32::MAX, AddressFamily::Ipv4).unwrap();
    let flags = ServiceFlags::from_bits(0xa5f0_0000) | ServiceFlags::PERSISTENT;
    let mut first = Service::new(v4(1)).with_flags(flags).with_netmask(Netmask::V4([255, 0, 0, 0].into())).unwrap();
    first.timeout = 77;
    let list =
        [server(1).with_weight(9).with_thresholds(7, 3), server(2).with_forwarding(ForwardingMethod::Masquerade)];
    let operations = [
        Operation::AddService(first),
        Operation::AddService(Service::new(mark).with_scheduler(SchedulerName::NONE)),
        Operation::AddDestination(v4(1), list[0]),
        Operation::AddDestination(v4(1), list[1]),
        Operation::AddDestination(mark, list[0]),
        Operation::UpdateDestination(mark, list[0].with_weight(1)),
        Operation::UpdateService(Service::new(mark).with_scheduler(SchedulerName::RR)),
        Operation::SetTimeouts(Timeouts { tcp: 901, tcp_fin: 0, udp: 0 }),
        Operation::Zero(Some(v4(1))),
        Operation::Zero(None),
    ];
    let report = options.apply(&operations, OnRefusal::Stop);
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(director.service(&v4(1)).unwrap().service, first);
    assert_eq!(director.service(&mark).unwrap().service.scheduler, SchedulerName::RR);
    let read: Vec<_> = director.destinations(&v4(1)).unwrap().iter().rev().map(|entry| entry.destination).collect();
    assert_eq!(read, list);
    assert_eq!(director.destinations(&mark).unwrap()[0].destination.weight, 1);
    assert_eq!(director.timeouts().unwrap().tcp, 901);

    refused(options.add_service(&first), Errno::EEXIST, Cause::ServiceExists);
    refused(options.remove_service(&v4(2)), Errno::ESRCH, Cause::ServiceNotFound);
    refused(options.service(&v4(2)), Errno::ESRCH, Cause::ServiceNotFound);
    refused(options.destinations(&v4(2)), Errno::ESRCH, Cause::ServiceNotFound);
    refused(options.add_destination(&v4(1), &list[0]), Errno::EEXIST, Cause::DestinationExists);
    refused(options.remove_destination(&v4(1), &server(9).key), Errno::ENOENT, Cause::DestinationNotFound);
    let odd = Service::new(v4(3)).with_scheduler(name("nosuch"));
    refused(options.add_service(&odd), Errno::ENOENT, Cause::SchedulerNotFound(name("nosuch")));
    for (error, what) in [
        (options.add_service(&Service::new(v4(3)).with_engine(name("sip"))), "a persistence engine"),
        (options.add_destination(&v4(1), &server(3).with_tunnel(Tunnel::gue(6080, TunnelFlags::EMPTY))), "a tunnel"),
        (options.add_destination(&v4(1), &Destination::new("2001:db8::1".parse().unwrap(), 80)), "IPv6"),
    ] {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains(what), "{error}");
    }
    options.remove_destination(&v4(1), &list[0].key).unwrap();
    options.remove_service(&mark).unwrap();
    options.flush().unwrap();
    assert!(director.services().unwrap().is_empty());
}
