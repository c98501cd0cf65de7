//! The conversation of a probe, and what can go wrong in it.

use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::client::{Request, Response};
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Bytes, Message};

use super::{Options, ReceivedClose, Report, milliseconds};

/// The most of a refusing page that is shown.
const MAX_SHOWN_BODY: usize = 200;

/// Why a probe failed, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProbeError {
    #[error(
        "nothing listens at {0} (connection refused): is sidebeat running, and is that its `listen` address?"
    )]
    Refused(String),
    #[error("cannot connect to {0}: {1}")]
    Unreachable(String, io::Error),
    #[error(
        "no answer to the opening handshake from {0} within {1:?}: is the backend up? try a longer --timeout"
    )]
    HandshakeTimeout(String, Duration),
    #[error("not a WebSocket: HTTP status {status}{body}; {}", advice(*.status))]
    Rejected { status: u16, body: String },
    #[error(
        "{0} ended the connection instead of answering the opening handshake ({1}): does it speak HTTP?"
    )]
    HandshakeLost(String, tungstenite::Error),
    #[error("not a WebSocket: {0}; is the address that of an HTTP server?")]
    NotWebSocket(tungstenite::Error),
    #[error("these headers make no opening handshake: {0}")]
    BadRequest(tungstenite::Error),
    #[error("no pong within {0:?}: the WebSocket opened, but the other end does not answer")]
    NoPong(Duration),
    #[error("closed while pinging, Close frame {0}")]
    Closed(String),
    #[error("connection lost while pinging, with no Close frame (a browser reports 1006): {0}")]
    Lost(String),
}

fn advice(status: u16) -> &'static str {
    match status {
        200..=399 => "is the path right?",
        401 | 403 => {
            "credentials or an Origin may be wanted: -H 'Authorization: …', -H 'Origin: …'"
        }
        404 => "is the path right?",
        426 => "the server wants another version of the WebSocket protocol",
        502..=504 => "the proxy answers, its backend does not",
        _ => "the server does not open a WebSocket here",
    }
}

type Client = WebSocketStream<TcpStream>;

/// Opens, pings, closes; writes into `report` what it learns on the way.
pub(super) async fn measure(
    options: &Options,
    report: &mut Report,
    tell: &mut impl FnMut(String),
) -> Result<(), ProbeError> {
    let request = request(options)?;
    let started = Instant::now();
    let address = address(options);
    let (mut client, response) = timeout(options.timeout, open(&address, request))
        .await
        .map_err(|_| ProbeError::HandshakeTimeout(address.clone(), options.timeout))?
        .inspect_err(|error| {
            if let ProbeError::Rejected { status, .. } = error {
                report.status = Some(*status);
            }
        })?;
    let handshake_ms = milliseconds(started.elapsed());
    report.status = Some(response.status().as_u16());
    report.handshake_ms = Some(handshake_ms);
    report.subprotocol = response
        .headers()
        .get(SEC_WEBSOCKET_PROTOCOL)
        .and_then(|name| name.to_str().ok())
        .map(str::to_owned);
    let subprotocol = report
        .subprotocol
        .as_ref()
        .map(|name| format!(", subprotocol {name}"))
        .unwrap_or_default();
    tell(format!(
        "open {} in {handshake_ms:.3} ms{subprotocol}",
        options.url
    ));

    for number in 1..=options.count {
        let next = Instant::now() + options.interval;
        let rtt_ms = ping(&mut client, number, options.timeout, report).await?;
        tell(format!("pong {number}: {rtt_ms:.3} ms"));
        if number < options.count {
            wait_until(next, &mut client, report).await?;
        }
    }
    close(client, options.timeout).await;
    Ok(())
}

fn request(options: &Options) -> Result<Request, ProbeError> {
    let mut request = options
        .url
        .clone()
        .into_client_request()
        .map_err(ProbeError::BadRequest)?;
    for (name, value) in &options.headers {
        request.headers_mut().insert(name, value.clone());
    }
    if let Some(names) = &options.subprotocol {
        request
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, names.clone());
    }
    Ok(request)
}

fn address(options: &Options) -> String {
    format!(
        "{}:{}",
        options.url.host().unwrap_or_default(),
        options.url.port_u16().unwrap_or(80)
    )
}

async fn open(address: &str, request: Request) -> Result<(Client, Response), ProbeError> {
    let socket = TcpStream::connect(address)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => ProbeError::Refused(address.to_owned()),
            _ => ProbeError::Unreachable(address.to_owned(), error),
        })?;
    let _ = socket.set_nodelay(true);
    tokio_tungstenite::client_async(request, socket)
        .await
        .map_err(|error| match error {
            tungstenite::Error::Http(response) => ProbeError::Rejected {
                status: response.status().as_u16(),
                body: response.body().as_deref().map(shown).unwrap_or_default(),
            },
            tungstenite::Error::HttpFormat(_) => ProbeError::BadRequest(error),
            tungstenite::Error::Io(_)
            | tungstenite::Error::Protocol(ProtocolError::HandshakeIncomplete) => {
                ProbeError::HandshakeLost(address.to_owned(), error)
            }
            other => ProbeError::NotWebSocket(other),
        })
}

/// The beginning of a page, fit for one line.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_SHOWN_BODY)]);
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() {
        String::new()
    } else {
        format!(", {:?}", words.join(" "))
    }
}

/// Sends a ping and waits for its own pong; other traffic is read and ignored.
async fn ping(
    client: &mut Client,
    number: u32,
    at_most: Duration,
    report: &mut Report,
) -> Result<f64, ProbeError> {
    let payload = Bytes::from(format!("sidebeat probe {number}"));
    let sent = Instant::now();
    report.pings_sent += 1;
    client
        .send(Message::Ping(payload.clone()))
        .await
        .map_err(|error| ProbeError::Lost(error.to_string()))?;
    timeout(at_most, pong(client, &payload, report))
        .await
        .map_err(|_| ProbeError::NoPong(at_most))??;
    let rtt_ms = milliseconds(sent.elapsed());
    report.pongs_received += 1;
    report.rtt_ms.push(rtt_ms);
    Ok(rtt_ms)
}

async fn pong(client: &mut Client, payload: &Bytes, report: &mut Report) -> Result<(), ProbeError> {
    loop {
        if matches!(next(client, report).await?, Message::Pong(echoed) if echoed == payload) {
            return Ok(());
        }
    }
}

/// Keeps reading between two pings, so that pings of the other end are answered and a Close is seen.
async fn wait_until(
    then: Instant,
    client: &mut Client,
    report: &mut Report,
) -> Result<(), ProbeError> {
    loop {
        tokio::select! {
            () = sleep_until(then) => return Ok(()),
            message = next(client, report) => { message?; }
        }
    }
}

async fn next(client: &mut Client, report: &mut Report) -> Result<Message, ProbeError> {
    match client.next().await {
        Some(Ok(Message::Close(frame))) => {
            let close = ReceivedClose {
                code: frame.as_ref().map(|frame| frame.code.into()),
                reason: frame
                    .map(|frame| frame.reason.to_string())
                    .unwrap_or_default(),
            };
            let error = ProbeError::Closed(match close.code {
                Some(code) => format!("{code} {:?}", close.reason),
                None => "without a code".to_owned(),
            });
            report.close = Some(close);
            Err(error)
        }
        Some(Ok(message)) => Ok(message),
        Some(Err(error)) => Err(ProbeError::Lost(error.to_string())),
        None => Err(ProbeError::Lost("end of stream".to_owned())),
    }
}

/// Says goodbye and waits for the answer, but what was to be learned has been learned.
async fn close(mut client: Client, at_most: Duration) {
    let goodbye = CloseFrame {
        code: CloseCode::Normal,
        reason: "probe done".into(),
    };
    let _ = timeout(at_most, async {
        client.close(Some(goodbye)).await?;
        while client.next().await.transpose()?.is_some() {}
        Ok::<(), tungstenite::Error>(())
    })
    .await;
}
