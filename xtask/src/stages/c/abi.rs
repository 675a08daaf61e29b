//! Whether programs of the last release run with today's library, by libabigail: what the header of
//! that release declares is compared with what today's does.
//!
//! Both are compiled to libraries of empty functions, since libabigail reads types from debugging
//! information: that of the library itself describes Rust's. That the library has what the header
//! says, other tests show.

use fs_err as fs;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context, Error, Result};
use crate::stages::Report;
use crate::{c_abi, c_header, host, project};

/// The header of the last release, without its comments: see CONTRIBUTING.md.
const BASELINE: &str = "lvs-ffi/abi-baseline.h";

/// A change of the header: where, from what to what; and whether programs notice.
const CHANGES: [(&str, &str, &str, bool); 9] = [
    ("a field at the end of a sized record", "  char engine[24];\n", "  char engine[24];\n  uint32_t more;\n", false),
    ("a function", "size_t lvs_text_len(", "void lvs_more(void);\nsize_t lvs_text_len(", false),
    ("an enumerator", "  LVS_STATUS_OK = 0,\n", "  LVS_STATUS_OK = 0,\n  LVS_STATUS_MORE = 99,\n", false),
    ("a function less", "size_t lvs_text_len(const struct lvs_text *text);\n", "", true),
    (
        "a parameter more",
        "lvs_text_len(const struct lvs_text *text)",
        "lvs_text_len(const struct lvs_text *text, int x)",
        true,
    ),
    ("another result", "uint32_t lvs_version_number(void)", "uint64_t lvs_version_number(void)", true),
    ("another type of a field", "  uint32_t upper_threshold;\n", "  uint64_t upper_threshold;\n", true),
    ("a field in the middle", "  uint32_t fwmark;\n", "  uint32_t fwmark;\n  uint32_t more;\n", true),
    ("a field of a record without a size", "  uint8_t bytes[16];\n", "  uint8_t bytes[16];\n  uint32_t more;\n", true),
];

pub(super) fn run(report: &mut Report) -> Result<()> {
    host::ensure_programs(&[("abidiff", "abigail-tools")], "it compares the C ABI with the last release's")?;
    let directory = project::target_directory().join("c/abidiff");
    fs::create_dir_all(&directory)?;
    let read = |file: &str| -> Result<String> { Ok(fs::read_to_string(project::root().join(file))?) };
    let (baseline, today) = (read(BASELINE)?, read(c_header::FILE)?);
    let unchanged = library(&directory, "today", &today)?;
    let found = breaks(&library(&directory, "before", &baseline)?, &unchanged, &baseline)?;
    if found.is_empty() {
        report.pass(1);
    } else {
        report.fail(format!("breaks programs that use {BASELINE}: {found:#?}"));
    }
    // The comparison itself: what it has to find, and what it has to let pass.
    for (what, from, to, noticed) in CHANGES {
        let changed = today.replacen(from, to, 1);
        if changed == today {
            report.fail(format!("the header has no {from:?}"));
            continue;
        }
        let after = library(&directory, "changed", &changed)?;
        let found = breaks(&unchanged, &after, &today)?;
        if found.is_empty() != noticed {
            report.pass(1);
        } else {
            report.fail(format!("{what}: {found:#?}"));
        }
    }
    Ok(())
}

/// A shared library with the functions that a header declares.
fn library(directory: &Path, name: &str, header: &str) -> Result<PathBuf> {
    let functions = c_abi::parse(header).functions;
    if functions.is_empty() {
        return Err(Error::new(format!("no functions in the header '{name}'")));
    }
    let (include, source) = (directory.join(format!("{name}.h")), directory.join(format!("{name}.c")));
    fs::write(&include, header)?;
    let mut text = format!("#include \"{name}.h\"\n");
    for (_, prototype) in &functions {
        let _ = writeln!(text, "{} {{ __builtin_trap(); }}", prototype.trim_end_matches(';'));
    }
    fs::write(&source, text)?;
    let made = directory.join(format!("{name}.so"));
    let mut gcc = Command::new("gcc");
    host::capture(gcc.args(["-g", "-shared", "-fPIC"]).arg(&source).arg("-o").arg(&made))?;
    Ok(made)
}

/// What abidiff reports beyond additions.
fn breaks(before: &Path, after: &Path, header: &str) -> Result<Vec<String>> {
    // The status tells that there are differences, and that abidiff has failed.
    const FAILED: i32 = 1 | 2;
    let mut abidiff = Command::new("abidiff");
    let output = abidiff.args(["--no-show-locs", "--no-added-syms"]).arg(before).arg(after).output()?;
    let status = output.status.code().context(|| "abidiff was ended by a signal".into())?;
    if status & FAILED != 0 {
        return Err(Error::new(format!("abidiff failed{}", host::tail_of(&output))));
    }
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = beyond_additions(&report, &c_abi::parse(header).sized_records());
    if status != 0 && report.trim().is_empty() {
        return Ok(vec![format!("abidiff ended with {status} and said nothing")]);
    }
    Ok(found)
}

/// The lines of abidiff's report that are not about fields at the end of records that tell their
/// size. Those that are not known count as well.
fn beyond_additions(report: &str, sized: &BTreeSet<String>) -> Vec<String> {
    let (mut record, mut end) = (String::new(), 0u64);
    let mut found = Vec::new();
    for line in report.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix("in ").and_then(|rest| rest.split("struct ").nth(1)) {
            record = name.trim_end_matches([':', '\'']).to_owned();
        }
        let numbers: Vec<u64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        let known = if let Some(rest) = line.strip_suffix(" (in bits)") {
            // 'uint32_t more', at offset 704
            // type size changed from 704 to 736
            if let (true, [old, new]) = (rest.starts_with("type size changed from "), &numbers[..]) {
                end = *old;
                old < new && sized.contains(&record)
            } else {
                rest.starts_with('\'') && rest.contains("', at offset ") && numbers.last().is_some_and(|at| *at >= end)
            }
        } else {
            line.starts_with("Functions changes summary: ")
                || line.starts_with("Variables changes summary: 0 Removed, 0 Changed")
                || line.ends_with(" with some indirect sub-type change:")
                || line.ends_with(" has some indirect sub-type changes:")
                || line.ends_with(" has sub-type changes:")
                || (line.starts_with("in ") && line.ends_with("':"))
                || line.ends_with(" data member insertion:")
                || line.ends_with(" data member insertions:")
        };
        // The summary counts what is gone.
        let gone = line.starts_with("Functions changes summary: ") && !line.contains(" 0 Removed,");
        if !known || gone {
            found.push(line.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROWN: &str = "\
Functions changes summary: 0 Removed, 1 Changed (14 filtered out), 0 Added functions
Variables changes summary: 0 Removed, 0 Changed, 0 Added variable

1 function with some indirect sub-type change:

  [C] 'function lvs_status lvs_batch_add_service(lvs_batch*, const lvs_service*, lvs_error**)' has some indirect sub-type changes:
    parameter 2 of type 'const lvs_service*' has sub-type changes:
      in pointed to type 'const lvs_service':
        in unqualified underlying type 'struct lvs_service':
          type size changed from 704 to 736 (in bits)
          1 data member insertion:
            'uint32_t more', at offset 704 (in bits)
";

    fn found(report: &str, sized: &str) -> Vec<String> {
        beyond_additions(report, &BTreeSet::from([sized.to_owned()]))
    }

    #[test]
    fn a_field_at_the_end_of_a_sized_record_is_an_addition() {
        assert_eq!(found(GROWN, "lvs_service"), [""; 0]);
    }

    #[test]
    fn whatever_else_is_a_break() {
        assert_eq!(found(GROWN, "lvs_other"), ["type size changed from 704 to 736 (in bits)"]);
        let middle = GROWN.replace("offset 704", "offset 64");
        assert_eq!(found(&middle, "lvs_service"), ["'uint32_t more', at offset 64 (in bits)"]);
        let gone = "Functions changes summary: 1 Removed, 0 Changed, 0 Added function\n";
        assert_eq!(found(gone, "lvs_service"), [gone.trim()]);
        let other = "return type changed:\n";
        assert_eq!(found(other, "lvs_service"), [other.trim()]);
    }
}
