//! What the guest is told to run: a script for sh, with the environment in front.

use super::options::{Job, Options};
use crate::error::{Context, Result};
use crate::host;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::process::Command;

/// Variables of this process that a program in the guest may want as well, beside those that start
/// as below.
const PASSED_ON: [&str; 6] = ["LANG", "TERM", "USER", "LOGNAME", "VIRTUAL_ENV", "CI"];
const PASSED_ON_STARTS: [&str; 4] = ["LC_", "PYTHON", "RUST", "LVS_"];

/// The bytes as one word of sh.
pub(crate) fn quoted(word: &OsStr) -> OsString {
    let bytes = word.as_bytes();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(b);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return word.into();
    }
    let mut out = vec![b'\''];
    for &b in bytes {
        if b == b'\'' { out.extend_from_slice(b"'\\''") } else { out.push(b) }
    }
    out.push(b'\'');
    OsString::from_vec(out)
}

/// The whole script.
pub(crate) fn script(options: &Options, job: &Job) -> Result<Vec<u8>> {
    let directory = match &options.cwd {
        Some(directory) => std::path::absolute(directory)?,
        None => std::env::current_dir().context(|| "no current directory".into())?,
    };
    let mut script = b"cd ".to_vec();
    script.extend_from_slice(quoted(directory.as_os_str()).as_bytes());
    script.extend_from_slice(b" || exit 125\n");
    for (name, value) in environment(options) {
        script.extend_from_slice(format!("export {name}=").as_bytes());
        script.extend_from_slice(quoted(&value).as_bytes());
        script.push(b'\n');
    }
    match job {
        Job::Shell => script.extend_from_slice(b"exec bash -i"),
        Job::Script(text) => script.extend_from_slice(text.as_bytes()),
        Job::Command(words) => {
            script.extend_from_slice(b"exec");
            for word in words {
                script.push(b' ');
                script.extend_from_slice(quoted(word).as_bytes());
            }
        }
    }
    script.push(b'\n');
    Ok(script)
}

fn environment(options: &Options) -> BTreeMap<String, OsString> {
    let mut environment = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        if is_name(name) && (PASSED_ON.contains(&name) || PASSED_ON_STARTS.iter().any(|s| name.starts_with(s))) {
            environment.insert(name.to_owned(), value);
        }
    }
    environment.insert("HOME".into(), std::env::var_os("HOME").unwrap_or_else(|| "/root".into()));
    environment.insert("PATH".into(), search_path());
    environment.insert("LVS_LAB".into(), options.label().into());
    for given in &options.env {
        let bytes = given.as_bytes();
        let (name, value) = match bytes.iter().position(|&b| b == b'=') {
            Some(at) => (&bytes[..at], OsString::from_vec(bytes[at + 1..].to_vec())),
            None => (bytes, std::env::var_os(given).unwrap_or_default()),
        };
        match std::str::from_utf8(name) {
            Ok(name) if is_name(name) => {
                environment.insert(name.to_owned(), value);
            }
            _ => eprintln!("lab: warning: {given:?} does not name a variable"),
        }
    }
    environment
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// PATH in the guest. pyenv's commands are shell scripts that take seconds under emulation: the
/// interpreter that they would start comes first.
fn search_path() -> OsString {
    let mut path = host::search_path();
    let shim = host::which("python3").is_some_and(|python| python.components().any(|c| c.as_os_str() == "shims"));
    if shim
        && let Ok(found) = host::capture(Command::new("pyenv").args(["which", "python3"]))
        && let Some(directory) = PathBuf::from(String::from_utf8_lossy(&found.stdout).trim()).parent()
    {
        path.insert(0, directory.to_owned());
    }
    // A directory with a colon in its name cannot be in PATH.
    path.retain(|directory| !directory.as_os_str().as_bytes().contains(&b':'));
    std::env::join_paths(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script_of(job: &Job, env: &[&str]) -> String {
        let options =
            Options { cwd: Some("/a dir".into()), env: env.iter().map(OsString::from).collect(), ..Options::default() };
        String::from_utf8(script(&options, job).unwrap()).unwrap()
    }

    #[test]
    fn words_survive_the_shell() {
        for (word, expected) in [
            ("plain-1.0/x", "plain-1.0/x"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("$HOME`id`", "'$HOME`id`'"),
        ] {
            assert_eq!(quoted(OsStr::new(word)), expected);
        }
        let job = Job::Command(["printf", "%s|", "a b", "it's", "", "\\n", "é"].map(OsString::from).to_vec());
        let text = script_of(&job, &[]);
        let line = text.lines().last().unwrap();
        let out = Command::new("sh").args(["-c", line]).output().unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), "a b|it's||\\n|é|");
    }

    #[test]
    fn a_script_starts_in_its_directory_with_its_environment() {
        let text = script_of(&Job::Script("true; exit 3".into()), &["LVS_X=two words", "not a name=1"]);
        assert!(text.starts_with("cd '/a dir' || exit 125\n"), "{text}");
        assert!(text.contains("export LVS_X='two words'\n"), "{text}");
        assert!(!text.contains("not a name"), "{text}");
        assert!(text.ends_with("\ntrue; exit 3\n"), "{text}");
    }
}
