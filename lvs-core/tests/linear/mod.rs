//! Every deterministic scheduler as the kernel walks it: plain walks over the list, tables filled
//! at each change.
//!
//! What the library does faster must choose the same; tests and benches hold it against this.
#![allow(dead_code)]

pub(crate) mod chance;
mod tables;

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use lvs_core::schedulers::{BindError, DestinationId, Pool, Request, Scheduler, SchedulerOptions};

pub(crate) use tables::{Dh, Mh, Sh};

/// The linear scheduler called `name`; `None` if there is none, as for twos, which draws.
pub(crate) fn linear(name: &str, options: &SchedulerOptions) -> Option<Box<dyn Scheduler>> {
    Some(match name {
        "rr" => Box::new(Rr { last: None }),
        "wrr" => Box::new(Wrr { current: None, threshold: 0, maximum: 0, step: 1 }),
        "lc" => Box::new(Walk { name: "lc", pick: lc }),
        "wlc" => Box::new(Walk { name: "wlc", pick: wlc }),
        "sed" => Box::new(Walk { name: "sed", pick: sed }),
        "nq" => Box::new(Walk { name: "nq", pick: nq }),
        "fo" => Box::new(Walk { name: "fo", pick: |pool| heaviest(pool, |_| true) }),
        "ovf" => Box::new(Walk { name: "ovf", pick: |pool| heaviest(pool, |at| pool.active(at) <= pool.weight(at)) }),
        "lblc" => Box::new(Lblc { cache: HashMap::new() }),
        "lblcr" => Box::new(Lblcr { expiration: options.lblcr_expiration, cache: HashMap::new() }),
        "dh" => Box::new(Dh::new()),
        "sh" => Box::new(Sh::new(options)),
        "mh" => Box::new(Mh::new(options)),
        _ => return None,
    })
}

/// A scheduler without state.
#[derive(Clone)]
struct Walk {
    name: &'static str,
    pick: fn(&Pool) -> Option<DestinationId>,
}

impl fmt::Debug for Walk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Scheduler for Walk {
    fn name(&self) -> &'static str {
        self.name
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, _: &Pool, _: DestinationId) {}

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        (self.pick)(pool)
    }
}

fn lc(pool: &Pool) -> Option<DestinationId> {
    let mut least: Option<(DestinationId, u32)> = None;
    for at in pool {
        if pool.overloaded(at) || pool.weight(at) == 0 {
            continue;
        }
        let overhead = pool.overhead(at) as u32;
        if least.is_none_or(|(_, best)| overhead < best) {
            least = Some((at, overhead));
        }
    }
    Some(least?.0)
}

/// Begins with the first usable; a later one wins when
/// `cost(best) * weight(later) > cost(later) * weight(best)`.
fn lightest(pool: &Pool, candidates: &[DestinationId], cost: impl Fn(DestinationId) -> i32) -> Option<DestinationId> {
    let first = candidates.iter().position(|&at| pool.usable(at))?;
    let mut best = candidates[first];
    for &at in &candidates[first + 1..] {
        if !pool.overloaded(at)
            && i64::from(cost(best)) * i64::from(pool.weight(at)) > i64::from(cost(at)) * i64::from(pool.weight(best))
        {
            best = at;
        }
    }
    Some(best)
}

// The service's whole list is walked without first being copied, as the benches time it.
fn lightest_of_all(pool: &Pool, cost: impl Fn(DestinationId) -> i32) -> Option<DestinationId> {
    let mut list = pool.iter();
    let mut best = list.by_ref().find(|&at| pool.usable(at))?;
    let (mut best_cost, mut best_weight) = (i64::from(cost(best)), i64::from(pool.weight(best)));
    for at in list {
        if pool.overloaded(at) {
            continue;
        }
        let (this, weight) = (i64::from(cost(at)), i64::from(pool.weight(at)));
        if best_cost * weight > this * best_weight {
            (best, best_cost, best_weight) = (at, this, weight);
        }
    }
    Some(best)
}

fn wlc(pool: &Pool) -> Option<DestinationId> {
    lightest_of_all(pool, |at| pool.overhead(at))
}

fn sed(pool: &Pool) -> Option<DestinationId> {
    lightest_of_all(pool, |at| pool.active(at) + 1)
}

fn nq(pool: &Pool) -> Option<DestinationId> {
    let mut best: Option<(DestinationId, i64, i64)> = None;
    for at in pool {
        if !pool.usable(at) {
            continue;
        }
        if pool.active(at) == 0 {
            return Some(at);
        }
        let (this, weight) = (i64::from(pool.active(at)) + 1, i64::from(pool.weight(at)));
        if best.is_none_or(|(_, least, of)| least * weight > this * of) {
            best = Some((at, this, weight));
        }
    }
    Some(best?.0)
}

fn heaviest(pool: &Pool, may: impl Fn(DestinationId) -> bool) -> Option<DestinationId> {
    let mut best: Option<(DestinationId, i32)> = None;
    for at in pool {
        if pool.usable(at) && may(at) && best.is_none_or(|(_, most)| pool.weight(at) > most) {
            best = Some((at, pool.weight(at)));
        }
    }
    Some(best?.0)
}

#[derive(Clone, Debug)]
struct Rr {
    last: Option<DestinationId>,
}

impl Scheduler for Rr {
    fn name(&self) -> &'static str {
        "rr"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        self.last = None;
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, pool: &Pool, at: DestinationId) {
        if self.last == Some(at) {
            self.last = pool.previous(at);
        }
    }

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        let list: Vec<DestinationId> = pool.iter().collect();
        let start = self.last.map_or(0, |last| 1 + list.iter().position(|&at| at == last).unwrap());
        let found = list[start..].iter().chain(&list[..start]).copied().find(|&at| pool.usable(at));
        if found.is_some() {
            self.last = found;
        }
        found
    }
}

#[derive(Clone, Debug)]
struct Wrr {
    current: Option<DestinationId>,
    threshold: i32,
    maximum: i32,
    step: i32,
}

impl Wrr {
    fn measure(&mut self, pool: &Pool) {
        let weights = || pool.iter().map(|at| pool.weight(at)).filter(|&weight| weight > 0);
        self.step = weights().reduce(gcd).unwrap_or(1);
        self.maximum = weights().max().map_or(0, |heaviest| heaviest - (self.step - 1));
    }

    fn changed(&mut self, pool: &Pool) {
        self.current = None;
        self.measure(pool);
        if self.threshold > self.maximum || self.threshold == 0 {
            self.threshold = self.maximum;
        } else if self.step > 1 {
            self.threshold = self.threshold / self.step * self.step + 1;
        }
    }
}

fn gcd(a: i32, b: i32) -> i32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Scheduler for Wrr {
    fn name(&self) -> &'static str {
        "wrr"
    }

    fn bind(&mut self, pool: &Pool, _: u64) -> Result<(), BindError> {
        self.current = None;
        self.measure(pool);
        self.threshold = self.maximum;
        Ok(())
    }

    fn added(&mut self, pool: &Pool, _: DestinationId) {
        self.changed(pool);
    }

    fn removed(&mut self, pool: &Pool, _: DestinationId) {
        self.changed(pool);
    }

    fn edited(&mut self, pool: &Pool, _: DestinationId) {
        self.changed(pool);
    }

    fn pick(&mut self, pool: &Pool, _: &Request) -> Option<DestinationId> {
        if self.maximum == 0 {
            return None;
        }
        let last = self.current;
        let (mut stop, mut last_pass, mut restarted) = (None, false, false);
        loop {
            while let Some(here) = self.current.map_or(pool.head(), |at| pool.next(at)) {
                self.current = Some(here);
                if !pool.overloaded(here) && pool.weight(here) >= self.threshold {
                    return Some(here);
                }
                if stop == Some(here) {
                    return None;
                }
            }
            self.current = None;
            self.threshold -= self.step;
            if self.threshold <= 0 {
                self.threshold = self.maximum;
                if last_pass || last.is_none() {
                    return None;
                }
                restarted = true;
            }
            last_pass = self.threshold <= self.step;
            if last_pass && restarted && last.is_some() {
                stop = last;
            }
        }
    }
}

fn locally_overloaded(pool: &Pool, at: DestinationId) -> bool {
    pool.active(at) > pool.weight(at) && pool.iter().any(|other| 2 * pool.active(other) < pool.weight(other))
}

/// Without aging.
#[derive(Clone, Debug)]
struct Lblc {
    cache: HashMap<IpAddr, DestinationId>,
}

impl Scheduler for Lblc {
    fn name(&self) -> &'static str {
        "lblc"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        self.cache.clear();
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, _: &Pool, _: DestinationId) {}

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        if let Some(&at) = self.cache.get(&request.destination)
            && pool.available(at)
            && pool.weight(at) > 0
            && !locally_overloaded(pool, at)
        {
            return Some(at);
        }
        let chosen = wlc(pool)?;
        self.cache.insert(request.destination, chosen);
        Some(chosen)
    }

    fn holds(&self, at: DestinationId) -> bool {
        self.cache.values().any(|&held| held == at)
    }
}

/// Without aging. The newest member of a set comes first.
#[derive(Clone, Debug)]
struct Lblcr {
    expiration: u64,
    cache: HashMap<IpAddr, (Vec<DestinationId>, u64)>,
}

impl Scheduler for Lblcr {
    fn name(&self) -> &'static str {
        "lblcr"
    }

    fn bind(&mut self, _: &Pool, _: u64) -> Result<(), BindError> {
        self.cache.clear();
        Ok(())
    }

    fn added(&mut self, _: &Pool, _: DestinationId) {}

    fn removed(&mut self, _: &Pool, _: DestinationId) {}

    fn edited(&mut self, _: &Pool, _: DestinationId) {}

    fn pick(&mut self, pool: &Pool, request: &Request) -> Option<DestinationId> {
        let Some((members, changed)) = self.cache.get_mut(&request.destination) else {
            let chosen = wlc(pool)?;
            self.cache.insert(request.destination, (vec![chosen], request.now));
            return Some(chosen);
        };
        let listed: Vec<DestinationId> = members.iter().copied().filter(|&at| pool.available(at)).collect();
        let least = lightest(pool, &listed, |at| pool.overhead(at));
        if members.len() > 1 && request.now > *changed + self.expiration {
            let mut most: Option<DestinationId> = None;
            for &at in members.iter().filter(|&&at| pool.weight(at) > 0) {
                let load = |a, b| i64::from(pool.overhead(a)) * i64::from(pool.weight(b));
                if most.is_none_or(|most| load(most, at) < load(at, most)) {
                    most = Some(at);
                }
            }
            if let Some(most) = most {
                members.retain(|&at| at != most);
                *changed = request.now;
            }
        }
        if least.is_some_and(|at| !locally_overloaded(pool, at)) {
            return least;
        }
        let chosen = wlc(pool)?;
        if !members.contains(&chosen) {
            members.insert(0, chosen);
            *changed = request.now;
        }
        Some(chosen)
    }

    fn holds(&self, at: DestinationId) -> bool {
        self.cache.values().any(|(members, _)| members.contains(&at))
    }
}
