use std::fmt;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing in a file that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invalid {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A cluster file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: Option<PathBuf>,
    /// Why it could not be read at all.
    unreadable: Option<String>,
    /// What is wrong in it, by place.
    pub invalid: Vec<Invalid>,
}

impl ConfigError {
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self { file: Some(path.to_owned()), unreadable: Some(error.to_string()), invalid: Vec::new() }
    }

    pub(super) fn syntax(text: &str, error: &toml::de::Error) -> Self {
        let invalid = at(text, error.span().unwrap_or_default(), error.message().to_owned());
        Self { file: None, unreadable: None, invalid: vec![invalid] }
    }

    pub(super) fn in_file(mut self, path: &Path) -> Self {
        self.file = Some(path.to_owned());
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_deref().map_or("cluster file".into(), Path::to_string_lossy);
        if let Some(error) = &self.unreadable {
            return write!(f, "cannot read {file}: {error}");
        }
        for (index, Invalid { line, column, message }) in self.invalid.iter().enumerate() {
            let separator = if index > 0 { "\n" } else { "" };
            write!(f, "{separator}{file}:{line}:{column}: {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// What is wrong in a file, collected while it is read.
pub(super) struct Findings<'a> {
    text: &'a str,
    invalid: Vec<Invalid>,
}

impl<'a> Findings<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, invalid: Vec::new() }
    }

    pub(super) fn add(&mut self, span: Range<usize>, message: impl fmt::Display) {
        self.invalid.push(at(self.text, span, message.to_string()));
    }

    /// The value, or nothing and the error noted.
    pub(super) fn take<T>(&mut self, span: Range<usize>, result: Result<T, impl fmt::Display>) -> Option<T> {
        result.map_err(|error| self.add(span, error)).ok()
    }

    pub(super) fn into_result<T>(mut self, value: T) -> Result<T, ConfigError> {
        if self.invalid.is_empty() {
            return Ok(value);
        }
        self.invalid.sort_by_key(|invalid| (invalid.line, invalid.column));
        self.invalid.dedup();
        Err(ConfigError { file: None, unreadable: None, invalid: self.invalid })
    }
}

fn at(text: &str, span: Range<usize>, message: String) -> Invalid {
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Invalid { line, column, message }
}
