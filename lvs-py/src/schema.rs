//! Dictionaries, JSON and pickling of every value that people log, send or store: the one schema of
//! lvs-core.

use lvs_core::json;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::AsText as _;
use crate::errors::invalid;

/// A value as dictionaries, lists, texts and numbers.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    Ok(pythonize::pythonize(py, value)?)
}

/// A value from dictionaries, lists, texts and numbers; `what` is the name of its class.
pub(crate) fn from_python<T: DeserializeOwned>(value: &Bound<'_, PyAny>, what: &str) -> PyResult<T> {
    pythonize::depythonize(value).map_err(|error| invalid(value.py(), format!("not a {what}: {error}")))
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
