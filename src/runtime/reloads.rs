//! Requests to read the configuration again, and the reading itself.
//!
//! A file is read on a thread of its own, because the file system may not answer and a long file takes long to parse;
//! signals and operators must not wait for either. There is one reading at a time. Requests that come meanwhile share
//! the next one, so that everybody gets the result of a reading that began after the request.

use std::mem;

use tokio::sync::oneshot;
use tokio::task::{JoinHandle, spawn_blocking};

use super::source::Source;
use super::watch::FileState;
use crate::admin::{self, Refused};
use crate::config::Loaded;
use crate::telemetry::status::{Reload, ReloadTrigger};

/// Where an operator waits for the result.
type Answer = oneshot::Sender<Result<Reload, Refused>>;

const NO_FILE: Refused =
    Refused("there is no file to read again: the configuration is that of the command line");

pub(super) struct Reloads {
    source: Source,
    running: Option<(ReloadRequest, JoinHandle<Finished>)>,
    next: Option<ReloadRequest>,
}

/// The state of the file, and what could be loaded from it.
type Finished = (FileState, Result<Loaded, Vec<String>>);

/// Who wants the file to be read.
pub(super) struct ReloadRequest {
    /// The first one.
    pub(super) trigger: ReloadTrigger,
    answers: Vec<Answer>,
}

impl ReloadRequest {
    /// Replies to everybody.
    pub(super) fn answer(self, reload: &Reload) {
        for answer in self.answers {
            admin::reply(answer, Ok(reload.clone()));
        }
    }

    fn refuse(self, why: Refused) {
        for answer in self.answers {
            admin::reply(answer, Err(why));
        }
    }
}

impl Reloads {
    pub(super) fn new(source: Source) -> Self {
        Reloads {
            source,
            running: None,
            next: None,
        }
    }

    /// Requests a reading. Must be called within a tokio runtime.
    pub(super) fn request(&mut self, trigger: ReloadTrigger, answer: Option<Answer>) {
        let request = self.next.get_or_insert_with(|| ReloadRequest {
            trigger,
            answers: Vec::new(),
        });
        request.answers.extend(answer);
        self.start_next();
    }

    fn start_next(&mut self) {
        let Some(path) = self.source.path() else {
            if let Some(request) = self.next.take() {
                tracing::warn!(event = "reload_impossible", "{}", NO_FILE.0);
                request.refuse(NO_FILE);
            }
            return;
        };
        if self.running.is_some() {
            return;
        }
        if let Some(request) = self.next.take() {
            let (source, path) = (self.source.clone(), path.to_owned());
            let job = spawn_blocking(move || source.again(&path));
            self.running = Some((request, job));
        }
    }

    /// Waits for a reading to end. Cancel-safe.
    pub(super) async fn finished(
        &mut self,
    ) -> (
        ReloadRequest,
        Option<FileState>,
        Result<Loaded, Vec<String>>,
    ) {
        let Some((_, job)) = &mut self.running else {
            return std::future::pending().await;
        };
        let finished = job.await;
        let Some((request, _)) = self.running.take() else {
            return std::future::pending().await;
        };
        self.start_next();
        match finished {
            Ok((state, loaded)) => (request, Some(state), loaded),
            Err(error) => {
                let problem = format!("the file could not be read: {error}");
                (request, None, Err(vec![problem]))
            }
        }
    }

    /// Refuses every request that has not been replied to.
    pub(super) fn refuse_all(&mut self, why: Refused) {
        let running = mem::take(&mut self.running).map(|(request, _)| request);
        for request in running.into_iter().chain(self.next.take()) {
            request.refuse(why);
        }
    }
}

#[cfg(test)]
mod tests;
