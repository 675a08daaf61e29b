//! JSON: one schema for what people store, log and send, the same in Rust, C and Python.
//!
//! What is written here is what `serde` makes of the types, so other formats of serde have the same
//! fields.
//!
//! * Everything is written and read back, but a connection is only written: it borrows from where
//!   it was read. Unknown fields are refused; those that have a default may be left out.
//! * Of what broke the way to a director (`interrupted` in reports and outcomes), the text alone
//!   comes back.
//! * Keys are text, as [`ServiceKey`](crate::model::ServiceKey) and
//!   [`DestinationKey`](crate::model::DestinationKey) print them, and so can be keys of a map.
//!   Protocols, methods, kinds and states have the names of [`Named`](crate::model::Named); flags
//!   are lists of names, those of the scheduler among them.
//! * Times are seconds. Counters are whole numbers up to 2^64-1, beyond what JavaScript reads
//!   exactly.
//! * What a director did not report is `null`.
//!
//! The schema itself is the file `schema/lvs.schema.json` of this crate, made from the types.
//!
//! ```
//! use lvs_core::{json, model::Table, rules};
//!
//! let table = rules::parse("-A -t 192.0.2.1:80 -s sh -b sh-port\n-a -t 192.0.2.1:80 -r 198.51.100.7 -m")?.to_table()?;
//! let text = json::to_string(&table);
//! assert!(text.starts_with(
//!     r#"{"services":[{"key":"tcp://192.0.2.1:80","scheduler":"sh","flags":["sh-port"],"timeout":0,"#
//! ));
//! assert_eq!(json::from_str::<Table>(&text)?, table);
//!
//! let error = json::from_str::<Table>(r#"{"services": [{"key": "tcp://192.0.2.1:80", "schedulr": "wrr"}]}"#);
//! assert!(error.unwrap_err().to_string().starts_with("unknown field `schedulr`, expected one of `key`, `scheduler`"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io::{self, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// JSON that is not what it should be: what is wrong, and where.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JsonError(#[from] serde_json::Error);

/// A value as one line of JSON, without a newline.
///
/// # Panics
/// Not for the types of this crate; for those of others when they have no JSON form, such as maps
/// with keys that are not text.
pub fn to_string(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("a value with a JSON form")
}

/// Writes a value as one line of JSON, with its newline: a line of JSON Lines.
///
/// # Errors
/// Those of `out`.
pub fn write(out: &mut impl Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Reads a value.
///
/// # Errors
/// [`JsonError`] when the text is not JSON, or not of this type.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, JsonError> {
    Ok(serde_json::from_str(text)?)
}

/// The same from bytes.
///
/// # Errors
/// [`JsonError`] when the text is not JSON, or not of this type.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, JsonError> {
    Ok(serde_json::from_slice(text)?)
}

/// The JSON Schema of what is written and read: a definition for each type.
#[cfg(feature = "schema")]
pub fn schema() -> serde_json::Value {
    use crate::{connections, director, drain, embedded, health, model, plan, watch};

    let mut generator = schemars::SchemaGenerator::default();
    generator.subschema_for::<model::Snapshot>();
    generator.subschema_for::<model::Table>();
    generator.subschema_for::<model::Operation>();
    generator.subschema_for::<model::Stats>();
    generator.subschema_for::<model::Connection<'_>>();
    generator.subschema_for::<plan::Plan>();
    generator.subschema_for::<plan::Outcome>();
    generator.subschema_for::<director::BatchReport>();
    generator.subschema_for::<watch::Event>();
    generator.subschema_for::<connections::ConnectionSums>();
    generator.subschema_for::<drain::DrainProgress>();
    generator.subschema_for::<health::Change>();
    generator.subschema_for::<embedded::Verdict>();
    let definitions = generator.take_definitions(true);
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "lvs",
        "description": "Snapshots, tables, plans, operations, events, outcomes, reports, connections, sums, drains, health and verdicts of the library lvs.",
        "$defs": definitions,
    })
}
