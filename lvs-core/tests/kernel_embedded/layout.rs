//! How the running kernel lays out the entries of its lists.

use lvs_core::model::{AddressFamily, Service, ServiceKey};
use lvs_core::wire::attr::Attributes;
use lvs_core::wire::message::{Command, Messages};
use lvs_core::wire::uapi::*;
use lvs_core::wire::{destination, service, stats};

use super::clocked::serve;
use super::socket::Both;

/// A kernel with another layout is read right and slowly, and nothing but this tells of it: its new
/// attribute wants a row in the table. User-mode Linux pads what has 64 bits, and is read slowly.
pub(crate) fn look_at_lists(both: &mut Both) {
    let keys = [
        ServiceKey::tcp("198.18.0.1", 80).unwrap(),
        ServiceKey::udp("198.18.0.1", 53).unwrap(),
        ServiceKey::fwmark(7, AddressFamily::Ipv4).unwrap(),
    ];
    for key in keys {
        serve(both, &Service::new(key).with_persistence(60));
    }
    let fixed = !super::is_user_mode();
    let mut seen = [0; 2];
    let mut each = |datagrams: Vec<Vec<u8>>| {
        for message in datagrams.iter().flat_map(|datagram| Messages::new(datagram)) {
            if message.header.message_type == NLMSG_DONE {
                continue;
            }
            let (command, attributes) = message.command().unwrap();
            if command == Command::NewDest {
                assert_eq!(destination::has_fixed_layout(nest(attributes, IPVS_CMD_ATTR_DEST)), fixed, "{message:?}");
                seen[1] += 1;
                continue;
            }
            let entry = nest(attributes, IPVS_CMD_ATTR_SERVICE);
            for number in [IPVS_SVC_ATTR_STATS, IPVS_SVC_ATTR_STATS64] {
                assert_eq!(stats::has_fixed_layout(nest(entry, number)), fixed, "{number}: {message:?}");
            }
            seen[0] += 1;
        }
    };
    each(both.list_of_kernel(Command::GetService, &[]));
    for key in keys {
        let mut attributes = Vec::new();
        service::write_key(&mut attributes, &key);
        each(both.list_of_kernel(Command::GetDest, &attributes));
    }
    assert_eq!(seen, [keys.len(); 2]);
}

fn nest(mut attributes: Attributes<'_>, number: u16) -> Attributes<'_> {
    attributes.find(|attribute| attribute.number() == number).unwrap().nested()
}
