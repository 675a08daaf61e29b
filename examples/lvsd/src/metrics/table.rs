use lvs_core::model::{DestinationEntry, DestinationKey, ServiceKey, ServiceSnapshot, Snapshot, Stats};

use super::{Families, Labels, Naming};

/// The labels that series have already.
const OWN: [&str; 10] = [
    "protocol",
    "address",
    "port",
    "fwmark",
    "family",
    "name",
    "destination_address",
    "destination_port",
    "scheduler",
    "forwarding",
];

/// Whether a service may have a label of this name: one that Prometheus takes, and not there
/// already. One that is not would cost the whole page.
pub(crate) fn may_be_label(name: &str) -> bool {
    let clean = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    clean && begins && !name.starts_with("__") && !OWN.contains(&name)
}

/// A label's value as both text formats have it; the encoder writes it as it is.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The labels of a service: what it is, and what people call it.
pub(super) fn service(key: &ServiceKey, naming: &Naming) -> Labels {
    let (protocol, address, port, fwmark) = match *key {
        ServiceKey::Endpoint { protocol, addr, port } => {
            (protocol.to_string(), addr.to_string(), port.to_string(), String::new())
        }
        ServiceKey::Fwmark { mark, .. } => (String::new(), String::new(), String::new(), mark.to_string()),
    };
    let family = if key.family() == lvs_core::model::AddressFamily::Ipv4 { "ipv4" } else { "ipv6" };
    let mut labels: Vec<(String, String)> = [
        ("protocol", protocol),
        ("address", address),
        ("port", port),
        ("fwmark", fwmark),
        ("family", family.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    labels.extend(naming.name.as_deref().map(|name| ("name".to_owned(), escaped(name))));
    labels.extend(naming.labels.iter().map(|(name, value)| (name.clone(), escaped(value))));
    Labels::new(labels)
}

/// The labels of a server of a service. They do not change with how packets reach it.
pub(super) fn destination(service: &Labels, key: &DestinationKey) -> Labels {
    let mut labels = (**service).clone();
    labels.push(("destination_address".to_owned(), key.addr.to_string()));
    labels.push(("destination_port".to_owned(), key.port.to_string()));
    Labels::new(labels)
}

/// A sum of [`Stats`]: names for services and destinations, help, and where it stands.
type Sum = (&'static str, &'static str, &'static str, fn(&Stats) -> u64);

const SUMS: [Sum; 3] = [
    ("lvs_service_connections", "lvs_destination_connections", "Connections scheduled", |stats| {
        stats.counters.connections
    }),
    ("lvs_service_incoming_packets", "lvs_destination_incoming_packets", "Packets from clients", |stats| {
        stats.counters.packets_in
    }),
    ("lvs_service_outgoing_packets", "lvs_destination_outgoing_packets", "Packets from real servers", |stats| {
        stats.counters.packets_out
    }),
];

const BYTES: [Sum; 2] = [
    ("lvs_service_incoming", "lvs_destination_incoming", "Bytes from clients", |stats| stats.counters.bytes_in),
    ("lvs_service_outgoing", "lvs_destination_outgoing", "Bytes from real servers", |stats| stats.counters.bytes_out),
];

type Services<'a> = Vec<(Labels, &'a ServiceSnapshot)>;
type Destinations<'a> = Vec<(Labels, &'a DestinationEntry)>;

fn labelled<'a>(snapshot: &'a Snapshot, naming: impl Fn(&ServiceKey) -> Naming) -> (Services<'a>, Destinations<'a>) {
    let services: Services<'_> = snapshot
        .services
        .iter()
        .map(|entry| (service(&entry.entry.service.key(), &naming(&entry.entry.service.key())), entry))
        .collect();
    let destinations = services
        .iter()
        .flat_map(|(labels, service)| {
            service.destinations.iter().map(|entry| (destination(labels, &entry.destination.key), entry))
        })
        .collect();
    (services, destinations)
}

/// Adds the metrics of a table.
pub fn add_table(families: &mut Families, snapshot: &Snapshot, naming: impl Fn(&ServiceKey) -> Naming) {
    add_counters(families, &labelled(snapshot, &naming));
    add_state(families, snapshot, &naming);
    add_unseen(families, &labelled(snapshot, naming).1);
    for (name, help, value) in [
        ("lvs_timeout_tcp", "Seconds until an idle TCP connection is forgotten", snapshot.timeouts.tcp),
        ("lvs_timeout_tcp_fin", "Seconds until a closing TCP connection is forgotten", snapshot.timeouts.tcp_fin),
        ("lvs_timeout_udp", "Seconds until a UDP flow is forgotten", snapshot.timeouts.udp),
    ] {
        families.gauge(name, help, [(Labels::default(), u64::from(value))]);
    }
    let daemons = snapshot.daemons.iter().map(|daemon| {
        let labels = [
            ("role", daemon.role.to_string()),
            ("interface", escaped(daemon.interface.as_str())),
            ("sync_id", daemon.sync_id.to_string()),
        ];
        (Labels::new(labels.map(|(name, value)| (name.to_owned(), value)).to_vec()), 1)
    });
    families.gauge("lvs_sync_daemon", "The sync daemons that run", daemons);
}

/// What `/proc/net/ip_vs` does not show.
fn add_unseen(families: &mut Families, destinations: &Destinations<'_>) {
    let count = |count: fn(&DestinationEntry) -> u32| {
        destinations.iter().map(move |(labels, entry)| (labels.clone(), u64::from(count(entry))))
    };
    families.gauge("lvs_destination_persistent_connections", "Persistence templates", count(|entry| entry.persistent));
    families.gauge(
        "lvs_destination_upper_threshold",
        "Connections from which on it gets no new ones, 0 for no limit",
        count(|entry| entry.destination.upper_threshold),
    );
    families.gauge(
        "lvs_destination_lower_threshold",
        "Connections below which it gets new ones again, 0 for three quarters of the upper threshold",
        count(|entry| entry.destination.lower_threshold),
    );
}

/// Adds the sums of all services, present and past.
pub fn add_totals(families: &mut Families, stats: &Stats) {
    let counters = &stats.counters;
    for (name, help, value) in [
        ("lvs_connections", "Connections scheduled by all services", counters.connections),
        ("lvs_incoming_packets", "Packets from clients of all services", counters.packets_in),
        ("lvs_outgoing_packets", "Packets from real servers of all services", counters.packets_out),
    ] {
        families.counter(name, help, [(Labels::default(), value)]);
    }
    families.bytes("lvs_incoming", "Bytes from clients of all services", [(Labels::default(), counters.bytes_in)]);
    families.bytes(
        "lvs_outgoing",
        "Bytes from real servers of all services",
        [(Labels::default(), counters.bytes_out)],
    );
}

fn add_counters(families: &mut Families, (services, destinations): &(Services<'_>, Destinations<'_>)) {
    let of_services = |sum: fn(&Stats) -> u64| {
        let row = move |(labels, entry): &(Labels, &ServiceSnapshot)| (labels.clone(), sum(&entry.entry.statistics()));
        services.iter().map(row)
    };
    let of_destinations = |sum: fn(&Stats) -> u64| {
        destinations.iter().map(move |(labels, entry)| (labels.clone(), sum(&entry.statistics())))
    };
    for (service, destination, help, sum) in SUMS {
        families.counter(service, help, of_services(sum));
        families.counter(destination, help, of_destinations(sum));
    }
    for (service, destination, help, sum) in BYTES {
        families.bytes(service, help, of_services(sum));
        families.bytes(destination, help, of_destinations(sum));
    }
}

/// Adds what is there now, without counters.
pub fn add_state(families: &mut Families, snapshot: &Snapshot, naming: impl Fn(&ServiceKey) -> Naming) {
    let (services, destinations) = labelled(snapshot, naming);
    let rows = services.iter().map(|(labels, entry)| (labels.clone(), entry.destinations.len() as u64));
    families.gauge("lvs_service_destinations", "Destinations of the service", rows);
    let rows = services.iter().map(|(labels, entry)| {
        let mut labels = (**labels).clone();
        labels.push(("scheduler".to_owned(), escaped(entry.entry.service.scheduler.as_str())));
        (Labels::new(labels), 1)
    });
    families.gauge("lvs_service_info", "The service's scheduler", rows);
    let rows = destinations.iter().map(|(labels, entry)| {
        let mut labels = (**labels).clone();
        labels.push(("forwarding".to_owned(), entry.destination.forwarding.to_string()));
        (Labels::new(labels), 1)
    });
    families.gauge("lvs_destination_info", "How packets reach the destination", rows);
    let count = |count: fn(&DestinationEntry) -> u32| {
        destinations.iter().map(move |(labels, entry)| (labels.clone(), u64::from(count(entry))))
    };
    families.gauge("lvs_destination_weight", "Weight, 0 when quiesced", count(|entry| entry.destination.weight));
    families.gauge("lvs_destination_active_connections", "Active connections", count(|entry| entry.active));
    families.gauge("lvs_destination_inactive_connections", "Inactive connections", count(|entry| entry.inactive));
}

#[cfg(test)]
mod tests {
    use lvs_core::model::{
        AddressFamily, Counters, Coverage, Destination, ForwardingMethod, Info, Protocol, Service, ServiceEntry,
    };

    use super::*;
    use crate::metrics::{classic, of_table};

    fn snapshot() -> Snapshot {
        let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
        for key in [
            ServiceKey::endpoint(Protocol::Sctp, "2001:db8::1".parse::<std::net::IpAddr>().unwrap(), 36412),
            ServiceKey::fwmark(u32::MAX, AddressFamily::Ipv6).unwrap(),
        ] {
            let mut server = DestinationEntry::new(Destination::new("2001:db8::7".parse().unwrap(), 36412));
            let counters = Counters { connections: 5_000_000_000, ..Counters::default() };
            server.stats64 = Some(Stats { counters, ..Stats::default() });
            snapshot
                .services
                .push(ServiceSnapshot { entry: ServiceEntry::new(Service::new(key)), destinations: vec![server] });
        }
        snapshot
    }

    #[test]
    fn sctp_marks_and_ipv6_are_labelled_right() {
        let text = of_table(&snapshot(), None).unwrap();
        assert!(
            text.contains(
                "lvs_destination_connections_total{protocol=\"sctp\",address=\"2001:db8::1\",port=\"36412\",\
                 fwmark=\"\",family=\"ipv6\",destination_address=\"2001:db8::7\",destination_port=\"36412\"} 5000000000"
            ),
            "{text}"
        );
        let mark =
            "lvs_service_destinations{protocol=\"\",address=\"\",port=\"\",fwmark=\"4294967295\",family=\"ipv6\"} 1";
        assert!(text.contains(mark), "{text}");
        assert!(text.contains("# TYPE lvs_service_incoming_bytes counter"), "{text}");
    }

    #[test]
    fn names_and_labels_of_any_text_are_escaped() {
        let naming = Naming {
            name: Some("the \"shop\"\nof C:\\".to_owned()),
            labels: [("site".to_owned(), "a\"b".to_owned())].into(),
        };
        let mut families = Families::default();
        add_table(&mut families, &snapshot(), |_| naming.clone());
        let text = families.render(None).unwrap();
        assert!(text.contains(r#",name="the \"shop\"\nof C:\\",site="a\"b"} 1"#), "{text}");
    }

    #[test]
    fn a_label_is_one_that_prometheus_takes() {
        for name in ["site", "_x", "Rack_7"] {
            assert!(may_be_label(name), "{name}");
        }
        for name in ["", "7up", "a-b", "a b", "sité", "__name__", "name", "scheduler"] {
            assert!(!may_be_label(name), "{name}");
        }
    }

    #[test]
    fn an_edited_forwarding_method_or_scheduler_begins_no_new_counters() {
        let series = |forwarding, scheduler: &str| -> Vec<String> {
            let mut snapshot = snapshot();
            for service in &mut snapshot.services {
                service.entry.service.scheduler = scheduler.parse().unwrap();
                service.destinations[0].destination.forwarding = forwarding;
            }
            let text = of_table(&snapshot, None).unwrap();
            let lines = text.lines().filter(|line| !line.starts_with('#') && !line.contains("_info{"));
            lines.map(str::to_owned).collect()
        };
        let before = series(ForwardingMethod::Masquerade, "wlc");
        assert!(before.iter().any(|line| line.contains("_total{")));
        assert_eq!(series(ForwardingMethod::Direct, "rr"), before);
    }

    #[test]
    fn the_classic_format_declares_counters_with_their_suffix() {
        let text = classic(&of_table(&snapshot(), None).unwrap());
        assert!(text.contains("# TYPE lvs_service_incoming_bytes_total counter"), "{text}");
        assert!(text.contains("# HELP lvs_service_incoming_bytes_total "), "{text}");
        assert!(text.contains("# TYPE lvs_destination_weight gauge"), "{text}");
        assert!(!text.contains("# UNIT") && !text.contains("# EOF"), "{text}");
    }
}
