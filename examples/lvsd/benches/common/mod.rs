//! What the benches have in common.
#![allow(dead_code, reason = "not every bench uses all of it")]

use std::time::Duration;

use lvs_core::embedded::EmbeddedDirector;
use lvsd::config::Cluster;
use lvsd::control::Refused;
use lvsd::daemon::Source;
use lvsd::engine::Setup;
use lvsd::instance::{Identity, Instance};
use lvsd::state::{State, Store};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::{ClockId, clock_gettime};

/// Nothing is kept, and nothing is read again: what is measured is the checks.
pub(crate) struct Nowhere;

impl Store for Nowhere {
    fn save(&mut self, _: &State) -> std::io::Result<()> {
        Ok(())
    }
}

impl Source for Nowhere {
    fn load(&mut self) -> Result<Cluster, Refused> {
        Err(Refused::new("there is no file"))
    }
}

/// An instance on an embedded director.
pub(crate) fn setup(store: Box<dyn Store>) -> Setup {
    Setup {
        instance: Instance {
            name: "bench".to_owned(),
            identity: Identity { cluster: "/bench".into(), table: String::new() },
        },
        place: lvs_core::plan::Place::embedded("bench"),
        director: Box::new(EmbeddedDirector::new()),
        store,
        resync: Duration::from_secs(10),
        adopt: false,
        whole: false,
    }
}

/// As many descriptors as this process may have.
pub(crate) fn raise_descriptor_limit() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
}

/// What this thread has used so far.
pub(crate) fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}
