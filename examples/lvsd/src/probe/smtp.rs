//! The greeting of a mail server.

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::{Context, Outcome, Probe, Target};

/// No greeting is longer (RFC 5321, 4.5.3.1.5: 512 octets; some have several lines).
const LONGEST: u64 = 8192;

/// The server greets with 220 and takes its leave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmtpCheck {}

impl Probe for SmtpCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        let mut stream = match super::tcp::connect(target.address).await {
            Ok(stream) => stream,
            Err(outcome) => return outcome,
        };
        let mut line = String::new();
        let (reader, mut writer) = stream.split();
        let mut reader = BufReader::new(reader.take(LONGEST));
        loop {
            line.clear();
            match reader.read_line(&mut line).await {
                Err(error) => return Outcome::of_error("no greeting", &error),
                Ok(0) => return Outcome::Down("no greeting".to_owned()),
                Ok(_) if !line.starts_with("220") => {
                    return Outcome::Down(format!("it greets with {:?}", line.trim_end()));
                }
                // A greeting of several lines goes on after a hyphen.
                Ok(_) if line[3..].starts_with('-') => {}
                Ok(_) => break,
            }
        }
        // It has greeted: how it takes leave does not matter.
        let _ = writer.write_all(b"QUIT\r\n").await;
        Outcome::Up
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{SocketAddr, TcpListener};

    use super::super::tests_support::{context, target};
    use super::*;

    fn greet(text: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || listener.accept().unwrap().0.write_all(text.as_bytes()));
        address
    }

    #[tokio::test]
    async fn a_greeting_of_220_is_up() {
        let check = SmtpCheck {};
        assert_eq!(check.run(&target(greet("220-mail\r\n220 ready\r\n")), &context()).await, Outcome::Up);
        for other in ["554 no\r\n", "", "220-mail\r\n"] {
            assert!(matches!(check.run(&target(greet(other)), &context()).await, Outcome::Down(_)), "{other:?}");
        }
    }
}
