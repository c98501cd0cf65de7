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
