//! Writes archives in the "newc" form of cpio, which is what a Linux kernel unpacks as its
//! initramfs.

use std::io::{self, Write};

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;

pub(crate) struct Archive<W: Write> {
    to: W,
    inode: u32,
}

impl<W: Write> Archive<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { to, inode: 0 }
    }

    pub(crate) fn directory(&mut self, path: &str) -> io::Result<()> {
        self.entry(path, DIRECTORY, b"")
    }

    /// A file that everybody may read and run.
    pub(crate) fn file(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.entry(path, PROGRAM, bytes)
    }

    pub(crate) fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.entry(path, LINK, target.as_bytes())
    }

    /// Ends the archive, filled up so that another one may follow.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.entry("TRAILER!!!", 0, b"")?;
        Ok(self.to)
    }

    fn entry(&mut self, path: &str, mode: u32, bytes: &[u8]) -> io::Result<()> {
        self.inode += 1;
        let size = u32::try_from(bytes.len()).map_err(|_| io::Error::other("a file too large for cpio"))?;
        let name_size = path.len() as u32 + 1;
        // Inode, mode, user, group, links, time, size, device (2), node (2), length of the name,
        // checksum (unused).
        let fields = [self.inode, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
        self.to.write_all(b"070701")?;
        for field in fields {
            write!(self.to, "{field:08X}")?;
        }
        self.to.write_all(path.as_bytes())?;
        self.to.write_all(b"\0")?;
        self.pad(6 + 8 * fields.len() + path.len() + 1)?;
        self.to.write_all(bytes)?;
        self.pad(bytes.len())
    }

    /// Names and contents start at multiples of four.
    fn pad(&mut self, length: usize) -> io::Result<()> {
        self.to.write_all(&[0; 3][..length.wrapping_neg() % 4])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_aligned_entries_and_a_trailer() {
        let mut archive = Archive::new(Vec::new());
        archive.directory("bin").unwrap();
        archive.file("bin/a", b"hello").unwrap();
        archive.link("bin/b", "a").unwrap();
        let bytes = archive.finish().unwrap();
        // Read back: (path, mode, content).
        let number = |at: usize| usize::from_str_radix(std::str::from_utf8(&bytes[at..at + 8]).unwrap(), 16).unwrap();
        let (mut at, mut seen) = (0, Vec::new());
        while at < bytes.len() {
            assert_eq!((at % 4, &bytes[at..at + 6]), (0, &b"070701"[..]));
            let (mode, size, name) = (number(at + 14), number(at + 54), number(at + 94));
            let path = String::from_utf8(bytes[at + 110..at + 110 + name - 1].to_vec()).unwrap();
            let start = (at + 110 + name).next_multiple_of(4);
            seen.push((path, mode, bytes[start..start + size].to_vec()));
            at = (start + size).next_multiple_of(4);
        }
        assert_eq!(
            seen,
            [
                ("bin".into(), 0o040_755, Vec::new()),
                ("bin/a".into(), 0o100_755, b"hello".to_vec()),
                ("bin/b".into(), 0o120_777, b"a".to_vec()),
                ("TRAILER!!!".to_string(), 0, Vec::new()),
            ]
        );
    }
}
