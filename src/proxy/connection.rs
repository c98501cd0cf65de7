//! One accepted connection: its request heads, and which way each request goes.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::rt::{Sleep, Timer};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::time::Instant;

use super::respond::{Body, with_causes};
use super::stream::Stream;
use super::{Shared, headers, host, http, opening, upgrade};
use crate::observe::{HandshakeFailure, Observer, bounded};

/// The least that hyper can be told its buffer may grow to.
const LEAST_BUFFER: usize = 8 * 1024;

/// How long a client that has had an answer may take until the head of its next request is whole: longer than load
/// balancers keep connections (60 s is common), so that they, not the sidecar, end those that are idle.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Who is at the other end of an accepted connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer {
    /// A TCP client; an IPv4 address is never shown as an IPv6 one.
    Tcp(SocketAddr),
    /// A client of a Unix socket, which has no address.
    Unix,
}

impl Peer {
    pub(super) fn tcp(address: SocketAddr) -> Self {
        Peer::Tcp(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }

    pub(super) fn ip(&self) -> Option<IpAddr> {
        match self {
            Peer::Tcp(address) => Some(address.ip()),
            Peer::Unix => None,
        }
    }

    #[cfg(test)]
    pub(super) fn for_tests(address: &str) -> Self {
        Peer::tcp(address.parse().unwrap())
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Tcp(address) => write!(f, "{address}"),
            Peer::Unix => f.write_str("unix"),
        }
    }
}

/// A request with what is decided about it before anything is dialled.
pub(super) struct Incomer {
    pub(super) request: Request<Incoming>,
    pub(super) peer: Peer,
    pub(super) host: Box<str>,
    pub(super) request_id: Box<str>,
}

/// hyper's clock for request heads: the first one has until `first`, whatever hyper asks for.
struct HeadTimer {
    first: Option<Instant>,
    had_request: Arc<AtomicBool>,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        TokioTimer::new().sleep(duration)
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn Sleep>> {
        let deadline = match self.first {
            Some(first) if !self.had_request.load(Ordering::Relaxed) => first.into_std(),
            _ => deadline,
        };
        TokioTimer::new().sleep_until(deadline)
    }
}

/// Serves a connection until it ends or becomes a WebSocket.
pub(super) async fn serve(stream: Stream, peer: Peer, shared: Arc<Shared>) {
    let began = Instant::now();
    let (handshake_timeout, max_head) = {
        let limits = &shared.config.load().process;
        (limits.handshake_timeout, limits.max_head)
    };
    let mut draining = shared.draining.subscribe();
    let had_request = Arc::new(AtomicBool::new(false));
    let observer = Arc::clone(&shared.observer);
    let service = {
        let had_request = Arc::clone(&had_request);
        service_fn(move |request| {
            had_request.store(true, Ordering::Relaxed);
            answer(request, peer, Arc::clone(&shared))
        })
    };
    let timer = HeadTimer {
        first: handshake_timeout.map(|limit| began + limit),
        had_request: Arc::clone(&had_request),
    };
    let connection = http1::Builder::new()
        .timer(timer)
        .header_read_timeout(handshake_timeout.map(|limit| limit.max(KEEP_ALIVE)))
        // The buffer alone may grow somewhat beyond what it is told.
        .max_header_size(max_head)
        .max_buf_size(max_head.max(LEAST_BUFFER))
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        // A request that is there already is answered, also while the sidecar drains.
        biased;
        ended = connection.as_mut() => ended,
        () = wait_until_true(&mut draining) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tell_end(
            &observer,
            &error,
            &peer,
            had_request.load(Ordering::Relaxed),
            began.elapsed(),
        );
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: Peer,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Infallible> {
    let host = host::of(&request);
    let request_id = headers::request_id(request.headers());
    let refuse = |host: &str, failure, detail: &str| {
        let (host, path) = (bounded(host), bounded(request.uri().path()));
        let opening =
            opening::Opening::new(&shared.observer, request_id.clone(), &peer, host, path);
        upgrade::refuse(opening, failure, detail)
    };
    let host = match host {
        Ok(host) => host,
        // Which of several, or what stands for one, is nothing to repeat.
        Err(error) => {
            let failure = HandshakeFailure::ClientBadHandshake;
            return Ok(refuse("", failure, &error.to_string()));
        }
    };
    let has_path = request.uri().path().starts_with('/') || request.method() == Method::OPTIONS;
    if request.method() == Method::CONNECT || !has_path {
        let detail = "the request names no path";
        return Ok(refuse(&host, HandshakeFailure::NoRoute, detail));
    }
    let is_opening = upgrade::is_opening(&request);
    let incomer = Incomer {
        request,
        peer,
        host,
        request_id,
    };
    let mut answer = if is_opening {
        let answer = upgrade::open(incomer, Arc::clone(&shared)).await;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(answer);
        }
        // What a backend has to say against it may be long.
        shared.requests.begin().answer(answer)
    } else {
        let in_flight = shared.requests.begin();
        let answer = http::pass(incomer, &shared).await;
        shared.observer.tally.http_answer(answer.status());
        in_flight.answer(answer)
    };
    if shared.observer.tally.is_draining() {
        // RFC 9112 section 9.6: the connection will not take another request, and the client is to know that from the
        // answer, before it sends one that would be lost.
        let close = HeaderValue::from_static("close");
        answer.headers_mut().append(CONNECTION, close);
    }
    Ok(answer)
}

async fn wait_until_true(flag: &mut watch::Receiver<bool>) {
    // The sender lives as long as the process; were it gone, that would be a reason to end just as well.
    let _ = flag.wait_for(|flag| *flag).await;
}

/// What hyper says of a connection that ended badly. After a first request that is everyday: a client left, or fell
/// idle between two requests.
fn tell_end(
    observer: &Observer,
    error: &hyper::Error,
    peer: &Peer,
    had_request: bool,
    age: Duration,
) {
    let (failure, status, detail) = if error.is_timeout() {
        (
            HandshakeFailure::ClientTimeout,
            None,
            "no whole request head within limits.handshake_timeout".to_owned(),
        )
    } else if error.is_parse() {
        let status = if error.is_parse_too_large() { 431 } else { 400 };
        (
            HandshakeFailure::ClientBadHandshake,
            Some(status),
            with_causes(error),
        )
    } else {
        (HandshakeFailure::ClientGone, None, with_causes(error))
    };
    if had_request {
        tracing::debug!(event = "http_connection_ended", client = %peer, reason = failure.label(), "{detail}");
    } else {
        opening::failed_without_request(observer, peer, failure, status, &detail, age);
    }
}
