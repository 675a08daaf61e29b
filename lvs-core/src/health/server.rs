use std::collections::VecDeque;
use std::time::Duration;

use super::{HealthPolicy, Probe, StartAs};
use crate::model::Destination;

/// One server of one service.
#[derive(Debug, Clone)]
pub(super) struct ServerHealth {
    pub(super) destination: Destination,
    up: bool,
    probed: bool,
    /// Probes in a row that contradict `up`.
    streak: u32,
    /// Since when it is up, if it came back rather than started so.
    since: Option<Duration>,
    /// When it went down, as far back as the damping looks.
    falls: VecDeque<Duration>,
    held_until: Option<Duration>,
}

/// What a probe did to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Up,
    Down,
    Damped,
}

impl ServerHealth {
    pub(super) fn new(destination: Destination, start: StartAs) -> Self {
        Self {
            destination,
            up: start == StartAs::Up,
            probed: false,
            streak: 0,
            since: None,
            falls: VecDeque::new(),
            held_until: None,
        }
    }

    pub(super) const fn is_up(&self) -> bool {
        self.up
    }

    pub(super) fn report(&mut self, probe: Probe, policy: &HealthPolicy, now: Duration) -> Option<Turn> {
        if let Probe::UpWithWeight(weight) = probe {
            self.destination.weight = weight;
        }
        let well = probe != Probe::Down;
        let first = !std::mem::replace(&mut self.probed, true);
        if well == self.up {
            self.streak = 0;
            return None;
        }
        self.streak = self.streak.saturating_add(1);
        // The first probe of a server that starts down decides by itself: it says what the state is, not that it changed.
        let enough = if well { policy.rise.max(1) } else { policy.fall.max(1) };
        if self.streak < enough && !(first && well) {
            return None;
        }
        if well { self.rise(policy, now) } else { Some(self.fall(policy, now)) }
    }

    /// A hold that is over brings back a server whose probes succeed.
    pub(super) fn tick(&mut self, policy: &HealthPolicy, now: Duration) -> Option<Turn> {
        self.held_until.filter(|&until| until <= now)?;
        self.held_until = None;
        if !self.up && self.streak >= policy.rise.max(1) { self.rise(policy, now) } else { None }
    }

    fn rise(&mut self, policy: &HealthPolicy, now: Duration) -> Option<Turn> {
        if self.held_until.is_some_and(|until| now < until) {
            return None;
        }
        self.held_until = None;
        self.up = true;
        self.streak = 0;
        self.since = policy.slow_start.map(|_| now);
        Some(Turn::Up)
    }

    fn fall(&mut self, policy: &HealthPolicy, now: Duration) -> Turn {
        self.up = false;
        self.streak = 0;
        self.since = None;
        let Some(damping) = policy.damping else { return Turn::Down };
        self.falls.push_back(now);
        while self.falls.front().is_some_and(|&fall| now.saturating_sub(fall) > damping.window) {
            self.falls.pop_front();
        }
        if self.falls.len() < damping.falls.max(1) as usize {
            return Turn::Down;
        }
        self.falls.clear();
        self.held_until = Some(now + damping.hold);
        Turn::Damped
    }

    /// The weight at a time: 0 when down, on the way up during a slow start.
    pub(super) fn weight(&self, policy: &HealthPolicy, now: Duration) -> u32 {
        let full = self.destination.weight;
        match (self.up, self.since, policy.slow_start) {
            (false, ..) => 0,
            (true, Some(since), Some(time)) => {
                let steps = HealthPolicy::SLOW_START_STEPS;
                let step = steps_done(now.saturating_sub(since), time, steps);
                let share = u64::from(full) * u64::from(step + 1) / u64::from(steps);
                u32::try_from(share).unwrap_or(full).clamp(full.min(1), full)
            }
            _ => full,
        }
    }

    pub(super) fn next_change(&self, policy: &HealthPolicy, now: Duration) -> Option<Duration> {
        let hold = self.held_until.filter(|&until| until > now);
        let (Some(since), Some(time)) = (self.since, policy.slow_start) else { return hold };
        let steps = HealthPolicy::SLOW_START_STEPS;
        let done = steps_done(now.saturating_sub(since), time, steps);
        // The last step reaches the whole weight: none follows it.
        let next = (done + 1 < steps).then(|| since + time * (done + 1) / steps);
        hold.into_iter().chain(next).min()
    }
}

/// How many whole steps of a slow start have passed, at most all.
fn steps_done(elapsed: Duration, time: Duration, steps: u32) -> u32 {
    if time.is_zero() {
        return steps;
    }
    let done = elapsed.as_nanos() * u128::from(steps) / time.as_nanos();
    u32::try_from(done).unwrap_or(steps).min(steps)
}
