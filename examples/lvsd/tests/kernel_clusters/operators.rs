//! Three operators at one table at once: one reloads, one clears it, one edits what is not theirs.

use std::thread;
use std::time::{Duration, Instant};

use crate::files::{Files, service};
use crate::net::{Net, keep};
use crate::wait::LIMIT;

const ROUNDS: u32 = 3;
/// What somebody else keeps in the same table.
const THEIRS: &str = "ipvsadm -A -t 192.0.2.9:90 -s wlc 2>/dev/null || true; \
    ipvsadm -a -t 192.0.2.9:90 -r 198.51.100.19:90 -m -w 7 2>/dev/null || true";

fn cluster(weight: u32) -> String {
    let settings = "scheduler = \"rr\"\nforwarding = \"masquerade\"";
    service("tcp://192.0.2.1:80", settings, &[("198.51.100.11:80", weight), ("198.51.100.12:80", 1)])
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn what_three_operators_do_at_once_is_repaired_and_logged_and_theirs_left_alone() {
    let mut net = Net::new("ops", &["back"]);
    let director = net.host("dir", &[("back", &["198.51.100.1/24"])]);
    let files = Files::new("operators");
    let file = files.write("web.toml", &cluster(1));
    director.sh(THEIRS);
    let _lvsd = keep(&director, &files, &file);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 1..=ROUNDS {
                files.write("web.toml", &cluster(round));
                // It may meet the table while it is cleared: then it says so, and the next look
                // mends it.
                let _ = director.try_program("lvsctl", &["--run", files.state(), "reload"]);
            }
        });
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                director.sh(&format!("ipvsadm -C; {THEIRS}"));
            }
        });
        scope.spawn(|| {
            for _ in 0..ROUNDS {
                director.sh("ipvsadm -e -t 192.0.2.1:80 -r 198.51.100.11:80 -m -w 99 2>/dev/null || true; \
                     ipvsadm -d -t 192.0.2.1:80 -r 198.51.100.12:80 2>/dev/null || true; \
                     ipvsadm -E -t 192.0.2.1:80 -s sed 2>/dev/null || true");
            }
        });
    });
    // The last word of each: a file, an edit of what is not theirs, and their own service.
    director.sh(&format!("ipvsadm -D -t 192.0.2.1:80 2>/dev/null || true; {THEIRS}"));
    let whole = [
        "-A -t 192.0.2.1:80 -s rr".to_owned(),
        format!("-a -t 192.0.2.1:80 -r 198.51.100.11:80 -m -w {ROUNDS}"),
        "-a -t 192.0.2.1:80 -r 198.51.100.12:80 -m -w 1".to_owned(),
        "-A -t 192.0.2.9:90 -s wlc".to_owned(),
        "-a -t 192.0.2.9:90 -r 198.51.100.19:90 -m -w 7".to_owned(),
    ];
    let table = || {
        let mut lines: Vec<String> =
            director.sh("ipvsadm -Sn").lines().map(|line| line.trim_end().to_owned()).collect();
        lines.sort_by_key(|line| (line.contains("192.0.2.9"), line.starts_with("-a"), line.clone()));
        lines
    };
    let start = Instant::now();
    while table() != whole {
        assert!(start.elapsed() < LIMIT, "not repaired: {:#?}", table());
        thread::sleep(Duration::from_millis(100));
    }
    eprintln!("repaired {:.1} s after the last edit", start.elapsed().as_secs_f64());
    let history = director.program("lvsctl", &["--run", files.state(), "history"]);
    assert!(history.contains("drift repaired: somebody else has changed the table"), "{history}");
    // One more look changes nothing.
    director.program("lvsctl", &["--run", files.state(), "reload"]);
    assert_eq!(table(), whole);
}
