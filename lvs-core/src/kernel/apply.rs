use std::io;

use super::client::Client;
use super::fault::{Fault, is_end, refusal};
use super::transport::MAX_DATAGRAMS;
use crate::director::{Attempt, BatchReport, Cause, Failure, OnRefusal, Operation, OperationError};
use crate::errno::Errno;
use crate::error::Error;
use crate::model::{AddressFamily, EngineName, Protocol, SchedulerName, ServiceKey};
use crate::wire::attr::{close, open_marked, put, put_address, put_be16, put_bytes4, put_text, put_u16, put_u32};
use crate::wire::message::{Answer, Command, Message};
use crate::wire::uapi::*;
use crate::wire::{config, daemon, destination, service};

/// Requests in a datagram. More gain nothing measurable; and should all be refused, their answers still fit the
/// receive buffer twice.
const BATCH: usize = 128;

impl Client {
    pub(super) fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
        let mut report = BatchReport::default();
        let mut limit = match on_refusal {
            OnRefusal::Continue => BATCH,
            OnRefusal::Stop => 1,
        };
        while report.answered < operations.len() {
            let start = report.answered;
            let batch = &operations[start..operations.len().min(start + limit)];
            let outcome = match self.send_batch(batch) {
                Ok(first) => self.collect(first, batch),
                Err(error) if error.raw_os_error() == Some(Errno::EMSGSIZE.0) && batch.len() > 1 => {
                    limit = batch.len() / 2;
                    continue;
                }
                Err(error) => {
                    // Nothing of this batch has reached the director.
                    self.spoil();
                    report.interrupted = Some(Error::io("send to the netlink socket", error));
                    return report;
                }
            };
            report.sent = start + batch.len();
            report.answered = start + outcome.answered;
            let refused = !outcome.refused.is_empty();
            report.failures.extend(self.explain(operations, start, outcome.refused));
            if outcome.interrupted.is_some() {
                self.spoil();
                report.interrupted = outcome.interrupted;
                return report;
            }
            if refused && on_refusal == OnRefusal::Stop {
                return report;
            }
        }
        report
    }

    /// Sends operations in one datagram; gives the sequence number of the first. Only the last asks to be
    /// acknowledged: the others answer if they are refused.
    fn send_batch(&mut self, operations: &[Operation]) -> io::Result<u32> {
        self.prepare();
        self.out.clear();
        let ends_silent = ends_silent(operations);
        let mut first = None;
        for (index, operation) in operations.iter().enumerate() {
            let asks = index + 1 == operations.len() && !ends_silent;
            let sequence = self.write_operation(operation, if asks { NLM_F_ACK } else { 0 });
            first.get_or_insert(sequence);
        }
        if ends_silent {
            self.write_nothing();
        }
        let end = self.out.len();
        self.try_send(0..end)?;
        Ok(first.unwrap_or_default())
    }

    #[inline]
    fn write_operation(&mut self, operation: &Operation, flags: u16) -> u32 {
        match operation {
            Operation::AddService(value) => self.request(Command::NewService, flags, |buf| service::write(buf, value)),
            Operation::UpdateService(value) => {
                self.request(Command::SetService, flags, |buf| service::write(buf, value))
            }
            Operation::RemoveService(key) => {
                self.request(Command::DelService, flags, |buf| service::write_key(buf, key))
            }
            Operation::AddDestination(key, value) => self.request(Command::NewDest, flags, |buf| {
                service::write_key(buf, key);
                destination::write(buf, value);
            }),
            Operation::UpdateDestination(key, value) => self.request(Command::SetDest, flags, |buf| {
                service::write_key(buf, key);
                destination::write(buf, value);
            }),
            Operation::RemoveDestination(key, value) => self.request(Command::DelDest, flags, |buf| {
                service::write_key(buf, key);
                destination::write_key(buf, value);
            }),
            Operation::SetTimeouts(value) => self.request(Command::SetConfig, flags, |buf| config::write(buf, value)),
            Operation::StartDaemon(value) => self.request(Command::NewDaemon, flags, |buf| daemon::write(buf, value)),
            Operation::StopDaemon(role) => {
                self.request(Command::DelDaemon, flags, |buf| daemon::write_role(buf, *role))
            }
            Operation::Zero(Some(key)) => self.request(Command::Zero, flags, |buf| service::write_key(buf, key)),
            Operation::Zero(None) => self.request(Command::Zero, flags, |_| ()),
            Operation::Flush => self.request(Command::Flush, flags, |_| ()),
        }
    }

    /// Reads the answers to a batch.
    fn collect(&mut self, first: u32, operations: &[Operation]) -> Outcome {
        let count = operations.len();
        let awaited = count + usize::from(ends_silent(operations));
        let mut outcome = Outcome::default();
        let mut visit = |message: &Message<'_>| {
            let index = usize::try_from(message.header.sequence.wrapping_sub(first)).unwrap_or(usize::MAX);
            if index >= awaited {
                return Ok(false); // An answer to something earlier.
            }
            match message.answer()? {
                Answer::Error(errno, extended) if index < count => {
                    outcome.refused.push(Refused { index, errno, message: extended.message.map(Into::into) });
                }
                answer => {
                    if !is_end(&answer)? {
                        return Ok(false);
                    }
                }
            }
            outcome.answered = count.min(index + 1);
            Ok(index + 1 == awaited)
        };
        let chunk = self.short();
        let fault = match self.receive(|_| (chunk, MAX_DATAGRAMS), &mut visit) {
            Ok(()) => return outcome,
            Err(fault) => fault,
        };
        // Answers were lost. What is still there came before the loss: once the kernel finds the receive buffer full
        // it adds nothing until some of it was read (`netlink_attachskb()`), so the answers here are the first ones.
        while self.take(chunk, MAX_DATAGRAMS, false).is_ok() {
            match self.visit_inbox(&mut visit) {
                Ok(true) => return outcome,
                Ok(false) => {}
                Err(_) => break,
            }
        }
        outcome.interrupted = Some(match fault {
            Fault::Disturbed(error) | Fault::Broken(error) => error,
            Fault::Refused(errno, message) => refusal(Attempt::Open, errno, message).into(),
        });
        outcome
    }

    /// Says what each errno means, where need be by asking further.
    fn explain(&mut self, operations: &[Operation], start: usize, refused: Vec<Refused>) -> Vec<Failure> {
        let gone = refused.iter().any(|one| one.errno == Errno::ENOENT) && self.family_is_gone();
        let mut failures: Vec<Failure> = Vec::with_capacity(refused.len());
        for Refused { index, errno, message } in refused {
            let operation = operations[start + index];
            let mut error = refusal(Attempt::Operation(operation), errno, message);
            if gone && errno == Errno::ENOENT {
                error.cause = Cause::ModuleMissing;
            } else if let Cause::SchedulerOrEngineNotFound(scheduler, engine) = error.cause {
                error.cause = self.which_is_missing(scheduler, engine);
            }
            failures.push(Failure { index: start + index, error });
        }
        failures
    }

    /// Whether the family's number is no more: then every request is answered with `ENOENT`. If it has a new one, that
    /// is used from now on.
    fn family_is_gone(&mut self) -> bool {
        let asked = self.again(|client| client.ask(Command::GetInfo, |_| ()));
        if matches!(asked, Err(Fault::Refused(Errno::ENOENT, _))) {
            let _ = self.family_has_moved(Attempt::Open);
            return true;
        }
        false
    }

    /// Sends one request and waits for its first answer.
    fn ask(&mut self, command: Command, body: impl FnOnce(&mut Vec<u8>)) -> Result<(), Fault> {
        self.prepare();
        self.out.clear();
        let ack = if command.reply().is_some() { 0 } else { NLM_F_ACK };
        let sequence = self.request(command, ack, body);
        self.send()?;
        let chunk = self.short();
        self.receive(
            |_| (chunk, 1),
            |message| {
                if message.header.sequence != sequence {
                    return Ok(false);
                }
                match message.answer()? {
                    Answer::Data(..) => Ok(true),
                    answer => is_end(&answer),
                }
            },
        )
    }

    /// Which of the two the kernel lacks: it says `ENOENT` of both.
    ///
    /// It looks up the scheduler, then the engine, then looks at the prefix length of an IPv6 service
    /// (`ip_vs_add_service()`, `ip_vs_edit_service()`). So a service is asked for that cannot be: of the same scheduler,
    /// without an engine, with the prefix length 0. `EINVAL` then means that the scheduler is there. Nothing changes.
    fn which_is_missing(&mut self, scheduler: SchedulerName, engine: EngineName) -> Cause {
        if scheduler == SchedulerName::NONE {
            return Cause::EngineNotFound(engine);
        }
        // Protocol 0 at no address: nobody has such a service, and no packet is of it.
        let key = ServiceKey::endpoint(Protocol::from_number(0), AddressFamily::Ipv6.unspecified(), 0);
        let asked = self.again(|client| client.ask(Command::NewService, |buf| write_impossible(buf, &key, scheduler)));
        match asked {
            Err(Fault::Refused(Errno::ENOENT, _)) => Cause::SchedulerNotFound(scheduler),
            Err(Fault::Refused(Errno::EINVAL, _)) => Cause::EngineNotFound(engine),
            Err(_) => Cause::SchedulerOrEngineNotFound(scheduler, engine),
            Ok(()) => {
                // A kernel that takes it after all: away with it.
                let _ = self.again(|client| client.ask(Command::DelService, |buf| service::write_key(buf, &key)));
                Cause::EngineNotFound(engine)
            }
        }
    }
}

/// Whether the last of some operations may go unanswered though it succeeds, so that something must follow it.
///
/// A daemon that is stopped before its thread ever ran is gone, and yet `kthread_stop()` says `EINTR` of it
/// (`stop_sync_thread()`); and a request that ends so is not acknowledged (`af_netlink.c`: `netlink_rcv_skb()`).
const fn ends_silent(operations: &[Operation]) -> bool {
    matches!(operations.last(), Some(Operation::StopDaemon(_)))
}

/// A service with a prefix length that no kernel takes and the model cannot say.
fn write_impossible(buf: &mut Vec<u8>, key: &ServiceKey, scheduler: SchedulerName) {
    let nest = open_marked(buf, IPVS_CMD_ATTR_SERVICE);
    put_u16(buf, IPVS_SVC_ATTR_AF, key.family().number());
    put_u16(buf, IPVS_SVC_ATTR_PROTOCOL, 0);
    put_address(buf, IPVS_SVC_ATTR_ADDR, key.family().unspecified());
    put_be16(buf, IPVS_SVC_ATTR_PORT, 0);
    put_text(buf, IPVS_SVC_ATTR_SCHED_NAME, scheduler.as_str());
    put(buf, IPVS_SVC_ATTR_FLAGS, &[0; 8]);
    put_u32(buf, IPVS_SVC_ATTR_TIMEOUT, 0);
    put_bytes4(buf, IPVS_SVC_ATTR_NETMASK, [0; 4]);
    close(buf, nest);
}

struct Refused {
    index: usize,
    errno: Errno,
    message: Option<Box<str>>,
}

/// What came of one datagram of requests.
#[derive(Default)]
struct Outcome {
    /// How many are known for certain, from the first on.
    answered: usize,
    refused: Vec<Refused>,
    interrupted: Option<Error>,
}

/// The error of an operation that this way to the director cannot carry.
pub(super) fn unsupported(operation: Operation, why: &str) -> OperationError {
    OperationError::new(Attempt::Operation(operation), Cause::Unsupported, None).with_message(why)
}
