//! Tables as columns: whole numbers and texts side by side in memory, handed to others without a copy per cell.

use lvs_core::model::{Snapshot, Stats};
use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use std::sync::Arc;

/// One column.
pub(crate) enum Column {
    F64(Vec<f64>),
    U64(Vec<u64>),
    U32(Vec<u32>),
    U16(Vec<u16>),
    Text { ends: Vec<i32>, bytes: Vec<u8> },
}

impl Column {
    pub(crate) fn text() -> Self {
        Self::Text { ends: vec![0], bytes: Vec::new() }
    }

    /// Adds a text; a column holds up to 2 GB of it (Arrow's offsets have 32 bits).
    pub(crate) fn push_text(&mut self, text: std::fmt::Arguments<'_>) {
        use std::io::Write;
        if let Self::Text { ends, bytes } = self {
            write!(bytes, "{text}").expect("memory takes what is written");
            ends.push(i32::try_from(bytes.len()).expect("less than 2 GB of text"));
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::F64(values) => values.len(),
            Self::U64(values) => values.len(),
            Self::U32(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::Text { ends, .. } => ends.len() - 1,
        }
    }

    /// The format of one cell, as in the module `struct` and, for texts, nothing.
    const fn format(&self) -> Option<&'static str> {
        match self {
            Self::F64(_) => Some("d"),
            Self::U64(_) => Some("Q"),
            Self::U32(_) => Some("I"),
            Self::U16(_) => Some("H"),
            Self::Text { .. } => None,
        }
    }

    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (format, bytes) = match self {
            Self::F64(values) => ("d", values.iter().flat_map(|value| value.to_ne_bytes()).collect::<Vec<u8>>()),
            Self::U64(values) => ("Q", values.iter().flat_map(|value| value.to_ne_bytes()).collect()),
            Self::U32(values) => ("I", values.iter().flat_map(|value| value.to_ne_bytes()).collect()),
            Self::U16(values) => ("H", values.iter().flat_map(|value| value.to_ne_bytes()).collect()),
            Self::Text { ends, bytes } => {
                let cells =
                    ends.windows(2).map(|pair| String::from_utf8_lossy(&bytes[pair[0] as usize..pair[1] as usize]));
                return Ok(PyList::new(py, cells.collect::<Vec<_>>())?.into_any());
            }
        };
        let memory = py.import("builtins")?.getattr("memoryview")?.call1((PyBytes::new(py, &bytes),))?;
        memory.call_method1("cast", (format,))
    }
}

/// A column with its name.
pub(crate) type Named = (&'static str, Column);

/// Rows as columns: a mapping from names to columns of numbers (a `memoryview`) and of texts (a list).
///
/// `numpy.asarray` takes a column of numbers, and `polars.DataFrame`, `pyarrow.table` and `pandas` take the whole through
/// Arrow's C interface, all without a copy per cell.
#[pyclass(name = "Columns", module = "lvs", frozen)]
pub(crate) struct PyColumns(pub(crate) Arc<Vec<Named>>);

impl PyColumns {
    fn column(&self, name: &str) -> PyResult<&Column> {
        let found = self.0.iter().find(|(column, _)| *column == name);
        found.map(|(_, column)| column).ok_or_else(|| PyKeyError::new_err(name.to_owned()))
    }

    fn rows(&self) -> usize {
        self.0.first().map_or(0, |(_, column)| column.len())
    }
}

#[pymethods]
impl PyColumns {
    /// How many rows there are.
    #[getter(rows)]
    fn get_rows(&self) -> usize {
        self.rows()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>().is_ok_and(|name| self.column(&name).is_ok())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        PyList::new(py, self.0.iter().map(|(name, _)| *name))?.into_any().try_iter()
    }

    /// The names of the columns.
    fn keys<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("collections.abc")?.getattr("KeysView")?.call1((slf,))
    }

    /// The columns.
    fn values<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("collections.abc")?.getattr("ValuesView")?.call1((slf,))
    }

    /// Names with columns.
    fn items<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("collections.abc")?.getattr("ItemsView")?.call1((slf,))
    }

    fn __getitem__<'py>(&self, py: Python<'py>, name: std::borrow::Cow<'_, str>) -> PyResult<Bound<'py, PyAny>> {
        self.column(&name)?.to_python(py)
    }

    /// A plain dictionary of the columns.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, column) in &*self.0 {
            dict.set_item(name, column.to_python(py)?)?;
        }
        Ok(dict)
    }

    /// The formats of the columns: those of `struct` for numbers, None for texts.
    fn formats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, column) in &*self.0 {
            dict.set_item(name, column.format())?;
        }
        Ok(dict)
    }

    /// A NumPy array for each column of numbers, a list for each of texts.
    fn to_numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let asarray = py.import("numpy")?.getattr("asarray")?;
        let dict = self.to_dict(py)?;
        for (name, column) in &*self.0 {
            if column.format().is_some() {
                let value = asarray.call1((dict.get_item(name)?,))?;
                dict.set_item(name, value)?;
            }
        }
        Ok(dict)
    }

    /// A `pandas.DataFrame`.
    fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("pandas")?.getattr("DataFrame")?.call1((self.to_numpy(py)?,))
    }

    /// A `polars.DataFrame`.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("polars")?.getattr("DataFrame")?.call1((slf,))
    }

    /// A `pyarrow.Table`.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("pyarrow")?.getattr("table")?.call1((slf,))
    }

    /// Arrow's C stream, which pyarrow, polars and pandas read.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // The specification leaves it to the producer whether to follow a wish; consumers cast what they get.
        let _ = requested_schema;
        crate::arrow::stream(py, &self.0)
    }

    /// Arrow's C schema.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::arrow::schema_capsule(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|(name, _)| *name).collect();
        format!("<Columns: {} rows of {}>", self.rows(), names.join(", "))
    }
}

/// Numbers of each row, by column.
fn numbers<T>(rows: &[T], number: impl Fn(&T) -> u64) -> Column {
    Column::U64(rows.iter().map(number).collect())
}

fn statistics<T>(columns: &mut Vec<(&'static str, Column)>, rows: &[T], stats: impl Fn(&T) -> Stats) {
    let all: Vec<Stats> = rows.iter().map(stats).collect();
    columns.extend([
        ("connections", numbers(&all, |stats| stats.counters.connections)),
        ("packets_in", numbers(&all, |stats| stats.counters.packets_in)),
        ("packets_out", numbers(&all, |stats| stats.counters.packets_out)),
        ("bytes_in", numbers(&all, |stats| stats.counters.bytes_in)),
        ("bytes_out", numbers(&all, |stats| stats.counters.bytes_out)),
        ("connections_per_second", numbers(&all, |stats| stats.rates.connections)),
        ("packets_in_per_second", numbers(&all, |stats| stats.rates.packets_in)),
        ("packets_out_per_second", numbers(&all, |stats| stats.rates.packets_out)),
        ("bytes_in_per_second", numbers(&all, |stats| stats.rates.bytes_in)),
        ("bytes_out_per_second", numbers(&all, |stats| stats.rates.bytes_out)),
    ]);
}

/// One row a service.
pub(crate) fn services(snapshot: &Snapshot) -> PyColumns {
    let (mut key, mut scheduler) = (Column::text(), Column::text());
    for service in &snapshot.services {
        key.push_text(format_args!("{}", service.entry.service.key()));
        scheduler.push_text(format_args!("{}", service.entry.service.scheduler));
    }
    let services = &snapshot.services;
    let mut columns = vec![
        ("service", key),
        ("scheduler", scheduler),
        ("persistence", Column::U32(services.iter().map(|s| s.entry.service.persistence().unwrap_or(0)).collect())),
        ("flags", Column::U32(services.iter().map(|s| s.entry.service.flags.bits()).collect())),
        ("destinations", numbers(services, |service| service.destinations.len() as u64)),
    ];
    statistics(&mut columns, services, |service| service.entry.statistics());
    PyColumns(Arc::new(columns))
}

/// One row a destination.
pub(crate) fn destinations(snapshot: &Snapshot) -> PyColumns {
    let (mut key, mut address, mut forwarding) = (Column::text(), Column::text(), Column::text());
    let mut rows = Vec::new();
    for service in &snapshot.services {
        let name = service.entry.service.key();
        for entry in &service.destinations {
            key.push_text(format_args!("{name}"));
            address.push_text(format_args!("{}", entry.destination.key.addr));
            forwarding.push_text(format_args!("{}", entry.destination.forwarding));
            rows.push(entry);
        }
    }
    let small = |number: &dyn Fn(&lvs_core::model::DestinationEntry) -> u32| {
        Column::U32(rows.iter().map(|entry| number(entry)).collect())
    };
    let mut columns = vec![
        ("service", key),
        ("address", address),
        ("port", Column::U16(rows.iter().map(|entry| entry.destination.key.port).collect())),
        ("forwarding", forwarding),
        ("weight", small(&|entry| entry.destination.weight)),
        ("active", small(&|entry| entry.active)),
        ("inactive", small(&|entry| entry.inactive)),
        ("persistent", small(&|entry| entry.persistent)),
    ];
    statistics(&mut columns, &rows, |entry| entry.statistics());
    PyColumns(Arc::new(columns))
}
