use std::collections::HashSet;
use std::mem;

use super::client::{Client, Parts};
use super::fault::{Fault, is_end};
use super::transport::MAX_DATAGRAMS;
use super::whole::{READINGS, Readings, has_double, merge_doubles};
use crate::director::{Attempt, Cause, OperationError};
use crate::errno::Errno;
use crate::error::{Error, Result};
use crate::model::{
    AddressFamily, Completeness, Coverage, Daemon, DestinationEntry, Info, ServiceEntry, ServiceKey, ServiceSnapshot,
    Snapshot, Timeouts,
};
use crate::trace;
use crate::wire::attr::Attributes;
use crate::wire::message::{Answer, Command};
use crate::wire::payload::Request;
use crate::wire::top::{nest, read_timeouts};
use crate::wire::uapi::*;
use crate::wire::{DecodeError, daemon, destination, info, service};

/// Requests for single services in a datagram: each is answered with one of its own.
const QUESTIONS: usize = 64;
/// Entries that a list has room for at first.
const FEW: usize = 12;

fn read_service(attributes: Attributes<'_>) -> Result<ServiceEntry, DecodeError> {
    service::read_entry(nest(attributes, IPVS_CMD_ATTR_SERVICE, "IPVS_CMD_ATTR_SERVICE")?)
}

fn read_daemon(attributes: Attributes<'_>) -> Result<Daemon, DecodeError> {
    daemon::read_entry(nest(attributes, IPVS_CMD_ATTR_DAEMON, "IPVS_CMD_ATTR_DAEMON")?)
}

/// Reads an entry to the end of a list.
fn push<T>(
    read: impl Fn(Attributes<'_>) -> Result<T, DecodeError>,
) -> impl Fn(&mut Vec<T>, Attributes<'_>) -> Result<(), DecodeError> {
    move |list, attributes| {
        list.push(read(attributes)?);
        Ok(())
    }
}

/// All services, and what is known of the list.
pub(super) struct ServiceList {
    pub(super) entries: Vec<ServiceEntry>,
    /// How many destinations each has, where the locked list told.
    counts: Vec<u32>,
    pub(super) complete: Completeness,
}

/// A list that no amount of reading made whole.
fn changing(attempt: Attempt) -> Error {
    OperationError::new(attempt, Cause::Changing, None).into()
}

impl Client {
    pub(super) fn info(&mut self) -> Result<Info> {
        self.get(Attempt::ReadInfo, Request::Info, info::read)
    }

    pub(super) fn timeouts(&mut self) -> Result<Timeouts> {
        self.get(Attempt::ReadTimeouts, Request::Timeouts, read_timeouts)
    }

    pub(super) fn service(&mut self, key: &ServiceKey) -> Result<ServiceEntry> {
        let attempt = Attempt::ReadService(*key);
        self.get(attempt, Request::Service(key), read_service)
    }

    pub(super) fn daemons(&mut self) -> Result<Vec<Daemon>> {
        // Two at most: one datagram.
        Ok(self.reading(Attempt::ReadDaemons, Request::Daemons, push(read_daemon))?.0)
    }

    pub(super) fn services(&mut self) -> Result<Vec<ServiceEntry>> {
        let list = self.all_services()?;
        if list.complete.is_whole() { Ok(list.entries) } else { Err(changing(Attempt::ReadServices)) }
    }

    pub(super) fn destinations(&mut self, key: &ServiceKey) -> Result<Vec<DestinationEntry>> {
        let (list, whole) = self.destinations_of(key, None)?;
        if !whole {
            return Err(changing(Attempt::ReadDestinations(*key)));
        }
        if list.is_empty() {
            // The kernel's answer for a service that is not there is an empty list, too.
            let attempt = Attempt::ReadDestinations(*key);
            self.get(attempt, Request::Service(key), |_| Ok(()))?;
        }
        Ok(list)
    }

    /// Reads a list once.
    fn reading<T: Copy>(
        &mut self,
        attempt: Attempt,
        request: Request<'_>,
        push: impl Fn(&mut Vec<T>, Attributes<'_>) -> Result<(), DecodeError>,
    ) -> Result<(Vec<T>, Parts)> {
        // A list is likely to be as long as the one before.
        let mut entries = Vec::new();
        entries.try_reserve_exact(self.last_length)?;
        let parts = self.read(attempt, |client| {
            entries.clear();
            client.dump(request, |attributes| {
                // Entries are large: growing by little would move them often. What is too much is
                // given back.
                if entries.len() == entries.capacity() {
                    entries.try_reserve_exact(FEW.max(3 * entries.len()))?;
                }
                Ok(push(&mut entries, attributes)?)
            })
        })?;
        if entries.capacity() / 2 > entries.len() {
            entries.shrink_to_fit();
        }
        self.last_length = entries.len();
        Ok((entries, parts))
    }

    pub(super) fn all_services(&mut self) -> Result<ServiceList> {
        let read = |client: &mut Self| client.reading(Attempt::ReadServices, Request::Services, push(read_service));
        let mut readings = Readings::new(|entry: &ServiceEntry| entry.service.key());
        let (first, mut parts) = read(self)?;
        let length = first.len();
        let mut locked = None;
        if !readings.take(first, mem::take(&mut parts.cuts), parts.are_one_walk()) {
            locked = self.witness.as_mut().and_then(|witness| witness.services(length));
            if let Some(locked) = &locked
                && !self.saw_ipv6
                && readings.is_in_step_with(locked.iter().map(|(key, _)| *key))
            {
                let counts = locked.iter().map(|(_, count)| *count).collect();
                return Ok(ServiceList { entries: readings.into_last(), counts, complete: Completeness::WHOLE });
            }
            for _ in 1..READINGS {
                trace::list_again(&Attempt::ReadServices);
                // It is longer than one datagram of ours, but may not be longer than the largest.
                if readings.was_cut() {
                    self.expect_other_parts(Attempt::ReadServices, &parts)?;
                }
                let next;
                (next, parts) = read(self)?;
                if readings.take(next, mem::take(&mut parts.cuts), parts.are_one_walk()) {
                    break;
                }
            }
        }
        let settled = readings.is_settled();
        let complete = Completeness { ipv4: settled || locked.is_some(), ipv6: settled };
        let locked = locked.unwrap_or_default();
        let gathered = readings.finish(locked.into_iter().map(|(key, _)| key));
        let doubtful: Vec<ServiceKey> =
            gathered.earlier.iter().map(|entry| entry.service.key()).chain(gathered.unread).collect();
        let mut entries = gathered.entries;
        entries.extend(self.fetch(&doubtful)?.into_iter().flatten());
        self.saw_ipv6 = entries.iter().any(|entry| entry.service.key().family() == AddressFamily::Ipv6);
        Ok(ServiceList { entries, counts: Vec::new(), complete })
    }

    /// The destinations of a service, and whether that is all of them. `count` is their number, if
    /// it is known.
    pub(super) fn destinations_of(
        &mut self,
        key: &ServiceKey,
        count: Option<u32>,
    ) -> Result<(Vec<DestinationEntry>, bool)> {
        let family = key.family();
        let read = |client: &mut Self| {
            client.reading(Attempt::ReadDestinations(*key), Request::Destinations(key), |list, attributes| {
                destination::push_entry(list, nest(attributes, IPVS_CMD_ATTR_DEST, "IPVS_CMD_ATTR_DEST")?, family)
            })
        };
        let name = |entry: &DestinationEntry| entry.destination.key;
        let (mut first, mut parts) = read(self)?;
        if parts.are_one_walk() {
            // Since Linux 7.1 nothing keeps a destination from being removed and added again under
            // the walk.
            if has_double(&first, &name) {
                merge_doubles(&mut first, &name);
            }
            return Ok((first, true));
        }
        let length = first.len();
        let mut readings = Readings::new(name);
        readings.take(first, mem::take(&mut parts.cuts), false);
        let mut is_long = self.expects_more_than_short_lists();
        let locked = |client: &mut Self| match family {
            AddressFamily::Ipv4 => client.witness.as_mut().and_then(|witness| witness.destinations(key, length)),
            AddressFamily::Ipv6 => None,
        };
        if let Some(list) = locked(self)
            && readings.is_in_step_with(list.iter().copied())
            && count.is_none_or(|count| usize::try_from(count) == Ok(length))
        {
            // Others may be as long, and need no witness when they come in one part.
            self.expect_lists_of(length);
            return Ok((readings.into_last(), true));
        }
        for _ in 1..READINGS {
            trace::list_again(&Attempt::ReadDestinations(*key));
            if readings.was_cut() {
                if is_long {
                    self.expect_other_parts(Attempt::ReadDestinations(*key), &parts)?;
                } else {
                    self.expect_middling_lists();
                    is_long = true;
                }
            }
            let next;
            (next, parts) = read(self)?;
            if readings.take(next, mem::take(&mut parts.cuts), parts.are_one_walk()) {
                return Ok((readings.finish([]).entries, true));
            }
        }
        let Some(locked) = locked(self) else {
            let gathered = readings.finish([]);
            return Ok(([gathered.entries, gathered.earlier].concat(), false));
        };
        // Destinations cannot be asked for one by one; but what the locked list has, some reading
        // may have.
        let mut gathered = readings.finish(locked.iter().copied());
        gathered.earlier.retain(|entry| locked.contains(&name(entry)));
        gathered.entries.append(&mut gathered.earlier);
        let hidden = gathered.entries.iter().any(|entry| !entry.destination.key.addr.is_ipv4());
        Ok((gathered.entries, gathered.unread.is_empty() && !hidden))
    }

    pub(super) fn snapshot(&mut self) -> Result<Snapshot> {
        let (info, timeouts, daemons) = self.overview()?;
        let mut snapshot = Snapshot::new(info, Coverage::FULL);
        snapshot.timeouts = timeouts;
        snapshot.daemons = daemons;
        let ServiceList { entries, counts, complete } = self.all_services()?;
        snapshot.complete = complete;
        self.expect_lists_of_a_snapshot();
        snapshot.services.try_reserve_exact(entries.len())?;
        let mut empty = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            self.read_destinations_into(&mut snapshot, entry, counts.get(index).copied(), &mut empty)?;
        }
        self.remove_gone(&mut snapshot, empty, HashSet::new())?;
        Ok(snapshot)
    }

    /// Forgets how long the list of services was: those of destinations say nothing of it.
    pub(super) fn expect_lists_of_a_snapshot(&mut self) {
        self.expect_short_lists();
        self.last_length = 0;
    }

    /// Adds a service to a snapshot, and to `empty` if it seems to have no destination. `count` is
    /// their number, if it is known.
    pub(super) fn read_destinations_into(
        &mut self,
        snapshot: &mut Snapshot,
        entry: ServiceEntry,
        count: Option<u32>,
        empty: &mut Vec<ServiceKey>,
    ) -> Result<()> {
        let key = entry.service.key();
        let (destinations, whole) = self.destinations_of(&key, count)?;
        if destinations.is_empty() {
            empty.push(key);
        }
        if !whole {
            snapshot.complete.lack(key.family());
        }
        snapshot.services.push(ServiceSnapshot { entry, destinations });
        Ok(())
    }

    /// Between the list of services and the lists of destinations one can vanish, and then has an
    /// empty list: removes such services, and those that are known to be gone.
    pub(super) fn remove_gone(
        &mut self,
        snapshot: &mut Snapshot,
        empty: Vec<ServiceKey>,
        mut gone: HashSet<ServiceKey>,
    ) -> Result<()> {
        let found = self.fetch(&empty)?;
        gone.extend(empty.into_iter().zip(found).filter(|(_, found)| found.is_none()).map(|(key, _)| key));
        if !gone.is_empty() {
            snapshot.services.retain(|service| !gone.contains(&service.entry.service.key()));
        }
        Ok(())
    }

    /// Version, timeouts and daemons, all asked for at once.
    pub(super) fn overview(&mut self) -> Result<(Info, Timeouts, Vec<Daemon>)> {
        self.read(Attempt::ReadInfo, |client| {
            client.prepare();
            client.out.clear();
            let first = client.request(Request::Info, 0);
            client.request(Request::Timeouts, 0);
            client.request(Request::Daemons, NLM_F_DUMP);
            client.send()?;
            let (mut version, mut timeouts, mut daemons) = (None, None, Vec::new());
            let chunk = client.short();
            client.receive(
                |_| (chunk, 4),
                |message| {
                    let index = message.header.sequence_number.wrapping_sub(first);
                    match (index, message.answer()?) {
                        (0, Answer::Data(Command::SetInfo, attributes)) => version = Some(info::read(attributes)?),
                        (1, Answer::Data(Command::SetConfig, attributes)) => {
                            timeouts = Some(read_timeouts(attributes)?)
                        }
                        (2, Answer::Data(Command::NewDaemon, attributes)) => daemons.push(read_daemon(attributes)?),
                        (0..=2, Answer::Data(..)) => {
                            return Err(DecodeError::Unexpected { what: "reply of the command asked for" }.into());
                        }
                        (0..=1, answer) => {
                            is_end(&answer)?;
                        }
                        (2, answer) => return is_end(&answer),
                        _ => {}
                    }
                    Ok(false)
                },
            )?;
            let missing = |what| Fault::from(DecodeError::Unexpected { what });
            Ok((version.ok_or_else(|| missing("version"))?, timeouts.ok_or_else(|| missing("timeouts"))?, daemons))
        })
    }

    /// Asks for single services; nothing in place of one that does not exist.
    pub(super) fn fetch(&mut self, keys: &[ServiceKey]) -> Result<Vec<Option<ServiceEntry>>> {
        let mut found = Vec::with_capacity(keys.len());
        for group in keys.chunks(QUESTIONS) {
            found.extend(self.read(Attempt::ReadServices, |client| {
                client.prepare();
                client.out.clear();
                let mut first = None;
                for key in group {
                    let sequence = client.request(Request::Service(key), 0);
                    first.get_or_insert(sequence);
                }
                client.send()?;
                let (first, mut left, mut found) = (first.unwrap_or_default(), group.len(), vec![None; group.len()]);
                let chunk = client.short();
                client.receive(
                    |_| (chunk, MAX_DATAGRAMS),
                    |message| {
                        let index =
                            usize::try_from(message.header.sequence_number.wrapping_sub(first)).unwrap_or(usize::MAX);
                        let Some(place) = found.get_mut(index) else { return Ok(false) };
                        match message.answer()? {
                            Answer::Data(_, attributes) => *place = Some(read_service(attributes)?),
                            Answer::Error(Errno::ESRCH, _) => {}
                            answer => {
                                is_end(&answer)?;
                                return Ok(false);
                            }
                        }
                        left -= 1;
                        Ok(left == 0)
                    },
                )?;
                Ok(found)
            })?);
        }
        Ok(found)
    }
}
