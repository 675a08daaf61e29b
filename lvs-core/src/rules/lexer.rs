//! Text into lines, lines into words: borrowed, with byte positions.

use std::io::BufRead as _;
use std::ops::Range;

use super::Dialect;

/// The longest word that `ipvsadm -R` reads in one piece, in bytes.
const COMPAT_WORD_MAX: usize = 4096;

/// A word of a command line, borrowed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// Its bytes.
    pub(crate) bytes: &'a [u8],
    /// Where it starts, in bytes from the start of the line.
    pub(crate) start: usize,
}

impl<'a> Word<'a> {
    pub(crate) fn span(&self) -> Range<usize> {
        self.start..self.start + self.bytes.len()
    }

    /// The part from `at` on.
    pub(crate) fn from(&self, at: usize) -> Word<'a> {
        Word { bytes: &self.bytes[at..], start: self.start + at }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes).into_owned()
    }
}

/// A source of words. Clone it to look ahead.
pub(crate) trait Words<'a>: Clone {
    fn next_word(&mut self) -> Option<Word<'a>>;
}

/// The words of a line of a rules file.
#[derive(Clone, Copy)]
pub(crate) struct LineWords<'a> {
    line: &'a [u8],
    at: usize,
    compat: bool,
    /// Whether the peculiarities of ipvsadm apply.
    odd: bool,
    first: bool,
}

impl<'a> LineWords<'a> {
    #[inline]
    pub(crate) fn new(line: &'a [u8], dialect: Dialect) -> Self {
        let compat = dialect == Dialect::Ipvsadm;
        Self { line, at: 0, compat, odd: compat && (line.len() > COMPAT_WORD_MAX || line.contains(&0)), first: true }
    }
}

pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

impl<'a> Words<'a> for LineWords<'a> {
    #[inline]
    fn next_word(&mut self) -> Option<Word<'a>> {
        loop {
            let line = self.line;
            let mut at = self.at;
            while at < line.len() && is_blank(line[at]) {
                at += 1;
            }
            if at == line.len() {
                self.at = at;
                return None;
            }
            let start = at;
            while at < line.len() && !is_blank(line[at]) {
                at += 1;
            }
            let first = std::mem::take(&mut self.first);
            let mut bytes = &line[start..at];
            if self.odd {
                if bytes.len() > COMPAT_WORD_MAX {
                    // ipvsadm's buffer is full here: the rest becomes a separate word.
                    at = start + COMPAT_WORD_MAX;
                    bytes = &line[start..at];
                }
                // C strings end at a NUL byte.
                if let Some(nul) = bytes.iter().position(|byte| *byte == 0) {
                    bytes = &bytes[..nul];
                }
            }
            self.at = at;
            if (self.compat || first) && bytes == b"ipvsadm" {
                continue;
            }
            return Some(Word { bytes, start });
        }
    }
}

/// The words of a program's arguments; positions are those in the arguments joined by blanks.
#[derive(Clone, Copy)]
pub(crate) struct ArgWords<'a> {
    args: &'a [&'a [u8]],
    start: usize,
}

impl<'a> ArgWords<'a> {
    pub(crate) fn new(args: &'a [&'a [u8]]) -> Self {
        Self { args, start: 0 }
    }
}

impl<'a> Words<'a> for ArgWords<'a> {
    fn next_word(&mut self) -> Option<Word<'a>> {
        let (first, rest) = self.args.split_first()?;
        let word = Word { bytes: first, start: self.start };
        self.args = rest;
        self.start += first.len() + 1;
        Some(word)
    }
}

/// A line of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// Without its newline.
    pub(crate) bytes: &'a [u8],
    /// From 1.
    pub(crate) number: usize,
    /// In bytes from the start of the text.
    pub(crate) start: usize,
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The lines of a text.
#[derive(Clone)]
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    number: usize,
    dialect: Dialect,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(text: &'a [u8], dialect: Dialect) -> Self {
        // Editors of other systems begin a file with a byte order mark; ipvsadm takes it for a
        // word.
        let at =
            if dialect == Dialect::Lossless && text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Self { text, at, number: 0, dialect }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    #[inline]
    fn next(&mut self) -> Option<Line<'a>> {
        let start = self.at;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        self.number += 1;
        // The fastest search in `std`; reading from memory does not fail.
        let length = { rest }.skip_until(b'\n').unwrap_or(rest.len());
        self.at = start + length;
        let bytes = match rest[..length].split_last() {
            Some((b'\n', bytes)) => bytes,
            _ => {
                // What ipvsadm does: a last line without newline that ends in two or more blanks is
                // never carried out.
                if self.dialect == Dialect::Ipvsadm && rest.iter().rev().take_while(|byte| is_blank(**byte)).count() > 1
                {
                    return None;
                }
                rest
            }
        };
        Some(Line { bytes, number: self.number, start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str, dialect: Dialect) -> Vec<(usize, String)> {
        let mut words = LineWords::new(line.as_bytes(), dialect);
        std::iter::from_fn(|| words.next_word().map(|word| (word.start, word.text()))).collect()
    }

    #[test]
    fn blanks_tabs_and_carriage_returns_separate_words() {
        assert_eq!(words(" -A\t-t\r x ", Dialect::Lossless), [(1, "-A".into()), (4, "-t".into()), (8, "x".into())]);
    }

    #[test]
    fn form_feeds_do_not_separate_words() {
        assert_eq!(words("a\x0cb", Dialect::Ipvsadm), [(0, "a\x0cb".into())]);
    }

    #[test]
    fn the_programs_name_is_dropped_anywhere_in_a_line_of_ipvsadm() {
        assert_eq!(words("ipvsadm -A ipvsadm", Dialect::Ipvsadm), [(8, "-A".into())]);
        assert_eq!(words("ipvsadm -A ipvsadm", Dialect::Lossless), [(8, "-A".into()), (11, "ipvsadm".into())]);
    }

    #[test]
    fn a_word_of_ipvsadm_is_cut_into_pieces_of_4096_bytes() {
        let found = words(&"a".repeat(4097), Dialect::Ipvsadm);
        assert_eq!(found.iter().map(|(start, word)| (*start, word.len())).collect::<Vec<_>>(), [(0, 4096), (4096, 1)]);
    }

    #[test]
    fn a_last_line_ending_in_two_blanks_is_lost_by_ipvsadm_alone() {
        let count = |text: &str, dialect| Lines::new(text.as_bytes(), dialect).count();
        assert_eq!(count("-C\n-C \t", Dialect::Ipvsadm), 1);
        assert_eq!(count("-C\n-C ", Dialect::Ipvsadm), 2);
        assert_eq!(count("-C\n-C  \n", Dialect::Ipvsadm), 2);
        assert_eq!(count("-C\n-C  ", Dialect::Lossless), 2);
    }
}
