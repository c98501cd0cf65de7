//! What a key or an answer asks the outside world for.

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Ask the sidecar again at once.
    Refresh,
    Ping {
        conn: String,
        /// `client` or `upstream`.
        leg: &'static str,
    },
    /// `None` is what the configuration says.
    Close {
        conn: String,
        code: Option<String>,
        reason: Option<String>,
    },
    Quit,
}
