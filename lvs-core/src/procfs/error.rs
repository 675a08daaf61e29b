use std::fmt;

use super::text::Bad;

/// Which of the kernel's files a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProcFile {
    /// `/proc/net/ip_vs`
    Table,
    /// `/proc/net/ip_vs_conn`
    Connections,
    /// `/proc/net/ip_vs_conn_sync`
    SyncedConnections,
    /// `/proc/net/ip_vs_stats`
    Stats,
    /// `/proc/net/ip_vs_stats_percpu`
    PerCpuStats,
    /// `/proc/net/ip_vs_app`
    Helpers,
    /// `/proc/net/ip_vs_status`
    Status,
}

impl ProcFile {
    /// The name below `/proc/net`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "ip_vs",
            Self::Connections => "ip_vs_conn",
            Self::SyncedConnections => "ip_vs_conn_sync",
            Self::Stats => "ip_vs_stats",
            Self::PerCpuStats => "ip_vs_stats_percpu",
            Self::Helpers => "ip_vs_app",
            Self::Status => "ip_vs_status",
        }
    }
}

impl fmt::Display for ProcFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A line that is not as the kernel writes it. Reading can go on after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, column {column}: expected {expected}")]
#[non_exhaustive]
pub struct ParseError {
    /// Which file.
    pub file: ProcFile,
    /// Which line, counted from 1.
    pub line: u64,
    /// Which byte of the line, counted from 1.
    pub column: usize,
    /// What should stand there.
    pub expected: &'static str,
}

impl Bad {
    pub(super) const fn in_line(self, file: ProcFile, line: u64) -> ParseError {
        ParseError { file, line, column: self.at + 1, expected: self.expected }
    }
}
