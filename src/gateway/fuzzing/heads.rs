//! Request and answer heads through the whole opening handshake and plain HTTP: the sidecar between a client that
//! sends the input and a backend that answers with the rest of it.
//!
//! Whatever both send: no panic; what the backend gets is HTTP that can be read in one way only; so is what the client
//! gets; a client gets 101 only if it asked for it in the right way and the backend said so in the right way; once the
//! client has left, the connection's task ends.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::http::Head;
use crate::config::Config;
use crate::context::Context;
use crate::gateway::Gateway;
use crate::gateway::connection;
use crate::net::peer::Peer;
use crate::net::stream::Stream;
use crate::net::workers::Workers;

/// Between what the client sends and what the backend answers; no head has it.
const BETWEEN: u8 = 0xff;
/// In the backend's answer: the value that belongs to the key which it was sent.
const ACCEPT: &[u8] = b"{accept}";
/// In virtual time: longer than every deadline before a request and of plain HTTP.
const CLIENT_STAYS: Duration = Duration::from_secs(900);
const TASK_ENDS: Duration = Duration::from_secs(900);

/// The backend's address: a socket's file, which goes when the next process of this id begins.
static BACKEND: LazyLock<(PathBuf, std::os::unix::net::UnixListener)> = LazyLock::new(|| {
    let name = format!("sidebeat-heads-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    // There is none, most often.
    let _ = std::fs::remove_file(&path);
    let listener = std::os::unix::net::UnixListener::bind(&path).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    match listener {
        Ok(listener) => (path, listener),
        Err(error) => panic!("{}: {error}", path.display()),
    }
});

static CONFIGS: LazyLock<Vec<Arc<Config>>> = LazyLock::new(|| {
    let settings = [
        "",
        "heartbeat: {app: [{preset: json}]}\nlimits: {allowed_origins: ['*.example.com']}",
        "compression: strip",
        "routes: [{match: {path_prefix: /chat}, upstream: {host: literal.example}}]",
    ];
    let config = |settings: &&str| {
        let backend = BACKEND.0.display();
        let text = format!("listen: 127.0.0.1:1\nupstream: 'unix:{backend}'\n{settings}\n");
        match crate::config::parse(&text, "fuzz", &|_| None) {
            Ok(loaded) => Arc::new(loaded.config),
            Err(problems) => panic!("{settings}: {problems:?}"),
        }
    };
    settings.iter().map(config).collect()
});

/// What the backend got on each connection.
type Got = Arc<Mutex<Vec<Vec<u8>>>>;

async fn backend(listener: UnixListener, answer: Arc<[u8]>, ends: bool, got: Got) {
    while let Ok((stream, _)) = listener.accept().await {
        let index = {
            let mut got = got.lock().unwrap_or_else(PoisonError::into_inner);
            got.push(Vec::new());
            got.len() - 1
        };
        tokio::spawn(answer_one(
            stream,
            Arc::clone(&answer),
            ends,
            Arc::clone(&got),
            index,
        ));
    }
}

/// Reads a head, answers, and reads on.
async fn answer_one(mut stream: UnixStream, answer: Arc<[u8]>, ends: bool, got: Got, index: usize) {
    let mut buffer = [0; 4096];
    let mut answered = false;
    while let Ok(len @ 1..) = stream.read(&mut buffer).await {
        let head = {
            let mut got = got.lock().unwrap_or_else(PoisonError::into_inner);
            got[index].extend_from_slice(&buffer[..len]);
            got[index].clone()
        };
        if answered || !head.windows(4).any(|four| four == b"\r\n\r\n") {
            continue;
        }
        answered = true;
        if stream
            .write_all(&with_accept(&answer, &head))
            .await
            .is_err()
        {
            return;
        }
        if ends && stream.shutdown().await.is_err() {
            return;
        }
    }
}

/// The answer, with the right accept value where it is asked for.
fn with_accept(answer: &[u8], head: &[u8]) -> Vec<u8> {
    let Some(at) = answer.windows(ACCEPT.len()).position(|part| part == ACCEPT) else {
        return answer.to_vec();
    };
    let key = Head::read(head).and_then(|head| head.one("sec-websocket-key").map(str::to_owned));
    let accept = derive_accept_key(key.unwrap_or_default().as_bytes());
    [
        &answer[..at],
        accept.as_bytes(),
        &answer[at + ACCEPT.len()..],
    ]
    .concat()
}

/// All that a client gets while it stays.
async fn client(mut stream: UnixStream, request: &[u8], half_closes: bool) -> Vec<u8> {
    let mut got = Vec::new();
    // A sidecar that has ended the connection takes no more; what it said is there all the same.
    let _ = timeout(CLIENT_STAYS, stream.write_all(request)).await;
    if half_closes {
        let _ = stream.shutdown().await;
    }
    let _ = timeout(CLIENT_STAYS, stream.read_to_end(&mut got)).await;
    got
}

async fn run(options: u8, request: &[u8], answer: &[u8]) {
    let listener = BACKEND.1.try_clone().and_then(UnixListener::from_std);
    let (Ok(listener), Ok((ours, theirs))) = (listener, UnixStream::pair()) else {
        return; // No more files, say: nothing of the sidecar's.
    };
    let got = Got::default();
    let ends = options & 8 != 0;
    let backend = tokio::spawn(backend(listener, answer.into(), ends, Arc::clone(&got)));
    let config = Arc::clone(&CONFIGS[usize::from(options & 3)]);
    let context = Arc::new(Context::new(config, Workers::here()));
    let limits = &context.config.load().process;
    let Ok((place, file)) = context.http_connections.admit(None, limits) else {
        panic!("there is no other connection");
    };
    let stream = Stream::from(theirs).counted(file);
    let gateway = Arc::new(Gateway::new(Arc::clone(&context)));
    let task = connection::serve(stream, Peer::Unix, place, gateway);
    let task = tokio::spawn(task);
    let came = client(ours, request, options & 4 != 0).await;
    match timeout(TASK_ENDS, task).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("the connection's task: {error}"),
        Err(_) => panic!("the client has left, and the connection's task stays"),
    }
    backend.abort();
    let got = got.lock().unwrap_or_else(PoisonError::into_inner);
    for bytes in got.iter() {
        check_backend(bytes);
    }
    check_client(request, &came, &got);
}

/// What the backend got can be read in one way only.
fn check_backend(mut bytes: &[u8]) {
    while let Some(head) = Head::read(bytes) {
        let (target, version) = head
            .start
            .split_once(' ')
            .and_then(|(_, rest)| rest.split_once(' '))
            .unwrap_or_default();
        assert!(version == "HTTP/1.1", "{:?}", head.start);
        assert!(target.starts_with('/') || target == "*", "{:?}", head.start);
        let Some(host) = head.one("host") else {
            panic!("RFC 9112 section 3.2: {:?}", head.all("host"));
        };
        assert!(!host.contains(['@', ' ', '/']), "{host:?}");
        assert!(head.one("x-request-id").is_some(), "no X-Request-Id");
        head.assert_framed_once();
        if head.has("upgrade") {
            assert_eq!(head.one("upgrade"), Some("websocket"));
            assert_eq!(head.one("sec-websocket-version"), Some("13"));
            assert!(
                head.one("sec-websocket-key")
                    .is_some_and(|key| key.len() == 24)
            );
            return; // What follows is frames.
        }
        let Some(len) = head.message_len(bytes) else {
            return;
        };
        bytes = &bytes[len..];
    }
    // The beginning of a head, of which hyper writes none alone.
    assert!(bytes.is_empty(), "half a head: {bytes:x?}");
}

/// The client's first answer can be read in one way only, and is a 101 only where it may be.
fn check_client(request: &[u8], came: &[u8], backend: &[Vec<u8>]) {
    let Some(head) = Head::read(came) else {
        return assert!(came.is_empty(), "half a head: {came:x?}");
    };
    let status = head.start.split(' ').nth(1).unwrap_or_default();
    assert!(
        head.start.starts_with("HTTP/1.") && status.len() == 3,
        "{:?}",
        head.start
    );
    head.assert_framed_once();
    if status != "101" {
        assert!(
            !head.has("sec-websocket-accept") || !backend.is_empty(),
            "{head:?}"
        );
        return;
    }
    // A request that hyper took may end its lines with a line feed alone.
    let text = String::from_utf8_lossy(request).replace("\r\n", "\n");
    let text = text
        .trim_start_matches('\n')
        .split("\n\n")
        .next()
        .unwrap_or_default();
    let keys: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .map(|(_, value)| value.trim())
        .collect();
    let [key] = keys[..] else {
        panic!("101 for {keys:?}");
    };
    assert_eq!(
        head.one("sec-websocket-accept"),
        Some(&*derive_accept_key(key.as_bytes()))
    );
    assert_eq!(head.one("upgrade"), Some("websocket"));
    assert!(
        head.one("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("upgrade"))
    );
    assert!(
        text.starts_with("GET ") && !backend.is_empty(),
        "101 for {text:?}"
    );
}

pub(super) fn check(input: &[u8]) {
    let Some((options, rest)) = input.split_first() else {
        return;
    };
    let mut parts = rest.splitn(2, |byte| *byte == BETWEEN);
    let (request, answer) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run(*options, request, answer)),
        Err(error) => panic!("{error}"),
    }
}
