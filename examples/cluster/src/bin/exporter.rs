//! Serves a director's table as Prometheus metrics.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program prints")]

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;

use anyhow::{Context, Result};
use clap::Parser;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use lvs_cluster::exit;
use lvs_cluster::exporter::render;
use lvs_cluster::open::{Opened, Target};
use lvs_cluster::stop::Stop;
use tokio::net::TcpListener;

#[derive(Parser)]
#[command(version, about = "Serves a director's services and real servers as Prometheus metrics under /metrics")]
struct Cli {
    #[command(flatten)]
    target: Target,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:9469")]
    listen: SocketAddr,
    /// Print the metrics once and exit
    #[arg(long)]
    once: bool,
}

fn main() -> ExitCode {
    exit::status("exporter", run())
}

fn run() -> Result<()> {
    let cli = Cli::parse();
    let mut opened = cli.target.open()?;
    if cli.once {
        print!("{}", render(&opened.director().snapshot()?)?);
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, serve(cli.listen, Rc::new(RefCell::new(opened))))
}

async fn serve(listen: SocketAddr, opened: Rc<RefCell<Opened>>) -> Result<()> {
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    println!("listening on http://{}/metrics", listener.local_addr()?);
    let mut stop = Stop::new()?;
    loop {
        let stream = tokio::select! {
            () = stop.asked() => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    eprintln!("cannot accept: {error}");
                    continue;
                }
            },
        };
        let opened = Rc::clone(&opened);
        tokio::task::spawn_local(async move {
            let answer = service_fn(|request| {
                let response = respond(&request, &mut opened.borrow_mut());
                async { Ok::<_, Infallible>(response) }
            });
            // A client that goes away is no error of ours.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

fn respond(request: &Request<Incoming>, opened: &mut Opened) -> Response<Full<Bytes>> {
    let (status, kind, text) = match request.uri().path() {
        "/metrics" => match opened.director().snapshot().map_err(anyhow::Error::from).and_then(|s| Ok(render(&s)?)) {
            Ok(text) => (StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text),
            Err(error) => (StatusCode::SERVICE_UNAVAILABLE, "text/plain", format!("{error:#}\n")),
        },
        "/" => (StatusCode::OK, "text/html", "<a href=\"/metrics\">metrics</a>\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "text/plain", "try /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    if let Ok(kind) = kind.parse() {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}
