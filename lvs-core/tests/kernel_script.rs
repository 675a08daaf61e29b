//! The kernel director against a script: every fault that a socket or a kernel can produce, without
//! either.
#![cfg(all(target_os = "linux", feature = "kernel"))]
#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use lvs_core::director::{Cause, OnRefusal, Operation};
use lvs_core::kernel::{Inbox, KernelDirector, Transport};
use lvs_core::model::{
    AddressFamily, DaemonRole, Destination, DestinationEntry, Info, SchedulerName, Service, ServiceEntry, ServiceKey,
    TableService, Timeouts,
};
use lvs_core::plan::{Plan, PlanError, Scope};
use lvs_core::wire::message::{Command, EncodedMessage, ExtendedAck, Messages, header, write, write_ack, write_done};
use lvs_core::wire::request::ReceivedRequest;
use lvs_core::wire::uapi::*;
use lvs_core::wire::{destination, family, info, service, top};
use lvs_core::{Director, Errno, Error, ErrorKind};

/// What one receive gives.
#[derive(Debug, Clone)]
enum Event {
    Datagram(Vec<u8>),
    Fails(i32),
}

/// A request as sent: its header and its whole bytes.
#[derive(Debug, Clone)]
struct Asked {
    sequence: u32,
    command: Command,
    flags: u16,
    bytes: Vec<u8>,
}

type Answerer = Box<dyn FnMut(&[Asked]) -> Vec<Event> + Send>;

struct Script {
    answer: Answerer,
    queue: VecDeque<Event>,
    log: Arc<Mutex<Log>>,
    send_errors: VecDeque<i32>,
    can_reset: bool,
}

#[derive(Debug, Default)]
struct Log {
    sends: Vec<Vec<Asked>>,
    resets: usize,
}

const FAMILY: u16 = 33;
/// Stands for a message that is no command.
const NOTHING: Command = Command::Other(0);

impl Transport for Script {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        if let Some(errno) = self.send_errors.pop_front() {
            return Err(io::Error::from_raw_os_error(errno));
        }
        let mut messages = Messages::new(datagram);
        let mut asked = Vec::new();
        let mut rest = messages.rest();
        while let Some(message) = messages.next() {
            let length = message.header.length as usize;
            if family::read_request(&message).is_some() {
                let mut reply = Vec::new();
                family::write_reply(&mut reply, header(0, 0, message.header.sequence_number), FAMILY);
                self.queue.push_back(Event::Datagram(reply));
                return Ok(());
            }
            let command = match message.header.message_type {
                NLMSG_NOOP => NOTHING,
                kind => {
                    assert_eq!(kind, FAMILY);
                    message.command().unwrap().0
                }
            };
            asked.push(Asked {
                sequence: message.header.sequence_number,
                command,
                flags: message.header.flags,
                bytes: rest[..length].to_vec(),
            });
            rest = messages.rest();
        }
        assert!(messages.rest().is_empty());
        self.queue.extend((self.answer)(&asked));
        self.log.lock().unwrap().sends.push(asked);
        Ok(())
    }

    fn receive(&mut self, inbox: &mut Inbox, _wait: bool) -> io::Result<()> {
        let mut first = true;
        while !inbox.is_full() {
            match self.queue.pop_front() {
                Some(Event::Datagram(datagram)) => {
                    assert!(inbox.push(&datagram));
                }
                Some(Event::Fails(errno)) if first => return Err(io::Error::from_raw_os_error(errno)),
                Some(event @ Event::Fails(_)) => {
                    self.queue.push_front(event);
                    break;
                }
                None if first => return Err(io::ErrorKind::WouldBlock.into()),
                None => break,
            }
            first = false;
        }
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.log.lock().unwrap().resets += 1;
        if self.can_reset {
            self.queue.clear();
            Ok(())
        } else {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}

fn script(answer: impl FnMut(&[Asked]) -> Vec<Event> + Send + 'static) -> (Script, Arc<Mutex<Log>>) {
    let log = Arc::new(Mutex::new(Log::default()));
    let script = Script {
        answer: Box::new(answer),
        queue: VecDeque::new(),
        log: log.clone(),
        send_errors: VecDeque::new(),
        can_reset: true,
    };
    (script, log)
}

fn director(answer: impl FnMut(&[Asked]) -> Vec<Event> + Send + 'static) -> (KernelDirector, Arc<Mutex<Log>>) {
    let (script, log) = script(answer);
    (KernelDirector::with_transport(script).unwrap(), log)
}

fn ack(asked: &Asked, errno: Option<Errno>) -> Event {
    let mut buf = Vec::new();
    write_ack(&mut buf, &asked.bytes, 7, errno, &ExtendedAck::default(), true);
    Event::Datagram(buf)
}

fn done(asked: &Asked) -> Event {
    let mut buf = Vec::new();
    write_done(&mut buf, asked.sequence, 7, None);
    Event::Datagram(buf)
}

fn reply(asked: &Asked, flags: u16, command: Command, body: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut buf = Vec::new();
    let mut attributes = Vec::new();
    body(&mut attributes);
    let mut header = header(FAMILY, flags, asked.sequence);
    header.port_number = 7;
    write(&mut buf, header, EncodedMessage { command, attributes: &attributes });
    buf
}

fn key(number: u8) -> ServiceKey {
    ServiceKey::tcp(format!("192.0.2.{number}"), 80).unwrap()
}

fn services_part(asked: &Asked, flags: u16, numbers: &[u8]) -> Event {
    let mut datagram = Vec::new();
    for number in numbers {
        let entry = ServiceEntry::new(Service::new(key(*number)));
        datagram.extend(reply(asked, NLM_F_MULTIPART | flags, Command::NewService, |buf| {
            service::write_entry(buf, &entry)
        }));
    }
    Event::Datagram(datagram)
}

fn info_reply(asked: &Asked) -> Event {
    Event::Datagram(reply(asked, 0, Command::SetInfo, |buf| info::write(buf, &Info::default())))
}

fn destination_number(number: u32) -> Destination {
    let [.., a, b] = number.to_be_bytes();
    Destination::new(std::net::Ipv4Addr::new(198, 51, a, b).into(), 80)
}

fn adds(count: u32) -> Vec<Operation> {
    (0..count).map(|number| Operation::AddDestination(key(1), destination_number(number))).collect()
}

/// Answers as the kernel does where all goes well but for some operations, counted over the whole
/// conversation.
fn kernel_that_refuses(refused: Vec<(usize, Errno)>) -> impl FnMut(&[Asked]) -> Vec<Event> + Send {
    let mut count = 0;
    move |asked| {
        let mut events = Vec::new();
        for one in asked {
            if one.command == Command::GetInfo {
                events.push(info_reply(one));
                continue;
            }
            let errno = refused.iter().find(|(index, _)| *index == count).map(|(_, errno)| *errno);
            if errno.is_some() || one.flags & NLM_F_ACK != 0 {
                events.push(ack(one, errno));
            }
            count += 1;
        }
        events
    }
}

#[test]
fn three_hundred_operations_travel_in_three_sends_with_one_acknowledgement_each() {
    let (mut director, log) = director(kernel_that_refuses(vec![]));
    let report = director.apply(&adds(300), OnRefusal::Continue);
    assert!(report.is_complete(), "{report:?}");
    let log = log.lock().unwrap();
    let sizes: Vec<usize> = log.sends.iter().map(Vec::len).collect();
    assert_eq!(sizes, [128, 128, 44]);
    for send in &log.sends {
        let acks: Vec<bool> = send.iter().map(|asked| asked.flags & NLM_F_ACK != 0).collect();
        assert!(!acks[..acks.len() - 1].contains(&true) && acks[acks.len() - 1]);
    }
}

#[test]
fn refusals_in_the_middle_are_matched_to_their_operations() {
    let refused = vec![(3, Errno::EEXIST), (127, Errno::EINVAL), (128, Errno::ERANGE), (299, Errno::ESRCH)];
    let (mut director, _) = director(kernel_that_refuses(refused.clone()));
    let report = director.apply(&adds(300), OnRefusal::Continue);
    assert_eq!((report.answered, report.sent, report.applied()), (300, 300, 296));
    assert!(report.interrupted.is_none());
    let found: Vec<_> = report.refused.iter().map(|failure| (failure.index, failure.error.errno.unwrap())).collect();
    assert_eq!(found, refused);
    assert_eq!(
        report.refused[0].error.to_string(),
        "cannot add destination 198.51.0.3:80 to tcp://192.0.2.1:80: the destination exists already"
    );
}

#[test]
fn stopping_at_the_first_refusal_sends_nothing_after_it() {
    let (mut director, log) = director(kernel_that_refuses(vec![(2, Errno::EEXIST)]));
    let report = director.apply(&adds(5), OnRefusal::Stop);
    assert_eq!((report.answered, report.sent, report.refused.len()), (3, 3, 1));
    assert_eq!(log.lock().unwrap().sends.len(), 3);
}

#[test]
fn answers_lost_to_a_full_buffer_leave_a_report_of_what_is_certain() {
    // 128 operations, each refused; the buffer held the first fifty answers.
    let (mut director, log) = director(|asked: &[Asked]| {
        let mut events = vec![Event::Fails(Errno::ENOBUFS.0)];
        events.extend(asked.iter().take(50).map(|one| ack(one, Some(Errno::EEXIST))));
        events
    });
    let report = director.apply(&adds(300), OnRefusal::Continue);
    assert_eq!((report.answered, report.sent, report.refused.len()), (50, 128, 50));
    assert_eq!(report.interrupted.unwrap().errno(), Some(Errno::ENOBUFS));
    assert_eq!(log.lock().unwrap().sends.len(), 1, "a change is never sent twice");
}

#[test]
fn a_full_buffer_that_lost_nothing_of_this_batch_is_no_fault() {
    let (mut director, _) =
        director(|asked: &[Asked]| vec![Event::Fails(Errno::ENOBUFS.0), ack(asked.last().unwrap(), None)]);
    assert!(director.apply(&adds(10), OnRefusal::Continue).is_complete());
}

#[test]
fn a_stopped_daemon_that_goes_unacknowledged_is_stopped_all_the_same() {
    let silent = |asked: &[Asked]| {
        let acknowledged = asked.iter().filter(|one| one.command != Command::DelDaemon && one.flags & NLM_F_ACK != 0);
        acknowledged.map(|one| ack(one, None)).collect()
    };
    let (mut director, log) = director(silent);
    director.stop_daemon(DaemonRole::Master).unwrap();
    let stops = [Operation::StopDaemon(DaemonRole::Master), Operation::StopDaemon(DaemonRole::Backup)];
    assert!(director.apply(&stops, OnRefusal::Continue).is_complete());
    let commands: Vec<_> = log.lock().unwrap().sends.iter().flatten().map(|one| one.command).collect();
    assert_eq!(commands, [Command::DelDaemon, NOTHING, Command::DelDaemon, Command::DelDaemon, NOTHING]);
}

#[test]
fn a_daemon_that_cannot_be_stopped_is_still_refused() {
    let (mut director, _) = director(kernel_that_refuses(vec![(0, Errno::ESRCH)]));
    let error = director.stop_daemon(DaemonRole::Master).unwrap_err();
    assert_eq!((error.kind(), error.errno()), (ErrorKind::NotFound, Some(Errno::ESRCH)));
    director.flush().unwrap();
}

#[test]
fn a_send_that_is_too_long_is_cut_into_shorter_ones() {
    let (mut script, log) = script(kernel_that_refuses(vec![(90, Errno::EEXIST)]));
    script.send_errors = [Errno::EINTR.0].into(); // And the first send of all is interrupted.
    let mut director = KernelDirector::with_transport(TooLong { inner: script, limit: 4000 }).unwrap();
    let report = director.apply(&adds(100), OnRefusal::Continue);
    assert_eq!((report.answered, report.refused[0].index), (100, 90));
    assert!(log.lock().unwrap().sends.iter().all(|send| send.len() <= 25));
}

/// A socket with a small send buffer.
struct TooLong {
    inner: Script,
    limit: usize,
}

impl Transport for TooLong {
    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        if datagram.len() > self.limit {
            return Err(io::Error::from_raw_os_error(Errno::EMSGSIZE.0));
        }
        self.inner.send(datagram)
    }

    fn receive(&mut self, inbox: &mut Inbox, wait: bool) -> io::Result<()> {
        self.inner.receive(inbox, wait)
    }
}

#[test]
fn a_failed_send_reports_that_nothing_was_sent() {
    let (script, _) = script(kernel_that_refuses(vec![]));
    let mut director = KernelDirector::with_transport(TooLong { inner: script, limit: 60 }).unwrap();
    let report = director.apply(&adds(3), OnRefusal::Continue);
    assert_eq!((report.answered, report.sent), (0, 0));
    assert_eq!(report.interrupted.unwrap().errno(), Some(Errno::EMSGSIZE));
}

#[test]
fn an_answer_that_never_comes_is_a_timeout_and_not_a_second_try() {
    let (mut director, log) = director(|_: &[Asked]| Vec::new());
    let report = director.apply(&adds(2), OnRefusal::Continue);
    assert_eq!((report.answered, report.sent), (0, 2));
    let Some(Error::Io { error: source, .. }) = report.interrupted else { panic!() };
    assert_eq!(source.kind(), io::ErrorKind::TimedOut);
    assert_eq!(log.lock().unwrap().sends.len(), 1);
}

#[test]
fn interrupted_calls_and_answers_to_others_are_passed_over() {
    let (mut director, _) = director(|asked: &[Asked]| {
        let one = asked.last().unwrap();
        let mut early = one.clone();
        early.sequence = early.sequence.wrapping_sub(1);
        early.bytes[8..12].copy_from_slice(&early.sequence.to_ne_bytes());
        vec![
            Event::Fails(Errno::EINTR.0),
            ack(&early, Some(Errno::EPERM)),
            info_reply(&early),
            Event::Fails(Errno::EINTR.0),
            info_reply(one),
        ]
    });
    assert_eq!(director.info().unwrap(), Info::default());
}

#[test]
fn a_disturbed_question_is_asked_again_on_a_fresh_socket() {
    for errno in [Errno::ENOBUFS, Errno::EBADF] {
        let mut asked_before = 0;
        let (mut director, log) = director(move |asked: &[Asked]| {
            asked_before += 1;
            if asked_before < 3 { vec![Event::Fails(errno.0)] } else { vec![info_reply(&asked[0])] }
        });
        assert_eq!(director.info().unwrap(), Info::default());
        let log = log.lock().unwrap();
        assert_eq!((log.sends.len(), log.resets), (3, 2));
    }
}

#[test]
fn a_socket_that_stays_closed_is_an_error_in_the_end() {
    let (mut director, log) = director(|_: &[Asked]| vec![Event::Fails(Errno::EBADF.0)]);
    assert_eq!(director.services().unwrap_err().errno(), Some(Errno::EBADF));
    assert_eq!(log.lock().unwrap().sends.len(), 4);
}

#[test]
fn a_dump_that_is_still_running_is_left_behind() {
    let mut first = true;
    let (mut director, log) = director(move |asked: &[Asked]| {
        if std::mem::take(&mut first) {
            return vec![ack(&asked[0], Some(Errno::EBUSY))];
        }
        vec![services_part(&asked[0], 0, &[1, 2]), done(&asked[0])]
    });
    assert_eq!(director.services().unwrap().len(), 2);
    assert_eq!(log.lock().unwrap().resets, 1);
}

#[test]
fn an_interrupted_list_is_read_again() {
    let mut first = true;
    let (mut director, _) = director(move |asked: &[Asked]| {
        if std::mem::take(&mut first) {
            vec![services_part(&asked[0], NLM_F_DUMP_INTR, &[1]), done(&asked[0])]
        } else {
            vec![services_part(&asked[0], 0, &[1, 2]), done(&asked[0])]
        }
    });
    assert_eq!(director.services().unwrap().len(), 2);
}

#[test]
fn a_list_that_breaks_off_is_an_error() {
    let (mut director, _) = director(|asked: &[Asked]| {
        let mut end = Vec::new();
        write_done(&mut end, asked[0].sequence, 7, Some(Errno::ENOMEM));
        vec![services_part(&asked[0], 0, &[1]), Event::Datagram(end)]
    });
    let error = director.services().unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENOMEM));
    assert_eq!(error.to_string(), "cannot read the services: Cannot allocate memory (ENOMEM)");
}

/// Answers a request for services with these parts, and one for the version.
fn parts(asked: &Asked, parts: &[&[u8]]) -> Vec<Event> {
    if asked.command == Command::GetInfo {
        return vec![info_reply(asked)];
    }
    parts.iter().map(|numbers| services_part(asked, 0, numbers)).chain([done(asked)]).collect()
}

#[test]
fn a_list_in_parts_is_read_until_two_readings_agree_that_were_cut_at_other_places() {
    let tries = Arc::new(Mutex::new(0));
    let counted = tries.clone();
    let (mut director, _) = director(move |asked: &[Asked]| {
        let mut tries = counted.lock().unwrap();
        *tries += usize::from(asked[0].command == Command::GetService);
        let answers: [&[&[u8]]; 4] =
            [&[&[1, 2], &[2, 3]], &[&[1, 2], &[3, 4, 5, 6]], &[&[1, 2], &[3, 4, 5, 6]], &[&[1, 2, 3, 4], &[5, 6]]];
        parts(&asked[0], answers[(*tries).max(1) - 1])
    });
    let keys: Vec<_> = director.services().unwrap().iter().map(|entry| entry.service.key()).collect();
    assert_eq!(keys, (1..=6).map(key).collect::<Vec<_>>());
    assert_eq!(*tries.lock().unwrap(), 4);
}

#[test]
fn a_list_that_keeps_changing_is_an_error_and_its_snapshot_incomplete() {
    let never_clean = |asked: &[Asked]| {
        asked
            .iter()
            .flat_map(|one| match one.command {
                Command::GetService if one.flags & NLM_F_DUMP == NLM_F_DUMP => parts(one, &[&[1, 2], &[2, 3]]),
                _ => answer_snapshot(std::slice::from_ref(one), 9),
            })
            .collect()
    };
    let (mut director, log) = director(never_clean);
    let Err(Error::Refused(error)) = director.services() else { panic!() };
    assert_eq!(error.cause, Cause::Changing);
    assert_eq!(error.to_string(), "cannot read the services: the list kept changing while it was read");
    // Four readings, and the version to offer other buffers.
    assert_eq!(log.lock().unwrap().sends.len(), 6);

    let snapshot = director.snapshot().unwrap();
    let keys: Vec<_> = snapshot.services.iter().map(|service| service.entry.service.key()).collect();
    assert_eq!(keys, [key(1), key(2), key(3)]);
    assert!(!snapshot.complete.ipv4 && !snapshot.complete.ipv6);
    // Such a snapshot is good for additions, but nothing is taken away on its word.
    let current = snapshot.to_table();
    let mut wanted = current.clone();
    wanted.services.push(TableService::new(Service::new(key(4))));
    assert_eq!(Plan::between(&current, &wanted, &Scope::all()).unwrap().len(), 1);
    wanted.services.remove(0);
    assert_eq!(
        Plan::between(&current, &wanted, &Scope::all()).unwrap_err(),
        PlanError::Incomplete(AddressFamily::Ipv4)
    );
}

#[test]
fn a_datagram_that_was_cut_is_asked_for_again_with_more_room() {
    let (mut director, _) = director(|asked: &[Asked]| {
        // 60 services of some 130 bytes: more than the smallest buffer.
        let numbers: Vec<u8> = (1..=60).collect();
        vec![services_part(&asked[0], 0, &numbers), done(&asked[0])]
    });
    assert_eq!(director.services().unwrap().len(), 60);
}

#[test]
fn bytes_that_make_no_sense_are_a_decode_error() {
    let (mut garbage, _) = director(|_: &[Asked]| vec![Event::Datagram(vec![0xff; 40])]);
    assert_eq!(garbage.info().unwrap_err().kind(), ErrorKind::Decode);
    let (mut short, _) =
        director(|asked: &[Asked]| vec![Event::Datagram(reply(&asked[0], 0, Command::SetInfo, |_| ()))]);
    assert_eq!(short.info().unwrap_err().to_string(), "malformed reply: reply lacks IPVS_INFO_ATTR_VERSION");
    let (mut other, _) = director(|asked: &[Asked]| {
        vec![Event::Datagram(reply(&asked[0], 0, Command::SetConfig, |buf| {
            top::write_timeouts(buf, &Timeouts::default())
        }))]
    });
    assert_eq!(other.info().unwrap_err().kind(), ErrorKind::Decode);
}

#[test]
fn an_empty_list_of_destinations_is_checked_by_asking_for_the_service() {
    for there in [true, false] {
        let (mut director, _) = director(move |asked: &[Asked]| match asked[0].command {
            Command::GetDest => vec![done(&asked[0])],
            Command::GetService if there => {
                let entry = ServiceEntry::new(Service::new(key(1)));
                vec![Event::Datagram(reply(&asked[0], 0, Command::NewService, |buf| service::write_entry(buf, &entry)))]
            }
            _ => vec![ack(&asked[0], Some(Errno::ESRCH))],
        });
        let list = director.destinations(&key(1));
        if there {
            assert!(list.unwrap().is_empty());
        } else {
            assert_eq!(
                list.unwrap_err().to_string(),
                "cannot read the destinations of tcp://192.0.2.1:80: no such service"
            );
        }
    }
}

fn answer_snapshot(asked: &[Asked], vanished: u8) -> Vec<Event> {
    let mut events = Vec::new();
    for one in asked {
        let dump = one.flags & NLM_F_DUMP == NLM_F_DUMP;
        let messages: Vec<_> = Messages::new(&one.bytes).collect();
        let request = ReceivedRequest::read(&messages[0]).unwrap();
        let asked_key = || service::read_request(request.service, false).unwrap().key;
        match one.command {
            Command::GetInfo => events.push(info_reply(one)),
            Command::GetConfig => events.push(Event::Datagram(reply(one, 0, Command::SetConfig, |buf| {
                top::write_timeouts(buf, &Timeouts::default())
            }))),
            Command::GetService if dump => events.push(services_part(one, 0, &[1, 2, 3])),
            Command::GetDest if asked_key() == key(1) => {
                let entry = DestinationEntry::new(destination_number(1));
                events.push(Event::Datagram(reply(one, NLM_F_MULTIPART, Command::NewDest, |buf| {
                    destination::write_entry(buf, &entry);
                })));
            }
            Command::GetService if asked_key() == key(vanished) => events.push(ack(one, Some(Errno::ESRCH))),
            Command::GetService => {
                let entry = ServiceEntry::new(Service::new(asked_key()));
                events
                    .push(Event::Datagram(reply(one, 0, Command::NewService, |buf| service::write_entry(buf, &entry))));
            }
            _ => {}
        }
        if dump {
            events.push(done(one));
        }
    }
    events
}

#[test]
fn a_snapshot_leaves_out_a_service_that_vanished_while_it_was_taken() {
    let (mut director, log) = director(|asked: &[Asked]| answer_snapshot(asked, 2));
    let snapshot = director.snapshot().unwrap();
    let shape: Vec<_> =
        snapshot.services.iter().map(|service| (service.entry.service.key(), service.destinations.len())).collect();
    assert_eq!(shape, [(key(1), 1), (key(3), 0)]);
    // Version, timeouts and daemons at once; services; three lists of destinations; the two empty
    // ones at once.
    let sizes: Vec<usize> = log.lock().unwrap().sends.iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1, 1, 1, 1, 2]);
}

#[test]
fn replies_to_earlier_requests_are_dropped_without_a_reset() {
    let mut tries = 0;
    let (mut script, _) = script(move |asked: &[Asked]| {
        tries += 1;
        if tries == 1 {
            vec![Event::Fails(Errno::ENOBUFS.0), info_reply(&asked[0])]
        } else {
            vec![info_reply(&asked[0])]
        }
    });
    script.can_reset = false;
    let mut director = KernelDirector::with_transport(script).unwrap();
    assert_eq!(director.info().unwrap(), Info::default());
}

#[test]
fn an_impossible_service_distinguishes_a_missing_engine_from_a_missing_scheduler() {
    for (probe, expected) in [
        (Errno::ENOENT, Cause::SchedulerNotFound(SchedulerName::RR)),
        (Errno::EINVAL, Cause::EngineNotFound("sip".parse().unwrap())),
        (Errno::EAFNOSUPPORT, Cause::SchedulerOrEngineNotFound(SchedulerName::RR, "sip".parse().unwrap())),
    ] {
        let mut tries = 0;
        let (mut director, log) = director(move |asked: &[Asked]| {
            if asked[0].command == Command::GetInfo {
                return vec![info_reply(&asked[0])];
            }
            tries += 1;
            vec![ack(&asked[0], Some(if tries == 1 { Errno::ENOENT } else { probe }))]
        });
        let service = Service::new(key(1)).with_scheduler(SchedulerName::RR).with_engine("sip".parse().unwrap());
        let Err(Error::Refused(error)) = director.add_service(&service) else { panic!() };
        assert_eq!(error.cause, expected);
        // What was asked is a service that the model cannot even say: prefix length 0.
        let log = log.lock().unwrap();
        let messages: Vec<_> = Messages::new(&log.sends.last().unwrap()[0].bytes).collect();
        let asked = service::read_request(ReceivedRequest::read(&messages[0]).unwrap().service, true).unwrap();
        assert_eq!(asked.configuration.unwrap().netmask(), Err(Errno::EINVAL));
        assert_eq!(asked.configuration.unwrap().engine, None);
    }
}

#[test]
fn a_missing_netlink_family_is_no_missing_destination() {
    for gone in [true, false] {
        let (mut director, _) = director(move |asked: &[Asked]| {
            let info = asked[0].command == Command::GetInfo;
            if info && !gone { vec![info_reply(&asked[0])] } else { vec![ack(&asked[0], Some(Errno::ENOENT))] }
        });
        let Err(Error::Refused(error)) = director.remove_destination(&key(1), &destination_number(1).key) else {
            panic!()
        };
        assert_eq!(error.cause, if gone { Cause::ModuleMissing } else { Cause::DestinationNotFound });
    }
}

#[test]
fn a_side_without_the_family_has_no_ipvs() {
    struct Nobody(VecDeque<Vec<u8>>);
    impl Transport for Nobody {
        fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
            let mut buf = Vec::new();
            write_ack(&mut buf, datagram, 7, Some(Errno::ENOENT), &ExtendedAck::default(), true);
            self.0.push_back(buf);
            Ok(())
        }
        fn receive(&mut self, inbox: &mut Inbox, _wait: bool) -> io::Result<()> {
            inbox.push(&self.0.pop_front().unwrap());
            Ok(())
        }
    }
    let error = KernelDirector::with_transport(Nobody(VecDeque::new())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.to_string(),
        "cannot open the director: this kernel has no IPVS: the module ip_vs is not loaded (modprobe ip_vs, or the option \
         load_module)"
    );
}

#[test]
fn the_kernel_s_words_are_in_the_error() {
    let (mut director, _) = director(|asked: &[Asked]| {
        let extended_ack = {
            let mut ack = ExtendedAck::default();
            ack.message = Some("Attribute failed policy validation");
            ack
        };
        let mut buf = Vec::new();
        write_ack(&mut buf, &asked[0].bytes, 7, Some(Errno::ERANGE), &extended_ack, true);
        vec![Event::Datagram(buf)]
    });
    let error = director.set_timeouts(Timeouts::default()).unwrap_err();
    assert!(error.to_string().ends_with("(Attribute failed policy validation)"), "{error}");
}

#[test]
fn connections_of_a_transport_of_one_s_own_are_not_supported() {
    let (mut director, _) = director(|_: &[Asked]| Vec::new());
    let error = director.visit_connections(&mut |_| std::ops::ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
