//! A connection is answer enough.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Context, Outcome, Probe, Target};

/// The server takes a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TcpCheck {}

impl Probe for TcpCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        match target.connect().await {
            Ok(_) => Outcome::Up,
            Err(outcome) => outcome,
        }
    }
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
