//! What is written as JSON, held against `lvs-core/schema/lvs.schema.json` by a validator that does
//! not know the crates.
//!
//! It is not among lvs-core's own tests, because the validator's many dependencies would then be
//! built with each of the several builds of those.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

#[path = "../../lvs-core/tests/listing_case/mod.rs"]
mod listing_case;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jsonschema::Validator;
use listing_case::Case;
use lvs_core::director::OnRefusal;
use lvs_core::embedded::{EmbeddedDirector, Flow};
use lvs_core::model::*;
use lvs_core::plan::{OnFailure, Plan, Scope};
use lvs_core::procfs::parse_connection;
use lvs_core::watch::Watcher;
use lvs_core::{Director, json, rules};
use serde::Serialize;
use serde_json::{Value, json};

fn schema() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../lvs-core/schema/lvs.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What validates one definition of the schema. Making one takes long.
fn validator(definition: &str) -> &'static Validator {
    thread_local! {
        static MADE: RefCell<HashMap<String, &'static Validator>> = RefCell::default();
    }
    MADE.with_borrow_mut(|made| {
        *made.entry(definition.to_owned()).or_insert_with(|| {
            let mut schema = schema();
            schema["$ref"] = json!(format!("#/$defs/{definition}"));
            Box::leak(Box::new(jsonschema::draft202012::new(&schema).unwrap()))
        })
    })
}

#[track_caller]
fn check(definition: &str, value: &impl Serialize) {
    let text = json::to_string(value);
    let value: Value = serde_json::from_str(&text).unwrap();
    let errors: Vec<String> =
        validator(definition).iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{definition}: {errors:#?}\n{text}");
}

/// A table with something of everything.
const RULES: &str = "\
-A -t 192.0.2.1:80 -s wrr -p 300 -M 255.255.255.0
-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3 -x 9 -y 7
-a -t 192.0.2.1:80 -r 198.51.100.8:80 -i --tun-type gue --tun-port 6080 --tun-nocsum
-A -u [2001:db8::1]:53 -s sh -b sh-port -o
-a -u [2001:db8::1]:53 -r [2001:db8::7]:53 -g
-A -f 7 -6 -s mh -b mh-fallback
";

fn director() -> EmbeddedDirector {
    let mut director = EmbeddedDirector::new();
    let report = director.apply(&rules::parse(RULES).unwrap().operations().unwrap(), OnRefusal::Continue);
    assert!(report.is_complete(), "{report:?}");
    director.start_daemon(&Daemon::new(DaemonRole::Master, "eth0".parse().unwrap(), 7)).unwrap();
    let client = |port| format!("203.0.113.9:{port}").parse().unwrap();
    for port in 40000..40010 {
        let _ = director.open(&Flow::tcp(client(port), "192.0.2.1:80".parse().unwrap()));
    }
    director.advance(Duration::from_secs(4));
    director
}

#[test]
fn snapshots_tables_and_their_parts() {
    let snapshot = director().snapshot().unwrap();
    check("Snapshot", &snapshot);
    check("Table", &snapshot.to_table());
    let mut counted = 0;
    for service in &snapshot.services {
        check("ServiceEntry", &service.entry);
        check("Service", &service.entry.service);
        check("ServiceKey", &service.entry.service.key());
        for entry in &service.destinations {
            check("DestinationEntry", entry);
            check("Destination", &entry.destination);
            check("DestinationKey", &entry.destination.key);
            check("Stats", &entry.stats64.unwrap());
            counted += entry.stats64.unwrap().counters.connections;
        }
    }
    assert_eq!(counted, 10);
    check("Info", &snapshot.info);
    check("Timeouts", &snapshot.timeouts);
    check("Daemon", &snapshot.daemons[0]);
}

#[test]
fn recorded_tables_of_kernels() {
    for name in ["linux-6.1.txt", "linux-6.12.txt", "random-1.txt", "random-9.txt"] {
        let case = Case::parse(&std::fs::read_to_string(Case::directory().join(name)).unwrap());
        check("Snapshot", &case.snapshot());
        assert!(!case.rows.is_empty() || name.starts_with("linux"), "{name}");
        for row in &case.rows {
            check("Connection", &parse_connection(row.as_bytes()).unwrap());
        }
    }
    for row in [
        &b"UDP CB007105 0000 C0000201 13C4 C6336407 13C4 NONE             99 sip \xff"[..],
        b"IP  CB007100 0000 0000004D 0000 C6336407 0000 NONE        SYNC        59",
    ] {
        check("Connection", &parse_connection(row).unwrap());
    }
}

#[test]
fn plans_operations_and_what_comes_of_them() {
    let wanted = rules::parse(RULES).unwrap().to_table().unwrap();
    let plan = Plan::between(&Table::new(), &wanted, &Scope::all()).unwrap();
    check("Plan", &plan);
    plan.operations().for_each(|operation| check("Operation", operation));
    check("Outcome", &plan.apply(&mut EmbeddedDirector::new(), OnFailure::Keep));
    // Refused, held up and undone.
    let mut director = EmbeddedDirector::options().schedulers(["wrr".parse().unwrap()]).build();
    let key = ServiceKey::tcp("192.0.2.1", 443).unwrap();
    director.add_service(&Service::new(key).with_scheduler("wrr".parse().unwrap())).unwrap();
    let plan = Plan::between(&director.snapshot().unwrap().to_table(), &wanted, &Scope::all()).unwrap();
    check("Plan", &plan);
    for on_failure in [OnFailure::Keep, OnFailure::Undo] {
        let outcome = plan.apply(&mut director, on_failure);
        assert!(!outcome.refused.is_empty() && (!outcome.held.is_empty() || on_failure == OnFailure::Undo));
        check("Outcome", &outcome);
    }
    for operation in [
        Operation::RemoveService(key),
        Operation::SetTimeouts(Timeouts::default()),
        Operation::StopDaemon(DaemonRole::Backup),
        Operation::Zero(Some(key)),
        Operation::Zero(None),
        Operation::Flush,
    ] {
        check("Operation", &operation);
    }
    let mut report = director.apply(&[Operation::RemoveService(key), Operation::RemoveService(key)], OnRefusal::Stop);
    assert_eq!(report.refused.len(), 1);
    check("BatchReport", &report);
    check("OperationError", &report.refused[0].error);
    report.interrupted = Some(lvs_core::Error::io("receive", std::io::Error::other("gone")));
    check("BatchReport", &report);
}

#[test]
fn every_kind_of_event() {
    let mut director = director();
    let mut watcher = Watcher::new();
    let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
    let server = director.destinations(&key).unwrap()[0].destination;
    let mut seen = BTreeSet::new();
    let mut observe = |director: &mut EmbeddedDirector, now: u64| {
        for event in watcher.observe(director.snapshot().unwrap(), Duration::from_secs(now)) {
            check("Event", &event);
            seen.insert(serde_json::to_value(&event).unwrap()["event"].as_str().unwrap().to_owned());
        }
    };
    observe(&mut EmbeddedDirector::new(), 0);
    observe(&mut director, 1);
    director.update_service(&Service::new(key).with_scheduler("rr".parse().unwrap())).unwrap();
    director.update_destination(&key, &server.with_weight(9)).unwrap();
    director.set_timeouts(Timeouts { tcp: 60, ..Timeouts::default() }).unwrap();
    director.stop_daemon(DaemonRole::Master).unwrap();
    director.zero(Some(&key)).unwrap();
    observe(&mut director, 2);
    let _ = director.open(&Flow::tcp("203.0.113.9:50000".parse().unwrap(), "192.0.2.1:80".parse().unwrap()));
    director.advance(Duration::from_secs(4));
    observe(&mut director, 6);
    director.remove_destination(&key, &server.key).unwrap();
    observe(&mut director, 7);
    director.flush().unwrap();
    observe(&mut director, 8);
    let schema = schema();
    let known: BTreeSet<String> = schema["$defs"]["Event"]["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variant| variant["properties"]["event"]["const"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(seen, known);
}

/// A schema that lets anything pass would prove nothing.
#[test]
fn what_the_reader_refuses_the_schema_refuses() {
    let table = serde_json::to_value(director().snapshot().unwrap().to_table()).unwrap();
    let spoil = |pointer: &str, value: Value| {
        let mut spoilt = table.clone();
        *spoilt.pointer_mut(pointer).unwrap() = value;
        assert!(json::from_str::<Table>(&spoilt.to_string()).is_err(), "read: {pointer}");
        assert!(!validator("Table").is_valid(&spoilt), "valid: {pointer}");
    };
    assert!(validator("Table").is_valid(&table));
    spoil("/services/0", json!({"key": "tcp://192.0.2.1:80", "schedulr": "wrr"}));
    spoil("/services/0", json!({"scheduler": "wrr"}));
    spoil("/services/0/flags", json!("persistent"));
    spoil("/services/0/destinations/0/weight", json!("3"));
    spoil("/services/0/destinations/0/weight", json!(-1));
    spoil("/services/0/destinations/0/forwarding", json!(7.5));
    spoil("/timeouts", json!({"tcp": 1, "tcp_fin": 2, "udp": 3, "sctp": 4}));
    spoil("/daemons", json!({}));
}
