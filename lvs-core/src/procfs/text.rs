//! Reading words and numbers out of a line, fast where the kernel's columns are fixed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a parser of one line says of it: the byte where it stumbled, and what should stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) at: usize,
    pub(super) expected: &'static str,
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// Eight hexadecimal digits, the first one in the top byte, of either case.
///
/// All eight bytes at once: bit 6 tells letters from digits, which gives the value and what the
/// other bits must be.
#[inline]
pub(super) const fn hex8(bytes: u64) -> Option<u32> {
    let letter = (bytes >> 6) & ONES;
    let low = bytes & (0x0f * ONES);
    // The high nibble is 3 of a digit, and 4 or 6 of a letter (whose bit 5 is the case and does not
    // count).
    let high = bytes & (0xf0 * ONES) & !(letter << 5);
    let kinds = high ^ (0x30 * ONES + (letter << 4));
    // The low nibble is at most 9 of a digit, 1..=6 of a letter.
    let too_big = (low + 0x06 * ONES + letter * 3) & (0x10 * ONES);
    let not_zero = (low + 0x0f * ONES) & (letter << 4);
    if kinds | too_big | (not_zero ^ (letter << 4)) != 0 {
        return None;
    }
    let nibbles = low + letter * 9;
    let bytes = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let halves = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    Some((halves | halves >> 16) as u32)
}

/// Four hexadecimal digits.
#[inline]
pub(super) const fn hex4(bytes: u32) -> Option<u16> {
    // The upper half is four zeroes, written out.
    match hex8(0x3030_3030_0000_0000 | bytes as u64) {
        Some(value) => Some(value as u16),
        None => None,
    }
}

#[inline]
pub(super) fn word8(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.try_into().ok().map(u64::from_be_bytes)
}

#[inline]
pub(super) fn word4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// The length of an IPv6 address as the kernel's `%pI6` writes it.
pub(super) const V6_LEN: usize = 39;

/// Eight groups of four digits with colons, as `%pI6` writes them.
#[inline]
pub(super) fn hex_v6(text: &[u8; V6_LEN]) -> Option<u128> {
    let mut value = 0;
    let mut colons = 0;
    for pair in 0..4 {
        let at = pair * 10;
        let high = u32::from_be_bytes([text[at], text[at + 1], text[at + 2], text[at + 3]]);
        let low = u32::from_be_bytes([text[at + 5], text[at + 6], text[at + 7], text[at + 8]]);
        value = value << 32 | u128::from(hex8(u64::from(high) << 32 | u64::from(low))?);
        colons |= text[at + 4] ^ b':';
        if pair < 3 {
            colons |= text[at + 9] ^ b':';
        }
    }
    (colons == 0).then_some(value)
}

/// Seven columns of a right-aligned decimal number (`%7u`), with the blank before them in the top
/// byte.
#[inline]
pub(super) const fn padded_decimal(bytes: u64) -> Option<u32> {
    // A blank is 0x20, a digit 0x30..=0x39: bit 4 tells them apart.
    let digit = (bytes >> 4) & ONES;
    let kinds = (bytes & (0xf0 * ONES)) ^ (0x20 * ONES + (digit << 4));
    let low = bytes & (0x0f * ONES);
    let too_big = (low + 0x06 * ONES) & (0x10 * ONES);
    // Blanks first, then digits, and at least one of each.
    let blanks = digit.leading_zeros() / 8;
    if kinds | too_big != 0 || blanks == 0 || blanks == 8 || digit != ONES >> (8 * blanks) {
        return None;
    }
    // Blanks hold zero in the low nibble, or they would not be blanks.
    if low & !(digit * 0x0f) != 0 {
        return None;
    }
    let pairs = (low * 10).wrapping_shr(8) & 0x00ff_00ff_00ff_00ff;
    let pairs = pairs + (low & 0x00ff_00ff_00ff_00ff);
    let quads = ((pairs >> 16) & 0x0000_ffff_0000_ffff) * 100 + (pairs & 0x0000_ffff_0000_ffff);
    Some(((quads >> 32) * 10_000 + (quads & 0xffff_ffff)) as u32)
}

/// Where a byte first stands, eight bytes a step.
#[inline]
pub(super) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    let pattern = u64::from(byte) * ONES;
    let mut at = 0;
    while let Some(word) = word8(bytes, at) {
        let different = word ^ pattern;
        if different.wrapping_sub(ONES) & !different & (0x80 * ONES) != 0 {
            break;
        }
        at += 8;
    }
    bytes[at..].iter().position(|&b| b == byte).map(|found| at + found)
}

/// What separates words. The kernel writes blanks; copies that went through other hands have tabs,
/// and carriage returns at the end.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// A line without the blanks that it begins with.
pub(super) fn unindented(line: &[u8]) -> &[u8] {
    &line[line.iter().position(|&byte| !is_blank(byte)).unwrap_or(line.len())..]
}

/// A place in a line, for the columns that are not where they usually are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) line: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    pub(super) const fn bad<T>(&self, expected: &'static str) -> Result<T, Bad> {
        Err(Bad { at: self.at, expected })
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        &self.line[self.at..]
    }

    pub(super) fn skip_blanks(&mut self) {
        self.at = self.line.len() - unindented(self.rest()).len();
    }

    /// The next word, the blanks before it left out. `expected` if there is none.
    pub(super) fn word(&mut self, expected: &'static str) -> Result<&'a [u8], Bad> {
        self.skip_blanks();
        let rest = self.rest();
        let length = rest.iter().position(|&byte| is_blank(byte)).unwrap_or(rest.len());
        if length == 0 {
            return self.bad(expected);
        }
        self.at += length;
        Ok(&rest[..length])
    }

    /// Puts the cursor back to where a word began, to complain about it.
    pub(super) fn reject<T>(&mut self, word: &[u8], expected: &'static str) -> Result<T, Bad> {
        self.at -= word.len();
        self.bad(expected)
    }

    /// A word that `parse` understands.
    pub(super) fn parsed<T>(
        &mut self,
        expected: &'static str,
        parse: impl FnOnce(&'a [u8]) -> Option<T>,
    ) -> Result<T, Bad> {
        let word = self.word(expected)?;
        match parse(word) {
            Some(value) => Ok(value),
            None => self.reject(word, expected),
        }
    }

    /// Takes this text, or complains.
    pub(super) fn literal(&mut self, text: &'static [u8], expected: &'static str) -> Result<(), Bad> {
        if self.rest().starts_with(text) {
            self.at += text.len();
            Ok(())
        } else {
            self.bad(expected)
        }
    }

    /// Nothing but blanks may follow.
    pub(super) fn end(&mut self) -> Result<(), Bad> {
        self.skip_blanks();
        if self.at == self.line.len() { Ok(()) } else { self.bad("the end of the line") }
    }
}

/// 1 to 16 hexadecimal digits.
pub(super) fn hex(word: &[u8]) -> Option<u64> {
    if word.is_empty() || word.len() > 16 {
        return None;
    }
    word.iter().try_fold(0, |value, &byte| Some(value << 4 | u64::from((byte as char).to_digit(16)?)))
}

/// Exactly four hexadecimal digits.
pub(super) fn port(word: &[u8]) -> Option<u16> {
    word.try_into().ok().map(u32::from_be_bytes).and_then(hex4)
}

/// A decimal number; digits only.
pub(super) fn decimal(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter()
        .try_fold(0u64, |value, &byte| value.checked_mul(10)?.checked_add(u64::from((byte as char).to_digit(10)?)))
}

/// A decimal number that may be negative, of 32 bits.
pub(super) fn signed(word: &[u8]) -> Option<i32> {
    match word.strip_prefix(b"-") {
        Some(digits) => decimal(digits).and_then(|value| i32::try_from(-i64::try_from(value).ok()?).ok()),
        None => decimal(word).and_then(|value| i32::try_from(value).ok()),
    }
}

/// An address: eight hexadecimal digits, or eight groups of four, in brackets or not.
pub(super) fn address(word: &[u8]) -> Option<IpAddr> {
    if let Ok(digits) = <[u8; 8]>::try_from(word) {
        return hex8(u64::from_be_bytes(digits)).map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
    }
    let inner = word.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]")).unwrap_or(word);
    hex_v6(inner.try_into().ok()?).map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex8_agrees_with_the_standard_library_on_every_byte_at_every_place() {
        for place in 0..8 {
            for byte in 0..=255 {
                let mut text = *b"09afAF5c";
                text[place] = byte;
                let expected = text
                    .iter()
                    .all(u8::is_ascii_hexdigit)
                    .then(|| u32::from_str_radix(std::str::from_utf8(&text).unwrap(), 16).unwrap());
                assert_eq!(hex8(u64::from_be_bytes(text)), expected, "{byte:#x} at {place}");
            }
        }
        assert_eq!(hex4(u32::from_be_bytes(*b"0050")), Some(80));
        assert_eq!(hex4(u32::from_be_bytes(*b"005G")), None);
    }

    #[test]
    fn padded_decimals_agree_with_the_standard_library() {
        for value in (0..2000).chain([9_999, 10_000, 99_999, 100_000, 1_234_567, 9_999_999]) {
            let text = format!(" {value:>7}");
            assert_eq!(padded_decimal(u64::from_be_bytes(text.as_bytes().try_into().unwrap())), Some(value));
        }
        for wrong in ["        ", "1234567 ", "12345678", "  1 2   ", "      1a", "      1/", "      1:", "     \x21 1"]
        {
            let bytes = wrong.as_bytes()[..8].try_into().unwrap();
            assert_eq!(padded_decimal(u64::from_be_bytes(bytes)), None, "{wrong:?}");
        }
        for place in 0..8 {
            for byte in 0..=255u8 {
                let mut text = *b"     123";
                text[place] = byte;
                let text8 = String::from_utf8_lossy(&text).into_owned();
                let expected = (text.is_ascii() && text[0] == b' ')
                    .then(|| text8.trim_start_matches(' '))
                    .filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
                    .and_then(|digits| digits.parse().ok());
                assert_eq!(padded_decimal(u64::from_be_bytes(text)), expected, "{byte:#x} at {place}");
            }
        }
    }

    #[test]
    fn find_sees_the_first_of_many() {
        let mut text = vec![b'x'; 40];
        assert_eq!(find(b'\n', &text), None);
        for at in (0..40).rev() {
            text[at] = b'\n';
            assert_eq!(find(b'\n', &text), Some(at));
        }
        assert_eq!(find(b'\n', b""), None);
    }

    #[test]
    fn addresses_come_in_three_spellings() {
        assert_eq!(address(b"C0000201"), Some("192.0.2.1".parse().unwrap()));
        let v6 = Some("2001:db8::9".parse().unwrap());
        assert_eq!(address(b"2001:0db8:0000:0000:0000:0000:0000:0009"), v6);
        assert_eq!(address(b"[2001:0db8:0000:0000:0000:0000:0000:0009]"), v6);
        for wrong in [&b"C000020"[..], b"2001:db8::9", b"[2001:0db8:0000:0000:0000:0000:0000:0009", b""] {
            assert_eq!(address(wrong), None);
        }
    }
}
