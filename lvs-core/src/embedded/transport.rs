use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{EmbeddedDirector, NetlinkSocket};
use crate::kernel::{Inbox, Transport};

/// A way for the kernel director to an [`EmbeddedDirector`], so that all of the kernel's client
/// runs where there is no kernel.
///
/// The director is shared: packets and time come to it from elsewhere. **Unstable**: with the
/// feature `unstable-wire` alone.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use lvs_core::Director;
/// use lvs_core::embedded::{EmbeddedDirector, EmbeddedTransport};
/// use lvs_core::kernel::KernelDirector;
/// use lvs_core::model::{Service, ServiceKey};
///
/// let director = Arc::new(Mutex::new(EmbeddedDirector::new()));
/// let mut client = KernelDirector::with_transport(EmbeddedTransport::new(Arc::clone(&director)))?;
/// client.add_service(&Service::new(ServiceKey::tcp("192.0.2.1", 80)?))?;
/// assert_eq!(director.lock().expect("nobody panicked").services()?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct EmbeddedTransport {
    director: Arc<Mutex<EmbeddedDirector>>,
    socket: NetlinkSocket,
}

impl EmbeddedTransport {
    /// A way to this director.
    pub fn new(director: Arc<Mutex<EmbeddedDirector>>) -> Self {
        Self { director, socket: NetlinkSocket::new() }
    }
}

impl Transport for EmbeddedTransport {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        // A panic elsewhere does not make the table worse than it is.
        let mut director = self.director.lock().unwrap_or_else(PoisonError::into_inner);
        self.socket.send(&mut director, datagram);
        Ok(())
    }

    /// All replies are there at once: there is nothing to wait for.
    fn receive(&mut self, inbox: &mut Inbox, _wait: bool) -> io::Result<()> {
        let mut director = self.director.lock().unwrap_or_else(PoisonError::into_inner);
        let mut any = false;
        while !inbox.is_full()
            && let Some(datagram) = self.socket.receive(&mut director, inbox.chunk())
        {
            inbox.push(&datagram);
            any = true;
        }
        if any { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    fn reset(&mut self) -> io::Result<()> {
        self.socket.reset();
        Ok(())
    }
}
