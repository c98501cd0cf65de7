//! Opening handshakes on both sides (RFC 6455 section 4): the client gets its 101 when the upstream has given one.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::answer_head;
use super::exchange::{Exchange, Forwarded};
use super::extensions;
use super::headers;
use super::headers::UnknownEncoding;
use super::incoming::IncomingRequest;
use super::opening::Opening;
use super::pending::{PendingConnection, UpstreamLeg};
use super::respond::{self, Body, with_causes};
use super::subprotocol::{self, SubprotocolError};
use super::upstream_io::UpstreamIo;
use crate::config::{Compression, Config, Route};
use crate::config::{MAX_ROUTE_PATH, normal};
use crate::context::Context;
use crate::net::dial::{DialError, dial};
use crate::net::progress::Noted;
use crate::net::stream::Stream;
use crate::protocol::ExtensionError;
use crate::telemetry::{HandshakeFailure, MAX_LOGGED, Refusal, RequestHeaders, Routing, bounded};

/// What is wrong with a client's opening handshake (section 4.2.1).
#[derive(Debug, Error)]
enum BadRequest {
    #[error("the method is not GET")]
    Method,
    #[error("the version is not HTTP/1.1")]
    HttpVersion,
    #[error("Sec-WebSocket-Key is missing, repeated or not 16 bytes in base64")]
    Key,
    #[error("Sec-WebSocket-Version is not 13")]
    Version,
    #[error("it has a body")]
    Body,
}

/// Why the upstream's opening handshake failed.
#[derive(Debug, Error)]
enum UpstreamError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("no answer to the opening handshake within upstream.handshake_timeout")]
    Timeout,
    #[error("the opening handshake was not answered: {0}")]
    NoAnswer(String),
    #[error("{}", answer_head::too_long(*.0))]
    HeadTooLong(usize),
    #[error("101 without `Upgrade: websocket` and `Connection: Upgrade`")]
    NoUpgrade,
    #[error("101 with a wrong Sec-WebSocket-Accept")]
    Accept,
    #[error(transparent)]
    Subprotocol(#[from] SubprotocolError),
    #[error(transparent)]
    Extension(#[from] ExtensionError),
    #[error(transparent)]
    Encoding(#[from] UnknownEncoding),
}

impl UpstreamError {
    fn failure(&self) -> HandshakeFailure {
        match self {
            UpstreamError::Dial(error) => error.failure(),
            UpstreamError::Timeout => HandshakeFailure::UpstreamTimeout,
            _ => HandshakeFailure::UpstreamBadHandshake,
        }
    }
}

/// Whether a request wants to open a WebSocket, rightly or not.
pub(crate) fn is_opening(request: &Request<Incoming>) -> bool {
    headers::has_token(request.headers(), &UPGRADE, "websocket")
        && headers::has_token(request.headers(), &CONNECTION, "upgrade")
}

/// Answers an opening handshake; with a 101, `exchange` gets what the connection becomes.
pub(crate) async fn open(
    incoming: IncomingRequest,
    exchange: &Exchange,
    context: &Context,
) -> Response<Body> {
    let (host, path) = (
        bounded(&incoming.host),
        bounded(incoming.request.uri().path()),
    );
    let mut opening = Opening::new(
        &context.observer,
        incoming.request_id.clone(),
        &incoming.peer,
        RequestHeaders::of(
            incoming.request.headers(),
            &context.config.load().log.headers,
        ),
        host,
        path,
    );
    let key = match check(&incoming.request) {
        Ok(key) => key,
        Err(bad) => return refuse_request(opening, &bad),
    };
    if context.is_draining() {
        return refuse(
            opening,
            HandshakeFailure::Draining,
            "the sidecar is shutting down",
        );
    }
    let config = context.config.load_full();
    let path = incoming.request.uri().path();
    let offered = headers::offered_subprotocols(incoming.request.headers());
    let route = Arc::clone(config.route_for(path, &incoming.host, &offered));
    let routing = routing(path, &offered, &config);
    opening.route = Some(route.name.as_ref().into());
    opening.upstream = Some(route.upstream.target.to_string().into());
    if let Some(origin) = denied_origin(&route, incoming.request.headers()) {
        let detail = format!("Origin {origin:?} is not in limits.allowed_origins");
        return refuse(opening, HandshakeFailure::OriginDenied, &detail);
    }
    let permit = match context
        .observer
        .registry
        .admit(incoming.peer.ip(), &config.process)
    {
        Ok(permit) => permit,
        Err(Refusal::OverCapacity) => {
            return refuse(
                opening,
                HandshakeFailure::OverCapacity,
                "limits.max_connections is reached",
            );
        }
        Err(Refusal::OverCapacityIp) => {
            return refuse(
                opening,
                HandshakeFailure::OverCapacityIp,
                "limits.max_connections_per_ip is reached",
            );
        }
        Err(Refusal::OverFiles) => {
            return refuse(
                opening,
                HandshakeFailure::OverCapacity,
                "the limit of open files has no room for another WebSocket: raise it (LimitNOFILE, ulimit -n)",
            );
        }
    };
    drop(config);

    let (answer, upstream) = match ask_upstream(incoming, &route, context).await {
        Ok(Answer::Accepted(answer, accepted)) => (answer, accepted),
        Ok(Answer::Other(mut response)) => {
            let status = response.status();
            if let Some(moved) = response.extensions_mut().remove() {
                let forwarded = Forwarded {
                    request_id: opening.request_id.clone(),
                    route: Arc::clone(&route.name),
                    upstream: route.upstream.target.to_string(),
                    moved,
                };
                exchange.forward(forwarded, route.http_timeout);
            }
            opening.failed(
                HandshakeFailure::UpstreamRejected,
                Some(status.as_u16()),
                &format!("the upstream answered {status}"),
            );
            return response;
        }
        Err(error) => return refuse(opening, error.failure(), &with_causes(&error)),
    };
    let response = switching_protocols(answer, &key);
    let pending = PendingConnection {
        opening,
        permit,
        route,
        routing,
        upstream,
    };
    exchange.upgrade(pending);
    response
}

/// What is needed to find the route again after a reload, and is not in the connection's record, which keeps only the
/// beginning of a long path.
fn routing(path: &str, offered: &[&str], config: &Config) -> Option<Box<Routing>> {
    let is_cut = path.len() > MAX_LOGGED;
    (is_cut || !offered.is_empty()).then(|| {
        let subprotocols = headers::kept_subprotocols(offered, config);
        let path = is_cut.then(|| {
            let normal = normal::path(path.as_bytes());
            normal[..normal.len().min(MAX_ROUTE_PATH + 1)].into()
        });
        Box::new(Routing { subprotocols, path })
    })
}

/// Refuses an opening handshake with one of our own answers.
pub(crate) fn refuse(opening: Opening, failure: HandshakeFailure, detail: &str) -> Response<Body> {
    let status = failure
        .status()
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    refuse_with(status, opening, failure, detail)
}

fn refuse_with(
    status: StatusCode,
    opening: Opening,
    failure: HandshakeFailure,
    detail: &str,
) -> Response<Body> {
    let response = respond::error(status, failure.label(), &opening.request_id);
    opening.failed(failure, Some(status.as_u16()), detail);
    response
}

fn refuse_request(opening: Opening, bad: &BadRequest) -> Response<Body> {
    let (failure, detail) = (HandshakeFailure::ClientBadHandshake, bad.to_string());
    if !matches!(bad, BadRequest::Version) {
        return refuse(opening, failure, &detail);
    }
    // Section 4.4: tell the client which version would do.
    let mut response = refuse_with(StatusCode::UPGRADE_REQUIRED, opening, failure, &detail);
    for (name, value) in [
        (SEC_WEBSOCKET_VERSION, "13"),
        (UPGRADE, "websocket"),
        (CONNECTION, "Upgrade"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// The key of a request that section 4.2.1 allows.
fn check(request: &Request<Incoming>) -> Result<Box<[u8]>, BadRequest> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(BadRequest::Method);
    }
    if request.version() != Version::HTTP_11 {
        return Err(BadRequest::HttpVersion);
    }
    if !headers::tokens(headers, &SEC_WEBSOCKET_VERSION).eq(["13"]) {
        return Err(BadRequest::Version);
    }
    // The upstream might read it as a body or as frames.
    if !request.body().is_end_stream() {
        return Err(BadRequest::Body);
    }
    match one_value(headers, &SEC_WEBSOCKET_KEY) {
        Some(key) if is_key(key.as_bytes()) => Ok(key.as_bytes().into()),
        _ => Err(BadRequest::Key),
    }
}

/// Base64 of 16 bytes: 22 digits and two signs of padding.
fn is_key(key: &[u8]) -> bool {
    let digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(digit)
}

fn one_value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).into_iter();
    values.next().filter(|_| values.next().is_none())
}

/// The Origin, if the route does not allow it. A request without one does not come from a browser and is allowed.
fn denied_origin(route: &Route, headers: &HeaderMap) -> Option<String> {
    if route.allowed_origins.is_empty() {
        return None;
    }
    // All of them, because the backend may use another one.
    let origins = headers.get_all(ORIGIN).into_iter();
    let mut origins = origins.map(|origin| String::from_utf8_lossy(origin.as_bytes()));
    let is_allowed = |origin: &str| {
        let mut patterns = route.allowed_origins.iter();
        patterns.any(|pattern| pattern.allows(origin))
    };
    let denied = origins.find(|origin| !is_allowed(origin))?;
    Some(bounded(&denied).into())
}

enum Answer {
    /// A 101.
    Accepted(Response<Body>, UpstreamLeg),
    /// Not a 101: the client gets it unchanged.
    Other(Response<Body>),
}

/// Dials the upstream and forwards the opening handshake.
async fn ask_upstream(
    incoming: IncomingRequest,
    route: &Route,
    context: &Context,
) -> Result<Answer, UpstreamError> {
    let upstream = &route.upstream;
    let stream = dial(upstream, &context.observer, &context.http_connections).await?;
    let max_head = context.config.load().process.max_head;
    let stream = Noted::new(stream, context.clock);
    let asked = Asked {
        key: generate_key(),
        subprotocols: subprotocol::offers(incoming.request.headers()),
        inspected: route.policy.inspects_messages(),
    };
    let (request, offers) = upstream_request(incoming, route, &asked);
    let response = match upstream.handshake_timeout {
        Some(limit) => timeout(limit, exchange(stream, request, max_head))
            .await
            .map_err(|_| UpstreamError::Timeout)??,
        None => exchange(stream, request, max_head).await?,
    };
    judge(response, &asked, &offers)
}

/// What the upstream's answer is checked against.
struct Asked {
    key: String,
    subprotocols: Vec<HeaderValue>,
    /// Small messages are inspected.
    inspected: bool,
}

fn upstream_request(
    incoming: IncomingRequest,
    route: &Route,
    asked: &Asked,
) -> (Request<Body>, String) {
    let upstream = &route.upstream;
    let IncomingRequest {
        request,
        peer,
        host,
        request_id,
    } = incoming;
    let (mut parts, _) = request.into_parts();
    headers::prepare_request(&mut parts.headers, &host, &peer, &request_id, upstream);
    parts
        .headers
        .insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    parts
        .headers
        .insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(key) = HeaderValue::from_str(&asked.key) {
        parts.headers.insert(SEC_WEBSOCKET_KEY, key);
    }
    let offers = extensions::offer(
        &mut parts.headers,
        route.compression == Compression::Strip,
        asked.inspected,
    );
    parts.uri = headers::origin_form(&parts.uri);
    (Request::from_parts(parts, respond::full("")), offers)
}

/// Sends the request and waits for the head of the answer. The connection is driven by this same task, so that a
/// WebSocket costs no other one; only an answer with a body needs it, until the body has passed.
async fn exchange(
    stream: Noted<Stream>,
    request: Request<Body>,
    max_head: usize,
) -> Result<Exchanged, UpstreamError> {
    let moved = stream.moved().clone();
    let no_answer = |error: hyper::Error| match answer_head::is_too_long_for_hyper(&error) {
        true => UpstreamError::HeadTooLong(max_head),
        false => UpstreamError::NoAnswer(with_causes(&error)),
    };
    let (mut sender, mut connection) = http1::Builder::new()
        .preserve_header_case(true)
        .max_header_size(max_head)
        .max_buf_size(answer_head::MOST)
        .max_headers(answer_head::MAX_LINES)
        .handshake(TokioIo::new(UpstreamIo::new(stream)))
        .await
        .map_err(no_answer)?;
    let mut answer = pin!(sender.send_request(request));
    let mut ended = false;
    let mut response = poll_fn(|cx| {
        if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
            return Poll::Ready(answer);
        }
        // However the connection ends, the answer has the error.
        ended = ended || connection.poll_without_shutdown(cx).is_ready();
        answer.as_mut().poll(cx)
    })
    .await
    .map_err(no_answer)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        tokio::spawn(connection);
        response.extensions_mut().insert(moved);
        return Ok(Exchanged::Other(response));
    }
    if !ended {
        poll_fn(|cx| connection.poll_without_shutdown(cx))
            .await
            .map_err(no_answer)?;
    }
    let parts = connection.into_parts();
    Ok(Exchanged::Switched(
        response.map(|_| respond::full("")),
        (
            parts.io.into_inner().into_inner().into_inner(),
            parts.read_buf,
        ),
    ))
}

/// The head of an upstream's answer.
enum Exchanged {
    /// 101, with the socket and what followed the head.
    Switched(Response<Body>, (Stream, Bytes)),
    Other(Response<Incoming>),
}

/// Section 4.1: what a client must check of the answer.
fn judge(exchanged: Exchanged, asked: &Asked, offers: &str) -> Result<Answer, UpstreamError> {
    let (mut response, socket) = match exchanged {
        Exchanged::Switched(response, socket) => (response, socket),
        Exchanged::Other(mut response) => {
            headers::prepare_answer(response.headers_mut())?;
            return Ok(Answer::Other(response.map(respond::from_upstream)));
        }
    };
    let headers = response.headers_mut();
    if !(headers::has_token(headers, &UPGRADE, "websocket")
        && headers::has_token(headers, &CONNECTION, "upgrade"))
    {
        return Err(UpstreamError::NoUpgrade);
    }
    let accept = one_value(headers, &SEC_WEBSOCKET_ACCEPT);
    if accept.is_none_or(|accept| {
        accept.as_bytes() != derive_accept_key(asked.key.as_bytes()).as_bytes()
    }) {
        return Err(UpstreamError::Accept);
    }
    subprotocol::check(headers, &asked.subprotocols)?;
    let extensions = extensions::accept(headers, offers, asked.inspected)?;
    let subprotocol = headers
        .get(SEC_WEBSOCKET_PROTOCOL)
        .and_then(|value| value.to_str().ok())
        .map(Into::into);
    let accepted = UpstreamLeg {
        subprotocol,
        socket,
        extensions,
    };
    Ok(Answer::Accepted(response, accepted))
}

/// The client's 101: the upstream's, with the accept value for the client's own key. Its names keep the upstream's
/// spelling, which hyper has in the extensions.
fn switching_protocols(mut response: Response<Body>, key: &[u8]) -> Response<Body> {
    // Of the upstream's connection, which is not hyper's any more.
    response.extensions_mut().remove::<OnUpgrade>();
    // hyper answers in the version that the client spoke.
    *response.version_mut() = Version::HTTP_11;
    let headers = response.headers_mut();
    headers::remove_hop_by_hop(headers);
    // A 101 has no body (RFC 9110 section 8.6).
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key)) {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}
