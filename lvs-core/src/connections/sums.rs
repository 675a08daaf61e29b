#[cfg(feature = "serde")]
use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::model::{Connection, ConnectionState, ConnectionTarget, DestinationKey, Named, Protocol};

const STATES: usize = ConnectionState::NAMES.len();

/// How many connections are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct StateCounts {
    states: [u64; STATES],
    templates: u64,
    active: u64,
}

impl StateCounts {
    /// Connections in a state, templates left out.
    pub const fn of(&self, state: ConnectionState) -> u64 {
        self.states[state as usize]
    }

    /// The states that connections are in, with how many.
    pub fn states(&self) -> impl Iterator<Item = (ConnectionState, u64)> {
        let counted = ConnectionState::NAMES.iter().map(|&(state, _)| (state, self.of(state)));
        counted.filter(|(_, count)| *count > 0)
    }

    /// Persistence templates.
    pub const fn templates(&self) -> u64 {
        self.templates
    }

    /// All connections, templates left out.
    pub fn connections(&self) -> u64 {
        self.states.iter().sum()
    }

    /// Connections that a destination counts as active (`ip_vs_proto_tcp.c`, `ip_vs_proto_sctp.c`):
    /// TCP established or on the way there, SCTP established, never UDP.
    pub const fn active(&self) -> u64 {
        self.active
    }

    /// All others, as a destination counts them.
    pub fn inactive(&self) -> u64 {
        self.connections() - self.active
    }

    pub(super) fn add(&mut self, connection: &Connection<'_>) {
        if connection.is_template() {
            self.templates += 1;
        } else {
            self.states[connection.state as usize] += 1;
            self.active += u64::from(is_active(connection.protocol, connection.state));
        }
    }

    fn merge(&mut self, other: &Self) {
        for (sum, count) in self.states.iter_mut().zip(other.states) {
            *sum += count;
        }
        self.templates += other.templates;
        self.active += other.active;
    }
}

const fn is_active(protocol: Protocol, state: ConnectionState) -> bool {
    use ConnectionState::{Established, SynAck, SynRecv, SynSent};
    match protocol {
        Protocol::Tcp => matches!(state, Established | SynSent | SynRecv | SynAck),
        Protocol::Sctp => matches!(state, Established),
        _ => false,
    }
}

/// Counts as serde has them: `{"states": {"ESTABLISHED": 2}, "active": 2, "templates": 0}`.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct CountsRecord {
    /// Connections by their states, templates left out.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, u64>"))]
    states: BTreeMap<ConnectionState, u64>,
    /// Connections that a destination counts as active.
    active: u64,
    /// Persistence templates.
    templates: u64,
}

#[cfg(feature = "serde")]
impl serde::Serialize for StateCounts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = CountsRecord { states: self.states().collect(), active: self.active, templates: self.templates };
        record.serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for StateCounts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = CountsRecord::deserialize(deserializer)?;
        let mut counts = Self { templates: record.templates, active: record.active, ..Self::default() };
        for (state, count) in record.states {
            counts.states[state as usize] = count;
        }
        Ok(counts)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for StateCounts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StateCounts".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        CountsRecord::json_schema(generator)
    }
}

/// What connections are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Exhaustive: the two ends of forwarding.
pub struct ConnectionGroup {
    /// The protocol.
    pub protocol: Protocol,
    /// What the clients asked for.
    pub target: ConnectionTarget,
    /// Where they were sent.
    pub destination: DestinationKey,
}

/// Counts of connections by target, destination and state. Memory grows with the groups, not with
/// the connections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(into = "Record", from = "Record"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnectionSums {
    groups: HashMap<ConnectionGroup, StateCounts>,
}

/// Sums as serde has them: the groups, sorted.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Record {
    groups: Vec<GroupRecord>,
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct GroupRecord {
    protocol: Protocol,
    /// What the clients asked for.
    target: ConnectionTarget,
    /// Where they were sent.
    destination: DestinationKey,
    counts: StateCounts,
}

#[cfg(feature = "serde")]
impl From<ConnectionSums> for Record {
    fn from(sums: ConnectionSums) -> Self {
        let groups = sums.groups().into_iter().map(|(ConnectionGroup { protocol, target, destination }, counts)| {
            GroupRecord { protocol, target, destination, counts }
        });
        Self { groups: groups.collect() }
    }
}

#[cfg(feature = "serde")]
impl From<Record> for ConnectionSums {
    fn from(record: Record) -> Self {
        let groups = record.groups.into_iter().map(|GroupRecord { protocol, target, destination, counts }| {
            (ConnectionGroup { protocol, target, destination }, counts)
        });
        Self { groups: groups.collect() }
    }
}

impl ConnectionSums {
    /// No connections.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one more.
    pub fn add(&mut self, connection: &Connection<'_>) {
        let group = ConnectionGroup {
            protocol: connection.protocol,
            target: connection.target,
            destination: DestinationKey::new(connection.destination_addr, connection.destination_port),
        };
        self.groups.entry(group).or_default().add(connection);
    }

    /// The counts of a target at a destination.
    pub fn of(&self, group: &ConnectionGroup) -> StateCounts {
        self.groups.get(group).copied().unwrap_or_default()
    }

    /// All groups, sorted.
    pub fn groups(&self) -> Vec<(ConnectionGroup, StateCounts)> {
        self.sorted(|group| *group)
    }

    /// The counts of each target, sorted. A service with port 0 has one target for each port that
    /// was asked for.
    pub fn targets(&self) -> Vec<((Protocol, ConnectionTarget), StateCounts)> {
        self.sorted(|group| (group.protocol, group.target))
    }

    /// The counts of each destination over all targets, sorted.
    pub fn destinations(&self) -> Vec<(DestinationKey, StateCounts)> {
        self.sorted(|group| group.destination)
    }

    /// The counts of all.
    pub fn total(&self) -> StateCounts {
        let mut total = StateCounts::default();
        for counts in self.groups.values() {
            total.merge(counts);
        }
        total
    }

    fn sorted<K: Ord>(&self, key: impl Fn(&ConnectionGroup) -> K) -> Vec<(K, StateCounts)> {
        let mut all: Vec<_> = self.groups.iter().map(|(group, counts)| (key(group), *counts)).collect();
        all.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        all.dedup_by(|next, sum| {
            let same = next.0 == sum.0;
            if same {
                sum.1.merge(&next.1);
            }
            same
        });
        all
    }
}

impl<'a> Extend<Connection<'a>> for ConnectionSums {
    fn extend<I: IntoIterator<Item = Connection<'a>>>(&mut self, connections: I) {
        for connection in connections {
            self.add(&connection);
        }
    }
}

impl<'a> FromIterator<Connection<'a>> for ConnectionSums {
    fn from_iter<I: IntoIterator<Item = Connection<'a>>>(connections: I) -> Self {
        let mut sums = Self::new();
        sums.extend(connections);
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::procfs::Connections;

    const TEXT: &str = "\
TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899
TCP CB007106 EC70 C0000201 0050 C6336407 1F90 SYN_RECV         59
TCP CB007107 EC70 C0000201 0050 C6336408 1F90 TIME_WAIT        99
TCP CB007107 EC70 C0000201 0051 C6336408 1F90 CLOSE             9
TCP CB007100 0000 C0000201 0051 C6336408 1F90 NONE            299
UDP CB007105 EC71 C0000201 0035 C6336407 1F90 UDP             299
SCTP CB007105 EC71 C0000201 0035 C6336407 1F90 ESTABLISHED     299
SCTP CB007105 EC71 C0000201 0035 C6336407 1F90 INIT            299
";

    #[test]
    fn connections_are_counted_by_destination_target_and_state() {
        let sums: ConnectionSums = Connections::new(TEXT.as_bytes()).map(Result::unwrap).collect();
        let figures =
            |counts: &StateCounts| (counts.connections(), counts.active(), counts.inactive(), counts.templates());
        let destinations: Vec<_> =
            sums.destinations().iter().map(|(key, counts)| (key.to_string(), figures(counts))).collect();
        assert_eq!(
            destinations,
            [("198.51.100.7:8080".to_owned(), (5, 3, 2, 0)), ("198.51.100.8:8080".to_owned(), (2, 0, 2, 1))]
        );
        assert_eq!(sums.targets().iter().map(|(_, counts)| counts.connections()).collect::<Vec<_>>(), [3, 1, 1, 2]);
        assert_eq!(sums.groups().len(), 5);
        assert_eq!(figures(&sums.total()), (7, 3, 4, 1));
        assert_eq!(sums.total().of(ConnectionState::Established), 2);
        assert_eq!(sums.total().states().map(|(_, count)| count).sum::<u64>(), 7);
        assert_eq!(sums.of(&sums.groups()[0].0), sums.groups()[0].1);
    }
}
