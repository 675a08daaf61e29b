use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::apply::unsupported;
use super::namespace::inside;
use super::sys;
use crate::director::{Attempt, BatchReport, Cause, OnRefusal, Operation, OperationError, Refusal};
use crate::errno::Errno;
use crate::error::{Error, Result};
use crate::model::{
    Coverage, Daemon, DestinationEntry, Info, ServiceEntry, ServiceKey, ServiceSnapshot, Snapshot, Timeouts,
};
use crate::wire::sockopt::{self as layout, Inexpressible};
use crate::wire::uapi::*;

/// How often a list is asked for that turns out to be longer.
const TRIES: u32 = 4;
/// Services to spare, that are added meanwhile.
const SPARE: u32 = 16;

/// The old socket options: one call an operation, one call a list.
#[derive(Debug)]
pub(super) struct SocketOptions {
    fd: OwnedFd,
}

/// What the kernel's answer to an option means.
fn refusal(attempt: Attempt, error: io::Error) -> Error {
    match error.raw_os_error() {
        Some(number) => OperationError::from_errno(attempt, Errno(number)).into(),
        None => Error::io(attempt.to_string(), error),
    }
}

fn inexpressible(attempt: Attempt, why: Inexpressible) -> Error {
    OperationError::new(attempt, Cause::Unsupported, None).with_message(why.to_string()).into()
}

/// Any IPv4 socket offers the options. A datagram socket needs no privilege.
pub(super) fn inet_socket() -> io::Result<OwnedFd> {
    Ok(socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?)
}

impl SocketOptions {
    /// Opens a socket and asks for the version: that tells a missing module and a missing privilege
    /// at once.
    pub(super) fn open(namespace: Option<Arc<File>>) -> Result<Self> {
        let fd = inside(namespace.as_deref(), inet_socket).map_err(|error| Error::io("open a socket", error))?;
        let options = Self { fd };
        options.read_info(Attempt::Open)?;
        Ok(options)
    }

    fn get(&self, attempt: Attempt, option: i32, buf: &mut [u8]) -> Result<()> {
        sys::get_option(self.fd.as_fd(), option, buf).map_err(|error| refusal(attempt, error))
    }

    fn read_info(&self, attempt: Attempt) -> Result<(Info, u32)> {
        let mut buf = [0; layout::INFO_SIZE];
        self.get(attempt, IP_VS_SO_GET_INFO, &mut buf)?;
        Ok(layout::read_info(&buf))
    }

    pub(super) fn info(&self) -> Result<Info> {
        self.read_info(Attempt::ReadInfo).map(|(info, _)| info)
    }

    /// The IPv4 services, each with the number of its destinations, IPv6 ones among them.
    ///
    /// The kernel makes the list under its lock. A row that it leaves empty says that it had no
    /// more to list.
    fn rows(&self) -> Result<Vec<(ServiceEntry, u32)>> {
        let attempt = Attempt::ReadServices;
        for _ in 0..TRIES {
            let (_, count) = self.read_info(attempt)?;
            let room = count.saturating_add(SPARE);
            let mut buf = layout::services_buffer(room);
            self.get(attempt, IP_VS_SO_GET_SERVICES, &mut buf)?;
            let rows = layout::read_services(&buf)?;
            if u32::try_from(rows.len()).is_ok_and(|length| length < room) {
                return Ok(rows);
            }
        }
        Err(OperationError::new(attempt, Cause::Changing, None).into())
    }

    pub(super) fn services(&self) -> Result<Vec<ServiceEntry>> {
        Ok(self.rows()?.into_iter().map(|(entry, _)| entry).collect())
    }

    fn row(&self, attempt: Attempt, key: &ServiceKey) -> Result<(ServiceEntry, u32)> {
        let mut buf = layout::service_buffer(key).map_err(|why| inexpressible(attempt, why))?;
        self.get(attempt, IP_VS_SO_GET_SERVICE, &mut buf)?;
        Ok(layout::read_service(&buf)?)
    }

    pub(super) fn service(&self, key: &ServiceKey) -> Result<ServiceEntry> {
        Ok(self.row(Attempt::ReadService(*key), key)?.0)
    }

    pub(super) fn destinations(&self, key: &ServiceKey) -> Result<Vec<DestinationEntry>> {
        let attempt = Attempt::ReadDestinations(*key);
        let count = self.row(attempt, key)?.1;
        self.list(attempt, key, count, &mut Vec::new())
    }

    /// Reads a list of about that length, which the kernel makes under its lock, too; the buffer is
    /// for many to share.
    fn list(&self, attempt: Attempt, key: &ServiceKey, count: u32, buf: &mut Vec<u8>) -> Result<Vec<DestinationEntry>> {
        let mut room = count.saturating_add(1);
        for _ in 0..TRIES {
            layout::prepare_destinations(buf, key, room).map_err(|why| inexpressible(attempt, why))?;
            self.get(attempt, IP_VS_SO_GET_DESTS, buf)?;
            let list = layout::read_destinations(buf);
            if u32::try_from(list.len()).is_ok_and(|length| length < room) {
                return Ok(list);
            }
            room = room.saturating_mul(2);
        }
        Err(OperationError::new(attempt, Cause::Changing, None).into())
    }

    pub(super) fn timeouts(&self) -> Result<Timeouts> {
        let mut buf = [0; layout::TIMEOUTS_SIZE];
        self.get(Attempt::ReadTimeouts, IP_VS_SO_GET_TIMEOUT, &mut buf)?;
        Ok(layout::read_timeouts(&buf))
    }

    pub(super) fn daemons(&self) -> Result<Vec<Daemon>> {
        let mut buf = [0; layout::DAEMONS_SIZE];
        self.get(Attempt::ReadDaemons, IP_VS_SO_GET_DAEMON, &mut buf)?;
        Ok(layout::read_daemons(&buf)?)
    }

    pub(super) fn snapshot(&self) -> Result<Snapshot> {
        let mut snapshot = Snapshot::new(self.info()?, Coverage::SOCKET_OPTIONS);
        snapshot.timeouts = self.timeouts()?;
        snapshot.daemons = self.daemons()?;
        let rows = self.rows()?;
        snapshot.services.reserve_exact(rows.len());
        let mut buf = Vec::new();
        for (entry, count) in rows {
            let key = entry.service.key();
            match self.list(Attempt::ReadDestinations(key), &key, count, &mut buf) {
                Ok(destinations) => snapshot.services.push(ServiceSnapshot { entry, destinations }),
                Err(error) if error.errno() == Some(Errno::ESRCH) => {} // Gone since the list of services.
                Err(error) => return Err(error),
            }
        }
        Ok(snapshot)
    }

    pub(super) fn apply(&self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
        let mut refused = Vec::new();
        for (index, operation) in operations.iter().enumerate() {
            if let Err(error) = self.carry_out(operation) {
                refused.push(Refusal { index, error: *error });
                if on_refusal == OnRefusal::Stop {
                    return BatchReport::answered(operations.len(), index + 1, refused);
                }
            }
        }
        BatchReport::answered(operations.len(), operations.len(), refused)
    }

    fn carry_out(&self, operation: &Operation) -> Result<(), Box<OperationError>> {
        let (option, value) = encode(operation).map_err(|why| Box::new(unsupported(*operation, &why.to_string())))?;
        let Err(error) = sys::set_option(self.fd.as_fd(), option, &value) else { return Ok(()) };
        let errno = Errno(error.raw_os_error().unwrap_or(Errno::EIO.0));
        if let (Errno::EINTR, Operation::StopDaemon(role)) = (errno, operation)
            && self.daemons().is_ok_and(|daemons| daemons.iter().all(|daemon| daemon.role != *role))
        {
            return Ok(()); // It never ran, and is gone; see the same over netlink.
        }
        Err(Box::new(OperationError::from_errno(Attempt::Operation(*operation), errno)))
    }
}

fn encode(operation: &Operation) -> Result<(i32, Vec<u8>), Inexpressible> {
    Ok(match operation {
        Operation::AddService(service) => (IP_VS_SO_SET_ADD, layout::write_service(service)?),
        Operation::UpdateService(service) => (IP_VS_SO_SET_EDIT, layout::write_service(service)?),
        Operation::RemoveService(key) => (IP_VS_SO_SET_DEL, layout::write_key(key)?),
        Operation::AddDestination(key, destination) => {
            (IP_VS_SO_SET_ADDDEST, layout::write_destination(key, destination)?)
        }
        Operation::UpdateDestination(key, destination) => {
            (IP_VS_SO_SET_EDITDEST, layout::write_destination(key, destination)?)
        }
        Operation::RemoveDestination(key, destination) => {
            (IP_VS_SO_SET_DELDEST, layout::write_destination_key(key, destination)?)
        }
        Operation::SetTimeouts(timeouts) => (IP_VS_SO_SET_TIMEOUT, layout::write_timeouts(timeouts).to_vec()),
        Operation::StartDaemon(daemon) => (IP_VS_SO_SET_STARTDAEMON, layout::write_daemon(daemon)?),
        Operation::StopDaemon(role) => (IP_VS_SO_SET_STOPDAEMON, layout::write_role(*role)),
        Operation::Zero(Some(key)) => (IP_VS_SO_SET_ZERO, layout::write_key(key)?),
        Operation::Zero(None) => (IP_VS_SO_SET_ZERO, layout::write_no_key()),
        Operation::Flush => (IP_VS_SO_SET_FLUSH, Vec::new()),
    })
}
