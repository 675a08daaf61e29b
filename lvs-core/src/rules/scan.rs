//! Words into options and positional words, as popt does it: bundled letters, `--name=value`,
//! `-xvalue`, `-x=value`, an optional argument that is taken unless it begins with `-`, and `--`.
//! Long names are never abbreviated.
//!
//! DIFFERENCE: popt replaces `!#:+` in an argument by the next argument; here it is taken as it is.

use super::lexer::{Word, Words};
use super::option::{self, Opt, Takes};

#[derive(Debug)]
pub(crate) enum Scanned<'a> {
    Option {
        opt: Opt,
        value: Option<Word<'a>>,
        /// The letter or name itself.
        at: Word<'a>,
    },
    Positional(Word<'a>),
    /// No such option. The word shown is the one it stands in.
    Unknown {
        shown: Word<'a>,
        at: Word<'a>,
    },
    /// Its argument is missing: the words have ended.
    Missing {
        shown: Word<'a>,
        opt: Opt,
        end: usize,
    },
    /// It has an argument and takes none.
    Unwanted {
        shown: Word<'a>,
        at: Word<'a>,
    },
}

pub(crate) struct Scanner<'a, W> {
    words: W,
    /// The letters of the current word that are still to come.
    letters: Word<'a>,
    /// The word read last.
    pub(crate) last: Word<'a>,
    positional_only: bool,
    extended: bool,
}

impl<'a, W: Words<'a>> Scanner<'a, W> {
    pub(crate) fn new(words: W, extended: bool) -> Self {
        let nothing = Word { bytes: b"", start: 0 };
        Self { words, letters: nothing, last: nothing, positional_only: false, extended }
    }

    #[inline]
    fn take(&mut self) -> Option<Word<'a>> {
        let word = self.words.next_word()?;
        self.last = word;
        Some(word)
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Option<Scanned<'a>> {
        if self.letters.bytes.is_empty() {
            let word = self.take()?;
            match word.bytes {
                _ if self.positional_only => return Some(Scanned::Positional(word)),
                b"--" => {
                    self.positional_only = true;
                    return self.next();
                }
                [b'-', b'-', ..] => return Some(self.long(word)),
                [b'-', _, ..] => self.letters = word.from(1),
                _ => return Some(Scanned::Positional(word)),
            }
        }
        Some(self.letter())
    }

    #[inline]
    fn letter(&mut self) -> Scanned<'a> {
        let letters = self.letters;
        // The first letter is shown with its dash.
        let dash = usize::from(letters.start == self.last.start + 1);
        let from = letters.start - dash - self.last.start;
        let at = Word { bytes: &self.last.bytes[from..=from + dash], start: letters.start - dash };
        let rest = letters.from(1);
        let Some(opt) = option::short(letters.bytes[0]) else {
            self.letters = rest.from(rest.bytes.len());
            return Scanned::Unknown { shown: self.last, at };
        };
        if opt.takes == Takes::Nothing {
            self.letters = rest;
            if rest.bytes.first() == Some(&b'=') {
                self.letters = rest.from(rest.bytes.len());
                return Scanned::Unwanted { shown: self.last, at: rest };
            }
            return Scanned::Option { opt, value: None, at };
        }
        self.letters = rest.from(rest.bytes.len());
        let value = match rest.bytes {
            [] => None,
            [b'=', ..] => Some(rest.from(1)),
            _ => Some(rest),
        };
        self.argument(opt, value, at)
    }

    fn long(&mut self, word: Word<'a>) -> Scanned<'a> {
        let (name, value) = match word.bytes.iter().position(|byte| *byte == b'=') {
            Some(equals) => (&word.bytes[2..equals.max(2)], Some(word.from(equals + 1))),
            None => (&word.bytes[2..], None),
        };
        let Some(opt) = option::long(name, self.extended) else {
            return Scanned::Unknown { shown: word, at: word };
        };
        match value {
            Some(value) if opt.takes == Takes::Nothing => Scanned::Unwanted {
                shown: word,
                at: Word { bytes: &word.bytes[name.len() + 2..], start: value.start - 1 },
            },
            None if opt.takes == Takes::Nothing => Scanned::Option { opt, value: None, at: word },
            value => self.argument(opt, value, word),
        }
    }

    #[inline]
    fn argument(&mut self, opt: Opt, value: Option<Word<'a>>, at: Word<'a>) -> Scanned<'a> {
        let value = match (value, opt.takes) {
            (Some(value), _) => Some(value),
            (None, Takes::MaybeWord) => match self.words.clone().next_word() {
                Some(next) if !next.bytes.starts_with(b"-") => self.take(),
                _ => None,
            },
            (None, _) => {
                let shown = self.last;
                match self.take() {
                    Some(value) => Some(value),
                    None => return Scanned::Missing { shown, opt, end: shown.start + shown.bytes.len() },
                }
            }
        };
        Scanned::Option { opt, value, at }
    }
}
