//! Opening handshakes, each followed by the closing handshake and the end of the TCP connection.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Proxy, Tasks, WARM_UP};
use crate::client;
use crate::frames::{self, CLOSE};

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    proxy: Proxy,
    /// Handshakes under way at a time
    #[arg(long, default_value_t = 16)]
    conns: usize,
    /// How long to measure
    #[arg(long)]
    seconds: f64,
}

pub async fn measure(options: Options) -> Result<Value> {
    let tree = options.proxy.tree();
    let count = Rc::new(Cell::new(0_u64));
    let mut tasks = Tasks::new();
    for _ in 0..options.conns {
        tasks.spawn(repeat(options.proxy.to, Rc::clone(&count)));
    }
    tasks.run_for(WARM_UP).await?;
    let (began, cpu, before) = (Instant::now(), tree.cpu()?, count.get());
    tasks
        .run_for(Duration::from_secs_f64(options.seconds))
        .await?;
    let (seconds, cpu, handshakes) = (
        began.elapsed().as_secs_f64(),
        tree.cpu()? - cpu,
        (count.get() - before) as f64,
    );
    Ok(json!({
        "handshakes_per_second": handshakes / seconds,
        "handshakes_per_cpu_second": handshakes / cpu,
        "cpu_us_per_handshake": cpu / handshakes * 1e6,
    }))
}

async fn repeat(proxy: SocketAddr, count: Rc<Cell<u64>>) -> Result<()> {
    loop {
        open_and_close(proxy).await?;
        count.set(count.get() + 1);
    }
}

/// One connection that is opened and closed in good order.
pub async fn open_and_close(proxy: SocketAddr) -> Result<()> {
    let (mut stream, _) = client::open(proxy, "/").await?;
    stream
        .write_all(&frames::from_client(CLOSE, &[3, 0xe8]))
        .await?;
    let mut buffer = [0; 64];
    // A reset behind the Close frame is an end, too.
    while stream.read(&mut buffer).await.unwrap_or(0) > 0 {}
    Ok(())
}
