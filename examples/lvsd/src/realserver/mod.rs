//! The settings of a real server behind LVS-DR and LVS-TUN: it owns the VIP, silently, and opens
//! its tunnels.
//!
//! With direct routing and tunnelling packets arrive addressed to the VIP, so every real server
//! must hold it, and none may answer for it when a neighbour asks (ARP): that is the director's.
//! Sources: `ip-sysctl.rst` of the kernel for `arp_ignore`, `arp_announce` and `rp_filter`;
//! `ip-link(8)` and `ip-fou(8)` for tunnels. IPv6 needs no such setting: a node answers neighbour
//! solicitations only for addresses of the interface that they come in on.

mod record;

use std::fmt;
use std::net::IpAddr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use lvs_core::model::AddressFamily;
pub use record::Record;

use crate::sysctl;
use lvs_core::preflight::{Host as _, ThisHost};

/// How the packets of the director arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrival {
    /// LVS-DR: on the same link, unchanged.
    Direct,
    /// LVS-TUN: IP in IP.
    Ipip,
    /// LVS-TUN: generic UDP encapsulation.
    Gue,
    /// LVS-TUN: generic routing encapsulation.
    Gre,
}

/// One setting of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// A kernel setting, by its dotted name.
    Sysctl {
        /// The name.
        name: String,
        /// The value that it needs.
        value: String,
    },
    /// A command that brings something about, and the one that takes it back.
    Command {
        /// Program and arguments.
        apply: Vec<String>,
        /// Program and arguments; empty if there is nothing to take back.
        undo: Vec<String>,
        /// Whether it may fail: the thing may be there already.
        may_exist: bool,
    },
}

impl Setting {
    fn sysctl(name: impl Into<String>, value: &str) -> Self {
        Self::Sysctl { name: name.into(), value: value.to_owned() }
    }

    fn command(apply: &str, undo: &str) -> Self {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        Self::Command { apply: words(apply), undo: words(undo), may_exist: false }
    }

    fn ensuring(apply: &str, undo: &str) -> Self {
        match Self::command(apply, undo) {
            Self::Command { apply, undo, .. } => Self::Command { apply, undo, may_exist: true },
            other => other,
        }
    }
}

/// A host whose settings are changed.
pub trait ChangeableHost {
    /// Whether a setting is in force already.
    fn is_in_force(&self, setting: &Setting) -> bool;

    /// The line that takes a setting back, as things are now; `None` if nothing would be to do.
    fn undo(&self, setting: &Setting) -> Option<String>;

    /// Puts a setting in force.
    ///
    /// # Errors
    /// The setting cannot be written, or the command fails.
    fn apply(&mut self, setting: &Setting) -> Result<()>;

    /// Runs a line as [`ChangeableHost::undo`] gave it.
    ///
    /// # Errors
    /// The command fails.
    fn run(&mut self, line: &str) -> Result<()>;
}

impl ChangeableHost for ThisHost {
    fn is_in_force(&self, setting: &Setting) -> bool {
        match setting {
            Setting::Sysctl { name, value } => sysctl::read(name).is_ok_and(|now| {
                // A stricter setting does as well: both go from lax to strict.
                let silent = name.contains(".arp_");
                now == *value || silent && now.parse::<u32>().ok() > value.parse().ok()
            }),
            Setting::Command { apply, .. } => match apply.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["ip", "addr", "add", address, "dev", interface, ..] => {
                    let (address, prefix) = address.split_once('/').unwrap_or((address, ""));
                    let here = address.parse().map(|address| self.addresses(address)).unwrap_or_default();
                    here.iter().any(|held| held.interface == interface && held.prefix.to_string() == prefix)
                }
                ["ip", "link", "set", device, "up"] => {
                    std::fs::read_to_string(format!("/sys/class/net/{device}/flags"))
                        .ok()
                        .and_then(|flags| u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).ok())
                        .is_some_and(|flags| flags & 1 == 1)
                }
                _ => false,
            },
        }
    }

    fn undo(&self, setting: &Setting) -> Option<String> {
        match setting {
            Setting::Sysctl { name, .. } => sysctl::read(name).ok().map(|now| format!("sysctl -w {name}={now}")),
            Setting::Command { undo, .. } => (!undo.is_empty()).then(|| undo.join(" ")),
        }
    }

    fn apply(&mut self, setting: &Setting) -> Result<()> {
        match setting {
            Setting::Sysctl { name, value } => sysctl::write(name, value).with_context(|| format!("cannot set {name}")),
            Setting::Command { apply, may_exist, .. } => match run(apply) {
                Err(_) if *may_exist => Ok(()),
                result => result,
            },
        }
    }

    fn run(&mut self, line: &str) -> Result<()> {
        run_line(line)
    }
}

/// The setting as a line of a shell script.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sysctl { name, value } => write!(f, "sysctl -w {name}={value}"),
            Self::Command { apply, may_exist: false, .. } => f.write_str(&apply.join(" ")),
            Self::Command { apply, may_exist: true, .. } => write!(f, "{} 2>/dev/null || true", apply.join(" ")),
        }
    }
}

fn run_line(line: &str) -> Result<()> {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    match words.as_slice() {
        [program, w, assignment] if program == "sysctl" && w == "-w" => {
            let (name, value) = assignment.split_once('=').with_context(|| format!("not a setting: {line}"))?;
            sysctl::write(name, value).with_context(|| format!("cannot set {name}"))
        }
        [] => Ok(()),
        _ => run(&words),
    }
}

fn run(words: &[String]) -> Result<()> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// A part that a real server plays: for which VIP, and how its packets arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// The virtual address.
    pub vip: IpAddr,
    /// How the director's packets arrive.
    pub arrival: Arrival,
    /// The family of the tunnel's outer packets: that of the real server's own address.
    pub outer: AddressFamily,
    /// The UDP port of generic UDP encapsulation.
    pub gue_port: u16,
}

impl Role {
    /// The settings that it needs, in the order in which they go in force: the host falls silent
    /// before it takes the address.
    pub fn settings(&self) -> Vec<Setting> {
        let vip = self.vip;
        let mut settings = Vec::new();
        if vip.is_ipv4() {
            // Answer ARP only for addresses of the interface asked, and never name the VIP as the
            // sender.
            for interface in ["all", "lo"] {
                settings.push(Setting::sysctl(format!("net.ipv4.conf.{interface}.arp_ignore"), "1"));
                settings.push(Setting::sysctl(format!("net.ipv4.conf.{interface}.arp_announce"), "2"));
            }
        }
        if let Some((device, module)) = self.device() {
            self.tunnel(device, module, &mut settings);
        }
        let (prefix, extra) = if vip.is_ipv4() { (32, "") } else { (128, " nodad") };
        settings.push(Setting::command(
            &format!("ip addr add {vip}/{prefix} dev lo{extra}"),
            &format!("ip addr del {vip}/{prefix} dev lo"),
        ));
        settings
    }

    /// The device on which the inner packets come out, and the module that brings it; none for
    /// direct routing.
    pub fn device(&self) -> Option<(&'static str, &'static str)> {
        match (self.arrival, self.outer) {
            (Arrival::Direct, _) => None,
            (Arrival::Gre, AddressFamily::Ipv4) => Some(("gre0", "ip_gre")),
            (Arrival::Gre, AddressFamily::Ipv6) => Some(("ip6gre0", "ip6_gre")),
            (Arrival::Ipip | Arrival::Gue, AddressFamily::Ipv6) => Some(("ip6tnl0", "ip6_tunnel")),
            (Arrival::Ipip | Arrival::Gue, AddressFamily::Ipv4) if self.vip.is_ipv4() => Some(("tunl0", "ipip")),
            // IPv6 in IPv4 is protocol 41.
            (Arrival::Ipip | Arrival::Gue, AddressFamily::Ipv4) => Some(("sit0", "sit")),
        }
    }

    fn tunnel(&self, device: &str, module: &str, settings: &mut Vec<Setting>) {
        settings.push(Setting::ensuring(&format!("modprobe {module}"), ""));
        if self.arrival == Arrival::Gue {
            let (ip, module) = match self.outer {
                AddressFamily::Ipv4 => ("ip", "fou"),
                AddressFamily::Ipv6 => ("ip -6", "fou6"),
            };
            let port = self.gue_port;
            settings.push(Setting::ensuring(&format!("modprobe {module}"), ""));
            settings
                .push(Setting::command(&format!("{ip} fou add port {port} gue"), &format!("{ip} fou del port {port}")));
        }
        if device == "ip6tnl0" && self.vip.is_ipv4() {
            // By itself this device takes IPv6 inside only.
            settings.push(Setting::command(
                "ip -6 tunnel change ip6tnl0 mode any",
                "ip -6 tunnel change ip6tnl0 mode ip6ip6",
            ));
        }
        settings.push(Setting::command(&format!("ip link set {device} up"), &format!("ip link set {device} down")));
        if self.vip.is_ipv4() {
            // The inner packet's source is the client, which is not reached through the tunnel: a
            // strict check would drop it.
            for interface in ["all", device] {
                settings.push(Setting::sysctl(format!("net.ipv4.conf.{interface}.rp_filter"), "0"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(vip: &str, arrival: Arrival) -> Vec<String> {
        let vip: IpAddr = vip.parse().unwrap();
        let role = Role { vip, arrival, outer: AddressFamily::of(vip), gue_port: 6080 };
        role.settings().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_direct_routing_server_is_silent_before_it_takes_the_address() {
        let script = script("192.0.2.1", Arrival::Direct);
        assert_eq!(script[0], "sysctl -w net.ipv4.conf.all.arp_ignore=1");
        assert_eq!(script.last().unwrap(), "ip addr add 192.0.2.1/32 dev lo");
        assert_eq!(script.len(), 5);
    }

    #[test]
    fn an_ipv6_server_needs_no_arp_settings() {
        assert_eq!(script("2001:db8::1", Arrival::Direct), ["ip addr add 2001:db8::1/128 dev lo nodad"]);
    }

    #[test]
    fn a_gue_server_opens_the_port_and_loosens_the_reverse_path() {
        let script = script("192.0.2.1", Arrival::Gue);
        assert!(script.contains(&"ip fou add port 6080 gue".to_owned()));
        assert!(script.contains(&"sysctl -w net.ipv4.conf.tunl0.rp_filter=0".to_owned()));
    }
}
