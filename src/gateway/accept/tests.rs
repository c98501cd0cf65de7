use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::context::Context;
use crate::net::workers::Workers;

#[tokio::test]
async fn who_was_let_in_before_the_end_is_served() {
    let text = "listen: 127.0.0.1:0\nupstream: ws://127.0.0.1:1";
    let config = crate::config::parse(text, "test", &|_| None).unwrap();
    let config = config.config;
    let listener = Listener::bind(&config.listen[0], "listen", false).unwrap();
    let address = listener.tcp_address().unwrap();
    let mut client = TcpStream::connect(address).await.unwrap();
    let context = Arc::new(Context::new(Arc::new(config), Workers::here()));
    let gateway = Arc::new(Gateway::new(context));
    gateway.serve(listener, std::future::ready(())).await;
    let opening = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    client.write_all(opening).await.unwrap();
    let mut answer = [0; 12];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 426");
    assert!(TcpStream::connect(address).await.is_err(), "it listens");
}
