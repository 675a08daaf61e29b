//! The JSON of values: what it looks like, that it is read back, and what is refused.
#![cfg(feature = "json")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod listing_case;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use listing_case::Case;
use lvs_core::connections::ConnectionFilter;
use lvs_core::director::{Attempt, BatchReport, OperationError, Refusal};
use lvs_core::drain::{DrainPolicy, Drained};
use lvs_core::embedded::{EmbeddedDirector, Settings};
use lvs_core::health::{Damping, HealthPolicy, HealthState};
use lvs_core::model::*;
use lvs_core::plan::{OnFailure, Outcome, Ownership, Plan, Scope};
use lvs_core::probe::ProbeOutcome;
use lvs_core::procfs::{Status, parse_connection};
use lvs_core::watch::{Event, Watcher};
use lvs_core::{Director, Errno, ErrorKind, json, lint, preflight};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A snapshot with something in every field.
fn snapshot() -> Snapshot {
    let wide = Stats {
        counters: Counters { connections: (1 << 32) + 5, packets_in: 7, packets_out: 0, bytes_in: 1, bytes_out: 2 },
        rates: Rates { connections: 200, packets_in: 1, packets_out: 0, bytes_in: 3, bytes_out: 4 },
    };
    let server = Destination::new("2001:db8::7".parse().unwrap(), 53)
        .with_tunnel(Tunnel::gue(6080, TunnelFlags::CHECKSUM | TunnelFlags::from_bits(8)))
        .with_thresholds(9, 7);
    let mut destination = DestinationEntry::new(server);
    (destination.stats, destination.stats64) = (Some(wide.truncated()), Some(wide));
    (destination.active, destination.inactive, destination.persistent) = (1, 2, 3);
    let flags = ServiceFlags::SCHED2 | ServiceFlags::SCHED3 | ServiceFlags::ONE_PACKET | ServiceFlags::from_bits(0x100);
    let service = Service::new("udp://[2001:db8::1]:53".parse().unwrap())
        .with_scheduler("sh".parse().unwrap())
        .with_flags(flags)
        .with_persistence(300)
        .with_engine("sip".parse().unwrap());
    let mut entry = ServiceEntry::new(service.with_netmask("64".parse().unwrap()).unwrap());
    entry.stats = Some(wide.truncated());
    let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
    snapshot.services.push(ServiceSnapshot { entry, destinations: vec![destination] });
    let mark = Service::new("fwmark:7/ipv6".parse().unwrap());
    snapshot.services.push(ServiceSnapshot { entry: ServiceEntry::new(mark), destinations: vec![] });
    let mut backup = Daemon::new(DaemonRole::Backup, "et\"h\\0".parse().unwrap(), 7);
    backup.group = Some("ff02::81".parse().unwrap());
    snapshot.daemons.push(backup);
    snapshot
}

fn numbers(a: u64, b: u64, c: u64, d: u64, e: u64) -> Value {
    json!({"connections": a, "packets_in": b, "packets_out": c, "bytes_in": d, "bytes_out": e})
}

#[test]
fn a_snapshot_looks_like_this() {
    let rates = numbers(200, 1, 0, 3, 4);
    let expected = json!({
        "info": {"version": "1.2.1", "connection_table_size": 4096},
        "services": [
            {
                "key": "udp://[2001:db8::1]:53", "scheduler": "sh",
                "flags": ["persistent", "one-packet", "sh-port", "flag-3", "0x100"],
                "timeout": 300, "netmask": "64", "engine": "sip",
                "stats": {"counters": numbers(5, 7, 0, 1, 2), "rates": rates}, "stats64": false,
                "destinations": [{
                    "key": "[2001:db8::7]:53", "forwarding": "tunnel", "weight": 1, "upper_threshold": 9,
                    "lower_threshold": 7, "tunnel": {"kind": "gue", "port": 6080, "flags": ["checksum", "0x8"]},
                    "active": 1, "inactive": 2, "persistent": 3,
                    "stats": {"counters": numbers((1 << 32) + 5, 7, 0, 1, 2), "rates": rates}
                }]
            },
            {
                "key": "fwmark:7/ipv6", "scheduler": "wlc", "flags": [], "timeout": 0, "netmask": "128",
                "engine": null, "stats": null, "destinations": []
            }
        ],
        "timeouts": {"tcp": 900, "tcp_fin": 120, "udp": 300},
        "daemons": [{
            "role": "backup", "interface": "et\"h\\0", "sync_id": 7, "max_len": null, "group": "ff02::81",
            "port": null, "ttl": null
        }],
        "coverage": {"ipv6": true, "tunnels": true, "engines": true, "stats64": true, "daemon_details": true},
        "complete": {"ipv4": true, "ipv6": true}
    });
    let text = json::to_string(&snapshot());
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    assert_eq!(json::from_str::<Snapshot>(&text).unwrap(), snapshot());
}

#[test]
fn statistics_of_either_width_are_read_back() {
    let wide = Stats { counters: Counters { connections: 1 << 40, ..Counters::default() }, ..Stats::default() };
    let other = Stats { counters: Counters { connections: 9, ..Counters::default() }, ..Stats::default() };
    for stats in [None, Some(wide.truncated()), Some(other), Some(wide)] {
        for stats64 in [None, Some(wide)] {
            let mut entry = DestinationEntry::new(Destination::new([192, 0, 2, 7].into(), 80));
            (entry.stats, entry.stats64) = (stats, stats64);
            assert_eq!(json::from_str::<DestinationEntry>(&json::to_string(&entry)).unwrap(), entry);
        }
    }
}

#[test]
fn recorded_tables_are_read_back() {
    for name in ["linux-6.1.txt", "linux-6.12.txt", "random-1.txt", "random-9.txt"] {
        let case = Case::parse(&std::fs::read_to_string(Case::directory().join(name)).unwrap());
        let snapshot = case.snapshot();
        assert!(!snapshot.services.is_empty());
        assert_eq!(json::from_str::<Snapshot>(&json::to_string(&snapshot)).unwrap(), snapshot);
        let table = snapshot.to_table();
        assert_eq!(json::from_str::<Table>(&json::to_string(&table)).unwrap(), table);
    }
}

#[test]
fn plans_and_events_are_read_back() {
    let mut director = EmbeddedDirector::new();
    let mut watcher = Watcher::new();
    assert!(watcher.observe(director.snapshot().unwrap(), Duration::ZERO).is_empty());
    let plan = Plan::between(&Table::new(), &snapshot().to_table(), &Scope::all()).unwrap();
    assert!(plan.len() > 3);
    assert_eq!(json::from_str::<Plan>(&json::to_string(&plan)).unwrap(), plan);
    director.add_service(&Service::new("tcp://192.0.2.1:80".parse().unwrap())).unwrap();
    let mut events = watcher.observe(director.snapshot().unwrap(), Duration::from_millis(1500));
    assert_eq!(serde_json::to_value(&events[0]).unwrap()["event"], "service_appeared");
    let service = "tcp://192.0.2.1:80".parse().unwrap();
    events.push(Event::CountersReset(service, Some("198.51.100.7:80".parse().unwrap())));
    assert_eq!(json::from_str::<Vec<Event>>(&json::to_string(&events)).unwrap(), events);
}

#[test]
fn a_misspelt_field_is_refused_wherever_people_write() {
    fn refusal<T: DeserializeOwned>() -> String {
        let read = json::from_str::<T>(r#"{"wieght": 1}"#);
        read.map_or_else(|error| error.to_string(), |_| std::any::type_name::<T>().to_owned() + " takes it")
    }
    for message in [
        refusal::<Table>(),
        refusal::<Service>(),
        refusal::<Destination>(),
        refusal::<Timeouts>(),
        refusal::<Daemon>(),
        refusal::<Settings>(),
        refusal::<HealthPolicy>(),
        refusal::<Damping>(),
        refusal::<HealthState>(),
        refusal::<DrainPolicy>(),
        refusal::<Drained>(),
        refusal::<Ownership>(),
        refusal::<ConnectionFilter>(),
        refusal::<Snapshot>(),
        refusal::<Plan>(),
        refusal::<Outcome>(),
        refusal::<BatchReport>(),
        refusal::<Status>(),
        refusal::<lint::Finding>(),
        refusal::<preflight::HostFinding>(),
    ] {
        assert!(message.starts_with("unknown field `wieght`"), "{message}");
    }
}

#[test]
fn findings_filters_and_the_end_of_a_drain_are_read_back() {
    fn again<T: DeserializeOwned + Serialize + PartialEq + Debug>(value: &T) -> String {
        let text = json::to_string(value);
        assert_eq!(json::from_str::<T>(&text).unwrap(), *value);
        text
    }
    let server = Destination::new([198, 51, 100, 7].into(), 0).with_thresholds(1, 2);
    let service = Service::new(ServiceKey::tcp("192.0.2.1", 0).unwrap());
    let table: Table = [TableService::new(service).with_destination(server)].into_iter().collect();
    let findings = lint::table(&table);
    assert_eq!(findings.len(), 2);
    assert_eq!(again(&findings[0]), r#"{"service":"tcp://192.0.2.1:0","destination":null,"flaw":"zero_port"}"#);
    assert!(again(&findings[1]).ends_with(r#""flaw":{"thresholds_crossed":{"upper":1,"lower":2}}}"#));
    let filter = ConnectionFilter::new()
        .with_protocol(Protocol::Tcp)
        .with_client_network("203.0.113.0".parse().unwrap(), "255.255.255.0".parse().unwrap());
    assert!(again(&filter).contains(r#""client_network":["203.0.113.0","255.255.255.0"]"#));
    assert_eq!(json::from_str::<ConnectionFilter>(r#"{"protocol": "tcp"}"#).unwrap().protocol, Some(Protocol::Tcp));
    let mut drained = Drained::default();
    drained.operations.push(Operation::RemoveService(ServiceKey::tcp("192.0.2.1", 80).unwrap()));
    assert!(again(&drained).starts_with(r#"{"cancelled":false,"operations":[{"operation":"remove_service""#));
    assert_eq!(again(&ProbeOutcome::NotRun("no descriptor".to_owned())), r#"{"not_run":"no descriptor"}"#);
    assert_eq!(again(&ErrorKind::PermissionDenied), r#""permission_denied""#);
    again(&Status::default());
}

#[test]
fn invalid_json_passes_through_the_question_mark_operator() {
    fn read() -> lvs_core::Result<Table> {
        Ok(json::from_str("{")?)
    }
    assert_eq!(read().unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn every_kind_of_operation_is_read_back_under_its_name() {
    let service = Service::new("tcp://192.0.2.1:80".parse().unwrap());
    let destination = Destination::new([198, 51, 100, 7].into(), 80);
    let operations = [
        Operation::AddService(service),
        Operation::UpdateService(service),
        Operation::RemoveService(service.key()),
        Operation::AddDestination(service.key(), destination),
        Operation::UpdateDestination(service.key(), destination),
        Operation::RemoveDestination(service.key(), destination.key),
        Operation::SetTimeouts(Timeouts::default()),
        Operation::StartDaemon(Daemon::new(DaemonRole::Master, "eth0".parse().unwrap(), 0)),
        Operation::StopDaemon(DaemonRole::Backup),
        Operation::Zero(None),
        Operation::Flush,
    ];
    assert_eq!(operations.len(), OperationKind::NAMES.len());
    for operation in operations {
        let value = serde_json::to_value(operation).unwrap();
        assert_eq!(value["operation"], operation.kind().to_string());
        assert_eq!(serde_json::from_value::<Operation>(value).unwrap(), operation);
    }
}

#[test]
fn what_is_not_in_the_schema_is_refused_with_the_reason() {
    let refused = |text: &str| json::from_str::<Table>(text).unwrap_err().to_string();
    let service = |rest: &str| refused(&format!(r#"{{"services": [{{"key": "tcp://192.0.2.1:80"{rest}}}]}}"#));
    assert!(refused(r#"{"servces": []}"#).starts_with("unknown field `servces`, expected one of `services`"));
    assert!(service(r#", "schedulr": "wrr""#).starts_with("unknown field `schedulr`"));
    assert!(service(r#", "destinations": [{"key": "198.51.100.7:80", "wieght": 5}]"#).starts_with("unknown field"));
    for scheduler in ["wrr", "sh"] {
        let error = service(&format!(r#", "scheduler": "{scheduler}", "flags": ["mh-port"]"#));
        assert!(error.starts_with(&format!("\"mh-port\" is not a flag of the scheduler {scheduler}")), "{error}");
    }
    assert!(service(r#", "flags": ["sticky"]"#).starts_with("\"sticky\" is not a flag of a service: expected"));
    assert!(service(r#", "netmask": "64""#).starts_with("a netmask of the other address family"));
    assert!(refused(r#"{"services": [{"key": "tcp 2001:db8::1:80"}]}"#).contains("brackets: [2001:db8::1]:80"));
    let operation = r#"{"operation": "flush", "everything": true}"#;
    assert!(json::from_str::<Operation>(operation).unwrap_err().to_string().starts_with("unknown field `everything`"));
}

#[test]
fn a_service_needs_only_its_key() {
    let table: Table = json::from_str(
        r#"{"services": [{"key": "-t 192.0.2.1:80", "destinations": [{"key": "198.51.100.7:80", "forwarding": "nat"}]}]}"#,
    )
    .unwrap();
    let mut expected = TableService::new(Service::new("tcp://192.0.2.1:80".parse().unwrap()));
    let destination = Destination::new([198, 51, 100, 7].into(), 80);
    expected.destinations.push(destination.with_forwarding(ForwardingMethod::Masquerade));
    assert_eq!(table.services, [expected]);
}

#[test]
fn keys_are_keys_of_maps() {
    let mut weights = BTreeMap::new();
    weights.insert("fwmark:7/ipv6".parse::<ServiceKey>().unwrap(), 3);
    assert_eq!(json::to_string(&weights), r#"{"fwmark:7/ipv6":3}"#);
    assert_eq!(json::from_str::<BTreeMap<ServiceKey, i32>>(r#"{"fwmark:7/ipv6":3}"#).unwrap(), weights);
}

#[test]
fn reports_and_outcomes_say_what_was_refused() {
    let key: ServiceKey = "tcp://192.0.2.1:80".parse().unwrap();
    let error = OperationError::from_errno(Attempt::Operation(Operation::RemoveService(key)), Errno::ESRCH);
    let report = BatchReport::answered(2, 2, vec![Refusal { index: 1, error }]);
    let refused = json!({
        "error": "cannot remove service tcp://192.0.2.1:80: no such service",
        "operation": {"operation": "remove_service", "service": "tcp://192.0.2.1:80"},
        "cause": "no such service", "errno": 3, "message": null
    });
    let expected = json!({
        "operations": 2, "answered": 2, "sent": 2, "refused": [{"index": 1, "error": refused}], "interrupted": null
    });
    assert_eq!(serde_json::to_value(&report).unwrap(), expected);
    let mut wanted = Table::new();
    let service = Service::new(key).with_scheduler("nosuch".parse().unwrap());
    wanted.services.push(TableService::new(service));
    let plan = Plan::between(&Table::new(), &wanted, &Scope::all()).unwrap();
    let outcome = plan.apply(&mut EmbeddedDirector::new(), OnFailure::Undo);
    let value = serde_json::to_value(&outcome).unwrap();
    let parts = (&value["done"], &value["refused"][0]["index"], &value["undone"]);
    assert_eq!(parts, (&json!([]), &json!(0), &json!([])));
}

#[test]
fn a_connection_looks_like_this() {
    let value = |row: &[u8]| serde_json::to_value(parse_connection(row).unwrap()).unwrap();
    let expected = json!({
        "protocol": "udp", "client": "203.0.113.5:0", "target": "192.0.2.1:5060", "destination": "198.51.100.7:5060",
        "state": "NONE", "expires": 99, "template": true, "origin": null,
        "engine": {"name": "sip", "data": "a\"b\\c\u{1}", "hex": "6122625c6301"}
    });
    assert_eq!(value(b"UDP CB007105 0000 C0000201 13C4 C6336407 13C4 NONE             99 sip a\"b\\c\x01"), expected);
    let mark = value(b"IP  CB007100 0000 0000004D 0000 C6336407 0000 NONE        SYNC        59");
    assert_eq!((&mark["target"], &mark["origin"]), (&json!("fwmark:77"), &json!("sync")));
    let binary = value(b"UDP CB007105 0000 C0000201 13C4 C6336407 13C4 NONE             99 sip \xff");
    assert_eq!(binary["engine"], json!({"name": "sip", "data": null, "hex": "ff"}));
}
