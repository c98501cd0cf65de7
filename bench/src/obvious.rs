//! The WebSocket proxy that one writes first: tokio-tungstenite on both sides, split, and forwarded message by message.

use std::net::SocketAddr;

use anyhow::Result;
use futures_util::StreamExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{accept_hdr_async, connect_async_with_config};

#[tokio::main]
pub async fn run(listen: SocketAddr, upstream: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (client, _) = listener.accept().await?;
        tokio::spawn(async move {
            // Either end going away ends the relay, in whatever way.
            let _ = relay(client, upstream).await;
        });
    }
}

async fn relay(client: TcpStream, upstream: SocketAddr) -> Result<()> {
    client.set_nodelay(true)?;
    // The backend's bursts are asked for by path.
    let mut path = String::new();
    #[expect(clippy::result_large_err, reason = "tungstenite's callback is so")]
    let keep_path = |request: &Request, response: Response| {
        path = request.uri().path().to_owned();
        Ok(response)
    };
    let client = accept_hdr_async(client, keep_path).await?;
    let url = format!("ws://{upstream}{path}");
    let (upstream, _) = connect_async_with_config(url, None, true).await?;
    let (to_client, from_client) = client.split();
    let (to_upstream, from_upstream) = upstream.split();
    tokio::select! {
        ended = from_client.forward(to_upstream) => ended?,
        ended = from_upstream.forward(to_client) => ended?,
    }
    Ok(())
}
