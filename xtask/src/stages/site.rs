//! The documentation site: it builds, no link is broken, and the commands of its own pages print
//! what they say.
//!
//! Blocks marked `console` are run as in README.md, in a directory for each page, with the programs
//! of this workspace in PATH; one marked `toml NAME` is that file. Pages that are kept elsewhere
//! are tested where they are.

use super::Report;
use super::readme::{Step, blocks, steps};
use crate::error::{Context, Result};
use crate::project::cargo;
use crate::{host, project, site};
use fs_err as fs;
use std::path::{Path, PathBuf};

const PAGES: &str = "docs/pages";

pub(crate) fn run(report: &mut Report) -> Result<()> {
    site::build()?;
    report.pass(1);
    host::capture(&mut cargo(&["build", "--quiet", "--package", "lvs-examples", "--package", "lvsd", "--bins"]))?;
    let mut pages = Vec::new();
    collect(&project::root().join(PAGES), &mut pages)?;
    for page in pages {
        follow(report, &page)?;
    }
    Ok(())
}

/// The pages, but for translations, which take their commands from the original.
fn collect(directory: &Path, pages: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, pages)?;
        } else if name.ends_with(".md") && !name.ends_with(".zh.md") {
            pages.push(path);
        }
    }
    pages.sort();
    Ok(())
}

fn follow(report: &mut Report, page: &Path) -> Result<()> {
    let text = fs::read_to_string(page)?;
    let directory = project::root().join("target/site-page");
    project::remove(&directory)?;
    fs::create_dir_all(&directory)?;
    let programs = project::target_directory().join("debug");
    let path = std::env::join_paths(std::iter::once(programs).chain(host::search_path()))
        .context(|| "the workspace's directory cannot stand in PATH".into())?;
    for (language, body) in blocks(&text) {
        if let Some(("toml", name)) = language.split_once(' ') {
            fs::write(directory.join(name), body)?;
        } else if language == "console" {
            for step in steps(language, &body) {
                let mut bash = project::command("bash");
                bash.current_dir(&directory).env("PATH", &path);
                Step::run(&step, report, bash)?;
            }
        }
    }
    Ok(())
}
