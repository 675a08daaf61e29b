//! Mappings over lists that are shared, as `dict` would have them: nothing of them is made before
//! someone looks at it.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

/// A mapping over a list that is shared: its keys, values and items are made on the way.
macro_rules! shared_mapping {
    ($class:ident, $iterator:ident, $python:literal, $one:literal, $python_iterator:literal, $arg:ty) => {
        #[pymethods]
        impl $class {
            fn __len__(&self) -> usize {
                self.len()
            }

            // What is no key is not in it, as with a dictionary.
            fn __contains__(&self, key: &Bound<'_, PyAny>) -> bool {
                key.extract::<$arg>().is_ok_and(|key| self.position(&key.0).is_some())
            }

            fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
                match self.position(&key.extract::<$arg>()?.0) {
                    Some(index) => self.value(key.py(), index),
                    None => {
                        let text = format!(concat!("no ", $one, " {}"), key.str()?);
                        Err($crate::errors::not_found(key.py(), text))
                    }
                }
            }

            /// The entry of a key, or another value if there is none.
            #[pyo3(signature = (key, default = None))]
            fn get<'py>(
                &self,
                key: &Bound<'py, PyAny>,
                default: Option<Bound<'py, PyAny>>,
            ) -> PyResult<Option<Bound<'py, PyAny>>> {
                match key.extract::<$arg>().ok().and_then(|key| self.position(&key.0)) {
                    Some(index) => self.value(key.py(), index).map(Some),
                    None => Ok(default),
                }
            }

            fn __iter__(&self) -> $iterator {
                self.iterate($crate::mapping::Part::Keys)
            }

            /// Goes over keys (0), entries (1) or both (2): what the views below stand on.
            fn _iterate(&self, part: u8) -> $iterator {
                self.iterate(match part {
                    0 => $crate::mapping::Part::Keys,
                    1 => $crate::mapping::Part::Values,
                    _ => $crate::mapping::Part::Items,
                })
            }

            /// The keys.
            fn keys<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                $crate::mapping::view(slf.as_any(), "Keys")
            }

            /// The entries.
            fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                $crate::mapping::view(slf.as_any(), "Values")
            }

            /// Keys with their entries.
            fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
                $crate::mapping::view(slf.as_any(), "Items")
            }

            fn __eq__(&self, other: &Self) -> bool {
                self.list() == other.list()
            }

            fn __hash__(&self) -> u64 {
                $crate::value::hash(&self.list())
            }

            fn __repr__(&self) -> String {
                match self.len() {
                    1 => concat!("<1 ", $one, ">").to_owned(),
                    count => format!(concat!("<{} ", $python, ">"), count),
                }
            }
        }

        impl $class {
            fn iterate(&self, part: $crate::mapping::Part) -> $iterator {
                $iterator { of: self.clone(), part, next: 0.into() }
            }
        }

        #[doc = concat!("Goes over ", $python, ".")]
        #[pyclass(name = $python_iterator, module = "lvs_py._lvs", frozen)]
        pub(crate) struct $iterator {
            of: $class,
            part: $crate::mapping::Part,
            next: std::sync::atomic::AtomicUsize,
        }

        #[pymethods]
        impl $iterator {
            const fn __iter__(slf: Py<Self>) -> Py<Self> {
                slf
            }

            fn __length_hint__(&self) -> usize {
                self.of.len().saturating_sub(self.next.load(std::sync::atomic::Ordering::Relaxed))
            }

            fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
                let index = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if index >= self.of.len() {
                    return Ok(None);
                }
                match self.part {
                    $crate::mapping::Part::Keys => self.of.key(py, index),
                    $crate::mapping::Part::Values => self.of.value(py, index),
                    $crate::mapping::Part::Items => {
                        (self.of.key(py, index)?, self.of.value(py, index)?).into_bound_py_any(py)
                    }
                }
                .map(Some)
            }
        }
    };
}
pub(crate) use shared_mapping;

/// A view of a mapping, as `dict` has them.
pub(crate) fn view<'py>(mapping: &Bound<'py, PyAny>, class: &str) -> PyResult<Bound<'py, PyAny>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = mapping.py();
    let module = MODULE.get_or_try_init(py, || py.import("lvs_py._views").map(|module| module.into_any().unbind()))?;
    module.bind(py).getattr(class)?.call1((mapping,))
}

/// What of a mapping is gone over.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    Keys,
    Values,
    Items,
}
