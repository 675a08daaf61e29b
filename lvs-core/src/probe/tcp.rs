use tokio::net::TcpStream;

use super::{ProbeOutcome, Prober, Target};

/// The server takes a connection over TCP, which is closed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
// Exhaustive: there is nothing to set.
pub struct TcpProber;

impl Prober for TcpProber {
    async fn probe(&self, target: &Target) -> ProbeOutcome {
        match TcpStream::connect(target.address).await {
            Ok(_) => ProbeOutcome::Up,
            Err(error) => ProbeOutcome::of_error("cannot connect", &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Destination, ServiceKey};

    #[tokio::test]
    async fn a_listener_is_up_and_a_closed_port_is_down() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Destination::from(listener.local_addr().unwrap());
        let target = Target::new(ServiceKey::tcp("192.0.2.1", 80).unwrap(), server);
        assert_eq!(TcpProber.probe(&target).await, ProbeOutcome::Up);
        drop(listener);
        assert!(matches!(TcpProber.probe(&target).await, ProbeOutcome::Down(_)));
    }
}
