//! What `ipvsadm -L` prints, and JSON: the functions behind `lvs_py.listing`.

use lvs_core::json;
use lvs_core::listing::{
    ConnectionListing, ListingMode, ListingOptions, Style, write_daemons, write_table, write_timeouts,
};
use lvs_core::rules::SystemResolver;
use pyo3::prelude::*;

use crate::args::{Text, choice};
use crate::connections::PyConnections;
use crate::settings::{PyTimeouts, daemons_of};
use crate::snapshot::PySnapshot;

fn mode(py: Python<'_>, name: &str) -> PyResult<ListingMode> {
    let choices = [
        ("default", ListingMode::Default),
        ("stats", ListingMode::Stats),
        ("rate", ListingMode::Rate),
        ("thresholds", ListingMode::Thresholds),
        ("persistent", ListingMode::PersistentConnections),
        ("tunnel", ListingMode::TunnelInfo),
    ];
    choice(py, name, "is no listing", &choices)
}

fn style(py: Python<'_>, name: &str) -> PyResult<Style> {
    choice(py, name, "is no style", &[("ipvsadm", Style::Ipvsadm), ("fixed", Style::Fixed)])
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).expect("memory takes what is written");
    String::from_utf8_lossy(&out).into_owned()
}

/// A snapshot as `ipvsadm -L` shows it.
#[pyfunction]
#[pyo3(signature = (snapshot, *, mode = Text::from("default"), exact = false, sort = true, names = false,
    style = Text::from("ipvsadm")))]
pub(crate) fn list_table(
    snapshot: &Bound<'_, PySnapshot>,
    mode: Text,
    exact: bool,
    sort: bool,
    names: bool,
    style: Text,
) -> PyResult<String> {
    let py = snapshot.py();
    let (mode, style) = (self::mode(py, &mode)?, self::style(py, &style)?);
    let shared = snapshot.get().0.clone();
    Ok(py.detach(|| {
        let resolver = SystemResolver::new();
        let options = ListingOptions::new().with_mode(mode).with_exact(exact).with_sort(sort).with_style(style);
        let options = if names { options.with_resolver(&resolver) } else { options };
        text(|out| write_table(out, &shared.snapshot, &options))
    }))
}

/// Connections as `ipvsadm -Lc` shows them.
#[pyfunction]
#[pyo3(signature = (connections, *, names = false))]
pub(crate) fn list_connections(connections: &Bound<'_, PyConnections>, names: bool) -> String {
    let all = connections.get().shared();
    connections.py().detach(|| {
        let resolver = SystemResolver::new();
        let options = ListingOptions::new();
        let options = if names { options.with_resolver(&resolver) } else { options };
        let engines = all.iter().any(|owned| owned.view().engine.is_some());
        text(|out| {
            let mut listing = ConnectionListing::new(out, options, engines)?;
            all.iter().try_for_each(|owned| listing.write(&owned.view()))
        })
    })
}

/// Timeouts as `ipvsadm -L --timeout` shows them.
#[pyfunction]
pub(crate) fn list_timeouts(timeouts: &Bound<'_, PyTimeouts>) -> String {
    text(|out| write_timeouts(out, &timeouts.get().0))
}

/// Sync daemons as `ipvsadm -L --daemon` shows them.
#[pyfunction]
pub(crate) fn list_daemons(daemons: &Bound<'_, PyAny>) -> PyResult<String> {
    let daemons = daemons_of(Some(daemons))?;
    Ok(text(|out| write_daemons(out, &daemons)))
}

/// A snapshot as JSON, in the form that all languages of this library share.
#[pyfunction]
pub(crate) fn snapshot_json(snapshot: &Bound<'_, PySnapshot>) -> String {
    let shared = snapshot.get().0.clone();
    snapshot.py().detach(|| json::to_string(&shared.snapshot))
}

/// Connections as JSON, one object a line.
#[pyfunction]
pub(crate) fn connections_json(connections: &Bound<'_, PyConnections>) -> String {
    let all = connections.get().shared();
    connections.py().detach(|| text(|out| all.iter().try_for_each(|owned| json::write(out, &owned.view()))))
}
