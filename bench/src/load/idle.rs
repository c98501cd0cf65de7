//! Connections on which nothing but pings happens: memory of each, and CPU for all.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval_at};

use super::{Proxy, Tasks, handshakes};
use crate::client::{self, Incoming, Reader};
use crate::frames::{self, PING, PONG};

/// Connections that are opened and closed before the empty proxy's memory is read.
const REHEARSAL: usize = 64;
/// Openings under way at a time.
pub const OPENERS: usize = 16;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    proxy: Proxy,
    /// Numbers of connections at which memory is read, rising
    #[arg(long, value_delimiter = ',')]
    conns: Vec<usize>,
    /// Seconds between two pings of a client, 0 for none; they are spread evenly
    #[arg(long)]
    ping: f64,
    /// Seconds that memory is given to settle before it is read
    #[arg(long, default_value_t = 2.0)]
    pause: f64,
    /// Seconds between the last reading of memory and the measurement of CPU
    #[arg(long)]
    settle: f64,
    /// How long to measure CPU
    #[arg(long)]
    seconds: f64,
}

#[derive(Default)]
struct Counts {
    pings: Cell<u64>,
    pongs: Cell<u64>,
    proxy_pings: Cell<u64>,
}

impl Counts {
    fn all(&self) -> [u64; 3] {
        [self.pings.get(), self.pongs.get(), self.proxy_pings.get()]
    }
}

pub async fn measure(options: Options) -> Result<Value> {
    let tree = options.proxy.tree();
    let pause = Duration::from_secs_f64(options.pause);
    for _ in 0..REHEARSAL {
        handshakes::open_and_close(options.proxy.to).await?;
    }
    tokio::time::sleep(pause).await;
    let empty = tree.memory()?;
    let total = options.conns.last().copied().unwrap_or_default();
    let counts = Rc::new(Counts::default());
    let mut tasks = Tasks::new();
    let mut levels = Vec::new();
    let mut opened = 0;
    for &level in &options.conns {
        while opened < level {
            let group = (level - opened).min(OPENERS);
            for stream in open_group(options.proxy.to, group).await? {
                let phase = options.ping * opened as f64 / total as f64;
                tasks.spawn(hold(stream, options.ping, phase, Rc::clone(&counts)));
                opened += 1;
            }
        }
        tasks.run_for(pause).await?;
        let kib = tree.memory()?.saturating_sub(empty);
        levels.push(json!({ "conns": level, "kib_per_conn": kib as f64 / level as f64 }));
    }
    tasks
        .run_for(Duration::from_secs_f64(options.settle))
        .await?;
    let (began, cpu, before) = (Instant::now(), tree.cpu()?, counts.all());
    tasks
        .run_for(Duration::from_secs_f64(options.seconds))
        .await?;
    let (seconds, cpu, after) = (
        began.elapsed().as_secs_f64(),
        tree.cpu()? - cpu,
        counts.all(),
    );
    let rate = |index: usize| (after[index] - before[index]) as f64 / seconds;
    Ok(json!({
        "empty_kib": empty,
        "levels": levels,
        "cpu_ms_per_second": cpu / seconds * 1e3,
        "pings_per_second": rate(0),
        "pongs_per_second": rate(1),
        "proxy_pings_per_second": rate(2),
    }))
}

/// Opens some at once.
pub async fn open_group(proxy: SocketAddr, size: usize) -> Result<Vec<TcpStream>> {
    let opening: Vec<_> = (0..size)
        .map(|_| tokio::task::spawn_local(async move { client::open(proxy, "/").await }))
        .collect();
    let mut streams = Vec::with_capacity(size);
    for stream in opening {
        streams.push(stream.await??.0);
    }
    Ok(streams)
}

/// Pings every `ping` seconds, the first time after `phase`, and answers pings.
async fn hold(mut stream: TcpStream, ping: f64, phase: f64, counts: Rc<Counts>) -> Result<()> {
    let add = |count: &Cell<u64>| count.set(count.get() + 1);
    let period = Duration::from_secs_f64(if ping > 0.0 { ping } else { 1e6 });
    let first = if ping > 0.0 { phase } else { 1e6 };
    let mut ticks = interval_at(
        tokio::time::Instant::now() + Duration::from_secs_f64(first),
        period,
    );
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut reader = Reader::default();
    loop {
        let mut answers = Vec::new();
        let each = |incoming| match incoming {
            Incoming::Ping(payload) => {
                add(&counts.proxy_pings);
                answers.extend(frames::from_client(PONG, &payload));
            }
            Incoming::Pong => add(&counts.pongs),
            Incoming::Message => {}
        };
        tokio::select! {
            read = reader.read(&stream, each) => read?,
            _ = ticks.tick() => {
                add(&counts.pings);
                answers = frames::from_client(PING, b"bench");
            }
        }
        stream.write_all(&answers).await?;
    }
}
