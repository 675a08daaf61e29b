//! Text of numbers and addresses, past the formatting machinery: listings and saved rules are made
//! of it.

use std::fmt;
use std::net::Ipv4Addr;

/// A text on its way. Nothing but text goes in, so it is looked at once, when it is done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text(Vec<u8>);

impl Text {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    #[inline]
    pub(crate) fn push_str(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    pub(crate) fn push_text(&mut self, text: &Self) {
        self.0.extend_from_slice(&text.0);
    }

    /// Appends a number.
    pub(crate) fn push_number(&mut self, number: impl itoa::Integer) {
        self.push_str(itoa::Buffer::new().format(number));
    }

    /// Appends what `format_args!` says.
    pub(crate) fn push(&mut self, arguments: fmt::Arguments<'_>) {
        fmt::Write::write_fmt(self, arguments).expect("it takes all");
    }

    /// Appends blanks until the text is so long.
    pub(crate) fn pad(&mut self, length: usize) {
        self.0.resize(length.max(self.len()), b' ');
    }

    /// Cuts what was written after `start` to `width` bytes, as `%.Ns` of C does, but never inside
    /// a character.
    pub(crate) fn cut(&mut self, start: usize, width: usize) {
        let end = start.saturating_add(width);
        if end < self.len() {
            // The first byte of a character is none of those that go on with one.
            let is_first = |place: &usize| self.0[*place] & 0xc0 != 0x80;
            self.0.truncate((start..=end).rev().find(is_first).unwrap_or(start));
        }
    }

    pub(crate) fn into_string(self) -> String {
        String::from_utf8(self.0).expect("nothing but text went in")
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

/// Cells of a line, put together on the stack: numbers, addresses, and what stands between them.
///
/// What has not been written yet is blank. A small number is written as four bytes, its digits and
/// blanks, so that no loop copies them: the buffer must be long enough for that.
pub(crate) struct Cells<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Cells<N> {
    /// Nothing yet, of at most `N` bytes.
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { bytes: [b' '; N], length: 0 }
    }

    pub(crate) const fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub(crate) fn byte(&mut self, byte: u8) {
        debug_assert!(byte.is_ascii());
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    #[inline]
    pub(crate) fn word(&mut self, word: &str) {
        let end = self.length + word.len();
        self.bytes[self.length..end].copy_from_slice(word.as_bytes());
        self.length = end;
    }

    #[inline]
    pub(crate) fn number<T: itoa::Integer + Copy + TryInto<u8>>(&mut self, number: T) {
        match number.try_into() {
            Ok(small) => self.four(NUMBERS[usize::from(small)]),
            Err(_) => self.large(number, 0),
        }
    }

    /// A number that takes more than a look into a table, in at least so many columns.
    #[inline(never)]
    fn large(&mut self, number: impl itoa::Integer, width: usize) {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number);
        self.pad(self.length + width.saturating_sub(digits.len()));
        self.word(digits);
    }

    /// A number and blanks up to a width, as `{:<width$}`.
    #[inline]
    pub(crate) fn left<T: itoa::Integer + Copy + TryInto<u8>>(&mut self, number: T, width: usize) {
        let end = self.length + width;
        self.number(number);
        self.pad(end);
    }

    /// Blanks up to a width and a number, as `{:>width$}`.
    #[inline]
    pub(crate) fn right<T: itoa::Integer + Copy + TryInto<u8>>(&mut self, number: T, width: usize) {
        match number.try_into() {
            Ok(small) => {
                let short = NUMBERS[usize::from(small)];
                self.pad(self.length + width.saturating_sub(short.length()));
                self.four(short);
            }
            Err(_) => self.large(number, width),
        }
    }

    /// Blanks up to a length of the whole.
    #[inline]
    pub(crate) fn pad(&mut self, length: usize) {
        self.length = self.length.max(length);
    }

    /// `ADDRESS:PORT`.
    #[inline]
    pub(crate) fn ipv4_endpoint(&mut self, addr: Ipv4Addr, port: u16) {
        for octet in addr.octets() {
            self.four(OCTETS[usize::from(octet)]);
        }
        // No dot follows the last.
        self.bytes[self.length - 1] = b':';
        self.number(port);
    }

    #[inline]
    fn four(&mut self, short: Short) {
        self.bytes[self.length..self.length + 4].copy_from_slice(&short.bytes);
        self.length += short.length();
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Appends it all to a text, and is empty again.
    #[inline]
    pub(crate) fn move_to(&mut self, text: &mut Text) {
        // The whole buffer in a few moves; as many bytes as were written would be copied by a call.
        let end = text.len() + self.length;
        text.0.extend_from_slice(&self.bytes);
        text.0.truncate(end);
        *self = Self::new();
    }
}

/// At most four bytes, and blanks.
#[derive(Clone, Copy)]
struct Short {
    bytes: [u8; 4],
    length: u32,
}

impl Short {
    const fn length(self) -> usize {
        self.length as usize
    }
}

static NUMBERS: [Short; 256] = numbers(None);
/// Each with the dot behind it.
static OCTETS: [Short; 256] = numbers(Some(b'.'));

const fn numbers(end: Option<u8>) -> [Short; 256] {
    let mut all = [Short { bytes: [b' '; 4], length: 0 }; 256];
    let mut number = 0;
    while number < all.len() {
        let short = &mut all[number];
        let mut unit = 100;
        while unit > 0 {
            if number >= unit || unit == 1 {
                short.bytes[short.length as usize] = b'0' + (number / unit % 10) as u8;
                short.length += 1;
            }
            unit /= 10;
        }
        if let Some(end) = end {
            short.bytes[short.length as usize] = end;
            short.length += 1;
        }
        number += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<const N: usize>(cells: &mut Cells<N>) -> String {
        let mut text = Text::new();
        text.push_str("x");
        let bytes = cells.as_bytes().to_vec();
        cells.move_to(&mut text);
        assert_eq!(text.as_bytes()[1..], bytes);
        assert_eq!(cells.len(), 0);
        text.into_string()
    }

    #[test]
    fn numbers_and_addresses_are_what_format_makes_of_them() {
        let small = (0..300).chain([12_345_678, 123_456_789, u64::MAX]);
        for number in small {
            for width in [0, 1, 8, 9, 10, 40] {
                let mut cells = Cells::<128>::new();
                cells.number(number);
                cells.left(number, width);
                cells.right(number, width);
                assert_eq!(text(&mut cells), format!("x{number}{number:<width$}{number:>width$}"));
            }
        }
        for number in [i64::MIN, -7, -1, 7, i64::MAX] {
            let mut cells = Cells::<64>::new();
            cells.left(number, 6);
            cells.right(number, 6);
            assert_eq!(text(&mut cells), format!("x{number:<6}{number:>6}"));
        }
        for octet in 0..=255 {
            let (addr, port) = (Ipv4Addr::new(octet, 255 - octet, octet ^ 85, 7), u16::from(octet) * 257);
            let mut cells = Cells::<32>::new();
            cells.ipv4_endpoint(addr, port);
            cells.pad(24);
            cells.byte(b';');
            assert_eq!(text(&mut cells), format!("x{:<24};", format!("{addr}:{port}")));
        }
    }

    #[test]
    fn a_text_is_padded_and_cut_between_characters() {
        for (width, expected) in
            [(0, "x"), (1, "xa"), (2, "xa"), (3, "xa\u{e9}"), (4, "xa\u{e9}b"), (5, "xa\u{e9}b "), (99, "xa\u{e9}b  ")]
        {
            let mut text = Text::new();
            text.push_str("x");
            text.push(format_args!("a{}b", '\u{e9}'));
            text.pad(7);
            text.pad(3);
            text.cut(1, width);
            assert_eq!(text.into_string(), expected);
        }
        let mut text = Text::new();
        text.push_number(u64::MAX);
        text.cut(0, usize::MAX);
        assert_eq!(text.into_string(), u64::MAX.to_string());
    }
}
