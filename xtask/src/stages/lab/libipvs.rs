//! Upstream's ipvsadm on the library: its sources are compiled, unchanged, with
//! `examples/c/libipvs` in place of the libipvs that they bring.

use super::collect::Item;
use crate::error::{Context, Result};
use crate::{host, lab, project};
use fs_err as fs;

/// Compares it with Debian's, in a kernel.
const SCRIPT: &str = "lvs-ffi/tests/lab/libipvs/compare.sh";
/// What ipvsadm is made of, apart from libipvs.
const SOURCES: [&str; 3] = ["ipvsadm.c", "config_stream.c", "dynamic_array.c"];
/// The parser of its options.
const POPT: [&str; 2] = ["libpopt-dev", "libpopt0"];

/// Needs the library built in `debug`.
pub(super) fn item() -> Result<Item> {
    let directory = project::target_directory().join("lab/libipvs");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory)?;
    let upstream = lab::ipvsadm_sources()?;
    // A copy without their libipvs: a header is looked for beside the file that asks for it first.
    for entry in fs::read_dir(&upstream)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), directory.join(entry.file_name()))?;
        }
    }
    let popt = directory.join("popt");
    host::unpack(&[], &POPT, &popt)?;
    let libraries = popt.join("usr/lib").join(host::multiarch()?);
    let words = |file: &str| -> Result<String> { Ok(fs::read_to_string(upstream.join(file))?.trim().to_owned()) };
    let program = directory.join("ipvsadm-on-liblvs");
    let mut cc = project::command("gcc");
    for (name, file) in [("VERSION", "VERSION"), ("SCHEDULERS", "SCHEDULERS"), ("PE_LIST", "PERSISTENCE_ENGINES")] {
        cc.arg(format!("-D{name}=\"{}\"", words(file)?));
    }
    cc.arg("-g").arg("-I").arg(&directory).args(["-Iexamples/c", "-Iinclude", "-I"]).arg(popt.join("usr/include"));
    cc.args(SOURCES.map(|file| directory.join(file)))
        .arg("examples/c/libipvs/libipvs.c")
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(project::target_directory().join("debug"))
        .arg("-llvs");
    host::capture(cc.arg("-L").arg(&libraries).arg("-l:libpopt.so.0"))
        .context(|| "ipvsadm's sources with examples/c/libipvs".into())?;
    let command = vec!["bash".into(), SCRIPT.into(), program.to_string_lossy().into_owned()];
    Ok(Item { name: "lvs-ffi/libipvs".into(), command, directory: project::root().into(), tests: None })
}
