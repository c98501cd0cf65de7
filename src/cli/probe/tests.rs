use std::net::SocketAddr;

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{
    Callback, ErrorResponse, Request, Response,
};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

fn options(arguments: &[&str]) -> Options {
    Line::parse_from([&["probe"], arguments].concat()).options
}

/// Serves one connection.
async fn server<F: Future<Output = ()> + Send + 'static>(
    serve: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { serve(listener.accept().await.unwrap().0).await });
    address
}

async fn accept(socket: TcpStream) -> WebSocketStream<TcpStream> {
    tokio_tungstenite::accept_async(socket).await.unwrap()
}

async fn probe_at(address: SocketAddr, arguments: &[&str]) -> (Report, Vec<String>) {
    let url = format!("ws://{address}/chat");
    let mut printed = Vec::new();
    let options = options(&[&[url.as_str()], arguments].concat());
    let (report, client) = probe(&options, |line| printed.push(line)).await;
    if let Some(client) = client {
        client::say_goodbye(client, &options).await;
    }
    (report, printed)
}

fn error(report: &Report) -> &str {
    assert!(!report.ok);
    report.error.as_deref().unwrap()
}

/// Wants the path, header and subprotocol that the test sends.
struct Picky;

impl Callback for Picky {
    fn on_request(
        self,
        request: &Request,
        mut response: Response,
    ) -> Result<Response, ErrorResponse> {
        assert_eq!(request.uri().path(), "/chat");
        assert_eq!(request.headers()["origin"], "https://example.com");
        assert_eq!(request.headers()["sec-websocket-protocol"], "a, b");
        response
            .headers_mut()
            .insert("sec-websocket-protocol", HeaderValue::from_static("b"));
        Ok(response)
    }
}

#[tokio::test]
async fn a_websocket_that_answers_is_fine_whatever_else_it_says() {
    let (tell_traffic, traffic) = tokio::sync::oneshot::channel();
    let address = server(|socket| async {
        let mut backend = tokio_tungstenite::accept_hdr_async(socket, Picky)
            .await
            .unwrap();
        backend.send(Message::text("welcome")).await.unwrap();
        backend
            .send(Message::Pong("unsolicited".into()))
            .await
            .unwrap();
        backend
            .send(Message::Ping("are you there".into()))
            .await
            .unwrap();
        let mut received = Vec::new();
        while let Some(Ok(message)) = backend.next().await {
            received.push(message);
        }
        tell_traffic.send(received).unwrap();
    })
    .await;
    let arguments = [
        "-n",
        "3",
        "--interval",
        "1ms",
        "-H",
        "Origin: https://example.com",
        "--subprotocol",
        "a, b",
    ];
    let (report, printed) = probe_at(address, &arguments).await;

    assert!(report.ok, "{report:?}");
    assert_eq!(
        (report.status, report.subprotocol.as_deref()),
        (Some(101), Some("b"))
    );
    assert_eq!(
        (
            report.pings_sent,
            report.pongs_received,
            report.rtt_ms.len()
        ),
        (3, 3, 3)
    );
    let (min, avg, max) = (
        report.rtt_min_ms.unwrap(),
        report.rtt_avg_ms.unwrap(),
        report.rtt_max_ms.unwrap(),
    );
    assert!(0.0 < min && min <= avg && avg <= max, "{report:?}");
    assert_eq!(printed.len(), 5, "{printed:?}");
    assert!(
        printed[0].starts_with(&format!("open ws://{address}/chat in ")),
        "{printed:?}"
    );
    assert!(
        printed[4].starts_with("pings sent 3, pongs received 3, rtt min/avg/max "),
        "{printed:?}"
    );
    let traffic = traffic.await.unwrap();
    assert!(
        traffic.contains(&Message::Pong("are you there".into())),
        "{traffic:?}"
    );
    let Some(Message::Close(Some(goodbye))) = traffic.last() else {
        panic!("no Close frame in {traffic:?}")
    };
    assert_eq!(u16::from(goodbye.code), 1000);
}

#[tokio::test]
async fn nobody_listens() {
    // The port stays taken, by a socket that never listens.
    let reserved = TcpSocket::new_v4().unwrap();
    reserved.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = reserved.local_addr().unwrap();
    let (report, printed) = probe_at(address, &[]).await;
    assert!(
        error(&report).starts_with(&format!(
            "nothing listens at {address} (connection refused)"
        )),
        "{report:?}"
    );
    assert_eq!((report.status, printed.len()), (None, 0));
}

#[tokio::test]
async fn a_page_is_no_websocket() {
    let address = server(|mut socket| async move {
        let page = b"HTTP/1.1 404 Not Found\r\nContent-Length: 18\r\n\r\n<h1>not\n here</h1>";
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
        socket.write_all(page).await.unwrap();
    })
    .await;
    let (report, _) = probe_at(address, &[]).await;
    assert_eq!(
        error(&report),
        "not a WebSocket: HTTP status 404, \"<h1>not here</h1>\"; is the path right?"
    );
    assert_eq!(report.status, Some(404));
}

#[tokio::test]
async fn something_else_than_http() {
    let address = server(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
        socket
            .write_all(b"220 mail.example.com ESMTP\r\n\r\n")
            .await
            .unwrap();
    })
    .await;
    let (report, _) = probe_at(address, &[]).await;
    let expected = format!("no WebSocket at {address}: the answer is no HTTP: ");
    assert!(error(&report).starts_with(&expected), "{report:?}");
}

#[tokio::test]
async fn an_end_instead_of_an_answer() {
    let address = server(|mut socket| async move {
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
    })
    .await;
    let (report, _) = probe_at(address, &[]).await;
    let expected = format!("no WebSocket at {address}: the connection ended without an answer: ");
    assert!(error(&report).starts_with(&expected), "{report:?}");
}

#[tokio::test]
async fn a_close_frame_is_told() {
    let address = server(|socket| async {
        let mut backend = accept(socket).await;
        let _ping = backend.next().await;
        let frame = CloseFrame {
            code: 1014.into(),
            reason: "backend connection lost".into(),
        };
        backend.close(Some(frame)).await.unwrap();
        while let Some(Ok(_)) = backend.next().await {}
    })
    .await;
    // The pong to the first ping may or may not go out before the Close frame; a second ping is never answered.
    let (report, _) = probe_at(address, &["-n", "2"]).await;
    assert_eq!(
        error(&report),
        "closed while pinging, Close frame: 1014 backend connection lost"
    );
    let close = report.close.unwrap();
    assert_eq!(
        (close.code, close.reason.as_str()),
        (Some(1014), "backend connection lost")
    );
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_told() {
    let address = server(|socket| async {
        drop(accept(socket).await);
    })
    .await;
    let (report, _) = probe_at(address, &["-n", "2"]).await;
    assert!(
        error(&report).starts_with("connection lost while pinging, with no Close frame"),
        "{report:?}"
    );
}

/// Reads one byte, which shows how far the other end has come, and says nothing. From then on time jumps to whatever
/// is waited for, so that a long timeout, which no slow machine exceeds before, is over at once.
async fn fall_silent(socket: &mut TcpStream) {
    socket.read_u8().await.unwrap();
    tokio::time::pause();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_pong_is_not_waited_for_without_end() {
    let address = server(|socket| async {
        fall_silent(accept(socket).await.get_mut()).await;
    })
    .await;
    let (report, _) = probe_at(address, &["--timeout", "90s"]).await;
    assert_eq!(
        error(&report),
        "no pong within 90s: the WebSocket opened, but the other end does not answer"
    );
    assert_eq!((report.pings_sent, report.pongs_received), (1, 0));
}

#[tokio::test]
async fn an_answer_to_the_opening_handshake_is_not_waited_for_without_end() {
    let address = server(|mut socket| async move {
        fall_silent(&mut socket).await;
    })
    .await;
    let (report, _) = probe_at(address, &["--timeout", "90s"]).await;
    assert!(
        error(&report).starts_with(&format!(
            "no answer to the opening handshake from {address}"
        )),
        "{report:?}"
    );
}

#[test]
fn addresses() {
    assert_eq!(options(&[]).url, "ws://127.0.0.1:8080/");
    assert_eq!(options(&["localhost:9000"]).url, "ws://localhost:9000/");
    assert_eq!(
        options(&["ws://[::1]:9000/a?b=c"]).url,
        "ws://[::1]:9000/a?b=c"
    );
    assert!(
        parse_url("wss://example.com")
            .unwrap_err()
            .contains("no TLS")
    );
}
