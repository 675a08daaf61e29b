//! From what a director holds to what it should hold, in steps that keep serving.
//!
//! [`Plan::between`] compares two tables and gives the smallest list of operations that turns one
//! into the other, in an order that never takes a server away before its replacement is there.
//! [`Plan::apply`] carries it out in batches; a step that the director refuses holds up what
//! depends on it in its own service, and the caller chooses whether the steps done stay or are
//! undone ([`OnFailure`]). [`reconcile`] does both against what the director holds at that moment:
//! restoring a file this way never empties the table, and what somebody else removed by hand comes
//! back.
//!
//! A plan touches only what its [`Scope`] owns: services of other programs stay as they are, and so
//! do timeouts and daemons unless the scope owns them. A program that has to know its own services
//! after a restart keeps an [`Ownership`] record; [`Planner`] then refuses to take over what
//! belongs to somebody else unless told to adopt it. [`Plan::rollback`] goes back to a snapshot
//! within a scope.
//!
//! What cannot work is an error before anything is touched, see [`lint`](crate::lint); so is a
//! table without services that would remove everything, see [`Planner::removing_all`].
//!
//! What a plan does not do: it does not put destinations in a certain order (the kernel lists the
//! one added last first, and round robin walks that list), and it does not wait for connections to
//! end; for that see [`drain`](crate::drain).
//!
//! ```
//! use lvs_core::model::{Destination, Service, ServiceKey, Table, TableService};
//! use lvs_core::plan::{Plan, Scope};
//!
//! let mut now = Table::new();
//! let mut web = TableService::new(Service::new(ServiceKey::tcp("192.0.2.1", 80)?));
//! web.destinations.push(Destination::new("198.51.100.7".parse()?, 80));
//! now.services.push(web);
//!
//! let mut wanted = now.clone();
//! wanted.services[0].destinations = vec![Destination::new("198.51.100.8".parse()?, 80)];
//!
//! let plan = Plan::between(&now, &wanted, &Scope::all())?;
//! let steps: Vec<_> = plan.operations().map(|operation| operation.to_string()).collect();
//! assert_eq!(steps, [
//!     "add destination 198.51.100.8:80 to tcp://192.0.2.1:80",
//!     "remove destination 198.51.100.7:80 from tcp://192.0.2.1:80",
//! ]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apply;
mod confirm;
mod diff;
pub(crate) mod display;
mod error;
mod outcome;
mod ownership;
mod planner;
mod scope;

pub use diff::{Phase, Plan, Step};
pub use error::PlanError;
pub use outcome::{Applied, Held, Incomplete, OnFailure, Outcome};
pub use ownership::{Ownership, OwnershipError, Place};
pub use planner::{Planner, reconcile};
pub use scope::Scope;
