use super::entry::{Address, Entry, Flags, NONE};

/// Entries of a chunk, as a power of two: growing never moves an entry and wastes at most one
/// chunk.
const CHUNK_BITS: u32 = 12;
const CHUNK: usize = 1 << CHUNK_BITS;

/// Entries at fixed places, and their virtual addresses beside them.
#[derive(Debug, Clone)]
pub(super) struct Slab {
    chunks: Vec<Box<[Entry]>>,
    targets: Vec<Box<[Address]>>,
    /// The first vacant place of a list, or [`NONE`].
    vacant: u32,
    /// Places from here on have never been used.
    fresh: u32,
    len: usize,
}

impl Default for Slab {
    fn default() -> Self {
        Self { chunks: Vec::new(), targets: Vec::new(), vacant: NONE, fresh: 0, len: 0 }
    }
}

impl Slab {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn memory(&self) -> usize {
        self.chunks.len() * CHUNK * (size_of::<Entry>() + size_of::<Address>())
            + (self.chunks.capacity() + self.targets.capacity()) * size_of::<Box<[Entry]>>()
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> &Entry {
        &self.chunks[(at >> CHUNK_BITS) as usize][at as usize % CHUNK]
    }

    /// The virtual address of an entry.
    #[inline]
    pub(super) fn target(&self, at: u32) -> Address {
        self.targets[(at >> CHUNK_BITS) as usize][at as usize % CHUNK]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> &mut Entry {
        &mut self.chunks[(at >> CHUNK_BITS) as usize][at as usize % CHUNK]
    }

    #[inline]
    pub(super) fn insert(&mut self, entry: Entry, target: Address) -> u32 {
        let at = match self.vacant {
            NONE => {
                let at = self.fresh;
                if at as usize == self.chunks.len() * CHUNK {
                    self.grow();
                }
                self.fresh += 1;
                at
            }
            at => {
                self.vacant = self.get(at).next;
                at
            }
        };
        *self.get_mut(at) = entry;
        self.targets[(at >> CHUNK_BITS) as usize][at as usize % CHUNK] = target;
        self.len += 1;
        at
    }

    #[cold]
    fn grow(&mut self) {
        // The highest bit tells the wheel's buckets from entries.
        assert!(self.chunks.len() < 1 << (31 - CHUNK_BITS), "fewer than 2^31 connections");
        self.chunks.push(vec![Entry::VACANT; CHUNK].into_boxed_slice());
        self.targets.push(vec![Address::default(); CHUNK].into_boxed_slice());
    }

    #[inline]
    pub(super) fn remove(&mut self, at: u32) {
        let vacant = self.vacant;
        let entry = self.get_mut(at);
        entry.flags = Flags(0);
        entry.next = vacant;
        self.vacant = at;
        self.len -= 1;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        (0..self.fresh).map(|at| (at, self.get(at))).filter(|(_, entry)| entry.flags.contains(Flags::LIVE))
    }
}
