//! What all values have in common: `repr` and `replace`, from one description of their fields.

use crate::args::AsText as _;
use crate::turns::TURNS;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The fields of a value, in the order of its constructor.
pub(crate) struct Fields<'py> {
    py: Python<'py>,
    fields: Vec<Field<'py>>,
}

struct Field<'py> {
    name: &'static str,
    value: Bound<'py, PyAny>,
    shown: Shown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// In front, without its name.
    Positional,
    /// With its name.
    Named,
    /// Not in `repr`: it has its default.
    Hidden,
}

impl<'py> Fields<'py> {
    pub(crate) const fn new(py: Python<'py>) -> Self {
        Self { py, fields: Vec::new() }
    }

    fn push(mut self, name: &'static str, value: impl IntoPyObject<'py>, shown: Shown) -> PyResult<Self> {
        let value = value.into_bound_py_any(self.py)?;
        self.fields.push(Field { name, value, shown });
        Ok(self)
    }

    /// A field that `repr` shows first, without its name.
    pub(crate) fn positional(self, name: &'static str, value: impl IntoPyObject<'py>) -> PyResult<Self> {
        self.push(name, value, Shown::Positional)
    }

    /// A field that `repr` shows with its name.
    pub(crate) fn named(self, name: &'static str, value: impl IntoPyObject<'py>) -> PyResult<Self> {
        self.push(name, value, Shown::Named)
    }

    /// A field that `repr` shows unless it has its default.
    pub(crate) fn unless(self, name: &'static str, value: impl IntoPyObject<'py>, default: bool) -> PyResult<Self> {
        self.push(name, value, if default { Shown::Hidden } else { Shown::Named })
    }
}

/// A value with a constructor that takes its fields by name.
pub(crate) trait Value {
    /// The name of the class.
    const NAME: &'static str;

    /// The fields.
    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>>;

    fn repr(&self, py: Python<'_>) -> PyResult<String> {
        // A table prints all its services.
        TURNS.with(|turns| turns.next(py))?;
        let mut text = String::from(Self::NAME);
        text.push('(');
        let mut separator = "";
        for field in self.fields(py)?.fields {
            if field.shown == Shown::Hidden {
                continue;
            }
            text.push_str(separator);
            separator = ", ";
            if field.shown == Shown::Named {
                text.push_str(field.name);
                text.push('=');
            }
            // A text that an enumeration prints as is what its users write.
            text.push_str(&field.value.repr()?.text()?);
        }
        text.push(')');
        Ok(text)
    }

    fn kwargs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let kwargs = PyDict::new(py);
        for field in self.fields(py)?.fields {
            kwargs.set_item(field.name, field.value)?;
        }
        Ok(kwargs)
    }

    /// The same value with other fields.
    fn replace<'py>(
        &self,
        py: Python<'py>,
        class: Bound<'py, PyAny>,
        changes: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let kwargs = self.kwargs(py)?;
        if let Some(changes) = changes {
            kwargs.update(changes.as_mapping())?;
        }
        class.call((), Some(&kwargs))
    }
}

/// The methods that every value has, beside those of its own.
macro_rules! value_methods {
    ($class:ty) => {
        #[pymethods]
        impl $class {
            fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
                $crate::value::Value::repr(self, py)
            }

            /// The same value with other fields.
            #[pyo3(signature = (**changes))]
            fn replace<'py>(
                slf: &Bound<'py, Self>,
                changes: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                $crate::value::Value::replace(slf.get(), slf.py(), slf.get_type().into_any(), changes)
            }

            #[pyo3(signature = (**changes))]
            fn __replace__<'py>(
                slf: &Bound<'py, Self>,
                changes: Option<&Bound<'py, pyo3::types::PyDict>>,
            ) -> PyResult<Bound<'py, PyAny>> {
                $crate::value::Value::replace(slf.get(), slf.py(), slf.get_type().into_any(), changes)
            }

            fn __copy__(slf: Py<Self>) -> Py<Self> {
                slf
            }

            fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
                slf
            }
        }
    };
}
pub(crate) use value_methods;

/// How a key is pickled: as its text.
macro_rules! pickled_as_text {
    ($class:ty) => {
        #[pymethods]
        impl $class {
            fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, pyo3::types::PyType>, (String,)) {
                (slf.get_type(), (slf.get().0.to_string(),))
            }
        }
    };
}
pub(crate) use pickled_as_text;

/// The hash of a value whose data is shared.
pub(crate) fn hash(value: &impl std::hash::Hash) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Calls the table writer of the package.
pub(crate) fn html(py: Python<'_>, function: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    py.import("lvs_py._html")?.call_method1(function, (value,))?.extract()
}
