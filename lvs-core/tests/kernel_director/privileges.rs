//! Who may ask, and in which network namespace.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Stdio;

use super::*;

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn a_namespace_is_entered_by_path_pid_and_name_and_only_for_the_director() {
    let mut here = open();
    here.add_service(&Service::new(v4(1))).unwrap();
    let mut child = Command::new("unshare").args(["-n", "sleep", "60"]).stdout(Stdio::null()).spawn().unwrap();
    let other = format!("/proc/{}/ns/net", child.id());
    let own = std::fs::read_link("/proc/thread-self/ns/net").unwrap();
    while std::fs::read_link(&other).unwrap() == own {
        thread::sleep(Duration::from_millis(10));
    }
    run("mkdir -p /run/netns && ip netns add lvs-test");
    let mut by_path = KernelDirector::options().namespace(Namespace::Path(other.into())).open().unwrap();
    let mut by_pid = KernelDirector::options().namespace(Namespace::Pid(child.id())).open().unwrap();
    let mut by_name = KernelDirector::options().namespace(Namespace::Name("lvs-test".into())).open().unwrap();
    let mut by_option = KernelDirector::options()
        .namespace(Namespace::Pid(child.id()))
        .transport(TransportChoice::SocketOptions)
        .open()
        .unwrap();
    by_path.add_service(&Service::new(v4(2))).unwrap();
    by_name.add_service(&Service::new(v4(3))).unwrap();
    let keys = |director: &mut KernelDirector| -> Vec<ServiceKey> {
        director.services().unwrap().iter().map(|entry| entry.service.key()).collect()
    };
    assert_eq!(keys(&mut here), [v4(1)]);
    assert_eq!(keys(&mut by_path), [v4(2)]);
    assert_eq!(keys(&mut by_pid), [v4(2)]);
    assert_eq!(keys(&mut by_option), [v4(2)]);
    assert_eq!(keys(&mut by_name), [v4(3)]);
    assert_eq!(std::fs::read_link("/proc/thread-self/ns/net").unwrap(), own);
    // Where the thread went does not move a director that is open.
    let file = File::open("/run/netns/lvs-test").unwrap();
    // SAFETY: setns(2) takes two numbers; it moves the calling thread.
    assert_eq!(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
    assert_eq!(keys(&mut here), [v4(1)]);
    assert_eq!(keys(&mut KernelDirector::open().unwrap()), [v4(3)]);
    let _ = by_name.visit_connections(&mut |_| ControlFlow::Continue(()));
    for (bad, kind) in [
        (Namespace::Name("lvs-absent".into()), ErrorKind::NotFound),
        (Namespace::Name("../escape".into()), ErrorKind::InvalidInput),
        (Namespace::Path("/dev/null".into()), ErrorKind::Io),
    ] {
        let error = KernelDirector::options().namespace(bad).open().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    run("ip netns del lvs-test");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn each_operation_without_privilege_reports_permission_denied() {
    let mut director = open();
    drop_net_admin();
    let denied = Cause::PermissionDenied;
    refused(director.info(), Errno::EPERM, denied);
    refused(director.services(), Errno::EPERM, denied);
    refused(director.snapshot(), Errno::EPERM, denied);
    refused(director.add_service(&Service::new(v4(1))), Errno::EPERM, denied);
    refused(director.destinations(&v4(1)), Errno::EPERM, denied);
    let report = director.apply(&operations(&rich_table()), OnRefusal::Continue);
    assert_eq!(report.refused.len(), report.answered);
    // Opening needs none; it is the first operation that fails.
    refused(KernelDirector::open().unwrap().info(), Errno::EPERM, denied);
    let options = KernelDirector::options().transport(TransportChoice::SocketOptions).open();
    refused(options, Errno::EPERM, denied);
}

/// Takes `CAP_NET_ADMIN` from this thread.
fn drop_net_admin() {
    #[repr(C)]
    struct CapHeader(u32, i32);
    let header = CapHeader(0x2008_0522, 0); // _LINUX_CAPABILITY_VERSION_3, this thread
    let mut data = [0u32; 6];
    // SAFETY: capget(2) and capset(2) take a header and two times three numbers, both of which
    // outlive the calls.
    unsafe {
        assert_eq!(libc::syscall(libc::SYS_capget, &header, data.as_mut_ptr()), 0);
        data[0] &= !(1 << 12);
        assert_eq!(libc::syscall(libc::SYS_capset, &header, data.as_ptr()), 0);
    }
}

/// Runs one of the tests below as the root of a user namespace. Its output is kept apart: it tells
/// of a test of its own.
fn in_user_namespace(test: &str) {
    let output = Command::new("unshare")
        .args(["-Urn"])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env("LVS_TEST_INSIDE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("test result: ok. 1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "needs CAP_NET_ADMIN and ip_vs"]
fn the_root_of_a_user_namespace_is_served_by_the_old_socket_options() {
    const NAME: &str = "privileges::the_root_of_a_user_namespace_is_served_by_the_old_socket_options";
    if std::env::var_os("LVS_TEST_INSIDE").is_none() {
        fresh();
        return in_user_namespace(NAME);
    }
    run("ip link set lo up");
    refused(KernelDirector::open().unwrap().info(), Errno::EPERM, Cause::PermissionDenied);
    let mut director = KernelDirector::options().transport(TransportChoice::Auto).open().unwrap();
    assert_eq!(director.coverage(), Coverage::SOCKET_OPTIONS);
    director.add_service(&Service::new(v4(1)).with_scheduler(SchedulerName::RR)).unwrap();
    director.add_destination(&v4(1), &server(1).with_weight(5)).unwrap();
    let snapshot = director.snapshot().unwrap();
    assert_eq!(snapshot.coverage, Coverage::SOCKET_OPTIONS);
    assert_eq!(snapshot.services.len(), 1);
    assert_eq!(snapshot.services[0].destinations[0].destination, server(1).with_weight(5));
    let six = Service::new(ServiceKey::tcp("2001:db8::1", 80).unwrap());
    let error = director.add_service(&six).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("the old socket options cannot carry IPv6"), "{error}");
}
