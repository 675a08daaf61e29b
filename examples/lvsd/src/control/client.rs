//! Asks a daemon over its socket.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::Refused;

/// A daemon may be busy with a large table.
const PATIENCE: Duration = Duration::from_secs(60);

/// The daemon refused.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.error)]
pub struct RefusedError(pub Refused);

/// A connection to a daemon.
#[derive(Debug)]
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects. Needs a runtime.
    ///
    /// # Errors
    /// Nobody listens there, or not to this user.
    pub async fn connect(socket: &Path) -> Result<Self> {
        let stream =
            UnixStream::connect(socket).await.with_context(|| format!("cannot reach lvsd at {}", socket.display()))?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Asks for something.
    ///
    /// # Errors
    /// The daemon does not answer, or refuses ([`RefusedError`]).
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        let answer = self.send(Method::GET, path, Bytes::new()).await?;
        decode(answer).await
    }

    /// Tells it to do something.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post<T: DeserializeOwned>(&mut self, path: &str, body: &impl Serialize) -> Result<T> {
        let answer = self.send(Method::POST, path, serde_json::to_vec(body)?.into()).await?;
        decode(answer).await
    }

    /// Asks for a page of text.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn text(&mut self, path: &str) -> Result<String> {
        let answer = self.send(Method::GET, path, Bytes::new()).await?;
        let good = answer.status().is_success();
        let body = answer.into_body().collect().await?.to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        if good { Ok(text) } else { Err(refusal(&body)) }
    }

    /// Asks for events, which come line by line.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn lines(&mut self, path: &str) -> Result<Lines> {
        let answer = self.send(Method::GET, path, Bytes::new()).await?;
        Ok(Lines { body: answer.into_body(), rest: Vec::new() })
    }

    async fn send(&mut self, method: Method, path: &str, body: Bytes) -> Result<Response<Incoming>> {
        let request = Request::builder().method(method).uri(path).header("Host", "lvsd").body(Full::new(body))?;
        let answer = tokio::time::timeout(PATIENCE, self.sender.send_request(request)).await;
        answer.map_err(|_| anyhow!("lvsd does not answer"))?.context("lvsd has ended")
    }
}

async fn decode<T: DeserializeOwned>(answer: Response<Incoming>) -> Result<T> {
    let good = answer.status().is_success();
    let body = answer.into_body().collect().await?.to_bytes();
    if good { Ok(serde_json::from_slice(&body)?) } else { Err(refusal(&body)) }
}

fn refusal(body: &[u8]) -> anyhow::Error {
    let refused = serde_json::from_slice(body).unwrap_or_else(|_| Refused::new(String::from_utf8_lossy(body)));
    RefusedError(refused).into()
}

/// Lines of a body that has no end.
#[derive(Debug)]
pub struct Lines {
    body: Incoming,
    rest: Vec<u8>,
}

impl Lines {
    /// The next one; nothing when the daemon ends.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> Result<Option<String>> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line = self.rest.drain(..=end).collect::<Vec<_>>();
                return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
            }
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            if let Some(data) = frame?.data_ref() {
                self.rest.extend_from_slice(data);
            }
        }
    }
}
