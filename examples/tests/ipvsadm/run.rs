//! Programs in namespaces, and what they did.

use std::fmt;
use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};

use lvs_core::Director as _;
use lvs_core::kernel::KernelDirector;
use lvs_core::model::Table;

/// One call of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) args: Vec<String>,
    pub(crate) stdin: String,
    /// Whether the table is emptied before.
    pub(crate) fresh: bool,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.args)?;
        if !self.stdin.is_empty() {
            write!(f, " < {:?}", self.stdin)?;
        }
        Ok(())
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Witness {
    pub(crate) status: i32,
    stdout: String,
    stderr: String,
    table: Table,
}

impl Witness {
    /// In words.
    pub(crate) fn difference(theirs: &Self, ours: &Self) -> String {
        let mut text = String::new();
        let mut compare = |what: &str, theirs: &dyn fmt::Debug, ours: &dyn fmt::Debug| {
            let (theirs, ours) = (format!("{theirs:?}"), format!("{ours:?}"));
            if theirs != ours {
                text.push_str(&format!("  {what}\n    theirs: {theirs}\n    ours:   {ours}\n"));
            }
        };
        compare("status", &theirs.status, &ours.status);
        compare("stdout", &theirs.stdout, &ours.stdout);
        compare("stderr", &theirs.stderr, &ours.stderr);
        compare("table", &theirs.table, &ours.table);
        text
    }
}

/// Runs one program in one namespace.
pub(crate) struct Runner {
    program: &'static str,
    director: KernelDirector,
}

impl Runner {
    /// Runs all cases in a namespace that nobody else has.
    pub(crate) fn in_new_namespace(program: &'static str, cases: Vec<Case>) -> Vec<Witness> {
        in_new_namespace(move || {
            let mut runner = Self { program, director: KernelDirector::open().unwrap() };
            cases.iter().map(|case| runner.run(case)).collect()
        })
    }

    fn run(&mut self, case: &Case) -> Witness {
        if case.fresh {
            self.director.flush().unwrap();
        }
        let (status, stdout, mut stderr) = call(self.program, &case.args, &case.stdin);
        if status == 139 || status == 11 {
            stderr.push_str("(crashed)");
        }
        let mut table = self.director.snapshot().unwrap().to_table();
        table.sort();
        // Services of one namespace are in the order of a hash that is its own.
        let unsorted = case.args.iter().any(|arg| arg == "--nosort") || case.stdin.contains("--nosort");
        Witness { status, stdout: if unsorted { sorted_lines(&stdout) } else { stdout }, stderr, table }
    }
}

fn sorted_lines(text: &str) -> String {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Calls a program by the name `ipvsadm`.
pub(crate) fn call(program: &str, args: &[String], stdin: &str) -> (i32, String, String) {
    let mut child = Command::new(program)
        .arg0("ipvsadm")
        .args(args)
        .env_clear()
        .env("LC_ALL", "C")
        .stdin(if stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    if let Some(mut pipe) = child.stdin.take() {
        // A program that gives up early does not read it all.
        let _ = pipe.write_all(stdin.as_bytes());
    }
    let output = child.wait_with_output().unwrap();
    let status = output.status.code().unwrap_or_else(|| output.status.signal().unwrap_or(0));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status, text(&output.stdout), text(&output.stderr))
}

/// Runs something on a thread with a network namespace of its own, its loopback up.
pub(crate) fn in_new_namespace<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let inside = move || {
            // SAFETY: takes a number, changes this thread alone, and touches no memory of ours.
            let answer = unsafe { libc::unshare(libc::CLONE_NEWNET) };
            assert_eq!(answer, 0, "unshare: {}", std::io::Error::last_os_error());
            // Sync daemons want an interface with multicast.
            must(
                "ip link set lo up; ip link add d0 type dummy; ip addr add 203.0.113.1/24 dev d0; ip link set d0 multicast on up",
            );
            work()
        };
        match scope.spawn(inside).join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Runs a command that has to succeed.
pub(crate) fn must(command: &str) {
    let output = Command::new("sh").arg("-c").arg(command).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Fails rather than passes with nothing tested.
pub(crate) fn require_kernel() {
    if let Ok(expected) = std::env::var("LVS_TEST_KERNEL") {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert!(release.starts_with(&format!("{expected}.")), "expected kernel {expected}, this is {release}");
    }
    KernelDirector::options().load_module(true).open().expect("a kernel with IPVS");
}

/// Everything that Debian's program can make, saved by ours and restored by theirs, and the other
/// way round.
pub(crate) fn restores_across(theirs: &'static str, ours: &'static str) {
    // No server of the other family: with one the kernel starts no daemon
    // (ip_vs_genl_new_daemon()).
    const RULES: &str = "--set 800 110 290\n\
        -A -t 192.0.2.1:80 -s sh -p 300 -M 255.255.255.0 -b sh-fallback,flag-3\n\
        -a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3 -x 100 -y 80\n\
        -a -t 192.0.2.1:80 -r 198.51.100.8 -w 0\n\
        -a -t 192.0.2.1:80 -r 198.51.100.9 -i --tun-type gue --tun-port 6080 --tun-remcsum\n\
        -a -t 192.0.2.1:80 -r 198.51.100.10 -i --tun-type gre --tun-csum\n\
        -A -u [2001:db8::1]:53 -s rr -o -M 64\n\
        -A --sctp-service 192.0.2.1:38412 -s mh -b mh-port\n\
        -A -f 4294967295 -6 -p 7\n\
        -a -f 4294967295 -6 -r [2001:db8::9]:0 -m -x 2147483647\n\
        -A -t 192.0.2.2:0 -p -M 255.0.255.0\n\
        --start-daemon backup --mcast-interface d0 --syncid 7 --sync-maxlen 1400\n";
    let args = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let table = || {
        let mut table = KernelDirector::open().unwrap().snapshot().unwrap().to_table();
        table.sort();
        table
    };
    let quiet = (0, String::new(), String::new());
    let (text, made) = in_new_namespace(|| {
        assert_eq!(call(theirs, &args("-R"), RULES), quiet);
        let (status, text, complaints) = call(ours, &args("--lossless -S"), "");
        assert_eq!((status, complaints.as_str()), (0, ""), "{text}");
        assert!(!text.contains('#'), "plain text says all of it:\n{text}");
        (text, table())
    });
    for program in [theirs, ours] {
        let restored = in_new_namespace(|| {
            assert_eq!(call(program, &args("-R"), &text), quiet);
            table()
        });
        assert_eq!(restored, made, "{program}\n{text}");
    }
    // What -S of either writes, both read alike, as little as that may be.
    let saved = in_new_namespace(|| {
        assert_eq!(call(ours, &args("--lossless -R"), &text), quiet);
        let theirs = call(theirs, &args("-S -n"), "");
        assert_eq!(theirs, call(ours, &args("-S -n"), ""));
        theirs.1
    });
    assert!(saved.contains("-f -1 -6"), "the mark is written with a sign:\n{saved}");
}

/// The promises of `--lossless -R`.
pub(crate) fn all_or_nothing(ours: &'static str) {
    let args = ["--lossless".to_owned(), "-R".to_owned()];
    in_new_namespace(|| {
        let mut director = KernelDirector::open().unwrap();
        let bad = "-A -t 192.0.2.1:80\n-A -t 192.0.2.2:80 -s\n-A -t 192.0.2.3:80 -w 1\n";
        let (status, out, complaints) = call(ours, &args, bad);
        assert_eq!((status, out.as_str()), (2, ""));
        assert!(complaints.contains("line 2, column 22: expected a scheduler name after `-s`"), "{complaints}");
        assert!(complaints.contains("line 3, column 20: "), "{complaints}");
        assert!(complaints.ends_with("nothing was changed\n"), "{complaints}");
        assert!(director.services().unwrap().is_empty());

        let refused =
            "-A -t 192.0.2.1:80\n\n-A -t 192.0.2.1:80\n-a -t 192.0.2.9:80 -r 198.51.100.7\n-A -t 192.0.2.3:80\n";
        let (status, out, complaints) = call(ours, &args, refused);
        assert_eq!((status, out.as_str()), (1, ""));
        assert_eq!(
            complaints,
            "line 3: cannot add service tcp://192.0.2.1:80: the service exists already\n\
             line 4: cannot add destination 198.51.100.7:80 to tcp://192.0.2.9:80: no such service\n\
             2 of 4 rules are in force\n"
        );
        assert_eq!(director.services().unwrap().len(), 2);
    });
}
