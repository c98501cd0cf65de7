//! The two sides of a relayed connection.

/// One of the two TCP connections that make up a relayed WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leg {
    /// Between the client and the sidecar; the sidecar is the WebSocket server here.
    Client,
    /// Between the sidecar and the backend; the sidecar is the WebSocket client here.
    Upstream,
}

impl Leg {
    /// Both legs, in the order of their discriminants.
    pub const BOTH: [Leg; 2] = [Leg::Client, Leg::Upstream];

    /// The leg at the other end of the relay.
    #[must_use]
    pub fn other(self) -> Leg {
        match self {
            Leg::Client => Leg::Upstream,
            Leg::Upstream => Leg::Client,
        }
    }

    /// `client` or `upstream`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Leg::Client => "client",
            Leg::Upstream => "upstream",
        }
    }
}
