//! What netfilter makes of a packet before IPVS sees it: whether it belongs to a confirmed
//! connection.

use std::io::{self, Write as _};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, Stdio};

use lvs_core::wire::attr::Attributes;

// <linux/netfilter/nfnetlink.h>, <linux/netfilter/nf_tables.h>
const NFT_MSG_GETOBJ: u16 = 10 << 8 | 19;
const NFTA_OBJ_TABLE: u16 = 1;
const NFTA_OBJ_NAME: u16 = 2;
const NFTA_OBJ_TYPE: u16 = 3;
const NFTA_OBJ_DATA: u16 = 4;
const NFT_OBJECT_COUNTER: u32 = 1;
const NFTA_COUNTER_PACKETS: u16 = 2;
const NFPROTO_INET: u8 = 1;

/// After netfilter's tracking (priority -200), before IPVS (-99). Not what IPVS sends to a real
/// server, whose tracking it may have confirmed itself.
const RULES: &str = "
table inet seen {
    counter confirmed { }
    chain output {
        type filter hook output priority -150; policy accept;
        ip daddr 10.0.0.0/8 accept
        ip6 daddr 2001:db8:0:2::/64 accept
        meta l4proto { tcp, udp, sctp } ct status confirmed counter name confirmed
    }
}
";

/// Whether this kernel's netfilter can be asked. User-mode Linux comes without.
pub(crate) struct Tracking {
    socket: OwnedFd,
    seen: u64,
}

impl Tracking {
    /// Has the network namespace track connections from now on.
    pub(crate) fn begin() -> Option<Self> {
        let mut nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        nft.stdin.take()?.write_all(RULES.as_bytes()).ok()?;
        if !nft.wait().ok()?.success() {
            return None;
        }
        // SAFETY: no pointers; the descriptor is checked and owned once.
        let socket = unsafe {
            let fd = libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_NETFILTER);
            assert!(fd >= 0, "{}", io::Error::last_os_error());
            OwnedFd::from_raw_fd(fd)
        };
        let mut tracking = Self { socket, seen: 0 };
        tracking.seen = tracking.count();
        Some(tracking)
    }

    /// Whether the packet that was sent since the last call belonged to a confirmed connection.
    /// What IPVS sends on comes by once more, confirmed or not as it was.
    pub(crate) fn was_confirmed(&mut self) -> bool {
        let now = self.count();
        now > std::mem::replace(&mut self.seen, now)
    }

    fn count(&self) -> u64 {
        let put = |request: &mut Vec<u8>, kind: u16, payload: &[u8]| {
            request.extend_from_slice(&(payload.len() as u16 + 4).to_ne_bytes());
            request.extend_from_slice(&kind.to_ne_bytes());
            request.extend_from_slice(payload);
            request.resize(request.len().next_multiple_of(4), 0);
        };
        let mut request = vec![0; 16];
        request[4..6].copy_from_slice(&NFT_MSG_GETOBJ.to_ne_bytes());
        request[6] = libc::NLM_F_REQUEST as u8;
        request.extend_from_slice(&[NFPROTO_INET, 0, 0, 0]);
        put(&mut request, NFTA_OBJ_TABLE, b"seen\0");
        put(&mut request, NFTA_OBJ_NAME, b"confirmed\0");
        put(&mut request, NFTA_OBJ_TYPE, &NFT_OBJECT_COUNTER.to_be_bytes());
        let length = request.len() as u32;
        request[..4].copy_from_slice(&length.to_ne_bytes());
        let mut reply = [0_u8; 4096];
        // SAFETY: each pointer goes with the length of what it points to.
        let got = unsafe {
            let sent = libc::send(self.socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0);
            assert_eq!(sent, request.len() as isize, "{}", io::Error::last_os_error());
            libc::recv(self.socket.as_raw_fd(), reply.as_mut_ptr().cast(), reply.len(), 0)
        };
        assert!(got > 20, "{}", io::Error::last_os_error());
        let counter = Attributes::new(&reply[20..got as usize])
            .find(|attribute| attribute.kind == NFTA_OBJ_DATA)
            .and_then(|data| data.nested().find(|attribute| attribute.kind == NFTA_COUNTER_PACKETS))
            .expect("a counter");
        u64::from_be_bytes(counter.payload.try_into().expect("eight bytes"))
    }
}

/// Whether the FTP helper is loaded, as this network namespace sees it.
pub(crate) fn has_ftp_helper() -> bool {
    let text = std::fs::read_to_string("/proc/thread-self/net/ip_vs_app").unwrap_or_default();
    text.lines().any(|line| line.trim_end().ends_with(" ftp"))
}

/// Loads or unloads the FTP helper, if the kernel has it and nobody holds it.
pub(crate) fn load_ftp_helper(load: bool) {
    let mut modprobe = Command::new("modprobe");
    if !load {
        modprobe.arg("-r");
    }
    let _ = modprobe.arg("ip_vs_ftp").stderr(Stdio::null()).status();
}
