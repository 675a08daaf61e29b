use std::ops::ControlFlow;
use std::time::Duration;

use super::clock::Clock;
use super::connections::{AHEAD, Connections, Machine};
use super::daemons::Daemons;
use super::defence::{self, Defence};
use super::estimator::{Estimator, Schedule};
use super::ids::ServiceId;
use super::table::trash::{self, TrashState};
use super::table::{Moment, ServiceTable};
use super::table_size::TableSize;
use super::timers::{Timer, Timers};
use super::{EmbeddedOptions, Settings};
use crate::director::{Attempt, BatchReport, Director, OnRefusal, Operation, OperationError, Refusal};
use crate::errno::Errno;
use crate::error::{Error, Result};
use crate::memory;
use crate::model::{
    Connection, Counters, Coverage, Daemon, DaemonRole, DestinationEntry, Info, SchedulerName, ServiceEntry,
    ServiceKey, ServiceSnapshot, Snapshot, Stats, Timeouts, Version,
};
use crate::procfs::{Status, Sysctl, SysctlValue};
use crate::schedulers::{self, Profile};
use crate::trace;

/// A director in this process: what IPVS in the kernel does, without a kernel.
///
/// See the [module](super) for what it is good for and where it ends. A clone is a director of its
/// own with the same table, connections and clock: to see what a change would do.
#[derive(Debug, Clone)]
pub struct EmbeddedDirector {
    pub(super) options: EmbeddedOptions,
    pub(super) clock: Clock,
    /// What the clock shows, worked out when it moves and not for every packet.
    present: Moment,
    pub(super) table: ServiceTable,
    pub(super) timeouts: Timeouts,
    pub(super) daemons: Daemons,
    pub(super) totals: Estimator,
    pub(super) schedule: Schedule,
    pub(super) connections: Connections,
    pub(super) machine: Machine,
    pub(super) defence: Defence,
    pub(super) connection_table: TableSize,
    pub(super) service_table: TableSize,
    /// The tick at which the size of the connection table was last looked at.
    table_monitor: u64,
    /// The most entries of the connection table.
    pub(super) connection_limit: usize,
    pub(super) timers: Timers,
}

/// Seconds between two looks at the size of the connection table.
const TABLE_MONITOR: u64 = 2;

impl Default for EmbeddedDirector {
    fn default() -> Self {
        Self::new()
    }
}

impl EmbeddedDirector {
    /// An empty director that does as a kernel 6.12 does.
    pub fn new() -> Self {
        Self::with_options(EmbeddedOptions::default())
    }

    /// Which kernel to follow, and the machine around it; ends with [`EmbeddedOptions::build`].
    pub fn options() -> EmbeddedOptions {
        EmbeddedOptions::default()
    }

    pub(super) fn with_options(options: EmbeddedOptions) -> Self {
        let clock = Clock::new(options.hz);
        let mut schedule = Schedule::new(options.hz);
        schedule.run(options.settings.run_estimation, 0);
        let connections = Connections::new(options.seed, options.rounding);
        let machine = Machine::new(Timeouts::default(), defence::is_secure_tcp(&options.settings), options.hz);
        let resizable = options.profile.has_resizable_tables();
        let mut director = Self {
            clock,
            present: Moment::of(clock, &schedule),
            table: ServiceTable::default(),
            timeouts: Timeouts::default(),
            daemons: Daemons::default(),
            totals: Estimator::default(),
            schedule,
            connections,
            machine,
            defence: Defence::new(options.seed, options.hz),
            connection_table: if resizable {
                TableSize::of_connections(options.connection_table_size)
            } else {
                TableSize::fixed(options.connection_table_size)
            },
            service_table: TableSize::of_services(),
            table_monitor: 0,
            connection_limit: limit(&options),
            timers: Timers::default(),
            options,
        };
        director.defence.update(&mut director.options.settings);
        director.schedule_defence(0);
        director
    }

    /// Which kernel's behaviour it follows.
    pub const fn profile(&self) -> Profile {
        self.options.profile
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
    ///
    /// The work depends on what happens in that time, not on how long it is.
    pub fn advance_to(&mut self, time: Duration) {
        let mut target = self.clock;
        target.set(time);
        let end = target.ticks();
        self.schedule_schedulers();
        while let Some(due) = self.next_event()
            && due <= end
        {
            self.clock.set_ticks(due);
            self.present = Moment::of(self.clock, &self.schedule);
            self.run_due();
        }
        self.timers.wake(end + 1);
        self.clock = target;
        self.present = Moment::of(target, &self.schedule);
        self.connections.turn(end);
    }

    /// The tick at which something happens by itself.
    fn next_event(&self) -> Option<u64> {
        [self.connections.next_event(), self.timers.next()].into_iter().flatten().min()
    }

    fn run_due(&mut self) {
        let now = self.clock.ticks();
        self.connections.turn(now);
        let before = self.connections.len();
        'expired: loop {
            self.connections.prepare_expired();
            for _ in 0..AHEAD {
                let Some(at) = self.connections.next_expired() else { break 'expired };
                self.expire(at, now);
            }
        }
        if self.connections.len() != before {
            self.timers.wake(now);
        }
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Orphans => {
                    self.expire_orphans(now);
                    self.timers.wake(now);
                }
                Timer::Defence => self.look_at_memory(now),
                Timer::Schedulers => {
                    self.table.tick_schedulers(self.present.millis);
                    self.schedule_schedulers();
                    self.timers.wake(now);
                }
                Timer::Trash => self.check_trash(),
                Timer::ServiceTable => self.resize_service_table(),
                Timer::ConnectionTable => {
                    self.connection_table.resize(self.connections.len(), self.options.settings.conn_lfactor);
                    self.table_monitor = now;
                }
            }
        }
    }

    fn resize_service_table(&mut self) {
        let before = self.service_table.buckets();
        self.service_table.resize(self.table.len(), self.options.settings.svc_lfactor);
        if self.service_table.buckets() != before {
            self.table.resized(&self.options);
        }
    }

    /// Sets the timer of the schedulers to what the first of them wants.
    fn schedule_schedulers(&mut self) {
        let due = self.table.scheduler_timer().map(|millis| millis.saturating_mul(self.clock.hz()).div_ceil(1000));
        self.timers.set(Timer::Schedulers, due);
    }

    fn check_trash(&mut self) {
        let now = self.moment();
        let period = trash::CHECK * now.hz;
        match self.table.check_trash(now) {
            TrashState::Empty => {}
            TrashState::Waiting => self.timers.set(Timer::Trash, Some(now.tick + period)),
            TrashState::InUse => self.timers.rest(Timer::Trash, now.tick + period, period),
        }
    }

    /// There is one more entry in the connection table.
    #[inline]
    pub(super) fn connection_table_grew(&mut self) {
        if self.connection_table.is_full(self.connections.len()) {
            self.timers.set_earlier(Timer::ConnectionTable, self.clock.ticks() + 1);
        }
    }

    /// There is one entry less in the connection table. What is to shrink waits for the next look
    /// at it.
    #[inline]
    pub(super) fn connection_table_shrank(&mut self, now: u64) {
        if self.connection_table.is_sparse(self.connections.len()) {
            let period = TABLE_MONITOR * self.clock.hz();
            let due = self.table_monitor + (now - self.table_monitor + 1).div_ceil(period) * period;
            self.timers.set_earlier(Timer::ConnectionTable, due);
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
        if defence::has_other_modes(&former, &settings) {
            self.defence.update(&mut self.options.settings);
        }
        self.schedule_defence(now);
        self.connection_limit = limit(&self.options);
        if former.conn_lfactor != settings.conn_lfactor {
            self.connection_table.resize(self.connections.len(), settings.conn_lfactor);
            self.table_monitor = now;
        }
        if former.svc_lfactor != settings.svc_lfactor {
            self.resize_service_table();
        }
        self.renew_machine();
        self.table.reconfigure(&self.options);
    }

    /// The sysctl of a name and its value, if a kernel of this profile has it and this director
    /// heeds it.
    fn setting(&self, name: &str) -> Result<(Sysctl, SysctlValue), Errno> {
        let sysctl: Sysctl = name.parse().map_err(|_| Errno::ENOENT)?;
        let is_newer = matches!(sysctl, Sysctl::ConnLfactor | Sysctl::ConnMax | Sysctl::SvcLfactor);
        if is_newer && !self.options.profile.has_resizable_tables() {
            return Err(Errno::ENOENT);
        }
        let value = self.options.settings.get(sysctl).ok_or(Errno::ENOENT)?;
        Ok((sysctl, value))
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

    /// The sums of the whole director at this moment, not zeroed by anything, as the rows of
    /// `/proc/net/ip_vs_stats_percpu`.
    pub fn live_totals(&self) -> Counters {
        self.totals.live()
    }

    pub(super) const fn version(&self) -> Info {
        Info::new(Version { major: 1, minor: 2, patch: 1 }, self.connection_table.buckets())
    }

    pub(super) const fn moment(&self) -> Moment {
        self.present
    }

    pub(super) fn carry_out(&mut self, operation: &Operation) -> Result<(), Errno> {
        self.commit(|director| director.change(operation))?;
        let removes =
            matches!(operation, Operation::RemoveDestination(..) | Operation::RemoveService(_) | Operation::Flush);
        if removes && self.options.settings.expire_nodest_conn {
            self.timers.set(Timer::Orphans, Some(self.clock.ticks() + 1));
        }
        Ok(())
    }

    /// Makes a change of the table, and does what follows from it. All changes come this way.
    pub(super) fn commit(&mut self, change: impl FnOnce(&mut Self) -> Result<(), Errno>) -> Result<(), Errno> {
        let before = self.table.sizes();
        let done = change(self);
        let after = self.table.sizes();
        let now = self.moment();
        if before.trash == 0 && after.trash > 0 {
            self.timers.set(Timer::Trash, Some(now.tick + trash::CHECK * now.hz));
        }
        if before.services != after.services {
            self.services_changed(after.services);
        }
        done
    }

    /// Makes, releases or resizes the tables of a namespace that now has this number of services.
    fn services_changed(&mut self, services: usize) {
        let Settings { conn_lfactor, svc_lfactor, .. } = self.options.settings;
        if services == 0 {
            self.service_table.release();
            self.timers.set(Timer::ServiceTable, None);
            return;
        }
        if !self.connection_table.exists() {
            self.connection_table.create(conn_lfactor);
        }
        if !self.service_table.exists() {
            self.service_table.create(svc_lfactor);
        }
        if self.service_table.is_full(services) || self.service_table.is_sparse(services) {
            self.timers.set(Timer::ServiceTable, Some(self.clock.ticks() + 1));
        }
    }

    /// Starts a daemon. A backup needs the connection table, and has it made before anything else
    /// can go wrong.
    fn start_daemon(&mut self, daemon: &Daemon) -> Result<(), Errno> {
        Daemons::check(daemon, self.table.has_mixed())?;
        if daemon.role == DaemonRole::Backup && !self.connection_table.exists() {
            self.connection_table.create(self.options.settings.conn_lfactor);
        }
        self.daemons.start(daemon, &self.options)
    }

    fn change(&mut self, operation: &Operation) -> Result<(), Errno> {
        let now = self.moment();
        let synchronised = self.daemons.any();
        let Self { table, options, .. } = self;
        match operation {
            Operation::AddService(service) => table.add_service(&service.into(), options, now),
            Operation::UpdateService(service) => table.update_service(&service.into(), options, now),
            Operation::RemoveService(key) => table.remove_service(key, options, now),
            Operation::AddDestination(key, destination) => {
                table.add_destination(key, destination, synchronised, options, now)
            }
            Operation::UpdateDestination(key, destination) => {
                table.update_destination(key, destination, synchronised, options)
            }
            Operation::RemoveDestination(key, destination) => table.remove_destination(key, destination, options, now),
            Operation::SetTimeouts(timeouts) => self.change_timeouts(*timeouts),
            Operation::StartDaemon(daemon) => self.start_daemon(daemon),
            Operation::StopDaemon(role) => self.daemons.stop(*role),
            Operation::Zero(Some(key)) => {
                let at = table.named(key, options)?;
                table.zero_service(at, now);
                Ok(())
            }
            Operation::Zero(None) => {
                let all: Vec<ServiceId> = table.iter().collect();
                for at in all {
                    table.zero_service(at, now);
                }
                self.totals.zero(now.pass);
                Ok(())
            }
            Operation::Flush => {
                table.flush(options, now);
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

    fn named(&self, key: &ServiceKey, attempt: Attempt) -> Result<ServiceId> {
        self.table.named(key, &self.options).map_err(|errno| OperationError::from_errno(attempt, errno).into())
    }
}

/// The error for a sysctl that is not there.
fn absent(attempted: &str, name: &str, errno: Errno) -> Error {
    Error::io(format!("{attempted} sysctl {name:?}"), errno.into())
}

/// The most entries of the connection table that the settings of a kernel allow.
fn limit(options: &EmbeddedOptions) -> usize {
    if options.profile.has_resizable_tables() { options.settings.conn_max as usize } else { usize::MAX }
}

impl Director for EmbeddedDirector {
    fn info(&mut self) -> Result<Info> {
        Ok(self.version())
    }

    fn services(&mut self) -> Result<Vec<ServiceEntry>> {
        let now = self.moment();
        let all: Vec<ServiceId> = memory::collect(self.table.iter())?;
        Ok(memory::collect(all.into_iter().map(|at| self.table.service_entry(at, now)))?)
    }

    fn service(&mut self, key: &ServiceKey) -> Result<ServiceEntry> {
        let at = self.named(key, Attempt::ReadService(*key))?;
        let now = self.moment();
        Ok(self.table.service_entry(at, now))
    }

    fn destinations(&mut self, key: &ServiceKey) -> Result<Vec<DestinationEntry>> {
        let at = self.named(key, Attempt::ReadDestinations(*key))?;
        let now = self.moment();
        Ok(self.table.destination_entries(at, now)?)
    }

    fn snapshot(&mut self) -> Result<Snapshot> {
        let mut snapshot = Snapshot::new(self.info()?, Coverage::FULL);
        let now = self.moment();
        let all: Vec<ServiceId> = memory::collect(self.table.iter())?;
        snapshot.services = memory::try_collect::<_, Error>(all.into_iter().map(|at| {
            let entry = self.table.service_entry(at, now);
            Ok(ServiceSnapshot { entry, destinations: self.table.destination_entries(at, now)? })
        }))?;
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
        let mut answered = operations.len();
        for (index, operation) in operations.iter().enumerate() {
            if let Err(errno) = self.carry_out(operation) {
                let error = OperationError::from_errno(Attempt::Operation(*operation), errno);
                refused.push(Refusal { index, error });
                if on_refusal == OnRefusal::Stop {
                    answered = index + 1;
                    break;
                }
            }
        }
        let report = BatchReport::answered(operations.len(), answered, refused);
        trace::applied(operations, &report);
        report
    }

    fn visit_connections(&mut self, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()> {
        for (at, entry) in self.connections.iter() {
            if visitor(&self.show(at, entry)).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// As [`visit_connections`](Director::visit_connections): this director shows origins and
    /// engine data together.
    fn visit_connection_origins(&mut self, visitor: &mut dyn FnMut(&Connection<'_>) -> ControlFlow<()>) -> Result<()> {
        self.visit_connections(visitor)
    }

    fn totals(&mut self) -> Result<Stats> {
        Ok(Self::totals(self))
    }

    fn status(&mut self) -> Result<Status> {
        Ok(Self::status(self))
    }

    fn profile(&mut self) -> Result<Profile> {
        Ok(Self::profile(self))
    }

    fn has_scheduler(&mut self, name: &SchedulerName) -> Result<Option<bool>> {
        Ok(Some(*name == SchedulerName::NONE || schedulers::info(name.as_str()).is_some()))
    }

    /// Those in [`Settings`] that a kernel of its profile has.
    fn sysctl_names(&mut self) -> Result<Vec<String>> {
        let known = Sysctl::ALL.iter().filter(|sysctl| self.setting(sysctl.name()).is_ok());
        Ok(known.map(|sysctl| sysctl.name().to_owned()).collect())
    }

    fn sysctl(&mut self, name: &str) -> Result<String> {
        self.setting(name).map(|(_, value)| value.to_string()).map_err(|error| absent("read", name, error))
    }

    fn set_sysctl(&mut self, name: &str, value: &str) -> Result<()> {
        let (sysctl, _) = self.setting(name).map_err(|error| absent("write", name, error))?;
        let mut settings = *self.settings();
        settings.set(sysctl, &SysctlValue::parse(sysctl, value)?)?;
        self.set_settings(settings);
        Ok(())
    }
}
