//! Dialling a backend.

use std::io;
use std::time::Duration;

use rustix::io::Errno;
use socket2::SockRef;
use thiserror::Error;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

use super::stream::{self, Stream};
use crate::config::policy::{Target, Upstream};
use crate::config::show_duration;
use crate::observe::{HandshakeFailure, Observer};

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

/// Why one try did not succeed.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(io::Error),
    Timeout(Duration),
}

impl Failure {
    /// What to say of the backend; none when this process or machine lacks what it takes to reach any.
    pub(super) fn reason(&self) -> Option<String> {
        match self {
            Failure::Timeout(timeout) => {
                Some(format!("no connection within {}", show_duration(*timeout)))
            }
            Failure::Refused(error) => {
                let is_ours =
                    Errno::from_io_error(error).is_some_and(|error| OURS.contains(&error));
                (!is_ours).then(|| error.to_string())
            }
        }
    }
}

/// Open files, memory and ports.
const OURS: [Errno; 5] = [
    Errno::MFILE,
    Errno::NFILE,
    Errno::NOBUFS,
    Errno::NOMEM,
    Errno::ADDRNOTAVAIL,
];

/// Opens a connection, trying again with a growing, jittered backoff.
pub(super) async fn dial(upstream: &Upstream, observer: &Observer) -> Result<Stream, DialError> {
    let target = &upstream.target;
    let mut backoff = upstream.retry.backoff;
    let mut attempt = 1;
    loop {
        let failure = match try_once(target, upstream.connect_timeout).await {
            Ok(stream) => {
                observer.upstream_reached(target);
                if let Stream::Tcp(tcp) = &stream {
                    stream::tune(&SockRef::from(tcp));
                }
                return Ok(stream);
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
            Failure::Refused(error) => DialError::Refused {
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

/// One try.
pub(super) async fn try_once(
    target: &Target,
    connect_timeout: Duration,
) -> Result<Stream, Failure> {
    match timeout(connect_timeout, connect(target)).await {
        Ok(connected) => connected.map_err(Failure::Refused),
        Err(_) => Err(Failure::Timeout(connect_timeout)),
    }
}

/// Every address of a name is tried in turn.
async fn connect(target: &Target) -> io::Result<Stream> {
    match target {
        Target::Tcp { host, port } => Ok(Stream::Tcp(
            TcpStream::connect((host.as_str(), *port)).await?,
        )),
        Target::Unix(path) => Ok(Stream::Unix(UnixStream::connect(path).await?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_is_not_blamed_for_what_is_missing_here() {
        let reason = |errno: Errno| Failure::Refused(errno.into()).reason();
        assert_eq!(
            reason(Errno::CONNREFUSED).as_deref(),
            Some("Connection refused (os error 111)")
        );
        assert!(reason(Errno::HOSTUNREACH).is_some());
        for ours in OURS {
            assert_eq!(reason(ours), None, "{ours}");
        }
        let unknown = io::Error::other("failed to lookup address information");
        assert!(Failure::Refused(unknown).reason().is_some());
        assert_eq!(
            Failure::Timeout(Duration::from_secs(3)).reason().as_deref(),
            Some("no connection within 3s")
        );
    }
}
