//! A TCP relay that looks at no byte: one task per connection, a read buffer per thread, and what a socket does not
//! take kept only as long as it must be. A proxy on tokio that relays with ordinary calls cannot be cheaper.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use anyhow::Result;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 * 1024]);
}

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

async fn relay(client: TcpStream, upstream: SocketAddr) -> io::Result<()> {
    client.set_nodelay(true)?;
    let upstream = TcpStream::connect(upstream).await?;
    upstream.set_nodelay(true)?;
    let mut sockets = [client, upstream];
    let mut pending = [Vec::new(), Vec::new()];
    poll_fn(|cx| {
        SCRATCH.with_borrow_mut(|scratch| {
            for from in [0, 1] {
                if let Poll::Ready(ended) =
                    pass(&mut sockets, &mut pending[from], from, scratch, cx)
                {
                    return Poll::Ready(ended);
                }
            }
            Poll::Pending
        })
    })
    .await
}

/// Passes on what there is; ready when that direction has ended.
fn pass(
    sockets: &mut [TcpStream; 2],
    pending: &mut Vec<u8>,
    from: usize,
    scratch: &mut [u8],
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let to = 1 - from;
    loop {
        while !pending.is_empty() {
            let taken = ready!(Pin::new(&mut sockets[to]).poll_write(cx, pending))?;
            pending.drain(..taken);
        }
        *pending = Vec::new();
        let mut buf = ReadBuf::new(scratch);
        ready!(Pin::new(&mut sockets[from]).poll_read(cx, &mut buf))?;
        let bytes = buf.filled();
        if bytes.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let taken = match Pin::new(&mut sockets[to]).poll_write(cx, bytes) {
            Poll::Ready(taken) => taken?,
            Poll::Pending => 0,
        };
        pending.extend_from_slice(&bytes[taken..]);
    }
}
