//! Dictionaries, JSON and pickling of every value that people log, send or store: the one schema of
//! lvs-core.

use lvs_core::json;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PySequence, PyString};
use pythonize::{PythonizeMappingType, PythonizeTypes, PythonizeUnnamedMappingAdapter};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};

use crate::args::AsText as _;
use crate::errors::invalid;
use crate::turns::{TURNS, Turns};

/// A value as dictionaries, lists, texts and numbers.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    TURNS.with(Turns::restart);
    Ok(pythonize::pythonize_custom::<WithTurns, _>(py, value)?)
}

/// A value from dictionaries, lists, texts and numbers; `what` is the name of its class.
pub(crate) fn from_python<T: DeserializeOwned + Send>(value: &Bound<'_, PyAny>, what: &str) -> PyResult<T> {
    let py = value.py();
    let refused = |error: &dyn std::fmt::Display| invalid(py, format!("not a {what}: {error}"));
    let value = copied(&Turns::begin(), value, DEPTH, &refused)?;
    py.detach(|| serde_json::from_value(value)).map_err(|error| refused(&error))
}

/// How deep values may be nested, as in JSON text.
const DEPTH: usize = 128;

/// A copy that can be read without the interpreter.
fn copied(
    turns: &Turns,
    value: &Bound<'_, PyAny>,
    depth: usize,
    refused: &dyn Fn(&dyn std::fmt::Display) -> PyErr,
) -> PyResult<Value> {
    turns.next(value.py())?;
    let inner = |value: &Bound<'_, PyAny>| match depth.checked_sub(1) {
        Some(depth) => copied(turns, value, depth, refused),
        None => Err(refused(&"it is nested too deeply")),
    };
    let field = |item: Bound<'_, PyAny>| {
        let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let Ok(key) = key.cast::<PyString>() else { return Err(refused(&"a key is no text")) };
        Ok((key.text()?.into_owned(), inner(&value)?))
    };
    // A list of its own: others may change the mapping while they have their turn.
    let fields = |items: Bound<'_, PyList>| items.iter().map(field).collect::<PyResult<_>>().map(Value::Object);
    let other = || match (value.extract::<u64>(), value.extract::<i64>()) {
        (Ok(number), _) => Ok(number.into()),
        (_, Ok(number)) => Ok(number.into()),
        _ => pythonize::depythonize(value).map_err(|error| refused(&error)),
    };
    if let Ok(text) = value.cast::<PyString>() {
        Ok(Value::String(text.text()?.into_owned()))
    } else if value.is_none() {
        Ok(Value::Null)
    } else if let Ok(flag) = value.cast::<PyBool>() {
        Ok(Value::Bool(flag.is_true()))
    } else if let Ok(number) = value.cast::<PyFloat>() {
        Number::from_f64(number.value()).map(Value::Number).ok_or_else(|| refused(&"a number is not finite"))
    } else if let Ok(dict) = value.cast::<PyDict>() {
        fields(dict.items())
    } else if let Ok(list) = value.cast::<PyList>() {
        list.iter().map(|value| inner(&value)).collect()
    } else if value.cast::<PyInt>().is_ok() {
        other()
    } else if value.cast::<PySequence>().is_ok() {
        value.try_iter()?.map(|value| inner(&value?)).collect()
    } else if let Ok(mapping) = value.cast::<PyMapping>() {
        fields(mapping.items()?)
    } else {
        other()
    }
}

/// `dict` and `list`, with turns for other threads between one and the next.
struct WithTurns;

impl PythonizeTypes for WithTurns {
    type Map = DictWithTurns;
    type NamedMap = PythonizeUnnamedMappingAdapter<DictWithTurns>;
    type List = PyList;
}

struct DictWithTurns;

impl PythonizeMappingType for DictWithTurns {
    type Builder<'py> = Bound<'py, PyDict>;

    fn builder<'py>(py: Python<'py>, len: Option<usize>) -> PyResult<Self::Builder<'py>> {
        TURNS.with(|turns| turns.next(py))?;
        PyDict::builder(py, len)
    }

    fn push_item<'py>(
        builder: &mut Self::Builder<'py>,
        key: Bound<'py, PyAny>,
        value: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        PyDict::push_item(builder, key, value)
    }

    fn finish<'py>(builder: Self::Builder<'py>) -> PyResult<Bound<'py, PyMapping>> {
        PyDict::finish(builder)
    }
}

/// A value from the JSON in a text or in bytes.
pub(crate) fn from_json<T: DeserializeOwned + Send>(text: &Bound<'_, PyAny>, what: &str) -> PyResult<T> {
    let py = text.py();
    let read = match text.cast::<PyBytes>() {
        Ok(bytes) => {
            let bytes = bytes.as_bytes();
            py.detach(|| json::from_slice(bytes))
        }
        Err(_) => {
            let text = text.cast::<PyString>()?.text()?;
            py.detach(|| json::from_str(&text))
        }
    };
    read.map_err(|error| invalid(py, format!("not a {what}: {error}")))
}

/// What the schema makes of a class: `schema_methods!(Class "Name" as Read, |value| what to write,
/// |read| the value)`.
macro_rules! schema_methods {
    ($class:ty, $name:tt as $read:ty, |$value:ident| $view:expr, |$from:ident $(, $py:ident)?| $new:expr) => {
        #[pymethods]
        impl $class {
            /// Dictionaries, lists, texts and numbers, as the JSON schema has them.
            fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                let $value = self;
                $crate::schema::to_python(py, $view)
            }

            /// The value that `to_dict` has written.
            #[classmethod]
            fn from_dict(cls: &Bound<'_, pyo3::types::PyType>, fields: &Bound<'_, PyAny>) -> PyResult<Self> {
                let $from: $read = $crate::schema::from_python(fields, $name)?;
                let _py = cls.py();
                $(let $py = _py;)?
                $new
            }

            /// One line of JSON, the same in every language of this library.
            fn to_json(&self, py: Python<'_>) -> String {
                let $value = self;
                let view = $view;
                py.detach(|| lvs_core::json::to_string(view))
            }

            /// The value that `to_json` has written, from text or bytes.
            #[classmethod]
            fn from_json(cls: &Bound<'_, pyo3::types::PyType>, text: &Bound<'_, PyAny>) -> PyResult<Self> {
                let $from: $read = $crate::schema::from_json(text, $name)?;
                let _py = cls.py();
                $(let $py = _py;)?
                $new
            }

            fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
                Ok((slf.get_type().getattr("from_json")?, (slf.get().to_json(slf.py()),)))
            }
        }
    };
}
pub(crate) use schema_methods;
