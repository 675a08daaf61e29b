//! The reference of the C library: a manual page for each section of `include/lvs.h`, and all of it
//! as one HTML page.
//!
//! The header is the text; what holds for every function of a kind (who releases what, which
//! threads, which statuses) is derived from its prototype and from the description of its handle.
//! Examples are the programs of `lvs-ffi/man/examples`, which a test builds and runs.

mod html;
mod man;
mod read;

use fs_err as fs;
use std::collections::BTreeMap;

use crate::error::{Context, Result};
use crate::{c_header, project};
use read::{Item, Kind, Section};

/// Where manual pages are, and their examples.
pub(crate) const PAGES: &str = "lvs-ffi/man";
pub(crate) const HTML: &str = "lvs-ffi/man/lvs.html";
/// Each function with the page that describes it: `make install` makes a page of each name.
pub(crate) const INDEX: &str = "lvs-ffi/man/functions";

/// The whole reference.
struct Reference {
    sections: Vec<Section>,
    /// What is said of threads at each handle.
    threads: BTreeMap<String, String>,
}

impl Reference {
    fn of_header() -> Result<Self> {
        let header = fs::read_to_string(project::root().join(c_header::FILE))?;
        let mut sections = read::sections(&header, &c_header::modules()?)?;
        for section in &mut sections {
            let example = project::root().join(PAGES).join("examples").join(format!("{}.c", section.module));
            if example.exists() {
                section.example = Some(fs::read_to_string(example)?);
            }
        }
        let handles = sections.iter().flat_map(|section| &section.items).filter(|item| item.kind == Kind::Handle);
        let threads = handles.filter_map(|item| Some((item.name.clone(), item.threads()?))).collect();
        Ok(Self { sections, threads })
    }

    /// What holds for a function besides what its description says: a heading and a sentence each.
    fn rules(&self, function: &Item) -> Vec<(&'static str, String)> {
        let mut rules = Vec::new();
        let made = function.made();
        if !made.is_empty() {
            let released = made
                .iter()
                .map(|(name, handle)| format!("`{name}` is the caller's: release it with {}_free().", handle));
            rules.push(("Lifetime", released.collect::<Vec<_>>().join(" ")));
        } else if function.prototype.starts_with("const char *") {
            let owner = function.handles().next();
            rules.push((
                "Lifetime",
                match owner {
                    Some(handle) => format!("The string belongs to the {}: do not release it.", spoken(&handle)),
                    None => "The string is static.".to_owned(),
                },
            ));
        } else if function.name.ends_with("_free") {
            rules.push(("Lifetime", "The handle, and what was read from it by pointer, is gone.".to_owned()));
        }
        let threads = function.handles().find_map(|handle| self.threads.get(&handle));
        rules.push(("Threads", threads.cloned().unwrap_or_else(|| "Any thread.".to_owned())));
        if function.returns_status() {
            rules.push(("Errors", errors(function, !made.is_empty())));
        }
        rules
    }
}

/// A handle in words.
fn spoken(handle: &str) -> String {
    handle.trim_start_matches("lvs_").replace('_', " ")
}

/// The statuses that a function can return, as far as its kind tells; what is special is in its
/// description.
fn errors(function: &Item, makes: bool) -> String {
    let mut text =
        "LVS_STATUS_INVALID_INPUT if a pointer is NULL that must not be, a record is not initialised, or a value is \
                    none of those that are allowed"
            .to_owned();
    if makes {
        text.push_str("; LVS_STATUS_NO_MEMORY");
    }
    if function.handles().any(|handle| handle == "lvs_director") {
        text.push_str(
            "; what the director answers, with the errno behind it: LVS_STATUS_NOT_FOUND, LVS_STATUS_ALREADY_EXISTS, \
             LVS_STATUS_PERMISSION_DENIED, LVS_STATUS_UNSUPPORTED, LVS_STATUS_KERNEL, LVS_STATUS_DECODE, LVS_STATUS_IO; \
             LVS_STATUS_BUSY from inside a visitor",
        );
    }
    text.push_str(". LVS_STATUS_PANIC is an internal error.");
    text
}

/// The files of the reference by their names in the workspace.
pub(crate) fn files() -> Result<Vec<(String, String)>> {
    let reference = Reference::of_header()?;
    let mut files: Vec<(String, String)> = reference
        .sections
        .iter()
        .map(|section| (format!("{PAGES}/lvs_{}.3", section.module), man::page(&reference, section)))
        .collect();
    let mut index = String::new();
    for section in &reference.sections {
        for function in section.functions().filter(|function| function.name != format!("lvs_{}", section.module)) {
            index.push_str(&format!("{} lvs_{}\n", function.name, section.module));
        }
    }
    files.push((INDEX.to_owned(), index));
    files.push((HTML.to_owned(), html::page(&reference)));
    Ok(files)
}

/// Writes the pages, or names those that are not what is made today.
pub(crate) fn write(check: bool) -> Result<Vec<String>> {
    let mut different = Vec::new();
    let files = files()?;
    for (name, text) in &files {
        let file = project::root().join(name);
        if fs::read_to_string(&file).is_ok_and(|old| old == *text) {
            continue;
        }
        different.push(name.clone());
        if !check {
            fs::write(&file, text)?;
        }
    }
    // A section that is gone leaves a page behind.
    for entry in fs::read_dir(project::root().join(PAGES))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let made = files.iter().any(|(file, _)| file.ends_with(&format!("/{name}")));
        if name.starts_with("lvs_") && !made {
            different.push(name.clone());
            if !check {
                fs::remove_file(project::root().join(PAGES).join(&name)).context(|| format!("cannot remove {name}"))?;
            }
        }
    }
    Ok(different)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_header_has_its_page_and_its_rules() {
        let reference = Reference::of_header().unwrap();
        let header = fs::read_to_string(project::root().join(c_header::FILE)).unwrap();
        let declared = crate::c_abi::parse(&header).functions;
        let described: Vec<&str> =
            reference.sections.iter().flat_map(Section::functions).map(|function| function.name.as_str()).collect();
        let declared: Vec<&str> = declared.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(described, declared);
        for section in &reference.sections {
            let page = man::page(&reference, section);
            for function in section.functions() {
                assert!(!function.text.is_empty(), "{}", function.name);
                assert!(page.contains(&format!("\n.SS {}\n", function.name)), "{}", function.name);
                let rules = reference.rules(function);
                assert!(rules.iter().any(|(heading, _)| *heading == "Threads"));
                assert_eq!(function.returns_status(), rules.iter().any(|(heading, _)| *heading == "Errors"));
            }
        }
    }
}
