//! A request over HTTP: its status, and what its body holds.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, HOST};
use hyper_util::rt::TokioIo;
use lvs_core::health::Probe;

/// Of a body no more is looked at.
const LONGEST_BODY: usize = 1 << 20;

/// What is asked for and what is expected.
#[derive(Debug, Clone)]
pub struct HttpCheck {
    /// The path to ask for.
    pub path: String,
    /// The `Host` header; the server's address where it is not set.
    pub host: Option<String>,
    /// The status that means well.
    pub status: u16,
    /// Text that the body must hold.
    pub body: Option<String>,
    /// A header of the answer that carries the weight that the server wants.
    pub weight_header: Option<String>,
}

impl HttpCheck {
    pub(super) async fn run(&self, server: SocketAddr) -> Result<Probe, String> {
        let stream = super::tcp::connect(server).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| format!("no HTTP: {error}"))?;
        // The connection moves only while it is polled; it ends with the request.
        let request = Request::get(&self.path)
            .header(HOST, self.host.clone().unwrap_or_else(|| server.to_string()))
            .header(CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| format!("bad request: {error}"))?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(|error| format!("no answer: {error}"))?;
            if answer.status().as_u16() != self.status {
                return Err(format!("status {}", answer.status()));
            }
            let weight = self.weight(&answer)?;
            if let Some(wanted) = &self.body {
                let body = Limited::new(answer.into_body(), LONGEST_BODY).collect().await;
                let body = body.map_err(|error| format!("no body: {error}"))?.to_bytes();
                if !String::from_utf8_lossy(&body).contains(wanted) {
                    return Err(format!("the body does not hold {wanted:?}"));
                }
            }
            Ok(weight.map_or(Probe::Up, Probe::UpWithWeight))
        };
        tokio::select! {
            result = exchange => result,
            Err(error) = connection => Err(format!("the connection broke: {error}")),
        }
    }

    fn weight<B>(&self, answer: &hyper::Response<B>) -> Result<Option<u32>, String> {
        let Some(name) = &self.weight_header else { return Ok(None) };
        let Some(value) = answer.headers().get(name.as_str()) else { return Ok(None) };
        let weight = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        weight.map(Some).ok_or_else(|| format!("{name} is not a weight: {value:?}"))
    }
}
