use std::fs;
use std::path::{Path, PathBuf};

use super::{Sysctl, SysctlValue};
use crate::error::{Error, Result};

/// The tunables of the calling thread's network namespace.
///
/// ```no_run
/// use lvs_core::procfs::{Sysctl, Sysctls};
///
/// let tunables = Sysctls::new();
/// tunables.set(Sysctl::ExpireNodestConn, &true.into())?;
/// assert_eq!(tunables.get(Sysctl::ExpireNodestConn)?.as_int(), Some(1));
/// # Ok::<(), lvs_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sysctls {
    directory: PathBuf,
}

impl Sysctls {
    /// Those below `/proc/sys/net/ipv4/vs`.
    pub fn new() -> Self {
        Self::at("/proc/sys/net/ipv4/vs")
    }

    /// Those of another mount of procfs.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Reads a tunable.
    ///
    /// # Errors
    /// [`Error::Io`]: `NotFound` where this kernel, or this kind of namespace, does not have it.
    /// [`Error::Sysctl`] for text of another form.
    pub fn get(&self, sysctl: Sysctl) -> Result<SysctlValue> {
        Ok(SysctlValue::parse(sysctl, &self.get_raw(sysctl.name())?)?)
    }

    /// Writes a tunable.
    ///
    /// # Errors
    /// [`Error::Sysctl`] for a value that the tunable does not take, [`Error::Io`] for the kernel's
    /// refusals: `EINVAL`, or for `est_cpulist` with processors that are not there `ERANGE`.
    pub fn set(&self, sysctl: Sysctl, value: &SysctlValue) -> Result<()> {
        sysctl.check(value)?;
        self.set_raw(sysctl.name(), &value.to_string())
    }

    /// Writes any file of the directory by name; invalid values of sysctls that this crate knows
    /// are refused with a message.
    ///
    /// # Errors
    /// As [`get_raw`](Self::get_raw) and [`set`](Self::set).
    pub fn set_text(&self, name: &str, text: &str) -> Result<()> {
        match Sysctl::ALL.iter().find(|sysctl| sysctl.name() == name) {
            Some(sysctl) => self.set(*sysctl, &SysctlValue::parse(*sysctl, text)?),
            None => self.set_raw(name, text),
        }
    }

    /// Reads any file of the directory by name, such as `debug_level`, without its newline.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn get_raw(&self, name: &str) -> Result<String> {
        let path = self.path(name)?;
        let mut text =
            fs::read_to_string(&path).map_err(|error| Error::io(format!("read {}", path.display()), error))?;
        if text.ends_with('\n') {
            text.pop();
        }
        Ok(text)
    }

    /// Writes any file of the directory by name, unchecked.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn set_raw(&self, name: &str, text: &str) -> Result<()> {
        let path = self.path(name)?;
        // One write: the kernel takes each as a value of its own. A newline, because nothing else
        // says "empty list".
        fs::OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, format!("{text}\n").as_bytes()))
            .map_err(|error| Error::io(format!("write {text:?} to {}", path.display()), error))
    }

    /// The names of all files of the directory, known to this crate or not, sorted.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names = fs::read_dir(&self.directory)
            .and_then(|entries| {
                entries
                    .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                    .collect::<Result<Vec<_>, _>>()
            })
            .map_err(|error| Error::io(format!("list {}", self.directory.display()), error))?;
        names.sort_unstable();
        Ok(names)
    }

    fn path(&self, name: &str) -> Result<PathBuf> {
        let path = Path::new(name);
        if path.file_name().is_none_or(|file| file != name) {
            let error = std::io::Error::new(std::io::ErrorKind::InvalidInput, "not the name of a tunable");
            return Err(Error::io(format!("open {name:?}"), error));
        }
        Ok(self.directory.join(path))
    }
}

impl Default for Sysctls {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_out_of_the_directory() {
        for name in ["", "..", "../../kernel/hostname", "a/b", "/etc/passwd", "conntrack/"] {
            let error = Sysctls::at("/nonexistent").get_raw(name).unwrap_err();
            assert!(error.to_string().contains("not the name of a tunable"), "{name:?}: {error}");
        }
    }
}
