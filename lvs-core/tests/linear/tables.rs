//! The schedulers with tables: dh, sh, mh, refilled at each change.

use lvs_core::schedulers::hash::{fold, fold_as, hash_32, hsiphash};
use lvs_core::schedulers::{BindError, DestinationId, Pool, Request, Scheduler, SchedulerOptions};

/// The hooks of a scheduler that fills its table when destinations come and go, and on edits if
/// `$edits`.
macro_rules! refill {
    ($edits:literal) => {
        fn bind(&mut self, pool: &Pool, _: u64) -> Result<(), BindError> {
            self.fill(pool)
        }

        fn added(&mut self, pool: &Pool, _: DestinationId) {
            let _ = self.fill(pool);
        }

        fn removed(&mut self, pool: &Pool, _: DestinationId) {
            let _ = self.fill(pool);
        }

        fn edited(&mut self, pool: &Pool, _: DestinationId) {
            if $edits {
                let _ = self.fill(pool);
            }
        }
    };
}

fn port(flags: u32, request: &Request) -> u32 {
    let has_ports = matches!(request.protocol, 6 | 17 | 132);
    if flags & SchedulerOptions::PORT != 0 && has_ports { request.client_port.into() } else { 0 }
}

#[derive(Clone, Debug)]
pub(crate) struct Dh {
    slots: Vec<DestinationId>,
}

impl Dh {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new() }
    }

    fn fill(&mut self, pool: &Pool) -> Result<(), BindError> {
        self.slots = pool.iter().cycle().take(256).collect();
        Ok(())
    }
}

impl Scheduler for Dh {
    fn name(&self) -> &'static str {
        "dh"
    }

    refill!(false);

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        let at = *self.slots.get(hash_32(fold(request.destination), 8) as usize)?;
        pool.usable(at).then_some(at)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Sh {
    flags: u32,
    slots: Vec<DestinationId>,
}

impl Sh {
    pub(crate) fn new(options: &SchedulerOptions) -> Self {
        Self { flags: options.flags, slots: Vec::new() }
    }

    fn fill(&mut self, pool: &Pool) -> Result<(), BindError> {
        let mut slots = Vec::new();
        while slots.len() < 256 && !pool.is_empty() {
            for at in pool {
                for _ in 0..pool.weight(at).max(1) {
                    if slots.len() < 256 {
                        slots.push(at);
                    } else {
                        break;
                    }
                }
            }
        }
        self.slots = slots;
        Ok(())
    }
}

impl Scheduler for Sh {
    fn name(&self) -> &'static str {
        "sh"
    }

    refill!(true);

    fn reconfigured(&mut self, options: &SchedulerOptions) {
        self.flags = options.flags;
    }

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        let first = hash_32(port(self.flags, request).wrapping_add(fold(request.client)), 8);
        let at = *self.slots.get(first as usize)?;
        if pool.usable(at) {
            return Some(at);
        }
        if self.flags & SchedulerOptions::FALLBACK == 0 {
            return None;
        }
        (0..256).map(|o| self.slots[((((o + first) & 255) + first) & 255) as usize]).find(|&at| pool.usable(at))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Mh {
    flags: u32,
    slots: Vec<DestinationId>,
}

const SIZE: u32 = 4093;

impl Mh {
    pub(crate) fn new(options: &SchedulerOptions) -> Self {
        Self { flags: options.flags, slots: Vec::new() }
    }

    fn fill(&mut self, pool: &Pool) -> Result<(), BindError> {
        let mut refused = lvs_core::schedulers::Mh::new(&SchedulerOptions::default());
        if pool.len() > SIZE as usize {
            return refused.bind(pool, 0);
        }
        let weights: Vec<i32> = pool.iter().map(|at| pool.last_weight(at)).collect();
        let divisor = weights.iter().copied().reduce(super::gcd).unwrap_or(0);
        self.slots.clear();
        if divisor == 0 {
            return Ok(());
        }
        let heaviest = weights.iter().max().unwrap() / divisor;
        let shift = (32 - heaviest.leading_zeros()).saturating_sub(6);
        let base = |at| fold_as(pool.family(), pool.addr(at)).wrapping_add(pool.port(at).into());
        let mut places: Vec<u32> = pool.iter().map(|at| hsiphash(base(at), 2_654_435_761) % SIZE).collect();
        let mut slots: Vec<Option<DestinationId>> = vec![None; SIZE as usize];
        let mut taken = 0;
        while taken < SIZE {
            for ((at, &weight), place) in pool.iter().zip(&weights).zip(&mut places) {
                let skip = hsiphash(base(at), 2_654_446_892) % (SIZE - 1) + 1;
                let turns = if weight == 0 { 0 } else { ((weight / divisor) >> shift).max(1) };
                for _ in 0..turns {
                    if taken == SIZE {
                        break;
                    }
                    while slots[*place as usize].is_some() {
                        *place = (*place + skip) % SIZE;
                    }
                    slots[*place as usize] = Some(at);
                    taken += 1;
                }
            }
        }
        self.slots = slots.into_iter().flatten().collect();
        Ok(())
    }
}

impl Scheduler for Mh {
    fn name(&self) -> &'static str {
        "mh"
    }

    refill!(true);

    fn reconfigured(&mut self, options: &SchedulerOptions) {
        self.flags = options.flags;
    }

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        let hashed = port(self.flags, request).wrapping_add(fold(request.client));
        let first = hsiphash(hashed, 2_654_435_761) % SIZE;
        let at = *self.slots.get(first as usize)?;
        if pool.usable(at) {
            return Some(at);
        }
        if self.flags & SchedulerOptions::FALLBACK == 0 {
            return None;
        }
        (0..SIZE)
            .map(|o| hsiphash(((o + first) % SIZE).wrapping_add(hashed), 2_654_435_761) % SIZE)
            .map(|slot| self.slots[slot as usize])
            .find(|&at| pool.usable(at))
    }

    fn holds(&self, at: DestinationId) -> bool {
        self.slots.contains(&at)
    }
}
