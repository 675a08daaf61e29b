//! The kernel's text files, as captured from running kernels, and made up ones: parsed, written
//! again, compared.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::path::PathBuf;

use lvs_core::model::{AddressFamily, Connection, ConnectionOrigin, ConnectionTarget, Protocol, Stats};
use lvs_core::procfs::{
    ConnectionReader, Connections, HelperReader, PerCpuReader, PerCpuRow, Procfs, TableReader, TableRow, TableTarget,
    parse_connection, read_stats, write_connection, write_connections_header, write_helpers, write_per_cpu_stats,
    write_stats, write_synced_connection, write_synced_connections_header, write_table_header, write_table_row,
};

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/procfs")
}

fn captures() -> Vec<PathBuf> {
    let mut directories: Vec<_> = std::fs::read_dir(data()).unwrap().map(|entry| entry.unwrap().path()).collect();
    directories.retain(|path| path.is_dir());
    directories.sort();
    assert!(directories.len() >= 2, "captures are there");
    directories
}

fn read(directory: &std::path::Path, name: &str) -> String {
    std::fs::read_to_string(directory.join(name)).unwrap()
}

#[test]
fn captured_connections_come_out_as_they_went_in() {
    for directory in captures() {
        let text = read(&directory, "ip_vs_conn");
        let mut again = Vec::new();
        write_connections_header(&mut again).unwrap();
        for connection in Connections::new(text.as_bytes()) {
            write_connection(&mut again, &connection.unwrap()).unwrap();
        }
        assert_eq!(String::from_utf8(again).unwrap(), text);

        let text = read(&directory, "ip_vs_conn_sync");
        let mut again = Vec::new();
        write_synced_connections_header(&mut again).unwrap();
        let mut rows = Procfs::at(&directory).synced_connections().unwrap();
        while let Some(connection) = rows.next_connection() {
            let connection = connection.unwrap();
            assert!(connection.origin.is_some());
            write_synced_connection(&mut again, &connection).unwrap();
        }
        assert_eq!(String::from_utf8(again).unwrap(), text);
    }
}

#[test]
fn captured_tables_come_out_as_they_went_in() {
    for directory in captures() {
        let text = read(&directory, "ip_vs");
        let mut again = Vec::new();
        let mut rows = TableReader::new(text.as_bytes());
        write_table_header(&mut again, &rows.header().unwrap()).unwrap();
        while let Some(row) = rows.next_row() {
            write_table_row(&mut again, &row.unwrap()).unwrap();
        }
        assert_eq!(String::from_utf8(again).unwrap(), text);
    }
}

#[test]
fn captured_statistics_and_helpers_come_out_as_they_went_in() {
    for directory in captures() {
        let text = read(&directory, "ip_vs_stats");
        let mut again = Vec::new();
        write_stats(&mut again, &read_stats(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), text);

        let text = read(&directory, "ip_vs_stats_percpu");
        let mut again = Vec::new();
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
        assert!(!cpus.is_empty());
        write_per_cpu_stats(&mut again, cpus, &stats).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), text);

        let text = read(&directory, "ip_vs_app");
        let mut again = Vec::new();
        let mut rows = HelperReader::new(text.as_bytes());
        let row = rows.next_row().unwrap().unwrap();
        assert_eq!((row.protocol, row.port, row.use_count, row.name), (Protocol::Tcp, 21, 0, "ftp"));
        write_helpers(&mut again, [row]).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), text);
    }
}

fn only(row: &str) -> Connection<'_> {
    let mut rows = Connections::new(row.as_bytes());
    let connection = rows.next().unwrap().unwrap();
    assert!(rows.next().is_none());
    connection
}

#[test]
fn templates_of_marks_show_their_mark_in_both_families() {
    for (row, mark) in [
        ("IP  0A000000 0000 0000004D 0000 0A000002 0000 NONE             59", 77),
        ("IP  0A000000 0000 FFFFFFFF 0000 0A000002 0000 ASSURED          59", u32::MAX),
        (
            "IP  2001:0db8:0000:0000:0000:0000:0000:0000 0000 ffff:fffe:0000:0000:0000:0000:0000:0000 0000 \
             2001:0db8:0000:0000:0000:0000:0000:0009 0000 NONE             59",
            u32::MAX - 1,
        ),
        // Invalidated: both ports are FFFF.
        ("IP  0A000000 0000 0000004D FFFF 0A000002 FFFF NONE             59", 77),
    ] {
        let connection = only(row);
        assert_eq!(connection.target, ConnectionTarget::Fwmark(mark.try_into().unwrap()));
        assert!(connection.is_template());
        let mut again = Vec::new();
        write_connection(&mut again, &connection).unwrap();
        assert_eq!(String::from_utf8(again).unwrap(), format!("{row}\n"));
    }
}

#[test]
fn engine_data_is_kept_byte_by_byte() {
    let mut row = b"UDP 0A000001 0000 0A000001 13C4 0A000002 13C4 NONE             99 sip \x00 a  \xff".to_vec();
    row.resize(row.len() + 249, b'x');
    let connection = parse_connection(&row).unwrap();
    let engine = connection.engine.unwrap();
    assert_eq!(engine.engine, "sip");
    assert!(engine.data.starts_with(b"\x00 a  \xff"));
    assert_eq!(engine.data.len(), 255);
    let mut again = Vec::new();
    write_connection(&mut again, &connection).unwrap();
    row.push(b'\n');
    assert_eq!(again, row);
}

#[test]
fn a_destination_may_be_of_the_other_family() {
    let row = "TCP 0A000001 C350 0A000001 0050 2001:0db8:0000:0000:0000:0000:0000:0009 1F90 ESTABLISHED     899";
    let connection = only(row);
    assert_eq!(connection.destination_addr.to_string(), "2001:db8::9");
    assert_eq!(connection.client_addr.to_string(), "10.0.0.1");
}

#[test]
fn origins_tell_local_from_synchronised() {
    let row = "TCP 0A000001 C350 0A000001 0050 0A000002 1F90 ESTABLISHED SYNC       899";
    assert_eq!(only(row).origin, Some(ConnectionOrigin::Sync));
    assert_eq!(only(&row.replace("SYNC ", "LOCAL")).origin, Some(ConnectionOrigin::Local));
}

#[test]
fn seconds_beyond_their_column_are_read() {
    let row = "TCP 0A000001 C350 0A000001 0050 0A000002 1F90 ESTABLISHED 4294967295";
    assert_eq!(only(row).expires, u32::MAX);
}

#[test]
fn malformed_rows_are_named_by_line_and_column_and_passed_over() {
    let text = "\
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP 0A000001 C350 0A000001 0050 0A000002 1F90 ESTABLISHED     899
TCX 0A000001 C350 0A000001 0050 0A000002 1F90 ESTABLISHED     899
TCP 0A00000G C350 0A000001 0050 0A000002 1F90 ESTABLISHED     899
TCP 0A000001 C3501 0A000001 0050 0A000002 1F90 ESTABLISHED     899
TCP 0A000001 C350 0A000001 0050 0A000002 1F90 ESTABLISHED     8z9
TCP 0A000001 C350 0A000001
TCP 0A000001 C350 0A000001 0050 0A000002 1F90 ESTABLISHED 4294967296

UDP 0A000001 C350 0A000001 0035 0A000002 0035 UDP             299";
    // The blank line, as in a copy out of a mail, is passed over.
    let expected = [
        "line 3, column 1: expected a protocol (what `ipvsadm -Lc` prints is not this file)",
        "line 4, column 5: expected an address in hexadecimal",
        "line 5, column 14: expected a port of four hexadecimal digits",
        "line 6, column 63: expected seconds until it expires",
        "line 7, column 27: expected a port of four hexadecimal digits",
        "line 8, column 59: expected seconds until it expires",
    ]
    .map(|error| format!("ip_vs_conn, {error}"));
    let errors: Vec<_> = Connections::new(text.as_bytes()).filter_map(|row| Some(row.err()?.to_string())).collect();
    assert_eq!(errors, expected);
    let (mut good, mut errors) = (0, Vec::new());
    let mut reader = ConnectionReader::new(text.as_bytes());
    while let Some(row) = reader.next_connection() {
        match row {
            Ok(_) => good += 1,
            Err(error) => errors.push(error.to_string()),
        }
    }
    assert_eq!(good, 2);
    assert_eq!(errors, expected);
}

#[test]
fn table_rows_that_are_none_are_named() {
    let text = "\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0000201:0050 wlc  persistant 75000 FFFFFF00
TCP  C0000201 wlc
FWM  0000004 wlc
TCP  C0000201:0050 wlc  persistent 75000
TCP  C0000201:0050 wlc ops  ops
  -> C6336407:1F90      Masque  1      2          0
  -> C6336407:1F90      Masq    1      2
  -> C6336407:1F90      Masq    1      2          0  0
";
    let mut rows = TableReader::new(text.as_bytes());
    let mut errors = Vec::new();
    while let Some(row) = rows.next_row() {
        errors.push(row.unwrap_err().to_string());
    }
    let expected = [
        "line 4, column 25: expected \"ops\" or \"persistent\"",
        "line 5, column 6: expected an address and port in hexadecimal (what `ipvsadm -L` prints is not this file)",
        "line 6, column 6: expected a firewall mark of eight hexadecimal digits",
        "line 7, column 41: expected a netmask in hexadecimal",
        "line 8, column 29: expected \"persistent\"",
        "line 9, column 25: expected a forwarding method",
        "line 10, column 41: expected a count of inactive connections",
        "line 11, column 54: expected the end of the line",
    ]
    .map(|error| format!("ip_vs, {error}"));
    assert_eq!(errors, expected);
    let error = TableReader::new(&b"IP Virtual Server version 1.2 (size=4096)\n"[..]).header().unwrap_err();
    assert!(error.to_string().starts_with("ip_vs, line 1, column 27: expected \"IP Virtual Server"), "{error}");
}

#[test]
fn a_persistent_row_shows_seconds_and_netmask() {
    let text = "FWM  FFFFFFFF rr persistent 15000 60000000\nTCP  0A000001:0051 wrr  persistent 15000 FFFFFF00\n";
    let mut rows = TableReader::new(text.as_bytes());
    let Some(Ok(TableRow::Service(row))) = rows.next_row() else { panic!() };
    assert_eq!(row.target, TableTarget::Fwmark(u32::MAX));
    let persistence = row.persistence.unwrap();
    assert_eq!(persistence.seconds(250), 60);
    if cfg!(target_endian = "little") {
        assert_eq!(persistence.netmask(AddressFamily::Ipv6).unwrap().to_string(), "96");
    }
    let Some(Ok(TableRow::Service(row))) = rows.next_row() else { panic!() };
    assert_eq!(row.persistence.unwrap().netmask(AddressFamily::Ipv4).unwrap().to_string(), "255.255.255.0");
}

#[test]
fn statistics_that_end_early_are_errors() {
    let text = "   Total\n   Conns\n       8        9        0              16C\n";
    let error = read_stats(text.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "ip_vs_stats, line 3, column 44: expected a hexadecimal number");
    let mut rows = PerCpuReader::new(&b"a\nb\n  0        1        2        3                4                5\n"[..]);
    assert!(rows.next_row().unwrap().is_ok());
    assert!(rows.next_row().unwrap().is_err());
    assert!(rows.next_row().is_none());
}

#[test]
fn a_file_that_is_not_there_is_not_found() {
    let error = Procfs::at(data().join("nowhere")).connections().unwrap_err();
    assert_eq!(error.kind(), lvs_core::ErrorKind::NotFound);
}
