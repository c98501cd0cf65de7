//! A closed loop: each connection keeps `window` messages under way, as fast as they come back.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::{Proxy, Tasks, WARM_UP};
use crate::client::{self, Incoming, Reader};
use crate::frames;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    proxy: Proxy,
    /// Connections
    #[arg(long)]
    conns: usize,
    /// Messages under way on each
    #[arg(long)]
    window: usize,
    /// Bytes of a message
    #[arg(long)]
    size: usize,
    /// How long to measure
    #[arg(long)]
    seconds: f64,
}

pub async fn measure(options: Options) -> Result<Value> {
    let tree = options.proxy.tree();
    let count = Rc::new(Cell::new(0_u64));
    let mut tasks = Tasks::new();
    for _ in 0..options.conns {
        let (stream, _) = client::open(options.proxy.to, "/").await?;
        let connection = Rc::new(Connection {
            stream,
            free: Semaphore::new(options.window),
        });
        let frame = frames::from_client(2, &vec![7; options.size]);
        tasks.spawn(write(Rc::clone(&connection), frame, options.window));
        tasks.spawn(read(connection, Rc::clone(&count)));
    }
    tasks.run_for(WARM_UP).await?;
    let (began, cpu, before) = (Instant::now(), tree.cpu()?, count.get());
    tasks
        .run_for(Duration::from_secs_f64(options.seconds))
        .await?;
    let (seconds, cpu, messages) = (
        began.elapsed().as_secs_f64(),
        tree.cpu()? - cpu,
        (count.get() - before) as f64,
    );
    Ok(json!({
        "messages_per_second": messages / seconds,
        "cpu_us_per_message": cpu / messages * 1e6,
    }))
}

struct Connection {
    stream: TcpStream,
    /// Places in the window.
    free: Semaphore,
}

async fn write(connection: Rc<Connection>, frame: Vec<u8>, window: usize) -> Result<()> {
    let batch = frame.repeat(window);
    loop {
        connection.free.acquire().await?.forget();
        let more = connection.free.available_permits();
        connection.free.forget_permits(more);
        write_all(&connection.stream, &batch[..frame.len() * (1 + more)]).await?;
    }
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(bytes) {
            Ok(taken) => bytes = &bytes[taken..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn read(connection: Rc<Connection>, count: Rc<Cell<u64>>) -> Result<()> {
    let mut reader = Reader::default();
    loop {
        let mut messages = 0;
        // Pings need no answer here: messages prove the client alive.
        reader
            .read(&connection.stream, |incoming| {
                messages += usize::from(incoming == Incoming::Message);
            })
            .await?;
        count.set(count.get() + messages as u64);
        connection.free.add_permits(messages);
    }
}
