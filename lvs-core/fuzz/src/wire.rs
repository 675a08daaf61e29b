//! Messages of the kernel's family, cut and joined anywhere, and the structures of the old socket
//! options.

use lvs_core::Errno;
use lvs_core::model::{AddressFamily, Destination, Service, ServiceKey};
use lvs_core::wire::attr::Attributes;
use lvs_core::wire::message::{Answer, ExtendedAck, Messages, header, write, write_ack, write_done};
use lvs_core::wire::payload::{Payload, Request};
use lvs_core::wire::request::ReceivedRequest;
use lvs_core::wire::{daemon, destination, family, info, service, sockopt, stats, top};

/// Reads everything as everything.
pub fn run(bytes: &[u8]) {
    let mut count = 0;
    for message in Messages::new(bytes) {
        count += 1;
        if let Ok(Answer::Data(command, attributes)) = message.answer() {
            let _ = Payload::read(command, attributes);
            read(attributes);
            attributes.for_each(|attribute| read(attribute.nested()));
        }
        let _ = family::read_reply(&message);
        let _ = family::read_request(&message);
        if let Ok(request) = ReceivedRequest::read(&message) {
            for full in [false, true] {
                let _ = service::read_request(request.service, full);
                let _ = destination::read_request(request.destination, AddressFamily::Ipv4, full);
            }
            let _ = daemon::read_request(request.daemon);
            let _ = daemon::read_role(request.daemon);
        }
        let mut ack = Vec::new();
        write_ack(&mut ack, bytes, 1, Some(Errno::EINVAL), &ExtendedAck::default(), false);
    }
    assert!(count <= bytes.len() / 16 + 1, "{count} messages in {} bytes", bytes.len());
    read(Attributes::new(bytes));
    let entries = sockopt::read_services(bytes).map_or(0, |list| list.len());
    assert!(entries <= bytes.len());
    assert!(sockopt::read_service_keys(bytes).len() <= bytes.len());
    assert!(sockopt::read_destinations(bytes).len() <= bytes.len());
    assert!(sockopt::read_destination_keys(bytes).len() <= bytes.len());
    let _ = sockopt::read_daemons(bytes);
}

fn read(nest: Attributes<'_>) {
    let _ = service::read_entry(nest);
    let _ = destination::read_entry(nest, AddressFamily::Ipv6);
    let _ = daemon::read_entry(nest);
    let _ = top::read_timeouts(nest);
    let _ = info::read(nest);
    let _ = stats::read(nest);
}

/// A datagram of requests, and what answers them.
pub fn seeds() -> Vec<Vec<u8>> {
    let key = ServiceKey::tcp("192.0.2.1", 80).expect("an address");
    let operations = [
        lvs_core::director::Operation::AddService(Service::new(key).with_persistence(300)),
        lvs_core::director::Operation::AddDestination(key, Destination::new([198, 51, 100, 7].into(), 80)),
        lvs_core::director::Operation::RemoveService(key),
    ];
    let mut requests = Vec::new();
    for (sequence, operation) in (1..).zip(&operations) {
        write(&mut requests, header(33, 5, sequence), Request::Operation(operation));
    }
    let mut done = requests.clone();
    write_done(&mut done, 4, 1, Some(Errno::ENOENT));
    let mut lookup = Vec::new();
    family::write_request(&mut lookup, 1, "IPVS");
    let mut listed = sockopt::services_buffer(2);
    listed[0..4].copy_from_slice(&2u32.to_ne_bytes());
    let mut destinations = Vec::new();
    let _ = sockopt::prepare_destinations(&mut destinations, &key, 2);
    vec![requests, done, lookup, listed, destinations]
}
