//! JSON: what is read is written, and reads the same.

use std::fmt::Debug;

use lvs_core::Director;
use lvs_core::director::Operation;
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::json;
use lvs_core::model::{Snapshot, Table};
use lvs_core::rules;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads it as each kind of value.
pub fn run(bytes: &[u8]) {
    check::<Table>(bytes);
    check::<Snapshot>(bytes);
    check::<Operation>(bytes);
    check::<Vec<Operation>>(bytes);
    check::<lvs_core::health::HealthPolicy>(bytes);
}

fn check<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) {
    let Ok(value) = json::from_slice::<T>(bytes) else { return };
    let text = json::to_string(&value);
    let again: T = json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(again, value, "{text}");
}

/// A table, a snapshot, operations.
pub fn seeds() -> Vec<Vec<u8>> {
    let rules = crate::rules::seeds();
    let mut seeds = Vec::new();
    for text in &rules[..2] {
        let script = rules::parse(text).expect("good rules");
        let table = script.to_table().expect("a table");
        let operations = script.operations().expect("operations");
        let mut director = EmbeddedDirector::new();
        for operation in &operations {
            director.execute(*operation).expect("an empty director takes it");
        }
        seeds.push(json::to_string(&table).into_bytes());
        seeds.push(json::to_string(&operations).into_bytes());
        seeds.push(json::to_string(&operations[0]).into_bytes());
        seeds.push(json::to_string(&director.snapshot().expect("a snapshot")).into_bytes());
    }
    seeds.push(json::to_string(&lvs_core::health::HealthPolicy::default()).into_bytes());
    seeds
}
