//! Commands, rules and copies of kernel files as they come in from people: with what editors, mail
//! and web pages make of them.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use lvs_core::director::Director;
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::lint;
use lvs_core::model::{Destination, DestinationKey, ForwardingMethod, Service, ServiceKey, Table, TableService};
use lvs_core::procfs::{Connections, TableReader, TableRow, read_stats, write_connection};
use lvs_core::rules::{Dialect, Emitter, Parser};

const LOSSLESS: Parser<'_> = Parser::new(Dialect::Lossless);

#[test]
fn an_address_that_is_none_is_named_with_one_that_would_be() {
    let service = |text: &str| text.parse::<ServiceKey>().unwrap_err().to_string();
    let host = service("tcp lb.example.org:80");
    assert!(host.contains("\"lb.example.org\" is not an IP address") && host.contains("tcp://192.0.2.1:80"), "{host}");
    assert!(service("tcp://192.0.2.1:8000-8010").contains("\"8000-8010\" is not a port"));
    // An address without brackets might end in a port.
    let server = "2001:db8::7:8080".parse::<DestinationKey>().unwrap_err().to_string();
    assert!(server.contains("[2001:db8::7]:8080"), "{server}");
}

#[test]
fn what_is_wrong_with_a_rule_is_what_is_named() {
    let error = |text: &str| LOSSLESS.parse(text).unwrap_err().to_string();
    // A word before the command, and not the option after it.
    for text in ["foo -t 192.0.2.1:80 -A\n", "foo -A -t 192.0.2.1:80\n"] {
        assert!(error(text).starts_with("line 1, column 1: "), "{}", error(text));
    }
    let mark = error("-A -f 0x10\n");
    assert!(mark.starts_with("line 1, column 7: ") && mark.contains("in decimal, found `0x10`"), "{mark}");
    // Which of the two is meant cannot be known.
    for rule in ["-A -t 2001:db8::1:80\n", "-A -t [2001:db8::1]:80\n-a -t [2001:db8::1]:80 -r 2001:db8::a:8443\n"] {
        assert!(error(rule).contains(": write `[2001:db8::"), "{}", error(rule));
    }
    let server = error("-a -t [2001:db8::1]:80 -r 2001:db8::a:8443\n");
    assert!(server.contains("`[2001:db8::a]:8443`, or `[2001:db8::a:8443]` if that is all address"), "{server}");
    let plain = "-A -t [2001:db8::1:80]:443\n-a -t [2001:db8::1:80]:443 -r 2001:db8::beef\n-a -t [2001:db8::1:80]:443 -r [2001:db8::a:8443]\n";
    let table = LOSSLESS.parse(plain).unwrap().to_table().unwrap();
    let servers: Vec<String> = table.services[0].destinations.iter().map(|server| server.key.to_string()).collect();
    assert_eq!(servers, ["[2001:db8::beef]:443", "[2001:db8::a:8443]:443"]);
    // What only the director can know it says by name.
    let mut director = EmbeddedDirector::new();
    let service = Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap());
    let refused = director.add_service(&service.with_scheduler("nosuch".parse().unwrap())).unwrap_err().to_string();
    assert!(refused.contains("nosuch"), "{refused}");
    let table = LOSSLESS.parse("-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 224.0.0.5 -m\n").unwrap().to_table().unwrap();
    let found: Vec<String> = lint::table(&table).iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["destination 224.0.0.5:80 of tcp://192.0.2.1:80: 224.0.0.5 is not the unicast address of a server"]
    );
}

#[test]
fn a_byte_order_mark_is_no_word_of_a_rule() {
    let script = LOSSLESS.parse("\u{feff}-A -t 192.0.2.1:80\n-A -t 192.0.2.1:81\n").unwrap();
    assert_eq!(script.to_table().unwrap().services.len(), 2);
    let error = LOSSLESS.parse("\u{feff}-A -t 192.0.2.1:99999\n").unwrap_err().to_string();
    assert!(error.starts_with("line 1, column 17: "), "{error}");
    assert!(LOSSLESS.parse("-A -t 192.0.2.1:80\n\u{feff}-A -t 192.0.2.1:81\n").is_err(), "nor is it anything else");
}

/// As mail, other systems, editors and web pages hand a file on.
fn copies(text: &str) -> [String; 4] {
    let each = |change: &dyn Fn(&str) -> String| text.lines().map(change).collect::<String>();
    [
        text.to_owned(),
        each(&|line| format!("{line}\r\n")),
        each(&|line| format!("{line}\t \n")),
        each(&|line| format!("    {line}\n")),
    ]
}

#[test]
fn a_copy_of_a_kernel_file_reads_as_the_file() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/procfs");
    let captures = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let mut read = 0;
    for capture in captures {
        let file = |name: &str| std::fs::read_to_string(capture.join(name)).unwrap();
        let connections = |text: &str| -> Vec<u8> {
            let mut again = Vec::new();
            for connection in Connections::new(text.as_bytes()) {
                let connection = connection.unwrap();
                // Data of an engine are whatever bytes stand there.
                if connection.engine.is_none() {
                    write_connection(&mut again, &connection).unwrap();
                }
            }
            again
        };
        let rows = |text: &str| -> Vec<String> {
            let mut rows = TableReader::new(text.as_bytes());
            rows.header().unwrap();
            let word = |row: &TableRow<'_>| format!("{row:?}");
            std::iter::from_fn(|| rows.next_row().map(|row| word(&row.unwrap()))).collect()
        };
        for name in ["ip_vs_conn", "ip_vs", "ip_vs_stats"] {
            let text = file(name);
            for copy in copies(&text) {
                match name {
                    "ip_vs_conn" => assert_eq!(
                        String::from_utf8_lossy(&connections(&copy)),
                        String::from_utf8_lossy(&connections(&text))
                    ),
                    "ip_vs" => assert_eq!(rows(&copy), rows(&text)),
                    _ => assert_eq!(read_stats(copy.as_bytes()).unwrap(), read_stats(text.as_bytes()).unwrap()),
                }
                read += 1;
            }
        }
    }
    assert!(read >= 12);
}

#[test]
fn a_pasted_listing_is_called_one() {
    let listing = "IP Virtual Server version 1.2.1 (size=4096)\n\
                   Prot LocalAddress:Port Scheduler Flags\n\
                   \x20 -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n\
                   TCP  192.0.2.1:80 rr\n\
                   \x20 -> 198.51.100.7:80              Masq    1      0          0\n";
    let mut rows = TableReader::new(listing.as_bytes());
    let error = match rows.header() {
        Err(error) => error.to_string(),
        Ok(_) => {
            std::iter::from_fn(|| rows.next_row().map(|row| row.map(drop))).find_map(Result::err).unwrap().to_string()
        }
    };
    assert!(error.contains("ipvsadm -L"), "{error}");
    let listing = "IPVS connection entries\npro expire state       source             virtual            destination\n\
                   TCP 14:59  ESTABLISHED 203.0.113.5:60528  192.0.2.1:80       198.51.100.7:8080\n";
    let error = Connections::new(listing.as_bytes()).find_map(Result::err).unwrap().to_string();
    assert!(error.contains("ipvsadm -L"), "{error}");
}

#[test]
fn a_state_that_this_version_does_not_know_keeps_its_word() {
    let text = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n\
                TCP CB007105 EC70 C0000201 0050 C6336407 1F90 HALF_OPENED     899\n";
    let connection = Connections::new(text.as_bytes()).next().unwrap().unwrap();
    assert_eq!(connection.state_name(), "HALF_OPENED");
    let mut again = Vec::new();
    write_connection(&mut again, &connection).unwrap();
    assert!(String::from_utf8(again).unwrap().contains("HALF_OPENED"));
}

#[test]
fn saving_as_ipvsadm_does_leaves_out_thresholds() {
    let mut table = Table::new();
    let mut web = TableService::new(Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap()));
    for forwarding in [ForwardingMethod::Direct, ForwardingMethod::Tunnel, ForwardingMethod::Masquerade] {
        let last = 4 + web.destinations.len() as u8;
        let server = Destination::new([10, 0, 0, last].into(), 81).with_forwarding(forwarding);
        web.destinations.push(server.with_thresholds(100, 50));
    }
    table.services.push(web);
    let saved = Emitter::new(Dialect::Ipvsadm).table(&table);
    assert!(!saved.text.contains("-x") && !saved.text.contains("-y"), "{}", saved.text);
    assert!(saved.losses.iter().any(|loss| loss.to_string().contains("thresholds")), "{:?}", saved.losses);
}
