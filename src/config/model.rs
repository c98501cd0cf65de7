//! What the rest of the program uses: configuration with every name resolved and no invalid state left to write down.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderName;

use crate::protocol::Close;
use crate::session::policy::Policy;

mod matching;

/// The longest path that a route may have, in bytes. Of the path of a live connection one byte more is kept, which is
/// enough to find its route again.
pub const MAX_ROUTE_PATH: usize = 1024;

/// A whole, valid `proxy.yaml`.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where clients are accepted; never empty.
    pub listen: Vec<Listen>,
    /// Tried in order before `default`.
    pub routes: Vec<(RouteMatch, Arc<Route>)>,
    /// The top level of the file; matches everything.
    pub default: Arc<Route>,
    /// Limits of the whole process.
    pub process: ProcessLimits,
    /// How a shutdown proceeds.
    pub drain: Drain,
    /// What is logged and how.
    pub log: Log,
    /// Where metrics and probes are served.
    pub metrics: Option<Listen>,
    /// Where operators are served.
    pub admin: Option<Admin>,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Listen {
    /// TCP; an address for which [`is_every_address`] holds is every address of IPv4, too.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix {
        /// Its file.
        path: PathBuf,
        /// The permissions of the file; none: what the process's umask leaves.
        mode: Option<u32>,
    },
}

impl Listen {
    /// The address without what can be changed while it is listened on.
    #[must_use]
    pub fn place(&self) -> Listen {
        match self {
            Listen::Tcp(address) => Listen::Tcp(*address),
            Listen::Unix { path, .. } => Listen::Unix {
                path: path.clone(),
                mode: None,
            },
        }
    }
}

/// `:8080` and `[::]:8080`: every address of both families, whatever the system's `net.ipv6.bindv6only` says.
#[must_use]
pub fn is_every_address(address: SocketAddr) -> bool {
    address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
}

/// Whether two TCP addresses have an address and a port in common. Port 0 stands for any free port.
#[must_use]
pub fn share_addresses(one: SocketAddr, other: SocketAddr) -> bool {
    let takes_in = |wide: SocketAddr, address: SocketAddr| {
        is_every_address(wide)
            || (wide.ip().is_unspecified() && address.is_ipv4())
            || wide.ip() == address.ip()
    };
    one.port() == other.port() && one.port() != 0 && (takes_in(one, other) || takes_in(other, one))
}

/// As one would write it.
impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Tcp(address) if is_every_address(*address) => write!(f, ":{}", address.port()),
            Listen::Tcp(address) => write!(f, "{address}"),
            Listen::Unix { path, mode } => {
                write!(f, "unix:{}", path.display())?;
                match mode {
                    Some(mode) => write!(f, "?mode={mode:04o}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// The listener for operators.
#[derive(Clone, Debug, PartialEq)]
pub struct Admin {
    /// Where it listens.
    pub listen: Listen,
    /// What every call must bring as `Authorization: Bearer`; none: nothing.
    pub token: Option<Token>,
}

impl Default for Admin {
    fn default() -> Self {
        Admin {
            listen: Listen::Tcp(SocketAddr::from((Ipv4Addr::LOCALHOST, 9901))),
            token: None,
        }
    }
}

/// A secret, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub(in crate::config) String);

impl Token {
    #[cfg(test)]
    pub(crate) fn for_tests(secret: &str) -> Token {
        Token(secret.to_owned())
    }

    /// The secret itself, which is visible ASCII.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Limits that hold before a route is known.
#[derive(Clone, Debug, PartialEq)]
pub struct ProcessLimits {
    /// WebSocket connections, counted from their opening handshake on.
    pub max_connections: Option<usize>,
    /// The same, for one client address; of IPv6, one /64.
    pub max_connections_per_ip: Option<usize>,
    /// Client connections that are no WebSocket, or not yet.
    pub max_http_connections: Option<usize>,
    /// The same, for one client address.
    pub max_http_connections_per_ip: Option<usize>,
    /// Plain HTTP requests in flight.
    pub max_http_requests: Option<usize>,
    /// Bytes of the head of a request or of an answer.
    pub max_head: usize,
    /// From accept to the first whole request head.
    pub handshake_timeout: Option<Duration>,
}

/// Which requests a route takes: every field that is set must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RouteMatch {
    /// The request's path, exactly.
    pub path: Option<String>,
    /// The beginning of the request's path, at a segment boundary (`/chat` takes `/chat/1`, not `/chatter`).
    pub path_prefix: Option<String>,
    /// The Host header without its port, ASCII case folded; `*.example.com` takes any subdomain.
    pub host: Option<String>,
    /// One of the offered subprotocols.
    pub subprotocol: Option<String>,
}

/// What happens to a request that a route takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// `default`, or the match written short, for logs and metrics.
    pub name: Arc<str>,
    /// Where it goes.
    pub upstream: Arc<Upstream>,
    /// How long no byte of plain HTTP may move, in either direction.
    pub http_timeout: Option<Duration>,
    /// Origins that may open a WebSocket; empty: any.
    pub allowed_origins: Vec<OriginPattern>,
    /// What becomes of the client's offer of permessage-deflate (RFC 7692).
    pub compression: Compression,
    /// What live connections follow when the file changes.
    pub policy: Arc<Policy>,
}

/// What becomes of the client's offer of permessage-deflate (RFC 7692).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// The backend sees it and decides.
    #[default]
    Passthrough,
    /// The backend never sees it, so that messages are not compressed.
    Strip,
}

/// One entry of `limits.allowed_origins`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginPattern {
    /// A whole origin: `https://chat.example.com`.
    Exact(String),
    /// `*.example.com`: any scheme and port, any subdomain of `example.com` (stored as `.example.com`).
    Subdomain(String),
    /// `example.com`: any scheme and port, this host exactly.
    Host(String),
}

/// A backend and how it is dialled.
#[derive(Clone, Debug, PartialEq)]
pub struct Upstream {
    /// Where it listens.
    pub target: Target,
    /// For one TCP connection.
    pub connect_timeout: Duration,
    /// From the request to the response head of an opening handshake.
    pub handshake_timeout: Option<Duration>,
    /// The Host header it is sent.
    pub host: HostHeader,
    /// Dialling only.
    pub retry: Retry,
    /// How it is checked whether it is up.
    pub health: Health,
}

/// A backend's address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// `ws://host:port`; the host may be a name, resolved at every dial.
    Tcp {
        /// A name, or an IP address without brackets.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// `unix:/path`.
    Unix(PathBuf),
}

/// As in logs: `127.0.0.1:9501`, `[::1]:9501`, `unix:/path`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Target::Tcp { host, port } => write!(f, "{host}:{port}"),
            Target::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The Host header sent to the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostHeader {
    /// The client's.
    Preserve,
    /// The upstream's own `host:port`.
    Upstream,
    /// This text.
    Literal(String),
}

/// How often, and how far apart, a dial is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// All tries, the first included; at least 1.
    pub attempts: u32,
    /// Before the second try; doubles after each.
    pub backoff: Duration,
    /// The most that the backoff grows to.
    pub max_backoff: Duration,
}

/// How it is checked whether a backend is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What is done for it.
    pub mode: HealthMode,
    /// Between two checks.
    pub interval: Duration,
    /// The path that [`HealthMode::Http`] requests, such as `/healthz`.
    pub path: String,
}

/// What is done to find out whether a backend is up; the later, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HealthMode {
    /// Nothing: it is taken to be up.
    Off,
    /// Connections for clients show it; an empty one is tried before the first success and while it is down.
    Passive,
    /// An empty TCP connection every `interval`.
    Tcp,
    /// A GET request every `interval`: any answer below 500 is up.
    Http,
}

/// How a shutdown proceeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Drain {
    /// Between the signal and the end of listening.
    pub delay: Duration,
    /// The time over which clients are closed, evenly and in random order.
    pub spread: Duration,
    /// From the signal to the end of the process, whatever still lives.
    pub timeout: Duration,
    /// What clients are sent.
    pub close: Close,
}

/// What is logged and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The least severe level that is written.
    pub level: tracing::Level,
    /// The shape of a line.
    pub format: LogFormat,
    /// Whether `connection_opened` is logged.
    pub opened: bool,
    /// Headers of opening handshakes that are recorded.
    pub headers: Vec<HeaderName>,
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `Text` on a terminal, else `Json`.
    Auto,
    /// One JSON object a line.
    Json,
    /// `time LEVEL event key=value …`.
    Text,
}
