//! Debian's package archive, read through an apt configuration of the lab's own: which releases
//! this machine itself is set up for does not matter, and nothing about it is changed.

use crate::error::{Context, Result};
use crate::host;
use fs_err as fs;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

/// Lists younger than this are not asked for again.
const FRESH: Duration = Duration::from_secs(3600);
/// The same where it is only asked whether there is something newer.
pub(super) const DAY: Duration = Duration::from_secs(24 * 3600);
/// Used where this machine has no Debian mirror in its own package sources.
const MIRROR: &str = "http://deb.debian.org/debian";
const SECURITY_MIRROR: &str = "http://deb.debian.org/debian-security";
/// The keys of Debian's releases: the name differs between releases of the package that brings
/// them.
const KEYS: [&str; 2] =
    ["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"];

/// A release of Debian, or what is published beside one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Release {
    pub(super) name: &'static str,
    /// Whether its security fixes are published apart.
    security: bool,
}

pub(super) const BOOKWORM: Release = Release { name: "bookworm", security: true };
pub(super) const TRIXIE: Release = Release { name: "trixie", security: true };
pub(super) const TRIXIE_BACKPORTS: Release = Release { name: "trixie-backports", security: false };
pub(super) const SID: Release = Release { name: "sid", security: false };

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Packages,
    Sources,
}

impl Kind {
    /// What a directory's name ends with.
    fn suffix(self) -> &'static str {
        match self {
            Self::Packages => "",
            Self::Sources => "-sources",
        }
    }
}

/// A release's package lists, in a directory of the cache.
pub(super) struct Archive {
    release: Release,
    configuration: PathBuf,
}

impl Archive {
    /// Fetches the lists unless they are fresh. `cache` is where everything of the lab is kept.
    pub(super) fn open(release: Release, cache: &Path) -> Result<Self> {
        // A mirror that is away for a moment must not fail a whole run.
        Self::with_lists(release, Kind::Packages, cache, FRESH, "Acquire::Retries=3")
    }

    /// The sources of a release instead of its packages.
    pub(super) fn open_sources(release: Release, cache: &Path) -> Result<Self> {
        Self::with_lists(release, Kind::Sources, cache, FRESH, "Acquire::Retries=3")
    }

    /// The same for who can do without an answer, and does not wait long for one.
    pub(super) fn look_up(release: Release, cache: &Path) -> Result<Self> {
        Self::with_lists(release, Kind::Packages, cache, DAY, "Acquire::http::Timeout=10")
    }

    fn with_lists(release: Release, kind: Kind, cache: &Path, fresh: Duration, network: &str) -> Result<Self> {
        let directory = cache.join("apt").join(format!("{}{}", release.name, kind.suffix()));
        fs::create_dir_all(&directory).context(|| format!("cannot make {}", directory.display()))?;
        let archive = Self { release, configuration: directory.join("apt.conf") };
        let (sources, status) = (directory.join("sources.list"), directory.join("status"));
        let wanted = sources_list(release, kind, &mirrors());
        let updated = directory.join("updated");
        let age = |file: &Path| SystemTime::now().duration_since(fs::metadata(file).ok()?.modified().ok()?).ok();
        if fs::read_to_string(&sources).is_ok_and(|text| text == wanted) && age(&updated).is_some_and(|a| a < fresh) {
            return Ok(archive);
        }
        fs::write(&sources, &wanted)?;
        fs::write(&status, "")?;
        fs::write(&archive.configuration, configuration(&directory))?;
        if fresh == FRESH {
            eprintln!("lab: reading the package lists of Debian {}", release.name);
        }
        let update = ["-o", network, "-o", "APT::Update::Error-Mode=any", "update", "-qq"];
        host::capture(archive.apt("apt-get").args(update))
            .context(|| format!("cannot read the package lists of Debian {}", release.name))?;
        fs::write(updated, "")?;
        Ok(archive)
    }

    /// Names of all packages that match a regular expression.
    pub(super) fn names(&self, expression: &str) -> Result<Vec<String>> {
        let listed = host::capture(self.apt("apt-cache").args(["search", "--names-only", expression]))?;
        let listed = String::from_utf8_lossy(&listed.stdout);
        Ok(listed.lines().filter_map(|l| l.split_whitespace().next()).map(str::to_owned).collect())
    }

    /// Names of the packages that a package needs, alternatives left out.
    pub(super) fn dependencies(&self, package: &str) -> Result<Vec<String>> {
        let shown = host::capture(self.apt("apt-cache").args(["show", "--no-all-versions", package]))?;
        let shown = String::from_utf8_lossy(&shown.stdout);
        let needed = shown.lines().find_map(|l| l.strip_prefix("Depends: ")).unwrap_or_default();
        let name = |item: &str| item.split_whitespace().next().map(str::to_owned);
        Ok(needed.split(',').filter(|item| !item.contains('|')).filter_map(name).collect())
    }

    /// Fetches packages and unpacks all of them into the directory `to`.
    pub(super) fn unpack(&self, packages: &[String], scratch: &Path, to: &Path) -> Result<()> {
        eprintln!("lab: downloading {} from Debian {}", packages.join(", "), self.release.name);
        let downloads = scratch.join("downloads");
        // What an attempt before this one has left behind is not wanted.
        let _ = fs::remove_dir_all(&downloads);
        fs::create_dir_all(&downloads)?;
        let mut download = self.apt("apt-get");
        download.args(["-o", "Acquire::Retries=3", "download", "-qq"]).args(packages).current_dir(&downloads);
        host::capture(&mut download)
            .context(|| format!("cannot download {} (is there a network?)", packages.join(", ")))?;
        for entry in fs::read_dir(&downloads)? {
            host::capture(Command::new("dpkg-deb").arg("-x").arg(entry?.path()).arg(to))?;
        }
        Ok(fs::remove_dir_all(&downloads)?)
    }

    /// Fetches the sources of a package and unpacks them to the directory `to`, without what Debian
    /// has added.
    pub(super) fn unpack_upstream(&self, package: &str, scratch: &Path, to: &Path) -> Result<()> {
        eprintln!("lab: downloading the sources of {package} from Debian {}", self.release.name);
        let downloads = scratch.join("downloads");
        fs::create_dir_all(&downloads)?;
        fs::create_dir_all(to)?;
        let mut download = self.apt("apt-get");
        download.args(["-o", "Acquire::Retries=3", "source", "-qq", "--download-only", "--tar-only", package]);
        host::capture(download.current_dir(&downloads))
            .context(|| format!("cannot download the sources of {package} (is there a network?)"))?;
        for entry in fs::read_dir(&downloads)? {
            let file = entry?.path();
            if file.to_string_lossy().contains(".orig.tar.") {
                let mut tar = Command::new("tar");
                host::capture(tar.arg("-C").arg(to).args(["--strip-components=1", "-xf"]).arg(file))?;
            }
        }
        Ok(fs::remove_dir_all(&downloads)?)
    }

    fn apt(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // Read after the machine's own configuration, which may say how to get at the network.
        command.arg("-c").arg(&self.configuration).env("LC_ALL", "C.UTF-8");
        command
    }
}

/// What makes apt work in `directory` alone.
fn configuration(directory: &Path) -> String {
    let mut text = String::new();
    let at = directory.display();
    for (key, value) in [("State", ""), ("State::lists", "/lists"), ("State::status", "/status"), ("Cache", "/cache")] {
        let _ = writeln!(text, "Dir::{key} \"{at}{value}\";");
    }
    let _ = writeln!(text, "Dir::Etc::sourcelist \"{at}/sources.list\";");
    text.push_str(concat!(
        "Dir::Etc::sourceparts \"/dev/null\";\nDir::Etc::preferences \"/dev/null\";\n",
        "Dir::Etc::preferencesparts \"/dev/null\";\n",
        // Built once, then searched many times.
        "Dir::Cache::pkgcache \"pkgcache.bin\";\n",
        "APT::Architecture \"amd64\";\n#clear APT::Architectures;\nAPT::Architectures { \"amd64\"; };\n",
        "Acquire::Languages \"none\";\n",
        // apt's own user may not be able to enter the cache.
        "APT::Sandbox::User \"root\";\n",
        // What the machine does after its own updates.
        "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n",
        // Not needed here, and some of them are large.
        "#clear Acquire::IndexTargets::deb::Contents-deb;\n#clear Acquire::IndexTargets::deb::DEP-11;\n",
        "#clear Acquire::IndexTargets::deb::DEP-11-icons-small;\n#clear Acquire::IndexTargets::deb::DEP-11-icons;\n",
        "#clear Acquire::IndexTargets::deb::DEP-11-icons-hidpi;\n",
        "#clear Acquire::IndexTargets::deb::DEP-11-icons-large;\n",
        "#clear Acquire::IndexTargets::deb::DEP-11-icons-large-hidpi;\n",
    ));
    text
}

fn sources_list(release: Release, kind: Kind, (mirror, security): &(String, String)) -> String {
    let options = KEYS.iter().find(|k| Path::new(k).exists()).map_or_else(String::new, |k| format!("[signed-by={k}] "));
    if kind == Kind::Sources {
        return format!("deb-src {options}{mirror} {} main\n", release.name);
    }
    let mut text = format!("deb {options}{mirror} {} main\n", release.name);
    if release.security {
        let _ = writeln!(text, "deb {options}{security} {}-security main", release.name);
    }
    text
}

/// Where this machine gets Debian's packages, and the security fixes.
pub(crate) fn mirrors() -> (String, String) {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    let parts = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten().map(|entry| entry.path());
    files.extend(parts.filter(|p| p.extension().is_some_and(|e| e == "list" || e == "sources")));
    files.sort();
    let text: String = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect::<Vec<_>>().join("\n");
    let found = |name: &str, otherwise: &str| mirror(&text, name).unwrap_or(otherwise).to_owned();
    (found("debian", MIRROR), found("debian-security", SECURITY_MIRROR))
}

/// The first address in apt's source files, of either format, whose last part is `name` (or a list
/// of mirrors of it).
fn mirror<'a>(sources: &'a str, name: &str) -> Option<&'a str> {
    let lines = sources.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let mut words = lines.filter(|l| l.starts_with("deb ") || l.starts_with("URIs:")).flat_map(str::split_whitespace);
    words.find(|word| {
        let path = word.trim_end_matches('/');
        path.contains(":/") && path.rsplit('/').next().is_some_and(|last| last.trim_end_matches(".list") == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_mirrors_are_found_in_both_formats() {
        let one_line = "# deb http://old.example/debian stable main\n\
                        deb [signed-by=/k.gpg] https://packages.example/cloud cloud main\n\
                        deb http://mirror.example/debian/ bookworm main\n\
                        deb http://mirror.example/debian-security bookworm-security main\n";
        assert_eq!(mirror(one_line, "debian"), Some("http://mirror.example/debian/"));
        assert_eq!(mirror(one_line, "debian-security"), Some("http://mirror.example/debian-security"));
        let stanzas = "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: trixie\n\n\
                       Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian-security.list\n";
        assert_eq!(mirror(stanzas, "debian"), Some("mirror+file:///etc/apt/mirrors/debian.list"));
        assert_eq!(mirror(stanzas, "debian-security"), Some("mirror+file:///etc/apt/mirrors/debian-security.list"));
        assert_eq!(mirror("deb http://mirror.example/ubuntu noble main\n", "debian"), None);
    }

    #[test]
    fn security_fixes_are_listed_beside_the_release_that_has_them() {
        let mirrors = ("http://m/debian".to_owned(), "http://m/debian-security".to_owned());
        let lines = |release| sources_list(release, Kind::Packages, &mirrors).lines().count();
        assert_eq!((lines(BOOKWORM), lines(TRIXIE_BACKPORTS)), (2, 1));
        assert!(
            sources_list(TRIXIE, Kind::Packages, &mirrors).contains("http://m/debian-security trixie-security main\n")
        );
    }
}
