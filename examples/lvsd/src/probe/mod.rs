//! Checks of real servers. One kind has one module: what the cluster file says of it, and how it is
//! run.
//!
//! A new kind is a struct that deserializes from its table in the cluster file and implements
//! [`Probe`], a variant of [`Check`] and a field of [`CheckKinds`].

mod command;
mod connection;
mod dns;
mod file;
mod grpc;
mod http;
mod icmp;
pub(crate) mod path;
mod pattern;
mod smtp;
mod tcp;
mod tls;
mod udp;

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use lvs_core::model::{Destination, ServiceKey};
pub use lvs_core::probe::ProbeOutcome as Outcome;
use lvs_core::probe::within;
use schemars::JsonSchema;
use serde::Deserialize;

pub use command::CommandCheck;
use connection::Connection;
pub use dns::DnsCheck;
pub use file::FileCheck;
pub use grpc::GrpcCheck;
pub use http::HttpCheck;
pub use icmp::IcmpCheck;
pub use pattern::Pattern;
pub use smtp::SmtpCheck;
pub use tcp::TcpCheck;
pub use tls::Tls;
pub use udp::{Hex, UdpCheck};

/// Which server is checked, and for which service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The service. Its address is where packets of clients go.
    pub service: ServiceKey,
    /// The real server, with its forwarding method and tunnel.
    pub server: Destination,
    /// Where to ask: the server's address, with the port of the check if it names one.
    pub address: SocketAddr,
    /// The service's address, where it is asked through the server, as the director sends clients'
    /// packets.
    pub through: Option<SocketAddr>,
}

impl Target {
    /// Whom packets are addressed to.
    pub fn peer(&self) -> SocketAddr {
        self.through.unwrap_or(self.address)
    }
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
    /// A question to a name server.
    pub dns: Option<DnsCheck>,
    /// An echo request.
    pub icmp: Option<IcmpCheck>,
    /// The health service of gRPC.
    pub grpc: Option<GrpcCheck>,
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
    /// The server answers a question about a name.
    Dns(DnsCheck),
    /// The server's host answers an echo request.
    Icmp(IcmpCheck),
    /// The server's health service says that it serves.
    Grpc(GrpcCheck),
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
        let Self { tcp, http, udp, smtp, dns, icmp, grpc, file, command } = self;
        let kinds = [
            tcp.map(Check::Tcp),
            http.map(Check::Http),
            udp.map(Check::Udp),
            smtp.map(Check::Smtp),
            dns.map(Check::Dns),
            icmp.map(Check::Icmp),
            grpc.map(Check::Grpc),
            file.map(Check::File),
            command.map(Check::Command),
        ];
        let mut kinds = kinds.into_iter().flatten();
        let check = kinds.next().ok_or("a check has a kind: tcp, http, udp, smtp, dns, icmp, grpc, file or command")?;
        if kinds.next().is_some() {
            return Err("a check has one kind".to_owned());
        }
        check.validate()?;
        Ok(check)
    }
}

/// What a cluster's checks need and this process may not do; each for people.
pub fn missing_privileges(cluster: &crate::config::Cluster) -> Vec<String> {
    let (mut echo, mut path) = (std::collections::BTreeMap::new(), None);
    for entry in &cluster.services {
        for member in &entry.members {
            let Some(check) = &member.check else { continue };
            if matches!(check.check, Check::Icmp(_)) {
                echo.entry(member.destination.key.addr.is_ipv4()).or_insert((entry.service.key(), member));
            }
            if check.through.is_some() {
                path.get_or_insert(entry.service.key());
            }
        }
    }
    let mut missing = Vec::new();
    for (service, member) in echo.values() {
        if let Err(error) = icmp::available(member.destination.key.addr) {
            missing.push(format!("{service}: {}: {error}", icmp::ADVICE));
        }
    }
    if let (Some(service), Err(error)) = (path, path.map_or(Ok(()), |_| path::available())) {
        missing.push(format!(
            "{service}: checks of the service's address (to) need CAP_NET_RAW, which lvsd gives up unless --keep-raw is \
             given: {error}"
        ));
    }
    missing
}

impl Check {
    /// Whether its outcomes may carry weights.
    pub fn may_set_weights(&self) -> bool {
        match self {
            Self::Http(http) => http.may_set_weights(),
            Self::Command(command) => command.dynamic,
            Self::File(_) => true,
            _ => false,
        }
    }

    /// Its name in the cluster file.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "tcp",
            Self::Http(_) => "http",
            Self::Udp(_) => "udp",
            Self::Smtp(_) => "smtp",
            Self::Dns(_) => "dns",
            Self::Icmp(_) => "icmp",
            Self::Grpc(_) => "grpc",
            Self::File(_) => "file",
            Self::Command(_) => "command",
        }
    }

    /// Whether it is made over a connection, which can go through the server to the service's
    /// address.
    pub(crate) fn connects(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Http(_) | Self::Smtp(_) | Self::Grpc(_) => true,
            Self::Dns(check) => check.tcp,
            _ => false,
        }
    }

    fn validate(&self) -> Result<(), String> {
        match self {
            Self::Tcp(check) => check.validate(),
            Self::Http(check) => check.validate(),
            Self::Udp(check) => check.validate(),
            Self::Smtp(check) => check.validate(),
            Self::Dns(check) => check.validate(),
            Self::Icmp(check) => check.validate(),
            Self::Grpc(check) => check.validate(),
            Self::File(check) => check.validate(),
            Self::Command(check) => check.validate(),
        }
    }

    /// Checks a server once, in the time that the check has.
    pub async fn run(&self, target: &Target, context: &Context) -> Outcome {
        // Boxed, so that a server that waits for its next check holds no memory for the largest kind.
        let probe: Pin<Box<dyn Future<Output = Outcome> + '_>> = match self {
            Self::Tcp(check) => Box::pin(check.run(target, context)),
            Self::Http(check) => Box::pin(check.run(target, context)),
            Self::Udp(check) => Box::pin(check.run(target, context)),
            Self::Smtp(check) => Box::pin(check.run(target, context)),
            Self::Dns(check) => Box::pin(check.run(target, context)),
            Self::Icmp(check) => Box::pin(check.run(target, context)),
            Self::Grpc(check) => Box::pin(check.run(target, context)),
            Self::File(check) => Box::pin(check.run(target, context)),
            Self::Command(check) => Box::pin(check.run(target, context)),
        };
        within(context.timeout, probe).await
    }
}

#[cfg(test)]
pub(crate) mod tests_support {
    use super::*;

    /// A server at an address, behind a service that nobody asks for.
    pub(crate) fn target(address: SocketAddr) -> Target {
        let server = Destination::new(address.ip(), address.port());
        Target { service: ServiceKey::tcp("192.0.2.1", 80).unwrap(), server, address, through: None }
    }

    pub(crate) fn context() -> Context {
        Context { timeout: Duration::from_secs(20) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_kind_is_taken() {
        let kinds = |text: &str| toml::from_str::<CheckKinds>(text).unwrap().one();
        assert_eq!(kinds("tcp = {}").unwrap().name(), "tcp");
        assert!(kinds("").unwrap_err().contains("kind"));
        assert!(kinds("tcp = {}\nhttp = {}").unwrap_err().contains("one kind"));
        assert!(toml::from_str::<CheckKinds>("http = { pth = \"/\" }").is_err());
    }
}
