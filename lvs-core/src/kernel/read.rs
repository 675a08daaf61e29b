use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

use super::client::{Client, TRIES};
use super::fault::{Fault, is_end};
use super::transport::MAX_DATAGRAMS;
use crate::director::Attempt;
use crate::errno::Errno;
use crate::error::Result;
use crate::model::{
    Coverage, Daemon, DestinationEntry, Info, ServiceEntry, ServiceKey, ServiceSnapshot, Snapshot, Timeouts,
};
use crate::wire::attr::Attributes;
use crate::wire::message::{Answer, Command};
use crate::wire::uapi::*;
use crate::wire::{WireError, config, daemon, destination, info, service};

/// Questions after single services in a datagram: each is answered with one of its own.
const QUESTIONS: usize = 64;
/// Entries that a list has room for at first.
const FEW: usize = 12;

fn nest<'a>(mut attributes: Attributes<'a>, number: u16, name: &'static str) -> Result<Attributes<'a>, WireError> {
    let found = attributes.find(|attribute| attribute.number() == number);
    found.map(|attribute| attribute.nested()).ok_or(WireError::missing("reply", name))
}

fn read_service(attributes: Attributes<'_>) -> Result<ServiceEntry, WireError> {
    service::read_entry(nest(attributes, IPVS_CMD_ATTR_SERVICE, "SERVICE")?)
}

fn read_daemon(attributes: Attributes<'_>) -> Result<Daemon, WireError> {
    daemon::read_entry(nest(attributes, IPVS_CMD_ATTR_DAEMON, "DAEMON")?)
}

/// Reads an entry to the end of a list.
fn push<T>(
    read: impl Fn(Attributes<'_>) -> Result<T, WireError>,
) -> impl Fn(&mut Vec<T>, Attributes<'_>) -> Result<(), WireError> {
    move |list, attributes| {
        list.push(read(attributes)?);
        Ok(())
    }
}

impl Client {
    pub(super) fn info(&mut self) -> Result<Info> {
        self.get(Attempt::ReadInfo, Command::GetInfo, |_| (), info::read)
    }

    pub(super) fn timeouts(&mut self) -> Result<Timeouts> {
        self.get(Attempt::ReadTimeouts, Command::GetConfig, |_| (), config::read)
    }

    pub(super) fn service(&mut self, key: &ServiceKey) -> Result<ServiceEntry> {
        let attempt = Attempt::ReadService(*key);
        self.get(attempt, Command::GetService, |buf| service::write_key(buf, key), read_service)
    }

    pub(super) fn daemons(&mut self) -> Result<Vec<Daemon>> {
        self.list(Attempt::ReadDaemons, Command::GetDaemon, |_| (), push(read_daemon), |daemon| daemon.role)
    }

    pub(super) fn services(&mut self) -> Result<Vec<ServiceEntry>> {
        self.list(Attempt::ReadServices, Command::GetService, |_| (), push(read_service), |entry| entry.service.key())
    }

    pub(super) fn destinations(&mut self, key: &ServiceKey) -> Result<Vec<DestinationEntry>> {
        let list = self.destinations_of(key)?;
        if list.is_empty() {
            // The kernel's answer for a service that is not there is an empty list, too.
            let attempt = Attempt::ReadDestinations(*key);
            self.get(attempt, Command::GetService, |buf| service::write_key(buf, key), |_| Ok(()))?;
        }
        Ok(list)
    }

    fn destinations_of(&mut self, key: &ServiceKey) -> Result<Vec<DestinationEntry>> {
        let family = key.family();
        self.list(
            Attempt::ReadDestinations(*key),
            Command::GetDest,
            |buf| service::write_key(buf, key),
            |list, attributes| destination::push_entry(list, nest(attributes, IPVS_CMD_ATTR_DEST, "DEST")?, family),
            |entry| entry.destination.key,
        )
    }

    /// A whole list. One that came in several parts may hold an entry twice, when another was added in front of it
    /// meanwhile: the kernel resumes by position. Such a list is asked for again, and reconciled if it never comes
    /// clean.
    fn list<T: Copy, K: Eq + Hash>(
        &mut self,
        attempt: Attempt,
        command: Command,
        body: impl Fn(&mut Vec<u8>),
        push: impl Fn(&mut Vec<T>, Attributes<'_>) -> Result<(), WireError>,
        key: impl Fn(&T) -> K,
    ) -> Result<Vec<T>> {
        // A list is likely to be as long as the one before.
        let mut entries = Vec::with_capacity(self.last_length);
        for _ in 0..TRIES {
            let parts = self.read(attempt, |client| {
                entries.clear();
                client.dump(command, &body, |attributes| {
                    // Entries are large: growing by little would move them often. What is too much is given back.
                    if entries.len() == entries.capacity() {
                        entries.reserve_exact(FEW.max(3 * entries.len()));
                    }
                    push(&mut entries, attributes)
                })
            })?;
            if parts < 2 || !has_double(&entries, &key) || !reconcile(&mut entries, &key) {
                break;
            }
        }
        if entries.capacity() / 2 > entries.len() {
            entries.shrink_to_fit();
        }
        self.last_length = entries.len();
        Ok(entries)
    }

    pub(super) fn snapshot(&mut self) -> Result<Snapshot> {
        let (info, timeouts, daemons) = self.overview()?;
        let mut snapshot = Snapshot::new(info, Coverage::FULL);
        snapshot.timeouts = timeouts;
        snapshot.daemons = daemons;
        let entries = self.services()?;
        self.expect_short_lists();
        self.last_length = 0;
        snapshot.services.reserve_exact(entries.len());
        let mut empty = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            let destinations = self.destinations_of(&entry.service.key())?;
            if destinations.is_empty() {
                empty.push(index);
            }
            snapshot.services.push(ServiceSnapshot { entry, destinations });
        }
        let gone = self.missing(&snapshot.services, &empty)?;
        if !gone.is_empty() {
            let mut index = 0;
            snapshot.services.retain(|_| {
                index += 1;
                !gone.contains(&(index - 1))
            });
        }
        Ok(snapshot)
    }

    /// Version, timeouts and daemons, all asked for at once.
    fn overview(&mut self) -> Result<(Info, Timeouts, Vec<Daemon>)> {
        self.read(Attempt::ReadInfo, |client| {
            client.prepare();
            client.out.clear();
            let first = client.request(Command::GetInfo, 0, |_| ());
            client.request(Command::GetConfig, 0, |_| ());
            client.request(Command::GetDaemon, NLM_F_DUMP, |_| ());
            client.send()?;
            let (mut version, mut timeouts, mut daemons) = (None, None, Vec::new());
            let chunk = client.short();
            client.receive(
                |_| (chunk, 4),
                |message| {
                    let index = message.header.sequence.wrapping_sub(first);
                    match (index, message.answer()?) {
                        (0, Answer::Data(Command::SetInfo, attributes)) => version = Some(info::read(attributes)?),
                        (1, Answer::Data(Command::SetConfig, attributes)) => timeouts = Some(config::read(attributes)?),
                        (2, Answer::Data(Command::NewDaemon, attributes)) => daemons.push(read_daemon(attributes)?),
                        (0..=2, Answer::Data(..)) => {
                            return Err(WireError::Unexpected { what: "reply of the command asked for" }.into());
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
            let missing = |what| Fault::from(WireError::Unexpected { what });
            Ok((version.ok_or_else(|| missing("version"))?, timeouts.ok_or_else(|| missing("timeouts"))?, daemons))
        })
    }

    /// Those of some services that are no more. Between the list of services and the lists of destinations one can
    /// vanish, and then has an empty list.
    fn missing(&mut self, services: &[ServiceSnapshot], suspects: &[usize]) -> Result<Vec<usize>> {
        let mut gone = Vec::new();
        for group in suspects.chunks(QUESTIONS) {
            gone.extend(self.read(Attempt::ReadServices, |client| {
                client.prepare();
                client.out.clear();
                let mut first = None;
                for index in group {
                    let key = services[*index].entry.service.key();
                    let sequence = client.request(Command::GetService, 0, |buf| service::write_key(buf, &key));
                    first.get_or_insert(sequence);
                }
                client.send()?;
                let (first, mut left, mut gone) = (first.unwrap_or_default(), group.len(), Vec::new());
                let chunk = client.short();
                client.receive(
                    |_| (chunk, MAX_DATAGRAMS),
                    |message| {
                        let index = usize::try_from(message.header.sequence.wrapping_sub(first)).unwrap_or(usize::MAX);
                        let Some(suspect) = group.get(index) else { return Ok(false) };
                        match message.answer()? {
                            Answer::Data(..) => {}
                            Answer::Error(Errno::ESRCH, _) => gone.push(*suspect),
                            answer => {
                                is_end(&answer)?;
                                return Ok(false);
                            }
                        }
                        left -= 1;
                        Ok(left == 0)
                    },
                )?;
                Ok(gone)
            })?);
        }
        Ok(gone)
    }
}

/// Whether two entries may be of one key: exact when it says no, and mostly when it says yes.
fn has_double<T, K: Hash>(entries: &[T], key: &impl Fn(&T) -> K) -> bool {
    // A table of parts of hashes, at most two thirds full; zero is an empty place.
    let mut seen = vec![0; (entries.len() + entries.len() / 2 + 1).next_power_of_two()];
    let mask = seen.len() - 1;
    let hasher = BuildHasherDefault::<Mixer>::default();
    entries.iter().any(|entry| {
        let hash = hasher.hash_one(key(entry));
        let (tag, mut place) = ((hash >> 32) as u32 | 1, hash as usize & mask);
        while seen[place] != 0 && seen[place] != tag {
            place = (place + 1) & mask;
        }
        std::mem::replace(&mut seen[place], tag) == tag
    })
}

/// Merges entries of one key: the place of the first, the news of the last. Gives back whether there were any.
fn reconcile<T: Copy, K: Eq + Hash>(entries: &mut Vec<T>, key: &impl Fn(&T) -> K) -> bool {
    let mut places: HashMap<K, usize, BuildHasherDefault<Mixer>> =
        HashMap::with_capacity_and_hasher(entries.len(), BuildHasherDefault::default());
    let mut kept = 0;
    for index in 0..entries.len() {
        let entry = entries[index];
        let place = *places.entry(key(&entry)).or_insert(kept);
        entries[place] = entry;
        kept = kept.max(place + 1);
    }
    let doubled = kept < entries.len();
    entries.truncate(kept);
    doubled
}

/// A quick hash: the keys are the administrator's own, nobody is out to make them collide.
#[derive(Default)]
struct Mixer(u64);

impl Mixer {
    #[inline]
    fn mix(&mut self, value: u64) {
        // The golden ratio's fraction, as in Knuth's multiplicative hashing; the turn brings high bits down.
        self.0 = (self.0.rotate_left(26) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Mixer {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut whole = [0; 8];
            whole[..part.len()].copy_from_slice(part);
            self.mix(u64::from_ne_bytes(whole));
        }
    }

    #[inline]
    fn write_u16(&mut self, value: u16) {
        self.mix(value.into());
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.mix(value.into());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.mix(value);
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.mix(value as u64);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.mix(value as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_came_twice_stays_once_with_its_latest_values() {
        let mut entries = vec![(1, 'a'), (2, 'b'), (3, 'c'), (2, 'd'), (3, 'e'), (4, 'f')];
        assert!(reconcile(&mut entries, &|entry: &(i32, char)| entry.0));
        assert_eq!(entries, [(1, 'a'), (2, 'd'), (3, 'e'), (4, 'f')]);
        assert!(!reconcile(&mut entries, &|entry| entry.0));
        assert!(!has_double(&entries, &|entry| entry.0));
        entries.push((1, 'g'));
        assert!(has_double(&entries, &|entry| entry.0));
    }
}
