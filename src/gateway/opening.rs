//! One opening handshake's record: published as `handshake_failed` however it ends, unless it succeeds.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::net::peer::Peer;
use crate::telemetry::{HandshakeFailure, Observer, RequestHeaders, bounded, events};

/// An opening handshake in progress. Dropping it publishes that the client has gone.
pub(crate) struct Opening {
    observer: Arc<Observer>,
    pub(crate) request_id: Box<str>,
    pub(crate) client: Box<str>,
    pub(crate) headers: Option<Box<RequestHeaders>>,
    pub(crate) host: Box<str>,
    pub(crate) path: Box<str>,
    pub(crate) route: Option<Box<str>>,
    pub(crate) upstream: Option<Box<str>>,
    began: Instant,
    over: bool,
}

impl Opening {
    pub(crate) fn new(
        observer: &Arc<Observer>,
        request_id: Box<str>,
        peer: &Peer,
        headers: Option<Box<RequestHeaders>>,
        host: Box<str>,
        path: Box<str>,
    ) -> Self {
        let client = peer.to_string().into();
        Opening {
            observer: Arc::clone(observer),
            request_id,
            client,
            headers,
            host,
            path,
            route: None,
            upstream: None,
            began: Instant::now(),
            over: false,
        }
    }

    pub(crate) fn duration(&self) -> Duration {
        self.began.elapsed()
    }

    /// The connection is established.
    pub(crate) fn succeeded(mut self) {
        self.over = true;
    }

    /// It failed, and the client got `status`.
    pub(crate) fn failed(mut self, failure: HandshakeFailure, status: Option<u16>, detail: &str) {
        self.publish(failure, status, detail);
    }

    fn publish(&mut self, failure: HandshakeFailure, status: Option<u16>, detail: &str) {
        self.over = true;
        // It may quote a backend's answer.
        let detail = bounded(detail);
        let record = events::HandshakeFailed {
            request_id: Some(&self.request_id),
            client: &self.client,
            headers: self.headers.as_deref(),
            route: self.route.as_deref(),
            host: Some(&self.host),
            path: Some(&self.path),
            upstream: self.upstream.as_deref(),
            failure,
            phase: "opening",
            status,
            detail: &detail,
            duration_ms: crate::telemetry::millis(self.began.elapsed()),
        };
        self.observer.handshake_failed(&record);
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if !self.over {
            self.publish(
                HandshakeFailure::ClientGone,
                None,
                "the client left before it got an answer",
            );
        }
    }
}

/// A connection that ended before it had sent a whole request head.
pub(crate) fn failed_without_request(
    observer: &Observer,
    peer: &Peer,
    failure: HandshakeFailure,
    status: Option<u16>,
    detail: &str,
    age: Duration,
) {
    let client = peer.to_string();
    let record = events::HandshakeFailed {
        request_id: None,
        client: &client,
        headers: None,
        route: None,
        host: None,
        path: None,
        upstream: None,
        failure,
        phase: "opening",
        status,
        detail,
        duration_ms: crate::telemetry::millis(age),
    };
    observer.handshake_failed(&record);
}
