//! A request over HTTP or HTTPS: its status, and what its body holds.

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};

use super::pattern::Pattern;
use super::tls::Tls;
use super::{Context, Outcome, Probe, Target};

/// No more than this is looked at of a body.
const LONGEST_BODY: usize = 1 << 20;
/// Up to this length a body is looked through with each piece.
const SMALL_BODY: usize = 64 << 10;
/// What is larger is looked through at the latest when no more comes for this long.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// What is asked for and what is expected.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpCheck {
    /// The path to ask for.
    pub path: String,
    /// The `Host` header; the server's address where it is not set.
    pub host: Option<String>,
    /// The status that a healthy server answers with.
    pub status: u16,
    /// Text that the first MiB of the body must hold.
    pub body: Option<String>,
    /// A regular expression that the first MiB of the body must match somewhere.
    pub body_regex: Option<Pattern>,
    /// The last of the statuses that a healthy server answers with, if it is not one alone.
    pub status_to: Option<u16>,
    /// A header of the answer that carries the weight that the server asks for.
    pub weight_header: Option<String>,
    /// Speak TLS: an empty table will do.
    pub tls: Option<Tls>,
    /// More requests, each as this one, that must succeed as well. What they do not say about host
    /// and TLS is as here.
    pub also: Vec<Self>,
}

impl Default for HttpCheck {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            host: None,
            status: 200,
            body: None,
            status_to: None,
            weight_header: None,
            tls: None,
            body_regex: None,
            also: Vec::new(),
        }
    }
}

impl HttpCheck {
    pub(super) fn may_set_weights(&self) -> bool {
        self.weight_header.is_some() || self.also.iter().any(Self::may_set_weights)
    }
}

impl Probe for HttpCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        let mut result = Outcome::Up;
        for check in std::iter::once(self).chain(&self.also) {
            let host = check.host.as_deref().or(self.host.as_deref());
            match check.exchange(target, host, check.tls.as_ref().or(self.tls.as_ref())).await {
                Ok(Outcome::Up) => {}
                // The lowest of the weights that are asked for.
                Ok(Outcome::UpWithWeight(weight)) => {
                    result = Outcome::UpWithWeight(match result {
                        Outcome::UpWithWeight(other) => other.min(weight),
                        _ => weight,
                    });
                }
                Ok(Outcome::Down(reason)) | Err(Outcome::Down(reason)) if !self.also.is_empty() => {
                    return Outcome::Down(format!("{}: {reason}", check.path));
                }
                Ok(outcome) | Err(outcome) => return outcome,
            }
        }
        result
    }

    fn validate(&self) -> Result<(), String> {
        Request::get(&self.path).body(()).map_err(|error| format!("path {:?}: {error}", self.path))?;
        if !self.path.starts_with('/') {
            return Err(format!("path {:?} does not begin with /", self.path));
        }
        if let Some(host) = &self.host {
            HeaderValue::from_str(host).map_err(|error| format!("host {host:?}: {error}"))?;
        }
        if let Some(name) = &self.weight_header {
            name.parse::<HeaderName>().map_err(|error| format!("weight_header {name:?}: {error}"))?;
        }
        let last = self.status_to.unwrap_or(self.status);
        if !(100..1000).contains(&self.status) || !(self.status..1000).contains(&last) {
            return Err(format!(
                "status {} to {last}: statuses of HTTP have three digits, the lower first",
                self.status
            ));
        }
        for check in &self.also {
            if !check.also.is_empty() {
                return Err("further requests (also) stand beside each other, not in each other".to_owned());
            }
            check.validate()?;
        }
        self.tls.as_ref().map_or(Ok(()), Tls::validate)
    }
}

impl HttpCheck {
    async fn exchange(&self, target: &Target, host: Option<&str>, tls: Option<&Tls>) -> Result<Outcome, Outcome> {
        let stream = target.connect().await?;
        match tls {
            None => self.ask(target, host, stream).await,
            Some(tls) => {
                let stream = tls.connect(stream, host, target.peer().ip(), None).await?;
                self.ask(target, host, stream).await
            }
        }
    }

    async fn ask<S>(&self, target: &Target, host: Option<&str>, stream: S) -> Result<Outcome, Outcome>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let down = |what: &str, error: hyper::Error| Outcome::Down(format!("{what}: {error}"));
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| down("no HTTP", error))?;
        let request = Request::get(&self.path)
            .header(HOST, host.map_or_else(|| target.peer().to_string(), str::to_owned))
            .header(CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| Outcome::NotRun(format!("invalid request: {error}")))?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(|error| down("no answer", error))?;
            if !(self.status..=self.status_to.unwrap_or(self.status)).contains(&answer.status().as_u16()) {
                return Err(Outcome::Down(format!("status {}", answer.status())));
            }
            let weight = self.weight(&answer)?;
            if self.body.is_some() || self.body_regex.is_some() {
                self.look_at(answer.into_body()).await?;
            }
            Ok(weight.map_or(Outcome::Up, Outcome::UpWithWeight))
        };
        // The connection moves only while it is polled; it ends with the request.
        tokio::select! {
            result = exchange => result,
            Err(error) = connection => Err(down("the connection broke", error)),
        }
    }

    fn weight(&self, answer: &hyper::Response<Incoming>) -> Result<Option<u32>, Outcome> {
        let Some(name) = &self.weight_header else { return Ok(None) };
        let Some(value) = answer.headers().get(name.as_str()) else { return Ok(None) };
        let weight = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        weight.map(Some).ok_or_else(|| Outcome::Down(format!("{name} is not a weight: {value:?}")))
    }
}

impl HttpCheck {
    /// Reads a body until it holds what it must; a server may send more, or leave its end open.
    async fn look_at(&self, mut body: Incoming) -> Result<(), Outcome> {
        let mut seen: Vec<u8> = Vec::new();
        // Looked through when it has grown enough, so that many small pieces do not make it slow.
        let (mut next_look, mut looked) = (0, 0);
        loop {
            // What has not been looked through is, when no more comes for a moment.
            let frame = if looked == seen.len() {
                Ok(body.frame().await)
            } else {
                tokio::time::timeout(PAUSE, body.frame()).await
            };
            let (end, paused) = (matches!(frame, Ok(None)), frame.is_err());
            if let Ok(Some(frame)) = frame {
                let frame = frame.map_err(|error| Outcome::Down(format!("no body: {error}")))?;
                let Some(data) = frame.data_ref() else { continue };
                seen.extend_from_slice(&data[..data.len().min(LONGEST_BODY - seen.len())]);
            }
            let full = seen.len() >= LONGEST_BODY;
            if end || full || paused || seen.len() >= next_look {
                looked = seen.len();
                next_look = if seen.len() < SMALL_BODY { 0 } else { seen.len() * 2 };
                let Some(missing) = self.missing_in(&seen) else { return Ok(()) };
                if end || full {
                    let which = if full { "the first MiB of the body" } else { "the body" };
                    return Err(Outcome::Down(format!("{which} does not hold {missing}")));
                }
            }
        }
    }

    fn missing_in(&self, seen: &[u8]) -> Option<String> {
        let holds = |text: &str| text.is_empty() || seen.windows(text.len()).any(|window| window == text.as_bytes());
        let text = self.body.as_deref().filter(|text| !holds(text)).map(|text| format!("{text:?}"));
        let pattern = self.body_regex.as_ref().filter(|pattern| !pattern.matches(seen));
        text.or_else(|| pattern.map(|pattern| format!("what matches {:?}", pattern.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};

    use super::super::tests_support::{context, target};
    use super::*;

    /// Answers one request with this text and then keeps the connection open, or not.
    fn serve(answer: String, close: bool) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            let _ = stream.write_all(answer.as_bytes());
            if !close {
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        address
    }

    async fn ask(check: &HttpCheck, answer: impl Into<String>) -> Outcome {
        check.run(&target(serve(answer.into(), true)), &context()).await
    }

    #[tokio::test]
    async fn status_weight_and_body_are_looked_at() {
        let check = HttpCheck { weight_header: Some("X-Weight".to_owned()), ..HttpCheck::default() };
        assert_eq!(ask(&check, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await, Outcome::Up);
        let answer = "HTTP/1.1 200 OK\r\nX-Weight: 7\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(ask(&check, answer).await, Outcome::UpWithWeight(7));
        let answer = "HTTP/1.1 200 OK\r\nX-Weight: many\r\nContent-Length: 0\r\n\r\n";
        assert!(matches!(ask(&check, answer).await, Outcome::Down(_)));
        let answer = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
        assert!(matches!(ask(&check, answer).await, Outcome::Down(reason) if reason.contains("503")));
    }

    #[tokio::test]
    async fn a_text_at_the_start_of_a_long_or_endless_body_is_enough() {
        let check = HttpCheck { body: Some("ready".to_owned()), ..HttpCheck::default() };
        let long = "x".repeat(2 << 20);
        let head = "HTTP/1.1 200 OK\r\n\r\n";
        assert_eq!(ask(&check, format!("{head}ready{long}")).await, Outcome::Up);
        assert!(matches!(ask(&check, format!("{head}{long}ready")).await, Outcome::Down(_)));
        let open = serve(format!("{head}it is ready now"), false);
        assert_eq!(check.run(&target(open), &context()).await, Outcome::Up);
    }

    #[tokio::test]
    async fn a_body_matches_a_regular_expression() {
        let check: HttpCheck = toml::from_str(r#"body_regex = "(?m)^queue: [0-9]{1,2}$""#).unwrap();
        let head = "HTTP/1.1 200 OK\r\n\r\n";
        assert_eq!(ask(&check, format!("{head}state: ok\nqueue: 7\n")).await, Outcome::Up);
        let full = ask(&check, format!("{head}state: ok\nqueue: 700\n")).await;
        assert!(matches!(&full, Outcome::Down(reason) if reason.contains("queue")), "{full:?}");
        assert!(toml::from_str::<HttpCheck>(r#"body_regex = "(""#).is_err());
        // Long, and the end left open.
        let long = "x".repeat(200 << 10);
        let open = serve(format!("{head}{long}\nqueue: 7\n"), false);
        assert_eq!(check.run(&target(open), &context()).await, Outcome::Up);
    }

    /// Answers each path with this status and weight, for ever.
    fn serve_paths(answers: &'static [(&'static str, u16, &'static str)]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let path = request.split(' ').nth(1).unwrap();
                let (_, status, weight) = answers.iter().find(|answer| answer.0 == path).unwrap();
                let host = if request.to_lowercase().contains("host: shop.example") { *status } else { 421 };
                let _ = write!(stream, "HTTP/1.1 {host} -\r\nX-Weight: {weight}\r\nContent-Length: 0\r\n\r\n");
            }
        });
        address
    }

    #[tokio::test]
    async fn all_of_several_requests_must_succeed_and_the_lowest_weight_counts() {
        let server = target(serve_paths(&[("/", 200, "9"), ("/db", 204, "3"), ("/old", 500, "1")]));
        let check = |more: &str| -> HttpCheck {
            let text = format!("host = \"shop.example\"\nweight_header = \"X-Weight\"\n{more}");
            let check: HttpCheck = toml::from_str(&text).unwrap();
            check.validate().unwrap();
            check
        };
        let run = async |more: &str| check(more).run(&server, &context()).await;
        let db = r#"{ path = "/db", status = 204, weight_header = "X-Weight" }"#;
        assert_eq!(run(&format!("also = [{db}]")).await, Outcome::UpWithWeight(3));
        let old = run(&format!(r#"also = [{db}, {{ path = "/old" }}]"#)).await;
        assert!(matches!(&old, Outcome::Down(reason) if reason.starts_with("/old: ")), "{old:?}");
        let nested: HttpCheck = toml::from_str(r#"also = [{ path = "/a", also = [{ path = "/b" }] }]"#).unwrap();
        assert!(nested.validate().unwrap_err().contains("beside"));
    }

    /// Serves HTTPS for `web.example` with a certificate of its own, once for each connection.
    fn serve_tls(directory: &std::path::Path, clients: bool) -> SocketAddr {
        let made = rcgen::generate_simple_self_signed(["web.example".to_owned()]).unwrap();
        std::fs::write(directory.join("ca.pem"), made.cert.pem()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = if clients {
            // Only this one's.
            let made = rcgen::generate_simple_self_signed(["client.example".to_owned()]).unwrap();
            std::fs::write(directory.join("client.pem"), made.cert.pem()).unwrap();
            std::fs::write(directory.join("client.key"), made.signing_key.serialize_pem()).unwrap();
            let mut roots = rustls::RootCertStore::empty();
            roots.add(made.cert.der().clone()).unwrap();
            let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
            let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            config.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            config.with_no_client_auth()
        };
        let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let config = std::sync::Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut connection = rustls::ServerConnection::new(std::sync::Arc::clone(&config)).unwrap();
                let mut stream = stream.unwrap();
                let mut tls = rustls::Stream::new(&mut connection, &mut stream);
                if tls.read(&mut [0; 4096]).is_ok() {
                    let _ = tls.write_all(b"HTTP/1.1 204 Fine\r\n\r\n");
                }
            }
        });
        address
    }

    #[tokio::test]
    async fn https_verifies_the_certificate_unless_disabled() {
        let directory = tempfile::tempdir().unwrap();
        let server = target(serve_tls(directory.path(), false));
        let ca = Some(directory.path().join("ca.pem"));
        let check = |tls: Tls, host: &str| HttpCheck {
            tls: Some(tls),
            host: Some(host.to_owned()),
            status: 200,
            status_to: Some(299),
            ..HttpCheck::default()
        };
        let trusting = Tls { ca: ca.clone(), ..Tls::default() };
        let run = async |check: HttpCheck| {
            check.validate().unwrap();
            check.run(&server, &context()).await
        };
        assert_eq!(run(check(trusting.clone(), "web.example:443")).await, Outcome::Up);
        let other = run(check(trusting.clone(), "other.example")).await;
        assert!(matches!(&other, Outcome::Down(reason) if reason.contains("TLS")), "{other:?}");
        let named = Tls { name: Some("web.example".to_owned()), ..trusting };
        assert_eq!(run(check(named, "other.example")).await, Outcome::Up);
        let any = Tls { verify: false, ..Tls::default() };
        assert_eq!(run(check(any, "other.example")).await, Outcome::Up);
        let missing = Tls { ca: Some("/nonexistent/ca.pem".into()), ..Tls::default() };
        assert!(check(missing, "web.example").validate().unwrap_err().contains("/nonexistent/ca.pem"));
    }

    #[tokio::test]
    async fn a_client_certificate_is_sent_to_a_server_that_requires_one() {
        let directory = tempfile::tempdir().unwrap();
        let server = target(serve_tls(directory.path(), true));
        let path = |name: &str| Some(directory.path().join(name));
        let without = Tls { ca: path("ca.pem"), ..Tls::default() };
        let with = Tls {
            certificate: path("client.pem"),
            key: path("client.key"),
            ready: Default::default(),
            ..without.clone()
        };
        let run = async |tls: &Tls| {
            let host = Some("web.example".to_owned());
            let check = HttpCheck { tls: Some(tls.clone()), host, status: 204, ..HttpCheck::default() };
            check.validate().unwrap();
            check.run(&server, &context()).await
        };
        assert_eq!(run(&with).await, Outcome::Up);
        assert!(matches!(run(&without).await, Outcome::Down(_)));
        let half = Tls { key: None, ready: Default::default(), ..with };
        assert!(half.validate().unwrap_err().contains("belong together"));
    }
}
