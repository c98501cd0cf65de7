//! The extensions of one connection, once they are negotiated.

use crate::leg::Leg;

/// What holds on both legs of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// permessage-deflate holds, so that RSV1 means "compressed".
    pub deflate: bool,
    client_inflates: bool,
    upstream_inflates: bool,
}

impl Extensions {
    /// permessage-deflate, and whether each peer compresses each message on its own.
    #[must_use]
    pub fn deflate(client_inflates: bool, upstream_inflates: bool) -> Self {
        Extensions {
            deflate: true,
            client_inflates,
            upstream_inflates,
        }
    }

    /// Whether a compressed message of this leg's peer can be read without those before it.
    #[must_use]
    pub fn inflates(&self, from: Leg) -> bool {
        match from {
            Leg::Client => self.client_inflates,
            Leg::Upstream => self.upstream_inflates,
        }
    }
}
