//! The cluster on the embedded director, with time and crashes of the test's making.

mod crash;
mod hands;
mod model;
mod operators;
mod reload;
mod storm;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use lvs_core::director::{BatchReport, OnRefusal, Operation};
use lvs_core::embedded::EmbeddedDirector;

use super::*;
use crate::control::{DrainSpec, Force, OverrideSpec, Reply, Request, Selection};
use crate::instance::Identity;
use crate::state::Loaded;

/// How many more effects the process has before it is killed.
type Fuse = Rc<Cell<u64>>;

/// A table that outlives the process that works on it.
#[derive(Clone)]
struct Shared {
    director: Rc<RefCell<EmbeddedDirector>>,
    fuse: Fuse,
}

impl Director for Shared {
    lvs_core::delegate_director!(self => *self.director.borrow_mut(); info, services, service, destinations, snapshot, timeouts,
        daemons, visit_connections, visit_connection_origins, totals, status, profile, has_scheduler, sysctl_names, sysctl, set_sysctl);

    /// Operations happen one after the other; those after the kill do not.
    fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
        let left = usize::try_from(self.fuse.get()).unwrap_or(usize::MAX).min(operations.len());
        self.fuse.set(self.fuse.get() - left as u64);
        let mut report = self.director.borrow_mut().apply(&operations[..left], on_refusal);
        if left < operations.len() {
            report.interrupted = Some(lvs_core::Error::io("go on", std::io::Error::other("killed")));
        }
        report
    }
}

/// A disk that keeps state as text.
#[derive(Clone)]
struct Disk {
    text: Rc<RefCell<Option<String>>>,
    fuse: Fuse,
    full: Rc<Cell<bool>>,
}

impl Store for Disk {
    fn save(&mut self, state: &State) -> std::io::Result<()> {
        if self.fuse.get() == 0 {
            return Err(std::io::Error::other("killed"));
        }
        if self.full.get() {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        self.fuse.set(self.fuse.get() - 1);
        *self.text.borrow_mut() = Some(serde_json::to_string(state).unwrap());
        Ok(())
    }
}

/// A machine: its table, its disk, its clock.
struct Machine {
    table: Rc<RefCell<EmbeddedDirector>>,
    disk: Rc<RefCell<Option<String>>>,
    fuse: Fuse,
    /// Whether the disk is full.
    full: Rc<Cell<bool>>,
    unix: u64,
}

const FOREVER: u64 = u64::MAX;

impl Machine {
    fn new() -> Self {
        Self {
            table: Rc::new(RefCell::new(EmbeddedDirector::new())),
            disk: Rc::default(),
            fuse: Rc::new(Cell::new(FOREVER)),
            full: Rc::default(),
            unix: 1_700_000_000,
        }
    }

    fn try_start(&mut self, text: &str) -> Result<Run, StartError> {
        let loaded = match &*self.disk.borrow() {
            None => Loaded::Absent,
            Some(text) => match serde_json::from_str(text) {
                Ok(state) => Loaded::State(Box::new(state)),
                Err(error) => Loaded::Damaged { moved_to: "/elsewhere".into(), reason: error.to_string() },
            },
        };
        let identity = Identity { cluster: "/etc/lvs/web.toml".into(), table: String::new() };
        let setup = Setup {
            instance: Instance { name: "web".to_owned(), identity },
            place: lvs_core::plan::Place::kernel("here"),
            director: Box::new(Shared { director: Rc::clone(&self.table), fuse: Rc::clone(&self.fuse) }),
            store: Box::new(Disk {
                text: Rc::clone(&self.disk),
                fuse: Rc::clone(&self.fuse),
                full: Rc::clone(&self.full),
            }),
            resync: Duration::from_secs(10),
            adopt: false,
            whole: false,
        };
        let moment = Moment { now: Duration::ZERO, unix: self.unix };
        let (engine, _) = Engine::start(setup, Cluster::parse(text).unwrap(), loaded, moment)?;
        Ok(Run { engine, moment })
    }

    fn start(&mut self, text: &str) -> Run {
        self.try_start(text).unwrap()
    }

    /// The table as `SERVICE SERVER=WEIGHT ...`, sorted.
    fn table(&self) -> Vec<String> {
        let table = self.table.borrow_mut().snapshot().unwrap().to_table();
        let mut lines: Vec<_> = table
            .services
            .iter()
            .map(|entry| {
                let mut servers: Vec<_> =
                    entry.destinations.iter().map(|server| format!("{}={}", server.key.addr, server.weight)).collect();
                servers.sort();
                format!("{} {}", entry.service.key().port(), servers.join(" "))
            })
            .collect();
        lines.sort();
        lines
    }
}

/// A run of the daemon.
struct Run {
    engine: Engine,
    moment: Moment,
}

impl Run {
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.moment.now += Duration::from_secs(1);
            self.moment.unix += 1;
            self.engine.flush(self.moment);
        }
    }

    fn check(&mut self, server: u8, outcome: Outcome) {
        let servers = self.engine.servers_of(lvs_core::drain::DrainTarget::RealServer([198, 51, 100, server].into()));
        for server in servers {
            self.engine.report(server, outcome.clone(), self.moment);
        }
        self.engine.flush(self.moment);
    }

    /// As many failures as it takes.
    fn kill(&mut self, server: u8) {
        for _ in 0..3 {
            self.check(server, Outcome::Down("refused".to_owned()));
        }
    }

    fn reload(&mut self, text: &str) -> Result<crate::control::Reloaded, Refused> {
        self.engine.reload(Cluster::parse(text).unwrap(), self.moment)
    }

    fn ask(&mut self, request: Request) -> Result<Reply, Refused> {
        self.engine.handle(request, self.moment)
    }

    fn kinds(&mut self) -> Vec<EventKind> {
        self.engine.journal.take().into_iter().map(|event| event.kind).collect()
    }
}

fn host(last: u8) -> Selection {
    Selection { host: Some([198, 51, 100, last].into()), ..Selection::default() }
}

/// A service on a port of the VIP with servers and weights, all of them checked.
fn service(port: u16, settings: &str, servers: &[(u8, u32)]) -> String {
    let mut text = format!(
        "[[service]]\naddress = \"tcp 192.0.2.1:{port}\"\nscheduler = \"rr\"\nforwarding = \"masquerade\"\n\
         check = {{ tcp = {{}} }}\n{settings}\n"
    );
    for (last, weight) in servers {
        text += &format!("[[service.server]]\naddress = \"198.51.100.{last}\"\nweight = {weight}\n");
    }
    text
}
