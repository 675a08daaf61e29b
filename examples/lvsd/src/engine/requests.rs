use std::time::Duration;

use super::drains::name;
use super::{Engine, Moment};
use crate::control::server::Page;
use crate::control::{Changed, Draining, Findings, History, Operations, Refused, Reply, Request};
use crate::text;
use lvs_core::lint;
use lvs_core::plan::Place;
use lvs_core::preflight::{self, ThisHost};

/// For how long a page of metrics serves everybody.
const PAGE_AGE: Duration = Duration::from_secs(1);

impl Engine {
    /// The page of metrics, made at most once a second.
    fn page(&mut self, moment: Moment) -> Result<Page, String> {
        if let Some((made, page)) = &self.page
            && moment.now < *made + PAGE_AGE
        {
            return Ok(page.clone());
        }
        let page = Page::new(self.metrics(moment)?);
        self.page = Some((moment.now, page.clone()));
        Ok(page)
    }

    /// Does what is asked for. `Reload` and `Stop` are the driver's: it reads the file, and ends.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn handle(&mut self, request: Request, moment: Moment) -> Result<Reply, Refused> {
        let servers =
            |servers: Vec<super::Server>| Reply::Changed(Changed { servers: servers.into_iter().map(name).collect() });
        let reply = match request {
            Request::Status => Reply::Status(self.status(moment)),
            Request::Plan => {
                let plan = self.plan(moment).map_err(Refused::new)?;
                let operations = plan.operations().map(ToString::to_string).collect();
                Reply::Plan(Operations { operations, rules: text::plan(&plan) })
            }
            Request::History => Reply::History(History { events: self.journal.kept().cloned().collect() }),
            Request::Metrics => Reply::Metrics(self.page(moment).map_err(Refused::new)?),
            Request::Check => {
                let table = self.cluster.table();
                let mut findings = match self.ownership.place() {
                    // An embedded director needs nothing of this host.
                    Place::Embedded(_) => Vec::new(),
                    _ => preflight::director(&table, &ThisHost),
                };
                let lacking = lint::schedulers(&mut *self.director, &table).map_err(Refused::new)?;
                findings.extend(lacking.into_iter().map(Into::into));
                Reply::Findings(Findings::new(findings))
            }
            Request::Drain(spec) => Reply::Draining(Draining { id: self.drain(spec, moment).map_err(Refused::new)? }),
            Request::Undrain(what) => {
                let target = what.target().map_err(Refused::new)?;
                servers(self.undrain(target, moment).map_err(Refused::new)?)
            }
            Request::Override(spec) => servers(self.set_override(&spec, moment).map_err(Refused::new)?),
            Request::Stop => Reply::Stopped(self.withdraw(moment)),
            Request::Reload => return Err(Refused::new("the file is read by the daemon")),
        };
        self.save_if_dirty(moment);
        Ok(reply)
    }
}
