use std::collections::VecDeque;

use lvs_core::health::Change;
use lvs_core::model::ServiceKey;

use super::{Engine, Moment, Server};
use crate::event::{Event, EventKind};

/// How many events are kept for `lvsctl history`.
const KEPT: usize = 1000;

/// What has happened: the last events, and those that nobody has taken yet.
#[derive(Debug, Default)]
pub struct Journal {
    next: u64,
    kept: VecDeque<Event>,
    fresh: Vec<Event>,
}

impl Journal {
    /// The last events, the oldest first.
    pub fn kept(&self) -> impl Iterator<Item = &Event> {
        self.kept.iter()
    }

    /// The events since the last call.
    pub fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.fresh)
    }

    pub(super) fn cluster(&mut self, kind: EventKind, message: &str, moment: Moment) {
        self.push(kind, None, None, message, moment);
    }

    pub(super) fn service(&mut self, kind: EventKind, service: ServiceKey, message: &str, moment: Moment) {
        self.push(kind, Some(service.to_string()), None, message, moment);
    }

    pub(super) fn server(&mut self, kind: EventKind, (service, server): Server, message: &str, moment: Moment) {
        self.push(kind, Some(service.to_string()), Some(server.to_string()), message, moment);
    }

    fn push(
        &mut self,
        kind: EventKind,
        service: Option<String>,
        server: Option<String>,
        message: &str,
        moment: Moment,
    ) {
        self.next += 1;
        let event = Event { id: self.next, time: moment.unix, kind, service, server, message: message.to_owned() };
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(event.clone());
        self.fresh.push(event);
    }
}

impl Engine {
    /// Writes down what has changed in the health of servers; it has to be put in force and kept.
    pub(super) fn note(&mut self, changes: &[Change], moment: Moment) {
        if !changes.is_empty() {
            self.pending = true;
            self.dirty = true;
        }
        for change in changes {
            let (kind, server) = match *change {
                Change::ServerUp(service, server) => {
                    self.counts.ups += 1;
                    (EventKind::ServerUp, (service, server))
                }
                Change::ServerDown(service, server) => {
                    self.counts.downs += 1;
                    (EventKind::ServerDown, (service, server))
                }
                Change::ServerDamped(service, server) => {
                    self.counts.downs += 1;
                    (EventKind::ServerDamped, (service, server))
                }
                Change::QuorumLost(service) => {
                    self.journal.service(EventKind::QuorumLost, service, "", moment);
                    continue;
                }
                Change::QuorumRegained(service) => {
                    self.journal.service(EventKind::QuorumRegained, service, "", moment);
                    continue;
                }
                Change::OverrideExpired(service, server) => {
                    self.journal.server(EventKind::OverrideEnded, (service, server), "its time is over", moment);
                    continue;
                }
                Change::WeightLimited { service, server, .. } => {
                    let message = "it asks for more weight than a check may give it";
                    self.journal.server(EventKind::WeightLimited, (service, server), message, moment);
                    continue;
                }
                _ => continue,
            };
            let reason = self.checked.get(&server).and_then(|known| known.reason.clone()).unwrap_or_default();
            self.journal.server(kind, server, &reason, moment);
        }
    }
}
