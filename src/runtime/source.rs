//! Where the configuration comes from: a file, the command line, or a file with keys of the command line in it.

use std::path::{Path, PathBuf};

use super::watch::{Look, Watch};
use crate::config::{self, Flags, LoadError, Loaded};

/// What was asked for at the start, and stays.
#[derive(Clone, Debug)]
pub struct Source {
    file: Option<PathBuf>,
    flags: Flags,
}

impl Source {
    /// This file, with these keys in place of its own.
    #[must_use]
    pub fn file(path: PathBuf, flags: Flags) -> Self {
        Source {
            file: Some(path),
            flags,
        }
    }

    /// No file at all: the flags are enough.
    #[must_use]
    pub fn flags(flags: Flags) -> Self {
        Source { file: None, flags }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What it is called: `proxy.yaml`, `--listen and --upstream`, `proxy.yaml with --listen`.
    #[must_use]
    pub fn name(&self) -> String {
        let flags = self.flags.names().join(" and ");
        match &self.file {
            Some(path) if flags.is_empty() => path.display().to_string(),
            Some(path) => format!("{} with {flags}", path.display()),
            None => flags,
        }
    }

    /// Reads it for the first time, and begins to watch what was read. A pipe is read as well, for the only time.
    pub(super) fn first(&self) -> (Result<Loaded, LoadError>, Option<Watch>) {
        let Some(path) = &self.file else {
            return (self.parse(Vec::new()), None);
        };
        let look = Look::of(path);
        let watch = Watch::new(path, &look);
        let content = match look.content {
            Err(LoadError::NotRegular { .. }) => config::read(path),
            content => content,
        };
        let loaded = content.and_then(|content| self.parse(content));
        (loaded, Some(watch))
    }

    /// Reads it again, which may take as long as the file system pleases: what was seen of the file, and what can be used
    /// of it, or everything that is wrong with it.
    pub(super) fn again(&self, path: &Path) -> (Look, Result<Loaded, Vec<String>>) {
        let look = Look::of(path);
        let loaded = match &look.content {
            Ok(content) => self.parse(content.clone()).map_err(|error| match error {
                LoadError::Invalid(problems) => problems.iter().map(ToString::to_string).collect(),
                unreadable => vec![unreadable.to_string()],
            }),
            Err(unreadable) => Err(vec![unreadable.to_string()]),
        };
        (look, loaded)
    }

    fn parse(&self, content: Vec<u8>) -> Result<Loaded, LoadError> {
        let name = match &self.file {
            Some(path) => path.display().to_string(),
            None => self.name(),
        };
        config::load_bytes(content, &name, &self.flags)
    }
}
