//! `cargo xtask install-test`: what `cargo xtask dist` has made is installed on clean Debians, by
//! the words of the page about it.
//!
//! The page's blocks have titles. One with a dot is the name of a file; another is a way to
//! install, and each way has a root of its own that holds the release's files.

use crate::error::{Context, Error, Result};
use crate::fresh::{self, Fresh, Suite};
use crate::stages::Report;
use crate::stages::readme::{Step, blocks, steps};
use crate::{host, project};
use fs_err as fs;
use lexopt::prelude::*;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

const PAGE: &str = "docs/pages/howto/install.md";
/// The way that leaves nothing behind.
const PACKAGES: &str = "Debian";
/// The way that needs nothing of the machine.
const ARCHIVE: &str = "archive";
/// Not on the page: an older release of the packages first, and what is kept.
const UPGRADE: &str = "upgrade";

const HELP: &str = "\
cargo xtask install-test [OPTION...] SUITE [WAY...]

Installs what `cargo xtask dist` has made on a clean Debian (bookworm, trixie or sid; needs root), by the words of
docs/pages/howto/install.md, and says how long it takes to the first balanced request or table.

WAY: Debian, archive, Python, Rust: the titles of the page's blocks; and upgrade. All of them, unless some are named.

  --files DIR   the files (default: target/dist-files)
  --from DIR    upgrade from the packages in this directory (default: the same ones, named an older version)
";

struct Options {
    suite: Suite,
    files: PathBuf,
    from: Option<PathBuf>,
    ways: Vec<String>,
}

/// `cargo xtask install-test ...`
pub(crate) fn main(arguments: Vec<OsString>) -> ExitCode {
    let options = match parse(arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("xtask: {error} (cargo xtask install-test --help)");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: Vec<OsString>) -> Result<Option<Options>> {
    let (mut suite, mut ways, mut from) = (None, Vec::new(), None);
    let mut files = project::target_directory().join("dist-files");
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("files") => files = std::path::absolute(parser.value()?)?,
            Long("from") => from = Some(std::path::absolute(parser.value()?)?),
            Value(name) if suite.is_none() => suite = Some(Suite::named(&name)?),
            Value(name) => ways.push(name.string()?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let suite = suite.ok_or_else(|| Error::new("which suite?"))?;
    Ok(Some(Options { suite, files, from, ways }))
}

/// Whether everything passed.
fn run(options: &Options) -> Result<bool> {
    let page = Page::read(&fs::read_to_string(project::root().join(PAGE))?);
    let known: Vec<&str> = page.ways().into_iter().chain([UPGRADE]).collect();
    if let Some(other) = options.ways.iter().find(|way| !known.contains(&way.as_str())) {
        return Err(Error::new(format!("no way '{other}', only {}", known.join(", "))));
    }
    let mut passed = true;
    for way in known.into_iter().filter(|way| options.ways.is_empty() || options.ways.iter().any(|w| w == way)) {
        eprintln!("\n== {way} on Debian {}", options.suite.name);
        let mut report = Report::default();
        let times = match one(&page, way, options, &mut report) {
            Ok(times) => times,
            Err(error) => {
                report.fail(error.to_string());
                String::new()
            }
        };
        println!("{:<9} {way:<8} {}{times}", options.suite.name, report.counts());
        report.notes().iter().for_each(|note| println!("  {note}"));
        passed &= report.counts().failed == 0 && report.counts().passed > 0;
    }
    Ok(passed)
}

/// Follows the page in one way. Answers how long it took.
fn one(page: &Page, way: &str, options: &Options, report: &mut Report) -> Result<String> {
    let fresh = Fresh::with_files(fresh::Options { suite: options.suite, cache: true }, &options.files)?;
    for (name, body) in &page.files {
        fresh.write(name, body)?;
    }
    let before = files(&fresh)?;
    let start = Instant::now();
    let mut first = None;
    let (upgrade, shown);
    let all: &[Part] = match way {
        UPGRADE => {
            if let Some(from) = &options.from {
                fresh.take(from, "from")?;
            }
            fresh.write("before", BEFORE)?;
            fresh.write("after", AFTER)?;
            upgrade = page.upgrade()?;
            &upgrade
        }
        way => {
            shown = page.parts.iter().filter(|part| part.way == way).cloned().collect::<Vec<_>>();
            &shown
        }
    };
    for part in all {
        for step in steps(part.language, &part.body) {
            Step::run(&step, report, fresh.command(&["bash"]))?;
            if report.counts().failed > 0 {
                // What follows rests on it.
                return Ok(String::new());
            }
        }
        if part.language == "console" {
            first.get_or_insert(start.elapsed());
        }
    }
    match way {
        PACKAGES | UPGRADE => {
            let left: Vec<String> = files(&fresh)?.difference(&before).cloned().collect();
            match left.is_empty() {
                true => report.pass(1),
                false => report.fail(format!("left behind: {}", left.join(" "))),
            }
        }
        ARCHIVE => {
            fresh.write("alone", ALONE)?;
            for step in steps("sh", ". ./alone\n") {
                Step::run(&step, report, fresh.command(&["bash"]))?;
            }
        }
        _ => {}
    }
    let first = first.map(|first| format!(", first result after {:.1} s", first.as_secs_f64())).unwrap_or_default();
    Ok(format!("{first}, all after {:.1} s", start.elapsed().as_secs_f64()))
}

/// All files of the root but for what apt and dpkg keep of what they did, and where we work.
fn files(fresh: &Fresh) -> Result<BTreeSet<String>> {
    const LIST: &str = r"find / -xdev \( -path /root -o -path /tmp -o -path /var/cache -o -path /var/log \
        -o -path /var/lib/apt -o -name '*-old' -o -path /etc/ld.so.cache \) -prune -o -print";
    let output = host::capture(&mut fresh.command(&["bash", "-euc", LIST]))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// The programs where there is nothing else: no C library, no shell, nothing in `/etc`.
const ALONE: &str = r"
mkdir /alone
tar -C /alone --strip-components=1 -xzf lvs-*-linux-$(uname -m).tar.gz
printf -- '-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 198.51.100.7:80 -g -w 1\n' > rules
chroot /alone /sbin/lvs-ipvsadm --embedded=/table.rules -R < rules
chroot /alone /sbin/lvs-ipvsadm --embedded=/table.rules -Sn | diff - rules
chroot /alone /bin/lvsctl --embedded=/table.rules save | grep -v '^--set' | diff - rules
chroot /alone /bin/lvsd --version
";

/// A table, state and a daemon of the release before, on an embedded table: the kernel's would be
/// this machine's.
const BEFORE: &str = r"
mkdir previous
if [ -d from ]; then
  cp from/*.deb previous
else
  for file in *.deb; do
    dpkg-deb --raw-extract $file unpacked
    sed -i -e 's/^Version: .*/Version: 0.0.1/' -e 's/(= [^)]*)/(= 0.0.1)/' unpacked/DEBIAN/control
    dpkg-deb --build unpacked previous/$file
    rm -r unpacked
  done
fi
apt-get update
apt-get install --yes ./previous/*.deb
before=$(dpkg-query -W -f '${Version}' lvs-tools)

cp web.toml /etc/lvs/web.toml
echo 'LVSD_OPTIONS=--watch-file' > /etc/lvs/web.env
mkdir -p /var/lib/lvs
ctl() { lvsctl --embedded=/var/lib/lvs/table.rules $@; }
start() {
  lvsd --embedded=/var/lib/lvs/table.rules /etc/lvs/web.toml &
  daemon=$!
  # 1: something is not as it should be, such as an override.
  until ctl status > /dev/null 2>&1 || [ $? = 1 ]; do kill -0 $daemon; sleep 0.1; done
}
start
ctl override --service tcp://192.0.2.1:80 --server 198.51.100.7:80 --weight 7 --reason maintenance
cp /var/lib/lvs/table.rules table-before
grep -q -- '-w 7' table-before
";
/// What is there still: the table while the old daemon runs on and with the new one, the files, the
/// override in the state.
const AFTER: &str = r"
[ $(dpkg-query -W -f '${Version}' lvs-tools) = $(dpkg-deb -f lvs-tools_*.deb Version) ]
[ $(dpkg-query -W -f '${Version}' lvs-tools) != $before ]
cmp /var/lib/lvs/table.rules table-before
{ ctl status || true; } | grep -q maintenance
kill $daemon
wait $daemon
cmp /var/lib/lvs/table.rules table-before
start
cmp /var/lib/lvs/table.rules table-before
{ ctl status || true; } | grep -q maintenance
cmp web.toml /etc/lvs/web.toml
grep -q watch-file /etc/lvs/web.env
kill $daemon
wait $daemon
";

/// A block of commands.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    way: String,
    /// `sh` or `console`, as in README.md.
    language: &'static str,
    body: String,
}

#[derive(Debug, Default)]
struct Page {
    files: Vec<(String, String)>,
    parts: Vec<Part>,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        for (head, body) in blocks(text) {
            match head.split_once(' ') {
                Some((_, name)) if name.contains('.') => page.files.push((name.to_owned(), body)),
                Some(("sh", way)) => page.parts.push(Part { way: way.to_owned(), language: "sh", body }),
                Some(("console", way)) => page.parts.push(Part { way: way.to_owned(), language: "console", body }),
                _ => {}
            }
        }
        page
    }

    /// In the page's order.
    fn ways(&self) -> Vec<&str> {
        let mut ways: Vec<&str> = Vec::new();
        for part in &self.parts {
            if !ways.contains(&part.way.as_str()) {
                ways.push(&part.way);
            }
        }
        ways
    }

    /// The packages' first block installs, their last removes. What runs meanwhile is one command:
    /// nothing outlives its command in a clean root.
    fn upgrade(&self) -> Result<Vec<Part>> {
        let mut packages = self.parts.iter().filter(|part| part.way == PACKAGES && part.language == "sh");
        let (install, remove) = (packages.next(), packages.next_back());
        let (install, remove) =
            install.zip(remove).context(|| format!("{PAGE} does not say how to install and remove packages"))?;
        let upgrade = Part { body: format!(". ./before\n{}. ./after\n", install.body), ..install.clone() };
        Ok(vec![upgrade, remove.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "```c first.c\nint main;\n```\n```sh Debian\ninstall\n```\n```console Debian\n$ ls\n```\n\
                        ```sh archive\ntar\n```\n```sh Debian\nremove\n```\n```text\nno\n```\n";

    #[test]
    fn titles_are_files_and_ways() {
        let page = Page::read(TEXT);
        assert_eq!(page.files, [("first.c".to_owned(), "int main;\n".to_owned())]);
        assert_eq!(page.ways(), ["Debian", "archive"]);
    }

    #[test]
    fn an_upgrade_is_by_the_words_of_the_page() {
        let parts = Page::read(TEXT).upgrade().unwrap();
        assert!(parts[0].body.contains("\ninstall\n"), "{}", parts[0].body);
        assert_eq!(parts[1].body, "remove\n");
        assert!(Page::read("```sh Debian\ninstall\n```\n").upgrade().is_err());
    }
}
