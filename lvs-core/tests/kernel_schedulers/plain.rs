//! One virtual service, by firewall mark, whose choices are asked for directly.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use lvs_core::schedulers::{
    Balancer, DestinationId, Family, NewDestination, Pool, Profile, Request, SchedulerOptions, by_name,
};

use super::genl::{Attrs, Genl};
use super::packets::{ACK, Flow, Sender, UDP, connections};

const DIRECT_ROUTING: u32 = 3;

pub(crate) struct Plain {
    genl: Genl,
    sender: Sender,
    pub(crate) balancer: Balancer,
    by_address: HashMap<IpAddr, DestinationId>,
    opened: u32,
    compared: Vec<(Request, DestinationId)>,
}

fn identity() -> Attrs {
    Attrs::default().u16(1, 2).u32(5, 1)
}

fn destination(new: &NewDestination) -> Attrs {
    let attrs = Attrs::default().addr(1, new.addr).put(2, &new.port.to_be_bytes()).u32(3, DIRECT_ROUTING);
    attrs.u32(4, new.weight as u32).u32(5, 0).u32(6, 0)
}

impl Plain {
    /// An errno if the kernel does not have the scheduler.
    pub(crate) fn new(
        scheduler: &str,
        profile: Profile,
        options: &SchedulerOptions,
        weights: &[i32],
    ) -> Result<Self, i32> {
        let mut genl = Genl::open();
        let full = identity().string(6, scheduler).put(7, &[0, 0, 0, 0, 255, 255, 255, 255]).u32(8, 0).u32(9, u32::MAX);
        genl.request(1, false, Attrs::default().nest(1, full))?;
        let pool = Pool::new(profile, Family::V4);
        let balancer = Balancer::new(pool, by_name(scheduler, options).unwrap(), 0).unwrap();
        let mut plain = Self {
            genl,
            sender: Sender::open(),
            balancer,
            by_address: HashMap::new(),
            opened: 0,
            compared: Vec::new(),
        };
        for (&weight, host) in weights.iter().zip(1..) {
            let new = NewDestination::new([10, 0, 0, host].into(), 80, weight);
            plain.command(5, &new);
            let at = plain.balancer.add(new).unwrap();
            plain.by_address.insert(new.addr, at);
        }
        Ok(plain)
    }

    fn command(&mut self, command: u8, new: &NewDestination) {
        let attrs = Attrs::default().nest(1, identity()).nest(2, destination(new));
        self.genl.request(command, false, attrs).expect("a command on a destination");
    }

    pub(crate) fn set_weight(&mut self, host: u8, weight: i32) {
        let new = NewDestination::new([10, 0, 0, host].into(), 80, weight);
        self.command(6, &new);
        self.balancer.set_weight(self.by_address[&new.addr], weight);
    }

    /// Opens a UDP connection to each address.
    fn send(&mut self, to: impl IntoIterator<Item = Ipv4Addr>) -> Vec<Request> {
        let flows: Vec<Flow> = to
            .into_iter()
            .map(|destination| {
                self.opened += 1;
                Flow {
                    protocol: UDP,
                    client: Ipv4Addr::from_bits(0xCB00_0000 + self.opened / 30_000).into(),
                    client_port: 2000 + (self.opened % 30_000) as u16,
                    destination: destination.into(),
                    destination_port: 80,
                }
            })
            .collect();
        let passed = self.sender.send(1, &flows, ACK);
        assert!(passed.iter().all(|&passed| passed), "nobody is refused");
        let request = |flow: &Flow| {
            let client = SocketAddr::new(flow.client, flow.client_port);
            Request::udp(client, SocketAddr::new(flow.destination, flow.destination_port))
        };
        flows.iter().map(request).collect()
    }

    /// Whom the kernel chose for each of `requests`.
    fn chosen(&self, requests: &[Request]) -> Vec<DestinationId> {
        let table: HashMap<_, _> = connections().collect();
        let chosen = |request: &Request| table[&(request.protocol, request.client, request.client_port)].0;
        requests.iter().map(|request| self.by_address[&chosen(request)]).collect()
    }

    /// Opens a UDP connection to each address, and tells which destinations the kernel chose.
    pub(crate) fn open(&mut self, to: impl IntoIterator<Item = Ipv4Addr>) -> Vec<DestinationId> {
        let requests = self.send(to);
        self.chosen(&requests)
    }

    /// Opens a UDP connection to each address in both, for [`verify`](Self::verify).
    pub(crate) fn compare(&mut self, to: impl IntoIterator<Item = Ipv4Addr>) {
        for request in self.send(to) {
            let ours = self.balancer.pick(&request).expect("nobody is refused");
            self.balancer.connection_added(ours);
            self.compared.push((request, ours));
        }
    }

    /// Holds the choices against the kernel's.
    pub(crate) fn verify(&self) {
        let (requests, ours): (Vec<Request>, Vec<DestinationId>) = self.compared.iter().copied().unzip();
        let theirs = self.chosen(&requests);
        if let Some(n) = (0..ours.len()).find(|&n| ours[n] != theirs[n]) {
            panic!("choice {n}, {:?}: {:?}, the kernel {:?}", requests[n], ours[n], theirs[n]);
        }
    }
}
