//! A connection is answer enough.

use std::net::SocketAddr;

use tokio::net::TcpStream;

pub(super) async fn connect(server: SocketAddr) -> Result<TcpStream, String> {
    TcpStream::connect(server).await.map_err(|error| format!("cannot connect: {error}"))
}
