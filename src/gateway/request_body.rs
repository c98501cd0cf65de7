//! The body of a client's request on its way to the upstream, and whether it is waiting for the client.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};

use super::respond::BodyError;

/// Whether the upstream would take more of the body than the client has sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct AwaitsClient(Arc<AtomicBool>);

impl AwaitsClient {
    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, awaits: bool) {
        self.0.store(awaits, Ordering::Relaxed);
    }
}

pub(crate) struct RequestBody {
    body: Incoming,
    awaits: AwaitsClient,
}

impl RequestBody {
    pub(crate) fn new(body: Incoming, awaits: AwaitsClient) -> Self {
        RequestBody { body, awaits }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        self.awaits.set(false);
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        this.awaits.set(frame.is_pending());
        frame.map_err(BodyError::Client)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
