//! `cargo xtask dist`: what users install, made from HEAD.
//!
//! The sources are a clone of their own, so that nothing goes in that is not committed. Times come
//! from the commit and paths of this machine are mapped away: the same commit, made twice with the
//! same tools, gives the same bytes.

mod archive;
mod crates;
mod debian;
mod python;
mod sbom;
mod source;
mod text;

use crate::error::{Context, Error, Result};
use crate::project;
use fs_err as fs;
use lexopt::prelude::*;
use source::Source;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// One kind of what is handed out.
struct Part {
    name: &'static str,
    what: &'static str,
    /// Puts its files into the directory.
    make: fn(&Source, &Path) -> Result<()>,
}

/// What takes seconds comes first.
const PARTS: [Part; 7] = [
    Part { name: "changelog", what: "this version's section of the changelog", make: text::changelog },
    Part { name: "sbom", what: "what the programs are made of (CycloneDX)", make: sbom::make },
    Part { name: "sources", what: "an archive of the sources", make: archive::sources },
    Part { name: "crates", what: "the packages for crates.io", make: crates::make },
    Part { name: "python", what: "wheel and source distribution for PyPI", make: python::make },
    Part {
        name: "programs",
        what: "an archive of the programs, for any Linux of this processor",
        make: archive::programs,
    },
    Part { name: "debian", what: "Debian packages", make: debian::make },
];

const HELP: &str = "\
cargo xtask dist [--out DIR] [PART...]

Makes what users install, from HEAD, and SHA256SUMS of it. Without parts, all of them.

  --out DIR   where to put it (default: target/dist-files); files of an earlier run are replaced; a directory
              that holds anything else is refused

Parts:
";

/// `cargo xtask dist ...`
pub(crate) fn main(arguments: Vec<OsString>) -> ExitCode {
    let (out, parts) = match parse(arguments) {
        Ok(Some(parsed)) => parsed,
        Ok(None) => {
            print!("{HELP}");
            PARTS.iter().for_each(|part| println!("  {:<11} {}", part.name, part.what));
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("xtask: {error} (cargo xtask dist --help)");
            return ExitCode::from(2);
        }
    };
    match run(&out, &parts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(out: &Path, parts: &[&Part]) -> Result<()> {
    earlier(out)?;
    let source = Source::new()?;
    // Unfinished files are never in the output directory.
    let made = source.base.join("made");
    project::remove(&made)?;
    fs::create_dir_all(&made)?;
    for part in parts {
        let start = Instant::now();
        (part.make)(&source, &made).context(|| format!("{} ({})", part.name, part.what))?;
        eprintln!("{:<11} {:>7.1} s", part.name, start.elapsed().as_secs_f64());
    }
    text::sums(&made)?;
    for file in earlier(out)? {
        fs::remove_file(file)?;
    }
    project::copy(&made, out, &[])?;
    for file in files(out)? {
        println!("{:>10} {}", fs::metadata(&file)?.len(), file.file_name().unwrap_or_default().to_string_lossy());
    }
    Ok(())
}

/// What an earlier run has put into the directory: what its sums name, and they themselves.
/// Anything else in it is an error.
fn earlier(out: &Path) -> Result<Vec<PathBuf>> {
    if !out.exists() {
        return Ok(Vec::new());
    }
    let made = text::summed(out)?;
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let found = files(out)?;
    match found.iter().find(|file| !made.contains(&name(file))) {
        None => Ok(found),
        Some(other) => {
            Err(Error::new(format!("{} is not from an earlier run: choose an empty directory", other.display())))
        }
    }
}

/// The files of a directory, by name.
fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        files.push(entry?.path());
    }
    files.sort();
    Ok(files)
}

/// The files of a directory whose names end so: at least one.
fn ending(directory: &Path, end: &str) -> Result<Vec<PathBuf>> {
    let found: Vec<_> = files(directory)?.into_iter().filter(|file| file.to_string_lossy().ends_with(end)).collect();
    if found.is_empty() { Err(Error::new(format!("no *{end} in {}", directory.display()))) } else { Ok(found) }
}

/// Copies the files of a directory whose names end so.
fn take(from: &Path, end: &str, out: &Path) -> Result<()> {
    for file in ending(from, end)? {
        fs::copy(&file, out.join(file.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// The output directory and the parts that a command line names. Nothing: help.
fn parse(arguments: Vec<OsString>) -> Result<Option<(PathBuf, Vec<&'static Part>)>> {
    let (mut out, mut parts) = (project::target_directory().join("dist-files"), Vec::new());
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help" | "list") => return Ok(None),
            Long("out") => out = std::path::absolute(parser.value()?)?,
            Value(name) => {
                let part = PARTS.iter().find(|part| name == part.name);
                parts.push(part.context(|| format!("no part '{}'", name.to_string_lossy()))?);
            }
            _ => return Err(argument.unexpected().into()),
        }
    }
    if parts.is_empty() {
        parts = PARTS.iter().collect();
    }
    Ok(Some((out, parts)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Result<Option<Vec<&'static str>>> {
        let parsed = parse(line.split_whitespace().map(OsString::from).collect())?;
        Ok(parsed.map(|(_, parts)| parts.iter().map(|part| part.name).collect()))
    }

    #[test]
    fn a_directory_with_anything_else_in_it_is_left_as_it_is() {
        let out = project::target_directory().join("dist-test");
        project::remove(&out).unwrap();
        assert!(earlier(&out).unwrap().is_empty());
        fs::create_dir_all(&out).unwrap();
        fs::write(out.join("made"), "").unwrap();
        text::sums(&out).unwrap();
        assert_eq!(earlier(&out).unwrap(), [out.join("SHA256SUMS"), out.join("made")]);
        fs::write(out.join("mine"), "").unwrap();
        assert!(earlier(&out).unwrap_err().to_string().contains("mine"));
        project::remove(&out).unwrap();
    }

    #[test]
    fn parts_are_chosen_by_name() {
        assert_eq!(names("--out /tmp/x crates sbom").unwrap().unwrap(), ["crates", "sbom"]);
        assert_eq!(names("").unwrap().unwrap().len(), PARTS.len());
        assert!(names("--help").unwrap().is_none());
        assert!(names("floppies").is_err());
    }
}
