//! Three clients and what they see. The demo prints it as it happens, and checks every claim that it prints.

use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::clients::{End, open, stay_quiet, stay_silent};
use crate::cli::print_line;
use crate::cli::websocket::{Client, OpenError, Received};
use crate::protocol::Close;

/// Longer than both the backend's and the sidecar's idle time.
const QUIET_TIME: Duration = Duration::from_secs(10);
/// The most that anything in the story may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait after an event, so that the sidecar's log line is printed before the next paragraph.
const PAUSE: Duration = Duration::from_millis(500);

/// What did not happen as the demo claims.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoryError {
    #[error("the story broke off: {0}")]
    Io(#[from] io::Error),
    #[error("the story broke off: {0}")]
    Open(#[from] OpenError),
    #[error("the story broke off: {0} did not happen within {TIMEOUT:?}")]
    TooLong(&'static str),
    #[error("the story went wrong: expected {expected}, got {got}")]
    Unexpected { expected: &'static str, got: End },
}

/// Half a minute with the backend and the sidecar at these addresses.
pub(super) async fn play(backend: &str, sidecar: &str) -> Result<(), StoryError> {
    sleep(PAUSE).await;
    silent_client_alone(backend).await?;
    silent_client_behind_sidecar(sidecar).await?;
    quiet_client_behind_sidecar(sidecar).await
}

async fn silent_client_alone(backend: &str) -> Result<(), StoryError> {
    let clock = act(
        "1. A client goes silent, straight on the backend: it sends nothing and answers no ping.",
    );
    match within(
        stay_silent(open(backend).await?),
        "the end of a silent client",
    )
    .await??
    {
        End::Lost => clock.note(&[
            "TCP ended, and no Close frame came. A browser reports 1006 and no reason:",
            "was it the network, a proxy, the backend? Nobody knows.",
        ]),
        got => {
            return Err(StoryError::Unexpected {
                expected: "an end without a Close frame",
                got,
            });
        }
    }
    Ok(())
}

async fn silent_client_behind_sidecar(sidecar: &str) -> Result<(), StoryError> {
    let clock = act("2. The same client, behind the sidecar.");
    match within(
        stay_silent(open(sidecar).await?),
        "the end of a silent client",
    )
    .await??
    {
        End::Closed(close) if close == Close::new(1001, "idle timeout") => {
            clock.note(&[&format!(
                "A Close frame came: {close}. And the log says who ended it and why:"
            )]);
        }
        got => {
            return Err(StoryError::Unexpected {
                expected: "Close frame 1001 idle timeout",
                got,
            });
        }
    }
    sleep(PAUSE).await;
    Ok(())
}

async fn quiet_client_behind_sidecar(sidecar: &str) -> Result<(), StoryError> {
    let clock = act(
        "3. A quiet client behind the sidecar: it sends no message either, but it answers pings.",
    );
    let mut client = open(sidecar).await?;
    let pings = match stay_quiet(&mut client, QUIET_TIME).await? {
        Ok(pings) => pings,
        Err(got) => {
            return Err(StoryError::Unexpected {
                expected: "a connection that stays open",
                got,
            });
        }
    };
    within(echo(&mut client, "hello"), "an echo").await??;
    clock.note(&[
        &format!(
            "Still open after {pings} pings answered, and the backend still echoes: the sidecar's"
        ),
        "own pings kept its heartbeat from dropping the connection. Now the client sends `close`.",
    ]);

    client.text("close").await?;
    match within(stay_silent(client), "the end after `close`").await?? {
        End::Closed(close) if close.code() == Some(1014) => clock.note(&[
            "The backend dropped TCP with no Close frame. The client got one all the same:",
            &format!("{close}. The log:"),
        ]),
        got => {
            return Err(StoryError::Unexpected {
                expected: "Close frame 1014",
                got,
            });
        }
    }
    sleep(PAUSE).await;
    Ok(())
}

/// Sends a text and waits for it to come back.
async fn echo(client: &mut Client, text: &str) -> io::Result<()> {
    client.text(text).await?;
    while client.next().await? != Received::Data(text.as_bytes().to_vec()) {}
    Ok(())
}

async fn within<T>(work: impl Future<Output = T>, what: &'static str) -> Result<T, StoryError> {
    timeout(TIMEOUT, work)
        .await
        .map_err(|_| StoryError::TooLong(what))
}

/// Begins an act and its clock.
fn act(title: &str) -> Clock {
    print_line(format_args!("\n{title}"));
    Clock {
        started: Instant::now(),
    }
}

/// Prints a paragraph after the seconds since the act began.
struct Clock {
    started: Instant,
}

impl Clock {
    /// A paragraph of what a client has just seen.
    fn note(&self, lines: &[&str]) {
        let seconds = self.started.elapsed().as_secs_f64();
        print_line(format_args!(
            "   after {seconds:>4.1} s  {}",
            lines.join("\n                 ")
        ));
    }
}

#[cfg(test)]
mod tests;
