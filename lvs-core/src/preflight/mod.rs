//! What a host lacks for a table to work there, and the command that mends it.
//!
//! [`lint`](crate::lint) finds what cannot work on any host; this is what depends on one: modules,
//! addresses, settings, interfaces. [`director()`] looks at a host as the director of a table,
//! [`real_server()`] as a real server. Both ask a [`Host`]; the one of this process is `ThisHost`,
//! on Linux with the feature `kernel`.
//!
//! ```
//! # #[cfg(all(feature = "kernel", target_os = "linux"))] {
//! use lvs_core::preflight::{self, Severity, ThisHost};
//!
//! let table = lvs_core::rules::parse("-A -t 192.0.2.1:80")?.to_table()?;
//! let findings = preflight::director(&table, &ThisHost);
//! let missing = findings.iter().find(|finding| finding.what.contains("192.0.2.1")).expect("a documentation address");
//! assert_eq!(missing.severity, Severity::Missing);
//! assert_eq!(missing.mend.as_deref(), Some("ip addr add 192.0.2.1/32 dev lo"));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(all(feature = "kernel", target_os = "linux"))]
mod addresses;
mod director;
mod host;
mod linux7;
mod real_server;
#[cfg(all(feature = "kernel", target_os = "linux"))]
mod this_host;

use std::fmt;

pub use director::director;
pub use host::{Host, sysctl_path};
pub use real_server::real_server;
#[cfg(all(feature = "kernel", target_os = "linux"))]
pub use this_host::ThisHost;

/// Something that is not as the cluster needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HostFinding {
    /// Whether the cluster cannot work so, or only may not.
    pub severity: Severity,
    /// What is wrong.
    pub what: String,
    /// The command that mends it, if there is one.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none", default))]
    pub mend: Option<String>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
// Exhaustive: it works, or it does not.
pub enum Severity {
    /// It works, but look at it.
    Advice,
    /// It cannot work.
    Missing,
}

/// An interface that holds an address.
#[derive(Debug, Clone, PartialEq, Eq)]
// Exhaustive: a `Host` makes it.
pub struct HeldAddress {
    /// The interface.
    pub interface: String,
    /// The length of its prefix.
    pub prefix: u32,
    /// Whether neighbours that ask for the address there get an answer.
    pub answers: bool,
}

impl fmt::Display for HostFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Advice => "advice ",
            Severity::Missing => "MISSING",
        };
        write!(f, "{severity} {}", self.what)?;
        match &self.mend {
            Some(mend) => write!(f, "\n        mend: {mend}"),
            None => Ok(()),
        }
    }
}

/// What [`lint`](crate::lint) finds: what the kernel refuses is missing, what it takes without
/// effect is advice.
impl From<crate::lint::Finding> for HostFinding {
    fn from(finding: crate::lint::Finding) -> Self {
        let severity = if finding.flaw.is_refused() { Severity::Missing } else { Severity::Advice };
        Self { severity, what: finding.to_string(), mend: None }
    }
}

fn missing(what: impl Into<String>, mend: impl Into<String>) -> HostFinding {
    HostFinding { severity: Severity::Missing, what: what.into(), mend: Some(mend.into()) }
}

fn advice(what: impl Into<String>, mend: Option<String>) -> HostFinding {
    HostFinding { severity: Severity::Advice, what: what.into(), mend }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::net::IpAddr;

    use super::*;
    use crate::model::{Daemon, DaemonRole, Destination, ForwardingMethod, Service, Table, TableService};

    /// A host that has every module and interface, and neither settings nor addresses, but for what
    /// is said.
    #[derive(Clone, Default)]
    pub(super) struct TestHost {
        settings: HashMap<&'static str, i64>,
        addresses: Vec<IpAddr>,
        lacks: Vec<&'static str>,
        connections: Option<(u64, u64)>,
    }

    impl TestHost {
        pub(super) fn new() -> Self {
            Self::default()
        }

        pub(super) fn with(mut self, setting: &'static str, value: i64) -> Self {
            self.settings.insert(setting, value);
            self
        }

        pub(super) fn holding(mut self, addr: &str) -> Self {
            self.addresses.push(addr.parse().unwrap());
            self
        }

        pub(super) fn without(mut self, module_or_interface: &'static str) -> Self {
            self.lacks.push(module_or_interface);
            self
        }

        pub(super) fn with_connections(mut self, entries: u64, buckets: u64) -> Self {
            self.connections = Some((entries, buckets));
            self
        }
    }

    impl Host for TestHost {
        fn has_ipvs(&self) -> bool {
            !self.lacks.contains(&"ip_vs")
        }

        fn has_module(&self, name: &str) -> bool {
            !self.lacks.contains(&name)
        }

        fn has_interface(&self, name: &str) -> bool {
            !self.lacks.contains(&name)
        }

        fn sysctl(&self, name: &str) -> Option<String> {
            self.settings.get(name).map(ToString::to_string)
        }

        fn connections(&self) -> Option<(u64, u64)> {
            self.connections
        }

        fn is_local(&self, addr: IpAddr) -> bool {
            self.addresses.contains(&addr)
        }

        fn addresses(&self, addr: IpAddr) -> Vec<HeldAddress> {
            let lo = HeldAddress { interface: "lo".to_owned(), prefix: 32, answers: false };
            self.is_local(addr).then_some(lo).into_iter().collect()
        }
    }

    /// A table with one service and one real server.
    pub(super) fn served(key: &str, forwarding: ForwardingMethod) -> Table {
        let service = Service::new(key.parse().unwrap());
        let server = Destination::new("198.51.100.7".parse().unwrap(), service.key().port());
        let mut entry = TableService::new(service);
        entry.destinations.push(server.with_forwarding(forwarding));
        let mut table = Table::new();
        table.services.push(entry);
        table
    }

    pub(super) fn daemon(role: DaemonRole) -> Daemon {
        Daemon::new(role, "eth1".parse().unwrap(), 1)
    }
}
