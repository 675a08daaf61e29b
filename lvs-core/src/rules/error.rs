//! What is wrong with a line, and where.

use std::fmt;
use std::ops::Range;

use super::kind::SyntaxErrorKind;
use crate::lint::Flaw;

/// What is wrong with a line, and where.
///
/// It prints with its place:
///
/// ```text
/// line 3, column 22: expected a scheduler name after `-s`
///   |
/// 3 | -A -t 192.0.2.1:80 -s
///   |                      ^
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SyntaxError {
    pub(crate) kind: SyntaxErrorKind,
    place: Place,
}

/// What a rule asks for that cannot work, although it is taken, and where: a port that the
/// forwarding method does not honour.
///
/// It prints with its place, as a [`SyntaxError`] does:
///
/// ```text
/// line 2, column 26: port 8443 is never reached, since direct does not rewrite ports: use port 443, or masquerade
///   |
/// 2 | -a -t 192.0.2.1:443 -r 198.51.100.7:8443 -g
///   |                        ^^^^^^^^^^^^^^^^^
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Warning {
    flaw: Flaw,
    place: Place,
}

/// A part of a text, and the line around it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    line: usize,
    column: usize,
    span: Range<usize>,
    excerpt: Excerpt,
}

/// The part of the line that is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Excerpt {
    text: String,
    /// Characters before the caret.
    indent: usize,
    /// Carets.
    width: usize,
}

/// The most characters of a line that an error shows before and after its place.
const SHOWN: usize = 100;

impl SyntaxError {
    pub(crate) fn new(kind: SyntaxErrorKind, number: usize, line: &[u8], line_start: usize, at: Range<usize>) -> Self {
        Self { kind, place: Place::new(number, line, line_start, at) }
    }

    /// What is wrong.
    pub const fn kind(&self) -> &SyntaxErrorKind {
        &self.kind
    }

    /// The line, from 1.
    pub const fn line(&self) -> usize {
        self.place.line
    }

    /// The column, from 1, in characters.
    pub const fn column(&self) -> usize {
        self.place.column
    }

    /// The place in bytes from the start of the text. Empty where something is missing.
    pub fn span(&self) -> Range<usize> {
        self.place.span.clone()
    }

    /// The message without its place.
    pub fn message(&self) -> String {
        self.kind.to_string()
    }
}

impl Warning {
    pub(crate) fn new(flaw: Flaw, number: usize, line: &[u8], line_start: usize, at: Range<usize>) -> Self {
        Self { flaw, place: Place::new(number, line, line_start, at) }
    }

    /// What cannot work, with the way out.
    pub const fn flaw(&self) -> &Flaw {
        &self.flaw
    }

    /// The line, from 1.
    pub const fn line(&self) -> usize {
        self.place.line
    }

    /// The column, from 1, in characters.
    pub const fn column(&self) -> usize {
        self.place.column
    }

    /// The place in bytes from the start of the text.
    pub fn span(&self) -> Range<usize> {
        self.place.span.clone()
    }

    /// The message without its place.
    pub fn message(&self) -> String {
        self.flaw.to_string()
    }
}

impl Place {
    fn new(number: usize, line: &[u8], line_start: usize, at: Range<usize>) -> Self {
        let start = at.start.min(line.len());
        let end = at.end.clamp(start, line.len());
        Self {
            line: number,
            column: String::from_utf8_lossy(&line[..start]).chars().count() + 1,
            span: line_start + start..line_start + end,
            excerpt: Excerpt::new(line, start, end),
        }
    }

    /// The place, a message, and the line with the place marked.
    fn write(&self, message: &dyn fmt::Display, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, excerpt, .. } = self;
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        writeln!(f, "line {line}, column {column}: {message}")?;
        writeln!(f, "{gutter} |")?;
        writeln!(f, "{number} | {}", excerpt.text)?;
        write!(f, "{gutter} | ")?;
        // Tabs are kept, so that the caret is below its place however wide they are.
        for c in excerpt.text.chars().take(excerpt.indent) {
            f.write_str(if c == '\t' { "\t" } else { " " })?;
        }
        f.write_str(&"^".repeat(excerpt.width))
    }
}

impl Excerpt {
    fn new(line: &[u8], start: usize, end: usize) -> Self {
        let clean = |bytes: &[u8]| -> Vec<char> {
            let shown = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
            String::from_utf8_lossy(bytes).chars().map(shown).collect()
        };
        // Characters have at most four bytes: what is farther away is not shown anyway.
        let from = start.saturating_sub(4 * SHOWN);
        let to = line.len().min(end.min(start + 4 * SHOWN) + 4 * SHOWN);
        let mut before = clean(&line[from..start]);
        let inside = clean(&line[start..end.min(start + 4 * SHOWN)]);
        let mut after = clean(&line[end.min(start + 4 * SHOWN)..to]);
        while after.last().is_some_and(|c| matches!(*c, '\t' | ' ' | char::REPLACEMENT_CHARACTER)) {
            after.pop();
        }
        if from > 0 || before.len() > SHOWN {
            before.drain(..before.len().saturating_sub(SHOWN));
            before.insert(0, '…');
        }
        if to < line.len() || after.len() > SHOWN {
            after.truncate(SHOWN);
            after.push('…');
        }
        let (indent, width) = (before.len(), inside.len().clamp(1, SHOWN));
        let text = before.into_iter().chain(inside).chain(after).collect();
        Self { text, indent, width }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.write(&self.kind, f)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.write(&self.flaw, f)
    }
}

impl std::error::Error for SyntaxError {}

/// All errors of a text, in the order of its lines; within a line in the order in which `ipvsadm`
/// checks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SyntaxErrors(pub(crate) Vec<SyntaxError>);

impl SyntaxErrors {
    /// The errors; there is at least one.
    pub fn as_slice(&self) -> &[SyntaxError] {
        &self.0
    }

    /// The first error.
    pub fn first(&self) -> &SyntaxError {
        self.0.first().expect("only built with an error inside")
    }

    /// The errors, one by one.
    pub fn iter(&self) -> std::slice::Iter<'_, SyntaxError> {
        self.0.iter()
    }

    /// How many there are; never 0.
    #[expect(clippy::len_without_is_empty, reason = "there is always an error")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for SyntaxErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SyntaxErrors {}

impl<'a> IntoIterator for &'a SyntaxErrors {
    type Item = &'a SyntaxError;
    type IntoIter = std::slice::Iter<'a, SyntaxError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for SyntaxErrors {
    type Item = SyntaxError;
    type IntoIter = std::vec::IntoIter<SyntaxError>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
