//! Names of hosts as servers: asked for again when their time to live is over.
//!
//! What is known of a name goes by what name servers say only as far as that keeps somebody
//! serving: no answer, an empty one, or one that cannot be true changes nothing; and where servers
//! are checked, the addresses before stay until one of the new ones has passed its check.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::Resolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;

use crate::config::{Answers, Cluster};

/// No name is asked for more often, nor less often, whatever its time to live.
const TTL: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);
/// After a failure it is asked again after the first of these, which doubles up to the last.
const AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(60));
/// After this time a name server that does not answer is asked once more, and then the next.
const TIMEOUT: Duration = Duration::from_secs(2);
/// More addresses of one name and family are no answer.
const MOST: usize = 64;
/// For so long a file waits for names of which nothing is known.
const FIRST: Duration = Duration::from_secs(5);

/// What a name server has said of one family of addresses, and for how long it holds.
type Said = Result<(BTreeSet<IpAddr>, Duration), String>;

#[derive(Debug)]
struct Message {
    name: String,
    is_ipv4: bool,
    said: Said,
}

/// What is known of the addresses of one family.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Known {
    now: BTreeSet<IpAddr>,
    /// Those that serve until one of `now` does.
    before: BTreeSet<IpAddr>,
    /// Why the last answer was none.
    failure: Option<String>,
}

/// The names of a cluster while it runs.
#[derive(Debug)]
pub struct Names {
    known: BTreeMap<(String, bool), Known>,
    running: HashMap<String, Running>,
    resolver: Vec<SocketAddr>,
    sender: UnboundedSender<Message>,
    messages: UnboundedReceiver<Message>,
}

#[derive(Debug)]
struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Names {
    /// Goes on from what was known.
    pub fn new(answers: &Answers) -> Self {
        let (sender, messages) = unbounded_channel();
        let mut known: BTreeMap<(String, bool), Known> = BTreeMap::new();
        for (name, addresses) in answers {
            for addr in addresses {
                known.entry((name.clone(), addr.is_ipv4())).or_default().now.insert(*addr);
            }
        }
        Self { known, running: HashMap::new(), resolver: Vec::new(), sender, messages }
    }

    /// A file with the addresses of its names, once something is known of all of them.
    ///
    /// # Errors
    /// Nothing is known of a name, and does not become so in some seconds: its servers would be
    /// missing. Or the addresses cannot be servers.
    pub async fn resolve(&mut self, cluster: Cluster) -> Result<Cluster, String> {
        match self.first(&cluster).await {
            missing if missing.is_empty() => self.resolve_known(&cluster),
            missing => Err(missing.join("\n")),
        }
    }

    /// A file with the addresses that are known of its names.
    ///
    /// # Errors
    /// They cannot be servers.
    pub fn resolve_known(&self, cluster: &Cluster) -> Result<Cluster, String> {
        cluster.resolved(&self.answers()).map_err(|error| error.to_string())
    }

    /// Waits some seconds for names of a file of which nothing is known; returns, with the reason,
    /// those of which nothing is known then.
    pub async fn first(&mut self, cluster: &Cluster) -> Vec<String> {
        let missing: Vec<&String> = cluster.names.iter().filter(|name| self.addresses(name).is_empty()).collect();
        let asked = missing.iter().flat_map(|name| [(*name, true), (*name, false)]).map(|(name, is_ipv4)| async move {
            let said = tokio::time::timeout(FIRST, lookup(name, is_ipv4, &cluster.resolver)).await;
            let said = said.unwrap_or_else(|_| Err(format!("no answer in {FIRST:?}")));
            Message { name: name.clone(), is_ipv4, said }
        });
        let messages: Vec<Message> = futures(asked).await;
        for message in messages {
            self.take(message);
        }
        let reason = |name: &String| {
            let failure = self.known.get(&(name.clone(), true)).and_then(|known| known.failure.clone());
            format!("no address is known of {name}: {}", failure.unwrap_or_default())
        };
        missing.into_iter().filter(|name| self.addresses(name).is_empty()).map(reason).collect()
    }

    /// Asks for the names of this cluster from now on, and no others. Must run inside a
    /// [`tokio::task::LocalSet`].
    pub(super) fn follow(&mut self, cluster: &Cluster) {
        if self.resolver != cluster.resolver {
            self.running.clear();
            self.resolver.clone_from(&cluster.resolver);
        }
        self.running.retain(|name, _| cluster.names.contains(name));
        self.known.retain(|(name, _), _| cluster.names.contains(name));
        for name in &cluster.names {
            self.running.entry(name.clone()).or_insert_with(|| {
                let task = repeat(name.clone(), self.resolver.clone(), self.sender.clone());
                Running(tokio::task::spawn_local(task).abort_handle())
            });
        }
    }

    /// Waits for the next answer and takes it in.
    pub(super) async fn next(&mut self) {
        // It never ends: a sender is here.
        if let Some(message) = self.messages.recv().await {
            self.take(message);
        }
    }

    fn take(&mut self, Message { name, is_ipv4, said }: Message) {
        let known = self.known.entry((name.clone(), is_ipv4)).or_default();
        let before = known.failure.take();
        match said.and_then(|(addresses, _)| usable(addresses)) {
            Ok(addresses) if addresses == known.now => {}
            Ok(addresses) => {
                // Those that have never served are not waited for.
                if known.before.is_empty() {
                    known.before = std::mem::take(&mut known.now);
                }
                known.now = addresses;
            }
            Err(failure) => {
                // That a name has addresses of one family alone is nothing to tell of.
                let is_news = !known.now.is_empty() && before.as_ref() != Some(&failure);
                known.failure = Some(failure);
                if is_news {
                    let failure = known.failure.as_deref();
                    tracing::warn!(name, failure, "a name cannot be resolved: its addresses stay as they are");
                }
            }
        }
    }

    /// Gives up addresses that nobody needs any more, given those of a name that serve.
    pub(super) fn settle(&mut self, serving: impl Fn(&str) -> BTreeSet<IpAddr>) {
        for ((name, _), known) in &mut self.known {
            if !known.before.is_empty() && !serving(name).is_disjoint(&known.now) {
                known.before.clear();
            }
        }
    }

    /// Forgets answers that have turned out to be of no use.
    pub(super) fn go_back_to(&mut self, answers: &Answers) {
        self.known = Self::new(answers).known;
    }

    fn addresses(&self, name: &str) -> BTreeSet<IpAddr> {
        let of = |is_ipv4| self.known.get(&(name.to_owned(), is_ipv4)).into_iter();
        of(true).chain(of(false)).flat_map(|known| known.now.union(&known.before).copied()).collect()
    }

    /// The addresses of each name that are to be servers.
    pub fn answers(&self) -> Answers {
        let names: BTreeSet<&String> = self.known.keys().map(|(name, _)| name).collect();
        let answers = names.into_iter().map(|name| (name.clone(), self.addresses(name)));
        answers.filter(|(_, addresses)| !addresses.is_empty()).collect()
    }
}

/// All of these at once.
async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = all.map(|future| (Some(Box::pin(future)), None)).collect();
    std::future::poll_fn(move |context| {
        let mut is_ready = true;
        for (future, result) in &mut waiting {
            if let Some(running) = future {
                match running.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => (*future, *result) = (None, Some(value)),
                    std::task::Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready {
            std::task::Poll::Ready(waiting.iter_mut().filter_map(|(_, result)| result.take()).collect())
        } else {
            std::task::Poll::Pending
        }
    })
    .await
}

/// An answer that can be true and is not too much.
fn usable(addresses: BTreeSet<IpAddr>) -> Result<BTreeSet<IpAddr>, String> {
    let all = addresses.len();
    if all > MOST {
        return Err(format!("{all} addresses are more than {MOST}"));
    }
    let is_host = |addr: &IpAddr| match addr {
        IpAddr::V4(addr) => {
            !(addr.is_unspecified() || addr.is_loopback() || addr.is_multicast() || addr.is_broadcast())
        }
        IpAddr::V6(addr) => !(addr.is_unspecified() || addr.is_loopback() || addr.is_multicast()),
    };
    // One such address makes the others doubtful, too.
    match addresses.iter().find(|addr| !is_host(addr)) {
        Some(addr) => Err(format!("{addr} is not the address of a server")),
        None if all == 0 => Err("it has no address".to_owned()),
        None => Ok(addresses),
    }
}

async fn repeat(name: String, resolver: Vec<SocketAddr>, sender: UnboundedSender<Message>) {
    let mut again = AGAIN.0;
    loop {
        let mut pause = None;
        for is_ipv4 in [true, false] {
            let said = lookup(&name, is_ipv4, &resolver).await;
            if let Ok((_, ttl)) = &said {
                pause = Some(pause.map_or(*ttl, |pause: Duration| pause.min(*ttl)));
            }
            if sender.send(Message { name: name.clone(), is_ipv4, said }).is_err() {
                return;
            }
        }
        let pause = match pause {
            Some(ttl) => {
                again = AGAIN.0;
                ttl.clamp(*TTL.start(), *TTL.end())
            }
            None => {
                let pause = again;
                again = (again * 2).min(AGAIN.1);
                pause
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Asks once. The system's settings are read each time, as they may have changed.
async fn lookup(name: &str, is_ipv4: bool, servers: &[SocketAddr]) -> Said {
    let words = |error: hickory_resolver::net::NetError| error.to_string();
    let mut builder = if servers.is_empty() {
        Resolver::builder_tokio().map_err(words)?
    } else {
        let server = |addr: &SocketAddr| {
            let at = |mut connection: ConnectionConfig| {
                connection.port = addr.port();
                connection
            };
            let mut server = NameServerConfig::udp_and_tcp(addr.ip());
            server.connections = server.connections.into_iter().map(at).collect();
            server
        };
        let config = ResolverConfig::from_name_servers(servers.iter().map(server).collect());
        Resolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let options = builder.options_mut();
    options.ip_strategy = if is_ipv4 { LookupIpStrategy::Ipv4Only } else { LookupIpStrategy::Ipv6Only };
    options.timeout = TIMEOUT;
    options.attempts = 1;
    let answer = builder.build().map_err(words)?.lookup_ip(name).await.map_err(words)?;
    Ok((answer.iter().collect(), answer.valid_until().saturating_duration_since(Instant::now())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(addresses: &[&str]) -> BTreeSet<IpAddr> {
        addresses.iter().map(|addr| addr.parse().unwrap()).collect()
    }

    fn say(names: &mut Names, addresses: &[&str]) {
        let said = Ok((set(addresses), Duration::from_secs(60)));
        names.take(Message { name: "web".to_owned(), is_ipv4: true, said });
    }

    fn fail(names: &mut Names) {
        names.take(Message { name: "web".to_owned(), is_ipv4: true, said: Err("refused".to_owned()) });
    }

    #[test]
    fn no_answer_an_empty_one_and_one_that_cannot_be_true_change_nothing() {
        let mut names = Names::new(&Answers::from([("web".to_owned(), set(&["198.51.100.7", "2001:db8::7"]))]));
        let known = names.answers();
        fail(&mut names);
        say(&mut names, &[]);
        for lie in ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"] {
            say(&mut names, &["198.51.100.8", lie]);
        }
        let many: Vec<String> = (1..=65).map(|last| format!("198.51.100.{last}")).collect();
        say(&mut names, &many.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(names.answers(), known);
    }

    #[test]
    fn addresses_stay_until_one_of_the_new_ones_serves() {
        let mut names = Names::new(&Answers::new());
        say(&mut names, &["198.51.100.7"]);
        let addresses = |names: &Names| names.answers()["web"].clone();
        // One after the other, of which none ever serves: there are never more than two answers.
        for last in 8..100 {
            say(&mut names, &[&format!("198.51.100.{last}")]);
            names.settle(|_| set(&["198.51.100.7"]));
        }
        assert_eq!(addresses(&names), set(&["198.51.100.7", "198.51.100.99"]));
        names.settle(|name| if name == "web" { set(&["198.51.100.99"]) } else { set(&[]) });
        assert_eq!(addresses(&names), set(&["198.51.100.99"]));
        // Some of those before are among the new ones: what serves still does.
        say(&mut names, &["198.51.100.99", "198.51.100.98"]);
        names.settle(|_| set(&["198.51.100.99"]));
        assert_eq!(addresses(&names), set(&["198.51.100.98", "198.51.100.99"]));
    }
}
