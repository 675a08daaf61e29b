//! What tests inside a kernel that has IPVS need.

#![allow(dead_code, clippy::print_stdout, reason = "each test uses its part, and tells what it ran on")]

use std::io::Write as _;
use std::process::{Command, Stdio};

/// A number from the environment.
pub(crate) fn environment(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

/// Fails if `LVS_TEST_KERNEL` names another release than the running one.
pub(crate) fn assert_expected_kernel() {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    println!("kernel {}", release.trim());
    if let Ok(expected) = std::env::var("LVS_TEST_KERNEL") {
        assert!(release.starts_with(&format!("{expected}.")), "kernel {expected} is expected, {release} runs");
    }
}

/// Runs `body` in a thread with a network namespace of its own, in which every packet leaves by
/// `dummy0` and vanishes.
pub(crate) fn in_new_namespace<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: no pointers.
            let made = unsafe { libc::unshare(libc::CLONE_NEWNET) };
            assert_eq!(made, 0, "a network namespace: {}", std::io::Error::last_os_error());
            let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().expect("iproute2");
            ip.stdin
                .take()
                .unwrap()
                .write_all(
                    b"link set lo up\n\
                      link add dummy0 type dummy\n\
                      link set dummy0 up\n\
                      addr add 192.0.2.254/24 dev dummy0\n\
                      route add default dev dummy0\n\
                      addr add 2001:db8:ffff::1/64 dev dummy0 nodad\n\
                      route add ::/0 dev dummy0\n",
                )
                .unwrap();
            assert!(ip.wait().unwrap().success(), "the network is set up");
            body()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Sets a sysctl of IPVS in this thread's network namespace.
pub(crate) fn set_sysctl(name: &str, value: i64) {
    std::fs::write(format!("/proc/sys/net/ipv4/vs/{name}"), value.to_string()).expect(name);
}

/// Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound` - 1.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.word() % bound
    }

    /// Whether one of `of` chances comes true.
    pub(crate) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}
