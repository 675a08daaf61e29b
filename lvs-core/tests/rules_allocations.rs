//! Reading rules allocates nothing, however many there are.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Write as _;

use lvs_core::rules::{Dialect, Parser};

/// The system's allocator, counting what the current thread asks for.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the same.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn rules_are_read_without_a_single_allocation() {
    let mut text = String::new();
    for host in 0..250 {
        let _ = write!(
            text,
            "-A -t 192.0.2.{host}:80 -s sh -b sh-port,sh-fallback -p 300 -M 255.255.255.0 --pe sip\n\
             -a -t 192.0.2.{host}:80 -r 198.51.100.7:80 -m -w 3 -x 100 -y 80\n\
             --add-server --tcp-service=192.0.2.{host}:80 -r [2001:db8::{host:x}]:80 -i --tun-type gue --tun-port 6080\n\
             -A -f {host}1 -6 -s rr   # a comment\n\
             #lvs -a -f {host}1 -6 -r [2001:db8::1]:80 --forwarding local --tun-flags 0xff\n\
             \n# another\n\
             -d -u [2001:db8::1]:53 -r 2001:db8::2\n"
        );
    }
    for dialect in [Dialect::Lossless, Dialect::Ipvsadm] {
        // ipvsadm knows no comments.
        let plain: String;
        let text = if dialect == Dialect::Ipvsadm {
            plain = text.lines().filter(|line| !line.contains('#')).map(|line| line.to_owned() + "\n").collect();
            &plain
        } else {
            &text
        };
        let parser = Parser::new(dialect);
        let before = COUNT.get();
        let mut count = 0;
        for rule in parser.lines(text.as_bytes()) {
            count += usize::from(rule.is_ok());
        }
        assert_eq!(COUNT.get() - before, 0, "{dialect:?}");
        assert!(count >= 1000, "{count} rules were read");
    }
}
