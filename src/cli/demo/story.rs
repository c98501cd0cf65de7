//! Three clients and what they see: told while it happens, and checked, so that the demo cannot tell what is not so.

use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::silent::{End, Silent};
use crate::cli::say;
use crate::protocol::Close;

/// Longer than both the backend's and the sidecar's idle time.
const QUIET_TIME: Duration = Duration::from_secs(10);
/// The most that anything in the story may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between what a client sees and what is told next: the sidecar's log line comes in between.
const PAUSE: Duration = Duration::from_millis(500);

/// What went otherwise than it should.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoryError {
    #[error("the story broke off: {0}")]
    Io(#[from] io::Error),
    #[error("the story broke off: {0}")]
    WebSocket(#[from] tungstenite::Error),
    #[error("the story broke off: {0} did not happen within {PATIENCE:?}")]
    TooLong(&'static str),
    #[error("the story went wrong: expected {expected}, got {got}")]
    Unexpected { expected: &'static str, got: String },
}

/// Half a minute with the backend and the sidecar at these addresses.
pub(super) async fn tell(backend: &str, sidecar: &str) -> Result<(), StoryError> {
    silent_client_alone(backend).await?;
    silent_client_behind_sidecar(sidecar).await?;
    quiet_client_behind_sidecar(sidecar).await
}

async fn silent_client_alone(backend: &str) -> Result<(), StoryError> {
    let clock = act(
        "1. A client goes silent, straight on the backend. It sends nothing and answers no ping.",
    );
    match end_of(Silent::open(backend).await?).await? {
        End::Lost => {
            clock.note(&[
                "TCP ended, and no Close frame came. A browser reports 1006 and no reason:",
                "was it the network, a proxy, the backend? Nobody knows.",
            ]);
            Ok(())
        }
        End::Closed(close) => unexpected(
            "an end without a Close frame",
            format!("Close frame {close}"),
        ),
    }
}

async fn silent_client_behind_sidecar(sidecar: &str) -> Result<(), StoryError> {
    let clock = act("2. The same client, behind the sidecar.");
    match end_of(Silent::open(sidecar).await?).await? {
        End::Closed(close) if close == Close::new(1001, "idle timeout") => {
            clock.note(&[&format!(
                "A Close frame came: {close}. And the log says who ended it and why:"
            )]);
        }
        End::Closed(close) => {
            return unexpected("1001 idle timeout", format!("Close frame {close}"));
        }
        End::Lost => {
            return unexpected(
                "1001 idle timeout",
                "an end without a Close frame".to_owned(),
            );
        }
    }
    sleep(PAUSE).await;
    Ok(())
}

async fn quiet_client_behind_sidecar(sidecar: &str) -> Result<(), StoryError> {
    let clock = act(
        "3. A quiet client behind the sidecar: it sends nothing either, but it lives and answers pings.",
    );
    let (mut client, _) = tokio_tungstenite::connect_async(format!("ws://{sidecar}/")).await?;
    let pings = be_quiet(&mut client).await?;
    exchange(&mut client, "hello").await?;
    clock.note(&[
        &format!(
            "Still open after {pings} pings answered, and the backend still echoes: the sidecar's"
        ),
        "own pings kept its heartbeat from dropping the connection. Now the client sends `close`.",
    ]);

    client.send(Message::text("close")).await?;
    let expected = "1014 backend connection lost";
    match within(client.next(), expected).await?.transpose()? {
        Some(Message::Close(Some(frame))) if u16::from(frame.code) == 1014 => {
            let close = Close::new(1014, &frame.reason);
            clock.note(&[
                "The backend dropped TCP with no Close frame. The client got one all the same:",
                &format!("{close}. The log:"),
            ]);
        }
        other => return unexpected(expected, format!("{other:?}")),
    }
    while let Ok(Some(Ok(_))) = timeout(PATIENCE, client.next()).await {}
    sleep(PAUSE).await;
    Ok(())
}

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Reads only, which answers pings; returns their number.
async fn be_quiet(client: &mut Client) -> Result<u32, StoryError> {
    let end = Instant::now() + QUIET_TIME;
    let mut pings = 0;
    while let Ok(message) = timeout_at(end, client.next()).await {
        match message.transpose()? {
            Some(Message::Ping(_)) => pings += 1,
            other => return unexpected("pings only", format!("{other:?}")),
        }
    }
    if pings == 0 {
        return unexpected("a ping every 3 s", "none".to_owned());
    }
    Ok(pings)
}

/// Sends a text and waits for its echo.
async fn exchange(client: &mut Client, text: &'static str) -> Result<(), StoryError> {
    client.send(Message::text(text)).await?;
    loop {
        match within(client.next(), "an echo").await?.transpose()? {
            Some(Message::Ping(_)) => {}
            Some(Message::Text(echo)) if echo == text => return Ok(()),
            other => return unexpected("an echo", format!("{other:?}")),
        }
    }
}

async fn end_of(client: Silent) -> Result<End, StoryError> {
    Ok(within(client.wait_for_end(), "the end of a silent client").await??)
}

async fn within<T>(work: impl Future<Output = T>, what: &'static str) -> Result<T, StoryError> {
    timeout(PATIENCE, work)
        .await
        .map_err(|_| StoryError::TooLong(what))
}

fn unexpected<T>(expected: &'static str, got: String) -> Result<T, StoryError> {
    Err(StoryError::Unexpected { expected, got })
}

/// Begins an act and its clock.
fn act(title: &str) -> Clock {
    say(format_args!("\n{title}"));
    Clock {
        started: Instant::now(),
    }
}

/// Puts the seconds of the act before what is told.
struct Clock {
    started: Instant,
}

impl Clock {
    /// A paragraph of what a client has just seen.
    fn note(&self, lines: &[&str]) {
        say(format_args!(
            "   after {:.1} s  {}",
            self.started.elapsed().as_secs_f64(),
            lines.join("\n                ")
        ));
    }
}

#[cfg(test)]
mod tests;
