//! Our listings of a running kernel against `ipvsadm`'s, after real traffic.
//!
//! `LVS_RECORD_LISTING=FILE` writes what was compared, for `data/listing`.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod busy_kernel;
mod listing_case;

use std::process::Command;

use busy_kernel::{in_new_namespace, make};
use listing_case::{Case, Names, all_listings, answers, ours};
use lvs_core::Director;
use lvs_core::kernel::KernelDirector;
use lvs_core::model::{Daemon, DaemonRole, DestinationKey, ServiceKey};
use lvs_core::procfs::{ProcFile, Procfs, Sysctl, Sysctls};

/// What `ipvsadm` prints, and what we print of the same moment.
fn both(director: &mut KernelDirector, arguments: &str) -> (String, String) {
    let read = || std::fs::read(Procfs::current().path(ProcFile::Connections)).unwrap();
    let mut last = None;
    // Connections expire meanwhile, and their seconds run.
    for _ in 0..50 {
        let before = (director.snapshot().unwrap(), read());
        let theirs = Command::new("ipvsadm").args(arguments.split(' ')).output().unwrap();
        assert!(theirs.status.success() && theirs.stderr.is_empty(), "{arguments}");
        let after = (director.snapshot().unwrap(), read());
        let theirs = String::from_utf8(theirs.stdout).unwrap();
        let same = if arguments.contains(" -c") { before == after } else { before.0 == after.0 };
        let ours = ours(arguments, &before.0, &before.1, &Names::default());
        if same {
            return (theirs, ours);
        }
        last = Some((theirs, ours));
    }
    last.unwrap()
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn listings_are_those_of_ipvsadm() {
    in_new_namespace(|| {
        let _traffic = make();
        let mut director = KernelDirector::open().unwrap();
        // Two estimations, so that counters and rates are there; then they stand still.
        std::thread::sleep(std::time::Duration::from_secs(5));
        Sysctls::new().set(Sysctl::RunEstimation, &false.into()).unwrap();
        let snapshot = director.snapshot().unwrap();
        assert!(snapshot.services.iter().any(|service| service.entry.statistics().rates.bytes_in > 0));

        let mut commands = Vec::new();
        for arguments in all_listings(&snapshot, false) {
            let (theirs, ours) = both(&mut director, &arguments);
            assert_eq!(ours, theirs, "{arguments}");
            assert_eq!(theirs.is_empty(), arguments == "-L --daemon", "{arguments}");
            commands.push((arguments, theirs));
        }
        assert!(commands.len() > 30);
        if let Ok(path) = std::env::var("LVS_RECORD_LISTING") {
            let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
            let text =
                String::from_utf8(std::fs::read(Procfs::current().path(ProcFile::Connections)).unwrap()).unwrap();
            // Recorded with one moment's answers: kept are the listings of that moment.
            let snapshot = director.snapshot().unwrap();
            commands.retain(|(arguments, theirs)| {
                ours(arguments, &snapshot, text.as_bytes(), &Names::default()) == *theirs
            });
            let case = Case {
                comment: format!("Linux {}, ipvsadm 1.31, after real traffic.", release.trim()),
                answers: answers(&snapshot),
                rows: text.lines().skip(1).map(str::to_owned).collect(),
                names: Names::default(),
                commands,
            };
            std::fs::write(path, case.print()).unwrap();
        }
        daemons(&mut director);
    });
}

/// Sync daemons and destinations of the other family exclude each other (`ip_vs_ctl.c`).
fn daemons(director: &mut KernelDirector) {
    let key: ServiceKey = "udp://[fe80::1]:80".parse().unwrap();
    director.remove_destination(&key, &DestinationKey::new("198.51.100.8".parse().unwrap(), 80)).unwrap();
    for (role, expected) in [(DaemonRole::Master, 1), (DaemonRole::Backup, 2)] {
        director.start_daemon(&Daemon::new(role, "dummy0".parse().unwrap(), 7)).unwrap();
        let (theirs, ours) = both(director, "-L --daemon");
        assert_eq!(ours, theirs);
        assert_eq!(ours.lines().count(), expected);
    }
    for role in [DaemonRole::Master, DaemonRole::Backup] {
        director.stop_daemon(role).unwrap();
    }
}
