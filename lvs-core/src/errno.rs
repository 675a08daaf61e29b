use std::fmt;

/// An error number of Linux, whatever system this runs on: the embedded director answers with them
/// anywhere. Some differ between architectures (Alpha, MIPS, PA-RISC, SPARC, the rest): they are
/// those of the one this was compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct Errno(pub i32);

/// Whose numbers a row of [`errnos!`] gives, by place.
const GENERIC: usize = 0;
const ALPHA: usize = 1;
const MIPS: usize = 2;
const PARISC: usize = 3;
const SPARC: usize = 4;
const ARCHITECTURES: usize = 5;

const ARCHITECTURE: usize =
    if cfg!(any(target_arch = "mips", target_arch = "mips32r6", target_arch = "mips64", target_arch = "mips64r6")) {
        MIPS
    } else if cfg!(target_arch = "alpha") {
        ALPHA
    } else if cfg!(any(target_arch = "hppa", target_arch = "hppa64")) {
        PARISC
    } else if cfg!(any(target_arch = "sparc", target_arch = "sparc64")) {
        SPARC
    } else {
        GENERIC
    };

macro_rules! errnos {
    ($($name:ident = $numbers:expr, $text:literal;)*) => {
        impl Errno {
            $(#[doc = concat!($text, ".")] pub const $name: Self = Self($numbers[ARCHITECTURE]);)*

            /// The symbol, such as `ENOENT`, if this crate knows it.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// What glibc's `strerror` says, if this crate knows it.
            pub const fn description(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($text),)*
                    _ => None,
                }
            }
        }

        /// The symbols with their numbers.
        #[cfg(test)]
        const ALL: &[(&str, [i32; ARCHITECTURES])] = &[$((stringify!($name), $numbers),)*];
    };
}

/// The same on every architecture.
const fn same(number: i32) -> [i32; ARCHITECTURES] {
    [number; ARCHITECTURES]
}

// Numbers: asm/errno.h of each architecture (arch/alpha, arch/mips, arch/parisc, arch/sparc,
// asm-generic for all others). Texts: glibc. rustc has no target for Alpha and PA-RISC yet, other
// compilers and targets of one's own have.
errnos! {
    EPERM = same(1), "Operation not permitted";
    ENOENT = same(2), "No such file or directory";
    ESRCH = same(3), "No such process";
    EINTR = same(4), "Interrupted system call";
    EIO = same(5), "Input/output error";
    EBADF = same(9), "Bad file descriptor";
    EAGAIN = [11, 35, 11, 11, 11], "Resource temporarily unavailable";
    ENOMEM = same(12), "Cannot allocate memory";
    EACCES = same(13), "Permission denied";
    EFAULT = same(14), "Bad address";
    EBUSY = same(16), "Device or resource busy";
    EEXIST = same(17), "File exists";
    ENODEV = same(19), "No such device";
    EINVAL = same(22), "Invalid argument";
    ENFILE = same(23), "Too many open files in system";
    EMFILE = same(24), "Too many open files";
    ENOSPC = same(28), "No space left on device";
    ERANGE = same(34), "Numerical result out of range";
    EMSGSIZE = [90, 40, 97, 218, 40], "Message too long";
    ENOPROTOOPT = [92, 42, 99, 220, 42], "Protocol not available";
    EPROTONOSUPPORT = [93, 43, 120, 221, 43], "Protocol not supported";
    EOPNOTSUPP = [95, 45, 122, 223, 45], "Operation not supported";
    EAFNOSUPPORT = [97, 47, 124, 225, 47], "Address family not supported by protocol";
    EADDRINUSE = [98, 48, 125, 226, 48], "Address already in use";
    EADDRNOTAVAIL = [99, 49, 126, 227, 49], "Cannot assign requested address";
    ENETDOWN = [100, 50, 127, 228, 50], "Network is down";
    ENOBUFS = [105, 55, 132, 233, 55], "No buffer space available";
    ETIMEDOUT = [110, 60, 145, 238, 60], "Connection timed out";
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.description()) {
            (Some(name), Some(text)) => write!(f, "{text} ({name})"),
            _ => write!(f, "errno {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_architecture_has_a_number_twice() {
        for architecture in 0..ARCHITECTURES {
            let numbers: HashSet<i32> = ALL.iter().map(|(_, numbers)| numbers[architecture]).collect();
            assert_eq!(numbers.len(), ALL.len(), "architecture {architecture}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_numbers_are_those_of_the_c_library() {
        macro_rules! compare {
            ($($name:ident)*) => {{
                $(assert_eq!(Errno::$name.0, libc::$name, stringify!($name));)*
                vec![$(stringify!($name)),*]
            }};
        }
        let compared = compare! {
            EPERM ENOENT ESRCH EINTR EIO EBADF EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST ENODEV EINVAL ENFILE EMFILE
            ENOSPC ERANGE EMSGSIZE ENOPROTOOPT EPROTONOSUPPORT EOPNOTSUPP EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL
            ENETDOWN ENOBUFS ETIMEDOUT
        };
        assert_eq!(compared, ALL.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}
