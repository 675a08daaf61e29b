//! The connection table: entries in a slab, found through an open-addressing hash, expired by a
//! timer wheel.
//!
//! An entry takes 80 bytes whatever its family, 64 of them in one cache line; its slot in the hash
//! 8 bytes at a fill of 33 to 67 %.

mod entry;
mod hash;
mod slab;
mod states;
mod wheel;

pub(super) use entry::{Address, Client, Entry, Flags, Target};
pub(super) use states::{Event, Leg, Machine, TemplateState, is_active, sctp, state_name, tcp};
pub(super) use wheel::Rounding;

use super::ids::EntryId;
use hash::Index;
use slab::Slab;
use wheel::Wheel;

/// The place of an entry in the slab, by which the index and the wheel know it.
#[inline]
const fn raw(at: EntryId) -> u32 {
    at.index() as u32
}

/// Searches that are prepared together: about as many cache misses as a processor has under way at
/// once.
pub(super) const AHEAD: usize = 16;

/// All entries.
#[derive(Debug, Clone)]
pub(super) struct Connections {
    slab: Slab,
    index: Index,
    wheel: Wheel,
}

impl Connections {
    pub(super) fn new(seed: u64, rounding: Rounding) -> Self {
        Self { slab: Slab::default(), index: Index::new(seed), wheel: Wheel::new(rounding) }
    }

    /// How many entries there are, templates included.
    pub(super) const fn len(&self) -> usize {
        self.slab.len()
    }

    /// Bytes that the table has allocated.
    pub(super) fn memory(&self) -> usize {
        self.slab.memory() + self.index.memory() + self.wheel.memory()
    }

    #[inline]
    pub(super) fn get(&self, at: EntryId) -> &Entry {
        self.slab.get(raw(at))
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: EntryId) -> &mut Entry {
        self.slab.get_mut(raw(at))
    }

    /// Whether there is an entry at a place.
    pub(super) fn is_live(&self, at: EntryId) -> bool {
        self.slab.get(raw(at)).flags.contains(Flags::LIVE)
    }

    /// Puts in an entry. Its timer is not running yet.
    #[inline]
    pub(super) fn insert(&mut self, entry: Entry, target: Address) -> EntryId {
        let at = self.slab.insert(entry, target);
        if !entry.flags.contains(Flags::ONE_PACKET) {
            self.index.insert(&self.slab, at, &entry.client());
        }
        EntryId::new(at)
    }

    /// Takes out an entry, and its timer.
    #[inline]
    pub(super) fn remove(&mut self, at: EntryId) -> Entry {
        let entry = *self.slab.get(raw(at));
        self.wheel.disarm(&mut self.slab, raw(at));
        if !entry.flags.contains(Flags::ONE_PACKET) {
            self.index.remove(raw(at), &entry.client());
        }
        self.slab.remove(raw(at));
        entry
    }

    /// The entry that a client's packet belongs to. Templates are none of those.
    #[inline]
    pub(super) fn find(&self, client: &Client, target: &Target) -> Option<EntryId> {
        let same = |at, entry: &Entry| {
            entry.target_port == target.port
                && !entry.flags.contains(Flags::TEMPLATE)
                && self.slab.target(at) == target.addr
        };
        self.index.find(&self.slab, client, same).map(EntryId::new)
    }

    /// Fetches what the next searches for up to [`AHEAD`] clients will read, at once instead of one
    /// after the other.
    #[inline]
    pub(super) fn prepare(&self, clients: impl Iterator<Item = Client>) {
        self.index.touch(&self.slab, clients);
    }

    /// The same for the next entries that [`next_expired`](Self::next_expired) will find and that
    /// will be removed then.
    #[inline]
    pub(super) fn prepare_expired(&self) {
        self.index.touch(&self.slab, self.wheel.up_next(&self.slab).map(|at| self.slab.get(at).client()));
    }

    /// The template of a client network. One whose destination has the port `except` is not looked
    /// at.
    pub(super) fn find_template(&self, client: &Client, target: &Target, except: Option<u16>) -> Option<EntryId> {
        let same = |at, entry: &Entry| {
            entry.target_port == target.port
                && entry.flags.contains(Flags::TEMPLATE)
                && Some(entry.destination_port) != except
                && self.slab.target(at) == target.addr
        };
        self.index.find(&self.slab, client, same).map(EntryId::new)
    }

    /// The newest entry of a client that `accept` takes.
    pub(super) fn find_where(&self, client: &Client, accept: impl Fn(Address, &Entry) -> bool) -> Option<EntryId> {
        let accept = |at, entry: &Entry| accept(self.slab.target(at), entry);
        self.index.find(&self.slab, client, accept).map(EntryId::new)
    }

    /// Lets the timer of an entry run for its timeout from tick `now`.
    #[inline]
    pub(super) fn arm(&mut self, at: EntryId, now: u64) {
        self.wheel.arm(&mut self.slab, raw(at), now);
    }

    /// Lets the timer of an entry run out with the next tick.
    pub(super) fn expire_now(&mut self, at: EntryId, now: u64) {
        self.wheel.expire_now(&mut self.slab, raw(at), now);
    }

    /// The next tick at which [`next_expired`](Self::next_expired) may have something, or nothing
    /// if no timer runs.
    #[inline]
    pub(super) fn next_event(&self) -> Option<u64> {
        self.wheel.next_event()
    }

    /// Moves to the next event, at most to `now`.
    pub(super) fn turn(&mut self, now: u64) {
        self.wheel.turn(&mut self.slab, now);
    }

    /// An entry whose timer has run out at the tick that was turned to. Its timer no longer runs.
    #[inline]
    pub(super) fn next_expired(&mut self) -> Option<EntryId> {
        self.wheel.next_expired(&mut self.slab).map(EntryId::new)
    }

    /// The virtual address of an entry, or the mark in its place.
    pub(super) fn target(&self, at: EntryId) -> Address {
        self.slab.target(raw(at))
    }

    /// The bucket, of `1 << bits`, in which a kernel would keep an entry. Its hash nobody can
    /// foretell; it is of the client, and `by_target` also of the virtual address.
    pub(super) fn bucket(&self, at: EntryId, entry: &Entry, bits: u32, by_target: bool) -> u32 {
        let target = by_target.then(|| Target { addr: self.target(at), port: entry.target_port });
        self.index.bucket(&entry.client(), target.as_ref(), bits)
    }

    /// All entries, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = (EntryId, &Entry)> {
        self.slab.iter().map(|(at, entry)| (EntryId::new(at), entry))
    }
}
