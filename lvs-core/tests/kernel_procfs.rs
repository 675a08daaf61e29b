//! The files of a running kernel: all of them are understood, and written again byte for byte.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod busy_kernel;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use busy_kernel::{in_new_namespace, load, make};
use lvs_core::connections::{ConnectionFilter, ConnectionSums};
use lvs_core::director::Cause;
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::kernel::KernelDirector;
use lvs_core::model::{ConnectionTarget, Protocol, ServiceKey, Stats};
use lvs_core::procfs::{
    Connections, HelperReader, PerCpuReader, PerCpuRow, ProcFile, Procfs, Sysctl, SysctlRange, SysctlValue, Sysctls,
    TableReader, TableRow, read_stats, read_status, write_connection, write_connections_header, write_helpers,
    write_per_cpu_stats, write_stats, write_status, write_synced_connection, write_synced_connections_header,
    write_table, write_table_header, write_table_row,
};
use lvs_core::schedulers::Profile;
use lvs_core::{Director, Error};

fn file(file: ProcFile) -> String {
    String::from_utf8(std::fs::read(Procfs::current().path(file)).unwrap()).unwrap()
}

fn again(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut text = Vec::new();
    write(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn every_file_is_understood_and_written_again() {
    in_new_namespace(|| {
        let _traffic = make();
        std::thread::sleep(std::time::Duration::from_secs(3));
        connections();
        table();
        statistics();
        let text = file(ProcFile::Helpers);
        let mut rows = HelperReader::new(text.as_bytes());
        let row = rows.next_row().unwrap().unwrap();
        assert_eq!((row.protocol, row.port, row.name), (Protocol::Tcp, 21, "ftp"));
        assert_eq!(again(|out| write_helpers(out, [row]).unwrap()), text);
    });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn how_full_the_tables_are_is_understood_and_written_again() {
    in_new_namespace(|| {
        let status = Procfs::current().status();
        if Profile::of_running_kernel().unwrap() != Profile::Linux7 {
            assert_eq!(status.unwrap_err().kind(), lvs_core::ErrorKind::NotFound);
            return;
        }
        // The totals are estimated from the beginning.
        let fresh = status.unwrap();
        assert_eq!(fresh, EmbeddedDirector::options().profile(Profile::Linux7).build().status(), "a fresh namespace");
        let _traffic = make();
        std::thread::sleep(std::time::Duration::from_secs(1));
        let text = file(ProcFile::Status);
        println!("{text}");
        let status = read_status(text.as_bytes()).unwrap();
        assert_eq!(again(|out| write_status(out, &status).unwrap()), text);
        assert!(status.connections.entries > 0 && status.connections.lengths.is_some(), "{status:?}");
        assert!(status.services.buckets >= 16 && status.services.lfactor == -2, "{status:?}");
        let rows = Connections::new(file(ProcFile::Connections).as_bytes()).count() as u64;
        assert_eq!(status.connections.entries, rows);
    });
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn connections_of_a_table_that_is_rebuilt_under_the_reader_are_an_error() {
    in_new_namespace(|| {
        let _traffic = make();
        let mut director = KernelDirector::open().unwrap();
        let mut read = |on_first: &mut dyn FnMut()| {
            let mut rows = 0;
            let result = director.visit_connections(&mut |_| {
                if rows == 0 {
                    on_first();
                }
                rows += 1;
                ControlFlow::Continue(())
            });
            (rows, result)
        };
        let (rows, result) = read(&mut || {});
        assert!(rows > 0 && result.is_ok(), "{rows} {result:?}");
        if Profile::of_running_kernel().unwrap() != Profile::Linux7 {
            return;
        }
        let size = || TableReader::new(file(ProcFile::Table).as_bytes()).header().unwrap().connection_table_size;
        let before = size();
        let (_, result) = read(&mut || {
            std::fs::write("/proc/sys/net/ipv4/vs/conn_lfactor", "-8").unwrap();
            while size() == before {
                std::thread::sleep(std::time::Duration::from_millis(4));
            }
        });
        let Err(Error::Refused(error)) = result else { panic!("{result:?}") };
        assert_eq!(error.cause, Cause::Changing);
        assert!(read(&mut || {}).1.is_ok(), "at rest again");
    });
}

fn connections() {
    let text = file(ProcFile::Connections);
    let mut kinds = BTreeSet::new();
    let mut sums = ConnectionSums::new();
    let written = again(|out| {
        write_connections_header(out).unwrap();
        for connection in Connections::new(text.as_bytes()) {
            let connection = connection.unwrap();
            sums.add(&connection);
            let mark = matches!(connection.target, ConnectionTarget::Fwmark(_));
            let family = connection.family().to_string();
            kinds.insert(format!(
                "{}{}{} {family}",
                if mark { "mark".to_owned() } else { connection.protocol.to_string() },
                if connection.is_template() { " template" } else { "" },
                if connection.engine.is_some() { " engine" } else { "" }
            ));
            write_connection(out, &connection).unwrap();
        }
    });
    assert_eq!(written, text);
    for kind in [
        "tcp ipv4",
        "tcp ipv6",
        "udp ipv4",
        "udp ipv6",
        "sctp ipv4",
        "tcp template ipv4",
        "tcp template ipv6",
        "udp template engine ipv4",
        "mark template ipv4",
        "mark template ipv6",
    ] {
        assert!(kinds.contains(kind), "{kind} is not among {kinds:?}");
    }

    // What the file says and what the kernel counts at its destinations is the same.
    let key = ServiceKey::tcp("192.0.2.1", 80).unwrap();
    let filter = ConnectionFilter::new().with_service(&key);
    let mut director = KernelDirector::open().unwrap();
    let counted = |director: &mut KernelDirector| {
        let destinations = director.destinations(&key).unwrap();
        destinations
            .iter()
            .fold((0, 0), |sum, entry| (sum.0 + u64::from(entry.active), sum.1 + u64::from(entry.inactive)))
    };
    let agree = (0..20).any(|_| {
        let text = file(ProcFile::Connections);
        let rows = Connections::new(text.as_bytes()).map(Result::unwrap).filter(|row| filter.matches(row));
        let sums: ConnectionSums = rows.collect();
        let total = sums.total();
        total.active() > 0 && (total.active(), total.inactive()) == counted(&mut director)
    });
    assert!(agree, "{:?} {:?}", sums.targets(), counted(&mut director));

    let text = file(ProcFile::SyncedConnections);
    let written = again(|out| {
        write_synced_connections_header(out).unwrap();
        let mut rows = Procfs::current().synced_connections().unwrap();
        let mut from_file = 0;
        while let Some(row) = rows.next_connection() {
            assert!(row.unwrap().origin.is_some());
            from_file += 1;
        }
        assert!(from_file > 10);
        for connection in Connections::new(text.as_bytes()) {
            write_synced_connection(out, &connection.unwrap()).unwrap();
        }
    });
    assert_eq!(written, text);
}

fn table() {
    let text = file(ProcFile::Table);
    let mut hz = None;
    let written = again(|out| {
        let mut rows = TableReader::new(text.as_bytes());
        write_table_header(out, &rows.header().unwrap()).unwrap();
        while let Some(row) = rows.next_row() {
            let row = row.unwrap();
            // Services that persist for 60 seconds tell how fast the kernel ticks.
            if let TableRow::Service(service) = &row
                && service.scheduler == "wrr"
            {
                hz = Some(service.persistence.unwrap().ticks as u32 / 60);
            }
            write_table_row(out, &row).unwrap();
        }
    });
    assert_eq!(written, text);

    let hz = hz.unwrap();
    let mut director = KernelDirector::open().unwrap();
    let agree = (0..20).any(|_| {
        let snapshot = director.snapshot().unwrap();
        again(|out| write_table(out, &snapshot, hz).unwrap()) == file(ProcFile::Table)
    });
    if !agree {
        let snapshot = director.snapshot().unwrap();
        assert_eq!(again(|out| write_table(out, &snapshot, hz).unwrap()), file(ProcFile::Table));
    }
}

fn statistics() {
    let text = file(ProcFile::Stats);
    let stats = read_stats(text.as_bytes()).unwrap();
    assert!(stats.counters.connections > 10 && stats.counters.bytes_in > 1000, "{stats:?}");
    assert_eq!(again(|out| write_stats(out, &stats).unwrap()), text);

    let text = file(ProcFile::PerCpuStats);
    let (mut cpus, mut stats) = (Vec::new(), Stats::default());
    let mut rows = PerCpuReader::new(text.as_bytes());
    while let Some(row) = rows.next_row() {
        match row.unwrap() {
            PerCpuRow::Cpu { cpu, counters } => cpus.push((cpu, counters)),
            PerCpuRow::Total(counters) => stats.counters = counters,
            PerCpuRow::Rates(rates) => stats.rates = rates,
            _ => unreachable!(),
        }
    }
    let live: u64 = cpus.iter().map(|(_, counters)| counters.connections).sum();
    assert!(live >= stats.counters.connections, "{text}");
    assert_eq!(again(|out| write_per_cpu_stats(out, cpus, &stats).unwrap()), text);
}

/// Values at the ends of a range, and just outside of it.
fn ends(range: SysctlRange) -> (Vec<SysctlValue>, Vec<String>) {
    let text = |values: &[i64]| values.iter().map(i64::to_string).collect();
    match range {
        SysctlRange::Int { min, max } => {
            (vec![min.into(), max.into()], text(&[i64::from(min) - 1, i64::from(max) + 1]))
        }
        SysctlRange::PowerOfTwo => (vec![1.into(), (1 << 30).into()], text(&[-1, 0, 3, 1 << 31])),
        // At 1000 Hz, so that every kernel takes it; and what none takes.
        SysctlRange::Seconds { .. } => {
            (vec![2_147_483.into(), (-2_147_483).into()], text(&[i64::from(i32::MAX), i64::from(i32::MIN)]))
        }
        SysctlRange::Long => {
            (vec![SysctlValue::Long(0), SysctlValue::Long(u64::MAX)], vec!["-1".into(), "18446744073709551616".into()])
        }
        SysctlRange::Threshold => (
            [(0, 0), (4, 0), (i32::MAX - 1, i32::MAX), (i32::MAX, 0)]
                .map(|(threshold, period)| SysctlValue::Threshold { threshold, period })
                .into(),
            ["5 5", "6 5", "-1 5", "3 -1", "2147483648 0"].map(str::to_owned).into(),
        ),
        SysctlRange::Cpus => (vec![SysctlValue::Cpus("0".into())], vec!["x".into()]),
        other => panic!("{other:?}"),
    }
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn every_tunable_takes_the_ends_of_its_range_and_nothing_outside() {
    in_new_namespace(|| {
        load(&["ip_vs_lblc", "ip_vs_lblcr"]);
        let tunables = Sysctls::new();
        let names = tunables.names().unwrap();
        assert!(names.len() >= 29, "{names:?}");
        for name in &names {
            let Ok(sysctl) = name.parse::<Sysctl>() else {
                // Only where the kernel was built for debugging; of all namespaces together.
                assert_eq!((name.as_str(), tunables.get_raw(name).unwrap().as_str()), ("debug_level", "0"));
                continue;
            };
            let before = tunables.get(sysctl).unwrap();
            if let Some(default) = sysctl.info().default_elsewhere.or(sysctl.info().default) {
                assert_eq!(tunables.get_raw(name).unwrap(), default, "{name}");
            }
            let (inside, outside) = ends(sysctl.info().range);
            for value in inside {
                tunables.set(sysctl, &value).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(tunables.get(sysctl).unwrap(), value, "{name}");
            }
            for text in outside {
                let error = tunables.set_raw(name, &text).expect_err(&format!("{name} takes {text}"));
                assert_eq!(error.errno(), Some(lvs_core::Errno::EINVAL), "{error}");
            }
            tunables.set(sysctl, &before).unwrap();
        }
        let missing: Vec<_> = Sysctl::ALL.iter().filter(|sysctl| !names.contains(&sysctl.name().to_owned())).collect();
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        let mut numbers = release.split(['.', '-', '+', '\n']).map_while(|word| word.parse::<u8>().ok());
        let running = (numbers.next().unwrap(), numbers.next().unwrap());
        let later = |sysctl: &&Sysctl| sysctl.info().since.is_some_and(|since| since > running);
        assert_eq!(missing, Sysctl::ALL.iter().filter(later).collect::<Vec<_>>());
        for sysctl in missing {
            assert_eq!(tunables.get(*sysctl).unwrap_err().kind(), lvs_core::ErrorKind::NotFound);
        }
    });
}
