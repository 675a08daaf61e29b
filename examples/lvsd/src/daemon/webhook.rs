//! Events to an HTTP server: a POST with the event as JSON.

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::config::Webhook;
use crate::event::Event;

/// Sends one event; anything but a status of success is an error, in words.
pub(super) async fn post(hook: &Webhook, event: &Event) -> Result<(), String> {
    let uri = &hook.url;
    let host = uri.host().ok_or("the URL has no host")?;
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    // An IPv6 address stands in brackets.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((name, port)).await.map_err(|error| format!("cannot connect: {error}"))?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let body = serde_json::to_vec(event).map_err(|error| error.to_string())?;
    let authority = uri.authority().map_or(host, |authority| authority.as_str());
    let request = Request::post(path)
        .header(HOST, authority)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("lvsd/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| error.to_string())?;
    match &hook.tls {
        Some(tls) if secure => send(tls.connect_to(stream, name).await?, request).await,
        _ => send(stream, request).await,
    }
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let words = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(words)?;
    let answer = tokio::select! {
        answer = sender.send_request(request) => answer.map_err(words)?,
        Err(error) = connection => return Err(words(error)),
    };
    if answer.status().is_success() { Ok(()) } else { Err(format!("status {}", answer.status())) }
}
