//! What the daemon is asked and what it answers: JSON over HTTP on a Unix socket.
//!
//! `lvsctl schema` prints the JSON schema of everything here.

pub mod client;
mod reply;
mod request;
pub mod server;

pub use reply::*;
pub use request::*;
