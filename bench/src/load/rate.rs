//! Messages at a fixed rate, whatever becomes of the earlier ones. Latency counts from the moment at which a message
//! was to be sent, so that a stall shows in all that it delayed (no coordinated omission).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::{Proxy, Tasks, WARM_UP, idle};
use crate::client::{Incoming, Reader};
use crate::frames;

/// How long the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    proxy: Proxy,
    /// Connections
    #[arg(long)]
    conns: usize,
    /// Messages a second, over all connections
    #[arg(long)]
    rate: u32,
    /// Bytes of a message
    #[arg(long, default_value_t = 128)]
    size: usize,
    /// How long to measure
    #[arg(long)]
    seconds: f64,
}

struct Connection {
    stream: TcpStream,
    /// When the messages under way were to be sent, the oldest first.
    under_way: Mutex<VecDeque<Instant>>,
}

impl Connection {
    fn under_way(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

struct Latencies {
    /// Messages that were to be sent before are not counted.
    from: Instant,
    nanos: RefCell<Histogram<u64>>,
    answered: Cell<u64>,
}

pub async fn measure(options: Options) -> Result<Value> {
    let tree = options.proxy.tree();
    let connections = open(&options).await?;
    let began = Instant::now();
    let latencies = Rc::new(Latencies {
        from: began + WARM_UP,
        nanos: RefCell::new(Histogram::new(3)?),
        answered: Cell::new(0),
    });
    let mut tasks = Tasks::new();
    for connection in &connections {
        tasks.spawn(read(Arc::clone(connection), Rc::clone(&latencies)));
    }
    let time = Duration::from_secs_f64(options.seconds);
    let messages = (options.rate as f64 * (WARM_UP + time).as_secs_f64()) as u64;
    let frame = frames::from_client(2, &vec![7; options.size]);
    let sender = thread::spawn(move || send(&connections, &frame, began, options.rate, messages));
    tasks.run_for(WARM_UP).await?;
    let cpu = tree.cpu()?;
    tasks.run_for(time).await?;
    let cpu = tree.cpu()? - cpu;
    let given_up = Instant::now() + PATIENCE;
    while latencies.answered.get() < messages {
        ensure!(
            Instant::now() < given_up,
            "{} of {messages} messages never came back",
            messages - latencies.answered.get()
        );
        tasks.run_for(Duration::from_millis(5)).await?;
    }
    sender
        .join()
        .map_err(|_| anyhow!("the sender panicked"))??;
    let nanos = latencies.nanos.borrow();
    let micros = |quantile: f64| nanos.value_at_quantile(quantile) as f64 / 1e3;
    Ok(json!({
        "messages": nanos.len(),
        "p50_us": micros(0.5),
        "p99_us": micros(0.99),
        "p999_us": micros(0.999),
        "max_us": micros(1.0),
        "cpu_us_per_message": cpu / (f64::from(options.rate) * options.seconds) * 1e6,
    }))
}

async fn open(options: &Options) -> Result<Vec<Arc<Connection>>> {
    let mut connections = Vec::with_capacity(options.conns);
    while connections.len() < options.conns {
        let group = (options.conns - connections.len()).min(idle::OPENERS);
        for stream in idle::open_group(options.proxy.to, group).await? {
            let under_way = Mutex::default();
            connections.push(Arc::new(Connection { stream, under_way }));
        }
    }
    Ok(connections)
}

async fn read(connection: Arc<Connection>, latencies: Rc<Latencies>) -> Result<()> {
    let mut reader = Reader::default();
    loop {
        let mut messages = 0;
        // Pings need no answer here: messages prove the client alive.
        reader
            .read(&connection.stream, |incoming| {
                messages += u64::from(incoming == Incoming::Message);
            })
            .await?;
        let now = Instant::now();
        for _ in 0..messages {
            let due = connection.under_way().pop_front();
            let due = due.context("an answer to nothing")?;
            if due >= latencies.from {
                let nanos = now.duration_since(due).as_nanos() as u64;
                latencies.nanos.borrow_mut().record(nanos)?;
            }
        }
        latencies.answered.set(latencies.answered.get() + messages);
    }
}

/// Sends the n-th message n periods after the beginning, to one connection after the other. On a thread of its own:
/// the runtime's timers go by the millisecond, which is more than what is measured.
fn send(
    connections: &[Arc<Connection>],
    frame: &[u8],
    began: Instant,
    rate: u32,
    messages: u64,
) -> Result<()> {
    nix::sys::prctl::set_timerslack(1)?;
    for (number, connection) in (0..messages).zip(connections.iter().cycle()) {
        let due = began + Duration::from_secs(1).mul_f64(number as f64 / f64::from(rate));
        thread::sleep(due.saturating_duration_since(Instant::now()));
        connection.under_way().push_back(due);
        let taken = connection.stream.try_write(frame);
        let taken = taken.context("the proxy does not keep up with this rate")?;
        ensure!(
            taken == frame.len(),
            "the proxy does not keep up with this rate"
        );
    }
    Ok(())
}
