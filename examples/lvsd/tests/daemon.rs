//! `lvsd` and `lvsctl` as processes, on a table in a file: signals, kills, full disks, scarce
//! descriptors.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record, RecordType};
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

/// Reads a request. A server that answers and closes before it has read everything resets the
/// connection.
fn read_request(stream: &mut impl Read) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut body) = (String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) && line != "\r\n" {
        if let Some(length) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            body = length.trim().parse().unwrap();
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; body]).unwrap();
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

const CHECK: &str = "check = { tcp = {}, interval = 0.1, timeout = 60.0 }";

#[test]
fn a_client_that_stops_the_daemon_gets_a_reply() {
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
fn what_the_director_will_refuse_is_reported_before_any_change() {
    let place = Place::new();
    let good = service("192.0.2.10", "", &["198.51.100.1"]);
    let slip = good.replace("\"rr\"", "\"nosuch\"").replace("192.0.2.10", "192.0.2.11");
    let file = place.write("web.toml", &format!("{good}{slip}"));
    let file = file.to_str().unwrap();
    for command in [&["--direct", "plan"][..], &["--direct", "check"], &["apply"]] {
        let output = place.ctl(&[command, &[file]].concat());
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!output.status.success(), "{command:?}: {said}");
        assert!(said.contains("tcp://192.0.2.11:80") && said.contains("no scheduler nosuch"), "{command:?}: {said}");
        assert!(place.table().is_empty(), "{command:?}");
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
fn times_out_of_range_are_refused_before_anything_is_done() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.1", "", &["198.51.100.1"]));
    for time in ["1e18", "1e-9", "-1", "nan"] {
        let output = place.command("lvsd").arg(format!("--resync={time}")).arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{time}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("between 0.1 and 86400"), "{time}: {output:?}");
    }
    assert!(place.table().is_empty());
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
    // Nor does a reader that has gone.
    for verb in ["status", "history", "metrics", "schema"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place.command("lvsctl").arg(verb).stdout(writer).stderr(full()).status().unwrap();
        assert!(matches!(output.code(), Some(0 | 1)), "{verb}: {output}");
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
    let kills: u32 = std::env::var("LVS_KILLS").map_or(20, |kills| kills.parse().unwrap());
    for round in 0..kills {
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
    // Connections that nobody takes fill the kernel's queue, and then it answers no more.
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let check = "check = { tcp = {}, interval = 0.05, timeout = 60.0 }\nhealth = { fall = 1 }";
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
    // It answers at once, or not before it is told to.
    let (silent, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (says_nothing, count) = (Arc::clone(&silent), Arc::clone(&asked));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_request(&mut stream);
            // Decided before the request is counted: a change after that concerns the next one.
            let waits = says_nothing.load(Ordering::SeqCst);
            count.fetch_add(1, Ordering::SeqCst);
            while waits && says_nothing.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let next_check = || {
        let before = asked.load(Ordering::SeqCst);
        wait("a check", || asked.load(Ordering::SeqCst) > before);
    };
    let timeout = Duration::from_secs(6);
    let check = "check = { http = {}, interval = 0.05, timeout = 6.0 }\nhealth = { fall = 1 }";
    let file = place.write("web.toml", &service("192.0.2.1", check, &[&address]));
    let daemon = place.start(&file);
    next_check();
    silent.store(true, Ordering::SeqCst);
    next_check();
    daemon.signal(Signal::SIGSTOP);
    std::thread::sleep(timeout * 3 / 2);
    daemon.signal(Signal::SIGCONT);
    // It has seen that the time is over, and goes on waiting.
    place.ask(&["status"]);
    silent.store(false, Ordering::SeqCst);
    next_check();
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
fn slow_hooks_get_events_and_delay_nothing() {
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
fn idle_clients_do_not_delay_others() {
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
fn a_lost_state_directory_is_reported_and_stops_nothing() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.1", "", &["198.51.100.1", "198.51.100.2"]));
    let (state, away) = (place.path("state"), place.path("away"));
    let start = || {
        let mut command = place.command("lvsd");
        command.args(["--resync", "0.2", "--state"]).arg(&state).arg(&file).stdout(Stdio::null());
        place.start_as(command.stderr(File::create(place.path("log")).unwrap()))
    };
    let daemon = start();
    fs::rename(&state, &away).unwrap();
    place.ask(&["override", "--host", "198.51.100.2", "--weight", "7"]);
    let wanted = ["192.0.2.1:80 198.51.100.1:80=1", "192.0.2.1:80 198.51.100.2:80=7"];
    assert_eq!(place.table(), wanted);
    let status = place.ctl(&["status"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains("cannot keep state"), "{status:?}");
    assert_eq!(place.log().matches("cannot keep state").count(), 1, "{}", place.log());
    // Once it is back, what was decided meanwhile is kept, and survives a kill.
    fs::rename(&away, &state).unwrap();
    wait("the state is kept", || !String::from_utf8_lossy(&place.ctl(&["status"]).stdout).contains("cannot keep"));
    drop(daemon);
    fs::write(place.path("table"), "").unwrap();
    let _daemon = start();
    assert_eq!(place.table(), wanted);
}

#[test]
fn broken_webhooks_delay_nothing_and_their_secrets_are_not_logged() {
    let place = Place::new();
    let liar = TcpListener::bind("127.0.0.1:0").unwrap();
    let (lies, told) = (liar.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&told);
    std::thread::spawn(move || {
        for stream in liar.incoming() {
            let mut stream = stream.unwrap();
            read_request(&mut stream);
            let answer: &[u8] = match count.fetch_add(1, Ordering::SeqCst) % 3 {
                0 => b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
                1 => b"\xff\xfe nothing like HTTP\r\n\r\n",
                _ => b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999999\r\n\r\n",
            };
            let _ = stream.write_all(answer);
        }
    });
    let hook = |url: &str| format!("[[hook]]\non = [\"override_set\"]\nurl = \"{url}\"\ntimeout = 1.0\n");
    let text = [
        hook(&format!("http://{lies}/hook/sesame?token=sesame")),
        hook("http://127.0.0.1:1/hook/sesame?token=sesame"),
        hook("http://no-such-host.invalid/hook/sesame"),
        service("192.0.2.1", "", &["198.51.100.1"]),
    ];
    let file = place.write("web.toml", &text.concat());
    let _daemon = place.start(&file);
    for weight in 1..=6 {
        place.ask(&["override", "--host", "198.51.100.1", "--weight", &weight.to_string()]);
    }
    assert_eq!(place.table(), ["192.0.2.1:80 198.51.100.1:80=6"]);
    wait("the liar was told", || told.load(Ordering::SeqCst) >= 6);
    wait("failures are logged", || place.log().contains("127.0.0.1:1") && place.log().contains("status 500"));
    assert!(!place.log().contains("sesame"), "{}", place.log());
    assert!(!String::from_utf8_lossy(&place.ctl(&["history", "--json"]).stdout).contains("sesame"));
    // A password in a URL would be in every log of the other side: there is no such thing here.
    let refused = place.write("secret.toml", &hook("http://user:sesame@127.0.0.1:1/").replace("timeout", "#"));
    let output = place.command("lvsd").arg("--check").arg(&refused).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("sesame"), "{output:?}");
}

#[test]
fn requests_that_are_too_large_are_refused_and_the_daemon_goes_on() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.1", "", &["198.51.100.1"]));
    let mut daemon = place.start(&file);
    let mut sockets = fs::read_dir(place.path("table.state")).unwrap().flatten().map(|entry| entry.path());
    let socket = sockets.find(|path| path.extension().is_some_and(|end| end == "sock")).unwrap();
    let ask = |request: &[u8]| {
        let mut stream = UnixStream::connect(&socket).unwrap();
        // It may have been cut off before it was read to its end.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
    };
    let head = |text: &str| [text.as_bytes(), b"Host: x\r\nConnection: close\r\n"].concat();
    assert_eq!(ask(&[head("GET /v1/status HTTP/1.1\r\n"), b"\r\n".to_vec()].concat()), "HTTP/1.1 200 OK");
    let long = [head("GET /v1/status HTTP/1.1\r\n"), b"X-Long: ".to_vec(), vec![b'x'; 1 << 20]].concat();
    assert!(["", "HTTP/1.1 431 Request Header Fields Too Large"].contains(&ask(&long).as_str()));
    let many = [head("GET /v1/status HTTP/1.1\r\n"), b"X: y\r\n".repeat(5000), b"\r\n".to_vec()].concat();
    assert!(["", "HTTP/1.1 431 Request Header Fields Too Large"].contains(&ask(&many).as_str()));
    let post = head("POST /v1/override HTTP/1.1\r\nContent-Length: 1000000\r\n");
    assert_eq!(ask(&[post, b"\r\n".to_vec(), vec![b' '; 1_000_000]].concat()), "HTTP/1.1 400 Bad Request");
    for garbage in
        [&b"\x16\x03\x01\x02\x00"[..], b"GET\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\0\0\0\r\n\r\n"]
    {
        assert!(!ask(garbage).contains("200"), "{garbage:?}");
    }
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660, "nobody else may connect");
    assert!(daemon.0.try_wait().unwrap().is_none());
    place.ask(&["status"]);
}

#[test]
#[ignore = "needs systemd-analyze"]
fn systemd_finds_little_that_the_unit_exposes() {
    let place = Place::new();
    let unit = place.write("lvsd@web.service", include_str!("../systemd/lvsd@.service"));
    let mut analyze = Command::new("systemd-analyze");
    // In tenths of ten: what it calls good.
    analyze.args(["security", "--offline=yes", "--no-pager", "--threshold=25"]).arg(unit);
    let output = analyze.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
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

/// A name server that gives any name these addresses for a second; without any it fails.
fn name_server(addresses: &Arc<Mutex<Vec<Ipv4Addr>>>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (addr, addresses) = (socket.local_addr().unwrap(), Arc::clone(addresses));
    std::thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let mut message = Message::from_vec(&buffer[..length]).unwrap();
            message.metadata.message_type = MessageType::Response;
            let query = message.queries[0].clone();
            let addresses = addresses.lock().unwrap().clone();
            if addresses.is_empty() {
                message.metadata.response_code = ResponseCode::ServFail;
            }
            if query.query_type() == RecordType::A {
                let record = |addr| Record::from_rdata(query.name().clone(), 1, RData::A(A(addr)));
                message.answers.extend(addresses.into_iter().map(record));
            }
            socket.send_to(&message.to_vec().unwrap(), from).unwrap();
        }
    });
    addr
}

#[test]
fn servers_follow_their_name_and_no_name_server_takes_the_last_good_ones_away() {
    let place = Place::new();
    let addresses = Arc::new(Mutex::new(vec![Ipv4Addr::new(198, 51, 100, 7)]));
    let resolver = name_server(&addresses);
    let well = |last: u8| place.write(&format!("198.51.100.{last}"), "");
    well(7);
    let check = format!(
        "check = {{ command = {{ argv = [\"test\", \"-e\", \"{}/{{address}}\"] }}, interval = 0.1, timeout = 60.0 }}",
        place.path("").display()
    );
    let text = |server: &str| format!("resolver = [\"{resolver}\"]\n{}", service("192.0.2.1", &check, &[server]));
    let file = place.write("web.toml", &text("web.example.org."));
    let table = |servers: &[&str]| {
        let servers: Vec<String> = servers.iter().map(|server| format!("192.0.2.1:80 198.51.100.{server}")).collect();
        move |place: &Place| place.table() == servers
    };
    let daemon = place.start(&file);
    let first = table(&["7:80=1"]);
    assert!(first(&place), "a start waits for names: {:?} {}", place.table(), place.log());
    // The next address is a server as soon as it is known, but those before stay until it is well.
    *addresses.lock().unwrap() = vec![Ipv4Addr::new(198, 51, 100, 8)];
    let both = table(&["7:80=1", "8:80=0"]);
    wait("the new server is there and found down", || both(&place));
    well(8);
    let second = table(&["8:80=1"]);
    wait("the old server is gone", || second(&place));
    assert!(place.ask(&["history"]).contains("names changed: web.example.org. is 198.51.100.8"));
    // Failures and lies.
    *addresses.lock().unwrap() = vec![Ipv4Addr::UNSPECIFIED];
    wait("a lie is told of", || place.log().contains("0.0.0.0 is not the address of a server"));
    addresses.lock().unwrap().clear();
    wait("a failure is told of", || place.log().matches("cannot be resolved").count() == 2);
    assert!(second(&place), "{:?}", place.table());
    // Nor does a start, with the name server gone for good; a file with a name of which nothing is
    // known is refused.
    addresses.lock().unwrap().clear();
    drop(daemon);
    let _daemon = place.start(&file);
    assert!(second(&place), "{:?}", place.table());
    place.write("web.toml", &text("other.example.org"));
    let refused = place.ctl(&["reload"]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("no address is known of other.example.org"), "{said}");
    assert!(second(&place), "{:?}", place.table());
}

/// By hand, as the package is large: `apt-get install --no-install-recommends prometheus` and
/// `cargo test -p lvsd --test daemon -- --ignored prom`.
#[test]
#[ignore = "needs prometheus"]
fn a_prometheus_server_takes_the_metrics_as_they_are() {
    let place = Place::new();
    let file = place.write("web.toml", &service("192.0.2.1", CHECK, &["127.0.0.9:1"]));
    let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (metrics, server) = (free(), free());
    let mut command = place.command("lvsd");
    command.arg(&file).arg("--metrics").arg(metrics.to_string());
    command.stdout(Stdio::null()).stderr(File::create(place.path("log")).unwrap());
    let _daemon = place.start_as(&mut command);
    let config = format!(
        "scrape_configs: [{{job_name: lvsd, scrape_interval: 200ms, scrape_timeout: 200ms, static_configs: [{{targets: ['{metrics}']}}]}}]"
    );
    let config = place.write("prometheus.yml", &config);
    let prometheus = Command::new("prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", place.path("tsdb").display()))
        .arg(format!("--web.listen-address={server}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(place.path("prometheus.log")).unwrap())
        .spawn()
        .unwrap();
    let _prometheus = Daemon(prometheus);
    // A matrix or vector as JSON, or nothing as long as the server does not answer.
    let ask = |query: &str| -> Option<serde_json::Value> {
        let output = Command::new("curl")
            .args(["-sfG", &format!("http://{server}/api/v1/query"), "--data-urlencode", &format!("query={query}")])
            .output()
            .unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
        Some(answer["data"]["result"].clone())
    };
    let value = |query: &str| ask(query)?.get(0)?["value"][1].as_str().map(str::to_owned);
    wait("it is scraped", || value("up{job=\"lvsd\"}").as_deref() == Some("1"));
    wait("checks are counted", || value("sum(lvsd_checks_total)").is_some_and(|count| count != "0"));
    wait("the dead server is down", || value("lvsd_server_up").as_deref() == Some("0"));
    // Nothing of the page is lost on the way: as many series as lines with values.
    let page = place.ask(&["metrics"]);
    let lines = page.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    let scraped = value("scrape_samples_post_metric_relabeling{job=\"lvsd\"}").unwrap();
    assert_eq!(scraped, lines.to_string(), "{page}");
    let complaints = fs::read_to_string(place.path("prometheus.log")).unwrap();
    assert!(!complaints.contains("level=warn") && !complaints.contains("level=error"), "{complaints}");
}
