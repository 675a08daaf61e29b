//! Who else on this host changes IPVS tables.

use std::fs;

/// Programs that do, by the name of their processes.
const PROGRAMS: [&str; 6] = ["keepalived", "kube-proxy", "ldirectord", "kube-router", "dockerd", "lvsd"];

/// Those of them that run, but for this process.
pub(crate) fn likely() -> Vec<&'static str> {
    let own = std::process::id().to_string();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<&'static str> = processes
        .flatten()
        .filter(|entry| entry.file_name().to_str().is_some_and(|pid| pid != own))
        .filter_map(|entry| fs::read_to_string(entry.path().join("comm")).ok())
        .filter_map(|name| PROGRAMS.into_iter().find(|program| name.trim_end() == *program))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
