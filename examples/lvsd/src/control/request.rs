use std::net::IpAddr;

use lvs_core::drain::{DrainTarget, WaitFor};
use lvs_core::model::{DestinationKey, ServiceKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Servers, as a request names them: one server of a service, a host in all services, or a whole
/// service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// The service, such as `tcp://192.0.2.1:80`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub service: Option<String>,
    /// A server of that service, such as `198.51.100.7:80`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub server: Option<String>,
    /// A host, in all services.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<IpAddr>,
}

impl Selection {
    /// What that is in a table.
    ///
    /// # Errors
    /// It names nothing, or two things, or what it names is no address.
    pub fn target(&self) -> Result<DrainTarget, String> {
        let service = self.service.as_deref().map(|text| text.parse::<ServiceKey>().map_err(|error| error.to_string()));
        let server =
            self.server.as_deref().map(|text| text.parse::<DestinationKey>().map_err(|error| error.to_string()));
        match (service.transpose()?, server.transpose()?, self.host) {
            (Some(service), Some(mut server), None) => {
                if server.port == 0 {
                    server.port = service.port();
                }
                Ok(DrainTarget::Destination(service, server))
            }
            (Some(service), None, None) => Ok(DrainTarget::Service(service)),
            (None, None, Some(host)) => Ok(DrainTarget::RealServer(host)),
            (None, Some(_), None) => Err("a server belongs to a service: name both, or a host".to_owned()),
            (None, None, None) => Err("name a service, a server of a service, or a host".to_owned()),
            _ => Err("name a service or a host, not both".to_owned()),
        }
    }
}

/// What a drain waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
// Exhaustive: as in the core.
pub enum Waiting {
    /// For nothing: the server goes at once.
    Nothing,
    /// For active connections.
    Active,
    /// For inactive ones as well.
    Inactive,
    /// For persistence templates as well.
    Persistent,
}

impl From<Waiting> for WaitFor {
    fn from(waiting: Waiting) -> Self {
        match waiting {
            Waiting::Nothing => Self::Nothing,
            Waiting::Active => Self::Active,
            Waiting::Inactive => Self::Inactive,
            Waiting::Persistent => Self::Persistent,
        }
    }
}

/// A drain: quiesce, wait, remove.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrainSpec {
    /// Which servers.
    #[serde(default)]
    pub what: Selection,
    /// What to wait for with every protocol; otherwise active connections of TCP and SCTP, nothing
    /// of UDP.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub wait_for: Option<Waiting>,
    /// After this many seconds what is left is cut.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deadline: Option<f64>,
    /// Leave the servers in the table, with weight 0.
    #[serde(default)]
    pub keep: bool,
    /// Why, for those who read the status.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub reason: String,
}

/// What an override forces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
// Exhaustive: as in the core.
pub enum Force {
    /// In use, whatever checks say.
    Up,
    /// Out of use, whatever checks say.
    Down,
    /// This weight while checks succeed.
    Weight(u32),
}

/// An override of what checks say, or with no `force` its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideSpec {
    /// Which servers.
    #[serde(default)]
    pub what: Selection,
    /// What is forced; nothing takes overrides back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub force: Option<Force>,
    /// Why, for those who read the status.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub reason: String,
    /// After how many seconds it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<f64>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Request {
    /// `GET /v1/status`
    Status,
    /// `GET /v1/plan`: what would be done to the table now.
    Plan,
    /// `GET /v1/history`: the last events.
    History,
    /// `GET /v1/metrics`: as text.
    Metrics,
    /// `GET /v1/check`: what is missing on this host.
    Check,
    /// `POST /v1/reload`
    Reload,
    /// `POST /v1/drain`
    Drain(DrainSpec),
    /// `POST /v1/undrain`
    Undrain(Selection),
    /// `POST /v1/override`
    Override(OverrideSpec),
    /// `POST /v1/stop`: takes the cluster's services out of force and ends the daemon.
    Stop,
}
