//! Health checks of backends, in the background, as `upstream.health` configures them.
//!
//! A connection without a request is not harmless everywhere: Swoole calls `onClose` for it, with an `$fd` that the
//! application has never seen. So `passive` opens one only while nothing better is known: before the first success,
//! and while the backend is down.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode, body};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::dial::{Failure, authority, try_once};
use super::stream::Stream;
use crate::config::show_duration;
use crate::config::{Config, Health, HealthMode, HostHeader, Target, Upstream};
use crate::telemetry::Observer;

/// The most that is read of the head of an answer.
const MAX_HEAD: usize = 64 * 1024;

/// The checks of all backends that the configuration names; they end when this is dropped.
pub struct Checks {
    observer: Arc<Observer>,
    running: HashMap<Target, Running>,
}

struct Running {
    check: Check,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How one backend is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Check {
    target: Target,
    health: Health,
    /// The Host of a request.
    host: String,
    connect_timeout: Duration,
}

impl Checks {
    /// No checks yet; results are reported to `observer`.
    #[must_use]
    pub fn new(observer: Arc<Observer>) -> Self {
        Checks {
            observer,
            running: HashMap::new(),
        }
    }

    /// Starts checks of new backends, at once, and ends those of unused ones; needs a tokio runtime.
    pub fn follow(&mut self, config: &Config) {
        let wanted = wanted(config);
        let known: Vec<(String, HealthMode)> = wanted
            .iter()
            .map(|check| (check.target.to_string(), check.health.mode))
            .collect();
        self.running
            .retain(|_, running| wanted.contains(&running.check));
        self.observer.upstreams.follow(&known);
        let active = wanted
            .into_iter()
            .filter(|check| check.health.mode != HealthMode::Off);
        for check in active {
            let observer = &self.observer;
            self.running
                .entry(check.target.clone())
                .or_insert_with(|| Running {
                    task: tokio::spawn(run(check.clone(), Arc::clone(observer))),
                    check,
                });
        }
    }
}

/// Each backend once, in the order of the file. Where routes want it checked differently, the mode that does most
/// counts, and of several of that mode the first, with the shortest interval; it has the longest time to connect.
fn wanted(config: &Config) -> Vec<Check> {
    let mut wanted: Vec<Check> = Vec::new();
    let routes = config.routes.iter().map(|(_, route)| route);
    for route in [&config.default].into_iter().chain(routes) {
        let new = Check::of(&route.upstream);
        let Some(check) = wanted.iter_mut().find(|check| check.target == new.target) else {
            wanted.push(new);
            continue;
        };
        let connect_timeout = check.connect_timeout.max(new.connect_timeout);
        if new.health.mode > check.health.mode {
            *check = new;
        } else if new.health.mode == check.health.mode {
            check.health.interval = check.health.interval.min(new.health.interval);
        }
        check.connect_timeout = connect_timeout;
    }
    wanted
}

impl Check {
    fn of(upstream: &Upstream) -> Check {
        let host = match &upstream.host {
            HostHeader::Literal(host) => host.clone(),
            // No client has sent one.
            HostHeader::Preserve | HostHeader::Upstream => authority(&upstream.target),
        };
        Check {
            target: upstream.target.clone(),
            health: upstream.health.clone(),
            host,
            connect_timeout: upstream.connect_timeout,
        }
    }

    /// Whether the backend is up; an error says why not, as far as that is the backend's fault.
    async fn once(&self) -> Result<(), Option<String>> {
        let connected = try_once(&self.target, self.connect_timeout).await;
        let stream = connected.map_err(|failure: Failure| failure.reason())?;
        if self.health.mode != HealthMode::Http {
            // Closed at once, without a byte.
            return Ok(());
        }
        let path = &self.health.path;
        let interval = self.health.interval;
        let status = match timeout(interval, self.ask(stream)).await {
            Ok(Ok(answer)) => answer.status(),
            Ok(Err(error)) => return Err(Some(format!("GET {path}: {}", causes(&error)))),
            Err(_) => {
                let within = show_duration(interval);
                return Err(Some(format!("GET {path}: no answer within {within}")));
            }
        };
        match status < StatusCode::INTERNAL_SERVER_ERROR {
            true => Ok(()),
            false => Err(Some(format!("GET {path}: {status}"))),
        }
    }

    async fn ask(&self, stream: Stream) -> hyper::Result<Response<body::Incoming>> {
        let request = Request::get(self.health.path.as_str())
            .header(HOST, &self.host)
            .header(USER_AGENT, concat!("sidebeat/", env!("CARGO_PKG_VERSION")))
            .header(CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .unwrap_or_default();
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(stream))
            .await?;
        let mut answer = std::pin::pin!(sender.send_request(request));
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            // However the connection ended, the answer has the error.
            _ = connection => answer.await,
        }
    }
}

/// An error with its causes.
fn causes(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

async fn run(check: Check, observer: Arc<Observer>) {
    let name = check.target.to_string();
    let interval = check.health.interval;
    loop {
        if check.health.mode == HealthMode::Passive && observer.upstreams.is_up(&name) {
            observer.upstreams.wait_until_down(&name).await;
            // A dial has failed just now; the next client's may succeed meanwhile.
            sleep(interval).await;
            continue;
        }
        let next = Instant::now() + interval;
        match check.once().await {
            Ok(()) => observer.upstream_checked(&name, Ok(())),
            Err(Some(reason)) => observer.upstream_checked(&name, Err(&reason)),
            // For example, this process is out of files: that says nothing about the backend.
            Err(None) => tracing::debug!(event = "upstream_check_impossible", upstream = name),
        }
        sleep_until(next).await;
    }
}

#[cfg(test)]
mod tests;
