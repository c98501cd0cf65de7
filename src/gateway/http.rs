//! Requests that open no WebSocket: forwarded as they are, streaming both ways, over connections that are kept alive.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderValue, TRANSFER_ENCODING};
use hyper::http::Extensions;
use hyper::http::uri::PathAndQuery;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::client::legacy::connect::{
    CaptureConnection, Connected, Connection, capture_connection,
};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tower_service::Service;

use super::answer_head;
use super::exchange::{Exchange, Forwarded};
use super::headers;
use super::incoming::IncomingRequest;
use super::request_body::{AwaitsClient, RequestBody};
use super::respond::{self, Body, BodyError, with_causes};
use super::upstream_io::UpstreamIo;
use crate::config::Upstream;
use crate::config::show_duration;
use crate::context::Context;
use crate::net::clock::Clock;
use crate::net::dial::{DialError, authority, dial};
use crate::net::http_connections::HttpConnections;
use crate::net::peer::Peer;
use crate::net::progress::{self, Moved, Noted};
use crate::net::stream::Stream;
use crate::telemetry::{HandshakeFailure, LifecycleEvent, Observer, bounded, events};

/// Shorter than servers commonly keep idle connections, so that a request rarely meets one that is just being closed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

type HttpClient = Client<Dialer, Body>;

/// One client with its pool for each upstream in use.
#[derive(Default)]
pub(crate) struct Clients {
    clients: Mutex<Vec<(Arc<Upstream>, HttpClient)>>,
}

impl Clients {
    /// The client of an upstream; those of upstreams that no route has any more are dropped.
    fn of(&self, upstream: &Arc<Upstream>, context: &Context) -> HttpClient {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(known, _)| known == upstream) {
            return client.clone();
        }
        let config = context.config.load();
        let in_use = |known: &Arc<Upstream>| {
            config
                .routes
                .iter()
                .map(|(_, route)| route)
                .chain([&config.default])
                .any(|route| route.upstream == *known)
        };
        clients.retain(|(known, _)| in_use(known));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .http1_preserve_header_case(true)
            .http1_max_buf_size(answer_head::MOST)
            .http1_max_headers(answer_head::MAX_LINES)
            .build(Dialer {
                upstream: Arc::clone(upstream),
                observer: Arc::clone(&context.observer),
                connections: Arc::clone(&context.http_connections),
                clock: context.clock,
            });
        clients.push((Arc::clone(upstream), client.clone()));
        client
    }
}

/// Forwards a request, and returns the answer.
pub(crate) async fn forward(
    incoming: IncomingRequest,
    exchange: &Exchange,
    context: &Context,
    clients: &Clients,
) -> Response<Body> {
    let IncomingRequest {
        mut request,
        peer,
        host,
        request_id,
    } = incoming;
    let route = Arc::clone(
        context
            .config
            .load()
            .route_for(request.uri().path(), &host, &[]),
    );
    headers::prepare_request(
        request.headers_mut(),
        &host,
        &peer,
        &request_id,
        &route.upstream,
    );
    keep_chunked(&mut request);
    *request.uri_mut() = absolute(&request, &route.upstream);
    *request.version_mut() = Version::HTTP_11;
    let client = clients.of(&route.upstream, context);
    let max_head = context.config.load().process.max_head;
    let awaits_client = AwaitsClient::default();
    let limit = route.http_timeout;
    let captured = capture_connection(&mut request);
    let stalled = progress::stalled(limit, || {
        let upstream = moved(&captured);
        upstream
            .into_iter()
            .chain([exchange.moved.clone()])
            .collect()
    });
    let sent = tokio::select! {
        sent = send(&client, request, &awaits_client) => Ok(sent),
        () = stalled => Err(Failed::stalled(limit, awaits_client.get())),
    };
    let upstream = route.upstream.target.to_string();
    let failed = match sent {
        Ok(sent) if answer_head::is_too_long(&sent, max_head) => Failed::new(
            HandshakeFailure::UpstreamBadHandshake,
            answer_head::too_long(max_head),
        ),
        Ok(Ok(response)) => {
            let moved = response.extensions().get::<Moved>().cloned();
            match answer(response) {
                Ok(answer) => {
                    let forwarded = Forwarded {
                        request_id,
                        route: Arc::clone(&route.name),
                        upstream,
                        moved: moved.unwrap_or_else(|| exchange.moved.clone()),
                    };
                    exchange.forward(forwarded, limit);
                    return answer;
                }
                Err(failed) => failed,
            }
        }
        Ok(Err(error)) => Failed::of(&error),
        Err(failed) => failed,
    };
    let route = Some(&*route.name);
    failed.record(&request_id, &peer, route, Some(&upstream));
    failed.answer(&request_id)
}

/// When bytes of a request's connection to the upstream last moved; none while there is no connection.
fn moved(captured: &CaptureConnection) -> Option<Moved> {
    let mut extras = Extensions::new();
    captured
        .connection_metadata()
        .as_ref()?
        .get_extras(&mut extras);
    extras.remove()
}

/// A request beyond `limits.max_http_requests`.
pub(crate) fn refuse_over_capacity(incoming: &IncomingRequest) -> Response<Body> {
    let detail = "limits.max_http_requests is reached".to_owned();
    let failed = Failed::new(HandshakeFailure::OverCapacity, detail);
    failed.record(&incoming.request_id, &incoming.peer, None, None);
    failed.answer(&incoming.request_id)
}

/// An answer that was cut because no byte of it moved for `limits.http_timeout`.
pub(crate) fn record_stalled(exchange: &Exchange, peer: &Peer) {
    let (forwarded, is_client) = exchange.take_stalled();
    // An answer of the sidecar's own does not come from the upstream.
    let (failure, detail) = match is_client || forwarded.is_none() {
        true => (
            HandshakeFailure::ClientTimeout,
            "the client took no byte of its answer within limits.http_timeout; it was cut",
        ),
        false => (
            HandshakeFailure::UpstreamTimeout,
            "no byte of the answer came within limits.http_timeout; it was cut",
        ),
    };
    let forwarded = forwarded.as_ref();
    let record = events::HttpFailed {
        request_id: forwarded.map_or("", |it| &it.request_id),
        client: &peer.to_string(),
        route: forwarded.map(|it| &*it.route),
        upstream: forwarded.map(|it| &*it.upstream),
        failure,
        status: None,
        detail,
    };
    LifecycleEvent::HttpFailed(record).log();
}

/// The client's answer from the upstream's.
fn answer(mut response: Response<Incoming>) -> Result<Response<Body>, Failed> {
    let bad = |detail| Failed::new(HandshakeFailure::UpstreamBadHandshake, detail);
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let detail = "the upstream answered 101 to a request that asked for no other protocol";
        return Err(bad(detail.to_owned()));
    }
    headers::prepare_answer(response.headers_mut()).map_err(|error| bad(error.to_string()))?;
    // hyper answers in the version that the client speaks.
    *response.version_mut() = Version::HTTP_11;
    Ok(response.map(respond::from_upstream))
}

/// Why a request got an answer of the sidecar's own.
struct Failed {
    failure: HandshakeFailure,
    status: StatusCode,
    detail: String,
}

impl Failed {
    fn new(failure: HandshakeFailure, detail: String) -> Self {
        // A client that seems gone may have shut down only its sending side.
        let gone = StatusCode::BAD_REQUEST;
        Failed {
            failure,
            status: failure.status().unwrap_or(gone),
            detail,
        }
    }

    /// No byte moved for `limit` before there was an answer.
    fn stalled(limit: Option<Duration>, awaits_client: bool) -> Self {
        let limit = show_duration(limit.unwrap_or_default());
        match awaits_client {
            // RFC 9110 section 15.5.9.
            true => Failed {
                failure: HandshakeFailure::ClientTimeout,
                status: StatusCode::REQUEST_TIMEOUT,
                detail: format!(
                    "the client sent nothing more of its request's body within limits.http_timeout of {limit}"
                ),
            },
            false => Failed::new(
                HandshakeFailure::UpstreamTimeout,
                format!("the upstream did not answer within limits.http_timeout of {limit}"),
            ),
        }
    }

    fn record(&self, request_id: &str, peer: &Peer, route: Option<&str>, upstream: Option<&str>) {
        let record = events::HttpFailed {
            request_id,
            client: &peer.to_string(),
            route,
            upstream,
            failure: self.failure,
            status: Some(self.status.as_u16()),
            detail: &bounded(&self.detail),
        };
        LifecycleEvent::HttpFailed(record).log();
    }

    fn answer(&self, request_id: &str) -> Response<Body> {
        let mut answer = respond::error(self.status, self.failure.label(), request_id);
        if self.status == StatusCode::REQUEST_TIMEOUT {
            let close = HeaderValue::from_static("close");
            answer.headers_mut().insert(CONNECTION, close);
        }
        answer
    }

    /// By the side that failed, which hyper's own error does not tell.
    fn of(error: &Error) -> Self {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(cause) = next {
            if let Some(dial) = cause.downcast_ref::<DialError>() {
                return Failed::new(dial.failure(), dial.to_string());
            }
            if let Some(body @ BodyError::Client(_)) = cause.downcast_ref() {
                let failure = match body.is_malformed() {
                    true => HandshakeFailure::ClientBadHandshake,
                    false => HandshakeFailure::ClientGone,
                };
                return Failed::new(failure, body.to_string());
            }
            next = cause.source();
        }
        Failed::new(HandshakeFailure::UpstreamBadHandshake, with_causes(error))
    }
}

/// A body of unknown length stays chunked with every method: hyper leaves it out of a GET or HEAD that does not say so.
fn keep_chunked(request: &mut Request<Incoming>) {
    let body = request.body();
    if !body.is_end_stream() && body.size_hint().exact().is_none() {
        let chunked = HeaderValue::from_static("chunked");
        request.headers_mut().insert(TRANSFER_ENCODING, chunked);
    }
}

/// Sends a request, and once more if its kept connection was just being closed: only one that is safe and has no body
/// may be repeated (RFC 9112 section 9.3.1).
async fn send(
    client: &HttpClient,
    request: Request<Incoming>,
    awaits: &AwaitsClient,
) -> Result<Response<Incoming>, Error> {
    let (parts, body) = request.into_parts();
    let spare = (parts.method.is_safe() && body.is_end_stream()).then(|| parts.clone());
    let mut sent = client
        .request(Request::from_parts(
            parts,
            RequestBody::new(body, awaits.clone()).boxed(),
        ))
        .await;
    if let (Err(error), Some(parts)) = (&sent, spare)
        && is_end_of_kept_connection(error)
    {
        sent = client
            .request(Request::from_parts(parts, respond::full("")))
            .await;
    }
    if let Some(Answered(answered)) = sent.as_ref().ok().and_then(|sent| sent.extensions().get()) {
        answered.store(true, Ordering::Relaxed);
    }
    sent
}

/// Whether a connection that had served a request before ended instead of answering this one.
fn is_end_of_kept_connection(error: &Error) -> bool {
    let mut known = Extensions::new();
    if let Some(info) = error.connect_info() {
        info.get_extras(&mut known);
    }
    let is_kept = known
        .get::<Answered>()
        .is_some_and(|Answered(answered)| answered.load(Ordering::Relaxed));
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    is_kept && cause.is_some_and(|cause: &hyper::Error| !cause.is_parse())
}

/// The URI by which the pool finds its connection; the upstream sees only path and query.
fn absolute(request: &Request<Incoming>, upstream: &Upstream) -> Uri {
    let path = request
        .uri()
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    let uri = Uri::builder()
        .scheme("http")
        .authority(authority(&upstream.target))
        .path_and_query(path);
    uri.build().unwrap_or_default()
}

/// Whether a connection of the pool has answered a request.
#[derive(Clone, Default)]
struct Answered(Arc<AtomicBool>);

/// Dials one upstream for hyper's pool.
#[derive(Clone)]
struct Dialer {
    upstream: Arc<Upstream>,
    observer: Arc<Observer>,
    connections: Arc<HttpConnections>,
    clock: Clock,
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<UpstreamIo<Noted<Stream>>>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut std::task::Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Dialer {
            upstream,
            observer,
            connections,
            clock,
        } = self.clone();
        Box::pin(async move {
            let stream = dial(&upstream, &observer, &connections).await?;
            let stream = Noted::new(stream, clock);
            Ok(TokioIo::new(UpstreamIo::new(stream)))
        })
    }
}

impl Connection for UpstreamIo<Noted<Stream>> {
    fn connected(&self) -> Connected {
        Connected::new()
            .extra(Answered::default())
            .extra(self.get_ref().moved().clone())
    }
}
