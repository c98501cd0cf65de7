//! The conversation of a probe, and what can go wrong in it.

use std::io;
use std::time::Duration;

use hyper::header::{HeaderMap, SEC_WEBSOCKET_PROTOCOL};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Options, ReceivedClose, Report, milliseconds};
use crate::cli::websocket::{Client, OpenError, Received};
use crate::protocol::Close;

/// The most that is waited for the answer to a Close frame: Kubernetes gives a probe one second for everything.
const GOODBYE: Duration = Duration::from_millis(250);

/// Why a probe failed, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProbeError {
    #[error(
        "nothing listens at {0} (connection refused): does what you probe run, sidebeat or the backend, and is that its address?"
    )]
    Refused(String),
    #[error(
        "no answer to the opening handshake from {0} within {1:?}: is the backend up? try a longer --timeout"
    )]
    HandshakeTimeout(String, Duration),
    #[error("not a WebSocket: HTTP status {status}{page}; {}", advice(*.status))]
    Rejected { status: u16, page: String },
    #[error("no WebSocket at {0}: {1}")]
    NotOpened(String, OpenError),
    #[error("no pong within {0:?}: the WebSocket opened, but the other end does not answer")]
    NoPong(Duration),
    #[error("closed while pinging, Close frame: {0}")]
    Closed(Close),
    #[error("connection lost while pinging, with no Close frame (a browser reports 1006): {0}")]
    Lost(io::Error),
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "it may want credentials or an Origin: -H 'Authorization: …', -H 'Origin: …'",
        200..=399 | 404 => "is the path right?",
        426 => "the server wants another version of the WebSocket protocol",
        502..=504 => "the proxy answers, its backend does not, or the proxy is full or draining",
        _ => "the server opens no WebSocket here",
    }
}

/// Opens and pings; writes into `report` what it learns on the way.
pub(super) async fn measure(
    options: &Options,
    report: &mut Report,
    print: &mut impl FnMut(String),
) -> Result<Client, ProbeError> {
    let mut client = open(options, report, print).await?;
    for number in 1..=options.count {
        let next_ping = Instant::now() + options.interval;
        let rtt_ms = ping(&mut client, number, options.timeout, report).await?;
        print(format!("pong {number}: {rtt_ms:.3} ms"));
        if number < options.count {
            wait_until(next_ping, &mut client, report).await?;
        }
    }
    Ok(client)
}

async fn open(
    options: &Options,
    report: &mut Report,
    print: &mut impl FnMut(String),
) -> Result<Client, ProbeError> {
    let address = address(options);
    let path = options
        .url
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let started = Instant::now();
    let opening = timeout(
        options.timeout,
        Client::open(&address, path, headers(options)),
    );
    let (client, answer) = match opening.await {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return Err(refusal(address, error, report)),
        Err(_) => return Err(ProbeError::HandshakeTimeout(address, options.timeout)),
    };
    let handshake_ms = milliseconds(started.elapsed());
    report.status = Some(101);
    report.handshake_ms = Some(handshake_ms);
    report.subprotocol = answer
        .get(SEC_WEBSOCKET_PROTOCOL)
        .map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    let subprotocol = report
        .subprotocol
        .as_ref()
        .map(|name| format!(", subprotocol {name}"))
        .unwrap_or_default();
    print(format!(
        "open {} in {handshake_ms:.3} ms{subprotocol}",
        options.url
    ));
    Ok(client)
}

fn address(options: &Options) -> String {
    format!(
        "{}:{}",
        options.url.host().unwrap_or_default(),
        options.url.port_u16().unwrap_or(80)
    )
}

fn headers(options: &Options) -> HeaderMap {
    let subprotocol = options
        .subprotocol
        .iter()
        .map(|names| (SEC_WEBSOCKET_PROTOCOL, names.clone()));
    options.headers.iter().cloned().chain(subprotocol).collect()
}

fn refusal(address: String, error: OpenError, report: &mut Report) -> ProbeError {
    match error {
        OpenError::Connect(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            ProbeError::Refused(address)
        }
        OpenError::Rejected { status, page } => {
            report.status = Some(status.as_u16());
            let page = if page.is_empty() {
                page
            } else {
                format!(", {page:?}")
            };
            ProbeError::Rejected {
                status: status.as_u16(),
                page,
            }
        }
        other => ProbeError::NotOpened(address, other),
    }
}

/// Sends a ping and waits for its own pong; other traffic is read and ignored.
async fn ping(
    client: &mut Client,
    number: u32,
    at_most: Duration,
    report: &mut Report,
) -> Result<f64, ProbeError> {
    let payload = format!("sidebeat probe {number}").into_bytes();
    let sent = Instant::now();
    report.pings_sent += 1;
    client.ping(&payload).await.map_err(ProbeError::Lost)?;
    let answered = async {
        while next(client, report).await? != Received::Pong(payload.clone()) {}
        Ok(())
    };
    timeout(at_most, answered)
        .await
        .map_err(|_| ProbeError::NoPong(at_most))??;
    let rtt_ms = milliseconds(sent.elapsed());
    report.pongs_received += 1;
    report.rtt_ms.push(rtt_ms);
    Ok(rtt_ms)
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
            received = next(client, report) => drop(received?),
        }
    }
}

/// The next frame; a ping has been answered, and a Close is an end that is reported.
async fn next(client: &mut Client, report: &mut Report) -> Result<Received, ProbeError> {
    let received = client.next().await.map_err(ProbeError::Lost)?;
    match &received {
        Received::Ping(payload) => client.pong(payload).await.map_err(ProbeError::Lost)?,
        Received::Close(close) => {
            // The other end may be gone already.
            let _ = client.close(close).await;
            report.close = Some(ReceivedClose {
                code: close.code(),
                reason: close.reason().to_owned(),
            });
            return Err(ProbeError::Closed(close.clone()));
        }
        Received::Data(_) | Received::Pong(_) => {}
    }
    Ok(received)
}

/// Closes and waits a little for the answer; how that goes is no result, because all that was asked for is known.
pub(super) async fn say_goodbye(mut client: Client, options: &Options) {
    let _ = timeout(GOODBYE.min(options.timeout), async {
        client.close(&Close::new(1000, "probe done")).await?;
        while !matches!(client.next().await?, Received::Close(_)) {}
        io::Result::Ok(())
    })
    .await;
}
