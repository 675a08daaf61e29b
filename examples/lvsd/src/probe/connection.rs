//! Connections to real servers: the kernel's, or through a server to the service's address.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::path::Stream;
use super::{Outcome, Target};

/// A connection.
pub(super) enum Connection {
    /// To the server's address.
    Server(TcpStream),
    /// To the service's address through the server.
    Service(Box<Stream>),
}

impl Target {
    /// Connects; the error is the outcome of the check.
    pub(super) async fn connect(&self) -> Result<Connection, Outcome> {
        match self.through {
            Some(service) => Stream::connect(&self.server, service).await.map(Connection::Service),
            None => {
                let connected = TcpStream::connect(self.address).await;
                connected.map(Connection::Server).map_err(|error| Outcome::of_error("cannot connect", &error))
            }
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(stream) => Pin::new(stream).poll_read(context, into),
            Self::Service(stream) => Pin::new(&mut **stream).poll_read(context, into),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, text: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Server(stream) => Pin::new(stream).poll_write(context, text),
            Self::Service(stream) => Pin::new(&mut **stream).poll_write(context, text),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(stream) => Pin::new(stream).poll_flush(context),
            Self::Service(stream) => Pin::new(&mut **stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Server(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Service(stream) => Pin::new(&mut **stream).poll_shutdown(context),
        }
    }
}
