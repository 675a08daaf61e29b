//! Rules files: the language of ipvsadm.

use std::ffi::c_char;

use lvs_core::rules::{
    Command, Dialect, Emitted, Emitter, Loss, LossKind, Parser, Script, SyntaxErrors, SystemResolver,
};

use crate::address::lvs_address;
use crate::batch::lvs_batch;
use crate::boundary::call;
use crate::destination::lvs_destination_key;
use crate::error::{Failure, lvs_error};
use crate::exports::{free, get, init, len};
use crate::handle::{choice, hand_over, place, required, slice};
use crate::list::nth;
use crate::record::{self, record, zeroed};
use crate::service::lvs_service_key;
use crate::status::lvs_status;
use crate::table::lvs_table;
use crate::text::lvs_text;

/// Whose habits count in rules.
#[repr(u32)]
pub enum lvs_dialect {
    /// Says everything, loses nothing, is strict about what is ambiguous, and has comments. What
    /// ipvsadm cannot express stands on lines that it takes for comments.
    Lossless = 0,
    /// ipvsadm 1.31, bug for bug.
    Ipvsadm = 1,
}

/// How rules are read and written. Initialise it with LVS_RULES_OPTIONS_INIT: lossless, numbers
/// only, all errors.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_rules_options {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// Whose habits count: enum lvs_dialect.
    pub dialect: u32,
    /// Not 0: names of hosts and ports are resolved when read (hosts by the system's resolver,
    /// which may use the network) and ports have names when written. 0: numbers only, nobody is
    /// asked.
    pub names: u32,
    /// Reading: not 0 reports only the first error of a line, the one that ipvsadm reports.
    pub first_error_only: u32,
    /// Writing: not 0 writes no extended lines; what they would have said is reported as lost.
    pub no_extended_lines: u32,
}

/// What is lost when rules are written.
#[repr(u32)]
pub enum lvs_loss_kind {
    /// All of it: the language cannot express it. With a service its destinations are lost, too.
    Everything = 1,
    /// The text says it in a way that ipvsadm cannot read.
    Unreadable = 2,
    /// Flag bits of a service.
    Flags = 3,
    /// The timeout of a service.
    Timeout = 4,
    /// The netmask of a service.
    Netmask = 5,
    /// The persistence engine of a service.
    Engine = 6,
    /// The forwarding method of a destination.
    Forwarding = 7,
    /// The weight of a destination.
    Weight = 8,
    /// The thresholds of a destination.
    Thresholds = 9,
    /// The tunnel of a destination.
    Tunnel = 10,
    /// The timeouts of the table.
    Timeouts = 11,
    /// A sync daemon.
    Daemon = 12,
}

/// Something that a text does not carry. Initialise it with LVS_LOSS_INIT.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct lvs_loss {
    /// The size of this record as the program was compiled.
    pub struct_size: u32,
    /// What is lost: enum lvs_loss_kind; 0 for something that this release has no number for.
    pub kind: u32,
    /// Of which service; without a family if of none.
    pub service: lvs_service_key,
    /// Of which destination; without a family if of none.
    pub destination: lvs_destination_key,
    /// LVS_LOSS_KIND_DAEMON: enum lvs_role; else 0.
    pub role: u32,
}

record! {
    lvs_rules_options: 20;
    lvs_loss: 68;
}

init!(lvs_rules_options_init, options: lvs_rules_options, zeroed());

init!(lvs_loss_init, loss: lvs_loss, zeroed());

/// A rules file, read.
///
/// Made by lvs_rules_parse(), released by lvs_rules_free(). It never changes: any number of threads
/// may read it.
pub struct lvs_rules(Script);

/// What a text that was written does not carry.
///
/// Made by lvs_table_emit() and others, released by lvs_losses_free(). It never changes: any number
/// of threads may read it.
pub struct lvs_losses(Vec<Loss>);

impl From<SyntaxErrors> for Failure {
    fn from(errors: SyntaxErrors) -> Self {
        lvs_core::Error::from(errors).into()
    }
}

impl lvs_rules_options {
    const DEFAULT: Self =
        Self { struct_size: size_of::<Self>() as u32, dialect: 0, names: 0, first_error_only: 0, no_extended_lines: 0 };

    fn dialect(&self) -> Result<Dialect, Failure> {
        choice(self.dialect, "dialect of rules", &[Dialect::Lossless, Dialect::Ipvsadm])
    }
}

unsafe fn options(options: *const lvs_rules_options) -> Result<lvs_rules_options, Failure> {
    // SAFETY: NULL or as large as it says, by the promise of the caller.
    Ok(unsafe { record::read_optional(options)? }.unwrap_or(lvs_rules_options::DEFAULT))
}

impl From<&Loss> for lvs_loss {
    fn from(loss: &Loss) -> Self {
        use lvs_loss_kind as Kind;
        let nothing = lvs_service_key { addr: lvs_address::NONE, port: 0, protocol: 0, fwmark: 0, reserved: 0 };
        let nowhere = lvs_destination_key { addr: lvs_address::NONE, port: 0, reserved: 0 };
        let (kind, role) = match loss.what {
            LossKind::Everything => (Kind::Everything as u32, 0),
            LossKind::Unreadable => (Kind::Unreadable as u32, 0),
            LossKind::Flags => (Kind::Flags as u32, 0),
            LossKind::Timeout => (Kind::Timeout as u32, 0),
            LossKind::Netmask => (Kind::Netmask as u32, 0),
            LossKind::Engine => (Kind::Engine as u32, 0),
            LossKind::Forwarding => (Kind::Forwarding as u32, 0),
            LossKind::Weight => (Kind::Weight as u32, 0),
            LossKind::Thresholds => (Kind::Thresholds as u32, 0),
            LossKind::Tunnel => (Kind::Tunnel as u32, 0),
            LossKind::Timeouts => (Kind::Timeouts as u32, 0),
            LossKind::Daemon(role) => (Kind::Daemon as u32, role.number()),
            _ => (0, 0),
        };
        Self {
            struct_size: size_of::<Self>() as u32,
            kind,
            service: loss.service.map_or(nothing, Into::into),
            destination: loss.destination.map_or(nowhere, Into::into),
            role,
        }
    }
}

/// Reads a rules text of `len` bytes: what ipvsadm -S writes, what people write by hand. `options`
/// may be NULL.
///
/// LVS_STATUS_SYNTAX reports all errors at once: lvs_error_diagnostics_len() and
/// lvs_error_diagnostic_get() have each with its line and column, lvs_error_message() all of them
/// as a text.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_rules_parse(
    text: *const c_char,
    len: usize,
    options: *const lvs_rules_options,
    rules: *mut *mut lvs_rules,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let rules = place(rules, "rules")?;
        let text = slice(text.cast::<u8>(), len, "text")?;
        let options = self::options(options)?;
        let names = SystemResolver::new();
        let mut parser = Parser::new(options.dialect()?);
        if options.names != 0 {
            parser = parser.with_resolver(&names);
        }
        if options.first_error_only != 0 {
            parser = parser.first_error_only();
        }
        hand_over(rules, lvs_rules(parser.try_parse(text)?))
    })
}

len!(lvs_rules_len, rules: lvs_rules, rules.0.rules.len(), "How many rules there are; 0 if `rules` is NULL.");

/// Reads on which line, from 1, rule `index` stands.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_rules_line(
    rules: Option<&lvs_rules>,
    index: usize,
    line: *mut usize,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let rule = nth(&required(rules, "rules")?.0.rules, index)?;
        place(line, "line")?.write(rule.line);
        Ok(())
    })
}

/// Writes what the rules ask for that cannot work, although they are taken, such as a port that
/// direct routing does not honour: for each its place, the way out, and the line with a mark below;
/// nothing if all is well. Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_rules_warnings(
    rules: Option<&lvs_rules>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let warnings = &required(rules, "rules")?.0.warnings;
        required(text, "text")?.set(warnings.iter().map(|warning| format!("{warning}\n")).collect());
        Ok(())
    })
}

/// Makes the table that the rules describe: what an empty director holds after all of them.
/// LVS_STATUS_SYNTAX, as lvs_rules_parse() reports it, at rules that are no change and at those
/// that cannot take effect.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_rules_to_table(
    rules: Option<&lvs_rules>,
    table: *mut *mut lvs_table,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = place(table, "table")?;
        hand_over(table, lvs_table(required(rules, "rules")?.0.try_to_table()?))
    })
}

/// Adds the changes that the rules ask for to a batch, each of the rules one, as ipvsadm -R carries
/// them out. LVS_STATUS_SYNTAX, as lvs_rules_parse() reports it, at rules that are no change, such
/// as -L.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_rules_to_batch(
    rules: Option<&lvs_rules>,
    batch: Option<&mut lvs_batch>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let operations = required(rules, "rules")?.0.try_operations()?;
        let batch = required(batch, "batch")?;
        batch.0.try_reserve(operations.len())?;
        batch.0.extend(operations);
        Ok(())
    })
}

/// Hands out text and losses.
unsafe fn emitted(emitted: Emitted, text: Option<&mut lvs_text>, losses: *mut *mut lvs_losses) -> Result<(), Failure> {
    required(text, "text")?.set(emitted.text);
    if !losses.is_null() {
        // SAFETY: not NULL, and valid by the promise of the caller.
        unsafe { hand_over(losses, lvs_losses(emitted.losses))? };
    }
    Ok(())
}

/// Writes with what the options ask for.
fn with_emitter<T>(options: lvs_rules_options, write: impl FnOnce(&Emitter<'_>) -> T) -> Result<T, Failure> {
    let names = SystemResolver::new();
    let mut emitter = Emitter::new(options.dialect()?);
    if options.names != 0 {
        emitter = emitter.with_names(&names);
    }
    if options.no_extended_lines != 0 {
        emitter = emitter.without_extended_lines();
    }
    Ok(write(&emitter))
}

/// Writes rules in canonical form, with their comments in the lossless dialect. `options` may be
/// NULL; so may `losses`, which otherwise gets what the text does not carry: release it with
/// lvs_losses_free(). Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_rules_emit(
    rules: Option<&lvs_rules>,
    options: *const lvs_rules_options,
    text: Option<&mut lvs_text>,
    losses: *mut *mut lvs_losses,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let rules = required(rules, "rules")?;
        let options = self::options(options)?;
        emitted(with_emitter(options, |emitter| emitter.script(&rules.0))?, text, losses)
    })
}

free!(lvs_rules_free, rules: lvs_rules, "rules");

/// Writes a table as the rules that build it. `options` may be NULL; so may `losses`, which
/// otherwise gets what the text does not carry: release it with lvs_losses_free(). Ends the process
/// if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_table_emit(
    table: Option<&lvs_table>,
    options: *const lvs_rules_options,
    text: Option<&mut lvs_text>,
    losses: *mut *mut lvs_losses,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let table = required(table, "table")?;
        let options = self::options(options)?;
        emitted(with_emitter(options, |emitter| emitter.table(&table.0))?, text, losses)
    })
}

/// Writes the operations of a batch as rules, a line each: what ipvsadm -R would carry out.
/// `options` and `losses` as for lvs_table_emit(). Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_batch_emit(
    batch: Option<&lvs_batch>,
    options: *const lvs_rules_options,
    text: Option<&mut lvs_text>,
    losses: *mut *mut lvs_losses,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let batch = required(batch, "batch")?;
        let options = self::options(options)?;
        emitted(commands(options, batch.0.iter().copied().map(Command::from))?, text, losses)
    })
}

/// The commands, a line each.
pub(crate) fn commands(
    options: lvs_rules_options,
    commands: impl Iterator<Item = Command>,
) -> Result<Emitted, Failure> {
    with_emitter(options, |emitter| {
        let mut all = Emitted::default();
        for command in commands {
            let one = emitter.command(&command);
            all.text.push_str(&one.text);
            all.losses.extend(one.losses);
        }
        all
    })
}

/// Writes the steps of a plan as rules, a line each, for a dry run. `options` and `losses` as for
/// lvs_table_emit(). Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_plan_emit(
    plan: Option<&crate::plan::lvs_plan>,
    options: *const lvs_rules_options,
    text: Option<&mut lvs_text>,
    losses: *mut *mut lvs_losses,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        let plan = required(plan, "plan")?;
        let options = self::options(options)?;
        emitted(commands(options, plan.0.operations().copied().map(Command::from))?, text, losses)
    })
}

len!(lvs_losses_len, losses: lvs_losses, losses.0.len(), "How many losses there are; 0 if `losses` is NULL.");

get!(lvs_losses_get, losses: lvs_losses, loss: lvs_loss, losses.0, "Reads loss `index`.");

/// Writes the losses as sentences, a line each.
/// Ends the process if there is no memory for it.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn lvs_losses_describe(
    losses: Option<&lvs_losses>,
    text: Option<&mut lvs_text>,
    err: *mut *mut lvs_error,
) -> lvs_status {
    call!(err, {
        use std::fmt::Write as _;
        let losses = required(losses, "losses")?;
        required(text, "text")?.replace(|text| {
            for loss in &losses.0 {
                let _ = writeln!(text, "{loss}");
            }
            Ok(())
        })
    })
}

free!(lvs_losses_free, losses: lvs_losses, "losses");
