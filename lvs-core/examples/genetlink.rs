//! The crate's messages with `genetlink`, asynchronously under tokio: lists the kernel's services
//! and destinations.
//!
//! ```text
//! cargo run -p lvs-core --example genetlink     # as root, where the module ip_vs is loaded
//! ```
#![allow(clippy::print_stdout)]

use std::error::Error;

use futures_util::TryStreamExt;
use genetlink::GenetlinkHandle;
use lvs_core::wire::payload::{Payload, Request};
use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_generic::GenlMessage;

/// Sends a request for a list; its replies.
pub(crate) async fn list<'a>(
    handle: &mut GenetlinkHandle,
    request: Request<'a>,
) -> Result<Vec<Payload<'a>>, Box<dyn Error>> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let message = GenlMessage::from_payload(Payload::from(request));
    let mut replies = handle.request(NetlinkMessage::new(header, message.into())).await?;
    let mut list = Vec::new();
    while let Some(reply) = replies.try_next().await? {
        match reply.payload {
            NetlinkPayload::InnerMessage(message) => list.push(message.payload),
            NetlinkPayload::Error(error) if error.code.is_some() => return Err(error.to_io().into()),
            _ => {}
        }
    }
    Ok(list)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (connection, mut handle, _) = genetlink::new_connection()?;
    tokio::spawn(connection);
    for reply in list(&mut handle, Request::Services).await? {
        let Payload::Service(found) = reply else { continue };
        let key = found.service.key();
        println!("{key} {}", found.service.scheduler);
        for reply in list(&mut handle, Request::Destinations(&key)).await? {
            let Payload::Destination(found) = reply else { continue };
            let destination = found.destination;
            println!("  -> {} {} weight {}", destination.key, destination.forwarding, destination.weight);
        }
    }
    Ok(())
}
