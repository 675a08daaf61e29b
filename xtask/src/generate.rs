//! `cargo xtask generate [--check]`: files that are made by this program and committed.

use crate::error::{Context, Error, Result};
use crate::project;
use crate::{c_abi, c_header, debian};
use fs_err as fs;
use std::ffi::OsString;
use std::process::ExitCode;

/// One generated file.
pub(crate) struct Generator {
    /// Its path in the workspace.
    pub(crate) file: &'static str,
    /// Makes its contents.
    pub(crate) make: fn() -> Result<Vec<u8>>,
}

/// To add a generated file, add a row.
pub(crate) const GENERATORS: &[Generator] = &[
    Generator { file: c_header::FILE, make: c_header::make },
    // From the header, and therefore behind it.
    Generator { file: c_abi::FILE, make: c_abi::make },
    Generator { file: debian::SYMBOLS, make: debian::symbols },
];

impl Generator {
    /// Whether the committed file is what is made today.
    pub(crate) fn check(&self) -> Result<()> {
        let committed = fs::read(project::root().join(self.file)).context(|| format!("cannot read {}", self.file))?;
        if committed == (self.make)()? {
            Ok(())
        } else {
            Err(Error::new(format!("{} is not what `cargo xtask generate` makes", self.file)))
        }
    }

    fn write(&self) -> Result<()> {
        let file = project::root().join(self.file);
        let made = (self.make)()?;
        if fs::read(&file).is_ok_and(|old| old == made) {
            return Ok(());
        }
        eprintln!("xtask: writing {}", self.file);
        fs::write(&file, made).context(|| format!("cannot write {}", self.file))
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
    for generator in GENERATORS {
        if let Err(error) = if check { generator.check() } else { generator.write() } {
            eprintln!("xtask: {error}");
            code = ExitCode::FAILURE;
        }
    }
    code
}
