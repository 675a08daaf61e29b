//! The `ipvsadm` command language: rules files and command lines, read and written.
//!
//! ```
//! use lvs_core::rules;
//!
//! let table = rules::parse(
//!     "# web\n\
//!      -A -t 192.0.2.1:80 -s wrr -p 300\n\
//!      -a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3\n",
//! )?
//! .to_table()?;
//! assert_eq!(table.services[0].destinations[0].weight, 3);
//!
//! let errors = rules::parse("-A -t 192.0.2.1:80 -s").unwrap_err();
//! assert_eq!(errors.to_string(), "\
//! line 1, column 22: expected a scheduler name after `-s`
//!   |
//! 1 | -A -t 192.0.2.1:80 -s
//!   |                      ^");
//! # Ok::<(), lvs_core::rules::SyntaxErrors>(())
//! ```
//!
//! # Two dialects
//!
//! [`Dialect::Ipvsadm`] reads and writes what `ipvsadm` 1.31 reads and writes, including its
//! errors. [`Dialect::Lossless`], the default, says everything that a table can hold, in text that
//! `ipvsadm -R` reads, too:
//!
//! | | `Ipvsadm` | `Lossless` |
//! |---|---|---|
//! | comments | a line with `#` is an error | from `#` to the end of the line |
//! | thresholds, `--set`, `--start-daemon` | read; not written by `-S` | read and written |
//! | marks from 2^31 on | written as negative numbers, which are not read | written as they are, read both ways |
//! | `-M` before an IPv6 service | forgotten | counts |
//! | `-r` before the service | does not take the service's port | takes it |
//! | `-M 64x` with IPv6 | reads 64 | an error |
//! | `1.1`, `010.0.0.1`, `0x7f000001`, `-M 24` | read as C's `inet_aton` does: 1.0.0.1, 8.0.0.1, 127.0.0.1, 0.0.0.24 | an error |
//! | `[192.0.2.1]:80` | loses the port | an error |
//! | `[2001:db8::1]` without a port | an error | port 0 |
//! | scheduler, engine, interface names that are too long | cut | an error |
//! | `-s ''`, `--pe ''` | the default | an error |
//! | last line without newline that ends in two blanks | dropped | read |
//! | a word of more than 4096 bytes | becomes several words | one word |
//! | the word `ipvsadm` | dropped wherever it stands | dropped at the start of a line |
//!
//! # What the language cannot express
//!
//! A destination with local forwarding, a service with unknown flag bits or of another protocol,
//! timeouts beyond 31 days, and other things that the kernel holds cannot be expressed in
//! `ipvsadm`'s language. The lossless dialect writes them on *extended lines*, which begin with
//! `#lvs`. To `ipvsadm-restore` they are comments, so it reads as much of the table as it can;
//! `ipvsadm -R` itself, which knows no comments, gives up at the first one. Most tables need none,
//! and [`Emitter::without_extended_lines`] writes none. On extended lines neither ranges nor rules
//! about combinations of options apply, a real server has its own port, and there are more options:
//!
//! | option | says |
//! |---|---|
//! | `--ip-service PROTOCOL:ADDRESS:PORT` | a service of any protocol number |
//! | `--forwarding METHOD` | `masquerade`, `local`, `tunnel`, `direct`, `bypass`, `method-5` ... |
//! | `--flags BITS` | flags of a service that have no name, added to those that have |
//! | `--duration SECONDS` | the timeout of a service that is not persistent |
//! | `--tun-type NUMBER`, `--tun-flags BITS` | tunnels that have no name |
//!
//! What the text does not express is returned as typed [`Loss`] values beside it; nothing is lost
//! silently.
//!
//! # What ipvsadm really does
//!
//! Where its manual is silent or wrong; all measured on Debian's 1.31.
//!
//! * Options are read by popt: `-Ln`, `-srr`, `-s=rr`, `--scheduler=rr`; `-p` takes the next word
//!   unless that begins with `-`; long names cannot be shortened.
//! * Values are checked as they come, then stray words, then `-b`, then combinations of options in
//!   a fixed order, then ports, families and tunnels. The first error is the one reported.
//! * The default persistence is 360 s, not 300; thresholds reach to 2^31-1, not 65535; `--syncid`
//!   is 0 by default.
//! * `-L` takes (and ignores) `--syncid`. Every command takes `--sort`, and any number of times.
//! * `-6` belongs behind `-f`, and makes the netmask 128 again.
//! * With direct routing and tunnels a real server's port becomes the service's; not so with marks,
//!   nor in `-d`. Where that port was another one, [`Script::warnings`] says so.
//! * `2001:db8::a:8443` without brackets is an address to it, never one with a port. In the
//!   lossless dialect it is an error, as it may be meant either way.
//! * `-b ,` crashes it. With sh or mh, `-S` writes flag-3 alone as `-b` without a value, which it
//!   cannot read.
//! * `-R` goes on after refusals of the kernel, unknown options and missing arguments, stops at all
//!   other errors (a line that begins with no command, such as a comment, is one), and exits with
//!   the status of the last line.

mod address;
mod command;
mod common;
mod compat;
mod emit;
mod error;
mod image;
mod kind;
mod lexer;
mod loss;
mod number;
mod option;
mod parser;
mod resolver;
mod scan;
mod script;

use lexer::{ArgWords, LineWords, Lines, Words as _};

use std::collections::TryReserveError;

use crate::error::Error;
use crate::memory;

pub use command::{Command, ListOptions, ListSubject};
pub use compat::CompatMessage;
pub(crate) use emit::words::push_ipv6;
pub use emit::{Emitted, Emitter};
pub use error::{SyntaxError, SyntaxErrors, Warning};
pub use kind::{Expected, Reason, SyntaxErrorKind};
pub use loss::{Loss, LossKind};
pub use option::{Group, Verb};
pub use resolver::{NumericOnly, Resolver, ServicesFile, SystemResolver};
pub use script::{Comment, Rule, Script};

/// Which rules of reading and writing apply, see the [module](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
// Exhaustive: a third would be a third column of the table above.
pub enum Dialect {
    /// `ipvsadm` 1.31, bug for bug.
    Ipvsadm,
    /// Expresses everything, loses nothing, and refuses what is ambiguous.
    #[default]
    Lossless,
}

/// How extended lines begin.
pub(crate) const EXTENDED: &[u8] = b"#lvs";

/// Reads a rules file in the lossless dialect, numbers only.
///
/// # Errors
/// All errors of the text.
pub fn parse(text: impl AsRef<[u8]>) -> Result<Script, SyntaxErrors> {
    Parser::new(Dialect::Lossless).parse(text)
}

/// Reads rules: a dialect, and a resolver of names.
#[derive(Clone, Copy)]
pub struct Parser<'r> {
    dialect: Dialect,
    resolver: &'r dyn Resolver,
    first_only: bool,
}

impl std::fmt::Debug for Parser<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { dialect, first_only, .. } = self;
        f.debug_struct("Parser").field("dialect", dialect).field("first_only", first_only).finish_non_exhaustive()
    }
}

impl Default for Parser<'_> {
    fn default() -> Self {
        Self::new(Dialect::default())
    }
}

impl<'r> Parser<'r> {
    /// Numbers only, reporting all errors.
    pub const fn new(dialect: Dialect) -> Self {
        Self { dialect, resolver: &NumericOnly, first_only: false }
    }

    /// With a resolver of names.
    #[must_use]
    pub const fn with_resolver(mut self, resolver: &'r dyn Resolver) -> Self {
        self.resolver = resolver;
        self
    }

    /// Reports only the first error of a line, the one that `ipvsadm` reports, and stops there:
    /// names behind it are not resolved.
    #[must_use]
    pub const fn first_error_only(mut self) -> Self {
        self.first_only = true;
        self
    }

    /// Reads a whole text.
    ///
    /// # Errors
    /// All errors of the text. A line with very many gives up after some.
    ///
    /// # Panics
    /// As every collection does when there is no memory; [`Parser::try_parse`] says so instead.
    pub fn parse(&self, text: impl AsRef<[u8]>) -> Result<Script, SyntaxErrors> {
        memory::or_panic(self.try_parse(text), |error| match error {
            Error::Rules(errors) => Some(errors),
            _ => None,
        })
    }

    /// The same with an error if there is not enough memory for the rules. Errors of the text are
    /// described in small pieces of memory, which abort.
    ///
    /// # Errors
    /// [`Error::Rules`] with all errors of the text, [`Error::OutOfMemory`].
    pub fn try_parse(&self, text: impl AsRef<[u8]>) -> Result<Script, Error> {
        let text = text.as_ref();
        let mut script = Script { text: memory::bytes(text)?.into(), ..Script::default() };
        let mut errors = Vec::new();
        let mut comments = Vec::new();
        let mut warnings = Vec::new();
        let mut lines = self.lines(text);
        lines.comments = Some(&mut comments);
        lines.warnings = Some(&mut warnings);
        for line in lines.by_ref() {
            match line {
                Ok(rule) => memory::push(&mut script.rules, rule)?,
                Err(found) => errors.extend(found),
            }
        }
        if let Some(error) = lines.lacking {
            return Err(error.into());
        }
        script.comments = comments;
        script.warnings = warnings;
        if errors.is_empty() { Ok(script) } else { Err(SyntaxErrors(errors).into()) }
    }

    /// Reads a text line by line: each line that says something as a rule or as its errors.
    pub fn lines<'a>(&self, text: &'a [u8]) -> RuleLines<'a, 'r, 'static> {
        RuleLines {
            parser: *self,
            lines: Lines::new(text, self.dialect),
            found: parser::Found::default(),
            comments: None,
            warnings: None,
            lacking: None,
        }
    }

    /// Reads a program's arguments, without its name. None at all are `-L`.
    ///
    /// # Errors
    /// All errors; columns are those of the arguments joined by blanks.
    pub fn command<A: AsRef<[u8]>>(&self, args: &[A]) -> Result<Command, SyntaxErrors> {
        if args.is_empty() {
            return Ok(Command::List(ListOptions::default()));
        }
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        let mut found = parser::Found::default();
        parser::command(self.context(false), ArgWords::new(&args), &mut found).ok_or_else(|| {
            let line = args.join(&b' ');
            let errors = found.faults.into_iter().map(|fault| SyntaxError::new(fault.kind, 1, &line, 0, fault.span));
            SyntaxErrors(errors.collect())
        })
    }

    fn context(&self, extended: bool) -> parser::Context<'r> {
        let Self { dialect, resolver, first_only } = *self;
        parser::Context { dialect, resolver, first_only, extended }
    }
}

/// The rules of a text, one by one. Nothing is allocated for a line without errors.
pub struct RuleLines<'a, 'r, 'c> {
    parser: Parser<'r>,
    lines: Lines<'a>,
    found: parser::Found,
    comments: Option<&'c mut Vec<Comment>>,
    warnings: Option<&'c mut Vec<Warning>>,
    /// There was no memory for a comment or a warning.
    lacking: Option<TryReserveError>,
}

impl std::fmt::Debug for RuleLines<'_, '_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleLines").field("parser", &self.parser).finish_non_exhaustive()
    }
}

impl RuleLines<'_, '_, '_> {
    /// The part of a line that is a rule, and whether that is an extended one.
    fn split_comment<'l>(&mut self, line: &lexer::Line<'l>) -> (&'l [u8], bool) {
        let bytes = line.bytes;
        // Checked first because it is faster.
        if !bytes.contains(&b'#') {
            return (bytes, false);
        }
        let Some(hash) = bytes.iter().position(|byte| *byte == b'#') else { return (bytes, false) };
        if bytes[..hash].last().is_some_and(|byte| !byte.is_ascii_whitespace()) {
            // A `#` inside a word does not begin a comment.
            return (bytes, false);
        }
        if bytes[..hash].iter().all(u8::is_ascii_whitespace)
            && bytes[hash..].starts_with(EXTENDED)
            && bytes.get(hash + EXTENDED.len()).is_none_or(u8::is_ascii_whitespace)
        {
            return (bytes, true);
        }
        if let Some(comments) = &mut self.comments {
            let text = String::from_utf8_lossy(&bytes[hash + 1..]);
            let kept = memory::string(text.trim_end())
                .and_then(|text| memory::push(comments, Comment { text, line: line.number }));
            self.lacking = self.lacking.take().or(kept.err());
        }
        (&bytes[..hash], false)
    }

    #[cold]
    fn warn(&mut self, line: &lexer::Line<'_>) {
        for (flaw, span) in self.found.flaws.drain(..) {
            if let Some(warnings) = &mut self.warnings {
                let warning = Warning::new(flaw, line.number, line.bytes, line.start, span);
                self.lacking = self.lacking.take().or(memory::push(warnings, warning).err());
            }
        }
    }
}

impl Iterator for RuleLines<'_, '_, '_> {
    type Item = Result<Rule, SyntaxErrors>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.lines.next()?;
            let (bytes, extended) = match self.parser.dialect {
                Dialect::Lossless => self.split_comment(&line),
                Dialect::Ipvsadm => (line.bytes, false),
            };
            let span = line.start..line.start + line.bytes.len();
            if !extended && let Some(command) = common::command(bytes) {
                return Some(Ok(Rule { command, line: line.number, span }));
            }
            let mut words = LineWords::new(bytes, self.parser.dialect);
            if extended {
                words.next_word();
            }
            // Usually the first byte decides. A line with the program's name alone is blank, too.
            if bytes.first() != Some(&b'-') && words.clone().next_word().is_none() {
                continue;
            }
            let command = parser::command(self.parser.context(extended), words, &mut self.found);
            let command = match command {
                Some(Command::Restore) => {
                    let span = words.next_word().map_or(0..0, |word| word.span());
                    self.found.faults.push(parser::Fault { kind: SyntaxErrorKind::NestedRestore, span });
                    None
                }
                command => command,
            };
            if !self.found.flaws.is_empty() {
                self.warn(&line);
            }
            return Some(command.map_or_else(
                || {
                    let errors = self
                        .found
                        .faults
                        .drain(..)
                        .map(|fault| SyntaxError::new(fault.kind, line.number, line.bytes, line.start, fault.span));
                    Err(SyntaxErrors(errors.collect()))
                },
                |command| Ok(Rule { command, line: line.number, span }),
            ));
        }
    }
}
