//! `lvsd` keeps an LVS cluster as its file says; `lvsctl` asks it and tells it what to do.

pub mod config;
mod conntrack;
pub mod control;
pub mod ctl;
pub mod daemon;
pub mod engine;
pub mod event;
pub mod instance;
pub mod marks;
pub mod metrics;
pub mod open;
mod owner;
pub mod probe;
mod process;
pub mod realserver;
pub mod state;
mod sysctl;
pub mod text;
