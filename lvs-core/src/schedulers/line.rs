//! The weights along a list, so that the next one that is heavy enough is found without looking at
//! those between.

/// How many values one node sums up.
const WIDTH: usize = 16;
const SHIFT: u32 = WIDTH.trailing_zeros();

/// Numbers in a row, and for each 16 of them their maximum, and so on upwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// The row itself first. Each level's length is a multiple of 16, the last one's is 16; what
    /// lies beyond the end is 0.
    levels: Vec<Vec<i32>>,
    len: usize,
}

type Block = [i32; WIDTH];

#[inline]
fn block(level: &[i32], at: usize) -> &Block {
    let start = at & !(WIDTH - 1);
    level[start..start + WIDTH].try_into().expect("levels are made of whole blocks")
}

/// One bit for each value of at least `least`.
#[inline]
fn heavy(block: &Block, least: i32) -> u32 {
    block.iter().enumerate().fold(0, |bits, (i, &value)| bits | u32::from(value >= least) << i)
}

#[inline]
fn highest(bits: u32) -> usize {
    bits.ilog2() as usize
}

impl Line {
    pub(super) fn clear(&mut self) {
        self.levels.clear();
        self.len = 0;
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, value: i32) {
        let at = self.len;
        self.len += 1;
        let mut needed = self.len;
        for n in 0.. {
            if n == self.levels.len() {
                self.levels.push(Vec::new());
                // A new top sums up what there is already.
                if n > 0 {
                    let sums = self.levels[n - 1].chunks(WIDTH).map(|c| c.iter().copied().max().unwrap_or(0)).collect();
                    self.levels[n] = sums;
                }
            }
            let len = needed.next_multiple_of(WIDTH);
            if self.levels[n].len() < len {
                self.levels[n].resize(len, 0);
            }
            if len == WIDTH && n + 1 >= self.levels.len() {
                break;
            }
            needed = len >> SHIFT;
        }
        self.set(at, value);
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> i32 {
        self.levels[0][at]
    }

    pub(super) fn set(&mut self, mut at: usize, mut value: i32) {
        for n in 0..self.levels.len() {
            if self.levels[n][at] == value {
                return;
            }
            self.levels[n][at] = value;
            value = block(&self.levels[n], at).iter().copied().fold(0, i32::max);
            at >>= SHIFT;
        }
    }

    /// The largest value, at least 0.
    pub(super) fn max(&self) -> i32 {
        self.levels.last().map_or(0, |top| top.iter().copied().fold(0, i32::max))
    }

    /// The last place before `end` with a value of at least `least`, which is above 0.
    #[inline]
    pub(super) fn last_before(&self, end: usize, least: i32) -> Option<usize> {
        // Mostly it is the very next.
        if end > 0 && self.levels[0][end - 1] >= least {
            return Some(end - 1);
        }
        let mut end = end;
        for (n, level) in self.levels.iter().enumerate() {
            let last = end.checked_sub(1)?;
            let found = heavy(block(level, last), least) & (u32::MAX >> (31 - (last & (WIDTH - 1))));
            if found != 0 {
                let mut place = (last & !(WIDTH - 1)) + highest(found);
                for lower in self.levels[..n].iter().rev() {
                    place <<= SHIFT;
                    place += highest(heavy(block(lower, place), least));
                }
                return Some(place);
            }
            end = last >> SHIFT;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_heavy_place_is_that_of_a_plain_search() {
        let mut line = Line::default();
        let mut plain: Vec<i32> = Vec::new();
        let mut state = 1u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        assert_eq!((line.max(), line.last_before(0, 1)), (0, None));
        for _ in 0..20_000 {
            match draw(4) {
                0 if plain.len() < 5000 => {
                    let value = if draw(3) == 0 { draw(1000) as i32 } else { 0 };
                    line.push(value);
                    plain.push(value);
                }
                1 if !plain.is_empty() => {
                    let (at, value) = (draw(plain.len() as u64) as usize, (draw(40) * draw(2)) as i32);
                    line.set(at, value);
                    plain[at] = value;
                }
                _ => {
                    let any = draw(plain.len() as u64 + 1) as usize;
                    let end = if draw(2) == 0 { plain.len() } else { any };
                    let least = 1 + draw(1100) as i32;
                    let expected = plain[..end].iter().rposition(|&value| value >= least);
                    assert_eq!(line.last_before(end, least), expected, "{end} {least}");
                }
            }
            assert_eq!(line.max(), plain.iter().copied().max().unwrap_or(0));
        }
        assert_eq!(line.len(), plain.len());
    }
}
