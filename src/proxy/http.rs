//! Requests that open no WebSocket: passed on as they are, streaming both ways, over connections that are kept alive.

use std::error::Error as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body as _, Incoming};
use hyper::header::{HeaderValue, TRANSFER_ENCODING};
use hyper::http::Extensions;
use hyper::http::uri::PathAndQuery;
use hyper::{Request, Response, StatusCode, Uri, Version};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tower_service::Service;

use super::connection::Incomer;
use super::http_connections::HttpConnections;
use super::respond::{self, Body, BodyError, with_causes};
use super::stream::Stream;
use super::upstream::{DialError, dial};
use super::upstream_io::UpstreamIo;
use super::{Shared, answer_head, headers};
use crate::config::policy::Upstream;
use crate::observe::{HandshakeFailure, Observer, bounded, events, log};

/// Shorter than servers commonly keep idle connections, so that a request rarely meets one that is just being closed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

type HttpClient = Client<Dialer, Body>;

/// One client with its pool for each upstream in use.
#[derive(Default)]
pub(super) struct Clients {
    clients: Mutex<Vec<(Arc<Upstream>, HttpClient)>>,
}

impl Clients {
    /// The client of an upstream; those of upstreams that no route has any more are let go.
    fn of(&self, upstream: &Arc<Upstream>, shared: &Shared) -> HttpClient {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(known, _)| known == upstream) {
            return client.clone();
        }
        let config = shared.config.load();
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
                observer: Arc::clone(&shared.observer),
                connections: Arc::clone(&shared.http_connections),
            });
        clients.push((Arc::clone(upstream), client.clone()));
        client
    }
}

/// Passes a request on and its answer back.
pub(super) async fn pass(incomer: Incomer, shared: &Shared) -> Response<Body> {
    let Incomer {
        mut request,
        peer,
        host,
        request_id,
    } = incomer;
    let route = Arc::clone(
        shared
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
    let client = shared.clients.of(&route.upstream, shared);
    let max_head = shared.config.load().process.max_head;
    let failed = match send(&client, request).await {
        sent if answer_head::is_too_long(&sent, max_head) => Failed::new(
            HandshakeFailure::UpstreamBadHandshake,
            answer_head::too_long(max_head),
        ),
        Ok(response) => match answer(response) {
            Ok(answer) => return answer,
            Err(failed) => failed,
        },
        Err(error) => Failed::of(&error),
    };
    let record = events::HttpFailed {
        request_id: &request_id,
        client: &peer.to_string(),
        route: &route.name,
        upstream: &route.upstream.target.to_string(),
        initiator: failed.failure.initiator().label(),
        reason: failed.failure.label(),
        status: failed.status.as_u16(),
        detail: &bounded(&failed.detail),
    };
    log::emit(failed.failure.level(), "http_failed", &record);
    respond::error(failed.status, failed.failure.label(), &request_id)
}

/// The client's answer from the upstream's.
fn answer(mut response: Response<Incoming>) -> Result<Response<Body>, Failed> {
    let bad = |detail| Failed::new(HandshakeFailure::UpstreamBadHandshake, detail);
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let detail = "the upstream answered 101 to a request that asked for no other protocol";
        return Err(bad(detail.to_owned()));
    }
    headers::prepare_answer(response.headers_mut()).map_err(|error| bad(error.to_string()))?;
    // Not for the upstream to say: hyper answers in the version that the client speaks.
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
        // A client that has gone may have closed its sending side alone, and can read then why.
        let gone = StatusCode::BAD_REQUEST;
        Failed {
            failure,
            status: failure.status().unwrap_or(gone),
            detail,
        }
    }

    /// By the side that failed, which hyper's own error does not say.
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
) -> Result<Response<Incoming>, Error> {
    let (parts, body) = request.into_parts();
    let spare = (parts.method.is_safe() && body.is_end_stream()).then(|| parts.clone());
    let mut sent = client
        .request(Request::from_parts(parts, respond::from_client(body)))
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
        .authority(headers::authority(&upstream.target))
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
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<UpstreamIo<Stream>>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Dialer {
            upstream,
            observer,
            connections,
        } = self.clone();
        Box::pin(async move {
            let stream = dial(&upstream, &observer, &connections).await?;
            Ok(TokioIo::new(UpstreamIo::new(stream)))
        })
    }
}

impl Connection for UpstreamIo<Stream> {
    fn connected(&self) -> Connected {
        Connected::new().extra(Answered::default())
    }
}
