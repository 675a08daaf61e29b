//! A file that somebody else writes: another monitoring, or the server itself over a shared file
//! system.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Context, Outcome, Probe, Target};

/// No more than this is read.
const LONGEST: u64 = 4096;

/// Which file: its first word is `up`, `down` or a weight. A file that is not there, or says
/// something else, says nothing about the server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileCheck {
    /// Its path; `{address}` and `{port}` stand for the server's.
    pub path: String,
}

impl Probe for FileCheck {
    async fn run(&self, target: &Target, _: &Context) -> Outcome {
        let path = self.path.replace("{address}", &target.address.ip().to_string());
        let path = PathBuf::from(path.replace("{port}", &target.address.port().to_string()));
        // A file on a server that has gone can block: not this thread.
        let shown = path.display().to_string();
        let read = tokio::task::spawn_blocking(move || {
            use std::io::Read;
            let mut text = String::new();
            std::fs::File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
            Ok::<_, std::io::Error>(text)
        });
        let text = match read.await {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => return Outcome::NotRun(format!("{shown}: {error}")),
            Err(error) => return Outcome::NotRun(format!("{shown}: {error}")),
        };
        match text.split_whitespace().next() {
            Some("up") => Outcome::Up,
            Some("down") => Outcome::Down(format!("{shown} says so")),
            Some(word) => match word.parse() {
                Ok(weight) => Outcome::UpWithWeight(weight),
                Err(_) => Outcome::NotRun(format!("{shown} says {word:?}: neither up, down nor a weight")),
            },
            None => Outcome::NotRun(format!("{shown} is empty")),
        }
    }

    fn validate(&self) -> Result<(), String> {
        if self.path.starts_with('/') { Ok(()) } else { Err(format!("path {:?} is not absolute", self.path)) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::{context, target};
    use super::*;

    #[tokio::test]
    async fn the_first_word_decides() {
        let directory = tempfile::tempdir().unwrap();
        let path = format!("{}/{{address}}", directory.path().display());
        let check = FileCheck { path };
        let run = || async { check.run(&target("192.0.2.7:80".parse().unwrap()), &context()).await };
        assert!(matches!(run().await, Outcome::NotRun(_)));
        let write = |text: &str| std::fs::write(directory.path().join("192.0.2.7"), text).unwrap();
        write("up\n");
        assert_eq!(run().await, Outcome::Up);
        write("down since noon\n");
        assert!(matches!(run().await, Outcome::Down(_)));
        write("7\n");
        assert_eq!(run().await, Outcome::UpWithWeight(7));
        write("perhaps\n");
        assert!(matches!(run().await, Outcome::NotRun(_)));
    }
}
