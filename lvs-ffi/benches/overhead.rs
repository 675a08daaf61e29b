//! What the C ABI costs: the same work in Rust and through lvs.h, by turns, in one process.
//!
//! On embedded directors; with the word `kernel`, on the running kernel's empty table, as root.
//!
//! The C side is `overhead.c`, built here with `cc` against the header and the library that cargo
//! has just built.

#![allow(clippy::print_stdout, reason = "it is a program that prints results")]

use std::ffi::{CString, c_void};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;

use lvs_core::Director;
use lvs_core::director::{OnRefusal, Operation};
use lvs_core::embedded::EmbeddedDirector;
use lvs_core::kernel::KernelDirector;
use lvs_core::model::{Destination, Protocol, Service, ServiceKey};

const SERVICES: u32 = 10_000;
const SERVERS: u32 = 2;
const CALLS: u32 = 1_000_000;
const TURNS: u32 = 40;

fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for i in 0..SERVICES {
        let port = u16::try_from(1 + i).expect("few services");
        let key = ServiceKey::endpoint(Protocol::Tcp, [192, 0, 2, 1].into(), port);
        operations.push(Operation::AddService(Service::new(key)));
        for j in 0..SERVERS {
            let host = u8::try_from(1 + j).expect("few servers");
            operations.push(Operation::AddDestination(key, Destination::new([198, 51, 100, host].into(), 80)));
        }
    }
    operations
}

fn snapshot(director: &mut dyn Director) -> u64 {
    let snapshot = director.snapshot().expect("a director that answers");
    let mut sum = 0;
    for service in &snapshot.services {
        let entry = &service.entry;
        let port = match entry.service.key() {
            ServiceKey::Endpoint { port, .. } => port,
            ServiceKey::Fwmark { .. } => 0,
        };
        let stats = entry.statistics();
        sum += u64::from(port) + u64::from(entry.service.scheduler.as_str().as_bytes()[0]);
        sum += stats.counters.connections + stats.rates.bytes_in;
        for entry in &service.destinations {
            sum += u64::from(entry.destination.weight) + u64::from(entry.destination.key.port);
            sum += u64::from(entry.active) + entry.statistics().counters.connections;
        }
    }
    sum
}

/// The same, and each entry is copied out whole, as a record of C is filled.
fn copy(director: &mut dyn Director) -> u64 {
    let snapshot = director.snapshot().expect("a director that answers");
    for service in &snapshot.services {
        black_box((service.entry.service, service.entry.statistics()));
        for entry in &service.destinations {
            black_box((entry.destination, entry.active, entry.inactive, entry.persistent, entry.statistics()));
        }
    }
    0
}

/// Builds the C side next to the library, and loads it.
fn load() -> *mut c_void {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A shared library is no dependency that cargo builds for a bench.
    let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--release", "--package", "lvs-ffi"]).status();
    assert!(built.is_ok_and(|status| status.success()), "cargo must build liblvs.so");
    // target/release/deps/overhead-1234: the library is two directories up.
    let program = std::env::current_exe().expect("this program has a file");
    let library: PathBuf = program.ancestors().nth(2).expect("cargo's layout").into();
    let soname = concat!("liblvs.so.", env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    let _ = std::os::unix::fs::symlink("liblvs.so", library.join(soname));
    let object = library.join("overhead.so");
    let built = Command::new("cc")
        .args(["-std=c11", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(manifest.join("../include"))
        .arg(manifest.join("benches/overhead.c"))
        .arg("-o")
        .arg(&object)
        .arg("-L")
        .arg(&library)
        .arg("-llvs")
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "cc must build overhead.c");
    let name = CString::new(object.to_string_lossy().as_bytes()).expect("no NUL byte in a path");
    // SAFETY: a path that ends with a NUL byte; the object's constructors are none of ours.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW) };
    assert!(!handle.is_null(), "cannot load {}", object.display());
    handle
}

/// A function of the C side; its type is that of overhead.c.
macro_rules! function {
    ($object:expr, $name:literal as $type:ty) => {{
        // SAFETY: the object is loaded, and the type is the one that overhead.c declares.
        unsafe {
            let symbol = libc::dlsym($object, concat!($name, "\0").as_ptr().cast());
            assert!(!symbol.is_null(), $name);
            std::mem::transmute::<*mut c_void, $type>(symbol)
        }
    }};
}

/// What this thread has had of a processor, in seconds: neighbours on the machine cost less of it
/// than of the clock.
fn cpu_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a place for the result, which the clock of this thread always has.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// The shortest of several turns each, alternating, in seconds.
fn by_turns(turns: u32, ours: &mut dyn FnMut() -> u64, theirs: &mut dyn FnMut() -> u64) -> (f64, f64) {
    let time = |work: &mut dyn FnMut() -> u64| {
        let start = cpu_time();
        black_box(work());
        cpu_time() - start
    };
    let mut best = (f64::MAX, f64::MAX);
    for _ in 0..turns {
        best.0 = best.0.min(time(ours));
        best.1 = best.1.min(time(theirs));
    }
    best
}

fn main() {
    // A number of turns, for a run under an instruction counter; cargo adds words of its own.
    let turns = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(TURNS);
    let kernel = std::env::args().any(|argument| argument == "kernel");
    let object = load();
    type Fill = unsafe extern "C" fn(bool, u32, u32) -> *mut c_void;
    type Snapshot = unsafe extern "C" fn(*mut c_void) -> u64;
    type Calls = unsafe extern "C" fn(u32) -> u64;
    type DirectorCalls = unsafe extern "C" fn(*mut c_void, u32) -> u64;
    let c_fill = function!(object, "bench_fill" as Fill);
    let c_snapshot = function!(object, "bench_snapshot" as Snapshot);
    let c_version = function!(object, "bench_version" as Calls);
    let c_get = function!(object, "bench_get" as DirectorCalls);
    let c_timeouts = function!(object, "bench_timeouts" as DirectorCalls);

    // SAFETY: the functions of overhead.c, with a director that it made, here and below.
    let filled = unsafe { c_fill(kernel, SERVICES, SERVERS) };
    // The kernel's table is the same for both.
    let mut director: Box<dyn Director> = if kernel {
        Box::new(KernelDirector::open().expect("a kernel with IPVS"))
    } else {
        let mut director = EmbeddedDirector::new();
        let operations = operations();
        assert!(director.apply(&operations, OnRefusal::Stop).is_complete());
        Box::new(director)
    };
    let director = director.as_mut();
    // SAFETY: as above.
    assert_eq!(snapshot(director), unsafe { c_snapshot(filled) }, "both read the same");

    let (rust, c) = by_turns(
        turns,
        &mut || snapshot(director),
        // SAFETY: as above.
        &mut || unsafe { c_snapshot(filled) },
    );
    println!("snapshot of 10,000 x 2, some fields of every entry read\tRust\t{rust}");
    println!("snapshot of 10,000 x 2, every entry read\tC\t{c}");
    let (rust, c) = by_turns(
        turns,
        &mut || copy(director),
        // SAFETY: as above.
        &mut || unsafe { c_snapshot(filled) },
    );
    println!("snapshot of 10,000 x 2, every entry copied\tRust\t{rust}");
    println!("snapshot of 10,000 x 2, every entry read\tC\t{c}");

    if kernel {
        return; // What a call costs by itself does not show beside a system call.
    }
    let once = |seconds: f64| seconds / f64::from(CALLS);
    // SAFETY: as above.
    let (version, get) = by_turns(turns, &mut || unsafe { c_version(CALLS) }, &mut || {
        // SAFETY: as above.
        unsafe { c_get(filled, CALLS) }
    });
    let (rust, c) = by_turns(
        turns,
        &mut || {
            for _ in 0..CALLS {
                let _ = black_box(black_box(&mut *director).timeouts());
            }
            0
        },
        // SAFETY: as above.
        &mut || unsafe { c_timeouts(filled, CALLS) },
    );
    println!("one call that does nothing (lvs_version_number)\tC\t{}", once(version));
    println!("one entry read (lvs_snapshot_destination_get)\tC\t{}", once(get));
    println!("one call of a director (timeouts)\tRust\t{}", once(rust));
    println!("one call of a director (timeouts)\tC\t{}", once(c));
}
