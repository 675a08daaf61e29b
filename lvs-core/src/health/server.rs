use std::collections::VecDeque;
use std::time::Duration;

use super::time::Time;
use super::{Forced, HealthPolicy, Override, OverrideState, Probe, ServerState, StartAs};
use crate::model::Destination;

/// One server of one service.
#[derive(Debug, Clone)]
pub(super) struct ServerHealth {
    /// As it was given.
    pub(super) destination: Destination,
    /// What its probes say, overrides aside.
    healthy: bool,
    probed: bool,
    /// Probes in a row that contradict `healthy`.
    streak: u32,
    /// The weight that its probes have asked for.
    asked: Option<u32>,
    /// Since when it is healthy, if it came back rather than started so.
    since: Option<Time>,
    /// When it went down, as far back as the damping looks.
    falls: VecDeque<Time>,
    held_until: Option<Time>,
    overridden: Option<Override>,
}

/// What happened to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Up,
    Down,
    Damped,
    OverrideExpired,
    WeightLimited(u32),
}

impl ServerHealth {
    pub(super) fn new(destination: Destination, start: StartAs) -> Self {
        Self {
            destination,
            healthy: start == StartAs::Up,
            probed: false,
            streak: 0,
            asked: None,
            since: None,
            falls: VecDeque::new(),
            held_until: None,
            overridden: None,
        }
    }

    /// Whether it is in use.
    pub(super) fn is_up(&self) -> bool {
        match self.forced() {
            Some(Forced::Up) => true,
            Some(Forced::Down) => false,
            Some(Forced::Weight(_)) | None => self.healthy,
        }
    }

    fn forced(&self) -> Option<Forced> {
        self.overridden.as_ref().map(|decision| decision.forced)
    }

    pub(super) const fn is_probed(&self) -> bool {
        self.probed
    }

    /// Takes in another configuration. A weight that probes asked for goes with the weight that it
    /// replaced.
    pub(super) fn reconfigure(&mut self, destination: Destination, policy: &HealthPolicy) {
        if destination.weight != self.destination.weight {
            self.asked = None;
        }
        self.destination = destination;
        if policy.damping.is_none() {
            self.falls.clear();
            self.held_until = None;
        }
    }

    /// Sets the health that it starts with; only before its first probe.
    pub(super) const fn start(&mut self, start: StartAs) {
        self.healthy = matches!(start, StartAs::Up);
    }

    /// Does something that may change whether the server is in use, and says whether it did.
    fn turning(&mut self, change: impl FnOnce(&mut Self)) -> Option<Turn> {
        let (was_up, was_held) = (self.is_up(), self.held_until.is_some());
        change(self);
        match (was_up, self.is_up()) {
            (false, true) => Some(Turn::Up),
            (true, false) if !was_held && self.held_until.is_some() => Some(Turn::Damped),
            (true, false) => Some(Turn::Down),
            _ => None,
        }
    }

    pub(super) fn report(&mut self, probe: Probe, policy: &HealthPolicy, now: Time) -> Vec<Turn> {
        let limited = match probe {
            Probe::Unknown => return Vec::new(),
            Probe::UpWithWeight(asked) => self.ask(asked, policy),
            Probe::Up | Probe::Down => None,
        };
        let turn = self.turning(|server| server.learn(probe != Probe::Down, policy, now));
        limited.into_iter().chain(turn).collect()
    }

    fn ask(&mut self, asked: u32, policy: &HealthPolicy) -> Option<Turn> {
        let news = self.asked.replace(asked) != Some(asked);
        (news && asked > self.most_asked(policy)).then_some(Turn::WeightLimited(asked))
    }

    fn most_asked(&self, policy: &HealthPolicy) -> u32 {
        policy.max_asked_weight.max(self.destination.weight)
    }

    fn learn(&mut self, well: bool, policy: &HealthPolicy, now: Time) {
        let first = !std::mem::replace(&mut self.probed, true);
        if well == self.healthy {
            self.streak = 0;
            return;
        }
        self.streak = self.streak.saturating_add(1);
        // The first probe of a server that starts down decides by itself: it says what the state
        // is, not that it changed.
        let enough = if well { policy.rise } else { policy.fall };
        if self.streak < enough && !(first && well) {
            return;
        }
        if well { self.rise(policy, now) } else { self.fall(policy, now) }
    }

    /// Takes in that time has passed: a hold that is over brings back a server whose probes
    /// succeed, an override ends.
    pub(super) fn tick(&mut self, policy: &HealthPolicy, now: Time) -> Vec<Turn> {
        let over =
            self.overridden.as_ref().is_some_and(|decision| decision.until.is_some_and(|end| Time::from(end) <= now));
        let turn = self.turning(|server| {
            if over {
                server.overridden = None;
            }
            if server.held_until.is_some_and(|until| until <= now) {
                server.held_until = None;
                if !server.healthy && server.streak >= policy.rise {
                    server.rise(policy, now);
                }
            }
        });
        over.then_some(Turn::OverrideExpired).into_iter().chain(turn).collect()
    }

    pub(super) fn decide(&mut self, decision: Option<Override>) -> Option<Turn> {
        self.turning(|server| server.overridden = decision)
    }

    fn rise(&mut self, policy: &HealthPolicy, now: Time) {
        if self.held_until.is_some_and(|until| now < until) {
            return;
        }
        self.held_until = None;
        self.healthy = true;
        self.streak = 0;
        self.since = policy.slow_start.map(|_| now);
    }

    fn fall(&mut self, policy: &HealthPolicy, now: Time) {
        self.healthy = false;
        self.streak = 0;
        self.since = None;
        let Some(damping) = policy.damping else { return };
        self.falls.push_back(now);
        while self.falls.front().is_some_and(|&fall| now.since(fall) > damping.window) {
            self.falls.pop_front();
        }
        if self.falls.len() >= damping.falls as usize {
            self.falls.clear();
            self.held_until = Some(now.plus(damping.hold));
        }
    }

    /// The weight that it has when it is in use and its slow start is over.
    pub(super) fn full_weight(&self, policy: &HealthPolicy) -> u32 {
        match (self.forced(), self.asked) {
            (Some(Forced::Weight(weight)), _) => weight,
            (_, Some(asked)) => asked.min(self.most_asked(policy)),
            (_, None) => self.destination.weight,
        }
    }

    /// The weight at a time: 0 when down, on the way up during a slow start.
    pub(super) fn weight(&self, policy: &HealthPolicy, now: Time) -> u32 {
        let full = self.full_weight(policy);
        match (self.is_up(), self.since, policy.slow_start) {
            (false, ..) => 0,
            (true, Some(since), Some(time)) => {
                let steps = HealthPolicy::SLOW_START_STEPS;
                let step = steps_done(now.since(since), time, steps);
                let share = u64::from(full) * u64::from(step + 1) / u64::from(steps);
                u32::try_from(share).unwrap_or(full).clamp(full.min(1), full)
            }
            _ => full,
        }
    }

    pub(super) fn next_change(&self, policy: &HealthPolicy, now: Time) -> Option<Time> {
        let hold = self.held_until.filter(|&until| until > now);
        let end = self.overridden.as_ref().and_then(|decision| decision.until).map(Time::from).filter(|&end| end > now);
        let step = self.since.zip(policy.slow_start).and_then(|(since, time)| next_step(since, time, now));
        hold.into_iter().chain(end).chain(step).min()
    }

    pub(super) fn save(&self, now: Time) -> ServerState {
        ServerState {
            server: self.destination.key,
            healthy: self.healthy,
            probed: self.probed,
            streak: self.streak,
            asked_weight: self.asked,
            back_for: self.since.map(|since| now.since(since)),
            falls: self.falls.iter().map(|&fall| now.since(fall)).collect(),
            held_for: self.held_until.map(|until| until.since(now)),
            overridden: self.overridden.as_ref().map(|decision| OverrideState {
                forced: decision.forced,
                reason: decision.reason.clone(),
                ends_in: decision.until.map(|end| Time::from(end).since(now)),
            }),
        }
    }

    /// Takes over a saved state. `saved` is the moment of saving on the clock of now.
    pub(super) fn restore(&mut self, state: &ServerState, saved: Time) {
        self.healthy = state.healthy;
        self.probed = state.probed;
        self.streak = state.streak;
        self.asked = state.asked_weight;
        self.since = state.back_for.map(|age| saved.minus(age));
        self.falls = state.falls.iter().map(|&age| saved.minus(age)).collect();
        self.held_until = state.held_for.map(|rest| saved.plus(rest));
        self.overridden = state.overridden.as_ref().map(|decision| Override {
            forced: match decision.forced {
                Forced::Weight(weight) => Forced::Weight(weight.min(HealthPolicy::MAX_WEIGHT)),
                forced => forced,
            },
            reason: decision.reason.clone(),
            until: decision.ends_in.map(|rest| saved.plus(rest).on_clock()),
        });
    }
}

/// When a slow start takes its next step. The last one reaches the whole weight: none follows it.
fn next_step(since: Time, time: Duration, now: Time) -> Option<Time> {
    let steps = HealthPolicy::SLOW_START_STEPS;
    let next = steps_done(now.since(since), time, steps) + 1;
    if next >= steps {
        return None;
    }
    Some(since.plus_part(time, next, steps))
}

/// How many whole steps of a slow start have passed, at most all.
fn steps_done(elapsed: Duration, time: Duration, steps: u32) -> u32 {
    if time.is_zero() {
        return steps;
    }
    let done = elapsed.as_nanos() * u128::from(steps) / time.as_nanos();
    u32::try_from(done).unwrap_or(steps).min(steps)
}
