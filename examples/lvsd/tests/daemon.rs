//! `lvsd` and `lvsctl` as processes, on a table in a file: signals, kills, full disks, scarce descriptors.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What has not happened after this time will not happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a table, a cluster file, and whatever runs on them.
struct Place {
    directory: tempfile::TempDir,
}

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Daemon {
    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, program: &str) -> Command {
        let program = if program == "lvsd" { env!("CARGO_BIN_EXE_lvsd") } else { env!("CARGO_BIN_EXE_lvsctl") };
        let mut command = Command::new(program);
        command.arg("--embedded").arg(self.path("table")).stdin(Stdio::null());
        command
    }

    /// Starts lvsd and waits until it answers.
    fn start(&self, file: &Path) -> Daemon {
        let mut command = self.command("lvsd");
        command.arg(file).stdout(Stdio::null()).stderr(File::create(self.path("log")).unwrap());
        self.start_as(&mut command)
    }

    fn start_as(&self, command: &mut Command) -> Daemon {
        let mut daemon = Daemon(command.spawn().unwrap());
        wait("lvsd answers", || {
            assert!(daemon.0.try_wait().unwrap().is_none(), "lvsd has ended: {}", self.log());
            self.ctl(&["status"]).status.code() != Some(3)
        });
        daemon
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn ctl(&self, arguments: &[&str]) -> Output {
        self.command("lvsctl").args(arguments).output().unwrap()
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let output = self.ctl(arguments);
        let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {}\n{out}{error}", output.status);
        out.into_owned()
    }

    /// The lines of servers in the table.
    fn table(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("table")).unwrap_or_default();
        let mut lines: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("-a"))
            .map(|line| {
                let words: Vec<_> = line.split(' ').collect();
                let after = |option| words.iter().position(|word| *word == option).map_or("1", |at| words[at + 1]);
                format!("{} {}={}", after("-t"), after("-r"), after("-w"))
            })
            .collect();
        lines.sort();
        lines
    }
}

fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn service(vip: &str, check: &str, servers: &[&str]) -> String {
    let mut text = format!(
        "[[service]]\naddress = \"tcp://{vip}:80\"\nforwarding = \"masquerade\"\nscheduler = \"rr\"\n{check}\n"
    );
    for server in servers {
        text += &format!("[[service.server]]\naddress = \"{server}\"\n");
    }
    text
}

const CHECK: &str = "check = { tcp = {}, interval = 0.1, timeout = 5.0 }";

#[test]
fn who_stops_the_daemon_gets_a_reply_before_it_ends() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.10", CHECK, &["198.51.100.1"]));
    for _ in 0..10 {
        let mut daemon = place.start(&file);
        assert_eq!(place.ask(&["stop"]), "remove service tcp://192.0.2.10:80\n");
        assert!(daemon.0.wait().unwrap().success());
        assert!(place.table().is_empty());
    }
}

#[test]
fn two_clusters_of_one_stem_leave_each_other_alone() {
    let place = Place::new();
    let blue = place.write("web.blue.toml", &service("192.0.2.10", "", &["198.51.100.1"]));
    let green = place.write("web.green.toml", &service("192.0.2.11", "", &["198.51.100.1"]));
    fs::create_dir(place.path("other")).unwrap();
    let other = place.write("other/web.blue.toml", &service("192.0.2.12", "", &["198.51.100.1"]));
    for file in [&blue, &green, &other] {
        place.ask(&["apply", file.to_str().unwrap()]);
    }
    assert_eq!(place.table().len(), 3);
    place.ask(&["--direct", "stop", green.to_str().unwrap()]);
    assert_eq!(place.table(), ["192.0.2.10:80 198.51.100.1:80=1", "192.0.2.12:80 198.51.100.1:80=1"]);
}

#[test]
fn a_second_daemon_is_refused() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.1", "", &["198.51.100.1"]));
    let _daemon = place.start(&file);
    let second = place.command("lvsd").arg(&file).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("runs already"), "{second:?}");
}

#[test]
fn signals_reload_and_end_it_and_the_table_stays() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.1", "", &["198.51.100.1"]));
    let mut daemon = place.start(&file);
    fs::write(&file, service("192.0.2.1", "", &["198.51.100.1", "198.51.100.2"])).unwrap();
    daemon.signal(Signal::SIGHUP);
    wait("the second server", || place.table().len() == 2);
    fs::write(&file, "[[service]]\nadress = 1\n").unwrap();
    let refused = place.ctl(&["reload"]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("web.toml:2:1:"), "{refused:?}");
    assert_eq!(place.ctl(&["status"]).status.code(), Some(1));
    daemon.signal(Signal::SIGHUP);
    daemon.signal(Signal::SIGTERM);
    assert!(daemon.0.wait().unwrap().success(), "{}", place.log());
    assert_eq!(place.table().len(), 2);
    assert_eq!(place.ctl(&["status"]).status.code(), Some(3));
}

#[test]
fn a_full_disk_under_the_output_ends_nothing() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.1", "", &["198.51.100.1", "198.51.100.2"]));
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let mut daemon = place.start_as(place.command("lvsd").arg(&file).stdout(full()).stderr(full()));
    for verb in [&["status"][..], &["history"], &["metrics"], &["schema"], &["drain", "--host", "198.51.100.2"]] {
        let output = place.command("lvsctl").args(verb).stdout(full()).stderr(full()).status().unwrap();
        assert_eq!(output.code(), Some(1), "{verb:?}");
    }
    wait("the server is out", || place.table() == ["192.0.2.1:80 198.51.100.1:80=1"]);
    place.ask(&["undrain", "--host", "198.51.100.2"]);
    assert_eq!(place.table().len(), 2);
    assert!(daemon.0.try_wait().unwrap().is_none());
}

#[test]
fn killed_again_and_again_it_goes_on_where_it_was() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // One server is well, one is dead, one is drained, one is held.
    let servers: Vec<String> = (1..=4).map(|last| format!("127.0.0.{last}:{port}")).collect();
    let listeners: Vec<_> = [3, 4]
        .iter()
        .map(|last| TcpListener::bind(("127.0.0.".to_owned() + &last.to_string(), port)).unwrap())
        .collect();
    let names: Vec<&str> = servers.iter().map(String::as_str).collect();
    let file = place.write("web.toml", &service("192.0.2.1", CHECK, &names));
    let mut daemon = place.start(&file);
    place.ask(&["drain", "--host", "127.0.0.3", "--keep", "--no-wait"]);
    place.ask(&["override", "--host", "127.0.0.4", "--weight", "7"]);
    let wanted = [1, 0, 0, 7];
    let as_wanted = || {
        let lines: Vec<_> =
            servers.iter().zip(wanted).map(|(server, weight)| format!("192.0.2.1:80 {server}={weight}")).collect();
        place.table() == lines
    };
    wait("the dead one is out", as_wanted);
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..20 {
        std::thread::sleep(Duration::from_millis(random.u64(0..60)));
        if random.bool() {
            // Somebody reloads, somebody clears the table.
            let _ = place
                .command("lvsctl")
                .arg("reload")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
                .wait();
        }
        daemon.0.kill().unwrap();
        daemon.0.wait().unwrap();
        if random.u8(..) < 80 {
            fs::write(place.path("table"), "").unwrap();
        }
        daemon = place.start(&file);
        assert!(as_wanted(), "round {round}: {:?}\n{}", place.table(), place.log());
    }
    drop(listeners);
    drop(daemon);
}

#[test]
fn scarce_descriptors_take_no_server_out() {
    let place = Place::new();
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let servers: Vec<String> = (1..=40).map(|last| format!("127.0.1.{last}:{port}")).collect();
    let names: Vec<&str> = servers.iter().map(String::as_str).collect();
    let check = "check = { tcp = {}, interval = 0.05, timeout = 1.0 }\nhealth = { fall = 1 }";
    let file = place.write("web.toml", &service("192.0.2.1", check, &names));
    let script = format!(
        "ulimit -n 24; exec {} --embedded {} --metrics 127.0.0.1:0 {}",
        env!("CARGO_BIN_EXE_lvsd"),
        place.path("table").display(),
        file.display()
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(File::create(place.path("log")).unwrap());
    let _daemon = place.start_as(&mut command);
    // Connections that ask for nothing take what descriptors are left.
    let mut socket = fs::read_dir(place.path("table.state")).unwrap().flatten().map(|entry| entry.path());
    let socket = socket.find(|path| path.extension().is_some_and(|end| end == "sock")).unwrap();
    let idle: Vec<_> = (0..30).filter_map(|_| UnixStream::connect(&socket).ok()).collect();
    wait("checks", || {
        let mut stream = UnixStream::connect(&socket).unwrap();
        let _ = stream.write_all(b"GET /v1/status HTTP/1.1\r\n");
        std::thread::sleep(Duration::from_millis(200));
        place.log().contains("check not run") || idle.is_empty()
    });
    drop(idle);
    assert!(place.table().iter().all(|line| line.ends_with("=1")), "{:?}\n{}", place.table(), place.log());
    assert!(!place.log().contains("server down"), "{}", place.log());
}

#[test]
fn a_process_that_stood_still_takes_no_server_out() {
    let place = Place::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // It takes connections and answers late, so that a check is always under way.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(200));
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                std::thread::sleep(Duration::from_millis(500));
            });
        }
    });
    let check = "check = { http = {}, interval = 0.05, timeout = 1.0 }\nhealth = { fall = 1 }";
    let file = place.write("web.toml", &service("192.0.2.1", check, &[&address]));
    let daemon = place.start(&file);
    for _ in 0..2 {
        daemon.signal(Signal::SIGSTOP);
        std::thread::sleep(Duration::from_millis(1800));
        daemon.signal(Signal::SIGCONT);
        std::thread::sleep(Duration::from_millis(300));
    }
    place.ask(&["status"]);
    assert!(!place.log().contains("server down"), "{}", place.log());
}

#[test]
fn a_watcher_sees_what_happens() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.1", "", &["198.51.100.1"]));
    let daemon = place.start(&file);
    let watch =
        place.command("lvsctl").args(["watch", "--json"]).stdout(File::create(place.path("seen")).unwrap()).spawn();
    let _watch = Daemon(watch.unwrap());
    wait("an event", || {
        daemon.signal(Signal::SIGHUP);
        fs::read_to_string(place.path("seen")).unwrap().contains("\"reloaded\"")
    });
    let text = fs::read_to_string(place.path("seen")).unwrap();
    let event: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(event["kind"], "reloaded");
}

#[test]
fn hooks_get_events_and_hold_nobody_up() {
    let place = Place::new();
    let seen = place.path("seen");
    let text = format!(
        "[[hook]]\non = [\"override_set\", \"server_down\"]\nargv = [\"sh\", \"-c\", \"cat >> {0}; echo \\\"$LVS_EVENT\\\" >> {0}\"]\n\
         [[hook]]\non = [\"override_set\"]\nargv = [\"sh\", \"-c\", \"sleep 7777\"]\ntimeout = 7777\n{1}",
        seen.display(),
        service("192.0.2.1", CHECK, &["127.0.0.9:1"])
    );
    let file = place.write("web.toml", &text);
    let daemon = place.start(&file);
    for _ in 0..3 {
        place.ask(&["override", "--host", "127.0.0.9", "--weight", "3"]);
    }
    let text = || fs::read_to_string(&seen).unwrap_or_default();
    wait("the events", || text().matches("\"override_set\"").count() == 3 && text().contains("\"server_down\""));
    assert!(text().contains("override_set\n{\"id\":"), "one after the other: {}", text());
    // It ends although a hook hangs, and leaves nothing of it behind.
    drop(daemon);
}

#[test]
fn clients_that_ask_for_nothing_and_read_nothing_hold_nobody_up() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.1", "", &["198.51.100.1"]));
    let _daemon = place.start(&file);
    let mut sockets = fs::read_dir(place.path("table.state")).unwrap().flatten().map(|entry| entry.path());
    let socket = sockets.find(|path| path.extension().is_some_and(|end| end == "sock")).unwrap();
    let slow: Vec<_> = (0..200)
        .map(|index| {
            let mut stream = UnixStream::connect(&socket).unwrap();
            let half: &[u8] = if index % 2 == 0 { b"GET /v1/st" } else { b"" };
            stream.write_all(half).unwrap();
            stream
        })
        .collect();
    place.ask(&["status"]);
    // Nor do those who watch and do not read.
    let watchers: Vec<_> = (0..10)
        .map(|_| {
            let mut stream = UnixStream::connect(&socket).unwrap();
            stream.write_all(b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            stream
        })
        .collect();
    for _ in 0..50 {
        place.ask(&["reload"]);
    }
    drop((slow, watchers));
}

#[test]
#[ignore = "needs promtool"]
fn promtool_finds_nothing_to_say_about_the_metrics() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.1", CHECK, &["127.0.0.9:1"]));
    let _daemon = place.start(&file);
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(place.ask(&["metrics"]).as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}
