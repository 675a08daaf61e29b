//! The destinations of one virtual service, as the kernel keeps them.

use std::collections::HashMap;
use std::net::IpAddr;

use super::{DestinationExists, DestinationId, Family, NewDestination, Profile};
use crate::hash::Seedless;

/// A destination with its counters, taken out of a pool by [`Pool::release`].
///
/// [`Pool::adopt`] puts it into another pool, which is what the kernel does when a service is
/// deleted and made again while old connections still hold its destinations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination {
    hot: Hot,
    cold: Cold,
}

/// What a walk over the destinations reads: half a cache line.
#[derive(Clone, Copy, Debug)]
struct Hot {
    next: u32,
    prev: u32,
    weight: i32,
    active: i32,
    /// [`Profile::Old`]: inactive connections; later ones: all connections.
    second: i32,
    upper: u32,
    lower: u32,
    flags: u32,
}

#[derive(Clone, Copy, Debug)]
struct Cold {
    addr: IpAddr,
    port: u16,
    last_weight: i32,
    persistent: i32,
    rank: u64,
}

const LISTED: u32 = 1;
const OVERLOAD: u32 = 2;
const VACANT: u32 = 4;
const NIL: u32 = u32::MAX;

/// The destinations of one virtual service, in the kernel's order and with the kernel's counters.
///
/// The order is that of a list which grows at its **head**: the destination added last comes first.
/// An edit does not move a destination; removing and adding it again does.
///
/// A removed destination leaves the list, is no longer available, and keeps its id, its settings
/// and its counters until it is released: in the kernel, too, a deleted destination lives on while
/// connections or a scheduler's table refer to it, and adding the same address and port again
/// brings back the same object.
///
/// [`Balancer`](super::Balancer) changes it. Adding, finding, removing and every change of a
/// counter take constant time.
///
/// # Panics
/// Methods that take a [`DestinationId`] panic on an id that this pool never gave out. Ask
/// [`contains`](Self::contains) where it could be a stranger.
#[derive(Clone, Debug)]
pub struct Pool {
    profile: Profile,
    family: Family,
    hot: Vec<Hot>,
    cold: Vec<Cold>,
    free: u32,
    head: u32,
    tail: u32,
    len: u32,
    next_rank: u64,
    by_address: HashMap<(IpAddr, u16), u32, Seedless>,
}

impl Pool {
    /// An empty pool for a service of `family`, counting as `profile` says.
    pub fn new(profile: Profile, family: Family) -> Self {
        Self {
            profile,
            family,
            hot: Vec::new(),
            cold: Vec::new(),
            free: NIL,
            head: NIL,
            tail: NIL,
            len: 0,
            next_rank: 0,
            by_address: HashMap::default(),
        }
    }

    /// The behaviour profile that the pool counts by.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The family of the service's addresses.
    pub const fn family(&self) -> Family {
        self.family
    }

    /// How many destinations are listed.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether no destination is listed.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One more than the largest index that any id of this pool has had: the size of a table
    /// indexed by id.
    pub(crate) fn capacity(&self) -> usize {
        self.hot.len()
    }

    /// The first destination of the list, the one added last.
    pub fn head(&self) -> Option<DestinationId> {
        id(self.head)
    }

    /// The last destination of the list, the one added first.
    pub(crate) fn tail(&self) -> Option<DestinationId> {
        id(self.tail)
    }

    /// The destination after `at` on the list, if any.
    ///
    /// For a detached one: the one that followed when it was detached.
    pub fn next(&self, at: DestinationId) -> Option<DestinationId> {
        id(self.hot[at.slot()].next)
    }

    /// The destination before `at` on the list, if any.
    ///
    /// For a detached one: the one that preceded when it was detached.
    pub fn previous(&self, at: DestinationId) -> Option<DestinationId> {
        id(self.hot[at.slot()].prev)
    }

    /// The listed destinations, head to tail.
    pub fn iter(&self) -> Iter<'_> {
        Iter { pool: self, at: self.head, left: self.len }
    }

    /// Whether `at` is a destination of this pool, listed or detached.
    pub fn contains(&self, at: DestinationId) -> bool {
        self.hot.get(at.slot()).is_some_and(|h| h.flags & VACANT == 0)
    }

    /// The listed destination with this address and port.
    pub fn find(&self, addr: IpAddr, port: u16) -> Option<DestinationId> {
        self.by_address.get(&(addr, port)).map(|&i| DestinationId(i)).filter(|&d| self.available(d))
    }

    /// The detached destination with this address and port.
    #[cfg(test)]
    pub(crate) fn find_detached(&self, addr: IpAddr, port: u16) -> Option<DestinationId> {
        self.by_address.get(&(addr, port)).map(|&i| DestinationId(i)).filter(|&d| !self.available(d))
    }

    /// Puts a destination at the head of the list.
    ///
    /// A detached one with the same address and port comes back with its id and its counters and
    /// takes the new settings.
    ///
    /// # Errors
    /// [`DestinationExists`] if a listed one has this address and port.
    pub(crate) fn insert(&mut self, new: NewDestination) -> Result<DestinationId, DestinationExists> {
        let key = (new.addr, new.port);
        let at = match self.by_address.get(&key) {
            Some(&slot) => {
                let at = DestinationId(slot);
                if self.available(at) {
                    return Err(DestinationExists(at));
                }
                at
            }
            None => {
                let at = self.occupy(Destination {
                    hot: Hot { next: NIL, prev: NIL, weight: 0, active: 0, second: 0, upper: 0, lower: 0, flags: 0 },
                    cold: Cold { addr: new.addr, port: new.port, last_weight: 0, persistent: 0, rank: 0 },
                });
                self.by_address.insert(key, at.0);
                at
            }
        };
        self.hot[at.slot()].weight = new.weight;
        // Unlike an edit, an addition forgets the former weight even when the new one is 0.
        self.cold[at.slot()].last_weight = new.weight;
        self.set_thresholds(at, new.upper_threshold, new.lower_threshold);
        self.link_at_head(at);
        Ok(at)
    }

    /// Takes a destination off the list; does nothing if it is not listed.
    ///
    /// It keeps its id, and what [`next`](Self::next) and [`previous`](Self::previous) say of it,
    /// so that a scheduler can move a pointer away from it.
    pub(crate) fn detach(&mut self, at: DestinationId) {
        let slot = at.slot();
        if self.hot[slot].flags & LISTED == 0 {
            return;
        }
        let (prev, next) = (self.hot[slot].prev, self.hot[slot].next);
        match prev {
            NIL => self.head = next,
            p => self.hot[p as usize].next = next,
        }
        match next {
            NIL => self.tail = prev,
            n => self.hot[n as usize].prev = prev,
        }
        self.hot[slot].flags &= !LISTED;
        self.len -= 1;
    }

    /// Takes a destination out of the pool, detaching it first if need be. Its id is free for
    /// another one.
    ///
    /// Call it only when neither a connection nor the [scheduler](super::Scheduler::holds) refers
    /// to the id any more.
    pub(crate) fn release(&mut self, at: DestinationId) -> Destination {
        assert!(self.contains(at), "{at:?} is not a destination of this pool");
        self.detach(at);
        let slot = at.slot();
        let taken = Destination { hot: self.hot[slot], cold: self.cold[slot] };
        self.by_address.remove(&(taken.cold.addr, taken.cold.port));
        self.hot[slot].flags = VACANT;
        self.hot[slot].next = self.free;
        self.free = at.0;
        taken
    }

    /// Takes in a destination of another pool, with its counters, as a detached one.
    ///
    /// # Errors
    /// [`DestinationExists`] if one with this address and port is here already, listed or detached.
    pub(crate) fn adopt(&mut self, destination: Destination) -> Result<DestinationId, DestinationExists> {
        let key = (destination.cold.addr, destination.cold.port);
        if let Some(&slot) = self.by_address.get(&key) {
            return Err(DestinationExists(DestinationId(slot)));
        }
        let at = self.occupy(destination);
        self.by_address.insert(key, at.0);
        Ok(at)
    }

    fn occupy(&mut self, destination: Destination) -> DestinationId {
        match self.free {
            NIL => {
                let at = DestinationId(self.hot.len() as u32);
                assert!(at.0 != NIL, "a pool holds fewer than 2^32 - 1 destinations");
                self.hot.push(destination.hot);
                self.cold.push(destination.cold);
                at
            }
            slot => {
                self.free = self.hot[slot as usize].next;
                self.hot[slot as usize] = destination.hot;
                self.cold[slot as usize] = destination.cold;
                DestinationId(slot)
            }
        }
    }

    fn link_at_head(&mut self, at: DestinationId) {
        let old = self.head;
        let hot = &mut self.hot[at.slot()];
        hot.prev = NIL;
        hot.next = old;
        hot.flags |= LISTED;
        match old {
            NIL => self.tail = at.0,
            o => self.hot[o as usize].prev = at.0,
        }
        self.head = at.0;
        self.len += 1;
        self.cold[at.slot()].rank = self.next_rank;
        self.next_rank += 1;
    }

    /// Address of the real server.
    pub fn addr(&self, at: DestinationId) -> IpAddr {
        self.cold[at.slot()].addr
    }

    /// Port of the real server.
    pub fn port(&self, at: DestinationId) -> u16 {
        self.cold[at.slot()].port
    }

    /// Weight, 0 when quiesced.
    #[inline]
    pub fn weight(&self, at: DestinationId) -> i32 {
        self.hot[at.slot()].weight
    }

    /// The latest weight that was not 0; 0 if it was added with 0 and has not been given another.
    pub fn last_weight(&self, at: DestinationId) -> i32 {
        self.cold[at.slot()].last_weight
    }

    /// Upper threshold in connections, 0 for none.
    #[inline]
    pub fn upper_threshold(&self, at: DestinationId) -> u32 {
        self.hot[at.slot()].upper
    }

    /// Lower threshold in connections as configured, 0 for the default.
    pub fn lower_threshold(&self, at: DestinationId) -> u32 {
        self.hot[at.slot()].lower
    }

    /// Connections in an active state.
    #[inline]
    pub fn active(&self, at: DestinationId) -> i32 {
        self.hot[at.slot()].active
    }

    /// Connections not in an active state, as the kernel reports them.
    pub fn inactive(&self, at: DestinationId) -> i32 {
        let hot = &self.hot[at.slot()];
        match self.profile {
            Profile::Old => hot.second,
            Profile::New | Profile::Linux7 => hot.second.wrapping_sub(hot.active).max(0),
        }
    }

    /// All connections, persistence templates not counted.
    pub fn connections(&self, at: DestinationId) -> i32 {
        self.hot[at.slot()].connections(self.profile)
    }

    /// Persistence templates.
    pub fn persistent(&self, at: DestinationId) -> i32 {
        self.cold[at.slot()].persistent
    }

    /// The load that lc, wlc, lblc, lblcr and twos compare: 256 for each active connection, and 1
    /// for each inactive ([`Profile::Old`]) or for each of all (later profiles). 32 bits wide, it
    /// wraps from 2<sup>23</sup> active connections on.
    // ip_vs.h: ip_vs_dest_conn_overhead()
    #[inline]
    pub fn overhead(&self, at: DestinationId) -> i32 {
        let hot = &self.hot[at.slot()];
        hot.active.wrapping_shl(8).wrapping_add(hot.second)
    }

    /// Whether the thresholds keep new connections away.
    #[inline]
    pub fn overloaded(&self, at: DestinationId) -> bool {
        self.hot[at.slot()].flags & OVERLOAD != 0
    }

    /// Whether the destination is listed, not detached.
    #[inline]
    pub fn available(&self, at: DestinationId) -> bool {
        self.hot[at.slot()].flags & LISTED != 0
    }

    /// Whether most schedulers may choose it: weight above 0 and not overloaded.
    #[inline]
    pub fn usable(&self, at: DestinationId) -> bool {
        let hot = &self.hot[at.slot()];
        hot.flags & OVERLOAD == 0 && hot.weight > 0
    }

    /// Where the destination stands: of two listed ones the one with the larger rank is nearer to
    /// the head.
    pub(crate) fn rank(&self, at: DestinationId) -> u64 {
        self.cold[at.slot()].rank
    }

    /// Sets the weight, 0 to quiesce.
    pub(crate) fn set_weight(&mut self, at: DestinationId, weight: i32) {
        self.hot[at.slot()].weight = weight;
        if weight != 0 {
            self.cold[at.slot()].last_weight = weight;
        }
    }

    /// Sets the thresholds, in connections, and with them the overload flag as the profile says.
    ///
    /// Under [`Profile::Old`] a flag that is set stays unless the limit is lifted or raised, and a
    /// limit below the present number of connections takes effect only after one more. Later the
    /// flag follows the number of connections at once, and stays as it is between the two
    /// thresholds.
    // ip_vs_ctl.c: __ip_vs_update_dest()
    pub(crate) fn set_thresholds(&mut self, at: DestinationId, upper: u32, lower: u32) {
        let profile = self.profile;
        let hot = &mut self.hot[at.slot()];
        let (old_upper, old_lower) = (hot.upper, hot.lower);
        hot.upper = upper;
        hot.lower = lower;
        match profile {
            Profile::Old => {
                if upper == 0 || upper > old_upper {
                    hot.flags &= !OVERLOAD;
                }
            }
            Profile::New | Profile::Linux7 => {
                if (upper, lower) == (old_upper, old_lower) {
                    return;
                }
                let n = i64::from(hot.connections(profile));
                if upper == 0 || n < hot.reopening() {
                    hot.flags &= !OVERLOAD;
                } else if n >= i64::from(upper) {
                    hot.flags |= OVERLOAD;
                }
            }
        }
    }

    /// Counts a new connection. It begins inactive.
    // ip_vs_conn.c: ip_vs_bind_dest()
    #[inline]
    pub(crate) fn connection_added(&mut self, at: DestinationId) {
        let profile = self.profile;
        let hot = &mut self.hot[at.slot()];
        hot.second = hot.second.wrapping_add(1);
        match profile {
            Profile::Old => hot.set_overload_if_full(),
            Profile::New | Profile::Linux7 => {
                // Only the connection that reaches the limit sets the flag.
                if hot.upper != 0 && hot.second as u32 == hot.upper && i64::from(hot.second) >= hot.reopening() {
                    hot.flags |= OVERLOAD;
                }
            }
        }
    }

    /// A connection entered an active state.
    #[inline]
    pub(crate) fn connection_activated(&mut self, at: DestinationId) {
        let profile = self.profile;
        let hot = &mut self.hot[at.slot()];
        hot.active = hot.active.wrapping_add(1);
        if profile == Profile::Old {
            hot.second = hot.second.wrapping_sub(1);
        }
    }

    /// A connection left the active states.
    #[inline]
    pub(crate) fn connection_deactivated(&mut self, at: DestinationId) {
        let profile = self.profile;
        let hot = &mut self.hot[at.slot()];
        hot.active = hot.active.wrapping_sub(1);
        if profile == Profile::Old {
            hot.second = hot.second.wrapping_add(1);
        }
    }

    /// A connection is gone; `active` says whether it was in an active state.
    // ip_vs_conn.c: ip_vs_unbind_dest()
    #[inline]
    pub(crate) fn connection_removed(&mut self, at: DestinationId, active: bool) {
        let profile = self.profile;
        let hot = &mut self.hot[at.slot()];
        if active {
            hot.active = hot.active.wrapping_sub(1);
        }
        match profile {
            Profile::Old => {
                if !active {
                    hot.second = hot.second.wrapping_sub(1);
                }
                hot.clear_overload_if_roomy();
            }
            Profile::New | Profile::Linux7 => {
                hot.second = hot.second.wrapping_sub(1);
                let n = i64::from(hot.second);
                if n + 1 == hot.reopening() && n < i64::from(hot.upper) {
                    hot.flags &= !OVERLOAD;
                }
            }
        }
    }

    /// Counts a new persistence template.
    pub(crate) fn template_added(&mut self, at: DestinationId) {
        self.cold[at.slot()].persistent += 1;
        if self.profile == Profile::Old {
            self.hot[at.slot()].set_overload_if_full();
        }
    }

    /// A persistence template is gone.
    pub(crate) fn template_removed(&mut self, at: DestinationId) {
        self.cold[at.slot()].persistent -= 1;
        if self.profile == Profile::Old {
            self.hot[at.slot()].clear_overload_if_roomy();
        }
    }
}

impl Hot {
    #[inline]
    const fn connections(&self, profile: Profile) -> i32 {
        match profile {
            Profile::Old => self.active.wrapping_add(self.second),
            Profile::New | Profile::Linux7 => self.second,
        }
    }

    /// The number of connections below which an overloaded destination takes new ones again.
    #[inline]
    const fn reopening(&self) -> i64 {
        if self.lower > 0 { self.lower as i64 } else { (self.upper - self.upper / 4) as i64 }
    }

    fn set_overload_if_full(&mut self) {
        // Compared without sign, so that a limit above i32::MAX is one.
        if self.upper != 0 && self.connections(Profile::Old) as u32 >= self.upper {
            self.flags |= OVERLOAD;
        }
    }

    fn clear_overload_if_roomy(&mut self) {
        let n = self.connections(Profile::Old) as u32;
        let roomy = if self.lower != 0 {
            n < self.lower
        } else if self.upper != 0 {
            n.wrapping_mul(4) < self.upper.wrapping_mul(3)
        } else {
            true
        };
        if roomy {
            self.flags &= !OVERLOAD;
        }
    }
}

const fn id(slot: u32) -> Option<DestinationId> {
    if slot == NIL { None } else { Some(DestinationId(slot)) }
}

impl<'a> IntoIterator for &'a Pool {
    type Item = DestinationId;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The listed destinations of a [`Pool`], head to tail.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    pool: &'a Pool,
    at: u32,
    left: u32,
}

impl Iterator for Iter<'_> {
    type Item = DestinationId;

    #[inline]
    fn next(&mut self) -> Option<DestinationId> {
        let here = id(self.at)?;
        self.at = self.pool.hot[here.slot()].next;
        self.left = self.left.saturating_sub(1);
        Some(here)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `wrr` relies on.
    #[test]
    fn without_a_limit_nobody_is_overloaded() {
        let mut state = 3_u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let (mut limited, mut overloaded) = (0, 0);
        for profile in Profile::ALL {
            let mut pool = Pool::new(profile, Family::V4);
            let new = NewDestination::new([198, 51, 100, 7].into(), 80, 1);
            let at = pool.insert(new).unwrap();
            for _ in 0..3_000 {
                match draw(8) {
                    0..3 => pool.connection_added(at),
                    3 if pool.inactive(at) > 0 => pool.connection_activated(at),
                    4 if pool.active(at) > 0 => pool.connection_deactivated(at),
                    5 if pool.inactive(at) > 0 => pool.connection_removed(at, false),
                    6 => pool.template_added(at),
                    7 => pool.set_thresholds(at, [0, draw(40) as u32][draw(2) as usize], draw(20) as u32),
                    _ => {}
                }
                limited += u32::from(pool.upper_threshold(at) != 0);
                overloaded += u32::from(pool.overloaded(at));
                assert!(pool.upper_threshold(at) != 0 || !pool.overloaded(at), "{profile:?}");
            }
        }
        assert!(limited > 1_000 && overloaded > 100, "{limited}, {overloaded}");
    }
}
