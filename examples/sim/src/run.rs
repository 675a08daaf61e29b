use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::draw::{ArrivalTimes, Population, SessionLengths, invalid};
use super::report::{Change, Report, Sample, ServerReport};
use super::workload::{Event, Workload};
use lvs_core::Director;
use lvs_core::Result;
use lvs_core::embedded::{EmbeddedDirector, Flow, FlowProtocol};
use lvs_core::model::{AddressFamily, DestinationKey, Protocol, ServiceKey};

/// What happens next. At one moment, in this order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Event(usize),
    End(u64),
    Sample,
    Arrival,
}

struct Session {
    flow: Flow,
    server: usize,
}

/// A client as far as it was seen.
#[derive(Default)]
struct Known {
    port: u16,
    /// Its latest server, and before which event that was.
    last: Option<(usize, usize)>,
    servers: HashSet<usize>,
}

struct Run<'a> {
    workload: &'a Workload,
    director: EmbeddedDirector,
    key: ServiceKey,
    target: SocketAddr,
    protocol: FlowProtocol,
    mark: u32,
    by_key: HashMap<DestinationKey, usize>,
    sessions: HashMap<u64, Session>,
    /// Sessions of each server by now.
    counts: Vec<u32>,
    new: Vec<u32>,
    weights: Vec<u32>,
    known: HashMap<u32, Known>,
    report: Report,
}

impl Workload {
    /// Plays the workload.
    ///
    /// # Errors
    /// A director's refusal of the service, a server or an event; an error of kind
    /// [`InvalidInput`](lvs_core::ErrorKind::InvalidInput) if arrivals, lengths or clients are no
    /// distribution, if an event names none of the servers, or if samples follow each other without
    /// end.
    pub fn run(&self) -> Result<Report> {
        Ok(self.run_while(|| true)?.expect("nothing tells it to stop"))
    }

    /// Plays the workload as long as `go_on`, asked before each event, says so; `None` if it
    /// stopped before its end.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_while(&self, mut go_on: impl FnMut() -> bool) -> Result<Option<Report>> {
        let mut arrivals = ArrivalTimes::new(&self.arrivals, self.seed)?;
        let mut lengths = SessionLengths::new(&self.lengths, self.seed)?;
        let mut clients = Population::new(&self.clients, self.service.key().family(), self.seed)?;
        if self.sample_every.is_zero() {
            return Err(invalid("the time from one sample to the next is 0"));
        }
        let mut run = Run::new(self)?;
        if self.events.iter().any(|(_, event)| !run.by_key.contains_key(&event.server())) {
            return Err(invalid("an event happens to none of the servers"));
        }
        let mut queue = BinaryHeap::new();
        for (index, (time, _)) in self.events.iter().enumerate() {
            queue.push(Reverse((*time, Happening::Event(index))));
        }
        queue.push(Reverse((self.sample_every, Happening::Sample)));
        if let Some(time) = arrivals.next() {
            queue.push(Reverse((time, Happening::Arrival)));
        }
        let mut number = 0;
        while let Some(Reverse((time, happening))) = queue.pop() {
            if time > self.duration {
                break;
            }
            if !go_on() {
                return Ok(None);
            }
            run.director.advance_to(time);
            match happening {
                Happening::Arrival => {
                    number += 1;
                    let client = clients.next();
                    let length = lengths.next();
                    if run.open(number, client, clients.addr(client)) {
                        queue.push(Reverse((time.saturating_add(length), Happening::End(number))));
                    }
                    if let Some(time) = arrivals.next() {
                        queue.push(Reverse((time, Happening::Arrival)));
                    }
                }
                Happening::End(number) => run.end(number),
                Happening::Event(index) => run.event(time, self.events[index].1)?,
                Happening::Sample => {
                    run.sample(time);
                    queue.push(Reverse((time + self.sample_every, Happening::Sample)));
                }
            }
        }
        Ok(Some(run.finish()))
    }
}

impl<'a> Run<'a> {
    fn new(workload: &'a Workload) -> Result<Self> {
        let mut director = workload.director.clone().build();
        let service = workload.service;
        let key = service.key();
        director.add_service(&service)?;
        for server in &workload.servers {
            director.add_destination(&key, server)?;
        }
        let (target, protocol, mark) = match key {
            ServiceKey::Endpoint { protocol, addr, port } => {
                let protocol = match protocol {
                    Protocol::Udp => FlowProtocol::Udp,
                    Protocol::Sctp => FlowProtocol::Sctp,
                    _ => FlowProtocol::Tcp,
                };
                (SocketAddr::new(addr, if port == 0 { 80 } else { port }), protocol, 0)
            }
            ServiceKey::Fwmark { mark, family } => {
                let addr: IpAddr = match family {
                    AddressFamily::Ipv4 => [192, 0, 2, 1].into(),
                    AddressFamily::Ipv6 => [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
                };
                (SocketAddr::new(addr, 80), FlowProtocol::Tcp, mark.get())
            }
        };
        let count = workload.servers.len();
        let server = |server: &lvs_core::model::Destination| ServerReport {
            key: server.key,
            weight: server.weight,
            connections: 0,
            peak: 0,
            broken: 0,
        };
        Ok(Self {
            director,
            key,
            target,
            protocol,
            mark,
            by_key: workload.servers.iter().enumerate().map(|(at, server)| (server.key, at)).collect(),
            sessions: HashMap::new(),
            counts: vec![0; count],
            new: vec![0; count],
            weights: workload.servers.iter().map(|server| server.weight).collect(),
            known: HashMap::new(),
            report: Report {
                scheduler: service.scheduler.to_string(),
                duration: workload.duration,
                connections: 0,
                refused: 0,
                clients: 0,
                servers: workload.servers.iter().map(server).collect(),
                samples: Vec::new(),
                changes: Vec::new(),
                spread_clients: 0,
                peak_entries: 0,
            },
            workload,
        })
    }

    /// A client opens a connection. Whether somebody took it.
    fn open(&mut self, number: u64, client: u32, addr: IpAddr) -> bool {
        let known = self.known.entry(client).or_default();
        // Ports go round; 32,768 of them outlast what a closed connection leaves in the table.
        known.port = known.port.wrapping_add(1) % 32_768;
        let from = SocketAddr::new(addr, 32_768 + known.port);
        let flow = Flow::new(self.protocol, from, self.target).with_mark(self.mark);
        self.report.connections += 1;
        let verdict = self.director.open(&flow);
        let Some(server) = verdict.destination().and_then(|key| self.by_key.get(&key).copied()) else {
            self.report.refused += 1;
            return false;
        };
        let events = self.report.changes.len();
        if let Some((last, before)) = known.last
            && before < events
            && let Some(change) = self.report.changes.last_mut()
        {
            change.returning += 1;
            if last != server {
                if self.weights[last] == 0 {
                    change.moved_of_necessity += 1;
                } else {
                    change.moved_without_need += 1;
                }
            }
        }
        known.last = Some((server, events));
        known.servers.insert(server);
        self.counts[server] += 1;
        self.new[server] += 1;
        let part = &mut self.report.servers[server];
        part.connections += 1;
        part.peak = part.peak.max(self.counts[server]);
        self.sessions.insert(number, Session { flow, server });
        true
    }

    fn end(&mut self, number: u64) {
        if let Some(Session { flow, server }) = self.sessions.remove(&number) {
            self.director.close(&flow);
            self.counts[server] -= 1;
        }
    }

    fn event(&mut self, time: Duration, event: Event) -> Result<()> {
        let at = self.by_key[&event.server()];
        let first = self.workload.servers[at];
        let mut broken = 0;
        match event {
            Event::Fail(key) => {
                self.director.remove_destination(&self.key, &key)?;
                self.weights[at] = 0;
                self.sessions.retain(|_, session| session.server != at);
                broken = u64::from(std::mem::take(&mut self.counts[at]));
                self.report.servers[at].broken += broken;
            }
            Event::Drain(_) => {
                self.director.update_destination(&self.key, &first.with_weight(0))?;
                self.weights[at] = 0;
            }
            Event::Return(_) => {
                let listed = self.director.destinations(&self.key)?;
                if listed.iter().any(|entry| entry.destination.key == first.key) {
                    self.director.update_destination(&self.key, &first)?;
                } else {
                    self.director.add_destination(&self.key, &first)?;
                }
                self.weights[at] = first.weight;
            }
            Event::Weight(_, weight) => {
                self.director.update_destination(&self.key, &first.with_weight(weight))?;
                self.weights[at] = weight;
            }
        }
        self.report.changes.push(Change {
            time,
            event,
            broken,
            returning: 0,
            moved_of_necessity: 0,
            moved_without_need: 0,
        });
        Ok(())
    }

    fn sample(&mut self, time: Duration) {
        let fresh = vec![0; self.new.len()];
        self.report.samples.push(Sample {
            time,
            sessions: self.counts.clone(),
            new: std::mem::replace(&mut self.new, fresh),
            weights: self.weights.clone(),
        });
        self.report.peak_entries = self.report.peak_entries.max(self.director.connection_count());
    }

    fn finish(mut self) -> Report {
        self.report.clients = self.known.len() as u64;
        self.report.spread_clients = self.known.values().filter(|known| known.servers.len() > 1).count() as u64;
        self.report
    }
}
