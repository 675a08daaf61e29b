//! `cargo xtask generate [--check]`: files that are made by this program and committed.

use crate::error::{Context, Error, Result};
use crate::project;
use crate::{c_abi, c_header, c_reference, debian, rust_api};
use fs_err as fs;
use std::ffi::OsString;
use std::process::ExitCode;

/// One generated file.
pub(crate) struct Generator {
    /// Its path in the workspace.
    pub(crate) file: &'static str,
    /// Makes its contents.
    pub(crate) make: fn() -> Result<Vec<u8>>,
    /// Why it cannot be made on this machine, if it cannot.
    pub(crate) obstacle: fn() -> Result<Option<String>>,
}

fn none() -> Result<Option<String>> {
    Ok(None)
}

/// To add a generated file, add a row.
pub(crate) const GENERATORS: &[Generator] = &[
    Generator { file: c_header::FILE, make: c_header::make, obstacle: none },
    // From the header, and therefore behind it.
    Generator { file: c_abi::FILE, make: c_abi::make, obstacle: none },
    Generator { file: debian::SYMBOLS, make: debian::symbols, obstacle: none },
    Generator { file: rust_api::FILE, make: rust_api::make, obstacle: rust_api::obstacle },
    Generator { file: "lvs-core/schema/lvs.schema.json", make: json_schema, obstacle: none },
];

/// The JSON Schema of what all languages read and write, from the types of lvs-core.
fn json_schema() -> Result<Vec<u8>> {
    let arguments = ["run", "--quiet", "--package", "lvs-core", "--features", "schema", "--example", "schema"];
    let output = project::cargo(&arguments).output().context(|| "cannot run cargo".into())?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Error::new(format!("cannot make the JSON Schema: {}", String::from_utf8_lossy(&output.stderr))))
    }
}

impl Generator {
    /// Whether the committed file is what is made today; gives back why that cannot be known here,
    /// if it cannot.
    pub(crate) fn check(&self) -> Result<Option<String>> {
        if let Some(obstacle) = (self.obstacle)()? {
            return Ok(Some(obstacle));
        }
        let committed = fs::read(project::root().join(self.file)).context(|| format!("cannot read {}", self.file))?;
        if committed == (self.make)()? {
            Ok(None)
        } else {
            Err(Error::new(format!("{} is not what `cargo xtask generate` makes", self.file)))
        }
    }

    fn write(&self) -> Result<Option<String>> {
        if let Some(obstacle) = (self.obstacle)()? {
            return Ok(Some(obstacle));
        }
        let file = project::root().join(self.file);
        let made = (self.make)()?;
        if fs::read(&file).is_ok_and(|old| old == made) {
            return Ok(None);
        }
        eprintln!("xtask: writing {}", self.file);
        fs::write(&file, made).context(|| format!("cannot write {}", self.file))?;
        Ok(None)
    }
}

/// `cargo xtask generate ...`
pub(crate) fn main(arguments: Vec<OsString>) -> ExitCode {
    let check = match arguments.as_slice() {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => {
            eprintln!("xtask: cargo xtask generate [--check]");
            return ExitCode::from(2);
        }
    };
    let mut code = ExitCode::SUCCESS;
    let mut fail = |what: String| {
        eprintln!("xtask: {what}");
        code = ExitCode::FAILURE;
    };
    for generator in GENERATORS {
        match if check { generator.check() } else { generator.write() } {
            Ok(None) => {}
            Ok(Some(obstacle)) => eprintln!("xtask: {obstacle}"),
            Err(error) => fail(error.to_string()),
        }
    }
    // Many files, from the header.
    match c_reference::write(check) {
        Ok(files) if check && !files.is_empty() => fail(format!("{files:?} are not what `cargo xtask generate` makes")),
        Ok(files) => files.iter().for_each(|file| eprintln!("xtask: writing {file}")),
        Err(error) => fail(error.to_string()),
    }
    code
}
