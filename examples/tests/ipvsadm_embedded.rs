//! Our `ipvsadm` without a kernel: a rules file is its table.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A table in a file of its own, gone when dropped.
struct Table(PathBuf);

impl Table {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lvs-ipvsadm-{}-{name}.rules", std::process::id()));
        let _ = fs::remove_file(&path);
        Self(path)
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }

    /// Calls the program; its status, output and complaints.
    fn call(&self, args: &str, stdin: &str) -> (i32, String, String) {
        let embedded = format!("--embedded={}", self.0.display());
        call(&[&[embedded.as_str()], &args.split_whitespace().collect::<Vec<_>>()[..]].concat(), stdin)
    }

    /// Calls it and expects success without complaints.
    #[track_caller]
    fn output(&self, args: &str, stdin: &str) -> String {
        let (status, out, complaints) = self.call(args, stdin);
        assert_eq!((status, complaints.as_str()), (0, ""), "{args}: {out}");
        out
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
        let _ = fs::remove_file(format!("{}.lock", self.0.display()));
    }
}

fn call(args: &[&str], stdin: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ipvsadm"));
    let mut child =
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

const RULES: &str = "-A -t 192.0.2.1:80 -s wrr -p 300\n\
    -a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3\n\
    -a -t 192.0.2.1:80 -r 198.51.100.8:8080 -m\n";

#[test]
fn a_table_is_restored_listed_edited_and_saved_from_call_to_call() {
    let table = Table::new("main-job");
    assert_eq!(table.output("-R", RULES), "");
    assert_eq!(
        table.output("-Ln", ""),
        "IP Virtual Server version 1.2.1 (size=4096)\n\
         Prot LocalAddress:Port Scheduler Flags\n  \
           -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n\
         TCP  192.0.2.1:80 wrr persistent 300\n  \
           -> 198.51.100.7:8080            Masq    3      0          0         \n  \
           -> 198.51.100.8:8080            Masq    1      0          0         \n"
    );
    table.output("-e -t 192.0.2.1:80 -r 198.51.100.8:8080 -m -w 0 -x 50", "");
    table.output("-d -t 192.0.2.1:80 -r 198.51.100.7:8080", "");
    table.output("--set 60 0 0", "");
    assert_eq!(
        table.output("-S -n", ""),
        "-A -t 192.0.2.1:80 -s wrr -p 300\n-a -t 192.0.2.1:80 -r 198.51.100.8:8080 -m -w 0\n"
    );
    let whole = "--set 60 120 300\n\
        -A -t 192.0.2.1:80 -s wrr -p 300\n\
        -a -t 192.0.2.1:80 -r 198.51.100.8:8080 -m -w 0 -x 50\n";
    assert_eq!(table.output("--lossless -S", ""), whole);
    assert_eq!(table.text(), whole);
    table.output("-C", "");
    assert_eq!(table.text(), "--set 60 120 300\n");
}

#[test]
fn refusals_are_the_kernels_and_change_nothing() {
    let table = Table::new("refusals");
    table.output("-R", RULES);
    let before = table.text();
    for (args, complaint) in [
        ("-A -t 192.0.2.1:80", "Service already exists\n"),
        ("-A -t 192.0.2.2:80 -s bogus", "Scheduler or persistence engine not found\n"),
        ("-D -t 192.0.2.2:80", "No such service\n"),
        ("-a -t 192.0.2.2:80 -r 198.51.100.7", "Service not defined\n"),
        ("-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m", "Destination already exists\n"),
        ("-d -t 192.0.2.1:80 -r 198.51.100.9", "No such destination\n"),
        ("--stop-daemon master", "No daemon is running\n"),
        ("-a -t 192.0.2.1:80 -r 198.51.100.9 -x 1 -y 2", "Numerical result out of range\n"),
    ] {
        assert_eq!(table.call(args, ""), (255, String::new(), complaint.to_owned()), "{args}");
    }
    assert_eq!(table.text(), before);
}

#[test]
fn a_files_comments_stay_and_what_needs_an_extended_line_survives() {
    let table = Table::new("comments");
    fs::write(&table.0, format!("# web\n{RULES}#lvs -e -t 192.0.2.1:80 -r 198.51.100.8:8080 --forwarding local\n"))
        .unwrap();
    let before = table.text();
    table.output("-Ln", "");
    assert_eq!(table.text(), before, "listing writes nothing");
    table.output("-E -t 192.0.2.1:80 -s rr -p", "");
    assert_eq!(
        table.text(),
        "# web\n\
         --set 900 120 300\n\
         -A -t 192.0.2.1:80 -s rr -p 360\n\
         -a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3\n\
         #lvs -a -t 192.0.2.1:80 -r 198.51.100.8:8080 --forwarding local -w 1\n"
    );
}

#[test]
fn an_invalid_state_file_is_not_overwritten() {
    let table = Table::new("mistakes");
    fs::write(&table.0, "-A -t 192.0.2.1:80\n-A -t 192.0.2.1:80\n").unwrap();
    let (status, out, complaints) = table.call("-C", "");
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(complaints.contains("line 2, column 1: expected a new service"), "{complaints}");
    assert_eq!(table.text().lines().count(), 2);
}

#[test]
fn a_restore_reports_as_ipvsadm_does_and_goes_on_where_it_does() {
    let table = Table::new("restore");
    let text =
        "-A -t 192.0.2.1:80\n-A -t 192.0.2.1:80\n-A --bogus\n-A -t 192.0.2.2:80\n-L -n -t 192.0.2.2:80\n-A -t x\n-C\n";
    let (status, out, complaints) = table.call("-R", text);
    assert_eq!(status, 2);
    assert!(out.ends_with("TCP  192.0.2.2:80 wlc\n"), "{out}");
    assert_eq!(
        complaints,
        "Service already exists\n--bogus: unknown option\nillegal virtual server address[:port] specified\n"
    );
    assert_eq!(table.text(), "--set 900 120 300\n-A -t 192.0.2.1:80 -s wlc\n-A -t 192.0.2.2:80 -s wlc\n");
}

#[test]
fn a_lossless_restore_shows_all_errors_and_changes_nothing() {
    let table = Table::new("lossless");
    let (status, _, complaints) = table.call("--lossless -R", "-A -t 192.0.2.1:80\n-A -t x:80\n-w\n");
    assert_eq!(status, 2);
    assert!(complaints.contains("line 2, column 7: ") && complaints.contains("line 3, column 3: "), "{complaints}");
    assert!(complaints.ends_with("nothing was changed\n"), "{complaints}");
    assert!(!table.0.exists());
}

#[test]
fn a_table_in_memory_lives_as_long_as_the_program() {
    let (status, out, _) = call(&["--embedded", "-R"], &format!("{RULES}-S -n\n"));
    assert_eq!(status, 0);
    assert_eq!(out.lines().count(), 3);
    assert_eq!(call(&["--embedded", "-S"], ""), (0, String::new(), String::new()));
    let (status, out, _) = call(&["--embedded", "--json", "-L"], "");
    assert_eq!((status, out.starts_with('{')), (0, true), "{out}");
}

#[test]
fn arguments_are_judged_as_ipvsadm_judges_them() {
    for (args, status, complaint) in [
        ("-n -L", 255, "Try `"),
        ("-L -A", 2, "invalid option `-A'\n"),
        ("-A -t 192.0.2.1", 2, "Zero port specified for non-persistent service\n"),
        ("-A -t 192.0.2.1:80 -b ,", 2, "invalid scheduler flag `'\n"),
        ("-L -n --bogus", 255, "--bogus: unknown option\n"),
    ] {
        let words: Vec<_> = std::iter::once("--embedded").chain(args.split(' ')).collect();
        let (found, out, complaints) = call(&words, "");
        assert_eq!((found, out.as_str()), (status, ""), "{args}");
        assert!(complaints.starts_with(complaint), "{args}: {complaints}");
    }
    let (status, out, _) = call(&["--embedded", "-h"], "");
    assert_eq!(status, 0);
    assert!(out.starts_with("ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n"), "{out}");
}

#[test]
fn no_change_of_many_at_once_is_lost() {
    let table = Table::new("many");
    let children: Vec<_> = (1..=20)
        .map(|port| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_ipvsadm"));
            command.arg(format!("--embedded={}", table.0.display()));
            command.args(["-A", "-t", &format!("192.0.2.1:{port}")]).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(table.output("-S -n", "").lines().count(), 20);
}

#[test]
fn a_table_that_a_daemon_holds_can_be_seen_and_not_changed() {
    let table = Table::new("held");
    table.output("-A -t 192.0.2.1:80", "");
    let path = format!("{}.lock", table.0.display());
    let held = nix::fcntl::Flock::lock(fs::File::open(&path).unwrap(), nix::fcntl::FlockArg::LockExclusive).unwrap();
    let (status, _, complaint) = table.call("-C", "");
    assert_eq!((status, complaint.contains("in use by another program")), (1, true), "{complaint}");
    assert!(table.output("-Ln", "").contains("192.0.2.1:80"));
    drop(held);
    table.output("-C", "");
    fs::remove_file(path).unwrap();
}

#[test]
fn links_are_neither_replaced_nor_written_through_by_a_guessed_name() {
    let directory = tempfile::tempdir().unwrap();
    let (real, link) = (directory.path().join("real.new"), directory.path().join("link"));
    fs::write(&real, "").unwrap();
    fs::set_permissions(&real, std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let embedded = format!("--embedded={}", link.display());
    assert_eq!(call(&[&embedded, "-A", "-t", "192.0.2.1:80"], "").0, 0);
    assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("192.0.2.1:80"));
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&real).unwrap().permissions()) & 0o777, 0o640);
    // The file, the link and the lock, and nothing that was left behind.
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3);
}

#[test]
fn as_ipvsadm_save_and_ipvsadm_restore_it_saves_and_restores() {
    let table = Table::new("names");
    let directory = tempfile::tempdir().unwrap();
    let call = |name: &str, args: &[&str], stdin: &str| {
        let link = directory.path().join(name);
        let _ = std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ipvsadm"), &link);
        let mut command = Command::new(link);
        command.arg(format!("--embedded={}", table.0.display())).args(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{name}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(call("ipvsadm-restore", &[], RULES), "");
    let saved = call("ipvsadm-save", &["-n"], "");
    assert_eq!(saved.lines().count(), 3, "{saved}");
    table.output("-C", "");
    call("ipvsadm-restore", &[], &saved);
    assert_eq!(call("ipvsadm-save", &["-n"], ""), saved);
}
