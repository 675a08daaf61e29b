//! Connections counted by service, destination or client.

use std::ops::ControlFlow;

use lvs_core::Director;
use lvs_core::connections::{ConnectionSums, StateCounts};
use lvs_core::model::{ConnectionTarget, DestinationKey, Protocol};

use crate::address::lvs_address;
use crate::boundary::call;
use crate::connection::{self, lvs_connection_filter};
use crate::destination::lvs_destination_key;
use crate::director::{locked, lvs_director};
use crate::error::{Failure, lvs_error};
use crate::exports::{free, get, init, len};
use crate::handle::{hand_over, place, required};
use crate::list::nth;
use crate::record::{record, zeroed};
use crate::status::lvs_status;

/// What connections are counted by.
#[repr(u32)]
pub enum lvs_sum_by {
    /// By what the client asked for and where it was sent.
    Group = 0,
    /// By what the client asked for.
    Target = 1,
    /// By destination, over all services.
    Destination = 2,
    /// All together: one sum.
    Total = 3,
}

/// How many connections, and of what. What they are not counted by is without a family, and 0.
/// Initialise it with LVS_CONNECTION_SUM_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_connection_sum {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// The firewall mark of templates, else 0.
    pub fwmark: u32,
    /// The address that the clients asked for.
    pub target: lvs_address,
    /// The port that they asked for, in host order.
    pub target_port: u16,
    /// LVS_PROTOCOL_...
    pub protocol: u16,
    /// Where they were sent.
    pub destination: lvs_destination_key,
    /// All connections, templates left out.
    pub connections: u64,
    /// Connections that a destination counts as active.
    pub active: u64,
    /// All others, as a destination counts them.
    pub inactive: u64,
    /// Persistence templates.
    pub templates: u64,
}

record! { lvs_connection_sum: 88; }

init!(lvs_connection_sum_init, sum: lvs_connection_sum, zeroed());

/// Counts of connections, sorted by what they are counted by.
///
/// Made by lvs_director_sum_connections(), released by lvs_connection_sums_free(). It never
/// changes: any number of threads may read it.
pub struct lvs_connection_sums(Vec<Sum>);

struct Sum {
    target: Option<(Protocol, ConnectionTarget)>,
    destination: Option<DestinationKey>,
    counts: StateCounts,
}

impl From<&Sum> for lvs_connection_sum {
    fn from(sum: &Sum) -> Self {
        let (target, target_port, fwmark) = match sum.target {
            Some((_, ConnectionTarget::Endpoint { addr, port })) => (addr.into(), port, 0),
            Some((_, ConnectionTarget::Fwmark(mark))) => (lvs_address::NONE, 0, mark.get()),
            None => (lvs_address::NONE, 0, 0),
        };
        let nowhere = lvs_destination_key { addr: lvs_address::NONE, port: 0, reserved: 0 };
        Self {
            struct_size: size_of::<Self>() as u32,
            fwmark,
            target,
            target_port,
            protocol: sum.target.map_or(0, |(protocol, _)| protocol.number()),
            destination: sum.destination.map_or(nowhere, Into::into),
            connections: sum.counts.connections(),
            active: sum.counts.active(),
            inactive: sum.counts.inactive(),
            templates: sum.counts.templates(),
        }
    }
}

/// Counts the connections that a filter means (all if it is NULL); `by` is one of enum lvs_sum_by.
/// Memory grows with the sums, not with the connections. Release `sums` with
/// lvs_connection_sums_free(). Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_director_sum_connections(
    director: Option<&lvs_director>,
    filter: *const lvs_connection_filter,
    by: u32,
    sums: *mut *mut lvs_connection_sums,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let out = place(sums, "sums")?;
        let filter = connection::filter(filter)?;
        if by > lvs_sum_by::Total as u32 {
            return Err(Failure::invalid(format!("unknown number {by} of what to count connections by")));
        }
        let mut sums = ConnectionSums::new();
        locked(director)?.visit_matching_connections(&filter, &mut |connection| {
            sums.add(connection);
            ControlFlow::Continue(())
        })?;
        let list: Vec<Sum> = match by {
            0 => sums
                .groups()
                .into_iter()
                .map(|(group, counts)| Sum {
                    target: Some((group.protocol, group.target)),
                    destination: Some(group.destination),
                    counts,
                })
                .collect(),
            1 => sums
                .targets()
                .into_iter()
                .map(|(target, counts)| Sum { target: Some(target), destination: None, counts })
                .collect(),
            2 => sums
                .destinations()
                .into_iter()
                .map(|(destination, counts)| Sum { target: None, destination: Some(destination), counts })
                .collect(),
            _ => vec![Sum { target: None, destination: None, counts: sums.total() }],
        };
        hand_over(out, lvs_connection_sums(list))
    })
}

len!(
    lvs_connection_sums_len, sums: lvs_connection_sums, sums.0.len(),
    "How many sums there are; 0 if `sums` is NULL."
);

get!(
    lvs_connection_sums_get, sums: lvs_connection_sums, sum: lvs_connection_sum, sums.0,
    "Reads sum `index`."
);

/// Reads how many connections of sum `index` are in a state, one of enum lvs_state; templates are
/// left out.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_connection_sums_state(
    sums: Option<&lvs_connection_sums>,
    index: usize,
    state: u32,
    connections: *mut u64,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let sum = nth(&required(sums, "sums")?.0, index)?;
        place(connections, "connections")?.write(sum.counts.of(connection::state(state)?));
        Ok(())
    })
}

free!(lvs_connection_sums_free, sums: lvs_connection_sums, "sums");
