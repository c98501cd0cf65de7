//! What is told about a bad file.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::printable::escaped;

/// The largest file that is read, in bytes.
pub const MAX_FILE: u64 = 1024 * 1024;

/// One thing wrong, or questionable, in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was named, or the flag of the command line.
    pub file: String,
    /// From 1; 0 for what was not written in a file.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The key, such as `routes[0].match.path`; empty when the whole file is meant.
    pub path: String,
    /// Whether the file can be used all the same.
    pub severity: Severity,
    /// What is wrong and what to write instead; one line.
    pub message: String,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is used, but settings defeat each other.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Problem {
            file,
            line,
            column,
            path,
            severity,
            message,
        } = self;
        let file = escaped(file);
        match line {
            0 => write!(f, "{file}: {}: ", severity.label())?,
            _ => write!(f, "{file}:{line}:{column}: {}: ", severity.label())?,
        }
        if !path.is_empty() {
            write!(f, "{}: ", escaped(path))?;
        }
        f.write_str(&escaped(message))
    }
}

/// Why a file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is none.
    #[error("{}: no such file; name one with `-c FILE` or SIDEBEAT_CONFIG, or write a `proxy.yaml` here (`listen` and `upstream` are enough); or run without a file: `sidebeat run --listen ADDR --upstream URL`", path.display())]
    NotFound {
        /// The file as it was named.
        path: PathBuf,
    },
    /// It is a directory.
    #[error("{}: is a directory; name the file in it, such as {}", path.display(), path.join("proxy.yaml").display())]
    Directory {
        /// The file as it was named.
        path: PathBuf,
    },
    /// It is larger than [`MAX_FILE`].
    #[error("{}: is larger than 1 MiB, which no configuration of this program needs", path.display())]
    TooBig {
        /// The file as it was named.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file as it was named.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a pipe or a device, which is not read a second time.
    #[error("{}: is no regular file any more", path.display())]
    NotRegular {
        /// The file as it was named.
        path: PathBuf,
    },
    /// It can be read, but not used: all its errors, with the warnings known so far, in the file's order.
    #[error("{}", lines(.0))]
    Invalid(Vec<Problem>),
}

impl LoadError {
    /// What kind of failure it was to read the file; none: it was read.
    #[must_use]
    pub fn kind(&self) -> Option<io::ErrorKind> {
        match self {
            LoadError::NotFound { .. } => Some(io::ErrorKind::NotFound),
            LoadError::Directory { .. } => Some(io::ErrorKind::IsADirectory),
            LoadError::TooBig { .. } => Some(io::ErrorKind::FileTooLarge),
            LoadError::NotRegular { .. } => Some(io::ErrorKind::Unsupported),
            LoadError::Read { source, .. } => Some(source.kind()),
            LoadError::Invalid(_) => None,
        }
    }
}

/// Every problem on a line of its own.
fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_prints_its_place_its_key_and_what_to_do() {
        let mut problem = Problem {
            file: "proxy.yaml".into(),
            line: 12,
            column: 5,
            path: "heartbeat.client.idle_tme".into(),
            severity: Severity::Error,
            message: "unknown key; did you mean idle_time?".into(),
        };
        let line = "proxy.yaml:12:5: error: heartbeat.client.idle_tme: unknown key; did you mean idle_time?";
        assert_eq!(problem.to_string(), line);
        problem.file = "a\u{1b}[2J.yaml".into();
        problem.message = "\u{202e}\u{9b}x\ny".into();
        let line = "a\\u001b[2J.yaml:12:5: error: heartbeat.client.idle_tme: \\u202e\\u009bx\\ny";
        assert_eq!(problem.to_string(), line);
        problem.file = "proxy.yaml".into();
        problem.message = "unknown key; did you mean idle_time?".into();
        problem.path.clear();
        problem.severity = Severity::Warning;
        assert_eq!(
            problem.to_string(),
            "proxy.yaml:12:5: warning: unknown key; did you mean idle_time?"
        );
    }
}
