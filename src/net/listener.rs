//! Listening sockets: binding them, and accepting.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::peer::Peer;
use super::socket_file::{self, BACKLOG, RemovedAtEnd, SocketFile};
use super::stream::{self, Stream};
use crate::config::{Listen, is_every_address};

/// The shortest time between two log lines about it.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// Why an address cannot be listened on.
#[derive(Debug, Error)]
pub enum BindError {
    /// Another socket uses it.
    #[error(
        "cannot listen on {address}: the address is in use. Stop what uses it, or change `{key}`"
    )]
    InUse {
        /// The key of `proxy.yaml` that names it.
        key: &'static str,
        /// The address.
        address: Listen,
    },
    /// There is a file of that name that is no socket.
    #[error(
        "cannot listen on {address}: there is a file that is no socket. Remove it, or change `{key}`"
    )]
    NoSocket {
        /// The key of `proxy.yaml` that names it.
        key: &'static str,
        /// The address.
        address: Listen,
    },
    /// Anything else.
    #[error("cannot listen on {address}: {error}. Check `{key}`: {}", what_to_check(.address))]
    Other {
        /// The key of `proxy.yaml` that names it.
        key: &'static str,
        /// The address.
        address: Listen,
        /// What the system says.
        error: io::Error,
    },
}

fn what_to_check(address: &Listen) -> &'static str {
    match address {
        Listen::Tcp(_) => "the address, the port and the permission to use them",
        Listen::Unix { .. } => {
            "its folder must exist, and this user must be allowed to write there"
        }
    }
}

/// A bound socket.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket, whose file is removed before it is closed.
    Unix(RemovedAtEnd, UnixListener),
}

impl Listener {
    /// Binds an address, which `key` of `proxy.yaml` names; needs a tokio runtime. `joins`: another socket of this
    /// process has it, or a part of it.
    ///
    /// # Errors
    /// The system refuses.
    pub fn bind(address: &Listen, key: &'static str, joins: bool) -> Result<Listener, BindError> {
        let bound = match address {
            Listen::Tcp(tcp) => bind_tcp(*tcp, joins).map(Listener::Tcp),
            Listen::Unix { path, mode } => {
                socket_file::bind(path, *mode).map(|(file, unix)| Listener::Unix(file, unix))
            }
        };
        bound.map_err(|error| Listener::refused(error, address, key))
    }

    fn refused(error: io::Error, address: &Listen, key: &'static str) -> BindError {
        let is_no_socket =
            matches!(address, Listen::Unix { path, .. } if !socket_file::is_socket(path));
        let address = address.clone();
        match error.kind() {
            io::ErrorKind::AddrInUse if is_no_socket => BindError::NoSocket { key, address },
            io::ErrorKind::AddrInUse => BindError::InUse { key, address },
            _ => BindError::Other {
                key,
                address,
                error,
            },
        }
    }

    /// Binds an address for several runtimes: a TCP socket for each, among which the system distributes new connections, or one
    /// Unix socket for all. Each listener is to be served on its runtime. `joins`: another socket of this process has
    /// the address, or a part of it.
    ///
    /// # Errors
    /// The system refuses.
    pub fn bind_for(
        runtimes: &[Handle],
        address: &Listen,
        key: &'static str,
        joins: bool,
    ) -> Result<Vec<(Handle, Listener)>, BindError> {
        let mut bound: Vec<(Handle, Listener)> = Vec::with_capacity(runtimes.len());
        for runtime in runtimes {
            let _entered = runtime.enter();
            let listener = match bound.first() {
                None => Listener::bind(address, key, joins)?,
                Some((_, Listener::Tcp(first))) => first
                    .local_addr()
                    .and_then(|address| bind_tcp(address, true))
                    .map(Listener::Tcp)
                    .map_err(|error| Listener::refused(error, address, key))?,
                Some((_, Listener::Unix(..))) => break,
            };
            bound.push((runtime.clone(), listener));
        }
        Ok(bound)
    }

    /// Connections that wait in the accept queue. Closing the socket would reset them, although another socket may
    /// have the address already.
    pub(crate) fn into_waiting(self) -> impl Iterator<Item = (Stream, Peer)> {
        let (mut tcp, mut unix) = (None, None);
        match self {
            Listener::Tcp(listener) => tcp = listener.into_std().ok(),
            Listener::Unix(file, listener) => {
                // Without its file, nobody can connect any more.
                drop(file);
                unix = listener.into_std().ok();
            }
        }
        std::iter::from_fn(move || {
            if let Some(tcp) = &tcp {
                let (stream, peer) = tcp.accept().ok()?;
                stream.set_nonblocking(true).ok()?;
                let stream = TcpStream::from_std(stream).ok()?;
                return Some((Stream::from(stream), Peer::tcp(peer)));
            }
            let (stream, _) = unix.as_ref()?.accept().ok()?;
            stream.set_nonblocking(true).ok()?;
            let stream = UnixStream::from_std(stream).ok()?;
            Some((Stream::from(stream), Peer::Unix))
        })
    }

    /// The next connection.
    ///
    /// # Errors
    /// The process or the system is out of files or memory.
    pub(crate) async fn try_next(&self) -> io::Result<(Stream, Peer)> {
        loop {
            match self.accept().await {
                Err(error) if is_about_one_connection(&error) => {}
                accepted => return accepted,
            }
        }
    }

    /// Where a TCP listener listens, with the port that the system chose where it was 0.
    pub(crate) fn tcp_address(&self) -> Option<SocketAddr> {
        match self {
            Listener::Tcp(tcp) => tcp.local_addr().ok(),
            Listener::Unix(..) => None,
        }
    }

    /// The file of a Unix listener.
    pub(crate) fn socket_file(&self) -> Option<&SocketFile> {
        match self {
            Listener::Tcp(_) => None,
            Listener::Unix(file, _) => Some(&file.0),
        }
    }

    async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Listener::Tcp(tcp) => tcp
                .accept()
                .await
                .map(|(stream, peer)| (Stream::from(stream), Peer::tcp(peer))),
            Listener::Unix(_, unix) => unix
                .accept()
                .await
                .map(|(stream, _)| (Stream::from(stream), Peer::Unix)),
        }
    }
}

/// Logs that accepting fails, but not too often.
#[derive(Debug, Default)]
pub(crate) struct AcceptFailures {
    reported: Mutex<Option<Instant>>,
}

impl AcceptFailures {
    pub(crate) fn report(&self, listener: &Listener, error: &io::Error) {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if reported.is_none_or(|last| last.elapsed() >= REPORT_EVERY) {
            *reported = Some(Instant::now());
            tracing::error!(
                event = "accept_failed", address = %listener,
                "{error}; clients wait. If these are too many open files, raise the limit (LimitNOFILE, ulimit -n) to \
                 more than twice limits.max_connections"
            );
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listener::Tcp(tcp) => match tcp.local_addr() {
                Ok(address) => write!(f, "{address}"),
                Err(error) => write!(f, "{error}"),
            },
            Listener::Unix(file, _) => write!(f, "unix:{}", file.0.path().display()),
        }
    }
}

/// `joins`: another socket of this process has the address. The first one is bound without SO_REUSEPORT, so that a
/// port in use is noticed.
fn bind_tcp(address: SocketAddr, joins: bool) -> io::Result<TcpListener> {
    or_ipv4(address, |address| bind_one(address, joins))
}

/// Every address of both families is every one of IPv4 where the host has no IPv6.
fn or_ipv4<T>(address: SocketAddr, bind: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    match bind(address) {
        Err(error) if is_every_address(address) && lacks_ipv6(&error) => {
            bind((Ipv4Addr::UNSPECIFIED, address.port()).into())
        }
        bound => bound,
    }
}

/// A kernel without IPv6, or a sandbox that forbids it; a host on which it is switched off.
fn lacks_ipv6(error: &io::Error) -> bool {
    let known = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|it| known.contains(&it))
}

fn bind_one(address: SocketAddr, joins: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // Lets a restarted process take the port over from connections that linger in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Accepted sockets inherit these options, which saves their system calls.
    stream::tune(&socket);
    if is_every_address(address) {
        // Otherwise the system's net.ipv6.bindv6only decides.
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_port(joins)?;
    socket.bind(&address.into())?;
    socket.set_reuse_port(true)?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

pub(crate) fn is_out_of_files(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|error| matches!(error, Errno::MFILE | Errno::NFILE))
}

/// Accept also reports what went wrong with the one connection that it would have returned.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests;
