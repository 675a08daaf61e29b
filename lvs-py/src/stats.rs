//! `Counters`, `Rates` and `Stats`.

use lvs_core::model::{Counters, Rates, Stats};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::args::Whole;
use crate::errors::invalid;
use crate::schema::{from_python, schema_methods};
use crate::value::{Fields, Value, value_methods};

macro_rules! five_numbers {
    ($(#[$doc:meta])* $name:ident, $python:literal, $core:ident, $of:ident; $($(#[$field_doc:meta])* $field:ident)*) => {
        $(#[$doc])*
        #[pyclass(name = $python, module = "lvs_py", frozen, eq, hash, ord)]
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) struct $name(pub(crate) $core);

        impl Value for $name {
            const NAME: &'static str = $python;

            fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
                let fields = Fields::new(py);
                $(let fields = fields.unless(stringify!($field), self.0.$field, self.0.$field == 0)?;)*
                Ok(fields)
            }
        }

        #[pymethods]
        impl $name {
            #[classattr]
            fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
                ($(stringify!($field),)*).into_py_any(py)
            }

            #[new]
            #[pyo3(
                signature = (*, $($field = Whole(0)),*),
                text_signature = "(*, connections=0, packets_in=0, packets_out=0, bytes_in=0, bytes_out=0)"
            )]
            fn new($($field: Whole<u64>),*) -> Self {
                Self($core { $($field: $field.0),* })
            }

            $($(#[$field_doc])* #[getter] fn $field(&self) -> u64 { self.0.$field })*
        }

        value_methods!($name);
        schema_methods!($name, $python as $core, |value| &value.0, |read| Ok(Self(read)));

        fn $of(value: &Bound<'_, PyAny>) -> PyResult<$core> {
            if let Ok(value) = value.cast::<$name>() {
                return Ok(value.get().0);
            }
            if value.cast::<PyDict>().is_ok() {
                return from_python(value, $python);
            }
            Err(PyTypeError::new_err(format!(concat!("not ", $python, ": {}"), value.repr()?)))
        }
    };
}

five_numbers! {
    /// Sums since the service or destination appeared or was zeroed.
    PyCounters, "Counters", Counters, counters_of;
    /// Connections scheduled.
    connections
    /// Packets from clients.
    packets_in
    /// Packets from real servers, as far as they pass the director.
    packets_out
    /// Bytes from clients, IP header included.
    bytes_in
    /// Bytes from real servers, IP header included.
    bytes_out
}

five_numbers! {
    /// Averages per second, as the kernel's estimator computes them every two seconds.
    PyRates, "Rates", Rates, rates_of;
    /// Connections a second.
    connections
    /// Packets a second from clients.
    packets_in
    /// Packets a second from real servers.
    packets_out
    /// Bytes (not bits) a second from clients.
    bytes_in
    /// Bytes (not bits) a second from real servers.
    bytes_out
}

#[pymethods]
impl PyCounters {
    /// The sums of two.
    fn __add__(&self, py: Python<'_>, other: &Self) -> PyResult<Self> {
        self.combined(other, u64::checked_add).ok_or_else(|| invalid(py, "the sum of these counters is above 2**64-1"))
    }

    /// What was counted since an earlier look.
    fn __sub__(&self, py: Python<'_>, earlier: &Self) -> PyResult<Self> {
        let reset = "a counter is lower than it was: they were zeroed, or the service was added again";
        self.combined(earlier, u64::checked_sub).ok_or_else(|| invalid(py, reset))
    }
}

impl PyCounters {
    fn combined(&self, other: &Self, number: fn(u64, u64) -> Option<u64>) -> Option<Self> {
        let (a, b) = (self.0, other.0);
        Some(Self(Counters {
            connections: number(a.connections, b.connections)?,
            packets_in: number(a.packets_in, b.packets_in)?,
            packets_out: number(a.packets_out, b.packets_out)?,
            bytes_in: number(a.bytes_in, b.bytes_in)?,
            bytes_out: number(a.bytes_out, b.bytes_out)?,
        }))
    }
}

/// Sums and rates of a service or destination. The kernel refreshes them every two seconds.
#[pyclass(name = "Stats", module = "lvs_py", frozen, eq, hash, ord)]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PyStats(pub(crate) Stats);

impl Value for PyStats {
    const NAME: &'static str = "Stats";

    fn fields<'py>(&self, py: Python<'py>) -> PyResult<Fields<'py>> {
        Fields::new(py).named("counters", PyCounters(self.0.counters))?.named("rates", PyRates(self.0.rates))
    }
}

#[pymethods]
impl PyStats {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Py<PyAny>> {
        ("counters", "rates").into_py_any(py)
    }

    #[new]
    #[pyo3(signature = (*, counters = None, rates = None))]
    fn new(counters: Option<&Bound<'_, PyAny>>, rates: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        Ok(Self(Stats {
            counters: counters.map(counters_of).transpose()?.unwrap_or_default(),
            rates: rates.map(rates_of).transpose()?.unwrap_or_default(),
        }))
    }

    /// The sums.
    #[getter]
    fn counters(&self) -> PyCounters {
        PyCounters(self.0.counters)
    }

    /// The rates.
    #[getter]
    fn rates(&self) -> PyRates {
        PyRates(self.0.rates)
    }
}

value_methods!(PyStats);

schema_methods!(PyStats, "Stats" as Stats, |value| &value.0, |read| Ok(Self(read)));

/// Statistics: a value, or what `to_dict` has written.
pub(crate) fn stats_of(value: &Bound<'_, PyAny>) -> PyResult<Stats> {
    if let Ok(stats) = value.cast::<PyStats>() {
        return Ok(stats.get().0);
    }
    if value.cast::<PyDict>().is_ok() {
        return from_python(value, "Stats");
    }
    Err(PyTypeError::new_err(format!("not Stats: {}", value.repr()?)))
}
