//! Inputs made from seeds, always the same ones.

/// A generator of numbers (SplitMix64).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// An input: a seed with some edits, perhaps joined to another one. At most 4096 bytes.
pub fn input(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    if random.below(4) == 0 {
        let other = &seeds[random.below(seeds.len())];
        let (end, start) = (random.below(bytes.len() + 1), random.below(other.len() + 1));
        bytes.truncate(end);
        bytes.extend_from_slice(&other[start..]);
    }
    for _ in 0..random.below(8) {
        let at = random.below(bytes.len() + 1);
        let byte =
            [0, 1, 0x7f, 0x80, 0xff, b' ', b'\n', b'-', random.next() as u8, random.next() as u8][random.below(10)];
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] = byte,
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => bytes.truncate(at),
            4 if at < bytes.len() => {
                // A part once more.
                let end = (at + 1 + random.below(32)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => bytes.insert(at, byte),
        }
    }
    bytes.truncate(4096);
    bytes
}
