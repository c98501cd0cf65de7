//! Events through `tracing` to captured lines.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;

/// `apply` rebuilds what `tracing` remembers for the whole process, so one test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Bench {
    out: Captured,
    guard: LogGuard,
    _subscriber: tracing::subscriber::DefaultGuard,
    _alone: MutexGuard<'static, ()>,
}

fn log(level: Level, format: LogFormat) -> Log {
    Log {
        level,
        format,
        opened: true,
        headers: Vec::new(),
    }
}

impl Bench {
    fn new(log: &Log) -> Bench {
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let out = Captured::default();
        let sink = Arc::new(Sink::start(out.clone()).unwrap());
        let settings = Arc::new(Settings::new(log, false, false));
        let lines = Lines {
            sink: Arc::clone(&sink),
            settings: Arc::clone(&settings),
        };
        let subscriber = tracing::subscriber::set_default(Registry::default().with(lines));
        let bench = Bench {
            out,
            guard: LogGuard {
                sink: Some(sink),
                settings,
            },
            _subscriber: subscriber,
            _alone: alone,
        };
        bench.guard.apply(log);
        bench
    }

    /// The lines written since the last call, without their timestamps.
    fn lines(&self) -> Vec<String> {
        self.guard
            .sink
            .as_ref()
            .unwrap()
            .flush(Duration::from_secs(10));
        let bytes = std::mem::take(&mut *self.out.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
        text.lines().map(without_timestamp).collect()
    }
}

fn without_timestamp(line: &str) -> String {
    let (before, after) = line.split_once("Z").unwrap();
    let shape: String = before
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert!(shape.ends_with("0000-00-00T00:00:00.000"), "{line:?}");
    let after = after.strip_prefix("\",").map(|rest| format!("{{{rest}"));
    after.unwrap_or_else(|| line.split_once(' ').unwrap().1.to_owned())
}

#[derive(Serialize)]
struct Record {
    conn: &'static str,
    subprotocol: Option<&'static str>,
    detail: &'static str,
    sent: Sent,
}

#[derive(Serialize)]
struct Sent {
    code: u16,
}

const RECORD: Record = Record {
    conn: "01JD",
    subprotocol: None,
    detail: "\"nothing\"\nfor 60.2s \u{1b}é",
    sent: Sent { code: 1001 },
};

#[test]
fn a_record_in_json() {
    let bench = Bench::new(&log(Level::INFO, LogFormat::Json));
    emit(Level::INFO, "connection_closed", &RECORD);
    emit(Level::WARN, "draining", &());
    assert_eq!(
        bench.lines(),
        [
            "{\"level\":\"INFO\",\"event\":\"connection_closed\",\"conn\":\"01JD\",\"subprotocol\":null,\
             \"detail\":\"\\\"nothing\\\"\\nfor 60.2s \\u001bé\",\"sent\":{\"code\":1001}}",
            "{\"level\":\"WARN\",\"event\":\"draining\"}",
        ]
    );
}

#[test]
fn a_record_in_text() {
    let bench = Bench::new(&log(Level::INFO, LogFormat::Text));
    emit(Level::INFO, "connection_closed", &RECORD);
    emit(Level::ERROR, "drained", &());
    assert_eq!(
        bench.lines(),
        [
            " INFO connection_closed conn=01JD subprotocol=- \
             detail=\"\\\"nothing\\\"\\nfor 60.2s \\u001bé\" sent.code=1001",
            "ERROR drained",
        ]
    );
}

#[test]
fn ordinary_events_have_the_same_shapes() {
    let bench = Bench::new(&log(Level::INFO, LogFormat::Json));
    let log_all = || {
        tracing::warn!(event = "accept_failed", attempt = 3, address = %"127.0.0.1:1", "trying again");
        tracing::info!("plain");
        tracing::warn!(target: "hyper::proto", ok = false, "other crate");
    };
    log_all();
    assert_eq!(
        bench.lines(),
        [
            r#"{"level":"WARN","event":"accept_failed","detail":"trying again","attempt":3,"address":"127.0.0.1:1"}"#,
            r#"{"level":"INFO","event":"log","detail":"plain"}"#,
            r#"{"level":"WARN","event":"log","target":"hyper::proto","detail":"other crate","ok":false}"#,
        ]
    );
    bench.guard.apply(&log(Level::INFO, LogFormat::Text));
    log_all();
    assert_eq!(
        bench.lines(),
        [
            " WARN accept_failed detail=\"trying again\" attempt=3 address=127.0.0.1:1",
            " INFO log detail=plain",
            " WARN log target=hyper::proto detail=\"other crate\" ok=false",
        ]
    );
}

#[test]
fn the_level_filters_and_changes_live() {
    let bench = Bench::new(&log(Level::WARN, LogFormat::Text));
    let log_all = || {
        emit(Level::INFO, "record", &());
        tracing::debug!("ours");
        tracing::info!(target: "hyper", "theirs");
        tracing::info!(target: "sidebeatish", "a stranger");
    };
    log_all();
    assert_eq!(bench.lines(), [""; 0]);
    bench.guard.apply(&log(Level::DEBUG, LogFormat::Text));
    log_all();
    assert_eq!(bench.lines(), [" INFO record", "DEBUG log detail=ours"]);
    bench.guard.apply(&log(Level::TRACE, LogFormat::Text));
    log_all();
    assert_eq!(bench.lines().len(), 4);
    bench.guard.apply(&log(Level::ERROR, LogFormat::Text));
    log_all();
    emit(Level::ERROR, "record", &());
    assert_eq!(bench.lines(), ["ERROR record"]);
}

#[test]
fn a_record_is_serialised_only_when_its_level_is_on() {
    struct Loud;
    impl Serialize for Loud {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("asked for"))
        }
    }
    let bench = Bench::new(&log(Level::INFO, LogFormat::Text));
    emit(Level::DEBUG, "record", &Loud);
    assert_eq!(bench.lines(), [""; 0]);
    emit(Level::INFO, "record", &Loud);
    assert_eq!(
        bench.lines(),
        [" INFO record detail=\"the record cannot be written: asked for\""]
    );
}

#[test]
fn auto_is_text_on_a_terminal_only() {
    for (is_terminal, is_text) in [(true, true), (false, false)] {
        let settings = Settings::new(&log(Level::INFO, LogFormat::Auto), is_terminal, false);
        assert_eq!(settings.is_text.load(Ordering::Relaxed), is_text);
    }
}

#[test]
fn a_record_that_cannot_be_taken_apart_is_written_as_it_is() {
    struct Deep;
    impl Serialize for Deep {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let depth = 200;
            let deep = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
            let raw = serde_json::value::RawValue::from_string(deep);
            raw.map_err(serde::ser::Error::custom)?
                .serialize(serializer)
        }
    }
    let bench = Bench::new(&log(Level::INFO, LogFormat::Text));
    emit(Level::INFO, "record", &Deep);
    let lines = bench.lines();
    assert!(
        lines[0].starts_with(r#" INFO record record="{\"a\":[[["#),
        "{lines:?}"
    );
}
