//! Log lines on stdout, as JSON or as text.
//!
//! Lifecycle events ([`emit`]) carry a record, one serialisable value. Ordinary `tracing` events come out in the same
//! shape: `event` is their field of that name, or `log`; their message is `detail`.

mod line;
mod sink;

use std::io::{self, IsTerminal, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fmt};

use serde::Serialize;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use self::line::Head;
use self::sink::Sink;
use crate::config::{Log, LogFormat};

/// The target of lifecycle events; their `record` field holds JSON.
const LIFECYCLE: &str = "sidebeat::event";
/// How long the end of the process waits until the last lines are read.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// The log of the process. Dropping it writes the lines that are buffered, for at most a second.
#[must_use = "the last lines are lost when the guard is not kept until the end"]
pub struct LogGuard {
    sink: Option<Arc<Sink>>,
    settings: Arc<Settings>,
}

/// Installs the log of this process. Only the first call has an effect.
///
/// Writing never waits for stdout: when a reader stalls, lines that have no room are dropped, and
/// `log_lines_dropped` with their count takes their place once it reads on.
pub fn init(log: &Log) -> LogGuard {
    let is_terminal = io::stdout().is_terminal();
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let settings = Arc::new(Settings::new(log, is_terminal, is_terminal && !no_color));
    let sink = match Sink::start(io::stdout()) {
        Ok(sink) => Arc::new(sink),
        Err(error) => {
            let _ = writeln!(
                io::stderr(),
                "sidebeat: no log is written, because no thread could be started for it: {error}"
            );
            return LogGuard {
                sink: None,
                settings,
            };
        }
    };
    let lines = Lines {
        sink: Arc::clone(&sink),
        settings: Arc::clone(&settings),
    };
    // An error says that the process has a log already.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(lines));
    LogGuard {
        sink: Some(sink),
        settings,
    }
}

/// The number of lines that were dropped because stdout was read too slowly.
#[must_use]
pub fn dropped_lines() -> u64 {
    sink::DROPPED.load(Ordering::Relaxed)
}

/// Writes a lifecycle event as one line with the record's fields in their order. The record is serialised only if the
/// level is enabled.
pub fn emit(level: Level, event: &'static str, record: &impl Serialize) {
    emit_fields(level, event, SystemTime::now(), || fields(record));
}

/// The same with fields from [`fields`] and with a given time.
pub(super) fn emit_fields<F: AsRef<str>>(
    level: Level,
    event: &'static str,
    time: SystemTime,
    record: impl FnOnce() -> F,
) {
    macro_rules! at {
        ($level:expr) => {
            tracing::event!(target: LIFECYCLE, $level, event, unix_ms = unix_ms(time), record = record().as_ref())
        };
    }
    match level {
        Level::ERROR => at!(Level::ERROR),
        Level::WARN => at!(Level::WARN),
        Level::INFO => at!(Level::INFO),
        Level::DEBUG => at!(Level::DEBUG),
        Level::TRACE => at!(Level::TRACE),
    }
}

fn unix_ms(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// `2026-11-21T19:10:47.861Z`: UTC, milliseconds (RFC 3339).
#[must_use]
pub fn rfc3339(time: SystemTime) -> String {
    let mut out = String::with_capacity(24);
    line::write_timestamp(&mut out, time);
    out
}

/// A lifecycle event as a JSON log line without its newline, whatever the log's own format is.
pub(super) fn json_line(time: SystemTime, level: Level, event: &str, fields: &str) -> String {
    let mut out = String::with_capacity(fields.len() + 96);
    line::write_json(&mut out, &Head { time, level, event }, fields);
    out.truncate(out.trim_end().len());
    out
}

/// A record as a JSON object's text.
pub(super) fn fields(record: &impl Serialize) -> String {
    match serde_json::to_string(record) {
        Ok(text) if text.starts_with('{') => text,
        Ok(text) if text == "null" => "{}".to_owned(),
        Ok(text) => format!("{{\"record\":{text}}}"),
        Err(error) => {
            serde_json::json!({ "detail": format!("the record cannot be written: {error}") })
                .to_string()
        }
    }
}

impl LogGuard {
    /// Waits until every line is written, for at most a second. Returns false if some may not be.
    #[must_use]
    pub fn flush(&self) -> bool {
        self.sink
            .as_ref()
            .is_some_and(|sink| sink.flush(FLUSH_TIMEOUT))
    }

    /// Follows a new configuration at once.
    pub fn apply(&self, log: &Log) {
        self.settings.set(log);
        // `tracing` caches for each call site whether it is enabled.
        tracing::callsite::rebuild_interest_cache();
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        // There is no other place to report a failure to.
        let _ = self.flush();
    }
}

/// The settings that a reload can change.
struct Settings {
    /// The rank of the least severe level that is written.
    max_rank: AtomicU8,
    is_text: AtomicBool,
    is_terminal: bool,
    colours: bool,
}

impl Settings {
    fn new(log: &Log, is_terminal: bool, colours: bool) -> Settings {
        let settings = Settings {
            max_rank: AtomicU8::new(0),
            is_text: AtomicBool::new(false),
            is_terminal,
            colours,
        };
        settings.set(log);
        settings
    }

    fn set(&self, log: &Log) {
        let is_text = match log.format {
            LogFormat::Auto => self.is_terminal,
            LogFormat::Json => false,
            LogFormat::Text => true,
        };
        self.is_text.store(is_text, Ordering::Relaxed);
        self.max_rank.store(rank(log.level), Ordering::Relaxed);
    }

    /// Other crates are logged at `WARN` and above, and in full at `trace`.
    fn is_enabled(&self, metadata: &Metadata<'_>) -> bool {
        let max_rank = self.max_rank.load(Ordering::Relaxed);
        let max_rank = if is_ours(metadata) || max_rank == rank(Level::TRACE) {
            max_rank
        } else {
            max_rank.min(rank(Level::WARN))
        };
        rank(*metadata.level()) <= max_rank
    }

    fn filter(&self) -> LevelFilter {
        match self.max_rank.load(Ordering::Relaxed) {
            0 => LevelFilter::ERROR,
            1 => LevelFilter::WARN,
            2 => LevelFilter::INFO,
            3 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        }
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().split("::").next() == Some("sidebeat")
}

/// 0 for the most severe level.
fn rank(level: Level) -> u8 {
    match level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}

/// Turns `tracing` events into lines.
struct Lines {
    sink: Arc<Sink>,
    settings: Arc<Settings>,
}

impl Lines {
    fn write(&self, level: Level, fields: Fields) {
        let time = fields.time.unwrap_or_else(SystemTime::now);
        let event = fields.event.as_deref().unwrap_or("log");
        let line = self.line(&Head { time, level, event }, fields.record, fields.others);
        self.sink.append(line.as_bytes(), |count| {
            let fields = Map::from_iter([("count".to_owned(), count.into())]);
            self.line(
                &Head {
                    time,
                    level: Level::WARN,
                    event: "log_lines_dropped",
                },
                None,
                fields,
            )
            .into_bytes()
        });
    }

    fn line(
        &self,
        head: &Head<'_>,
        record: Option<String>,
        mut others: Map<String, Value>,
    ) -> String {
        let mut out = String::with_capacity(512);
        if self.settings.is_text.load(Ordering::Relaxed) {
            match record.as_deref().map(serde_json::from_str) {
                Some(Ok(Value::Object(record))) => others.extend(record),
                // A record that cannot be parsed is written as one field.
                _ => others.extend(record.map(|record| ("record".to_owned(), record.into()))),
            }
            line::write_text(&mut out, head, &others, self.settings.colours);
        } else {
            let fields = record.unwrap_or_else(|| Value::Object(others).to_string());
            line::write_json(&mut out, head, &fields);
        }
        out
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.settings.is_enabled(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.settings.is_enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.settings.filter())
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields {
            is_lifecycle: metadata.target() == LIFECYCLE,
            ..Fields::default()
        };
        if !is_ours(metadata) {
            fields
                .others
                .insert("target".to_owned(), metadata.target().into());
        }
        event.record(&mut fields);
        self.write(*metadata.level(), fields);
    }
}

/// The fields of one `tracing` event.
#[derive(Default)]
struct Fields {
    is_lifecycle: bool,
    /// A lifecycle event's.
    time: Option<SystemTime>,
    event: Option<String>,
    /// A lifecycle event's record: a JSON object's text.
    record: Option<String>,
    others: Map<String, Value>,
}

impl Fields {
    fn insert(&mut self, field: &Field, value: Value) {
        let name = if field.name() == "message" {
            "detail"
        } else {
            field.name()
        };
        self.others.insert(name.to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "event" => self.event = Some(value.to_owned()),
            "record" if self.is_lifecycle => self.record = Some(value.to_owned()),
            _ => self.insert(field, value.into()),
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if self.is_lifecycle && field.name() == "unix_ms" {
            self.time = UNIX_EPOCH.checked_add(Duration::from_millis(value));
        } else {
            self.insert(field, value.into());
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests;
