//! Where the configuration comes from: a file, the command line, or a file with keys of the command line in it.

use std::path::{Path, PathBuf};

use super::watch::{FileState, Watch};
use crate::config::{self, Flags, LoadError, Loaded};

/// The file and the flags that the process was started with.
#[derive(Clone, Debug)]
pub struct Source {
    file: Option<PathBuf>,
    flags: Flags,
}

impl Source {
    /// A file. The flags replace its keys.
    #[must_use]
    pub fn file(path: PathBuf, flags: Flags) -> Self {
        Source {
            file: Some(path),
            flags,
        }
    }

    /// The command line alone.
    #[must_use]
    pub fn flags(flags: Flags) -> Self {
        Source { file: None, flags }
    }

    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The name in messages: `proxy.yaml`, `--listen and --upstream`, `proxy.yaml with --listen`.
    #[must_use]
    pub fn name(&self) -> String {
        let flags = self.flags.names().join(" and ");
        match &self.file {
            Some(path) if flags.is_empty() => path.display().to_string(),
            Some(path) => format!("{} with {flags}", path.display()),
            None => flags,
        }
    }

    /// Loads the configuration at the start, and begins to watch the file. A pipe is read here only: it gives its content
    /// once.
    pub(super) fn first(&self) -> (Result<Loaded, LoadError>, Option<Watch>) {
        let Some(path) = &self.file else {
            return (self.parse(Vec::new()), None);
        };
        let state = FileState::of(path);
        let watch = Watch::new(path, &state);
        let content = match state.content {
            Err(LoadError::NotRegular { .. }) => config::read(path),
            content => content,
        };
        let loaded = content.and_then(|content| self.parse(content));
        (loaded, Some(watch))
    }

    /// Loads the configuration again. Gives the state of the file, and the configuration or every problem with it.
    /// Blocks for as long as the file system does.
    pub(super) fn again(&self, path: &Path) -> (FileState, Result<Loaded, Vec<String>>) {
        let state = FileState::of(path);
        let loaded = match &state.content {
            Ok(content) => self.parse(content.clone()).map_err(|error| match error {
                LoadError::Invalid(problems) => problems.iter().map(ToString::to_string).collect(),
                unreadable => vec![unreadable.to_string()],
            }),
            Err(unreadable) => Err(vec![unreadable.to_string()]),
        };
        (state, loaded)
    }

    fn parse(&self, content: Vec<u8>) -> Result<Loaded, LoadError> {
        let name = match &self.file {
            Some(path) => path.display().to_string(),
            None => self.name(),
        };
        config::load_bytes(content, &name, &self.flags)
    }
}
