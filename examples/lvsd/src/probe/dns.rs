//! A question to a name server, over UDP or TCP.

use std::str::FromStr;

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Context, Outcome, Probe, Target};

/// What is asked for and what is expected: no error, and an answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DnsCheck {
    /// The name; the root where it is not set.
    pub name: String,
    /// The type of its record: A, AAAA, NS, SOA, TXT, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Over TCP instead of UDP.
    pub tcp: bool,
    /// Text that one of the answers must hold, as `dig` writes them.
    pub expect: Option<String>,
    /// Whether no answer is as good as one, as long as there is no error.
    pub empty: bool,
}

impl Default for DnsCheck {
    fn default() -> Self {
        Self { name: ".".to_owned(), kind: "SOA".to_owned(), tcp: false, expect: None, empty: false }
    }
}

impl Probe for DnsCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        let query = match self.query() {
            Ok(query) => query,
            Err(error) => return Outcome::NotRun(error),
        };
        let id = fastrand::u16(..);
        let mut question = Message::new(id, MessageType::Query, OpCode::Query);
        question.metadata.recursion_desired = true;
        question.add_query(query);
        let question = match question.to_vec() {
            Ok(question) => question,
            Err(error) => return Outcome::NotRun(error.to_string()),
        };
        let exchanged =
            if self.tcp { over_tcp(target, &question).await } else { self.over_udp(target, &question, id).await };
        match exchanged {
            Ok(answer) => self.judge(&answer, id),
            Err(outcome) => outcome,
        }
    }

    fn validate(&self) -> Result<(), String> {
        self.query().map(drop)
    }
}

impl DnsCheck {
    fn query(&self) -> Result<Query, String> {
        let name = Name::from_ascii(&self.name).map_err(|error| format!("name {:?}: {error}", self.name))?;
        let kind = RecordType::from_str(&self.kind.to_ascii_uppercase())
            .map_err(|_| format!("type {:?} is not one of a record, such as A, AAAA, NS, SOA", self.kind))?;
        let mut query = Query::query(name, kind);
        query.name.set_fqdn(true);
        Ok(query)
    }

    async fn over_udp(&self, target: &Target, question: &[u8], id: u16) -> Result<Vec<u8>, Outcome> {
        let exchange = async {
            let socket = super::udp::connect(target.address).await?;
            socket.send(question).await?;
            loop {
                let mut answer = vec![0; 65536];
                let length = socket.recv(&mut answer).await?;
                answer.truncate(length);
                // Something else may have been on its way to this port.
                if answer.starts_with(&id.to_be_bytes()) {
                    return Ok(answer);
                }
            }
        };
        exchange.await.map_err(|error: std::io::Error| Outcome::of_error("no answer", &error))
    }

    fn judge(&self, answer: &[u8], id: u16) -> Outcome {
        let answer = match Message::from_vec(answer) {
            Ok(answer) => answer,
            Err(error) => return Outcome::Down(format!("the answer makes no sense: {error}")),
        };
        if answer.metadata.id != id || answer.metadata.message_type != MessageType::Response {
            return Outcome::Down("that is no answer to the question".to_owned());
        }
        if answer.metadata.response_code != ResponseCode::NoError {
            return Outcome::Down(format!("{}", answer.metadata.response_code));
        }
        if answer.answers.is_empty() && !self.empty {
            return Outcome::Down(format!("no {} of {}", self.kind, self.name));
        }
        match &self.expect {
            Some(text) if !answer.answers.iter().any(|record| record.to_string().contains(text)) => {
                Outcome::Down(format!("no answer holds {text:?}"))
            }
            _ => Outcome::Up,
        }
    }
}

/// RFC 1035, 4.2.2: each message after its length.
async fn over_tcp(target: &Target, question: &[u8]) -> Result<Vec<u8>, Outcome> {
    let mut stream = target.connect().await?;
    let exchange = async {
        let length = u16::try_from(question.len()).map_err(std::io::Error::other)?;
        stream.write_all(&[&length.to_be_bytes(), question].concat()).await?;
        stream.flush().await?;
        let length = stream.read_u16().await?;
        let mut answer = vec![0; usize::from(length)];
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    exchange.await.map_err(|error: std::io::Error| Outcome::of_error("no answer", &error))
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use hickory_proto::rr::rdata::A;
    use hickory_proto::rr::{RData, Record};
    use tokio::net::{TcpListener, UdpSocket};

    use super::super::tests_support::{context, target};
    use super::*;

    /// Knows www.example.org alone.
    fn answer(question: &[u8]) -> Vec<u8> {
        let question = Message::from_vec(question).unwrap();
        let mut answer = question.clone().into_response();
        let name = question.queries[0].name.clone();
        if name.to_ascii() == "www.example.org." {
            answer.add_answer(Record::from_rdata(name, 60, RData::A(A(Ipv4Addr::new(192, 0, 2, 1)))));
        } else {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        answer.to_vec().unwrap()
    }

    async fn serve_udp() -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut text = [0; 1000];
            loop {
                let (length, client) = socket.recv_from(&mut text).await.unwrap();
                // Not for this question.
                socket.send_to(b"xx", client).await.unwrap();
                socket.send_to(&answer(&text[..length]), client).await.unwrap();
            }
        });
        address
    }

    async fn serve_tcp() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let length = stream.read_u16().await.unwrap();
                let mut question = vec![0; length.into()];
                stream.read_exact(&mut question).await.unwrap();
                let answer = answer(&question);
                stream.write_u16(answer.len().try_into().unwrap()).await.unwrap();
                stream.write_all(&answer).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn a_name_server_answers_over_udp_and_tcp() {
        for tcp in [false, true] {
            let server = target(if tcp { serve_tcp().await } else { serve_udp().await });
            let check = |name: &str, expect: Option<&str>| DnsCheck {
                name: name.to_owned(),
                kind: "a".to_owned(),
                tcp,
                expect: expect.map(str::to_owned),
                empty: false,
            };
            assert_eq!(check("www.example.org", Some("192.0.2.1")).run(&server, &context()).await, Outcome::Up);
            let other = check("www.example.org", Some("192.0.2.9")).run(&server, &context()).await;
            assert!(matches!(other, Outcome::Down(_)), "{other:?}");
            let unknown = check("mail.example.org", None).run(&server, &context()).await;
            assert!(matches!(unknown, Outcome::Down(_)), "{unknown:?}");
        }
    }

    #[test]
    fn names_and_types_are_looked_at_when_the_file_is_read() {
        let check = |name: &str, kind: &str| DnsCheck { name: name.into(), kind: kind.into(), ..DnsCheck::default() };
        check("example.org", "aaaa").validate().unwrap();
        assert!(check("a..b", "A").validate().unwrap_err().contains("name"));
        assert!(check("example.org", "B").validate().unwrap_err().contains("type"));
    }
}
