use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::server::Page;
use super::{DrainSpec, Force};
use crate::config::Invalid;
use crate::event::Event;
use lvs_core::preflight::{HostFinding, Severity};

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// For people.
    pub error: String,
    /// Each invalid place of a cluster file.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub invalid: Vec<Invalid>,
}

impl Refused {
    /// A refusal in words.
    pub fn new(error: impl std::fmt::Display) -> Self {
        Self { error: error.to_string(), invalid: Vec::new() }
    }
}

/// The cluster as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The name of the instance.
    pub instance: String,
    /// The cluster file in force.
    pub cluster: String,
    /// The version of the daemon.
    pub version: String,
    /// For how many seconds it has run.
    pub uptime: u64,
    /// Whether the table is as it should be. Servers that are down are as they should be.
    pub in_force: bool,
    /// Why not, if it is not.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub problems: Vec<String>,
    /// Why the last cluster file was refused; the one before it stays in force.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reload_refused: Option<Refused>,
    /// The services, in the order of the file.
    pub services: Vec<ServiceStatus>,
    /// Drains.
    pub drains: Vec<DrainStatus>,
    /// Servers that the file does not name now, with the overrides that hold when it does again.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub absent: Vec<AbsentServer>,
}

/// An overridden server that is not in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AbsentServer {
    /// The key of its service.
    pub service: String,
    /// Its key.
    pub server: String,
    /// What an operator has decided.
    #[serde(rename = "override")]
    pub overridden: OverrideStatus,
}

/// A service as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceStatus {
    /// Its key, such as `tcp://192.0.2.1:80`.
    pub service: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub labels: BTreeMap<String, String>,
    /// Its scheduler.
    pub scheduler: String,
    /// Whether enough of its servers are up.
    pub quorum: bool,
    /// Whether the sorry server serves.
    pub sorry: bool,
    /// Its servers.
    pub servers: Vec<ServerStatus>,
}

/// A server as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServerStatus {
    /// Its key, such as `198.51.100.7:80`.
    pub server: String,
    /// Whether it is in use: what checks say, unless an override says otherwise.
    pub up: bool,
    /// What checks say.
    pub healthy: bool,
    /// The weight in the table; nothing if it is not there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub weight: Option<u32>,
    /// The weight that the file gives it.
    pub configured_weight: u32,
    /// How it is checked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub check: Option<String>,
    /// What the last check found, if it was not that the server is up.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// What an operator has decided.
    #[serde(skip_serializing_if = "Option::is_none", default, rename = "override")]
    pub overridden: Option<OverrideStatus>,
    /// Whether it is being drained, or has been.
    pub drained: bool,
}

/// An override in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OverrideStatus {
    /// What it forces.
    pub force: Force,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub reason: String,
    /// In how many seconds it ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ends_in: Option<f64>,
}

/// A drain as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DrainStatus {
    /// Its number.
    pub id: u64,
    /// What was asked for.
    pub spec: DrainSpec,
    /// When it began, in seconds since 1970.
    pub started: u64,
    /// Whether it is over.
    pub done: bool,
    /// What is waited for, for people.
    pub waiting: Vec<String>,
    /// How many active connections were cut because its deadline was over.
    pub cut: u64,
    /// How many inactive connections and UDP flows were left when servers went. What their clients
    /// send is dropped until they time out, unless `net.ipv4.vs.expire_nodest_conn` is set.
    pub left: u64,
}

/// Operations on the table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Operations {
    /// Each in words.
    pub operations: Vec<String>,
    /// The same as a script for `ipvsadm --restore`.
    pub rules: String,
}

/// What a reload has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reloaded {
    /// What was done to the table.
    pub operations: Vec<String>,
    /// What the director refused; it is tried again.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refused: Vec<String>,
    /// What is odd about the file but may be meant.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
}

/// A drain that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Draining {
    /// Its number.
    pub id: u64,
}

/// How many servers a request has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    /// The servers, as `SERVER of SERVICE`.
    pub servers: Vec<String>,
}

/// The last events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    /// The oldest first.
    pub events: Vec<Event>,
}

/// What is missing on this host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Findings {
    /// Whether nothing is missing; advice is not counted.
    pub ready: bool,
    /// Each in words.
    pub findings: Vec<HostFinding>,
}

impl Findings {
    /// What was found on a host, and whether that is ready.
    pub(crate) fn new(findings: Vec<HostFinding>) -> Self {
        let ready = findings.iter().all(|finding| finding.severity < Severity::Missing);
        Self { ready, findings }
    }
}

/// An answer. Over HTTP the body is what stands in the variant.
#[derive(Debug, Clone, PartialEq)]
// Exhaustive: one for each request.
pub enum Reply {
    /// To `Status`.
    Status(Status),
    /// To `Plan`.
    Plan(Operations),
    /// To `Reload`.
    Reloaded(Reloaded),
    /// To `Drain`.
    Draining(Draining),
    /// To `Undrain` and `Override`.
    Changed(Changed),
    /// To `History`.
    History(History),
    /// To `Metrics`.
    Metrics(Page),
    /// To `Check`.
    Findings(Findings),
    /// To `Stop`.
    Stopped(Reloaded),
}
