//! A director's table as Prometheus metrics.

use lvs_core::model::{AddressFamily, DestinationKey, ForwardingMethod, ServiceKey, Snapshot, Stats};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

/// The metrics of a snapshot, in the OpenMetrics text format.
///
/// # Errors
/// Never in practice: writing to a string does not fail.
pub fn render(snapshot: &Snapshot) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Metrics(snapshot.clone())));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Metrics(Snapshot);

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabels {
    protocol: String,
    address: String,
    port: String,
    fwmark: String,
    family: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DestinationLabels {
    protocol: String,
    address: String,
    port: String,
    fwmark: String,
    family: &'static str,
    destination_address: String,
    destination_port: u32,
    forwarding: &'static str,
}

impl ServiceLabels {
    fn new(key: &ServiceKey) -> Self {
        let family = match key.family() {
            AddressFamily::Ipv4 => "ipv4",
            AddressFamily::Ipv6 => "ipv6",
        };
        match *key {
            ServiceKey::Endpoint { protocol, addr, port } => Self {
                protocol: protocol.to_string(),
                address: addr.to_string(),
                port: port.to_string(),
                fwmark: String::new(),
                family,
            },
            ServiceKey::Fwmark { mark, .. } => Self {
                protocol: String::new(),
                address: String::new(),
                port: String::new(),
                fwmark: mark.to_string(),
                family,
            },
        }
    }

    fn destination(&self, key: &DestinationKey, forwarding: ForwardingMethod) -> DestinationLabels {
        let Self { protocol, address, port, fwmark, family } = self.clone();
        DestinationLabels {
            protocol,
            address,
            port,
            fwmark,
            family,
            destination_address: key.addr.to_string(),
            destination_port: key.port.into(),
            forwarding: forwarding.listing_name(),
        }
    }
}

/// A sum of [`Stats`]: its name behind `lvs_service_` and `lvs_destination_`, its help and unit, and where it stands.
type Sum = (&'static str, &'static str, Option<Unit>, fn(&Stats) -> u64);

const SUMS: [Sum; 5] = [
    ("connections", "Connections scheduled", None, |stats| stats.counters.connections),
    ("incoming_packets", "Packets from clients", None, |stats| stats.counters.packets_in),
    ("outgoing_packets", "Packets from real servers", None, |stats| stats.counters.packets_out),
    ("incoming", "Bytes from clients", Some(Unit::Bytes), |stats| stats.counters.bytes_in),
    ("outgoing", "Bytes from real servers", Some(Unit::Bytes), |stats| stats.counters.bytes_out),
];

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let services: Vec<_> =
            self.0.services.iter().map(|service| (ServiceLabels::new(&service.entry.service.key()), service)).collect();
        let destinations: Vec<_> = services
            .iter()
            .flat_map(|(labels, service)| {
                service.destinations.iter().map(|entry| {
                    let destination = &entry.destination;
                    (labels.destination(&destination.key, destination.forwarding), entry)
                })
            })
            .collect();
        for (name, help, unit, sum) in SUMS {
            let rows = services.iter().map(|(labels, service)| (labels, sum(&service.entry.statistics())));
            counters(&mut encoder, &format!("lvs_service_{name}"), help, unit.as_ref(), rows)?;
            let rows = destinations.iter().map(|(labels, entry)| (labels, sum(&entry.statistics())));
            counters(&mut encoder, &format!("lvs_destination_{name}"), help, unit.as_ref(), rows)?;
        }
        let rows = services.iter().map(|(labels, service)| (labels, service.destinations.len() as u64));
        gauges(&mut encoder, "lvs_service_destinations", "Destinations of the service", rows)?;
        let gauge = |count: fn(&lvs_core::model::DestinationEntry) -> u32| {
            destinations.iter().map(move |(labels, entry)| (labels, u64::from(count(entry))))
        };
        let mut destination = |name, help, count| gauges(&mut encoder, name, help, gauge(count));
        destination("lvs_destination_weight", "Weight, 0 when quiesced", |entry| entry.destination.weight)?;
        destination("lvs_destination_active_connections", "Active connections", |entry| entry.active)?;
        destination("lvs_destination_inactive_connections", "Inactive connections", |entry| entry.inactive)?;
        destination("lvs_destination_persistent_connections", "Persistence templates", |entry| entry.persistent)
    }
}

fn counters<'a, L: EncodeLabelSet + 'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    unit: Option<&Unit>,
    rows: impl Iterator<Item = (&'a L, u64)>,
) -> Result<(), std::fmt::Error> {
    let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
    for (labels, value) in rows {
        ConstCounter::new(value).encode(family.encode_family(labels)?)?;
    }
    Ok(())
}

fn gauges<'a, L: EncodeLabelSet + 'a>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    rows: impl Iterator<Item = (&'a L, u64)>,
) -> Result<(), std::fmt::Error> {
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in rows {
        // Gauges are signed; none of these comes near 2^63.
        ConstGauge::new(value as i64).encode(family.encode_family(labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use lvs_core::model::{
        Counters, Coverage, Destination, DestinationEntry, Info, Protocol, Service, ServiceEntry, ServiceSnapshot,
    };

    use super::*;

    #[test]
    fn sctp_marks_and_ipv6_are_labelled_right() {
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
        let text = render(&snapshot).unwrap();
        assert!(text.contains(
            "lvs_destination_connections_total{protocol=\"sctp\",address=\"2001:db8::1\",port=\"36412\",fwmark=\"\",\
             family=\"ipv6\",destination_address=\"2001:db8::7\",destination_port=\"36412\",forwarding=\"Route\"} \
             5000000000"
        ), "{text}");
        assert!(
            text.contains(
                "lvs_service_destinations{protocol=\"\",address=\"\",port=\"\",fwmark=\"4294967295\",family=\"ipv6\"} 1"
            ),
            "{text}"
        );
        assert!(text.contains("# TYPE lvs_service_incoming_bytes counter"), "{text}");
    }
}
