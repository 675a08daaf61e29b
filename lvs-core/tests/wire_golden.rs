//! Conversations of Debian's ipvsadm with real kernels, as recorded by `data/capture-wire.py`:
//! `data/wire/KERNEL/*.hex` holds the command, then each datagram sent (`>`) and received (`<`).
//! Everything in them is read and written back, in both directions, and has to be the same bytes.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lvs_core::Errno;
use lvs_core::model::{AddressFamily, Counters, DaemonRole, ServiceKey};
use lvs_core::wire::attr::{self, Attribute, Attributes};
use lvs_core::wire::daemon::DaemonAttribute;
use lvs_core::wire::destination::DestinationAttribute;
use lvs_core::wire::info::InfoAttribute;
use lvs_core::wire::kind::Nested;
use lvs_core::wire::message::{Answer, Command, ExtendedAck, Message, Messages, write_ack, write_done};
use lvs_core::wire::request::ReceivedRequest;
use lvs_core::wire::service::ServiceAttribute;
use lvs_core::wire::top::TopAttribute;
use lvs_core::wire::{daemon, destination, family, info, service, stats, top, uapi::*};

struct Datagram {
    sent: bool,
    bytes: Vec<u8>,
}

struct Capture {
    path: PathBuf,
    command: String,
    datagrams: Vec<Datagram>,
}

/// The kernels whose conversations are recorded, each with the same commands.
fn kernels() -> usize {
    fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/wire")).unwrap().count()
}

fn captures() -> Vec<Capture> {
    let captures = captures_in("wire");
    assert_eq!(captures.len(), 30 * kernels());
    captures
}

fn captures_in(folder: &str) -> Vec<Capture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let mut captures = Vec::new();
    for kernel in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(kernel.unwrap().path()).unwrap() {
            captures.push(read(file.unwrap().path()));
        }
    }
    captures
}

fn read(path: PathBuf) -> Capture {
    let text = fs::read_to_string(&path).unwrap();
    let mut capture = Capture { path, command: String::new(), datagrams: Vec::new() };
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("# command: ") {
            capture.command = command.to_owned();
        } else if let Some((direction, hex)) = line.split_once(' ').filter(|(direction, _)| *direction != "#") {
            let bytes = (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect();
            capture.datagrams.push(Datagram { sent: direction == ">", bytes });
        }
    }
    capture
}

fn each_message(mut visit: impl FnMut(&Capture, bool, Message<'_>, &[u8])) {
    for capture in captures() {
        for datagram in &capture.datagrams {
            let mut messages = Messages::new(&datagram.bytes);
            while let Some(message) = {
                let before = messages.rest();
                messages.next().map(|message| (message, before))
            } {
                let (message, before) = message;
                let length = usize::try_from(message.header.length).unwrap();
                visit(&capture, datagram.sent, message, &before[..length]);
            }
            assert!(messages.rest().is_empty(), "{}", capture.path.display());
        }
    }
}

fn nest(attributes: Attributes<'_>, number: u16) -> Attributes<'_> {
    let mut attributes = attributes;
    attributes.find(|attribute| attribute.number() == number).unwrap().nested()
}

/// Takes every attribute apart, however deep, and gives back what writing the parts makes.
fn rewritten(attributes: Attributes<'_>, at: &str) -> Vec<u8> {
    let mut buf = Vec::new();
    let inner = |kind: u16, nest: Nested<'_>, at: &str, buf: &mut Vec<u8>| {
        let mark = if nest.marked { NLA_F_NESTED } else { 0 };
        Attribute::new(kind | mark, &rewritten(nest.attributes, at)).write(buf);
    };
    for attribute in attributes {
        match at {
            "top" => match TopAttribute::from(attribute) {
                TopAttribute::Service(nest) => inner(IPVS_CMD_ATTR_SERVICE, nest, "service", &mut buf),
                TopAttribute::Destination(nest) => inner(IPVS_CMD_ATTR_DEST, nest, "destination", &mut buf),
                TopAttribute::Daemon(nest) => inner(IPVS_CMD_ATTR_DAEMON, nest, "daemon", &mut buf),
                TopAttribute::Other(other) => panic!("an unknown attribute at the top: {other:?}"),
                typed => attr::write(&mut buf, &typed),
            },
            "service" => match ServiceAttribute::from(attribute) {
                ServiceAttribute::Other(other) => panic!("an unknown attribute of a service: {other:?}"),
                typed => attr::write(&mut buf, &typed),
            },
            "destination" => match DestinationAttribute::from(attribute) {
                DestinationAttribute::Other(other) => panic!("an unknown attribute of a destination: {other:?}"),
                typed => attr::write(&mut buf, &typed),
            },
            "daemon" => match DaemonAttribute::from(attribute) {
                DaemonAttribute::Other(other) => panic!("an unknown attribute of a daemon: {other:?}"),
                typed => attr::write(&mut buf, &typed),
            },
            "info" => match InfoAttribute::from(attribute) {
                InfoAttribute::Other(other) => panic!("an unknown attribute of the info: {other:?}"),
                typed => attr::write(&mut buf, &typed),
            },
            _ => unreachable!(),
        }
    }
    buf
}

#[test]
fn every_recorded_attribute_has_a_typed_form_that_gives_its_bytes_back() {
    let mut seen = 0;
    each_message(|capture, _, message, _| {
        if message.header.message_type <= GENL_ID_CTRL {
            return;
        }
        let (command, attributes) = message.command().unwrap();
        let at = if command == Command::SetInfo { "info" } else { "top" };
        assert_eq!(rewritten(attributes, at), attributes.rest(), "{}", capture.path.display());
        seen += 1;
    });
    assert!(seen > 150, "{seen} messages");
}

#[test]
fn every_recorded_reply_is_read_into_the_model_and_written_back_to_the_same_bytes() {
    let mut seen = [0; 5];
    each_message(|capture, sent, message, _| {
        if sent || message.header.message_type <= GENL_ID_CTRL {
            return;
        }
        let Answer::Data(command, attributes) = message.answer().unwrap() else { panic!("no data") };
        let mut buf = Vec::new();
        let kind = match command {
            Command::NewService => {
                service::write_entry(&mut buf, &service::read_entry(nest(attributes, IPVS_CMD_ATTR_SERVICE)).unwrap());
                0
            }
            Command::NewDest => {
                let entry = destination::read_entry(nest(attributes, IPVS_CMD_ATTR_DEST), AddressFamily::Ipv4).unwrap();
                destination::write_entry(&mut buf, &entry);
                1
            }
            Command::NewDaemon => {
                daemon::write_entry(&mut buf, &daemon::read_entry(nest(attributes, IPVS_CMD_ATTR_DAEMON)).unwrap());
                2
            }
            Command::SetConfig => {
                top::write_timeouts(&mut buf, &top::read_timeouts(attributes).unwrap());
                3
            }
            Command::SetInfo => {
                info::write(&mut buf, &info::read(attributes).unwrap());
                4
            }
            other => panic!("{other:?} in {}", capture.path.display()),
        };
        assert_eq!(buf, attributes.rest(), "{}", capture.path.display());
        seen[kind] += 1;
    });
    assert!(seen.iter().all(|count| *count >= 2), "{seen:?}");
}

/// A kernel whose replies miss the fast path is read right and slowly: its new attribute wants a
/// row in the table.
#[test]
fn every_recorded_destination_and_its_statistics_take_the_fast_path_of_a_dump() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    each_message(|capture, sent, message, _| {
        if sent || message.header.message_type <= GENL_ID_CTRL {
            return;
        }
        let (command, attributes) = message.command().unwrap();
        let kernel = capture.path.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
        match command {
            Command::NewDest => {
                assert!(
                    destination::has_fixed_layout(nest(attributes, IPVS_CMD_ATTR_DEST)),
                    "{}: {message:?}",
                    capture.path.display()
                );
                *seen.entry(kernel).or_default() += 1;
            }
            Command::NewService => {
                for number in [IPVS_SVC_ATTR_STATS, IPVS_SVC_ATTR_STATS64] {
                    let statistics = nest(nest(attributes, IPVS_CMD_ATTR_SERVICE), number);
                    assert!(stats::has_fixed_layout(statistics), "{}: {message:?}", capture.path.display());
                }
            }
            _ => {}
        }
    });
    assert!(seen.len() == kernels() && seen.values().all(|count| *count >= 10), "{seen:?}");
}

#[test]
fn every_recorded_acknowledgement_error_and_end_of_a_dump_is_written_back_to_the_same_bytes() {
    let mut request = Vec::new();
    let (mut acks, mut errors, mut ends) = (0, Vec::new(), 0);
    each_message(|capture, sent, message, bytes| {
        if sent {
            request = bytes.to_vec();
            return;
        }
        let mut buf = Vec::new();
        match message.header.message_type {
            NLMSG_ERROR => {
                let errno = match message.answer().unwrap() {
                    Answer::Done => None,
                    Answer::Error(errno, extended) => {
                        assert_eq!(extended, ExtendedAck::default());
                        errors.push(errno);
                        Some(errno)
                    }
                    other => panic!("{other:?}"),
                };
                acks += usize::from(errno.is_none());
                write_ack(&mut buf, &request, message.header.port_number, errno, &ExtendedAck::default(), false);
            }
            NLMSG_DONE => {
                ends += 1;
                assert_eq!(message.answer().unwrap(), Answer::Done);
                write_done(&mut buf, message.header.sequence_number, message.header.port_number, None);
            }
            _ => return,
        }
        assert_eq!(buf, bytes, "{}", capture.path.display());
    });
    assert!(acks > 30 && ends > 20, "{acks} acknowledgements, {ends} ends");
    for errno in [Errno::EEXIST, Errno::ENOENT, Errno::ESRCH] {
        assert_eq!(errors.iter().filter(|seen| **seen == errno).count(), kernels(), "{errors:?}");
    }
}

#[test]
fn every_recorded_request_reads_as_what_it_asks_for() {
    each_message(|capture, sent, message, _| {
        if !sent || message.header.message_type <= GENL_ID_CTRL {
            return;
        }
        let request = ReceivedRequest::read(&message).unwrap();
        assert!(request.wants_ack());
        let full = matches!(request.command, Command::NewService | Command::SetService);
        let Some(nest) = request.service else { return };
        let read = service::read_request(Some(nest), full).unwrap();
        if let Some(configuration) = read.configuration {
            // ipvsadm writes a service as we do: writing what was read gives its bytes.
            let mut again = lvs_core::model::Service::new(read.key)
                .with_scheduler(configuration.scheduler)
                .with_flags(configuration.flags)
                .with_netmask(configuration.netmask().unwrap())
                .unwrap();
            again.timeout = configuration.timeout;
            again.engine = configuration.engine;
            let mut buf = Vec::new();
            service::write(&mut buf, &again);
            assert_eq!(Attributes::new(&buf).next(), Some(nest), "{}", capture.path.display());
        }
        if request.destination.is_some() {
            let full = request.command != Command::DelDest;
            let asked = destination::read_request(request.destination, read.key.family(), full).unwrap();
            let mut buf = Vec::new();
            destination::write(&mut buf, &asked);
            let ours = Attributes::new(&buf).next();
            assert_eq!(destination::read_request(ours, AddressFamily::Ipv4, true).unwrap(), asked);
        }
    });
}

#[test]
fn the_family_s_number_is_found_in_the_controller_s_reply() {
    let mut found = 0;
    each_message(|_, sent, message, _| {
        if message.header.message_type == GENL_ID_CTRL {
            if sent {
                assert_eq!(family::read_request(&message), Some("IPVS"));
            } else {
                let family = family::read_reply(&message).unwrap();
                assert_eq!(family.name, "IPVS");
                assert!(family.id > GENL_ID_CTRL);
                found += 1;
            }
        }
    });
    assert_eq!(found, kernels());
}

#[test]
fn five_datagrams_of_35_bytes_are_counted_in_the_recorded_statistics() {
    let mut seen = 0;
    each_message(|capture, sent, message, _| {
        if sent || message.header.message_type <= GENL_ID_CTRL || capture.command != "ipvsadm -Ln --stats" {
            return;
        }
        let (Command::NewService, attributes) = message.command().unwrap() else { return };
        let entry = service::read_entry(nest(attributes, IPVS_CMD_ATTR_SERVICE)).unwrap();
        let counters = entry.statistics().counters;
        assert_eq!(entry.stats.map(|stats| stats.counters), Some(counters));
        if entry.service.key() == ServiceKey::udp("192.0.2.200", 53).unwrap() {
            assert_eq!(counters, Counters { connections: 5, packets_in: 5, bytes_in: 175, ..Counters::default() });
            seen += 1;
        } else {
            assert_eq!(counters, Counters::default());
        }
    });
    assert_eq!(seen, kernels());
}

#[test]
fn the_recorded_daemons_have_all_attributes() {
    let mut seen = Vec::new();
    each_message(|_, sent, message, _| {
        if sent || message.header.message_type <= GENL_ID_CTRL {
            return;
        }
        if let (Command::NewDaemon, attributes) = message.command().unwrap() {
            seen.push(daemon::read_entry(nest(attributes, IPVS_CMD_ATTR_DAEMON)).unwrap());
        }
    });
    let master = seen.iter().find(|daemon| daemon.role == DaemonRole::Master).unwrap();
    assert_eq!((master.sync_id, master.max_len, master.port, master.ttl), (7, Some(1400), Some(8849), Some(3)));
    assert_eq!(master.group, Some("224.0.0.82".parse().unwrap()));
    let backup = seen.iter().find(|daemon| daemon.role == DaemonRole::Backup).unwrap();
    assert_eq!((backup.max_len, backup.port, backup.ttl), (Some(1472), Some(8848), Some(1)));
}

#[test]
fn the_kernel_s_own_words_are_read_and_given_as_the_kernel_gives_them() {
    let captures = captures_in("wire-refusals");
    assert_eq!(captures.len(), 12);
    for capture in captures {
        let [request, reply] = &capture.datagrams[..] else { panic!("{}", capture.path.display()) };
        let message = Messages::new(&reply.bytes).next().unwrap();
        let Answer::Error(errno, extended) = message.answer().unwrap() else { panic!("no error") };
        assert_eq!(extended.message, Some("Attribute failed policy validation"));
        let capped = message.header.flags & NLM_F_CAPPED != 0;
        assert_eq!(capped, capture.command.contains("CAP_ACK"));
        let mut again = Vec::new();
        write_ack(&mut again, &request.bytes, message.header.port_number, Some(errno), &extended, capped);
        assert_eq!(again, reply.bytes, "{}", capture.path.display());

        // The kernel's side of ours says the same of what it finds wrong at the top.
        let asked = Messages::new(&request.bytes).next().unwrap();
        match ReceivedRequest::read(&asked) {
            Err(refusal) => assert_eq!((refusal.errno, refusal.extended), (errno, extended)),
            Ok(request) => assert_eq!(daemon::read_request(request.daemon), Err(errno)),
        }
    }
}
