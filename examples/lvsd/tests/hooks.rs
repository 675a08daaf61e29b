//! The hooks that come as examples, with stand-ins for those whom they speak to.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::libc;

/// Writes a program.
fn script(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a hook as lvsd does: nothing if it succeeded, else what it wrote to its standard error.
fn run(hook: &str, arguments: &[&Path], environment: &[(&str, &Path)], kind: &str) -> Result<(), String> {
    let event = format!(r#"{{"id": 1, "time": 2, "kind": "{kind}", "service": "tcp://192.0.2.1:80"}}"#);
    let mut child = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("hooks").join(hook))
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs([("LVS_EVENT", kind), ("LVS_SERVICE", "tcp://192.0.2.1:80"), ("LVS_SERVER", "")])
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(event.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
}

#[test]
fn the_bgp_hook_announces_addresses_with_a_quorum_and_withdraws_others() {
    let directory = tempfile::tempdir().unwrap();
    let (pipe, ctl) = (directory.path().join("exabgp.in"), directory.path().join("lvsctl"));
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let status = r#"{"services": [
        {"service": "tcp://192.0.2.1:80", "quorum": true}, {"service": "tcp://192.0.2.1:443", "quorum": false},
        {"service": "udp://[2001:db8::1]:53", "quorum": true}, {"service": "fwmark:7", "quorum": true}]}"#;
    // As lvsctl exits when a file could not be put in force: the addresses are told all the same.
    script(&ctl, &format!("#!/bin/sh\ncat <<'X'\n{status}\nX\nexit 1\n"));
    let arguments = [pipe.as_path(), Path::new("/run/lvs/web.sock")];
    let run = |kind: &str| run("exabgp", &arguments, &[("LVSCTL", &ctl)], kind);
    let failure = |why: &str| Err(format!("exabgp: {why}\n"));
    let nobody = format!("{} cannot be written: nobody reads it, is ExaBGP running?", pipe.display());
    assert_eq!(run("quorum_lost"), failure(&nobody), "an error of one line, and no hanging");

    let mut options = std::fs::OpenOptions::new();
    let mut reader = options.read(true).custom_flags(libc::O_NONBLOCK).open(&pipe).unwrap();
    let mut read = || {
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    };
    assert_eq!(run("quorum_lost"), Ok(()));
    assert_eq!(read(), "withdraw route 192.0.2.1/32 next-hop self\nannounce route 2001:db8::1/128 next-hop self\n");
    assert_eq!(run("stopping"), Ok(()));
    assert_eq!(read(), "", "the services go on without lvsd");

    script(&ctl, "#!/bin/sh\nexit 3\n");
    let no_status = format!("{} has told no status, its exit status is 3", ctl.display());
    assert_eq!(run("quorum_lost"), failure(&no_status));
    std::fs::remove_file(&ctl).unwrap();
    let missing = format!("{} cannot be run: No such file or directory", ctl.display());
    assert_eq!(run("quorum_lost"), failure(&missing));
    assert_eq!(read(), "", "nothing is announced that is not known");
}

#[test]
fn the_mail_hook_sends_the_event() {
    let directory = tempfile::tempdir().unwrap();
    let (sent, sendmail) = (directory.path().join("sent"), directory.path().join("sendmail"));
    script(&sendmail, &format!("#!/bin/sh\ncat > '{}'\n", sent.display()));
    let arguments = [Path::new("root@example.org")];
    assert_eq!(run("mail", &arguments, &[("SENDMAIL", &sendmail)], "quorum_lost"), Ok(()));
    let sent = std::fs::read_to_string(sent).unwrap();
    let (head, body) = sent.split_once("\n\n").unwrap();
    assert!(head.contains("To: root@example.org\n") && head.contains(": quorum_lost  tcp://192.0.2.1:80\n"), "{head}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(body).unwrap()["kind"], "quorum_lost");
}
