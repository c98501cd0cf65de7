//! Dialling a backend.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use thiserror::Error;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::{sleep, timeout};

use super::http_connections::HttpConnections;
use super::stream::Stream;
use crate::config::show_duration;
use crate::config::{Target, Upstream};
use crate::telemetry::{HandshakeFailure, Observer};

/// Why a backend could not be reached, after all tries.
#[derive(Debug, Error)]
pub(crate) enum DialError {
    /// The system reported an error.
    #[error("{target}: {error} (tries: {attempts})")]
    Refused {
        target: Target,
        error: io::Error,
        attempts: u32,
    },
    /// The name has no address.
    #[error(
        "{target}: the name cannot be resolved: {error} (tries: {attempts}). Check the name in `upstream`, and the \
         resolver of this host or container"
    )]
    Unresolved {
        target: Target,
        error: io::Error,
        attempts: u32,
    },
    /// No answer in time.
    #[error("{target}: no connection within connect_timeout of {timeout:?} (tries: {attempts})")]
    Timeout {
        target: Target,
        timeout: Duration,
        attempts: u32,
    },
    /// This process or machine is out of files, memory or ports.
    #[error(
        "{target}: {error}; that is not the backend's doing: raise the limit of open files (LimitNOFILE, ulimit -n), or \
         see what else the machine has run out of"
    )]
    NoRoom { target: Target, error: io::Error },
}

impl DialError {
    pub(crate) fn failure(&self) -> HandshakeFailure {
        match self {
            DialError::Refused { .. } => HandshakeFailure::UpstreamRefused,
            DialError::Unresolved { .. } => HandshakeFailure::UpstreamUnresolved,
            DialError::Timeout { .. } => HandshakeFailure::UpstreamTimeout,
            DialError::NoRoom { .. } => HandshakeFailure::OverCapacity,
        }
    }
}

/// Why one try did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(io::Error),
    Unresolved(io::Error),
    Timeout(Duration),
}

impl Failure {
    /// What is wrong with the backend; none if the fault is on this machine.
    pub(crate) fn reason(&self) -> Option<String> {
        match self {
            Failure::Timeout(timeout) => {
                Some(format!("no connection within {}", show_duration(*timeout)))
            }
            Failure::Unresolved(error) if !is_ours(error) => {
                Some(format!("the name cannot be resolved: {error}"))
            }
            Failure::Unresolved(_) => None,
            Failure::Refused(error) => (!is_ours(error)).then(|| error.to_string()),
        }
    }
}

/// The authority under which a backend is known in a Host header and in a request's URI.
pub(crate) fn authority(target: &Target) -> String {
    match target {
        Target::Tcp { .. } => target.to_string(),
        Target::Unix(_) => "localhost".to_owned(),
    }
}

/// Errors that are the fault of this machine: out of files, memory or ports.
const OURS: [Errno; 5] = [
    Errno::MFILE,
    Errno::NFILE,
    Errno::NOBUFS,
    Errno::NOMEM,
    Errno::ADDRNOTAVAIL,
];

fn is_ours(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|error| OURS.contains(&error))
}

/// Opens a connection, trying again with a growing, jittered backoff.
pub(crate) async fn dial(
    upstream: &Upstream,
    observer: &Observer,
    connections: &Arc<HttpConnections>,
) -> Result<Stream, DialError> {
    let target = &upstream.target;
    let file = connections.upstream().map_err(|_| DialError::NoRoom {
        target: target.clone(),
        error: Errno::MFILE.into(),
    })?;
    let mut backoff = upstream.retry.backoff;
    let mut attempt = 1;
    loop {
        let failure = match try_once(target, upstream.connect_timeout).await {
            Ok(stream) => {
                observer.upstream_reached(target);
                return Ok(stream.tuned().counted(file));
            }
            Err(failure) => failure,
        };
        if attempt >= upstream.retry.attempts {
            if let Some(reason) = failure.reason() {
                observer.upstream_failed(target, &reason);
            }
            return Err(failure.after(attempt, target));
        }
        let error = failure.after(attempt, target);
        tracing::debug!(event = "dial_failed", attempt, "{error}");
        sleep(backoff.mul_f64(rand::random_range(0.5..1.0))).await;
        backoff = backoff.saturating_mul(2).min(upstream.retry.max_backoff);
        attempt += 1;
    }
}

impl Failure {
    fn after(self, attempts: u32, target: &Target) -> DialError {
        let target = target.clone();
        match self {
            Failure::Refused(error) if is_ours(&error) => DialError::NoRoom { target, error },
            Failure::Refused(error) => DialError::Refused {
                target,
                error,
                attempts,
            },
            Failure::Unresolved(error) => DialError::Unresolved {
                target,
                error,
                attempts,
            },
            Failure::Timeout(timeout) => DialError::Timeout {
                target,
                timeout,
                attempts,
            },
        }
    }
}

/// One attempt: every address of a name, in turn.
pub(crate) async fn try_once(
    target: &Target,
    connect_timeout: Duration,
) -> Result<Stream, Failure> {
    match target {
        Target::Tcp { host, port } => {
            let addresses = resolve(host, *port, connect_timeout).await?;
            connect(addresses, connect_timeout).await.map(Stream::from)
        }
        Target::Unix(path) => within(connect_timeout, UnixStream::connect(path))
            .await
            .map(Stream::from),
    }
}

/// The addresses of a name. A resolver that takes too long is not the backend's fault either.
async fn resolve(
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<impl Iterator<Item = SocketAddr>, Failure> {
    match timeout(limit, lookup_host((host, port))).await {
        Ok(resolved) => resolved.map_err(Failure::Unresolved),
        Err(_) => Err(Failure::Unresolved(io::Error::new(
            io::ErrorKind::TimedOut,
            format!(
                "no answer within connect_timeout of {}",
                show_duration(limit)
            ),
        ))),
    }
}

/// Connects to the first address that accepts; each gets the whole timeout, so that a dead one does not hide the others.
async fn connect(
    addresses: impl Iterator<Item = SocketAddr>,
    connect_timeout: Duration,
) -> Result<TcpStream, Failure> {
    let mut failure = None;
    for address in addresses {
        match within(connect_timeout, TcpStream::connect(address)).await {
            Ok(stream) => return Ok(stream),
            Err(failed) => failure = Some(failed),
        }
    }
    let no_address = || Failure::Unresolved(io::Error::other("it has no address"));
    Err(failure.unwrap_or_else(no_address))
}

async fn within<T>(
    limit: Duration,
    done: impl Future<Output = io::Result<T>>,
) -> Result<T, Failure> {
    match timeout(limit, done).await {
        Ok(done) => done.map_err(Failure::Refused),
        Err(_) => Err(Failure::Timeout(limit)),
    }
}

#[cfg(test)]
mod tests;
