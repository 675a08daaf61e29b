//! Errors as serde has them.

use serde::de::Error as _;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Attempt, Cause, Operation, OperationError};
use crate::errno::Errno;
use crate::lint;

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

/// A refusal as it is read back: of an operation, as in reports and outcomes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    error: String,
    operation: Option<Operation>,
    cause: String,
    errno: Option<Errno>,
    message: Option<Box<str>>,
}

impl<'de> Deserialize<'de> for OperationError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Record { error, operation, cause, errno, message } = Record::deserialize(deserializer)?;
        let operation = operation
            .ok_or_else(|| D::Error::custom(format_args!("{error:?} refuses no operation: it cannot be read back")))?;
        let attempt = Attempt::Operation(operation);
        let known = Cause::all_of(&attempt, errno).into_iter().find(|known| known.to_string() == cause);
        let cause = known.ok_or_else(|| D::Error::custom(format_args!("{cause:?} is no cause of a refusal")))?;
        let flaw = errno.and_then(|errno| lint::explain(&operation, errno));
        let flaw = flaw.filter(|flaw| error.contains(&flaw.to_string()));
        Ok(Self { attempt, cause, errno, message, flaw })
    }
}

/// What broke the way to the director, as text. Of an error that is read back the text is all there
/// is.
pub(crate) mod interruption {
    use std::io;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::error::Error;

    pub(crate) fn serialize<S: Serializer>(error: &Option<Error>, serializer: S) -> Result<S::Ok, S::Error> {
        match error {
            Some(error) => serializer.collect_str(error),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Error>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.map(|text| Error::Io { attempted: String::new(), error: io::Error::other(text) }))
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
