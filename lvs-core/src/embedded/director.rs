use std::ops::ControlFlow;
use std::time::Duration;

use super::clock::Clock;
use super::connections::{AHEAD, Connections, Machine};
use super::daemons::Daemons;
use super::defence::{self, Defence};
use super::estimator::{Estimator, Schedule};
use super::rules::{Moment, Rules, ServiceRequest};
use super::{Options, Settings};
use crate::director::{Attempt, BatchReport, Director, OnRefusal, Operation, OperationError, Refusal};
use crate::errno::Errno;
use crate::error::Result;
use crate::model::{
    Connection, Counters, Coverage, Daemon, DestinationEntry, Info, ServiceEntry, ServiceKey, ServiceSnapshot,
    Snapshot, Stats, Timeouts, Version,
};

/// A director in this process: what IPVS in the kernel does, without a kernel.
///
/// See the [module](super) for what it is good for and where it ends.
#[derive(Debug)]
pub struct EmbeddedDirector {
    pub(super) options: Options,
    pub(super) clock: Clock,
    /// What the clock shows, worked out when it moves and not for every packet.
    present: Moment,
    pub(super) rules: Rules,
    pub(super) timeouts: Timeouts,
    pub(super) daemons: Daemons,
    pub(super) totals: Estimator,
    pub(super) schedule: Schedule,
    pub(super) connections: Connections,
    pub(super) machine: Machine,
    pub(super) defence: Defence,
    /// When connections of removed destinations are looked for.
    orphan_check: Option<u64>,
}

impl Default for EmbeddedDirector {
    fn default() -> Self {
        Self::new()
    }
}

impl EmbeddedDirector {
    /// An empty director, twin of a current kernel.
    pub fn new() -> Self {
        Self::with_options(Options::default())
    }

    /// Settles what kind of kernel to be the twin of; ends with [`Options::build`].
    pub fn options() -> Options {
        Options::default()
    }

    pub(super) fn with_options(options: Options) -> Self {
        let clock = Clock::new(options.hz);
        let mut schedule = Schedule::new(options.hz);
        schedule.run(options.settings.run_estimation, 0);
        let connections = Connections::new(options.seed, options.rounding);
        let mut options = options;
        let defence = Defence::new(&mut options.settings, options.seed, options.hz);
        let machine = Machine::new(Timeouts::default(), defence::is_secure_tcp(&options.settings), options.hz);
        Self {
            options,
            clock,
            present: Moment::of(clock, &schedule),
            rules: Rules::default(),
            timeouts: Timeouts::default(),
            daemons: Daemons::default(),
            totals: Estimator::default(),
            schedule,
            connections,
            machine,
            defence,
            orphan_check: None,
        }
    }

    /// Time since the director was made.
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// Moves the clock and does all that falls due on the way, in its order.
    pub fn advance(&mut self, by: Duration) {
        self.advance_to(self.now().saturating_add(by));
    }

    /// Moves the clock to a time since the director was made; the clock never goes back.
    pub fn advance_to(&mut self, time: Duration) {
        let mut target = self.clock;
        target.set(time);
        let end = target.ticks();
        while let Some(due) = self.next_event()
            && due <= end
        {
            self.clock.set_ticks(due);
            self.present = Moment::of(self.clock, &self.schedule);
            self.run_due();
        }
        self.clock = target;
        self.present = Moment::of(target, &self.schedule);
        self.connections.turn(end);
    }

    /// The tick at which something happens by itself.
    fn next_event(&self) -> Option<u64> {
        let scheduler = self.rules.scheduler_timer().map(|at| (at * self.clock.hz()).div_ceil(1000));
        let timers = [
            self.connections.next_event(),
            self.rules.trash_timer(),
            scheduler,
            self.orphan_check,
            self.defence.next_look(),
        ];
        timers.into_iter().flatten().min()
    }

    fn run_due(&mut self) {
        let now = self.clock.ticks();
        self.connections.turn(now);
        'expired: loop {
            self.connections.prepare_expired();
            for _ in 0..AHEAD {
                let Some(at) = self.connections.next_expired() else { break 'expired };
                self.expire(at, now);
            }
        }
        if self.orphan_check.is_some_and(|at| at <= now) {
            self.orphan_check = None;
            self.expire_orphans(now);
        }
        if self.defence.next_look().is_some_and(|at| at <= now) {
            self.look_after_memory(now);
        }
        let millis = self.present.millis;
        if self.rules.scheduler_timer().is_some_and(|at| at <= millis) {
            self.rules.tick_schedulers(millis);
        }
        if self.rules.trash_timer().is_some_and(|at| at <= now) {
            self.rules.check_trash(self.moment());
        }
    }

    /// The sysctls.
    pub fn settings(&self) -> &Settings {
        &self.options.settings
    }

    /// Changes the sysctls.
    pub fn set_settings(&mut self, settings: Settings) {
        let now = self.clock.ticks();
        if settings.run_estimation != self.options.settings.run_estimation {
            self.schedule.run(settings.run_estimation, now);
            self.present = Moment::of(self.clock, &self.schedule);
        }
        let former = std::mem::replace(&mut self.options.settings, settings);
        self.defence.reconfigure(&former, &mut self.options.settings, now);
        self.renew_machine();
        self.rules.reconfigure(&self.options);
    }

    /// Brings the state machines in line with timeouts and settings.
    pub(super) fn renew_machine(&mut self) {
        self.machine = Machine::new(self.timeouts, defence::is_secure_tcp(&self.options.settings), self.options.hz);
    }

    /// The sums and rates of the whole director, as in `/proc/net/ip_vs_stats`.
    pub fn totals(&mut self) -> Stats {
        let pass = self.moment().pass;
        self.totals.stats(pass)
    }

    /// The sums of the whole director at this moment, not zeroed by anything, as the rows of `/proc/net/ip_vs_stats_percpu`.
    pub fn live_totals(&self) -> Counters {
        self.totals.live()
    }

    pub(super) const fn version(&self) -> Info {
        Info::new(Version { major: 1, minor: 2, patch: 1 }, self.options.connection_table_size)
    }

    pub(super) const fn moment(&self) -> Moment {
        self.present
    }

    pub(super) fn carry_out(&mut self, operation: &Operation) -> Result<(), Errno> {
        self.change(operation)?;
        let removes =
            matches!(operation, Operation::RemoveDestination(..) | Operation::RemoveService(_) | Operation::Flush);
        if removes && self.options.settings.expire_nodest_conn {
            self.orphan_check = Some(self.clock.ticks() + 1);
        }
        Ok(())
    }

    fn change(&mut self, operation: &Operation) -> Result<(), Errno> {
        let now = self.moment();
        let synchronised = self.daemons.any();
        let Self { rules, options, .. } = self;
        match operation {
            Operation::AddService(service) => {
                rules.add_service(&ServiceRequest::from(service), options, now).map(|_| ())
            }
            Operation::UpdateService(service) => rules.update_service(&ServiceRequest::from(service), options, now),
            Operation::RemoveService(key) => rules.remove_service(key, options, now),
            Operation::AddDestination(key, destination) => {
                rules.add_destination(key, destination, synchronised, options, now)
            }
            Operation::UpdateDestination(key, destination) => {
                rules.update_destination(key, destination, synchronised, options)
            }
            Operation::RemoveDestination(key, destination) => rules.remove_destination(key, destination, options, now),
            Operation::SetTimeouts(timeouts) => self.change_timeouts(*timeouts),
            Operation::StartDaemon(daemon) => self.daemons.start(daemon, rules.has_mixed(), options),
            Operation::StopDaemon(role) => self.daemons.stop(*role),
            Operation::Zero(Some(key)) => {
                let at = rules.named(key, options)?;
                rules.zero_service(at, now);
                Ok(())
            }
            Operation::Zero(None) => {
                let all: Vec<u32> = rules.iter().collect();
                for at in all {
                    rules.zero_service(at, now);
                }
                self.totals.zero(now.pass);
                Ok(())
            }
            Operation::Flush => {
                rules.flush(now);
                Ok(())
            }
        }
    }

    fn change_timeouts(&mut self, new: Timeouts) -> Result<(), Errno> {
        let Timeouts { tcp, tcp_fin, udp } = new;
        // At most 2^31-1 ticks.
        let longest = i32::MAX as u32 / self.options.hz as u32;
        if [tcp, tcp_fin, udp].into_iter().any(|seconds| seconds > longest) {
            return Err(Errno::EINVAL);
        }
        let set = |old: &mut u32, new: u32| {
            if new != 0 {
                *old = new;
            }
        };
        set(&mut self.timeouts.tcp, tcp);
        set(&mut self.timeouts.tcp_fin, tcp_fin);
        set(&mut self.timeouts.udp, udp);
        self.renew_machine();
        Ok(())
    }

    fn named(&self, key: &ServiceKey, attempt: Attempt) -> Result<u32> {
        self.rules.named(key, &self.options).map_err(|errno| OperationError::from_errno(attempt, errno).into())
    }
}

impl Director for EmbeddedDirector {
    fn info(&mut self) -> Result<Info> {
        Ok(self.version())
    }

    fn services(&mut self) -> Result<Vec<ServiceEntry>> {
        let now = self.moment();
        let all: Vec<u32> = self.rules.iter().collect();
        Ok(all.into_iter().map(|at| self.rules.service_entry(at, now)).collect())
    }

    fn service(&mut self, key: &ServiceKey) -> Result<ServiceEntry> {
        let at = self.named(key, Attempt::ReadService(*key))?;
        let now = self.moment();
        Ok(self.rules.service_entry(at, now))
    }

    fn destinations(&mut self, key: &ServiceKey) -> Result<Vec<DestinationEntry>> {
        let at = self.named(key, Attempt::ReadDestinations(*key))?;
        let now = self.moment();
        Ok(self.rules.destination_entries(at, now))
    }

    fn snapshot(&mut self) -> Result<Snapshot> {
        let mut snapshot = Snapshot::new(self.info()?, Coverage::FULL);
        let now = self.moment();
        let all: Vec<u32> = self.rules.iter().collect();
        snapshot.services = all
            .into_iter()
            .map(|at| ServiceSnapshot {
                entry: self.rules.service_entry(at, now),
                destinations: self.rules.destination_entries(at, now),
            })
            .collect();
        snapshot.timeouts = self.timeouts;
        snapshot.daemons = self.daemons.running();
        Ok(snapshot)
    }

    fn timeouts(&mut self) -> Result<Timeouts> {
        Ok(self.timeouts)
    }

    fn daemons(&mut self) -> Result<Vec<Daemon>> {
        Ok(self.daemons.running())
    }

    fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
        let mut refused = Vec::new();
        for (index, operation) in operations.iter().enumerate() {
            if let Err(errno) = self.carry_out(operation) {
                let error = OperationError::from_errno(Attempt::Operation(*operation), errno);
                refused.push(Refusal { index, error });
                if on_refusal == OnRefusal::Stop {
                    return BatchReport::answered(operations.len(), index + 1, refused);
                }
            }
        }
        BatchReport::answered(operations.len(), operations.len(), refused)
    }

    fn visit_connections(&mut self, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()> {
        for (at, entry) in self.connections.iter() {
            if visitor(&self.show(at, entry)).is_break() {
                break;
            }
        }
        Ok(())
    }
}
