use std::io;

use super::client::Client;
use super::fault::{Fault, is_end, refusal};
use super::transport::MAX_DATAGRAMS;
use crate::director::{Attempt, BatchReport, Cause, OnRefusal, Operation, OperationError, Refusal};
use crate::errno::Errno;
use crate::error::Error;
use crate::model::{AddressFamily, EngineName, Protocol, SchedulerName, ServiceKey};
use crate::wire::message::{Answer, Message};
use crate::wire::payload::Request;
use crate::wire::uapi::*;

/// Requests in a datagram. More gain nothing measurable; and if all are refused, their replies fill
/// half of the receive buffer.
const BATCH: usize = 128;

impl Client {
    pub(super) fn apply(&mut self, operations: &[Operation], on_refusal: OnRefusal) -> BatchReport {
        let mut report = BatchReport::new(operations.len());
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
                    // Nothing of this batch has reached the kernel.
                    self.discard_replies();
                    report.interrupted = Some(Error::io("send to the netlink socket", error));
                    return report;
                }
            };
            report.sent = start + batch.len();
            report.answered = start + outcome.answered;
            let refused = !outcome.refused.is_empty();
            report.refused.extend(self.explain(operations, start, outcome.refused));
            if outcome.interrupted.is_some() {
                self.discard_replies();
                report.interrupted = outcome.interrupted;
                return report;
            }
            if refused && on_refusal == OnRefusal::Stop {
                return report;
            }
        }
        report
    }

    /// Sends operations in one datagram; returns the sequence number of the first. Only the last
    /// requests an acknowledgement: the others cause a reply if they are refused.
    fn send_batch(&mut self, operations: &[Operation]) -> io::Result<u32> {
        self.prepare();
        self.out.clear();
        let may_lack_ack = may_lack_ack(operations);
        let mut first = None;
        for (index, operation) in operations.iter().enumerate() {
            let asks = index + 1 == operations.len() && !may_lack_ack;
            let sequence = self.request(Request::Operation(operation), if asks { NLM_F_ACK } else { 0 });
            first.get_or_insert(sequence);
        }
        if may_lack_ack {
            self.request_ack();
        }
        let end = self.out.len();
        self.try_send(0..end)?;
        Ok(first.unwrap_or_default())
    }

    /// Reads the replies to a batch.
    fn collect(&mut self, first: u32, operations: &[Operation]) -> Outcome {
        let count = operations.len();
        let awaited = count + usize::from(may_lack_ack(operations));
        let mut outcome = Outcome::default();
        let mut visit = |message: &Message<'_>| {
            let index = usize::try_from(message.header.sequence_number.wrapping_sub(first)).unwrap_or(usize::MAX);
            if index >= awaited {
                return Ok(false); // A reply to an earlier request.
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
        // Replies were lost. Those in the buffer came before the loss: once the kernel finds the
        // receive buffer full it adds nothing until some of it was read (`netlink_attachskb()`), so
        // these are the first ones.
        while self.receive_once(chunk, MAX_DATAGRAMS, false).is_ok() {
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

    /// Finds the cause behind each errno, where necessary with further requests.
    fn explain(&mut self, operations: &[Operation], start: usize, refused: Vec<Refused>) -> Vec<Refusal> {
        let gone = refused.iter().any(|one| one.errno == Errno::ENOENT) && self.family_is_gone();
        let mut explained: Vec<Refusal> = Vec::with_capacity(refused.len());
        for Refused { index, errno, message } in refused {
            let operation = operations[start + index];
            let mut error = refusal(Attempt::Operation(operation), errno, message);
            if gone && errno == Errno::ENOENT {
                error.cause = Cause::ModuleMissing;
            } else if let Cause::SchedulerOrEngineNotFound(scheduler, engine) = error.cause {
                error.cause = self.find_missing(scheduler, engine);
            }
            explained.push(Refusal { index: start + index, error });
        }
        explained
    }

    /// Whether the family's number is stale: then every request is answered with `ENOENT`. If there
    /// is a new one, it is used from now on.
    fn family_is_gone(&mut self) -> bool {
        let asked = self.retry(|client| client.exchange(Request::Info));
        if matches!(asked, Err(Fault::Refused(Errno::ENOENT, _))) {
            let _ = self.family_has_moved(Attempt::Open);
            return true;
        }
        false
    }

    /// Sends one request and waits for its first reply.
    fn exchange(&mut self, request: Request<'_>) -> Result<(), Fault> {
        self.prepare();
        self.out.clear();
        let ack = if request.command().reply().is_some() { 0 } else { NLM_F_ACK };
        let sequence = self.request(request, ack);
        self.send()?;
        let chunk = self.short();
        self.receive(
            |_| (chunk, 1),
            |message| {
                if message.header.sequence_number != sequence {
                    return Ok(false);
                }
                match message.answer()? {
                    Answer::Data(..) => Ok(true),
                    answer => is_end(&answer),
                }
            },
        )
    }

    /// Which of the two the kernel lacks: it answers `ENOENT` for both.
    fn find_missing(&mut self, scheduler: SchedulerName, engine: EngineName) -> Cause {
        match self.has_scheduler(&scheduler) {
            Ok(Some(false)) => Cause::SchedulerNotFound(scheduler),
            Ok(Some(true)) => Cause::EngineNotFound(engine),
            Ok(None) | Err(_) => Cause::SchedulerOrEngineNotFound(scheduler, engine),
        }
    }

    /// Whether the kernel has a scheduler, or finds its module; `None` if it does not tell.
    ///
    /// It looks up the scheduler, then the engine, then checks the prefix length of an IPv6 service
    /// (`ip_vs_add_service()`, `ip_vs_edit_service()`). So an invalid service is requested: of the
    /// scheduler, without an engine, with the prefix length 0. `EINVAL` then means that the
    /// scheduler is there. Nothing changes.
    pub(super) fn has_scheduler(&mut self, scheduler: &SchedulerName) -> Result<Option<bool>, Error> {
        if *scheduler == SchedulerName::NONE {
            return Ok(Some(true));
        }
        // Protocol 0 at no address: no packet belongs to such a service.
        let key = ServiceKey::endpoint(Protocol::from_number(0), AddressFamily::Ipv6.unspecified(), 0);
        let attempt = Attempt::ReadServices;
        let asked =
            self.retry_after_reload(attempt, |client| client.exchange(Request::SchedulerProbe(&key, scheduler)))?;
        match asked {
            Err(Fault::Refused(Errno::ENOENT, _)) => Ok(Some(false)),
            Err(Fault::Refused(Errno::EINVAL, _)) => Ok(Some(true)),
            // A kernel without IPv6.
            Err(Fault::Refused(Errno::EAFNOSUPPORT, _)) => Ok(None),
            Err(fault) => Err(fault.into_error(attempt)),
            Ok(()) => {
                // The kernel accepted the probe; remove it.
                let remove = Operation::RemoveService(key);
                let _ = self.retry(|client| client.exchange(Request::Operation(&remove)));
                Ok(Some(true))
            }
        }
    }
}

/// Whether the last of some operations may succeed without an acknowledgement, so that a request
/// for one must follow.
///
/// A daemon that is stopped before its thread ever ran is gone, yet `kthread_stop()` returns
/// `EINTR` for it (`stop_sync_thread()`), and a request that ends so is not acknowledged
/// (`af_netlink.c`: `netlink_rcv_skb()`).
const fn may_lack_ack(operations: &[Operation]) -> bool {
    matches!(operations.last(), Some(Operation::StopDaemon(_)))
}

struct Refused {
    index: usize,
    errno: Errno,
    message: Option<Box<str>>,
}

/// The outcome of one datagram of requests.
#[derive(Default)]
struct Outcome {
    /// How many are known for certain, from the first on.
    answered: usize,
    refused: Vec<Refused>,
    interrupted: Option<Error>,
}

/// The error of an operation that the transport cannot carry.
pub(super) fn unsupported(operation: Operation, why: &str) -> OperationError {
    OperationError::new(Attempt::Operation(operation), Cause::Unsupported, None).with_message(why)
}
