//! Rules: what is read prints, and reads the same; listings of what it builds.

use lvs_core::Director;
use lvs_core::director::OnRefusal;
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::listing::{self, ListingOptions};
use lvs_core::rules::{self, Dialect, Emitter, Parser};

/// Parse, emit, parse again; carry out on an embedded director and list.
pub fn run(bytes: &[u8]) {
    for dialect in [Dialect::Ipvsadm, Dialect::Lossless] {
        let script = match Parser::new(dialect).parse(bytes) {
            Ok(script) => script,
            Err(errors) => {
                let text = errors.to_string();
                assert!(!text.is_empty());
                continue;
            }
        };
        let emitted = Emitter::new(dialect).script(&script);
        if dialect == Dialect::Lossless {
            let again = rules::parse(&emitted.text).unwrap_or_else(|errors| panic!("{}\n{errors}", emitted.text));
            let commands = |script: &rules::Script| script.rules.iter().map(|rule| rule.command).collect::<Vec<_>>();
            assert_eq!(commands(&script), commands(&again), "{}", emitted.text);
            assert_eq!(Emitter::new(dialect).script(&again).text, emitted.text);
        }
        if let Ok(operations) = script.operations() {
            let mut director = EmbeddedDirector::new();
            let report = director.apply(&operations, OnRefusal::Continue);
            assert_eq!(report.answered, operations.len());
            let mut out = Vec::new();
            let snapshot = director.snapshot().expect("a snapshot");
            listing::write_table(&mut out, &snapshot, &ListingOptions::default()).expect("into memory");
            let saved = Emitter::new(Dialect::Lossless).table(&snapshot.to_table());
            let read = rules::parse(&saved.text).and_then(|script| script.to_table());
            let table = read.unwrap_or_else(|errors| panic!("{}\n{errors}", saved.text));
            assert_eq!(table.services, snapshot.to_table().services, "{}", saved.text);
        }
    }
}

/// Rules of each kind.
pub fn seeds() -> Vec<Vec<u8>> {
    [
        "-A -t 192.0.2.1:80 -s wrr -p 300 -M 255.255.255.0\n-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3 -x 100 -y 50\n",
        "-A -f 7 -6 -s sh -b sh-port\n-a -f 7 -6 -r [2001:db8::7]:53 -i --tun-type gue --tun-port 6080\n--set 900 120 300\n",
        "# comment\nipvsadm -A -u 192.0.2.1:53 -s rr --ops\n-e -u 192.0.2.1:53 -r 198.51.100.7\n-D -u 192.0.2.1:53\n",
        "--start-daemon master --mcast-interface eth0 --syncid 7\n--stop-daemon master\n-C\n-Z\n",
        "-A -t 192.0.2.1:80 -s wlc\n#lvs flags 0x40\n-A --sctp-service 192.0.2.1:90 -s mh -b mh-fallback --pe sip\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
