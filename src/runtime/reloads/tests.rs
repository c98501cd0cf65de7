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
    let mut reloads = Reloads::new(Source::file(path.clone(), Flags::default()));
    reloads.request(ReloadTrigger::Signal, None);
    let (first, mut first_answer) = oneshot::channel();
    let (second, mut second_answer) = oneshot::channel();
    reloads.request(ReloadTrigger::Api, Some(first));
    reloads.request(ReloadTrigger::Api, Some(second));

    let (request, state, loaded) = reloads.finished().await;
    assert_eq!(
        (request.trigger, loaded.is_ok()),
        (ReloadTrigger::Signal, true)
    );
    assert!(state.unwrap().content.is_ok());
    request.answer(&reload());
    assert!(first_answer.try_recv().is_err(), "that one began before");
    let (request, _, _) = reloads.finished().await;
    assert_eq!(request.trigger, ReloadTrigger::Api);
    request.answer(&reload());
    assert_eq!(first_answer.try_recv(), Ok(Ok(reload())));
    assert_eq!(second_answer.try_recv(), Ok(Ok(reload())));

    fs::remove_file(&path).unwrap();
    reloads.request(ReloadTrigger::File, None);
    let (_, _, loaded) = reloads.finished().await;
    assert!(loaded.unwrap_err()[0].contains("no such file"));
}

#[tokio::test]
async fn requests_are_refused_when_the_process_ends() {
    let source = Source::file("/nowhere/p.yaml".into(), Flags::default());
    let mut reloads = Reloads::new(source);
    let request = |reloads: &mut Reloads| {
        let (answer, answered) = oneshot::channel();
        reloads.request(ReloadTrigger::Api, Some(answer));
        answered
    };
    let mut waiting = [request(&mut reloads), request(&mut reloads)];
    reloads.refuse_all(Refused("the end"));
    for answer in &mut waiting {
        assert_eq!(answer.try_recv(), Ok(Err(Refused("the end"))));
    }
}

#[tokio::test]
async fn a_request_without_a_file_is_refused() {
    let mut reloads = Reloads::new(Source::flags(Flags::default()));
    let (answer, mut answered) = oneshot::channel();
    reloads.request(ReloadTrigger::Api, Some(answer));
    assert_eq!(answered.try_recv(), Ok(Err(NO_FILE)));
}
