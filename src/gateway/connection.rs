//! One accepted connection, from its first byte until it ends or becomes a WebSocket: reads the first request head, has
//! hyper serve the connection, and routes each request.

use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::exchange::{Answer, ClientIo, Exchange, Kind};
use super::head::{self, Head};
use super::headers;
use super::host;
use super::http;
use super::incoming::IncomingRequest;
use super::lost_upgrade;
use super::opening;
use super::respond::{Body, with_causes};
use super::upgrade;
use super::{Gateway, departure, establish};
use crate::net::http_connections::Place;
use crate::net::peer::Peer;
use crate::net::stream::Stream;
use crate::telemetry::{HandshakeFailure, Observer, Refusal, RequestHeaders, bounded};

/// For records.
const NO_HEAD: &str = "no whole request head within limits.handshake_timeout";

/// How many lines a later head on a plain HTTP connection may have. For the first head, the
/// length alone counts. Room for more, 64 bytes for each, leaves holes in the heap: 18 KiB for every request in progress.
const MANY_LINES: usize = 500;
/// hyper's default.
const LEAST_LINES: usize = 100;

/// How long what a client still sends after its answer is read and discarded.
const LINGER: Duration = Duration::from_secs(2);

/// How long a client may take to read what is left of an event stream that a drain has ended. One that has stopped
/// reading would hold up the drain until its timeout.
const READ_TO_THE_END: Duration = Duration::from_secs(1);

/// The smallest maximum that hyper accepts for its buffer.
const LEAST_BUFFER: usize = 8 * 1024;

/// How long a client that has had an answer may take until the head of its next request is whole: longer than load
/// balancers keep connections (60 s is common), so that they, not the sidecar, end those that are idle.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Refuses a client at a limit, without a task of its own. If its request is there already, it is read first, so that
/// closing the socket does not reset the connection before the answer arrives.
pub(crate) fn refuse(stream: &Stream, refusal: Refusal) {
    let label = match refusal {
        Refusal::OverCapacityIp => HandshakeFailure::OverCapacityIp.label(),
        Refusal::OverCapacity | Refusal::OverFiles => HandshakeFailure::OverCapacity.label(),
    };
    let body = format!("{{\"error\":\"{label}\"}}");
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {}\r\nRetry-After: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len(),
        rand::random_range(1_u16..=5)
    );
    // Whether it arrives or not, the connection ends.
    let _ = stream.discard_and_answer(answer.as_bytes());
}

/// Why a connection ended before its first request head was whole.
enum NoHead {
    /// Nothing had arrived, and nothing is recorded.
    Nothing,
    Failed(io::Error),
    TimedOut,
    /// Dropped for others, which is recorded where it was decided.
    Dropped,
}

/// Serves a connection until it ends or becomes a WebSocket.
pub(crate) async fn serve(stream: Stream, peer: Peer, place: Place, gateway: Arc<Gateway>) {
    let began = Instant::now();
    let limits = {
        let limits = &gateway.context.config.load().process;
        HeadLimits {
            max_head: limits.max_head,
            timeout: limits.handshake_timeout,
        }
    };
    let mut draining = gateway.context.draining.subscribe();
    match first_head(&stream, &place, limits, began, &mut draining).await {
        Ok(head) => {
            let client = Client {
                stream,
                peer,
                began,
            };
            // Boxed, so that a connection that sends nothing costs little memory.
            Box::pin(converse(client, head, place, limits, draining, gateway)).await;
        }
        Err(no_head) => {
            // In this order: the connection that takes its place may need its file.
            drop(stream);
            drop(place);
            let (failure, detail) = match no_head {
                NoHead::Nothing | NoHead::Dropped => return,
                NoHead::TimedOut => (HandshakeFailure::ClientTimeout, NO_HEAD.to_owned()),
                NoHead::Failed(error) if error.kind() == io::ErrorKind::UnexpectedEof => (
                    HandshakeFailure::ClientGone,
                    "the connection ended inside the request head".to_owned(),
                ),
                NoHead::Failed(error) => (HandshakeFailure::ClientGone, error.to_string()),
            };
            let age = began.elapsed();
            opening::failed_without_request(
                &gateway.context.observer,
                &peer,
                failure,
                None,
                &detail,
                age,
            );
        }
    }
}

#[derive(Clone, Copy)]
struct HeadLimits {
    max_head: usize,
    timeout: Option<Duration>,
}

async fn first_head(
    stream: &Stream,
    place: &Place,
    limits: HeadLimits,
    began: Instant,
    draining: &mut watch::Receiver<bool>,
) -> Result<Head, NoHead> {
    let mut head = pin!(head::read(stream, place, limits.max_head));
    let mut timer = pin!(async {
        match limits.timeout {
            Some(limit) => sleep_until(began + limit).await,
            None => pending().await,
        }
    });
    let mut is_draining = false;
    loop {
        tokio::select! {
            // A request that is there already is answered, also while the sidecar drains.
            biased;
            head = head.as_mut() => {
                return head.map_err(NoHead::Failed)?.ok_or(NoHead::Nothing);
            }
            () = place.dropped() => return Err(NoHead::Dropped),
            () = timer.as_mut() => return Err(NoHead::TimedOut),
            () = wait_until_true(draining), if !is_draining => {
                if !place.is_holding() {
                    return Err(NoHead::Nothing);
                }
                is_draining = true;
            }
        }
    }
}

/// An accepted connection.
struct Client {
    stream: Stream,
    peer: Peer,
    began: Instant,
}

/// How a connection's time with hyper ended.
enum Ended {
    /// In good order, with an error, or because it is a WebSocket now.
    Served(Result<(), hyper::Error>),
    /// The client has gone.
    Departed,
    /// Dropped for others, which is recorded where it was decided.
    Dropped,
    /// No byte of its answer has moved for `limits.http_timeout`.
    Stalled,
    /// A drain has ended its event stream, and the client does not read the rest of it.
    Unread,
}

/// Has hyper serve a connection from its first head on, and watches the client meanwhile.
async fn converse(
    client: Client,
    head: Head,
    place: Place,
    limits: HeadLimits,
    mut draining: watch::Receiver<bool>,
    gateway: Arc<Gateway>,
) {
    let Client {
        stream,
        peer,
        began,
    } = client;
    let exchange = Arc::new(Exchange::new(place, gateway.context.clock));
    // hyper makes room for as many lines with every head. An opening handshake, which no other head follows as a rule,
    // gets only what it needs; other heads may be followed by longer ones.
    let lines = match head.is_opening() {
        true => head.lines(),
        false => head.lines().max(MANY_LINES),
    };
    let service =
        service_fn(|request| answer(request, peer, Arc::clone(&exchange), Arc::clone(&gateway)));
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.timeout.map(|limit| limit.max(KEEP_ALIVE)))
        .max_header_size(limits.max_head)
        .max_headers(lines.max(LEAST_LINES))
        .max_buf_size(limits.max_head.max(LEAST_BUFFER))
        .preserve_header_case(true)
        // A client may end its side after its request; `departure` finds out whether it has gone.
        .half_close(true)
        .serve_connection(
            TokioIo::new(ClientIo::new(&stream, &exchange, head)),
            service,
        );
    let ended = {
        let mut departed = pin!(None);
        let mut stalled = pin!(None);
        let mut unread = pin!(None);
        let mut dropped = pin!(exchange.place.dropped());
        let mut ending = pin!(wait_until_true(&mut draining));
        let mut is_ending = false;
        poll_fn(|cx| {
            loop {
                if let Poll::Ready(served) = Pin::new(&mut connection).poll(cx) {
                    return Poll::Ready(Ended::Served(served));
                }
                if exchange.settle().is_none() {
                    departed.set(None);
                } else if departed.is_none() {
                    departed.set(Some(departure::departed(&stream, &exchange)));
                }
                let departed = departed.as_mut().as_pin_mut();
                if departed.is_some_and(|departed| departed.poll(cx).is_ready()) {
                    return Poll::Ready(Ended::Departed);
                }
                if dropped.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Ended::Dropped);
                }
                if !exchange.is_answering() {
                    stalled.set(None);
                } else if stalled.is_none() {
                    stalled.set(Some(exchange.stalled()));
                }
                let stalled = stalled.as_mut().as_pin_mut();
                if stalled.is_some_and(|stalled| stalled.poll(cx).is_ready()) {
                    return Poll::Ready(Ended::Stalled);
                }
                if let Some(end) = exchange.take_end_time() {
                    unread.set(Some(end.passed(READ_TO_THE_END)));
                }
                let unread = unread.as_mut().as_pin_mut();
                if unread.is_some_and(|unread| unread.poll(cx).is_ready()) {
                    return Poll::Ready(Ended::Unread);
                }
                // After hyper, which has read a request that is there already.
                if is_ending || ending.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                is_ending = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        })
        .await
    };
    let websocket = exchange.take_websocket();
    let parts = connection.into_parts();
    let mut bytes = BytesMut::from(parts.read_buf);
    bytes.extend_from_slice(&parts.io.into_inner().into_rest());
    match (ended, websocket) {
        (Ended::Served(Ok(())), Some(websocket)) => {
            let client = (stream, bytes.freeze());
            let context = Arc::clone(&gateway.context);
            drop(tokio::spawn(establish::run(websocket, client, context)));
        }
        (Ended::Served(served), _) => {
            if served.is_err() || exchange.has_body() {
                linger(&stream, &exchange.place).await;
            }
            let had_request = exchange.place.had_request();
            drop(stream);
            if let Err(error) = served {
                record_end(
                    &gateway.context.observer,
                    &error,
                    &peer,
                    had_request,
                    began.elapsed(),
                );
            }
        }
        (Ended::Departed, _) => {
            drop(stream);
            // An opening handshake has its own record.
            tracing::debug!(
                event = "http_connection_ended", client = %peer, reason = HandshakeFailure::ClientGone.label(),
                "the client left before it got its whole answer"
            );
        }
        (Ended::Dropped, _) => drop(stream),
        (Ended::Unread, _) => {
            drop(stream);
            tracing::debug!(
                event = "http_connection_ended", client = %peer, reason = "drained",
                "the client did not read its event stream to the end"
            );
        }
        (Ended::Stalled, _) => {
            drop(stream);
            http::record_stalled(&exchange, &peer);
        }
    }
}

/// Reads and discards for a moment what a client still sends that has got its answer: closing the socket before would
/// reset the connection, and with it what the client has not read of the answer (RFC 9112 section 9.6).
async fn linger(stream: &Stream, place: &Place) {
    place.end_request();
    tokio::select! {
        () = place.dropped() => {}
        // A client that sends for longer ignores the answer.
        _ = timeout(LINGER, stream.discard()) => {}
    }
}

async fn answer(
    request: Request<Incoming>,
    peer: Peer,
    exchange: Arc<Exchange>,
    gateway: Arc<Gateway>,
) -> Result<Response<Answer>, Infallible> {
    let is_opening = upgrade::is_opening(&request);
    let kind = match is_opening {
        true => Kind::Opening,
        false => Kind::Plain,
    };
    let has_body = !request.body().is_end_stream();
    let timeout = gateway.context.config.load().default.http_timeout;
    if !exchange.begin(kind, has_body, timeout) {
        // The connection's task is about to drop it.
        return pending().await;
    }
    let response = route(request, peer, is_opening, &exchange, gateway).await;
    Ok(exchange.answer(response))
}

/// Which way a request goes.
async fn route(
    request: Request<Incoming>,
    peer: Peer,
    is_opening: bool,
    exchange: &Exchange,
    gateway: Arc<Gateway>,
) -> Response<Body> {
    let host = host::of(&request);
    let request_id = headers::request_id(request.headers());
    let refuse = |host: &str, failure, detail: &str| {
        let (host, path) = (bounded(host), bounded(request.uri().path()));
        let recorded = RequestHeaders::of(
            request.headers(),
            &gateway.context.config.load().log.headers,
        );
        let observer = &gateway.context.observer;
        let opening =
            opening::Opening::new(observer, request_id.clone(), &peer, recorded, host, path);
        upgrade::refuse(opening, failure, detail)
    };
    let host = match host {
        Ok(host) => host,
        // The invalid value is not repeated.
        Err(error) => {
            let failure = HandshakeFailure::ClientBadHandshake;
            return refuse("", failure, &error.to_string());
        }
    };
    if let Err(error) = headers::is_chunked(request.headers()) {
        let failure = HandshakeFailure::ClientBadHandshake;
        let mut response = refuse(&host, failure, &error.to_string());
        // Where the body ends is not sure enough to read another request behind it.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
        return response;
    }
    let has_path = request.uri().path().starts_with('/') || request.method() == Method::OPTIONS;
    if request.method() == Method::CONNECT || !has_path {
        let detail = "the request names no path";
        return refuse(&host, HandshakeFailure::NoRoute, detail);
    }
    let incoming = IncomingRequest {
        request,
        peer,
        host,
        request_id,
    };
    let mut answer = if is_opening {
        let answer = upgrade::open(incoming, exchange, &gateway.context).await;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return answer;
        }
        // The backend's answer may have a long body.
        gateway
            .context
            .requests
            .begin()
            .answer(answer)
            .map(BodyExt::boxed)
    } else {
        lost_upgrade::report(&incoming, &gateway.context.observer);
        let max = gateway.context.config.load().process.max_http_requests;
        let in_flight = gateway.context.requests.admit(max);
        let answer = match in_flight {
            Some(_) => http::forward(incoming, exchange, &gateway.context, &gateway.clients).await,
            None => http::refuse_over_capacity(&incoming),
        };
        gateway
            .context
            .observer
            .process_stats
            .count_http_answer(answer.status());
        match in_flight {
            Some(in_flight) => in_flight.answer(answer).map(BodyExt::boxed),
            None => answer,
        }
    };
    if gateway.context.observer.process_stats.is_draining() {
        // RFC 9112 section 9.6: the connection takes no further request, and the answer says so, before the client sends
        // one that would be lost.
        let close = HeaderValue::from_static("close");
        answer.headers_mut().append(CONNECTION, close);
    }
    answer
}

async fn wait_until_true(flag: &mut watch::Receiver<bool>) {
    // The sender lives as long as the process; if it were gone, the connection should end as well.
    let _ = flag.wait_for(|flag| *flag).await;
}

/// Records the error with which a connection ended. After a first request that is normal: the client left, or was idle
/// for too long between two requests.
fn record_end(
    observer: &Observer,
    error: &hyper::Error,
    peer: &Peer,
    had_request: bool,
    age: Duration,
) {
    let (failure, status, detail) = if error.is_timeout() {
        (HandshakeFailure::ClientTimeout, None, NO_HEAD.to_owned())
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
