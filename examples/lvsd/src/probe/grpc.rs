//! The health service of gRPC (`grpc.health.v1`), as a server offers it for the whole of it or for
//! one service.

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, TE};
use hyper_util::rt::{TokioExecutor, TokioIo};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};

use super::tls::Tls;
use super::{Context, Outcome, Probe, Target};

/// No answer of this service is longer.
const LONGEST: usize = 4096;

/// Which service is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GrpcCheck {
    /// The service; the server as a whole where it is not set.
    pub service: String,
    /// The name of the host (`:authority`); the server's address where it is not set.
    pub host: Option<String>,
    /// Speak TLS: an empty table will do.
    pub tls: Option<Tls>,
}

impl Probe for GrpcCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        match self.exchange(target).await {
            Ok(()) => Outcome::Up,
            Err(outcome) => outcome,
        }
    }

    fn validate(&self) -> Result<(), String> {
        if let Some(host) = &self.host {
            host.parse::<hyper::http::uri::Authority>().map_err(|error| format!("host {host:?}: {error}"))?;
        }
        self.tls.as_ref().map_or(Ok(()), Tls::validate)
    }
}

impl GrpcCheck {
    async fn exchange(&self, target: &Target) -> Result<(), Outcome> {
        let stream = target.connect().await?;
        match &self.tls {
            None => self.ask(target, stream).await,
            Some(tls) => {
                let stream = tls.connect(stream, self.host.as_deref(), target.peer().ip(), Some(b"h2")).await?;
                self.ask(target, stream).await
            }
        }
    }

    async fn ask<S>(&self, target: &Target, stream: S) -> Result<(), Outcome>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let down = |what: &str, error: hyper::Error| Outcome::Down(format!("{what}: {error}"));
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .map_err(|error| down("no HTTP/2", error))?;
        let host = self.host.clone().unwrap_or_else(|| target.peer().to_string());
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let request = Request::post(format!("{scheme}://{host}/grpc.health.v1.Health/Check"))
            .header(CONTENT_TYPE, "application/grpc")
            .header(TE, "trailers")
            .body(Full::new(Bytes::from(message(&self.service))))
            .map_err(|error| Outcome::NotRun(format!("invalid request: {error}")))?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(|error| down("no answer", error))?;
            if answer.status() != hyper::StatusCode::OK {
                return Err(Outcome::Down(format!("status {}", answer.status())));
            }
            // An answer that is an error may have it in its head.
            refused(answer.headers())?;
            let body = Limited::new(answer.into_body(), LONGEST).collect().await;
            let body = body.map_err(|error| Outcome::Down(format!("no answer: {error}")))?;
            body.trailers().map_or(Ok(()), refused)?;
            serving(&body.to_bytes())
        };
        tokio::select! {
            result = exchange => result,
            Err(error) = connection => Err(down("the connection broke", error)),
        }
    }
}

/// A `HealthCheckRequest` with its gRPC prefix: not compressed, and its length. Its one field is
/// the name of the service (field 1, a string).
fn message(service: &str) -> Vec<u8> {
    let mut text = Vec::new();
    if !service.is_empty() {
        text.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            text.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        text.push(u8::try_from(length).unwrap_or_default());
        text.extend(service.as_bytes());
    }
    let mut message = vec![0];
    message.extend(u32::try_from(text.len()).unwrap_or_default().to_be_bytes());
    message.extend(text);
    message
}

fn refused(headers: &HeaderMap) -> Result<(), Outcome> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text("grpc-status") {
        None | Some("0") => Ok(()),
        // https://grpc.io/docs/guides/status-codes: 5 is NOT_FOUND, 12 UNIMPLEMENTED.
        Some(status) => {
            Err(Outcome::Down(format!("gRPC status {status} {}", text("grpc-message").unwrap_or_default())))
        }
    }
}

/// A `HealthCheckResponse`: its field 1 is an enumeration of which 1 is SERVING.
fn serving(body: &[u8]) -> Result<(), Outcome> {
    match body {
        [0, 0, 0, 0, 2, 0x08, 1] => Ok(()),
        [0, 0, 0, 0, 2, 0x08, 2] => Err(Outcome::Down("it is not serving".to_owned())),
        [0, 0, 0, 0, 2, 0x08, 3] => Err(Outcome::Down("it does not know the service".to_owned())),
        [0, 0, 0, 0, 0] => Err(Outcome::Down("it does not know whether it serves".to_owned())),
        _ => Err(Outcome::Down("the answer is none of a health service".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::SocketAddr;

    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use hyper::service::service_fn;
    use hyper::{Response, header::HeaderValue};

    use super::super::tests_support::{context, target};
    use super::*;

    /// Serves one request with this state, or with this gRPC status and no message.
    async fn serve(state: u8, status: &'static str) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
                assert_eq!(request.headers()["content-type"], "application/grpc");
                let asked = request.into_body().collect().await.unwrap().to_bytes();
                assert_eq!(asked[..], b"\0\0\0\0\x06\x0a\x04shop"[..]);
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", HeaderValue::from_static(status));
                let data = Frame::data(Bytes::from(vec![0, 0, 0, 0, 2, 8, state]));
                let frames = [Ok::<_, Infallible>(data), Ok(Frame::trailers(trailers))];
                Ok::<_, Infallible>(Response::new(StreamBody::new(Frames(frames.into_iter()))))
            });
            let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        address
    }

    /// Frames that are there already.
    struct Frames<I>(I);

    impl<I: Iterator + Unpin> futures_core::Stream for Frames<I> {
        type Item = I::Item;

        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<I::Item>> {
            std::task::Poll::Ready(self.0.next())
        }
    }

    #[tokio::test]
    async fn a_serving_service_is_up() {
        let check = GrpcCheck { service: "shop".to_owned(), ..GrpcCheck::default() };
        assert_eq!(check.run(&target(serve(1, "0").await), &context()).await, Outcome::Up);
        for (state, status) in [(2, "0"), (3, "0"), (9, "0"), (1, "5")] {
            let outcome = check.run(&target(serve(state, status).await), &context()).await;
            assert!(matches!(outcome, Outcome::Down(_)), "{state} {status}: {outcome:?}");
        }
    }

    #[test]
    fn long_names_have_long_lengths() {
        assert_eq!(message(&"x".repeat(300))[4..8], [47, 0x0a, 0xac, 0x02]);
        assert_eq!(message(""), [0; 5]);
    }
}
