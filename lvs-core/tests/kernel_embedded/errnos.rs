//! What the kernel refuses, and with which errno: every rule by itself, by requests that no typed
//! interface can make.

use super::socket::Both;
use lvs_core::Errno;
use lvs_core::model::{
    Daemon, DaemonRole, Destination, ForwardingMethod, Service, ServiceKey, Timeouts, Tunnel, TunnelFlags,
};
use lvs_core::schedulers::Profile;
use lvs_core::wire::attr::{Attribute, Attributes};
use lvs_core::wire::message::Command;
use lvs_core::wire::uapi::*;
use lvs_core::wire::{daemon, destination, service, top};

const OK: i32 = 0;
const EINVAL: i32 = -Errno::EINVAL.0;

/// The top-level attributes of a request.
#[derive(Clone, Default)]
struct Request(Vec<u8>);

impl Request {
    fn service(service: &Service) -> Self {
        let mut buf = Vec::new();
        service::write(&mut buf, service);
        Self(buf)
    }

    fn key(key: &ServiceKey) -> Self {
        let mut buf = Vec::new();
        service::write_key(&mut buf, key);
        Self(buf)
    }

    fn daemon(daemon: &Daemon) -> Self {
        let mut buf = Vec::new();
        daemon::write(&mut buf, daemon);
        Self(buf)
    }

    fn destination(mut self, destination: &Destination) -> Self {
        destination::write(&mut self.0, destination);
        self
    }

    /// With another payload for a top-level attribute, or without it.
    fn with(&self, number: u16, payload: Option<&[u8]>) -> Self {
        Self(changed(&self.0, number, payload))
    }

    /// With another payload for an attribute of a nest, or without it.
    fn with_inner(&self, nest: u16, number: u16, payload: Option<&[u8]>) -> Self {
        let inner = Attributes::new(&self.0).find(|one| one.number() == nest).expect("the nest").payload;
        self.with(nest, Some(&changed(inner, number, payload)))
    }
}

/// The attributes with one of them changed, added or left out.
fn changed(attributes: &[u8], number: u16, payload: Option<&[u8]>) -> Vec<u8> {
    let mut buf = Vec::new();
    let mut payload = payload.map(|payload| Attribute::new(number, payload));
    for attribute in Attributes::new(attributes) {
        if attribute.number() != number {
            attribute.write(&mut buf);
        } else if let Some(new) = payload.take() {
            Attribute { kind: attribute.kind, ..new }.write(&mut buf);
        }
    }
    if let Some(new) = payload {
        new.write(&mut buf);
    }
    buf
}

/// Both ends, and how many rules were looked at.
pub(crate) struct Rules<'a> {
    both: &'a mut Both,
    pub(crate) count: usize,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(both: &'a mut Both) -> Self {
        Self { both, count: 0 }
    }

    /// Asks both, and expects this errno of both.
    #[track_caller]
    fn rule(&mut self, what: &str, command: Command, request: &Request, errno: i32) {
        let (kernel, embedded) = self.both.ask(command, false, &request.0);
        let answer = kernel.last().and_then(|reply| reply.error);
        assert_eq!(answer, Some(errno), "{command:?}, {what}: the kernel answers otherwise");
        assert_eq!(kernel, embedded, "{command:?}, {what}: the embedded director answers otherwise");
        self.count += 1;
    }

    /// Asks both for a list, and expects so many entries.
    #[track_caller]
    fn list(&mut self, what: &str, command: Command, request: &Request, entries: usize) {
        let (kernel, embedded) = self.both.ask(command, true, &request.0);
        assert_eq!(
            (kernel.len(), embedded.len()),
            (entries + 1, entries + 1),
            "{command:?}, {what}: entries and the end"
        );
        self.count += 1;
    }

    pub(crate) fn every(&mut self, profile: Profile) {
        self.kinds_of_commands();
        self.identities();
        self.services();
        self.destinations(profile);
        self.configuration();
        self.daemons();
    }

    /// What is asked in another way than the command allows.
    fn kinds_of_commands(&mut self) {
        let not_supported = -Errno::EOPNOTSUPP.0;
        for command in [Command::GetDest, Command::GetDaemon, Command::SetInfo, Command::Other(0), Command::Other(200)]
        {
            self.rule("not as a list", command, &Request::default(), not_supported);
        }
        for command in [Command::NewService, Command::NewDest, Command::GetInfo, Command::GetConfig, Command::Flush] {
            let (kernel, embedded) = self.both.ask(command, true, &[]);
            let refused = kernel.last().and_then(|reply| reply.error);
            assert_eq!(refused, Some(not_supported), "{command:?} as a list");
            assert_eq!(kernel, embedded, "{command:?} as a list");
            self.count += 1;
        }
        self.list("nothing there", Command::GetService, &Request::default(), 0);
        self.list("nothing there", Command::GetDaemon, &Request::default(), 0);
    }

    /// Which service is meant.
    fn identities(&mut self) {
        let absent = ServiceKey::tcp("192.0.2.1", 80).unwrap();
        let service = Request::service(&Service::new(absent));
        let server = Destination::new("198.51.100.1".parse().unwrap(), 80);
        let asked = service.clone().destination(&server);
        for command in [
            Command::NewService,
            Command::SetService,
            Command::DelService,
            Command::GetService,
            Command::NewDest,
            Command::SetDest,
            Command::DelDest,
        ] {
            self.rule("no SERVICE", command, &asked.with(IPVS_CMD_ATTR_SERVICE, None), EINVAL);
            self.rule("an empty SERVICE", command, &asked.with(IPVS_CMD_ATTR_SERVICE, Some(&[])), EINVAL);
        }
        for command in [Command::NewService, Command::DelService, Command::GetService, Command::NewDest, Command::Zero]
        {
            let mut inner = |what, number, payload, errno| {
                let request = asked.with_inner(IPVS_CMD_ATTR_SERVICE, number, payload);
                self.rule(what, command, &request, errno);
            };
            inner("no AF", IPVS_SVC_ATTR_AF, None, EINVAL);
            inner("a short AF", IPVS_SVC_ATTR_AF, Some(&[2][..]), EINVAL);
            inner("no PROTOCOL", IPVS_SVC_ATTR_PROTOCOL, None, EINVAL);
            inner("no ADDR", IPVS_SVC_ATTR_ADDR, None, EINVAL);
            inner("an ADDR of 17 bytes", IPVS_SVC_ATTR_ADDR, Some(&[1; 17]), EINVAL);
            inner("no PORT", IPVS_SVC_ATTR_PORT, None, EINVAL);
            inner("a short FWMARK", IPVS_SVC_ATTR_FWMARK, Some(&[1, 0]), EINVAL);
            inner("another AF", IPVS_SVC_ATTR_AF, Some(&9u16.to_ne_bytes()), -Errno::EAFNOSUPPORT.0);
        }
        for command in [
            Command::SetService,
            Command::DelService,
            Command::GetService,
            Command::NewDest,
            Command::SetDest,
            Command::DelDest,
            Command::Zero,
        ] {
            self.rule("no such service", command, &asked, -Errno::ESRCH.0);
        }
        // A list of the destinations of nothing is an empty list.
        self.list("no SERVICE", Command::GetDest, &Request::default(), 0);
        self.list("no such service", Command::GetDest, &Request::key(&absent), 0);
        self.list("an AF", Command::GetDest, &asked.with_inner(IPVS_CMD_ATTR_SERVICE, IPVS_SVC_ATTR_AF, None), 0);
    }

    fn services(&mut self) {
        let service = Request::service(&Service::new(ServiceKey::tcp("192.0.2.1", 80).unwrap()));
        let with = |number, payload: Option<&[u8]>| service.with_inner(IPVS_CMD_ATTR_SERVICE, number, payload);
        let needed = [
            ("no SCHED_NAME", IPVS_SVC_ATTR_SCHED_NAME),
            ("no FLAGS", IPVS_SVC_ATTR_FLAGS),
            ("no TIMEOUT", IPVS_SVC_ATTR_TIMEOUT),
            ("no NETMASK", IPVS_SVC_ATTR_NETMASK),
        ];
        let absent = -Errno::ENOENT.0;
        for command in [Command::NewService, Command::SetService] {
            for (what, number) in needed {
                self.rule(what, command, &with(number, None), EINVAL);
            }
            let request = with(IPVS_SVC_ATTR_SCHED_NAME, Some(b"no end"));
            self.rule("a SCHED_NAME without its NUL", command, &request, EINVAL);
            self.rule("FLAGS of 9 bytes", command, &with(IPVS_SVC_ATTR_FLAGS, Some(&[0; 9])), EINVAL);
            if command == Command::NewService {
                let request = with(IPVS_SVC_ATTR_SCHED_NAME, Some(b"nosuch\0"));
                self.rule("no such scheduler", command, &request, absent);
                self.rule("no such engine", command, &with(IPVS_SVC_ATTR_PE_NAME, Some(b"nosuch\0")), absent);
                let mesh = with(IPVS_SVC_ATTR_SCHED_NAME, Some(b"mh\0"));
                self.rule("", command, &service, OK);
                let unknown = with(IPVS_SVC_ATTR_SCHED_NAME, Some(b"nosuch\0"));
                self.rule("there, whatever the scheduler", command, &unknown, -Errno::EEXIST.0);
                self.rule("there", command, &mesh, -Errno::EEXIST.0);
            } else {
                let request = with(IPVS_SVC_ATTR_SCHED_NAME, Some(b"nosuch\0"));
                self.rule("no such scheduler", command, &request, absent);
                self.rule("no such engine", command, &with(IPVS_SVC_ATTR_PE_NAME, Some(b"nosuch\0")), absent);
            }
        }
        let six = Request::service(&Service::new(ServiceKey::tcp("2001:db8::1", 80).unwrap()));
        for (what, length) in [("a prefix of 0", 0u32), ("a prefix of 129", 129)] {
            let request = six.with_inner(IPVS_CMD_ATTR_SERVICE, IPVS_SVC_ATTR_NETMASK, Some(&length.to_ne_bytes()));
            self.rule(what, Command::NewService, &request, EINVAL);
        }
        self.rule("", Command::NewService, &six, OK);
    }

    fn destinations(&mut self, profile: Profile) {
        let key = Request::key(&ServiceKey::tcp("192.0.2.1", 80).unwrap());
        let server = Destination::new("198.51.100.1".parse().unwrap(), 80);
        let other = |text: &str| Destination::new(text.parse().unwrap(), 80);
        let full = key.clone().destination(&server);
        let with = |number, payload: Option<&[u8]>| full.with_inner(IPVS_CMD_ATTR_DEST, number, payload);
        let long = |value: u32| value.to_ne_bytes();
        for command in [Command::NewDest, Command::SetDest, Command::DelDest] {
            self.rule("no DEST", command, &key, EINVAL);
            self.rule("an empty DEST", command, &full.with(IPVS_CMD_ATTR_DEST, Some(&[])), EINVAL);
            self.rule("no ADDR", command, &with(IPVS_DEST_ATTR_ADDR, None), EINVAL);
            self.rule("no PORT", command, &with(IPVS_DEST_ATTR_PORT, None), EINVAL);
            self.rule("a short PORT", command, &with(IPVS_DEST_ATTR_PORT, Some(&[1])), EINVAL);
            let request = with(IPVS_DEST_ATTR_ADDR_FAMILY, Some(&9u16.to_ne_bytes()));
            self.rule("another ADDR_FAMILY", command, &request, -Errno::EAFNOSUPPORT.0);
        }
        for command in [Command::SetDest, Command::DelDest] {
            self.rule("no such destination", command, &full, -Errno::ENOENT.0);
        }
        for round in [Command::NewDest, Command::SetDest] {
            let needed = [
                ("no FWD_METHOD", IPVS_DEST_ATTR_FWD_METHOD),
                ("no WEIGHT", IPVS_DEST_ATTR_WEIGHT),
                ("no U_THRESH", IPVS_DEST_ATTR_U_THRESH),
                ("no L_THRESH", IPVS_DEST_ATTR_L_THRESH),
            ];
            for (what, number) in needed {
                self.rule(what, round, &with(number, None), EINVAL);
            }
            let out_of_range = -Errno::ERANGE.0;
            let request = with(IPVS_DEST_ATTR_WEIGHT, Some(&long(1 << 31)));
            self.rule("a negative weight", round, &request, out_of_range);
            let thresholds = key.clone().destination(&server.with_thresholds(3, 4));
            self.rule("a lower threshold above the upper", round, &thresholds, out_of_range);
            let gue = key.clone().destination(&server.with_tunnel(Tunnel::gue(0, TunnelFlags::EMPTY)));
            self.rule("GUE without a port", round, &gue, EINVAL);
            let mixed = key.clone().destination(&other("2001:db8::7").with_forwarding(ForwardingMethod::Masquerade));
            self.rule("another family, and no tunnel", round, &mixed, EINVAL);
            if profile == Profile::New {
                let request = with(IPVS_DEST_ATTR_U_THRESH, Some(&long(1 << 31)));
                self.rule("an upper threshold above 2^31-1", round, &request, EINVAL);
            }
            if round == Command::NewDest {
                for addr in ["224.0.0.1", "255.255.255.255"] {
                    let request = key.clone().destination(&other(addr));
                    self.rule("an address that is nobody's", round, &request, EINVAL);
                }
                self.rule("", round, &full, OK);
                self.rule("there", round, &full, -Errno::EEXIST.0);
            }
        }
    }

    fn configuration(&mut self) {
        let set = Command::SetConfig;
        self.rule("nothing to set", set, &Request::default(), OK);
        let mut buf = Vec::new();
        top::write_timeouts(&mut buf, &Timeouts { tcp: u32::MAX, tcp_fin: 0, udp: 0 });
        self.rule("out of range", set, &Request(buf), EINVAL);
        for (what, number) in [
            ("a short TIMEOUT_TCP", IPVS_CMD_ATTR_TIMEOUT_TCP),
            ("a short TIMEOUT_TCP_FIN", IPVS_CMD_ATTR_TIMEOUT_TCP_FIN),
            ("a short TIMEOUT_UDP", IPVS_CMD_ATTR_TIMEOUT_UDP),
        ] {
            self.rule(what, set, &Request::default().with(number, Some(&[1, 2])), -Errno::ERANGE.0);
        }
        self.rule("all", Command::Zero, &Request::default(), OK);
    }

    fn daemons(&mut self) {
        let interface = |name: &str| name.parse().unwrap();
        let master = Request::daemon(&Daemon::new(DaemonRole::Master, interface("lo"), 1));
        let with = |number, payload: Option<&[u8]>| master.with_inner(IPVS_CMD_ATTR_DAEMON, number, payload);
        let (start, stop) = (Command::NewDaemon, Command::DelDaemon);
        for command in [start, stop] {
            self.rule("no DAEMON", command, &Request::default(), EINVAL);
            self.rule("no STATE", command, &with(IPVS_DAEMON_ATTR_STATE, None), EINVAL);
            for state in [0u32, 3] {
                let request = with(IPVS_DAEMON_ATTR_STATE, Some(&state.to_ne_bytes()));
                self.rule("another STATE", command, &request, EINVAL);
            }
        }
        self.rule("not running", stop, &master, -Errno::ESRCH.0);
        self.rule("no MCAST_IFN", start, &with(IPVS_DAEMON_ATTR_MCAST_IFN, None), EINVAL);
        self.rule("no SYNC_ID", start, &with(IPVS_DAEMON_ATTR_SYNC_ID, None), EINVAL);
        let request = with(IPVS_DAEMON_ATTR_MCAST_GROUP, Some(&[10, 0, 0, 1]));
        self.rule("a group that is none", start, &request, EINVAL);
        let six: std::net::Ipv6Addr = "2001:db8::1".parse().unwrap();
        let request = with(IPVS_DAEMON_ATTR_MCAST_GROUP6, Some(&six.octets()));
        self.rule("an IPv6 group that is none", start, &request, EINVAL);
        let request = with(IPVS_DAEMON_ATTR_MCAST_IFN, Some(b"lvs-none\0"));
        self.rule("no such device", start, &request, -Errno::ENODEV.0);
        // A destination of another family than its service's keeps synchronization out, and the
        // other way round.
        let key = Request::key(&ServiceKey::tcp("192.0.2.1", 80).unwrap());
        let mixed = Destination::new("2001:db8::7".parse().unwrap(), 80).with_tunnel(Tunnel::IPIP);
        self.rule("", Command::NewDest, &key.clone().destination(&mixed), OK);
        self.rule("there are mixed families", start, &master, EINVAL);
        self.rule("", Command::DelDest, &key.clone().destination(&mixed), OK);
        self.rule("", start, &master, OK);
        self.rule("running", start, &master, -Errno::EEXIST.0);
        self.rule("a master runs", Command::NewDest, &key.destination(&mixed), EINVAL);
        self.rule("", stop, &master, OK);
        self.rule("", Command::Flush, &Request::default(), OK);
        self.rule("nothing there", Command::Flush, &Request::default(), OK);
    }
}
