use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::super::clients::{End, open as open_silent, stay_silent};
use super::*;

const TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3600);

fn timing(idle_time: Duration) -> Timing {
    Timing {
        idle_time,
        check_interval: Duration::from_millis(20),
        sleep: Duration::from_millis(50),
    }
}

async fn start(idle_time: Duration) -> Backend {
    Backend::start(0, timing(idle_time)).await.unwrap()
}

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(backend: &Backend) -> Client {
    tokio_tungstenite::connect_async(format!("ws://{}/", backend.address))
        .await
        .unwrap()
        .0
}

/// The next message; none at an end without a Close frame.
async fn next(client: &mut Client) -> Option<Message> {
    timeout(TIMEOUT, client.next())
        .await
        .expect("an answer in time")
        .and_then(Result::ok)
}

async fn send(client: &mut Client, text: &str) -> Option<Message> {
    client.send(Message::text(text)).await.unwrap();
    next(client).await
}

#[tokio::test]
async fn messages_and_pings_are_answered() {
    let backend = start(NEVER).await;
    let mut client = open(&backend).await;
    assert_eq!(
        send(&mut client, "hello").await,
        Some(Message::text("hello"))
    );
    client.send(Message::binary(vec![1, 2])).await.unwrap();
    assert_eq!(next(&mut client).await, Some(Message::binary(vec![1, 2])));
    client.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(next(&mut client).await, Some(Message::Pong("x".into())));
    client.close(None).await.unwrap();
    assert_eq!(next(&mut client).await, Some(Message::Close(None)));
}

#[tokio::test]
async fn a_silent_client_is_dropped_without_a_close_frame() {
    let backend = start(Duration::from_millis(60)).await;
    let opened = Instant::now();
    let silent = open_silent(&backend.address.to_string()).await.unwrap();
    let end = timeout(TIMEOUT, stay_silent(silent))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(end, End::Lost);
    assert!(
        opened.elapsed() >= Duration::from_millis(60),
        "{:?}",
        opened.elapsed()
    );
}

#[tokio::test]
async fn a_client_that_pings_is_kept() {
    let backend = start(Duration::from_secs(3)).await;
    let mut client = open(&backend).await;
    let opened = Instant::now();
    while opened.elapsed() < Duration::from_secs(4) {
        client.send(Message::Ping("x".into())).await.unwrap();
        assert_eq!(next(&mut client).await, Some(Message::Pong("x".into())));
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        send(&mut client, "still here").await,
        Some(Message::text("still here"))
    );
}

#[tokio::test]
async fn close_drops_and_disconnect_says_goodbye() {
    let backend = start(NEVER).await;
    assert_eq!(send(&mut open(&backend).await, "close").await, None);

    let Some(Message::Close(Some(frame))) = send(&mut open(&backend).await, "disconnect").await
    else {
        panic!("no Close frame")
    };
    assert_eq!(
        (u16::from(frame.code), frame.reason.as_str()),
        (1000, "bye from the backend")
    );
}

#[tokio::test]
async fn a_sleeping_worker_answers_no_ping() {
    let backend = start(NEVER).await;
    let mut client = open(&backend).await;
    let asked = Instant::now();
    client.send(Message::text("sleep")).await.unwrap();
    client.send(Message::Ping("x".into())).await.unwrap();
    assert_eq!(next(&mut client).await, Some(Message::text("awake again")));
    assert!(
        asked.elapsed() >= Duration::from_millis(50),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(next(&mut client).await, Some(Message::Pong("x".into())));
}

#[tokio::test]
async fn the_first_subprotocol_is_taken() {
    let backend = start(NEVER).await;
    let mut request = format!("ws://{}/", backend.address)
        .into_client_request()
        .unwrap();
    request.headers_mut().insert(
        SEC_WEBSOCKET_PROTOCOL,
        HeaderValue::from_static("chat, superchat"),
    );
    let (_, response) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(response.headers()[SEC_WEBSOCKET_PROTOCOL], "chat");
}

#[tokio::test]
async fn a_browser_gets_a_page() {
    let backend = start(NEVER).await;
    let mut socket = TcpStream::connect(backend.address).await.unwrap();
    socket
        .write_all(b"GET / HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    timeout(TIMEOUT, socket.read_to_string(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(PAGE),
        "{answer}"
    );
}

#[tokio::test]
async fn a_taken_port_is_no_obstacle() {
    let first = start(NEVER).await;
    let second = Backend::start(first.address.port(), timing(NEVER))
        .await
        .unwrap();
    assert_ne!(first.address, second.address);
}
