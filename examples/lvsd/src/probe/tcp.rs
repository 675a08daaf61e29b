//! A connection is answer enough.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::net::TcpStream;

use super::{Context, Outcome, Probe, Target};

/// The server takes a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TcpCheck {}

impl Probe for TcpCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        match connect(target.address).await {
            Ok(_) => Outcome::Up,
            Err(outcome) => outcome,
        }
    }
}

/// Connects; the error is the outcome of the check.
pub(super) async fn connect(address: SocketAddr) -> Result<TcpStream, Outcome> {
    TcpStream::connect(address).await.map_err(|error| Outcome::of_error("cannot connect", &error))
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{context, target};
    use super::*;

    #[tokio::test]
    async fn a_listener_is_up_and_a_closed_port_is_down() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(TcpCheck {}.run(&target(address), &context()).await, Outcome::Up);
        drop(listener);
        assert!(matches!(TcpCheck {}.run(&target(address), &context()).await, Outcome::Down(_)));
    }
}
