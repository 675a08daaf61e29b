use std::collections::{HashSet, TryReserveError};
use std::hash::Hash;

use super::confirm::confirm;
use super::diff::Kinds;
use super::{Applied, Incomplete, OnFailure, Ownership, Plan, PlanError, Scope};
use crate::director::{Cause, Director, Follower};
use crate::error::{Error, Result};
use crate::hash::Seedless;
use crate::lint::{self, Finding};
use crate::memory;
use crate::model::{Destination, OperationKind, Table};

/// How often a table is read that changes so much meanwhile that the plan cannot be made. Each time
/// the director has already read it more than once.
const ATTEMPTS: u32 = 3;

/// Whether reading again may help.
fn is_of_a_changing_table(error: &Error) -> bool {
    match error {
        Error::Plan(PlanError::Incomplete(_)) => true,
        Error::Refused(refused) => refused.cause == Cause::Changing,
        _ => false,
    }
}

/// How a plan is made: within which scope, for which owner, and with which checks.
///
/// [`Plan::between`] and [`reconcile`] are a planner with nothing but a scope.
///
/// ```
/// use lvs_core::Director;
/// use lvs_core::embedded::EmbeddedDirector;
/// use lvs_core::model::{Service, ServiceKey, Table, TableService};
/// use lvs_core::plan::{OnFailure, Ownership, Place, PlanError, Planner};
///
/// let key = ServiceKey::tcp("192.0.2.1", 80)?;
/// let mut director = EmbeddedDirector::new();
/// director.add_service(&Service::new(key))?; // somebody else's
///
/// let mut wanted = Table::new();
/// wanted.services.push(TableService::new(Service::new(key).with_scheduler("rr".parse()?)));
/// let ours = Ownership::new("web", Place::embedded("test"));
/// let current = director.snapshot()?.to_table();
/// let refused = Planner::owned_by(&ours).plan(&current, &wanted);
/// assert_eq!(refused, Err(PlanError::NotOwned { service: key, owner: "web".to_owned() }));
///
/// let plan = Planner::owned_by(&ours).adopting().plan(&current, &wanted)?;
/// assert_eq!(plan.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Planner {
    scope: Scope,
    owner: Option<Ownership>,
    adopts: bool,
    removes_all: bool,
    checks: bool,
    /// `None` allows all.
    allowed: Option<Kinds>,
}

impl Planner {
    /// Plans may touch what is in the scope.
    pub fn new(scope: &Scope) -> Self {
        Self { scope: scope.clone(), owner: None, adopts: false, removes_all: false, checks: true, allowed: None }
    }

    /// Plans may touch what an owner has put in force, and add what nobody has.
    ///
    /// A wanted service that is there and not owned is an error, unless [`Planner::adopting`]. Add
    /// the services of the plan to the record *before* applying it, see [`Ownership::claim`].
    pub fn owned_by(ownership: &Ownership) -> Self {
        Self { owner: Some(ownership.clone()), ..Self::new(&ownership.scope()) }
    }

    /// Wanted services that are there already and not owned are taken over.
    pub const fn adopting(mut self) -> Self {
        self.adopts = true;
        self
    }

    /// A wanted table without services may remove all that the scope owns.
    pub const fn removing_all(mut self) -> Self {
        self.removes_all = true;
        self
    }

    /// Without [`lint`]: what the kernel refuses shows when the plan is applied, what it takes
    /// without effect never.
    pub const fn unchecked(mut self) -> Self {
        self.checks = false;
        self
    }

    /// Plans hold operations of these kinds alone. What they would hold beside them is in
    /// [`Plan::withheld`]; servers of a service that may not be added are withheld with it.
    ///
    /// ```
    /// use lvs_core::model::{OperationKind, Table};
    /// use lvs_core::plan::{Planner, Scope};
    ///
    /// let now: Table = lvs_core::rules::parse("-A -t 192.0.2.1:80")?.to_table()?;
    /// let wanted: Table = lvs_core::rules::parse("-A -t 192.0.2.2:80")?.to_table()?;
    /// let adding = Planner::new(&Scope::all()).allowing([OperationKind::AddService, OperationKind::AddDestination]);
    /// let plan = adding.plan(&now, &wanted)?;
    /// assert_eq!(plan.operations().next().unwrap().to_string(), "add service tcp://192.0.2.2:80");
    /// assert_eq!(plan.withheld()[0].to_string(), "remove service tcp://192.0.2.1:80");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn allowing(mut self, kinds: impl IntoIterator<Item = OperationKind>) -> Self {
        self.allowed = Some(kinds.into_iter().collect());
        self
    }

    /// The smallest plan from what is there to what is wanted.
    ///
    /// Timeouts and daemons are part of a plan as far as the wanted table speaks of them: timeouts
    /// of 0 or `None` stay as they are, and daemons are stopped or started only if the wanted table
    /// names at least one.
    ///
    /// # Errors
    /// [`PlanError`] says which.
    pub fn plan(&self, current: &Table, wanted: &Table) -> Result<Plan, PlanError> {
        check_names(wanted)?;
        let scope = self.scope_for(current, wanted)?;
        check_scope(wanted, &scope)?;
        if wanted.services.is_empty() && !self.removes_all {
            let removed = current.services.iter().filter(|entry| scope.owns(&entry.service.key())).count();
            if removed > 0 {
                return Err(PlanError::RemovesAll(removed));
            }
        }
        if self.checks {
            check_changes(current, wanted)?;
        }
        Plan::difference(current, wanted, &scope, self.allowed)
    }

    /// Reads what the director holds now, and plans; changes nothing. What a director alone knows
    /// is checked, too: whether it has the schedulers ([`lint::schedulers`]).
    ///
    /// # Errors
    /// When the director cannot be read, and [`Error::Plan`] when the table cannot be planned.
    pub fn plan_for<D: Director + ?Sized>(&self, director: &mut D, wanted: &Table) -> Result<Plan> {
        self.plan_following(director, &mut Follower::new(), wanted)
    }

    /// The same for those who plan again and again: the table is read as the follower reads it, and
    /// as a whole where that leaves a doubt.
    ///
    /// # Errors
    /// As [`Planner::plan_for`].
    pub fn plan_following<D: Director + ?Sized>(
        &self,
        director: &mut D,
        follower: &mut Follower,
        wanted: &Table,
    ) -> Result<Plan> {
        let mut attempts = 1;
        loop {
            match self.read_and_plan(director, follower, wanted) {
                Err(error) if attempts < ATTEMPTS && is_of_a_changing_table(&error) => {
                    follower.forget();
                    attempts += 1;
                }
                result => return result,
            }
        }
    }

    /// Plans as [`Planner::plan_for`] does and applies the plan, see [`reconcile`].
    ///
    /// # Errors
    /// Those of [`reconcile`].
    pub fn reconcile<D: Director + ?Sized>(
        &self,
        director: &mut D,
        wanted: &Table,
        on_failure: OnFailure,
    ) -> Result<Applied> {
        self.reconcile_following(director, &mut Follower::new(), wanted, on_failure)
    }

    /// The same for those who reconcile again and again, see [`Planner::plan_following`]. After a
    /// step that was refused, the follower's next reading is a whole one: then somebody else was at
    /// the table.
    ///
    /// ```
    /// use lvs_core::director::Follower;
    /// use lvs_core::embedded::EmbeddedDirector;
    /// use lvs_core::model::Table;
    /// use lvs_core::plan::{OnFailure, Planner, Scope};
    ///
    /// let (mut director, mut follower) = (EmbeddedDirector::new(), Follower::new());
    /// let planner = Planner::new(&Scope::all());
    /// for rules in ["-A -t 192.0.2.1:80", "-A -t 192.0.2.1:80 -s rr", "-A -t 192.0.2.1:80 -s rr"] {
    ///     let wanted: Table = lvs_core::rules::parse(rules)?.to_table()?;
    ///     planner.reconcile_following(&mut director, &mut follower, &wanted, OnFailure::Keep)?;
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`reconcile`].
    pub fn reconcile_following<D: Director + ?Sized>(
        &self,
        director: &mut D,
        follower: &mut Follower,
        wanted: &Table,
        on_failure: OnFailure,
    ) -> Result<Applied> {
        let plan = self.plan_following(director, follower, wanted)?;
        let outcome = plan.apply(director, on_failure);
        if !outcome.is_complete() || plan.changes_what_may_be_hidden() {
            follower.forget();
        }
        if outcome.is_complete() { Ok(Applied { plan }) } else { Err(Incomplete::new(plan, outcome).into()) }
    }

    fn read_and_plan<D: Director + ?Sized>(
        &self,
        director: &mut D,
        follower: &mut Follower,
        wanted: &Table,
    ) -> Result<Plan> {
        let mut current = follower.read(director)?.try_to_table()?;
        confirm(director, &mut current, wanted)?;
        if self.checks {
            check_schedulers(director, &current, wanted)?;
        }
        Ok(self.plan(&current, wanted)?)
    }

    fn scope_for(&self, current: &Table, wanted: &Table) -> Result<Scope, PlanError> {
        let Some(owner) = &self.owner else { return Ok(self.scope.clone()) };
        let present = memory::set(current.services.iter().map(|entry| entry.service.key()))?;
        let keys = || wanted.services.iter().map(|entry| entry.service.key());
        let foreign = keys().find(|key| present.contains(key) && !owner.owns(key));
        match foreign {
            Some(service) if !self.adopts => Err(PlanError::NotOwned { service, owner: owner.name().to_owned() }),
            _ => Ok(self.scope.clone().or(Scope::services(keys()))),
        }
    }
}

/// Puts a table in force: reads what the director holds now, plans the difference and applies it.
///
/// Returns the plan, every step of which has taken effect. Running it again after any interruption,
/// even of the whole process, goes on from wherever the table is.
///
/// # Errors
/// When the director cannot be read, when the table cannot be planned
/// ([`Error::Plan`](crate::Error::Plan); [`PlanError::Incomplete`] when something is to be removed
/// and the table changed all the while, however often it was read), and when not every step took
/// effect: [`Error::Incomplete`](crate::Error::Incomplete) holds the plan and its outcome.
pub fn reconcile<D: Director + ?Sized>(
    director: &mut D,
    wanted: &Table,
    scope: &Scope,
    on_failure: OnFailure,
) -> Result<Applied> {
    Planner::new(scope).reconcile(director, wanted, on_failure)
}

/// The director has the schedulers that it does not use yet.
fn check_schedulers<D: Director + ?Sized>(director: &mut D, current: &Table, wanted: &Table) -> Result<()> {
    let used = memory::set(current.services.iter().map(|entry| entry.service.scheduler))?;
    let services = wanted.services.iter().map(|entry| &entry.service);
    let findings = lint::lacking_schedulers(director, services.filter(|service| !used.contains(&service.scheduler)))?;
    if findings.is_empty() { Ok(()) } else { Err(PlanError::Flawed(findings).into()) }
}

/// Nothing is named twice.
fn check_names(wanted: &Table) -> Result<(), PlanError> {
    if let Some(key) = named_twice(&wanted.services, |entry| entry.service.key())? {
        return Err(PlanError::DuplicateService(key));
    }
    for entry in &wanted.services {
        if let Some(twice) = named_twice(&entry.destinations, |server| server.key)? {
            return Err(PlanError::DuplicateDestination(entry.service.key(), twice));
        }
    }
    match named_twice(&wanted.daemons, |daemon| daemon.role)? {
        Some(role) => Err(PlanError::DuplicateDaemon(role)),
        None => Ok(()),
    }
}

/// The first key that an earlier item has, too.
fn named_twice<T, K: Copy + Eq + Hash>(items: &[T], key: impl Fn(&T) -> K) -> Result<Option<K>, TryReserveError> {
    /// Up to this many items are compared each with each.
    const FEW: usize = 8;
    if items.len() <= FEW {
        let mut keys = items.iter().map(&key).enumerate();
        let found = keys.find(|(index, wanted)| items[..*index].iter().any(|item| key(item) == *wanted));
        return Ok(found.map(|found| found.1));
    }
    let mut seen: HashSet<K, Seedless> = HashSet::with_hasher(Seedless);
    seen.try_reserve(items.len())?;
    Ok(items.iter().map(key).find(|key| !seen.insert(*key)))
}

fn check_scope(wanted: &Table, scope: &Scope) -> Result<(), PlanError> {
    let mut keys = wanted.services.iter().map(|entry| entry.service.key());
    if let Some(key) = keys.find(|key| !scope.owns(key)) {
        return Err(PlanError::OutOfScope(key));
    }
    if wanted.timeouts.is_some() && !scope.owns_timeouts() {
        return Err(PlanError::TimeoutsOutOfScope);
    }
    match wanted.daemons.first() {
        Some(daemon) if !scope.owns_daemons() => Err(PlanError::DaemonOutOfScope(daemon.role)),
        _ => Ok(()),
    }
}

/// Whether the kernel would take the weight.
const fn has_usual_weight(server: &Destination) -> bool {
    server.weight <= i32::MAX as u32
}

/// Nothing that would be added or changed has a flaw. What is there already is left in peace.
fn check_changes(current: &Table, wanted: &Table) -> Result<(), PlanError> {
    let present = memory::map(current.services.iter().map(|entry| (entry.service.key(), entry)))?;
    let mut findings = Vec::new();
    for entry in &wanted.services {
        let key = entry.service.key();
        let old = present.get(&key);
        if old.is_some_and(|old| **old == *entry && entry.destinations.iter().all(has_usual_weight)) {
            continue;
        }
        if old.is_none_or(|old| old.service != entry.service) {
            let flaws = lint::service(&entry.service).into_iter();
            findings.extend(flaws.map(|flaw| Finding { service: Some(key), destination: None, flaw }));
        }
        let servers = old.into_iter().flat_map(|old| &old.destinations).map(|server| (server.key, server));
        let servers = memory::map(servers)?;
        for server in &entry.destinations {
            // A weight is no reason to look again at the rest: quiescing a flawed server must stay
            // possible.
            let is_known = |old: &&Destination| old.with_weight(server.weight) == *server;
            if servers.get(&server.key).is_none_or(|old| !is_known(old)) || !has_usual_weight(server) {
                let flaws = lint::destination(&entry.service, server).into_iter();
                findings.extend(flaws.map(|flaw| Finding { service: Some(key), destination: Some(server.key), flaw }));
            }
        }
    }
    let (timeouts, mixed) = lint::of_no_service(wanted);
    findings.extend(timeouts.into_iter().chain(mixed));
    if findings.is_empty() { Ok(()) } else { Err(PlanError::Flawed(findings)) }
}
