//! A snapshot written as JSON by each of Rust, C and Python, and read by the two others: the same
//! bytes.
//!
//! The `python` stage runs it, where all three are built.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lvs_core::director::OnRefusal;
use lvs_core::embedded::{EmbeddedDirector, Flow};
use lvs_core::model::Snapshot;
use lvs_core::{Director, json, rules};

const RULES: &str = "\
--set 60 30 10
-A -t 192.0.2.1:80 -s wrr -p 300
-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3 -x 9 -y 7
-A -u [2001:db8::1]:53 -s sh -b sh-port
-a -u [2001:db8::1]:53 -r [2001:db8::8]:53 -i --tun-type gue --tun-port 6080
--start-daemon master --mcast-interface eth0 --syncid 7
";

fn written_in_rust() -> String {
    let mut director = EmbeddedDirector::new();
    let report = director.apply(&rules::parse(RULES).unwrap().operations().unwrap(), OnRefusal::Stop);
    assert!(report.is_complete(), "{report:?}");
    let verdict = director.open(&Flow::tcp("203.0.113.9:40000".parse().unwrap(), "192.0.2.1:80".parse().unwrap()));
    assert!(verdict.destination().is_some());
    director.advance(Duration::from_secs(4));
    json::to_string(&director.snapshot().unwrap())
}

fn read_in_rust(text: &str) -> String {
    json::to_string(&json::from_str::<Snapshot>(text).unwrap())
}

fn output(command: &mut Command, input: &str) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}

/// The C program, linked with the static library.
fn c_program(sources: &Path) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = directory.parent().unwrap();
    run(Command::new(env!("CARGO")).args(["build", "--quiet", "--package", "lvs-ffi", "--target-dir"]).arg(target));
    let program = directory.join("snapshot");
    let mut compiler = Command::new("cc");
    compiler.arg("-I").arg(sources.join("../../../include")).arg(sources.join("snapshot.c")).arg("-o").arg(&program);
    compiler.arg(target.join("debug/liblvs.a"));
    run(compiler.args(["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"]));
    program
}

#[test]
#[ignore = "needs a C compiler, and in LVS_PYTHON an interpreter that has the package"]
fn a_snapshot_is_the_same_json_in_rust_c_and_python() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange");
    let c = c_program(&sources);
    let python = std::env::var("LVS_PYTHON").expect("LVS_PYTHON names an interpreter");
    let in_c = |verb: &str, input: &str| output(Command::new(&c).arg(verb), input);
    let in_python =
        |verb: &str, input: &str| output(Command::new(&python).arg(sources.join("snapshot.py")).arg(verb), input);
    let written = [written_in_rust(), in_c("write", ""), in_python("write", "")];
    assert!(written[0].contains("\"connections\":1"), "{}", written[0]);
    for text in &written {
        assert_eq!(*text, written[0]);
        assert_eq!(read_in_rust(text), written[0]);
        assert_eq!(in_c("read", text), written[0]);
        assert_eq!(in_python("read", text), written[0]);
    }
}
