use std::time::Duration;

use super::Forced;
use crate::model::{DestinationKey, ServiceKey};

/// What a [`Health`](super::Health) has learnt, to be kept over a restart.
///
/// All times are relative to the moment of saving: a clock that starts at zero again does no harm.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct HealthState {
    /// The version of this form, [`HealthState::VERSION`].
    pub version: u32,
    /// The watched services.
    pub services: Vec<ServiceState>,
}

impl HealthState {
    /// The version that this release writes and reads.
    pub const VERSION: u32 = 1;
}

/// The state of a watched service.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct ServiceState {
    /// Which service.
    pub service: ServiceKey,
    /// Whether it has its quorum.
    pub quorum: bool,
    /// Its servers.
    pub servers: Vec<ServerState>,
}

/// The state of a watched server.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct ServerState {
    /// Which server.
    pub server: DestinationKey,
    /// Whether its probes say that it is well, overrides aside.
    pub healthy: bool,
    /// Whether it has been probed at all.
    pub probed: bool,
    /// Probes in a row that contradict `healthy`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub streak: u32,
    /// The weight that its probes have asked for.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub asked_weight: Option<u32>,
    /// How long ago it came back, if its slow start still counts from there.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", with = "crate::seconds::optional")
    )]
    pub back_for: Option<Duration>,
    /// How long ago each of the falls was that damping counts, the oldest first.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::seconds::list")
    )]
    pub falls: Vec<Duration>,
    /// For how much longer damping holds it down.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", with = "crate::seconds::optional")
    )]
    pub held_for: Option<Duration>,
    /// What an operator has decided.
    #[cfg_attr(feature = "serde", serde(default, rename = "override", skip_serializing_if = "Option::is_none"))]
    pub overridden: Option<OverrideState>,
}

/// A saved [`Override`](super::Override).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
pub struct OverrideState {
    /// What is wanted.
    pub forced: Forced,
    /// Why.
    pub reason: String,
    /// For how much longer, `None` until it is released.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none", with = "crate::seconds::optional")
    )]
    pub ends_in: Option<Duration>,
}

/// A watched server as it is now, for a status display.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ServerStatus {
    /// Its service.
    pub service: ServiceKey,
    /// Which server.
    pub server: DestinationKey,
    /// Whether it is in use: its health, unless an override says otherwise.
    pub up: bool,
    /// The weight that it is to have now, before a sorry server takes over.
    pub weight: u32,
    /// The weight that it was given.
    pub configured_weight: u32,
    /// What has been learnt of it.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub state: ServerState,
}
