use std::io;

/// More than this the kernel does not put into a datagram of a dump (`netlink_recvmsg()`).
pub(super) const LARGE: usize = 32 << 10;
/// The most datagrams that one receive takes.
pub(super) const MAX_DATAGRAMS: usize = 8;

/// Where datagrams land: a few buffers of one size.
///
/// The size matters to the kernel: it builds the parts of a dump as large as the largest buffer
/// that was ever offered on a socket, and clears that much memory each time (`af_netlink.c`,
/// `netlink_dump()`). So short lists want small buffers, and long ones large buffers.
#[derive(Debug)]
pub struct Inbox {
    bytes: Vec<u8>,
    chunk: usize,
    limit: usize,
    lengths: Vec<usize>,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), chunk: 0, limit: 0, lengths: Vec::with_capacity(MAX_DATAGRAMS) }
    }

    /// Empties it, for at most `limit` datagrams of at most `chunk` bytes.
    pub(super) fn prepare(&mut self, chunk: usize, limit: usize) {
        self.lengths.clear();
        self.chunk = chunk;
        self.limit = limit.clamp(1, MAX_DATAGRAMS);
        let size = self.chunk * self.limit;
        if self.bytes.len() < size {
            // Room for all that is usually asked for: pages that nothing lands in cost nothing.
            self.bytes = vec![0; size.max(LARGE)];
        }
    }

    /// Bytes that each datagram has room for.
    pub fn chunk(&self) -> usize {
        self.chunk
    }

    /// Whether no further datagram has room.
    pub fn is_full(&self) -> bool {
        self.lengths.len() >= self.limit
    }

    /// Takes a datagram; cuts what is longer than [`Inbox::chunk`], as a socket would, and
    /// remembers that it did. Gives back whether there was room.
    pub fn push(&mut self, datagram: &[u8]) -> bool {
        if self.is_full() {
            return false;
        }
        let start = self.lengths.len() * self.chunk;
        let kept = datagram.len().min(self.chunk);
        self.bytes[start..start + kept].copy_from_slice(&datagram[..kept]);
        self.lengths.push(datagram.len());
        true
    }

    pub(super) fn parts(&mut self) -> (&mut [u8], usize, &mut Vec<usize>) {
        (&mut self.bytes[..self.chunk * self.limit], self.chunk, &mut self.lengths)
    }

    /// The datagrams; nothing in place of one that was cut.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let buffers = self.bytes.chunks_exact(self.chunk.max(1));
        self.lengths.iter().zip(buffers).map(|(length, buffer)| buffer.get(..*length))
    }
}

/// How datagrams get to what speaks the kernel's netlink: the kernel's socket, a script, an
/// embedded director.
///
/// The kernel director does all of its I/O through it, so that tests can inject every fault of a
/// socket.
pub trait Transport {
    /// Sends one datagram, which may hold several requests.
    ///
    /// # Errors
    /// Those of the system. `EMSGSIZE` makes the director send fewer requests at a time.
    fn send(&mut self, datagram: &[u8]) -> io::Result<()>;

    /// Receives at least one datagram, and as many more as are there and have room. Without `wait`,
    /// when there is none: [`io::ErrorKind::WouldBlock`].
    ///
    /// # Errors
    /// Those of the system. `EINTR` is retried; `ENOBUFS` means that replies were lost.
    fn receive(&mut self, inbox: &mut Inbox, wait: bool) -> io::Result<()>;

    /// Starts over: nothing sent before causes a reply any more, no dump is in flight.
    ///
    /// # Errors
    /// [`io::ErrorKind::Unsupported`] where that cannot be done; the director then ignores replies
    /// to earlier requests.
    fn reset(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
