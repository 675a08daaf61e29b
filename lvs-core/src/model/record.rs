//! The records of services and destinations that serde reads and writes.
//!
//! A service's record holds its configuration, then what a director reports of it, then its
//! destinations, side by side:
//! `{"key": "tcp://192.0.2.1:80", "scheduler": "wlc", …, "destinations": […]}`. Unknown fields are
//! refused.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Destination, DestinationEntry, DestinationKey, EngineName, ForwardingMethod, ModelError, Netmask, SchedulerName,
    Service, ServiceEntry, ServiceFlags, ServiceKey, ServiceSnapshot, Stats, TableService, Tunnel, TunnelFlags,
};
use crate::schedulers;

/// Flags as a list of names, those of a scheduler among them.
struct FlagNames {
    flags: ServiceFlags,
    /// The scheduler whose names are used, if any is.
    scheduler: Option<SchedulerName>,
}

fn write_names<S: Serializer>(
    names: impl Iterator<Item = &'static str>,
    unknown: Option<impl fmt::LowerHex>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let unknown = unknown.map(|bits| Cow::Owned(format!("{bits:#x}")));
    serializer.collect_seq(names.map(Cow::Borrowed).chain(unknown))
}

impl Serialize for FlagNames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scheduler = self.scheduler.unwrap_or(SchedulerName::NONE);
        let unknown = Some(self.flags.unknown()).filter(|unknown| !unknown.is_empty());
        write_names(self.flags.names(scheduler.as_str()), unknown, serializer)
    }
}

struct FlagNamesVisitor;

impl<'de> Visitor<'de> for FlagNamesVisitor {
    type Value = FlagNames;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of flags")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<FlagNames, A::Error> {
        let mut read = FlagNames { flags: ServiceFlags::EMPTY, scheduler: None };
        while let Some(name) = names.next_element::<Cow<'_, str>>()? {
            if let Some((_, Some(info))) = schedulers::flag_by_name(&name) {
                let scheduler = SchedulerName::new(info.name).map_err(A::Error::custom)?;
                if read.scheduler.is_some_and(|other| other != scheduler) {
                    return Err(A::Error::custom(format_args!("{name:?} and another scheduler's flag")));
                }
                read.scheduler = Some(scheduler);
            }
            read.flags |= name.parse().map_err(A::Error::custom)?;
        }
        Ok(read)
    }
}

impl<'de> Deserialize<'de> for FlagNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(FlagNamesVisitor)
    }
}

impl FlagNames {
    fn of(service: &Service) -> Self {
        Self { flags: service.flags, scheduler: Some(service.scheduler) }
    }

    fn for_scheduler(self, scheduler: SchedulerName) -> Result<ServiceFlags, ModelError> {
        match self.scheduler {
            Some(of) if of != scheduler => {
                let name = self.flags.names(of.as_str()).find(|name| ServiceFlags::of_scheduler(name, "").is_err());
                ServiceFlags::of_scheduler(name.unwrap_or_default(), scheduler.as_str())
            }
            _ => Ok(self.flags),
        }
    }
}

impl Serialize for ServiceFlags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FlagNames { flags: *self, scheduler: None }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ServiceFlags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        FlagNames::deserialize(deserializer).map(|names| names.flags)
    }
}

impl Serialize for TunnelFlags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = Self::NAMES.iter().filter(|(flag, _)| self.contains(*flag)).map(|(_, name)| *name);
        write_names(names, Some(self.unknown()).filter(|unknown| !unknown.is_empty()), serializer)
    }
}

impl<'de> Deserialize<'de> for TunnelFlags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<Cow<'_, str>>::deserialize(deserializer)?;
        names.iter().map(|name| name.parse::<Self>().map_err(D::Error::custom)).collect()
    }
}

#[cfg(feature = "schema")]
macro_rules! list_of_names {
    ($($type:ident),+) => {
        $(
            impl schemars::JsonSchema for $type {
                fn schema_name() -> Cow<'static, str> {
                    stringify!($type).into()
                }

                fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                    <Vec<String>>::json_schema(generator)
                }
            }
        )+
    };
}

#[cfg(feature = "schema")]
list_of_names!(ServiceFlags, TunnelFlags);

/// What a director counted, as one record has it for both widths: the kernel fills the two from one
/// source, so the 32-bit statistics are written only where they are not what follows from the
/// others.
#[derive(Default)]
struct Widths {
    stats: Option<Stats>,
    stats64: bool,
    stats32: Option<Option<Stats>>,
}

impl Widths {
    fn of(stats32: Option<Stats>, stats64: Option<Stats>) -> Self {
        match (stats32, stats64) {
            (narrow, None) => Self { stats: narrow, stats64: narrow.is_none(), stats32: None },
            (Some(narrow), Some(wide)) if narrow == wide.truncated() => {
                Self { stats: Some(wide), stats64: true, stats32: None }
            }
            (narrow, Some(wide)) => Self { stats: Some(wide), stats64: true, stats32: Some(narrow) },
        }
    }

    /// The 32-bit and the 64-bit statistics.
    fn apart(self) -> (Option<Stats>, Option<Stats>) {
        match self.stats {
            Some(narrow) if !self.stats64 => (Some(narrow), None),
            wide => (self.stats32.unwrap_or_else(|| wide.map(|wide| wide.truncated())), wide),
        }
    }
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_true(value: &bool) -> bool {
    *value
}

/// Reads a field that is there: `null` is a value, too.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Stats>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

const fn one() -> u32 {
    1
}

/// A record of a service: its configuration and what else is named.
macro_rules! service_record {
    ($name:ident { $($rest:tt)* }) => {
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        struct $name<'a> {
            /// What identifies the service.
            key: ServiceKey,
            /// The scheduler, `none` for none.
            #[serde(default)]
            scheduler: SchedulerName,
            /// The flags by name, persistence among them.
            #[serde(default = "no_flags")]
            #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
            flags: FlagNames,
            /// How long persistence lasts, in seconds.
            #[serde(default)]
            timeout: u32,
            /// Which clients persistence counts as one: an IPv4 mask, or an IPv6 prefix length.
            #[serde(default)]
            netmask: Option<Netmask>,
            /// The persistence engine, if any.
            #[serde(default)]
            engine: Option<EngineName>,
            $($rest)*
            #[serde(skip)]
            lifetime: std::marker::PhantomData<&'a ()>,
        }

        impl $name<'_> {
            fn service(&mut self) -> Result<Service, ModelError> {
                let flags = std::mem::replace(&mut self.flags, no_flags()).for_scheduler(self.scheduler)?;
                let mut service = Service::new(self.key).with_scheduler(self.scheduler).with_flags(flags);
                service.timeout = self.timeout;
                service.engine = self.engine;
                match self.netmask {
                    Some(netmask) => service.with_netmask(netmask),
                    None => Ok(service),
                }
            }
        }
    };
}

/// The fields of a service's configuration.
macro_rules! of_service {
    ($name:ident, $service:expr $(, $field:ident: $value:expr)*) => {
        $name {
            key: $service.key(),
            scheduler: $service.scheduler,
            flags: FlagNames::of($service),
            timeout: $service.timeout,
            netmask: Some($service.netmask()),
            engine: $service.engine,
            $($field: $value,)*
            lifetime: std::marker::PhantomData,
        }
    };
}

const fn no_flags() -> FlagNames {
    FlagNames { flags: ServiceFlags::EMPTY, scheduler: None }
}

service_record! { ServiceRecord {} }

service_record! { TableServiceRecord {
    /// Its destinations.
    #[serde(default)]
    destinations: Cow<'a, [Destination]>,
} }

service_record! { ServiceEntryRecord {
    /// The widest statistics reported.
    #[serde(default)]
    stats: Option<Stats>,
    /// Whether these are 64 bits wide; left out where they are.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    stats64: bool,
    /// The 32-bit statistics, where they are not simply the others cut to 32 bits.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    stats32: Option<Option<Stats>>,
} }

service_record! { ServiceSnapshotRecord {
    /// The widest statistics reported.
    #[serde(default)]
    stats: Option<Stats>,
    /// Whether these are 64 bits wide; left out where they are.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    stats64: bool,
    /// The 32-bit statistics, where they are not simply the others cut to 32 bits.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    stats32: Option<Option<Stats>>,
    /// Its destinations in the director's order.
    #[serde(default)]
    destinations: Cow<'a, [DestinationEntry]>,
} }

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct DestinationEntryRecord {
    /// What identifies the destination.
    key: DestinationKey,
    /// How packets reach it.
    #[serde(default)]
    forwarding: ForwardingMethod,
    /// Its capacity against its neighbours'; 0 quiesces it.
    #[serde(default = "one")]
    weight: u32,
    /// Connections at which it counts as overloaded; 0 for no limit.
    #[serde(default)]
    upper_threshold: u32,
    /// Connections below which it counts as usable again.
    #[serde(default)]
    lower_threshold: u32,
    /// The encapsulation, for forwarding by tunnel.
    #[serde(default)]
    tunnel: Tunnel,
    /// Connections in an active state.
    #[serde(default)]
    active: u32,
    /// All other connections.
    #[serde(default)]
    inactive: u32,
    /// Persistence templates that point here.
    #[serde(default)]
    persistent: u32,
    /// The widest statistics reported.
    #[serde(default)]
    stats: Option<Stats>,
    /// Whether these are 64 bits wide; left out where they are.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    stats64: bool,
    /// The 32-bit statistics, where they are not simply the others cut to 32 bits.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    stats32: Option<Option<Stats>>,
}

/// Reads and writes a type through its record.
macro_rules! through {
    ($type:ident as $record:ty, |$value:ident| $write:expr, |$read:ident| $from:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $value = self;
                $write.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            #[allow(unused_mut, reason = "not every record is taken apart")]
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut $read = <$record>::deserialize(deserializer)?;
                let read = || -> Result<Self, ModelError> { $from };
                let mut read = read;
                read().map_err(D::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <$record>::json_schema(generator)
            }
        }
    };
}

through! { Service as ServiceRecord<'_>,
    |service| of_service!(ServiceRecord, service),
    |record| record.service()
}

through! { TableService as TableServiceRecord<'_>,
    |entry| of_service!(TableServiceRecord, &entry.service, destinations: Cow::Borrowed(&entry.destinations[..])),
    |record| Ok(Self { service: record.service()?, destinations: std::mem::take(&mut record.destinations).into_owned() })
}

through! { ServiceEntry as ServiceEntryRecord<'_>,
    |entry| {
        let Widths { stats, stats64, stats32 } = Widths::of(entry.stats, entry.stats64);
        of_service!(ServiceEntryRecord, &entry.service, stats: stats, stats64: stats64, stats32: stats32)
    },
    |record| {
        let widths = Widths { stats: record.stats, stats64: record.stats64, stats32: record.stats32 };
        let (stats, stats64) = widths.apart();
        Ok(Self { service: record.service()?, stats, stats64 })
    }
}

through! { ServiceSnapshot as ServiceSnapshotRecord<'_>,
    |service| {
        let Widths { stats, stats64, stats32 } = Widths::of(service.entry.stats, service.entry.stats64);
        of_service!(ServiceSnapshotRecord, &service.entry.service, stats: stats, stats64: stats64, stats32: stats32,
            destinations: Cow::Borrowed(&service.destinations[..]))
    },
    |record| {
        let widths = Widths { stats: record.stats, stats64: record.stats64, stats32: record.stats32 };
        let (stats, stats64) = widths.apart();
        let entry = ServiceEntry { service: record.service()?, stats, stats64 };
        Ok(Self { entry, destinations: std::mem::take(&mut record.destinations).into_owned() })
    }
}

through! { DestinationEntry as DestinationEntryRecord,
    |entry| {
        let Destination { key, forwarding, weight, upper_threshold, lower_threshold, tunnel } = entry.destination;
        let Self { active, inactive, persistent, .. } = *entry;
        let Widths { stats, stats64, stats32 } = Widths::of(entry.stats, entry.stats64);
        DestinationEntryRecord { key, forwarding, weight, upper_threshold, lower_threshold, tunnel, active, inactive,
            persistent, stats, stats64, stats32 }
    },
    |record| {
        let DestinationEntryRecord { key, forwarding, weight, upper_threshold, lower_threshold, tunnel, .. } = record;
        let (stats, stats64) =
            Widths { stats: record.stats, stats64: record.stats64, stats32: record.stats32 }.apart();
        Ok(Self {
            destination: Destination { key, forwarding, weight, upper_threshold, lower_threshold, tunnel },
            active: record.active,
            inactive: record.inactive,
            persistent: record.persistent,
            stats,
            stats64,
        })
    }
}
