//! `include/lvs.h`, made from `lvs-ffi` by cbindgen.

mod arrange;
mod expand;

use fs_err as fs;
use std::path::Path;

use arrange::Section;
use expand::Templates;

use crate::error::{Context, Error, Result};
use crate::project;

pub(crate) const FILE: &str = "include/lvs.h";

pub(crate) fn make() -> Result<Vec<u8>> {
    let crate_dir = project::root().join("lvs-ffi");
    let config = crate_dir.join("cbindgen.toml");
    let mut config = cbindgen::Config::from_file(config).map_err(Error::new)?;
    config.after_includes = Some(version_macros());
    let sections = sections(&crate_dir.join("src"))?;
    let expanded = project::target_directory().join("c").join("lvs-ffi.rs");
    fs::create_dir_all(expanded.parent().context(|| "no directory".to_owned())?)?;
    let modules = sections
        .iter()
        .enumerate()
        .map(|(number, section)| format!("pub mod m{number} {{\n{}\n}}\n", inner(&section.source)));
    fs::write(&expanded, modules.collect::<String>())?;
    let bindings = cbindgen::Builder::new()
        .with_src(&expanded)
        .with_config(config)
        .generate()
        .context(|| "cbindgen".to_owned())?;
    let mut header = Vec::new();
    bindings.write(&mut header);
    let header = String::from_utf8(header).map_err(|error| Error::new(error.to_string()))?;
    Ok(arrange::arrange(&header, &sections)?.into_bytes())
}

/// A module's source without its heading, which cannot stand inside of another file.
fn inner(source: &str) -> String {
    source.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")).collect()
}

/// The modules of `lvs-ffi`: names, and the headings of their sections.
pub(crate) fn modules() -> Result<Vec<(String, String)>> {
    let sections = sections(&project::root().join("lvs-ffi/src"))?;
    Ok(sections.into_iter().map(|section| (section.module, section.title)).collect())
}

/// The modules of `lvs-ffi`, in the order of its `lib.rs`, with the macros of its `exports.rs`
/// expanded.
fn sections(source: &Path) -> Result<Vec<Section>> {
    let read = |name: &str| {
        let file = source.join(name);
        fs::read_to_string(&file).context(|| format!("cannot read {}", file.display()))
    };
    let library = read("lib.rs")?;
    let templates = Templates::read(&read("exports.rs")?)?;
    let modules = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    modules
        .map(|name| {
            let source = templates.expand(&read(&format!("{name}.rs"))?)?;
            let title = source.lines().next().and_then(|line| line.strip_prefix("//! "));
            let title = title.context(|| format!("{name}.rs does not begin with a heading"))?;
            Ok(Section { module: name.to_owned(), title: title.trim_end_matches('.').to_owned(), source })
        })
        .collect()
}

/// The library's version for the preprocessor: the workspace has one version for all.
fn version_macros() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let [major, minor, patch] =
        [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")];
    format!(
        "
/* The version of this header; lvs_version() says that of the library that is loaded. */
#define LVS_VERSION \"{version}\"
#define LVS_VERSION_MAJOR {major}
#define LVS_VERSION_MINOR {minor}
#define LVS_VERSION_PATCH {patch}
#define LVS_VERSION_NUMBER (LVS_VERSION_MAJOR * 1000000 + LVS_VERSION_MINOR * 1000 + LVS_VERSION_PATCH)

/* A result that must not be ignored. */
#if defined(__GNUC__)
#define LVS_NODISCARD __attribute__((warn_unused_result))
#else
#define LVS_NODISCARD
#endif

/* Items. */
"
    )
}
