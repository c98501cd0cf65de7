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
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Flags;
    use crate::telemetry::status::ReloadOutcome;

    fn reload() -> Reload {
        Reload {
            at: std::time::SystemTime::UNIX_EPOCH,
            trigger: ReloadTrigger::Api,
            outcome: ReloadOutcome::Success {
                changed: Vec::new(),
                detail: String::new(),
            },
        }
    }

    #[tokio::test]
    async fn everybody_gets_the_answer_of_a_reading_that_began_after_they_had_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.yaml");
        fs::write(&path, "listen: ':1'\nupstream: ws://a\n").unwrap();
        let mut readings = Readings::new(Source::file(path.clone(), Flags::default()));
        readings.ask(ReloadTrigger::Signal, None);
        let (first, mut first_answer) = oneshot::channel();
        let (second, mut second_answer) = oneshot::channel();
        readings.ask(ReloadTrigger::Api, Some(first));
        readings.ask(ReloadTrigger::Api, Some(second));

        let (asked, look, loaded) = readings.finished().await;
        assert_eq!(
            (asked.trigger, loaded.is_ok()),
            (ReloadTrigger::Signal, true)
        );
        assert!(look.unwrap().content.is_ok());
        asked.answer(&reload());
        assert!(first_answer.try_recv().is_err(), "that one began before");
        let (asked, _, _) = readings.finished().await;
        assert_eq!(asked.trigger, ReloadTrigger::Api);
        asked.answer(&reload());
        assert_eq!(first_answer.try_recv(), Ok(Ok(reload())));
        assert_eq!(second_answer.try_recv(), Ok(Ok(reload())));

        fs::remove_file(&path).unwrap();
        readings.ask(ReloadTrigger::File, None);
        let (_, _, loaded) = readings.finished().await;
        assert!(loaded.unwrap_err()[0].contains("no such file"));
    }

    #[tokio::test]
    async fn who_waits_for_a_reading_while_the_process_ends_is_told() {
        let source = Source::file("/nowhere/p.yaml".into(), Flags::default());
        let mut readings = Readings::new(source);
        let ask = |readings: &mut Readings| {
            let (answer, answered) = oneshot::channel();
            readings.ask(ReloadTrigger::Api, Some(answer));
            answered
        };
        let mut waiting = [ask(&mut readings), ask(&mut readings)];
        readings.end(Refused("the end"));
        for answer in &mut waiting {
            assert_eq!(answer.try_recv(), Ok(Err(Refused("the end"))));
        }
    }

    #[tokio::test]
    async fn without_a_file_there_is_nothing_to_read() {
        let mut readings = Readings::new(Source::flags(Flags::default()));
        let (answer, mut answered) = oneshot::channel();
        readings.ask(ReloadTrigger::Api, Some(answer));
        assert_eq!(answered.try_recv(), Ok(Err(NO_FILE)));
    }
}
