//! What the programs of a cluster share: the cluster file, checks of real servers, the settings of a host.

pub mod checker;
pub mod config;
pub mod exit;
pub mod exporter;
pub mod open;
pub mod owned;
pub mod preflight;
pub mod probe;
pub mod realserver;
pub mod stop;
mod sysctl;
pub mod taken_out;
pub mod text;
