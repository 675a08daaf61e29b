//! Random requests, sane and insane, to both.

use std::net::IpAddr;
use std::num::NonZeroU32;

use lvs_core::embedded::EmbeddedDirector;
use lvs_core::model::{
    AddressFamily, Daemon, DaemonRole, Destination, DestinationKey, ForwardingMethod, InterfaceName, Netmask,
    PrefixLength, Protocol, SchedulerName, Service, ServiceFlags, ServiceKey, Timeouts, Tunnel, TunnelFlags,
    TunnelKind,
};
use lvs_core::wire::message::Command;
use lvs_core::wire::{daemon, destination, service, top};

use super::common::Random;
use super::socket::{Both, Reply};

pub(crate) struct Requests {
    random: Random,
    pub(crate) refused: u64,
    pub(crate) distinct: std::collections::BTreeMap<(u8, i32), u64>,
}

fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

impl Requests {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random(seed), refused: 0, distinct: std::collections::BTreeMap::new() }
    }

    fn key(&mut self) -> ServiceKey {
        let random = &mut self.random;
        match random.below(10) {
            0 | 1 => {
                let family = random.pick(&[AddressFamily::Ipv4, AddressFamily::Ipv6]);
                ServiceKey::Fwmark { mark: NonZeroU32::new(1 + random.below(2) as u32).unwrap(), family }
            }
            2 | 3 => {
                let protocol = random.pick(&[Protocol::Tcp, Protocol::Udp]);
                ServiceKey::endpoint(protocol, addr("2001:db8::1"), random.pick(&[80, 0]))
            }
            4 => {
                let protocol = random.pick(&[Protocol::Sctp, Protocol::Other(1), Protocol::Other(300)]);
                let vip = random.pick(&[addr("198.18.0.1"), addr("224.0.0.9"), addr("0.0.0.0")]);
                ServiceKey::endpoint(protocol, vip, 80)
            }
            _ => {
                let protocol = random.pick(&[Protocol::Tcp, Protocol::Udp]);
                ServiceKey::endpoint(protocol, addr("198.18.0.1"), random.pick(&[80, 443, 21, 0]))
            }
        }
    }

    fn service(&mut self) -> Service {
        const NAMES: [&str; 14] =
            ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "none"];
        let key = self.key();
        let random = &mut self.random;
        let name = match random.below(200) {
            0 => "",
            1 => "twos",
            2 => "nonesuch",
            _ => random.pick(&NAMES),
        };
        let mut service = Service::new(key).with_scheduler(SchedulerName::new(name).unwrap());
        service.flags = ServiceFlags::from_bits(match random.below(4) {
            0 => random.word() as u32,
            1 => 0,
            _ => random.below(64) as u32,
        });
        service.timeout = match random.below(4) {
            0 => random.word() as u32,
            1 => 0,
            _ => random.below(1000) as u32,
        };
        let netmask = match key.family() {
            AddressFamily::Ipv4 => {
                let bits = random.word() as u32;
                Netmask::V4(random.pick(&[bits, u32::MAX, 0, 0xffff_ff00]).into())
            }
            AddressFamily::Ipv6 => Netmask::V6(PrefixLength::new(1 + random.below(128) as u32).unwrap()),
        };
        service = service.with_netmask(netmask).unwrap();
        if random.one_in(10) {
            service = service.with_engine(random.pick(&["sip", "sip", "nonesuch"]).parse().unwrap());
        }
        service
    }

    fn destination_key(&mut self) -> DestinationKey {
        let random = &mut self.random;
        let addr = match random.below(16) {
            0 => {
                addr(random.pick(&["0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.255", "127.0.0.1", "240.0.0.1"]))
            }
            1 => addr(random.pick(&["127.255.255.255", "0.0.0.1", "192.0.2.0", "192.0.2.254"])),
            2 => {
                addr(random.pick(&["::", "::1", "fe80::1", "ff02::1", "fec0::1", "fc00::1", "::ffff:192.0.2.1", "::2"]))
            }
            3..=6 => IpAddr::V6((0x2001_0db8_u128 << 96 | u128::from(1 + random.below(3))).into()),
            _ => IpAddr::V4([10, 0, 0, 1 + random.below(4) as u8].into()),
        };
        DestinationKey::new(addr, random.pick(&[80, 80, 8080, 0]))
    }

    fn destination(&mut self) -> Destination {
        let mut destination = Destination::with_key(self.destination_key());
        let random = &mut self.random;
        let any = random.word() as u32;
        destination.forwarding = ForwardingMethod::from_number(match random.below(4) {
            0 => any,
            1 => 2,
            _ => random.below(4) as u32,
        });
        destination.weight = random.pick(&[0, 1, 1, 5, 300, i32::MAX as u32, any]);
        let small = random.below(100) as u32;
        destination.upper_threshold = random.pick(&[0, 0, 0, small, any]);
        destination.lower_threshold = random.pick(&[0, 0, 0, small / 2, any]);
        let kind = TunnelKind::from_number(random.pick(&[0, 0, 0, 1, 2, any as u8]));
        destination.tunnel = Tunnel { kind, port: random.pick(&[0, 6080]), flags: TunnelFlags::from_bits(any as u16) };
        destination
    }

    fn daemon(&mut self) -> Daemon {
        let random = &mut self.random;
        let role = random.pick(&[DaemonRole::Master, DaemonRole::Backup]);
        let interface = random.pick(&["dummy0", "dummy0", "dummy0", "nonesuch", ""]);
        let mut daemon = Daemon::new(role, InterfaceName::new(interface).unwrap(), random.below(300) as u32);
        let any = random.word();
        daemon.max_len = random.pick(&[None, None, Some(any as u16), Some(0)]);
        daemon.group = random.pick(&[None, None, Some(addr("224.0.0.99")), Some(addr("10.0.0.1"))]);
        daemon.port = random.pick(&[None, None, Some(9000)]);
        daemon.ttl = random.pick(&[None, None, Some(3), Some(0)]);
        daemon
    }

    /// A command with its attributes, now and then garbled.
    fn request(&mut self) -> (Command, Vec<u8>) {
        let mut buf = Vec::new();
        let command = match self.random.below(1000) {
            0..150 => {
                let service = self.service();
                service::write(&mut buf, &service);
                Command::NewService
            }
            150..300 => {
                let service = self.service();
                service::write(&mut buf, &service);
                Command::SetService
            }
            300..370 => {
                service::write_key(&mut buf, &self.key());
                Command::DelService
            }
            370..610 => {
                service::write_key(&mut buf, &self.key());
                destination::write(&mut buf, &self.destination());
                Command::NewDest
            }
            610..780 => {
                service::write_key(&mut buf, &self.key());
                destination::write(&mut buf, &self.destination());
                Command::SetDest
            }
            780..880 => {
                service::write_key(&mut buf, &self.key());
                destination::write_key(&mut buf, &self.destination_key());
                Command::DelDest
            }
            880..920 => {
                service::write_key(&mut buf, &self.key());
                Command::GetService
            }
            920..940 => {
                let random = &mut self.random;
                let any = random.word() as u32;
                let mut seconds = || random.pick(&[0, 1, 30, 8_589_934, 8_589_935, any]);
                top::write_timeouts(&mut buf, &Timeouts { tcp: seconds(), tcp_fin: seconds(), udp: seconds() });
                Command::SetConfig
            }
            940..950 => Command::GetConfig,
            950..955 => Command::GetInfo,
            955..965 => {
                service::write_key(&mut buf, &self.key());
                Command::Zero
            }
            965..970 => Command::Zero,
            970..971 => Command::Flush,
            971..976 => {
                daemon::write(&mut buf, &self.daemon());
                Command::NewDaemon
            }
            976..984 => {
                daemon::write_role(&mut buf, self.random.pick(&[DaemonRole::Master, DaemonRole::Backup]));
                Command::DelDaemon
            }
            984..990 => Command::Other(self.random.below(256) as u8),
            _ => {
                service::write_key(&mut buf, &self.key());
                self.random.pick(&Command::ALL)
            }
        };
        // No garbled names: the kernel would look for a module for each. And what is wrong with a
        // DAEMON nest, only the kernel explains.
        let named =
            matches!(command, Command::NewService | Command::SetService | Command::NewDaemon | Command::DelDaemon);
        if !buf.is_empty() && self.random.one_in(12) && !named {
            match self.random.below(3) {
                0 => buf.truncate(self.random.below(buf.len() as u64) as usize),
                1 => {
                    let at = self.random.below(buf.len() as u64) as usize;
                    buf[at] = self.random.word() as u8;
                }
                _ => {
                    let at = self.random.below(buf.len() as u64) as usize;
                    buf[at] ^= 1 << self.random.below(8);
                }
            }
        }
        (command, buf)
    }

    /// One request to both.
    pub(crate) fn step(&mut self, both: &mut Both) -> Result<(), String> {
        let (command, attributes) = self.request();
        let (kernel, embedded) = both.ask(command, false, &attributes);
        let error = kernel.last().and_then(|reply| reply.error).unwrap_or(0);
        if error != 0 {
            self.refused += 1;
        }
        *self.distinct.entry((command.number(), error)).or_default() += 1;
        if kernel == embedded {
            return Ok(());
        }
        Err(format!("{command:?} {attributes:02x?}\nkernel {kernel:02x?}\nembedded {embedded:02x?}"))
    }
}

/// Compares all that both hold: services, destinations in order, daemons, timeouts.
pub(crate) fn same_table(both: &mut Both) -> Result<usize, String> {
    let sorted = |mut replies: Vec<Reply>| {
        replies.sort();
        replies
    };
    let (kernel, embedded) = both.ask(Command::GetService, true, &[]);
    if sorted(kernel) != sorted(embedded.clone()) {
        let (kernel, embedded) = both.ask(Command::GetService, true, &[]);
        return Err(format!("services\nkernel {:02x?}\nembedded {:02x?}", sorted(kernel), sorted(embedded)));
    }
    let mut compared = embedded.len();
    let keys: Vec<ServiceKey> = services(&mut both.embedded);
    for key in keys {
        let mut buf = Vec::new();
        service::write_key(&mut buf, &key);
        let (kernel, embedded) = both.ask(Command::GetDest, true, &buf);
        if kernel != embedded {
            return Err(format!("destinations of {key}\nkernel {kernel:02x?}\nembedded {embedded:02x?}"));
        }
        compared += embedded.len();
    }
    for command in [Command::GetDaemon, Command::GetConfig, Command::GetInfo] {
        let (kernel, embedded) = both.ask(command, command == Command::GetDaemon, &[]);
        if kernel != embedded {
            return Err(format!("{command:?}\nkernel {kernel:02x?}\nembedded {embedded:02x?}"));
        }
    }
    Ok(compared)
}

fn services(embedded: &mut EmbeddedDirector) -> Vec<ServiceKey> {
    use lvs_core::Director;
    embedded.services().unwrap().into_iter().map(|entry| entry.service.key()).collect()
}
