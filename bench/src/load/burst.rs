//! The backend sends a burst to a client that reads slowly: what the proxy keeps of it meanwhile.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::time::interval;

use super::{Proxy, handshakes};
use crate::client::{self, Incoming, Reader};

/// Connections that are opened and closed before the empty proxy's memory is read.
const REHEARSAL: usize = 16;
/// Between two reads of the client.
const STEP: Duration = Duration::from_millis(10);
/// Reads of the client between two looks at the memory.
const LOOK_EVERY: u64 = 4;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    proxy: Proxy,
    /// Size of the burst in MiB
    #[arg(long)]
    mib: usize,
    /// What the client reads, in MiB a second
    #[arg(long)]
    read: f64,
}

pub async fn measure(options: Options) -> Result<Value> {
    let tree = options.proxy.tree();
    for _ in 0..REHEARSAL {
        handshakes::open_and_close(options.proxy.to).await?;
    }
    let empty = tree.memory()?;
    let bytes = options.mib << 20;
    let (mut stream, behind) = client::open(options.proxy.to, &format!("/burst/{bytes}")).await?;
    let mut reader = Reader::default();
    let mut messages = 0;
    let mut each = |incoming| messages += usize::from(incoming == Incoming::Message);
    reader.take(&behind, &mut each)?;
    let mut buffer = vec![0; (options.read * STEP.as_secs_f64() * f64::from(1 << 20)) as usize];
    let mut left = bytes.saturating_sub(behind.len());
    let mut peak = empty;
    let mut ticks = interval(STEP);
    for step in 0_u64.. {
        if left == 0 {
            break;
        }
        ticks.tick().await;
        let read = stream.read(&mut buffer).await?;
        anyhow::ensure!(read > 0, "the connection ended inside the burst");
        reader.take(&buffer[..read], &mut each)?;
        left = left.saturating_sub(read);
        if step % LOOK_EVERY == 0 {
            peak = peak.max(tree.memory()?);
        }
    }
    Ok(json!({ "peak_kib": peak - empty, "messages": messages }))
}
