//! The kernel's text files: every reader on every text.

use lvs_core::connections::{ClientSums, ConnectionSums};
use lvs_core::procfs::{
    ConnectionReader, Connections, HelperReader, PerCpuReader, TableReader, parse_connection, read_stats, read_status,
    write_connection,
};

/// Reads it as each file; what reads as a connection prints and reads the same.
pub fn run(bytes: &[u8]) {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let (mut sums, mut clients) = (ConnectionSums::new(), ClientSums::new());
    let mut rows = 0;
    for connection in Connections::new(bytes) {
        rows += 1;
        let Ok(connection) = connection else { continue };
        sums.add(&connection);
        clients.add(&connection);
        let mut line = Vec::new();
        write_connection(&mut line, &connection).expect("into memory");
        let line = line.trim_ascii_end();
        let again = parse_connection(line).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(line)));
        assert_eq!(again.client(), connection.client());
        assert_eq!((again.target, again.destination()), (connection.target, connection.destination()));
    }
    assert!(rows <= lines);
    assert_eq!(
        clients.top(usize::MAX).iter().map(|(_, counts)| counts.connections()).sum::<u64>(),
        sums.total().connections()
    );
    let mut streamed = 0;
    let mut reader = ConnectionReader::new(bytes);
    while reader.next_connection().is_some() {
        streamed += 1;
    }
    assert_eq!(streamed, rows);
    let mut table = TableReader::new(bytes);
    let mut count = 0;
    while table.next_row().is_some() {
        count += 1;
    }
    assert!(count <= lines);
    let _ = TableReader::new(bytes).header();
    let mut cpus = PerCpuReader::new(bytes);
    let mut count = 0;
    while cpus.next_row().is_some() {
        count += 1;
    }
    assert!(count <= lines);
    let mut helpers = HelperReader::new(bytes);
    while helpers.next_row().is_some() {}
    let _ = read_stats(bytes);
    let _ = read_status(bytes);
}

/// Rows of each file.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n\
         TCP CB007105 EC70 C0000201 0050 C6336407 1F90 ESTABLISHED     899\n\
         UDP CB007105 0000 C0000201 13C4 C6336407 13C4 NONE             99 sip aGVsbG8@192.0.2.1\n\
         IP  CB007100 0000 0000004D 0000 C6336407 0000 NONE        SYNC        59\n",
        "SCTP 2001:0db8:0000:0000:0000:0000:0000:0005 EC70 2001:0db8:0000:0000:0000:0000:0000:0001 0050 C6336407 0050 C-ECHOED    LOCAL       60\n",
        "IP Virtual Server version 1.2.1 (size=4096)\nTCP  C0000201:0050 wlc  persistent 75000 FFFFFF00\n\
         FWM  0000004D rr ops persistent 75000 FFFFFF00\n\
         \x20 -> [2001:0db8:0000:0000:0000:0000:0000:0009]:0050      Masq    1      0          3\n",
        "  0       1B       1B       18              6EA              57F\n  ~       1B       1B       18              6EA              57F\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
