//! Errors as serde writes them.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Attempt, OperationError};
use crate::error::Error;

impl Serialize for OperationError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let operation = match &self.attempt {
            Attempt::Operation(operation) => Some(operation),
            _ => None,
        };
        let mut record = serializer.serialize_struct("OperationError", 5)?;
        record.serialize_field("error", &self.to_string())?;
        record.serialize_field("operation", &operation)?;
        record.serialize_field("cause", &self.cause.to_string())?;
        record.serialize_field("errno", &self.errno)?;
        record.serialize_field("message", &self.message)?;
        record.end()
    }
}

/// What broke the way to the director, as text.
pub(crate) fn as_text<S: Serializer>(error: &Option<Error>, serializer: S) -> Result<S::Ok, S::Error> {
    match error {
        Some(error) => serializer.collect_str(error),
        None => serializer.serialize_none(),
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for OperationError {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OperationError".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let operation = generator.subschema_for::<Option<crate::model::Operation>>();
        schemars::json_schema!({
            "description": "A director's refusal.",
            "type": "object",
            "properties": {
                "error": { "type": "string", "description": "What was attempted, and why not." },
                "operation": operation,
                "cause": { "type": "string", "description": "Why not." },
                "errno": { "type": ["integer", "null"] },
                "message": { "type": ["string", "null"], "description": "The kernel's own words." }
            },
            "required": ["error", "operation", "cause", "errno", "message"],
            "additionalProperties": false
        })
    }
}
