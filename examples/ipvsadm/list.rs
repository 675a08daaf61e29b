//! `-L`.

use std::io::{self, BufWriter, Write};
use std::ops::ControlFlow;

use lvs_core::json;
use lvs_core::listing::{
    ConnectionListing, ListingMode, ListingOptions, write_daemons, write_service, write_table, write_timeouts,
};
use lvs_core::model::{Connection, Coverage, ServiceKey, ServiceSnapshot, Snapshot};
use lvs_core::rules::{ListOptions, ListSubject, NumericOnly, Resolver};

use crate::execute::Session;
use crate::messages::Exit;

/// Lists what the options ask for.
pub(crate) fn list(session: &mut Session<'_>, options: &ListOptions) -> Result<Exit, Exit> {
    let mut out = BufWriter::new(io::stdout().lock());
    let exit = match options.subject {
        ListSubject::Table => table(session, options, &mut out)?,
        ListSubject::Service(key) => service(session, options, &key, &mut out)?,
        ListSubject::Connections => connections(session, options, &mut out)?,
        // ipvsadm says nothing when it cannot read these two.
        ListSubject::Timeouts => match session.backend.director().timeouts() {
            Ok(timeouts) => written(write_timeouts(&mut out, &timeouts))?,
            Err(_) => silent(),
        },
        ListSubject::Daemons => match session.backend.director().daemons() {
            Ok(daemons) => written(write_daemons(&mut out, &daemons))?,
            Err(_) => silent(),
        },
        _ => return Err(Exit::failed(2, "this listing is not known here\n".to_owned())),
    };
    written(out.flush())?;
    Ok(exit)
}

fn written(result: io::Result<()>) -> Result<Exit, Exit> {
    result.map(|()| Exit::SUCCESS).map_err(|error| Exit::unwritten(&error))
}

fn silent() -> Exit {
    Exit { status: 1, message: None, aborts: true }
}

/// Of several modes one wins.
fn mode(options: &ListOptions) -> ListingMode {
    match options {
        ListOptions { stats: true, .. } => ListingMode::Stats,
        ListOptions { rate: true, .. } => ListingMode::Rate,
        ListOptions { thresholds: true, .. } => ListingMode::Thresholds,
        ListOptions { persistent_conn: true, .. } => ListingMode::PersistentConnections,
        ListOptions { tun_info: true, .. } => ListingMode::TunnelInfo,
        _ => ListingMode::Default,
    }
}

fn listing<'a>(options: &ListOptions, names: &'a dyn Resolver) -> ListingOptions<'a> {
    let listing = ListingOptions::new().with_mode(mode(options)).with_exact(options.exact).with_sort(!options.no_sort);
    listing.with_resolver(if options.numeric { &NumericOnly } else { names })
}

fn table(session: &mut Session<'_>, options: &ListOptions, out: &mut impl Write) -> Result<Exit, Exit> {
    // DIFFERENCE: ipvsadm asks for the services and then for each one's destinations, on a socket
    // each.
    let mut snapshot = session.backend.director().complete_snapshot().map_err(|error| Exit::unlisted(&error))?;
    if session.ours.json {
        if !options.no_sort {
            snapshot.sort();
        }
        return written(json::write(out, &snapshot));
    }
    written(write_table(out, &snapshot, &listing(options, session.names)))
}

fn service(
    session: &mut Session<'_>,
    options: &ListOptions,
    key: &ServiceKey,
    out: &mut impl Write,
) -> Result<Exit, Exit> {
    let director = session.backend.director();
    let entry = director.service(key).map_err(|error| Exit::unlisted(&error))?;
    let destinations = director.destinations(key).map_err(|error| Exit::unlisted(&error))?;
    let service = ServiceSnapshot { entry, destinations };
    if session.ours.json {
        let mut snapshot = Snapshot::new(director.info().unwrap_or_default(), Coverage::FULL);
        snapshot.services.push(service);
        return written(json::write(out, &snapshot));
    }
    written(write_service(out, &service, &listing(options, session.names)))
}

fn connections(session: &mut Session<'_>, options: &ListOptions, out: &mut impl Write) -> Result<Exit, Exit> {
    if session.ours.json {
        return visit(session, |connection| json::write(out, connection));
    }
    let options = (listing(options, session.names), options.persistent_conn);
    let mut lines = ConnectionListing::new(out, options.0, options.1).map_err(|error| Exit::unwritten(&error))?;
    visit(session, |connection| lines.write(connection))
}

/// Shows every connection until the output fails.
fn visit(session: &mut Session<'_>, mut show: impl FnMut(&Connection<'_>) -> io::Result<()>) -> Result<Exit, Exit> {
    let mut result = Ok(());
    let visited = session.backend.director().visit_connections(&mut |connection| {
        result = show(connection);
        if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    written(result)?;
    visited.map(|()| Exit::SUCCESS).map_err(|error| Exit::unlisted(&error))
}
