//! Noticing that `proxy.yaml` changed.
//!
//! The file is read four times a second and its content compared. This is the only method that works for an editor's
//! rename, a write in place and Kubernetes' `..data` symlink on every file system. A file that was renamed is complete
//! and loaded at once. One that is written in place may be incomplete, and is loaded when it has not changed for a second.
//! A file that is missing for less than two seconds changes nothing.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep};

use crate::config::{self, LoadError};

const INTERVAL: Duration = Duration::from_millis(250);
/// How long a file that is written in place must not change.
const QUIET: Duration = Duration::from_secs(1);
/// The same for a new file under the old name whose times do not show whether it was renamed or written there.
const QUIET_NEW: Duration = Duration::from_millis(250);
/// How long a file must be unreadable to count as changed. An editor may replace it in several steps.
const UNREADABLE: Duration = Duration::from_secs(2);

/// The content, or why it cannot be read.
type Content = Result<Vec<u8>, io::ErrorKind>;

/// The file as it was read once.
pub(super) struct FileState {
    pub(super) content: Result<Vec<u8>, LoadError>,
    file: Option<File>,
}

/// Which file the path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    /// The path without symbolic links.
    path: PathBuf,
    device: u64,
    inode: u64,
    /// Whether its metadata changed after its content: it was renamed, or its permissions were changed.
    is_renamed: bool,
}

impl FileState {
    /// Reads the file. A pipe is not read, because it gives its content only once.
    pub(super) fn of(path: &Path) -> FileState {
        // Before the content, so that a file that is replaced in between counts as another one the next time.
        let metadata = path.metadata();
        if metadata
            .as_ref()
            .is_ok_and(|file| !file.is_file() && !file.is_dir())
        {
            let path = path.to_owned();
            let content = Err(LoadError::NotRegular { path });
            return FileState {
                content,
                file: None,
            };
        }
        let file = metadata.ok().and_then(|it| File::of(path, &it));
        FileState {
            content: config::read(path),
            file,
        }
    }

    fn content(&self) -> Content {
        match &self.content {
            Ok(content) => Ok(content.clone()),
            Err(error) => Err(error.kind().unwrap_or(io::ErrorKind::Other)),
        }
    }
}

impl File {
    fn of(path: &Path, metadata: &Metadata) -> Option<File> {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        let written = (metadata.mtime(), metadata.mtime_nsec());
        Some(File {
            path: path.canonicalize().ok()?,
            device: metadata.dev(),
            inode: metadata.ino(),
            is_renamed: changed > written,
        })
    }

    fn is(&self, other: &File) -> bool {
        (&self.path, self.device, self.inode) == (&other.path, other.device, other.inode)
    }
}

/// A file and its last known content.
pub(super) struct Watch {
    path: PathBuf,
    known: Content,
    /// The file that had that content.
    file: Option<File>,
    /// A new content that has not been loaded yet, and since when it has not changed.
    candidate: Option<(Content, Instant)>,
    /// A reading that has not ended: a file system that does not answer is not asked twice.
    reading: Option<JoinHandle<FileState>>,
}

impl Watch {
    /// Watches a file that was read just now.
    pub(super) fn new(path: &Path, state: &FileState) -> Self {
        Watch {
            path: path.to_owned(),
            known: state.content(),
            file: state.file.clone(),
            candidate: None,
            reading: None,
        }
    }

    /// Waits until the content has changed and settled. Cancel-safe.
    pub(super) async fn changed(&mut self) {
        loop {
            if self.reading.is_none() {
                sleep(INTERVAL).await;
            }
            let path = &self.path;
            let reading = self.reading.get_or_insert_with(|| {
                let path = path.clone();
                spawn_blocking(move || FileState::of(&path))
            });
            let state = reading.await;
            self.reading = None;
            // A task that could not run shows nothing, as a file that cannot be read now.
            if state.is_ok_and(|state| self.settles(&state, Instant::now())) {
                return;
            }
        }
    }

    /// Sets what is known to what has just been loaded.
    pub(super) fn set_known(&mut self, state: &FileState) {
        self.known = state.content();
        self.file.clone_from(&state.file);
        self.candidate = None;
    }

    /// Whether the content has changed and settled.
    fn settles(&mut self, state: &FileState, now: Instant) -> bool {
        let content = state.content();
        // An error such as too many open files says nothing about this file.
        let is_unknown = content
            .as_ref()
            .is_err_and(|kind| !is_about_the_file(*kind));
        if content == self.known || is_unknown {
            self.candidate = None;
            if !is_unknown {
                self.file.clone_from(&state.file);
            }
            return false;
        }
        let since = match self.candidate.take() {
            Some((candidate, since)) if candidate == content => since,
            _ => now,
        };
        if now - since < self.settling_time(state) {
            self.candidate = Some((content, since));
            return false;
        }
        self.set_known(state);
        true
    }

    /// How long the new content must not change.
    fn settling_time(&self, state: &FileState) -> Duration {
        match (&self.file, &state.file) {
            _ if state.content.is_err() => UNREADABLE,
            (Some(old), Some(new)) if old.is(new) => QUIET,
            (Some(old), Some(new)) if old.path != new.path || new.is_renamed => Duration::ZERO,
            _ => QUIET_NEW,
        }
    }
}

fn is_about_the_file(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{
        FileTooLarge, IsADirectory, NotADirectory, NotFound, PermissionDenied, Unsupported,
    };
    matches!(
        kind,
        NotFound | NotADirectory | IsADirectory | PermissionDenied | Unsupported | FileTooLarge
    )
}

#[cfg(test)]
mod tests;
