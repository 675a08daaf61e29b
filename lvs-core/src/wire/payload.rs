//! What messages of the family say, in values of the model.
//!
//! [`Request`] and [`Payload`] are payloads of `netlink_packet_generic::GenlMessage`, so they work
//! with whatever sends those, such as `genetlink`.

use netlink_packet_core::{DecodeError as PacketError, Emitable, NLA_F_NESTED, ParseableParametrized};
use netlink_packet_generic::{GenlFamily, GenlHeader};

use super::DecodeError;
use super::attr::{Attributes, header};
use super::daemon::DaemonFields;
use super::destination::DestinationFields;
use super::info::InfoFields;
use super::message::Command;
use super::service::ServiceFields;
use super::table::Fields;
use super::top::numbers::{IPVS_CMD_ATTR_DAEMON, IPVS_CMD_ATTR_DEST, IPVS_CMD_ATTR_SERVICE};
use super::top::{TopFields, nest};
use super::uapi::{IPVS_GENL_NAME, IPVS_GENL_VERSION};
use super::{daemon, destination, info, service, top};
use crate::model::{
    AddressFamily, Daemon, DestinationEntry, Info, Operation, SchedulerName, ServiceEntry, ServiceKey, Timeouts,
};

/// A request to the kernel's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Version and table size.
    Info,
    /// The timeouts.
    Timeouts,
    /// All services: a dump.
    Services,
    /// One service.
    Service(&'a ServiceKey),
    /// The destinations of a service: a dump.
    Destinations(&'a ServiceKey),
    /// The sync daemons: a dump.
    Daemons,
    /// A change.
    Operation(&'a Operation),
    /// A new service that no kernel accepts: it answers `ENOENT` if it lacks the scheduler,
    /// otherwise `EINVAL`.
    SchedulerProbe(&'a ServiceKey, &'a SchedulerName),
}

impl Request<'_> {
    /// The command.
    pub const fn command(&self) -> Command {
        match self {
            Self::Info => Command::GetInfo,
            Self::Timeouts => Command::GetConfig,
            Self::Services | Self::Service(_) => Command::GetService,
            Self::Destinations(_) => Command::GetDest,
            Self::Daemons => Command::GetDaemon,
            Self::SchedulerProbe(..) => Command::NewService,
            Self::Operation(operation) => match operation {
                Operation::AddService(_) => Command::NewService,
                Operation::UpdateService(_) => Command::SetService,
                Operation::RemoveService(_) => Command::DelService,
                Operation::AddDestination(..) => Command::NewDest,
                Operation::UpdateDestination(..) => Command::SetDest,
                Operation::RemoveDestination(..) => Command::DelDest,
                Operation::SetTimeouts(_) => Command::SetConfig,
                Operation::StartDaemon(_) => Command::NewDaemon,
                Operation::StopDaemon(_) => Command::DelDaemon,
                Operation::Zero(_) => Command::Zero,
                Operation::Flush => Command::Flush,
            },
        }
    }

    #[inline]
    fn describe(&self, sink: &mut impl Sink) {
        let mut service = |fields: &ServiceFields<'_>| sink.nest(IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED, fields);
        match *self {
            Self::Info | Self::Timeouts | Self::Services | Self::Daemons => {}
            Self::Service(key) | Self::Destinations(key) => service(&ServiceFields::key(key)),
            Self::SchedulerProbe(key, scheduler) => service(&ServiceFields::scheduler_probe(key, scheduler)),
            Self::Operation(operation) => match operation {
                Operation::AddService(value) | Operation::UpdateService(value) => {
                    service(&ServiceFields::service(value));
                }
                Operation::RemoveService(key) | Operation::Zero(Some(key)) => service(&ServiceFields::key(key)),
                Operation::AddDestination(key, value) | Operation::UpdateDestination(key, value) => {
                    service(&ServiceFields::key(key));
                    sink.nest(IPVS_CMD_ATTR_DEST | NLA_F_NESTED, &DestinationFields::destination(value));
                }
                Operation::RemoveDestination(key, value) => {
                    service(&ServiceFields::key(key));
                    sink.nest(IPVS_CMD_ATTR_DEST | NLA_F_NESTED, &DestinationFields::key(value));
                }
                Operation::SetTimeouts(timeouts) => sink.top(&TopFields::timeouts(timeouts)),
                Operation::StartDaemon(daemon) => {
                    sink.nest(IPVS_CMD_ATTR_DAEMON | NLA_F_NESTED, &DaemonFields::daemon(daemon));
                }
                Operation::StopDaemon(role) => {
                    sink.nest(IPVS_CMD_ATTR_DAEMON | NLA_F_NESTED, &DaemonFields::role(*role));
                }
                Operation::Zero(None) | Operation::Flush => {}
            },
        }
    }
}

/// A message of the family: a request, or a reply.
///
/// Read by [`ParseableParametrized`], it is a reply. What the kernel's side reads is
/// [`ReceivedRequest`](super::request::ReceivedRequest).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// A request.
    Request(Request<'a>),
    /// The reply to [`Request::Info`].
    Info(Info),
    /// The reply to [`Request::Timeouts`].
    Timeouts(Timeouts),
    /// A reply to [`Request::Service`] or [`Request::Services`].
    Service(ServiceEntry),
    /// A reply to [`Request::Destinations`].
    Destination(DestinationEntry),
    /// A reply to [`Request::Daemons`].
    Daemon(Daemon),
}

impl<'a> From<Request<'a>> for Payload<'a> {
    fn from(request: Request<'a>) -> Self {
        Self::Request(request)
    }
}

impl Payload<'_> {
    /// The command.
    pub const fn command(&self) -> Command {
        match self {
            Self::Request(request) => request.command(),
            Self::Info(_) => Command::SetInfo,
            Self::Timeouts(_) => Command::SetConfig,
            Self::Service(_) => Command::NewService,
            Self::Destination(_) => Command::NewDest,
            Self::Daemon(_) => Command::NewDaemon,
        }
    }

    /// Reads a reply. A destination without address family (kernels before 3.18) is IPv4.
    ///
    /// # Errors
    /// When it is not one of the family's replies, or lacks something.
    pub fn read(command: Command, attributes: Attributes<'_>) -> Result<Self, DecodeError> {
        Ok(match command {
            Command::NewService => {
                let nest = nest(attributes, IPVS_CMD_ATTR_SERVICE, "IPVS_CMD_ATTR_SERVICE")?;
                Self::Service(service::read_entry(nest)?)
            }
            Command::NewDest => {
                let nest = nest(attributes, IPVS_CMD_ATTR_DEST, "IPVS_CMD_ATTR_DEST")?;
                Self::Destination(destination::read_entry(nest, AddressFamily::Ipv4)?)
            }
            Command::NewDaemon => {
                let nest = nest(attributes, IPVS_CMD_ATTR_DAEMON, "IPVS_CMD_ATTR_DAEMON")?;
                Self::Daemon(daemon::read_entry(nest)?)
            }
            Command::SetConfig => Self::Timeouts(top::read_timeouts(attributes)?),
            Command::SetInfo => Self::Info(info::read(attributes)?),
            _ => return Err(DecodeError::Unexpected { what: "command of a reply" }),
        })
    }

    fn describe(&self, sink: &mut impl Sink) {
        match self {
            Self::Request(request) => request.describe(sink),
            Self::Info(info) => sink.top(&InfoFields::info(info)),
            Self::Timeouts(timeouts) => sink.top(&TopFields::timeouts(timeouts)),
            Self::Service(entry) => sink.nest(IPVS_CMD_ATTR_SERVICE, &ServiceFields::entry(entry)),
            Self::Destination(entry) => sink.nest(IPVS_CMD_ATTR_DEST, &DestinationFields::entry(entry)),
            Self::Daemon(daemon) => sink.nest(IPVS_CMD_ATTR_DAEMON, &DaemonFields::daemon(daemon)),
        }
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Payload<'_> {
    fn parse_with_param(attributes: &[u8], header: GenlHeader) -> Result<Self, PacketError> {
        Self::read(Command::from_number(header.cmd), Attributes::new(attributes))
            .map_err(|error| PacketError::from(error.to_string()))
    }
}

/// Where the parts of a message go: one sink measures them, the other writes them.
trait Sink {
    fn top(&mut self, fields: &impl Fields);
    fn nest(&mut self, kind: u16, fields: &impl Fields);
}

struct Length(usize);

impl Sink for Length {
    #[inline]
    fn top(&mut self, fields: &impl Fields) {
        self.0 += fields.buffer_len();
    }

    #[inline]
    fn nest(&mut self, _: u16, fields: &impl Fields) {
        self.0 += 4 + fields.buffer_len();
    }
}

struct Writer<'a> {
    buffer: &'a mut [u8],
    at: usize,
}

impl Sink for Writer<'_> {
    #[inline]
    fn top(&mut self, fields: &impl Fields) {
        self.at += fields.put(&mut self.buffer[self.at..]);
    }

    #[inline]
    fn nest(&mut self, kind: u16, fields: &impl Fields) {
        let (head, body) = self.buffer[self.at..].split_at_mut(4);
        let length = 4 + fields.put(body);
        head.copy_from_slice(&header(length, kind).to_ne_bytes());
        self.at += length;
    }
}

macro_rules! family_payload {
    ($($name:ident)*) => {$(
        impl GenlFamily for $name<'_> {
            fn family_name() -> &'static str {
                IPVS_GENL_NAME
            }

            #[inline]
            fn command(&self) -> u8 {
                $name::command(self).number()
            }

            #[inline]
            fn version(&self) -> u8 {
                IPVS_GENL_VERSION
            }
        }

        impl Emitable for $name<'_> {
            #[inline]
            fn buffer_len(&self) -> usize {
                let mut length = Length(0);
                self.describe(&mut length);
                length.0
            }

            #[inline]
            fn emit(&self, buffer: &mut [u8]) {
                self.describe(&mut Writer { buffer, at: 0 });
            }
        }
    )*};
}

family_payload! { Request Payload }
