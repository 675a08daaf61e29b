//! HTTP for those who ask: the control socket, and the metrics on a port.
//!
//! Nobody can hold the daemon up: connections are counted, heads and bodies have a size and a time,
//! and one page of metrics serves everybody who asks within a second.

use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Channel, Full, Limited};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, oneshot};

use super::{Refused, Reply, Request};
use crate::event::Event;
use crate::metrics::classic;

/// How many connections a listener has at once; more wait.
const CONNECTIONS: usize = 64;
/// How long a request may take to come.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// How long a connection may last, but for one that watches events.
const CONNECTION_TIME: Duration = Duration::from_secs(60);
/// How long a request is.
const LONGEST_BODY: usize = 64 << 10;
/// The pause after a connection that could not be accepted, for want of descriptors for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
/// How far a watcher may fall behind before it loses events.
const BEHIND: usize = 256;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A question to the owner of the cluster.
#[derive(Debug)]
pub struct Question {
    /// What is asked for.
    pub request: Request,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<Reply, Refused>>,
}

/// The way to the owner of the cluster.
#[derive(Debug, Clone)]
pub struct Owner {
    /// For questions.
    pub questions: mpsc::Sender<Question>,
    /// For events.
    pub events: broadcast::Sender<Event>,
}

impl Owner {
    async fn ask(&self, request: Request) -> Result<Reply, Refused> {
        let (answer, answered) = oneshot::channel();
        let ending = || Refused::new("the daemon is ending");
        self.questions.send(Question { request, answer }).await.map_err(|_| ending())?;
        answered.await.map_err(|_| ending())?
    }
}

/// What a listener gives to those who connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
// Exhaustive: all, or the metrics.
pub enum Access {
    /// Everything.
    Control,
    /// The metrics alone.
    Metrics,
}

/// Serves the control socket.
pub async fn serve_unix(listener: UnixListener, owner: Owner) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => spawn(stream, owner.clone(), Access::Control, permit),
            Err(error) => rest(&error).await,
        }
    }
}

/// Serves metrics on a port.
pub async fn serve_tcp(listener: TcpListener, owner: Owner) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => spawn(stream, owner.clone(), Access::Metrics, permit),
            Err(error) => rest(&error).await,
        }
    }
}

async fn rest(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

fn spawn(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    owner: Owner,
    access: Access,
    permit: OwnedSemaphorePermit,
) {
    tokio::task::spawn_local(async move {
        let watching = Rc::new(std::cell::Cell::new(false));
        let answer = service_fn(|request| {
            let (owner, watching) = (owner.clone(), Rc::clone(&watching));
            async move { Ok::<_, Infallible>(respond(request, owner, access, &watching).await) }
        });
        let mut http = hyper::server::conn::http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(16 << 10);
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), answer));
        // A client that goes away is no error of ours.
        loop {
            match tokio::time::timeout(CONNECTION_TIME, connection.as_mut()).await {
                Err(_) if watching.get() => {}
                _ => break,
            }
        }
        drop(permit);
    });
}

async fn respond(
    request: hyper::Request<Incoming>,
    owner: Owner,
    access: Access,
    watching: &std::cell::Cell<bool>,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if access == Access::Metrics && !matches!(path, "/metrics" | "/") {
        return words(StatusCode::NOT_FOUND, "try /metrics\n");
    }
    let classic = !parts
        .headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("application/openmetrics-text"));
    let request = match (&parts.method, path) {
        (&Method::GET, "/") => return words(StatusCode::OK, "try /metrics\n"),
        (&Method::GET, "/metrics" | "/v1/metrics") => Ok(Request::Metrics),
        (&Method::GET, "/v1/status") => Ok(Request::Status),
        (&Method::GET, "/v1/plan") => Ok(Request::Plan),
        (&Method::GET, "/v1/history") => Ok(Request::History),
        (&Method::GET, "/v1/check") => Ok(Request::Check),
        (&Method::GET, "/v1/events") => {
            watching.set(true);
            return events(owner.events.subscribe());
        }
        (&Method::POST, "/v1/reload") => Ok(Request::Reload),
        (&Method::POST, "/v1/stop") => Ok(Request::Stop),
        (&Method::POST, "/v1/drain") => read(body).await.map(Request::Drain),
        (&Method::POST, "/v1/undrain") => read(body).await.map(Request::Undrain),
        (&Method::POST, "/v1/override") => read(body).await.map(Request::Override),
        _ => return json(StatusCode::NOT_FOUND, &Refused::new(format!("no {} {path}", parts.method))),
    };
    let request = match request {
        Ok(request) => request,
        Err(refused) => return json(StatusCode::BAD_REQUEST, &refused),
    };
    match owner.ask(request).await {
        Ok(Reply::Metrics(page)) => metrics(page, classic),
        Ok(Reply::Status(reply)) => json(StatusCode::OK, &reply),
        Ok(Reply::Plan(reply)) => json(StatusCode::OK, &reply),
        Ok(Reply::Reloaded(reply) | Reply::Stopped(reply)) => json(StatusCode::OK, &reply),
        Ok(Reply::Draining(reply)) => json(StatusCode::OK, &reply),
        Ok(Reply::Changed(reply)) => json(StatusCode::OK, &reply),
        Ok(Reply::History(reply)) => json(StatusCode::OK, &reply),
        Ok(Reply::Findings(reply)) => json(StatusCode::OK, &reply),
        Err(refused) => json(StatusCode::UNPROCESSABLE_ENTITY, &refused),
    }
}

async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, Refused> {
    let body = tokio::time::timeout(HEAD_TIME, Limited::new(body, LONGEST_BODY).collect()).await;
    let body = body.map_err(|_| Refused::new("the request took too long"))?.map_err(Refused::new)?;
    serde_json::from_slice(&body.to_bytes()).map_err(Refused::new)
}

fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_vec(value).unwrap_or_default();
    with_type(status, "application/json", Full::new(Bytes::from(text)).boxed_unsync())
}

fn words(status: StatusCode, text: &'static str) -> Response<Body> {
    with_type(status, "text/plain; charset=utf-8", Full::new(Bytes::from_static(text.as_bytes())).boxed_unsync())
}

fn metrics(page: Page, classic_wanted: bool) -> Response<Body> {
    let (kind, text) = if classic_wanted {
        ("text/plain; version=0.0.4; charset=utf-8", page.classic)
    } else {
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", page.open)
    };
    with_type(StatusCode::OK, kind, Full::new(text).boxed_unsync())
}

fn with_type(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(kind));
    response
}

/// Events as lines of JSON, from now on.
fn events(mut events: broadcast::Receiver<Event>) -> Response<Body> {
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(BEHIND);
    tokio::task::spawn_local(async move {
        loop {
            let line = match events.recv().await {
                Ok(event) => serde_json::to_string(&event).unwrap_or_default() + "\n",
                Err(broadcast::error::RecvError::Lagged(lost)) => format!("{{\"lost\": {lost}}}\n"),
                Err(broadcast::error::RecvError::Closed) => return,
            };
            // A watcher that does not read waits alone.
            if sender.send(Frame::data(Bytes::from(line))).await.is_err() {
                return;
            }
        }
    });
    with_type(StatusCode::OK, "application/jsonl", body.boxed_unsync())
}

/// A page of metrics in both formats; its copies share their text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// OpenMetrics.
    pub open: Bytes,
    /// The format from before.
    pub classic: Bytes,
}

impl Page {
    /// Both formats of an OpenMetrics text.
    pub fn new(text: String) -> Self {
        let classic = classic(&text);
        Self { open: Bytes::from(text), classic: Bytes::from(classic) }
    }
}
