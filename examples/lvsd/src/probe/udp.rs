//! A datagram: an answer, or at least no word that nobody listens.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::net::UdpSocket;

use super::{Context, Outcome, Probe, Target};

/// What is sent and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UdpCheck {
    /// The payload; empty where it is not set.
    pub send: String,
    /// The payload in hexadecimal, where it is no text.
    pub send_hex: Option<Hex>,
    /// Text that the answer must hold. Without it no answer is needed: the server is up unless its
    /// host says that the port is unreachable (ICMP) within half of the timeout.
    pub expect: Option<String>,
}

/// Bytes as pairs of hexadecimal digits; blanks between them do not matter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
        let pair = |pair: &[u8]| match pair {
            [high, low] => Some(value(*high)? << 4 | value(*low)?),
            _ => None,
        };
        let bytes = digits.chunks(2).map(pair).collect::<Option<_>>();
        bytes.map(Self).ok_or_else(|| format!("{text:?} is not a row of pairs of hexadecimal digits"))
    }
}

impl Probe for UdpCheck {
    async fn run(&self, target: &Target, context: &Context) -> Outcome {
        match self.expect {
            Some(_) => self.exchange(target).await,
            None => {
                let exchange = tokio::time::timeout(context.timeout / 2, self.exchange(target)).await;
                // Silence is not a failure.
                exchange.unwrap_or(Outcome::Up)
            }
        }
    }

    fn validate(&self) -> Result<(), String> {
        if self.send_hex.is_some() && !self.send.is_empty() {
            return Err("send and send_hex are two ways to say one thing".to_owned());
        }
        Ok(())
    }
}

impl UdpCheck {
    async fn exchange(&self, target: &Target) -> Outcome {
        let exchange = async {
            let socket = connect(target.address).await?;
            socket.send(self.send_hex.as_ref().map_or(self.send.as_bytes(), |hex| &hex.0)).await?;
            let mut answer = vec![0; 65536];
            let length = socket.recv(&mut answer).await?;
            answer.truncate(length);
            Ok::<_, std::io::Error>(answer)
        };
        match (exchange.await, &self.expect) {
            (Err(error), _) => Outcome::of_error("no answer", &error),
            (Ok(answer), Some(text)) if !String::from_utf8_lossy(&answer).contains(text) => {
                Outcome::Down(format!("the answer does not hold {text:?}"))
            }
            (Ok(_), _) => Outcome::Up,
        }
    }
}

/// A socket for one peer: only a connected one hears of unreachable ports.
pub(super) async fn connect(peer: SocketAddr) -> std::io::Result<UdpSocket> {
    let any: SocketAddr = match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(peer).await?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests_support::target;
    use super::*;

    #[tokio::test]
    async fn replies_timeouts_and_unreachable_ports_differ() {
        let context = Context { timeout: Duration::from_secs(10) };
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let echo = tokio::spawn(async move {
            let mut text = [0; 100];
            loop {
                let (length, client) = server.recv_from(&mut text).await.unwrap();
                server.send_to(&text[..length], client).await.unwrap();
            }
        });
        let check = |expect: Option<&str>| UdpCheck {
            send: "ping".to_owned(),
            expect: expect.map(str::to_owned),
            ..UdpCheck::default()
        };
        assert_eq!(check(Some("ing")).run(&target(address), &context).await, Outcome::Up);
        assert!(matches!(check(Some("pong")).run(&target(address), &context).await, Outcome::Down(_)));
        let hex = UdpCheck {
            send_hex: Some(Hex::try_from("70 69 6e67".to_owned()).unwrap()),
            expect: Some("ping".to_owned()),
            ..UdpCheck::default()
        };
        assert_eq!(hex.run(&target(address), &context).await, Outcome::Up);
        for wrong in ["0", "0g", "é"] {
            assert!(Hex::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
        echo.abort();
        let _ = echo.await;
        assert!(matches!(check(None).run(&target(address), &context).await, Outcome::Down(_)));
        let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let context = Context { timeout: Duration::from_millis(200) };
        assert_eq!(check(None).run(&target(silent.local_addr().unwrap()), &context).await, Outcome::Up);
    }
}
