//! What is reported of a bad file: findings while it is read, which become diagnostics with a position.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::path::KeyPath;
use super::tree::Mark;
use crate::printable::escaped;

/// The largest file that is read, in bytes.
pub const MAX_FILE: u64 = 1024 * 1024;

/// One thing wrong, or questionable, in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
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

/// How bad it is.
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

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic {
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

/// Something wrong, or questionable, before its position is looked up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) path: KeyPath,
    pub(crate) place: Place,
    /// Where it stands, if that is not where the path leads.
    pub(crate) mark: Option<Mark>,
    pub(crate) severity: Severity,
    pub(crate) message: String,
}

/// Which part of a path's last step is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Key,
    Value,
    /// The key, which has no value.
    Missing,
}

impl Finding {
    pub(crate) fn error(path: KeyPath, place: Place, message: impl Into<String>) -> Self {
        Finding {
            path,
            place,
            mark: None,
            severity: Severity::Error,
            message: message.into(),
        }
    }

    /// An error at a position of its own.
    pub(crate) fn at(path: KeyPath, mark: Mark, message: impl Into<String>) -> Self {
        Finding {
            mark: Some(mark),
            ..Finding::error(path, Place::Key, message)
        }
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
    #[error("{}: is no longer a regular file", path.display())]
    NotRegular {
        /// The file as it was named.
        path: PathBuf,
    },
    /// It can be read, but not used: all its errors, with the warnings known so far, in the file's order.
    #[error("{}", lines(.0))]
    Invalid(Vec<Diagnostic>),
}

impl LoadError {
    /// Why the file could not be read; none if it was read.
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

/// Each diagnostic on a line of its own.
fn lines(diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<String> = diagnostics.iter().map(Diagnostic::to_string).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
