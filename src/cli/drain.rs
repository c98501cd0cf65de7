//! `sidebeat drain`: drains a running sidecar and waits until it has ended.

use std::process::ExitCode;
use std::time::Duration;

use hyper::{Method, StatusCode};
use serde::Deserialize;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::remote::{self, AskError, Events, FindError, Remote};
use super::{ConfigFile, block_on, print_error, print_line};
use crate::admin::types::{DrainPhase, Draining, Summary};
use crate::runtime::EXIT_CONFIG;

pub(super) const HELP: &str = "\
Drains as SIGTERM does: clients are closed over `drain.spread`, and the process ends. The command
waits until then. Interrupting it does not interrupt the drain.

Examples:
  sidebeat drain                                      the sidecar of ./proxy.yaml
  sidebeat drain --admin unix:/run/admin.sock --timeout 1m
  preStop: {exec: {command: [/sidebeat, drain]}}      in a container of Kubernetes

Exit: 0 drained, or the process has ended; 1 not drained within --timeout, or the API cannot be
reached or refuses; 78 the file that -c names does not exist, or it has `admin: off`.";

/// Added to the drain's own deadline, for the last closing records.
const SLACK: Duration = Duration::from_secs(5);
/// How long to wait for the last event once the process has ended.
const END_GRACE: Duration = Duration::from_secs(1);
/// The time between two requests.
const PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    remote: remote::Whereabouts,
    /// How long to wait [default: the rest of `drain.timeout` and 5s]
    #[arg(long, value_parser = crate::config::parse_duration)]
    timeout: Option<Duration>,
}

/// Why the command fails.
#[derive(Debug, thiserror::Error)]
enum DrainError {
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("not drained within {}: {remaining} left; the sidecar goes on with it", crate::config::show_duration(*.within))]
    Late { within: Duration, remaining: String },
}

/// The event `drained`.
#[derive(Deserialize)]
struct Drained {
    connections: usize,
    detail: String,
}

pub(super) fn run(options: Options, before: ConfigFile) -> ExitCode {
    block_on(async {
        match drain(options, before).await {
            Ok(end) => {
                print_line(end);
                ExitCode::SUCCESS
            }
            Err(error) => {
                print_error(format_args!("sidebeat drain: {error}"));
                match error {
                    DrainError::Find(_) => ExitCode::from(EXIT_CONFIG),
                    _ => ExitCode::FAILURE,
                }
            }
        }
    })
}

async fn drain(options: Options, before: ConfigFile) -> Result<String, DrainError> {
    let remote = options.remote.find(before)?;
    // Before it begins: without clients it is over before the answer to the order has come.
    let events = match remote.listen("/api/events?types=drained").await {
        Ok(events) => Some(events),
        // As many listen as may; looking now and then does as well.
        Err(error) if error.status() == Some(StatusCode::SERVICE_UNAVAILABLE) => None,
        Err(error) => return Err(error.into()),
    };
    let order = remote.ask::<Draining>(Method::POST, "/api/drain", remote::PATIENCE);
    let begun = match order.await {
        Ok(begun) => Some(begun),
        // It is about to end, so that nobody takes orders.
        Err(error) if error.status() == Some(StatusCode::SERVICE_UNAVAILABLE) => None,
        Err(error) => return Err(error.into()),
    };
    let left = begun.as_ref().map_or(0, |begun| begun.left_ms);
    let left = Duration::from_millis(left);
    let mut progress = Progress::default();
    if let Some(begun) = begun {
        let place = remote.place();
        let seconds = left.as_secs_f64().ceil();
        print_line(format_args!(
            "draining {place}: what is left in {seconds:.0}s is cut off"
        ));
        progress.print(&begun);
    }
    let within = options.timeout.unwrap_or(left + SLACK);
    match timeout(within, follow(&remote, events, &mut progress)).await {
        Ok(end) => end,
        Err(_) => Err(DrainError::Late {
            within,
            remaining: connections(progress.remaining),
        }),
    }
}

/// What was printed last.
#[derive(Default)]
struct Progress {
    line: String,
    remaining: usize,
}

impl Progress {
    fn print(&mut self, now: &Draining) {
        let what = match now.phase {
            DrainPhase::Delay => "new connections are still accepted",
            DrainPhase::Closing => "they are closed one after the other",
            DrainPhase::Finishing => "every client was sent a Close frame",
        };
        let line = format!("{} of {} left: {what}", now.remaining, connections(now.of));
        self.remaining = now.remaining;
        if line != self.line {
            print_line(&line);
            self.line = line;
        }
    }
}

/// Waits for the end, and says how it was.
async fn follow(
    remote: &Remote,
    mut events: Option<Events>,
    progress: &mut Progress,
) -> Result<String, DrainError> {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let gone = loop {
        tokio::select! {
            // The event says more than the summary.
            biased;
            Some(drained) = drained(&mut events) => return Ok(drained),
            _ = ticks.tick() => match remote.get("/api/summary").await {
                Ok(Summary { draining: Some(now), .. }) => progress.print(&now),
                Ok(Summary { draining: None, .. }) => break "another process answers already",
                Err(error) if error.is_absence() => break "the process has ended",
                Err(AskError::Late(..)) => {}
                Err(error) => return Err(error.into()),
            },
        }
    };
    // The event may have come while the summary was requested.
    let summary = timeout(END_GRACE, drained(&mut events)).await;
    Ok(summary
        .ok()
        .flatten()
        .unwrap_or_else(|| format!("drained: {gone}")))
}

/// The summary from the event `drained`; `None` if the event stream ended without it.
async fn drained(events: &mut Option<Events>) -> Option<String> {
    while let Some(event) = events.as_mut()?.next().await {
        // Another event says that something was missed.
        if let Ok(Drained {
            connections: left,
            detail,
        }) = serde_json::from_value(event)
        {
            return Some(match left {
                0 => format!("drained: {detail}"),
                cut => format!("drained: {detail}: {}", connections(cut)),
            });
        }
    }
    *events = None;
    None
}

fn connections(count: usize) -> String {
    match count {
        1 => "1 connection".to_owned(),
        count => format!("{count} connections"),
    }
}
