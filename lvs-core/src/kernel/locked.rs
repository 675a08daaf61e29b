use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use super::namespace::inside;
use super::sockopt::inet_socket;
use super::sys;
use super::whole::Witness;
use crate::model::{DestinationEntry, DestinationKey, ServiceKey, ServiceSnapshot};
use crate::wire::sockopt as layout;
use crate::wire::uapi::*;

/// Rows to spare: when the kernel leaves one empty, it had no more to say.
const SPARE: usize = 16;
/// How often a list is asked for that turns out to be longer.
const TRIES: u32 = 4;

/// The lists of the old socket options, which the kernel makes under its lock
/// (`do_ip_vs_get_ctl()`).
///
/// Who may use netlink may use these, too. Where they cannot be had after all, the lists are simply
/// not there.
#[derive(Debug)]
pub(super) struct LockedLists {
    namespace: Option<Arc<File>>,
    socket: Option<OwnedFd>,
    buf: Vec<u8>,
}

impl LockedLists {
    /// The lists of a namespace. The socket is opened when it is needed first.
    pub(super) const fn new(namespace: Option<Arc<File>>) -> Self {
        Self { namespace, socket: None, buf: Vec::new() }
    }

    /// Fills the buffer, which says itself what is asked.
    fn ask(&mut self, option: i32) -> Option<()> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => inside(self.namespace.as_deref(), inet_socket).ok()?,
        };
        let answer = sys::get_option(socket.as_fd(), option, &mut self.buf);
        self.socket = Some(socket);
        answer.ok()
    }

    /// Reads the services by a function that takes the most there may be, and also returns how many
    /// it has found.
    fn read_services<T>(&mut self, about: usize, read: impl Fn(&[u8], usize) -> Option<(T, usize)>) -> Option<T> {
        let mut room = about + SPARE;
        for _ in 0..TRIES {
            self.buf = layout::services_buffer(room.try_into().ok()?);
            self.ask(IP_VS_SO_GET_SERVICES)?;
            let (list, length) = read(&self.buf, room)?;
            if length < room {
                // It is as long as the table: not to be kept.
                self.buf = Vec::new();
                return Some(list);
            }
            room *= 2;
        }
        None
    }
}

impl Witness for LockedLists {
    fn services(&mut self, about: usize) -> Option<Vec<(ServiceKey, u32)>> {
        self.read_services(about, |buf, _| {
            let list = layout::read_service_keys(buf);
            let length = list.len();
            Some((list, length))
        })
    }

    fn destinations(&mut self, service: &ServiceKey, about: usize) -> Option<Vec<DestinationKey>> {
        let mut room = about + 1;
        for _ in 0..TRIES {
            layout::prepare_destinations(&mut self.buf, service, room.try_into().ok()?).ok()?;
            self.ask(IP_VS_SO_GET_DESTS)?;
            let list = layout::read_destination_keys(&self.buf);
            if list.len() < room {
                return Some(list);
            }
            room *= 2;
        }
        None
    }

    fn service_entries(&mut self, about: usize) -> Option<(Vec<ServiceSnapshot>, Vec<u32>)> {
        self.read_services(about, |buf, room| {
            let (mut services, mut counts) = (Vec::new(), Vec::new());
            services.try_reserve_exact(room).ok()?;
            counts.try_reserve_exact(room).ok()?;
            layout::for_each_service(buf, |entry, count| {
                services.push(ServiceSnapshot { entry, destinations: Vec::new() });
                counts.push(count);
            })
            .ok()?;
            let length = services.len();
            Some(((services, counts), length))
        })
    }

    fn destination_entries(&mut self, service: &ServiceKey, count: u32) -> Option<Vec<DestinationEntry>> {
        // One more shows that there are no more.
        layout::prepare_destinations(&mut self.buf, service, count.checked_add(1)?).ok()?;
        self.ask(IP_VS_SO_GET_DESTS)?;
        let list = layout::read_destinations(&self.buf);
        (u32::try_from(list.len()) == Ok(count)).then_some(list)
    }
}
