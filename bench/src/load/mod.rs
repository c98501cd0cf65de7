//! The loads. Each runs on one thread and prints one JSON object.

pub mod burst;
pub mod handshakes;
pub mod idle;
pub mod messages;
pub mod rate;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Error, Result, anyhow};
use clap::Args;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::process::Tree;

/// How long a load runs before it is measured.
const WARM_UP: Duration = Duration::from_millis(300);

/// The proxy under test.
#[derive(Args, Clone, Copy, Debug)]
pub struct Proxy {
    /// Where it listens
    #[arg(long)]
    to: SocketAddr,
    /// Its process, whose tree's CPU and memory are read
    #[arg(long)]
    pid: Option<i32>,
}

impl Proxy {
    fn tree(&self) -> Tree {
        Tree(self.pid)
    }
}

/// Runs a load and prints what it measured.
pub fn run(measure: impl Future<Output = Result<Value>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let result = LocalSet::new().block_on(&runtime, measure)?;
    println!("{result}");
    // Connections are not waited for.
    std::process::exit(0);
}

/// Tasks of which none may fail while a load is measured.
struct Tasks {
    failures: mpsc::UnboundedReceiver<Error>,
    report: mpsc::UnboundedSender<Error>,
}

impl Tasks {
    fn new() -> Self {
        let (report, failures) = mpsc::unbounded_channel();
        Tasks { failures, report }
    }

    fn spawn(&self, task: impl Future<Output = Result<()>> + 'static) {
        let report = self.report.clone();
        tokio::task::spawn_local(async move {
            if let Err(error) = task.await {
                // Nobody listens any more once the load is over.
                let _ = report.send(error);
            }
        });
    }

    /// Waits; the first failure ends the load.
    async fn run_for(&mut self, time: Duration) -> Result<()> {
        tokio::select! {
            failure = self.failures.recv() => Err(failure.unwrap_or_else(|| anyhow!("no tasks"))),
            () = tokio::time::sleep(time) => Ok(()),
        }
    }
}
