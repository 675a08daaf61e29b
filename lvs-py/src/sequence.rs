//! Sequences over lists that are shared: none of their items is made before someone looks at it.

/// What a sequence over `Arc<Vec<item>>` has: `shared_sequence!(class of item's class(item),
/// iterator = its name, "one", "many", |item| what the JSON schema makes of it)`.
macro_rules! shared_sequence {
    (
        $class:ident of $one_class:ident($item:ty), $iterator:ident = $python_iterator:literal, $one:literal, $many:literal,
        |$value:ident| $view:expr
    ) => {
        #[pymethods]
        impl $class {
            fn __len__(&self) -> usize {
                self.0.len()
            }

            fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
                let py = key.py();
                if let Ok(slice) = key.cast::<pyo3::types::PySlice>() {
                    let range = slice.indices(self.0.len() as isize)?;
                    let places = (0..range.slicelength).map(|i| (range.start + i as isize * range.step) as usize);
                    return Self::new(places.map(|at| self.0[at].clone()).collect()).into_bound_py_any(py);
                }
                let place = key.extract::<$crate::args::Index>()?.place(self.0.len());
                let place = place.ok_or_else(|| pyo3::exceptions::PyIndexError::new_err(concat!("no such ", $one)))?;
                $one_class(self.0[place].clone()).into_bound_py_any(py)
            }

            fn __iter__(&self) -> $iterator {
                $iterator { all: self.0.clone(), next: 0.into() }
            }

            fn __reversed__(&self) -> $iterator {
                $iterator { all: std::sync::Arc::new(self.0.iter().rev().cloned().collect()), next: 0.into() }
            }

            fn __contains__(&self, item: &Bound<'_, PyAny>) -> bool {
                self.position(item).is_some()
            }

            /// The place of the first one that is equal. Raises `ValueError` if none is.
            fn index(&self, item: &Bound<'_, PyAny>) -> PyResult<usize> {
                let refused = || pyo3::exceptions::PyValueError::new_err(concat!("no such ", $one));
                self.position(item).ok_or_else(refused)
            }

            /// How many are equal.
            fn count(&self, item: &Bound<'_, PyAny>) -> usize {
                let Ok(item) = item.cast::<$one_class>() else { return 0 };
                self.0.iter().filter(|own| **own == item.get().0).count()
            }

            // Equal to a list of the same items, too.
            fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
                if let Ok(other) = other.cast::<Self>() {
                    return self.0 == other.get().0;
                }
                let Ok(list) = other.cast::<pyo3::types::PyList>() else { return false };
                list.len() == self.0.len()
                    && list
                        .iter()
                        .zip(self.0.iter())
                        .all(|(item, own)| item.cast::<$one_class>().is_ok_and(|item| item.get().0 == *own))
            }

            /// A list of dictionaries, as the JSON schema has them.
            fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
                $crate::schema::to_python(py, &self.0.iter().map(|$value| $view).collect::<Vec<_>>())
            }

            /// What `to_dicts` has written.
            #[staticmethod]
            fn from_dicts(rows: &Bound<'_, PyAny>) -> PyResult<Self> {
                $crate::schema::from_python(rows, concat!("list of ", $many)).map(Self::new)
            }

            /// A list in one line of JSON.
            fn to_json(&self, py: Python<'_>) -> String {
                py.detach(|| lvs_core::json::to_string(&self.0.iter().map(|$value| $view).collect::<Vec<_>>()))
            }

            /// What `to_json` has written, from text or bytes.
            #[staticmethod]
            fn from_json(text: &Bound<'_, PyAny>) -> PyResult<Self> {
                $crate::schema::from_json(text, concat!("list of ", $many)).map(Self::new)
            }

            fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
                Ok((slf.get_type().getattr("from_json")?, (slf.get().to_json(slf.py()),)))
            }

            fn __repr__(&self) -> String {
                match self.0.len() {
                    1 => concat!("<1 ", $one, ">").to_owned(),
                    count => format!(concat!("<{} ", $many, ">"), count),
                }
            }
        }

        impl $class {
            pub(crate) fn new(all: Vec<$item>) -> Self {
                Self(std::sync::Arc::new(all))
            }

            fn position(&self, item: &Bound<'_, PyAny>) -> Option<usize> {
                let item = item.cast::<$one_class>().ok()?;
                self.0.iter().position(|own| *own == item.get().0)
            }
        }

        #[doc = concat!("Goes over ", $many, ".")]
        #[pyclass(name = $python_iterator, module = "lvs_py._lvs", frozen)]
        pub(crate) struct $iterator {
            all: std::sync::Arc<Vec<$item>>,
            next: std::sync::atomic::AtomicUsize,
        }

        #[pymethods]
        impl $iterator {
            const fn __iter__(slf: Py<Self>) -> Py<Self> {
                slf
            }

            fn __length_hint__(&self) -> usize {
                self.all.len().saturating_sub(self.next.load(std::sync::atomic::Ordering::Relaxed))
            }

            fn __next__(&self) -> Option<$one_class> {
                let index = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                self.all.get(index).cloned().map($one_class)
            }
        }
    };
}
pub(crate) use shared_sequence;
