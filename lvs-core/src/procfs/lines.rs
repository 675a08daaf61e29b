use std::io::{self, Read};

use super::error::{ParseError, ProcFile};
use super::text::{find, unindented};
use crate::error::{Error, Result};

/// Bytes held at a time. The kernel hands out one page a call (`seq_file.c`); files and pipes give
/// more.
const BUFFER: usize = 64 * 1024;

/// Lines of a source, in one buffer that is never grown.
#[derive(Debug)]
pub(super) struct Lines<R> {
    source: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// The number of the line given last, from 1.
    number: u64,
    file: ProcFile,
    at_end: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(source: R, file: ProcFile) -> Self {
        Self { source, buffer: vec![0; BUFFER].into_boxed_slice(), start: 0, end: 0, number: 0, file, at_end: false }
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) const fn file(&self) -> ProcFile {
        self.file
    }

    /// What is read but not given out.
    pub(super) fn pending(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Counts the first `length` pending bytes as a line, its newline included.
    pub(super) fn take(&mut self, length: usize) {
        self.start += length;
        self.number += 1;
    }

    /// The next line without its newline.
    pub(super) fn next(&mut self) -> Option<Result<&[u8]>> {
        let line = match self.locate() {
            Ok(line) => line?,
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(&self.buffer[line]))
    }

    /// The next line that is not blank, without its newline, and its number.
    pub(super) fn next_row(&mut self) -> Option<Result<(u64, &[u8])>> {
        loop {
            let line = match self.locate() {
                Ok(line) => line?,
                Err(error) => return Some(Err(error)),
            };
            if !unindented(&self.buffer[line.clone()]).is_empty() {
                return Some(Ok((self.number, &self.buffer[line])));
            }
        }
    }

    /// Drops the next line if `is_header` says so.
    pub(super) fn skip_header(&mut self, is_header: impl FnOnce(&[u8]) -> bool) -> Result<()> {
        let (start, number) = (self.start, self.number);
        if let Some(line) = self.locate()?
            && !is_header(unindented(&self.buffer[line.clone()]))
        {
            // Reading may have moved what is pending to the front of the buffer.
            self.start = line.start;
            self.number = number;
        }
        debug_assert!(self.start <= self.end && start <= self.buffer.len());
        Ok(())
    }

    fn locate(&mut self) -> Result<Option<std::ops::Range<usize>>> {
        let mut searched = 0;
        loop {
            if let Some(length) = find(b'\n', &self.pending()[searched..]) {
                let line = self.start..self.start + searched + length;
                self.take(line.len() + 1);
                return Ok(Some(line));
            }
            searched = self.end - self.start;
            if self.at_end {
                let line = self.start..self.end;
                self.start = self.end;
                if line.is_empty() {
                    return Ok(None);
                }
                self.number += 1;
                return Ok(Some(line));
            }
            if searched == self.buffer.len() {
                self.number += 1;
                let error = ParseError { file: self.file, line: self.number, column: searched, expected: "a newline" };
                self.skip_line()?;
                return Err(error.into());
            }
            self.fill()?;
        }
    }

    /// Reads on behind what is pending, which moves to the front.
    fn fill(&mut self) -> Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.at_end = true,
                Ok(length) => self.end += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::io(format!("read {}", self.file), error)),
            }
            return Ok(());
        }
    }

    fn skip_line(&mut self) -> Result<()> {
        loop {
            (self.start, self.end) = (0, 0);
            self.fill()?;
            if self.at_end {
                return Ok(());
            }
            if let Some(length) = find(b'\n', self.pending()) {
                self.start += length + 1;
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out a few bytes a call, and an interruption before each.
    struct Dribble<'a>(&'a [u8], usize, bool);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.2 = !self.2;
            if self.2 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    #[test]
    fn lines_survive_short_and_interrupted_reads() {
        for step in 1..8 {
            let mut lines = Lines::new(Dribble(b"one\n\nthree\nlast", step, false), ProcFile::Table);
            for (number, expected) in ["one", "", "three", "last"].into_iter().enumerate() {
                assert_eq!(lines.next().unwrap().unwrap(), expected.as_bytes());
                assert_eq!(lines.number(), number as u64 + 1);
            }
            assert!(lines.next().is_none());
            assert!(lines.next().is_none());
        }
    }

    #[test]
    fn a_line_longer_than_the_buffer_is_an_error_and_skipped() {
        let mut text = vec![b'x'; 3 * BUFFER];
        text.extend(b"\nnext\n");
        let mut lines = Lines::new(&text[..], ProcFile::Connections);
        let error = lines.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "ip_vs_conn, line 1, column 65536: expected a newline");
        assert_eq!(lines.next().unwrap().unwrap(), b"next");
        assert_eq!(lines.number(), 2);
    }

    #[test]
    fn a_line_that_is_no_header_stays() {
        let mut lines = Lines::new(&b"first\nsecond\n"[..], ProcFile::Table);
        lines.skip_header(|line| line == b"header").unwrap();
        assert_eq!((lines.number(), lines.next().unwrap().unwrap()), (0, &b"first"[..]));
        lines.skip_header(|line| line == b"second").unwrap();
        assert_eq!(lines.number(), 2);
        assert!(lines.next().is_none());
    }
}
