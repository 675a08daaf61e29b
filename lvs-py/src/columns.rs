//! Tables as columns in Arrow's memory layout: pyarrow, polars, pandas and duckdb take them without
//! a copy.

use std::fmt::Display;
use std::sync::Arc;

use arrow_array::builder::{LargeStringBuilder, StringDictionaryBuilder};
use arrow_array::cast::AsArray;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::{Float64Type, Int32Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, PrimitiveArray, RecordBatch, RecordBatchIterator, StructArray};
use arrow_schema::{DataType, Field, Schema};
use lvs_core::model::{DestinationEntry, Snapshot, Stats};
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyList};

use crate::args::Text;
use crate::errors::{invalid, not_found};
use crate::turns;

/// A table under construction, column by column.
#[derive(Default)]
pub(crate) struct Builder {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Builder {
    fn push(mut self, name: &str, nullable: bool, array: impl Array + 'static) -> Self {
        self.fields.push(Field::new(name, array.data_type().clone(), nullable));
        self.arrays.push(Arc::new(array));
        self
    }

    /// Texts of which most are different.
    pub(crate) fn text<T: Display>(self, name: &str, cells: impl IntoIterator<Item = T>) -> Self {
        let mut array = LargeStringBuilder::new();
        for cell in cells {
            write(&mut array, cell);
        }
        self.push(name, false, array.finish())
    }

    /// The same, some of them missing.
    pub(crate) fn some_text<T: Display>(self, name: &str, cells: impl IntoIterator<Item = Option<T>>) -> Self {
        let mut array = LargeStringBuilder::new();
        for cell in cells {
            match cell {
                Some(cell) => write(&mut array, cell),
                None => array.append_null(),
            }
        }
        self.push(name, true, array.finish())
    }

    /// Texts of which there are few: encoded by a dictionary.
    pub(crate) fn word<T: Display>(
        self,
        name: &str,
        cells: impl IntoIterator<Item = Option<T>>,
        nullable: bool,
    ) -> Self {
        let mut array = StringDictionaryBuilder::<Int32Type>::new();
        let mut text = String::new();
        for cell in cells {
            match cell {
                Some(cell) => {
                    text.clear();
                    std::fmt::Write::write_fmt(&mut text, format_args!("{cell}"))
                        .expect("memory takes what is written");
                    array.append_value(&text);
                }
                None => array.append_null(),
            }
        }
        self.push(name, nullable, array.finish())
    }

    /// Whole numbers up to 2^16-1.
    pub(crate) fn u16(self, name: &str, cells: impl IntoIterator<Item = u16>) -> Self {
        self.push(name, false, cells.into_iter().collect::<Cells<UInt16Type>>().0)
    }

    /// The same, some of them missing.
    pub(crate) fn some_u16(self, name: &str, cells: impl IntoIterator<Item = Option<u16>>) -> Self {
        self.push(name, true, cells.into_iter().collect::<PrimitiveArray<UInt16Type>>())
    }

    /// Whole numbers up to 2^32-1.
    pub(crate) fn u32(self, name: &str, cells: impl IntoIterator<Item = u32>) -> Self {
        self.push(name, false, cells.into_iter().collect::<Cells<UInt32Type>>().0)
    }

    /// The same, some of them missing.
    pub(crate) fn some_u32(self, name: &str, cells: impl IntoIterator<Item = Option<u32>>) -> Self {
        self.push(name, true, cells.into_iter().collect::<PrimitiveArray<UInt32Type>>())
    }

    /// Whole numbers up to 2^64-1.
    pub(crate) fn u64(self, name: &str, cells: impl IntoIterator<Item = u64>) -> Self {
        self.push(name, false, cells.into_iter().collect::<Cells<UInt64Type>>().0)
    }

    /// Numbers.
    pub(crate) fn f64(self, name: &str, cells: impl IntoIterator<Item = f64>) -> Self {
        self.push(name, false, cells.into_iter().collect::<Cells<Float64Type>>().0)
    }

    /// Yes or no.
    pub(crate) fn flag(self, name: &str, cells: impl IntoIterator<Item = bool>) -> Self {
        self.push(name, false, BooleanArray::from_iter(cells.into_iter().map(Some)))
    }

    /// The table; all columns have as many rows.
    pub(crate) fn build(self) -> PyColumns {
        let schema = Arc::new(Schema::new(self.fields));
        PyColumns(RecordBatch::try_new(schema, self.arrays).expect("columns of one length"))
    }
}

/// An array without missing cells, collected at once.
struct Cells<T: arrow_array::types::ArrowPrimitiveType>(PrimitiveArray<T>);

impl<T: arrow_array::types::ArrowPrimitiveType> FromIterator<T::Native> for Cells<T> {
    fn from_iter<I: IntoIterator<Item = T::Native>>(cells: I) -> Self {
        Self(PrimitiveArray::from_iter_values(cells))
    }
}

fn write(array: &mut LargeStringBuilder, cell: impl Display) {
    std::fmt::Write::write_fmt(array, format_args!("{cell}")).expect("memory takes what is written");
    array.append_value("");
}

/// Rows as columns: Arrow's memory layout, and a mapping from names to columns.
///
/// `polars.DataFrame`, `pyarrow.table`, `duckdb` and `pandas.DataFrame.from_arrow` take the whole
/// through Arrow's C interface without a copy. A column of numbers by its name is a `memoryview`,
/// any other a list, in which `None` is what is missing.
#[pyclass(name = "Columns", module = "lvs_py", frozen)]
pub(crate) struct PyColumns(pub(crate) RecordBatch);

impl PyColumns {
    fn names(&self) -> Vec<String> {
        self.0.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    fn column(&self, py: Python<'_>, name: &str) -> PyResult<&ArrayRef> {
        let allowed = || format!("no column {name:?}: there are {}", self.names().join(", "));
        self.0.column_by_name(name).ok_or_else(|| not_found(py, allowed()))
    }
}

/// The format of one cell, as in the module `struct`, if the column is a block of numbers.
fn format(array: &dyn Array) -> Option<&'static str> {
    if array.null_count() > 0 {
        return None;
    }
    match array.data_type() {
        DataType::Float64 => Some("d"),
        DataType::UInt64 => Some("Q"),
        DataType::UInt32 => Some("I"),
        DataType::UInt16 => Some("H"),
        _ => None,
    }
}

fn to_python<'py>(py: Python<'py>, array: &ArrayRef) -> PyResult<Bound<'py, PyAny>> {
    if let Some(format) = format(array) {
        let data = array.to_data();
        let bytes = data.buffers()[0].as_slice();
        let memory = py.import("builtins")?.getattr("memoryview")?.call1((PyBytes::new(py, bytes),))?;
        return memory.call_method1("cast", (format,));
    }
    let list = match array.data_type() {
        DataType::LargeUtf8 => turns::list(py, array.as_string::<i64>().iter()),
        DataType::Boolean => turns::list(py, array.as_boolean().iter()),
        DataType::UInt16 => turns::list(py, array.as_primitive::<UInt16Type>().iter()),
        DataType::UInt32 => turns::list(py, array.as_primitive::<UInt32Type>().iter()),
        _ => {
            let words = array.as_dictionary::<Int32Type>();
            // One object a word, not one a cell.
            let known = words.values().as_string::<i32>().iter().map(|word| word.into_bound_py_any(py));
            let known = known.collect::<PyResult<Vec<_>>>()?;
            turns::list(py, words.keys().iter().map(|key| key.map(|key| known[key as usize].clone())))
        }
    };
    Ok(list?.into_any())
}

#[pymethods]
impl PyColumns {
    /// How many rows there are.
    #[getter]
    fn rows(&self) -> usize {
        self.0.num_rows()
    }

    fn __len__(&self) -> usize {
        self.0.num_columns()
    }

    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>().is_ok_and(|name| self.0.column_by_name(&name).is_some())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
        PyList::new(py, self.names())?.into_any().try_iter()
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

    fn __getitem__<'py>(&self, py: Python<'py>, name: Text) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self.column(py, &name)?)
    }

    /// A plain dictionary of the columns.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, array) in self.names().iter().zip(self.0.columns()) {
            dict.set_item(name, to_python(py, array)?)?;
        }
        Ok(dict)
    }

    /// The formats of the columns: those of `struct` for numbers, None for lists.
    fn formats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (name, array) in self.names().iter().zip(self.0.columns()) {
            dict.set_item(name, format(array))?;
        }
        Ok(dict)
    }

    /// A NumPy array for each column of numbers, a list for each other.
    fn to_numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let asarray = py.import("numpy")?.getattr("asarray")?;
        let dict = self.to_dict(py)?;
        for (name, array) in self.names().iter().zip(self.0.columns()) {
            if format(array).is_some() {
                dict.set_item(name, asarray.call1((dict.get_item(name)?,))?)?;
            }
        }
        Ok(dict)
    }

    /// What NumPy makes of the whole: a structured array, which `pandas.DataFrame` reads, too.
    #[pyo3(signature = (dtype = None, copy = None))]
    fn __array__<'py>(
        slf: &Bound<'py, Self>,
        dtype: Option<&Bound<'py, PyAny>>,
        copy: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let _ = copy;
        slf.py().import("lvs_py._columns")?.getattr("structured")?.call1((slf, dtype))
    }

    /// A `pandas.DataFrame`, through Arrow where pandas reads that.
    fn to_pandas<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("lvs_py._columns")?.getattr("to_pandas")?.call1((slf,))
    }

    /// A `polars.DataFrame`.
    fn to_polars<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("polars")?.getattr("DataFrame")?.call1((slf,))
    }

    /// A `pyarrow.Table`.
    fn to_arrow<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("pyarrow")?.getattr("table")?.call1((slf,))
    }

    /// Arrow's C stream, of one batch.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The specification leaves it to the producer whether to follow a wish; consumers cast what
        // they get.
        let _ = requested_schema;
        let batches = RecordBatchIterator::new([Ok(self.0.clone())], self.0.schema());
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(batches)), c"arrow_array_stream")
    }

    /// Arrow's C array: the rows as structures, with their schema.
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let _ = requested_schema;
        let rows = StructArray::from(self.0.clone()).into_data();
        let array = PyCapsule::new_with_value(py, FFI_ArrowArray::new(&rows), c"arrow_array")?;
        Ok((self.__arrow_c_schema__(py)?, array))
    }

    /// Arrow's C schema.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(self.0.schema().as_ref());
        let schema = schema.map_err(|error| invalid(py, error.to_string()))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    fn __repr__(&self) -> String {
        format!("<Columns: {} rows of {}>", self.rows(), self.names().join(", "))
    }
}

fn statistics(builder: Builder, all: &[Stats]) -> Builder {
    let column = |number: fn(&Stats) -> u64| all.iter().map(number);
    builder
        .u64("connections", column(|stats| stats.counters.connections))
        .u64("packets_in", column(|stats| stats.counters.packets_in))
        .u64("packets_out", column(|stats| stats.counters.packets_out))
        .u64("bytes_in", column(|stats| stats.counters.bytes_in))
        .u64("bytes_out", column(|stats| stats.counters.bytes_out))
        .u64("connections_per_second", column(|stats| stats.rates.connections))
        .u64("packets_in_per_second", column(|stats| stats.rates.packets_in))
        .u64("packets_out_per_second", column(|stats| stats.rates.packets_out))
        .u64("bytes_in_per_second", column(|stats| stats.rates.bytes_in))
        .u64("bytes_out_per_second", column(|stats| stats.rates.bytes_out))
}

/// One row a service.
pub(crate) fn services(snapshot: &Snapshot) -> PyColumns {
    let services = &snapshot.services;
    let configured = || services.iter().map(|service| &service.entry.service);
    let stats: Vec<Stats> = services.iter().map(|service| service.entry.statistics()).collect();
    let builder = Builder::default()
        .text("service", configured().map(|service| service.key()))
        .word("scheduler", configured().map(|service| Some(service.scheduler)), false)
        .some_u32("persistence", configured().map(|service| service.persistence()))
        .u32("flags", configured().map(|service| service.flags.bits()))
        .word("engine", configured().map(|service| service.engine), true)
        .u64("destinations", services.iter().map(|service| service.destinations.len() as u64));
    statistics(builder, &stats).build()
}

/// One row a destination.
pub(crate) fn destinations(snapshot: &Snapshot) -> PyColumns {
    let rows: Vec<&DestinationEntry> = snapshot.services.iter().flat_map(|service| &service.destinations).collect();
    let keys = snapshot.services.iter().flat_map(|service| {
        let key = service.entry.service.key().to_string();
        service.destinations.iter().map(move |_| Some(key.clone()))
    });
    let stats: Vec<Stats> = rows.iter().map(|entry| entry.statistics()).collect();
    let builder = Builder::default()
        .word("service", keys, false)
        .text("address", rows.iter().map(|entry| entry.destination.key.addr))
        .u16("port", rows.iter().map(|entry| entry.destination.key.port))
        .word("forwarding", rows.iter().map(|entry| Some(entry.destination.forwarding)), false)
        .u32("weight", rows.iter().map(|entry| entry.destination.weight))
        .u32("active", rows.iter().map(|entry| entry.active))
        .u32("inactive", rows.iter().map(|entry| entry.inactive))
        .u32("persistent", rows.iter().map(|entry| entry.persistent));
    statistics(builder, &stats).build()
}
