use super::AHEAD;
use super::entry::{Address, Client, Entry, Target};
use super::slab::Slab;

const EMPTY: u64 = u64::MAX;
const SMALLEST: usize = 64;

/// Finds entries by their client.
///
/// Linear probing over slots of eight bytes: the upper half is the hash, whose first bits are the
/// slot to begin at; the lower half is the entry. So a client without an entry is told by the slots
/// alone, and growing reads no entries. Entries of one client are kept newest first, because the
/// kernel finds the newest first.
#[derive(Debug, Clone)]
pub(super) struct Index {
    slots: Box<[u64]>,
    /// How far a hash is shifted right to give a slot.
    shift: u32,
    len: usize,
    seed: u64,
}

const fn hash_of(slot: u64) -> u32 {
    (slot >> 32) as u32
}

const fn entry_of(slot: u64) -> u32 {
    slot as u32
}

/// Both halves of a long product.
#[inline]
const fn mix(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    (product >> 64) as u64 ^ product as u64
}

impl Index {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            slots: vec![EMPTY; SMALLEST].into_boxed_slice(),
            shift: 32 - SMALLEST.trailing_zeros(),
            len: 0,
            seed: mix(seed ^ 0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03),
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.slots.len() * size_of::<u64>()
    }

    #[inline]
    pub(super) fn hash(&self, client: &Client) -> u32 {
        let [high, low] = client.addr.0;
        let rest = u64::from(client.port) << 16 | u64::from(client.protocol) << 8 | u64::from(client.v6);
        let first = mix(high ^ self.seed, low ^ 0xA076_1D64_78BD_642F);
        let hash = mix(first ^ low ^ self.seed, rest ^ 0xE703_7ED1_A0B4_28DB);
        (hash >> 32) as u32 ^ hash as u32
    }

    /// The bucket of `1 << bits` for a client, and for what it asked for if that counts.
    pub(super) fn bucket(&self, client: &Client, target: Option<&Target>, bits: u32) -> u32 {
        let hash = u64::from(self.hash(client));
        let hash = match target {
            None => hash,
            Some(Target { addr: Address([high, low]), port }) => {
                mix(hash << 16 ^ u64::from(*port) ^ high ^ self.seed, low ^ 0xA076_1D64_78BD_642F)
            }
        };
        (hash ^ hash >> 32) as u32 & ((1 << bits) - 1)
    }

    const fn start(&self, hash: u32) -> usize {
        (hash >> self.shift) as usize
    }

    #[inline]
    pub(super) fn find(&self, slab: &Slab, client: &Client, accept: impl Fn(u32, &Entry) -> bool) -> Option<u32> {
        let hash = self.hash(client);
        let mask = self.slots.len() - 1;
        let mut at = self.start(hash);
        loop {
            let slot = self.slots[at & mask];
            if slot == EMPTY {
                return None;
            }
            if hash_of(slot) == hash {
                let entry = slab.get(entry_of(slot));
                if entry.is_of(client) && accept(entry_of(slot), entry) {
                    return Some(entry_of(slot));
                }
            }
            at += 1;
        }
    }

    /// What is in the slot that a client's search begins at: with the next search it is at hand.
    #[inline]
    pub(super) fn touch(&self, slab: &Slab, clients: impl Iterator<Item = Client>) {
        let mut likely = [EMPTY; AHEAD];
        // Loads that don't depend on each other are under way at the same time.
        for (likely, client) in likely.iter_mut().zip(clients) {
            let hash = self.hash(&client);
            let slot = self.slots[self.start(hash)];
            *likely = if hash_of(slot) == hash { slot } else { EMPTY };
        }
        let entries = likely.iter().filter(|slot| **slot != EMPTY).map(|slot| slab.get(entry_of(*slot)).timeout);
        std::hint::black_box(entries.fold(0, |all, timeout| all ^ timeout));
    }

    #[inline]
    pub(super) fn insert(&mut self, slab: &Slab, entry: u32, client: &Client) {
        // Beyond this, searches for what is not there grow long.
        if (self.len + 1) * 3 > self.slots.len() * 2 {
            self.grow();
        }
        let hash = self.hash(client);
        let mask = self.slots.len() - 1;
        let mut at = self.start(hash);
        let mut carried = u64::from(hash) << 32 | u64::from(entry);
        loop {
            let slot = &mut self.slots[at & mask];
            if *slot == EMPTY {
                *slot = carried;
                break;
            }
            if hash_of(*slot) == hash && slab.get(entry_of(*slot)).is_of(client) {
                std::mem::swap(slot, &mut carried);
            }
            at += 1;
        }
        self.len += 1;
    }

    #[inline]
    pub(super) fn remove(&mut self, entry: u32, client: &Client) {
        let hash = self.hash(client);
        let mask = self.slots.len() - 1;
        let wanted = u64::from(hash) << 32 | u64::from(entry);
        let mut hole = self.start(hash) & mask;
        while self.slots[hole] != wanted {
            assert!(self.slots[hole] != EMPTY, "what is removed is in the table");
            hole = (hole + 1) & mask;
        }
        // Whoever probed past the hole moves into it.
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let slot = self.slots[at];
            if slot == EMPTY {
                break;
            }
            let start = self.start(hash_of(slot));
            if at.wrapping_sub(start) & mask >= at.wrapping_sub(hole) & mask {
                self.slots[hole] = slot;
                hole = at;
            }
        }
        self.slots[hole] = EMPTY;
        self.len -= 1;
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![EMPTY; self.slots.len() * 2].into_boxed_slice();
        let old = std::mem::replace(&mut self.slots, larger);
        self.shift -= 1;
        let mask = self.slots.len() - 1;
        // From behind an empty slot on, so that no run is torn and those of one client keep their
        // order.
        let begin = old.iter().position(|slot| *slot == EMPTY).unwrap_or(0);
        for slot in old[begin..].iter().chain(&old[..begin]).copied().filter(|slot| *slot != EMPTY) {
            let mut at = self.start(hash_of(slot));
            while self.slots[at & mask] != EMPTY {
                at += 1;
            }
            self.slots[at & mask] = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::Flags;
    use super::*;

    fn client(number: u64) -> Client {
        Client { addr: Address([0, number]), port: 7, protocol: 6, v6: false }
    }

    fn entry(client: &Client, port: u16) -> Entry {
        Entry::new(client, port, None, 0, Flags(0), 1)
    }

    #[test]
    fn entries_survive_growth_and_removal_of_others() {
        let (mut slab, mut index) = (Slab::default(), Index::new(1));
        let places: Vec<u32> = (0..10_000)
            .map(|number| {
                let client = client(number);
                let at = slab.insert(entry(&client, 80), Address([0, 1]));
                index.insert(&slab, at, &client);
                at
            })
            .collect();
        for number in (0..10_000).step_by(3) {
            index.remove(places[number as usize], &client(number));
            slab.remove(places[number as usize]);
        }
        for number in 0..10_000 {
            let expected = (number % 3 != 0).then(|| places[number as usize]);
            assert_eq!(index.find(&slab, &client(number), |_, _| true), expected);
        }
    }

    #[test]
    fn the_newest_entry_of_a_client_is_found_first_even_after_growth() {
        let (mut slab, mut index) = (Slab::default(), Index::new(1));
        let client = client(5);
        let mut newest = 0;
        for port in 0..1000 {
            newest = slab.insert(entry(&client, port), Address([0, 1]));
            index.insert(&slab, newest, &client);
        }
        assert_eq!(index.find(&slab, &client, |_, _| true), Some(newest));
        assert_eq!(index.find(&slab, &client, |_, entry| entry.target_port < 10), Some(9));
    }
}
