//! Events as serde reads and writes them:
//! `{"event": "service_changed", "before": {…}, "after": {…}}`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Count, Event, Window};
use crate::model::{
    Counters, Daemon, Destination, DestinationEntry, DestinationKey, Service, ServiceEntry, ServiceKey, Timeouts,
};

#[derive(Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) enum Record {
    ServiceAppeared {
        service: ServiceEntry,
    },
    ServiceChanged {
        before: Service,
        after: Service,
    },
    ServiceVanished {
        service: Service,
    },
    DestinationAppeared {
        service: ServiceKey,
        destination: DestinationEntry,
    },
    DestinationChanged {
        service: ServiceKey,
        before: Destination,
        after: Destination,
    },
    DestinationVanished {
        service: ServiceKey,
        destination: Destination,
    },
    Counted {
        service: ServiceKey,
        /// The destination, `null` for the service itself.
        destination: Option<DestinationKey>,
        delta: Counters,
        /// Seconds between the looks.
        #[serde(with = "crate::seconds")]
        #[cfg_attr(feature = "schema", schemars(with = "f64"))]
        elapsed: Duration,
        /// From which rates are taken, `null` where there is no earlier look that fits.
        window: Option<Window>,
    },
    CountersReset {
        service: ServiceKey,
        destination: Option<DestinationKey>,
    },
    TimeoutsChanged {
        before: Timeouts,
        after: Timeouts,
    },
    DaemonStarted {
        daemon: Daemon,
    },
    DaemonStopped {
        daemon: Daemon,
    },
}

impl From<Event> for Record {
    fn from(event: Event) -> Self {
        match event {
            Event::ServiceAppeared(service) => Self::ServiceAppeared { service },
            Event::ServiceChanged { before, after } => Self::ServiceChanged { before, after },
            Event::ServiceVanished(service) => Self::ServiceVanished { service },
            Event::DestinationAppeared(service, destination) => Self::DestinationAppeared { service, destination },
            Event::DestinationChanged { service, before, after } => Self::DestinationChanged { service, before, after },
            Event::DestinationVanished(service, destination) => Self::DestinationVanished { service, destination },
            Event::Counted(Count { service, destination, delta, elapsed, window }) => {
                Self::Counted { service, destination, delta, elapsed, window }
            }
            Event::CountersReset(service, destination) => Self::CountersReset { service, destination },
            Event::TimeoutsChanged { before, after } => Self::TimeoutsChanged { before, after },
            Event::DaemonStarted(daemon) => Self::DaemonStarted { daemon },
            Event::DaemonStopped(daemon) => Self::DaemonStopped { daemon },
        }
    }
}

impl From<Record> for Event {
    fn from(record: Record) -> Self {
        match record {
            Record::ServiceAppeared { service } => Self::ServiceAppeared(service),
            Record::ServiceChanged { before, after } => Self::ServiceChanged { before, after },
            Record::ServiceVanished { service } => Self::ServiceVanished(service),
            Record::DestinationAppeared { service, destination } => Self::DestinationAppeared(service, destination),
            Record::DestinationChanged { service, before, after } => {
                Self::DestinationChanged { service, before, after }
            }
            Record::DestinationVanished { service, destination } => Self::DestinationVanished(service, destination),
            Record::Counted { service, destination, delta, elapsed, window } => {
                Self::Counted(Count { service, destination, delta, elapsed, window })
            }
            Record::CountersReset { service, destination } => Self::CountersReset(service, destination),
            Record::TimeoutsChanged { before, after } => Self::TimeoutsChanged { before, after },
            Record::DaemonStarted { daemon } => Self::DaemonStarted(daemon),
            Record::DaemonStopped { daemon } => Self::DaemonStopped(daemon),
        }
    }
}
