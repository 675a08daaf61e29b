//! Workloads on the embedded director: the functions and values behind `lvs_py.simulation`.
//!
//! What a workload is made of is described in Python, and comes here as pairs of a kind and its
//! numbers.

use std::sync::Arc;
use std::time::Duration;

use lvs_core::embedded::EmbeddedDirector;
use lvs_core::model::DestinationKey;
use lvs_sim::{Arrivals, Change, Clients, Event, Lengths, Report, ServerReport, Workload};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::args::{Span, Text, Whole};
use crate::columns::{Builder, PyColumns};
use crate::convert;
use crate::destination::{DestinationKeyArg, PyDestinationKey, destination_of};
use crate::errors::invalid;
use crate::failures::OrRaise;
use crate::service::service_of;
use crate::signals::Signals;
use crate::value::html;

/// A kind with its numbers: `("poisson", 10.0)`.
fn kind<'py>(pair: &Bound<'py, PyTuple>) -> PyResult<(String, Bound<'py, PyAny>)> {
    Ok((pair.get_item(0)?.extract()?, pair.get_item(1)?))
}

fn arrivals(pair: &Bound<'_, PyTuple>) -> PyResult<Arrivals> {
    let (kind, value) = kind(pair)?;
    Ok(match kind.as_str() {
        "poisson" => Arrivals::Poisson { per_second: value.extract()? },
        "regular" => Arrivals::Regular { per_second: value.extract()? },
        _ => Arrivals::Given(value.extract()?),
    })
}

fn lengths(pair: &Bound<'_, PyTuple>) -> PyResult<Lengths> {
    let (kind, value) = kind(pair)?;
    Ok(match kind.as_str() {
        "fixed" => Lengths::Fixed(value.extract()?),
        "exponential" => Lengths::Exponential { mean: value.extract()? },
        "log_normal" => {
            let (median, spread) = value.extract()?;
            Lengths::LogNormal { median, spread }
        }
        "pareto" => {
            let (shortest, shape) = value.extract()?;
            Lengths::Pareto { shortest, shape }
        }
        _ => Lengths::Given(value.extract()?),
    })
}

fn clients(pair: &Bound<'_, PyTuple>) -> PyResult<Clients> {
    let (kind, value) = kind(pair)?;
    Ok(match kind.as_str() {
        "uniform" => Clients::Uniform { count: value.extract::<Whole<u32>>()?.0 },
        "zipf" => {
            let (count, exponent): (Whole<u32>, f64) = value.extract()?;
            Clients::Zipf { count: count.0, exponent }
        }
        _ => Clients::Given(value.try_iter()?.map(|addr| convert::address(&addr?)).collect::<PyResult<_>>()?),
    })
}

fn event(item: &Bound<'_, PyAny>) -> PyResult<(Duration, Event)> {
    let (kind, at, server, weight): (String, Span, DestinationKeyArg, Option<Whole<u32>>) = item.extract()?;
    let event = match (kind.as_str(), weight) {
        ("fail", _) => Event::Fail(server.0),
        ("drain", _) => Event::Drain(server.0),
        ("return", _) => Event::Return(server.0),
        (_, Some(weight)) => Event::Weight(server.0, weight.0),
        (other, None) => return Err(invalid(item.py(), format!("{other:?} is no event"))),
    };
    Ok((at.0, event))
}

/// Plays a workload, detached from the interpreter.
#[pyfunction]
#[pyo3(signature = (service, servers, *, duration, arrivals, lengths, clients, events, sample_every, seed, profile))]
#[allow(clippy::too_many_arguments, reason = "what a workload is made of")]
pub(crate) fn simulate(
    py: Python<'_>,
    service: &Bound<'_, PyAny>,
    servers: &Bound<'_, PyAny>,
    duration: Duration,
    arrivals: &Bound<'_, PyTuple>,
    lengths: &Bound<'_, PyTuple>,
    clients: &Bound<'_, PyTuple>,
    events: &Bound<'_, PyAny>,
    sample_every: Option<Duration>,
    seed: Whole<u64>,
    profile: Text,
) -> PyResult<PyReport> {
    let mut workload = Workload::new(service_of(service)?, duration);
    workload.servers = servers.try_iter()?.map(|server| destination_of(&server?)).collect::<PyResult<_>>()?;
    workload.arrivals = self::arrivals(arrivals)?;
    workload.lengths = self::lengths(lengths)?;
    workload.clients = self::clients(clients)?;
    workload.events = events.try_iter()?.map(|item| event(&item?)).collect::<PyResult<_>>()?;
    if let Some(every) = sample_every {
        workload.sample_every = every;
    }
    workload.seed = seed.0;
    workload.director = EmbeddedDirector::options().profile(crate::scheduler::profile(py, &profile)?).seed(seed.0);
    let mut signals = Signals::default();
    let report = py.detach(|| workload.run_while(|| !signals.raised())).or_raise(py)?;
    match report {
        Some(report) => Ok(PyReport(Arc::new(report))),
        None => Err(signals.into_error()),
    }
}

/// What became of a workload.
///
/// `str` shows it as a table; `to_dict` is all of it as plain data, `columns` the samples for
/// NumPy, pandas, polars and pyarrow, and `lvs_py.plot.simulation` draws it.
#[pyclass(name = "Report", module = "lvs_py.simulation", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct PyReport(Arc<Report>);

#[pymethods]
impl PyReport {
    /// The scheduler.
    #[getter]
    fn scheduler(&self) -> &str {
        &self.0.scheduler
    }

    /// How long it went on.
    #[getter]
    fn duration(&self) -> Duration {
        self.0.duration
    }

    /// Connections that were opened.
    #[getter]
    fn connections(&self) -> u64 {
        self.0.connections
    }

    /// Connections that were refused.
    #[getter]
    fn refused(&self) -> u64 {
        self.0.refused
    }

    /// Different clients that came.
    #[getter]
    fn clients(&self) -> u64 {
        self.0.clients
    }

    /// Clients that had more than one server in the end, events or not.
    #[getter]
    fn spread_clients(&self) -> u64 {
        self.0.spread_clients
    }

    /// Most entries of the connection table at a sample, templates included.
    #[getter]
    fn peak_entries(&self) -> usize {
        self.0.peak_entries
    }

    /// The part of each server, in the workload's order.
    #[getter]
    fn servers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let part = |at| PyServerReport { report: self.0.clone(), at };
        PyTuple::new(py, (0..self.0.servers.len()).map(part))
    }

    /// What each event did to the clients, in order.
    #[getter]
    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.changes.iter().cloned().map(PyChange))
    }

    /// The samples as columns, one row a sample and server: time in seconds, server, sessions, new
    /// connections since the sample before, weight in force.
    fn columns(&self) -> PyColumns {
        let samples = || self.0.samples.iter();
        let servers = || self.0.servers.iter().map(|server| server.key);
        let (times, names) =
            (samples().flat_map(|s| servers().map(|_| s.time.as_secs_f64())), samples().flat_map(|_| servers()));
        Builder::default()
            .f64("time", times)
            .word("server", names.map(Some), false)
            .u32("sessions", samples().flat_map(|sample| sample.sessions.iter().copied()))
            .u32("new", samples().flat_map(|sample| sample.new.iter().copied()))
            .u32("weight", samples().flat_map(|sample| sample.weights.iter().copied()))
            .build()
    }

    /// The times of the samples in seconds, and how much more than its fair part the server has
    /// that has most: 1 is perfect balance. None while no server with a weight has a session.
    fn imbalances<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.0.samples.iter().map(|sample| (sample.time.as_secs_f64(), sample.imbalance())))
    }

    /// The imbalance that a part of the samples, 0 to 1, did not exceed: 0.5 is the median. None
    /// without samples.
    #[pyo3(signature = (part = 0.5))]
    fn imbalance(&self, part: f64) -> Option<f64> {
        self.0.imbalance_quantile(part)
    }

    /// The samples as comma-separated values, with a line of names.
    fn to_csv(&self) -> String {
        self.0.to_csv()
    }

    /// All of it as plain dictionaries, lists, texts and numbers: what `json` can write.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("scheduler", self.scheduler())?;
        dict.set_item("duration", self.0.duration.as_secs_f64())?;
        dict.set_item("connections", self.connections())?;
        dict.set_item("refused", self.refused())?;
        dict.set_item("clients", self.clients())?;
        dict.set_item("spread_clients", self.spread_clients())?;
        dict.set_item("peak_entries", self.peak_entries())?;
        let parts = (0..self.0.servers.len()).map(|at| PyServerReport { report: self.0.clone(), at }.to_dict(py));
        dict.set_item("servers", parts.collect::<PyResult<Vec<_>>>()?)?;
        let changes = self.0.changes.iter().cloned().map(|change| PyChange(change).to_dict(py));
        dict.set_item("changes", changes.collect::<PyResult<Vec<_>>>()?)?;
        let samples = PyList::empty(py);
        for sample in &self.0.samples {
            let one = PyDict::new(py);
            one.set_item("time", sample.time.as_secs_f64())?;
            one.set_item("sessions", &sample.sessions)?;
            one.set_item("new", &sample.new)?;
            one.set_item("weights", &sample.weights)?;
            one.set_item("imbalance", sample.imbalance())?;
            samples.append(one)?;
        }
        dict.set_item("samples", samples)?;
        Ok(dict)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        let Report { scheduler, connections, clients, .. } = &*self.0;
        format!("<Report of {scheduler}: {connections} connections of {clients} clients>")
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        html(slf.py(), "report", slf.as_any())
    }
}

/// One server's part in a workload.
#[pyclass(name = "ServerReport", module = "lvs_py.simulation", frozen)]
pub(crate) struct PyServerReport {
    report: Arc<Report>,
    at: usize,
}

impl PyServerReport {
    fn part(&self) -> &ServerReport {
        &self.report.servers[self.at]
    }
}

#[pymethods]
impl PyServerReport {
    /// The server.
    #[getter]
    fn key(&self) -> PyDestinationKey {
        PyDestinationKey(self.part().key)
    }

    /// Its weight at first.
    #[getter]
    fn weight(&self) -> u32 {
        self.part().weight
    }

    /// Connections that it got.
    #[getter]
    fn connections(&self) -> u64 {
        self.part().connections
    }

    /// Most sessions at once.
    #[getter]
    fn peak(&self) -> u32 {
        self.part().peak
    }

    /// Sessions that broke because it failed.
    #[getter]
    fn broken(&self) -> u64 {
        self.part().broken
    }

    /// Its share of all connections against its share of all weights at first: 1 is just its part.
    /// None where there is nothing to compare.
    #[getter]
    fn relative_share(&self) -> Option<f64> {
        self.report.relative_share(self.at)
    }

    /// Plain data.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let part = self.part();
        let dict = PyDict::new(py);
        dict.set_item("server", part.key.to_string())?;
        dict.set_item("weight", part.weight)?;
        dict.set_item("connections", part.connections)?;
        dict.set_item("peak", part.peak)?;
        dict.set_item("broken", part.broken)?;
        dict.set_item("relative_share", self.relative_share())?;
        Ok(dict)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.part() == other.part()
    }

    fn __repr__(&self) -> String {
        let ServerReport { key, connections, peak, .. } = self.part();
        format!("<ServerReport {key}: {connections} connections, {peak} at once>")
    }
}

/// What an event did to the clients.
#[pyclass(name = "Change", module = "lvs_py.simulation", frozen, eq)]
#[derive(PartialEq, Eq)]
pub(crate) struct PyChange(Change);

impl PyChange {
    const fn server_key(&self) -> DestinationKey {
        self.0.event.server()
    }
}

#[pymethods]
impl PyChange {
    /// When.
    #[getter]
    const fn time(&self) -> Duration {
        self.0.time
    }

    /// What happened: "fail", "drain", "return" or "weight".
    #[getter]
    const fn kind(&self) -> &'static str {
        match self.0.event {
            Event::Fail(_) => "fail",
            Event::Drain(_) => "drain",
            Event::Return(_) => "return",
            Event::Weight(..) => "weight",
            _ => "other",
        }
    }

    /// The server it happened to.
    #[getter]
    const fn server(&self) -> PyDestinationKey {
        PyDestinationKey(self.server_key())
    }

    /// The new weight, of "weight".
    #[getter]
    const fn weight(&self) -> Option<u32> {
        match self.0.event {
            Event::Weight(_, weight) => Some(weight),
            _ => None,
        }
    }

    /// Sessions that broke.
    #[getter]
    const fn broken(&self) -> u64 {
        self.0.broken
    }

    /// Clients that had been there before and came again before the next event.
    #[getter]
    const fn returning(&self) -> u64 {
        self.0.returning
    }

    /// Of those, who found another server than the last time because theirs took no more.
    #[getter]
    const fn moved_of_necessity(&self) -> u64 {
        self.0.moved_of_necessity
    }

    /// Of those, who found another server although theirs was still there.
    #[getter]
    const fn moved_without_need(&self) -> u64 {
        self.0.moved_without_need
    }

    /// Plain data.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        dict.set_item("time", self.0.time.as_secs_f64())?;
        dict.set_item("kind", self.kind())?;
        dict.set_item("server", self.server_key().to_string())?;
        dict.set_item("weight", self.weight())?;
        dict.set_item("broken", self.broken())?;
        dict.set_item("returning", self.returning())?;
        dict.set_item("moved_of_necessity", self.moved_of_necessity())?;
        dict.set_item("moved_without_need", self.moved_without_need())?;
        Ok(dict)
    }

    fn __repr__(&self) -> String {
        format!("<Change at {} s: {} of {}>", self.0.time.as_secs_f64(), self.kind(), self.server_key())
    }
}
