//! What is in force on this host for which VIP, so that taking back one leaves the others alone.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::{ChangeableHost, Role};
use crate::instance::{Lock, create_directory, lock};
use crate::state::write_atomically;

/// The settings in force, in the order in which they came.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    settings: Vec<Entry>,
}

/// One setting of the host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// What it is; two VIPs that need the same share it.
    setting: String,
    /// The line that takes it back; nothing if it was so before.
    undo: Option<String>,
    /// The VIPs that need it.
    users: Vec<IpAddr>,
}

/// The record of a host, held by one program at a time.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    contents: Contents,
    _lock: Lock,
}

impl Record {
    /// Opens the record in a directory.
    ///
    /// # Errors
    /// It cannot be read, or another program has it open.
    pub fn open(directory: &Path) -> Result<Self> {
        create_directory(directory)?;
        let lock = lock(&directory.join("realserver.lock"))?;
        let Some(lock) = lock else { bail!("another `lvsctl realserver` is at work") };
        let path = directory.join("realserver.json");
        let contents = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Contents::default(),
            text => serde_json::from_slice(&text.with_context(|| format!("cannot read {}", path.display()))?)
                .with_context(|| format!("{} is damaged", path.display()))?,
        };
        Ok(Self { path, contents, _lock: lock })
    }

    fn write(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.contents)?;
        write_atomically(&self.path, &text, 0o600).with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Puts the settings of a role in force, all or none, and returns what was done.
    ///
    /// # Errors
    /// It is in force already; a setting fails, and those before it are taken back.
    pub fn apply(&mut self, role: &Role, host: &mut impl ChangeableHost) -> Result<Vec<String>> {
        if self.contents.settings.iter().any(|entry| entry.users.contains(&role.vip)) {
            bail!("{} is in force already; undo it first", role.vip);
        }
        let mut done = Vec::new();
        for setting in role.settings() {
            let key = setting.to_string();
            if let Some(entry) = self.contents.settings.iter_mut().find(|entry| entry.setting == key) {
                entry.users.push(role.vip);
                continue;
            }
            let there = host.is_in_force(&setting);
            let undo = if there { None } else { host.undo(&setting) };
            // Written first: a crash leaves nothing behind that cannot be taken back.
            self.contents.settings.push(Entry { setting: key.clone(), undo, users: vec![role.vip] });
            let result = self.write().and_then(|()| if there { Ok(()) } else { host.apply(&setting) });
            if let Err(error) = result {
                // What failed is not in force, so there is nothing of it to take back.
                self.contents.settings.pop();
                let (_, failed) = self.undo_of(role.vip, host);
                self.write()?;
                let rest = if failed.is_empty() { String::new() } else { format!("; {}", failed.join("; ")) };
                bail!("{error:#}: taken back{rest}");
            }
            if !there {
                done.push(key);
            }
        }
        self.write()?;
        Ok(done)
    }

    /// Takes the settings of a VIP back as far as no other needs them. Returns what was done, and
    /// what failed: that stays in the record.
    ///
    /// # Errors
    /// Nothing of it is in force, or the record cannot be written.
    pub fn undo(&mut self, vip: IpAddr, host: &mut impl ChangeableHost) -> Result<(Vec<String>, Vec<String>)> {
        if !self.contents.settings.iter().any(|entry| entry.users.contains(&vip)) {
            bail!("nothing of {vip} is in force by `lvsctl realserver apply`");
        }
        let result = self.undo_of(vip, host);
        self.write()?;
        Ok(result)
    }

    fn undo_of(&mut self, vip: IpAddr, host: &mut impl ChangeableHost) -> (Vec<String>, Vec<String>) {
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        let mut kept = Vec::new();
        for mut entry in std::mem::take(&mut self.contents.settings).into_iter().rev() {
            let last = entry.users == [vip];
            if !last {
                entry.users.retain(|user| *user != vip);
                kept.push(entry);
                continue;
            }
            match entry.undo.as_deref().map(|line| (line, host.run(line))) {
                None => {}
                Some((line, Ok(()))) => done.push(line.to_owned()),
                Some((_, Err(error))) => {
                    failed.push(format!("{error:#}"));
                    kept.push(entry);
                }
            }
        }
        kept.reverse();
        self.contents.settings = kept;
        (done, failed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Arrival, Setting};
    use super::*;
    use lvs_core::model::AddressFamily;

    /// A host of sysctls and addresses.
    #[derive(Debug, Clone, Default, PartialEq)]
    struct Fake {
        sysctls: BTreeMap<String, String>,
        commands: Vec<String>,
        fails: Option<&'static str>,
    }

    impl Fake {
        fn new() -> Self {
            let mut fake = Self::default();
            for interface in ["all", "lo"] {
                fake.sysctls.insert(format!("net.ipv4.conf.{interface}.arp_ignore"), "0".to_owned());
                fake.sysctls.insert(format!("net.ipv4.conf.{interface}.arp_announce"), "0".to_owned());
            }
            fake
        }
    }

    impl ChangeableHost for Fake {
        fn is_in_force(&self, setting: &Setting) -> bool {
            match setting {
                Setting::Sysctl { name, value } => self.sysctls.get(name) == Some(value),
                Setting::Command { .. } => self.commands.contains(&setting.to_string()),
            }
        }

        fn undo(&self, setting: &Setting) -> Option<String> {
            match setting {
                Setting::Sysctl { name, .. } => Some(format!("sysctl -w {name}={}", self.sysctls[name])),
                Setting::Command { undo, .. } => (!undo.is_empty()).then(|| undo.join(" ")),
            }
        }

        fn apply(&mut self, setting: &Setting) -> Result<()> {
            if self.fails.is_some_and(|fails| setting.to_string().contains(fails)) {
                bail!("no {setting}");
            }
            match setting {
                Setting::Sysctl { name, value } => drop(self.sysctls.insert(name.clone(), value.clone())),
                Setting::Command { .. } => self.commands.push(setting.to_string()),
            }
            Ok(())
        }

        fn run(&mut self, line: &str) -> Result<()> {
            if self.fails.is_some_and(|fails| line.contains(fails)) {
                bail!("no {line}");
            }
            if let Some((name, value)) = line.strip_prefix("sysctl -w ").and_then(|rest| rest.split_once('=')) {
                self.sysctls.insert(name.to_owned(), value.to_owned());
            } else {
                let add = line.replace(" del ", " add ");
                self.commands.retain(|command| *command != add);
            }
            Ok(())
        }
    }

    fn role(vip: &str) -> Role {
        let vip: IpAddr = vip.parse().unwrap();
        Role { vip, arrival: Arrival::Direct, outer: AddressFamily::of(vip), gue_port: 6080 }
    }

    #[test]
    fn taking_back_one_address_leaves_the_other_silent() {
        let directory = tempfile::tempdir().unwrap();
        let mut host = Fake::new();
        let before = host.clone();
        Record::open(directory.path()).unwrap().apply(&role("192.0.2.10"), &mut host).unwrap();
        let one = host.clone();
        Record::open(directory.path()).unwrap().apply(&role("192.0.2.11"), &mut host).unwrap();
        let mut record = Record::open(directory.path()).unwrap();
        record.undo("192.0.2.10".parse().unwrap(), &mut host).unwrap();
        assert_eq!(host.sysctls, one.sysctls, "192.0.2.11 still needs them");
        assert_eq!(host.commands, ["ip addr add 192.0.2.11/32 dev lo"]);
        record.undo("192.0.2.11".parse().unwrap(), &mut host).unwrap();
        assert_eq!(host, before, "the values seen first are back");
        assert!(record.undo("192.0.2.11".parse().unwrap(), &mut host).is_err());
    }

    #[test]
    fn what_fails_leaves_the_host_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let mut host = Fake { fails: Some("addr add"), ..Fake::new() };
        let before = host.clone();
        let mut record = Record::open(directory.path()).unwrap();
        record.apply(&role("192.0.2.10"), &mut host).unwrap_err();
        assert_eq!(host, before);
        host.fails = None;
        record.apply(&role("192.0.2.10"), &mut host).unwrap();
    }

    #[test]
    fn what_cannot_be_taken_back_stays_in_the_record() {
        let directory = tempfile::tempdir().unwrap();
        let mut host = Fake::new();
        let before = host.clone();
        let vip = "192.0.2.10".parse().unwrap();
        Record::open(directory.path()).unwrap().apply(&role("192.0.2.10"), &mut host).unwrap();
        host.fails = Some("addr del");
        let (done, failed) = Record::open(directory.path()).unwrap().undo(vip, &mut host).unwrap();
        assert!(!done.is_empty() && failed.len() == 1, "{done:?} {failed:?}");
        host.fails = None;
        let (_, failed) = Record::open(directory.path()).unwrap().undo(vip, &mut host).unwrap();
        assert_eq!((failed.len(), &host), (0, &before));
    }

    #[test]
    fn an_address_that_was_there_before_stays() {
        let directory = tempfile::tempdir().unwrap();
        let mut host = Fake::new();
        host.commands.push("ip addr add 192.0.2.10/32 dev lo".to_owned());
        let before = host.clone();
        let mut record = Record::open(directory.path()).unwrap();
        record.apply(&role("192.0.2.10"), &mut host).unwrap();
        record.undo("192.0.2.10".parse().unwrap(), &mut host).unwrap();
        assert_eq!(host, before);
    }
}
