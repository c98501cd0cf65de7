//! An echo server that behaves like Swoole: idle connections and those it is told to `close` lose their TCP connection
//! and never get a Close frame.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    CONNECTION, CONTENT_TYPE, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{self, Message};

const PAGE: &str = "\
The demo's backend: a WebSocket echo server that behaves like Swoole. Open a WebSocket and send
  anything      it comes back
  close         the connection is dropped with no Close frame, as by $server->close($fd)
  disconnect    a Close frame comes, as by $server->disconnect($fd, 1000, 'bye from the backend')
  sleep         the worker blocks: no echo and no pong for a while
A client that sends nothing is dropped with no Close frame.
";

/// Swoole's heartbeat settings, and how long `sleep` takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// `heartbeat_idle_time`: nothing received for this long ends a connection at the next check.
    pub(super) idle_time: Duration,
    /// `heartbeat_check_interval`: one grid for all connections.
    pub(super) check_interval: Duration,
    pub(super) sleep: Duration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            idle_time: Duration::from_secs(4),
            check_interval: Duration::from_secs(2),
            sleep: Duration::from_secs(15),
        }
    }
}

/// The running server; it accepts nobody any more once this is dropped.
pub(super) struct Backend {
    pub(super) address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Backend {
    /// Listens on loopback: on `port`, or on any free one when that is taken.
    ///
    /// # Errors
    /// Loopback has no free port.
    pub(super) async fn start(port: u16, timing: Timing) -> io::Result<Backend> {
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
        };
        let address = listener.local_addr()?;
        Ok(Backend {
            address,
            accepting: tokio::spawn(accept(listener, timing)),
        })
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, timing: Timing) {
    let started = Instant::now();
    loop {
        match listener.accept().await {
            Ok((socket, _)) => drop(tokio::spawn(serve(socket, timing, started))),
            // Too many open files, most likely: a busy loop would not close any.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn serve(socket: TcpStream, timing: Timing, started: Instant) {
    let _ = socket.set_nodelay(true);
    let service = service_fn(async |request| Ok::<_, Infallible>(answer(request, timing, started)));
    // How a client ends its connection is no concern of a demo.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades()
        .await;
}

/// A 101 for an opening handshake (RFC 6455 section 4.2.2), a page for everything else.
fn answer(
    mut request: Request<Incoming>,
    timing: Timing,
    started: Instant,
) -> Response<Full<Bytes>> {
    let Some(accept) = accept_key(&request) else {
        let mut page = Response::new(Full::from(PAGE));
        page.headers_mut().insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        return page;
    };
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(name) = first_subprotocol(&request) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, name);
    }
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            let socket =
                WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
            let _ = echo(socket, timing, checks(timing, started)).await;
        }
    });
    response
}

fn accept_key(request: &Request<Incoming>) -> Option<HeaderValue> {
    let is_upgrade = request
        .headers()
        .get(UPGRADE)?
        .as_bytes()
        .eq_ignore_ascii_case(b"websocket");
    let key = request
        .headers()
        .get(SEC_WEBSOCKET_KEY)
        .filter(|_| is_upgrade)?;
    HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()
}

fn first_subprotocol(request: &Request<Incoming>) -> Option<HeaderValue> {
    let offered = request
        .headers()
        .get(SEC_WEBSOCKET_PROTOCOL)?
        .to_str()
        .ok()?;
    HeaderValue::from_str(offered.split(',').next()?.trim()).ok()
}

/// The next ticks of the grid that all connections share.
fn checks(timing: Timing, started: Instant) -> Interval {
    let mut checks = interval_at(started, timing.check_interval);
    checks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    checks
}

/// Returning drops the socket: the TCP connection ends, and no Close frame is sent unless one was sent before.
async fn echo(
    mut socket: WebSocketStream<TokioIo<Upgraded>>,
    timing: Timing,
    mut checks: Interval,
) -> Result<(), tungstenite::Error> {
    let mut last_received = Instant::now();
    loop {
        let message = tokio::select! {
            message = socket.next() => match message {
                Some(message) => message?,
                None => return Ok(()),
            },
            _ = checks.tick() => {
                if last_received.elapsed() >= timing.idle_time {
                    return Ok(());
                }
                continue;
            }
        };
        match message {
            Message::Text(text) if text == "close" => return Ok(()),
            Message::Text(text) if text == "disconnect" => {
                let reason = "bye from the backend".into();
                return socket
                    .close(Some(CloseFrame {
                        code: CloseCode::Normal,
                        reason,
                    }))
                    .await;
            }
            Message::Text(text) if text == "sleep" => {
                sleep(timing.sleep).await;
                socket.send(Message::text("awake again")).await?;
            }
            Message::Text(_) | Message::Binary(_) => socket.send(message).await?,
            // Pings and Close frames are answered by the library, when it is next asked to read.
            _ => {}
        }
        last_received = Instant::now();
    }
}

#[cfg(test)]
mod tests;
