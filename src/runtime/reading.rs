//! Reading the configuration again, on a thread of its own: neither a file system that does not answer nor a file that
//! takes long to parse keeps signals and operators waiting.

use std::mem;

use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

use super::source::Source;
use super::watch::Look;
use crate::admin::{self, Refused};
use crate::config::Loaded;
use crate::telemetry::status::{Reload, ReloadTrigger};

/// Where an operator waits for what comes of it.
type Answer = oneshot::Sender<Result<Reload, Refused>>;

const NO_FILE: Refused =
    Refused("there is no file to read again: the configuration is that of the command line");

/// One reading at a time. What is asked for meanwhile is done together afterwards, so that everybody gets the answer of a
/// reading that began after they had asked.
pub(super) struct Readings {
    source: Source,
    running: Option<(Asked, JoinHandle<Finished>)>,
    next: Option<Asked>,
}

/// What was seen of the file, and what it came to.
type Finished = (Look, Result<Loaded, Vec<String>>);

/// Why the file is read.
pub(super) struct Asked {
    /// Who was first.
    pub(super) trigger: ReloadTrigger,
    answers: Vec<Answer>,
}

impl Asked {
    /// Tells everybody who asked.
    pub(super) fn answer(self, reload: &Reload) {
        for answer in self.answers {
            admin::tell(answer, Ok(reload.clone()));
        }
    }

    fn refuse(self, why: Refused) {
        for answer in self.answers {
            admin::tell(answer, Err(why));
        }
    }
}

impl Readings {
    pub(super) fn new(source: Source) -> Self {
        Readings {
            source,
            running: None,
            next: None,
        }
    }

    /// Has the file read; needs a tokio runtime.
    pub(super) fn ask(&mut self, trigger: ReloadTrigger, answer: Option<Answer>) {
        let asked = self.next.get_or_insert_with(|| Asked {
            trigger,
            answers: Vec::new(),
        });
        asked.answers.extend(answer);
        self.begin();
    }

    fn begin(&mut self) {
        let Some(path) = self.source.path() else {
            if let Some(asked) = self.next.take() {
                tracing::warn!(event = "reload_impossible", "{}", NO_FILE.0);
                asked.refuse(NO_FILE);
            }
            return;
        };
        if self.running.is_some() {
            return;
        }
        if let Some(asked) = self.next.take() {
            let (source, path) = (self.source.clone(), path.to_owned());
            let job = spawn_blocking(move || source.again(&path));
            self.running = Some((asked, job));
        }
    }

    /// Waits for a reading to come to its end. May be dropped and called again.
    pub(super) async fn finished(&mut self) -> (Asked, Option<Look>, Result<Loaded, Vec<String>>) {
        let Some((_, job)) = &mut self.running else {
            return std::future::pending().await;
        };
        let finished = job.await;
        let Some((asked, _)) = self.running.take() else {
            return std::future::pending().await;
        };
        self.begin();
        match finished {
            Ok((look, loaded)) => (asked, Some(look), loaded),
            Err(error) => {
                let problem = format!("the file could not be read: {error}");
                (asked, None, Err(vec![problem]))
            }
        }
    }

    /// Nothing is read any more, because of this.
    pub(super) fn end(&mut self, why: Refused) {
        let running = mem::take(&mut self.running).map(|(asked, _)| asked);
        for asked in running.into_iter().chain(self.next.take()) {
            asked.refuse(why);
        }
    }
}

#[cfg(test)]
mod tests;
