// What the examples of the schedulers' documentation have in common; see the module's
// documentation.

#[allow(unused_imports)]
use lvs_core::schedulers::*;

/// A service with destinations A, B, C... of these weights, added in this order.
pub fn service(scheduler: &str, weights: &[i32]) -> Balancer {
    let scheduler = by_name(scheduler, &SchedulerOptions::default()).expect("there is such a scheduler");
    let mut service = Balancer::new(Pool::new(Profile::New, Family::V4), scheduler, 0).expect("an empty pool suits all");
    for (host, &weight) in (1..).zip(weights) {
        service.add(NewDestination::new([198, 51, 100, host].into(), 80, weight)).expect("addresses differ");
    }
    service
}

pub fn named(service: &Balancer, name: char) -> DestinationId {
    service.pool().find([198, 51, 100, name as u8 - b'A' + 1].into(), 80).expect("it is listed")
}

pub fn name(service: &Balancer, at: DestinationId) -> char {
    match service.pool().addr(at) {
        std::net::IpAddr::V4(v4) => (v4.octets()[3] - 1 + b'A').into(),
        std::net::IpAddr::V6(_) => '?',
    }
}

/// Who gets the next connections from one client; all stay active. `-` if nobody.
pub fn picks(service: &mut Balancer, count: usize) -> String {
    let request = Request::tcp(([203, 0, 113, 9], 40000).into(), ([192, 0, 2, 1], 80).into());
    (0..count).map(|_| service.connect(&request).map_or('-', |at| name(service, at))).collect()
}

/// Who gets the next connections from the clients 192.0.2.1, 192.0.2.2, ...; all stay active. `-`
/// if nobody.
pub fn picks_for_clients(service: &mut Balancer, count: u8) -> String {
    let request = |host| Request::tcp(([192, 0, 2, host], 40000).into(), ([198, 51, 100, 1], 80).into());
    (1..=count).map(|host| service.connect(&request(host)).map_or('-', |at| name(service, at))).collect()
}
