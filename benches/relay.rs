//! The relay as it is: the sidecar between a client and an echo backend, over Unix sockets on one thread.
//!
//! Most of this is the kernel's; what the sidecar adds is seen against `without_the_sidecar`.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to say"
)]

use std::path::Path;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use sidebeat::config::parse;
use sidebeat::context::Context;
use sidebeat::gateway::Gateway;
use sidebeat::net::listener::Listener;
use sidebeat::net::workers::Workers;
use sidebeat::protocol::{Data, OpCode, encode_frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const MASK: [u8; 4] = [1, 2, 3, 4];

fn main() {
    divan::main();
}

#[divan::bench(args = [1, 32])]
fn through_the_sidecar(bencher: Bencher, messages: usize) {
    echo(bencher, messages, true);
}

#[divan::bench(args = [1, 32])]
fn without_the_sidecar(bencher: Bencher, messages: usize) {
    echo(bencher, messages, false);
}

/// Messages of 128 bytes there and back.
fn echo(bencher: Bencher, messages: usize, with_sidecar: bool) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut client = runtime.block_on(client(&runtime, directory.path(), with_sidecar));
    let mut frame = Vec::new();
    let text = OpCode::Data(Data::Text);
    encode_frame(&mut frame, text, &[b'a'; 128], Some(MASK));
    let batch = frame.repeat(messages);
    // The backend sends back what it gets, less the masking keys.
    let mut answer = vec![0; batch.len() - MASK.len() * messages];
    bencher.counter(ItemsCount::new(messages)).bench_local(|| {
        runtime.block_on(async {
            client.write_all(&batch).await.unwrap();
            client.read_exact(&mut answer).await.unwrap();
        });
    });
}

async fn client(runtime: &Runtime, directory: &Path, with_sidecar: bool) -> UnixStream {
    let (front, back) = (directory.join("front"), directory.join("back"));
    let backend = UnixListener::bind(&back).unwrap();
    runtime.spawn(async move {
        let (stream, _) = backend.accept().await.unwrap();
        serve(stream).await;
    });
    if with_sidecar {
        let (front, back) = (front.display(), back.display());
        let text = format!("listen: unix:{front}\nupstream: unix:{back}\nlog: {{level: error}}\n");
        let config = Arc::new(parse(&text, "bench", &|_| None).unwrap().config);
        let listener = Listener::bind(&config.listen[0], "listen", false).unwrap();
        let context = Arc::new(Context::new(config, Workers::here()));
        let gateway = Arc::new(Gateway::new(context));
        runtime.spawn(gateway.serve(listener, std::future::pending::<()>()));
    }
    let mut stream = UnixStream::connect(if with_sidecar { &front } else { &back })
        .await
        .unwrap();
    let request = "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = head(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    stream
}

async fn head(stream: &mut UnixStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Takes frames of 128 masked bytes and gives them back without their masking keys: all the same length, so that
/// the backend costs little and nothing that varies. What the key did to the payload nobody reads.
async fn serve(mut stream: UnixStream) {
    const FRAME: usize = 4 + MASK.len() + 128;
    let request = head(&mut stream).await;
    let key = request
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("sec-websocket-key"))
        .and_then(|line| line.split(": ").nth(1))
        .unwrap();
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    let mut held = Vec::new();
    while stream.read_buf(&mut held).await.unwrap_or(0) > 0 {
        let whole = held.len() / FRAME * FRAME;
        let mut out = Vec::with_capacity(whole);
        for frame in held[..whole].chunks(FRAME) {
            out.extend_from_slice(&[frame[0], frame[1] & 0x7f, frame[2], frame[3]]);
            out.extend_from_slice(&frame[8..]);
        }
        held.drain(..whole);
        stream.write_all(&out).await.unwrap();
    }
}
