//! The running process: listeners, one snapshot of the configuration, hot reload, signals and draining.

mod drain;
mod files;
mod reload;
mod watch;

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::config::policy::{Config, Listen};
use crate::config::{self, Loaded};
use crate::observe::{events, log};
use crate::proxy::Shared;
use crate::proxy::listener::{BindError, Listener};

/// Exit status for a configuration that cannot be used (`EX_CONFIG` of sysexits).
pub const EXIT_CONFIG: u8 = 78;

/// A sidecar at work.
pub struct Running {
    /// What its connections share.
    pub shared: Arc<Shared>,
    /// The addresses that are listened on, with the ports that the system chose.
    pub addresses: Vec<String>,
    listeners: HashMap<Listen, Listening>,
}

/// One accepting task.
struct Listening {
    address: String,
    task: JoinHandle<()>,
}

impl Listening {
    /// Ends accepting, and waits until the socket, and the file of a Unix one, are gone.
    async fn end(mut self) {
        self.task.abort();
        // Aborted or ended, it is over.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Binds every address and begins to serve; needs a tokio runtime.
///
/// # Errors
/// An address cannot be bound; then none is.
pub fn start(config: Config) -> Result<Running, BindError> {
    let shared = Arc::new(Shared::new(Arc::new(config)));
    let mut running = Running {
        shared,
        addresses: Vec::new(),
        listeners: HashMap::new(),
    };
    let config = running.shared.config.load_full();
    running.listen(&config.listen)?;
    Ok(running)
}

impl Running {
    /// Binds what is new, then lets go what is not wanted any more.
    fn listen(&mut self, wanted: &[Listen]) -> Result<(), BindError> {
        let new: Vec<&Listen> = wanted
            .iter()
            .filter(|address| !self.listeners.contains_key(address))
            .collect();
        let bound: Vec<(&Listen, Listener)> = new
            .into_iter()
            .map(|address| Listener::bind(address).map(|bound| (address, bound)))
            .collect::<Result<_, _>>()?;
        for (wanted, listener) in bound {
            let address = listener.to_string();
            self.shared.observer.tell(
                tracing::Level::INFO,
                "listening",
                &events::Listening { address: &address },
            );
            let task = tokio::spawn(listener.serve(Arc::clone(&self.shared)));
            self.listeners
                .insert(wanted.clone(), Listening { address, task });
        }
        self.listeners.retain(|address, listening| {
            let keep = wanted.contains(address);
            if !keep {
                self.shared.observer.tell(
                    tracing::Level::INFO,
                    "listening_ended",
                    &events::Listening {
                        address: &listening.address,
                    },
                );
            }
            keep
        });
        let address_of = |address| {
            self.listeners
                .get(address)
                .map(|listening| listening.address.clone())
        };
        self.addresses = wanted.iter().filter_map(address_of).collect();
        Ok(())
    }

    /// Closes every connection without delay or spread, and ends.
    pub async fn shutdown(mut self) {
        let mut drain = self.shared.config.load().drain.clone();
        drain.delay = std::time::Duration::ZERO;
        drain.spread = std::time::Duration::ZERO;
        self.drain(&drain, "shutdown", std::future::pending::<()>())
            .await;
    }
}

/// `sidebeat run`: everything until the process ends.
#[must_use]
pub fn run(path: &Path) -> ExitCode {
    let watched = watch::Watch::new(path);
    let loaded = match config::load(path) {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let log = log::init(&loaded.config.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    let code = runtime.block_on(serve(path, loaded, watched, &log));
    // Whatever did not end in time must not keep the process.
    runtime.shutdown_background();
    code
}

async fn serve(
    path: &Path,
    loaded: Loaded,
    mut watched: watch::Watch,
    log: &log::LogGuard,
) -> ExitCode {
    let (mut hangup, mut end) =
        match signal(SignalKind::hangup()).and_then(|hangup| Ok((hangup, EndSignals::new()?))) {
            Ok(signals) => signals,
            Err(error) => return fail(&format!("cannot listen to signals: {error}")),
        };
    let started = events::Started {
        version: env!("CARGO_PKG_VERSION"),
        config: &path.display().to_string(),
        pid: std::process::id(),
    };
    log::emit(tracing::Level::INFO, "started", &started);
    for warning in &loaded.warnings {
        tracing::warn!(event = "config_warning", "{warning}");
    }
    files::raise_limit(loaded.config.process.max_connections);
    let mut running = match start(loaded.config) {
        Ok(running) => running,
        Err(error) => return fail(&error.to_string()),
    };
    let mut tree = loaded.tree;
    loop {
        let trigger = tokio::select! {
            _ = hangup.recv() => "signal",
            () = watched.changed() => "file",
            ended = end.recv() => {
                let drain = running.shared.config.load().drain.clone();
                running.drain(&drain, ended, end.recv()).await;
                return ExitCode::SUCCESS;
            }
        };
        if trigger == "signal" {
            watched.seen();
        }
        running.reload(path, &mut tree, trigger, log);
    }
}

/// Told on both outputs: the log's reader and the one who typed the command want to know.
fn fail(sentence: &str) -> ExitCode {
    tracing::error!(event = "failed", "{sentence}");
    eprintln!("sidebeat: {sentence}");
    ExitCode::FAILURE
}

/// The signals that ask the process to end.
struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    fn new() -> std::io::Result<Self> {
        Ok(EndSignals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn recv(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
