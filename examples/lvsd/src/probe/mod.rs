//! Checks of real servers. One kind has one module: what the cluster file says of it, and how it is run.
//!
//! A new kind is a struct that deserializes from its table in the cluster file and implements
//! [`Probe`], a variant of [`Check`] and a field of [`CheckKinds`].

mod command;
mod file;
mod http;
mod limits;
mod smtp;
mod tcp;
mod tls;
mod udp;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use lvs_core::model::{Destination, ServiceKey};
use schemars::JsonSchema;
use serde::Deserialize;

pub use command::CommandCheck;
pub use file::FileCheck;
pub use http::HttpCheck;
pub use limits::is_own_shortage;
pub use smtp::SmtpCheck;
pub use tcp::TcpCheck;
pub use tls::Tls;
pub use udp::UdpCheck;

/// What one check of one server came to.
#[derive(Debug, Clone, PartialEq, Eq)]
// Exhaustive: the server answers, it does not, or nobody knows.
pub enum Outcome {
    /// The server answers.
    Up,
    /// The server answers and asks for this weight.
    UpWithWeight(u32),
    /// The server does not answer as it should; the reason is for people.
    Down(String),
    /// The check could not be made for a reason of this host: no descriptor, no memory, no process, a
    /// machine that stood still. It says nothing about the server.
    NotRun(String),
}

impl Outcome {
    /// An error of the operating system: the server's fault unless this host lacks something.
    pub fn of_error(what: &str, error: &io::Error) -> Self {
        let text = format!("{what}: {error}");
        if is_own_shortage(error) { Self::NotRun(text) } else { Self::Down(text) }
    }
}

/// Which server is checked, and for which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The service. Its address is where packets of clients go.
    pub service: ServiceKey,
    /// The real server, with its forwarding method and tunnel.
    pub server: Destination,
    /// Where to ask: the server's address, with the port of the check if it names one.
    pub address: SocketAddr,
}

/// What a check may use and must keep to.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// After this time no answer is a failure. [`Check::run`] ends the check then; a kind needs the
    /// value only to pass it on.
    pub timeout: Duration,
}

/// A kind of check.
pub trait Probe {
    /// Checks a server once. When the time is over the future is dropped: what it has started
    /// (processes, sockets) must end with it.
    fn run(&self, target: &Target, context: &Context) -> impl Future<Output = Outcome>;

    /// What is wrong with the settings, found when the file is read.
    ///
    /// # Errors
    /// What is wrong, for people.
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }
}

/// The kinds as the cluster file names them; exactly one is there.
///
/// A kind without settings is an empty table: `check = { tcp = {} }`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CheckKinds {
    /// A connection over TCP.
    pub tcp: Option<TcpCheck>,
    /// A request over HTTP or HTTPS.
    pub http: Option<HttpCheck>,
    /// A datagram.
    pub udp: Option<UdpCheck>,
    /// The greeting of a mail server.
    pub smtp: Option<SmtpCheck>,
    /// What a file says.
    pub file: Option<FileCheck>,
    /// The exit status of a command.
    pub command: Option<CommandCheck>,
}

/// How a real server is checked.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Check {
    /// The server takes a connection.
    Tcp(TcpCheck),
    /// The server answers a request over HTTP or HTTPS.
    Http(HttpCheck),
    /// The server answers a datagram, or its host does not say that nobody listens.
    Udp(UdpCheck),
    /// The server greets as a mail server does.
    Smtp(SmtpCheck),
    /// A file says so.
    File(FileCheck),
    /// A command says so with its exit status.
    Command(CommandCheck),
}

impl CheckKinds {
    /// The one kind that is there.
    ///
    /// # Errors
    /// None is there, or several are, or its settings make no sense.
    pub fn one(self) -> Result<Check, String> {
        let Self { tcp, http, udp, smtp, file, command } = self;
        let kinds = [
            tcp.map(Check::Tcp),
            http.map(Check::Http),
            udp.map(Check::Udp),
            smtp.map(Check::Smtp),
            file.map(Check::File),
            command.map(Check::Command),
        ];
        let mut kinds = kinds.into_iter().flatten();
        let check = kinds.next().ok_or("a check has a kind: tcp, http, udp, smtp, file or command")?;
        if kinds.next().is_some() {
            return Err("a check has one kind".to_owned());
        }
        check.validate()?;
        Ok(check)
    }
}

impl Check {
    /// Its name in the cluster file.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Http(_) => "http",
            Self::Udp(_) => "udp",
            Self::Smtp(_) => "smtp",
            Self::File(_) => "file",
            Self::Command(_) => "command",
        }
    }

    fn validate(&self) -> Result<(), String> {
        match self {
            Self::Tcp(check) => check.validate(),
            Self::Http(check) => check.validate(),
            Self::Udp(check) => check.validate(),
            Self::Smtp(check) => check.validate(),
            Self::File(check) => check.validate(),
            Self::Command(check) => check.validate(),
        }
    }

    /// Checks a server once. No answer in time is a failure. If it was this process that did not run
    /// meanwhile (stopped, or on a machine that stood still), the server gets the time once more.
    pub async fn run(&self, target: &Target, context: &Context) -> Outcome {
        let probe = async {
            match self {
                Self::Tcp(check) => check.run(target, context).await,
                Self::Http(check) => check.run(target, context).await,
                Self::Udp(check) => check.run(target, context).await,
                Self::Smtp(check) => check.run(target, context).await,
                Self::File(check) => check.run(target, context).await,
                Self::Command(check) => check.run(target, context).await,
            }
        };
        let mut probe = pin!(probe);
        for turn in [Turn::First, Turn::Last] {
            let started = Instant::now();
            if let Ok(outcome) = tokio::time::timeout(context.timeout, probe.as_mut()).await {
                return outcome;
            }
            if let Some(outcome) = turn.overdue(context.timeout, started.elapsed()) {
                return outcome;
            }
        }
        Outcome::Down(format!("no answer in {:?}", context.timeout))
    }
}

/// Which of the times that a server gets.
#[derive(Clone, Copy)]
enum Turn {
    First,
    Last,
}

impl Turn {
    /// The outcome of a check whose time is over, if there is one: a timer that fires much later than it should
    /// says that this process could not have seen an answer in time.
    fn overdue(self, timeout: Duration, elapsed: Duration) -> Option<Outcome> {
        let late = elapsed.saturating_sub(timeout);
        match self {
            Self::First if late > (timeout / 4).max(Duration::from_millis(100)) => None,
            // Twice in a row for longer than the server has: nothing can be said about it.
            Self::Last if late > timeout => {
                Some(Outcome::NotRun(format!("this process stood still for {:.1} s", late.as_secs_f64())))
            }
            _ => Some(Outcome::Down(format!("no answer in {timeout:?}"))),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    use super::*;

    /// A server at an address, behind a service that nobody asks for.
    pub(crate) fn target(address: SocketAddr) -> Target {
        let server = Destination::new(address.ip(), address.port());
        Target { service: ServiceKey::tcp("192.0.2.1", 80).unwrap(), server, address }
    }

    pub(crate) fn context() -> Context {
        Context { timeout: Duration::from_secs(20) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_timer_is_no_failure_of_the_server_until_it_had_its_time_again() {
        let second = Duration::from_secs(1);
        let down = Some(Outcome::Down("no answer in 2s".to_owned()));
        assert_eq!(Turn::First.overdue(2 * second, 2 * second), down);
        assert_eq!(Turn::First.overdue(2 * second, 3 * second), None, "it gets its time once more");
        assert_eq!(Turn::Last.overdue(2 * second, 3 * second), down, "a busy machine does not keep the dead alive");
        assert!(matches!(Turn::Last.overdue(2 * second, 9 * second), Some(Outcome::NotRun(_))));
    }

    #[test]
    fn exactly_one_kind_is_taken() {
        let kinds = |text: &str| toml::from_str::<CheckKinds>(text).unwrap().one();
        assert_eq!(kinds("tcp = {}").unwrap().name(), "tcp");
        assert!(kinds("").unwrap_err().contains("kind"));
        assert!(kinds("tcp = {}\nhttp = {}").unwrap_err().contains("one kind"));
        assert!(toml::from_str::<CheckKinds>("http = { pth = \"/\" }").is_err());
    }
}
