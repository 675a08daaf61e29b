//! Where the two styles of a listing differ.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

mod listing_case;

use listing_case::Names;
use lvs_core::listing::{ConnectionListing, ListingMode, ListingOptions, Style, write_table};
use lvs_core::model::*;
use lvs_core::procfs::parse_connection;

/// A table on which the styles differ wherever they can.
fn disputed() -> Snapshot {
    let big = Stats {
        counters: Counters { connections: (1 << 32) + 5, packets_in: 7, packets_out: 0, bytes_in: 1, bytes_out: 2 },
        rates: Rates { connections: 200_000_000, packets_in: 1, packets_out: 0, bytes_in: 3, bytes_out: 4 },
    };
    let destination = |addr: &str| {
        let destination = Destination::new(addr.parse().unwrap(), 80).with_forwarding(ForwardingMethod::Bypass);
        let mut entry = DestinationEntry::new(destination);
        entry.stats64 = Some(big);
        entry
    };
    let service = |key: &str, destinations: Vec<DestinationEntry>| {
        let flags = ServiceFlags::SCHED2 | ServiceFlags::SCHED3 | ServiceFlags::from_bits(0x100);
        let service = Service::new(key.parse().unwrap()).with_scheduler("sh".parse().unwrap()).with_flags(flags);
        let mut entry = ServiceEntry::new(service.with_engine("sip".parse().unwrap()));
        entry.stats64 = Some(big);
        ServiceSnapshot { entry, destinations }
    };
    let mut snapshot = Snapshot::new(Info::default(), Coverage::FULL);
    snapshot.services = vec![
        service("fwmark:4294967295", vec![]),
        service("tcp://192.168.0.1:80", vec![destination("192.0.2.1")]),
        service("tcp://10.0.0.1:80", vec![destination("198.51.100.7"), destination("10.0.0.7")]),
    ];
    snapshot
}

fn table(options: &ListingOptions<'_>) -> String {
    let mut text = Vec::new();
    write_table(&mut text, &disputed(), options).unwrap();
    let text = String::from_utf8(text).unwrap();
    text.lines().skip(3).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_ipvsadm_style_has_the_bugs_of_ipvsadm() {
    let mut names = Names::default();
    names.hosts.insert("192.0.2.1".parse().unwrap(), "a-name-longer-than-its-column.example".to_owned());
    let options = ListingOptions::new().with_resolver(&names);
    let expected = "\
FWM  -1 sh (sh-port)
TCP  192.168.0.1:80 sh (sh-port)
  -> a-name-longer-than-its-colum (null)  1      0          0         
TCP  10.0.0.1:80 sh (sh-port)
  -> 198.51.100.7:80              (null)  1      0          0         
  -> 10.0.0.7:80                  (null)  1      0          0         
";
    assert_eq!(table(&options), expected);
    let expected = "\
FWM  -1                            200000K        1        0        3        4
TCP  192.168.0.1:80                200000K        1        0        3        4
  -> a-name-longer-than-its-colum 200000000        1        0        3        4
TCP  10.0.0.1:80                   200000K        1        0        3        4
  -> 198.51.100.7:80              200000000        1        0        3        4
  -> 10.0.0.7:80                  200000000        1        0        3        4
";
    assert_eq!(table(&options.with_mode(ListingMode::Rate)), expected);
    let stats = table(&options.with_mode(ListingMode::Stats));
    assert!(stats.contains("  -> 10.0.0.7:80                         5        7"), "{stats}");
}

#[test]
fn fixed_has_none_of_them() {
    let mut names = Names::default();
    names.hosts.insert("192.0.2.1".parse().unwrap(), "a-name-longer-than-its-column.example".to_owned());
    let options = ListingOptions::new().with_resolver(&names).with_style(Style::Fixed);
    let expected = "\
TCP  10.0.0.1:80 sh (sh-port,flag-3,0x100) pe sip
  -> 10.0.0.7:80                  Masq    1      0          0         
  -> 198.51.100.7:80              Masq    1      0          0         
TCP  192.168.0.1:80 sh (sh-port,flag-3,0x100) pe sip
  -> a-name-longer-than-its-column.example:80 Masq    1      0          0         
FWM  4294967295 sh (sh-port,flag-3,0x100) pe sip
";
    assert_eq!(table(&options), expected);
    let expected = "\
TCP  10.0.0.1:80                   200000K        1        0        3        4
  -> 10.0.0.7:80                   200000K        1        0        3        4
  -> 198.51.100.7:80               200000K        1        0        3        4
TCP  192.168.0.1:80                200000K        1        0        3        4
  -> a-name-longer-than-its-column.example:80  200000K        1        0        3        4
FWM  4294967295                    200000K        1        0        3        4
";
    assert_eq!(table(&options.with_mode(ListingMode::Rate)), expected);
    let stats = table(&options.with_mode(ListingMode::Stats));
    assert!(stats.contains("  -> 10.0.0.7:80                     4294M        7"), "{stats}");
}

#[test]
fn connections_in_fixed_style_show_marks_and_all_engine_data() {
    let list = |style| {
        let options = ListingOptions::new().with_style(style);
        let mut listing = ConnectionListing::new(Vec::new(), options, true).unwrap();
        for row in [
            &b"IP  CB007100 0000 FFFFFFFF 0000 C6336407 0000 NONE             59"[..],
            b"UDP CB007105 0000 C0000201 13C4 C6336407 13C4 NONE           6000 sip a b\x1b\xff",
        ] {
            listing.write(&parse_connection(row).unwrap()).unwrap();
        }
        let text = String::from_utf8(listing.into_inner()).unwrap();
        text.lines().skip(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        list(Style::Ipvsadm),
        [
            "IP  00:59  NONE        203.0.113.0:0      255.255.255.255:0  198.51.100.7:0",
            "UDP 100:00 NONE        203.0.113.5:0      192.0.2.1:5060     198.51.100.7:5060 sip                a"
        ]
    );
    assert_eq!(
        list(Style::Fixed),
        [
            "IP  00:59  NONE        203.0.113.0:0      fwmark:4294967295  198.51.100.7:0",
            "UDP 100:00 NONE        203.0.113.5:0      192.0.2.1:5060     198.51.100.7:5060 sip                a b\\x1b\\xff"
        ]
    );
}
