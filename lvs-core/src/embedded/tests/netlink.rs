use super::super::{EmbeddedDirector, NetlinkSocket};
use crate::model::{Destination, Service, ServiceKey};
use crate::wire::message::{Answer, Command, EncodedMessage, Messages, header, write};
use crate::wire::uapi::*;
use crate::wire::{destination, family, service, top};
use crate::{Director, Errno};

const FAMILY: u16 = 0x21;

fn key() -> ServiceKey {
    ServiceKey::tcp("192.0.2.1", 80).unwrap()
}

fn request(command: Command, flags: u16, attributes: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let (mut bytes, mut encoded) = (Vec::new(), Vec::new());
    attributes(&mut encoded);
    let header = header(FAMILY, NLM_F_REQUEST | flags, 7);
    write(&mut bytes, header, EncodedMessage { command, attributes: &encoded });
    bytes
}

fn answers(director: &mut EmbeddedDirector, socket: &mut NetlinkSocket, room: usize) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| socket.receive(director, room)).collect()
}

/// The errno of the only answer; none for an acknowledgement.
#[track_caller]
fn errno(answers: &[Vec<u8>]) -> Option<Errno> {
    assert_eq!(answers.len(), 1);
    match Messages::new(&answers[0]).next().unwrap().answer().unwrap() {
        Answer::Done => None,
        Answer::Error(errno, _) => Some(errno),
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_change_the_director_and_are_acknowledged_if_asked_for() {
    let (mut director, mut socket) = (EmbeddedDirector::new(), NetlinkSocket::new());
    let service = Service::new(key());
    let add = |flags| request(Command::NewService, flags, |buf| service::write(buf, &service));
    socket.send(&mut director, &add(0));
    assert!(answers(&mut director, &mut socket, 4096).is_empty());
    socket.send(&mut director, &add(0));
    assert_eq!(errno(&answers(&mut director, &mut socket, 4096)), Some(Errno::EEXIST));
    socket.send(&mut director, &request(Command::Flush, NLM_F_ACK, |_| {}));
    assert_eq!(errno(&answers(&mut director, &mut socket, 4096)), None);
    assert!(director.services().unwrap().is_empty());
}

#[test]
fn a_datagram_may_hold_many_requests() {
    let (mut director, mut socket) = (EmbeddedDirector::new(), NetlinkSocket::new());
    let mut datagram = request(Command::NewService, 0, |buf| service::write(buf, &Service::new(key())));
    for host in 1..=3 {
        let server = Destination::new([198, 51, 100, host].into(), 80);
        datagram.extend(request(Command::NewDest, NLM_F_ACK, |buf| {
            service::write_key(buf, &key());
            destination::write(buf, &server);
        }));
    }
    socket.send(&mut director, &datagram);
    assert_eq!(answers(&mut director, &mut socket, 4096).len(), 3);
    assert_eq!(director.destinations(&key()).unwrap().len(), 3);
}

// Linux on x86-64: 356 bytes an entry; buffers of 4, 8 and 32 KiB get 11, 23 and 91 of them.
#[test]
fn dumps_come_in_parts_as_large_as_the_buffers_and_end_in_a_datagram_of_their_own() {
    let mut director = EmbeddedDirector::new();
    director.add_service(&Service::new(key())).unwrap();
    for port in 1..=200 {
        director.add_destination(&key(), &Destination::new([198, 51, 100, 7].into(), port)).unwrap();
    }
    let ask = request(Command::GetDest, NLM_F_DUMP, |buf| service::write_key(buf, &key()));
    for (room, first, each) in [(4096, 10, 11), (8192, 10, 23), (1 << 20, 10, 91)] {
        let mut socket = NetlinkSocket::new();
        // The first part is built when the request comes, before any buffer was offered.
        socket.send(&mut director, &ask);
        let parts = answers(&mut director, &mut socket, room);
        let counts: Vec<_> = parts.iter().map(|part| Messages::new(part).count()).collect();
        assert_eq!((counts[0], counts[1]), (first, each), "{counts:?}");
        assert_eq!(counts[..counts.len() - 1].iter().sum::<usize>(), 200);
        assert_eq!(parts.last().unwrap().len(), 20);
        assert_eq!(Messages::new(&parts[0]).next().unwrap().header.length, 356);
    }
}

#[test]
fn a_second_dump_has_to_wait() {
    let mut director = EmbeddedDirector::new();
    let mut socket = NetlinkSocket::new();
    let ask = request(Command::GetService, NLM_F_DUMP, |_| {});
    director.add_service(&Service::new(key())).unwrap();
    socket.send(&mut director, &ask);
    socket.send(&mut director, &ask);
    let all = answers(&mut director, &mut socket, 4096);
    assert_eq!((all.len(), errno(&all[1..2])), (3, Some(Errno::EBUSY)));
    socket.send(&mut director, &ask);
    assert_eq!(answers(&mut director, &mut socket, 4096).len(), 2);
}

#[test]
fn what_the_kernel_does_not_know_is_answered_as_it_does() {
    let (mut director, mut socket) = (EmbeddedDirector::new(), NetlinkSocket::new());
    for (bytes, expected) in [
        (request(Command::SetInfo, 0, |_| {}), Errno::EOPNOTSUPP),
        (request(Command::Other(18), 0, |_| {}), Errno::EOPNOTSUPP),
        (request(Command::GetDaemon, 0, |_| {}), Errno::EOPNOTSUPP),
        (request(Command::NewService, 0, |buf| service::write_key(buf, &key())), Errno::EINVAL),
        (request(Command::DelService, 0, |buf| service::write_key(buf, &key())), Errno::ESRCH),
        (request(Command::NewDest, 0, |buf| service::write_key(buf, &key())), Errno::ESRCH),
    ] {
        socket.send(&mut director, &bytes);
        assert_eq!(errno(&answers(&mut director, &mut socket, 4096)), Some(expected), "{bytes:?}");
    }
    let mut question = Vec::new();
    family::write_request(&mut question, 1, "no-such-family");
    socket.send(&mut director, &question);
    assert_eq!(errno(&answers(&mut director, &mut socket, 4096)), Some(Errno::ENOENT));
    // A dump of the destinations of no service is an empty one.
    socket.send(&mut director, &request(Command::GetDest, NLM_F_DUMP, |buf| service::write_key(buf, &key())));
    let all = answers(&mut director, &mut socket, 4096);
    assert_eq!((all.len(), all[0].len()), (1, 20));
}

#[test]
fn the_timeouts_are_read_back() {
    let (mut director, mut socket) = (EmbeddedDirector::new(), NetlinkSocket::new());
    socket.send(&mut director, &request(Command::GetConfig, 0, |_| {}));
    let all = answers(&mut director, &mut socket, 4096);
    let message = Messages::new(&all[0]).next().unwrap();
    let (command, attributes) = message.command().unwrap();
    assert_eq!((command, top::read_timeouts(attributes).unwrap()), (Command::SetConfig, director.timeouts().unwrap()));
}

#[test]
fn any_bytes_are_taken_without_harm() {
    let (mut director, mut socket) = (EmbeddedDirector::new(), NetlinkSocket::new());
    let sound = request(Command::NewService, NLM_F_ACK, |buf| service::write(buf, &Service::new(key())));
    for at in 0..sound.len() {
        for value in [0, 1, 0x7f, 0xff] {
            let mut bytes = sound.clone();
            bytes[at] = value;
            socket.send(&mut director, &bytes);
            socket.send(&mut director, &bytes[..at]);
            let _ = answers(&mut director, &mut socket, 64);
        }
    }
}
