//! The messages of `wire` with `genetlink`: what its example does, against the kernel.

use lvs_core::Director;
use lvs_core::model::{Destination, Service, ServiceKey};
use lvs_core::wire::payload::{Payload, Request};

use super::open;

#[allow(dead_code)] // Its main function.
#[path = "../../examples/genetlink.rs"]
mod example;

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn genetlink_reads_what_the_director_wrote() {
    let mut director = open();
    let web = ServiceKey::tcp("192.0.2.1", 80).unwrap();
    let dns = ServiceKey::udp("2001:db8::1", 53).unwrap();
    for key in [web, dns] {
        director.add_service(&Service::new(key)).unwrap();
    }
    for port in 1..=20 {
        director.add_destination(&web, &Destination::new("198.51.100.7".parse().unwrap(), port)).unwrap();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let (services, destinations) = runtime.block_on(async {
        let (connection, mut handle, _) = genetlink::new_connection().unwrap();
        tokio::spawn(connection);
        let services = example::list(&mut handle, Request::Services).await.unwrap();
        (services, example::list(&mut handle, Request::Destinations(&web)).await.unwrap())
    });
    let expected: Vec<_> = director.services().unwrap().into_iter().map(Payload::Service).collect();
    assert_eq!(services, expected);
    let expected: Vec<_> = director.destinations(&web).unwrap().into_iter().map(Payload::Destination).collect();
    assert_eq!((destinations.len(), destinations), (20, expected));
}
