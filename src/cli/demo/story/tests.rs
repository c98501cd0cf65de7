//! The story fails where what it claims does not happen.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::super::backend::{Backend, Timing};
use super::*;

async fn backend() -> Backend {
    let soon = Duration::from_millis(50);
    Backend::start(
        0,
        Timing {
            idle_time: soon,
            check_interval: soon,
            sleep: soon,
        },
    )
    .await
    .unwrap()
}

/// A server that greets everybody with this Close frame.
async fn closing_with(code: u16, reason: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut client = tokio_tungstenite::accept_async(listener.accept().await.unwrap().0)
            .await
            .unwrap();
        client
            .close(Some(CloseFrame {
                code: code.into(),
                reason: reason.into(),
            }))
            .await
            .unwrap();
        while let Some(Ok(_)) = client.next().await {}
    });
    address
}

#[tokio::test]
async fn the_backend_alone_drops_a_silent_client() {
    let backend = backend().await;
    silent_client_alone(&backend.address.to_string())
        .await
        .unwrap();

    let error = silent_client_alone(&closing_with(1001, "bye").await)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the story went wrong: expected an end without a Close frame, got Close frame 1001 bye"
    );
}

#[tokio::test]
async fn a_sidecar_closes_a_silent_client_with_a_reason() {
    silent_client_behind_sidecar(&closing_with(1001, "idle timeout").await)
        .await
        .unwrap();

    let error = silent_client_behind_sidecar(&closing_with(1001, "bye").await)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("expected Close frame 1001 idle timeout, got Close frame 1001 bye"),
        "{error}"
    );
    let backend = backend().await;
    let error = silent_client_behind_sidecar(&backend.address.to_string())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("got an end without a Close frame"),
        "{error}"
    );
}

#[tokio::test]
async fn a_quiet_client_that_is_dropped_spoils_the_story() {
    let backend = backend().await;
    for address in [backend.address.to_string(), closing_with(1001, "bye").await] {
        let error = quiet_client_behind_sidecar(&address).await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("expected a connection that stays open, got "),
            "{error}"
        );
    }
}
