use crate::model::{ConnectionState, Named};

/// A state's name in its column (`%-11s` and a blank): eight bytes and four.
#[derive(Clone, Copy)]
struct Column {
    head: u64,
    tail: u32,
    state: ConnectionState,
}

const SLOTS: usize = 64;

const fn column(state: ConnectionState, name: &str) -> Column {
    let name = name.as_bytes();
    let mut bytes = [b' '; 12];
    let mut i = 0;
    while i < name.len() {
        bytes[i] = name[i];
        i += 1;
    }
    let (head, tail) = bytes.split_at(8);
    let [a, b, c, d, e, f, g, h] = *head else { panic!("eight of twelve bytes") };
    let [i, j, k, l] = *tail else { panic!("four of twelve bytes") };
    Column { head: u64::from_be_bytes([a, b, c, d, e, f, g, h]), tail: u32::from_be_bytes([i, j, k, l]), state }
}

const fn slot(multiplier: u64, head: u64, tail: u32) -> usize {
    ((head ^ tail as u64).wrapping_mul(multiplier) >> 58) as usize
}

/// A table without collisions, and the multiplier that makes it so; found by trying when this is
/// compiled.
const PERFECT: (u64, [Option<Column>; SLOTS]) = {
    let mut multiplier: u64 = 0x9e37_79b9_7f4a_7c15;
    'search: loop {
        let mut table = [None; SLOTS];
        let mut i = 0;
        while i < ConnectionState::NAMES.len() {
            let (state, name) = ConnectionState::NAMES[i];
            let entry = column(state, name);
            let place = slot(multiplier, entry.head, entry.tail);
            if table[place].is_some() {
                multiplier = multiplier.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                continue 'search;
            }
            table[place] = Some(entry);
            i += 1;
        }
        break (multiplier, table);
    }
};

static TABLE: [Option<Column>; SLOTS] = PERFECT.1;

/// The state whose name fills the column.
#[inline]
pub(super) fn state_of_column(head: u64, tail: u32) -> Option<ConnectionState> {
    match &TABLE[slot(PERFECT.0, head, tail)] {
        Some(entry) if entry.head == head && entry.tail == tail => Some(entry.state),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_found_by_its_column_and_nothing_else_is() {
        for &(state, name) in ConnectionState::NAMES {
            let column = column(state, name);
            assert_eq!(state_of_column(column.head, column.tail), Some(state));
            assert_eq!(state_of_column(column.head, column.tail ^ 1), None);
            assert_eq!(state_of_column(column.head ^ 1 << 40, column.tail), None);
        }
    }
}
