//! Numbers and numeric addresses as C programs read them, and stricter.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Dialect;

/// What `isspace` says in the C locale.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// `strtol` in base 10: the number, held inside `i64`, and how many bytes it took; 0 bytes if there
/// is no number.
pub(crate) fn strtol(text: &[u8]) -> (i64, usize) {
    let mut at = 0;
    while at < text.len() && is_space(text[at]) {
        at += 1;
    }
    let negative = match text.get(at) {
        Some(b'-') => {
            at += 1;
            true
        }
        Some(b'+') => {
            at += 1;
            false
        }
        _ => false,
    };
    let digits = at;
    let mut number = 0i64;
    while let Some(digit @ b'0'..=b'9') = text.get(at) {
        number = number.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
        at += 1;
    }
    if at == digits { (0, 0) } else { (if negative { -number } else { number }, at) }
}

/// A whole word that is a number in a range.
///
/// `ipvsadm` allows leading blanks and a sign; so does every dialect here, since a line's words
/// have no blanks.
#[inline]
pub(crate) fn ranged(text: &[u8], least: i64, most: i64) -> Option<i64> {
    // Nearly all numbers are short and plain.
    let number = if (1..=9).contains(&text.len()) && text.iter().all(u8::is_ascii_digit) {
        text.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
    } else {
        let (number, length) = strtol(text);
        if length != text.len() || length == 0 {
            return None;
        }
        number
    };
    (least..=most).contains(&number).then_some(number)
}

/// A number in decimal or with `0x` in hexadecimal.
pub(crate) fn bits(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?;
    match text.strip_prefix("0x") {
        Some(hex) if !hex.starts_with('+') => u32::from_str_radix(hex, 16).ok(),
        Some(_) => None,
        None if text.starts_with('+') => None,
        None => text.parse().ok(),
    }
}

/// An IPv4 address in four decimal numbers without superfluous zeros.
#[inline]
pub(crate) fn dotted_quad(text: &[u8]) -> Option<Ipv4Addr> {
    let (addr, rest) = dotted_quad_prefix(text)?;
    rest.is_empty().then_some(addr)
}

/// Such an address at the start of a text, and what follows it.
#[inline]
pub(crate) fn dotted_quad_prefix(mut text: &[u8]) -> Option<(Ipv4Addr, &[u8])> {
    let mut bits = 0;
    for part in 0..4 {
        if part > 0 {
            let [b'.', rest @ ..] = text else { return None };
            text = rest;
        }
        let [digit @ b'0'..=b'9', rest @ ..] = text else { return None };
        text = rest;
        let mut number = u32::from(digit - b'0');
        while let [digit @ b'0'..=b'9', rest @ ..] = text {
            if number == 0 {
                return None;
            }
            number = number * 10 + u32::from(digit - b'0');
            if number > 255 {
                return None;
            }
            text = rest;
        }
        bits = bits << 8 | number;
    }
    Some((Ipv4Addr::from_bits(bits), text))
}

/// An IPv4 address in all the forms that `inet_aton` takes: one to four numbers, decimal, octal
/// (`0...`) or hexadecimal (`0x...`), the last one filling what is left; anything may follow after
/// a blank.
pub(crate) fn inet_aton(text: &[u8]) -> Option<Ipv4Addr> {
    let mut parts = [0u32; 4];
    let mut count = 0;
    let mut at = 0;
    loop {
        let (number, length) = c_number(&text[at..])?;
        at += length;
        parts[count] = number;
        count += 1;
        match text.get(at) {
            Some(b'.') if count < 4 => at += 1,
            None => break,
            Some(byte) if is_space(*byte) => break,
            Some(_) => return None,
        }
    }
    let (last, leading) = parts[..count].split_last()?;
    let room = 32 - 8 * leading.len() as u32;
    if leading.iter().any(|part| *part > 255) || (room < 32 && last >> room != 0) {
        return None;
    }
    Some(Ipv4Addr::from_bits(leading.iter().enumerate().fold(*last, |bits, (i, part)| bits | part << (24 - 8 * i))))
}

/// A C integer constant that begins with a digit, in 32 bits.
fn c_number(text: &[u8]) -> Option<(u32, usize)> {
    let (base, prefix) = match text {
        [b'0', b'x' | b'X', ..] => (16, 2),
        [b'0', ..] => (8, 0),
        [b'1'..=b'9', ..] => (10, 0),
        _ => return None,
    };
    let mut number = 0u32;
    let mut at = prefix;
    while let Some(byte) = text.get(at) {
        let Some(digit) = char::from(*byte).to_digit(base) else { break };
        number = number.checked_mul(base)?.checked_add(digit)?;
        at += 1;
    }
    (at > prefix).then_some((number, at))
}

/// A numeric IPv4 address as the dialect reads it.
#[inline]
pub(crate) fn ipv4(text: &[u8], dialect: Dialect) -> Option<Ipv4Addr> {
    dotted_quad(text).or_else(|| if dialect == Dialect::Ipvsadm { inet_aton(text) } else { None })
}

/// A numeric IPv6 address.
pub(crate) fn ipv6(text: &[u8]) -> Option<Ipv6Addr> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inet_aton_reads_what_glibc_reads() {
        // Each pair was read back from a service that ipvsadm 1.31 had added.
        for (text, address) in [
            ("1.1.1", [1, 1, 0, 1]),
            ("1.1", [1, 0, 0, 1]),
            ("0x7f000001", [127, 0, 0, 1]),
            ("0x7f.1", [127, 0, 0, 1]),
            ("010.1.1.1", [8, 1, 1, 1]),
            ("1234", [0, 0, 4, 210]),
            ("4294967295", [255, 255, 255, 255]),
            ("1.2.65535", [1, 2, 255, 255]),
            ("0x1.0x2.0x3.0x4", [1, 2, 3, 4]),
            ("1.2.3.4 x", [1, 2, 3, 4]),
            ("1.2.3.4\t", [1, 2, 3, 4]),
        ] {
            assert_eq!(inet_aton(text.as_bytes()), Some(Ipv4Addr::from(address)), "{text}");
        }
        for text in [
            "",
            "0x",
            "08.1.1.1",
            "4294967296",
            "1.16777216",
            "1.2.65536",
            "-1",
            "256.1.1.1",
            "1.2.3.256",
            "1.2.3.",
            "1..2.3",
            "1.2.3.4,",
            "1.2.3.4.5",
            " 1.2.3.4",
            "5a",
            "+5",
        ] {
            assert_eq!(inet_aton(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_dotted_quad_has_four_plain_numbers() {
        assert_eq!(dotted_quad(b"192.0.2.1"), Some(Ipv4Addr::new(192, 0, 2, 1)));
        for text in
            ["192.0.2", "192.0.2.01", "192.0.2.256", "192.0.2.1.1", "192..2.1", ".0.2.1", "192.0.2.", "1.2.3.4 "]
        {
            assert_eq!(dotted_quad(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn numbers_stop_at_the_end_of_their_range() {
        assert_eq!(ranged(b"2147483647", 0, i64::from(i32::MAX)), Some(2147483647));
        assert_eq!(ranged(b"2147483648", 0, i64::from(i32::MAX)), None);
        assert_eq!(ranged(b" +7", 0, 9), Some(7));
        for text in ["", "+", "7 ", "0x7", "99999999999999999999", "-1"] {
            assert_eq!(ranged(text.as_bytes(), 0, i64::from(u32::MAX)), None, "{text}");
        }
    }
}
