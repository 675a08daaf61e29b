//! Checks of real servers: connect, ask over HTTP, or run a command.

mod command;
mod http;
mod tcp;

use std::net::SocketAddr;
use std::time::Duration;

pub use command::CommandCheck;
pub use http::HttpCheck;
use lvs_core::health::Probe;

/// How a real server is checked.
#[derive(Debug, Clone)]
pub enum Check {
    /// The server takes a connection.
    Tcp,
    /// The server answers a request.
    Http(HttpCheck),
    /// A command says so, with its exit status.
    Command(CommandCheck),
}

impl Check {
    /// Checks a server once. No answer in time is a failure.
    ///
    /// # Errors
    /// What is wrong with the server, for people to read.
    pub async fn run(&self, server: SocketAddr, timeout: Duration) -> Result<Probe, String> {
        let probe = async {
            match self {
                Self::Tcp => tcp::connect(server).await.map(|_| Probe::Up),
                Self::Http(check) => check.run(server).await,
                Self::Command(check) => check.run(server).await,
            }
        };
        match tokio::time::timeout(timeout, probe).await {
            Ok(result) => result,
            Err(_) => Err(format!("no answer in {timeout:?}")),
        }
    }
}
