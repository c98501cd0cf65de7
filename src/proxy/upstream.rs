//! Dialling a backend.

use std::io;
use std::time::Duration;

use socket2::SockRef;
use thiserror::Error;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

use super::stream::{self, Stream};
use crate::config::policy::{Target, Upstream};
use crate::observe::HandshakeFailure;

/// Why a backend could not be reached, after all tries.
#[derive(Debug, Error)]
pub(super) enum DialError {
    /// The system said no.
    #[error("{target}: {error} (tries: {attempts})")]
    Refused {
        target: Target,
        error: io::Error,
        attempts: u32,
    },
    /// Nobody answered.
    #[error("{target}: no connection within connect_timeout of {timeout:?} (tries: {attempts})")]
    Timeout {
        target: Target,
        timeout: Duration,
        attempts: u32,
    },
}

impl DialError {
    pub(super) fn failure(&self) -> HandshakeFailure {
        match self {
            DialError::Refused { .. } => HandshakeFailure::UpstreamRefused,
            DialError::Timeout { .. } => HandshakeFailure::UpstreamTimeout,
        }
    }
}

/// Opens a connection, trying again with a growing, jittered backoff.
pub(super) async fn dial(upstream: &Upstream) -> Result<Stream, DialError> {
    let mut backoff = upstream.retry.backoff;
    let mut attempt = 1;
    loop {
        let error = match timeout(upstream.connect_timeout, connect(&upstream.target)).await {
            Ok(Ok(stream)) => {
                if let Stream::Tcp(tcp) = &stream {
                    stream::tune(&SockRef::from(tcp));
                }
                return Ok(stream);
            }
            Ok(Err(error)) => DialError::Refused {
                target: upstream.target.clone(),
                error,
                attempts: attempt,
            },
            Err(_) => DialError::Timeout {
                target: upstream.target.clone(),
                timeout: upstream.connect_timeout,
                attempts: attempt,
            },
        };
        if attempt >= upstream.retry.attempts {
            return Err(error);
        }
        tracing::debug!(event = "dial_failed", attempt, "{error}");
        sleep(backoff.mul_f64(rand::random_range(0.5..1.0))).await;
        backoff = backoff.saturating_mul(2).min(upstream.retry.max_backoff);
        attempt += 1;
    }
}

/// One try; every address of a name is tried in turn.
async fn connect(target: &Target) -> io::Result<Stream> {
    match target {
        Target::Tcp { host, port } => Ok(Stream::Tcp(
            TcpStream::connect((host.as_str(), *port)).await?,
        )),
        Target::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
    }
}
