//! What a cluster needs of this host beside its table: marks on packets, and sysctls.

use crate::config::Cluster;
use crate::daemon::Tools;
use crate::engine::Server;
use crate::marks::{Mark, Marks};
use crate::{conntrack, sysctl};

/// Whether IPVS keeps its flows in connection tracking.
const CONNTRACK: &str = "net.ipv4.vs.conntrack";

/// This host, as far as a cluster changes it.
#[derive(Debug)]
pub struct System(Option<Host>);

#[derive(Debug)]
struct Host {
    tools: Tools,
    marks: Marks,
    /// Where the packets of marks went when they were last set.
    marked: Vec<Mark>,
}

impl System {
    /// This host; without tools, as with a table in a file, nothing is changed.
    pub fn new(tools: Option<Tools>, instance: &str) -> Self {
        Self(tools.map(|tools| Host { marks: Marks::new(tools.clone(), instance), tools, marked: Vec::new() }))
    }

    /// Whether the host would take it.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn check(&self, cluster: &Cluster) -> Result<(), String> {
        let Some(Host { marks, .. }) = &self.0 else { return Ok(()) };
        for (name, _) in &cluster.sysctls {
            sysctl::read(name).map_err(|error| format!("sysctl {name}: {error}"))?;
        }
        marks.check(&cluster.marks)
    }

    /// Sets what the cluster wants; returns what could not be set, in words.
    pub fn put(&mut self, cluster: &Cluster) -> Vec<String> {
        let Some(Host { marks, marked, .. }) = &mut self.0 else {
            let wanted = !cluster.marks.is_empty() || !cluster.sysctls.is_empty();
            return wanted
                .then(|| "with a table in a file, no marks and sysctls are set".to_owned())
                .into_iter()
                .collect();
        };
        marked.clone_from(&cluster.marks);
        let mut problems: Vec<String> = marks.put(&cluster.marks).err().into_iter().collect();
        for (name, value) in &cluster.sysctls {
            match set(name, value) {
                Ok(None) => {}
                Ok(Some(before)) => tracing::info!("sysctl {name} = {value}, was {before}"),
                Err(error) => problems.push(format!("sysctl {name} = {value}: {error}")),
            }
        }
        problems
    }

    /// Looks whether others have taken the marks away; says whether they had.
    ///
    /// # Errors
    /// Why they could not be set again.
    pub fn look(&mut self) -> Result<bool, String> {
        self.0.as_mut().map_or(Ok(false), |host| host.marks.look())
    }

    /// Takes the marks away. Sysctls stay: nobody knows who relies on them by now.
    ///
    /// # Errors
    /// Why they are still there.
    pub fn withdraw(&mut self) -> Result<(), String> {
        self.0.as_mut().map_or(Ok(()), |host| host.marks.put(&[]))
    }

    /// Removes what connection tracking knows of UDP servers that were taken out of the table, if
    /// IPVS keeps its flows there. It is done in the background; failures are logged.
    pub fn forget(&self, removed: &[Server]) {
        let Some(Host { tools, marked, .. }) = &self.0 else { return };
        if removed.is_empty() || !sysctl::read(CONNTRACK).is_ok_and(|value| value.trim() != "0") {
            return;
        }
        for argv in removed.iter().flat_map(|server| conntrack::commands(*server, marked)) {
            tools.run_later(argv, conntrack::NONE);
        }
    }

    /// Waits for what is done in the background.
    pub fn finish(&self) {
        if let Some(Host { tools, .. }) = &self.0 {
            // Jobs are done in their order; the thread needs nothing more.
            let _ = tools.settle();
        }
    }
}

/// Sets a sysctl that is another; returns what it was.
fn set(name: &str, value: &str) -> std::io::Result<Option<String>> {
    let before = sysctl::read(name)?;
    // The kernel separates values by tabs.
    if before.split_whitespace().eq(value.split_whitespace()) {
        return Ok(None);
    }
    sysctl::write(name, value)?;
    Ok(Some(before))
}
