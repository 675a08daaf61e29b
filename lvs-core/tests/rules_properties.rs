//! What must hold of the rules language for any table, any command and any bytes.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lvs_core::director::Operation;
use lvs_core::model::{
    AddressFamily, Daemon, DaemonRole, Destination, DestinationKey, EngineName, ForwardingMethod, InterfaceName,
    Netmask, PrefixLength, Protocol, SchedulerName, Service, ServiceFlags, ServiceKey, Table, TableService, Timeouts,
    Tunnel, TunnelFlags, TunnelKind,
};
use lvs_core::rules::{self, Command, Dialect, Emitter, Parser};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn addr() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0..5u32).prop_map(|host| IpAddr::V4(Ipv4Addr::from_bits(0xc000_0200 + host))),
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
        // Forms that are printed in their own way.
        any::<u64>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(u128::from(bits)))),
        any::<u32>().prop_map(|bits| IpAddr::V6(Ipv4Addr::from_bits(bits).to_ipv6_mapped())),
    ]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![Just(0), Just(80), any::<u16>()]
}

fn key() -> impl Strategy<Value = ServiceKey> {
    let protocol = prop_oneof![
        4 => select(vec![Protocol::Tcp, Protocol::Udp, Protocol::Sctp]),
        1 => any::<u16>().prop_map(Protocol::from_number),
    ];
    let mark = (1..=u32::MAX, any::<bool>()).prop_map(|(mark, v6)| {
        ServiceKey::fwmark(mark, if v6 { AddressFamily::Ipv6 } else { AddressFamily::Ipv4 }).unwrap()
    });
    prop_oneof![
        3 => (protocol, addr(), port()).prop_map(|(protocol, addr, port)| ServiceKey::endpoint(protocol, addr, port)),
        1 => mark,
    ]
}

/// Names are words: the language has no quotes.
fn word(longest: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec!["rr", "wlc", "sh", "mh", "none", "-x", "a#b", "ü", "0", "--", "=", "-"]).prop_map(str::to_owned),
        "[!-~]{1,15}",
    ]
    .prop_filter("a word that no reader drops", move |word| {
        word.len() <= longest && !word.starts_with('#') && word != "ipvsadm"
    })
}

fn seconds() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(360), 0..=2_678_400u32, any::<u32>()]
}

fn netmask(family: AddressFamily) -> BoxedStrategy<Netmask> {
    match family {
        AddressFamily::Ipv4 => {
            prop_oneof![Just(u32::MAX), any::<u32>()].prop_map(|bits| Netmask::V4(Ipv4Addr::from_bits(bits))).boxed()
        }
        AddressFamily::Ipv6 => (1..=128u32).prop_map(|length| Netmask::V6(PrefixLength::new(length).unwrap())).boxed(),
    }
}

fn service() -> impl Strategy<Value = Service> {
    let flags = prop_oneof![
        3 => (0..64u32).prop_map(|bits| bits & !ServiceFlags::HASHED.bits()),
        1 => any::<u32>(),
    ];
    key().prop_flat_map(move |key| {
        let parts = (word(15), flags.clone(), seconds(), netmask(key.family()), option::of(word(16)));
        parts.prop_map(move |(scheduler, flags, timeout, netmask, engine)| {
            let mut service = Service::new(key)
                .with_scheduler(SchedulerName::new(&scheduler).unwrap())
                .with_flags(ServiceFlags::from_bits(flags))
                .with_netmask(netmask)
                .unwrap();
            service.timeout = timeout;
            service.engine = engine.map(|engine| EngineName::new(&engine).unwrap());
            service
        })
    })
}

fn destination() -> impl Strategy<Value = Destination> {
    let number = || prop_oneof![Just(0), Just(1), 0..=i32::MAX as u32, any::<u32>()];
    let tunnel = (0..5u8, port(), prop_oneof![0..3u16, any::<u16>()]).prop_map(|(kind, port, flags)| Tunnel {
        kind: TunnelKind::from_number(kind),
        port,
        flags: TunnelFlags::from_bits(flags),
    });
    (addr(), port(), 0..8u32, number(), number(), number(), prop_oneof![Just(Tunnel::IPIP), tunnel]).prop_map(
        |(addr, port, method, weight, upper, lower, tunnel)| {
            let mut destination = Destination::new(addr, port)
                .with_forwarding(ForwardingMethod::from_number(method))
                .with_weight(weight)
                .with_thresholds(upper, lower);
            destination.tunnel = tunnel;
            destination
        },
    )
}

fn timeouts() -> impl Strategy<Value = Timeouts> {
    (seconds(), seconds(), seconds()).prop_map(|(tcp, tcp_fin, udp)| Timeouts { tcp, tcp_fin, udp })
}

fn daemon() -> impl Strategy<Value = Daemon> {
    let details = (
        option::of(any::<u16>()),
        option::of(addr()),
        option::of(any::<u16>()),
        option::of(any::<u8>()),
        any::<bool>(),
    );
    (word(15), prop_oneof![0..=255u32, any::<u32>()], details).prop_map(|(interface, sync_id, details)| {
        let role = if details.4 { DaemonRole::Master } else { DaemonRole::Backup };
        let mut daemon = Daemon::new(role, InterfaceName::new(&interface).unwrap(), sync_id);
        (daemon.max_len, daemon.group, daemon.port, daemon.ttl) = (details.0, details.1, details.2, details.3);
        daemon
    })
}

fn table() -> impl Strategy<Value = Table> {
    let services = vec((service(), vec(destination(), 0..6)), 0..6);
    (services, option::of(timeouts()), vec(daemon(), 0..3)).prop_map(|(services, timeouts, daemons)| {
        let mut table = Table::new();
        let mut known = BTreeMap::new();
        for (service, destinations) in services {
            if known.insert(service.key(), ()).is_some() {
                continue;
            }
            let mut entry = TableService::new(service);
            for destination in destinations {
                if !entry.destinations.iter().any(|known| known.key == destination.key) {
                    entry.destinations.push(destination);
                }
            }
            table.services.push(entry);
        }
        table.timeouts = timeouts;
        for daemon in daemons {
            if table.daemons.iter().all(|known| known.role != daemon.role) {
                table.daemons.push(daemon);
            }
        }
        table
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let server_key = || (addr(), port()).prop_map(|(addr, port)| DestinationKey::new(addr, port));
    prop_oneof![
        service().prop_map(Operation::AddService),
        service().prop_map(Operation::UpdateService),
        key().prop_map(Operation::RemoveService),
        (key(), destination()).prop_map(|(key, destination)| Operation::AddDestination(key, destination)),
        (key(), destination()).prop_map(|(key, destination)| Operation::UpdateDestination(key, destination)),
        (key(), server_key()).prop_map(|(key, server)| Operation::RemoveDestination(key, server)),
        timeouts().prop_map(Operation::SetTimeouts),
        daemon().prop_map(Operation::StartDaemon),
        select(vec![DaemonRole::Master, DaemonRole::Backup]).prop_map(Operation::StopDaemon),
        option::of(key()).prop_map(Operation::Zero),
        Just(Operation::Flush),
    ]
}

/// Lines that look like rules.
fn nearly_rules() -> impl Strategy<Value = String> {
    let words = select(
        "-A -E -D -C -L -a -e -d -R -S -Z --set --start-daemon --stop-daemon -h -v -t -u -f -6 -s -p -M -r -m -i -g -w \
         -x -y -c -n -o -b --pe --tun-type --tun-port --tun-csum --tun-remcsum --stats --rate --timeout --daemon \
         --syncid --mcast-group --sort --exact 192.0.2.1:80 198.51.100.7 [2001:db8::1]:80 2001:db8::2 1 0 -1 7 80 360 \
         master backup rr sh flag-1 sh-port gue gre ipip -- - -At192.0.2.1:80 -Ln --tcp-service=192.0.2.1:80 #lvs # \
         --ip-service 47:192.0.2.1:80 --forwarding local --flags 0x40 ipvsadm \n \n"
            .split(' ')
            .collect::<Vec<_>>(),
    );
    vec(words, 0..60).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn a_table_survives_its_text(table in table()) {
        let emitted = Emitter::new(Dialect::Lossless).table(&table);
        prop_assert_eq!(&emitted.losses, &[]);
        let script = rules::parse(&emitted.text);
        prop_assert!(script.is_ok(), "{}\n{}", emitted.text, script.unwrap_err());
        let read = script.unwrap().to_table();
        prop_assert!(read.is_ok(), "{}\n{}", emitted.text, read.unwrap_err());
        prop_assert_eq!(read.unwrap(), table, "{}", emitted.text);
    }

    /// Without extended lines the text is plain, reads back in both dialects to the same table, and
    /// what differs from the original was reported.
    #[test]
    fn plain_rules_report_what_they_lose(table in table()) {
        let emitted = Emitter::new(Dialect::Lossless).without_extended_lines().table(&table);
        prop_assert!(!emitted.text.contains("#lvs "), "{}", emitted.text);
        let read = |dialect| Parser::new(dialect).parse(&emitted.text).map(|script| script.to_table().unwrap());
        let (ipvsadm, lossless) = (read(Dialect::Ipvsadm), read(Dialect::Lossless));
        prop_assert!(ipvsadm.is_ok(), "{}\n{}", emitted.text, ipvsadm.unwrap_err());
        prop_assert_eq!(&ipvsadm, &lossless);
        prop_assert_eq!(emitted.losses.is_empty(), lossless.unwrap() == table, "{:?}", emitted.losses);
    }

    #[test]
    fn a_command_survives_its_line(operation in operation()) {
        let command = Command::from(operation);
        let emitted = Emitter::new(Dialect::Lossless).command(&command);
        prop_assert_eq!(&emitted.losses, &[]);
        let script = rules::parse(&emitted.text);
        prop_assert!(script.is_ok(), "{}\n{}", emitted.text, script.unwrap_err());
        prop_assert_eq!(script.unwrap().operations().unwrap(), [operation]);
    }

    #[test]
    fn what_is_read_prints_and_reads_the_same(text in nearly_rules()) {
        let Ok(script) = rules::parse(&text) else { return Ok(()) };
        let printed = Emitter::new(Dialect::Lossless).script(&script).text;
        let again = rules::parse(&printed).unwrap();
        prop_assert_eq!(&printed, &Emitter::new(Dialect::Lossless).script(&again).text);
        let commands = |script: &rules::Script| script.rules.iter().map(|rule| rule.command).collect::<Vec<_>>();
        prop_assert_eq!(commands(&script), commands(&again), "{}", printed);
    }

    #[test]
    fn mistakes_have_their_place_inside_the_text(text in nearly_rules()) {
        for dialect in [Dialect::Ipvsadm, Dialect::Lossless] {
            check(dialect, text.as_bytes());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(text in vec(any::<u8>(), 0..300)) {
        for dialect in [Dialect::Ipvsadm, Dialect::Lossless] {
            check(dialect, &text);
        }
    }

    #[test]
    fn any_arguments_are_read_or_refused(args in vec(vec(any::<u8>(), 0..20), 0..8), verb in 0..4usize) {
        let mut args = args;
        args.insert(0, [&b"-A"[..], b"-a", b"-L", b"--set"][verb].to_vec());
        for dialect in [Dialect::Ipvsadm, Dialect::Lossless] {
            let _ = Parser::new(dialect).command(&args);
        }
    }
}

fn check(dialect: Dialect, text: &[u8]) {
    let every = Parser::new(dialect);
    let lines = text.iter().filter(|byte| **byte == b'\n').count() + 1;
    if let Err(errors) = every.parse(text) {
        assert!(errors.len() <= 16 * lines);
        for error in &errors {
            assert!(error.line() >= 1 && error.line() <= lines && error.column() >= 1, "{error}");
            assert!(error.span().start <= error.span().end && error.span().end <= text.len(), "{error}");
            assert!(!error.ipvsadm("ipvsadm").text.is_empty());
            assert_eq!(error.to_string().lines().count(), 4, "{error}");
        }
    }
    // The first mistake is the same whether or not the others are looked for.
    let first = |parser: Parser<'_>| -> Vec<_> {
        parser.lines(text).map(|line| line.map_err(|errors| errors.first().to_string())).collect()
    };
    assert_eq!(first(every), first(every.first_error_only()));
}

#[test]
fn a_comment_behind_a_rule_does_not_become_an_extended_line() {
    let script = rules::parse("-C #lvs -A").unwrap();
    let printed = Emitter::new(Dialect::Lossless).script(&script).text;
    assert_eq!(printed, "# lvs -A\n-C\n");
}

#[test]
fn a_line_with_a_million_errors_is_refused_quickly() {
    let mut text = String::from("-A ");
    text.push_str(&"--bogus ".repeat(1_000_000));
    let errors = rules::parse(&text).unwrap_err();
    assert_eq!(errors.len(), 16);
    assert!(errors.to_string().len() < 16 * 1000);
}
