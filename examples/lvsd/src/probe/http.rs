//! A request over HTTP or HTTPS: its status, and what its body holds.

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue};
use hyper_util::rt::TokioIo;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};

use super::tls::Tls;
use super::{Context, Outcome, Probe, Target};

/// No more than this is looked at of a body.
const LONGEST_BODY: usize = 1 << 20;

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
    /// The last of the statuses that a healthy server answers with, if it is not one alone.
    pub status_to: Option<u16>,
    /// A header of the answer that carries the weight that the server asks for.
    pub weight_header: Option<String>,
    /// Speak TLS: an empty table will do.
    pub tls: Option<Tls>,
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
        }
    }
}

impl Probe for HttpCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        match self.exchange(target).await {
            Ok(outcome) | Err(outcome) => outcome,
        }
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
        self.tls.as_ref().map_or(Ok(()), Tls::validate)
    }
}

impl HttpCheck {
    async fn exchange(&self, target: &Target) -> Result<Outcome, Outcome> {
        let stream = super::tcp::connect(target.address).await?;
        match &self.tls {
            None => self.ask(target, stream).await,
            Some(tls) => {
                let stream = tls.connect(stream, self.host.as_deref(), target.address.ip()).await?;
                self.ask(target, stream).await
            }
        }
    }

    async fn ask<S>(&self, target: &Target, stream: S) -> Result<Outcome, Outcome>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let down = |what: &str, error: hyper::Error| Outcome::Down(format!("{what}: {error}"));
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| down("no HTTP", error))?;
        let request = Request::get(&self.path)
            .header(HOST, self.host.clone().unwrap_or_else(|| target.address.to_string()))
            .header(CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| Outcome::NotRun(format!("invalid request: {error}")))?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(|error| down("no answer", error))?;
            if !(self.status..=self.status_to.unwrap_or(self.status)).contains(&answer.status().as_u16()) {
                return Err(Outcome::Down(format!("status {}", answer.status())));
            }
            let weight = self.weight(&answer)?;
            if let Some(text) = &self.body {
                holds(answer.into_body(), text).await?;
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

/// Reads a body until it holds a text; a server may send more, or leave its end open.
async fn holds(mut body: Incoming, text: &str) -> Result<(), Outcome> {
    let mut seen: Vec<u8> = Vec::new();
    loop {
        // A text that lies across two frames is found by looking at the end of what was there, too.
        let from = seen.len().saturating_sub(text.len());
        let frame = match body.frame().await {
            Some(frame) => frame.map_err(|error| Outcome::Down(format!("no body: {error}")))?,
            None => return Err(Outcome::Down(format!("the body does not hold {text:?}"))),
        };
        let Some(data) = frame.data_ref() else { continue };
        seen.extend_from_slice(&data[..data.len().min(LONGEST_BODY - seen.len())]);
        let found = text.is_empty() || seen[from..].windows(text.len()).any(|window| window == text.as_bytes());
        if found {
            return Ok(());
        }
        if seen.len() >= LONGEST_BODY {
            return Err(Outcome::Down(format!("the first MiB of the body does not hold {text:?}")));
        }
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

    /// Serves HTTPS for `web.example` with a certificate of its own, once for each connection.
    fn serve_tls(directory: &std::path::Path) -> SocketAddr {
        let made = rcgen::generate_simple_self_signed(["web.example".to_owned()]).unwrap();
        std::fs::write(directory.join("ca.pem"), made.cert.pem()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
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
    async fn https_looks_at_the_certificate_unless_told_not_to() {
        let directory = tempfile::tempdir().unwrap();
        let server = target(serve_tls(directory.path()));
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
}
