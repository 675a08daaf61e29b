//! The greeting of a mail server.

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::{Context, Outcome, Probe, Target};

/// No greeting is longer (RFC 5321, 4.5.3.1.5: 512 octets; some have several lines).
const LONGEST: u64 = 8192;

/// The server greets with 220 and takes its leave.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SmtpCheck {
    /// Text that the greeting must hold: the name of the host, for instance.
    pub banner: Option<String>,
}

impl Probe for SmtpCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        let mut stream = match target.connect().await {
            Ok(stream) => stream,
            Err(outcome) => return outcome,
        };
        let (mut line, mut greeting) = (String::new(), String::new());
        let (reader, mut writer) = tokio::io::split(&mut stream);
        let mut reader = BufReader::new(reader.take(LONGEST));
        loop {
            line.clear();
            match reader.read_line(&mut line).await {
                Err(error) => return Outcome::of_error("no greeting", &error),
                Ok(0) => return Outcome::Down("no greeting".to_owned()),
                Ok(_) if !line.starts_with("220") => {
                    return Outcome::Down(format!("it greets with {:?}", line.trim_end()));
                }
                Ok(_) => greeting.push_str(&line),
            }
            // A greeting of several lines goes on after a hyphen.
            if !line[3..].starts_with('-') {
                break;
            }
        }
        if let Some(banner) = &self.banner
            && !greeting.contains(banner)
        {
            return Outcome::Down(format!("the greeting does not hold {banner:?}"));
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
        let check = SmtpCheck::default();
        assert_eq!(check.run(&target(greet("220-mail\r\n220 ready\r\n")), &context()).await, Outcome::Up);
        for other in ["554 no\r\n", "", "220-mail\r\n"] {
            assert!(matches!(check.run(&target(greet(other)), &context()).await, Outcome::Down(_)), "{other:?}");
        }
        let named = |banner: &str| SmtpCheck { banner: Some(banner.to_owned()) };
        let greeting = "220-mx1.example.org\r\n220 ESMTP\r\n";
        assert_eq!(named("mx1.example.org").run(&target(greet(greeting)), &context()).await, Outcome::Up);
        assert!(matches!(named("mx2").run(&target(greet(greeting)), &context()).await, Outcome::Down(_)));
    }
}
