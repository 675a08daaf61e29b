//! Numbers and IPv4 addresses into text, past the formatting machinery: listings and saved rules
//! are made of them.

use std::net::Ipv4Addr;

/// Appends a number.
pub(crate) fn push_number(text: &mut String, number: impl itoa::Integer) {
    text.push_str(itoa::Buffer::new().format(number));
}

/// Appends a number and blanks up to a width, as `{:<width$}`.
pub(crate) fn push_left(text: &mut String, number: impl itoa::Integer, width: usize) {
    let end = text.len() + width;
    push_number(text, number);
    pad(text, end);
}

/// Appends blanks up to a width and a number, as `{:>width$}`.
pub(crate) fn push_right(text: &mut String, number: impl itoa::Integer, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number);
    pad(text, text.len() + width.saturating_sub(digits.len()));
    text.push_str(digits);
}

/// Appends blanks until the text is so long.
pub(crate) fn pad(text: &mut String, length: usize) {
    const BLANKS: &str = "                                ";
    while text.len() < length {
        text.push_str(&BLANKS[..(length - text.len()).min(BLANKS.len())]);
    }
}

/// Appends an address.
pub(crate) fn push_ipv4(text: &mut String, addr: Ipv4Addr) {
    let [a, b, c, d] = addr.octets();
    push_number(text, a);
    for octet in [b, c, d] {
        text.push('.');
        push_number(text, octet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_are_what_format_makes_of_them() {
        for number in [0_u64, 7, 10, 99, 100, 12_345_678, 123_456_789, u64::MAX] {
            for width in [0, 1, 8, 9, 10, 40] {
                let mut text = String::from("x");
                push_number(&mut text, number);
                push_left(&mut text, number, width);
                push_right(&mut text, number, width);
                assert_eq!(text, format!("x{number}{number:<width$}{number:>width$}"));
            }
        }
        let mut text = String::new();
        push_left(&mut text, -7, 6);
        assert_eq!(text, format!("{:<6}", -7));
        for addr in [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST, Ipv4Addr::new(192, 0, 2, 10)] {
            let mut text = String::new();
            push_ipv4(&mut text, addr);
            assert_eq!(text, addr.to_string());
        }
    }
}
