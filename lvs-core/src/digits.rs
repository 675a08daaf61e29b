//! Numbers and IPv4 addresses into text, past the formatting machinery: listings and saved rules
//! are made of them.

use std::net::Ipv4Addr;

/// Digits, and what stands between them, on their way into a text: put together on the stack and
/// appended in one go.
///
/// The check that it is text goes over the whole buffer, in blocks of sixteen bytes. To check only what
/// was written would cost more: its last bytes would be looked at one by one.
#[repr(C, align(16))]
pub(crate) struct Ascii<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Ascii<N> {
    /// Nothing yet, of at most `N` bytes.
    pub(crate) const fn new() -> Self {
        const {
            assert!(N.is_multiple_of(16), "whole blocks");
        }
        Self { bytes: [b' '; N], length: 0 }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        debug_assert!(byte.is_ascii());
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    pub(crate) fn word(&mut self, word: &str) {
        let end = self.length + word.len();
        self.bytes[self.length..end].copy_from_slice(word.as_bytes());
        self.length = end;
    }

    pub(crate) fn number(&mut self, number: impl itoa::Integer) {
        self.word(itoa::Buffer::new().format(number));
    }

    /// A number and blanks up to a width, as `{:<width$}`.
    pub(crate) fn left(&mut self, number: impl itoa::Integer, width: usize) {
        let end = self.length + width;
        self.number(number);
        self.pad(end);
    }

    /// Blanks up to a width and a number, as `{:>width$}`.
    pub(crate) fn right(&mut self, number: impl itoa::Integer, width: usize) {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number);
        self.pad(self.length + width.saturating_sub(digits.len()));
        self.word(digits);
    }

    /// Blanks up to a length of the whole.
    pub(crate) fn pad(&mut self, length: usize) {
        // What has not been written yet is blank.
        self.length = self.length.max(length);
    }

    pub(crate) fn ipv4(&mut self, addr: Ipv4Addr) {
        for octet in addr.octets() {
            self.bytes[self.length..self.length + 4].copy_from_slice(&OCTETS[usize::from(octet)]);
            self.length += 2 + usize::from(octet >= 10) + usize::from(octet >= 100);
        }
        // No dot follows the last.
        self.length -= 1;
        self.bytes[self.length] = b' ';
    }

    /// Appends it all.
    pub(crate) fn push_to(&self, text: &mut String) {
        let buffer = std::str::from_utf8(&self.bytes).expect("it is ASCII");
        text.push_str(&buffer[..self.length]);
    }
}

/// Each octet with the dot behind it, and blanks.
const OCTETS: [[u8; 4]; 256] = {
    let mut octets = [[b' '; 4]; 256];
    let mut octet = 0;
    while octet < 256 {
        let digits = [octet / 100, octet / 10 % 10, octet % 10];
        let mut digit = if octet >= 100 {
            0
        } else if octet >= 10 {
            1
        } else {
            2
        };
        let mut place = 0;
        while digit < 3 {
            octets[octet][place] = b'0' + digits[digit] as u8;
            digit += 1;
            place += 1;
        }
        octets[octet][place] = b'.';
        octet += 1;
    }
    octets
};

/// Appends `ADDRESS:PORT`.
pub(crate) fn push_ipv4_endpoint(text: &mut String, addr: Ipv4Addr, port: u16) {
    let mut ascii = Ascii::<32>::new();
    ascii.ipv4(addr);
    ascii.byte(b':');
    ascii.number(port);
    ascii.push_to(text);
}

/// Appends a number.
pub(crate) fn push_number(text: &mut String, number: impl itoa::Integer) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// Appends blanks until the text is so long.
pub(crate) fn pad(text: &mut String, length: usize) {
    const BLANKS: &str = "                                ";
    while text.len() < length {
        text.push_str(&BLANKS[..(length - text.len()).min(BLANKS.len())]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<const N: usize>(ascii: &Ascii<N>) -> String {
        let mut text = String::from("x");
        ascii.push_to(&mut text);
        text
    }

    #[test]
    fn numbers_and_addresses_are_what_format_makes_of_them() {
        for number in [0_u64, 7, 10, 99, 100, 12_345_678, 123_456_789, u64::MAX] {
            for width in [0, 1, 8, 9, 10, 40] {
                let mut ascii = Ascii::<128>::new();
                ascii.number(number);
                ascii.left(number, width);
                ascii.right(number, width);
                assert_eq!(text(&ascii), format!("x{number}{number:<width$}{number:>width$}"));
            }
            let mut text = String::from("x");
            push_number(&mut text, number);
            pad(&mut text, 60);
            assert_eq!(text, format!("{:<60}", format!("x{number}")));
        }
        let mut ascii = Ascii::<16>::new();
        ascii.left(-7, 6);
        assert_eq!(text(&ascii), format!("x{:<6}", -7));
        for octet in 0..=255 {
            let addr = Ipv4Addr::new(octet, 255 - octet, octet ^ 85, 7);
            let mut ascii = Ascii::<16>::new();
            ascii.ipv4(addr);
            ascii.pad(16);
            assert_eq!(text(&ascii), format!("x{addr:<16}"));
        }
        let mut ascii = Ascii::<16>::new();
        ascii.ipv4(Ipv4Addr::BROADCAST);
        assert_eq!(text(&ascii), "x255.255.255.255");
        let mut text = String::from("x");
        push_ipv4_endpoint(&mut text, Ipv4Addr::BROADCAST, u16::MAX);
        assert_eq!(text, "x255.255.255.255:65535");
    }
}
