//! `lvs-ffi/abi.txt`: what a program that was compiled against `lvs.h` relies on.
//!
//! Every function's prototype, every constant and enumerator with its value, every struct with its
//! size and the place of each field. Nothing here may change within one soname but by additions
//! (fields at the end of sized records, functions, enumerators): a difference of this file is what
//! a reviewer looks at.

use fs_err as fs;
use std::fmt::Write as _;
use std::process::Command;

use crate::error::{Context, Error, Result};
use crate::{c_header, host, project};

pub(crate) const FILE: &str = "lvs-ffi/abi.txt";

const HEAD: &str = "\
# What programs compiled against include/lvs.h rely on, for machines with 64-bit pointers (LP64).
# Made by `cargo xtask generate`. A line that changes or disappears is a break of the ABI: it needs a new soname.
# New lines are additions. The size of a record that begins with struct_size may grow.
";

/// What the header declares, as far as the ABI goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Declarations {
    /// Names and whole prototypes on one line, in the order of the header.
    pub(crate) functions: Vec<(String, String)>,
    /// Names of macros that hold a number.
    constants: Vec<String>,
    /// Names of enumerators.
    enumerators: Vec<String>,
    /// Structs with the names of their fields.
    structs: Vec<(String, Vec<String>)>,
}

impl Declarations {
    /// The records that begin with their size, and may grow.
    pub(crate) fn sized_records(&self) -> std::collections::BTreeSet<String> {
        let sized = self.structs.iter().filter(|(_, fields)| fields.first().is_some_and(|name| name == "struct_size"));
        sized.map(|(name, _)| name.clone()).collect()
    }
}

pub(crate) fn make() -> Result<Vec<u8>> {
    let header = fs::read_to_string(project::root().join(c_header::FILE))
        .context(|| format!("cannot read {}", c_header::FILE))?;
    let declarations = parse(&header);
    let mut text = HEAD.to_owned();
    text.push_str(&measured(&declarations)?);
    text.push('\n');
    for (_, prototype) in &declarations.functions {
        let _ = writeln!(text, "{prototype}");
    }
    Ok(text.into_bytes())
}

/// Reads the header that `c_header` writes: this is no C parser, it relies on that layout.
pub(crate) fn parse(header: &str) -> Declarations {
    let mut found = Declarations::default();
    let mut lines = header.lines().filter(|line| !line.trim_start().starts_with(['*', '/'])).peekable();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("#define LVS_") {
            let mut words = rest.splitn(2, ' ');
            let (name, value) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            // The version is no part of the ABI.
            if !name.starts_with("VERSION")
                && (value.starts_with(|c: char| c.is_ascii_digit()) || value.starts_with("UINT"))
            {
                found.constants.push(format!("LVS_{name}"));
            }
        } else if line.starts_with("LVS_ENUM(") {
            for line in lines.by_ref().take_while(|line| !line.starts_with('}')) {
                if let Some((name, _)) = line.trim().split_once(" = ") {
                    found.enumerators.push(name.to_owned());
                }
            }
        } else if let Some(name) = line.strip_prefix("typedef struct ").and_then(|rest| rest.strip_suffix(" {")) {
            let fields = lines.by_ref().take_while(|line| !line.starts_with('}'));
            let fields = fields.filter_map(|line| {
                let declaration = line.trim().strip_suffix(';')?;
                let name = declaration.split('[').next()?.rsplit([' ', '*']).next()?;
                Some(name.to_owned())
            });
            found.structs.push((name.to_owned(), fields.collect()));
        } else if line.contains('(') && !line.starts_with(['#', ' ', '}']) && !line.starts_with("typedef") {
            let mut prototype = line.to_owned();
            while !prototype.ends_with(';') {
                let Some(next) = lines.next() else { break };
                let _ = write!(prototype, " {}", next.trim());
            }
            let before = prototype.split('(').next().unwrap_or("");
            let name = before.rsplit([' ', '*']).next().unwrap_or("").to_owned();
            if name.starts_with("lvs_") {
                found.functions.push((name, prototype));
            }
        }
    }
    found
}

/// Sizes, places and values, as the C compiler says.
fn measured(declarations: &Declarations) -> Result<String> {
    let mut program = "#include <lvs.h>\n#include <stdio.h>\nint main(void) {\n".to_owned();
    for name in declarations.constants.iter().chain(&declarations.enumerators) {
        let _ = writeln!(program, "  printf(\"{name} = %lld\\n\", (long long){name});");
    }
    for (name, fields) in &declarations.structs {
        let _ = writeln!(program, "  printf(\"\\nstruct {name}: %zu bytes\\n\", sizeof(struct {name}));");
        for field in fields {
            let _ = writeln!(
                program,
                "  printf(\"  {field}: %zu bytes at %zu\\n\", sizeof(((struct {name} *)0)->{field}), \
                 offsetof(struct {name}, {field}));"
            );
        }
    }
    program.push_str("  return 0;\n}\n");
    let directory = project::target_directory().join("c");
    fs::create_dir_all(&directory)?;
    let (source, binary) = (directory.join("abi.c"), directory.join("abi"));
    fs::write(&source, program)?;
    host::ensure_programs(&[("cc", "gcc")], "it measures the C ABI")?;
    let include = project::root().join("include");
    host::capture(Command::new("cc").arg("-I").arg(include).arg(&source).arg("-o").arg(&binary))?;
    let output = host::capture(&mut Command::new(&binary))?;
    String::from_utf8(output.stdout).map_err(|error| Error::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_read_as_the_header_has_them() {
        let header = "\
#ifndef LVS_H
#define LVS_H
#define LVS_VERSION \"0.1.0\"
/**
 * IPv4: (not a function).
 */
#define LVS_FAMILY_IPV4 2
LVS_ENUM(lvs_role) {
  /**
   * Sends.
   */
  LVS_ROLE_MASTER = 1,
};
typedef struct lvs_error lvs_error;
typedef void (*lvs_visitor)(void *user);
typedef struct lvs_thing {
  /**
   * Size.
   */
  uint32_t struct_size;
  char name[16];
  const char *const *names;
} lvs_thing;
LVS_NODISCARD
lvs_status lvs_thing_get(const struct lvs_thing *thing,
                         struct lvs_error **err);
const char *lvs_version(void);
#define LVS_THING_INIT {1}
";
        let found = parse(header);
        assert_eq!(found.constants, ["LVS_FAMILY_IPV4"]);
        assert_eq!(found.enumerators, ["LVS_ROLE_MASTER"]);
        let fields = ["struct_size", "name", "names"].map(str::to_owned).to_vec();
        assert_eq!(found.structs, [("lvs_thing".to_owned(), fields)]);
        assert_eq!(
            found.functions,
            [
                (
                    "lvs_thing_get".to_owned(),
                    "lvs_status lvs_thing_get(const struct lvs_thing *thing, struct lvs_error **err);".to_owned()
                ),
                ("lvs_version".to_owned(), "const char *lvs_version(void);".to_owned()),
            ]
        );
    }
}
