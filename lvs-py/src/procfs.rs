//! The kernel's text files: the functions behind `lvs_py.procfs`. What they give, Python wraps in
//! named tuples.

use lvs_core::model::{AddressFamily, Netmask};
use lvs_core::procfs::{
    HelperReader, PerCpuReader, PerCpuRow, Status, TableReader, TableRow, TableServiceRow, TableStatus, TableTarget,
    read_stats, read_status,
};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::convert;
use crate::destination::PyDestinationKey;
use crate::failures::OrRaise;
use crate::stats::{PyCounters, PyStats};

/// What `ip_vs_stats` says.
#[pyfunction]
pub(crate) fn proc_stats(py: Python<'_>, text: &[u8]) -> PyResult<PyStats> {
    read_stats(text).or_raise(py).map(PyStats)
}

/// What `ip_vs_stats_percpu` says: the counters of each processor, their sum, the rates.
#[pyfunction]
pub(crate) fn proc_cpu_stats(py: Python<'_>, text: &[u8]) -> PyResult<(Vec<(u32, PyCounters)>, PyStats)> {
    let (mut cpus, mut stats) = (Vec::new(), lvs_core::model::Stats::default());
    let mut rows = PerCpuReader::new(text);
    while let Some(row) = rows.next_row() {
        match row.or_raise(py)? {
            PerCpuRow::Cpu { cpu, counters } => cpus.push((cpu, PyCounters(counters))),
            PerCpuRow::Total(counters) => stats.counters = counters,
            PerCpuRow::Rates(rates) => stats.rates = rates,
            _ => {}
        }
    }
    Ok((cpus, PyStats(stats)))
}

type TableStatusTuple = (u64, u64, u32, i32, Option<[u64; 8]>);
type EstimatorTuple = (u64, u64, u64, u64);

/// The connection table, the service table, the estimator.
pub(crate) fn status_tuple(status: &Status) -> (TableStatusTuple, TableStatusTuple, EstimatorTuple) {
    let table = |table: &TableStatus| (table.entries, table.buckets, table.bits, table.lfactor, table.lengths);
    let estimator = &status.estimator;
    (
        table(&status.connections),
        table(&status.services),
        (estimator.threads, estimator.max_threads, estimator.chain_length, estimator.per_thread),
    )
}

/// What `ip_vs_status` says: the connection table, the service table, the estimator.
#[pyfunction]
pub(crate) fn proc_status(
    py: Python<'_>,
    text: &[u8],
) -> PyResult<(TableStatusTuple, TableStatusTuple, EstimatorTuple)> {
    read_status(text).or_raise(py).map(|status| status_tuple(&status))
}

/// What `ip_vs_app` says: protocol, port, name, connections of each helper.
#[pyfunction]
pub(crate) fn proc_helpers<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyList>> {
    let found = PyList::empty(py);
    let mut rows = HelperReader::new(text);
    while let Some(row) = rows.next_row() {
        let row = row.or_raise(py)?;
        let protocol = convert::member(convert::protocol_class(py)?, row.protocol.number())?;
        found.append((protocol, row.port, row.name, row.use_count))?;
    }
    Ok(found)
}

/// What `ip_vs` says: what each service stands for, its scheduler, whether it is one-packet, its
/// timeout in ticks, its netmask, its destinations.
#[pyfunction]
pub(crate) fn proc_table<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyList>> {
    let found = PyList::empty(py);
    let mut destinations = PyList::empty(py);
    let mut rows = TableReader::new(text);
    while let Some(row) = rows.next_row() {
        match row.or_raise(py)? {
            TableRow::Service(service) => {
                destinations = PyList::empty(py);
                found.append(service_row(py, &service, &destinations)?)?;
            }
            TableRow::Destination(row) => {
                let forwarding = convert::member(convert::forwarding_class(py)?, row.forwarding.number())?;
                destinations.append((PyDestinationKey(row.key), forwarding, row.weight, row.active, row.inactive))?;
            }
        }
    }
    Ok(found)
}

fn service_row<'py>(
    py: Python<'py>,
    row: &TableServiceRow<'_>,
    destinations: &Bound<'py, PyList>,
) -> PyResult<Bound<'py, PyTuple>> {
    let (name, mark, family) = match row.target {
        TableTarget::Endpoint { protocol, addr, port } => {
            let key = lvs_core::model::ServiceKey::endpoint(protocol, addr, port);
            (Some(crate::service::PyServiceKey(key)), None, Some(AddressFamily::of(addr)))
        }
        TableTarget::Fwmark(mark) => (None, Some(mark), None),
    };
    let netmask = row.persistence.zip(family).and_then(|(persistence, family)| persistence.netmask(family));
    let netmask = match netmask {
        Some(Netmask::V4(mask)) => Some(convert::ip(py, mask.into())?),
        Some(Netmask::V6(length)) => Some(u32::from(length).into_pyobject(py)?.into_any()),
        None => None,
    };
    let ticks = row.persistence.map(|persistence| persistence.ticks);
    (name, mark, row.scheduler, row.one_packet, ticks, netmask, destinations).into_pyobject(py)
}
