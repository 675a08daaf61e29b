//! `Counters`, `Rates` and `Stats`.

use lvs_core::model::{Counters, Rates, Stats};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::value::{Fields, Value, value_methods};

macro_rules! five_numbers {
    ($(#[$doc:meta])* $name:ident, $python:literal, $core:ident, $of:ident; $($(#[$field_doc:meta])* $field:ident)*) => {
        $(#[$doc])*
        #[pyclass(name = $python, module = "lvs", frozen, eq, hash, ord)]
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
            #[pyo3(signature = (*, $($field = 0),*))]
            fn new($($field: u64),*) -> Self {
                Self($core { $($field),* })
            }

            $($(#[$field_doc])* #[getter] fn $field(&self) -> u64 { self.0.$field })*
        }

        value_methods!($name);

        fn $of(value: &Bound<'_, PyAny>) -> PyResult<$core> {
            if let Ok(value) = value.cast::<$name>() {
                return Ok(value.get().0);
            }
            let Ok(fields) = value.cast::<PyDict>() else {
                return Err(PyTypeError::new_err(concat!("not ", $python)));
            };
            let built = value.py().get_type::<$name>().call((), Some(fields))?;
            Ok(built.cast::<$name>()?.get().0)
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

/// Sums and rates of a service or destination. The kernel refreshes them every two seconds.
#[pyclass(name = "Stats", module = "lvs", frozen, eq, hash, ord)]
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

/// Statistics: a value, or what `to_dict` has written.
pub(crate) fn stats_of(value: &Bound<'_, PyAny>) -> PyResult<Stats> {
    if let Ok(stats) = value.cast::<PyStats>() {
        return Ok(stats.get().0);
    }
    let Ok(fields) = value.cast::<PyDict>() else {
        return Err(PyTypeError::new_err("not Stats"));
    };
    let built = value.py().get_type::<PyStats>().call((), Some(fields))?;
    Ok(built.cast::<PyStats>()?.get().0)
}
