//! What directors and plans tell `tracing`.
#![cfg(feature = "tracing")]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use lvs_core::director::{Director, OnRefusal, Operation};
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::model::{Destination, Service, ServiceKey, Table, TableService};
use lvs_core::plan::{OnFailure, Planner, Scope};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes each event as one line: level, message, fields.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        struct Fields(String, String);
        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                match field.name() {
                    "message" => write!(self.0, "{value:?}").unwrap(),
                    name => write!(self.1, " {name}={value:?}").unwrap(),
                }
            }
        }
        let mut fields = Fields(String::new(), String::new());
        event.record(&mut fields);
        let mut lines = self.0.lock().unwrap();
        writeln!(lines, "{} {}{}", event.metadata().level(), fields.0, fields.1).unwrap();
    }
}

fn told(work: impl FnOnce()) -> String {
    let lines = Lines::default();
    tracing::subscriber::with_default(lines.clone(), work);
    let text = lines.0.lock().unwrap();
    text.clone()
}

#[test]
fn operations_and_refusals_are_logged_with_the_names_of_the_json_form() {
    let web = ServiceKey::tcp("192.0.2.1", 80).unwrap();
    let server = Destination::new("198.51.100.7".parse().unwrap(), 80);
    let operations = [
        Operation::AddService(Service::new(web)),
        Operation::AddDestination(web, server),
        Operation::AddDestination(web, server),
        Operation::Flush,
    ];
    let text = told(|| {
        let _ = EmbeddedDirector::new().apply(&operations, OnRefusal::Continue);
    });
    assert_eq!(
        text,
        "DEBUG applied operation=\"add_service\" service=tcp://192.0.2.1:80\n\
         DEBUG applied operation=\"add_destination\" service=tcp://192.0.2.1:80 destination=198.51.100.7:80\n\
         DEBUG applied operation=\"flush\"\n\
         WARN refused operation=\"add_destination\" service=tcp://192.0.2.1:80 destination=198.51.100.7:80 errno=17 \
         error=cannot add destination 198.51.100.7:80 to tcp://192.0.2.1:80: the destination exists already\n"
    );
}

#[test]
fn a_plan_logs_its_outcome() {
    let mut table = Table::new();
    table.insert(TableService::new(Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap())));
    let mut director = EmbeddedDirector::new();
    let text = told(|| {
        Planner::new(&Scope::all()).reconcile(&mut director, &table, OnFailure::Undo).unwrap();
    });
    assert!(text.ends_with("INFO plan carried out steps=1 done=1\n"), "{text}");
    table.services[0].service.scheduler = "nosuch".parse().unwrap();
    let text = told(|| {
        Planner::new(&Scope::all()).unchecked().reconcile(&mut director, &table, OnFailure::Undo).unwrap_err();
    });
    assert!(
        text.ends_with(
            "WARN plan not carried out as a whole steps=1 done=0 refused=1 held=0 undone=0 undo_refused=0\n"
        ),
        "{text}"
    );
}
