//! Two kinds of clients that send no message: one that is dead, and one that lives.

use std::fmt;
use std::io;
use std::time::Duration;

use hyper::header::HeaderMap;
use tokio::time::{Instant, timeout_at};

use crate::cli::websocket::{Client, OpenError, Received};
use crate::protocol::Close;

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a Close frame, which was answered.
    Closed(Close),
    /// TCP ended, and no Close frame came before.
    Lost,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Closed(close) => write!(f, "Close frame {close}"),
            End::Lost => f.write_str("an end without a Close frame"),
        }
    }
}

/// Opens a WebSocket at `/`.
pub(super) async fn open(address: &str) -> Result<Client, OpenError> {
    Client::open(address, "/", HeaderMap::new())
        .await
        .map(|(client, _)| client)
}

/// Answers nothing until the end, not even a ping.
pub(super) async fn stay_silent(mut client: Client) -> io::Result<End> {
    loop {
        match client.next().await {
            Ok(Received::Close(close)) => return answered(&mut client, close).await,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(error),
            Err(_) => return Ok(End::Lost),
        }
    }
}

/// Answers pings and nothing else; the number of pings, or the end that came too early.
pub(super) async fn stay_quiet(
    client: &mut Client,
    for_how_long: Duration,
) -> io::Result<Result<u32, End>> {
    let end = Instant::now() + for_how_long;
    let mut pings = 0;
    while let Ok(received) = timeout_at(end, client.next()).await {
        match received {
            Ok(Received::Ping(payload)) => client.pong(&payload).await?,
            Ok(Received::Close(close)) => return answered(client, close).await.map(Err),
            Ok(_) => continue,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(error),
            Err(_) => return Ok(Err(End::Lost)),
        }
        pings += 1;
    }
    Ok(Ok(pings))
}

/// Answers a Close frame. The other side may have closed TCP already.
async fn answered(client: &mut Client, close: Close) -> io::Result<End> {
    let _ = client.close(&close).await;
    Ok(End::Closed(close))
}
