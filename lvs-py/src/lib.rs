//! The native half of the Python package `lvs_py`: conversions and ownership, no behaviour of its
//! own.
//!
//! The package beside it (`python/lvs_py`) holds what reads better in Python: the directors'
//! methods, exceptions, enumerations. Values live here, so that a snapshot of ten thousand services
//! costs no object until one is looked at.

mod args;
mod batch;
mod columns;
mod connection;
mod connections;
mod convert;
mod destination;
mod director;
mod drain;
mod entries;
mod errors;
mod failures;
mod health;
mod listing;
mod mapping;
mod operation;
mod packet;
mod plan;
mod procfs;
mod rules;
mod scheduler;
mod schema;
mod scope;
mod sequence;
mod service;
mod settings;
mod shared;
mod signals;
mod simulation;
mod snapshot;
mod stats;
mod table;
mod tunables;
mod turns;
mod value;
mod watch;

/// The private module `lvs_py._lvs`.
// Its classes can be shared by threads, but nobody has run the tests on a free-threaded build:
// until then such an interpreter takes its lock back.
#[pyo3::pymodule(gil_used = true)]
mod _lvs {
    #[pymodule_export]
    use crate::batch::{PyBatchReport, PyOperations, PyRefusal};
    #[pymodule_export]
    use crate::columns::PyColumns;
    #[pymodule_export]
    use crate::connection::PyConnection;
    #[pymodule_export]
    use crate::connections::{
        PyConnectionFilter, PyConnectionSums, PyConnections, PyStateCounts, read_connections, sum_connections,
    };
    #[pymodule_export]
    use crate::convert::{enum_name, enum_number, enum_word};
    #[pymodule_export]
    use crate::destination::{PyDestination, PyDestinationEntry, PyDestinationKey, PyTunnel};
    #[pymodule_export]
    use crate::director::PyHandle;
    #[pymodule_export]
    use crate::drain::{PyDrain, PyDrainProgress, PyDrainRun, PyRemaining};
    #[pymodule_export]
    use crate::entries::{PyDestinations, PyServiceEntry, PyServices};
    #[pymodule_export]
    use crate::health::{PyHealth, PyHealthChange, PyHealthPolicy};
    #[pymodule_export]
    use crate::listing::{connections_json, list_connections, list_daemons, list_table, list_timeouts, snapshot_json};
    #[pymodule_export]
    use crate::operation::PyOperation;
    #[pymodule_export]
    use crate::packet::PyVerdict;
    #[pymodule_export]
    use crate::plan::{_plan, _reconcile, PyOutcome, PyPlan, PyStep, lint};
    #[pymodule_export]
    use crate::procfs::{proc_cpu_stats, proc_helpers, proc_stats, proc_status, proc_table};
    #[pymodule_export]
    use crate::rules::{PyScript, format_rules, parse_rules};
    #[pymodule_export]
    use crate::scheduler::{PyBalancer, PySchedulerInfo, all_schedulers};
    #[pymodule_export]
    use crate::scope::PyScope;
    #[pymodule_export]
    use crate::service::{PyService, PyServiceKey};
    #[pymodule_export]
    use crate::settings::{PyDaemon, PyInfo, PyTimeouts};
    #[pymodule_export]
    use crate::simulation::{PyChange, PyReport, PyServerReport, simulate};
    #[pymodule_export]
    use crate::snapshot::PySnapshot;
    #[pymodule_export]
    use crate::stats::{PyCounters, PyRates, PyStats};
    #[pymodule_export]
    use crate::table::{PyTable, PyTableService};
    #[pymodule_export]
    use crate::watch::{PyEvent, PyEvents, PyWatcher};

    /// The version of the package.
    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
