//! What all values have in common: `repr`, `replace`, pickling, `to_dict`, from one description of their fields.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

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
            text.push_str(&field.value.repr()?.to_cow()?);
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

    /// Plain dictionaries, lists, texts and numbers.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for field in self.fields(py)?.fields {
            dict.set_item(field.name, plain(&field.value)?)?;
        }
        Ok(dict)
    }
}

/// What `json` can write: numbers, texts and nothing stay, values become dictionaries, all else its text.
pub(crate) fn plain<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = value.py();
    if value.is_none() || value.is_exact_instance_of::<PyString>() {
        return Ok(value.clone());
    }
    if value.is_exact_instance_of::<pyo3::types::PyInt>()
        || value.is_exact_instance_of::<pyo3::types::PyBool>()
        || value.is_exact_instance_of::<pyo3::types::PyFloat>()
    {
        return Ok(value.clone());
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        let items = tuple.iter().map(|item| plain(&item)).collect::<PyResult<Vec<_>>>()?;
        return Ok(PyList::new(py, items)?.into_any());
    }
    if value.hasattr("to_dict")? {
        return value.call_method0("to_dict");
    }
    if value.is_instance_of::<pyo3::types::PyInt>() && !value.hasattr("_name_")? {
        return value.call_method0("__int__");
    }
    Ok(value.str()?.into_any())
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

            /// Plain dictionaries, lists, texts and numbers: what `json` can write and `from_dict` reads.
            fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyDict>> {
                $crate::value::Value::to_dict(self, py)
            }

            /// The value that `to_dict` has written.
            #[classmethod]
            fn from_dict<'py>(
                cls: &Bound<'py, pyo3::types::PyType>,
                fields: &Bound<'py, pyo3::types::PyDict>,
            ) -> PyResult<Bound<'py, PyAny>> {
                cls.call((), Some(fields))
            }

            fn __getnewargs_ex__<'py>(
                &self,
                py: Python<'py>,
            ) -> PyResult<(Bound<'py, pyo3::types::PyTuple>, Bound<'py, pyo3::types::PyDict>)> {
                Ok((pyo3::types::PyTuple::empty(py), $crate::value::Value::kwargs(self, py)?))
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

/// The hash of a value whose data is shared.
pub(crate) fn hash(value: &impl std::hash::Hash) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Calls the table writer of the package.
pub(crate) fn html(py: Python<'_>, function: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    py.import("lvs._html")?.call_method1(function, (value,))?.extract()
}
