//! Noticing that `proxy.yaml` changed.
//!
//! The content is compared, four times a second: the only thing that is the same for an editor's rename, a write in
//! place, and Kubernetes' `..data` symlink, on every file system. Whoever renames a file has finished it, so that it is
//! taken at once. One that is written in place may be half of what it is to be, and is taken when it has been quiet for a
//! second; one that is missing for a moment is not missed.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep};

use crate::config::{self, LoadError};

const INTERVAL: Duration = Duration::from_millis(250);
/// How long a file that is written in place must stay the same.
const QUIET: Duration = Duration::from_secs(1);
/// The same for another file under its name that may have been written there. Most were renamed, but in the moment in
/// which they were written, so that their times do not tell.
const NEW: Duration = Duration::from_millis(250);
/// How long a file must be unreadable to count as changed: a moment is an editor at work.
const GONE: Duration = Duration::from_secs(2);

/// What the file holds, or why nobody knows.
type Content = Result<Vec<u8>, io::ErrorKind>;

/// What one look at the file has shown.
pub(super) struct Look {
    pub(super) content: Result<Vec<u8>, LoadError>,
    file: Option<File>,
}

/// Which file it is that the name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    /// The path without symbolic links.
    path: PathBuf,
    device: u64,
    inode: u64,
    /// It got its name, or other permissions, after it was last written.
    is_renamed: bool,
}

impl Look {
    /// Looks, and reads; a pipe is left alone, because it gives its content only once.
    pub(super) fn of(path: &Path) -> Look {
        // Before the content: a file that is exchanged in between is looked at again.
        let metadata = path.metadata();
        if metadata
            .as_ref()
            .is_ok_and(|file| !file.is_file() && !file.is_dir())
        {
            let path = path.to_owned();
            let content = Err(LoadError::NotRegular { path });
            return Look {
                content,
                file: None,
            };
        }
        let file = metadata.ok().and_then(|it| File::of(path, &it));
        Look {
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

/// A file and what was last seen in it.
pub(super) struct Watch {
    path: PathBuf,
    known: Content,
    /// Which file that was in.
    file: Option<File>,
    /// Another content, and since when it is the same.
    candidate: Option<(Content, Instant)>,
    /// Under way: a file system that does not answer must not be asked again and again.
    looking: Option<JoinHandle<Look>>,
}

impl Watch {
    /// Watches a file that was looked at just now.
    pub(super) fn new(path: &Path, look: &Look) -> Self {
        Watch {
            path: path.to_owned(),
            known: look.content(),
            file: look.file.clone(),
            candidate: None,
            looking: None,
        }
    }

    /// Waits until the content is another one, for good. May be dropped and called again.
    pub(super) async fn changed(&mut self) {
        loop {
            if self.looking.is_none() {
                sleep(INTERVAL).await;
            }
            let path = &self.path;
            let looking = self.looking.get_or_insert_with(|| {
                let path = path.clone();
                spawn_blocking(move || Look::of(&path))
            });
            let look = looking.await;
            self.looking = None;
            // A look that failed to run is as good as one that could not be had.
            if look.is_ok_and(|look| self.settles(&look, Instant::now())) {
                return;
            }
        }
    }

    /// Takes what was seen for known: it has just been loaded.
    pub(super) fn seen(&mut self, look: &Look) {
        self.known = look.content();
        self.file.clone_from(&look.file);
        self.candidate = None;
    }

    /// Whether this look makes another content certain.
    fn settles(&mut self, look: &Look, now: Instant) -> bool {
        let content = look.content();
        // A process out of files, say, learns nothing of this one.
        let says_nothing = content
            .as_ref()
            .is_err_and(|kind| !is_about_the_file(*kind));
        if content == self.known || says_nothing {
            self.candidate = None;
            if !says_nothing {
                self.file.clone_from(&look.file);
            }
            return false;
        }
        let since = match self.candidate.take() {
            Some((candidate, since)) if candidate == content => since,
            _ => now,
        };
        if now - since < self.patience(look) {
            self.candidate = Some((content, since));
            return false;
        }
        self.seen(look);
        true
    }

    /// How long this must stay the same.
    fn patience(&self, look: &Look) -> Duration {
        match (&self.file, &look.file) {
            _ if look.content.is_err() => GONE,
            (Some(old), Some(new)) if old.is(new) => QUIET,
            (Some(old), Some(new)) if old.path != new.path || new.is_renamed => Duration::ZERO,
            _ => NEW,
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
