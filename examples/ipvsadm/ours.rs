//! The long options that `ipvsadm` does not have.

use std::path::PathBuf;

use crate::messages::Exit;

/// What they say.
#[derive(Debug, Default)]
pub(crate) struct Ours {
    /// Where the table is that needs no kernel.
    pub(crate) embedded: Option<Embedded>,
    /// Texts carry everything.
    pub(crate) lossless: bool,
    /// Listings as JSON.
    pub(crate) json: bool,
    /// Whose kernel table.
    pub(crate) netns: Option<String>,
}

/// Where an embedded table lives.
#[derive(Debug)]
pub(crate) enum Embedded {
    /// In this process.
    Memory,
    /// In a rules file.
    File(PathBuf),
}

/// Takes our options out of the arguments. They may stand anywhere before `--`.
pub(crate) fn take(args: Vec<Vec<u8>>) -> Result<(Ours, Vec<Vec<u8>>), Exit> {
    let mut ours = Ours::default();
    let mut rest = Vec::with_capacity(args.len());
    let mut over = false;
    for arg in args {
        let text = std::str::from_utf8(&arg).unwrap_or_default();
        let file = text.strip_prefix("--embedded=");
        match text {
            _ if over => rest.push(arg),
            "--embedded" => ours.embedded = Some(Embedded::Memory),
            _ if file == Some("") => return Err(Exit::failed(2, "--embedded=: expected a file\n".to_owned())),
            _ if file.is_some() => ours.embedded = file.map(|file| Embedded::File(file.into())),
            "--lossless" => ours.lossless = true,
            "--json" => ours.json = true,
            _ => match text.strip_prefix("--netns=") {
                Some(name) => ours.netns = Some(name.to_owned()),
                None => {
                    over |= text == "--";
                    rest.push(arg);
                }
            },
        }
    }
    if ours.embedded.is_some() && ours.netns.is_some() {
        return Err(Exit::failed(2, "--embedded and --netns: expected one of them\n".to_owned()));
    }
    Ok((ours, rest))
}
