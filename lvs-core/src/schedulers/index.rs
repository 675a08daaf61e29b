//! Keeps the best destination at hand while connections come and go.
//!
//! A tournament: a binary tree over the slots of the pool whose inner nodes hold the better of
//! their two children. One changed destination costs one walk to the root, so a choice costs the
//! logarithm of the number of destinations where the kernel looks at each of them.

use super::{DestinationId, Pool};

/// Makes a type whose `index` is an [`Index`] the scheduler of a name that chooses by it: `choice`
/// is an expression over the index and the pool. Whatever changes is noted in the index, and looked
/// at with the next choice.
macro_rules! scheduler_by_index {
    ($type:ident, $name:literal, |$index:ident, $pool:ident| $choice:expr) => {
        impl $type {
            /// A scheduler that is bound to no pool yet.
            pub fn new() -> Self {
                Self::default()
            }
        }

        impl $crate::schedulers::Scheduler for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn bind(&mut self, _: &$crate::schedulers::Pool, _: u64) -> Result<(), $crate::schedulers::BindError> {
                self.index.forget();
                Ok(())
            }

            fn added(&mut self, _: &$crate::schedulers::Pool, at: $crate::schedulers::DestinationId) {
                self.index.touch(at);
            }

            fn removed(&mut self, _: &$crate::schedulers::Pool, at: $crate::schedulers::DestinationId) {
                self.index.touch(at);
            }

            fn edited(&mut self, _: &$crate::schedulers::Pool, at: $crate::schedulers::DestinationId) {
                self.index.touch(at);
            }

            #[inline]
            fn counters_changed(&mut self, _: &$crate::schedulers::Pool, at: $crate::schedulers::DestinationId) {
                self.index.touch(at);
            }

            fn pick(
                &mut self,
                $pool: &$crate::schedulers::Pool,
                _: &$crate::schedulers::Request,
            ) -> Option<$crate::schedulers::DestinationId> {
                let $index = &mut self.index;
                $choice
            }
        }
    };
}
pub(super) use scheduler_by_index;

/// What an [`Index`] is to know of a destination.
#[derive(Clone, Copy)]
pub(super) enum Standing {
    /// Takes part: the smallest `cost / weight` is chosen, of equals the one nearest to the head.
    /// `weight` is above 0.
    ///
    /// The kernel walks from the head and changes its mind when
    /// `cost(best) * weight(this) > cost(this) * weight(best)`, in 64 bits. With weights above 0
    /// that compares two fractions exactly (both products are below 2<sup>63</sup>), which is a
    /// total order, so the walk ends at the first of the smallest.
    Candidate { cost: i64, weight: i32 },
    /// Is not chosen.
    Out,
    /// Upsets the order, so that the list has to be walked while there is such a one.
    Unordered,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Node {
    cost: i64,
    rank: u64,
    /// 0: vacant.
    weight: i32,
    slot: u32,
}

const NOBODY: Node = Node { cost: 0, rank: 0, weight: 0, slot: 0 };

impl Node {
    #[inline]
    fn better(self, other: Self) -> Self {
        if other.weight == 0 {
            return self;
        }
        let ours = self.cost * i64::from(other.weight);
        let theirs = other.cost * i64::from(self.weight);
        let first = self.weight != 0 && (ours < theirs || (ours == theirs && self.rank > other.rank));
        if first { self } else { other }
    }
}

/// Up to this number of slots the list is walked: that is faster than keeping the tree.
const SMALL: usize = 24;

#[derive(Clone)]
pub(super) struct Index {
    /// Node 1 is the root, the children of `n` are `2n` and `2n + 1`, the leaf of slot `s` is
    /// `leaves + s`.
    nodes: Vec<Node>,
    leaves: usize,
    unordered: Vec<bool>,
    unordered_count: usize,
    marked: Vec<bool>,
    marked_count: usize,
    /// Slots whose destination may have changed since it was looked at.
    changed: Vec<u32>,
    /// So many have changed that all are to be looked at.
    stale: bool,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("slots", &self.leaves).finish_non_exhaustive()
    }
}

impl Default for Index {
    fn default() -> Self {
        Self {
            nodes: Vec::new(),
            leaves: 0,
            unordered: Vec::new(),
            unordered_count: 0,
            marked: Vec::new(),
            marked_count: 0,
            changed: Vec::new(),
            stale: true,
        }
    }
}

impl Index {
    /// Everything may have changed.
    pub(super) fn forget(&mut self) {
        self.stale = true;
        self.changed.clear();
    }

    /// `at` may have changed. Looking at it waits for the next question, so that many changes cost
    /// no more than one look at everything.
    #[inline]
    pub(super) fn touch(&mut self, at: DestinationId) {
        if self.stale || self.changed.last() == Some(&at.index()) {
            return;
        }
        if self.changed.len() >= 8 + self.leaves / 8 || at.index() as usize >= self.leaves {
            self.forget();
        } else {
            self.changed.push(at.index());
        }
    }

    /// The best destination, unless one cannot be ordered. `look` tells the standing of a
    /// listed destination, and whether it is [marked](Self::any_marked).
    #[inline]
    pub(super) fn choose(
        &mut self,
        pool: &Pool,
        look: impl Fn(DestinationId) -> (Standing, bool),
    ) -> Result<Option<DestinationId>, NotOrdered> {
        if pool.capacity() <= SMALL {
            self.forget();
            return walk(pool, look);
        }
        self.settle(pool, look);
        if self.unordered_count > 0 {
            return Err(NotOrdered);
        }
        let root = &self.nodes[1];
        Ok((root.weight != 0).then(|| DestinationId::new(root.slot)))
    }

    /// Whether any listed destination is marked.
    #[inline]
    pub(super) fn any_marked(&mut self, pool: &Pool, look: impl Fn(DestinationId) -> (Standing, bool)) -> bool {
        if pool.capacity() <= SMALL {
            self.forget();
            return pool.iter().any(|at| look(at).1);
        }
        self.settle(pool, look);
        self.marked_count > 0
    }

    /// Brings the tree up to date.
    #[inline]
    fn settle(&mut self, pool: &Pool, look: impl Fn(DestinationId) -> (Standing, bool)) {
        if self.stale {
            self.rebuild(pool, look);
            return;
        }
        while let Some(slot) = self.changed.pop() {
            let node = self.look_at(pool, slot, &look);
            self.replace(slot, node);
        }
    }

    #[inline]
    fn look_at(&mut self, pool: &Pool, slot: u32, look: impl Fn(DestinationId) -> (Standing, bool)) -> Node {
        let at = DestinationId::new(slot);
        let (standing, marked) = if pool.available(at) { look(at) } else { (Standing::Out, false) };
        let unordered = matches!(standing, Standing::Unordered);
        self.unordered_count =
            self.unordered_count + usize::from(unordered) - usize::from(self.unordered[slot as usize]);
        self.unordered[slot as usize] = unordered;
        self.marked_count = self.marked_count + usize::from(marked) - usize::from(self.marked[slot as usize]);
        self.marked[slot as usize] = marked;
        match standing {
            Standing::Candidate { cost, weight } => Node { cost, rank: pool.rank(at), weight, slot },
            Standing::Out | Standing::Unordered => NOBODY,
        }
    }

    #[inline]
    fn replace(&mut self, slot: u32, mut node: Node) {
        let mut n = self.leaves + slot as usize;
        while self.nodes[n] != node {
            self.nodes[n] = node;
            if n == 1 {
                break;
            }
            node = node.better(self.nodes[n ^ 1]);
            n /= 2;
        }
    }

    #[cold]
    fn rebuild(&mut self, pool: &Pool, look: impl Fn(DestinationId) -> (Standing, bool)) {
        let slots = pool.capacity();
        self.leaves = slots.next_power_of_two();
        self.nodes.clear();
        self.nodes.resize(2 * self.leaves, NOBODY);
        for flags in [&mut self.unordered, &mut self.marked] {
            flags.clear();
            flags.resize(self.leaves, false);
        }
        (self.unordered_count, self.marked_count) = (0, 0);
        for slot in 0..slots as u32 {
            let node = self.look_at(pool, slot, &look);
            self.nodes[self.leaves + slot as usize] = node;
        }
        for n in (1..self.leaves).rev() {
            self.nodes[n] = self.nodes[2 * n].better(self.nodes[2 * n + 1]);
        }
        self.changed.clear();
        self.stale = false;
    }
}

fn walk(pool: &Pool, look: impl Fn(DestinationId) -> (Standing, bool)) -> Result<Option<DestinationId>, NotOrdered> {
    let mut best = None;
    for at in pool {
        match look(at).0 {
            Standing::Out => {}
            Standing::Unordered => return Err(NotOrdered),
            Standing::Candidate { cost, weight } => {
                if best.is_none_or(|(_, least, of)| least * i64::from(weight) > cost * i64::from(of)) {
                    best = Some((at, cost, weight));
                }
            }
        }
    }
    Ok(best.map(|(at, _, _)| at))
}

/// A destination has a cost that the index cannot order: walk the list.
pub(super) struct NotOrdered;
