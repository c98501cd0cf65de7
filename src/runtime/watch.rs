//! Noticing that `proxy.yaml` changed.
//!
//! The content is compared, four times a second: the only thing that is the same for an editor's rename, a write in
//! place, and Kubernetes' `..data` symlink, on every file system. What is read counts once it is the same twice in a
//! row, so that a file is not taken while it is being written, and one that is missing for a moment is not missed.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

const INTERVAL: Duration = Duration::from_millis(250);
/// How often in a row a file must be unreadable to count as changed: a moment is an editor at work.
const PATIENCE: u32 = 8;
/// More than a configuration may have; a larger file is told as a problem when it is loaded.
const MAX_READ: u64 = 2 * 1024 * 1024;

type Content = Result<Vec<u8>, io::ErrorKind>;

/// A file and what was last seen in it.
pub(super) struct Watch {
    path: PathBuf,
    known: Content,
    candidate: Option<(Content, u32)>,
}

impl Watch {
    pub(super) fn new(path: &Path) -> Self {
        Watch {
            path: path.to_owned(),
            known: read(path),
            candidate: None,
        }
    }

    /// Waits until the content is another one, for good. May be dropped and called again.
    pub(super) async fn changed(&mut self) {
        loop {
            sleep(INTERVAL).await;
            let path = self.path.clone();
            // A read that failed to run is as good as one that could not be done.
            let content = spawn_blocking(move || read(&path))
                .await
                .unwrap_or(Err(io::ErrorKind::Other));
            if self.settled(content) {
                return;
            }
        }
    }

    /// Whether this reading makes another content certain.
    fn settled(&mut self, content: Content) -> bool {
        if content == self.known {
            self.candidate = None;
            return false;
        }
        let seen = match self.candidate.take() {
            Some((candidate, seen)) if candidate == content => seen + 1,
            _ => 1,
        };
        let needed = if content.is_ok() { 2 } else { PATIENCE };
        if seen < needed {
            self.candidate = Some((content, seen));
            return false;
        }
        self.known = content;
        true
    }
}

fn read(path: &Path) -> Content {
    // A pipe gives its content only once, and that is for the one who loads it.
    if !path.metadata().map_err(|error| error.kind())?.is_file() {
        return Err(io::ErrorKind::Unsupported);
    }
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_READ).read_to_end(&mut content))
        .map(|_| content)
        .map_err(|error| error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(known: &str) -> Watch {
        Watch {
            path: PathBuf::new(),
            known: Ok(known.into()),
            candidate: None,
        }
    }

    #[test]
    fn a_half_written_file_is_not_taken() {
        let mut watch = watch("old");
        assert!(!watch.settled(Ok(b"ne".to_vec())));
        assert!(!watch.settled(Ok(b"new".to_vec())));
        assert!(watch.settled(Ok(b"new".to_vec())));
        assert!(!watch.settled(Ok(b"new".to_vec())), "told once");
    }

    #[test]
    fn a_file_that_is_missing_for_a_moment_is_not_missed() {
        let mut watch = watch("old");
        for _ in 1..PATIENCE {
            assert!(!watch.settled(Err(io::ErrorKind::NotFound)));
        }
        assert!(!watch.settled(Ok(b"old".to_vec())));
        for _ in 1..PATIENCE {
            assert!(!watch.settled(Err(io::ErrorKind::NotFound)));
        }
        assert!(watch.settled(Err(io::ErrorKind::NotFound)));
        assert!(!watch.settled(Ok(b"old".to_vec())));
        assert!(watch.settled(Ok(b"old".to_vec())), "it came back");
    }
}
