//! Lists of services and destinations.

use lvs_core::model::{DestinationEntry, ServiceEntry};

use crate::boundary::call;
use crate::destination::{self, lvs_destination, lvs_destination_state};
use crate::error::{Failure, lvs_error};
use crate::exports::{free, len};
use crate::handle::required;
use crate::service::{self, lvs_service, lvs_service_state};
use crate::status::lvs_status;

/// Services as a director reported them, without their destinations.
///
/// Made by lvs_director_services(), released by lvs_service_list_free(). It never changes: any
/// number of threads may read it, and it may outlive its director.
pub struct lvs_service_list(pub(crate) Vec<ServiceEntry>);

/// Destinations of one service as a director reported them: the one added last comes first.
///
/// Made by lvs_director_destinations(), released by lvs_destination_list_free(). It never changes:
/// any number of threads may read it, and it may outlive its director.
pub struct lvs_destination_list(pub(crate) Vec<DestinationEntry>);

/// The entry of a list, or the error that says how many there are.
#[inline]
pub(crate) fn nth<T>(list: &[T], index: usize) -> Result<&T, Failure> {
    list.get(index).ok_or_else(|| past_the_end(index, list.len()))
}

#[cold]
fn past_the_end(index: usize, len: usize) -> Failure {
    Failure::invalid(format!("index {index} is past the end of {len} entries"))
}

len!(
    lvs_service_list_len, list: lvs_service_list, list.0.len(),
    "How many services there are; 0 if `list` is NULL."
);

/// Reads service `index`. Each of `service` and `state` may be NULL if it is not wanted. Allocates
/// nothing.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_service_list_get(
    list: Option<&lvs_service_list>,
    index: usize,
    service: *mut lvs_service,
    state: *mut lvs_service_state,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { service::write_entry(nth(&required(list, "list")?.0, index)?, service, state) })
}

free!(lvs_service_list_free, list: lvs_service_list, "a list");

len!(
    lvs_destination_list_len, list: lvs_destination_list, list.0.len(),
    "How many destinations there are; 0 if `list` is NULL."
);

/// Reads destination `index`. Each of `destination` and `state` may be NULL if it is not wanted.
/// Allocates nothing.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_destination_list_get(
    list: Option<&lvs_destination_list>,
    index: usize,
    destination: *mut lvs_destination,
    state: *mut lvs_destination_state,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, { destination::write_entry(nth(&required(list, "list")?.0, index)?, destination, state) })
}

free!(lvs_destination_list_free, list: lvs_destination_list, "a list");
